// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

/* [N, H, W, C] -> [N, 1, P + H * W, C], or [N, H, W, C] without a prefix */
void reference_token_embedding(const SwinPlan *plan, const SwinOperation *operation,
                               float *const *tensors) {
  const guint64 *in = swin_plan_get_tensor(plan, operation->inputs[0])->shape;
  const SwinTensor *prefix = &operation->weights[SWIN_TOKEN_EMBEDDING_PREFIX];
  g_autofree float *prefix_tokens = reference_read_weight(operation, SWIN_TOKEN_EMBEDDING_PREFIX);
  g_autofree float *positions = reference_read_weight(operation, SWIN_TOKEN_EMBEDDING_POSITIONS);
  const float *map = tensors[operation->inputs[0]];
  float *output = tensors[operation->output];
  guint64 n_prefix = prefix->n_elements / in[3], n_tokens = n_prefix + in[1] * in[2];
  /* The first token that has a position. */
  guint64 first = n_tokens - operation->weights[SWIN_TOKEN_EMBEDDING_POSITIONS].n_elements / in[3];

  for (guint64 image = 0; image < in[0]; image++)
    for (guint64 token = 0; token < n_tokens; token++)
      for (guint64 i = 0; i < in[3]; i++) {
        float value = token < n_prefix ? prefix_tokens[token * in[3] + i] : *map++;

        if (token >= first)
          value += positions[(token - first) * in[3] + i];
        *output++ = value;
      }
}
