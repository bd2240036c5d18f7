// SPDX-License-Identifier: LGPL-2.1-or-later
// LayerNorm of one row by LANES invocations (arXiv:1607.06450), in two passes over the row: mean
// first, then the centred variance, since E[x^2] - mean^2 loses digits. The row is made of segments
// of equal length, which the including shader loads and stores.
//
// A GPU spreads a row over a subgroup's worth of invocations, so that loads coalesce. Where an
// invocation is one lane of a processor's vector register, exchanging sums costs more than it
// saves: there LANES is 1 and nothing is exchanged.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LANES = 1; // invocations a row; divides local_size_x
layout(constant_id = 2) const uint ROWS = 8;  // rows a work-group: local_size_x / LANES

float load_value(uint segment, uint i);
void store_value(uint segment, uint i, float value); // value: normalised, without weight and bias

shared vec2 partial_sums[2 * LANES * ROWS];

const uint RUN = 16;

uint normalise_lane() {
  return gl_LocalInvocationID.x % LANES;
}

uint normalise_row() {
  return gl_LocalInvocationID.x / LANES;
}

// The sums over the invocations of the row. Every one of them adds in the same order, so all get
// the same bits. @use: 0 or 1, different in successive calls, so that one barrier is enough
vec2 row_sum(vec2 value, uint use) {
  if (LANES == 1)
    return value;
  uint first = (use * ROWS + normalise_row()) * LANES;
  partial_sums[first + normalise_lane()] = value;
  barrier();
  vec2 sum = vec2(0.0);
  for (uint i = 0; i < LANES; i++)
    sum += partial_sums[first + i];
  return sum;
}

// This invocation's part of the sum over the row of the values less @shift, and of their squares.
// Runs are summed by themselves first: rounding errors then grow with the number of runs and the
// length of one, not with their product.
vec2 sum_values(uint n_segments, uint length, float shift) {
  vec2 sums = vec2(0.0);
  for (uint segment = 0; segment < n_segments; segment++)
    for (uint first = normalise_lane(); first < length; first += LANES * RUN) {
      vec2 run = vec2(0.0);
      for (uint i = first; i < min(first + LANES * RUN, length); i += LANES) {
        float centred = load_value(segment, i) - shift;
        run += vec2(centred, centred * centred);
      }
      sums += run;
    }
  return sums;
}

// Must be reached by every invocation; @store says whether this one has a row to write. The second
// pass also sums up what rounding left of the mean and takes it out of both results (T. Chan,
// G. Golub, R. LeVeque, "Algorithms for computing the sample variance", 1983).
void normalise(uint n_segments, uint length, float epsilon, bool store) {
  float count = float(n_segments * length);
  float rough_mean = row_sum(sum_values(n_segments, length, 0.0), 0).x / count;
  vec2 sums = row_sum(sum_values(n_segments, length, rough_mean), 1) / count;
  float scale = 1.0 / sqrt(max(sums.y - sums.x * sums.x, 0.0) + epsilon);

  if (store)
    for (uint segment = 0; segment < n_segments; segment++)
      for (uint i = normalise_lane(); i < length; i += LANES)
        store_value(segment, i, (load_value(segment, i) - rough_mean - sums.x) * scale);
}
