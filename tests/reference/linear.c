// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

#include <math.h>
#include <string.h>

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

/* Row @row of what the product is made of, as patch merging and patch partition gather it: four
 * neighbours, down first; the pixels of a patch, ordered (channel, y, x); zeros beyond the edges.
 */
static void gather(const SwinPlan *plan, const SwinOperation *operation, const float *input,
                   guint64 row, guint64 depth, float *values) {
  const SwinLinearParameters *parameters = operation->parameters;
  const guint64 *in = swin_plan_get_tensor(plan, operation->inputs[0])->shape;
  const guint64 *out = swin_plan_get_tensor(plan, operation->output)->shape;
  gboolean merging = parameters->source == SWIN_LINEAR_MERGING;

  if (parameters->source == SWIN_LINEAR_ROWS) {
    for (guint64 k = 0; k < depth; k++)
      values[k] = input[row * depth + k];
    return;
  }
  guint64 image = row / (out[1] * out[2]), top = row / out[2] % out[1], left = row % out[2];
  for (guint64 k = 0; k < depth; k++) {
    guint64 p = merging ? 2 : parameters->patch_size;
    guint64 channel = merging ? k % in[3] : k / (p * p);
    guint64 y = top * p + (merging ? k / in[3] % 2 : k / p % p);
    guint64 x = left * p + (merging ? k / in[3] / 2 : k % p);

    if (merging)
      values[k] = y < in[1] && x < in[2]
                      ? input[((image * in[1] + y) * in[2] + x) * in[3] + channel]
                      : 0.0f;
    else
      values[k] = y < in[2] && x < in[3]
                      ? input[((image * in[1] + channel) * in[2] + y) * in[3] + x]
                      : 0.0f;
  }
}

/* The left side of the product: [rows, depth]; g_free() it. */
static float *make_rows(const SwinPlan *plan, const SwinOperation *operation, const float *input,
                        guint64 n_rows, guint64 depth) {
  const SwinLinearParameters *parameters = operation->parameters;
  g_autofree float *weight = reference_read_weight(operation, SWIN_LINEAR_NORM_WEIGHT);
  g_autofree float *bias = reference_read_weight(operation, SWIN_LINEAR_NORM_BIAS);
  g_autofree float *gathered = g_new(float, depth);
  float *rows = g_new(float, n_rows *depth);

  for (guint64 row = 0; row < n_rows; row++) {
    gather(plan, operation, input, row, depth, gathered);
    if (parameters->normed)
      reference_normalise(gathered, depth, weight, bias, parameters->epsilon, rows + row * depth);
    else
      memcpy(rows + row * depth, gathered, depth * sizeof(float));
  }
  return rows;
}

/* -> [rows, sum of N] */
void reference_linear(const SwinPlan *plan, const SwinOperation *operation, float *const *tensors) {
  const SwinLinearParameters *parameters = operation->parameters;
  const SwinPlanTensor *out = swin_plan_get_tensor(plan, operation->output);
  const SwinTensor *first_weight = &operation->weights[SWIN_LINEAR_WEIGHT];
  const float *residual =
      operation->inputs[1] != SWIN_PLAN_NO_TENSOR ? tensors[operation->inputs[1]] : NULL;
  float *output = tensors[operation->output];
  guint64 depth = first_weight->n_elements / first_weight->shape[0];
  guint64 width = out->shape[out->n_dims - 1];
  guint64 n_rows = out->n_elements / width;
  g_autofree float *rows = make_rows(plan, operation, tensors[operation->inputs[0]], n_rows, depth);
  guint64 first_column = 0;

  for (guint part = 0; part < parameters->n_parts; part++) {
    g_autofree float *weight = reference_read_weight(operation, SWIN_LINEAR_WEIGHT + part);
    g_autofree float *bias = reference_read_weight(operation, SWIN_LINEAR_BIAS + part);
    guint64 n_columns = operation->weights[part].shape[0];

    for (guint64 row = 0; row < n_rows; row++)
      for (guint64 column = 0; column < n_columns; column++) {
        guint64 at = row * width + first_column + column;
        double sum = bias != NULL ? (double)bias[column] : 0.0;

        for (guint64 k = 0; k < depth; k++)
          sum += (double)rows[row * depth + k] * (double)weight[column * depth + k];
        sum = activate(parameters->gelu, sum);
        output[at] = (float)(residual != NULL ? sum + (double)residual[at] : sum);
      }
    first_column += n_columns;
  }
}
