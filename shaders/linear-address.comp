#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The product of linear.comp, with the same layout of weights, for processors whose driver keeps in
 * scalars what it knows to be the same in all lanes (Mesa's llvmpipe from 26 on).
 *
 * There a load is scalar where its address is the same for the whole subgroup, and a gather where it
 * is not. So every address here is that of lane 0: a value of a row is loaded once and spread, and a
 * run of neighbouring weights is one load a lane, from which each lane keeps its own; the compiler
 * makes one vector load of those, if it sees that they are neighbours: in 64-bit addresses it does,
 * in the 32-bit offsets of a storage buffer, which might wrap, it does not.
 *
 * A work-group is one subgroup. Its tile, ROWS rows of four runs of columns, is as large as the
 * processor's registers: 28 vectors of 32. What a loop carries from round to round is blended with
 * the mask of active lanes in each, hence the long rounds.
 */
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "storage.glsl"
#include "gelu.glsl"
#include "parameters.h"

layout(local_size_x_id = 0) in;               // the subgroup's size, 16 at most
layout(constant_id = 1) const uint ROWS = 1;  // of a tile
layout(constant_id = 2) const uint GELU = 0;  // SwinGelu
layout(constant_id = 3) const bool RESIDUAL = false;
layout(constant_id = 4) const bool WHOLE = false; // no tile reaches beyond the last row

layout(push_constant) uniform Push { SwinLinearAddressPush push; };

#ifdef SWIN_HALF
#define SIZE 2
#else
#define SIZE 4
#endif
layout(buffer_reference, std430, buffer_reference_align = SIZE) readonly buffer Stored {
  STORED value;
};
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Bias { float value; };
layout(std430, binding = 2) writeonly buffer Output { STORED output_values[]; };

const uint RUNS = SWIN_LINEAR_ADDRESS_RUNS; // of columns, in a tile; they divide push.columns
const uint STEP = SWIN_LINEAR_ADDRESS_STEP; // input channels of a round; divides push.depth
#define LANES gl_WorkGroupSize.x

/* The lane of a broadcast must be written out. */
#define FOR_LANES(DO)                                                                              \
  DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)                                                  \
  DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

uint64_t address(uint words[2]) {
  return packUint2x32(uvec2(words[0], words[1]));
}

/* Neighbouring values, one a lane. @first: address of lane 0's */
float load_run(uint64_t first) {
  STORED value = Stored(first).value;
  [[unroll]] for (uint lane = 1; lane < LANES; lane++)
    value = mix(value, Stored(first + lane * SIZE).value, gl_SubgroupInvocationID == lane);
  return float(value);
}

float load_biases(uint64_t first) {
  float value = Bias(first).value;
  [[unroll]] for (uint lane = 1; lane < LANES; lane++)
    value = mix(value, Bias(first + lane * 4).value, gl_SubgroupInvocationID == lane);
  return value;
}

/* The weights of one input channel. */
vec4 load_weights(uint64_t first) {
  vec4 weights;
  [[unroll]] for (uint j = 0; j < RUNS; j++)
    weights[j] = load_run(first + j * LANES * SIZE);
  return weights;
}

#ifdef SWIN_HALF
/* All lanes are rounded at once. */
void store_run(uint index, float value) {
  output_values[index + gl_SubgroupInvocationID] = STORED(value);
}
#else
/* Stores to addresses of the whole subgroup are scalar, others are scattered. */
void store_run(uint index, float value) {
#define STORE_LANE(lane)                                                                           \
  if (lane < LANES)                                                                                \
    output_values[index + lane] = subgroupBroadcast(value, lane);
  FOR_LANES(STORE_LANE)
}
#endif

/* Row @row, from column @column on. The residual of a row beyond the last is that of the last: the
 * driver loads on both sides of a branch, and nothing else keeps the address within its buffer. */
void store(uint row, uint column, vec4 values) {
  if (GELU == SWIN_LINEAR_GELU_EXACT)
    values = gelu(values);
  if (GELU == SWIN_LINEAR_GELU_TANH)
    values = tanh_gelu(values);
  const uint residual_row = WHOLE ? row : min(row, push.rows - 1);
  const uint64_t residual =
      address(push.residual_address) + (uint64_t(residual_row) * push.columns + column) * SIZE;
  [[unroll]] for (uint j = 0; j < RUNS; j++) {
    if (RESIDUAL)
      values[j] += load_run(residual + j * LANES * SIZE);
    store_run(row * push.columns + column + j * LANES, values[j]);
  }
}

void main() {
  const uint width = RUNS * LANES;
  const uint first_row = gl_WorkGroupID.x * ROWS, first_column = gl_WorkGroupID.y * width;
  const uint line = width * SIZE; // bytes, as all sizes here
  const uint64_t strip = uint64_t(push.depth * line);
  const uint64_t weights = address(push.weights_address) + gl_WorkGroupID.y * strip;
  const uint64_t biases =
      address(push.weights_address) + gl_NumWorkGroups.y * strip + first_column * 4;

  vec4 sums[ROWS];
  [[unroll]] for (uint j = 0; j < RUNS; j++) {
    const float bias = load_biases(biases + j * LANES * 4);
    [[unroll]] for (uint i = 0; i < ROWS; i++)
      sums[i][j] = bias;
  }

  /* Rows beyond the last are computed from the last and not stored. */
  uint64_t rows[ROWS];
  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    const uint row = WHOLE ? first_row + i : min(first_row + i, push.rows - 1);
    rows[i] = address(push.input_address) + uint64_t(row) * push.depth * SIZE;
  }

  for (uint k = 0; k < push.depth; k += STEP) {
    const uint64_t step_weights = weights + k * line, step = uint64_t(k) * SIZE;
#ifdef SWIN_HALF
    /* Of half values it is cheaper to widen a run at once and to spread it from a register. */
    [[unroll]] for (uint l = 0; l < STEP; l += LANES) {
      float runs[ROWS];
      [[unroll]] for (uint i = 0; i < ROWS; i++)
        runs[i] = load_run(rows[i] + step + l * SIZE);
#define ADD_LANE(lane)                                                                             \
  if (lane < LANES) {                                                                              \
    const vec4 columns = load_weights(step_weights + (l + lane) * line);                           \
    [[unroll]] for (uint i = 0; i < ROWS; i++)                                                     \
      sums[i] += subgroupBroadcast(runs[i], lane) * columns;                                       \
  }
      FOR_LANES(ADD_LANE)
    }
#else
    [[unroll]] for (uint l = 0; l < STEP; l++) {
      const vec4 columns = load_weights(step_weights + l * line);
      [[unroll]] for (uint i = 0; i < ROWS; i++)
        sums[i] += Stored(rows[i] + step + l * SIZE).value * columns;
    }
#endif
  }

  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    if (WHOLE || first_row + i < push.rows)
      store(first_row + i, first_column, sums[i]);
  }
}
