// SPDX-License-Identifier: LGPL-2.1-or-later
// The element between its neighbours: caps, queries, and what they return.
#include "common.h"

/* ---- Caps ---------------------------------------------------------------------------------- */

GST_START_TEST(test_caps_pass_through) {
  GstHarness *harness = test_harness_new("");
  g_autoptr(GstCaps) caps = NULL;
  g_autoptr(GstCaps) rgb = gst_caps_from_string("video/x-raw,format=RGB");

  // What downstream cannot take upstream must not send.
  gst_harness_set_sink_caps_str(harness, "video/x-raw, format=(string)RGB, width=(int)640");
  caps = gst_pad_peer_query_caps(harness->srcpad, NULL);
  fail_unless(gst_caps_is_subset(caps, rgb));
  fail_if(gst_caps_is_empty(caps));
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_refused_caps) {
  static const gchar *const refused[] = {
      "video/x-raw, format=(string)v210, width=(int)64, height=(int)64, framerate=25/1",
      "video/x-raw(memory:GLMemory), format=(string)RGBA, width=(int)64, height=(int)64, "
      "framerate=25/1",
      "audio/x-raw",
      "video/x-raw, format=(string)I420, width=(int)32769, height=(int)2, framerate=25/1"};
  GstHarness *harness = test_harness_new("");

  for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
    g_autoptr(GstCaps) caps = gst_caps_from_string(refused[i]);

    fail_if(gst_pad_peer_query_accept_caps(harness->srcpad, caps), "%s was accepted", refused[i]);
    gst_pad_push_event(harness->srcpad, gst_event_new_caps(caps));
    fail_unless_equals_int(gst_pad_push(harness->srcpad, test_frame_at("smpte", i)),
                           GST_FLOW_NOT_NEGOTIATED);
  }
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_frame_without_caps) {
  GstHarness *harness = gst_harness_new("swinclassify");
  GstSegment segment;

  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_play(harness);
  fail_unless(gst_pad_push_event(harness->srcpad, gst_event_new_stream_start("test")));
  fail_unless(gst_pad_push_event(harness->srcpad, gst_event_new_segment(&segment)));
  fail_unless_equals_int(gst_pad_push(harness->srcpad, test_frame_at("smpte", 0)),
                         GST_FLOW_NOT_NEGOTIATED);
  gst_harness_teardown(harness);
}
GST_END_TEST;

/* ---- Queries ------------------------------------------------------------------------------- */

#define POOL_MINIMUM 2
#define POOL_MAXIMUM 40

// Downstream answers: it takes GstVideoMeta, and offers a pool. Its caps must be those that were
// set last, though the frames and the caps before the query may still have been inside.
static GstPadProbeReturn answer_allocation(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
  guint *n_queries = user_data;
  g_autoptr(GstCaps) current = NULL;
  GstCaps *caps;

  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  (*n_queries)++;
  gst_query_parse_allocation(query, &caps, NULL);
  current = gst_pad_get_current_caps(pad);
  fail_unless(current != NULL && gst_caps_is_equal(current, caps));
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
  gst_query_add_allocation_pool(query, NULL, 1000, POOL_MINIMUM, POOL_MAXIMUM);
  gst_query_add_allocation_pool(query, NULL, 1000, POOL_MINIMUM, POOL_MINIMUM + 1);
  gst_query_add_allocation_pool(query, NULL, 1000, POOL_MINIMUM, 0);
  return GST_PAD_PROBE_HANDLED;
}

// @n_held: frames that the element holds
static void check_allocation(const gchar *properties, guint n_held) {
  const guint minima[] = {POOL_MINIMUM + n_held, POOL_MINIMUM + 1, POOL_MINIMUM + n_held};
  GstHarness *harness = test_harness_new(properties);
  guint n_queries = 0, minimum;

  gst_pad_add_probe(harness->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH,
                    answer_allocation, &n_queries, NULL);
  for (guint i = 0; i < 10; i++) {
    g_autofree gchar *text = g_strdup_printf(
        "video/x-raw, format=(string)I420, width=(int)320, height=(int)240, framerate=%u/1",
        25 + i);
    g_autoptr(GstCaps) caps = gst_caps_from_string(text);
    GstQuery *query = gst_query_new_allocation(caps, TRUE);

    gst_harness_set_src_caps_str(harness, text);
    fail_unless(gst_pad_peer_query(harness->srcpad, query));
    fail_unless(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL));
    fail_unless_equals_int(gst_query_get_n_allocation_pools(query), G_N_ELEMENTS(minima));
    for (guint pool = 0; pool < G_N_ELEMENTS(minima); pool++) {
      gst_query_parse_nth_allocation_pool(query, pool, NULL, NULL, &minimum, NULL);
      fail_unless_equals_int(minimum, minima[pool]);
    }
    gst_query_unref(query);
    fail_unless_equals_int(gst_harness_push(harness, test_frame_at("smpte", i)), GST_FLOW_OK);
  }
  fail_unless(n_queries >= 10);
  test_harness_teardown(harness);
}

// As many as are under way at once; where no frame waits, one that is looked at and one that is
// next.
GST_START_TEST(test_allocation_query) {
  check_allocation("", 4);
  check_allocation("latency-policy=every batch-size=8", 16);
  check_allocation("latency-policy=latest", 2);
}
GST_END_TEST;

// A sink that knows no GstVideoMeta would take padding for pixels, so it must not be offered
// upstream.
GST_START_TEST(test_video_meta_is_not_promised) {
  GstHarness *harness = test_harness_new("");
  g_autoptr(GstCaps) caps = gst_caps_from_string(TEST_CAPS);
  GstQuery *query = gst_query_new_allocation(caps, TRUE);

  gst_pad_peer_query(harness->srcpad, query);
  fail_if(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL));
  gst_query_unref(query);
  test_harness_teardown(harness);
}
GST_END_TEST;

static void query_latency(GstHarness *harness, GstClockTime *minimum, GstClockTime *maximum) {
  GstQuery *query = gst_query_new_latency();
  gboolean live;

  fail_unless(gst_pad_peer_query(harness->sinkpad, query));
  gst_query_parse_latency(query, &live, minimum, maximum);
  fail_unless(live);
  gst_query_unref(query);
}

// Where frames wait, the time that an inference takes is part of the latency, from the start.
GST_START_TEST(test_latency) {
  GstHarness *harness = test_harness_new("latency-policy=every");
  GstClockTime minimum, maximum;

  gst_harness_set_live(harness, TRUE);
  gst_harness_set_upstream_latency(harness, 10 * GST_MSECOND);
  query_latency(harness, &minimum, &maximum);
  fail_unless(minimum > 10 * GST_MSECOND);
  fail_unless(minimum < 100 * GST_SECOND);
  fail_unless(maximum >= minimum);
  test_harness_teardown(harness);
}
GST_END_TEST;

/* ---- What downstream returns --------------------------------------------------------------- */

static GstPadProbeReturn answer_flow(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  GstFlowReturn *flow = user_data;

  (void)pad;
  if (*flow == GST_FLOW_OK)
    return GST_PAD_PROBE_OK;
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = *flow;
  return GST_PAD_PROBE_HANDLED;
}

static GstFlowReturn push_until_not_ok(GstHarness *harness) {
  GstFlowReturn flow = GST_FLOW_OK;

  // No more than fit inside, or downstream would have been asked.
  for (guint i = 0; i < 20 && flow == GST_FLOW_OK; i++)
    flow = gst_harness_push(harness, test_frame_at("smpte", i));
  return flow;
}

GST_START_TEST(test_flow_returns_reach_upstream) {
  static const GstFlowReturn flows[] = {GST_FLOW_EOS, GST_FLOW_ERROR, GST_FLOW_NOT_NEGOTIATED,
                                        GST_FLOW_CUSTOM_ERROR};

  for (guint i = 0; i < G_N_ELEMENTS(flows); i++) {
    GstHarness *harness = test_harness_new("");
    GstFlowReturn flow = flows[i];

    gst_pad_add_probe(harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, answer_flow, &flow, NULL);
    fail_unless_equals_int(push_until_not_ok(harness), flows[i]);
    fail_unless_equals_int(gst_harness_push(harness, test_frame_at("smpte", 30)), flows[i]);
    test_harness_teardown(harness);
  }
}
GST_END_TEST;

// Downstream has enough of this segment: events still pass, and the next segment begins anew.
GST_START_TEST(test_eos_flow_ends_with_the_segment) {
  GstHarness *harness = test_harness_new("");
  GstFlowReturn flow = GST_FLOW_EOS;
  GstBuffer *pulled;

  gst_pad_add_probe(harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, answer_flow, &flow, NULL);
  fail_unless_equals_int(push_until_not_ok(harness), GST_FLOW_EOS);
  flow = GST_FLOW_OK;
  test_push_segment(harness);
  fail_unless_equals_int(gst_harness_push(harness, test_frame_at("black", 50)), GST_FLOW_OK);
  pulled = gst_harness_pull(harness);
  fail_unless_equals_uint64(GST_BUFFER_PTS(pulled), 50 * TEST_FRAME_TIME);
  assert_equals_string(test_best_label(pulled), "black");
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_unlinked_source_pad_and_link) {
  GstElement *element = gst_element_factory_make("swinclassify", NULL);
  GstHarness *harness = gst_harness_new_with_element(element, "sink", NULL);
  GstPad *source = gst_element_get_static_pad(element, "src");
  GstBuffer *pulled;
  GstFlowReturn flow;

  gst_harness_set_src_caps_str(harness, TEST_CAPS);
  fail_unless_equals_int(push_until_not_ok(harness), GST_FLOW_NOT_LINKED);
  gst_harness_add_element_src_pad(harness, source);
  gst_pad_send_event(source, gst_event_new_reconfigure());
  flow = gst_harness_push(harness, test_frame_at("black", 70));
  fail_unless_equals_int(flow, GST_FLOW_OK);
  do {
    pulled = gst_harness_pull(harness);
    fail_unless(pulled != NULL);
    flow = GST_BUFFER_PTS(pulled) == 70 * TEST_FRAME_TIME ? GST_FLOW_EOS : GST_FLOW_OK;
    gst_buffer_unref(pulled);
  } while (flow == GST_FLOW_OK);
  gst_object_unref(source);
  gst_harness_teardown(harness);
  gst_object_unref(element);
}
GST_END_TEST;

// Upstream has said EOS when it turns out that the frames before it cannot leave: an error message
// tells.
GST_START_TEST(test_flow_error_behind_eos) {
  GstHarness *harness = test_harness_new("");
  GstBus *bus = gst_element_get_bus(harness->element);
  GstFlowReturn flow = GST_FLOW_ERROR;
  GstMessage *message;

  gst_pad_add_probe(harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, answer_flow, &flow, NULL);
  fail_unless_equals_int(gst_harness_push(harness, test_frame_at("smpte", 0)), GST_FLOW_OK);
  gst_harness_push_event(harness, gst_event_new_eos());
  message = gst_bus_timed_pop_filtered(bus, 30 * GST_SECOND, GST_MESSAGE_ERROR);
  fail_unless(message != NULL);
  gst_message_unref(message);
  gst_object_unref(bus);
  test_harness_teardown(harness);
}
GST_END_TEST;

static Suite *pads_suite(void) {
  Suite *suite = suite_create("pads");
  TCase *tcase = tcase_create("pads");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_caps_pass_through);
  tcase_add_test(tcase, test_refused_caps);
  tcase_add_test(tcase, test_frame_without_caps);
  tcase_add_test(tcase, test_allocation_query);
  tcase_add_test(tcase, test_video_meta_is_not_promised);
  tcase_add_test(tcase, test_latency);
  tcase_add_test(tcase, test_flow_returns_reach_upstream);
  tcase_add_test(tcase, test_eos_flow_ends_with_the_segment);
  tcase_add_test(tcase, test_unlinked_source_pad_and_link);
  tcase_add_test(tcase, test_flow_error_behind_eos);
  return suite;
}

GST_CHECK_MAIN(pads);
