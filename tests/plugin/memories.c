// SPDX-License-Identifier: LGPL-2.1-or-later
// A stream whose frames are in system memory, then in Vulkan images, then in system memory again.
#include "common.h"

#define N_FRAMES 20
#define FRAMES "videotestsrc pattern=smpte num-buffers=20 ! video/x-raw,format=RGBA"

static GstElement *pipeline_new(void) {
  g_autoptr(GError) error = NULL;
  GstElement *pipeline = gst_parse_launch(
      "concat name=all ! swinclassify name=element ! fakesink " FRAMES
      ",width=320,height=240 ! all. " FRAMES ",width=321,height=243 ! vulkanupload ! all. " FRAMES
      ",width=160,height=120 ! all.",
      &error);

  fail_unless(pipeline != NULL && error == NULL);
  return pipeline;
}

static GstElement *find_element(GstElement *pipeline) {
  GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), "element");

  fail_unless(element != NULL);
  gst_object_unref(element); // the pipeline keeps it
  return element;
}

static void expect_count(GstElement *pipeline, const gchar *counter, guint expected) {
  GstStructure *stats;
  guint64 value;

  g_object_get(find_element(pipeline), "stats", &stats, NULL);
  fail_unless(gst_structure_get_uint64(stats, counter, &value));
  fail_unless_equals_uint64(value, expected);
  gst_structure_free(stats);
}

static void expect_tags(const GstStructure *structure) {
  TestTags tags = test_tags_of_structure(structure);

  assert_equals_string(g_quark_to_string(tags.labels[0]), "colour bars");
  assert_equals_string(tags.model, "testcard");
}

// Each frame has its result, and those of the images alone do not pass the host.
static void run_to_end(GstElement *pipeline) {
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  gboolean ended = FALSE;

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  while (!ended) {
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);

    fail_if(GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR);
    ended = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
    if (gst_message_has_name(message, "swin-classification"))
      expect_tags(gst_message_get_structure(message));
    gst_message_unref(message);
  }
  expect_count(pipeline, "classified", 3 * N_FRAMES);
  expect_count(pipeline, "host-copies", 2 * N_FRAMES);
}

static void pipeline_free(GstElement *pipeline) {
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

GST_START_TEST(test_memories_in_turn) {
  GstElement *pipeline = pipeline_new();

  run_to_end(pipeline);
  pipeline_free(pipeline);
}
GST_END_TEST;

// What follows the images to their device is the model in use, not one that could not be loaded.
GST_START_TEST(test_images_after_a_bad_file) {
  GstElement *pipeline = pipeline_new();
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  GstMessage *message;

  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int(gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE),
                         GST_STATE_CHANGE_SUCCESS);
  g_object_set(find_element(pipeline), "model-file", "/nowhere", NULL);
  message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_WARNING);
  gst_message_unref(message);
  run_to_end(pipeline);
  pipeline_free(pipeline);
}
GST_END_TEST;

static Suite *memories_suite(void) {
  Suite *suite = suite_create("memories");
  TCase *tcase = tcase_create("memories");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_memories_in_turn);
  tcase_add_test(tcase, test_images_after_a_bad_file);
  return suite;
}

GST_CHECK_MAIN(memories);
