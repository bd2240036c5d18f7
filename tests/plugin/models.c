// SPDX-License-Identifier: LGPL-2.1-or-later
// Several models: one after the other while frames pass, two in a row, one for several elements.
#include "common.h"

// The testcard model, with another name and another label for colour bars.
static gchar *other_model(const gchar *label) {
  g_autofree gchar *quoted = g_strdup_printf("\"%s\"", label);
  gchar *folder = test_model_copy();

  test_model_replace(folder, "\"colour bars\"", quoted);
  return folder;
}

static const gchar *model_name(const gchar *folder) {
  g_autofree gchar *name = g_path_get_basename(folder);

  return g_intern_string(name);
}

/* ---- Another model while frames pass ------------------------------------------------------- */

#define N_SWITCHES 100

typedef struct {
  GstHarness *harness;
  GstBuffer *frame;
  gint stop;      /* atomic */
  guint n_pushed; /* the thread's until it has ended */
} Pusher;

static gpointer push_until_stopped(gpointer user_data) {
  Pusher *pusher = user_data;

  while (!g_atomic_int_get(&pusher->stop)) {
    GstBuffer *frame = gst_buffer_copy(pusher->frame);

    GST_BUFFER_PTS(frame) = pusher->n_pushed++ * TEST_FRAME_TIME;
    fail_unless_equals_int(gst_harness_push(pusher->harness, frame), GST_FLOW_OK);
  }
  return NULL;
}

static void wait_for_update(GstHarness *harness) {
  GstBus *bus = gst_element_get_bus(harness->element);
  GstMessage *message;
  gboolean updated = FALSE;

  while (!updated) {
    message =
        gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING);
    fail_unless(message != NULL);
    fail_unless_equals_int(GST_MESSAGE_TYPE(message), GST_MESSAGE_ELEMENT);
    updated = gst_message_has_name(message, "swin-model-updated");
    gst_message_unref(message);
  }
  gst_object_unref(bus);
}

// Each frame comes, in order, with a result of its own, and says by name and by label which model
// made that.
static guint pull_all(GstHarness *harness, guint n_frames, gchar *const folders[2]) {
  static const gchar *const labels[2] = {"bars one", "bars two"};
  guint n_changes = 0, last = 0;

  for (guint i = 0; i < n_frames; i++) {
    GstBuffer *pulled = gst_harness_pull(harness);
    TestTags tags = test_tags_of_buffer(pulled);
    guint which = tags.model == model_name(folders[0]) ? 0 : 1;

    fail_unless_equals_uint64(GST_BUFFER_PTS(pulled), i * TEST_FRAME_TIME);
    fail_unless_equals_uint64(tags.age, 0);
    assert_equals_string(tags.model, model_name(folders[which]));
    assert_equals_string(g_quark_to_string(tags.labels[0]), labels[which]);
    n_changes += which != last ? 1 : 0;
    last = which;
    gst_buffer_unref(pulled);
  }
  return n_changes;
}

GST_START_TEST(test_switches_under_load) {
  gchar *folders[2] = {other_model("bars one"), other_model("bars two")};
  g_autofree gchar *properties = g_strdup_printf("model-file=%s post-messages=false", folders[0]);
  GstHarness *harness = test_harness_new(properties);
  Pusher pusher = {.harness = harness, .frame = test_frame_at("smpte", 0)};
  GThread *thread = g_thread_new("pusher", push_until_stopped, &pusher);

  for (guint i = 0; i < N_SWITCHES; i++) {
    g_object_set(test_element(harness), "model-file", folders[(i + 1) % 2], NULL);
    wait_for_update(harness);
  }
  g_atomic_int_set(&pusher.stop, 1);
  g_thread_join(thread);
  // A model may have been in use for less than a frame.
  fail_unless(pull_all(harness, pusher.n_pushed, folders) > N_SWITCHES / 2);
  gst_buffer_unref(pusher.frame);
  test_harness_teardown(harness);
  test_model_remove(folders[0]);
  test_model_remove(folders[1]);
}
GST_END_TEST;

/* ---- Two in a row -------------------------------------------------------------------------- */

GST_START_TEST(test_two_models_in_a_row) {
  gchar *folder = other_model("bars two");
  g_autofree gchar *launch =
      g_strdup_printf("swinclassify unique-id=1 latency-policy=every ! swinclassify "
                      "unique-id=2 model-file=%s latency-policy=every",
                      folder);
  GstHarness *harness = gst_harness_new_parse(launch);
  GstBuffer *pulled;
  TestTags tags[2];

  gst_harness_set_src_caps_str(harness, TEST_CAPS);
  pulled = gst_harness_push_and_pull(harness, test_frame_at("smpte", 0));
  tags[0] = test_nth_tags_of_buffer(pulled, 0);
  tags[1] = test_nth_tags_of_buffer(pulled, 1);
  fail_unless_equals_int(tags[0].n_metas, 2);
  fail_unless_equals_int(tags[0].unique_id, 1);
  assert_equals_string(tags[0].model, "testcard");
  assert_equals_string(g_quark_to_string(tags[0].labels[0]), "colour bars");
  fail_unless_equals_int(tags[1].unique_id, 2);
  assert_equals_string(tags[1].model, model_name(folder));
  assert_equals_string(g_quark_to_string(tags[1].labels[0]), "bars two");
  gst_buffer_unref(pulled);
  gst_harness_teardown(harness);
  test_model_remove(folder);
}
GST_END_TEST;

/* ---- One for several ----------------------------------------------------------------------- */

#define N_STREAMS 4
#define N_FRAMES 12

// What a frame shows tells which stream it belongs to: none gets another's result, and batches form
// across streams.
GST_START_TEST(test_streams_that_share_a_model) {
  static const gchar *const patterns[N_STREAMS] = {"smpte", "black", "white", "red"};
  static const gchar *const labels[N_STREAMS] = {"colour bars", "black", "white", "red"};
  GstHarness *harnesses[N_STREAMS];
  GstBuffer *frames[N_STREAMS];
  GstStructure *stats;
  gdouble fill;

  for (guint s = 0; s < N_STREAMS; s++) {
    harnesses[s] = test_harness_new("batch-size=4 batch-timeout=200 model-instance-id=shared");
    frames[s] = test_frame_at(patterns[s], 0);
  }
  for (guint i = 0; i < N_FRAMES; i++)
    for (guint s = 0; s < N_STREAMS; s++)
      fail_unless_equals_int(gst_harness_push(harnesses[s], gst_buffer_ref(frames[s])),
                             GST_FLOW_OK);
  for (guint i = 0; i < N_FRAMES; i++) {
    for (guint s = 0; s < N_STREAMS; s++) {
      GstBuffer *pulled = gst_harness_pull(harnesses[s]);

      assert_equals_string(test_best_label(pulled), labels[s]);
      gst_buffer_unref(pulled);
    }
  }
  g_object_get(test_element(harnesses[0]), "stats", &stats, NULL);
  fail_unless(gst_structure_get_double(stats, "batch-fill", &fill));
  fail_unless(fill > 0.5, "batches are filled to %g", fill);
  gst_structure_free(stats);
  for (guint s = 0; s < N_STREAMS; s++) {
    gst_buffer_unref(frames[s]);
    test_harness_teardown(harnesses[s]);
  }
}
GST_END_TEST;

static Suite *models_suite(void) {
  Suite *suite = suite_create("models");
  TCase *tcase = tcase_create("models");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_switches_under_load);
  tcase_add_test(tcase, test_two_models_in_a_row);
  tcase_add_test(tcase, test_streams_that_share_a_model);
  return suite;
}

GST_CHECK_MAIN(models);
