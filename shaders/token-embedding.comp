// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, tokens of the map, C] -> [N, prefix + tokens of the map, C]: the embedding of each place
// added to the token there, with the prefix tokens in front, which are all embedding. One
// invocation a value.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "parameters.h"

layout(local_size_x_id = 0) in;

layout(push_constant) uniform Push {
  SwinTokenEmbeddingPush push;
};
layout(std430, set = 0, binding = 0) readonly buffer Input {
  float map[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  float tokens[];
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float embedding[]; // [prefix + tokens of the map, C]
};

void main() {
  uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  uint at = group * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  uint size = push.tokens * push.channels, prefix = push.prefix * push.channels; // of an image
  uint image = at / size, within = at % size;

  if (image >= push.images)
    return;
  float value = embedding[within];
  if (within >= prefix)
    value += map[at - (image + 1) * prefix];
  tokens[at] = value;
}
