// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames that wait for nothing, over a libswin whose results come when the test says so
// (mock-swin.h): each of these would hang if a frame waited.
#include "../../plugin/swinclassify.h"
#include "mock-harness.h"
#include "mock-swin.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

static void pull_nothing(GstHarness *harness, guint number) {
  fail_unless_equals_int(mock_pull(harness, number).n_metas, 0);
}

static GstHarness *latest_new(const gchar *properties) {
  g_autofree gchar *all = g_strdup_printf("latency-policy=latest %s", properties);

  return test_harness_new(all);
}

// Frame 0 has been looked at then, and the last of @count is looked at. Returns the number of
// submissions so far.
static guint look_at_first(GstHarness *harness, guint count) {
  guint n_submitted = mock_swin_n_submitted() + 2;

  mock_swin_hold();
  mock_push(harness, 0, count);
  mock_pull_all(harness, 0, count);
  mock_swin_let(1);
  mock_swin_wait_submitted(n_submitted);
  return n_submitted;
}

/* ---- Frames -------------------------------------------------------------------------------- */

#define MANY 100

// The first frame is looked at and the newest is kept for later; all others are let go of.
static void expect_held(GstBuffer **frames, guint count) {
  for (guint i = 0; i < count; i++) {
    gboolean is_held = i == 0 || i == count - 1;

    fail_unless((GST_MINI_OBJECT_REFCOUNT_VALUE(frames[i]) > 1) == is_held,
                "frame %u has %d references", i, GST_MINI_OBJECT_REFCOUNT_VALUE(frames[i]));
  }
}

// Inference never ends, and no frame waits for it.
GST_START_TEST(test_latest_never_waits) {
  GstHarness *harness = latest_new("");
  guint n_submitted = mock_swin_n_submitted();
  GstBuffer *frames[MANY];

  mock_swin_hold();
  for (guint i = 0; i < MANY; i++) {
    frames[i] = mock_frame_new(i);
    fail_unless_equals_int(gst_harness_push(harness, gst_buffer_ref(frames[i])), GST_FLOW_OK);
    pull_nothing(harness, i);
  }
  fail_unless_equals_int(mock_swin_n_submitted() - n_submitted, 1);
  // The source task may not have let go of the last one yet, but that one is kept anyway.
  expect_held(frames, MANY);
  fail_unless_equals_uint64(mock_count(harness, "frames"), MANY);
  fail_unless_equals_uint64(mock_count(harness, "skipped"), MANY - 2);
  mock_swin_release();
  mock_swin_wait_submitted(n_submitted + 2);
  mock_teardown(harness);
  for (guint i = 0; i < MANY; i++) {
    ASSERT_MINI_OBJECT_REFCOUNT(frames[i], "frame", 1);
    gst_buffer_unref(frames[i]);
  }
}
GST_END_TEST;

// What is looked at is the newest frame at the time when inference is free, and what frames carry
// is the newest result at the time when they leave.
GST_START_TEST(test_latest_ages) {
  GstHarness *harness = latest_new("");
  guint n_submitted = mock_swin_n_submitted();

  mock_swin_hold();
  mock_push(harness, 0, 4);
  for (guint i = 0; i < 4; i++)
    pull_nothing(harness, i);
  mock_swin_let(1); // of frame 0; frame 3 is next
  mock_swin_wait_submitted(n_submitted + 2);
  mock_push(harness, 4, 3);
  for (guint i = 4; i < 7; i++)
    mock_pull_result(harness, i, 0);
  mock_swin_let(1); // of frame 3; frame 6 is next
  mock_swin_wait_submitted(n_submitted + 3);
  mock_push(harness, 7, 1);
  mock_pull_result(harness, 7, 3);
  mock_swin_let(1); // of frame 6
  mock_swin_wait_submitted(n_submitted + 4);
  mock_push(harness, 8, 1);
  mock_pull_result(harness, 8, 6);
  fail_unless_equals_int(test_count_classifications(harness), 3);
  fail_unless_equals_uint64(mock_count(harness, "classified"), 3);
  fail_unless_equals_uint64(mock_count(harness, "inferences"), 3);
  fail_unless_equals_uint64(mock_count(harness, "skipped"), 4);
  fail_unless_equals_uint64(mock_count(harness, "host-copies"), 4);
  fail_unless_equals_uint64(mock_count(harness, "dropped"), 0);
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_latest_with_interval) {
  GstHarness *harness = latest_new("inference-interval=3");
  guint n_submitted = mock_swin_n_submitted();

  mock_swin_hold();
  mock_push(harness, 0, 6); // 0 is looked at, 3 is next
  mock_swin_let(1);
  mock_swin_wait_submitted(n_submitted + 2);
  mock_push(harness, 6, 1);
  mock_pull_all(harness, 0, 6);
  mock_pull_result(harness, 6, 0);
  mock_swin_let(1);
  mock_swin_wait_submitted(n_submitted + 3);
  mock_push(harness, 7, 1);
  mock_pull_result(harness, 7, 3);
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

// A result of before the mock_flush is not one of what comes after it, whenever it comes.
GST_START_TEST(test_latest_flush) {
  GstHarness *harness = latest_new("");
  guint n_submitted, n_cancelled = mock_swin_n_cancelled();

  n_submitted = look_at_first(harness, 4);
  mock_flush(harness);
  mock_push(harness, 50, 2);
  pull_nothing(harness, 50);
  pull_nothing(harness, 51);
  mock_swin_release();
  mock_swin_wait_submitted(n_submitted + 1);
  // The job of frame 3 was cancelled, so 50 or 51 were next.
  while (mock_count(harness, "classified") == 0) {
    mock_push(harness, 52, 1);
    fail_unless(mock_pull(harness, 52).n_metas <= 1);
  }
  mock_push(harness, 53, 1);
  fail_unless(mock_pull(harness, 53).timestamp >= 50 * TEST_FRAME_TIME);
  fail_unless_equals_int(mock_swin_n_cancelled() - n_cancelled, 1);
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_ERROR), 0);
  mock_teardown(harness);
}
GST_END_TEST;

// The end waits for nothing either, and what was known before it is told of.
GST_START_TEST(test_latest_eos) {
  GstHarness *harness = latest_new("");
  guint n_cancelled = mock_swin_n_cancelled();

  look_at_first(harness, 5);
  fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
  mock_wait_for_event(harness, GST_EVENT_EOS);
  fail_unless_equals_int(test_count_classifications(harness), 1);
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_ERROR), 0);
  mock_teardown(harness);
  fail_unless_equals_int(mock_swin_n_cancelled() - n_cancelled, 1);
  mock_swin_release();
}
GST_END_TEST;

// What is known when a new stream begins is told of before, and no frame of that carries it. What
// comes of it later is dropped.
GST_START_TEST(test_latest_new_stream) {
  GstHarness *harness = latest_new("");

  mock_wait_for_event(harness, GST_EVENT_STREAM_START);
  look_at_first(harness, 3);
  test_start_stream(harness, 2, TEST_CAPS);
  mock_wait_for_event(harness, GST_EVENT_STREAM_START);
  fail_unless_equals_uint64(test_next_message_tags(harness).timestamp, 0);
  fail_unless_equals_int(test_count_classifications(harness), 0);
  mock_swin_release();
  swin_flight_drain(GST_SWIN_CLASSIFY(test_element(harness))->flight); // of frame 2
  mock_swin_hold();
  mock_push(harness, 3, 1);
  pull_nothing(harness, 3);
  fail_unless_equals_int(test_count_classifications(harness), 0);
  fail_unless_equals_uint64(mock_count(harness, "classified"), 1);
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

// The times of a message are of the segment in which its frame was.
GST_START_TEST(test_latest_new_segment) {
  GstHarness *harness = latest_new("");
  guint n_submitted;
  guint64 running_time, stream_time;
  GstMessage *message;
  GstSegment segment;

  n_submitted = look_at_first(harness, 3);
  mock_swin_let(1);
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.base = 10 * GST_SECOND;
  segment.time = 5 * GST_SECOND;
  fail_unless(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
  mock_push(harness, 3, 1);
  mock_swin_wait_submitted(n_submitted + 1);
  mock_push(harness, 4, 1);
  mock_pull_all(harness, 3, 2);
  for (guint number = 0; number <= 2; number += 2) {
    message = test_next_classification(harness);
    fail_unless(message != NULL);
    fail_unless(
        gst_structure_get_uint64(gst_message_get_structure(message), "running-time",
                                 &running_time) &&
        gst_structure_get_uint64(gst_message_get_structure(message), "stream-time", &stream_time));
    fail_unless_equals_uint64(running_time, number * TEST_FRAME_TIME);
    fail_unless_equals_uint64(stream_time, number * TEST_FRAME_TIME);
    gst_message_unref(message);
  }
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_latest_stop) {
  GstHarness *harness = latest_new("");

  mock_swin_hold();
  mock_push(harness, 0, 5);
  mock_pull_all(harness, 0, 5);
  mock_teardown(harness);
  mock_swin_release();
}
GST_END_TEST;

// Whoever asks for its buffers back gets them.
GST_START_TEST(test_latest_drain_query) {
  GstHarness *harness = latest_new("");
  GstBuffer *frames[3];
  GstQuery *query = gst_query_new_drain();

  mock_swin_hold();
  for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
    frames[i] = mock_frame_new(i);
    fail_unless_equals_int(gst_harness_push(harness, gst_buffer_ref(frames[i])), GST_FLOW_OK);
  }
  mock_pull_all(harness, 0, G_N_ELEMENTS(frames));
  gst_pad_peer_query(harness->srcpad, query);
  gst_query_unref(query);
  for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
    ASSERT_MINI_OBJECT_REFCOUNT(frames[i], "frame", 1);
    gst_buffer_unref(frames[i]);
  }
  mock_push(harness, 3, 1);
  mock_pull(harness, 3);
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

static GstFlowReturn push_until_refused(GstHarness *harness) {
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK)
    flow = gst_harness_push(harness, mock_frame_new(0));
  return flow;
}

// One error, the end for downstream, an error for upstream.
static void expect_failure(GstHarness *harness) {
  gst_harness_set_drop_buffers(harness, TRUE);
  fail_unless_equals_int(push_until_refused(harness), GST_FLOW_ERROR);
  mock_wait_for_event(harness, GST_EVENT_EOS);
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_ERROR), 1);
  mock_teardown(harness);
}

GST_START_TEST(test_latest_result_fails) {
  mock_swin_fail_result(2, SWIN_ERROR_DEVICE_LOST);
  expect_failure(latest_new(""));
}
GST_END_TEST;

// The library refuses a frame when its turn comes, in a thread of its own.
GST_START_TEST(test_latest_submit_fails) {
  GstHarness *harness = latest_new("");

  mock_swin_hold();
  mock_push(harness, 0, 2);
  mock_swin_fail_submit(0);
  mock_swin_release();
  expect_failure(harness);
}
GST_END_TEST;

// Read at once or later, a buffer that is no picture passes, and inference goes on behind it.
GST_START_TEST(test_latest_unreadable) {
  GstHarness *harness = latest_new("");
  guint n_submitted = mock_swin_n_submitted();

  gst_buffer_unref(gst_harness_push_and_pull(harness, gst_buffer_new_allocate(NULL, 100, NULL)));
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_WARNING), 1);
  mock_swin_hold();
  mock_push(harness, 0, 1);
  mock_pull(harness, 0);
  gst_buffer_unref(gst_harness_push_and_pull(harness, gst_buffer_new_allocate(NULL, 100, NULL)));
  fail_unless_equals_int(mock_swin_n_submitted() - n_submitted, 1);
  mock_swin_release();
  while (mock_swin_n_submitted() - n_submitted < 3) {
    mock_push(harness, 1, 1);
    mock_pull(harness, 1);
  }
  fail_unless(mock_count_messages(harness, GST_MESSAGE_WARNING) <= 1);
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_ERROR), 0);
  mock_teardown(harness);
}
GST_END_TEST;

static Suite *latest_suite(void) {
  Suite *suite = suite_create("latest");
  TCase *tcase = tcase_create("latest");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_latest_never_waits);
  tcase_add_test(tcase, test_latest_ages);
  tcase_add_test(tcase, test_latest_with_interval);
  tcase_add_test(tcase, test_latest_flush);
  tcase_add_test(tcase, test_latest_eos);
  tcase_add_test(tcase, test_latest_new_stream);
  tcase_add_test(tcase, test_latest_new_segment);
  tcase_add_test(tcase, test_latest_stop);
  tcase_add_test(tcase, test_latest_drain_query);
  tcase_add_test(tcase, test_latest_result_fails);
  tcase_add_test(tcase, test_latest_submit_fails);
  tcase_add_test(tcase, test_latest_unreadable);
  return suite;
}

int main(int argc, char **argv) {
  return mock_main(&argc, &argv, latest_suite, "latest");
}
