// SPDX-License-Identifier: LGPL-2.1-or-later
// [rows, C] -> [rows, C]: LayerNorm of every row, plus a residual.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "storage.glsl"
#include "parameters.h"
#include "normalise.glsl"

layout(constant_id = 7) const bool RESIDUAL = false;

layout(push_constant) uniform Push {
  SwinLayerNormPush push;
};
// The same memory by values and by vectors.
layout(std430, set = 0, binding = 0) readonly buffer Input {
  STORED values[]; // [rows, C]
};
layout(std430, set = 0, binding = 0) readonly buffer InputVectors {
  STORED4 value_vectors[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  STORED normed[]; // [rows, C]
};
layout(std430, set = 0, binding = 1) writeonly buffer OutputVectors {
  STORED4 normed_vectors[];
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float weights[]; // [2, C]: weight, bias
};
layout(std430, set = 0, binding = 2) readonly buffer WeightVectors {
  vec4 weight_vectors[];
};
layout(std430, set = 0, binding = 3) readonly buffer Residual {
  STORED residual[]; // [rows, C]
};
layout(std430, set = 0, binding = 3) readonly buffer ResidualVectors {
  STORED4 residual_vectors[];
};

uint first; // index of the row's first value

vec4 load_values(uint i) {
  if (VECTORS)
    return vec4(value_vectors[first / 4 + i]);
  vec4 loaded = vec4(0.0);
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (4 * i + j < push.channels)
      loaded[j] = float(values[first + 4 * i + j]);
  return loaded;
}

void store_values(uint i, vec4 value) {
  if (VECTORS) {
    value = value * weight_vectors[i] + weight_vectors[push.channels / 4 + i];
    if (RESIDUAL)
      value += vec4(residual_vectors[first / 4 + i]);
    normed_vectors[first / 4 + i] = STORED4(value);
    return;
  }
  [[unroll]] for (uint j = 0; j < 4; j++) {
    uint at = 4 * i + j;
    if (at >= push.channels)
      return;
    float single = value[j] * weights[at] + weights[push.channels + at];
    normed[first + at] = STORED(RESIDUAL ? single + float(residual[first + at]) : single);
  }
}

void main() {
  uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  uint row = group * ROWS + normalise_row();

  first = min(row, push.rows - 1) * push.channels;
  normalise(push.channels, push.epsilon, row < push.rows);
}
