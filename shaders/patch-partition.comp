// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, channels, H, W] -> [N, rows, columns, channels * p * p]: each patch becomes one row, ordered
// (channel, y, x). One invocation a value; the sizes that are divided by are constants.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "parameters.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint PATCH = 4;    // pixels a side
layout(constant_id = 2) const uint CHANNELS = 3; // of the picture

layout(push_constant) uniform Push {
  SwinPatchPartitionPush push;
};
layout(std430, set = 0, binding = 0) readonly buffer Input {
  float pixels[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  float patches[];
};

void main() {
  uint width = CHANNELS * PATCH * PATCH;
  uint at = gl_GlobalInvocationID.x; // in the output's row of patches
  uint column = at / width, within = at % width;
  uint channel = within / (PATCH * PATCH);
  uint y = gl_WorkGroupID.y * PATCH + within / PATCH % PATCH;
  uint x = column * PATCH + within % PATCH;
  uint image = gl_WorkGroupID.z;

  if (column >= push.columns)
    return;
  float value = 0.0;
  if (y < push.height && x < push.width)
    value = pixels[((image * CHANNELS + channel) * push.height + y) * push.width + x];
  patches[(image * gl_NumWorkGroups.y + gl_WorkGroupID.y) * push.columns * width + at] = value;
}
