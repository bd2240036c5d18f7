// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

#include <math.h>

void reference_normalise(const float *input, guint64 n, const float *weight, const float *bias,
                         double epsilon, float *output) {
  double mean = 0.0, variance = 0.0;

  for (guint64 i = 0; i < n; i++)
    mean += (double)input[i] / (double)n;
  for (guint64 i = 0; i < n; i++)
    variance += ((double)input[i] - mean) * ((double)input[i] - mean) / (double)n;
  for (guint64 i = 0; i < n; i++)
    output[i] = (float)(((double)input[i] - mean) / sqrt(variance + epsilon) * (double)weight[i] +
                        (double)bias[i]);
}

/* [..., C] -> [..., C], plus a residual of the same shape */
void reference_layer_norm(const SwinPlan *plan, const SwinOperation *operation,
                          float *const *tensors) {
  const SwinLayerNormParameters *parameters = operation->parameters;
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, operation->inputs[0]);
  guint64 n = in->shape[in->n_dims - 1];
  g_autofree float *weight = reference_read_weight(operation, SWIN_WEIGHT);
  g_autofree float *bias = reference_read_weight(operation, SWIN_BIAS);
  float *output = tensors[operation->output];

  for (guint64 first = 0; first < in->n_elements; first += n)
    reference_normalise(tensors[operation->inputs[0]] + first, n, weight, bias, parameters->epsilon,
                        output + first);
  if (operation->inputs[1] == SWIN_PLAN_NO_TENSOR)
    return;
  for (guint64 i = 0; i < in->n_elements; i++)
    output[i] += tensors[operation->inputs[1]][i];
}
