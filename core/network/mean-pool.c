// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#define CHANNELS 32 /* a work-group */
#define PARTS 8     /* invocations that share a channel */

gint swin_plan_add_mean_pool(SwinPlan *plan, const gchar *name, gint input, guint first,
                             guint n_tokens) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint64 shape[] = {in->shape[0], in->shape[3]};
  guint64 n_map = in->shape[1] * in->shape[2];
  SwinMeanPoolParameters *parameters = g_new0(SwinMeanPoolParameters, 1);

  g_assert(in->n_dims == 4);
  g_assert(first < n_map && n_tokens <= n_map - first);
  parameters->first = first;
  parameters->n_tokens = n_tokens > 0 ? n_tokens : (guint)(n_map - first);
  gint output = swin_plan_add_tensor(plan, G_N_ELEMENTS(shape), shape);
  swin_plan_add_operation(plan, &swin_mean_pool_class, name, 1, &input, output, parameters);
  return output;
}

static guint64 flops(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinMeanPoolParameters *parameters = operation->parameters;

  return swin_plan_get_tensor(plan, operation->output)->n_elements * parameters->n_tokens;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinMeanPoolParameters *parameters = operation->parameters;
  const guint64 *in = swin_plan_get_tensor(context->plan, operation->inputs[0])->shape;
  struct SwinMeanPoolPush push = {
      .map_tokens = (guint32)(in[1] * in[2]),
      .first = parameters->first,
      .tokens = parameters->n_tokens,
      .channels = (guint32)in[3],
      .run = (parameters->n_tokens - 1) / PARTS + 1,
  };
  SwinDispatch dispatch = {
      .shader = "mean-pool",
      .n_constants = 3,
      .constants = {CHANNELS * PARTS, CHANNELS, PARTS},
      .n_bindings = 2,
      .push = &push,
      .push_size = sizeof(push),
      .groups = {(in[3] + CHANNELS - 1) / CHANNELS, 1, 1},
  };

  return swin_split_check_loop(operation, push.run, error) &&
         swin_split_record(context, operation, in[0], &dispatch, swin_split_fill_z, &push, error);
}

const SwinOperationClass swin_mean_pool_class = {
    .name = "mean_pool",
    .flops = flops,
    .record = record,
};
