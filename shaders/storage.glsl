// SPDX-License-Identifier: LGPL-2.1-or-later
// How activations and packed weights lie in memory. A shader that includes this is built twice: as
// NAME with float32, and with SWIN_HALF as NAME-half with half precision. Arithmetic is float32 in
// both.
#ifdef SWIN_HALF
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define STORED float16_t
#define STORED4 f16vec4
#else
#define STORED float
#define STORED4 vec4
#endif
