// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The left side of a product for the kernels of GPUs, [rows, K], wherever its values come from:
 * SwinLinearSource in core/network/operations.h. And which tile of the output is a work-group's.
 *
 * Everything moves in chunks of 16 bytes, as they lie in memory.
 */
#include "storage.glsl"
#include "parameters.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint K = 1; // values of a row
layout(constant_id = 2) const uint N = 1; // columns of the output
layout(constant_id = 3) const uint TILE_ROWS = 1;
layout(constant_id = 4) const uint TILE_COLUMNS = 1;
layout(constant_id = 5) const uint DEPTH = 1;       // values of K in shared memory at a time
layout(constant_id = 6) const uint BLOCK_ROWS = 1;  // that an invocation or subgroup keeps
layout(constant_id = 7) const uint BLOCK_COLUMNS = 1;
layout(constant_id = 8) const uint SOURCE = 0;      // SwinLinearSource
layout(constant_id = 9) const uint PATCH = 1;       // pixels a side; of patches
layout(constant_id = 10) const bool ALIGNED = false; // chunks never cross a row, segment or patch

layout(push_constant) uniform Push { SwinLinearTilePush push; };

layout(std430, binding = 0) readonly buffer Input { STORED input_values[]; };
layout(std430, binding = 0) readonly buffer InputChunks { uvec4 input_chunks[]; };
layout(std430, binding = 0) readonly buffer Pixels { float pixels[]; };
layout(std430, binding = 0) readonly buffer PixelVectors { vec4 pixel_vectors[]; };

#ifdef SWIN_HALF
const uint CHUNK = 8; // values
#else
const uint CHUNK = 4;
#endif
const uint VECTORS = CHUNK / 4; // of a chunk

vec4 unpack_vector(uvec4 chunk, uint vector) {
#ifdef SWIN_HALF
  const uvec2 words = vector == 0 ? chunk.xy : chunk.zw;
  return vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
#else
  return uintBitsToFloat(chunk);
#endif
}

uvec4 pack_chunk(vec4 values[VECTORS]) {
#ifdef SWIN_HALF
  return uvec4(packHalf2x16(values[0].xy), packHalf2x16(values[0].zw),
               packHalf2x16(values[1].xy), packHalf2x16(values[1].zw));
#else
  return floatBitsToUint(values[0]);
#endif
}

/* Where a row begins in the input, and how many columns and lines of the map or picture there are
 * from there to its edges: beyond them are zeros. */
struct SourceRow {
  uint first;
  uvec2 rest;
};

/* Rows beyond the last one are computed from the last and not stored. */
SourceRow source_row(uint wanted) {
  const uint row = min(wanted, push.rows - 1);
  if (SOURCE == SWIN_LINEAR_SOURCE_ROWS)
    return SourceRow(row * K, uvec2(0));
  const uint side = SOURCE == SWIN_LINEAR_SOURCE_MERGING ? 2 : PATCH;
  const uint x = row % push.map_columns * side;
  const uint y = row / push.map_columns % push.map_rows * side;
  const uint image = row / push.map_columns / push.map_rows;
  const uvec2 rest = uvec2(push.width - x, push.height - y);
  if (SOURCE == SWIN_LINEAR_SOURCE_MERGING)
    return SourceRow(((image * push.height + y) * push.width + x) * (K / 4), rest);
  const uint channels = K / (PATCH * PATCH);
  return SourceRow((image * channels * push.height + y) * push.width + x, rest);
}

/* Where value k of a row is. Of merging, segment s is the neighbour at (row s % 2, column s / 2);
 * patches are ordered (channel, y, x). Returns: FALSE where it is beyond an edge. */
bool source_index(SourceRow row, uint k, out uint index) {
  if (SOURCE == SWIN_LINEAR_SOURCE_ROWS) {
    index = row.first + k;
    return true;
  }
  if (SOURCE == SWIN_LINEAR_SOURCE_MERGING) {
    const uint segment = k / (K / 4);
    const uvec2 at = uvec2(segment / 2, segment % 2);
    index = row.first + (at.y * push.width + at.x) * (K / 4) + k % (K / 4);
    return all(lessThan(at, row.rest));
  }
  const uvec2 at = uvec2(k % PATCH, k / PATCH % PATCH);
  index = row.first + (k / (PATCH * PATCH) * push.height + at.y) * push.width + at.x;
  return all(lessThan(at, row.rest));
}

float source_value(SourceRow row, uint k) {
  uint index;
  if (k >= K || !source_index(row, k, index))
    return 0.0;
  if (SOURCE == SWIN_LINEAR_SOURCE_PATCHES)
    return pixels[index];
  return float(input_values[index]);
}

vec4 source_vector(SourceRow row, uint k) {
  uint index;
  if (ALIGNED && SOURCE == SWIN_LINEAR_SOURCE_PATCHES)
    return k < K && source_index(row, k, index) ? pixel_vectors[index / 4] : vec4(0.0);
  return vec4(source_value(row, k), source_value(row, k + 1), source_value(row, k + 2),
              source_value(row, k + 3));
}

/* The chunk of a row that begins at k, a multiple of CHUNK; zeros beyond K. */
uvec4 source_chunk(SourceRow row, uint k) {
  if (ALIGNED && SOURCE != SWIN_LINEAR_SOURCE_PATCHES) {
    uint index;
    return k < K && source_index(row, k, index) ? input_chunks[index / CHUNK] : uvec4(0);
  }
  vec4 values[VECTORS];
  for (uint i = 0; i < VECTORS; i++)
    values[i] = source_vector(row, k + 4 * i);
  return pack_chunk(values);
}

/* First row and column of this work-group's tile: those of the same rows follow one another, so
 * that they find them in the cache. The first row may be beyond the last. */
uvec2 tile_origin() {
  const uint tiles = (N + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  return uvec2(group / tiles * TILE_ROWS, group % tiles * TILE_COLUMNS);
}
