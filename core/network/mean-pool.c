// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#define CHANNELS 32 /* a work-group */
#define PARTS 8     /* invocations that share a channel */

gint swin_plan_add_mean_pool(SwinPlan *plan, const gchar *name, gint input) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint64 shape[] = {in->shape[0], in->shape[3]};

  g_assert(in->n_dims == 4);
  gint output = swin_plan_add_tensor(plan, G_N_ELEMENTS(shape), shape);
  swin_plan_add_operation(plan, &swin_mean_pool_class, name, 1, &input, output, NULL);
  return output;
}

static guint64 flops(const SwinPlan *plan, const SwinOperation *operation) {
  return swin_plan_get_tensor(plan, operation->inputs[0])->n_elements;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const guint64 *in = swin_plan_get_tensor(context->plan, operation->inputs[0])->shape;
  guint64 input_bytes = in[1] * in[2] * in[3] * sizeof(gfloat);
  guint64 output_bytes = in[3] * sizeof(gfloat);
  guint64 step = swin_split_items(device, in[0], input_bytes, output_bytes);
  struct SwinMeanPoolPush push = {
      .tokens = (guint32)(in[1] * in[2]),
      .channels = (guint32)in[3],
      .run = (guint32)((in[1] * in[2] + PARTS - 1) / PARTS),
  };

  if (!swin_split_check_loop(operation, push.run, error))
    return FALSE;
  for (guint64 first = 0; first < in[0]; first += step) {
    guint64 n = MIN(step, in[0] - first);
    SwinDispatch dispatch = {
        .shader = "mean-pool",
        .label = operation->name,
        .n_constants = 3,
        .constants = {CHANNELS * PARTS, CHANNELS, PARTS},
        .n_bindings = 2,
        .bindings = {swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first, n,
                                       input_bytes),
                     swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n,
                                       output_bytes)},
        .push = &push,
        .push_size = sizeof(push),
        .groups = {(in[3] + CHANNELS - 1) / CHANNELS, n, 1},
    };

    if (!swin_recorder_dispatch(context->recorder, &dispatch, error))
      return FALSE;
  }
  return TRUE;
}

const SwinOperationClass swin_mean_pool_class = {
    .name = "mean_pool",
    .flops = flops,
    .record = record,
};
