// SPDX-License-Identifier: LGPL-2.1-or-later
// Both kinds of GELU (arXiv:1606.08415).

/* The error function as x * P(x^2) / Q(x^2) on [-4, 4], beyond which it is 1 to float's precision.
 * The coefficients are a minimax fit of our own with an error of 1.5e-9; what remains is float's
 * rounding, about 3.5e-7. */
float erf(float x) {
  const float limited = clamp(x, -4.0, 4.0);
  const float t = limited * limited;
  float p = -1.3666198168e-08;
  p = p * t + 4.7804207504e-06;
  p = p * t + 3.8268829804e-04;
  p = p * t + 3.8395375176e-03;
  p = p * t + 5.4332566288e-02;
  p = p * t + 1.8471086978e-01;
  p = p * t + 1.1283791821e+00;
  float q = 6.4008153389e-05;
  q = q * t + 1.3095754800e-03;
  q = q * t + 1.5453519091e-02;
  q = q * t + 1.1382643582e-01;
  q = q * t + 4.9702929165e-01;
  q = q * t + 1.0;
  return clamp(limited * p / q, -1.0, 1.0);
}

vec4 gelu(vec4 x) {
  const vec4 t = x * 0.70710678118654752;
  return 0.5 * x * (1.0 + vec4(erf(t.x), erf(t.y), erf(t.z), erf(t.w)));
}

// (1 + tanh(y)) / 2 is 1 / (1 + exp(-2y)), which is exact at both ends.
vec4 tanh_gelu(vec4 x) {
  const vec4 y = 0.79788456080286536 * (x + 0.044715 * x * x * x);
  return x / (1.0 + exp(-2.0 * y));
}
