// SPDX-License-Identifier: LGPL-2.1-or-later
// [rows, C] -> [rows, C]: LayerNorm of every row, plus a residual.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "parameters.h"
#include "normalise.glsl"

layout(constant_id = 3) const bool RESIDUAL = false;

layout(push_constant) uniform Push {
  SwinLayerNormPush push;
};
layout(std430, set = 0, binding = 0) readonly buffer Input {
  float values[]; // [rows, C]
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  float normed[]; // [rows, C]
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float weights[]; // [2, C]: weight, bias
};
layout(std430, set = 0, binding = 3) readonly buffer Residual {
  float residual[]; // [rows, C]
};

uint first; // index of the row's first value

float load_value(uint segment, uint i) {
  return values[first + i];
}

void store_value(uint segment, uint i, float value) {
  value = value * weights[i] + weights[push.channels + i];
  normed[first + i] = RESIDUAL ? residual[first + i] + value : value;
}

void main() {
  uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  uint row = group * ROWS + normalise_row();

  first = min(row, push.rows - 1) * push.channels;
  normalise(1, push.channels, push.epsilon, row < push.rows);
}
