// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * half.h: float32 to IEEE 754 binary16, for weights that are packed for the device in half
 * precision.
 */
#ifndef SWIN_MODEL_HALF_H
#define SWIN_MODEL_HALF_H

#include <glib.h>
#include <string.h>

/**
 * swin_half_from_float: @value rounded to nearest, ties to even; beyond the range the largest value
 * of its sign, 65504, since an infinite weight would make NaN of every zero that it meets. @value
 * is not a NaN.
 */
static inline guint16 swin_half_from_float(gfloat value) {
  guint32 bits;
  memcpy(&bits, &value, sizeof bits);
  const guint32 sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  const guint32 overflow = 0x477ff000, smallest_normal = 0x38800000; /* 65520 and 2^-14 */
  if (magnitude >= overflow)
    return (guint16)(sign | 0x7bff);
  if (magnitude < smallest_normal) {
    /* Added to 0.5, whose last bit is 2^-24, the value is rounded to steps of the smallest half. */
    gfloat absolute;
    memcpy(&absolute, &magnitude, sizeof absolute);
    absolute += 0.5f;
    memcpy(&bits, &absolute, sizeof bits);
    return (guint16)(sign | (bits - 0x3f000000));
  }
  const guint32 rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return (guint16)(sign | (rounded - ((127u - 15u) << 23)) >> 13);
}

#endif /* SWIN_MODEL_HALF_H */
