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
  gint output = swin_plan_add_tensor(plan, G_N_ELEMENTS(shape), shape);
  swin_norm_append(plan, &swin_patch_merging_class, name, input, output, weight, bias, epsilon);
  return output;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinLayerNormParameters *parameters = operation->parameters;
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const guint64 *in = swin_plan_get_tensor(context->plan, operation->inputs[0])->shape;
  const guint64 *out = swin_plan_get_tensor(context->plan, operation->output)->shape;
  SwinNormShape norm = swin_norm_shape(device, out[3]);
  guint64 input_bytes = in[1] * in[2] * in[3] * sizeof(gfloat);
  guint64 output_bytes = out[1] * out[2] * out[3] * sizeof(gfloat);
  guint64 step = swin_split_items(device, in[0], input_bytes, output_bytes);
  struct SwinPatchMergingPush push = {
      .height = (guint32)in[1],
      .width = (guint32)in[2],
      .channels = (guint32)in[3],
      .rows = (guint32)out[1],
      .columns = (guint32)out[2],
      .epsilon = (gfloat)parameters->epsilon,
  };

  if (!swin_norm_check(operation, norm, out[3], error))
    return FALSE;
  for (guint64 first = 0; first < in[0]; first += step) {
    guint64 n = MIN(step, in[0] - first);
    SwinDispatch dispatch = {
        .shader = "patch-merging",
        .label = operation->name,
        .n_constants = 3,
        .constants = {norm.lanes * norm.rows, norm.lanes, norm.rows},
        .n_bindings = 3,
        .bindings = {swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first, n,
                                       input_bytes),
                     swin_operation_context_weights(context),
                     swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n,
                                       output_bytes)},
        .push = &push,
        .push_size = sizeof(push),
        .groups = {(out[2] + norm.rows - 1) / norm.rows, out[1], n},
    };

    if (!swin_recorder_dispatch(context->recorder, &dispatch, error))
      return FALSE;
  }
  return TRUE;
}

const SwinOperationClass swin_patch_merging_class = {
    .name = "patch_merging",
    .flops = swin_norm_flops,
    .packed_size = swin_norm_packed_size,
    .pack = swin_norm_pack,
    .record = record,
};
