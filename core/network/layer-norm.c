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
                      gint input, gint residual, gint output, const SwinTensor *weight,
                      const SwinTensor *bias, gdouble epsilon) {
  const SwinPlanTensor *out = swin_plan_get_tensor(plan, output);
  SwinLayerNormParameters *parameters = g_new0(SwinLayerNormParameters, 1);
  const gint inputs[] = {input, residual};

  parameters->epsilon = epsilon;
  SwinOperation *operation =
      swin_plan_add_operation(plan, klass, name, G_N_ELEMENTS(inputs), inputs, output, parameters);
  g_assert((weight == NULL) == (bias == NULL));
  if (weight == NULL)
    return;
  g_assert(weight->n_elements == out->shape[out->n_dims - 1]);
  g_assert(bias->n_elements == weight->n_elements);
  operation->weights[SWIN_WEIGHT] = *weight;
  operation->weights[SWIN_BIAS] = *bias;
}

gint swin_plan_add_layer_norm(SwinPlan *plan, const gchar *name, gint input,
                              const SwinTensor *weight, const SwinTensor *bias, gdouble epsilon,
                              gint residual) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  gint output = swin_plan_add_tensor(plan, in->n_dims, in->shape);

  g_assert(weight != NULL);
  g_assert(residual == SWIN_PLAN_NO_TENSOR || swin_plan_get_tensor(plan, residual)->n_elements ==
                                                  swin_plan_get_tensor(plan, output)->n_elements);
  swin_norm_append(plan, &swin_layer_norm_class, name, input, residual, output, weight, bias,
                   epsilon);
  return output;
}

/* Sum; difference, square and sum; difference, scale, weight and bias. */
guint64 swin_norm_flops(const SwinPlan *plan, const SwinOperation *operation) {
  return 8 * swin_plan_get_tensor(plan, operation->output)->n_elements;
}

static guint64 flops(const SwinPlan *plan, const SwinOperation *operation) {
  guint64 residual = operation->inputs[1] != SWIN_PLAN_NO_TENSOR
                         ? swin_plan_get_tensor(plan, operation->output)->n_elements
                         : 0;

  return swin_norm_flops(plan, operation) + residual;
}

static void fill(SwinDispatch *dispatch, SwinDevice *device, guint64 n_items, gpointer push) {
  struct SwinLayerNormPush *values = push;
  guint32 rows = dispatch->constants[2];

  values->rows = (guint32)n_items;
  swin_split_groups(device, (n_items + rows - 1) / rows, dispatch->groups);
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinLayerNormParameters *parameters = operation->parameters;
  const SwinPlanTensor *in = swin_plan_get_tensor(context->plan, operation->inputs[0]);
  guint64 channels = in->shape[in->n_dims - 1];
  SwinNormShape shape = swin_norm_shape(swin_recorder_get_device(context->recorder), channels);
  struct SwinLayerNormPush push = {
      .channels = (guint32)channels,
      .epsilon = (gfloat)parameters->epsilon,
  };
  SwinDispatch dispatch = {
      .shader = "layer-norm",
      .n_constants = 4,
      .constants = {shape.lanes * shape.rows, shape.lanes, shape.rows,
                    operation->inputs[1] != SWIN_PLAN_NO_TENSOR},
      .n_bindings = 4,
      .push = &push,
      .push_size = sizeof(push),
  };

  return swin_norm_check(operation, shape, channels, error) &&
         swin_split_record(context, operation, in->n_elements / channels, &dispatch, fill, &push,
                           error);
}

const SwinOperationClass swin_layer_norm_class = {
    .name = "layer_norm",
    .flops = flops,
    .packed_size = swin_norm_packed_size,
    .pack = swin_norm_pack,
    .record = record,
};
