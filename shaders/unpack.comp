#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Frame, in whatever layout -> upright pixels: codes of the network's channels (R'G'B' or B'G'R'),
 * 8 bits each from bit 0 on.
 *
 * Invocations of a work-group take neighbouring lines of the frame as it is stored, and each the
 * same run of columns from left to right: so where a column's samples are is uniform. The pixels
 * are turned upright by where they are stored to.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "parameters.h"

layout(local_size_x_id = 0) in;

layout(std430, binding = 0) readonly buffer Frame { uint frame_words[]; };
layout(std430, binding = 1) readonly buffer Parameters { SwinPreprocessParameters parameters; };
layout(std430, binding = 2) writeonly buffer Pixels { uint pixels[]; };

uint flip;
uint spread;
uint drop;
uint inner;
uint outer;
ivec3 colour[3]; // what component i adds to each channel
ivec3 colour_offset;

uint line_origin; // place of column 0 among the pixels
uint column_step;
bool stored;

uint left; // first and last column of the crop
uint right;

// Of each component.
uvec3 row_base[2]; // bytes of column 0 in the two rows that the line is made of
uvec3 row_weight;  // of the second one, in eighths
uvec3 shift_x;
uvec3 pixel_stride;
uvec3 pair_stride;
SwinInterpolation ways[3]; // across columns
uvec3 low_bit;
uvec3 mask;
uvec3 repeat;
uvec3 surplus;
bvec3 big_endian;

/* A pixel's samples -> its codes: see SwinImageParameters. */
uint convert(uvec3 samples) {
  const ivec3 t = ivec3((samples ^ flip) * spread) >> drop;
  const ivec3 sum = (colour[0] * t.x >> inner) + (colour[1] * t.y >> inner) +
                    (colour[2] * t.z >> inner) + colour_offset;
  const ivec3 codes = clamp(sum >> outer, 0, 255);
  return uint(codes.x | (codes.y << 8) | (codes.z << 16));
}

void store(uint column, uint pixel) {
  if (stored)
    pixels[line_origin + column * column_step] = pixel;
}

/* Two samples of 8 bits at once, 16 bits apart. */
uint blend(uint first, uint second, uint eighths) {
  return (((8 - eighths) * first + eighths * second + 0x00040004u) >> 3) & 0x00ff00ffu;
}

uvec2 blend(uvec2 first, uvec2 second, uint eighths) {
  return (((8 - eighths) * first + eighths * second + 0x00040004u) >> 3) & 0x00ff00ffu;
}

/* The number of a line or column in its group. */
uint number_in_group(SwinInterpolation way, uint position) {
  return (position + way.before) & (way.span - 1);
}

/* Of the second sample, in eighths. */
uint second_weight(SwinInterpolation way, uint number) {
  return (way.weights >> (4 * number)) & 15u;
}

/* The rows of a component that a line is made of. */
void find_rows(uint component, uint line) {
  const SwinInterpolation way = parameters.image.lines[component];
  const uint number = number_in_group(way, line);
  const ivec2 top = ivec2(parameters.image.top);
  const ivec2 bottom = ivec2(parameters.image.bottom);
  const int first = int(line) - int(number) + int(number & way.odd);
  const uvec2 lines = uvec2(clamp(ivec2(first, first + int(way.gap)), top, bottom));
  const uint fields = parameters.image.interlaced;
  const uvec2 rows = ((lines >> parameters.image.shift_y[component]) & ~fields) | (lines & fields);
  const uvec2 bytes =
      parameters.image.base[component] + rows * parameters.image.row_stride[component];
  row_base[0][component] = bytes.x;
  row_base[1][component] = bytes.y;
  row_weight[component] = second_weight(way, number);
}

/* Two chroma samples, U in the lower half and V in the upper one, each of both rows. */
struct Chroma {
  uvec2 first;
  uvec2 second;
};

/* Those of a group of columns, where each component has them in one word. */
Chroma halved_chroma(uvec3 base[2], uint column) {
  const uvec3 place = (column >> 1) * pixel_stride;
  Chroma chroma;
  [[unroll]] for (int i = 0; i < 2; ++i) {
    const uvec3 byte = base[i] + place;
    const uint u = frame_words[byte.y >> 2] >> ((byte.y & 3u) * 8);
    const uint v = frame_words[byte.z >> 2] >> ((byte.z & 3u) * 8);
    chroma.first[i] = (u & 255u) | ((v & 255u) << 16);
    chroma.second[i] = ((u >> (pixel_stride.y * 8)) & 255u) |
                       (((v >> (pixel_stride.z * 8)) & 255u) << 16);
  }
  return chroma;
}

/* Those of a word that has two columns. */
uint pair_chroma(uint word, uvec3 shift) {
  return ((word >> shift.y) & 255u) | (((word >> shift.z) & 255u) << 16);
}

/* A sample of any layout and depth, widened. */
uint any_sample(uint component, uint row, uint column) {
  const uint byte = row_base[row][component] +
                    (column >> shift_x[component]) * pixel_stride[component] +
                    (column >> 1) * pair_stride[component];
  const uint word = frame_words[byte >> 2] >> ((byte & 3u) * 8);
  const uint swapped =
      (word >> 24) | ((word >> 8) & 0xff00u) | ((word & 0xff00u) << 8) | (word << 24);
  const uint code =
      ((big_endian[component] ? swapped : word) >> low_bit[component]) & mask[component];
  return code * repeat[component] >> surplus[component];
}

/* The same, interpolated. */
uint any_interpolated(uint component, uint column) {
  const SwinInterpolation way = ways[component];
  const uint number = number_in_group(way, column);
  const int first = int(column) - int(number);
  const bool whole = first + int(way.span) - 1 <= int(right);
  const ivec2 wanted = whole ? ivec2(first, first + int(way.gap)) : ivec2(column);
  const uvec2 columns = uvec2(clamp(wanted, ivec2(left), ivec2(right)));
  const uint column_weight = second_weight(way, number);
  uvec2 rows;
  [[unroll]] for (uint i = 0; i < 2; ++i)
    rows[i] = ((8 - column_weight) * any_sample(component, i, columns.x) +
               column_weight * any_sample(component, i, columns.y) + 4) >> 3;
  return ((8 - row_weight[component]) * rows.x + row_weight[component] * rows.y + 4) >> 3;
}

/* ---- One loop for each access ---- */

void unpack_planar(uint first, uint end) {
  for (uint x = first; x < end; x += SWIN_RESIZE_GROUP) {
    const uvec3 byte = row_base[0] + x * pixel_stride;
    const uvec3 words = uvec3(frame_words[byte.x >> 2], frame_words[byte.y >> 2],
                              frame_words[byte.z >> 2]) >> ((byte & 3u) * 8);
    [[unroll]] for (uint i = 0; i < SWIN_RESIZE_GROUP; ++i)
      store(x + i, convert((words >> (i * pixel_stride * 8)) & 255u));
  }
}

/* Of chroma of half the columns: how much of the sample next to its own an even column has, and an
 * odd one. */
uvec2 neighbour_weights() {
  const SwinInterpolation way = ways[1];
  const uvec2 weights = uvec2(second_weight(way, 0), second_weight(way, 1));
  return way.before != 0 ? uvec2(8 - weights.y, weights.x) : weights;
}

/* Samples of which the crop has no column are replaced by their neighbour. What is fetched ahead of
 * the loop is the first word where the loop is empty. */
void unpack_halved(uint first, uint end) {
  const uvec2 weights = neighbour_weights();
  const bool any = first < end;
  const uint start = any ? first : 0;
  const uvec3 base[2] = uvec3[](any ? row_base[0] : uvec3(0), any ? row_base[1] : uvec3(0));
  uvec2 before = halved_chroma(base, max(start, SWIN_RESIZE_GROUP) - SWIN_RESIZE_GROUP).second;
  Chroma next = halved_chroma(base, start);
  for (uint x = first; x < end; x += SWIN_RESIZE_GROUP) {
    const uint luma_byte = row_base[0].x + x * pixel_stride.x;
    const uint luma = frame_words[luma_byte >> 2] >> ((luma_byte & 3u) * 8);
    const Chroma current = next;
    next = halved_chroma(base, x + SWIN_RESIZE_GROUP);
    const uvec2 near0 = x + 1 >= left ? current.first : current.second;
    const uvec2 near1 = x + 2 <= right ? current.second : current.first;
    const uvec2 left_of = x > left ? before : near0;
    const uvec2 right_of = x + 4 <= right ? next.first : near1;
    const uvec2 rows[SWIN_RESIZE_GROUP] =
        uvec2[](blend(near0, left_of, weights.x), blend(near0, near1, weights.y),
                blend(near1, near0, weights.x), blend(near1, right_of, weights.y));
    [[unroll]] for (uint i = 0; i < SWIN_RESIZE_GROUP; ++i) {
      const uint chroma = blend(rows[i].x, rows[i].y, row_weight.y);
      const uint code = (luma >> (i * pixel_stride.x * 8)) & 255u;
      store(x + i, convert(uvec3(code, chroma & 255u, chroma >> 16)));
    }
    before = current.second;
  }
}

/* The same of words that have two columns each, and one row. */
void unpack_pairs(uint first, uint end) {
  const uvec2 weights = neighbour_weights();
  const bool any = first < end;
  const uint start = any ? first : 0;
  const uint base = any ? row_base[0].x >> 2 : 0;
  const uvec3 shift = (row_base[0] & 3u) * 8;
  uint before = frame_words[base + (max(start, 2) - 2) / 2];
  uint next = frame_words[base + start / 2];
  for (uint x = first; x < end; x += SWIN_RESIZE_GROUP) {
    const uvec2 words = uvec2(next, frame_words[base + x / 2 + 1]);
    next = frame_words[base + x / 2 + 2];
    const uint near0 = pair_chroma(x + 1 >= left ? words.x : words.y, shift);
    const uint near1 = pair_chroma(x + 2 <= right ? words.y : words.x, shift);
    const uint left_of = x > left ? pair_chroma(before, shift) : near0;
    const uint right_of = x + 4 <= right ? pair_chroma(next, shift) : near1;
    const uint chroma[SWIN_RESIZE_GROUP] =
        uint[](blend(near0, left_of, weights.x), blend(near0, near1, weights.y),
               blend(near1, near0, weights.x), blend(near1, right_of, weights.y));
    [[unroll]] for (uint i = 0; i < SWIN_RESIZE_GROUP; ++i) {
      const uint code = (words[i / 2] >> (shift.x + i % 2 * 16)) & 255u;
      store(x + i, convert(uvec3(code, chroma[i] & 255u, chroma[i] >> 16)));
    }
    before = words.y;
  }
}

void unpack_words(uint first, uint end) {
  const uvec3 shift = (row_base[0] & 3u) * 8;
  const uint base = row_base[0].x >> 2;
  for (uint x = first; x < end; x += SWIN_RESIZE_GROUP)
    [[unroll]] for (uint i = 0; i < SWIN_RESIZE_GROUP; ++i)
      store(x + i, convert((uvec3(frame_words[base + x + i]) >> shift) & 255u));
}

void unpack_triple(uint first, uint end) {
  const uvec3 shift = (row_base[0] & 3u) * 8;
  for (uint x = first; x < end; x += SWIN_RESIZE_GROUP) {
    const uint first_word = (row_base[0].x + 3 * x) >> 2;
    const uint words[3] =
        uint[](frame_words[first_word], frame_words[first_word + 1], frame_words[first_word + 2]);
    const uint triples[SWIN_RESIZE_GROUP] =
        uint[](words[0], (words[0] >> 24) | (words[1] << 8), (words[1] >> 16) | (words[2] << 16),
               words[2] >> 8);
    [[unroll]] for (uint i = 0; i < SWIN_RESIZE_GROUP; ++i)
      store(x + i, convert((uvec3(triples[i]) >> shift) & 255u));
  }
}

void unpack_full(uint first, uint end) {
  for (uint x = first; x < end; ++x)
    store(x, convert(uvec3(any_sample(0, 0, x), any_sample(1, 0, x), any_sample(2, 0, x))));
}

void unpack_samples(uint first, uint end) {
  for (uint x = first; x < end; ++x)
    store(x, convert(uvec3(any_sample(0, 0, x), any_interpolated(1, x), any_interpolated(2, x))));
}

/* Everything that does not change from column to column is fetched once. */
void find_parameters(uint line) {
  left = parameters.image.left;
  right = parameters.image.right;
  line_origin = parameters.image.origin + line * parameters.image.line_step;
  column_step = parameters.image.column_step;
  flip = parameters.image.flip;
  spread = parameters.image.spread;
  drop = parameters.image.drop;
  inner = parameters.image.inner;
  outer = parameters.image.outer;
  [[unroll]] for (int i = 0; i < 3; ++i) {
    colour[i] = ivec3(parameters.image.colour_matrix[i], parameters.image.colour_matrix[3 + i],
                      parameters.image.colour_matrix[6 + i]);
    colour_offset[i] = parameters.image.colour_offset[i];
    shift_x[i] = parameters.image.shift_x[i];
    pixel_stride[i] = parameters.image.pixel_stride[i];
    pair_stride[i] = parameters.image.pair_stride[i];
    ways[i] = parameters.image.columns[i];
    low_bit[i] = parameters.image.low_bit[i];
    mask[i] = parameters.image.mask[i];
    repeat[i] = parameters.image.repeat[i];
    surplus[i] = parameters.image.surplus[i];
    big_endian[i] = parameters.image.big_endian[i] != 0;
    find_rows(i, line);
  }
}

void main() {
  // Invocations beyond the last line repeat it without storing it: an early return would make all
  // that follows conditional.
  stored = gl_GlobalInvocationID.x < parameters.image.n_lines;
  find_parameters(parameters.image.first_line +
                  min(gl_GlobalInvocationID.x, parameters.image.n_lines - 1));
  const uint first = parameters.image.first_column + gl_WorkGroupID.y * SWIN_UNPACK_COLUMNS;
  const uint end = min(first + SWIN_UNPACK_COLUMNS, parameters.image.end_column);

  // All loops but one are empty. (A branch around them would not save anything on software devices,
  // which run both sides of it.)
  const uint access = parameters.image.access;
  unpack_planar(first, access == SWIN_IMAGE_PLANAR ? end : first);
  unpack_halved(first, access == SWIN_IMAGE_HALVED ? end : first);
  unpack_pairs(first, access == SWIN_IMAGE_PAIRS ? end : first);
  unpack_words(first, access == SWIN_IMAGE_WORDS ? end : first);
  unpack_triple(first, access == SWIN_IMAGE_TRIPLE ? end : first);
  unpack_full(first, access == SWIN_IMAGE_FULL ? end : first);
  unpack_samples(first, access == SWIN_IMAGE_SAMPLES ? end : first);
}
