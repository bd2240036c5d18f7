// SPDX-License-Identifier: LGPL-2.1-or-later
#include "resample.h"

#include <math.h>

/* Pillow adds up nearest positions one by one; beyond this many samples, which no Pillow image
 * has, the sum would only cost time. */
#define MAX_ADDED_POSITIONS (G_GUINT64_CONSTANT(1) << 24)

#define ONE (1 << SWIN_RESAMPLE_BITS) /* a weight of 1 */

/* First sample of a centre crop, as torchvision's center_crop() has it: int(round(x / 2.0)) with
 * Python's rounding of halves to even, or as transformers' has it: x // 2. Both split padding with
 * the odd sample behind. */
static gint64 centre_crop(guint64 resized, guint output, SwinCropRounding rounding) {
  if (resized < output)
    return -(gint64)((output - resized) / 2);
  guint64 excess = resized - output;
  guint64 half = excess / 2;
  return (gint64)(rounding == SWIN_CROP_ROUND_EVEN ? half + (excess & half & 1) : half);
}

/* torchvision's Resize of an integer and transformers' get_resize_output_image_size(): the long
 * side is int(size * long / short). */
static void resize_short_side(guint size, SwinAxis *horizontal, SwinAxis *vertical) {
  SwinAxis *short_axis = horizontal->source <= vertical->source ? horizontal : vertical;
  SwinAxis *long_axis = short_axis == horizontal ? vertical : horizontal;
  short_axis->resized = size;
  long_axis->resized = (guint64)((gdouble)((guint64)size * long_axis->source) / short_axis->source);
}

/* timm's ResizeKeepRatio: round(side / ratio), with Python's rounding of halves to even, where the
 * ratio is that of the axis that decides. Pillow has no pictures without pixels. */
static void resize_by_ratio(const SwinPreprocessing *preprocessing, SwinAxis *horizontal,
                            SwinAxis *vertical) {
  const gdouble across = (gdouble)horizontal->source / preprocessing->resize_width;
  const gdouble down = (gdouble)vertical->source / preprocessing->resize_height;
  const gdouble ratio =
      preprocessing->resize_mode == SWIN_RESIZE_COVER ? MIN(across, down) : MAX(across, down);
  horizontal->resized = MAX((guint64)rint(horizontal->source / ratio), 1);
  vertical->resized = MAX((guint64)rint(vertical->source / ratio), 1);
}

static void pad_to(SwinAxis *axis, guint padded) {
  axis->before = (padded - axis->source) / 2;
  axis->padded = padded;
}

void swin_resample_axes(const SwinPreprocessing *preprocessing, guint frame_width,
                        guint frame_height, guint width, guint height, SwinAxis *horizontal,
                        SwinAxis *vertical) {
  *horizontal = (SwinAxis){
      .source = frame_width,
      .padded = frame_width,
      .resized = preprocessing->resize_width,
      .output = width,
      .filter = preprocessing->filter,
  };
  *vertical = (SwinAxis){
      .source = frame_height,
      .padded = frame_height,
      .resized = preprocessing->resize_height,
      .output = height,
      .filter = preprocessing->filter,
  };
  switch (preprocessing->resize_mode) {
  case SWIN_RESIZE_SQUASH:
    break;
  case SWIN_RESIZE_SHORT_SIDE:
    resize_short_side(preprocessing->resize_size, horizontal, vertical);
    break;
  case SWIN_RESIZE_PAD:
    pad_to(horizontal, MAX(frame_width, frame_height));
    pad_to(vertical, MAX(frame_width, frame_height));
    break;
  case SWIN_RESIZE_COVER:
  case SWIN_RESIZE_CONTAIN:
    resize_by_ratio(preprocessing, horizontal, vertical);
    break;
  }
  horizontal->crop = centre_crop(horizontal->resized, width, preprocessing->crop_rounding);
  vertical->crop = centre_crop(vertical->resized, height, preprocessing->crop_rounding);
}

static gdouble axis_scale(const SwinAxis *axis) {
  return (gdouble)axis->padded / (gdouble)axis->resized;
}

static gboolean inside(const SwinAxis *axis, guint output) {
  gint64 position = axis->crop + output;
  return position >= 0 && (guint64)position < axis->resized;
}

/* What of a run of the padded frame is the frame. */
static SwinTaps clip_to_frame(const SwinAxis *axis, SwinTaps padded) {
  const guint first = MAX(padded.first, axis->before);
  const guint end = MIN(padded.first + padded.count, axis->before + axis->source);
  return first < end ? (SwinTaps){first - axis->before, end - first} : (SwinTaps){0, 0};
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
    taps[i] = clip_to_frame(axis, (SwinTaps){MIN((guint)found, axis->padded - 1), 1});
  }
}

/* Half the width of each kernel, in samples of the coarser of both sides. */
static gdouble filter_support(SwinFilter filter) {
  switch (filter) {
  case SWIN_FILTER_BOX:
    return 0.5;
  case SWIN_FILTER_BICUBIC:
    return 2.0;
  case SWIN_FILTER_LANCZOS:
    return 3.0;
  default:
    return 1.0;
  }
}

static gdouble sinc(gdouble x) {
  return x == 0.0 ? 1.0 : sin(x * G_PI) / (x * G_PI);
}

/* Keys' convolution kernel with a = -1/2. */
static gdouble bicubic(gdouble x) {
  if (x < 1.0)
    return (1.5 * x - 2.5) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5 : 0.0;
}

/* The kernels of Pillow's Resample.c, in the order of operations in which it evaluates them, so
 * that the last bit agrees; Hamming's constants are single precision there too. */
static gdouble filter_value(SwinFilter filter, gdouble signed_x) {
  const gdouble x = fabs(signed_x);
  switch (filter) {
  case SWIN_FILTER_BOX:
    return signed_x > -0.5 && signed_x <= 0.5 ? 1.0 : 0.0;
  case SWIN_FILTER_HAMMING:
    return x < 1.0 ? sinc(x) * (0.54f + 0.46f * cos(x * G_PI)) : 0.0;
  case SWIN_FILTER_BICUBIC:
    return bicubic(x);
  case SWIN_FILTER_LANCZOS:
    return signed_x >= -3.0 && signed_x < 3.0 ? sinc(signed_x) * sinc(signed_x / 3.0) : 0.0;
  default:
    return x < 1.0 ? 1.0 - x : 0.0;
  }
}

static gdouble axis_centre(const SwinAxis *axis, guint output) {
  return ((gdouble)(axis->crop + output) + 0.5) * axis_scale(axis);
}

/* The samples of the padded frame under the kernel. Pillow's precompute_coeffs(): the support is
 * that of the kernel, widened when downscaling, and both ends round to whole samples. */
static SwinTaps filter_run(const SwinAxis *axis, guint output) {
  const gdouble support = filter_support(axis->filter) * MAX(axis_scale(axis), 1.0);
  const gdouble centre = axis_centre(axis, output);
  const gint64 first = MAX((gint64)(centre - support + 0.5), 0);
  const gint64 end = MIN((gint64)(centre + support + 0.5), (gint64)axis->padded);
  return (SwinTaps){(guint)first, (guint)(end - first)};
}

void swin_axis_taps(const SwinAxis *axis, SwinTaps *taps) {
  if (axis->filter == SWIN_FILTER_NEAREST) {
    nearest_taps(axis, taps);
    return;
  }
  for (guint i = 0; i < axis->output; i++)
    taps[i] = inside(axis, i) ? clip_to_frame(axis, filter_run(axis, i)) : (SwinTaps){0, 0};
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

/* Returns the sum of the values, by which Pillow divides them. */
static gdouble evaluate_filter(const SwinAxis *axis, guint output, SwinTaps run, gdouble *values) {
  const gdouble centre = axis_centre(axis, output);
  const gdouble shrink = 1.0 / MAX(axis_scale(axis), 1.0);
  gdouble sum = 0.0;
  for (guint i = 0; i < run.count; i++) {
    values[i] = filter_value(axis->filter, ((gdouble)(i + run.first) - centre + 0.5) * shrink);
    sum += values[i];
  }
  return sum != 0.0 ? sum : 1.0;
}

gint32 swin_axis_weights(const SwinAxis *axis, guint output, SwinTaps taps, gdouble *scratch,
                         gint32 *weights, gsize stride) {
  if (!inside(axis, output))
    return ONE;
  if (axis->filter == SWIN_FILTER_NEAREST) {
    if (taps.count == 0)
      return ONE;
    weights[0] = ONE;
    return 0;
  }

  const SwinTaps run = filter_run(axis, output);
  const gdouble sum = evaluate_filter(axis, output, run, scratch);
  const guint first = axis->before + taps.first; /* in the padded frame */
  gint32 outside = 0;
  for (guint i = 0; i < run.count; i++) {
    const gdouble value = scratch[i] / sum;
    const gint32 weight = (gint32)(value * (gdouble)ONE + (value < 0.0 ? -0.5 : 0.5));
    const guint position = run.first + i;
    if (position >= first && position - first < taps.count)
      weights[(position - first) * stride] = weight;
    else
      outside += weight;
  }
  return outside;
}
