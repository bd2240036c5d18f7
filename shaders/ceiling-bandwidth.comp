// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How many bytes a second a device can read (`swin bench`). Neighbouring invocations read
 * neighbouring vectors; all together go through the buffer again and again, and from one time to
 * the next a work-group takes another part of it, so that nothing stays with whoever read it last.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "parameters.h"

layout(local_size_x_id = 0) in;

layout(push_constant) uniform Push { SwinCeilingPush push; };

layout(std430, binding = 0) readonly buffer Source { uvec4 source[]; };
layout(std430, binding = 1) writeonly buffer Sums { uint sums[]; };

void main() {
  const uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x + SWIN_CEILING_SHIFT * gl_WorkGroupSize.x;
  uvec4 sum = uvec4(0);
  uint index = gl_GlobalInvocationID.x;
  for (uint round = 0; round < push.rounds; round++) {
    [[unroll]] for (uint step = 0; step < SWIN_CEILING_STEPS; step++)
      sum += source[(index + step * stride) & push.mask];
    index += SWIN_CEILING_STEPS * stride;
  }
  sums[gl_GlobalInvocationID.x] = sum.x + sum.y + sum.z + sum.w;
}
