// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, H, W, 3C] (query, key, value) -> [N, H, W, C]: softmax(score + bias + mask) v within each
// window and head, with matrix units. Factors are fp16, sums and all between the products fp32.
//
// A work-group has one window and head, or some queries of it: each of its subgroups has a strip
// of M queries, in registers. Keys and values are gathered to shared memory for all of them, a
// BLOCK at a time; where there are several blocks, the softmax runs along with them
// (arXiv:1805.02867). What element of a matrix an invocation holds is not known, so scores go
// through shared memory: there a row of the strip belongs to SHARE invocations, which turn it into
// weights.
//
// Vectors of cosine attention stay as they are, and the scores are divided by their lengths: unit
// vectors would be rounded once more.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#include "attention.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 9) const uint SUBGROUP = 32; // invocations
layout(constant_id = 10) const uint M = 16;       // [M, K] * [K, N]: multiples of 8
layout(constant_id = 11) const uint N = 16;
layout(constant_id = 12) const uint K = 16;
layout(constant_id = 13) const uint DEPTH = 32; // HEAD_DIM and zeros up to a multiple of K and N
layout(constant_id = 14) const uint BLOCK = 64; // keys; a multiple of K and N

// Values by eights: heads are of a multiple of that.
layout(std430, set = 0, binding = 0) readonly buffer Input {
  uvec4 qkv[]; // [N, H, W, 3C / 8]
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  uvec4 attended[]; // [N, H, W, C / 8]
};
layout(std430, set = 0, binding = 3) readonly buffer NearInput {
  uvec4 near_qkv[];
};
layout(std430, set = 0, binding = 4) writeonly buffer NearOutput {
  uvec4 near_attended[];
};

const uint SHARE = SUBGROUP / M; // invocations that share a row of the strip
const uint BLOCKS = (TOKENS + BLOCK - 1) / BLOCK;
const uint EIGHTS = DEPTH / 8;
const float LOG2_E = 1.44269504;

// Rows in shared memory end with 16 bytes that nobody uses, so that the rows of a matrix are in
// different banks. A row of a strip is, in turn, a query; its scores with the keys of a block;
// their weights (fp16), and behind them what becomes of the sums so far; its sums over the values.
const uint ROW = EIGHTS + 1;
const uint SCORES = BLOCK / 4;
const uint WEIGHTS = BLOCK / 8;
const uint SUMS = DEPTH / 4;
const uint FACTORS_END = WEIGHTS + N / 4;
const uint OF_BLOCK = SCORES > FACTORS_END ? SCORES : FACTORS_END;
const uint STRIP_ROW = (OF_BLOCK > SUMS ? OF_BLOCK : SUMS) + 1;

shared uvec4 keys[BLOCK * ROW];
shared uvec4 values[BLOCK * ROW];
shared uvec4 strips[gl_WorkGroupSize.x / SUBGROUP * M * STRIP_ROW];
shared float shares[gl_WorkGroupSize.x]; // of each invocation: part of a maximum or sum
shared uint key_places[BLOCK];           // of each key: see find_place()
shared float key_scales[COSINE ? BLOCK : 1];

// For what the invocations of a subgroup write for each other in shared memory.
void synchronise_strip() {
  controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared,
                 gl_SemanticsAcquireRelease);
}

// Eight values of @token, @i eights behind those of its query.
uvec4 load_values(Token token, uint i) {
  uint at = input_position(token) / 8 + i;
  if (is_near(token))
    return near_qkv[at];
  return qkv[at];
}

uvec4 pack(vec4 first_half, vec4 second_half) {
  return uvec4(packHalf2x16(first_half.xy), packHalf2x16(first_half.zw),
               packHalf2x16(second_half.xy), packHalf2x16(second_half.zw));
}

// Eight of the biases of the qkv projection, which is what padded tokens have.
uvec4 load_biases(uint at) {
  return pack(vec4(weights[at], weights[at + 1], weights[at + 2], weights[at + 3]),
              vec4(weights[at + 4], weights[at + 5], weights[at + 6], weights[at + 7]));
}

float square(uvec4 eight) {
  float sum = 0.0;
  [[unroll]] for (uint i = 0; i < 4; i++) {
    vec2 two = unpackHalf2x16(eight[i]);
    sum += dot(two, two);
  }
  return sum;
}

// ---- Keys and values ----

// A key's place in the bias table, from the back, and behind that its region; none has BEYOND.
const uint REGION_SHIFT = 28;
const uint BEYOND = 15;

uint find_place(uint key) {
  uint y = key / WINDOW_WIDTH, x = key % WINDOW_WIDTH;

  if (key >= TOKENS)
    return BEYOND << REGION_SHIFT;
  return (SHIFTED ? mask_region(y, x) << REGION_SHIFT : 0) | (BIASED ? y * table_columns() + x : 0);
}

// Padding keys are the biases; behind the last key there are zeros.
void gather_keys(uint first_key) {
  for (uint i = gl_LocalInvocationIndex; i < BLOCK * EIGHTS; i += gl_WorkGroupSize.x) {
    uint row = i / EIGHTS, eight = i % EIGHTS, token = first_key + row;
    uvec4 key = uvec4(0), value = uvec4(0);

    if (token < TOKENS && eight < HEAD_DIM / 8) {
      Token found = find_token(token / WINDOW_WIDTH, token % WINDOW_WIDTH);
      if (found.padded) {
        key = load_biases(channels + head * HEAD_DIM + eight * 8);
        value = load_biases(2 * channels + head * HEAD_DIM + eight * 8);
      } else {
        key = load_values(found, channels / 8 + eight);
        value = load_values(found, channels / 4 + eight);
      }
    }
    keys[row * ROW + eight] = key;
    values[row * ROW + eight] = value;
  }
  for (uint i = gl_LocalInvocationIndex; i < BLOCK; i += gl_WorkGroupSize.x)
    key_places[i] = find_place(first_key + i);
}

void measure_keys() {
  for (uint i = gl_LocalInvocationIndex; i < BLOCK; i += gl_WorkGroupSize.x) {
    float sum = 0.0;
    for (uint eight = 0; eight < EIGHTS; eight++)
      sum += square(keys[i * ROW + eight]);
    key_scales[i] = unit_scale(sum);
  }
}

// ---- The strip of a subgroup ----

coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> queries[DEPTH / K];
coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> sums[DEPTH / N];
uint strip;       // where it begins in `strips`
uint first_query; // token of the window

// Of the invocation's row:
uint row_at, part; // the row, and which of its invocations this is
uint row_region;
uint row_bias;   // place in the table with the window's first key
float row_scale; // of the scores. They are in powers of 2, since those are what GPUs compute
float maximum = LOWEST;
float total = 0.0; // of the keys that this invocation has weighed

void start_strip() {
  uint invocation = gl_SubgroupInvocationID;
  uint token = min(first_query + invocation % M, TOKENS - 1);
  uint y = token / WINDOW_WIDTH, x = token % WINDOW_WIDTH;

  row_at = strip + invocation % M * STRIP_ROW;
  part = invocation / M;
  row_region = SHIFTED ? mask_region(y, x) : 0;
  row_bias = bias_position(y, x);
  row_scale = LOG2_E * weights[3 * channels + head];
  [[unroll]] for (uint i = 0; i < DEPTH / N; i++)
    sums[i] = coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(0.0);
}

// Those of padding are of no use to anyone, and behind the last query there are zeros.
void gather_queries() {
  for (uint i = gl_SubgroupInvocationID; i < M * EIGHTS; i += SUBGROUP) {
    uint row = i / EIGHTS, eight = i % EIGHTS, token = first_query + row;
    uvec4 query = uvec4(0);

    if (token < TOKENS && eight < HEAD_DIM / 8)
      query = load_values(find_token(token / WINDOW_WIDTH, token % WINDOW_WIDTH), eight);
    strips[strip + row * STRIP_ROW + eight] = query;
  }
  synchronise_strip();
  [[unroll]] for (uint i = 0; i < DEPTH / K; i++)
    coopMatLoad(queries[i], strips, strip + i * (K / 8), STRIP_ROW,
                gl_CooperativeMatrixLayoutRowMajor);
  if (COSINE) {
    float sum = 0.0;
    for (uint eight = 0; eight < EIGHTS; eight++)
      sum += square(strips[row_at + eight]);
    row_scale *= unit_scale(sum);
  }
  synchronise_strip();
}

// queries * keys^T
void score_keys() {
  for (uint key = 0; key < BLOCK; key += N) {
    coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> scores =
        coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(0.0);
    [[unroll]] for (uint i = 0; i < DEPTH / K; i++) {
      coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> transposed;
      coopMatLoad(transposed, keys, key * ROW + i * (K / 8), ROW,
                  gl_CooperativeMatrixLayoutColumnMajor);
      scores = coopMatMulAdd(queries[i], transposed, scores);
    }
    coopMatStore(scores, strips, strip + key / 4, STRIP_ROW, gl_CooperativeMatrixLayoutRowMajor);
  }
}

// An invocation has every SHARE-th eight of its row's keys.
const uint OWN_EIGHTS = (WEIGHTS + SHARE - 1) / SHARE;
float scores[OWN_EIGHTS * 8];

bool is_own(uint eight) {
  return WEIGHTS % SHARE == 0 || eight < WEIGHTS;
}

void load_scores() {
  [[unroll]] for (uint i = 0; i < OWN_EIGHTS; i++) {
    uint eight = i * SHARE + part;
    [[unroll]] for (uint four = 0; four < 2; four++) {
      vec4 loaded = vec4(0.0);
      if (is_own(eight))
        loaded = uintBitsToFloat(strips[row_at + eight * 2 + four]);
      [[unroll]] for (uint j = 0; j < 4; j++)
        scores[i * 8 + four * 4 + j] = loaded[j];
    }
  }
}

void finish_scores() {
  [[unroll]] for (uint i = 0; i < OWN_EIGHTS * 8; i++) {
    uint key = (i / 8 * SHARE + part) * 8 + i % 8;
    if (!is_own(key / 8))
      key = 0;
    uint place = key_places[key];
    float score = scores[i] * row_scale;
    if (COSINE)
      score *= key_scales[key];
    if (BIASED)
      score += LOG2_E * weights[row_bias - (place & ((1 << REGION_SHIFT) - 1))];
    if (TOKENS % BLOCK != 0 && place >> REGION_SHIFT == BEYOND)
      score = 2.0 * LOWEST;
    scores[i] = score;
  }
}

// Of windows that the roll put together of several regions; most are not.
void mask_scores() {
  [[unroll]] for (uint i = 0; i < OWN_EIGHTS * 8; i++) {
    uint key = (i / 8 * SHARE + part) * 8 + i % 8;
    if (is_own(key / 8) && key_places[key] >> REGION_SHIFT != row_region)
      scores[i] -= LOG2_E * push.mask;
  }
}

bool is_mixed() {
  return SHIFTED && (top + WINDOW_HEIGHT == push.padded_height && push.shift_y > 0 ||
                     left + WINDOW_WIDTH == push.padded_width && push.shift_x > 0);
}

// The highest score of the row so far.
float find_maximum() {
  uint invocation = gl_SubgroupID * SUBGROUP + gl_SubgroupInvocationID % M;
  float highest = maximum;

  [[unroll]] for (uint i = 0; i < OWN_EIGHTS * 8; i++)
    if (is_own(i / 8 * SHARE + part))
      highest = max(highest, scores[i]);
  if (SHARE == 1)
    return highest;
  shares[invocation + part * M] = highest;
  synchronise_strip();
  [[unroll]] for (uint i = 0; i < SHARE; i++)
    highest = max(highest, shares[invocation + i * M]);
  return highest;
}

// Turns the row's scores into weights.
void weigh_scores() {
  load_scores();
  finish_scores();
  if (is_mixed())
    mask_scores();
  float highest = find_maximum();
  float factor = exp2(maximum - highest);

  maximum = highest;
  total *= factor;
  synchronise_strip(); // the scores have been read
  [[unroll]] for (uint i = 0; i < OWN_EIGHTS; i++) {
    uint eight = i * SHARE + part;
    vec4 weight[2];
    [[unroll]] for (uint j = 0; j < 8; j++) {
      weight[j / 4][j % 4] = exp2(scores[i * 8 + j] - highest);
      if (is_own(eight))
        total += weight[j / 4][j % 4];
    }
    if (is_own(eight))
      strips[row_at + eight] = pack(weight[0], weight[1]);
  }
  if (BLOCKS > 1)
    for (uint i = part; i < N / 4; i += SHARE)
      strips[row_at + WEIGHTS + i] = floatBitsToUint(vec4(factor));
}

// sums = sums * factors + weights * values
void add_values(bool rescale) {
  if (BLOCKS > 1 && rescale) {
    coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> factors;
    coopMatLoad(factors, strips, strip + WEIGHTS, STRIP_ROW, gl_CooperativeMatrixLayoutRowMajor);
    [[unroll]] for (uint i = 0; i < DEPTH / N; i++)
      sums[i] *= factors;
  }
  for (uint key = 0; key < BLOCK; key += K) {
    coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> weighing;
    coopMatLoad(weighing, strips, strip + key / 8, STRIP_ROW, gl_CooperativeMatrixLayoutRowMajor);
    [[unroll]] for (uint i = 0; i < DEPTH / N; i++) {
      coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> weighed;
      coopMatLoad(weighed, values, key * ROW + i * (N / 8), ROW,
                  gl_CooperativeMatrixLayoutRowMajor);
      sums[i] = coopMatMulAdd(weighing, weighed, sums[i]);
    }
  }
}

void scatter() {
  uint invocation = gl_SubgroupID * SUBGROUP + gl_SubgroupInvocationID;

  [[unroll]] for (uint i = 0; i < DEPTH / N; i++)
    coopMatStore(sums[i], strips, strip + i * (N / 4), STRIP_ROW,
                 gl_CooperativeMatrixLayoutRowMajor);
  shares[invocation] = total;
  synchronise_strip();
  for (uint i = gl_SubgroupInvocationID; i < M * (HEAD_DIM / 8); i += SUBGROUP) {
    uint row = i / (HEAD_DIM / 8), eight = i % (HEAD_DIM / 8), token = first_query + row;
    uint at = strip + row * STRIP_ROW + eight * 2;
    float all = 0.0;

    [[unroll]] for (uint j = 0; j < SHARE; j++)
      all += shares[gl_SubgroupID * SUBGROUP + j * M + row];
    uvec4 result = pack(uintBitsToFloat(strips[at]) / all, uintBitsToFloat(strips[at + 1]) / all);
    Token found = find_token(token / WINDOW_WIDTH, token % WINDOW_WIDTH);
    if (token >= TOKENS || found.padded)
      continue;
    if (is_near(found))
      near_attended[output_position(found) / 8 + eight] = result;
    else
      attended[output_position(found) / 8 + eight] = result;
  }
}

// All subgroups take part to the end, also those of the last tile that have no queries: not every
// driver tells the barriers of a subgroup from those of the work-group.
void main() {
  uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  if (group >= push.work)
    return;
  uint tile = find_window(group);

  first_query = (tile * (gl_WorkGroupSize.x / SUBGROUP) + gl_SubgroupID) * M;
  strip = gl_SubgroupID * M * STRIP_ROW;
  start_strip();
  gather_queries();
  for (uint block = 0; block < BLOCKS; block++) {
    if (block > 0)
      barrier(); // all are done with the last block
    gather_keys(block * BLOCK);
    barrier();
    if (COSINE) {
      measure_keys();
      barrier();
    }
    score_keys();
    synchronise_strip();
    weigh_scores();
    synchronise_strip();
    add_values(block > 0);
    synchronise_strip();
  }
  scatter();
}
