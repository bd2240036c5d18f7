// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, tokens, C] -> [N, C]: the mean over a range of the tokens. A work-group has some channels of
// an image; PARTS invocations share a channel, each with a run of the tokens. Sums of sums keep the
// rounding error small.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "parameters.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint CHANNELS = 32; // a work-group
layout(constant_id = 2) const uint PARTS = 8;     // a channel: local_size_x / CHANNELS

layout(push_constant) uniform Push {
  SwinMeanPoolPush push;
};
layout(std430, set = 0, binding = 0) readonly buffer Input {
  float values[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  float means[];
};

shared float sums[CHANNELS * PARTS];

void main() {
  uint local = gl_LocalInvocationID.x, part = local / CHANNELS, image = gl_WorkGroupID.z;
  uint channel = gl_WorkGroupID.x * CHANNELS + local % CHANNELS;
  bool there = channel < push.channels;
  uint end = there ? min((part + 1) * push.run, push.tokens) : 0;
  float sum = 0.0;

  for (uint token = part * push.run; token < end; token++)
    sum += values[(image * push.map_tokens + push.first + token) * push.channels + channel];
  sums[local] = sum;
  barrier();
  if (part > 0 || !there)
    return;
  for (uint i = 1; i < PARTS; i++)
    sum += sums[local + i * CHANNELS];
  means[image * push.channels + channel] = sum / float(push.tokens);
}
