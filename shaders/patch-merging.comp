// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), 4C]: four neighbours in one row, then LayerNorm
// where there is one.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "storage.glsl"
#include "parameters.h"
#include "normalise.glsl"

layout(constant_id = 7) const bool NORMED = true;
layout(constant_id = 8) const bool SEGMENT_VECTORS = false; // C is a multiple of four

layout(push_constant) uniform Push {
  SwinPatchMergingPush push;
};
// The same memory by values and by vectors.
layout(std430, set = 0, binding = 0) readonly buffer Input {
  STORED values[]; // [N, H, W, C]
};
layout(std430, set = 0, binding = 0) readonly buffer InputVectors {
  STORED4 value_vectors[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  STORED4 merged[]; // [N, rows, columns, 4C]
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  vec4 weights[]; // [2, 4C]: weight, bias
};

uint image, row, column; // of the output

// Where value @at of the row lies in the input, in units of which a token has @length; -1 beyond
// the edge. Neighbour n is the one at (row n % 2, column n / 2).
int find_source(uint at, uint length) {
  uint neighbour = uint(at >= length) + uint(at >= 2 * length) + uint(at >= 3 * length);
  uint y = 2 * row + neighbour % 2, x = 2 * column + neighbour / 2;

  if (y >= push.height || x >= push.width)
    return -1;
  return int(((image * push.height + y) * push.width + x) * length + at - neighbour * length);
}

vec4 load_values(uint i) {
  vec4 loaded = vec4(0.0);
  if (SEGMENT_VECTORS) {
    int source = find_source(i, push.channels / 4);
    if (source >= 0)
      loaded = vec4(value_vectors[source]);
    return loaded;
  }
  [[unroll]] for (uint j = 0; j < 4; j++) {
    int source = find_source(4 * i + j, push.channels);
    if (source >= 0)
      loaded[j] = float(values[source]);
  }
  return loaded;
}

void store_values(uint i, vec4 value) {
  if (NORMED)
    value = value * weights[i] + weights[push.channels + i];
  merged[((image * push.rows + row) * push.columns + column) * push.channels + i] = STORED4(value);
}

void main() {
  uint wanted = gl_WorkGroupID.x * ROWS + normalise_row();

  image = gl_WorkGroupID.z;
  row = gl_WorkGroupID.y;
  column = min(wanted, push.columns - 1);
  if (NORMED)
    normalise(4 * push.channels, push.epsilon, wanted < push.columns);
  else if (wanted < push.columns)
    for (uint i = normalise_lane(); i < push.channels; i += LANES)
      store_values(i, load_values(i));
}
