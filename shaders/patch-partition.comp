// SPDX-License-Identifier: LGPL-2.1-or-later
// [N, channels, H, W] -> [N, rows, columns, channels * p * p]: each patch becomes one row, ordered
// (channel, y, x). One invocation for UNIT values that lie side by side in the picture as in the
// row; the sizes that are divided by are constants. The picture is float32 whatever the rows are.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "storage.glsl"
#include "parameters.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint PATCH = 4;    // pixels a side
layout(constant_id = 2) const uint CHANNELS = 3; // of the picture
layout(constant_id = 3) const uint UNIT = 1;     // 4 where it divides patch and picture, else 1

layout(push_constant) uniform Push {
  SwinPatchPartitionPush push;
};
// The same memory by values and by vectors.
layout(std430, set = 0, binding = 0) readonly buffer Input {
  float pixels[];
};
layout(std430, set = 0, binding = 0) readonly buffer InputVectors {
  vec4 pixel_vectors[];
};
layout(std430, set = 0, binding = 1) writeonly buffer Output {
  STORED patches[];
};
layout(std430, set = 0, binding = 1) writeonly buffer OutputVectors {
  STORED4 patch_vectors[];
};

void main() {
  uint width = CHANNELS * PATCH * PATCH;
  uint at = gl_GlobalInvocationID.x * UNIT; // in the output's row of patches
  uint column = at / width, within = at % width;
  uint channel = within / (PATCH * PATCH);
  uint y = gl_WorkGroupID.y * PATCH + within / PATCH % PATCH;
  uint x = column * PATCH + within % PATCH;
  uint image = gl_WorkGroupID.z;

  if (column >= push.columns)
    return;
  bool inside = y < push.height && x < push.width;
  uint source = ((image * CHANNELS + channel) * push.height + y) * push.width + x;
  uint target = (image * gl_NumWorkGroups.y + gl_WorkGroupID.y) * push.columns * width + at;
  if (UNIT == 4) {
    vec4 values = vec4(0.0);
    if (inside)
      values = pixel_vectors[source / 4];
    patch_vectors[target / 4] = STORED4(values);
  } else {
    float value = 0.0;
    if (inside)
      value = pixels[source];
    patches[target] = STORED(value);
  }
}
