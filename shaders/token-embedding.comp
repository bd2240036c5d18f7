// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, tokens of the map, C] -> [N, prefix + tokens of the map, C]: the embedding of each place
// added to the token there, with the prefix tokens in front, which are all embedding. One
// invocation for UNIT values; all counts of values are in units.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "storage.glsl"
#include "parameters.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint UNIT = 1; // 4 where it divides C, else 1

layout(push_constant) uniform Push {
  SwinTokenEmbeddingPush push;
};
// The same memory by values and by vectors.
layout(std430, set = 0, binding = 0) readonly buffer Input {
  STORED map[];
};
layout(std430, set = 0, binding = 0) readonly buffer InputVectors {
  STORED4 map_vectors[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  STORED tokens[];
};
layout(std430, set = 0, binding = 1) writeonly buffer OutputVectors {
  STORED4 token_vectors[];
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float embedding[]; // [embedded, C]
};
layout(std430, set = 0, binding = 2) readonly buffer WeightVectors {
  vec4 embedding_vectors[];
};

void main() {
  uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  uint at = group * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  uint channels = push.channels / UNIT;
  uint size = push.tokens * channels, prefix = push.prefix * channels; // of an image
  uint image = at / size, within = at % size;

  if (image >= push.images)
    return;
  uint source = at - (image + 1) * prefix;
  bool has_embedding = within < push.embedded * channels, has_token = within >= prefix;
  if (UNIT == 4) {
    vec4 values = vec4(0.0);
    if (has_embedding)
      values = embedding_vectors[within];
    if (has_token)
      values += vec4(map_vectors[source]);
    token_vectors[at] = STORED4(values);
  } else {
    float value = 0.0;
    if (has_embedding)
      value = embedding[within];
    if (has_token)
      value += float(map[source]);
    tokens[at] = STORED(value);
  }
}
