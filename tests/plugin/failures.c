// SPDX-License-Identifier: LGPL-2.1-or-later
// The element over a libswin that fails, stalls and is cancelled when the test says so
// (mock-swin.h).
#include "../../plugin/swinclassify.h"
#include "mock-harness.h"
#include "mock-swin.h"

static guint count_errors(GstHarness *harness, gint code) {
  GstBus *bus = gst_element_get_bus(harness->element);
  GstMessage *message;
  guint count = 0;

  while ((message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) != NULL) {
    GError *error;

    gst_message_parse_error(message, &error, NULL);
    count += g_error_matches(error, GST_RESOURCE_ERROR, code) ? 1 : 0;
    g_error_free(error);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return count;
}

// The frames before leave, then one error message, EOS for downstream, and an error for upstream.
// After NULL the element works again.
static void check_failed_result(SwinError code, gint resource_code) {
  GstHarness *harness = test_harness_new("");
  GstFlowReturn flow = GST_FLOW_OK;

  mock_swin_fail_result(3, code);
  for (guint i = 0; i < 100 && flow == GST_FLOW_OK; i++)
    flow = mock_try_push(harness, i, 1);
  fail_unless_equals_int(flow, GST_FLOW_ERROR);
  mock_wait_for_event(harness, GST_EVENT_EOS);
  fail_unless_equals_int(gst_harness_buffers_received(harness), 3);
  fail_unless_equals_int(count_errors(harness, resource_code), 1);
  mock_teardown(harness);

  harness = test_harness_new("");
  fail_unless_equals_int(mock_try_push(harness, 0, 1), GST_FLOW_OK);
  gst_buffer_unref(gst_harness_pull(harness));
  mock_teardown(harness);
}

GST_START_TEST(test_device_lost) {
  check_failed_result(SWIN_ERROR_DEVICE_LOST, GST_RESOURCE_ERROR_FAILED);
}
GST_END_TEST;

GST_START_TEST(test_out_of_memory) {
  check_failed_result(SWIN_ERROR_OUT_OF_MEMORY, GST_RESOURCE_ERROR_NO_SPACE_LEFT);
}
GST_END_TEST;

// The library refuses a frame: nothing comes back for it, and what is under way is not lost.
GST_START_TEST(test_submit_fails) {
  GstHarness *harness = test_harness_new("");
  GstBuffer *refused = mock_frame_new(2);

  mock_swin_fail_submit(2);
  fail_unless_equals_int(mock_try_push(harness, 0, 2), GST_FLOW_OK);
  fail_unless_equals_int(gst_harness_push(harness, gst_buffer_ref(refused)), GST_FLOW_ERROR);
  ASSERT_MINI_OBJECT_REFCOUNT(refused, "refused frame", 1);
  gst_buffer_unref(refused);
  gst_buffer_unref(gst_harness_pull(harness));
  gst_buffer_unref(gst_harness_pull(harness));
  fail_unless_equals_int(count_errors(harness, GST_RESOURCE_ERROR_FAILED), 1);
  mock_teardown(harness);
}
GST_END_TEST;

typedef struct {
  GstHarness *harness;
  GstFlowReturn flow;
} Pusher;

static gpointer push_twenty(gpointer user_data) {
  Pusher *pusher = user_data;

  pusher->flow = mock_try_push(pusher->harness, 0, 20);
  return NULL;
}

static void expect_nothing_more_is_submitted(guint n_before) {
  mock_swin_wait_submitted(n_before + SWIN_QUEUE_MIN_INFERENCES);
  g_usleep(G_USEC_PER_SEC / 5);
  fail_unless_equals_int(mock_swin_n_submitted(), n_before + SWIN_QUEUE_MIN_INFERENCES);
}

// No more than SWIN_QUEUE_MIN_INFERENCES are under way. A flush cancels them, lets upstream go, and
// does not wait.
GST_START_TEST(test_flush_cancels) {
  GstHarness *harness = test_harness_new("");
  Pusher pusher = {.harness = harness};
  guint n_submitted = mock_swin_n_submitted(), n_cancelled = mock_swin_n_cancelled();
  GThread *thread;
  GstBuffer *pulled;

  mock_swin_hold();
  thread = g_thread_new("pusher", push_twenty, &pusher);
  expect_nothing_more_is_submitted(n_submitted);
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_start()));
  g_thread_join(thread);
  fail_unless_equals_int(pusher.flow, GST_FLOW_FLUSHING);
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE)));
  test_push_segment(harness);

  fail_unless_equals_int(mock_try_push(harness, 50, 1), GST_FLOW_OK);
  mock_swin_release();
  pulled = gst_harness_pull(harness);
  fail_unless_equals_uint64(GST_BUFFER_PTS(pulled), 50 * TEST_FRAME_TIME);
  gst_buffer_unref(pulled);
  fail_unless_equals_int(mock_swin_n_cancelled() - n_cancelled, SWIN_QUEUE_MIN_INFERENCES);
  fail_unless_equals_int(gst_harness_buffers_received(harness), 1);
  fail_unless_equals_int(count_errors(harness, GST_RESOURCE_ERROR_FAILED), 0);
  mock_teardown(harness);
}
GST_END_TEST;

// Results that never come do not hold up a state change either.
GST_START_TEST(test_stop_cancels) {
  GstHarness *harness = test_harness_new("");
  Pusher pusher = {.harness = harness};
  guint n_submitted = mock_swin_n_submitted(), n_cancelled = mock_swin_n_cancelled();
  GThread *thread;

  mock_swin_hold();
  thread = g_thread_new("pusher", push_twenty, &pusher);
  expect_nothing_more_is_submitted(n_submitted);
  fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_NULL),
                         GST_STATE_CHANGE_SUCCESS);
  g_thread_join(thread);
  fail_unless_equals_int(pusher.flow, GST_FLOW_FLUSHING);
  fail_unless_equals_int(mock_swin_n_cancelled() - n_cancelled, SWIN_QUEUE_MIN_INFERENCES);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

static gpointer query_allocation(gpointer user_data) {
  GstHarness *harness = user_data;
  g_autoptr(GstCaps) caps = gst_caps_from_string(TEST_CAPS);
  GstQuery *query = gst_query_new_allocation(caps, FALSE);
  gboolean answered = gst_pad_peer_query(harness->srcpad, query);

  gst_query_unref(query);
  return GINT_TO_POINTER(answered);
}

// A query that waits behind a frame comes back unanswered when the element stops.
GST_START_TEST(test_stop_lets_go_of_queries) {
  GstHarness *harness = test_harness_new("");
  GThread *thread;

  mock_swin_hold();
  fail_unless_equals_int(mock_try_push(harness, 0, 1), GST_FLOW_OK);
  thread = g_thread_new("query", query_allocation, harness);
  g_usleep(G_USEC_PER_SEC / 5);
  fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_NULL),
                         GST_STATE_CHANGE_SUCCESS);
  fail_unless(g_thread_join(thread) == GINT_TO_POINTER(FALSE));
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

// Frames without inference wait behind the one that has one, and leave with its result.
GST_START_TEST(test_frames_wait_for_their_predecessor) {
  GstHarness *harness = test_harness_new("inference-interval=3");

  mock_swin_hold();
  fail_unless_equals_int(mock_try_push(harness, 0, 6), GST_FLOW_OK);
  g_usleep(G_USEC_PER_SEC / 5);
  fail_unless_equals_int(gst_harness_buffers_received(harness), 0);
  mock_swin_release();
  for (guint i = 0; i < 6; i++) {
    GstBuffer *pulled = gst_harness_pull(harness);

    fail_unless_equals_uint64(GST_BUFFER_PTS(pulled), i * TEST_FRAME_TIME);
    fail_unless_equals_int(test_tags_of_buffer(pulled).n_tags, 3);
    gst_buffer_unref(pulled);
  }
  mock_teardown(harness);
}
GST_END_TEST;

static guint metas_of_unreadable(GstHarness *harness) {
  GstBuffer *pulled = gst_harness_push_and_pull(harness, gst_buffer_new_allocate(NULL, 100, NULL));
  guint n_metas = test_tags_of_buffer(pulled).n_metas;

  gst_buffer_unref(pulled);
  return n_metas;
}

// A buffer that cannot be read carries the last result, but not one from before a flush.
GST_START_TEST(test_flush_forgets_the_last_result) {
  GstHarness *harness = test_harness_new("");

  fail_unless_equals_int(mock_try_push(harness, 0, 1), GST_FLOW_OK);
  gst_buffer_unref(gst_harness_pull(harness));
  fail_unless_equals_int(metas_of_unreadable(harness), 1);
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_start()));
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE)));
  test_push_segment(harness);
  fail_unless_equals_int(metas_of_unreadable(harness), 0);
  mock_teardown(harness);
}
GST_END_TEST;

static Suite *failures_suite(void) {
  Suite *suite = suite_create("failures");
  TCase *tcase = tcase_create("failures");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_device_lost);
  tcase_add_test(tcase, test_out_of_memory);
  tcase_add_test(tcase, test_submit_fails);
  tcase_add_test(tcase, test_flush_cancels);
  tcase_add_test(tcase, test_stop_cancels);
  tcase_add_test(tcase, test_stop_lets_go_of_queries);
  tcase_add_test(tcase, test_flush_forgets_the_last_result);
  tcase_add_test(tcase, test_frames_wait_for_their_predecessor);
  return suite;
}

int main(int argc, char **argv) {
  return mock_main(&argc, &argv, failures_suite, "failures");
}
