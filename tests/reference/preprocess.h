// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * preprocess.h: preprocessing once more, in plain scalar C: the oracle of the resize shaders.
 */
#ifndef SWIN_TESTS_REFERENCE_PREPROCESS_H
#define SWIN_TESTS_REFERENCE_PREPROCESS_H

#include "swin.h"
#include "model/preprocessing.h"

/**
 * reference_pixel: R'G'B' of pixel (@x, @y), computed in doubles from the definitions of the colour
 * matrices and rounded to the nearest code.
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
