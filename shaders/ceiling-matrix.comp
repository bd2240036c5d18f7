// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How fast the matrix units of a device multiply (`swin bench`): every subgroup adds the products
 * of the same few matrices to its sums, again and again, all of them in registers.
 *
 * Factors are small whole numbers, so that the sums are exact as long as they stay below 2^24.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#include "parameters.h"
#include "storage.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint M = 16;
layout(constant_id = 2) const uint N = 16;
layout(constant_id = 3) const uint K = 16;

layout(push_constant) uniform Push { SwinCeilingPush push; };

layout(std430, binding = 0) readonly buffer Factors { STORED factors[]; }; // [M, K], then [K, N]
layout(std430, binding = 1) writeonly buffer Sums { float sums[]; };       // [subgroups, M, N]

void main() {
  coopmat<STORED, gl_ScopeSubgroup, M, K, gl_MatrixUseA> left;
  coopmat<STORED, gl_ScopeSubgroup, K, N, gl_MatrixUseB> right;
  coopMatLoad(left, factors, 0, K, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad(right, factors, M * K, N, gl_CooperativeMatrixLayoutRowMajor);

  coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> products[SWIN_CEILING_PRODUCTS];
  [[unroll]] for (uint i = 0; i < SWIN_CEILING_PRODUCTS; i++)
    products[i] = coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(float(i));
  for (uint round = 0; round < push.rounds; round++) {
    [[unroll]] for (uint i = 0; i < SWIN_CEILING_PRODUCTS; i++)
      products[i] = coopMatMulAdd(left, right, products[i]);
  }

  [[unroll]] for (uint i = 1; i < SWIN_CEILING_PRODUCTS; i++)
    products[0] += products[i];
  const uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  coopMatStore(products[0], sums, subgroup * M * N, N, gl_CooperativeMatrixLayoutRowMajor);
}
