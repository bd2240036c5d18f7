// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference.h"

#include <math.h>

/** Plane: the samples of one component, on a scale of 0 to 1, or -0.5 to 0.5 for chroma. */
typedef struct {
  guint width, height; /* samples */
  guint shift_x, shift_y;
  gboolean cosited_x, cosited_y, interlaced;
  gdouble *samples; /* [height][width]; owned */
} Plane;

/* ---- Samples ------------------------------------------------------------------------------- */

static guint subsampled(guint size, guint shift) {
  return (size + (1u << shift) - 1) >> shift;
}

static gboolean is_chroma(const GstVideoFrame *frame, guint component) {
  return GST_VIDEO_FORMAT_INFO_IS_YUV(frame->info.finfo) && component > 0;
}

// ITU-R BT.601, BT.709 and BT.2020 quantise alike.
static gdouble normalise(const GstVideoFrame *frame, guint component, guint code) {
  guint depth = GST_VIDEO_FORMAT_INFO_DEPTH(frame->info.finfo, component);
  gboolean chroma = is_chroma(frame, component);
  gdouble step;

  if (frame->info.colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235) {
    step = exp2((gdouble)depth - 8.0);
    return chroma ? (code - 128.0 * step) / (224.0 * step) : (code - 16.0 * step) / (219.0 * step);
  }
  return (code - (chroma ? exp2((gdouble)depth - 1.0) : 0.0)) / (exp2((gdouble)depth) - 1.0);
}

// The first row of the picture that has its chroma in row @y of the samples.
static guint row_of_sample(const Plane *plane, guint y) {
  if (plane->interlaced && plane->shift_y > 0)
    return (((y >> 1) << plane->shift_y) << 1) + (y & 1);
  return y << plane->shift_y;
}

void reference_unpack(const GstVideoFrame *frame, guint row, gpointer line) {
  const GstVideoFormatInfo *format = frame->info.finfo;
  GstVideoPackFlags flags = GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE;
  gint width = GST_VIDEO_FRAME_WIDTH(frame);

  if (GST_VIDEO_FRAME_IS_INTERLACED(frame))
    flags |= GST_VIDEO_PACK_FLAG_INTERLACED;
  // unpack_VYUY() exchanges U and V in the last column of an odd number. There is room for one
  // more.
  if (format->format == GST_VIDEO_FORMAT_VYUY)
    width = GST_ROUND_UP_2(width);
  format->unpack_func(format, flags, line, frame->data, frame->info.stride, 0, (gint)row, width);
}

static guint code_at(const GstVideoFrame *frame, const guint16 *line, guint component, guint x) {
  guint depth = GST_VIDEO_FORMAT_INFO_DEPTH(frame->info.finfo, component);

  if (GST_VIDEO_FORMAT_INFO_BITS(gst_video_format_get_info(frame->info.finfo->unpack_format)) == 8)
    return (guint)((const guint8 *)line)[4 * x + 1 + component] >> (8 - depth);
  return (guint)line[4 * x + 1 + component] >> (16 - depth);
}

static Plane read_plane(const GstVideoFrame *frame, guint component) {
  guint width = (guint)GST_VIDEO_FRAME_WIDTH(frame), height = (guint)GST_VIDEO_FRAME_HEIGHT(frame);
  g_autofree guint16 *line = g_new(guint16, 4 * (width + 1));
  Plane plane = {
      .shift_x = (guint)GST_VIDEO_FORMAT_INFO_W_SUB(frame->info.finfo, component),
      .shift_y = (guint)GST_VIDEO_FORMAT_INFO_H_SUB(frame->info.finfo, component),
      .cosited_x = (frame->info.chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0,
      .cosited_y = (frame->info.chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0,
      .interlaced = GST_VIDEO_FRAME_IS_INTERLACED(frame),
  };

  plane.width = subsampled(width, plane.shift_x);
  plane.height = subsampled(height, plane.shift_y);
  plane.samples = g_new0(gdouble, plane.width * plane.height);
  for (guint y = 0; y < plane.height; y++) {
    guint row = row_of_sample(&plane, y);

    // A last row of samples that no row of the picture begins with.
    if (row >= height)
      continue;
    reference_unpack(frame, row, line);
    for (guint x = 0; x < plane.width; x++)
      plane.samples[y * plane.width + x] =
          normalise(frame, component, code_at(frame, line, component, x << plane.shift_x));
  }
  return plane;
}

/* ---- Interpolation ------------------------------------------------------------------------- */

/** Place: two samples of a line of them, and the share of the second. */
typedef struct {
  guint first, second;
  gdouble share;
} Place;

static Place place_at(gdouble position, guint n_samples) {
  gdouble clamped = CLAMP(position, 0.0, (gdouble)n_samples - 1.0);
  guint first = (guint)clamped;

  return (Place){first, MIN(first + 1, n_samples - 1), clamped - first};
}

// Where sample 0 is between those of the full component, in their distance.
static gdouble first_position(guint shift, gboolean cosited) {
  return cosited ? 0.0 : ((1u << shift) - 1) / 2.0;
}

static Place place_x(const Plane *plane, guint x) {
  return place_at((x - first_position(plane->shift_x, plane->cosited_x)) / (1u << plane->shift_x),
                  plane->width);
}

static Place place_y(const Plane *plane, guint y) {
  gdouble row = (y - first_position(plane->shift_y, plane->cosited_y)) / (1u << plane->shift_y);
  guint field = y & 1;
  Place place;

  if (!plane->interlaced || plane->shift_y == 0)
    return place_at(row, plane->height);
  // Every second row of samples.
  place = place_at((row - field) / 2.0, (plane->height + 1 - field) / 2);
  return (Place){2 * place.first + field, 2 * place.second + field, place.share};
}

static gdouble sample_at(const Plane *plane, guint x, guint y) {
  Place h = place_x(plane, x), v = place_y(plane, y);
  const gdouble *upper = plane->samples + v.first * plane->width;
  const gdouble *lower = plane->samples + v.second * plane->width;

  return (1.0 - v.share) * ((1.0 - h.share) * upper[h.first] + h.share * upper[h.second]) +
         v.share * ((1.0 - h.share) * lower[h.first] + h.share * lower[h.second]);
}

/* ---- Colours ------------------------------------------------------------------------------- */

static void yuv_to_rgb(GstVideoColorMatrix matrix, const gdouble yuv[3], gdouble rgb[3]) {
  gdouble red, blue;

  gst_video_color_matrix_get_Kr_Kb(matrix, &red, &blue);
  rgb[0] = yuv[0] + 2.0 * (1.0 - red) * yuv[2];
  rgb[2] = yuv[0] + 2.0 * (1.0 - blue) * yuv[1];
  rgb[1] = (yuv[0] - red * rgb[0] - blue * rgb[2]) / (1.0 - red - blue);
}

static void colour_at(const GstVideoFrame *frame, const Plane planes[3], guint x, guint y,
                      gdouble rgb[3]) {
  gdouble value[3] = {0.0};

  for (guint i = 0; i < 3; i++)
    value[i] = planes[i].samples != NULL ? sample_at(&planes[i], x, y) : value[0];
  if (GST_VIDEO_FORMAT_INFO_IS_YUV(frame->info.finfo)) {
    yuv_to_rgb(frame->info.colorimetry.matrix, value, rgb);
    return;
  }
  for (guint i = 0; i < 3; i++)
    rgb[i] = value[i];
}

gdouble *reference_convert(const GstVideoFrame *frame) {
  guint width = (guint)GST_VIDEO_FRAME_WIDTH(frame), height = (guint)GST_VIDEO_FRAME_HEIGHT(frame);
  guint n_components = GST_VIDEO_FORMAT_INFO_IS_GRAY(frame->info.finfo) ? 1 : 3;
  gdouble *pixels = g_new(gdouble, width * height * 3);
  Plane planes[3] = {{.samples = NULL}};

  for (guint i = 0; i < n_components; i++)
    planes[i] = read_plane(frame, i);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      gdouble rgb[3];

      colour_at(frame, planes, x, y, rgb);
      for (guint i = 0; i < 3; i++)
        pixels[(y * width + x) * 3 + i] = CLAMP(rgb[i], 0.0, 1.0) * 255.0;
    }
  for (guint i = 0; i < n_components; i++)
    g_free(planes[i].samples);
  return pixels;
}
