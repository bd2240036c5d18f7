// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/layer-norm.h"

#include "network/split.h"
#include "parameters.h"

/* Rounds of the loops for each value: two for the sums, a little for the runs, one to store. */
#define ROUNDS 4

SwinNormShape swin_norm_shape(SwinDevice *device, guint64 length) {
  SwinNormShape shape = {.lanes = 32, .rows = 4};

  if (swin_device_is_cpu(device)) {
    shape.lanes = 1;
    shape.rows = swin_device_get_limits(device)->subgroup_size;
  }
  while (ROUNDS * length / shape.lanes > SWIN_MAX_ITERATIONS && shape.rows > 1) {
    shape.lanes *= 2;
    shape.rows /= 2;
  }
  return shape;
}

gboolean swin_norm_check(const SwinOperation *operation, SwinNormShape shape, guint64 length,
                         GError **error) {
  return swin_split_check_loop(operation, ROUNDS * length / shape.lanes, error);
}

guint64 swin_norm_packed_size(G_GNUC_UNUSED const SwinPlan *plan, const SwinOperation *operation,
                              G_GNUC_UNUSED SwinDevice *device) {
  return operation->weights[SWIN_WEIGHT].n_elements + operation->weights[SWIN_BIAS].n_elements;
}

void swin_norm_pack(G_GNUC_UNUSED const SwinPlan *plan, const SwinOperation *operation,
                    G_GNUC_UNUSED SwinDevice *device, gfloat *values) {
  const SwinTensor *weight = &operation->weights[SWIN_WEIGHT];
  const SwinTensor *bias = &operation->weights[SWIN_BIAS];

  swin_tensor_read(weight, 0, weight->n_elements, values);
  swin_tensor_read(bias, 0, bias->n_elements, values + weight->n_elements);
}

void swin_norm_append(SwinPlan *plan, const SwinOperationClass *klass, const gchar *name,
                      gint input, gint output, const SwinTensor *weight, const SwinTensor *bias,
                      gdouble epsilon) {
  const SwinPlanTensor *out = swin_plan_get_tensor(plan, output);
  SwinLayerNormParameters *parameters = g_new0(SwinLayerNormParameters, 1);

  g_assert(weight->n_elements == out->shape[out->n_dims - 1]);
  g_assert(bias->n_elements == weight->n_elements);
  parameters->epsilon = epsilon;
  SwinOperation *operation =
      swin_plan_add_operation(plan, klass, name, 1, &input, output, parameters);
  operation->weights[SWIN_WEIGHT] = *weight;
  operation->weights[SWIN_BIAS] = *bias;
}

gint swin_plan_add_layer_norm(SwinPlan *plan, const gchar *name, gint input,
                              const SwinTensor *weight, const SwinTensor *bias, gdouble epsilon) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  gint output = swin_plan_add_tensor(plan, in->n_dims, in->shape);

  swin_norm_append(plan, &swin_layer_norm_class, name, input, output, weight, bias, epsilon);
  return output;
}

/* Sum; difference, square and sum; difference, scale, weight and bias. */
guint64 swin_norm_flops(const SwinPlan *plan, const SwinOperation *operation) {
  return 8 * swin_plan_get_tensor(plan, operation->output)->n_elements;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinLayerNormParameters *parameters = operation->parameters;
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const SwinPlanTensor *in = swin_plan_get_tensor(context->plan, operation->inputs[0]);
  guint64 channels = in->shape[in->n_dims - 1], n_rows = in->n_elements / channels;
  SwinNormShape shape = swin_norm_shape(device, channels);
  guint64 row_bytes = channels * sizeof(gfloat);
  guint64 step = swin_split_items(device, n_rows, row_bytes, row_bytes);

  if (!swin_norm_check(operation, shape, channels, error))
    return FALSE;
  for (guint64 first = 0; first < n_rows; first += step) {
    guint64 n = MIN(step, n_rows - first);
    struct SwinLayerNormPush push = {
        .rows = (guint32)n,
        .channels = (guint32)channels,
        .epsilon = (gfloat)parameters->epsilon,
    };
    SwinDispatch dispatch = {
        .shader = "layer-norm",
        .label = operation->name,
        .n_constants = 3,
        .constants = {shape.lanes * shape.rows, shape.lanes, shape.rows},
        .n_bindings = 3,
        .bindings = {swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first, n,
                                       row_bytes),
                     swin_operation_context_weights(context),
                     swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n,
                                       row_bytes)},
        .push = &push,
        .push_size = sizeof(push),
    };

    swin_split_groups(device, (n + shape.rows - 1) / shape.rows, dispatch.groups);
    if (!swin_recorder_dispatch(context->recorder, &dispatch, error))
      return FALSE;
  }
  return TRUE;
}

const SwinOperationClass swin_layer_norm_class = {
    .name = "layer_norm",
    .flops = swin_norm_flops,
    .packed_size = swin_norm_packed_size,
    .pack = swin_norm_pack,
    .record = record,
};
