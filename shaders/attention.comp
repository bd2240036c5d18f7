// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, H, W, 3C] (query, key, value) -> [N, H, W, C]: softmax(q k^T * scale + bias + mask) v within
// each window and head. Windows, cyclic shift, padding and their reverse are index arithmetic
// (SwinAttentionParameters in core/network/operations.h says what they mean).
//
// A work-group has one window and head; an invocation owns QUERIES queries, local_size_x apart:
// their q and their sums over the values stay in registers, and the softmax runs along with the
// keys (arXiv:1805.02867), KEYS of them at a time, so scores never go to memory. Addresses of keys
// and values depend on loop counters and gl_WorkGroupID alone: uniform loads, which a GPU's cache
// serves once. A processor broadcasts them, at a price for each load: there several queries share
// it.
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

layout(push_constant) uniform Push {
  SwinAttentionPush push;
};
layout(std430, set = 0, binding = 0) readonly buffer Input {
  float qkv[]; // [N, H, W, 3C]
};
layout(std430, set = 0, binding = 1) readonly buffer InputVectors {
  vec4 qkv_vectors[]; // the same memory, for heads of a multiple of 4
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float weights[]; // biases of q, k and v [3, C]; the bias table [heads, (2 * table_window - 1)^2]
};
layout(std430, set = 0, binding = 3) writeonly buffer Output {
  float attended[]; // [N, H, W, C]
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

// Where a coordinate of the padded, rolled map comes from in the padded map.
uint unroll(uint coordinate, uint shift, uint size) {
  uint source = coordinate + shift;
  return source >= size ? source - size : source;
}

// Which of three regions of a rolled axis a coordinate lies in; one where nothing was rolled.
uint region(uint coordinate, uint shift, uint size, uint window) {
  if (shift == 0 || coordinate < size - window)
    return 0;
  return coordinate < size - shift ? 1 : 2;
}

void main() {
  uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  uint work = min(group, push.work - 1); // a return here would make loads conditional
  uint tile = work % push.tiles;
  uint head = work / push.tiles % push.heads;
  uint window = work / (push.tiles * push.heads);
  uint window_columns = push.padded_width / WINDOW_WIDTH;
  uint windows = push.padded_height / WINDOW_HEIGHT * window_columns; // of an image
  uint image = window / windows;
  uint top = window % windows / window_columns * WINDOW_HEIGHT; // in the padded, rolled map
  uint left = window % window_columns * WINDOW_WIDTH;
  uint channels = push.heads * HEAD_DIM;
  uint first = image * push.height * push.width; // token

  vec4 query[QUERIES * VECTORS], sums[QUERIES * VECTORS];
  uint query_at[QUERIES];     // token
  uint query_region[QUERIES]; // which the mask tells apart
  uint bias_at[QUERIES];      // of the key at the window's (0, 0)
  bool query_there[QUERIES];
  float padded_score[QUERIES]; // of every padded key, before bias and mask
  float maximum[QUERIES], total[QUERIES], padded_total[QUERIES];
  uint side = 2 * push.table_window - 1;

  [[unroll]] for (uint q = 0; q < QUERIES; q++) {
    // An invocation without a query computes the last token's and does not store it.
    uint wanted = (tile * QUERIES + q) * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    uint token = min(wanted, TOKENS - 1);
    uint query_y = token / WINDOW_WIDTH, query_x = token % WINDOW_WIDTH;
    uint y = unroll(top + query_y, push.shift_y, push.padded_height);
    uint x = unroll(left + query_x, push.shift_x, push.padded_width);

    query_there[q] = group < push.work && wanted < TOKENS;
    if (PADDED) {
      query_there[q] = query_there[q] && y < push.height && x < push.width;
      y = min(y, push.height - 1);
      x = min(x, push.width - 1);
    }
    query_at[q] = first + y * push.width + x;
    query_region[q] = 0;
    if (SHIFTED)
      query_region[q] =
          3 * region(top + query_y, push.shift_y, push.padded_height, WINDOW_HEIGHT) +
          region(left + query_x, push.shift_x, push.padded_width, WINDOW_WIDTH);
    bias_at[q] = 3 * channels + head * side * side + (query_y + push.table_window - 1) * side +
                 query_x + push.table_window - 1;
    padded_score[q] = 0.0;
    [[unroll]] for (uint i = 0; i < VECTORS; i++) {
      vec4 value = load_vector(query_at[q] * 3 * channels + head * HEAD_DIM, i) * push.scale;
      query[q * VECTORS + i] = value;
      sums[q * VECTORS + i] = vec4(0.0);
      if (PADDED)
        padded_score[q] += dot(value, load_bias(channels + head * HEAD_DIM, i));
    }
    maximum[q] = LOWEST;
    total[q] = 0.0;
    padded_total[q] = 0.0;
  }

  for (uint key_y = 0; key_y < WINDOW_HEIGHT; key_y++) {
    uint source_y = unroll(top + key_y, push.shift_y, push.padded_height);
    uint region_y = 0;
    if (SHIFTED)
      region_y = 3 * region(top + key_y, push.shift_y, push.padded_height, WINDOW_HEIGHT);

    for (uint first_x = 0; first_x < WINDOW_WIDTH; first_x += KEYS) {
      uint key_at[KEYS];
      bool key_padded[KEYS];
      float scores[QUERIES * KEYS];

      [[unroll]] for (uint j = 0; j < KEYS; j++) {
        uint key_x = first_x + j;
        if (WINDOW_WIDTH % KEYS != 0)
          key_x = min(key_x, WINDOW_WIDTH - 1);
        uint source_x = unroll(left + key_x, push.shift_x, push.padded_width);
        uint source_row = source_y;
        key_padded[j] = PADDED && (source_y >= push.height || source_x >= push.width);
        if (PADDED) { // any token of the map will do: what is loaded is not used
          source_row = min(source_y, push.height - 1);
          source_x = min(source_x, push.width - 1);
        }
        key_at[j] = (first + source_row * push.width + source_x) * 3 * channels + channels +
                    head * HEAD_DIM;
      }
      [[unroll]] for (uint j = 0; j < QUERIES * KEYS; j++)
        scores[j] = 0.0;
      [[unroll]] for (uint i = 0; i < VECTORS; i++)
        [[unroll]] for (uint j = 0; j < KEYS; j++) {
          vec4 key = load_vector(key_at[j], i);
          [[unroll]] for (uint q = 0; q < QUERIES; q++)
            scores[q * KEYS + j] += dot(query[q * VECTORS + i], key);
        }

      float rescale[QUERIES];
      [[unroll]] for (uint q = 0; q < QUERIES; q++) {
        float highest = maximum[q];
        [[unroll]] for (uint j = 0; j < KEYS; j++) {
          uint key_x = first_x + j;
          float score = PADDED && key_padded[j] ? padded_score[q] : scores[q * KEYS + j];
          if (BIASED)
            score += weights[bias_at[q] - key_y * side - min(key_x, WINDOW_WIDTH - 1)];
          if (SHIFTED) {
            uint key_region =
                region_y + region(left + key_x, push.shift_x, push.padded_width, WINDOW_WIDTH);
            score -= key_region != query_region[q] ? 100.0 : 0.0;
          }
          if (WINDOW_WIDTH % KEYS != 0 && key_x >= WINDOW_WIDTH)
            score = 2.0 * LOWEST;
          highest = max(highest, score);
          scores[q * KEYS + j] = score;
        }
        rescale[q] = exp(maximum[q] - highest);
        maximum[q] = highest;
        total[q] *= rescale[q];
        padded_total[q] *= rescale[q];
        [[unroll]] for (uint j = 0; j < KEYS; j++) {
          float share = exp(scores[q * KEYS + j] - highest);
          total[q] += share;
          if (PADDED && key_padded[j]) {
            padded_total[q] += share;
            share = 0.0;
          }
          scores[q * KEYS + j] = share;
        }
      }

      [[unroll]] for (uint i = 0; i < VECTORS; i++) {
        [[unroll]] for (uint q = 0; q < QUERIES; q++)
          sums[q * VECTORS + i] *= rescale[q];
        [[unroll]] for (uint j = 0; j < KEYS; j++) {
          vec4 value = load_vector(key_at[j] + channels, i);
          [[unroll]] for (uint q = 0; q < QUERIES; q++)
            sums[q * VECTORS + i] += scores[q * KEYS + j] * value;
        }
      }
    }
  }

  [[unroll]] for (uint q = 0; q < QUERIES; q++)
    if (query_there[q])
      [[unroll]] for (uint i = 0; i < VECTORS; i++) {
        vec4 sum = sums[q * VECTORS + i];
        if (PADDED)
          sum += padded_total[q] * load_bias(2 * channels + head * HEAD_DIM, i);
        sum /= total[q];
        [[unroll]] for (uint j = 0; j < 4; j++)
          if (HEAD_DIM % 4 == 0 || i * 4 + j < HEAD_DIM)
            attended[query_at[q] * channels + head * HEAD_DIM + i * 4 + j] = sum[j];
      }
}
