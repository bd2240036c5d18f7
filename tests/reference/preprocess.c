// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/preprocess.h"

#include <math.h>
#include <string.h>

/* Every weight of every source sample, for the output samples that the crop keeps. */
typedef struct {
  guint n_source, n_output;
  gint32 *weights; /* [n_output, n_source], 2^22 is one */
  guint *first;    /* [n_output]: what lies before it weighs nothing, */
  guint *end;      /* and what lies from here on; 0 beside the resized picture */
} Matrix;

static gdouble normalised_sinc(gdouble x) {
  return x == 0.0 ? 1.0 : sin(G_PI * x) / (G_PI * x);
}

/* Keys, "Cubic convolution interpolation for digital image processing", with a = -1/2. */
static gdouble cubic_convolution(gdouble x) {
  const gdouble a = -0.5;
  if (x < 1.0)
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

static gdouble kernel(SwinFilter filter, gdouble distance) {
  const gdouble x = fabs(distance);
  switch (filter) {
  case SWIN_FILTER_BOX: /* a sample in the middle between two outputs belongs to the first */
    return distance > -0.5 && distance <= 0.5 ? 1.0 : 0.0;
  case SWIN_FILTER_BILINEAR:
    return x < 1.0 ? 1.0 - x : 0.0;
  case SWIN_FILTER_HAMMING: /* Pillow's constants are single precision */
    return x < 1.0 ? normalised_sinc(x) * (0.54f + 0.46f * cos(G_PI * x)) : 0.0;
  case SWIN_FILTER_LANCZOS: /* Duchon, "Lanczos filtering in one and two dimensions", 3 lobes */
    return x < 3.0 ? normalised_sinc(x) * normalised_sinc(x / 3.0) : 0.0;
  default:
    return cubic_convolution(x);
  }
}

static gdouble radius(SwinFilter filter) {
  static const gdouble radii[] = {
      [SWIN_FILTER_LANCZOS] = 3.0, [SWIN_FILTER_BILINEAR] = 1.0, [SWIN_FILTER_BICUBIC] = 2.0,
      [SWIN_FILTER_BOX] = 0.5,     [SWIN_FILTER_HAMMING] = 1.0,
  };
  return radii[filter];
}

/* Pillow takes the samples whose centres lie in the kernel's support, rounded to whole samples. */
static void fill_row(Matrix *matrix, guint output, gdouble scale, guint64 position,
                     SwinFilter filter) {
  const gdouble widening = scale > 1.0 ? scale : 1.0;
  const gdouble support = radius(filter) * widening;
  const gdouble centre = ((gdouble)position + 0.5) * scale;
  const gint first = (gint)MAX(centre - support + 0.5, 0.0);
  const gint end = MIN((gint)(centre + support + 0.5), (gint)matrix->n_source);
  gint32 *row = matrix->weights + (gsize)output * matrix->n_source;

  gdouble total = 0.0;
  for (gint i = first; i < end; i++)
    total += kernel(filter, (i - centre + 0.5) * (1.0 / widening));
  for (gint i = first; i < end; i++) {
    const gdouble weight = kernel(filter, (i - centre + 0.5) * (1.0 / widening)) / total;
    row[i] = (gint32)round(weight * (1 << 22));
  }
  matrix->first[output] = (guint)first;
  matrix->end[output] = (guint)end;
}

static void fill_nearest(Matrix *matrix, guint output, gdouble place) {
  const guint index = (guint)place;
  matrix->weights[(gsize)output * matrix->n_source + index] = 1 << 22;
  matrix->first[output] = index;
  matrix->end[output] = index + 1;
}

/* @crop: which resized sample becomes output 0. */
static void matrix_init(Matrix *matrix, guint n_source, guint64 resized, gint64 crop,
                        guint n_output, SwinFilter filter) {
  const gdouble scale = (gdouble)n_source / (gdouble)resized;
  *matrix = (Matrix){
      .n_source = n_source,
      .n_output = n_output,
      .weights = g_new0(gint32, (gsize)n_source * n_output),
      .first = g_new0(guint, n_output),
      .end = g_new0(guint, n_output),
  };
  gdouble place = scale * 0.5; /* of nearest; Pillow adds the scale up */
  for (gint64 position = 0; position < (gint64)resized && position < crop + n_output; position++) {
    if (position >= crop && filter == SWIN_FILTER_NEAREST)
      fill_nearest(matrix, (guint)(position - crop), place);
    else if (position >= crop)
      fill_row(matrix, (guint)(position - crop), scale, (guint64)position, filter);
    place += scale;
  }
}

static void matrix_clear(Matrix *matrix) {
  g_free(matrix->weights);
  g_free(matrix->first);
  g_free(matrix->end);
}

/* Beside the resized picture there is nothing but @fill. */
static guint8 weigh(const Matrix *matrix, guint output, const guint8 *source, gsize step,
                    guint8 fill) {
  if (matrix->end[output] == 0)
    return fill;
  const gint32 *row = matrix->weights + (gsize)output * matrix->n_source;
  gint64 sum = 0;
  for (guint i = matrix->first[output]; i < matrix->end[output]; i++)
    sum += (gint64)row[i] * source[i * step];
  const gint64 code = (gint64)floor((gdouble)sum / (1 << 22) + 0.5);
  return (guint8)CLAMP(code, 0, 255);
}

/* Python's round(): halves to even. */
static gint64 round_half_even(gdouble value) {
  const gdouble below = floor(value);
  if (value - below != 0.5)
    return (gint64)floor(value + 0.5);
  return (gint64)(fmod(below, 2.0) == 0.0 ? below : below + 1.0);
}

/* torchvision's and transformers' center_crop(): both pad with half of what is missing, then crop.
 */
static gint64 crop_position(guint64 resized, guint output, SwinCropRounding rounding) {
  if (resized < output)
    return -(gint64)((output - resized) / 2);
  const gdouble half = (gdouble)(resized - output) / 2.0;
  return rounding == SWIN_CROP_ROUND_DOWN ? (gint64)floor(half) : round_half_even(half);
}

static void resized_size(const SwinFrame *frame, const SwinPreprocessing *preprocessing,
                         guint64 *width, guint64 *height) {
  guint source_width, source_height;
  reference_size(frame, &source_width, &source_height);
  const gdouble ratio_x = (gdouble)source_width / preprocessing->resize_width;
  const gdouble ratio_y = (gdouble)source_height / preprocessing->resize_height;
  const gdouble size = preprocessing->resize_size;
  const guint short_side = MIN(source_width, source_height);
  gdouble ratio = 0.0;
  switch (preprocessing->resize_mode) {
  case SWIN_RESIZE_SQUASH:
  case SWIN_RESIZE_PAD:
    *width = preprocessing->resize_width;
    *height = preprocessing->resize_height;
    return;
  case SWIN_RESIZE_SHORT_SIDE:
    *width = (guint64)(size * source_width / short_side);
    *height = (guint64)(size * source_height / short_side);
    return;
  case SWIN_RESIZE_COVER:
    ratio = MIN(ratio_x, ratio_y);
    break;
  case SWIN_RESIZE_CONTAIN:
    ratio = MAX(ratio_x, ratio_y);
    break;
  }
  *width = (guint64)MAX(round_half_even(source_width / ratio), 1);
  *height = (guint64)MAX(round_half_even(source_height / ratio), 1);
}

/** Canvas: the picture that is resized: what is looked at, or the square that it is pasted on. */
typedef struct {
  const SwinFrame *frame;
  const guint8 *fill;
  guint source_width, source_height; /* pixels that are looked at */
  guint width, height;               /* pixels */
  guint left, top;                   /* where the picture is */
} Canvas;

static Canvas make_canvas(const SwinFrame *frame, const SwinPreprocessing *preprocessing) {
  Canvas canvas = {.frame = frame, .fill = preprocessing->fill};
  reference_size(frame, &canvas.source_width, &canvas.source_height);
  canvas.width = canvas.source_width;
  canvas.height = canvas.source_height;
  if (preprocessing->resize_mode == SWIN_RESIZE_PAD) {
    canvas.width = canvas.height = MAX(canvas.source_width, canvas.source_height);
    canvas.left = (canvas.width - canvas.source_width) / 2;
    canvas.top = (canvas.height - canvas.source_height) / 2;
  }
  return canvas;
}

/* @line: [canvas->width, 3] */
static void canvas_row(const Canvas *canvas, guint y, guint8 *line) {
  for (guint x = 0; x < canvas->width; x++) {
    const gboolean inside = x >= canvas->left && x - canvas->left < canvas->source_width &&
                            y >= canvas->top && y - canvas->top < canvas->source_height;
    if (inside)
      reference_pixel(canvas->frame, x - canvas->left, y - canvas->top, line + 3 * x);
    else
      memcpy(line + 3 * x, canvas->fill, 3);
  }
}

static void swap_red_and_blue(guint8 *codes, gsize n_pixels) {
  for (gsize i = 0; i < n_pixels; i++) {
    const guint8 red = codes[3 * i];
    codes[3 * i] = codes[3 * i + 2];
    codes[3 * i + 2] = red;
  }
}

void reference_resize(const SwinFrame *frame, const SwinPreprocessing *preprocessing, guint width,
                      guint height, guint8 *codes) {
  const Canvas canvas = make_canvas(frame, preprocessing);
  const SwinCropRounding rounding = preprocessing->crop_rounding;
  g_autofree guint8 *line = g_new(guint8, (gsize)canvas.width * 3);
  g_autofree guint8 *narrow = g_new(guint8, (gsize)canvas.height * width * 3);
  guint64 resized_width, resized_height;
  Matrix columns, rows;
  resized_size(frame, preprocessing, &resized_width, &resized_height);
  matrix_init(&columns, canvas.width, resized_width, crop_position(resized_width, width, rounding),
              width, preprocessing->filter);
  matrix_init(&rows, canvas.height, resized_height, crop_position(resized_height, height, rounding),
              height, preprocessing->filter);
  for (guint y = 0; y < canvas.height; y++) {
    canvas_row(&canvas, y, line);
    for (guint i = 0; i < width * 3; i++)
      narrow[(gsize)y * width * 3 + i] =
          weigh(&columns, i / 3, line + i % 3, 3, preprocessing->fill[i % 3]);
  }
  for (guint y = 0; y < height; y++)
    for (guint i = 0; i < width * 3; i++)
      codes[(gsize)y * width * 3 + i] =
          weigh(&rows, y, narrow + i, (gsize)width * 3, preprocessing->fill[i % 3]);
  if (preprocessing->bgr)
    swap_red_and_blue(codes, (gsize)width * height);
  matrix_clear(&columns);
  matrix_clear(&rows);
}

void reference_normalise_codes(const guint8 *codes, const SwinPreprocessing *preprocessing,
                               guint width, guint height, gfloat *output) {
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++)
      for (guint i = 0; i < 3; i++) {
        const gfloat level_of_code = (gfloat)codes[((gsize)y * width + x) * 3 + i] / 255.0f;
        output[((gsize)i * height + y) * width + x] =
            (level_of_code - preprocessing->mean[i]) / preprocessing->std[i];
      }
}
