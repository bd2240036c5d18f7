#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Frame -> codes of the network's channels (R'G'B' or B'G'R', 8 bits each from bit 0 on), resized
 * to its width, for every frame row that is needed.
 *
 * Invocations of a work-group take neighbouring rows and share a block of output columns: so weights
 * and control flow are uniform, and a pixel is fetched and converted once for all columns that weigh
 * it. Sums are Pillow's (src/libImaging/Resample.c): weights of SWIN_RESAMPLE_BITS fractional bits,
 * rounded and clamped to 8 bits.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "parameters.h"

layout(local_size_x_id = 0) in;

layout(push_constant) uniform Push { SwinResizePush push; };

layout(std430, binding = 0) readonly buffer Frame { uint frame_words[]; };
layout(std430, binding = 1) readonly buffer Parameters {
  SwinPreprocessParameters parameters;
  int tables[];
};
layout(std430, binding = 1) readonly buffer Weights {
  SwinPreprocessParameters weights_head;
  ivec4 weights[]; // the tables once more
};
layout(std430, binding = 2) writeonly buffer Columns { uint columns[]; }; // [rows, width]

ivec3 colour[3]; // what component i adds to each channel
ivec3 colour_offset;
ivec3 sums[SWIN_RESIZE_BLOCK];

uint frame_byte(uint byte) {
  return (frame_words[byte >> 2] >> ((byte & 3u) * 8u)) & 255u;
}

/* Converts a pixel and adds it to all sums. */
void weigh(uvec3 components, uint position) {
  const ivec3 samples = ivec3(components);
  const ivec3 codes = clamp((colour[0] * samples.x + colour[1] * samples.y + colour[2] * samples.z +
                             colour_offset) >> SWIN_COLOUR_BITS, 0, 255);
  const ivec4 weight = weights[position];
  [[unroll]] for (int i = 0; i < SWIN_RESIZE_BLOCK; ++i)
    sums[i] += codes * weight[i];
}

void main() {
  // Invocations beyond the last row repeat it without storing it: an early return would make all
  // that follows conditional.
  const uint row = min(gl_GlobalInvocationID.x, parameters.n_rows - 1);
  const uint block = gl_WorkGroupID.y;

  const uint y = parameters.first_row + row;
  uvec3 row_base;
  uvec3 pixel_stride;
  uvec3 shift_x;
  [[unroll]] for (int i = 0; i < 3; ++i) {
    row_base[i] = parameters.image.base[i] +
                  (y >> parameters.image.shift_y[i]) * parameters.image.row_stride[i];
    pixel_stride[i] = parameters.image.pixel_stride[i];
    shift_x[i] = parameters.image.shift_x[i];
    colour[i] = ivec3(parameters.image.colour_matrix[i], parameters.image.colour_matrix[3 + i],
                      parameters.image.colour_matrix[6 + i]);
    colour_offset[i] = parameters.image.colour_offset[i];
  }

  const uint run = SWIN_NORMALISED_SIZE + 3 * block;
  const uint first = uint(tables[run]);
  const uint end = first + uint(tables[run + 1]);
  uint position = uint(tables[run + 2]) / SWIN_RESIZE_BLOCK; // of the next weights

  // All that lies outside of the frame, where it is padded.
  const ivec3 fill = ivec3(parameters.fill[0], parameters.fill[1], parameters.fill[2]);
  const ivec4 outside = weights[position];
  ++position;
  [[unroll]] for (int i = 0; i < SWIN_RESIZE_BLOCK; ++i)
    sums[i] = (1 << (SWIN_RESAMPLE_BITS - 1)) + fill * outside[i];

  // One loop for each access, all but one of them empty. (A branch around them would not save
  // anything on software devices, which run both sides of it.)
  const uint access = parameters.image.access;

  const uint planar_end = access == SWIN_IMAGE_PLANAR ? end : first;
  for (uint x = first; x < planar_end; x += SWIN_RESIZE_GROUP) {
    const uvec3 first_byte = row_base + (uvec3(x) >> shift_x) * pixel_stride;
    const uvec3 words = uvec3(frame_words[first_byte.x >> 2], frame_words[first_byte.y >> 2],
                              frame_words[first_byte.z >> 2]) >> ((first_byte & 3u) * 8u);
    [[unroll]] for (uint i = 0; i < SWIN_RESIZE_GROUP; ++i) {
      const uvec3 shift = (uvec3(i) >> shift_x) * pixel_stride * 8u;
      weigh((words >> shift) & 255u, position);
      ++position;
    }
  }

  const uint words_end = access == SWIN_IMAGE_WORDS ? end : first;
  for (uint x = first; x < words_end; x += SWIN_RESIZE_GROUP) {
    [[unroll]] for (uint i = 0; i < SWIN_RESIZE_GROUP; ++i) {
      const uint word = frame_words[(row_base.x + ((x + i) >> shift_x.x) * pixel_stride.x) >> 2];
      const uvec3 shift = ((row_base + (uvec3(i) >> shift_x) * pixel_stride) & 3u) * 8u;
      weigh((uvec3(word) >> shift) & 255u, position);
      ++position;
    }
  }

  const uint triple_end = access == SWIN_IMAGE_TRIPLE ? end : first;
  for (uint x = first; x < triple_end; x += SWIN_RESIZE_GROUP) {
    const uint first_word = (row_base.x + 3 * x) >> 2;
    const uint words[3] =
        uint[](frame_words[first_word], frame_words[first_word + 1], frame_words[first_word + 2]);
    const uint pixels[SWIN_RESIZE_GROUP] =
        uint[](words[0], (words[0] >> 24) | (words[1] << 8), (words[1] >> 16) | (words[2] << 16),
               words[2] >> 8);
    const uvec3 shift = (row_base & 3u) * 8u;
    [[unroll]] for (uint i = 0; i < SWIN_RESIZE_GROUP; ++i) {
      weigh((uvec3(pixels[i]) >> shift) & 255u, position);
      ++position;
    }
  }

  const uint bytes_end = access == SWIN_IMAGE_BYTES ? end : first;
  for (uint x = first; x < bytes_end; ++x) {
    const uvec3 byte = row_base + (uvec3(x) >> shift_x) * pixel_stride;
    weigh(uvec3(frame_byte(byte.x), frame_byte(byte.y), frame_byte(byte.z)), position);
    ++position;
  }

  [[unroll]] for (int i = 0; i < SWIN_RESIZE_BLOCK; ++i) {
    const uint column = block * SWIN_RESIZE_BLOCK + i;
    const uvec3 codes = uvec3(clamp(sums[i] >> SWIN_RESAMPLE_BITS, 0, 255));
    if (column < push.width && gl_GlobalInvocationID.x < parameters.n_rows)
      columns[row * push.width + column] = codes.x | (codes.y << 8) | (codes.z << 16);
  }
}
