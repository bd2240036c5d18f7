// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frame.h"

#include <string.h>

/* ---- Formats ------------------------------------------------------------------------------- */

/**
 * Irregular: a format whose GstVideoFormatInfo does not say where its samples are. By name, because
 * releases differ in the formats that they have.
 */
typedef struct {
  const gchar *name;
  SwinFrameComponent component[3];
} Irregular;

#define WORD16(offset, stride, shift, order, bit, bits)                                            \
  { 0, offset, stride, shift, 0, 0, 2, order, bit, bits }
#define WORD32(order, bit)                                                                         \
  { 0, 0, 4, 0, 0, 0, 4, order, bit, 10 }
// Y0 U Y1 V
#define YUYV(order, bit, bits)                                                                     \
  {                                                                                                \
    WORD16(0, 4, 0, order, bit, bits), WORD16(2, 8, 1, order, bit, bits),                          \
        WORD16(6, 8, 1, order, bit, bits)                                                          \
  }
// U Y V A
#define UYVA(order, bit, bits)                                                                     \
  {                                                                                                \
    WORD16(2, 8, 0, order, bit, bits), WORD16(0, 8, 0, order, bit, bits),                          \
        WORD16(4, 8, 0, order, bit, bits)                                                          \
  }
#define LITTLE FALSE
#define BIG TRUE

// As the functions that unpack these formats in video-format.c of GStreamer read them.
static const Irregular irregulars[] = {
    {"VYUY", {{0, 1, 2, 0, 0}, {0, 2, 4, 1, 0}, {0, 0, 4, 1, 0}}},
    {"IYU1", {{0, 1, 1, 0, 0, 1, 1, LITTLE, 0, 8}, {0, 0, 6, 2, 0}, {0, 3, 6, 2, 0}}},
    {"BGR16",
     {WORD16(0, 2, 0, G_BYTE_ORDER == G_BIG_ENDIAN, 0, 5),
      WORD16(0, 2, 0, G_BYTE_ORDER == G_BIG_ENDIAN, 5, 6),
      WORD16(0, 2, 0, G_BYTE_ORDER == G_BIG_ENDIAN, 11, 5)}},
    {"BGR15",
     {WORD16(0, 2, 0, G_BYTE_ORDER == G_BIG_ENDIAN, 0, 5),
      WORD16(0, 2, 0, G_BYTE_ORDER == G_BIG_ENDIAN, 5, 5),
      WORD16(0, 2, 0, G_BYTE_ORDER == G_BIG_ENDIAN, 10, 5)}},
    {"r210", {WORD32(BIG, 20), WORD32(BIG, 10), WORD32(BIG, 0)}},
    {"RGB10A2_LE", {WORD32(LITTLE, 0), WORD32(LITTLE, 10), WORD32(LITTLE, 20)}},
    {"BGR10A2_LE", {WORD32(LITTLE, 20), WORD32(LITTLE, 10), WORD32(LITTLE, 0)}},
    {"Y410", {WORD32(LITTLE, 10), WORD32(LITTLE, 0), WORD32(LITTLE, 20)}},
    {"v216",
     {WORD16(2, 4, 0, LITTLE, 0, 16), WORD16(0, 8, 1, LITTLE, 0, 16),
      WORD16(4, 8, 1, LITTLE, 0, 16)}},
    {"Y210", YUYV(LITTLE, 6, 10)},
    {"Y212_LE", YUYV(LITTLE, 4, 12)},
    {"Y212_BE", YUYV(BIG, 4, 12)},
    {"Y216_LE", YUYV(LITTLE, 0, 16)},
    {"Y216_BE", YUYV(BIG, 0, 16)},
    {"Y412_LE", UYVA(LITTLE, 4, 12)},
    {"Y412_BE", UYVA(BIG, 4, 12)},
    {"Y416_LE", UYVA(LITTLE, 0, 16)},
    {"Y416_BE", UYVA(BIG, 0, 16)},
};

// Formats that cost least to read, best first: few bytes a pixel, and those that cameras and
// decoders give.
static const GstVideoFormat preferred[] = {
    GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_NV21,
    GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_YVYU, GST_VIDEO_FORMAT_Y42B,
    GST_VIDEO_FORMAT_Y444, GST_VIDEO_FORMAT_RGB,  GST_VIDEO_FORMAT_BGR,  GST_VIDEO_FORMAT_RGBx,
    GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_xRGB, GST_VIDEO_FORMAT_xBGR, GST_VIDEO_FORMAT_RGBA,
    GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_ARGB, GST_VIDEO_FORMAT_ABGR, GST_VIDEO_FORMAT_GRAY8,
};

static SwinColorModel color_model(const GstVideoFormatInfo *format) {
  if (GST_VIDEO_FORMAT_INFO_IS_GRAY(format))
    return SWIN_COLOR_GRAY;
  return GST_VIDEO_FORMAT_INFO_IS_YUV(format) ? SWIN_COLOR_YUV : SWIN_COLOR_RGB;
}

guint swin_frame_n_components(const SwinFrame *frame) {
  return frame->model == SWIN_COLOR_GRAY ? 1 : 3;
}

// Bytes of the words that samples are in: GstVideo does not say it.
static guint word_size(const GstVideoFormatInfo *format) {
  guint n_bits = 0;

  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format); i++)
    n_bits = MAX(n_bits, format->depth[i] + format->shift[i]);
  return n_bits <= 8 ? 1 : n_bits <= 16 ? 2 : 4;
}

static SwinFrameComponent regular_component(const GstVideoFormatInfo *format, guint index) {
  SwinFrameComponent component = {
      .plane = format->plane[index],
      .offset = format->poffset[index],
      .pixel_stride = (guint)format->pixel_stride[index],
      .shift_x = format->w_sub[index],
      .shift_y = format->h_sub[index],
      .word_size = word_size(format),
      .low_bit = format->shift[index],
      .depth = format->depth[index],
  };

  component.big_endian = component.word_size > 1 && !GST_VIDEO_FORMAT_INFO_IS_LE(format);
  // P010 and its like count the offset in words.
  if (component.word_size == 2 && component.offset % 2 != 0)
    component.offset *= 2;
  return component;
}

static void describe_components(const GstVideoFormatInfo *format, SwinFrame *frame) {
  for (guint i = 0; i < G_N_ELEMENTS(irregulars); i++) {
    if (strcmp(irregulars[i].name, format->name) != 0)
      continue;
    memcpy(frame->component, irregulars[i].component, sizeof frame->component);
    return;
  }
  for (guint i = 0; i < swin_frame_n_components(frame); i++)
    frame->component[i] = regular_component(format, i);
}

static gboolean same_sample(const SwinFrameComponent *a, const SwinFrameComponent *b) {
  return a->plane == b->plane && a->offset == b->offset && a->low_bit == b->low_bit;
}

// Whether the description makes sense. GstVideo leaves the places of the samples at 0 where only a
// format's own functions know them, and no release but a later one can have such a format that is
// not in the table.
static gboolean is_described(const SwinFrame *frame) {
  guint n_components = swin_frame_n_components(frame);

  for (guint i = 0; i < n_components; i++) {
    const SwinFrameComponent *component = &frame->component[i];

    if (component->pixel_stride < 1 || component->pixel_stride > 16 || component->depth > 16 ||
        component->shift_x > 2 || component->shift_y > 2)
      return FALSE;
    for (guint j = 0; j < i; j++)
      if (same_sample(component, &frame->component[j]))
        return FALSE;
  }
  return TRUE;
}

static gboolean can_describe(GstVideoFormat format) {
  const GstVideoFormatInfo *info = gst_video_format_get_info(format);
  SwinFrame frame = SWIN_FRAME_INIT;

  if (info == NULL || info->unpack_func == NULL || GST_VIDEO_FORMAT_INFO_IS_COMPLEX(info) ||
      GST_VIDEO_FORMAT_INFO_IS_TILED(info) || GST_VIDEO_FORMAT_INFO_HAS_PALETTE(info))
    return FALSE;
  frame.model = color_model(info);
  describe_components(info, &frame);
  return is_described(&frame);
}

static gboolean contains(const GArray *formats, GstVideoFormat format) {
  for (guint i = 0; i < formats->len; i++)
    if (g_array_index(formats, GstVideoFormat, i) == format)
      return TRUE;
  return FALSE;
}

static void append_formats(GArray *formats, const GstVideoFormat *candidates, guint n_candidates) {
  for (guint i = 0; i < n_candidates; i++)
    if (!contains(formats, candidates[i]) && can_describe(candidates[i]))
      g_array_append_val(formats, candidates[i]);
}

GArray *swin_frame_formats(void) {
  GArray *formats = g_array_new(FALSE, FALSE, sizeof(GstVideoFormat));
  guint n_known;
  const GstVideoFormat *known = gst_video_formats_raw(&n_known);

  append_formats(formats, preferred, G_N_ELEMENTS(preferred));
  append_formats(formats, known, n_known);
  return formats;
}

void swin_frame_format_names(const GArray *formats, GValue *names) {
  g_value_init(names, GST_TYPE_LIST);
  for (guint i = 0; i < formats->len; i++) {
    GValue name = G_VALUE_INIT;

    g_value_init(&name, G_TYPE_STRING);
    g_value_set_string(&name,
                       gst_video_format_to_string(g_array_index(formats, GstVideoFormat, i)));
    gst_value_list_append_and_take_value(names, &name);
  }
}

GstStructure *swin_frame_append_caps(GstCaps *caps, const gchar *feature, const gchar *field,
                                     const GValue *names) {
  GstStructure *structure = gst_structure_new("video/x-raw", "width", GST_TYPE_INT_RANGE, 1, 32768,
                                              "height", GST_TYPE_INT_RANGE, 1, 32768, "framerate",
                                              GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, NULL);

  gst_structure_set_value(structure, field, names);
  gst_caps_append_structure_full(caps, structure,
                                 feature != NULL ? gst_caps_features_new(feature, NULL) : NULL);
  return structure;
}

/* ---- Pictures ------------------------------------------------------------------------------ */

// Where the stream names a matrix that libswin has not, the nearest: FCC's coefficients are those
// of BT.601 but for the third digit, SMPTE 240M's likewise those of BT.709.
static SwinColorMatrix color_matrix(const GstVideoInfo *info) {
  switch (info->colorimetry.matrix) {
  case GST_VIDEO_COLOR_MATRIX_BT709:
  case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
    return SWIN_COLOR_MATRIX_BT709;
  case GST_VIDEO_COLOR_MATRIX_BT2020:
    return SWIN_COLOR_MATRIX_BT2020;
  case GST_VIDEO_COLOR_MATRIX_UNKNOWN:
    // As GStreamer guesses where caps are silent: high definition starts above 576 lines.
    return GST_VIDEO_INFO_HEIGHT(info) > 576 ? SWIN_COLOR_MATRIX_BT709 : SWIN_COLOR_MATRIX_BT601;
  default:
    return SWIN_COLOR_MATRIX_BT601;
  }
}

static SwinColorRange color_range(const GstVideoInfo *info) {
  switch (info->colorimetry.range) {
  case GST_VIDEO_COLOR_RANGE_0_255:
    return SWIN_COLOR_RANGE_FULL;
  case GST_VIDEO_COLOR_RANGE_16_235:
    return SWIN_COLOR_RANGE_LIMITED;
  default:
    return GST_VIDEO_FORMAT_INFO_IS_YUV(info->finfo) ? SWIN_COLOR_RANGE_LIMITED
                                                     : SWIN_COLOR_RANGE_FULL;
  }
}

// As gst_video_frame_map() has it: in a mixed stream each buffer says it of itself.
static gboolean is_interlaced(GstBuffer *buffer, const GstVideoInfo *info) {
  if (GST_VIDEO_INFO_INTERLACE_MODE(info) == GST_VIDEO_INTERLACE_MODE_MIXED)
    return GST_BUFFER_FLAG_IS_SET(buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
  return GST_VIDEO_INFO_IS_INTERLACED(info);
}

// GstVideoConverter looks at the two flags alone, so a siting that is unknown is that of JPEG.
static SwinChromaSite chroma_site(GstBuffer *buffer, const GstVideoInfo *info) {
  guint site = 0;

  if (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED)
    site |= SWIN_CHROMA_COSITED_X;
  if (info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED)
    site |= SWIN_CHROMA_COSITED_Y;
  if (is_interlaced(buffer, info))
    site |= SWIN_CHROMA_INTERLACED;
  return site;
}

static gboolean check_meta(const GstVideoMeta *meta, const GstVideoInfo *info, GError **error) {
  if (meta->format != GST_VIDEO_INFO_FORMAT(info) ||
      meta->n_planes != GST_VIDEO_INFO_N_PLANES(info) ||
      meta->width < (guint)GST_VIDEO_INFO_WIDTH(info) ||
      meta->height < (guint)GST_VIDEO_INFO_HEIGHT(info)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The buffer's video metadata describe a %s picture of %u x %u pixels in %u planes, "
                "but its caps one of %s and %d x %d pixels in %u planes.",
                gst_video_format_to_string(meta->format), meta->width, meta->height, meta->n_planes,
                info->finfo->name, GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info),
                GST_VIDEO_INFO_N_PLANES(info));
    return FALSE;
  }
  return TRUE;
}

static gboolean set_crop(GstBuffer *buffer, const GstVideoInfo *info, SwinFrame *frame,
                         GError **error) {
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta(buffer);

  if (crop == NULL) {
    // What a larger picture has beyond the size in the caps is padding.
    frame->crop = (SwinRectangle){0, 0, (guint)info->width, (guint)info->height};
    return TRUE;
  }
  if (crop->width < 1 || crop->height < 1 || crop->x >= frame->width || crop->y >= frame->height ||
      crop->width > frame->width - crop->x || crop->height > frame->height - crop->y) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The buffer's crop metadata name %u x %u pixels at (%u, %u), which are not inside "
                "its picture of %u x %u.",
                crop->width, crop->height, crop->x, crop->y, frame->width, frame->height);
    return FALSE;
  }
  frame->crop = (SwinRectangle){crop->x, crop->y, crop->width, crop->height};
  return TRUE;
}

gboolean swin_frame_describe(GstBuffer *buffer, const GstVideoInfo *info, SwinFrame *frame,
                             GError **error) {
  const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);

  if (meta != NULL && !check_meta(meta, info, error))
    return FALSE;
  *frame = (SwinFrame)SWIN_FRAME_INIT;
  frame->width = meta != NULL ? meta->width : (guint)GST_VIDEO_INFO_WIDTH(info);
  frame->height = meta != NULL ? meta->height : (guint)GST_VIDEO_INFO_HEIGHT(info);
  frame->model = color_model(info->finfo);
  frame->matrix = color_matrix(info);
  frame->range = color_range(info);
  frame->chroma_site = chroma_site(buffer, info);
  describe_components(info->finfo, frame);
  return set_crop(buffer, info, frame, error);
}

/* ---- Memory -------------------------------------------------------------------------------- */

// The row of a plane that line @y has its samples in. Interlaced, even lines share even rows.
static guint row_of(const SwinFrame *frame, const SwinFrameComponent *component, guint y) {
  guint row = y >> component->shift_y;

  return frame->chroma_site & SWIN_CHROMA_INTERLACED ? (row & ~1u) | (y & 1) : row;
}

// Of an interlaced frame the last line but one may have a later row than the last one.
static guint last_row(const SwinFrame *frame, const SwinFrameComponent *component) {
  guint last = frame->height - 1, before = MAX(last, 1) - 1;

  return MAX(row_of(frame, component, last), row_of(frame, component, before));
}

gboolean swin_frame_component_fits(const SwinFrame *frame, guint index, gsize size) {
  const SwinFrameComponent *component = &frame->component[index];
  guint64 x = frame->width - 1;
  guint64 end = component->offset +
                (guint64)last_row(frame, component) * frame->strides[component->plane] +
                (x >> component->shift_x) * component->pixel_stride +
                (x >> 1) * component->pair_stride + MAX(component->word_size, 1);

  return end <= size;
}

// A GstVideoMeta is believed by gst_video_frame_map() whatever it says, so its last byte is checked
// here.
static gboolean set_component_memory(SwinFrame *frame, guint index, const GstVideoFrame *video) {
  guint plane = frame->component[index].plane;
  const GstMapInfo *map = video->meta != NULL ? &video->map[plane] : &video->map[0];
  const guint8 *data = video->data[plane];

  if (video->info.stride[plane] <= 0 || data == NULL || data < map->data ||
      data >= map->data + map->size)
    return FALSE;
  frame->planes[plane] = data;
  frame->strides[plane] = (gsize)video->info.stride[plane];
  return swin_frame_component_fits(frame, index, (gsize)(map->data + map->size - data));
}

gboolean swin_frame_set_host_memory(SwinFrame *frame, const GstVideoFrame *video, GError **error) {
  frame->memory = SWIN_FRAME_MEMORY_HOST;
  for (guint i = 0; i < swin_frame_n_components(frame); i++) {
    if (set_component_memory(frame, i, video))
      continue;
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The buffer is too small for a %s picture of %u x %u pixels with the strides that "
                "its video metadata names, which must be above 0.",
                video->info.finfo->name, frame->width, frame->height);
    return FALSE;
  }
  return TRUE;
}
