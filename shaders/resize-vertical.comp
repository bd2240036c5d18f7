#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Codes resized to the network's width -> the network's normalised input, [3, height, width].
 *
 * Invocations take neighbouring blocks of columns of one output row, whose weights are uniform.
 * Sums are Pillow's, as in resize-horizontal.comp.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "parameters.h"

layout(local_size_x_id = 0) in;

layout(push_constant) uniform Push { SwinResizePush push; };

layout(std430, binding = 0) readonly buffer Columns { uvec4 columns[]; }; // [rows, blocks]
layout(std430, binding = 1) readonly buffer Parameters {
  SwinPreprocessParameters parameters;
  int tables[];
};
layout(std430, binding = 2) writeonly buffer Output { float output_values[]; }; // [3, height, width]

void main() {
  // Invocations beyond the last block repeat it without storing it, as in resize-horizontal.comp.
  const uint n_blocks = (push.width + SWIN_RESIZE_BLOCK - 1) / SWIN_RESIZE_BLOCK;
  const uint block = min(gl_GlobalInvocationID.x, n_blocks - 1);
  const uint row = gl_WorkGroupID.y;

  const uint run = SWIN_NORMALISED_SIZE + 3 * (n_blocks + row);
  const uint first = uint(tables[run]);
  const uint count = uint(tables[run + 1]);
  const uint weights = uint(tables[run + 2]);

  // All that lies outside of the frame, where it is padded. A row of fill is still one after the
  // horizontal pass.
  const ivec3 fill = ivec3(parameters.fill[0], parameters.fill[1], parameters.fill[2]);
  ivec3 sums[SWIN_RESIZE_BLOCK];
  [[unroll]] for (int j = 0; j < SWIN_RESIZE_BLOCK; ++j)
    sums[j] = (1 << (SWIN_RESAMPLE_BITS - 1)) + fill * tables[weights];
  for (uint i = 0; i < count; ++i) {
    const uvec4 words = columns[(first + i) * n_blocks + block];
    const int weight = tables[weights + 1 + i];
    [[unroll]] for (int j = 0; j < SWIN_RESIZE_BLOCK; ++j)
      sums[j] += ivec3(words[j] & 255u, (words[j] >> 8) & 255u, words[j] >> 16) * weight;
  }

  [[unroll]] for (uint j = 0; j < SWIN_RESIZE_BLOCK; ++j) {
    const uint column = block * SWIN_RESIZE_BLOCK + j;
    const bool stored = gl_GlobalInvocationID.x < n_blocks && column < push.width;
    const ivec3 codes = clamp(sums[j] >> SWIN_RESAMPLE_BITS, 0, 255);
    [[unroll]] for (int i = 0; i < 3; ++i) {
      const uint position = push.first + (i * push.height + row) * push.width + column;
      if (stored)
        output_values[position] = intBitsToFloat(tables[256 * i + codes[i]]);
    }
  }
}
