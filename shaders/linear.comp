#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * output[m][n] = gelu(sum over k of input[m][k] * weight[k][n] + bias[n]) + residual[m][n]
 *
 * Each invocation keeps TILE_ROWS rows of TILE_VECTORS times four columns of sums in registers. Its
 * rows are those of its whole work-group; its vectors lie local_size_x apart, so that neighbouring
 * invocations read neighbouring weights. Everything moves in vectors of four where the sizes
 * allow: a software device pays for each load, not for each value.
 *
 * Weights arrive in strips as wide as a work-group's columns, [strips, K, columns], the last one padded
 * with zeros; the biases follow them in float32, padded likewise. Work-groups that follow one another
 * share a strip, which stays in the cache while the rows go by.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "storage.glsl"
#include "gelu.glsl"
#include "parameters.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint K = 1;              // input channels
layout(constant_id = 2) const uint N = 1;              // output channels
layout(constant_id = 3) const uint TILE_ROWS = 1;
layout(constant_id = 4) const uint TILE_VECTORS = 1;
layout(constant_id = 5) const uint GELU = 0; // SwinGelu
layout(constant_id = 6) const bool RESIDUAL = false;

layout(push_constant) uniform Push { SwinLinearPush push; };

/* The same memory by values and by vectors of four. */
layout(std430, binding = 0) readonly buffer Input { STORED input_values[]; };
layout(std430, binding = 0) readonly buffer InputVectors { STORED4 input_vectors[]; };
layout(std430, binding = 1) readonly buffer Weights { STORED4 weights[]; };
layout(std430, binding = 1) readonly buffer Biases { vec4 biases[]; };
layout(std430, binding = 2) writeonly buffer Output { STORED output_values[]; };
layout(std430, binding = 2) writeonly buffer OutputVectors { STORED4 output_vectors[]; };
layout(std430, binding = 3) readonly buffer Residual { STORED residual_values[]; };
layout(std430, binding = 3) readonly buffer ResidualVectors { STORED4 residual_vectors[]; };

#ifdef SWIN_HALF
const uint VECTORS_OF_BIAS = 2; // vectors of weights in the place of one of biases
#else
const uint VECTORS_OF_BIAS = 1;
#endif

void store(uint row, uint vector, vec4 value) {
  if (GELU == SWIN_LINEAR_GELU_EXACT)
    value = gelu(value);
  if (GELU == SWIN_LINEAR_GELU_TANH)
    value = tanh_gelu(value);
  if (N % 4 == 0) {
    const uint index = row * (N / 4) + vector;
    output_vectors[index] = STORED4(RESIDUAL ? value + vec4(residual_vectors[index]) : value);
    return;
  }
  for (uint i = 0; i < 4 && vector * 4 + i < N; i++) {
    const uint index = row * N + vector * 4 + i;
    output_values[index] = STORED(RESIDUAL ? value[i] + float(residual_values[index]) : value[i]);
  }
}

void main() {
  const uint strip_vectors = gl_WorkGroupSize.x * TILE_VECTORS;
  const uint first_row = gl_WorkGroupID.x * TILE_ROWS;
  const uint strip = gl_WorkGroupID.y * K * strip_vectors + gl_LocalInvocationID.x;
  const uint first_vector = gl_WorkGroupID.y * strip_vectors + gl_LocalInvocationID.x;
  const uint first_bias =
      gl_NumWorkGroups.y * K * strip_vectors / VECTORS_OF_BIAS + first_vector;

  vec4 sums[TILE_ROWS][TILE_VECTORS];
  [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++) {
    const vec4 bias = biases[first_bias + j * gl_WorkGroupSize.x];
    [[unroll]] for (uint i = 0; i < TILE_ROWS; i++)
      sums[i][j] = bias;
  }

  /* Rows beyond the last are computed from the last and not stored. */
  if (K % 4 == 0) {
    for (uint k = 0; k < K / 4; k++) {
      vec4 columns[4][TILE_VECTORS];
      [[unroll]] for (uint l = 0; l < 4; l++)
        [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++)
          columns[l][j] =
              vec4(weights[strip + (k * 4 + l) * strip_vectors + j * gl_WorkGroupSize.x]);
      [[unroll]] for (uint i = 0; i < TILE_ROWS; i++) {
        const vec4 values = vec4(input_vectors[min(first_row + i, push.rows - 1) * (K / 4) + k]);
        [[unroll]] for (uint l = 0; l < 4; l++)
          [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++)
            sums[i][j] += values[l] * columns[l][j];
      }
    }
  } else {
    for (uint k = 0; k < K; k++) {
      [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++) {
        const vec4 column = vec4(weights[strip + k * strip_vectors + j * gl_WorkGroupSize.x]);
        [[unroll]] for (uint i = 0; i < TILE_ROWS; i++)
          sums[i][j] += float(input_values[min(first_row + i, push.rows - 1) * K + k]) * column;
      }
    }
  }

  [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++) {
    const uint vector = first_vector + j * gl_WorkGroupSize.x;
    [[unroll]] for (uint i = 0; i < TILE_ROWS; i++) {
      if (first_row + i < push.rows && vector * 4 < N)
        store(first_row + i, vector, sums[i][j]);
    }
  }
}
