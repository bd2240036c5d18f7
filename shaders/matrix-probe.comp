// SPDX-License-Identifier: LGPL-2.1-or-later
// Never run: whether the compiler, and the validator, know what the matrix shaders are written in.
#version 450
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

layout(std430, binding = 0) buffer Values {
  float16_t values[];
};

void main() {
  coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> matrix;
  coopMatLoad(matrix, values, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
  coopMatStore(matrix, values, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
}
