// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common.h"

#include <glib/gstdio.h>
#include <unistd.h>

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

/* ---- Tags ---------------------------------------------------------------------------------- */

static void check_order(const TestTags *tags) {
  for (guint i = 0; i < tags->n_tags; i++) {
    fail_unless(tags->labels[i] != 0);
    fail_unless(tags->confidences[i] >= 0.0 && tags->confidences[i] <= 1.0);
    if (i > 0)
      fail_unless(tags->confidences[i] <= tags->confidences[i - 1], "tag %u is out of order", i);
  }
}

static const GValue *array_field(const GstStructure *structure, const gchar *name, GType type) {
  const GValue *array = gst_structure_get_value(structure, name);

  fail_unless(array != NULL && GST_VALUE_HOLDS_ARRAY(array), "no array '%s'", name);
  for (guint i = 0; i < gst_value_array_get_size(array); i++)
    fail_unless(G_VALUE_HOLDS(gst_value_array_get_value(array, i), type));
  return array;
}

TestTags test_tags_of_structure(const GstStructure *structure) {
  const GValue *labels = array_field(structure, "labels", G_TYPE_STRING);
  const GValue *confidences = array_field(structure, "confidences", G_TYPE_DOUBLE);
  const GValue *indices = array_field(structure, "indices", G_TYPE_UINT);
  TestTags tags = {.n_metas = 1, .n_tags = gst_value_array_get_size(labels)};

  fail_unless_equals_int(gst_value_array_get_size(confidences), tags.n_tags);
  fail_unless_equals_int(gst_value_array_get_size(indices), tags.n_tags);
  for (guint i = 0; i < tags.n_tags; i++) {
    tags.labels[i] = g_quark_from_string(g_value_get_string(gst_value_array_get_value(labels, i)));
    tags.confidences[i] = g_value_get_double(gst_value_array_get_value(confidences, i));
  }
  check_order(&tags);
  return tags;
}

#ifdef HAVE_GST_ANALYTICS

TestTags test_tags_of_buffer(GstBuffer *buffer) {
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta(buffer);
  GstAnalyticsMtd mtd;
  gpointer state = NULL;
  TestTags tags = {0};

  while (meta != NULL && gst_analytics_relation_meta_iterate(
                             meta, &state, gst_analytics_cls_mtd_get_mtd_type(), &mtd)) {
    if (tags.n_metas++ > 0)
      continue;
    tags.n_tags = (guint)gst_analytics_cls_mtd_get_length(&mtd);
    for (guint i = 0; i < tags.n_tags; i++) {
      tags.labels[i] = gst_analytics_cls_mtd_get_quark(&mtd, i);
      tags.confidences[i] = (gdouble)gst_analytics_cls_mtd_get_level(&mtd, i);
    }
  }
  check_order(&tags);
  return tags;
}

#else

TestTags test_tags_of_buffer(GstBuffer *buffer) {
  GstMeta *meta;
  gpointer state = NULL;
  TestTags tags = {0};
  guint n_metas = 0;

  while ((meta = gst_buffer_iterate_meta(buffer, &state)) != NULL) {
    if (!gst_meta_info_is_custom(meta->info) ||
        !gst_custom_meta_has_name((GstCustomMeta *)meta, "swin-classification"))
      continue;
    if (n_metas++ == 0)
      tags = test_tags_of_structure(gst_custom_meta_get_structure((GstCustomMeta *)meta));
  }
  tags.n_metas = n_metas;
  return tags;
}

#endif

const gchar *test_best_label(GstBuffer *buffer) {
  TestTags tags = test_tags_of_buffer(buffer);

  return tags.n_tags > 0 ? g_quark_to_string(tags.labels[0]) : NULL;
}

/* ---- Frames and harness -------------------------------------------------------------------- */

GstBuffer *test_frame_new(const gchar *pattern, const gchar *format, gint width, gint height) {
  g_autofree gchar *launch =
      g_strdup_printf("videotestsrc num-buffers=1 pattern=%s ! "
                      "capsfilter caps=\"video/x-raw,format=%s,width=%d,height=%d,framerate=25/1\"",
                      pattern, format, width, height);
  GstHarness *source = gst_harness_new_parse(launch);
  GstBuffer *pulled, *frame;

  gst_harness_play(source);
  pulled = gst_harness_pull(source);
  fail_unless(pulled != NULL);
  // A copy, because the pool ends with its source.
  frame = gst_buffer_copy_deep(pulled);
  GST_BUFFER_PTS(frame) = GST_BUFFER_DTS(frame) = GST_BUFFER_DURATION(frame) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET(frame) = GST_BUFFER_OFFSET_END(frame) = GST_BUFFER_OFFSET_NONE;
  gst_buffer_unref(pulled);
  gst_harness_teardown(source);
  return frame;
}

GstBuffer *test_frame_at(const gchar *pattern, guint number) {
  GstBuffer *frame = test_frame_new(pattern, "I420", TEST_WIDTH, TEST_HEIGHT);

  GST_BUFFER_PTS(frame) = number * TEST_FRAME_TIME;
  GST_BUFFER_DURATION(frame) = TEST_FRAME_TIME;
  return frame;
}

GstHarness *test_harness_new(const gchar *properties) {
  g_autofree gchar *launch = g_strdup_printf("swinclassify %s", properties);
  GstHarness *harness = gst_harness_new_parse(launch);
  GstBus *bus = gst_bus_new();

  gst_element_set_bus(harness->element, bus);
  gst_object_unref(bus);
  gst_harness_set_src_caps_str(harness, TEST_CAPS);
  return harness;
}

void test_harness_teardown(GstHarness *harness) {
  gst_element_set_state(harness->element, GST_STATE_NULL);
  gst_element_set_bus(harness->element, NULL);
  gst_harness_teardown(harness);
}

GstElement *test_element(GstHarness *harness) {
  GstElement *element = gst_harness_find_element(harness, "swinclassify");

  gst_object_unref(element);
  return element;
}

GstMessage *test_next_classification(GstHarness *harness) {
  GstBus *bus = gst_element_get_bus(harness->element);
  GstMessage *message;

  while ((message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT)) != NULL) {
    if (gst_message_has_name(message, "swin-classification"))
      break;
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return message;
}

guint test_count_classifications(GstHarness *harness) {
  GstMessage *message;
  guint count = 0;

  while ((message = test_next_classification(harness)) != NULL) {
    gst_message_unref(message);
    count++;
  }
  return count;
}

/* ---- Models -------------------------------------------------------------------------------- */

static void copy_file(const gchar *from, const gchar *to, const gchar *name) {
  g_autofree gchar *source = g_build_filename(from, name, NULL);
  g_autofree gchar *target = g_build_filename(to, name, NULL);
  g_autofree gchar *text = NULL;
  gsize length;

  fail_unless(g_file_get_contents(source, &text, &length, NULL), "cannot read %s", source);
  fail_unless(g_file_set_contents(target, text, (gssize)length, NULL));
}

gchar *test_model_copy(void) {
  const gchar *testcard = g_getenv("SWIN_TESTCARD");
  gchar *folder = g_dir_make_tmp(NULL, NULL);

  fail_unless(testcard != NULL, "SWIN_TESTCARD must name the folder of the testcard model");
  fail_unless(folder != NULL);
  copy_file(testcard, folder, "model.safetensors");
  copy_file(testcard, folder, "config.json");
  return folder;
}

void test_model_remove(gchar *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name(dir)) != NULL) {
    g_autofree gchar *path = g_build_filename(folder, name, NULL);

    g_unlink(path);
  }
  g_dir_close(dir);
  g_rmdir(folder);
  g_free(folder);
}

void test_model_replace(const gchar *folder, const gchar *pattern, const gchar *replacement) {
  g_autofree gchar *path = g_build_filename(folder, "config.json", NULL);
  g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
  g_autofree gchar *text = NULL, *changed = NULL;

  fail_unless(g_file_get_contents(path, &text, NULL, NULL));
  fail_unless(g_regex_match(regex, text, 0, NULL), "%s has no %s", path, pattern);
  changed = g_regex_replace_literal(regex, text, -1, 0, replacement, 0, NULL);
  fail_unless(g_file_set_contents(path, changed, -1, NULL));
}

void test_model_truncate(const gchar *folder, gsize numerator, gsize denominator) {
  g_autofree gchar *path = g_build_filename(folder, "model.safetensors", NULL);
  GStatBuf status;

  fail_unless_equals_int(g_stat(path, &status), 0);
  fail_unless_equals_int(truncate(path, (off_t)((gsize)status.st_size * numerator / denominator)),
                         0);
}
