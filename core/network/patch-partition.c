// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#define GROUP_SIZE 64

gint swin_plan_add_patch_partition(SwinPlan *plan, const gchar *name, gint input, guint patch_size,
                                   gboolean cut) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  SwinPatchPartitionParameters *parameters = g_new0(SwinPatchPartitionParameters, 1);
  guint64 rest = cut ? 0 : (guint64)patch_size - 1;

  g_assert(in->n_dims == 4);
  g_assert(patch_size > 0);
  parameters->patch_size = patch_size;
  const guint64 shape[] = {in->shape[0], (in->shape[2] + rest) / patch_size,
                           (in->shape[3] + rest) / patch_size,
                           in->shape[1] * patch_size * patch_size};
  gint output = swin_plan_add_tensor(plan, swin_plan_get_storage(plan), G_N_ELEMENTS(shape), shape);
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
  const guint64 *in = swin_plan_get_tensor(context->plan, operation->inputs[0])->shape;
  const SwinPlanTensor *output = swin_plan_get_tensor(context->plan, operation->output);
  const guint64 *out = output->shape;
  const guint32 unit = in[3] % 4 == 0 && parameters->patch_size % 4 == 0 ? 4 : 1;
  const guint64 units = out[2] * out[3] / unit; /* in a row of patches */
  struct SwinPatchPartitionPush push = {
      .height = (guint32)in[2],
      .width = (guint32)in[3],
      .columns = (guint32)out[2],
  };
  SwinDispatch dispatch = {
      .shader = swin_operation_shader("patch-partition", output->storage),
      .n_constants = 4,
      .constants = {GROUP_SIZE, parameters->patch_size, (guint32)in[1], unit},
      .n_bindings = 2,
      .push = &push,
      .push_size = sizeof(push),
      .groups = {(units + GROUP_SIZE - 1) / GROUP_SIZE, out[1], 1},
  };

  return swin_split_record(context, operation, in[0], &dispatch, swin_split_fill_z, &push, error);
}

const SwinOperationClass swin_patch_partition_class = {
    .name = "patch_partition",
    .flops = flops,
    .record = record,
};
