// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames and events on their way: order, end, flush, renegotiation, states, shared buffers.
#include "common.h"

#include <gst/app/gstappsink.h>

// As queue.h has it; frames between the pads are never more.
#define MAX_FRAMES 8

// For tests that go through them by __i__.
static const gchar *const policies[] = {"every", "latest"};

static const gchar *const patterns[] = {"smpte", "black", "white"};
static const gchar *const labels[] = {"colour bars", "black", "white"};

static void push_frames(GstHarness *harness, guint start, guint count) {
  for (guint i = start; i < start + count; i++)
    fail_unless_equals_int(
        gst_harness_push(harness, test_frame_at(patterns[i % G_N_ELEMENTS(patterns)], i)),
        GST_FLOW_OK);
}

static void expect_frames(GstHarness *harness, guint start, guint count) {
  for (guint i = start; i < start + count; i++) {
    GstBuffer *pulled = gst_harness_pull(harness);

    fail_unless(pulled != NULL, "frame %u did not come", i);
    fail_unless_equals_uint64(GST_BUFFER_PTS(pulled), i * TEST_FRAME_TIME);
    assert_equals_string(test_best_label(pulled), labels[i % G_N_ELEMENTS(labels)]);
    fail_unless_equals_int(test_tags_of_buffer(pulled).n_metas, 1);
    gst_buffer_unref(pulled);
  }
}

static void expect_event(GstHarness *harness, GstEventType type) {
  GstEvent *event;
  gboolean found = FALSE;

  while (!found && (event = gst_harness_pull_event(harness)) != NULL) {
    found = GST_EVENT_TYPE(event) == type;
    gst_event_unref(event);
  }
  fail_unless(found, "no %s event", gst_event_type_get_name(type));
}

/* ---- Order and end ------------------------------------------------------------------------- */

// More frames than fit inside, then EOS at once: all come out, each with its own result, then EOS.
GST_START_TEST(test_eos_drains) {
  GstHarness *harness = test_harness_new("");
  const guint n_frames = 3 * MAX_FRAMES;

  push_frames(harness, 0, n_frames);
  fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
  expect_event(harness, GST_EVENT_EOS);
  fail_unless_equals_int(gst_harness_buffers_received(harness), n_frames);
  expect_frames(harness, 0, n_frames);
  fail_unless_equals_int(test_count_classifications(harness), n_frames);
  test_harness_teardown(harness);
}
GST_END_TEST;

static GstPadProbeReturn record(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  GString *order = user_data;
  GstEvent *event;

  (void)pad;
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    g_string_append(order, "frame ");
    return GST_PAD_PROBE_OK;
  }
  event = GST_PAD_PROBE_INFO_EVENT(info);
  g_string_append_printf(order, "%s ", GST_EVENT_TYPE_NAME(event));
  return GST_PAD_PROBE_OK;
}

// Serialized events keep their places between the frames.
GST_START_TEST(test_events_stay_between_frames) {
  GstHarness *harness = test_harness_new("");
  g_autoptr(GString) order = g_string_new(NULL);

  push_frames(harness, 0, 1);
  expect_frames(harness, 0, 1);
  gst_pad_add_probe(harness->sinkpad,
                    GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, record, order,
                    NULL);
  push_frames(harness, 1, 2);
  gst_harness_push_event(harness, gst_event_new_gap(3 * TEST_FRAME_TIME, TEST_FRAME_TIME));
  gst_harness_push_event(harness, gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "t", NULL)));
  push_frames(harness, 4, 1);
  gst_harness_push_event(harness,
                         gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                              gst_structure_new_empty("application/x-test")));
  push_frames(harness, 5, 1);
  gst_harness_push_event(harness, gst_event_new_eos());
  expect_event(harness, GST_EVENT_EOS);
  assert_equals_string(order->str, "frame frame gap tag frame custom-downstream frame eos ");
  test_harness_teardown(harness);
}
GST_END_TEST;

/* ---- Flush --------------------------------------------------------------------------------- */

static void flush(GstHarness *harness) {
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_start()));
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE)));
}

// Frames that are inside when a flush begins never come out, and what follows is classified anew:
// frame 101 would carry the result of an old one if the interval went on counting.
GST_START_TEST(test_flush_with_frames_pending) {
  GstHarness *harness = test_harness_new("inference-interval=1000");

  for (guint round = 0; round < 20; round++) {
    GstBuffer *pulled;

    push_frames(harness, 0, 4);
    flush(harness);
    // What left before the flush is not the element's to take back.
    while ((pulled = gst_harness_try_pull(harness)) != NULL)
      gst_buffer_unref(pulled);
    test_push_segment(harness);
    push_frames(harness, 100, 1);
    expect_frames(harness, 100, 1);
    fail_unless_equals_int(gst_harness_buffers_in_queue(harness), 0);
    flush(harness);
    test_push_segment(harness);
  }
  test_harness_teardown(harness);
}
GST_END_TEST;

typedef struct {
  GstHarness *harness;
  GstBuffer *frame;
  gint pushed; /* atomic */
  GstFlowReturn flow;
} Pusher;

static gpointer push_until_refused(gpointer user_data) {
  Pusher *pusher = user_data;

  do {
    pusher->flow = gst_pad_push(pusher->harness->srcpad, gst_buffer_copy(pusher->frame));
    if (pusher->flow == GST_FLOW_OK)
      g_atomic_int_inc(&pusher->pushed);
  } while (pusher->flow == GST_FLOW_OK);
  return NULL;
}

// The sink holds one frame and the queue MAX_FRAMES. If fewer are taken, CK_DEFAULT_TIMEOUT ends
// this; were more taken, they would be within a moment.
static void wait_until_full(Pusher *pusher) {
  while (g_atomic_int_get(&pusher->pushed) < MAX_FRAMES + 1)
    g_usleep(G_USEC_PER_SEC / 100);
  g_usleep(G_USEC_PER_SEC / 2);
  fail_unless_equals_int(g_atomic_int_get(&pusher->pushed), MAX_FRAMES + 1);
}

// A flush lets go of what is blocked, as a sink does that waits for its clock.
static gulong block_sink(GstHarness *harness) {
  return gst_pad_add_probe(harness->sinkpad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER,
                           NULL, NULL, NULL);
}

static GThread *start_blocked(Pusher *pusher, GstHarness *harness) {
  GThread *thread;

  block_sink(harness);
  pusher->harness = harness;
  pusher->frame = test_frame_at("smpte", 0);
  thread = g_thread_new("pusher", push_until_refused, pusher);
  wait_until_full(pusher);
  return thread;
}

// The sink takes one frame and holds the source task. As many as MAX_FRAMES wait behind that one,
// and no more; flushing lets go of everybody.
GST_START_TEST(test_flush_unblocks_upstream) {
  GstHarness *harness = test_harness_new("");
  Pusher pusher = {0};
  GThread *thread = start_blocked(&pusher, harness);

  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_start()));
  g_thread_join(thread);
  fail_unless_equals_int(pusher.flow, GST_FLOW_FLUSHING);
  fail_unless(gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE)));
  gst_buffer_unref(pusher.frame);
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_stop_unblocks_upstream) {
  GstHarness *harness = test_harness_new("");
  Pusher pusher = {0};
  GThread *thread = start_blocked(&pusher, harness);

  // As in a pipeline, the sink lets go first.
  gst_pad_set_active(harness->sinkpad, FALSE);
  fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_NULL),
                         GST_STATE_CHANGE_SUCCESS);
  g_thread_join(thread);
  fail_unless_equals_int(pusher.flow, GST_FLOW_FLUSHING);
  gst_buffer_unref(pusher.frame);
  test_harness_teardown(harness);
}
GST_END_TEST;

// A flush takes frames, not what describes the stream: a tag list that was still inside is on the
// pad.
GST_START_TEST(test_flush_keeps_sticky_events) {
  GstHarness *harness = test_harness_new("");
  GstPad *source = gst_element_get_static_pad(test_element(harness), "src");
  GstEvent *event;
  gulong block = block_sink(harness);

  push_frames(harness, 0, 2);
  gst_harness_push_event(harness, gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "t", NULL)));
  fail_unless(gst_pad_get_sticky_event(source, GST_EVENT_TAG, 0) == NULL);
  flush(harness);
  event = gst_pad_get_sticky_event(source, GST_EVENT_TAG, 0);
  fail_unless(event != NULL);
  gst_event_unref(event);
  fail_unless(gst_pad_get_sticky_event(source, GST_EVENT_SEGMENT, 0) == NULL);
  gst_pad_remove_probe(harness->sinkpad, block);
  gst_object_unref(source);
  test_harness_teardown(harness);
}
GST_END_TEST;

/* ---- Renegotiation ------------------------------------------------------------------------- */

static GstPadProbeReturn check_size(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
  guint *n_frames = user_data;
  GstVideoInfo video;

  fail_unless(gst_video_info_from_caps(&video, caps));
  fail_unless(gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info)) == video.size,
              "a frame left under caps of another size");
  (*n_frames)++;
  return GST_PAD_PROBE_OK;
}

GST_START_TEST(test_renegotiation) {
  static const struct {
    const gchar *format;
    gint width, height;
  } kinds[] = {{"I420", 320, 240}, {"RGB", 160, 120}, {"NV12", 322, 182}, {"BGRx", 64, 64}};
  GstHarness *harness = test_harness_new("");
  guint n_frames = 0;

  gst_pad_add_probe(harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, check_size, &n_frames, NULL);
  for (guint i = 0; i < 12; i++) {
    g_autofree gchar *caps = g_strdup_printf(
        "video/x-raw, format=(string)%s, width=(int)%d, height=(int)%d, framerate=(fraction)25/1",
        kinds[i % 4].format, kinds[i % 4].width, kinds[i % 4].height);

    gst_harness_set_src_caps_str(harness, caps);
    for (guint frame = 0; frame < 3; frame++)
      fail_unless_equals_int(
          gst_harness_push(harness, test_frame_new("smpte", kinds[i % 4].format, kinds[i % 4].width,
                                                   kinds[i % 4].height)),
          GST_FLOW_OK);
  }
  gst_harness_push_event(harness, gst_event_new_eos());
  expect_event(harness, GST_EVENT_EOS);
  fail_unless_equals_int(n_frames, 36);
  for (guint i = 0; i < n_frames; i++) {
    GstBuffer *pulled = gst_harness_pull(harness);

    assert_equals_string(test_best_label(pulled), "colour bars");
    gst_buffer_unref(pulled);
  }
  test_harness_teardown(harness);
}
GST_END_TEST;

/* ---- States -------------------------------------------------------------------------------- */

static void expect_state(GstElement *element, GstState state) {
  fail_unless(gst_element_set_state(element, state) != GST_STATE_CHANGE_FAILURE);
  fail_unless(gst_element_get_state(element, NULL, NULL, GST_CLOCK_TIME_NONE) !=
              GST_STATE_CHANGE_FAILURE);
}

static GstElement *pipeline_new(const gchar *policy) {
  g_autofree gchar *launch = g_strdup_printf(
      "videotestsrc ! " TEST_CAPS " ! swinclassify latency-policy=%s ! fakesink sync=true", policy);

  return gst_parse_launch(launch, NULL);
}

GST_START_TEST(test_state_cycles) {
  static const GstState states[] = {GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_PLAYING,
                                    GST_STATE_READY,   GST_STATE_PAUSED, GST_STATE_NULL};
  GstElement *pipeline = pipeline_new(policies[__i__]);

  for (guint cycle = 0; cycle < 4; cycle++)
    for (guint i = 0; i < G_N_ELEMENTS(states); i++)
      expect_state(pipeline, states[i]);
  gst_object_unref(pipeline);
}
GST_END_TEST;

// States change from one thread while another pushes.
GST_START_TEST(test_state_changes_under_load) {
  g_autofree gchar *properties = g_strdup_printf("latency-policy=%s", policies[__i__]);
  GstHarness *harness = test_harness_new(properties);
  g_autoptr(GstCaps) caps = gst_caps_from_string(TEST_CAPS);
  GstBuffer *frame = test_frame_at("smpte", 0);
  GstHarnessThread *states, *pushes;
  GstSegment segment;

  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_set_drop_buffers(harness, TRUE);
  pushes = gst_harness_stress_push_buffer_start(harness, caps, &segment, frame);
  states = gst_harness_stress_statechange_start_full(harness, 50 * 1000);
  g_usleep(G_USEC_PER_SEC);
  fail_unless(gst_harness_stress_thread_stop(states) > 0);
  fail_unless(gst_harness_stress_thread_stop(pushes) > 0);
  gst_buffer_unref(frame);
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_flushing_seeks) {
  GstElement *pipeline = pipeline_new(policies[__i__]);

  expect_state(pipeline, GST_STATE_PAUSED);
  for (gint64 i = 0; i < 20; i++) {
    if (i == 10)
      expect_state(pipeline, GST_STATE_PLAYING);
    fail_unless(gst_element_seek_simple(pipeline, GST_FORMAT_TIME,
                                        GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                                        i * (gint64)GST_SECOND));
    fail_unless_equals_int(gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE),
                           GST_STATE_CHANGE_SUCCESS);
  }
  expect_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}
GST_END_TEST;

/* ---- Live ---------------------------------------------------------------------------------- */

#define N_LIVE 90

typedef struct {
  guint n_frames;
  guint n_tagged;
  GstClockTime last;
} Arrivals;

static void note_arrival(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user_data) {
  Arrivals *arrivals = user_data;

  (void)sink, (void)pad;
  fail_unless(arrivals->n_frames == 0 || GST_BUFFER_PTS(buffer) > arrivals->last);
  arrivals->last = GST_BUFFER_PTS(buffer);
  arrivals->n_frames++;
  if (test_tags_of_buffer(buffer).n_metas > 0)
    arrivals->n_tagged++;
}

static guint64 count_of(GstElement *pipeline, const gchar *counter) {
  GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), "element");
  GstStructure *stats;
  guint64 value;

  g_object_get(element, "stats", &stats, NULL);
  fail_unless(gst_structure_get_uint64(stats, counter, &value));
  gst_structure_free(stats);
  gst_object_unref(element);
  return value;
}

// A network that is slower than the source: by itself the element leaves frames alone and looks at
// some of them.
GST_START_TEST(test_live_source) {
  GstElement *pipeline = gst_parse_launch(
      "videotestsrc is-live=true num-buffers=90 ! video/x-raw,format=I420,width=320,height=240,"
      "framerate=30/1 ! swinclassify name=element image-size=256 ! fakesink name=sink sync=true "
      "signal-handoffs=true",
      NULL);
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstBus *bus = gst_element_get_bus(pipeline);
  Arrivals arrivals = {0};
  GstMessage *message;

  g_signal_connect(sink, "handoff", G_CALLBACK(note_arrival), &arrivals);
  expect_state(pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS);
  gst_message_unref(message);
  fail_unless_equals_int(arrivals.n_frames, N_LIVE);
  fail_unless(arrivals.n_tagged > 0);
  fail_unless_equals_uint64(count_of(pipeline, "dropped"), 0);
  fail_unless(count_of(pipeline, "classified") + count_of(pipeline, "skipped") <= N_LIVE);
  expect_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
}
GST_END_TEST;

/* ---- Shared and reused buffers ------------------------------------------------------------- */

static GstBuffer *pull_from(GstElement *pipeline, const gchar *name) {
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), name);
  GstSample *sample = gst_app_sink_pull_sample(GST_APP_SINK(sink));
  GstBuffer *buffer;

  gst_object_unref(sink);
  if (sample == NULL)
    return NULL;
  buffer = gst_buffer_ref(gst_sample_get_buffer(sample));
  gst_sample_unref(sample);
  return buffer;
}

// Both branches have the same pixels, and only the one with the element has tags.
GST_START_TEST(test_tee) {
  GstElement *pipeline = gst_parse_launch(
      "videotestsrc num-buffers=5 ! " TEST_CAPS " ! tee name=t t. ! queue ! swinclassify ! "
      "appsink name=tagged sync=false t. ! queue ! appsink name=plain sync=false",
      NULL);
  guint n_frames = 0;
  GstBuffer *tagged, *plain;

  expect_state(pipeline, GST_STATE_PLAYING);
  while ((tagged = pull_from(pipeline, "tagged")) != NULL) {
    plain = pull_from(pipeline, "plain");
    fail_unless(gst_buffer_peek_memory(tagged, 0) == gst_buffer_peek_memory(plain, 0));
    assert_equals_string(test_best_label(tagged), "colour bars");
    fail_unless_equals_int(test_tags_of_buffer(plain).n_metas, 0);
    gst_buffer_unref(tagged);
    gst_buffer_unref(plain);
    n_frames++;
  }
  fail_unless_equals_int(n_frames, 5);
  expect_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}
GST_END_TEST;

// A pool gives the same buffers again and again: what the last round attached is gone.
GST_START_TEST(test_pool_reuse) {
  GstElement *pipeline =
      gst_parse_launch("videotestsrc num-buffers=60 ! " TEST_CAPS
                       " ! swinclassify ! appsink name=sink max-buffers=1 sync=false",
                       NULL);
  g_autoptr(GHashTable) memories = g_hash_table_new(NULL, NULL);
  guint n_frames = 0;
  GstBuffer *buffer;

  expect_state(pipeline, GST_STATE_PLAYING);
  while ((buffer = pull_from(pipeline, "sink")) != NULL) {
    fail_unless_equals_int(test_tags_of_buffer(buffer).n_metas, 1);
    g_hash_table_add(memories, gst_buffer_peek_memory(buffer, 0));
    gst_buffer_unref(buffer);
    n_frames++;
  }
  fail_unless_equals_int(n_frames, 60);
  fail_unless(g_hash_table_size(memories) < 30, "no buffer was used again");
  expect_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}
GST_END_TEST;

static Suite *stream_suite(void) {
  Suite *suite = suite_create("stream");
  TCase *tcase = tcase_create("stream");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_eos_drains);
  tcase_add_test(tcase, test_events_stay_between_frames);
  tcase_add_test(tcase, test_flush_with_frames_pending);
  tcase_add_test(tcase, test_flush_unblocks_upstream);
  tcase_add_test(tcase, test_stop_unblocks_upstream);
  tcase_add_test(tcase, test_flush_keeps_sticky_events);
  tcase_add_test(tcase, test_renegotiation);
  tcase_add_loop_test(tcase, test_state_cycles, 0, G_N_ELEMENTS(policies));
  tcase_add_loop_test(tcase, test_state_changes_under_load, 0, G_N_ELEMENTS(policies));
  tcase_add_loop_test(tcase, test_flushing_seeks, 0, G_N_ELEMENTS(policies));
  tcase_add_test(tcase, test_live_source);
  tcase_add_test(tcase, test_tee);
  tcase_add_test(tcase, test_pool_reuse);
  return suite;
}

GST_CHECK_MAIN(stream);
