#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Upright pixels -> the same, resized to the network's width, for every row that is needed.
 *
 * Invocations of a work-group take neighbouring rows, SWIN_RESIZE_ROWS each, and share a block of
 * output columns: so weights and control flow are uniform, weights are fetched once for all rows,
 * and a pixel once for all columns that weigh it. Sums are Pillow's (src/libImaging/Resample.c):
 * weights of SWIN_RESAMPLE_BITS fractional bits, rounded and clamped to 8 bits.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "parameters.h"

layout(local_size_x_id = 0) in;

layout(std430, binding = 0) readonly buffer Pixels { uvec4 pixels[]; };
layout(std430, binding = 1) readonly buffer Parameters {
  SwinPreprocessParameters parameters;
  int tables[];
};
layout(std430, binding = 1) readonly buffer Weights {
  SwinPreprocessParameters weights_head;
  ivec4 weights[]; // the tables once more
};
layout(std430, binding = 2) writeonly buffer Columns { uvec4 columns[]; }; // [rows, blocks]

ivec3 codes_of(uint pixel) {
  return ivec3(pixel & 255u, (pixel >> 8) & 255u, pixel >> 16);
}

void main() {
  const uint block = gl_WorkGroupID.y;
  const uint run = SWIN_NORMALISED_SIZE + 3 * block;
  const uint first = uint(tables[run]) / SWIN_RESIZE_GROUP;
  const uint count = uint(tables[run + 1]) / SWIN_RESIZE_GROUP;
  uint position = uint(tables[run + 2]) / SWIN_RESIZE_BLOCK; // of the next weights

  // All that lies outside of the frame, where it is padded.
  const ivec3 fill = ivec3(parameters.fill[0], parameters.fill[1], parameters.fill[2]);
  const ivec4 outside = weights[position];
  ++position;
  ivec3 sums[SWIN_RESIZE_ROWS][SWIN_RESIZE_BLOCK];
  uint group[SWIN_RESIZE_ROWS];
  [[unroll]] for (uint i = 0; i < SWIN_RESIZE_ROWS; ++i) {
    // Beyond the last row it is repeated without being stored: an early return would make all that
    // follows conditional.
    const uint row =
        min(gl_GlobalInvocationID.x * SWIN_RESIZE_ROWS + i, parameters.n_rows - 1);
    group[i] = parameters.first_group + row * parameters.row_groups + first;
    [[unroll]] for (int j = 0; j < SWIN_RESIZE_BLOCK; ++j)
      sums[i][j] = (1 << (SWIN_RESAMPLE_BITS - 1)) + fill * outside[j];
  }

  for (uint n = 0; n < count; ++n) {
    uvec4 words[SWIN_RESIZE_ROWS];
    [[unroll]] for (int i = 0; i < SWIN_RESIZE_ROWS; ++i)
      words[i] = pixels[group[i] + n];
    [[unroll]] for (int k = 0; k < SWIN_RESIZE_GROUP; ++k) {
      const ivec4 weight = weights[position];
      ++position;
      [[unroll]] for (int i = 0; i < SWIN_RESIZE_ROWS; ++i) {
        const ivec3 codes = codes_of(words[i][k]);
        [[unroll]] for (int j = 0; j < SWIN_RESIZE_BLOCK; ++j)
          sums[i][j] += codes * weight[j];
      }
    }
  }

  [[unroll]] for (uint i = 0; i < SWIN_RESIZE_ROWS; ++i) {
    const uint row = gl_GlobalInvocationID.x * SWIN_RESIZE_ROWS + i;
    uvec4 words;
    [[unroll]] for (int j = 0; j < SWIN_RESIZE_BLOCK; ++j) {
      const uvec3 codes = uvec3(clamp(sums[i][j] >> SWIN_RESAMPLE_BITS, 0, 255));
      words[j] = codes.x | (codes.y << 8) | (codes.z << 16);
    }
    if (row < parameters.n_rows)
      columns[row * gl_NumWorkGroups.y + block] = words;
  }
}
