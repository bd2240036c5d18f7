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
 * with zeros; the bias follows them, padded likewise. Work-groups that follow one another share a
 * strip, which stays in the cache while the rows go by.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
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
layout(std430, binding = 0) readonly buffer Input { float input_values[]; };
layout(std430, binding = 0) readonly buffer InputVectors { vec4 input_vectors[]; };
layout(std430, binding = 1) readonly buffer Weights { vec4 weights[]; };
layout(std430, binding = 2) writeonly buffer Output { float output_values[]; };
layout(std430, binding = 2) writeonly buffer OutputVectors { vec4 output_vectors[]; };
layout(std430, binding = 3) readonly buffer Residual { float residual_values[]; };
layout(std430, binding = 3) readonly buffer ResidualVectors { vec4 residual_vectors[]; };

/* The error function as x * P(x^2) / Q(x^2) on [-4, 4], beyond which it is 1 to float's precision.
 * The coefficients are a minimax fit of our own with an error of 1.5e-9; what remains is float's
 * rounding, about 3.5e-7. */
float erf(float x) {
  const float limited = clamp(x, -4.0, 4.0);
  const float t = limited * limited;
  float p = -1.3666198168e-08;
  p = p * t + 4.7804207504e-06;
  p = p * t + 3.8268829804e-04;
  p = p * t + 3.8395375176e-03;
  p = p * t + 5.4332566288e-02;
  p = p * t + 1.8471086978e-01;
  p = p * t + 1.1283791821e+00;
  float q = 6.4008153389e-05;
  q = q * t + 1.3095754800e-03;
  q = q * t + 1.5453519091e-02;
  q = q * t + 1.1382643582e-01;
  q = q * t + 4.9702929165e-01;
  q = q * t + 1.0;
  return clamp(limited * p / q, -1.0, 1.0);
}

vec4 gelu(vec4 x) {
  const vec4 t = x * 0.70710678118654752;
  return 0.5 * x * (1.0 + vec4(erf(t.x), erf(t.y), erf(t.z), erf(t.w)));
}

// (1 + tanh(y)) / 2 is 1 / (1 + exp(-2y)), which is exact at both ends.
vec4 tanh_gelu(vec4 x) {
  const vec4 y = 0.79788456080286536 * (x + 0.044715 * x * x * x);
  return x / (1.0 + exp(-2.0 * y));
}

void store(uint row, uint vector, vec4 value) {
  if (GELU == SWIN_LINEAR_GELU_EXACT)
    value = gelu(value);
  if (GELU == SWIN_LINEAR_GELU_TANH)
    value = tanh_gelu(value);
  if (N % 4 == 0) {
    const uint index = row * (N / 4) + vector;
    output_vectors[index] = RESIDUAL ? value + residual_vectors[index] : value;
    return;
  }
  for (uint i = 0; i < 4 && vector * 4 + i < N; i++) {
    const uint index = row * N + vector * 4 + i;
    output_values[index] = RESIDUAL ? value[i] + residual_values[index] : value[i];
  }
}

void main() {
  const uint strip_vectors = gl_WorkGroupSize.x * TILE_VECTORS;
  const uint first_row = gl_WorkGroupID.x * TILE_ROWS;
  const uint strip = gl_WorkGroupID.y * K * strip_vectors + gl_LocalInvocationID.x;
  const uint first_vector = gl_WorkGroupID.y * strip_vectors + gl_LocalInvocationID.x;
  const uint first_bias = gl_NumWorkGroups.y * K * strip_vectors + first_vector;

  vec4 sums[TILE_ROWS][TILE_VECTORS];
  [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++) {
    const vec4 bias = weights[first_bias + j * gl_WorkGroupSize.x];
    [[unroll]] for (uint i = 0; i < TILE_ROWS; i++)
      sums[i][j] = bias;
  }

  /* Rows beyond the last are computed from the last and not stored. */
  if (K % 4 == 0) {
    for (uint k = 0; k < K / 4; k++) {
      vec4 columns[4][TILE_VECTORS];
      [[unroll]] for (uint l = 0; l < 4; l++)
        [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++)
          columns[l][j] = weights[strip + (k * 4 + l) * strip_vectors + j * gl_WorkGroupSize.x];
      [[unroll]] for (uint i = 0; i < TILE_ROWS; i++) {
        const vec4 values = input_vectors[min(first_row + i, push.rows - 1) * (K / 4) + k];
        [[unroll]] for (uint l = 0; l < 4; l++)
          [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++)
            sums[i][j] += values[l] * columns[l][j];
      }
    }
  } else {
    for (uint k = 0; k < K; k++) {
      [[unroll]] for (uint j = 0; j < TILE_VECTORS; j++) {
        const vec4 column = weights[strip + k * strip_vectors + j * gl_WorkGroupSize.x];
        [[unroll]] for (uint i = 0; i < TILE_ROWS; i++)
          sums[i][j] += input_values[min(first_row + i, push.rows - 1) * K + k] * column;
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
