// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, tokens, C] -> [N, C] float32: the mean over a range of the tokens, each normalised first
// where there is a norm. A work-group has OWNERS * OWNED vectors of four channels of an image. It
// takes ROWS tokens at a time: finds their norms, then adds them up, PARTS invocations to a vector.
// Sums of sums keep the rounding error small.
//
// The weights of the norm are applied to the mean: they are the same for every token.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "storage.glsl"
#include "parameters.h"
#include "norm.glsl"

layout(constant_id = 7) const bool NORMED = false;
layout(constant_id = 8) const uint OWNERS = 32; // vectors beside one another; divides local_size_x
layout(constant_id = 9) const uint PARTS = 4;   // local_size_x / OWNERS
layout(constant_id = 10) const uint OWNED = 1;   // vectors that an invocation adds up

layout(push_constant) uniform Push {
  SwinMeanPoolPush push;
};
// The same memory by values and by vectors.
layout(std430, set = 0, binding = 0) readonly buffer Input {
  STORED values[]; // [N, tokens, C]
};
layout(std430, set = 0, binding = 0) readonly buffer InputVectors {
  STORED4 value_vectors[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  float means[]; // [N, C]
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float weights[]; // [2, C]: weight, bias
};

shared Norm norms[ROWS];
shared vec4 partial_sums[OWNERS * PARTS];

uint first; // index of the first value of the token whose norm this invocation helps to find

vec4 load_token(uint first_value, uint i) {
  if (VECTORS)
    return vec4(value_vectors[first_value / 4 + i]);
  vec4 loaded = vec4(0.0);
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (4 * i + j < push.channels)
      loaded[j] = float(values[first_value + 4 * i + j]);
  return loaded;
}

vec4 load_values(uint i) {
  return load_token(first, i);
}

// Of the tokens from @start on. @at: index of the first one's first value
void find_norms(uint start, uint at) {
  first = at + min(normalise_row(), push.tokens - 1 - start) * push.channels;
  barrier(); // nobody needs those of the tokens before any more
  Norm norm = find_norm(push.channels, push.epsilon);
  if (normalise_lane() == 0)
    norms[normalise_row()] = norm;
  barrier();
}

void store_means(uint image, uint vector, vec4 sum) {
  [[unroll]] for (uint j = 0; j < 4; j++) {
    uint channel = 4 * vector + j;
    if (channel >= push.channels)
      return;
    float mean = sum[j] / float(push.tokens);
    if (NORMED)
      mean = mean * weights[channel] + weights[push.channels + channel];
    means[image * push.channels + channel] = mean;
  }
}

void main() {
  uint image = gl_WorkGroupID.z, local = gl_LocalInvocationID.x;
  uint owner = local % OWNERS, part = local / OWNERS;
  uint first_vector = gl_WorkGroupID.x * OWNERS * OWNED + owner;
  vec4 sums[OWNED];

  [[unroll]] for (uint j = 0; j < OWNED; j++)
    sums[j] = vec4(0.0);
  for (uint start = 0; start < push.tokens; start += ROWS) {
    uint at = (image * push.map_tokens + push.first + start) * push.channels;
    uint end = min(ROWS, push.tokens - start);
    if (NORMED)
      find_norms(start, at);
    [[unroll]] for (uint j = 0; j < OWNED; j++) {
      uint i = first_vector + j * OWNERS;
      vec4 run = vec4(0.0);
      if (4 * i < push.channels)
        for (uint token = part; token < end; token += PARTS) {
          vec4 loaded = load_token(at + token * push.channels, i);
          run += NORMED ? apply_norm(norms[token], loaded) : loaded;
        }
      sums[j] += run;
    }
  }

  [[unroll]] for (uint j = 0; j < OWNED; j++) {
    partial_sums[local] = sums[j];
    barrier();
    for (uint i = 1; i < PARTS; i++)
      if (part == 0)
        sums[j] += partial_sums[local + i * OWNERS];
    barrier();
    if (part == 0)
      store_means(image, first_vector + j * OWNERS, sums[j]);
  }
}
