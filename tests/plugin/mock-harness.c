// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mock-harness.h"

#include "../../plugin/metadata.h"
#include "../../plugin/swinclassify.h"

GstBuffer *mock_frame_new(guint number) {
  GstBuffer *frame = gst_buffer_new_allocate(NULL, TEST_WIDTH * TEST_HEIGHT * 3 / 2, NULL);

  gst_buffer_memset(frame, 0, 16, (gsize)-1);
  GST_BUFFER_PTS(frame) = number * TEST_FRAME_TIME;
  GST_BUFFER_DURATION(frame) = TEST_FRAME_TIME;
  return frame;
}

GstFlowReturn mock_try_push(GstHarness *harness, guint start, guint count) {
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = start; i < start + count && flow == GST_FLOW_OK; i++)
    flow = gst_harness_push(harness, mock_frame_new(i));
  return flow;
}

void mock_push(GstHarness *harness, guint start, guint count) {
  fail_unless_equals_int(mock_try_push(harness, start, count), GST_FLOW_OK);
}

TestTags mock_pull(GstHarness *harness, guint number) {
  GstBuffer *pulled = gst_harness_pull(harness);
  TestTags tags;

  fail_unless(pulled != NULL, "frame %u did not come", number);
  fail_unless_equals_uint64(GST_BUFFER_PTS(pulled), number * TEST_FRAME_TIME);
  tags = test_tags_of_buffer(pulled);
  gst_buffer_unref(pulled);
  return tags;
}

void mock_pull_all(GstHarness *harness, guint start, guint count) {
  for (guint i = start; i < start + count; i++)
    mock_pull(harness, i);
}

void mock_pull_result(GstHarness *harness, guint number, guint looked_at) {
  TestTags tags = mock_pull(harness, number);

  fail_unless_equals_int(tags.n_metas, 1);
  fail_unless_equals_uint64(tags.timestamp, looked_at * TEST_FRAME_TIME);
  fail_unless_equals_uint64(tags.age, (number - looked_at) * TEST_FRAME_TIME);
}

void mock_flush(GstHarness *harness) {
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_start()));
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE)));
  test_push_segment(harness);
}

void mock_wait_for_event(GstHarness *harness, GstEventType type) {
  GstEvent *event;
  gboolean found = FALSE;

  while (!found && (event = gst_harness_pull_event(harness)) != NULL) {
    found = GST_EVENT_TYPE(event) == type;
    gst_event_unref(event);
  }
  fail_unless(found);
}

guint mock_count_messages(GstHarness *harness, GstMessageType type) {
  GstBus *bus = gst_element_get_bus(harness->element);
  GstMessage *message;
  guint count = 0;

  while ((message = gst_bus_pop_filtered(bus, type)) != NULL) {
    gst_message_unref(message);
    count++;
  }
  gst_object_unref(bus);
  return count;
}

guint64 mock_count(GstHarness *harness, const gchar *counter) {
  GstStructure *stats;
  guint64 value;

  g_object_get(test_element(harness), "stats", &stats, NULL);
  fail_unless(gst_structure_get_uint64(stats, counter, &value));
  gst_structure_free(stats);
  return value;
}

void mock_teardown(GstHarness *harness) {
  test_harness_teardown(harness);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
}

GstElement *mock_element_new(void) {
  GstElement *element = gst_element_factory_make("swinclassify", NULL);
  GstBus *bus = gst_bus_new();

  fail_unless(element != NULL);
  gst_element_set_bus(element, bus);
  gst_object_unref(bus);
  return element;
}

void mock_element_free(GstElement *element) {
  gst_element_set_state(element, GST_STATE_NULL);
  gst_element_set_bus(element, NULL);
  ASSERT_OBJECT_REFCOUNT(element, "element", 1);
  gst_object_unref(element);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
}

MockSwinRequest mock_element_open_and_close(GstElement *element) {
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
  return mock_swin_last_request();
}

void mock_element_expect_refusal(GstElement *element, gint code, const gchar *part) {
  GstBus *bus = gst_element_get_bus(element);
  GstMessage *message;
  GError *error;

  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  fail_unless(message != NULL, "no error message");
  gst_message_parse_error(message, &error, NULL);
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, code), "'%s' has code %d, should have %d",
              error->message, error->code, code);
  fail_unless(strstr(error->message, part) != NULL, "'%s' does not say '%s'", error->message, part);
  fail_unless(g_str_has_suffix(error->message, ".") && strchr(error->message, '\n') == NULL,
              "'%s' is no sentence", error->message);
  g_error_free(error);
  gst_message_unref(message);
  fail_unless(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) == NULL);
  gst_object_unref(bus);
  gst_element_set_state(element, GST_STATE_NULL);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
}

int mock_main(int *argc, char ***argv, Suite *(*make_suite)(void), const gchar *name) {
  gst_check_init(argc, argv);
  swin_metadata_register();
  if (!GST_ELEMENT_REGISTER(swinclassify, NULL))
    return 1;
  return gst_check_run_suite(make_suite(), name, name);
}
