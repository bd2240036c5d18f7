// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/layer-norm.h"

#include <string.h>

#include "network/split.h"
#include "parameters.h"

#define VECTOR 4       /* values that an invocation loads at a time */
#define LEAST_LANES 8  /* of a GPU: 8 vectors are a cache line in float32 */
#define GROUP_SIZE 128 /* of a GPU; every device can */
#define BLOCK 8        /* vectors that an invocation has in registers */
#define LARGE_BLOCK 24 /* where a whole row fits, on a processor: its cache is its registers */
#define OVERHEAD 4     /* rounds for a row that are not for vectors or lanes */

static guint64 vectors_of(SwinNormShape shape, guint64 length) {
  return (length + VECTOR * shape.lanes - 1) / (VECTOR * shape.lanes);
}

SwinNormShape swin_norm_shape(SwinDevice *device, guint64 length) {
  SwinNormShape shape = {.lanes = LEAST_LANES, .rows = GROUP_SIZE / LEAST_LANES};

  if (swin_device_is_cpu(device)) {
    shape.lanes = 1;
    shape.rows = swin_device_get_limits(device)->subgroup_size;
    while (swin_norm_rounds(shape, length) > SWIN_MAX_ITERATIONS && shape.rows > 1) {
      shape.lanes *= 2;
      shape.rows /= 2;
    }
    return shape;
  }
  while (vectors_of(shape, length) > BLOCK && shape.rows > 1) {
    shape.lanes *= 2;
    shape.rows /= 2;
  }
  return shape;
}

/* The vectors are loaded once for the moments and once to be stored; those of the lanes are summed
 * up in two passes. Every driver unrolls the four values of a vector. */
guint64 swin_norm_rounds(SwinNormShape shape, guint64 length) {
  return 3 * vectors_of(shape, length) + 2 * shape.lanes + OVERHEAD;
}

void swin_norm_set_constants(SwinDispatch *dispatch, SwinNormShape shape, guint64 length) {
  const guint64 vectors = vectors_of(shape, length);
  const gboolean is_kept = vectors <= (shape.lanes == 1 ? LARGE_BLOCK : BLOCK);
  const guint32 block = is_kept ? (guint32)vectors : BLOCK;
  const guint32 constants[SWIN_NORM_CONSTANTS] = {
      shape.lanes * shape.rows,
      shape.lanes,
      shape.rows,
      block,
      is_kept,
      length % VECTOR == 0,
      length % ((guint64)VECTOR * shape.lanes * block) == 0,
  };

  memcpy(dispatch->constants, constants, sizeof(constants));
}

guint64 swin_norm_packed_size(G_GNUC_UNUSED const SwinPlan *plan, const SwinOperation *operation,
                              G_GNUC_UNUSED SwinDevice *device) {
  return (operation->weights[SWIN_WEIGHT].n_elements + operation->weights[SWIN_BIAS].n_elements) *
         sizeof(gfloat);
}

void swin_norm_pack(G_GNUC_UNUSED const SwinPlan *plan, const SwinOperation *operation,
                    G_GNUC_UNUSED SwinDevice *device, gpointer packed) {
  gfloat *values = packed;
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
  gint output = swin_plan_add_tensor(plan, in->storage, in->n_dims, in->shape);

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
      .shader = swin_operation_shader("layer-norm", in->storage),
      .n_constants = SWIN_NORM_CONSTANTS + 1,
      .n_bindings = 4,
      .push = &push,
      .push_size = sizeof(push),
  };

  swin_norm_set_constants(&dispatch, shape, channels);
  dispatch.constants[SWIN_NORM_CONSTANTS] = operation->inputs[1] != SWIN_PLAN_NO_TENSOR;
  return swin_split_check_loop(operation, swin_norm_rounds(shape, channels), error) &&
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
