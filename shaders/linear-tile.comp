#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * output[m][n] = gelu(sum over k of norm(input[m])[k] * weight[k][n] + bias[n]) + residual[m][n],
 * for GPUs: a work-group computes a tile of the output. It brings DEPTH columns of the tile's rows
 * and as many rows of its weights to shared memory at a time, and each invocation adds the products
 * of its block of the tile up in registers. While it does, the next ones are on their way from
 * memory to registers.
 *
 * A block is made of squares of 4 x 4 that lie BLOCKS_DOWN and BLOCKS_ACROSS squares apart, so that
 * neighbouring invocations read neighbouring vectors. Where there are more invocations than blocks,
 * for products of few rows, SPLITS of them share a block: each takes one in SPLITS rows of the
 * slabs, and their sums are added up in shared memory.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "linear-source.glsl"
#include "linear-norm.glsl"
#include "linear-epilogue.glsl"

const uint LANES = gl_WorkGroupSize.x;
const uint BLOCKS_ACROSS = TILE_COLUMNS / BLOCK_COLUMNS;
const uint BLOCKS_DOWN = TILE_ROWS / BLOCK_ROWS;
const uint BLOCKS = BLOCKS_ACROSS * BLOCKS_DOWN;
const uint SPLITS = LANES / BLOCKS;
const uint SQUARES_DOWN = BLOCK_ROWS / 4;
const uint SQUARES_ACROSS = BLOCK_COLUMNS / 4;

/* Chunks of both sides in shared memory, and how many of them an invocation brings there. */
const uint ROW_CHUNKS = TILE_ROWS * (DEPTH / CHUNK);
const uint COLUMN_CHUNKS = DEPTH * (TILE_COLUMNS / CHUNK);
const uint ROW_LOADS = (ROW_CHUNKS + LANES - 1) / LANES;
const uint COLUMN_LOADS = (COLUMN_CHUNKS + LANES - 1) / LANES;

/* A vector more than there are rows: neighbours that write the same row then do not meet in one
 * bank. */
const uint ROW_STRIDE = TILE_ROWS / 4 + 1;
const uint COLUMN_STRIDE = TILE_COLUMNS / 4;

/* The split sums take the place of the columns: [SPLITS, TILE_ROWS, TILE_COLUMNS]. */
const uint TILE_VECTORS = TILE_ROWS * (TILE_COLUMNS / 4);
const uint SPLIT_VECTORS = SPLITS > 1 ? SPLITS * TILE_VECTORS : 0;
const uint COLUMN_VECTORS = DEPTH * COLUMN_STRIDE;

shared vec4 row_slab[DEPTH * ROW_STRIDE]; // [DEPTH, TILE_ROWS]
shared vec4 column_slab[COLUMN_VECTORS > SPLIT_VECTORS ? COLUMN_VECTORS : SPLIT_VECTORS];

SourceRow source_rows[ROW_LOADS];
uvec4 next_rows[ROW_LOADS];
uvec4 next_columns[COLUMN_LOADS];

void fetch_slab(uint first_k, uint first_column) {
  const uint lane = gl_LocalInvocationID.x;
  [[unroll]] for (uint i = 0; i < ROW_LOADS; i++)
    next_rows[i] =
        source_chunk(source_rows[i], first_k + (i * LANES + lane) % (DEPTH / CHUNK) * CHUNK);
  [[unroll]] for (uint i = 0; i < COLUMN_LOADS; i++) {
    const uint chunk = i * LANES + lane, width = TILE_COLUMNS / CHUNK;
    if (COLUMN_CHUNKS % LANES == 0 || chunk < COLUMN_CHUNKS)
      next_columns[i] =
          weight_chunk(first_k + chunk / width, first_column + chunk % width * CHUNK);
  }
}

void put_slab() {
  const uint lane = gl_LocalInvocationID.x;
  [[unroll]] for (uint i = 0; i < ROW_LOADS; i++) {
    const uint chunk = i * LANES + lane;
    const uint row = chunk / (DEPTH / CHUNK), k = chunk % (DEPTH / CHUNK) * CHUNK;
    if (ROW_CHUNKS % LANES == 0 || chunk < ROW_CHUNKS)
      [[unroll]] for (uint j = 0; j < VECTORS; j++) {
        const vec4 values = unpack_vector(next_rows[i], j);
        [[unroll]] for (uint l = 0; l < 4; l++)
          row_slab[(k + 4 * j + l) * ROW_STRIDE + row / 4][row % 4] = values[l];
      }
  }
  [[unroll]] for (uint i = 0; i < COLUMN_LOADS; i++) {
    const uint chunk = i * LANES + lane;
    if (COLUMN_CHUNKS % LANES == 0 || chunk < COLUMN_CHUNKS)
      [[unroll]] for (uint j = 0; j < VECTORS; j++)
        column_slab[chunk * VECTORS + j] = unpack_vector(next_columns[i], j);
  }
}

vec4 sums[BLOCK_ROWS][SQUARES_ACROSS];

uint block_across() {
  return gl_LocalInvocationID.x % BLOCKS % BLOCKS_ACROSS;
}

uint block_down() {
  return gl_LocalInvocationID.x % BLOCKS / BLOCKS_ACROSS;
}

void multiply_slab() {
  for (uint k = gl_LocalInvocationID.x / BLOCKS; k < DEPTH; k += SPLITS) {
    vec4 columns[SQUARES_ACROSS];
    [[unroll]] for (uint j = 0; j < SQUARES_ACROSS; j++)
      columns[j] = column_slab[k * COLUMN_STRIDE + block_across() + j * BLOCKS_ACROSS];
    [[unroll]] for (uint i = 0; i < SQUARES_DOWN; i++) {
      const vec4 rows = row_slab[k * ROW_STRIDE + block_down() + i * BLOCKS_DOWN];
      [[unroll]] for (uint l = 0; l < 4; l++)
        [[unroll]] for (uint j = 0; j < SQUARES_ACROSS; j++)
          sums[i * 4 + l][j] += rows[l] * columns[j];
    }
  }
}

/* @row: of the tile; @vector: of the tile's row */
void store(uvec2 origin, uint row, uint vector, vec4 sum) {
  const uint column = origin.y + vector * 4;
  if (origin.x + row < push.rows && column < N)
    store_vector(origin.x + row, column, activate(row, column, sum));
}

void store_block(uvec2 origin) {
  [[unroll]] for (uint i = 0; i < BLOCK_ROWS; i++)
    [[unroll]] for (uint j = 0; j < SQUARES_ACROSS; j++)
      store(origin, (block_down() + i / 4 * BLOCKS_DOWN) * 4 + i % 4,
            block_across() + j * BLOCKS_ACROSS, sums[i][j]);
}

void store_splits(uvec2 origin) {
  const uint lane = gl_LocalInvocationID.x, width = TILE_COLUMNS / 4;
  [[unroll]] for (uint i = 0; i < BLOCK_ROWS; i++)
    [[unroll]] for (uint j = 0; j < SQUARES_ACROSS; j++)
      column_slab[lane / BLOCKS * TILE_VECTORS +
                  ((block_down() + i / 4 * BLOCKS_DOWN) * 4 + i % 4) * width + block_across() +
                  j * BLOCKS_ACROSS] = sums[i][j];
  barrier();
  for (uint i = lane; i < TILE_VECTORS; i += LANES) {
    vec4 sum = vec4(0.0);
    for (uint split = 0; split < SPLITS; split++)
      sum += column_slab[split * TILE_VECTORS + i];
    store(origin, i / width, i % width, sum);
  }
}

void main() {
  const uvec2 origin = tile_origin();
  if (origin.x >= push.rows)
    return;
  [[unroll]] for (uint i = 0; i < BLOCK_ROWS; i++)
    [[unroll]] for (uint j = 0; j < SQUARES_ACROSS; j++)
      sums[i][j] = vec4(0.0);
  [[unroll]] for (uint i = 0; i < ROW_LOADS; i++)
    source_rows[i] = source_row(origin.x + (i * LANES + gl_LocalInvocationID.x) / (DEPTH / CHUNK));

  /* A slab is fetched while the last one is multiplied, the first one while the norms are found. */
  for (uint k = 0; k < K + DEPTH; k += DEPTH) {
    if (k < K)
      fetch_slab(k, origin.y);
    if (k > 0)
      multiply_slab();
    else if (NORMED)
      find_norms(origin.x);
    barrier();
    if (k < K)
      put_slab();
    barrier();
  }
  if (SPLITS > 1)
    store_splits(origin);
  else
    store_block(origin);
}
