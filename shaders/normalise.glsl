// SPDX-License-Identifier: LGPL-2.1-or-later
// LayerNorm of one row, in vectors that the including shader loads and stores.
#include "norm.glsl"

void store_values(uint i, vec4 normed); // normed: without weight and bias

// Must be reached by every invocation; @store says whether this one has a row to write.
void normalise(uint length, float epsilon, bool store) {
  Norm norm = find_norm(length, epsilon);
  if (!store)
    return;
  if (KEPT) {
    [[unroll]] for (uint j = 0; j < BLOCK; j++) {
      uint i = normalise_lane() + j * LANES;
      if (EXACT || 4 * i < length)
        store_values(i, (block[j] - norm.mean) * norm.scale);
    }
  } else {
    for (uint i = normalise_lane(); 4 * i < length; i += LANES)
      store_values(i, apply_norm(norm, load_values(i)));
  }
}
