// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

/* [N, channels, H, W] -> [N, rows, columns, channels * p * p] */
void reference_patch_partition(const SwinPlan *plan, const SwinOperation *operation,
                               float *const *tensors) {
  const SwinPatchPartitionParameters *parameters = operation->parameters;
  const guint64 *in = swin_plan_get_tensor(plan, operation->inputs[0])->shape;
  const guint64 *out = swin_plan_get_tensor(plan, operation->output)->shape;
  const float *input = tensors[operation->inputs[0]];
  float *output = tensors[operation->output];
  guint64 p = parameters->patch_size, next = 0;

  for (guint64 image = 0; image < in[0]; image++)
    for (guint64 row = 0; row < out[1]; row++)
      for (guint64 column = 0; column < out[2]; column++)
        for (guint64 channel = 0; channel < in[1]; channel++)
          for (guint64 y = row * p; y < (row + 1) * p; y++)
            for (guint64 x = column * p; x < (column + 1) * p; x++)
              output[next++] = y < in[2] && x < in[3]
                                   ? input[((image * in[1] + channel) * in[2] + y) * in[3] + x]
                                   : 0.0f;
}
