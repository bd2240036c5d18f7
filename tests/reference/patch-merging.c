// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

#include <string.h>

/* [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), 4C] */
void reference_patch_merging(const SwinPlan *plan, const SwinOperation *operation,
                             float *const *tensors) {
  static const guint64 rows[] = {0, 1, 0, 1}, columns[] = {0, 0, 1, 1};
  const SwinLayerNormParameters *parameters = operation->parameters;
  const guint64 *in = swin_plan_get_tensor(plan, operation->inputs[0])->shape;
  const guint64 *out = swin_plan_get_tensor(plan, operation->output)->shape;
  const float *input = tensors[operation->inputs[0]];
  g_autofree float *weight = reference_read_weight(operation, SWIN_WEIGHT);
  g_autofree float *bias = reference_read_weight(operation, SWIN_BIAS);
  g_autofree float *merged = g_new(float, out[3]);
  float *output = tensors[operation->output];

  for (guint64 image = 0; image < in[0]; image++)
    for (guint64 row = 0; row < out[1]; row++)
      for (guint64 column = 0; column < out[2]; column++, output += out[3]) {
        for (guint64 i = 0; i < out[3]; i++) {
          guint64 group = i / in[3];
          guint64 y = 2 * row + rows[group], x = 2 * column + columns[group];

          merged[i] = y < in[1] && x < in[2]
                          ? input[((image * in[1] + y) * in[2] + x) * in[3] + i % in[3]]
                          : 0.0f;
        }
        if (weight != NULL)
          reference_normalise(merged, out[3], weight, bias, parameters->epsilon, output);
        else
          memcpy(output, merged, out[3] * sizeof(float));
      }
}
