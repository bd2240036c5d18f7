// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, H, W, 3C] (query, key, value) -> [N, H, W, C]: softmax(score + bias + mask) v within each
// window and head, in registers.
//
// A work-group has one window and head; an invocation owns QUERIES queries, local_size_x apart:
// their q and their sums over the values stay in registers, and the softmax runs along with the
// keys (arXiv:1805.02867), KEYS of them at a time, so scores never go to memory. Addresses of keys
// and values depend on loop counters and gl_WorkGroupID alone: uniform loads, which some GPUs make
// once for a whole subgroup. Others, and processors, broadcast them, at a price for each load:
// there several queries share it.
//
// Where there are many keys, sums over RUN of them are added up by themselves first: rounding
// errors then grow with the number of runs and the length of one, not with their product.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "attention.glsl"
#include "storage.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 9) const uint QUERIES = 1;      // an invocation
layout(constant_id = 10) const uint KEYS = 7;        // keys of a window's row taken at a time
layout(constant_id = 11) const uint RUN = 7;         // keys of a window's row; a multiple of KEYS
layout(constant_id = 12) const bool IN_RUNS = false; // there is more than one run

// Each is there a second time as vectors, for heads of a multiple of 4.
layout(std430, set = 0, binding = 0) readonly buffer Input {
  STORED qkv[]; // [N, H, W, 3C]
};
layout(std430, set = 0, binding = 0) readonly buffer InputVectors {
  STORED4 qkv_vectors[];
};
layout(std430, set = 0, binding = 3) readonly buffer NearInput {
  STORED near_qkv[];
};
layout(std430, set = 0, binding = 3) readonly buffer NearInputVectors {
  STORED4 near_qkv_vectors[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  STORED attended[]; // [N, H, W, C]
};
layout(std430, set = 0, binding = 1) writeonly buffer OutputVectors {
  STORED4 attended_vectors[];
};
layout(std430, set = 0, binding = 4) writeonly buffer NearOutput {
  STORED near_attended[];
};
layout(std430, set = 0, binding = 4) writeonly buffer NearOutputVectors {
  STORED4 near_attended_vectors[];
};

const uint VECTORS = (HEAD_DIM + 3) / 4;

// Components @i * 4 to @i * 4 + 3 of a head's vector that starts at @at; zeros beyond its end.
vec4 load_vector(bool near, uint at, uint i) {
  if (HEAD_DIM % 4 == 0) {
    if (near)
      return vec4(near_qkv_vectors[at / 4 + i]);
    return vec4(qkv_vectors[at / 4 + i]);
  }
  vec4 result = vec4(0.0);
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (i * 4 + j < HEAD_DIM) {
      if (near)
        result[j] = float(near_qkv[at + i * 4 + j]);
      else
        result[j] = float(qkv[at + i * 4 + j]);
    }
  return result;
}

void store_vector(bool near, uint at, uint i, vec4 value) {
  if (HEAD_DIM % 4 == 0) {
    if (near)
      near_attended_vectors[at / 4 + i] = STORED4(value);
    else
      attended_vectors[at / 4 + i] = STORED4(value);
    return;
  }
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (i * 4 + j < HEAD_DIM) {
      if (near)
        near_attended[at + i * 4 + j] = STORED(value[j]);
      else
        attended[at + i * 4 + j] = STORED(value[j]);
    }
}

// The same out of the biases of the qkv projection, which is what padded tokens have.
vec4 load_bias(uint at, uint i) {
  vec4 result = vec4(0.0);
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (HEAD_DIM % 4 == 0 || i * 4 + j < HEAD_DIM)
      result[j] = weights[at + i * 4 + j];
  return result;
}

// ---- The queries of the invocation ----

vec4 query[QUERIES * VECTORS]; // times what the scores are multiplied by
uint output_at[QUERIES];       // of the first value of the head's result
bool query_near[QUERIES];
bool query_there[QUERIES];
uint query_region[QUERIES];  // which the mask tells apart
uint bias_at[QUERIES];       // of the key at the window's (0, 0)
float padded_score[QUERIES]; // of every padded key, before bias and mask

// Loads query @q: token @wanted of the window. An invocation without a query computes the last
// token's and does not store it.
void load_query(uint q, uint wanted) {
  uint token = min(wanted, TOKENS - 1);
  uint y = token / WINDOW_WIDTH, x = token % WINDOW_WIDTH;
  Token found = find_token(y, x);
  float scale = weights[3 * channels + head], square = 0.0;
  uint at = input_position(found);

  output_at[q] = output_position(found);
  query_near[q] = is_near(found);
  query_there[q] = wanted < TOKENS && !found.padded;
  query_region[q] = SHIFTED ? mask_region(y, x) : 0;
  bias_at[q] = bias_position(y, x);
  [[unroll]] for (uint i = 0; i < VECTORS; i++) {
    vec4 value = load_vector(query_near[q], at, i);
    query[q * VECTORS + i] = value;
    square += dot(value, value);
  }
  if (COSINE)
    scale *= unit_scale(square);
  [[unroll]] for (uint i = 0; i < VECTORS; i++)
    query[q * VECTORS + i] *= scale;
}

void score_padding(uint q) {
  float score = 0.0, square = 0.0;

  [[unroll]] for (uint i = 0; i < VECTORS; i++) {
    vec4 key = load_bias(channels + head * HEAD_DIM, i);
    score += dot(query[q * VECTORS + i], key);
    square += dot(key, key);
  }
  padded_score[q] = COSINE ? score * unit_scale(square) : score;
}

// ---- Some keys of a row of the window ----

bool key_near; // all of them are
uint key_at[KEYS]; // of the first value of the head's key
bool key_padded[KEYS];
float scores[QUERIES * KEYS]; // then their exponentials

void find_keys(uint key_y, uint first_x) {
  [[unroll]] for (uint j = 0; j < KEYS; j++) {
    uint key_x = first_x + j;
    if (WINDOW_WIDTH % KEYS != 0)
      key_x = min(key_x, WINDOW_WIDTH - 1);
    Token token = find_token(key_y, key_x);
    key_near = is_near(token);
    key_padded[j] = token.padded;
    key_at[j] = input_position(token) + channels;
  }
}

void score_keys() {
  float square[KEYS];

  [[unroll]] for (uint j = 0; j < KEYS; j++)
    square[j] = 0.0;
  [[unroll]] for (uint j = 0; j < QUERIES * KEYS; j++)
    scores[j] = 0.0;
  [[unroll]] for (uint i = 0; i < VECTORS; i++)
    [[unroll]] for (uint j = 0; j < KEYS; j++) {
      vec4 key = load_vector(key_near, key_at[j], i);
      [[unroll]] for (uint q = 0; q < QUERIES; q++)
        scores[q * KEYS + j] += dot(query[q * VECTORS + i], key);
      square[j] += dot(key, key);
    }
  if (COSINE)
    [[unroll]] for (uint j = 0; j < KEYS; j++) {
      float scale = unit_scale(square[j]);
      [[unroll]] for (uint q = 0; q < QUERIES; q++)
        scores[q * KEYS + j] *= scale;
    }
}

// Bias and mask of query @q.
void finish_scores(uint q, uint key_y, uint first_x) {
  [[unroll]] for (uint j = 0; j < KEYS; j++) {
    uint key_x = first_x + j;
    float score = PADDED && key_padded[j] ? padded_score[q] : scores[q * KEYS + j];
    if (BIASED)
      score += weights[bias_at[q] - key_y * table_columns() - min(key_x, WINDOW_WIDTH - 1)];
    if (SHIFTED) {
      score -= mask_region(key_y, key_x) != query_region[q] ? push.mask : 0.0;
    }
    if (WINDOW_WIDTH % KEYS != 0 && key_x >= WINDOW_WIDTH)
      score = 2.0 * LOWEST;
    scores[q * KEYS + j] = score;
  }
}

// ---- The softmax so far: of the run, and of the runs before it ----

float maximum[QUERIES]; // of the scores from the first key on
float total[QUERIES], padded_total[QUERIES];
vec4 sums[QUERIES * VECTORS];
float rescale[QUERIES]; // what a higher maximum makes of the sums
float runs_maximum[QUERIES], runs_total[QUERIES], runs_padded_total[QUERIES];
vec4 runs_sums[QUERIES * VECTORS];

void start_run(uint q) {
  total[q] = 0.0;
  padded_total[q] = 0.0;
  [[unroll]] for (uint i = 0; i < VECTORS; i++)
    sums[q * VECTORS + i] = vec4(0.0);
}

void start_runs(uint q) {
  maximum[q] = LOWEST;
  start_run(q);
  runs_maximum[q] = maximum[q];
  runs_total[q] = total[q];
  runs_padded_total[q] = padded_total[q];
  [[unroll]] for (uint i = 0; i < VECTORS; i++)
    runs_sums[q * VECTORS + i] = sums[q * VECTORS + i];
}

// Turns the scores of query @q into shares of what they sum up to.
void weigh_scores(uint q) {
  float highest = maximum[q];

  [[unroll]] for (uint j = 0; j < KEYS; j++)
    highest = max(highest, scores[q * KEYS + j]);
  if (KEYS == 1) { // one of two exponentials is 1
    float smaller = exp(-abs(scores[q] - maximum[q]));
    rescale[q] = scores[q] > maximum[q] ? smaller : 1.0;
    scores[q] = scores[q] > maximum[q] ? 1.0 : smaller;
  } else {
    rescale[q] = exp(maximum[q] - highest);
    [[unroll]] for (uint j = 0; j < KEYS; j++)
      scores[q * KEYS + j] = exp(scores[q * KEYS + j] - highest);
  }
  maximum[q] = highest;
  total[q] *= rescale[q];
  padded_total[q] *= rescale[q];
  [[unroll]] for (uint j = 0; j < KEYS; j++) {
    total[q] += scores[q * KEYS + j];
    if (PADDED && key_padded[j]) {
      padded_total[q] += scores[q * KEYS + j];
      scores[q * KEYS + j] = 0.0;
    }
  }
}

void add_values() {
  [[unroll]] for (uint i = 0; i < VECTORS; i++) {
    vec4 added[QUERIES];
    [[unroll]] for (uint j = 0; j < KEYS; j++) {
      vec4 value = load_vector(key_near, key_at[j] + channels, i);
      [[unroll]] for (uint q = 0; q < QUERIES; q++)
        added[q] = j == 0 ? scores[q * KEYS] * value : added[q] + scores[q * KEYS + j] * value;
    }
    [[unroll]] for (uint q = 0; q < QUERIES; q++)
      sums[q * VECTORS + i] = sums[q * VECTORS + i] * rescale[q] + added[q];
  }
}

void end_run(uint q) {
  float factor = exp(runs_maximum[q] - maximum[q]);

  runs_maximum[q] = maximum[q];
  runs_total[q] = runs_total[q] * factor + total[q];
  runs_padded_total[q] = runs_padded_total[q] * factor + padded_total[q];
  [[unroll]] for (uint i = 0; i < VECTORS; i++)
    runs_sums[q * VECTORS + i] = runs_sums[q * VECTORS + i] * factor + sums[q * VECTORS + i];
}

void store(uint q, vec4 sum, uint i, float padded, float all) {
  if (PADDED)
    sum += padded * load_bias(2 * channels + head * HEAD_DIM, i);
  store_vector(query_near[q], output_at[q], i, sum / all);
}

void main() {
  uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  uint tile = find_window(min(group, push.work - 1)); // a return would make loads conditional

  [[unroll]] for (uint q = 0; q < QUERIES; q++) {
    load_query(q, (tile * QUERIES + q) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (PADDED)
      score_padding(q);
    start_runs(q);
  }
  for (uint key_y = 0; key_y < WINDOW_HEIGHT; key_y++)
    for (uint run_x = 0; run_x < WINDOW_WIDTH; run_x += RUN) {
      for (uint first_x = run_x; first_x < min(run_x + RUN, WINDOW_WIDTH); first_x += KEYS) {
        find_keys(key_y, first_x);
        score_keys();
        [[unroll]] for (uint q = 0; q < QUERIES; q++) {
          finish_scores(q, key_y, first_x);
          weigh_scores(q);
        }
        add_values();
      }
      if (IN_RUNS)
        [[unroll]] for (uint q = 0; q < QUERIES; q++) {
          end_run(q);
          start_run(q);
        }
    }
  [[unroll]] for (uint q = 0; q < QUERIES; q++)
    if (group < push.work && query_there[q])
      [[unroll]] for (uint i = 0; i < VECTORS; i++) {
        if (IN_RUNS)
          store(q, runs_sums[q * VECTORS + i], i, runs_padded_total[q], runs_total[q]);
        else
          store(q, sums[q * VECTORS + i], i, padded_total[q], total[q]);
      }
}
