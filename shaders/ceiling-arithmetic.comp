// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How many multiplications and additions a second a device can do (`swin bench`): chains of
 * x = x * factor + term with nothing else to wait for. Built for float32 and, as -half, for half
 * precision.
 *
 * The host sets factor and term to 1, which no compiler can know: then each chain counts its steps,
 * exactly as far as its type counts, and a step that was left out shows.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "parameters.h"
#include "storage.glsl"

layout(local_size_x_id = 0) in;

layout(push_constant) uniform Push { SwinCeilingPush push; };

layout(std430, binding = 0) readonly buffer Step { float factor, term; };
layout(std430, binding = 1) writeonly buffer Sums { float sums[]; };

void main() {
  const STORED a = STORED(factor);
  const STORED b = STORED(term);
  STORED4 chains[SWIN_CEILING_CHAINS / 4];
  [[unroll]] for (uint i = 0; i < SWIN_CEILING_CHAINS / 4; i++)
    chains[i] = STORED4(0, 1, 2, 3) + STORED(4 * i);

  for (uint round = 0; round < push.rounds; round++) {
    [[unroll]] for (uint step = 0; step < SWIN_CEILING_STEPS; step++)
      [[unroll]] for (uint i = 0; i < SWIN_CEILING_CHAINS / 4; i++)
        chains[i] = chains[i] * a + b;
  }

  vec4 sum = vec4(0.0);
  [[unroll]] for (uint i = 0; i < SWIN_CEILING_CHAINS / 4; i++)
    sum += vec4(chains[i]);
  sums[gl_GlobalInvocationID.x] = sum.x + sum.y + sum.z + sum.w;
}
