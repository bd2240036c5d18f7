// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

/* [N, H, W, C] -> [N, C] */
void reference_mean_pool(const SwinPlan *plan, const SwinOperation *operation,
                         float *const *tensors) {
  const SwinMeanPoolParameters *parameters = operation->parameters;
  const guint64 *in = swin_plan_get_tensor(plan, operation->inputs[0])->shape;
  const float *input = tensors[operation->inputs[0]];
  float *output = tensors[operation->output];
  guint64 n_tokens = in[1] * in[2], n_channels = in[3];

  for (guint64 image = 0; image < in[0]; image++)
    for (guint64 channel = 0; channel < n_channels; channel++) {
      double sum = 0.0;

      for (guint64 i = 0; i < parameters->n_tokens; i++) {
        guint64 token = image * n_tokens + parameters->first + i;

        sum += (double)input[token * n_channels + channel];
      }
      output[image * n_channels + channel] = (float)(sum / parameters->n_tokens);
    }
}
