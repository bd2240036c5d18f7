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

static GArray *formats(void) {
  g_autoptr(GstCaps) caps =
      gst_caps_from_string("video/x-raw, format = (string) " SWIN_FRAME_FORMATS);
  const GValue *list = gst_structure_get_value(gst_caps_get_structure(caps, 0), "format");
  GArray *array = g_array_new(FALSE, FALSE, sizeof(GstVideoFormat));

  for (guint i = 0; i < gst_value_list_get_size(list); i++) {
    GstVideoFormat format =
        gst_video_format_from_string(g_value_get_string(gst_value_list_get_value(list, i)));

    fail_unless(format != GST_VIDEO_FORMAT_UNKNOWN);
    g_array_append_val(array, format);
  }
  return array;
}

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

static guint8 component_at(const SwinFrame *frame, guint index, guint x, guint y) {
  const SwinFrameComponent *component = &frame->component[index];

  return frame
      ->planes[component->plane]
              [component->offset + (y >> component->shift_y) * frame->strides[component->plane] +
               (x >> component->shift_x) * component->pixel_stride];
}

// GstVideo unpacks every 8-bit format to four bytes a pixel, of which the first is alpha: ARGB or
// AYUV.
static void compare_with_unpacked(const SwinFrame *frame, const GstVideoFrame *video) {
  const GstVideoFormatInfo *format = video->info.finfo;
  g_autofree guint8 *line = g_malloc(frame->width * 4);
  guint n_components = frame->model == SWIN_COLOR_GRAY ? 1 : 3;

  for (guint y = 0; y < frame->height; y++) {
    format->unpack_func(format, GST_VIDEO_PACK_FLAG_NONE, line, video->data, video->info.stride, 0,
                        (gint)y, (gint)frame->width);
    for (guint x = 0; x < frame->width; x++)
      for (guint i = 0; i < n_components; i++)
        fail_unless(component_at(frame, i, x, y) == line[x * 4 + 1 + i],
                    "%s: component %u at (%u, %u) is %u, should be %u", format->name, i, x, y,
                    component_at(frame, i, x, y), line[x * 4 + 1 + i]);
  }
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
  fail_unless(gst_video_frame_map(&video, &info, buffer, GST_MAP_READ));
  fail_unless(swin_frame_describe(&video, &frame, &error), "%s",
              error != NULL ? error->message : "");
  fail_unless(frame.struct_size == sizeof(SwinFrame));
  fail_unless_equals_int(frame.width, width);
  fail_unless_equals_int(frame.height, height);
  compare_with_unpacked(&frame, &video);
  gst_video_frame_unmap(&video);
  gst_buffer_unref(buffer);
}

GST_START_TEST(test_every_format_as_gstvideo_reads_it) {
  static const gint sizes[][2] = {{1, 1}, {2, 2}, {17, 13}, {64, 36}};
  static const Padding paddings[] = {{0, 0}, {5, 1}, {33, 7}};
  GArray *all = formats();

  fail_unless(all->len >= 15);
  for (guint f = 0; f < all->len; f++)
    for (guint s = 0; s < G_N_ELEMENTS(sizes); s++)
      for (guint p = 0; p < G_N_ELEMENTS(paddings); p++)
        check_format(g_array_index(all, GstVideoFormat, f), sizes[s][0], sizes[s][1], paddings[p]);
  g_array_unref(all);
}
GST_END_TEST;

static SwinFrame describe_caps(const gchar *caps_text) {
  g_autoptr(GstCaps) caps = gst_caps_from_string(caps_text);
  GstVideoInfo info;
  SwinFrame frame;
  GstBuffer *buffer;
  gpointer keep_alive;

  fail_unless(gst_video_info_from_caps(&info, caps));
  buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
  fail_unless(swin_frame_map(buffer, &info, &frame, &keep_alive, NULL));
  // The mapping keeps the picture.
  ASSERT_MINI_OBJECT_REFCOUNT(buffer, "buffer", 2);
  swin_frame_unmap(keep_alive);
  ASSERT_MINI_OBJECT_REFCOUNT(buffer, "buffer", 1);
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

static void expect_refusal(GstBuffer *buffer, const GstVideoInfo *info) {
  GError *error = NULL;
  SwinFrame frame;
  gpointer keep_alive;

  fail_if(swin_frame_map(buffer, info, &frame, &keep_alive, &error));
  fail_unless(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME));
  fail_unless(g_str_has_suffix(error->message, "."));
  g_error_free(error);
  ASSERT_MINI_OBJECT_REFCOUNT(buffer, "buffer", 1);
  gst_buffer_unref(buffer);
}

GST_START_TEST(test_buffers_that_are_too_small) {
  gsize offset[GST_VIDEO_MAX_PLANES] = {0, 64 * 64};
  gint stride[GST_VIDEO_MAX_PLANES] = {64, 64};
  gint beyond[GST_VIDEO_MAX_PLANES] = {64, 66};
  gsize size = 64 * 64 * 3 / 2;
  GstVideoInfo info;
  GstBuffer *buffer;
  SwinFrame frame;
  gpointer keep_alive;

  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, 64, 64);
  expect_refusal(gst_buffer_new_allocate(NULL, size - 1, NULL), &info);

  // The last byte of the last row is the limit, whatever the metadata says.
  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  gst_buffer_add_video_meta_full(buffer, 0, GST_VIDEO_FORMAT_NV12, 64, 64, 2, offset, stride);
  fail_unless(swin_frame_map(buffer, &info, &frame, &keep_alive, NULL));
  swin_frame_unmap(keep_alive);
  gst_buffer_unref(buffer);

  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  gst_buffer_add_video_meta_full(buffer, 0, GST_VIDEO_FORMAT_NV12, 64, 64, 2, offset, beyond);
  expect_refusal(buffer, &info);

  stride[0] = -64;
  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  gst_buffer_add_video_meta_full(buffer, 0, GST_VIDEO_FORMAT_NV12, 64, 64, 2, offset, stride);
  expect_refusal(buffer, &info);
}
GST_END_TEST;

static Suite *frame_suite(void) {
  Suite *suite = suite_create("frame");
  TCase *tcase = tcase_create("frame");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_every_format_as_gstvideo_reads_it);
  tcase_add_test(tcase, test_colorimetry);
  tcase_add_test(tcase, test_buffers_that_are_too_small);
  return suite;
}

GST_CHECK_MAIN(frame);
