// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What becomes of the sums of a product: norm, bias, GELU, residual, and where they go. Behind the
 * packed weights [K, PACKED] lie the biases [PACKED] in float32, and with a norm the sums of the
 * weights [PACKED] likewise.
 */
#include "gelu.glsl"

layout(constant_id = 12) const uint PACKED = 8; // columns of the packed weights
layout(constant_id = 13) const uint GELU = 0;   // SwinGelu
layout(constant_id = 14) const bool RESIDUAL = false;

layout(std430, binding = 1) readonly buffer Weights { uvec4 weight_chunks[]; };
layout(std430, binding = 1) readonly buffer Biases { vec4 bias_vectors[]; };
layout(std430, binding = 2) writeonly buffer Output { STORED output_values[]; };
layout(std430, binding = 2) writeonly buffer OutputVectors { STORED4 output_vectors[]; };
layout(std430, binding = 2) writeonly buffer OutputChunks { uvec4 output_chunks[]; };
layout(std430, binding = 3) readonly buffer Residual { STORED residual_values[]; };
layout(std430, binding = 3) readonly buffer ResidualVectors { STORED4 residual_vectors[]; };
layout(std430, binding = 3) readonly buffer ResidualChunks { uvec4 residual_chunks[]; };

/* The chunk of weights of row k from a column on, a multiple of CHUNK; zeros beyond both ends. */
uvec4 weight_chunk(uint k, uint column) {
  if ((K % DEPTH != 0 && k >= K) || (PACKED % TILE_COLUMNS != 0 && column >= PACKED))
    return uvec4(0);
  return weight_chunks[(k * PACKED + column) / CHUNK];
}

/* @row: of the tile; @column: of the output, a multiple of 4 below N */
vec4 activate(uint row, uint column, vec4 sums) {
  const uint bias = (K * PACKED / CHUNK) + column / 4;
  vec4 value = sums;
  if (NORMED)
    value = row_norms[row].y * (sums - row_norms[row].x * bias_vectors[bias + PACKED / 4]);
  value += bias_vectors[bias];
  if (GELU == SWIN_LINEAR_GELU_EXACT)
    value = gelu(value);
  if (GELU == SWIN_LINEAR_GELU_TANH)
    value = tanh_gelu(value);
  return value;
}

/* @row: of the output; @column: a multiple of 4 below N */
void store_vector(uint row, uint column, vec4 value) {
  const uint index = row * N + column;
  if (N % 4 == 0) {
    output_vectors[index / 4] =
        STORED4(RESIDUAL ? value + vec4(residual_vectors[index / 4]) : value);
    return;
  }
  for (uint i = 0; i < 4 && column + i < N; i++)
    output_values[index + i] =
        STORED(RESIDUAL ? value[i] + float(residual_values[index + i]) : value[i]);
}

/* The same for a whole chunk. @column: a multiple of CHUNK below N */
void store_chunk(uint row, uint column, vec4 values[VECTORS]) {
  if (N % CHUNK == 0) {
    const uint index = (row * N + column) / CHUNK;
    const uvec4 residual = RESIDUAL ? residual_chunks[index] : uvec4(0);
    for (uint i = 0; RESIDUAL && i < VECTORS; i++)
      values[i] += unpack_vector(residual, i);
    output_chunks[index] = pack_chunk(values);
    return;
  }
  for (uint i = 0; i < VECTORS && column + 4 * i < N; i++)
    store_vector(row, column + 4 * i, values[i]);
}
