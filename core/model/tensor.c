// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/tensor.h"

#include <math.h>
#include <string.h>

gsize swin_dtype_size(SwinDtype dtype) {
  return dtype == SWIN_DTYPE_F32 ? 4 : 2;
}

static gfloat float_from_bits(guint32 bits) {
  gfloat value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits. */
static gfloat float_from_f16(guint16 half) {
  guint32 sign = (guint32)(half & 0x8000) << 16;
  guint32 exponent = (half >> 10) & 0x1f;
  guint32 fraction = half & 0x3ff;
  if (exponent == 0x1f) {
    return float_from_bits(sign | 0x7f800000u | fraction << 13);
  }
  if (exponent == 0) {
    gfloat magnitude = ldexpf((gfloat)fraction, -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  return float_from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

static guint16 read_u16(const guint8 *data) {
  guint16 word;
  memcpy(&word, data, sizeof word);
  return GUINT16_FROM_LE(word);
}

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
static guint32 read_u32(const guint8 *data) {
  guint32 word;
  memcpy(&word, data, sizeof word);
  return GUINT32_FROM_LE(word);
}
#endif

void swin_tensor_read(const SwinTensor *tensor, guint64 first, guint64 n_elements, gfloat *values) {
  g_return_if_fail(first <= tensor->n_elements && n_elements <= tensor->n_elements - first);
  if (n_elements == 0) {
    return;
  }
  const guint8 *data = tensor->data + first * swin_dtype_size(tensor->dtype);
  switch (tensor->dtype) {
  case SWIN_DTYPE_F32:
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
    memcpy(values, data, n_elements * sizeof *values);
#else
    for (guint64 i = 0; i < n_elements; i++) {
      values[i] = float_from_bits(read_u32(data + 4 * i));
    }
#endif
    return;
  case SWIN_DTYPE_F16:
    for (guint64 i = 0; i < n_elements; i++) {
      values[i] = float_from_f16(read_u16(data + 2 * i));
    }
    return;
  case SWIN_DTYPE_BF16: /* the upper half of a binary32 */
    for (guint64 i = 0; i < n_elements; i++) {
      values[i] = float_from_bits((guint32)read_u16(data + 2 * i) << 16);
    }
    return;
  }
  g_return_if_reached();
}

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
