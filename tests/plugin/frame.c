// SPDX-License-Identifier: LGPL-2.1-or-later
// GstVideo's frames as libswin is told of them, against GstVideo's own way to read them.
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "../../plugin/frame.h"

#define MAX_COMPONENTS 3

// Layouts that differ from the packed one: every stride longer by an odd number, every plane moved
// by one.
typedef struct {
  gint extra_stride;
  gsize extra_offset;
} Padding;

static gint plane_rows(const GstVideoInfo *info, guint plane) {
  gint component[GST_VIDEO_MAX_COMPONENTS];

  gst_video_format_info_component(info->finfo, plane, component);
  return GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(info->finfo, component[0], info->height);
}

// A picture of random bytes whose GstVideoMeta says how it is padded.
static GstBuffer *random_picture(const GstVideoInfo *info, Padding padding, GRand *random) {
  gsize offset[GST_VIDEO_MAX_PLANES] = {0}, size = 0;
  gint stride[GST_VIDEO_MAX_PLANES] = {0};
  GstBuffer *buffer;
  GstMapInfo map;

  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(info); plane++) {
    stride[plane] = GST_VIDEO_INFO_PLANE_STRIDE(info, plane) + padding.extra_stride;
    offset[plane] = size + padding.extra_offset;
    size = offset[plane] + (gsize)stride[plane] * (gsize)plane_rows(info, plane);
  }
  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
                                 (guint)info->width, (guint)info->height,
                                 GST_VIDEO_INFO_N_PLANES(info), offset, stride);
  fail_unless(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8)g_rand_int(random);
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

// As SwinFrameComponent defines it.
static guint sample_at(const SwinFrame *frame, guint index, guint x, guint y) {
  const SwinFrameComponent *component = &frame->component[index];
  const guint8 *bytes = frame->planes[component->plane] + component->offset +
                        (y >> component->shift_y) * frame->strides[component->plane] +
                        (x >> component->shift_x) * component->pixel_stride +
                        (x >> 1) * component->pair_stride;
  guint size = MAX(component->word_size, 1), depth = component->depth != 0 ? component->depth : 8;
  guint64 word = 0;

  for (guint i = 0; i < size; i++)
    word |= (guint64)bytes[i] << 8 * (component->big_endian ? size - 1 - i : i);
  return (guint)(word >> component->low_bit) & ((1u << depth) - 1);
}

// GstVideo unpacks every format to four components a pixel, of which the first is alpha, with 8 or
// 16 bits each: ARGB, AYUV, ARGB64 or AYUV64. The sample is in the high bits.
static void compare_with_unpacked(const SwinFrame *frame, const GstVideoFrame *video) {
  const GstVideoFormatInfo *format = video->info.finfo;
  gboolean wide = GST_VIDEO_FORMAT_INFO_BITS(gst_video_format_get_info(format->unpack_format)) > 8;
  g_autofree guint16 *line = g_new(guint16, frame->width * 4 + 4);
  guint n_components = swin_frame_n_components(frame);
  guint width = frame->width;

  // unpack_VYUY() exchanges U and V in the last column of an odd number, so it gets one more.
  if (format->format == GST_VIDEO_FORMAT_VYUY)
    width = GST_ROUND_UP_2(width);
  for (guint y = 0; y < frame->height; y++) {
    format->unpack_func(format, GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE, line, video->data,
                        video->info.stride, 0, (gint)y, (gint)width);
    for (guint x = 0; x < frame->width; x++)
      for (guint i = 0; i < n_components; i++) {
        guint depth = frame->component[i].depth != 0 ? frame->component[i].depth : 8;
        guint expected = wide ? line[x * 4 + 1 + i] >> (16 - depth)
                              : ((const guint8 *)line)[x * 4 + 1 + i] >> (8 - depth);

        fail_unless(sample_at(frame, i, x, y) == expected,
                    "%s: component %u at (%u, %u) is %u, should be %u", format->name, i, x, y,
                    sample_at(frame, i, x, y), expected);
      }
  }
}

// Leaves @video mapped where it succeeds.
static gboolean map_and_describe(GstBuffer *buffer, const GstVideoInfo *info, GstVideoFrame *video,
                                 SwinFrame *frame, GError **error) {
  if (!swin_frame_describe(buffer, info, frame, error) ||
      !gst_video_frame_map(video, info, buffer, GST_MAP_READ))
    return FALSE;
  if (swin_frame_set_host_memory(frame, video, error))
    return TRUE;
  gst_video_frame_unmap(video);
  return FALSE;
}

static void check_format(GstVideoFormat format, gint width, gint height, Padding padding) {
  g_autoptr(GRand) random = g_rand_new_with_seed((guint32)(width * height) + (guint32)format);
  GstVideoInfo info;
  GstVideoFrame video;
  SwinFrame frame;
  GstBuffer *buffer;
  GError *error = NULL;

  fail_unless(gst_video_info_set_format(&info, format, (guint)width, (guint)height));
  buffer = random_picture(&info, padding, random);
  fail_unless(map_and_describe(buffer, &info, &video, &frame, &error), "%s",
              error != NULL ? error->message : "");
  fail_unless(frame.struct_size == sizeof(SwinFrame));
  fail_unless(frame.memory == SWIN_FRAME_MEMORY_HOST);
  fail_unless_equals_int(frame.width, width);
  fail_unless_equals_int(frame.height, height);
  compare_with_unpacked(&frame, &video);
  gst_video_frame_unmap(&video);
  gst_buffer_unref(buffer);
}

GST_START_TEST(test_every_format_as_gstvideo_reads_it) {
  static const gint sizes[][2] = {{1, 1}, {2, 2}, {17, 13}, {64, 36}};
  static const Padding paddings[] = {{0, 0}, {5, 1}, {33, 7}};
  g_autoptr(GArray) all = swin_frame_formats();

  for (guint f = 0; f < all->len; f++)
    for (guint s = 0; s < G_N_ELEMENTS(sizes); s++)
      for (guint p = 0; p < G_N_ELEMENTS(paddings); p++)
        check_format(g_array_index(all, GstVideoFormat, f), sizes[s][0], sizes[s][1], paddings[p]);
}
GST_END_TEST;

// The formats of GStreamer 1.22 that can be described, so that none is lost unseen.
static const gchar *const required =
    "I420 YV12 NV12 NV21 YUY2 UYVY YVYU VYUY Y41B Y42B Y444 NV16 NV61 NV24 A420 AV12 AYUV VUYA v308 "
    "IYU1 IYU2 YUV9 YVU9 RGB BGR RGBx BGRx xRGB xBGR RGBA BGRA ARGB ABGR RGB16 BGR16 RGB15 BGR15 "
    "GBR GBRA RGBP BGRP GRAY8 GRAY16_LE GRAY16_BE P010_10LE P010_10BE P012_LE P012_BE P016_LE "
    "P016_BE I420_10LE I420_10BE I420_12LE I420_12BE I422_10LE I422_10BE I422_12LE I422_12BE "
    "Y444_10LE Y444_10BE Y444_12LE Y444_12BE Y444_16LE Y444_16BE A420_10LE A420_10BE A422_10LE "
    "A422_10BE A444_10LE A444_10BE GBR_10LE GBR_10BE GBR_12LE GBR_12BE GBRA_10LE GBRA_10BE "
    "GBRA_12LE GBRA_12BE ARGB64 ARGB64_LE ARGB64_BE RGBA64_LE RGBA64_BE BGRA64_LE BGRA64_BE "
    "ABGR64_LE ABGR64_BE AYUV64 r210 RGB10A2_LE BGR10A2_LE Y210 Y212_LE Y212_BE Y410 Y412_LE "
    "Y412_BE v216";
// Tiles, palettes, samples packed across words.
static const gchar *const refused = "RGB8P v210 UYVP NV12_64Z32 NV12_4L4 NV12_32L32 NV12_10LE32 "
                                    "NV16_10LE32 NV12_10LE40 GRAY10_LE32 NV12_16L32S";

static gboolean is_accepted(const GArray *formats, const gchar *name) {
  for (guint i = 0; i < formats->len; i++)
    if (g_strcmp0(gst_video_format_to_string(g_array_index(formats, GstVideoFormat, i)), name) == 0)
      return TRUE;
  return FALSE;
}

GST_START_TEST(test_which_formats) {
  g_autoptr(GArray) formats = swin_frame_formats();
  g_auto(GStrv) yes = g_strsplit(required, " ", -1);
  g_auto(GStrv) no = g_strsplit(refused, " ", -1);

  for (guint i = 0; yes[i] != NULL; i++)
    fail_unless(is_accepted(formats, yes[i]), "%s is missing", yes[i]);
  for (guint i = 0; no[i] != NULL; i++)
    fail_if(is_accepted(formats, no[i]), "%s cannot be described", no[i]);
  // What costs least comes first, and comes once.
  fail_unless(g_array_index(formats, GstVideoFormat, 0) == GST_VIDEO_FORMAT_I420);
  for (guint i = 0; i < formats->len; i++)
    for (guint j = 0; j < i; j++)
      fail_if(g_array_index(formats, GstVideoFormat, i) ==
              g_array_index(formats, GstVideoFormat, j));
}
GST_END_TEST;

static SwinFrame describe_caps(const gchar *caps_text) {
  g_autoptr(GstCaps) caps = gst_caps_from_string(caps_text);
  GstVideoInfo info;
  SwinFrame frame;
  GstBuffer *buffer;

  fail_unless(gst_video_info_from_caps(&info, caps));
  buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
  fail_unless(swin_frame_describe(buffer, &info, &frame, NULL));
  gst_buffer_unref(buffer);
  return frame;
}

#define CAPS(format, rest) "video/x-raw,width=64,height=64,framerate=25/1,format=" format rest

GST_START_TEST(test_colorimetry) {
  static const struct {
    const gchar *caps;
    SwinColorModel model;
    SwinColorMatrix matrix;
    SwinColorRange range;
  } cases[] = {
      {CAPS("I420", ",colorimetry=bt601"), SWIN_COLOR_YUV, SWIN_COLOR_MATRIX_BT601,
       SWIN_COLOR_RANGE_LIMITED},
      {CAPS("NV12", ",colorimetry=bt709"), SWIN_COLOR_YUV, SWIN_COLOR_MATRIX_BT709,
       SWIN_COLOR_RANGE_LIMITED},
      {CAPS("NV12", ",colorimetry=bt2020"), SWIN_COLOR_YUV, SWIN_COLOR_MATRIX_BT2020,
       SWIN_COLOR_RANGE_LIMITED},
      {CAPS("YUY2", ",colorimetry=smpte240m"), SWIN_COLOR_YUV, SWIN_COLOR_MATRIX_BT709,
       SWIN_COLOR_RANGE_LIMITED},
      // JPEG: full range, BT.601
      {CAPS("I420", ",colorimetry=1:4:0:0"), SWIN_COLOR_YUV, SWIN_COLOR_MATRIX_BT601,
       SWIN_COLOR_RANGE_FULL},
      {CAPS("I420", ",colorimetry=1:3:0:0"), SWIN_COLOR_YUV, SWIN_COLOR_MATRIX_BT709,
       SWIN_COLOR_RANGE_FULL},
      {CAPS("RGB", ""), SWIN_COLOR_RGB, SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_FULL},
      {CAPS("BGRx", ",colorimetry=2:1:0:0"), SWIN_COLOR_RGB, SWIN_COLOR_MATRIX_BT601,
       SWIN_COLOR_RANGE_LIMITED},
      {CAPS("GRAY8", ",colorimetry=1:4:0:0"), SWIN_COLOR_GRAY, SWIN_COLOR_MATRIX_BT601,
       SWIN_COLOR_RANGE_FULL},
      {CAPS("GRAY8", ",colorimetry=bt601"), SWIN_COLOR_GRAY, SWIN_COLOR_MATRIX_BT601,
       SWIN_COLOR_RANGE_LIMITED},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    SwinFrame frame = describe_caps(cases[i].caps);

    fail_unless(frame.model == cases[i].model, "%s: model", cases[i].caps);
    fail_unless(frame.range == cases[i].range, "%s: range", cases[i].caps);
    if (frame.model == SWIN_COLOR_YUV)
      fail_unless(frame.matrix == cases[i].matrix, "%s: matrix", cases[i].caps);
  }
}
GST_END_TEST;

GST_START_TEST(test_chroma_siting) {
  static const struct {
    const gchar *caps;
    guint site;
  } cases[] = {
      {CAPS("I420", ",colorimetry=bt601,chroma-site=jpeg"), 0},
      {CAPS("I420", ",colorimetry=bt601,chroma-site=mpeg2"), SWIN_CHROMA_COSITED_X},
      {CAPS("I420", ",colorimetry=bt601,chroma-site=v-cosited"), SWIN_CHROMA_COSITED_Y},
      {CAPS("I420", ",colorimetry=bt601,chroma-site=cosited"),
       SWIN_CHROMA_COSITED_X | SWIN_CHROMA_COSITED_Y},
      {CAPS("I420", ",colorimetry=bt601,chroma-site=dv"),
       SWIN_CHROMA_COSITED_X | SWIN_CHROMA_COSITED_Y},
      // Nothing is said.
      {CAPS("I420", ",colorimetry=bt601"), 0},
      // GstVideo's guess, from the height.
      {CAPS("I420", ""), 0},
      {"video/x-raw,width=64,height=720,framerate=25/1,format=I420", SWIN_CHROMA_COSITED_X},
      {CAPS("NV12", ",interlace-mode=interleaved,colorimetry=bt601,chroma-site=mpeg2"),
       SWIN_CHROMA_COSITED_X | SWIN_CHROMA_INTERLACED},
      // The buffer has the last word, and has no flag.
      {CAPS("NV12", ",interlace-mode=mixed,colorimetry=bt601"), 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    fail_unless(describe_caps(cases[i].caps).chroma_site == cases[i].site, "%s", cases[i].caps);
}
GST_END_TEST;

GST_START_TEST(test_mixed_interlacing) {
  GstBuffer *buffer;
  GstVideoInfo info;
  SwinFrame frame;

  gst_video_info_set_interlaced_format(&info, GST_VIDEO_FORMAT_NV12, GST_VIDEO_INTERLACE_MODE_MIXED,
                                       64, 64);
  buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
  GST_BUFFER_FLAG_SET(buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
  fail_unless(swin_frame_describe(buffer, &info, &frame, NULL));
  fail_unless(frame.chroma_site & SWIN_CHROMA_INTERLACED);
  gst_buffer_unref(buffer);
}
GST_END_TEST;

// Takes @buffer.
static void expect_refusal(GstBuffer *buffer, const GstVideoInfo *info) {
  GError *error = NULL;
  GstVideoFrame video;
  SwinFrame frame;

  fail_if(map_and_describe(buffer, info, &video, &frame, &error));
  fail_unless(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME));
  fail_unless(g_str_has_suffix(error->message, "."));
  g_error_free(error);
  ASSERT_MINI_OBJECT_REFCOUNT(buffer, "buffer", 1);
  gst_buffer_unref(buffer);
}

// Takes @buffer.
static SwinFrame expect_description(GstBuffer *buffer, const GstVideoInfo *info) {
  GError *error = NULL;
  GstVideoFrame video;
  SwinFrame frame;

  fail_unless(map_and_describe(buffer, info, &video, &frame, &error), "%s",
              error != NULL ? error->message : "");
  gst_video_frame_unmap(&video);
  gst_buffer_unref(buffer);
  return frame;
}

static void add_meta(GstBuffer *buffer, GstVideoFormat format, guint width, guint height,
                     guint n_planes, gsize *offset, gint *stride) {
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, format, width, height, n_planes,
                                 offset, stride);
}

GST_START_TEST(test_buffers_that_are_too_small) {
  gsize offset[GST_VIDEO_MAX_PLANES] = {0, 64 * 64};
  gint stride[GST_VIDEO_MAX_PLANES] = {64, 64};
  gint beyond[GST_VIDEO_MAX_PLANES] = {64, 66};
  gsize size = 64 * 64 * 3 / 2;
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, 64, 64);

  // The last byte of the last row is the limit, whatever the metadata says.
  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  add_meta(buffer, GST_VIDEO_FORMAT_NV12, 64, 64, 2, offset, stride);
  expect_description(buffer, &info);

  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  add_meta(buffer, GST_VIDEO_FORMAT_NV12, 64, 64, 2, offset, beyond);
  expect_refusal(buffer, &info);

  stride[0] = -64;
  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  add_meta(buffer, GST_VIDEO_FORMAT_NV12, 64, 64, 2, offset, stride);
  expect_refusal(buffer, &info);
}
GST_END_TEST;

// The first byte behind those that are read, which padding or alpha may follow. Planes that are not
// read are moved to the front.
static gsize end_of_picture(const SwinFrame *frame, GstVideoInfo *info) {
  gboolean is_read[GST_VIDEO_MAX_PLANES] = {FALSE};
  gsize end = 0;

  for (guint i = 0; i < swin_frame_n_components(frame); i++) {
    gsize offset = info->offset[frame->component[i].plane], size = info->size - offset;

    is_read[frame->component[i].plane] = TRUE;
    while (swin_frame_component_fits(frame, i, size - 1))
      size--;
    end = MAX(end, offset + size);
  }
  for (guint i = 0; i < info->finfo->n_planes; i++)
    if (!is_read[i])
      info->offset[i] = 0;
  return end;
}

static void check_bounds(GstVideoInfo *info) {
  GstVideoFormat format = GST_VIDEO_INFO_FORMAT(info);
  guint width = (guint)info->width, height = (guint)info->height;
  GstBuffer *buffer;
  SwinFrame frame;
  gsize end;

  buffer = gst_buffer_new_allocate(NULL, info->size, NULL);
  add_meta(buffer, format, width, height, info->finfo->n_planes, info->offset, info->stride);
  frame = expect_description(buffer, info);
  end = end_of_picture(&frame, info);
  for (guint missing = 0; missing < 2; missing++) {
    buffer = gst_buffer_new_allocate(NULL, end - missing, NULL);
    add_meta(buffer, format, width, height, info->finfo->n_planes, info->offset, info->stride);
    if (missing > 0)
      expect_refusal(buffer, info);
    else
      expect_description(buffer, info);
  }
}

GST_START_TEST(test_bounds_of_every_format) {
  g_autoptr(GArray) formats = swin_frame_formats();

  for (guint i = 0; i < formats->len; i++) {
    GstVideoFormat format = g_array_index(formats, GstVideoFormat, i);
    GstVideoInfo info;

    gst_video_info_set_format(&info, format, 17, 13);
    check_bounds(&info);
    gst_video_info_set_interlaced_format(&info, format, GST_VIDEO_INTERLACE_MODE_INTERLEAVED, 17,
                                         16);
    check_bounds(&info);
  }
}
GST_END_TEST;

// Line 13 of 14 has its chroma in row 7, which a progressive picture does not have.
GST_START_TEST(test_last_row_of_fields) {
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_interlaced_format(&info, GST_VIDEO_FORMAT_NV12,
                                       GST_VIDEO_INTERLACE_MODE_INTERLEAVED, 16, 14);
  fail_unless(info.size == 16 * (14 + 8));
  expect_description(gst_buffer_new_allocate(NULL, info.size, NULL), &info);
  buffer = gst_buffer_new_allocate(NULL, 16 * (14 + 7), NULL);
  add_meta(buffer, GST_VIDEO_FORMAT_NV12, 16, 14, 2, info.offset, info.stride);
  expect_refusal(buffer, &info);
}
GST_END_TEST;

// Planes in memories of their own, as decoders have them; each has to lie within its own.
GST_START_TEST(test_memories) {
  gsize offset[GST_VIDEO_MAX_PLANES] = {0, 64 * 64 + 128};
  gint stride[GST_VIDEO_MAX_PLANES] = {64, 64};
  GstVideoInfo info;
  GstBuffer *buffer;
  SwinFrame frame;

  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, 64, 64);
  buffer = gst_buffer_new_allocate(NULL, 64 * 64 + 128, NULL);
  gst_buffer_append_memory(buffer, gst_allocator_alloc(NULL, 64 * 32, NULL));
  add_meta(buffer, GST_VIDEO_FORMAT_NV12, 64, 64, 2, offset, stride);
  frame = expect_description(buffer, &info);
  fail_unless(frame.planes[0] != NULL && frame.planes[1] != NULL);

  // The first plane reaches into the second memory.
  buffer = gst_buffer_new_allocate(NULL, 64 * 60, NULL);
  gst_buffer_append_memory(buffer, gst_allocator_alloc(NULL, 64 * 36 + 128, NULL));
  add_meta(buffer, GST_VIDEO_FORMAT_NV12, 64, 64, 2, offset, stride);
  expect_refusal(buffer, &info);
}
GST_END_TEST;

GST_START_TEST(test_metadata_of_another_picture) {
  gsize offset[GST_VIDEO_MAX_PLANES] = {0, 64 * 64, 64 * 64 * 5 / 4};
  gint stride[GST_VIDEO_MAX_PLANES] = {64, 64, 64};
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, 64, 64);
  buffer = gst_buffer_new_allocate(NULL, 64 * 64 * 2, NULL);
  add_meta(buffer, GST_VIDEO_FORMAT_NV21, 64, 64, 2, offset, stride);
  expect_refusal(buffer, &info);
  buffer = gst_buffer_new_allocate(NULL, 64 * 64 * 2, NULL);
  add_meta(buffer, GST_VIDEO_FORMAT_NV12, 62, 64, 2, offset, stride);
  expect_refusal(buffer, &info);
  buffer = gst_buffer_new_allocate(NULL, 64 * 64 * 2, NULL);
  add_meta(buffer, GST_VIDEO_FORMAT_NV12, 64, 64, 3, offset, stride);
  expect_refusal(buffer, &info);
}
GST_END_TEST;

static GstBuffer *cropped(guint x, guint y, guint width, guint height) {
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, 64 * 48 * 3, NULL);
  gsize offset[GST_VIDEO_MAX_PLANES] = {0};
  gint stride[GST_VIDEO_MAX_PLANES] = {64 * 3};
  GstVideoCropMeta *crop;

  add_meta(buffer, GST_VIDEO_FORMAT_RGB, 64, 48, 1, offset, stride);
  if (width == 0)
    return buffer;
  crop = gst_buffer_add_video_crop_meta(buffer);
  crop->x = x;
  crop->y = y;
  crop->width = width;
  crop->height = height;
  return buffer;
}

GST_START_TEST(test_crop) {
  static const SwinRectangle outside[] = {
      {60, 0, 5, 5},         {0, 44, 5, 5},         {64, 0, 1, 1}, {0, 48, 1, 1},
      {G_MAXUINT, 0, 2, 40}, {2, 0, G_MAXUINT, 40}, {0, 0, 3, 49},
  };
  GstVideoInfo info;
  SwinFrame frame;

  // The size in the caps is that of what is seen.
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_RGB, 17, 13);
  frame = expect_description(cropped(5, 3, 17, 13), &info);
  fail_unless_equals_int(frame.width, 64);
  fail_unless_equals_int(frame.height, 48);
  fail_unless(frame.crop.x == 5 && frame.crop.y == 3);
  fail_unless(frame.crop.width == 17 && frame.crop.height == 13);
  expect_description(cropped(47, 35, 17, 13), &info);
  for (guint i = 0; i < G_N_ELEMENTS(outside); i++)
    expect_refusal(cropped(outside[i].x, outside[i].y, outside[i].width, outside[i].height), &info);

  // Without a crop the rest of a larger picture is padding.
  frame = expect_description(cropped(0, 0, 0, 0), &info);
  fail_unless(frame.crop.x == 0 && frame.crop.y == 0);
  fail_unless(frame.crop.width == 17 && frame.crop.height == 13);
}
GST_END_TEST;

static Suite *frame_suite(void) {
  Suite *suite = suite_create("frame");
  TCase *tcase = tcase_create("frame");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_every_format_as_gstvideo_reads_it);
  tcase_add_test(tcase, test_which_formats);
  tcase_add_test(tcase, test_colorimetry);
  tcase_add_test(tcase, test_chroma_siting);
  tcase_add_test(tcase, test_mixed_interlacing);
  tcase_add_test(tcase, test_buffers_that_are_too_small);
  tcase_add_test(tcase, test_bounds_of_every_format);
  tcase_add_test(tcase, test_last_row_of_fields);
  tcase_add_test(tcase, test_memories);
  tcase_add_test(tcase, test_metadata_of_another_picture);
  tcase_add_test(tcase, test_crop);
  return suite;
}

GST_CHECK_MAIN(frame);
