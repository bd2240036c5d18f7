// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Samples become what GStreamer's videoconvert (dither=none) makes of them, so that results do not
 * depend on whether a pipeline has one: to the bit, but for gray of more than 8 bits. That is not
 * always the nearest code: its matrices have 8 fractional bits, its products of 8-bit samples are
 * 16 bits wide, and it cuts off what is below a code. From the definitions it is up to 6 codes off
 * with 8 bits (white of the limited range becomes 253), and up to 2 with more.
 */
#include "image-private.h"

#include <math.h>
#include <string.h>

/* The code 255 among 16 bits, as gst-libs/gst/video/video-converter.c scales it. */
#define WHITE (255.0 * 256.0)

/* videoconvert takes gray for Y'CbCr with chroma in the middle. Of 16 bits, its rounded factors
 * give that a colour, from -0.1 to 0.25 codes strong, and darken all by cutting off. We leave gray
 * gray, and a quarter of a code brighter, so that white is white. */
#define GRAY_OFFSET (1 << 14)

/* What components of the range 0 to 1, chroma of -0.5 to 0.5, are multiplied with, and how they are
 * quantised: in steps of which `scale` are 1, from `zero` on. */
typedef struct {
  gdouble factor[3][3]; /* [R, G, B][component] */
  gdouble scale[3];
  gdouble zero[3];
} Colour;

/* R'G'B' = Y' + 2 (1 - Kr) Cr and so on (ITU-R BT.601-7 2.5, BT.709-6 3, BT.2020-2 table 4). */
static void set_yuv_factors(Colour *colour, SwinColorMatrix matrix) {
  static const gdouble weights[][2] = {
      [SWIN_COLOR_MATRIX_BT601] = {0.299, 0.114},
      [SWIN_COLOR_MATRIX_BT709] = {0.2126, 0.0722},
      [SWIN_COLOR_MATRIX_BT2020] = {0.2627, 0.0593},
  };
  const gdouble kr = weights[matrix][0];
  const gdouble kb = weights[matrix][1];
  const gdouble kg = 1.0 - kr - kb;
  const gdouble cr = 2.0 * (1.0 - kr);
  const gdouble cb = 2.0 * (1.0 - kb);
  const gdouble factor[3][3] = {
      {1.0, 0.0, cr}, {1.0, -cb * kb / kg, -cr * kr / kg}, {1.0, cb, 0.0}};
  memcpy(colour->factor, factor, sizeof(factor));
}

/* 219 luma and 224 chroma steps of 8 bits from 16 and 128 on, or all that there are (JFIF 1.02), of
 * samples that are @bits wide. */
static Colour yuv_colour(const SwinFrame *frame, guint bits) {
  const gboolean limited = frame->range == SWIN_COLOR_RANGE_LIMITED;
  const gdouble step = (gdouble)(1u << (bits - 8));
  const gdouble largest = (gdouble)((1u << bits) - 1);
  const gdouble luma = limited ? 219.0 * step : largest;
  const gdouble chroma = limited ? 224.0 * step : largest;
  Colour colour = {
      .scale = {luma, chroma, chroma},
      .zero = {limited ? 16.0 * step : 0.0, 128.0 * step, 128.0 * step},
  };
  set_yuv_factors(&colour,
                  frame->model == SWIN_COLOR_YUV ? frame->matrix : SWIN_COLOR_MATRIX_BT601);
  return colour;
}

/* Samples of 8 bits around 128, repeated in both bytes of 16, times the matrix in 256ths; the upper
 * 16 bits of the products are added up (video_orc_convert_AYUV_ARGB in video-orc.orc). */
static void describe_bytes(const SwinFrame *frame, struct SwinImageParameters *image) {
  const Colour colour = yuv_colour(frame, 8);
  image->flip = 0x80;
  image->spread = 0x01010000;
  image->drop = 16;
  image->inner = 16;
  for (guint i = 0; i < 3; i++) {
    image->colour_offset[i] = 128;
    for (guint j = 0; j < swin_frame_n_components(frame); j++)
      image->colour_matrix[3 * i + j] =
          (gint32)lrint(colour.factor[i][j] * 255.0 / colour.scale[j] * 256.0);
  }
}

/* Repeats a sample's bits until there are 16. */
static void widen(const SwinFrame *frame, struct SwinImageParameters *image) {
  for (guint i = 0; i < 3; i++) {
    const guint depth = swin_component_depth(swin_frame_shown_component(frame, i));
    guint bits = 0;
    image->repeat[i] = 0;
    for (; bits < 16; bits += depth)
      image->repeat[i] |= 1u << bits;
    image->surplus[i] = bits - 16;
  }
}

/* Samples of 16 bits times the matrix in 256ths, of which the upper bits are left
 * (video_converter_matrix16() in video-converter.c). */
static void describe_words(const SwinFrame *frame, struct SwinImageParameters *image) {
  const Colour colour = yuv_colour(frame, 16);
  widen(frame, image);
  image->outer = 16;
  for (guint i = 0; i < 3; i++) {
    gdouble zero = 0.0;
    for (guint j = 0; j < swin_frame_n_components(frame); j++) {
      const gdouble factor = colour.factor[i][j] * WHITE / colour.scale[j] * 256.0;
      zero += factor * colour.zero[j];
      image->colour_matrix[3 * i + j] = (gint32)lrint(factor);
    }
    image->colour_offset[i] = -(gint32)lrint(zero);
    if (frame->model == SWIN_COLOR_GRAY)
      image->colour_offset[i] += GRAY_OFFSET;
  }
}

static gboolean is_bytes(const SwinFrame *frame) {
  for (guint i = 0; i < swin_frame_n_components(frame); i++)
    if (swin_component_depth(&frame->component[i]) != 8)
      return FALSE;
  return TRUE;
}

/* 8 bits as they are, or the upper 8 of 16. */
static void describe_full_rgb(const SwinFrame *frame, struct SwinImageParameters *image) {
  for (guint i = 0; i < 3; i++)
    image->colour_matrix[3 * i + i] = 1;
  if (is_bytes(frame))
    return;
  widen(frame, image);
  image->outer = 8;
}

/* Fractional bits of a sum whose whole part may be -19 to 278. */
#define LIMITED_BITS 22

/* videoconvert leaves R'G'B' of limited range as it is. This is the definition, rounded to the
 * nearest code. */
static void describe_limited_rgb(const SwinFrame *frame, struct SwinImageParameters *image) {
  const gdouble one = ldexp(1.0, LIMITED_BITS);
  image->outer = LIMITED_BITS;
  for (guint i = 0; i < 3; i++) {
    const gdouble step = ldexp(1.0, (gint)swin_component_depth(&frame->component[i]) - 8);
    const gdouble factor = 255.0 / (219.0 * step) * one;
    image->colour_matrix[3 * i + i] = (gint32)lrint(factor);
    image->colour_offset[i] = (gint32)lrint(one / 2.0 - factor * 16.0 * step);
  }
}

void swin_image_describe_colour(const SwinFrame *frame, struct SwinImageParameters *image) {
  for (guint i = 0; i < 3; i++) {
    image->repeat[i] = 1;
    image->surplus[i] = 0;
  }
  image->flip = image->drop = image->inner = image->outer = 0;
  image->spread = 1;
  memset(image->colour_matrix, 0, sizeof(image->colour_matrix));
  memset(image->colour_offset, 0, sizeof(image->colour_offset));
  if (frame->model != SWIN_COLOR_RGB && is_bytes(frame))
    describe_bytes(frame, image);
  else if (frame->model != SWIN_COLOR_RGB)
    describe_words(frame, image);
  else if (frame->range == SWIN_COLOR_RANGE_LIMITED)
    describe_limited_rgb(frame, image);
  else
    describe_full_rgb(frame, image);
}
