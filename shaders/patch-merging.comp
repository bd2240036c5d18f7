// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), 4C]: four neighbours in one row, then LayerNorm
// where there is one.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "parameters.h"
#include "normalise.glsl"

layout(constant_id = 3) const bool NORMED = true;

layout(push_constant) uniform Push {
  SwinPatchMergingPush push;
};
layout(std430, set = 0, binding = 0) readonly buffer Input {
  float values[]; // [N, H, W, C]
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  float merged[]; // [N, rows, columns, 4C]
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float weights[]; // [2, 4C]: weight, bias
};

uint image, row, column; // of the output

// Segment s is the neighbour at (row s % 2, column s / 2); beyond the edge there are zeros.
float load_value(uint segment, uint i) {
  uint y = 2 * row + segment % 2, x = 2 * column + segment / 2;

  if (y >= push.height || x >= push.width)
    return 0.0;
  return values[((image * push.height + y) * push.width + x) * push.channels + i];
}

void store_value(uint segment, uint i, float value) {
  uint width = 4 * push.channels, at = segment * push.channels + i;

  merged[((image * push.rows + row) * push.columns + column) * width + at] =
      NORMED ? value * weights[at] + weights[width + at] : value;
}

void main() {
  uint wanted = gl_WorkGroupID.x * ROWS + normalise_row();

  image = gl_WorkGroupID.z;
  row = gl_WorkGroupID.y;
  column = min(wanted, push.columns - 1);
  if (NORMED)
    normalise(4, push.channels, push.epsilon, wanted < push.columns);
  else if (wanted < push.columns)
    for (uint segment = 0; segment < 4; segment++)
      for (uint i = normalise_lane(); i < push.channels; i += LANES)
        store_value(segment, i, load_value(segment, i));
}
