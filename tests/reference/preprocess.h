// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * preprocess.h: preprocessing once more, in plain scalar C: the oracle of the resize shaders.
 */
#ifndef SWIN_TESTS_REFERENCE_PREPROCESS_H
#define SWIN_TESTS_REFERENCE_PREPROCESS_H

#include "swin.h"
#include "model/preprocessing.h"

/** reference_size: of what is looked at: the crop, upright. */
void reference_size(const SwinFrame *frame, guint *width, guint *height);

/**
 * reference_pixel: R'G'B' of upright pixel (@x, @y) of what is looked at, as GStreamer's
 * videoconvert (dither=none, chroma-resampler=linear) makes it; but R'G'B' of limited range is
 * widened to the full one, and gray of more than 8 bits has no colour and a quarter of a code more.
 */
void reference_pixel(const SwinFrame *frame, guint x, guint y, guint8 rgb[3]);

/**
 * reference_resize: the padded, resized and cropped picture.
 * @codes: (out): [height, width, 3], in the network's channel order
 */
void reference_resize(const SwinFrame *frame, const SwinPreprocessing *preprocessing, guint width,
                      guint height, guint8 *codes);

/**
 * reference_normalise_codes: (code / 255 - mean) / std.
 * @codes: [height, width, 3], in the network's channel order
 * @output: (out): [3, height, width]
 */
void reference_normalise_codes(const guint8 *codes, const SwinPreprocessing *preprocessing,
                               guint width, guint height, gfloat *output);

#endif /* SWIN_TESTS_REFERENCE_PREPROCESS_H */
