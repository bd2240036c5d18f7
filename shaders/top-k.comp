// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, classes] logits -> [N, k, 2] words: index and confidence (softmax or sigmoid) of the k best
// classes. One work-group an image. Nothing is marked as taken: each round looks for the best class
// behind the one found before, so the number of rounds does not depend on the values. A dispatch
// does some of the rounds and takes up where the one before it stopped.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "parameters.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LANES = 256; // local_size_x; a power of two
layout(constant_id = 2) const bool SIGMOID = false; // instead of softmax

layout(push_constant) uniform Push {
  SwinTopKPush push;
};
layout(std430, set = 0, binding = 0) readonly buffer Input {
  uint logits[]; // bits of float32: whether isnan() and infinities survive is up to the driver
};
layout(std430, set = 0, binding = 1) buffer Output {
  uint tags[];
};

shared uint shared_keys[LANES];
shared uint shared_indices[LANES];
shared float shared_sums[LANES];

const uint INFINITY_BITS = 0x7f800000u;

bool is_nan(uint bits) {
  return (bits & 0x7fffffffu) > INFINITY_BITS;
}

// An integer that grows with the logit: flips a negative float's bits, sets a positive one's sign
// bit. The zeros are equal; NaN ranks with -infinity.
uint sort_key(uint bits) {
  if (is_nan(bits))
    bits = INFINITY_BITS | 0x80000000u;
  if (bits == 0x80000000u)
    bits = 0;
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

// The logit for arithmetic: infinities become finite, so that no difference is undefined.
float finite(uint bits) {
  if (is_nan(bits))
    bits |= 0x80000000u;
  if ((bits & 0x7fffffffu) >= INFINITY_BITS)
    bits = (bits & 0x80000000u) | 0x7effffffu; // FLT_MAX / 2
  return uintBitsToFloat(bits);
}

// Whether (key, index) ranks before (other_key, other_index).
bool before(uint key, uint index, uint other_key, uint other_index) {
  return key > other_key || (key == other_key && index < other_index);
}

uint lane, first; // first: index of the image's first logit

// The best class behind (@taken_key, @taken_index), the same for every invocation. No class ranks
// before (0xffffffff, 0), which starts the search: no key is that large.
uint find_best(uint taken_key, uint taken_index) {
  uint best_key = 0, best_index = 0xffffffffu; // behind every class: no key is 0
  for (uint i = lane; i < push.classes; i += LANES) {
    uint key = sort_key(logits[first + i]);
    if (before(taken_key, taken_index, key, i) && before(key, i, best_key, best_index)) {
      best_key = key;
      best_index = i;
    }
  }
  shared_keys[lane] = best_key;
  shared_indices[lane] = best_index;
  for (uint step = LANES / 2; step > 0; step /= 2) {
    barrier();
    if (lane < step && before(shared_keys[lane + step], shared_indices[lane + step],
                              shared_keys[lane], shared_indices[lane])) {
      shared_keys[lane] = shared_keys[lane + step];
      shared_indices[lane] = shared_indices[lane + step];
    }
  }
  barrier();
  best_index = shared_indices[0];
  barrier(); // before the next search overwrites it
  return best_index;
}

// The softmax's denominator, the same for every invocation.
float sum_exponentials(float maximum) {
  float sum = 0.0;
  for (uint i = lane; i < push.classes; i += LANES) {
    uint bits = logits[first + i];
    if (!is_nan(bits))
      sum += exp(finite(bits) - maximum);
  }
  shared_sums[lane] = sum;
  for (uint step = LANES / 2; step > 0; step /= 2) {
    barrier();
    if (lane < step)
      shared_sums[lane] += shared_sums[lane + step];
  }
  barrier();
  return shared_sums[0];
}

// 1 / (1 + exp(-x)) without an exponential that overflows.
float sigmoid(float x) {
  float small = exp(-abs(x));
  return (x < 0.0 ? small : 1.0) / (1.0 + small);
}

void main() {
  lane = gl_LocalInvocationID.x;
  first = gl_WorkGroupID.x * push.classes;
  uint first_tag = gl_WorkGroupID.x * push.k * 2;
  uint taken_key = 0xffffffffu, taken_index = 0, best_index;
  float maximum = 0.0, total = 0.0;

  if (push.first_rank > 0) {
    taken_index = tags[first_tag + 2 * (push.first_rank - 1)];
    taken_key = sort_key(logits[first + taken_index]);
    best_index = tags[first_tag];
  } else {
    best_index = find_best(taken_key, taken_index);
  }
  if (!SIGMOID) {
    maximum = finite(logits[first + best_index]);
    total = sum_exponentials(maximum);
  }

  for (uint rank = push.first_rank; rank < push.end_rank; rank++) {
    if (rank > 0)
      best_index = find_best(taken_key, taken_index);
    taken_index = best_index;
    taken_key = sort_key(logits[first + taken_index]);
    if (lane == 0) {
      uint bits = logits[first + best_index];
      float confidence =
          SIGMOID ? sigmoid(finite(bits)) : exp(finite(bits) - maximum) / total;
      tags[first_tag + 2 * rank] = best_index;
      tags[first_tag + 2 * rank + 1] = floatBitsToUint(is_nan(bits) ? 0.0 : confidence);
    }
  }
}
