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

static void read_tags(const GstStructure *structure, TestTags *tags) {
  const GValue *labels = array_field(structure, "labels", G_TYPE_STRING);
  const GValue *confidences = array_field(structure, "confidences", G_TYPE_DOUBLE);
  const GValue *indices = array_field(structure, "indices", G_TYPE_UINT);

  tags->n_tags = gst_value_array_get_size(labels);
  fail_unless_equals_int(gst_value_array_get_size(confidences), tags->n_tags);
  fail_unless_equals_int(gst_value_array_get_size(indices), tags->n_tags);
  for (guint i = 0; i < tags->n_tags; i++) {
    tags->labels[i] = g_quark_from_string(g_value_get_string(gst_value_array_get_value(labels, i)));
    tags->confidences[i] = g_value_get_double(gst_value_array_get_value(confidences, i));
    tags->indices[i] = g_value_get_uint(gst_value_array_get_value(indices, i));
  }
  check_order(tags);
}

static void read_region(const GstStructure *structure, TestTags *tags) {
  guint *const numbers[] = {&tags->x, &tags->y, &tags->width, &tags->height};
  const gchar *object_class = gst_structure_get_string(structure, "object-class");
  guint frame_width, frame_height;
  const GValue *region;

  tags->has_region = gst_structure_has_field(structure, "region");
  if (!tags->has_region) {
    fail_if(object_class != NULL || gst_structure_has_field(structure, "track"));
    return;
  }
  region = array_field(structure, "region", G_TYPE_UINT);
  fail_unless_equals_int(gst_value_array_get_size(region), G_N_ELEMENTS(numbers));
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
    *numbers[i] = g_value_get_uint(gst_value_array_get_value(region, i));
  fail_unless(gst_structure_get_uint(structure, "frame-width", &frame_width) &&
              gst_structure_get_uint(structure, "frame-height", &frame_height));
  fail_unless(tags->x + tags->width <= frame_width && tags->y + tags->height <= frame_height);
  tags->object_class = g_quark_from_string(object_class);
  tags->is_tracked = gst_structure_get_uint64(structure, "track", &tags->track);
}

TestTags test_tags_of_structure(const GstStructure *structure) {
  TestTags tags = {.n_metas = 1, .age = GST_CLOCK_TIME_NONE};

  fail_unless(gst_structure_has_name(structure, "swin-classification"));
  tags.model = g_intern_string(gst_structure_get_string(structure, "model"));
  tags.precision = g_intern_string(gst_structure_get_string(structure, "precision"));
  fail_unless(tags.model != NULL && tags.precision != NULL);
  fail_unless(gst_structure_get_uint(structure, "unique-id", &tags.unique_id));
  fail_unless(gst_structure_get_uint64(structure, "timestamp", &tags.timestamp));
  read_tags(structure, &tags);
  read_region(structure, &tags);
  return tags;
}

// The structure of each classification on @buffer, which they belong to.
static GPtrArray *find_structures(GstBuffer *buffer) {
  GPtrArray *structures = g_ptr_array_new();
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta(buffer, &state)) != NULL) {
    if (gst_meta_info_is_custom(meta->info) &&
        gst_custom_meta_has_name((GstCustomMeta *)meta, "swin-classification"))
      g_ptr_array_add(structures, gst_custom_meta_get_structure((GstCustomMeta *)meta));
  }
  return structures;
}

// Whether a region of interest has @structure, with what DL Streamer reads beside it.
static gboolean is_on_roi(GstBuffer *buffer, const GstStructure *structure, const TestTags *tags) {
  const GValue *indices = gst_structure_get_value(structure, "indices");
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered(
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) != NULL) {
    for (GList *item = ((GstVideoRegionOfInterestMeta *)meta)->params; item != NULL;
         item = item->next) {
      const GstStructure *parameter = item->data;
      const gchar *label = gst_structure_get_string(parameter, "label");
      const gchar *model = gst_structure_get_string(parameter, "model_name");
      gint label_id;
      gdouble confidence;

      if (gst_structure_has_name(parameter, "swin-classification") &&
          gst_value_compare(gst_structure_get_value(parameter, "indices"), indices) ==
              GST_VALUE_EQUAL &&
          gst_structure_get_int(parameter, "label_id", &label_id) &&
          gst_structure_get_double(parameter, "confidence", &confidence) &&
          (guint)label_id == tags->indices[0] && confidence == tags->confidences[0] &&
          g_strcmp0(label, g_quark_to_string(tags->labels[0])) == 0 &&
          g_strcmp0(model, tags->model) == 0)
        return TRUE;
    }
  }
  return FALSE;
}

#ifdef HAVE_GST_ANALYTICS

static gboolean has_same_tags(GstAnalyticsClsMtd *mtd, const TestTags *tags) {
  if (gst_analytics_cls_mtd_get_length(mtd) != tags->n_tags)
    return FALSE;
  for (guint i = 0; i < tags->n_tags; i++) {
    if (gst_analytics_cls_mtd_get_quark(mtd, i) != tags->labels[i] ||
        gst_analytics_cls_mtd_get_level(mtd, i) != (gfloat)tags->confidences[i])
      return FALSE;
  }
  return TRUE;
}

static gboolean is_in_analytics(GstBuffer *buffer, const TestTags *tags) {
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta(buffer);
  gpointer state = NULL;
  GstAnalyticsMtd mtd;

  while (meta != NULL && gst_analytics_relation_meta_iterate(
                             meta, &state, gst_analytics_cls_mtd_get_mtd_type(), &mtd)) {
    if (has_same_tags(&mtd, tags))
      return TRUE;
  }
  return FALSE;
}

#else

static gboolean is_in_analytics(GstBuffer *buffer, const TestTags *tags) {
  (void)buffer;
  return !tags->has_region;
}

#endif

TestTags test_nth_tags_of_buffer(GstBuffer *buffer, guint n) {
  g_autoptr(GPtrArray) structures = find_structures(buffer);
  const GstStructure *structure;
  TestTags tags;

  fail_unless(n < structures->len, "there are %u classifications on the buffer", structures->len);
  structure = g_ptr_array_index(structures, n);
  tags = test_tags_of_structure(structure);
  tags.n_metas = structures->len;
  fail_unless(gst_structure_get_uint64(structure, "age", &tags.age));
  fail_unless(is_in_analytics(buffer, &tags) ||
                  (tags.has_region && is_on_roi(buffer, structure, &tags)),
              "classification %u is in the custom metadata only", n);
  return tags;
}

TestTags test_tags_of_buffer(GstBuffer *buffer) {
  g_autoptr(GPtrArray) structures = find_structures(buffer);
  TestTags first = {0};

  for (guint i = structures->len; i-- > 0;)
    first = test_nth_tags_of_buffer(buffer, i);
  return first;
}

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

GstHarness *test_harness_new_parse(const gchar *launch) {
  GstHarness *harness = gst_harness_new_parse(launch);
  GstBus *bus = gst_bus_new();

  gst_element_set_bus(harness->element, bus);
  gst_object_unref(bus);
  gst_harness_set_live(harness, FALSE);
  gst_harness_set_src_caps_str(harness, TEST_CAPS);
  return harness;
}

GstHarness *test_harness_new(const gchar *properties) {
  g_autofree gchar *launch = g_strdup_printf("swinclassify %s", properties);

  return test_harness_new_parse(launch);
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

void test_start_stream(GstHarness *harness, guint group, const gchar *caps) {
  g_autofree gchar *name = g_strdup_printf("stream-%u", group);
  g_autoptr(GstCaps) parsed = gst_caps_from_string(caps);
  GstEvent *event = gst_event_new_stream_start(name);

  gst_event_set_group_id(event, group);
  fail_unless(gst_harness_push_event(harness, event));
  fail_unless(gst_harness_push_event(harness, gst_event_new_caps(parsed)));
  test_push_segment(harness);
}

void test_push_segment(GstHarness *harness) {
  GstSegment segment;

  gst_segment_init(&segment, GST_FORMAT_TIME);
  fail_unless(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
}

GstBuffer *test_push_and_pull(GstHarness *harness, GstBuffer *frame) {
  GstBuffer *pulled = gst_harness_push_and_pull(harness, frame);

  fail_unless(pulled != NULL);
  return pulled;
}

TestTags test_classify(GstHarness *harness, GstBuffer *frame) {
  GstBuffer *pulled = test_push_and_pull(harness, frame);
  TestTags tags = test_tags_of_buffer(pulled);

  gst_buffer_unref(pulled);
  return tags;
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

TestTags test_next_message_tags(GstHarness *harness) {
  GstMessage *message = test_next_classification(harness);
  TestTags tags;

  fail_unless(message != NULL);
  tags = test_tags_of_structure(gst_message_get_structure(message));
  gst_message_unref(message);
  return tags;
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
