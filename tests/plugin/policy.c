// SPDX-License-Identifier: LGPL-2.1-or-later
// Which frames are looked at and what they wait for, over a libswin whose results come when the
// test says so (mock-swin.h).
#include "../../plugin/swinclassify.h"
#include "mock-harness.h"
#include "mock-swin.h"

/* ---- Every --------------------------------------------------------------------------------- */

GST_START_TEST(test_every_has_its_own_result) {
  GstHarness *harness = test_harness_new("latency-policy=every");

  mock_push(harness, 0, 40);
  for (guint i = 0; i < 40; i++)
    mock_pull_result(harness, i, i);
  fail_unless_equals_uint64(mock_count(harness, "classified"), 40);
  fail_unless_equals_uint64(mock_count(harness, "skipped"), 0);
  mock_teardown(harness);
}
GST_END_TEST;

// Two batches are under way at once, so that one can be gathered while the other is computed.
GST_START_TEST(test_every_keeps_two_batches_under_way) {
  GstHarness *harness = test_harness_new("latency-policy=every batch-size=8");
  guint n_submitted = mock_swin_n_submitted();

  mock_swin_hold();
  mock_push(harness, 0, 16);
  fail_unless_equals_int(mock_swin_n_submitted() - n_submitted, 16);
  fail_unless_equals_int(gst_harness_buffers_received(harness), 0);
  mock_swin_release();
  mock_pull_all(harness, 0, 16);
  mock_teardown(harness);
}
GST_END_TEST;

/* ---- Auto ---------------------------------------------------------------------------------- */

static void set_caps(GstHarness *harness, guint rate) {
  g_autofree gchar *caps = g_strdup_printf(
      "video/x-raw, format=(string)I420, width=(int)320, height=(int)240, framerate=%u/1", rate);

  gst_harness_set_src_caps_str(harness, caps);
}

// A live source is not held up, a file waits; new caps are reason to ask anew.
GST_START_TEST(test_auto) {
  GstHarness *harness = test_harness_new("");

  gst_harness_set_live(harness, TRUE);
  mock_swin_hold();
  mock_push(harness, 0, 20);
  mock_pull_all(harness, 0, 20);
  gst_harness_set_live(harness, FALSE);
  set_caps(harness, 30);
  mock_push(harness, 20, 1);
  g_usleep(G_USEC_PER_SEC / 10);
  fail_unless_equals_int(gst_harness_buffers_in_queue(harness), 0);
  mock_swin_release();
  mock_pull(harness, 20);
  mock_teardown(harness);
}
GST_END_TEST;

static GstPadProbeReturn refuse_latency(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  guint *n_queries = user_data;

  (void)pad;
  if (GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) != GST_QUERY_LATENCY)
    return GST_PAD_PROBE_OK;
  (*n_queries)++;
  return GST_PAD_PROBE_DROP;
}

// Upstream may not know yet, or never; once it does it is not asked again.
GST_START_TEST(test_auto_asks_until_it_is_answered) {
  GstHarness *harness = test_harness_new("");
  guint n_queries = 0;
  gulong probe;

  gst_harness_set_live(harness, TRUE);
  probe = gst_pad_add_probe(harness->srcpad,
                            GST_PAD_PROBE_TYPE_QUERY_UPSTREAM | GST_PAD_PROBE_TYPE_PUSH,
                            refuse_latency, &n_queries, NULL);
  mock_swin_hold();
  mock_push(harness, 0, 2);
  fail_unless_equals_int(n_queries, 2);
  fail_unless_equals_int(gst_harness_buffers_received(harness), 0);
  gst_pad_remove_probe(harness->srcpad, probe);
  mock_push(harness, 2, 5);
  probe = gst_pad_add_probe(harness->srcpad,
                            GST_PAD_PROBE_TYPE_QUERY_UPSTREAM | GST_PAD_PROBE_TYPE_PUSH,
                            refuse_latency, &n_queries, NULL);
  mock_swin_let(2);
  mock_pull_all(harness, 0, 7);
  mock_push(harness, 7, 5);
  mock_pull_all(harness, 7, 5);
  fail_unless_equals_int(n_queries, 2);
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

// Set while frames are on their way, a policy holds for those that come; none is lost or overtaken.
GST_START_TEST(test_policy_changes_while_playing) {
  GstHarness *harness = test_harness_new("");

  for (guint i = 0; i < 200; i++) {
    if (i % 10 == 0)
      gst_util_set_object_arg(G_OBJECT(test_element(harness)), "latency-policy",
                              i % 20 == 0 ? "every" : "latest");
    mock_push(harness, i, 1);
  }
  mock_pull_all(harness, 0, 200);
  mock_teardown(harness);
}
GST_END_TEST;

/* ---- Latency ------------------------------------------------------------------------------- */

static GstClockTime query_latency(GstHarness *harness) {
  GstQuery *query = gst_query_new_latency();
  GstClockTime minimum;

  fail_unless(gst_pad_peer_query(harness->sinkpad, query));
  gst_query_parse_latency(query, NULL, &minimum, NULL);
  gst_query_unref(query);
  return minimum;
}

GST_START_TEST(test_latency_by_policy) {
  GstHarness *harness = test_harness_new("");
  GstClockTime before;

  gst_harness_set_live(harness, TRUE);
  gst_harness_set_upstream_latency(harness, 10 * GST_MSECOND);
  fail_unless_equals_uint64(query_latency(harness), 10 * GST_MSECOND);
  g_object_set(test_element(harness), "latency-policy", GST_SWIN_CLASSIFY_LATENCY_POLICY_EVERY,
               NULL);
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_LATENCY), 1);
  // The warm-up run is what is known before the first frame.
  before = query_latency(harness);
  fail_unless(before >= 10 * GST_MSECOND);
  mock_swin_hold();
  mock_push(harness, 0, 1);
  g_usleep(G_USEC_PER_SEC / 5);
  mock_swin_release();
  mock_pull(harness, 0);
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_LATENCY), 1);
  fail_unless(query_latency(harness) >= 210 * GST_MSECOND);
  g_object_set(test_element(harness), "latency-policy", GST_SWIN_CLASSIFY_LATENCY_POLICY_LATEST,
               NULL);
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_LATENCY), 1);
  fail_unless_equals_uint64(query_latency(harness), 10 * GST_MSECOND);
  mock_teardown(harness);
}
GST_END_TEST;

/* ---- Quality of service -------------------------------------------------------------------- */

// Downstream was late by @jitter with the frame of @timestamp.
static void push_qos(GstHarness *harness, GstClockTimeDiff jitter, GstClockTime timestamp) {
  GstEvent *event;
  gboolean found = FALSE;

  fail_unless(gst_harness_push_upstream_event(
      harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, jitter, timestamp)));
  // It goes on to whoever makes the frames.
  while ((event = gst_harness_try_pull_upstream_event(harness)) != NULL) {
    found = found || GST_EVENT_TYPE(event) == GST_EVENT_QOS;
    gst_event_unref(event);
  }
  fail_unless(found);
}

static void expect_late(GstHarness *harness, guint start, guint n_late) {
  guint64 n_skipped = mock_count(harness, "skipped");
  guint n_submitted = mock_swin_n_submitted();

  mock_push(harness, start, 6);
  mock_pull_all(harness, start, 6);
  fail_unless_equals_uint64(mock_count(harness, "skipped") - n_skipped, n_late);
  fail_unless_equals_int(mock_swin_n_submitted() - n_submitted, 6 - n_late);
}

// Frame 5 came 2.5 frames too late: so will those that are not later than 7.5. They leave, but
// nobody looks at them.
GST_START_TEST(test_qos) {
  GstHarness *harness = test_harness_new("");
  const GstClockTimeDiff jitter = 5 * (GstClockTimeDiff)TEST_FRAME_TIME / 2;
  const GstClockTime timestamp = 5 * TEST_FRAME_TIME;

  expect_late(harness, 0, 0);
  push_qos(harness, jitter, timestamp);
  expect_late(harness, 6, 2);
  // Early by as much: nothing after 2.5 is late.
  push_qos(harness, -jitter, timestamp);
  expect_late(harness, 0, 3);

  push_qos(harness, jitter, timestamp);
  test_push_segment(harness);
  expect_late(harness, 0, 0);
  push_qos(harness, jitter, timestamp);
  mock_flush(harness);
  expect_late(harness, 0, 0);
  push_qos(harness, jitter, timestamp);
  g_object_set(test_element(harness), "qos", FALSE, NULL);
  expect_late(harness, 0, 0);
  mock_teardown(harness);
}
GST_END_TEST;

/* ---- Renegotiation ------------------------------------------------------------------------- */

static void push_size(GstHarness *harness, guint number, gint width, gint height) {
  GstBuffer *frame =
      gst_buffer_new_allocate(NULL, (gsize)(GST_ROUND_UP_4(width * 3) * height), NULL);

  gst_buffer_memset(frame, 0, 16, (gsize)-1);
  GST_BUFFER_PTS(frame) = number * TEST_FRAME_TIME;
  fail_unless_equals_int(gst_harness_push(harness, frame), GST_FLOW_OK);
}

// A frame that waits for its turn is read by the caps that it came with: as RGB of another size it
// would be unreadable.
static void check_renegotiation(const gchar *policy) {
  g_autofree gchar *properties = g_strdup_printf("latency-policy=%s", policy);
  GstHarness *harness = test_harness_new(properties);

  for (guint i = 0; i < 30; i++) {
    gint width = 16 + 2 * (gint)(i % 7), height = 64 - 2 * (gint)(i % 5);
    g_autofree gchar *caps = g_strdup_printf(
        "video/x-raw, format=(string)RGB, width=(int)%d, height=(int)%d, framerate=25/1", width,
        height);

    gst_harness_set_src_caps_str(harness, caps);
    push_size(harness, 2 * i, width, height);
    push_size(harness, 2 * i + 1, width, height);
  }
  mock_pull_all(harness, 0, 60);
  fail_unless_equals_int(mock_count_messages(harness, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  mock_teardown(harness);
}

GST_START_TEST(test_renegotiation) {
  check_renegotiation("every");
  check_renegotiation("latest");
}
GST_END_TEST;

static Suite *policy_suite(void) {
  Suite *suite = suite_create("policy");
  TCase *tcase = tcase_create("policy");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_every_has_its_own_result);
  tcase_add_test(tcase, test_every_keeps_two_batches_under_way);
  tcase_add_test(tcase, test_auto);
  tcase_add_test(tcase, test_auto_asks_until_it_is_answered);
  tcase_add_test(tcase, test_policy_changes_while_playing);
  tcase_add_test(tcase, test_latency_by_policy);
  tcase_add_test(tcase, test_qos);
  tcase_add_test(tcase, test_renegotiation);
  return suite;
}

int main(int argc, char **argv) {
  return mock_main(&argc, &argv, policy_suite, "policy");
}
