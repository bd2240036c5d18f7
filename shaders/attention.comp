// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, H, W, 3C] (query, key, value) -> [N, H, W, C]: softmax(score + bias + mask) v within each
// window and head. Windows, cyclic shift, padding and their reverse are index arithmetic
// (SwinAttentionParameters in core/network/operations.h says what they mean).
//
// A work-group has one window and head; an invocation owns QUERIES queries, local_size_x apart:
// their q and their sums over the values stay in registers, and the softmax runs along with the
// keys (arXiv:1805.02867), KEYS of them at a time, so scores never go to memory. Addresses of keys
// and values depend on loop counters and gl_WorkGroupID alone: uniform loads, which a GPU's cache
// serves once. A processor broadcasts them, at a price for each load: there several queries share
// it.
//
// Where there are many keys, sums over RUN of them are added up by themselves first: rounding
// errors then grow with the number of runs and the length of one, not with their product.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "parameters.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint HEAD_DIM = 32;
layout(constant_id = 2) const uint WINDOW_HEIGHT = 7; // tokens
layout(constant_id = 3) const uint WINDOW_WIDTH = 7;
layout(constant_id = 4) const uint QUERIES = 1;      // an invocation
layout(constant_id = 5) const uint KEYS = 7;         // keys of a window's row taken at a time
layout(constant_id = 6) const bool BIASED = true;    // there is a relative position bias
layout(constant_id = 7) const bool SHIFTED = false;  // on one axis or both
layout(constant_id = 8) const bool PADDED = false;   // the map is no multiple of the window
layout(constant_id = 9) const bool COSINE = false;   // scores are made of unit vectors
layout(constant_id = 10) const uint RUN = 7;         // keys of a window's row; a multiple of KEYS
layout(constant_id = 11) const bool IN_RUNS = false; // there is more than one run

layout(push_constant) uniform Push {
  SwinAttentionPush push;
};
layout(std430, set = 0, binding = 0) readonly buffer Input {
  float qkv[]; // [N, H, W, 3C]
};
layout(std430, set = 0, binding = 0) readonly buffer InputVectors {
  vec4 qkv_vectors[]; // the same memory, for heads of a multiple of 4
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  float attended[]; // [N, H, W, C]
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float weights[]; // biases of q, k and v [3, C]; scales of the scores [heads]; the bias table
                   // [heads, 2 * table_height - 1, 2 * table_width - 1]
};

const uint VECTORS = (HEAD_DIM + 3) / 4;
const uint TOKENS = WINDOW_HEIGHT * WINDOW_WIDTH;
const float LOWEST = -1.7014118e38; // -FLT_MAX / 2: the difference of two of them is finite

// Components @i * 4 to @i * 4 + 3 of a head's vector that starts at @at; zeros beyond its end.
vec4 load_vector(uint at, uint i) {
  if (HEAD_DIM % 4 == 0)
    return qkv_vectors[at / 4 + i];
  vec4 result = vec4(0.0);
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (i * 4 + j < HEAD_DIM)
      result[j] = qkv[at + i * 4 + j];
  return result;
}

// The same out of the biases of the qkv projection, which is what padded tokens have.
vec4 load_bias(uint at, uint i) {
  vec4 result = vec4(0.0);
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (HEAD_DIM % 4 == 0 || i * 4 + j < HEAD_DIM)
      result[j] = weights[at + i * 4 + j];
  return result;
}

// Where a coordinate of the padded, rolled map comes from in the padded map. @rolled: what the roll
// went around; padding behind that stayed where it was.
uint unroll(uint coordinate, uint shift, uint rolled) {
  uint source = coordinate + shift;
  if (PADDED && coordinate >= rolled)
    return coordinate;
  return source >= rolled ? source - rolled : source;
}

// 1 / length of a vector whose square is @square, with a length of at least 1e-12 (the default of
// torch.nn.functional.normalize, which the reference code of Swin Transformer V2 calls).
float unit_scale(float square) {
  return inversesqrt(max(square, 1e-24));
}

// Which of three regions of a rolled axis a coordinate lies in; one where nothing was rolled.
uint region(uint coordinate, uint shift, uint size, uint window) {
  if (shift == 0 || coordinate < size - window)
    return 0;
  return coordinate < size - shift ? 1 : 2;
}

// ---- The window and head of the work-group ----

uint head, channels;
uint first; // token of the image
uint top;   // of the window in the padded, rolled map
uint left;

// Counts work-groups by tile, head, window and image. Returns: the tile.
uint find_window(uint work) {
  uint window = work / (push.tiles * push.heads);
  uint window_columns = push.padded_width / WINDOW_WIDTH;

  head = work / push.tiles % push.heads;
  channels = push.heads * HEAD_DIM;
  first = window / push.windows * push.height * push.width;
  top = window % push.windows / window_columns * WINDOW_HEIGHT;
  left = window % window_columns * WINDOW_WIDTH;
  return work % push.tiles;
}

uint table_columns() {
  return 2 * push.table_width - 1;
}

// ---- The queries of the invocation ----

vec4 query[QUERIES * VECTORS]; // times what the scores are multiplied by
uint query_at[QUERIES];        // token
uint query_region[QUERIES];    // which the mask tells apart
bool query_there[QUERIES];
uint bias_at[QUERIES];       // of the key at the window's (0, 0)
float padded_score[QUERIES]; // of every padded key, before bias and mask

// Where query @q lies. An invocation without a query computes the last token's and does not store
// it.
void find_query(uint q, uint wanted) {
  uint token = min(wanted, TOKENS - 1);
  uint query_y = token / WINDOW_WIDTH, query_x = token % WINDOW_WIDTH;
  uint y = unroll(top + query_y, push.shift_y, push.rolled_height);
  uint x = unroll(left + query_x, push.shift_x, push.rolled_width);
  uint table_rows = 2 * push.table_height - 1;

  query_there[q] = wanted < TOKENS;
  if (PADDED) {
    query_there[q] = query_there[q] && y < push.height && x < push.width;
    y = min(y, push.height - 1);
    x = min(x, push.width - 1);
  }
  query_at[q] = first + y * push.width + x;
  query_region[q] = 0;
  if (SHIFTED)
    query_region[q] = 3 * region(top + query_y, push.shift_y, push.padded_height, WINDOW_HEIGHT) +
                      region(left + query_x, push.shift_x, push.padded_width, WINDOW_WIDTH);
  bias_at[q] = 3 * channels + push.heads + head * table_rows * table_columns() +
               (query_y + push.table_height - 1) * table_columns() + query_x + push.table_width - 1;
}

void load_query(uint q) {
  float scale = weights[3 * channels + head], square = 0.0;

  [[unroll]] for (uint i = 0; i < VECTORS; i++) {
    vec4 value = load_vector(query_at[q] * 3 * channels + head * HEAD_DIM, i);
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

uint key_at[KEYS]; // of the first value of the head's key
bool key_padded[KEYS];
float scores[QUERIES * KEYS]; // then their exponentials

void find_keys(uint key_y, uint first_x) {
  uint y = unroll(top + key_y, push.shift_y, push.rolled_height);

  [[unroll]] for (uint j = 0; j < KEYS; j++) {
    uint key_x = first_x + j;
    if (WINDOW_WIDTH % KEYS != 0)
      key_x = min(key_x, WINDOW_WIDTH - 1);
    uint row = y, column = unroll(left + key_x, push.shift_x, push.rolled_width);
    key_padded[j] = PADDED && (row >= push.height || column >= push.width);
    if (PADDED) { // any token of the map will do: what is loaded is not used
      row = min(row, push.height - 1);
      column = min(column, push.width - 1);
    }
    key_at[j] = (first + row * push.width + column) * 3 * channels + channels + head * HEAD_DIM;
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
      vec4 key = load_vector(key_at[j], i);
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
      uint key_region =
          3 * region(top + key_y, push.shift_y, push.padded_height, WINDOW_HEIGHT) +
          region(left + key_x, push.shift_x, push.padded_width, WINDOW_WIDTH);
      score -= key_region != query_region[q] ? push.mask : 0.0;
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
      vec4 value = load_vector(key_at[j] + channels, i);
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
  sum /= all;
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (HEAD_DIM % 4 == 0 || i * 4 + j < HEAD_DIM)
      attended[query_at[q] * channels + head * HEAD_DIM + i * 4 + j] = sum[j];
}

void main() {
  uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  uint tile = find_window(min(group, push.work - 1)); // a return would make loads conditional

  [[unroll]] for (uint q = 0; q < QUERIES; q++) {
    find_query(q, (tile * QUERIES + q) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    load_query(q);
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
