// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element says of frames: in which formats, and the properties that shape it.
#include <glib/gstdio.h>
#include <unistd.h>

#include "common.h"

static void expect_label(GstHarness *harness, GstBuffer *frame, const gchar *label,
                         const gchar *what) {
  GstBuffer *pulled = test_push_and_pull(harness, frame);
  const gchar *best = test_best_label(pulled);

  fail_unless(g_strcmp0(best, label) == 0, "%s is '%s', should be '%s'", what, best, label);
  gst_buffer_unref(pulled);
}

/* ---- Formats and layouts ------------------------------------------------------------------- */

static const gchar *const color_formats[] = {"I420", "YV12", "NV12", "NV21", "YUY2", "UYVY", "YVYU",
                                             "Y42B", "Y444", "RGB",  "BGR",  "RGBx", "BGRx", "xRGB",
                                             "xBGR", "RGBA", "BGRA", "ARGB", "ABGR"};

static void set_format(GstHarness *harness, const gchar *format, gint width, gint height) {
  g_autofree gchar *caps =
      g_strdup_printf("video/x-raw, format=(string)%s, width=(int)%d, height=(int)%d, "
                      "framerate=(fraction)25/1",
                      format, width, height);

  gst_harness_set_src_caps_str(harness, caps);
}

GST_START_TEST(test_every_format) {
  static const gchar *const patterns[][2] = {{"smpte", "colour bars"}, {"red", "red"},
                                             {"green", "green"},       {"blue", "blue"},
                                             {"white", "white"},       {"black", "black"}};
  GstHarness *harness = test_harness_new("");

  for (guint f = 0; f < G_N_ELEMENTS(color_formats); f++) {
    set_format(harness, color_formats[f], TEST_WIDTH, TEST_HEIGHT);
    for (guint p = 0; p < G_N_ELEMENTS(patterns); p++) {
      g_autofree gchar *what = g_strdup_printf("%s in %s", patterns[p][0], color_formats[f]);

      expect_label(harness,
                   test_frame_new(patterns[p][0], color_formats[f], TEST_WIDTH, TEST_HEIGHT),
                   patterns[p][1], what);
    }
  }
  set_format(harness, "GRAY8", TEST_WIDTH, TEST_HEIGHT);
  expect_label(harness, test_frame_new("black", "GRAY8", TEST_WIDTH, TEST_HEIGHT), "black", "gray");
  expect_label(harness, test_frame_new("white", "GRAY8", TEST_WIDTH, TEST_HEIGHT), "white", "gray");
  test_harness_teardown(harness);
}
GST_END_TEST;

// The same picture with rows that are longer than they need be, by odd numbers, and filled up with
// what would be taken for a pattern if it were read.
static GstBuffer *with_odd_layout(GstBuffer *packed, const gchar *format, gint width, gint height) {
  g_autofree gchar *text =
      g_strdup_printf("video/x-raw,format=%s,width=%d,height=%d", format, width, height);
  g_autoptr(GstCaps) caps = gst_caps_from_string(text);
  gsize offset[GST_VIDEO_MAX_PLANES] = {0}, size = 0;
  gint stride[GST_VIDEO_MAX_PLANES] = {0};
  GstVideoFrame from;
  GstVideoInfo info;
  GstBuffer *buffer;

  fail_unless(gst_video_info_from_caps(&info, caps));
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); plane++) {
    stride[plane] = GST_VIDEO_INFO_PLANE_STRIDE(&info, plane) + 101 + 2 * (gint)plane;
    offset[plane] = size + 3;
    size = offset[plane] + (gsize)stride[plane] * (gsize)height;
  }
  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  for (gsize i = 0; i < size; i++)
    gst_buffer_memset(buffer, i, (guint8)(i * 113), 1);
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
                                 (guint)width, (guint)height, GST_VIDEO_INFO_N_PLANES(&info),
                                 offset, stride);
  fail_unless(gst_video_frame_map(&from, &info, packed, GST_MAP_READ));
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); plane++) {
    gint components[GST_VIDEO_MAX_COMPONENTS], rows;

    gst_video_format_info_component(info.finfo, plane, components);
    rows = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(info.finfo, components[0], height);
    // Whole rows: gst_video_frame_copy() leaves out the last chroma sample of an odd width.
    for (gint y = 0; y < rows; y++)
      gst_buffer_fill(buffer, offset[plane] + (gsize)(y * stride[plane]),
                      (guint8 *)from.data[plane] + y * from.info.stride[plane],
                      (gsize)from.info.stride[plane]);
  }
  gst_video_frame_unmap(&from);
  return buffer;
}

// Strides and offsets change nothing: not the labels, and not a bit of the confidences.
GST_START_TEST(test_odd_strides) {
  static const gchar *const formats[] = {"I420", "NV12", "YUY2", "RGB", "BGRA", "GRAY8"};
  GstHarness *harness = test_harness_new("top-k=64");
  const gint width = 321, height = 241;

  for (guint f = 0; f < G_N_ELEMENTS(formats); f++) {
    GstBuffer *packed = test_frame_new("smpte", formats[f], width, height);
    GstBuffer *odd = with_odd_layout(packed, formats[f], width, height);
    TestTags expected, tags;

    set_format(harness, formats[f], width, height);
    expected = test_classify(harness, packed);
    tags = test_classify(harness, odd);
    fail_unless(tags.n_tags > 1);
    fail_unless_equals_int(tags.n_tags, expected.n_tags);
    for (guint i = 0; i < tags.n_tags; i++) {
      fail_unless_equals_int(tags.labels[i], expected.labels[i]);
      fail_unless(tags.confidences[i] == expected.confidences[i], "%s: tag %u differs", formats[f],
                  i);
    }
  }
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_every_size) {
  static const gint sizes[][2] = {{1, 1}, {1, 64}, {64, 1}, {2, 2}, {7, 5}, {33, 1023}, {4096, 2}};
  GstHarness *harness = test_harness_new("");

  for (guint s = 0; s < G_N_ELEMENTS(sizes); s++) {
    GstBuffer *pulled;

    set_format(harness, "I420", sizes[s][0], sizes[s][1]);
    pulled = test_push_and_pull(harness, test_frame_new("black", "I420", sizes[s][0], sizes[s][1]));
    assert_equals_string(test_best_label(pulled), "black");
    gst_buffer_unref(pulled);
  }
  test_harness_teardown(harness);
}
GST_END_TEST;

/* ---- Properties ---------------------------------------------------------------------------- */

GST_START_TEST(test_top_k) {
  for (guint top_k = 1; top_k <= 7; top_k += 2) {
    g_autofree gchar *properties = g_strdup_printf("top-k=%u", top_k);
    GstHarness *harness = test_harness_new(properties);
    TestTags tags = test_classify(harness, test_frame_at("smpte", 0));

    fail_unless_equals_int(tags.n_tags, top_k);
    fail_unless_equals_int(tags.n_metas, 1);
    test_harness_teardown(harness);
  }
}
GST_END_TEST;

// Everything at least as sure as the threshold stays, in the metadata and in the message.
GST_START_TEST(test_threshold) {
  GstHarness *harness = test_harness_new("top-k=5");
  TestTags all = test_classify(harness, test_frame_at("smpte", 0)), tags, message;
  GstBuffer *pulled;

  test_count_classifications(harness);
  g_object_set(test_element(harness), "threshold", all.confidences[2], NULL);
  tags = test_classify(harness, test_frame_at("smpte", 1));
  message = test_next_message_tags(harness);
  fail_unless_equals_int(tags.n_tags, 3);
  fail_unless_equals_int(message.n_tags, 3);
  fail_unless_equals_int(tags.labels[2], all.labels[2]);

  // Nothing reaches it: no metadata, and a message that says so.
  fail_unless(all.confidences[0] < 1.0);
  g_object_set(test_element(harness), "threshold", 1.0f, NULL);
  pulled = test_push_and_pull(harness, test_frame_at("smpte", 2));
  fail_unless_equals_int(test_tags_of_buffer(pulled).n_metas, 0);
  gst_buffer_unref(pulled);
  fail_unless_equals_int(test_next_message_tags(harness).n_tags, 0);
  test_harness_teardown(harness);
}
GST_END_TEST;

// Of frames 0 to 6 every third is looked at; what is between carries on with what was seen.
GST_START_TEST(test_inference_interval_carries_last_result) {
  static const gchar *const patterns[] = {"smpte", "black", "black", "black",
                                          "smpte", "smpte", "white"};
  static const gchar *const labels[] = {"colour bars", "colour bars", "colour bars", "black",
                                        "black",       "black",       "white"};
  GstHarness *harness = test_harness_new("inference-interval=3");

  for (guint i = 0; i < G_N_ELEMENTS(patterns); i++)
    fail_unless_equals_int(gst_harness_push(harness, test_frame_at(patterns[i], i)), GST_FLOW_OK);
  for (guint i = 0; i < G_N_ELEMENTS(labels); i++) {
    GstBuffer *pulled = gst_harness_pull(harness);

    fail_unless(GST_BUFFER_PTS(pulled) == i * TEST_FRAME_TIME);
    fail_unless(g_strcmp0(test_best_label(pulled), labels[i]) == 0, "frame %u is '%s'", i,
                test_best_label(pulled));
    gst_buffer_unref(pulled);
  }
  fail_unless_equals_int(test_count_classifications(harness), 3);
  test_harness_teardown(harness);
}
GST_END_TEST;

// A shorter interval holds at once, not after what is left of the longer one.
GST_START_TEST(test_inference_interval_while_playing) {
  GstHarness *harness = test_harness_new("inference-interval=1000000");

  expect_label(harness, test_frame_at("smpte", 0), "colour bars", "frame 0");
  expect_label(harness, test_frame_at("black", 1), "colour bars", "frame 1");
  g_object_set(test_element(harness), "inference-interval", 1, NULL);
  expect_label(harness, test_frame_at("black", 2), "black", "frame 2");
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_post_messages_false) {
  GstHarness *harness = test_harness_new("post-messages=false");
  GstBuffer *pulled = test_push_and_pull(harness, test_frame_at("smpte", 0));

  assert_equals_string(test_best_label(pulled), "colour bars");
  gst_buffer_unref(pulled);
  fail_unless(test_next_classification(harness) == NULL);
  g_object_set(test_element(harness), "post-messages", TRUE, NULL);
  gst_buffer_unref(test_push_and_pull(harness, test_frame_at("smpte", 1)));
  fail_unless_equals_int(test_count_classifications(harness), 1);
  test_harness_teardown(harness);
}
GST_END_TEST;

// The score of what was seen goes down by the factor with each frame that does not show it.
GST_START_TEST(test_smoothing) {
  GstHarness *harness = test_harness_new("smoothing=0.75 top-k=64");
  TestTags bars = test_classify(harness, test_frame_at("smpte", 0)), tags;
  gdouble expected = bars.confidences[0], black, sum = 0.0;

  tags = test_classify(harness, test_frame_at("black", 1));
  fail_unless_equals_int(tags.labels[0], bars.labels[0]);
  fail_unless(tags.confidences[0] >= 0.75 * expected && tags.confidences[0] < expected);
  assert_equals_string(g_quark_to_string(tags.labels[1]), "black");
  black = tags.confidences[1];
  for (guint i = 0; i < tags.n_tags; i++)
    sum += tags.confidences[i];
  fail_unless(ABS(sum - 1.0) <= 1e-5);
  test_harness_teardown(harness);

  // The same from the two results by themselves.
  harness = test_harness_new("top-k=64");
  tags = test_classify(harness, test_frame_at("black", 1));
  assert_equals_string(g_quark_to_string(tags.labels[0]), "black");
  for (guint i = 0; i < bars.n_tags; i++) {
    if (bars.labels[i] == tags.labels[0])
      expected = 0.75 * bars.confidences[i] + 0.25 * tags.confidences[0];
  }
  fail_unless(ABS(black - expected) <= 1e-6, "%g instead of %g", black, expected);
  test_harness_teardown(harness);
}
GST_END_TEST;

// A file of names "0", "1", ... shows which line belongs to which class.
GST_START_TEST(test_labels_file) {
  g_autoptr(GString) lines = g_string_new(NULL);
  g_autofree gchar *path = NULL;
  g_autofree gchar *properties = NULL;
  gint file = g_file_open_tmp(NULL, &path, NULL);
  GstHarness *harness = test_harness_new("top-k=64");
  GstMessage *message;
  const GValue *labels, *indices;
  guint n_classes;

  fail_unless(file >= 0);
  close(file);
  n_classes = test_classify(harness, test_frame_at("smpte", 0)).n_tags;
  test_harness_teardown(harness);
  for (guint i = 0; i < n_classes; i++)
    g_string_append_printf(lines, "%u\n", i);
  fail_unless(g_file_set_contents(path, lines->str, -1, NULL));

  properties = g_strdup_printf("top-k=64 labels-file=%s", path);
  harness = test_harness_new(properties);
  gst_buffer_unref(test_push_and_pull(harness, test_frame_at("smpte", 0)));
  message = test_next_classification(harness);
  labels = gst_structure_get_value(gst_message_get_structure(message), "labels");
  indices = gst_structure_get_value(gst_message_get_structure(message), "indices");
  fail_unless_equals_int(gst_value_array_get_size(indices), n_classes);
  for (guint i = 0; i < n_classes; i++) {
    g_autofree gchar *expected =
        g_strdup_printf("%u", g_value_get_uint(gst_value_array_get_value(indices, i)));

    assert_equals_string(g_value_get_string(gst_value_array_get_value(labels, i)), expected);
  }
  gst_message_unref(message);
  test_harness_teardown(harness);
  g_unlink(path);
}
GST_END_TEST;

GST_START_TEST(test_model_file_as_folder_and_as_file) {
  gchar *folder = test_model_copy();
  g_autofree gchar *file = g_build_filename(folder, "model.safetensors", NULL);
  const gchar *const locations[] = {folder, file, "testcard"};

  for (guint i = 0; i < G_N_ELEMENTS(locations); i++) {
    g_autofree gchar *properties = g_strdup_printf("model-file=%s", locations[i]);
    GstHarness *harness = test_harness_new(properties);

    expect_label(harness, test_frame_at("smpte", 0), "colour bars", locations[i]);
    test_harness_teardown(harness);
  }
  test_model_remove(folder);
}
GST_END_TEST;

GST_START_TEST(test_device_by_index_and_name) {
  static const gchar *const selectors[] = {"device=0", "device=LLVMpipe", ""};

  for (guint i = 0; i < G_N_ELEMENTS(selectors); i++) {
    GstHarness *harness = test_harness_new(selectors[i]);
    GstElement *element = test_element(harness);
    gchar *name;

    gst_buffer_unref(test_push_and_pull(harness, test_frame_at("smpte", 0)));
    g_object_get(element, "device-name", &name, NULL);
    fail_unless(name != NULL && strstr(name, "llvmpipe") != NULL, "device is '%s'", name);
    g_free(name);
    gst_element_set_state(element, GST_STATE_NULL);
    g_object_get(element, "device-name", &name, NULL);
    fail_unless(name == NULL);
    test_harness_teardown(harness);
  }
}
GST_END_TEST;

static Suite *results_suite(void) {
  Suite *suite = suite_create("results");
  TCase *tcase = tcase_create("results");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_every_format);
  tcase_add_test(tcase, test_odd_strides);
  tcase_add_test(tcase, test_every_size);
  tcase_add_test(tcase, test_top_k);
  tcase_add_test(tcase, test_threshold);
  tcase_add_test(tcase, test_inference_interval_carries_last_result);
  tcase_add_test(tcase, test_inference_interval_while_playing);
  tcase_add_test(tcase, test_post_messages_false);
  tcase_add_test(tcase, test_smoothing);
  tcase_add_test(tcase, test_labels_file);
  tcase_add_test(tcase, test_model_file_as_folder_and_as_file);
  tcase_add_test(tcase, test_device_by_index_and_name);
  return suite;
}

GST_CHECK_MAIN(results);
