// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * derive.h: tensors that are computed once, when a model is loaded, out of those in its file.
 */
#ifndef SWIN_MODEL_DERIVE_H
#define SWIN_MODEL_DERIVE_H

#include "model/tensor.h"

/**
 * swin_derive_position_bias: the relative position bias table of Swin V2: 16 * sigmoid of an MLP of
 * the log-spaced relative coordinates (arXiv:2111.09883, section 3.3, and its reference code, whose
 * constants 8 and 16 these are).
 * @window_height, @window_width: tokens; a side of 1 has the one coordinate 0
 * @pretrained_window: tokens a side that coordinates are scaled by; 0: the window itself
 * @weight1: [hidden, 2]; @bias1: [hidden]; @weight2: [heads, hidden]
 * @table: (out): [(2 * window_height - 1) * (2 * window_width - 1), heads]
 */
void swin_derive_position_bias(guint window_height, guint window_width, guint pretrained_window,
                               const SwinTensor *weight1, const SwinTensor *bias1,
                               const SwinTensor *weight2, gfloat *table);

/** SwinCubic: which bicubic interpolation. */
typedef enum {
  SWIN_CUBIC_PLAIN,       /* torch's interpolate(mode="bicubic", align_corners=False): a = -0.75 */
  SWIN_CUBIC_ANTIALIASED, /* with antialias=True: a = -0.5, support growing with the scale */
} SwinCubic;

/**
 * swin_derive_resized: a map of positions resized: [rows, columns, channels].
 * @values: [height, width, channels]
 * @resized: (out): [new_height, new_width, channels]
 */
void swin_derive_resized(const gfloat *values, guint height, guint width, guint new_height,
                         guint new_width, guint channels, SwinCubic cubic, gfloat *resized);

#endif /* SWIN_MODEL_DERIVE_H */
