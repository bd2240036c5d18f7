// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * resample.h: which source samples make each output sample, and with which weights, along one axis:
 * as Pillow's `Image.resize` has it, down to the fixed-point weights. No Vulkan.
 *
 * The frame may be padded before it is resized, and the crop may reach beyond the resized picture:
 * what lies outside of the frame has the fill colour, and only the sum of its weights matters.
 */
#ifndef SWIN_RESAMPLE_H
#define SWIN_RESAMPLE_H

#include "model/preprocessing.h"
#include "parameters.h"

/** SwinAxis: the way of one axis from the frame to the network's input. */
typedef struct {
  guint source;      /* samples of the frame */
  guint before;      /* samples of padding before the first one */
  guint padded;      /* samples of the padded frame: what is resized */
  guint64 resized;   /* samples after resizing and before the crop, at least 1 */
  gint64 crop;       /* resized sample that becomes output sample 0; negative: fill before it */
  guint output;      /* samples of the network's input */
  SwinFilter filter; /* kernel */
} SwinAxis;

/** SwinTaps: the run of source samples that one output sample is made of. */
typedef struct {
  guint first; /* index of the first source sample */
  guint count; /* number of source samples; 0 where nothing but fill is seen */
} SwinTaps;

/**
 * swin_resample_axes: padding, resize and crop of a whole frame.
 * @frame_width, @frame_height: pixels, 1 to 32768
 * @width, @height: pixels of the network's input, at least 1
 */
void swin_resample_axes(const SwinPreprocessing *preprocessing, guint frame_width,
                        guint frame_height, guint width, guint height, SwinAxis *horizontal,
                        SwinAxis *vertical);

/** swin_axis_taps: fills @taps, which has room for axis->output elements. */
void swin_axis_taps(const SwinAxis *axis, SwinTaps *taps);

/** swin_taps_range: the run of source samples that all @n_taps elements of @taps together use. */
SwinTaps swin_taps_range(const SwinTaps *taps, guint n_taps);

/**
 * swin_axis_weights: the weights of one output sample, in units of 2^-SWIN_RESAMPLE_BITS.
 * @output: which one, below axis->output
 * @taps: its taps, from swin_axis_taps()
 * @scratch: room for axis->padded values
 * @weights: (out) (nullable): weight i is written to element i * @stride; NULL where taps.count is
 * 0
 *
 * Returns: the sum of the weights outside of the frame.
 */
gint32 swin_axis_weights(const SwinAxis *axis, guint output, SwinTaps taps, gdouble *scratch,
                         gint32 *weights, gsize stride);

#endif /* SWIN_RESAMPLE_H */
