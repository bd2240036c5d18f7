// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mean and deviation of every row of a work-group's tile. The product takes the rows as they are,
 * and the epilogue makes up for it: LayerNorm and then W and b are
 *   rstd * (x . W' - mean * sum of W') + b', W' = gamma * W, b' = b + W . beta.
 *
 * Every row is read once. Each of NORM_LANES invocations sums up its share of the row, and the
 * squares, as differences from the mean of its first values: those are part of the row, so what the
 * subtraction cancels is at most a quarter of their number times what is left (n (s - m)^2 <= n / 4
 * * the sum of (x - m)^2, when s is the mean of four of n values whose mean is m). The shares are
 * put together as Chan, Golub and LeVeque do (The American Statistician 37, 1983, equation 2.1).
 */
layout(constant_id = 11) const bool NORMED = false;

const uint NORM_LANES = 4;

shared vec2 norm_shares[NORMED ? TILE_ROWS * NORM_LANES : 1]; // mean, sum of squared differences
shared vec2 row_norms[NORMED ? TILE_ROWS : 1];                // mean, 1 / deviation

/* How many of a row's values are one invocation's: chunks in turn. */
uint norm_share_size(uint lane) {
  const uint turn = NORM_LANES * CHUNK, rest = K % turn;
  return K / turn * CHUNK + clamp(int(rest) - int(lane * CHUNK), 0, int(CHUNK));
}

/* Chunks that are loaded before the first of them is used: else each would wait for the last. */
const uint NORM_TURNS = (K + NORM_LANES * CHUNK - 1) / (NORM_LANES * CHUNK);
const uint NORM_RUN = NORM_TURNS < 8 ? NORM_TURNS : 8;

vec2 norm_share(SourceRow row, uint lane) {
  float start = 0.0, sum = 0.0, squares = 0.0;
  for (uint run = lane * CHUNK; run < K; run += NORM_RUN * NORM_LANES * CHUNK) {
    uvec4 chunks[NORM_RUN];
    [[unroll]] for (uint i = 0; i < NORM_RUN; i++)
      chunks[i] = source_chunk(row, run + i * NORM_LANES * CHUNK);
    [[unroll]] for (uint i = 0; i < NORM_RUN * VECTORS; i++) {
      const uint k = run + i / VECTORS * NORM_LANES * CHUNK + i % VECTORS * 4;
      const uint n = min(K, k + 4) - min(K, k);
      const vec4 values = unpack_vector(chunks[i / VECTORS], i % VECTORS);
      if (k == lane * CHUNK)
        start = dot(values, vec4(1.0)) / float(n);
      const vec4 difference = mix(vec4(0.0), values - start, lessThan(uvec4(0, 1, 2, 3), uvec4(n)));
      sum += dot(difference, vec4(1.0));
      squares += dot(difference, difference);
    }
  }
  const float n = float(max(norm_share_size(lane), 1));
  return vec2(start + sum / n, max(squares - sum * sum / n, 0.0));
}

void find_norms(uint first_row) {
  const uint lanes = gl_WorkGroupSize.x, lane = gl_LocalInvocationID.x;
  for (uint i = lane; i < TILE_ROWS * NORM_LANES; i += lanes)
    norm_shares[i] = norm_share(source_row(first_row + i / NORM_LANES), i % NORM_LANES);
  barrier();
  for (uint row = lane; row < TILE_ROWS; row += lanes) {
    float mean = 0.0, squares = 0.0;
    for (uint i = 0; i < NORM_LANES; i++)
      mean += norm_shares[row * NORM_LANES + i].x * (float(norm_share_size(i)) / float(K));
    for (uint i = 0; i < NORM_LANES; i++) {
      const vec2 share = norm_shares[row * NORM_LANES + i];
      squares += share.y + float(norm_share_size(i)) * (share.x - mean) * (share.x - mean);
    }
    row_norms[row] = vec2(mean, inversesqrt(squares / float(K) + push.epsilon));
  }
  barrier();
}
