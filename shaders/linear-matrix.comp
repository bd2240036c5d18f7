#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The same as linear-tile.comp by cooperative matrices, fp16 times fp16 summed up in fp32. A
 * subgroup keeps a block of the work-group's tile, BLOCK_ROWS x BLOCK_COLUMNS, as matrices of
 * MATRIX_M x MATRIX_N. Slabs of both sides lie in shared memory twice: while one is multiplied, the
 * next one is on its way through registers into the other, and one barrier a slab is enough.
 *
 * Where there are more subgroups than blocks, for products of few rows, SPLITS of them share a
 * block: each takes a part of every slab's depth, and their sums are added up in the end. Such
 * kernels have deep slabs: what keeps a work-group waiting there is the way from memory, which so
 * brings more at a time.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#include "linear-source.glsl"
#include "linear-norm.glsl"
#include "linear-epilogue.glsl"

layout(constant_id = 15) const uint MATRIX_M = 16;
layout(constant_id = 16) const uint MATRIX_N = 16;
layout(constant_id = 17) const uint MATRIX_K = 16;
layout(constant_id = 18) const uint SUBGROUP_SIZE = 32; // every subgroup is full

const uint LANES = gl_WorkGroupSize.x;
const uint SUBGROUPS = LANES / SUBGROUP_SIZE;
const uint BLOCKS_ACROSS = TILE_COLUMNS / BLOCK_COLUMNS;
const uint BLOCKS = TILE_ROWS / BLOCK_ROWS * BLOCKS_ACROSS;
const uint SPLITS = SUBGROUPS / BLOCKS;
const uint MATRICES_DOWN = BLOCK_ROWS / MATRIX_M;
const uint MATRICES_ACROSS = BLOCK_COLUMNS / MATRIX_N;
const uint STEPS = DEPTH / MATRIX_K / SPLITS; // of a subgroup, through a slab

/* Chunks of both sides in shared memory, and how many of them an invocation brings there. */
const uint ROW_CHUNKS = TILE_ROWS * (DEPTH / CHUNK);
const uint COLUMN_CHUNKS = DEPTH * (TILE_COLUMNS / CHUNK);
const uint ROW_LOADS = (ROW_CHUNKS + LANES - 1) / LANES;
const uint COLUMN_LOADS = (COLUMN_CHUNKS + LANES - 1) / LANES;

/* In chunks, of [TILE_ROWS, DEPTH] and of [DEPTH, TILE_COLUMNS]; a chunk more than there are, so
 * that the rows of a matrix begin in different banks. */
const uint ROW_STRIDE = DEPTH / CHUNK + 1;
const uint COLUMN_STRIDE = TILE_COLUMNS / CHUNK + 1;
const uint COLUMNS_AT = TILE_ROWS * ROW_STRIDE;
const uint SLAB = COLUMNS_AT + DEPTH * COLUMN_STRIDE;

/* In the end a row of every subgroup's matrices in float32 takes the place of the slabs:
 * [SUBGROUPS, MATRIX_M, BLOCK_COLUMNS], in vectors of four. */
const uint SUM_STRIDE = BLOCK_COLUMNS / 4 + 1;
const uint SUMS = SUBGROUPS * MATRIX_M * SUM_STRIDE;

shared uvec4 slabs[2 * SLAB > SUMS ? 2 * SLAB : SUMS];

SourceRow source_rows[ROW_LOADS];
uvec4 next_rows[ROW_LOADS];
uvec4 next_columns[COLUMN_LOADS];

void fetch_slab(uint first_k, uint first_column) {
  const uint lane = gl_LocalInvocationID.x, width = TILE_COLUMNS / CHUNK;
  [[unroll]] for (uint i = 0; i < ROW_LOADS; i++)
    next_rows[i] =
        source_chunk(source_rows[i], first_k + (i * LANES + lane) % (DEPTH / CHUNK) * CHUNK);
  [[unroll]] for (uint i = 0; i < COLUMN_LOADS; i++) {
    const uint chunk = i * LANES + lane;
    if (COLUMN_CHUNKS % LANES == 0 || chunk < COLUMN_CHUNKS)
      next_columns[i] =
          weight_chunk(first_k + chunk / width, first_column + chunk % width * CHUNK);
  }
}

void put_slab(uint slab) {
  const uint lane = gl_LocalInvocationID.x, width = TILE_COLUMNS / CHUNK;
  [[unroll]] for (uint i = 0; i < ROW_LOADS; i++) {
    const uint chunk = i * LANES + lane;
    if (ROW_CHUNKS % LANES == 0 || chunk < ROW_CHUNKS)
      slabs[slab + chunk / (DEPTH / CHUNK) * ROW_STRIDE + chunk % (DEPTH / CHUNK)] = next_rows[i];
  }
  [[unroll]] for (uint i = 0; i < COLUMN_LOADS; i++) {
    const uint chunk = i * LANES + lane;
    if (COLUMN_CHUNKS % LANES == 0 || chunk < COLUMN_CHUNKS)
      slabs[slab + COLUMNS_AT + chunk / width * COLUMN_STRIDE + chunk % width] = next_columns[i];
  }
}

coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator>
    sums[MATRICES_DOWN][MATRICES_ACROSS];

void multiply_slab(uint slab) {
  const uint block = gl_SubgroupID % BLOCKS, split = gl_SubgroupID / BLOCKS;
  const uint first_row = slab + block / BLOCKS_ACROSS * BLOCK_ROWS * ROW_STRIDE;
  const uint first_column =
      slab + COLUMNS_AT + block % BLOCKS_ACROSS * (BLOCK_COLUMNS / CHUNK);
  for (uint step = 0; step < STEPS; step++) {
    const uint k = (split * STEPS + step) * MATRIX_K;
    coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_K, gl_MatrixUseA> rows[MATRICES_DOWN];
    [[unroll]] for (uint i = 0; i < MATRICES_DOWN; i++)
      coopMatLoad(rows[i], slabs, first_row + i * MATRIX_M * ROW_STRIDE + k / CHUNK, ROW_STRIDE,
                  gl_CooperativeMatrixLayoutRowMajor);
    [[unroll]] for (uint j = 0; j < MATRICES_ACROSS; j++) {
      coopmat<float16_t, gl_ScopeSubgroup, MATRIX_K, MATRIX_N, gl_MatrixUseB> columns;
      coopMatLoad(columns, slabs, first_column + k * COLUMN_STRIDE + j * (MATRIX_N / CHUNK),
                  COLUMN_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      [[unroll]] for (uint i = 0; i < MATRICES_DOWN; i++)
        sums[i][j] = coopMatMulAdd(rows[i], columns, sums[i][j]);
    }
  }
}

/* The rows @first to @first + MATRIX_M - 1 of every block, which lie in shared memory. */
void store_sums(uvec2 origin, uint first) {
  const uint width = BLOCK_COLUMNS / CHUNK;
  for (uint i = gl_LocalInvocationID.x; i < BLOCKS * MATRIX_M * width; i += LANES) {
    const uint block = i / (MATRIX_M * width);
    const uint row = block / BLOCKS_ACROSS * BLOCK_ROWS + first + i / width % MATRIX_M;
    const uint column =
        origin.y + block % BLOCKS_ACROSS * BLOCK_COLUMNS + i % width * CHUNK;
    if (origin.x + row >= push.rows || column >= N)
      continue;
    vec4 values[VECTORS];
    for (uint j = 0; j < VECTORS; j++) {
      const uint at = i / width * SUM_STRIDE + i % width * VECTORS + j;
      values[j] = uintBitsToFloat(slabs[at]);
      for (uint split = 1; split < SPLITS; split++)
        values[j] += uintBitsToFloat(slabs[at + split * BLOCKS * MATRIX_M * SUM_STRIDE]);
      if (N % CHUNK == 0 || column + 4 * j < N)
        values[j] = activate(row, column + 4 * j, values[j]);
    }
    store_chunk(origin.x + row, column, values);
  }
}

void main() {
  const uvec2 origin = tile_origin();
  if (origin.x >= push.rows)
    return;
  [[unroll]] for (uint i = 0; i < MATRICES_DOWN; i++)
    [[unroll]] for (uint j = 0; j < MATRICES_ACROSS; j++)
      sums[i][j] =
          coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator>(0.0);
  [[unroll]] for (uint i = 0; i < ROW_LOADS; i++)
    source_rows[i] = source_row(origin.x + (i * LANES + gl_LocalInvocationID.x) / (DEPTH / CHUNK));

  /* A slab is fetched while the last one is multiplied, the first one while the norms are found. */
  uint slab = 0;
  for (uint k = 0; k < K + DEPTH; k += DEPTH) {
    if (k < K)
      fetch_slab(k, origin.y);
    if (k > 0)
      multiply_slab(SLAB - slab);
    else if (NORMED)
      find_norms(origin.x);
    if (k < K)
      put_slab(slab);
    slab = SLAB - slab;
    barrier();
  }

  /* Which matrices are stored has to be known when this is compiled, what happens to them then has
   * not: it is there once. */
  for (uint i = 0; i < MATRICES_DOWN; i++) {
    [[unroll]] for (uint stored = 0; stored < MATRICES_DOWN; stored++)
      if (stored == i)
        [[unroll]] for (uint j = 0; j < MATRICES_ACROSS; j++)
          coopMatStore(sums[stored][j], slabs,
                       gl_SubgroupID * MATRIX_M * SUM_STRIDE + j * (MATRIX_N / 4), SUM_STRIDE,
                       gl_CooperativeMatrixLayoutRowMajor);
    barrier();
    store_sums(origin, i * MATRIX_M);
    barrier();
  }
}
