// SPDX-License-Identifier: LGPL-2.1-or-later
// The norm of one row (LayerNorm, arXiv:1607.06450), found by LANES invocations in vectors of four
// values, which the including shader loads.
//
// E[x^2] - mean^2 loses digits, and a second pass over the row costs its loads once more. So a row
// is read in blocks that fit registers: mean and squared differences of a block are computed from
// there, in two passes, and merged with those of the values before it and of the other invocations
// (T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance", 1983). All of it
// is done on the differences from the median of the row's first three values, so that a mean that
// dwarfs the deviation costs no digits; a single value may be far from all others.
//
// A GPU spreads a row over several invocations, so that loads coalesce. Where an invocation is one
// lane of a processor's vector register, exchanging sums costs more than it saves: there LANES is 1
// and nothing is exchanged.
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LANES = 1;       // invocations a row; divides local_size_x
layout(constant_id = 2) const uint ROWS = 8;        // rows a work-group: local_size_x / LANES
layout(constant_id = 3) const uint BLOCK = 8;       // vectors that an invocation has in registers
layout(constant_id = 4) const bool KEPT = false;    // a row has at most LANES * BLOCK vectors
layout(constant_id = 5) const bool VECTORS = false; // it is a multiple of four values long
layout(constant_id = 6) const bool EXACT = false;   // it is a multiple of LANES * BLOCK vectors

vec4 load_values(uint i); // vector i of the row, four values from 4 * i on; zeros behind its end

// Of some of a row's values less the row's shift: how many, their mean, and the sum of their
// squared differences from it.
struct Moments {
  float count;
  float mean;
  float squares;
};

// What makes a value of a row a normalised one: (value - shift - mean) * scale. The mean is that of
// the values less the shift: their sum may not be a number that float can hold exactly.
struct Norm {
  float shift;
  float mean;
  float scale;
};

shared vec4 exchanged[LANES * ROWS]; // moments of each invocation's part of its row

vec4 block[BLOCK];

uint normalise_lane() {
  return gl_LocalInvocationID.x % LANES;
}

uint normalise_row() {
  return gl_LocalInvocationID.x / LANES;
}

// 1 for each value of vector i that the row has, 0 behind its end.
vec4 within(uint i, uint length) {
  if (EXACT)
    return vec4(1.0);
  if (VECTORS)
    return vec4(4 * i < length);
  return vec4(lessThan(uvec4(4 * i) + uvec4(0, 1, 2, 3), uvec4(length)));
}

float sum_of(vec4 values) {
  return values.x + values.y + (values.z + values.w);
}

Moments merge(Moments a, Moments b) {
  float count = a.count + b.count, difference = b.mean - a.mean;
  float share = b.count / max(count, 1.0);
  return Moments(count, a.mean + difference * share,
                 a.squares + b.squares + difference * difference * a.count * share);
}

// The moments of a block, whose values stay in `block`, less the shift.
Moments load_block(uint first, uint length, float shift) {
  vec4 counts = vec4(0.0), sums = vec4(0.0), squares = vec4(0.0);
  [[unroll]] for (uint j = 0; j < BLOCK; j++) {
    uint i = first + j * LANES;
    vec4 mask = within(i, length);
    block[j] = vec4(0.0);
    if (EXACT || 4 * i < length)
      block[j] = (load_values(i) - shift) * mask;
    counts += mask;
    sums += block[j];
  }
  float count = sum_of(counts), mean = sum_of(sums) / max(count, 1.0);
  [[unroll]] for (uint j = 0; j < BLOCK; j++) {
    vec4 centred = (block[j] - mean) * within(first + j * LANES, length);
    squares += centred * centred;
  }
  return Moments(count, mean, sum_of(squares));
}

// Of all the row's values. Every invocation of the row adds in the same order, so all get the same
// bits.
Moments exchange(Moments part) {
  if (LANES == 1)
    return part;
  uint first = normalise_row() * LANES;
  exchanged[gl_LocalInvocationID.x] = vec4(part.count, part.mean, part.squares, 0.0);
  barrier();
  float count = 0.0, sum = 0.0, squares = 0.0;
  for (uint i = 0; i < LANES; i++) {
    count += exchanged[first + i].x;
    sum += exchanged[first + i].x * exchanged[first + i].y;
  }
  float mean = sum / count;
  for (uint i = 0; i < LANES; i++) {
    float difference = exchanged[first + i].y - mean;
    squares += exchanged[first + i].z + exchanged[first + i].x * difference * difference;
  }
  return Moments(count, mean, squares);
}

// Must be reached by every invocation, and between two calls there must be a barrier.
// @length: values of a row
Norm find_norm(uint length, float epsilon) {
  vec4 some = load_values(0);
  float shift = max(min(some.x, some.y), min(max(some.x, some.y), some.z));
  Moments moments = Moments(0.0, 0.0, 0.0);
  if (KEPT)
    moments = load_block(normalise_lane(), length, shift);
  else
    for (uint first = normalise_lane(); 4 * first < length; first += LANES * BLOCK)
      moments = merge(moments, load_block(first, length, shift));
  moments = exchange(moments);
  return Norm(shift, moments.mean, 1.0 / sqrt(moments.squares / moments.count + epsilon));
}

vec4 apply_norm(Norm norm, vec4 values) {
  return (values - norm.shift - norm.mean) * norm.scale;
}
