// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/linear-private.h"

static guint64 weight_depth(const SwinTensor *weight) {
  return weight->n_elements / weight->shape[0];
}

/* Values of a row of the product's left side. */
static guint64 source_depth(const SwinPlanTensor *in, const SwinLinearParameters *parameters) {
  switch (parameters->source) {
  case SWIN_LINEAR_ROWS:
    return in->shape[in->n_dims - 1];
  case SWIN_LINEAR_MERGING:
    return 4 * in->shape[3];
  case SWIN_LINEAR_PATCHES:
    return in->shape[1] * parameters->patch_size * parameters->patch_size;
  }
  g_assert_not_reached();
}

/* The output's shape but for the last dimension, which is @columns. Returns: how many dimensions.
 */
static guint output_shape(const SwinPlanTensor *in, const SwinLinearParameters *parameters,
                          guint64 columns, guint64 *shape) {
  const guint64 patch = parameters->patch_size;
  const guint64 rest = parameters->cut ? 0 : patch - 1;
  guint n_dims = 4;
  switch (parameters->source) {
  case SWIN_LINEAR_ROWS:
    n_dims = in->n_dims;
    for (guint i = 0; i < n_dims; i++)
      shape[i] = in->shape[i];
    break;
  case SWIN_LINEAR_MERGING:
    g_assert(in->n_dims == 4);
    shape[0] = in->shape[0];
    shape[1] = (in->shape[1] + 1) / 2;
    shape[2] = (in->shape[2] + 1) / 2;
    break;
  case SWIN_LINEAR_PATCHES:
    g_assert(in->n_dims == 4 && patch > 0);
    g_assert(in->storage == SWIN_STORAGE_F32);
    shape[0] = in->shape[0];
    shape[1] = (in->shape[2] + rest) / patch;
    shape[2] = (in->shape[3] + rest) / patch;
    break;
  }
  shape[n_dims - 1] = columns;
  return n_dims;
}

gint swin_plan_add_linear(SwinPlan *plan, const gchar *name, gint input,
                          const SwinLinearParameters *parameters, const SwinTensor *const *weights,
                          const SwinTensor *const *biases, const SwinTensor *const *norm,
                          gint residual) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint n_parts = parameters->n_parts;
  const guint64 depth = source_depth(in, parameters);
  guint64 shape[SWIN_TENSOR_MAX_DIMS], columns = 0;
  g_assert(n_parts >= 1 && n_parts <= SWIN_LINEAR_MAX_PARTS);
  for (guint i = 0; i < n_parts; i++) {
    g_assert(weight_depth(weights[i]) == depth);
    columns += weights[i]->shape[0];
  }
  const guint n_dims = output_shape(in, parameters, columns, shape);
  const SwinStorage storage =
      parameters->source == SWIN_LINEAR_PATCHES ? swin_plan_get_storage(plan) : in->storage;
  const gint output = swin_plan_add_tensor(plan, storage, n_dims, shape);
  g_assert(residual == SWIN_PLAN_NO_TENSOR || swin_plan_get_tensor(plan, residual)->n_elements ==
                                                  swin_plan_get_tensor(plan, output)->n_elements);

  const gint inputs[] = {input, residual};
  SwinOperation *operation = swin_plan_add_operation(
      plan, &swin_linear_class, name, residual == SWIN_PLAN_NO_TENSOR ? 1 : 2, inputs, output,
      g_memdup2(parameters, sizeof(*parameters)));
  for (guint i = 0; i < n_parts; i++) {
    operation->weights[SWIN_LINEAR_WEIGHT + i] = *weights[i];
    if (biases && biases[i])
      operation->weights[SWIN_LINEAR_BIAS + i] = *biases[i];
  }
  g_assert(!parameters->normed || (norm && norm[0]->n_elements == depth));
  if (parameters->normed) {
    operation->weights[SWIN_LINEAR_NORM_WEIGHT] = *norm[0];
    operation->weights[SWIN_LINEAR_NORM_BIAS] = *norm[1];
  }
  return output;
}

SwinLinearProduct swin_linear_product(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinPlanTensor *output = swin_plan_get_tensor(plan, operation->output);
  const guint64 columns = output->shape[output->n_dims - 1];
  return (SwinLinearProduct){
      .storage = output->storage,
      .rows = output->n_elements / columns,
      .depth = weight_depth(&operation->weights[SWIN_LINEAR_WEIGHT]),
      .columns = columns,
  };
}

/* What the strips cannot do, a processor does as a GPU would; plans for processors have none of it
 * (swin_network_fuses()). */
SwinLinearKind swin_linear_operation_kind(const SwinPlan *plan, const SwinOperation *operation,
                                          SwinDevice *device) {
  const SwinLinearParameters *parameters = operation->parameters;
  const SwinLinearProduct product = swin_linear_product(plan, operation);
  const SwinLinearKind kind = swin_linear_kind(device, product.storage);
  if (kind == SWIN_LINEAR_KIND_STRIPS &&
      (parameters->source != SWIN_LINEAR_ROWS || parameters->normed))
    return SWIN_LINEAR_KIND_TILES;
  return kind;
}

static const SwinLinearKindClass *kind_class(const SwinPlan *plan, const SwinOperation *operation,
                                             SwinDevice *device) {
  return swin_linear_operation_kind(plan, operation, device) == SWIN_LINEAR_KIND_STRIPS
             ? &swin_linear_strips
             : &swin_linear_rows;
}

/* Those of the norm as swin_norm_flops() counts them. */
static guint64 linear_flops(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinLinearParameters *parameters = operation->parameters;
  const SwinLinearProduct product = swin_linear_product(plan, operation);
  const guint64 norm = parameters->normed ? 8 * product.rows * product.depth : 0;
  return 2 * product.rows * product.columns * product.depth + norm;
}

static guint64 linear_packed_size(const SwinPlan *plan, const SwinOperation *operation,
                                  SwinDevice *device) {
  return kind_class(plan, operation, device)->packed_size(plan, operation, device);
}

static void linear_pack(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device,
                        gpointer packed) {
  kind_class(plan, operation, device)->pack(plan, operation, device, packed);
}

static gboolean linear_record(const SwinOperationContext *context, const SwinOperation *operation,
                              GError **error) {
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  return kind_class(context->plan, operation, device)->record(context, operation, error);
}

const SwinOperationClass swin_linear_class = {
    .name = "linear",
    .flops = linear_flops,
    .packed_size = linear_packed_size,
    .pack = linear_pack,
    .record = linear_record,
};
