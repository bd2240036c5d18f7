// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/layer-norm.h"
#include "network/split.h"
#include "parameters.h"

gint swin_plan_add_patch_merging(SwinPlan *plan, const gchar *name, gint input,
                                 const SwinTensor *weight, const SwinTensor *bias,
                                 gdouble epsilon) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint64 shape[] = {in->shape[0], (in->shape[1] + 1) / 2, (in->shape[2] + 1) / 2,
                           4 * in->shape[3]};

  g_assert(in->n_dims == 4);
  gint output = swin_plan_add_tensor(plan, in->storage, G_N_ELEMENTS(shape), shape);
  swin_norm_append(plan, &swin_patch_merging_class, name, input, SWIN_PLAN_NO_TENSOR, output,
                   weight, bias, epsilon);
  return output;
}

static gboolean is_normed(const SwinOperation *operation) {
  return operation->weights[SWIN_WEIGHT].data != NULL;
}

static guint64 flops(const SwinPlan *plan, const SwinOperation *operation) {
  return is_normed(operation) ? swin_norm_flops(plan, operation) : 0;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinLayerNormParameters *parameters = operation->parameters;
  const SwinPlanTensor *input = swin_plan_get_tensor(context->plan, operation->inputs[0]);
  const guint64 *in = input->shape;
  const guint64 *out = swin_plan_get_tensor(context->plan, operation->output)->shape;
  SwinNormShape norm = swin_norm_shape(swin_recorder_get_device(context->recorder), out[3]);
  struct SwinPatchMergingPush push = {
      .height = (guint32)in[1],
      .width = (guint32)in[2],
      .channels = (guint32)in[3],
      .rows = (guint32)out[1],
      .columns = (guint32)out[2],
      .epsilon = (gfloat)parameters->epsilon,
  };
  SwinDispatch dispatch = {
      .shader = swin_operation_shader("patch-merging", input->storage),
      .n_constants = SWIN_NORM_CONSTANTS + 2,
      .n_bindings = 3,
      .push = &push,
      .push_size = sizeof(push),
      .groups = {(out[2] + norm.rows - 1) / norm.rows, out[1], 1},
  };

  swin_norm_set_constants(&dispatch, norm, out[3]);
  dispatch.constants[SWIN_NORM_CONSTANTS] = is_normed(operation);
  dispatch.constants[SWIN_NORM_CONSTANTS + 1] = in[3] % 4 == 0;
  return swin_split_check_loop(operation, swin_norm_rounds(norm, out[3]), error) &&
         swin_split_record(context, operation, in[0], &dispatch, swin_split_fill_z, &push, error);
}

const SwinOperationClass swin_patch_merging_class = {
    .name = "patch_merging",
    .flops = flops,
    .packed_size = swin_norm_packed_size,
    .pack = swin_norm_pack,
    .record = record,
};
