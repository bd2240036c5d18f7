// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

#include <math.h>

/* Exact GELU (arXiv:1606.08415): x * Phi(x). */
static double gelu(double x) {
  return 0.5 * x * (1.0 + erf(x * M_SQRT1_2));
}

/* Its approximation in section 2 of the same paper. */
static double tanh_gelu(double x) {
  return 0.5 * x * (1.0 + tanh(sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
}

static double activate(SwinGelu kind, double x) {
  switch (kind) {
  case SWIN_GELU_NONE:
    return x;
  case SWIN_GELU_EXACT:
    return gelu(x);
  case SWIN_GELU_TANH:
    return tanh_gelu(x);
  }
  g_assert_not_reached();
}

/* [..., K] -> [..., sum of N] */
void reference_linear(const SwinPlan *plan, const SwinOperation *operation, float *const *tensors) {
  const SwinLinearParameters *parameters = operation->parameters;
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, operation->inputs[0]);
  const SwinPlanTensor *out = swin_plan_get_tensor(plan, operation->output);
  const float *input = tensors[operation->inputs[0]];
  const float *residual =
      operation->inputs[1] != SWIN_PLAN_NO_TENSOR ? tensors[operation->inputs[1]] : NULL;
  float *output = tensors[operation->output];
  guint64 depth = in->shape[in->n_dims - 1];
  guint64 width = out->shape[out->n_dims - 1];
  guint64 n_rows = in->n_elements / depth;
  guint64 first_column = 0;

  for (guint part = 0; part < parameters->n_parts; part++) {
    g_autofree float *weight = reference_read_weight(operation, part);
    g_autofree float *bias = reference_read_weight(operation, SWIN_LINEAR_MAX_PARTS + part);
    guint64 n_columns = operation->weights[part].shape[0];

    for (guint64 row = 0; row < n_rows; row++)
      for (guint64 column = 0; column < n_columns; column++) {
        guint64 at = row * width + first_column + column;
        double sum = bias != NULL ? (double)bias[column] : 0.0;

        for (guint64 k = 0; k < depth; k++)
          sum += (double)input[row * depth + k] * (double)weight[column * depth + k];
        sum = activate(parameters->gelu, sum);
        output[at] = (float)(residual != NULL ? sum + (double)residual[at] : sum);
      }
    first_column += n_columns;
  }
}
