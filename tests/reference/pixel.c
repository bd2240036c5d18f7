// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/preprocess.h"

#include <math.h>
#include <string.h>

/* ---- Samples -------------------------------------------------------------------------------- */

static guint depth_of(const SwinFrameComponent *component) {
  return component->depth == 0 ? 8 : component->depth;
}

static SwinRectangle crop_of(const SwinFrame *frame) {
  if (frame->crop.width > 0 && frame->crop.height > 0)
    return frame->crop;
  return (SwinRectangle){0, 0, frame->width, frame->height};
}

static gboolean has_site(const SwinFrame *frame, SwinChromaSite flag) {
  return (frame->chroma_site & flag) != 0;
}

static gboolean has_bytes(const SwinFrame *frame) {
  return depth_of(&frame->component[0]) == 8 &&
         (frame->model == SWIN_COLOR_GRAY ||
          (depth_of(&frame->component[1]) == 8 && depth_of(&frame->component[2]) == 8));
}

/* The sample that column @x has in row @row of its plane. */
static guint read_sample(const SwinFrame *frame, const SwinFrameComponent *component, guint x,
                         guint row) {
  const guint word_size = component->word_size == 0 ? 1 : component->word_size;
  const guint8 *word = frame->planes[component->plane] + component->offset +
                       (gsize)row * frame->strides[component->plane] +
                       (gsize)(x >> component->shift_x) * component->pixel_stride +
                       (gsize)(x / 2) * component->pair_stride;
  guint32 value = 0;
  for (guint i = 0; i < word_size; i++)
    value |= (guint32)word[component->big_endian ? word_size - 1 - i : i] << (8 * i);
  return (value >> component->low_bit) & ((1u << depth_of(component)) - 1);
}

/* What videoconvert makes of a sample before it goes on with 8 or 16 bits: the code of 8 bits, or
 * its bits over and over again (video_orc_unpack_... in video-orc.orc, unpack_... in
 * video-format.c). */
static guint unpack_sample(const SwinFrame *frame, const SwinFrameComponent *component,
                           guint sample) {
  const gint depth = (gint)depth_of(component);
  guint repeated = 0;
  if (has_bytes(frame) ||
      (frame->model == SWIN_COLOR_RGB && frame->range == SWIN_COLOR_RANGE_LIMITED))
    return sample;
  for (gint shift = 16 - depth; shift > -depth; shift -= depth)
    repeated |= shift >= 0 ? sample << shift : sample >> -shift;
  return repeated;
}

/* ---- Interpolation: the diagrams in gst-libs/gst/video/video-chroma.c ----------------------- */

/** Row: one row of samples, of which those under columns @left to @right can be seen. */
typedef struct {
  const SwinFrame *frame;
  const SwinFrameComponent *component;
  guint row;
  gint left, right;
} Row;

static guint at(const Row *row, gint x) {
  const guint column = (guint)CLAMP(x, row->left, row->right);
  return unpack_sample(row->frame, row->component,
                       read_sample(row->frame, row->component, column, row->row));
}

static guint across_half(const Row *row, gint x, gboolean cosited) {
  if (cosited)
    return x % 2 == 0 || x == row->right ? at(row, x) : (at(row, x) + at(row, x + 1) + 1) >> 1;
  return x % 2 == 0 ? (at(row, x - 1) + 3 * at(row, x) + 2) >> 2
                    : (3 * at(row, x) + at(row, x + 1) + 2) >> 2;
}

/* Centred, a line's last columns are interpolated only where all four of their group are there. */
static guint across_quarter(const Row *row, gint x, gboolean cosited) {
  const gint place = cosited ? x % 4 : (x + 2) % 4;
  const gint first = x - place;
  const guint a = at(row, first);
  if (!cosited) {
    const guint b = at(row, first + 2);
    if (first + 3 > row->right)
      return at(row, x);
    return ((guint)(7 - 2 * place) * a + (guint)(1 + 2 * place) * b + 4) >> 3;
  }
  if (first + 4 > row->right)
    return at(row, x);
  const guint b = at(row, first + 4);
  return ((guint)(4 - place) * at(row, x) + (guint)place * b + 2) >> 2;
}

static guint across(const Row *row, gint x) {
  const gboolean cosited = has_site(row->frame, SWIN_CHROMA_COSITED_X);
  switch (row->component->shift_x) {
  case 0:
    return at(row, x);
  case 1:
    return across_half(row, x, cosited);
  default:
    return across_quarter(row, x, cosited);
  }
}

/* Column @x of line @y, which is moved into the crop, interpolated across alone. */
static guint on_line(const SwinFrame *frame, const SwinFrameComponent *component, gint x, gint y) {
  const SwinRectangle crop = crop_of(frame);
  const guint line = (guint)CLAMP(y, (gint)crop.y, (gint)(crop.y + crop.height - 1));
  guint row = line >> component->shift_y;
  if (has_site(frame, SWIN_CHROMA_INTERLACED) && component->shift_y > 0)
    row = row / 2 * 2 + line % 2;
  return across(&(Row){frame, component, row, (gint)crop.x, (gint)(crop.x + crop.width - 1)}, x);
}

static guint down_fields(const SwinFrame *frame, const SwinFrameComponent *component, gint x,
                         gint y) {
  static const guint weights[4][2] = {{5, 3}, {7, 1}, {1, 7}, {3, 5}};
  const gint place = (y + 2) % 4;
  const gint first = y - place + place % 2;
  return (weights[place][0] * on_line(frame, component, x, first) +
          weights[place][1] * on_line(frame, component, x, first + 2) + 4) >>
         3;
}

static guint down_half(const SwinFrame *frame, const SwinFrameComponent *component, gint x,
                       gint y) {
  const gint other = y % 2 == 0 ? y - 1 : y + 1;
  return (3 * on_line(frame, component, x, y) + on_line(frame, component, x, other) + 2) >> 2;
}

static guint down_quarter(const SwinFrame *frame, const SwinFrameComponent *component, gint x,
                          gint y) {
  const gint place = (y + 2) % 4;
  const gint first = y - place;
  return ((guint)(7 - 2 * place) * on_line(frame, component, x, first) +
          (guint)(1 + 2 * place) * on_line(frame, component, x, first + 2) + 4) >>
         3;
}

/* Rows that are cosited, and those of a quarter of an interlaced frame, are not interpolated. */
static guint component_code(const SwinFrame *frame, guint index, gint x, gint y) {
  const SwinFrameComponent *component = &frame->component[index];
  const gboolean fields = has_site(frame, SWIN_CHROMA_INTERLACED);
  if (component->shift_y == 0 || has_site(frame, SWIN_CHROMA_COSITED_Y) ||
      (fields && component->shift_y == 2))
    return on_line(frame, component, x, y);
  if (fields)
    return down_fields(frame, component, x, y);
  return component->shift_y == 1 ? down_half(frame, component, x, y)
                                 : down_quarter(frame, component, x, y);
}

/* ---- Colour --------------------------------------------------------------------------------- */

/** Matrix3: rows of R, G and B, of whole codes: R'G'B' = m [Y Cb Cr 1], as 0 to 1. */
typedef struct {
  gdouble m[3][4];
} Matrix3;

/* E'Y = Kr E'R + Kg E'G + Kb E'B, E'CB = (E'B - E'Y) / (2 - 2 Kb), E'CR = (E'R - E'Y) / (2 - 2 Kr)
 * (ITU-R BT.601, BT.709, BT.2020), solved for E'R, E'G and E'B, of samples of @bits bits. */
static Matrix3 yuv_matrix(const SwinFrame *frame, gint bits) {
  const gboolean limited = frame->range == SWIN_COLOR_RANGE_LIMITED;
  const gdouble unit = ldexp(1.0, bits - 8); /* codes per code of 8 bits */
  const gdouble largest = ldexp(1.0, bits) - 1.0;
  const gdouble luma = 1.0 / (limited ? 219.0 * unit : largest);
  const gdouble chroma = 1.0 / (limited ? 224.0 * unit : largest);
  gdouble kr = 0.299, kb = 0.114;
  Matrix3 matrix;
  if (frame->model == SWIN_COLOR_YUV && frame->matrix == SWIN_COLOR_MATRIX_BT709)
    kr = 0.2126, kb = 0.0722;
  else if (frame->model == SWIN_COLOR_YUV && frame->matrix == SWIN_COLOR_MATRIX_BT2020)
    kr = 0.2627, kb = 0.0593;
  const gdouble red = (2.0 - 2.0 * kr) * chroma, blue = (2.0 - 2.0 * kb) * chroma;
  const gdouble rows[3][3] = {{luma, 0.0, red},
                              {luma, -kb * blue / (1.0 - kr - kb), -kr * red / (1.0 - kr - kb)},
                              {luma, blue, 0.0}};
  for (guint i = 0; i < 3; i++) {
    memcpy(matrix.m[i], rows[i], sizeof(rows[i]));
    matrix.m[i][3] =
        -(limited ? 16.0 * unit : 0.0) * rows[i][0] - 128.0 * unit * (rows[i][1] + rows[i][2]);
  }
  return matrix;
}

/* video_orc_convert_AYUV_ARGB: "subb 128", "splatbw", "mulhsw", "addw", "convssswb", "addb 128". */
static void quick_yuv_to_rgb(const SwinFrame *frame, const guint codes[3], guint8 rgb[3]) {
  const Matrix3 matrix = yuv_matrix(frame, 8);
  for (guint i = 0; i < 3; i++) {
    gint sum = 0;
    for (guint j = 0; j < 3; j++) {
      const gint8 centred = (gint8)((gint)codes[j] - 128);
      const gint16 splat = (gint16)((guint8)centred * 257);
      sum += (gint)floor(splat * rint(matrix.m[i][j] * 255.0 * 256.0) / 65536.0);
    }
    rgb[i] = (guint8)(CLAMP(sum, -128, 127) + 128);
  }
}

/* video_converter_matrix16(), and then the upper 8 of 16 bits. */
static void deep_yuv_to_rgb(const SwinFrame *frame, const guint codes[3], guint8 rgb[3]) {
  const gdouble scale = 255.0 * 256.0 * 256.0; /* white of 16 bits, in 256ths */
  const Matrix3 matrix = yuv_matrix(frame, 16);
  for (guint i = 0; i < 3; i++) {
    gdouble sum = rint(matrix.m[i][3] * scale);
    for (guint j = 0; j < 3; j++)
      sum += rint(matrix.m[i][j] * scale) * codes[j];
    rgb[i] = (guint8)(CLAMP(floor(sum / 256.0), 0.0, 65535.0) / 256.0);
  }
}

/* The same of luma alone, and a quarter of a code. */
static void deep_gray_to_rgb(const SwinFrame *frame, guint code, guint8 rgb[3]) {
  const gboolean limited = frame->range == SWIN_COLOR_RANGE_LIMITED;
  const gdouble factor = 255.0 * 256.0 * 256.0 / (limited ? 219.0 * 256.0 : 65535.0);
  const gdouble sum = rint(factor) * code - rint(factor * (limited ? 16.0 * 256.0 : 0.0));
  const gdouble level = floor((sum + 0.25 * 65536.0) / 65536.0);
  rgb[0] = rgb[1] = rgb[2] = (guint8)CLAMP(level, 0.0, 255.0);
}

/* R'G'B' stays as it is, but for the limited range, which is widened by its definition. */
static void rgb_to_rgb(const SwinFrame *frame, const guint codes[3], guint8 rgb[3]) {
  for (guint i = 0; i < 3; i++) {
    const gdouble unit = ldexp(1.0, (gint)depth_of(&frame->component[i]) - 8);
    const gdouble level = (codes[i] / unit - 16.0) / 219.0;
    if (frame->range == SWIN_COLOR_RANGE_LIMITED)
      rgb[i] = (guint8)floor(CLAMP(level, 0.0, 1.0) * 255.0 + 0.5);
    else
      rgb[i] = (guint8)(has_bytes(frame) ? codes[i] : codes[i] >> 8);
  }
}

/* ---- Orientation ---------------------------------------------------------------------------- */

void reference_size(const SwinFrame *frame, guint *width, guint *height) {
  const SwinRectangle crop = crop_of(frame);
  const SwinOrientation orientation = frame->orientation;
  const gboolean lying =
      orientation == SWIN_ORIENTATION_ROTATE_90 || orientation == SWIN_ORIENTATION_ROTATE_270 ||
      orientation == SWIN_ORIENTATION_TRANSPOSE || orientation == SWIN_ORIENTATION_ANTITRANSPOSE;
  *width = lying ? crop.height : crop.width;
  *height = lying ? crop.width : crop.height;
}

/* Where upright pixel (x, y) is stored. */
static void turn(const SwinFrame *frame, guint x, guint y, gint *stored_x, gint *stored_y) {
  const SwinRectangle crop = crop_of(frame);
  const guint right = crop.width - 1, bottom = crop.height - 1;
  guint places[][2] = {
      [SWIN_ORIENTATION_IDENTITY] = {x, y},
      [SWIN_ORIENTATION_ROTATE_90] = {y, bottom - x},
      [SWIN_ORIENTATION_ROTATE_180] = {right - x, bottom - y},
      [SWIN_ORIENTATION_ROTATE_270] = {right - y, x},
      [SWIN_ORIENTATION_FLIP_HORIZONTAL] = {right - x, y},
      [SWIN_ORIENTATION_FLIP_VERTICAL] = {x, bottom - y},
      [SWIN_ORIENTATION_TRANSPOSE] = {y, x},
      [SWIN_ORIENTATION_ANTITRANSPOSE] = {right - y, bottom - x},
  };
  *stored_x = (gint)(crop.x + places[frame->orientation][0]);
  *stored_y = (gint)(crop.y + places[frame->orientation][1]);
}

void reference_pixel(const SwinFrame *frame, guint x, guint y, guint8 rgb[3]) {
  guint codes[3];
  gint stored_x, stored_y;
  turn(frame, x, y, &stored_x, &stored_y);
  for (guint i = 0; i < 3; i++)
    codes[i] = frame->model == SWIN_COLOR_GRAY && i > 0
                   ? 128
                   : component_code(frame, i, stored_x, stored_y);
  if (frame->model == SWIN_COLOR_RGB)
    rgb_to_rgb(frame, codes, rgb);
  else if (has_bytes(frame))
    quick_yuv_to_rgb(frame, codes, rgb);
  else if (frame->model == SWIN_COLOR_YUV)
    deep_yuv_to_rgb(frame, codes, rgb);
  else
    deep_gray_to_rgb(frame, codes[0], rgb);
}
