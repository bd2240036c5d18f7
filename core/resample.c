// SPDX-License-Identifier: LGPL-2.1-or-later
#include "resample.h"

#include <math.h>

/* Pillow adds up nearest positions one by one; beyond this many samples, which no Pillow image
 * has, the sum would only cost time. */
#define MAX_ADDED_POSITIONS (G_GUINT64_CONSTANT(1) << 24)

/* First sample of a centre crop, as torchvision's center_crop() has it: int(round(x / 2.0)) with
 * Python's rounding of halves to even, and padding split with the odd sample behind. */
static gint64 centre_crop(guint64 resized, guint output) {
  if (resized < output)
    return -(gint64)((output - resized) / 2);
  guint64 excess = resized - output;
  guint64 half = excess / 2;
  return (gint64)(half + (excess & half & 1));
}

/* The long side beside a short one of @resize_size: torchvision's int(size * long / short). */
static guint64 long_side(guint resize_size, guint long_size, guint short_size) {
  return (guint64)((gdouble)((guint64)resize_size * long_size) / short_size);
}

void swin_resample_axes(const SwinPreprocessing *preprocessing, guint frame_width,
                        guint frame_height, guint width, guint height, SwinAxis *horizontal,
                        SwinAxis *vertical) {
  *horizontal = (SwinAxis){frame_width, width, 0, width, preprocessing->filter};
  *vertical = (SwinAxis){frame_height, height, 0, height, preprocessing->filter};
  if (preprocessing->resize_mode == SWIN_RESIZE_SQUASH)
    return;

  guint size = preprocessing->resize_size;
  gboolean portrait = frame_width <= frame_height;
  horizontal->resized = portrait ? size : long_side(size, frame_width, frame_height);
  vertical->resized = portrait ? long_side(size, frame_height, frame_width) : size;
  horizontal->crop = centre_crop(horizontal->resized, width);
  vertical->crop = centre_crop(vertical->resized, height);
}

static gdouble axis_scale(const SwinAxis *axis) {
  return (gdouble)axis->source / (gdouble)axis->resized;
}

static gboolean inside(const SwinAxis *axis, guint output) {
  gint64 position = axis->crop + output;
  return position >= 0 && (guint64)position < axis->resized;
}

/* Pillow's ImagingScaleAffine() adds the scale up, so its positions carry the sum's rounding. */
static void nearest_taps(const SwinAxis *axis, SwinTaps *taps) {
  gdouble scale = axis_scale(axis);
  gboolean add = axis->resized <= MAX_ADDED_POSITIONS;
  guint64 position = 0;
  gdouble source = scale * 0.5;

  for (guint i = 0; i < axis->output; i++) {
    if (!inside(axis, i)) {
      taps[i] = (SwinTaps){0, 0};
      continue;
    }
    guint64 wanted = (guint64)(axis->crop + i);
    for (; add && position < wanted; position++)
      source += scale;
    gdouble found = add ? source : ((gdouble)wanted + 0.5) * scale;
    taps[i] = (SwinTaps){MIN((guint)found, axis->source - 1), 1};
  }
}

static gdouble filter_support(SwinFilter filter) {
  return filter == SWIN_FILTER_BICUBIC ? 2.0 : 1.0;
}

/* Bilinear: the triangle. Bicubic: Keys' convolution kernel with a = -1/2, in the order of
 * operations in which Pillow evaluates it, so that the last bit agrees. */
static gdouble filter_value(SwinFilter filter, gdouble x) {
  x = fabs(x);
  if (filter == SWIN_FILTER_BILINEAR)
    return x < 1.0 ? 1.0 - x : 0.0;
  if (x < 1.0)
    return (1.5 * x - 2.5) * x * x + 1.0;
  if (x < 2.0)
    return (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5;
  return 0.0;
}

static gdouble axis_centre(const SwinAxis *axis, guint output) {
  return ((gdouble)(axis->crop + output) + 0.5) * axis_scale(axis);
}

/* Pillow's precompute_coeffs(): the support is that of the kernel, widened when downscaling, and
 * both ends round to whole samples. */
static void filter_taps(const SwinAxis *axis, SwinTaps *taps) {
  gdouble support = filter_support(axis->filter) * MAX(axis_scale(axis), 1.0);

  for (guint i = 0; i < axis->output; i++) {
    if (!inside(axis, i)) {
      taps[i] = (SwinTaps){0, 0};
      continue;
    }
    gdouble centre = axis_centre(axis, i);
    gint64 first = MAX((gint64)(centre - support + 0.5), 0);
    gint64 end = MIN((gint64)(centre + support + 0.5), (gint64)axis->source);
    taps[i] = (SwinTaps){(guint)first, (guint)(end - first)};
  }
}

void swin_axis_taps(const SwinAxis *axis, SwinTaps *taps) {
  if (axis->filter == SWIN_FILTER_NEAREST)
    nearest_taps(axis, taps);
  else
    filter_taps(axis, taps);
}

SwinTaps swin_taps_range(const SwinTaps *taps, guint n_taps) {
  guint first = G_MAXUINT;
  guint end = 0;
  for (guint i = 0; i < n_taps; i++) {
    if (taps[i].count == 0)
      continue;
    first = MIN(first, taps[i].first);
    end = MAX(end, taps[i].first + taps[i].count);
  }
  return end == 0 ? (SwinTaps){0, 0} : (SwinTaps){first, end - first};
}

void swin_axis_weights(const SwinAxis *axis, guint output, SwinTaps taps, gdouble *scratch,
                       gint32 *weights, gsize stride) {
  const gdouble one = 1 << SWIN_RESAMPLE_BITS;
  if (axis->filter == SWIN_FILTER_NEAREST) {
    if (taps.count > 0)
      weights[0] = 1 << SWIN_RESAMPLE_BITS;
    return;
  }

  gdouble centre = axis_centre(axis, output);
  gdouble shrink = 1.0 / MAX(axis_scale(axis), 1.0);
  gdouble sum = 0.0;
  for (guint i = 0; i < taps.count; i++) {
    scratch[i] = filter_value(axis->filter, ((gdouble)(i + taps.first) - centre + 0.5) * shrink);
    sum += scratch[i];
  }
  for (guint i = 0; i < taps.count; i++) {
    gdouble weight = sum != 0.0 ? scratch[i] / sum : scratch[i];
    weights[i * stride] = (gint32)(weight * one + (weight < 0.0 ? -0.5 : 0.5));
  }
}
