// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/tensor.h"

#include <string.h>

/* The loops over elements run over blocks of a length that the compiler knows, and without
 * branches: GCC 12 at -O2 makes vector instructions only of such. */
#define BLOCK 64

gsize swin_dtype_size(SwinDtype dtype) {
  return dtype == SWIN_DTYPE_F32 ? 4 : 2;
}

static inline gfloat float_from_bits(guint32 bits) {
  gfloat value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline guint32 bits_from_float(gfloat value) {
  guint32 bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline guint16 read_u16(const guint8 *data) {
  guint16 word;
  memcpy(&word, data, sizeof word);
  return GUINT16_FROM_LE(word);
}

static inline guint32 read_u32(const guint8 *data) {
  guint32 word;
  memcpy(&word, data, sizeof word);
  return GUINT32_FROM_LE(word);
}

/* ---- Conversion ----------------------------------------------------------------------------- */

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits. What is subnormal is taken
 * for the fraction of a number whose exponent is that of 2^-14, from which 2^-14 is then
 * subtracted: exact, and without a subnormal float, which some threads have set to be flushed to
 * zero. */
static inline gfloat float_from_f16(guint16 half) {
  const guint32 rebias = (127u - 15u) << 23;
  const guint32 magnitude = (guint32)(half & 0x7fff) << 13;
  const guint32 exponent = magnitude & 0x0f800000u;
  const guint32 subnormal =
      bits_from_float(float_from_bits(magnitude + rebias + (1u << 23)) - 0x1p-14f);
  const guint32 is_subnormal = -(guint32)(exponent == 0);
  const guint32 is_infinite = -(guint32)(exponent == 0x0f800000u); /* or NaN */
  const guint32 normal = magnitude + rebias + (is_infinite & rebias);
  const guint32 bits = (subnormal & is_subnormal) | (normal & ~is_subnormal);
  return float_from_bits(bits | (guint32)(half & 0x8000) << 16);
}

static inline void read_f16(const guint8 *restrict data, guint64 n, gfloat *restrict values) {
  for (guint64 i = 0; i < n; i++) {
    values[i] = float_from_f16(read_u16(data + 2 * i));
  }
}

/* bfloat16 is the upper half of a binary32. */
static inline void read_bf16(const guint8 *restrict data, guint64 n, gfloat *restrict values) {
  for (guint64 i = 0; i < n; i++) {
    values[i] = float_from_bits((guint32)read_u16(data + 2 * i) << 16);
  }
}

static void read_f32(const guint8 *data, guint64 n, gfloat *values) {
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  memcpy(values, data, n * sizeof *values);
#else
  for (guint64 i = 0; i < n; i++) {
    values[i] = float_from_bits(read_u32(data + 4 * i));
  }
#endif
}

void swin_tensor_read(const SwinTensor *tensor, guint64 first, guint64 n_elements, gfloat *values) {
  g_return_if_fail(first <= tensor->n_elements && n_elements <= tensor->n_elements - first);
  if (n_elements == 0) {
    return;
  }
  const guint8 *data = tensor->data + first * swin_dtype_size(tensor->dtype);
  guint64 done = 0;
  switch (tensor->dtype) {
  case SWIN_DTYPE_F32:
    read_f32(data, n_elements, values);
    return;
  case SWIN_DTYPE_F16:
    for (; n_elements - done >= BLOCK; done += BLOCK) {
      read_f16(data + 2 * done, BLOCK, values + done);
    }
    read_f16(data + 2 * done, n_elements - done, values + done);
    return;
  case SWIN_DTYPE_BF16:
    for (; n_elements - done >= BLOCK; done += BLOCK) {
      read_bf16(data + 2 * done, BLOCK, values + done);
    }
    read_bf16(data + 2 * done, n_elements - done, values + done);
    return;
  }
  g_return_if_reached();
}

/* ---- Infinities and NaN --------------------------------------------------------------------- */

/* They have every bit of the exponent set: adding 1 to such an exponent, and to no other, carries
 * into the bit above it. The sums of many elements can be looked at together. */
static inline guint32 carry_f32(const guint8 *data, guint64 n) {
  guint32 carries = 0;
  for (guint64 i = 0; i < n; i++) {
    carries |= (read_u32(data + 4 * i) & 0x7f800000u) + 0x00800000u;
  }
  return carries >> 31;
}

/* @exponent: the bits of a half's exponent; @one: the lowest of them */
static inline guint32 carry_u16(const guint8 *data, guint64 n, guint16 exponent, guint16 one) {
  guint16 carries = 0;
  for (guint64 i = 0; i < n; i++) {
    carries |= (guint16)((read_u16(data + 2 * i) & exponent) + one);
  }
  return carries >> 15;
}

static inline guint32 carry_f16(const guint8 *data, guint64 n) {
  return carry_u16(data, n, 0x7c00, 0x0400);
}

static inline guint32 carry_bf16(const guint8 *data, guint64 n) {
  return carry_u16(data, n, 0x7f80, 0x0080);
}

gboolean swin_tensor_is_finite(const SwinTensor *tensor, guint64 first, guint64 n_elements) {
  g_return_val_if_fail(first <= tensor->n_elements && n_elements <= tensor->n_elements - first,
                       FALSE);
  const gsize size = swin_dtype_size(tensor->dtype);
  const guint8 *data = tensor->data + first * size;
  guint32 carries = 0;
  guint64 done = 0;
  switch (tensor->dtype) {
  case SWIN_DTYPE_F32:
    for (; n_elements - done >= BLOCK; done += BLOCK) {
      carries |= carry_f32(data + size * done, BLOCK);
    }
    carries |= carry_f32(data + size * done, n_elements - done);
    break;
  case SWIN_DTYPE_F16:
    for (; n_elements - done >= BLOCK; done += BLOCK) {
      carries |= carry_f16(data + size * done, BLOCK);
    }
    carries |= carry_f16(data + size * done, n_elements - done);
    break;
  case SWIN_DTYPE_BF16:
    for (; n_elements - done >= BLOCK; done += BLOCK) {
      carries |= carry_bf16(data + size * done, BLOCK);
    }
    carries |= carry_bf16(data + size * done, n_elements - done);
    break;
  }
  return carries == 0;
}

/* ---- Views ---------------------------------------------------------------------------------- */

SwinTensor swin_tensor_rows(const SwinTensor *tensor, guint64 first_row, guint64 n_rows) {
  SwinTensor rows = *tensor;
  g_return_val_if_fail(tensor->n_dims > 0 && first_row <= tensor->shape[0] &&
                           n_rows <= tensor->shape[0] - first_row,
                       rows);
  guint64 row_elements = 1;
  for (guint i = 1; i < tensor->n_dims; i++) {
    row_elements *= tensor->shape[i];
  }
  rows.shape[0] = n_rows;
  rows.n_elements = n_rows * row_elements;
  rows.data = tensor->data + first_row * row_elements * swin_dtype_size(tensor->dtype);
  return rows;
}
