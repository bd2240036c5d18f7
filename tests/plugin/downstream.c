// SPDX-License-Identifier: LGPL-2.1-or-later
// What comes out where downstream takes its time, over a libswin whose results come when the test
// says so (mock-swin.h).
#include "../../plugin/swinclassify.h"
#include "mock-harness.h"

/* ---- A gate before downstream -------------------------------------------------------------- */

typedef struct {
  GMutex lock;
  GCond changed;
  gboolean closed;
  gboolean has_one; // a frame waits at it
  gboolean refuses; // downstream has enough of this segment with the next frame
  GString *passed;  // frames as '0' to '9', events as letters
} Gate;

static const gchar *name_of(GstMiniObject *object) {
  static const gchar *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

  if (GST_IS_BUFFER(object))
    return digits[GST_BUFFER_PTS(object) / TEST_FRAME_TIME % 10];
  switch (GST_EVENT_TYPE(object)) {
  case GST_EVENT_GAP:
    return "g";
  case GST_EVENT_SEGMENT:
    return "s";
  case GST_EVENT_TAG:
    return "t";
  case GST_EVENT_EOS:
    return "e";
  default:
    return "";
  }
}

static GstPadProbeReturn refuse(GstPadProbeInfo *info) {
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

static GstPadProbeReturn pass(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  Gate *gate = user_data;
  gboolean refuses;

  (void)pad;
  g_mutex_lock(&gate->lock);
  if (GST_IS_BUFFER(info->data)) {
    gate->has_one = TRUE;
    g_cond_broadcast(&gate->changed);
    while (gate->closed)
      g_cond_wait(&gate->changed, &gate->lock);
    gate->has_one = FALSE;
  }
  refuses = GST_IS_BUFFER(info->data) && gate->refuses;
  if (refuses)
    gate->refuses = FALSE;
  else
    g_string_append(gate->passed, name_of(info->data));
  g_mutex_unlock(&gate->lock);
  return refuses ? refuse(info) : GST_PAD_PROBE_OK;
}

static void gate_init(Gate *gate, GstHarness *harness) {
  *gate = (Gate){.passed = g_string_new(NULL)};
  g_mutex_init(&gate->lock);
  g_cond_init(&gate->changed);
  gst_pad_add_probe(harness->sinkpad,
                    GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, pass, gate,
                    NULL);
}

static void gate_set(Gate *gate, gboolean closed) {
  g_mutex_lock(&gate->lock);
  gate->closed = closed;
  g_cond_broadcast(&gate->changed);
  g_mutex_unlock(&gate->lock);
}

static void gate_wait(Gate *gate) {
  g_mutex_lock(&gate->lock);
  while (!gate->has_one)
    g_cond_wait(&gate->changed, &gate->lock);
  g_mutex_unlock(&gate->lock);
}

static void gate_clear(Gate *gate) {
  g_string_free(gate->passed, TRUE);
  g_mutex_clear(&gate->lock);
  g_cond_clear(&gate->changed);
}

/* ---- A slow sink --------------------------------------------------------------------------- */

// What is known of a later frame by the time that a frame leaves is not that one's to carry.
GST_START_TEST(test_results_of_later_frames_wait_for_them) {
  GstHarness *harness = test_harness_new("latency-policy=latest");
  guint n_submitted = mock_swin_n_submitted();
  Gate gate;

  gate_init(&gate, harness);
  mock_swin_hold();
  gate_set(&gate, TRUE);
  mock_push(harness, 0, 1);
  gate_wait(&gate);
  mock_push(harness, 1, 2); // 0 is looked at, 2 is next
  mock_swin_let(2);
  mock_swin_wait_submitted(n_submitted + 2);
  swin_flight_drain(GST_SWIN_CLASSIFY(test_element(harness))->flight);
  gate_set(&gate, FALSE);
  fail_unless_equals_int(mock_pull(harness, 0).n_metas, 0);
  mock_pull_result(harness, 1, 0);
  mock_pull_result(harness, 2, 2);
  fail_unless_equals_int(test_count_classifications(harness), 2);
  mock_swin_release();
  mock_teardown(harness);
  gate_clear(&gate);
}
GST_END_TEST;

typedef struct {
  GstHarness *harness;
  gint n_pushed; // atomic
} Pusher;

static gpointer push_twenty(gpointer user_data) {
  Pusher *pusher = user_data;

  for (guint i = 0; i < 20; i++) {
    mock_push(pusher->harness, i, 1);
    g_atomic_int_inc(&pusher->n_pushed);
  }
  return NULL;
}

// However large the batches, upstream is held back by a slow sink before frames get old.
static void check_ahead(const gchar *properties) {
  GstHarness *harness = test_harness_new(properties);
  Pusher pusher = {.harness = harness};
  GThread *thread;
  Gate gate;

  gate_init(&gate, harness);
  gate_set(&gate, TRUE);
  thread = g_thread_new("pusher", push_twenty, &pusher);
  gate_wait(&gate);
  g_usleep(G_USEC_PER_SEC / 5);
  // One is at the gate.
  fail_unless(g_atomic_int_get(&pusher.n_pushed) <= 1 + SWIN_QUEUE_MAX_AHEAD);
  gate_set(&gate, FALSE);
  g_thread_join(thread);
  mock_pull_all(harness, 0, 20);
  mock_teardown(harness);
  gate_clear(&gate);
}

GST_START_TEST(test_frames_ahead_of_a_slow_sink) {
  check_ahead("latency-policy=latest");
  check_ahead("latency-policy=latest batch-size=64");
}
GST_END_TEST;

/* ---- A sink that has enough ---------------------------------------------------------------- */

static void push_tracked(GstHarness *harness, guint number) {
  GstBuffer *frame = mock_frame_new(number);

  gst_video_region_of_interest_meta_add_param(
      gst_buffer_add_video_region_of_interest_meta(frame, NULL, 0, 0, 100, 100),
      gst_structure_new("object_id", "id", G_TYPE_INT, 5, NULL));
  fail_unless_equals_int(gst_harness_push(harness, frame), GST_FLOW_OK);
}

// Frame 1, the only one at which its object would have been looked at, is dropped with its result.
GST_START_TEST(test_result_of_an_object_that_is_dropped) {
  GstHarness *harness =
      test_harness_new("latency-policy=every inference-region=roi-list reclassify-interval=0");
  Gate gate;

  gate_init(&gate, harness);
  gate.refuses = TRUE;
  gate_set(&gate, TRUE);
  mock_push(harness, 0, 1);
  mock_wait_for_event(harness, GST_EVENT_SEGMENT);
  gate_wait(&gate);
  push_tracked(harness, 1);
  swin_flight_drain(GST_SWIN_CLASSIFY(test_element(harness))->flight);
  test_push_segment(harness);
  gate_set(&gate, FALSE);
  mock_wait_for_event(harness, GST_EVENT_SEGMENT);
  push_tracked(harness, 2);
  mock_pull_result(harness, 2, 2);
  push_tracked(harness, 3);
  mock_pull_result(harness, 3, 2);
  mock_teardown(harness);
  gate_clear(&gate);
}
GST_END_TEST;

/* ---- Order --------------------------------------------------------------------------------- */

static void push_gap(GstHarness *harness) {
  fail_unless(gst_harness_push_event(harness, gst_event_new_gap(0, TEST_FRAME_TIME)));
}

// Events stay where they are between frames: of those that wait and those that do not, of frames
// that nobody looks at, and at the end, with inferences under way.
static void check_order(const gchar *properties) {
  GstHarness *harness = test_harness_new(properties);
  Gate gate;

  // What the harness sends by itself comes before that.
  mock_push(harness, 0, 1);
  mock_pull_all(harness, 0, 1);
  gst_harness_set_drop_buffers(harness, TRUE);
  gate_init(&gate, harness);
  mock_swin_hold();
  push_gap(harness);
  mock_push(harness, 1, 1);
  push_gap(harness);
  mock_push(harness, 2, 1);
  test_push_segment(harness);
  mock_push(harness, 3, 1);
  fail_unless(gst_harness_push_event(harness, gst_event_new_tag(gst_tag_list_new_empty())));
  mock_push(harness, 4, 1);
  push_gap(harness);
  fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
  mock_swin_release();
  mock_wait_for_event(harness, GST_EVENT_EOS);
  assert_equals_string(gate.passed->str, "g1g2s3t4ge");
  mock_teardown(harness);
  gate_clear(&gate);
}

GST_START_TEST(test_events_stay_between_frames) {
  check_order("latency-policy=every");
  check_order("latency-policy=every inference-interval=2");
  check_order("latency-policy=latest");
  check_order("latency-policy=latest inference-interval=3");
}
GST_END_TEST;

static Suite *downstream_suite(void) {
  Suite *suite = suite_create("downstream");
  TCase *tcase = tcase_create("downstream");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_results_of_later_frames_wait_for_them);
  tcase_add_test(tcase, test_frames_ahead_of_a_slow_sink);
  tcase_add_test(tcase, test_result_of_an_object_that_is_dropped);
  tcase_add_test(tcase, test_events_stay_between_frames);
  return suite;
}

int main(int argc, char **argv) {
  return mock_main(&argc, &argv, downstream_suite, "downstream");
}
