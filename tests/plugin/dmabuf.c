// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames in dma-bufs. A file in memory stands for one: GStreamer maps it alike, and Vulkan drivers
// on the CPU import it alike. Where the driver cannot import, the element maps.
/* memfd_create() is Linux's own. */
#define _GNU_SOURCE

#include "../../plugin/dmabuf.h"

#include <gst/allocators/gstdmabuf.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../plugin/frame.h"
#include "../../plugin/input.h"
#include "../../plugin/metadata.h"
#include "../../plugin/swinclassify.h"
#include "network-input.h"

#define WIDTH 61
#define HEIGHT 43

/* ---- Memory -------------------------------------------------------------------------------- */

// @skip bytes come before those of @bytes in the dma-buf, and another @skip in the memory before.
static GstMemory *memory_in_dmabuf(GstAllocator *allocator, const guint8 *bytes, gsize size,
                                   gsize skip) {
  gint fd = memfd_create("swin-test", MFD_CLOEXEC);
  GstMemory *memory;

  fail_unless(fd >= 0);
  fail_unless(ftruncate(fd, (off_t)(size + 2 * skip)) == 0);
  fail_unless(pwrite(fd, bytes, size, (off_t)skip) == (gssize)size);
  memory = gst_dmabuf_allocator_alloc(allocator, fd, size + 2 * skip);
  gst_memory_resize(memory, (gssize)skip, size);
  return memory;
}

static void add_padded_meta(GstBuffer *buffer, GstVideoInfo *info) {
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
                                 (guint)info->width, (guint)info->height,
                                 GST_VIDEO_INFO_N_PLANES(info), info->offset, info->stride);
}

// A layout of its own: odd strides, planes that are moved.
static GstVideoInfo padded_info(GstVideoFormat format) {
  gsize size = 0, rows;
  GstVideoInfo info, tight;

  gst_video_info_set_format(&tight, format, WIDTH, HEIGHT);
  info = tight;
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES(&info); i++) {
    gsize end = i + 1 < GST_VIDEO_INFO_N_PLANES(&info) ? tight.offset[i + 1] : tight.size;

    rows = (end - tight.offset[i]) / (gsize)tight.stride[i];
    info.stride[i] = tight.stride[i] + 7;
    info.offset[i] = size + 5;
    size = info.offset[i] + rows * (gsize)info.stride[i];
  }
  info.size = size;
  return info;
}

static guint8 *random_bytes(gsize size) {
  g_autoptr(GRand) random = g_rand_new_with_seed((guint32)size);
  guint8 *bytes = g_malloc(size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)g_rand_int(random);
  return bytes;
}

// The bytes in memories of their own from each plane to the next, or in one.
static GstBuffer *buffer_in_dmabufs(const guint8 *bytes, GstVideoInfo *info, gboolean in_one) {
  GstAllocator *allocator = gst_dmabuf_allocator_new();
  GstBuffer *buffer = gst_buffer_new();
  guint n_planes = GST_VIDEO_INFO_N_PLANES(info), n_memories = in_one ? 1 : n_planes;

  for (guint i = 0; i < n_memories; i++) {
    gsize start = i == 0 ? 0 : info->offset[i];
    gsize end = i + 1 < n_memories ? info->offset[i + 1] : info->size;

    gst_buffer_append_memory(
        buffer, memory_in_dmabuf(allocator, bytes + start, end - start, in_one ? 0 : 4096));
  }
  add_padded_meta(buffer, info);
  gst_object_unref(allocator);
  return buffer;
}

static GstBuffer *buffer_in_system_memory(const guint8 *bytes, GstVideoInfo *info) {
  GstBuffer *buffer = gst_buffer_new_memdup(bytes, info->size);

  add_padded_meta(buffer, info);
  return buffer;
}

/* ---- Caps ---------------------------------------------------------------------------------- */

static gboolean parse(SwinInput *input, const gchar *text) {
  g_autoptr(GstCaps) caps = gst_caps_from_string(text);

  fail_unless(caps != NULL);
  return swin_input_parse(input, caps);
}

#define SIZE ", width=(int)64, height=(int)48, framerate=(fraction)25/1"

GST_START_TEST(test_caps) {
  SwinInput input;

  fail_unless(parse(&input, "video/x-raw, format=(string)P010_10LE" SIZE));
  fail_unless(input.memory == SWIN_FRAME_MEMORY_HOST);
  fail_unless(parse(&input, "video/x-raw(memory:DMABuf), format=(string)NV12" SIZE));
  fail_unless(input.memory == SWIN_FRAME_MEMORY_DMABUF);
  fail_unless(GST_VIDEO_INFO_FORMAT(&input.video) == GST_VIDEO_FORMAT_NV12);
  fail_if(parse(&input, "video/x-raw(memory:DMABuf), format=(string)v210" SIZE));
  fail_if(parse(&input, "video/x-raw(memory:GLMemory), format=(string)RGBA" SIZE));
  fail_if(parse(&input, "video/x-raw(format:Interlaced), format=(string)NV12, "
                        "interlace-mode=(string)alternate" SIZE));
  fail_if(parse(&input, "video/x-raw, format=(string){ NV12, I420 }" SIZE));
  fail_if(parse(&input, "audio/x-raw"));
}
GST_END_TEST;

#if GST_CHECK_VERSION(1, 24, 0)

#define DRM "video/x-raw(memory:DMABuf), format=(string)DMA_DRM, drm-format=(string)"

GST_START_TEST(test_drm_caps) {
  SwinInput input;

  fail_unless(parse(&input, DRM "NV12" SIZE));
  fail_unless(input.memory == SWIN_FRAME_MEMORY_DMABUF);
  fail_unless(GST_VIDEO_INFO_FORMAT(&input.video) == GST_VIDEO_FORMAT_NV12);
  fail_unless_equals_int(GST_VIDEO_INFO_WIDTH(&input.video), 64);
  fail_unless(GST_VIDEO_INFO_SIZE(&input.video) == 64 * 48 * 3 / 2);
  // XR24 is little endian: B comes first.
  fail_unless(parse(&input, DRM "XR24, colorimetry=(string)sRGB" SIZE));
  fail_unless(GST_VIDEO_INFO_FORMAT(&input.video) == GST_VIDEO_FORMAT_BGRx);
  // Tiled, as Intel's graphics have it.
  fail_if(parse(&input, DRM "NV12:0x0100000000000002" SIZE));
  fail_if(parse(&input, "video/x-raw(memory:DMABuf), format=(string)DMA_DRM" SIZE));
}
GST_END_TEST;

#endif

/* ---- Description --------------------------------------------------------------------------- */

static SwinFrame describe(GstBuffer *buffer, const GstVideoInfo *info) {
  SwinFrame frame;

  fail_unless(swin_frame_describe(buffer, info, &frame, NULL));
  return frame;
}

GST_START_TEST(test_description) {
  GstVideoInfo info = padded_info(GST_VIDEO_FORMAT_NV12);
  g_autofree guint8 *bytes = random_bytes(info.size);
  GstBuffer *buffer = buffer_in_dmabufs(bytes, &info, FALSE);
  SwinFrame frame = describe(buffer, &info);

  fail_unless(swin_dmabuf_describe(buffer, &info, &frame));
  fail_unless(frame.memory == SWIN_FRAME_MEMORY_DMABUF);
  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int(frame.dmabuf[i],
                           gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, i)));
    fail_unless(frame.strides[i] == (gsize)info.stride[i]);
  }
  fail_unless(frame.dmabuf_offset[0] == 4096 + info.offset[0]);
  fail_unless(frame.dmabuf_offset[1] == 4096);
  gst_buffer_unref(buffer);

  buffer = buffer_in_dmabufs(bytes, &info, TRUE);
  fail_unless(swin_dmabuf_describe(buffer, &info, &frame));
  fail_unless(frame.dmabuf[0] == frame.dmabuf[1]);
  fail_unless(frame.dmabuf_offset[0] == info.offset[0]);
  fail_unless(frame.dmabuf_offset[1] == info.offset[1]);
  gst_buffer_unref(buffer);
}
GST_END_TEST;

static void expect_no_description(GstBuffer *buffer, const GstVideoInfo *info) {
  SwinFrame frame = describe(buffer, info), before = frame;

  fail_if(swin_dmabuf_describe(buffer, info, &frame));
  fail_unless(memcmp(&frame, &before, sizeof frame) == 0);
  gst_buffer_unref(buffer);
}

GST_START_TEST(test_what_is_no_dmabuf) {
  GstVideoInfo info = padded_info(GST_VIDEO_FORMAT_NV12);
  g_autofree guint8 *bytes = random_bytes(info.size);
  GstBuffer *buffer = buffer_in_dmabufs(bytes, &info, FALSE);

  expect_no_description(buffer_in_system_memory(bytes, &info), &info);

  // One plane is somewhere else.
  gst_buffer_replace_memory(buffer, 1, gst_allocator_alloc(NULL, info.size - info.offset[1], NULL));
  expect_no_description(buffer, &info);

  // The last byte of the last row is missing.
  buffer = buffer_in_dmabufs(bytes, &info, FALSE);
  gst_memory_resize(gst_buffer_peek_memory(buffer, 1), 0,
                    (gsize)info.stride[1] * (HEIGHT / 2) + WIDTH);
  expect_no_description(buffer, &info);

  info.stride[1] = -info.stride[1];
  expect_no_description(buffer_in_dmabufs(bytes, &info, TRUE), &info);
}
GST_END_TEST;

/* ---- The element --------------------------------------------------------------------------- */

static GstHarness *open_element(void) {
  swin_metadata_register();
  fail_unless(GST_ELEMENT_REGISTER(swinclassify, NULL));
  return gst_harness_new_parse("swinclassify image-size=64 latency-policy=every");
}

static guint64 host_copies(GstHarness *harness) {
  GstElement *element = gst_harness_find_element(harness, "swinclassify");
  g_autoptr(GstStructure) stats = NULL;
  guint64 n_copies;

  g_object_get(element, "stats", &stats, NULL);
  gst_object_unref(element);
  fail_unless(gst_structure_get_uint64(stats, "host-copies", &n_copies));
  return n_copies;
}

// Takes @caps and @buffer.
static gfloat *tensor_of(GstHarness *harness, GstCaps *caps, GstBuffer *buffer, gsize *size) {
  GError *error = NULL;
  guint width, height;
  gfloat *tensor;

  gst_harness_set_src_caps(harness, caps);
  fail_unless_equals_int(gst_harness_push(harness, buffer), GST_FLOW_OK);
  gst_buffer_unref(gst_harness_pull(harness));
  tensor = network_input_read(&width, &height, &error);
  fail_unless(tensor != NULL, "%s", error != NULL ? error->message : "");
  *size = (gsize)3 * width * height * sizeof(gfloat);
  return tensor;
}

static gboolean is_imported(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinDevice) device = swin_device_open(NULL, &error);

  fail_unless(device != NULL, "%s", error != NULL ? error->message : "");
  return swin_device_takes_memory(device, SWIN_FRAME_MEMORY_DMABUF);
}

static GstCaps *plain_dmabuf_caps(const GstVideoInfo *info) {
  GstVideoInfo copy = *info;
  GstCaps *caps = gst_video_info_to_caps(&copy);

  gst_caps_set_features_simple(caps, gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_DMABUF, NULL));
  return caps;
}

// As this release writes them; 0 is DRM_FORMAT_MOD_LINEAR.
static GstCaps *dmabuf_caps(const GstVideoInfo *info) {
#if GST_CHECK_VERSION(1, 24, 0)
  GstVideoInfoDmaDrm drm;

  if (gst_video_info_dma_drm_from_video_info(&drm, info, 0))
    return gst_video_info_dma_drm_to_caps(&drm);
#endif
  return plain_dmabuf_caps(info);
}

// Bit for bit what it is in system memory, whichever way it is read.
static void check_format(GstHarness *harness, GstVideoFormat format, gboolean imported) {
  GstVideoInfo info = padded_info(format);
  g_autofree guint8 *bytes = random_bytes(info.size);
  g_autofree gfloat *expected = NULL;
  guint64 n_copies;
  gsize size;

  n_copies = host_copies(harness);
  expected = tensor_of(harness, gst_video_info_to_caps(&info),
                       buffer_in_system_memory(bytes, &info), &size);
  fail_unless_equals_uint64(host_copies(harness), ++n_copies);
  for (guint in_one = 0; in_one < 2; in_one++) {
    g_autofree gfloat *tensor =
        tensor_of(harness, in_one != 0 ? dmabuf_caps(&info) : plain_dmabuf_caps(&info),
                  buffer_in_dmabufs(bytes, &info, in_one != 0), &size);

    fail_unless(memcmp(tensor, expected, size) == 0, "%s differs", info.finfo->name);
    n_copies += imported ? 0 : 1;
    fail_unless_equals_uint64(host_copies(harness), n_copies);
  }
}

GST_START_TEST(test_every_format_as_in_system_memory) {
  g_autoptr(GArray) formats = swin_frame_formats();
  gboolean imported = is_imported();
  GstHarness *harness = open_element();

  g_print("Dma-bufs are %s here.\n", imported ? "imported" : "mapped");
  for (guint i = 0; i < formats->len; i++)
    check_format(harness, g_array_index(formats, GstVideoFormat, i), imported);
  gst_harness_teardown(harness);
}
GST_END_TEST;

// A buffer is taken as what it is, whatever the caps' features name.
GST_START_TEST(test_memory_of_another_kind) {
  GstVideoInfo info = padded_info(GST_VIDEO_FORMAT_I420);
  g_autofree guint8 *bytes = random_bytes(info.size);
  GstHarness *harness = open_element();
  g_autofree gfloat *a = NULL, *b = NULL;
  gsize size;

  a = tensor_of(harness, dmabuf_caps(&info), buffer_in_system_memory(bytes, &info), &size);
  b = tensor_of(harness, gst_video_info_to_caps(&info), buffer_in_dmabufs(bytes, &info, TRUE),
                &size);
  fail_unless(memcmp(a, b, size) == 0);
  gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *dmabuf_suite(void) {
  Suite *suite = suite_create("dmabuf");
  TCase *tcase = tcase_create("dmabuf");

  suite_add_tcase(suite, tcase);
  tcase_set_timeout(tcase, 300);
  tcase_add_test(tcase, test_caps);
#if GST_CHECK_VERSION(1, 24, 0)
  tcase_add_test(tcase, test_drm_caps);
#endif
  tcase_add_test(tcase, test_description);
  tcase_add_test(tcase, test_what_is_no_dmabuf);
  tcase_add_test(tcase, test_every_format_as_in_system_memory);
  tcase_add_test(tcase, test_memory_of_another_kind);
  return suite;
}

GST_CHECK_MAIN(dmabuf);
