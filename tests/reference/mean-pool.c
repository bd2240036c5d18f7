// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

/* [N, H, W, C] -> [N, C], of normalised tokens where there is a norm */
void reference_mean_pool(const SwinPlan *plan, const SwinOperation *operation,
                         float *const *tensors) {
  const SwinMeanPoolParameters *parameters = operation->parameters;
  const guint64 *in = swin_plan_get_tensor(plan, operation->inputs[0])->shape;
  guint64 n_tokens = in[1] * in[2], n_channels = in[3];
  g_autofree float *weight = reference_read_weight(operation, SWIN_WEIGHT);
  g_autofree float *bias = reference_read_weight(operation, SWIN_BIAS);
  g_autofree float *normed = g_new(float, n_channels);
  g_autofree double *sums = g_new(double, n_channels);
  float *output = tensors[operation->output];

  for (guint64 image = 0; image < in[0]; image++, output += n_channels) {
    for (guint64 channel = 0; channel < n_channels; channel++)
      sums[channel] = 0.0;
    for (guint64 i = 0; i < parameters->n_tokens; i++) {
      guint64 token = image * n_tokens + parameters->first + i;
      const float *values = tensors[operation->inputs[0]] + token * n_channels;

      if (parameters->normed) {
        reference_normalise(values, n_channels, weight, bias, parameters->epsilon, normed);
        values = normed;
      }
      for (guint64 channel = 0; channel < n_channels; channel++)
        sums[channel] += (double)values[channel];
    }
    for (guint64 channel = 0; channel < n_channels; channel++)
      output[channel] = (float)(sums[channel] / parameters->n_tokens);
  }
}
