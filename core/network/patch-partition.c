// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#define GROUP_SIZE 64

gint swin_plan_add_patch_partition(SwinPlan *plan, const gchar *name, gint input,
                                   guint patch_size) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  SwinPatchPartitionParameters *parameters = g_new0(SwinPatchPartitionParameters, 1);

  g_assert(in->n_dims == 4);
  g_assert(patch_size > 0);
  parameters->patch_size = patch_size;
  const guint64 shape[] = {in->shape[0], (in->shape[2] + patch_size - 1) / patch_size,
                           (in->shape[3] + patch_size - 1) / patch_size,
                           in->shape[1] * patch_size * patch_size};
  gint output = swin_plan_add_tensor(plan, G_N_ELEMENTS(shape), shape);
  swin_plan_add_operation(plan, &swin_patch_partition_class, name, 1, &input, output, parameters);
  return output;
}

/* Values only move. */
static guint64 flops(G_GNUC_UNUSED const SwinPlan *plan,
                     G_GNUC_UNUSED const SwinOperation *operation) {
  return 0;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinPatchPartitionParameters *parameters = operation->parameters;
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const guint64 *in = swin_plan_get_tensor(context->plan, operation->inputs[0])->shape;
  const guint64 *out = swin_plan_get_tensor(context->plan, operation->output)->shape;
  guint64 input_bytes = in[1] * in[2] * in[3] * sizeof(gfloat);
  guint64 output_bytes = out[1] * out[2] * out[3] * sizeof(gfloat);
  guint64 step = swin_split_items(device, in[0], input_bytes, output_bytes);
  struct SwinPatchPartitionPush push = {
      .height = (guint32)in[2],
      .width = (guint32)in[3],
      .columns = (guint32)out[2],
  };

  for (guint64 first = 0; first < in[0]; first += step) {
    guint64 n = MIN(step, in[0] - first);
    SwinDispatch dispatch = {
        .shader = "patch-partition",
        .label = operation->name,
        .n_constants = 3,
        .constants = {GROUP_SIZE, parameters->patch_size, (guint32)in[1]},
        .n_bindings = 2,
        .bindings = {swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first, n,
                                       input_bytes),
                     swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n,
                                       output_bytes)},
        .push = &push,
        .push_size = sizeof(push),
        .groups = {(out[2] * out[3] + GROUP_SIZE - 1) / GROUP_SIZE, out[1], n},
    };

    if (!swin_recorder_dispatch(context->recorder, &dispatch, error))
      return FALSE;
  }
  return TRUE;
}

const SwinOperationClass swin_patch_partition_class = {
    .name = "patch_partition",
    .flops = flops,
    .record = record,
};
