// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the element puts what it says of frames: messages and metadata, and what those leave alone.
#include "common.h"

static guint64 time_field(GstMessage *message, const gchar *name) {
  guint64 value;

  fail_unless(gst_structure_get_uint64(gst_message_get_structure(message), name, &value));
  return value;
}

// A segment that starts at 10 s of a stream played at half speed, with a base: the three times
// differ.
GST_START_TEST(test_message_times) {
  GstHarness *harness = test_harness_new("");
  GstSegment segment;
  GstBuffer *frame = test_frame_at("smpte", 0);
  GstMessage *message;

  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = 10 * GST_SECOND;
  segment.time = 3 * GST_SECOND;
  segment.base = 5 * GST_SECOND;
  segment.rate = 0.5;
  fail_unless(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
  GST_BUFFER_PTS(frame) = 11 * GST_SECOND;
  gst_buffer_unref(test_push_and_pull(harness, frame));
  message = test_next_classification(harness);
  fail_unless(GST_MESSAGE_SRC(message) == GST_OBJECT(test_element(harness)));
  fail_unless_equals_uint64(time_field(message, "timestamp"), 11 * GST_SECOND);
  fail_unless_equals_uint64(time_field(message, "stream-time"), 4 * GST_SECOND);
  fail_unless_equals_uint64(time_field(message, "running-time"), 7 * GST_SECOND);
  gst_message_unref(message);

  gst_buffer_unref(
      test_push_and_pull(harness, test_frame_new("smpte", "I420", TEST_WIDTH, TEST_HEIGHT)));
  message = test_next_classification(harness);
  fail_unless_equals_uint64(time_field(message, "timestamp"), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(time_field(message, "stream-time"), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(time_field(message, "running-time"), GST_CLOCK_TIME_NONE);
  gst_message_unref(message);
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_message_and_metadata_agree) {
  GstHarness *harness = test_harness_new("");
  TestTags tags = test_classify(harness, test_frame_at("smpte", 0)), message;

  message = test_next_message_tags(harness);
  fail_unless_equals_int(message.n_tags, tags.n_tags);
  for (guint i = 0; i < tags.n_tags; i++) {
    fail_unless_equals_int(message.labels[i], tags.labels[i]);
    fail_unless_equals_int(message.indices[i], tags.indices[i]);
    fail_unless(message.confidences[i] == tags.confidences[i]);
  }
  assert_equals_string(message.model, tags.model);
  fail_unless_equals_int(message.unique_id, tags.unique_id);
  fail_unless_equals_uint64(message.timestamp, tags.timestamp);
  fail_unless(test_next_classification(harness) == NULL);
  test_harness_teardown(harness);
}
GST_END_TEST;

// All that a frame brings leaves with it: memory, times, flags, metadata of others.
GST_START_TEST(test_rest_of_the_frame_is_untouched) {
  GstHarness *harness = test_harness_new("");
  GstBuffer *frame = test_frame_at("smpte", 3), *pulled;
  GstMemory *memory = gst_buffer_peek_memory(frame, 0);
  g_autoptr(GstCaps) reference = gst_caps_new_empty_simple("timestamp/x-test");
  GstReferenceTimestampMeta *timestamp;
  gpointer before, after;
  gsize size, size_after;

  gst_buffer_extract_dup(frame, 0, (gsize)-1, &before, &size);
  gst_buffer_add_reference_timestamp_meta(frame, reference, 1234, 5678);
  gst_buffer_add_video_region_of_interest_meta(frame, "face", 1, 2, 3, 4);
  GST_BUFFER_DTS(frame) = 77;
  GST_BUFFER_OFFSET(frame) = 3;
  GST_BUFFER_OFFSET_END(frame) = 4;
  GST_BUFFER_FLAG_SET(frame, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_MARKER);

  pulled = test_push_and_pull(harness, frame);
  fail_unless(pulled == frame, "a buffer of one owner needs no copy");
  fail_unless(gst_buffer_peek_memory(pulled, 0) == memory);
  gst_buffer_extract_dup(pulled, 0, (gsize)-1, &after, &size_after);
  fail_unless(size == size_after && memcmp(before, after, size) == 0);
  fail_unless_equals_uint64(GST_BUFFER_PTS(pulled), 3 * TEST_FRAME_TIME);
  fail_unless_equals_uint64(GST_BUFFER_DURATION(pulled), TEST_FRAME_TIME);
  fail_unless_equals_uint64(GST_BUFFER_DTS(pulled), 77);
  fail_unless_equals_uint64(GST_BUFFER_OFFSET(pulled), 3);
  fail_unless_equals_uint64(GST_BUFFER_OFFSET_END(pulled), 4);
  fail_unless(GST_BUFFER_FLAG_IS_SET(pulled, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_MARKER));
  timestamp = gst_buffer_get_reference_timestamp_meta(pulled, reference);
  fail_unless(timestamp != NULL && timestamp->timestamp == 1234 && timestamp->duration == 5678);
  fail_unless(gst_buffer_get_video_region_of_interest_meta_id(pulled, 0) != NULL);
  fail_unless_equals_int(test_tags_of_buffer(pulled).n_metas, 1);
  g_free(before);
  g_free(after);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// What made the tags, and of which frame.
GST_START_TEST(test_origin) {
  gchar *folder = test_model_copy();
  g_autofree gchar *name = g_path_get_basename(folder);
  g_autofree gchar *properties = g_strdup_printf("model-file=%s unique-id=4294967295", folder);
  const gchar *const names[] = {"testcard", name};
  const gchar *const all_properties[] = {"", properties};
  const guint ids[] = {0, G_MAXUINT};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    GstHarness *harness = test_harness_new(all_properties[i]);
    TestTags tags = test_classify(harness, test_frame_at("smpte", 7));

    assert_equals_string(tags.model, names[i]);
    fail_unless_equals_int(tags.unique_id, ids[i]);
    fail_unless_equals_uint64(tags.timestamp, 7 * TEST_FRAME_TIME);
    fail_unless_equals_uint64(tags.age, 0);
    fail_if(tags.has_region);
    // A frame without a time cannot say how old its result is.
    tags = test_classify(harness, test_frame_new("smpte", "I420", TEST_WIDTH, TEST_HEIGHT));
    fail_unless_equals_uint64(tags.timestamp, GST_CLOCK_TIME_NONE);
    fail_unless_equals_uint64(tags.age, GST_CLOCK_TIME_NONE);
    test_harness_teardown(harness);
  }
  test_model_remove(folder);
}
GST_END_TEST;

// Frames between two looks say which one they carry the result of.
GST_START_TEST(test_age) {
  GstHarness *harness = test_harness_new("inference-interval=3");

  for (guint number = 0; number < 7; number++) {
    guint age = number % 3;
    TestTags tags = test_classify(harness, test_frame_at("smpte", number));

    fail_unless_equals_uint64(tags.age, age * TEST_FRAME_TIME);
    fail_unless_equals_uint64(tags.timestamp, (number - age) * TEST_FRAME_TIME);
  }
  test_harness_teardown(harness);
}
GST_END_TEST;

// Two models in a row: each leaves its own, and the first stays where it is.
GST_START_TEST(test_two_models_in_a_row) {
  gchar *folder = test_model_copy();
  g_autofree gchar *name = g_path_get_basename(folder);
  g_autofree gchar *launch = g_strdup_printf("swinclassify top-k=2 unique-id=1 ! "
                                             "swinclassify model-file=%s top-k=3 unique-id=2",
                                             folder);
  GstHarness *harness;
  GstBuffer *pulled;

  test_model_replace(folder, "colour bars", "test card");
  harness = test_harness_new_parse(launch);
  pulled = test_push_and_pull(harness, test_frame_at("smpte", 0));
  for (guint i = 0; i < 2; i++) {
    const gchar *const names[] = {"testcard", name};
    static const gchar *const labels[] = {"colour bars", "test card"};
    TestTags tags = test_nth_tags_of_buffer(pulled, i);

    fail_unless_equals_int(tags.n_metas, 2);
    fail_unless_equals_int(tags.n_tags, 2 + i);
    fail_unless_equals_int(tags.unique_id, 1 + i);
    assert_equals_string(tags.model, names[i]);
    assert_equals_string(g_quark_to_string(tags.labels[0]), labels[i]);
  }
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
  test_model_remove(folder);
}
GST_END_TEST;

GST_START_TEST(test_metadata_survives_copy_and_conversion) {
  GstHarness *harness = test_harness_new_parse(
      "swinclassify top-k=4 unique-id=3 ! tee ! queue ! videoconvert ! videoscale ! "
      "capsfilter caps=\"video/x-raw,format=RGBA,width=64,height=48\"");
  GstBuffer *pulled, *copy;
  TestTags tags;

  pulled = test_push_and_pull(harness, test_frame_at("smpte", 0));
  copy = gst_buffer_copy(pulled);
  gst_buffer_unref(pulled);
  tags = test_tags_of_buffer(copy);
  fail_unless_equals_int(tags.n_metas, 1);
  fail_unless_equals_int(tags.n_tags, 4);
  fail_unless_equals_int(tags.unique_id, 3);
  assert_equals_string(tags.model, "testcard");
  assert_equals_string(g_quark_to_string(tags.labels[0]), "colour bars");
  gst_buffer_unref(copy);
  test_harness_teardown(harness);
}
GST_END_TEST;

static Suite *metadata_suite(void) {
  Suite *suite = suite_create("metadata");
  TCase *tcase = tcase_create("metadata");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_message_times);
  tcase_add_test(tcase, test_message_and_metadata_agree);
  tcase_add_test(tcase, test_rest_of_the_frame_is_untouched);
  tcase_add_test(tcase, test_origin);
  tcase_add_test(tcase, test_age);
  tcase_add_test(tcase, test_two_models_in_a_row);
  tcase_add_test(tcase, test_metadata_survives_copy_and_conversion);
  return suite;
}

GST_CHECK_MAIN(metadata);
