// SPDX-License-Identifier: LGPL-2.1-or-later
// Another model while frames pass, over a libswin that loads and answers when the test says so
// (mock-swin.h).
#include "mock-harness.h"
#include "mock-swin.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

static void pull_of(GstHarness *harness, guint start, guint count, const gchar *model) {
  for (guint i = start; i < start + count; i++)
    assert_equals_string(mock_pull(harness, i).model, model);
}

static void set_model(GstHarness *harness, const gchar *model_file) {
  g_object_set(test_element(harness), "model-file", model_file, NULL);
}

static GstMessage *wait_for_message(GstHarness *harness, GstMessageType type) {
  GstBus *bus = gst_element_get_bus(harness->element);
  GstMessage *message = NULL;

  // Others than the one about the model are of no interest here.
  do {
    if (message != NULL)
      gst_message_unref(message);
    message = gst_bus_timed_pop_filtered(bus, 30 * GST_SECOND, type);
    fail_unless(message != NULL);
  } while (type == GST_MESSAGE_ELEMENT && !gst_message_has_name(message, "swin-model-updated"));
  gst_object_unref(bus);
  return message;
}

static void wait_for_model(GstHarness *harness, const gchar *model_file, const gchar *name) {
  GstMessage *message = wait_for_message(harness, GST_MESSAGE_ELEMENT);
  const GstStructure *structure = gst_message_get_structure(message);
  gchar *used;

  assert_equals_string(gst_structure_get_string(structure, "model-file"), model_file);
  assert_equals_string(gst_structure_get_string(structure, "model"), name);
  assert_equals_string(gst_structure_get_string(structure, "device"), "mock");
  gst_message_unref(message);
  g_object_get(test_element(harness), "model-name", &used, NULL);
  assert_equals_string(used, name);
  g_free(used);
}

static void wait_for_warning(GstHarness *harness, const gchar *part) {
  GstMessage *message = wait_for_message(harness, GST_MESSAGE_WARNING);
  GError *error;

  gst_message_parse_warning(message, &error, NULL);
  fail_unless(strstr(error->message, part) != NULL, "'%s' does not name '%s'", error->message,
              part);
  g_error_free(error);
  gst_message_unref(message);
}

static void expect_quiet_bus(GstHarness *harness) {
  GstBus *bus = gst_element_get_bus(harness->element);
  GstMessage *message;

  while ((message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING |
                                                  GST_MESSAGE_ERROR)) != NULL) {
    fail_unless(gst_message_has_name(message, "swin-classification"));
    gst_message_unref(message);
  }
  gst_object_unref(bus);
}

/* ---- Switching ----------------------------------------------------------------------------- */

// Frames of before finish with the old model and frames of after begin with the new one; nobody
// waits for the loading.
GST_START_TEST(test_switch) {
  GstHarness *harness = test_harness_new("model-file=/models/a");

  mock_swin_hold();
  mock_push(harness, 0, 2);
  mock_swin_hold_loads();
  set_model(harness, "/models/b");
  mock_swin_wait_loading();
  mock_push(harness, 2, 1);
  mock_swin_release_loads();
  wait_for_model(harness, "/models/b", "b");
  mock_push(harness, 3, 1);
  mock_swin_release();
  pull_of(harness, 0, 3, "a");
  pull_of(harness, 3, 1, "b");
  mock_teardown(harness);
}
GST_END_TEST;

// Where frames do not wait, they carry the last result of the old model until there is one of the
// new one.
GST_START_TEST(test_switch_under_latest) {
  GstHarness *harness = test_harness_new("latency-policy=latest model-file=/models/a");
  guint n_submitted = mock_swin_n_submitted();

  mock_swin_hold();
  mock_push(harness, 0, 2);
  fail_unless_equals_int(mock_pull(harness, 0).n_metas, 0);
  fail_unless_equals_int(mock_pull(harness, 1).n_metas, 0);
  mock_swin_let(1);
  mock_swin_wait_submitted(n_submitted + 2);
  mock_push(harness, 2, 1);
  pull_of(harness, 2, 1, "a");
  set_model(harness, "/models/b");
  wait_for_model(harness, "/models/b", "b");
  mock_push(harness, 3, 1);
  pull_of(harness, 3, 1, "a");
  mock_swin_let(1); // of frame 1, still with a; frame 3 is next, with b
  mock_swin_wait_submitted(n_submitted + 3);
  mock_push(harness, 4, 1);
  pull_of(harness, 4, 1, "a");
  mock_swin_let(1);
  mock_swin_wait_submitted(n_submitted + 4);
  mock_push(harness, 5, 1);
  pull_of(harness, 5, 1, "b");
  mock_swin_release();
  mock_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_bad_file) {
  GstHarness *harness = test_harness_new("model-file=/models/a");

  for (guint i = 0; i < 3; i++) {
    set_model(harness, MOCK_SWIN_BAD_MODEL "/one");
    wait_for_warning(harness, MOCK_SWIN_BAD_MODEL "/one");
    mock_push(harness, i, 1);
    pull_of(harness, i, 1, "a");
  }
  expect_quiet_bus(harness);
  set_model(harness, "/models/b");
  wait_for_model(harness, "/models/b", "b");
  mock_push(harness, 3, 1);
  pull_of(harness, 3, 1, "b");
  mock_teardown(harness);
}
GST_END_TEST;

// The device stays, whatever it can do; that is said of the first model which it is told of.
GST_START_TEST(test_precision_falls_back) {
  GstHarness *harness = test_harness_new("model-file=/models/a precision=fp16");

  mock_swin_set_half(FALSE);
  set_model(harness, "/models/b");
  wait_for_warning(harness, "precision is fp16");
  wait_for_model(harness, "/models/b", "b");
  mock_push(harness, 0, 1);
  assert_equals_string(mock_pull(harness, 0).precision, "fp32");
  set_model(harness, "/models/c");
  wait_for_model(harness, "/models/c", "c");
  expect_quiet_bus(harness);
  mock_push(harness, 1, 1);
  assert_equals_string(mock_pull(harness, 1).precision, "fp32");
  mock_swin_set_half(TRUE);
  set_model(harness, "/models/d");
  wait_for_model(harness, "/models/d", "d");
  mock_push(harness, 2, 1);
  assert_equals_string(mock_pull(harness, 2).precision, "fp16");
  mock_teardown(harness);
}
GST_END_TEST;

// What is set while another is being loaded takes its place, and nothing is said of that one.
GST_START_TEST(test_last_one_wins) {
  static const gchar *const files[] = {"/models/b", MOCK_SWIN_BAD_MODEL, "/models/c", "/models/d"};
  GstHarness *harness = test_harness_new("model-file=/models/a");

  mock_swin_hold_loads();
  set_model(harness, files[0]);
  mock_swin_wait_loading();
  for (guint i = 1; i < G_N_ELEMENTS(files); i++)
    set_model(harness, files[i]);
  mock_swin_release_loads();
  wait_for_model(harness, "/models/d", "d");
  mock_push(harness, 0, 1);
  pull_of(harness, 0, 1, "d");
  expect_quiet_bus(harness);
  mock_teardown(harness);
}
GST_END_TEST;

// The model is what is set; the same file again is loaded again, because it may be another one.
GST_START_TEST(test_same_file_again) {
  GstHarness *harness = test_harness_new("model-file=/models/a");

  set_model(harness, "/models/a");
  wait_for_model(harness, "/models/a", "a");
  set_model(harness, NULL);
  wait_for_model(harness, NULL, "objects");
  mock_teardown(harness);
}
GST_END_TEST;

/* ---- What else happens --------------------------------------------------------------------- */

static gpointer stop_element(gpointer user_data) {
  GstHarness *harness = user_data;

  gst_element_set_state(harness->element, GST_STATE_NULL);
  return NULL;
}

// Stopped while it loads, the element waits for that, and says nothing of a model that nobody uses.
GST_START_TEST(test_stop_while_loading) {
  GstHarness *harness = test_harness_new("model-file=/models/a");
  GThread *thread;

  mock_push(harness, 0, 1);
  mock_swin_hold_loads();
  set_model(harness, "/models/b");
  mock_swin_wait_loading();
  thread = g_thread_new("stop", stop_element, harness);
  g_usleep(G_USEC_PER_SEC / 10);
  mock_swin_release_loads();
  g_thread_join(thread);
  expect_quiet_bus(harness);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
  // What was set is what it opens with.
  gst_harness_play(harness);
  gst_harness_set_src_caps_str(harness, TEST_CAPS);
  mock_teardown(harness);
}
GST_END_TEST;

// A stopped element loads nothing.
GST_START_TEST(test_set_while_stopped) {
  GstHarness *harness = test_harness_new("");

  gst_element_set_state(harness->element, GST_STATE_READY);
  set_model(harness, MOCK_SWIN_BAD_MODEL);
  g_usleep(G_USEC_PER_SEC / 10);
  expect_quiet_bus(harness);
  set_model(harness, "/models/b");
  fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_PLAYING),
                         GST_STATE_CHANGE_SUCCESS);
  mock_teardown(harness);
}
GST_END_TEST;

static void on_updated(GstElement *element, const gchar *model_file, gpointer user_data) {
  gchar *set;

  // No lock is held, and the properties have changed.
  g_object_get(element, "model-file", &set, NULL);
  assert_equals_string(set, model_file);
  g_free(set);
  g_atomic_int_inc((gint *)user_data);
}

static void on_notify(GstElement *element, GParamSpec *spec, gpointer user_data) {
  (void)element, (void)spec;
  g_atomic_int_inc((gint *)user_data);
}

GST_START_TEST(test_signal) {
  GstHarness *harness = test_harness_new("");
  gint n_updates = 0, n_notifies = 0;

  g_signal_connect(test_element(harness), "model-updated", G_CALLBACK(on_updated), &n_updates);
  g_signal_connect(test_element(harness), "notify::model-name", G_CALLBACK(on_notify), &n_notifies);
  set_model(harness, "/models/b");
  while (g_atomic_int_get(&n_updates) == 0)
    g_usleep(1000);
  fail_unless_equals_int(g_atomic_int_get(&n_notifies), 1);
  set_model(harness, MOCK_SWIN_BAD_MODEL);
  wait_for_warning(harness, MOCK_SWIN_BAD_MODEL);
  fail_unless_equals_int(g_atomic_int_get(&n_updates), 1);
  mock_teardown(harness);
}
GST_END_TEST;

static void stop_in_signal(GstElement *element, const gchar *model_file, gpointer user_data) {
  (void)model_file;
  gst_element_set_state(element, GST_STATE_NULL);
  g_atomic_int_set((gint *)user_data, 1);
}

// Whoever stops the element in answer to the signal does so in the thread that would be waited for.
GST_START_TEST(test_stop_in_signal) {
  GstHarness *harness = test_harness_new("");
  gint stopped = 0;

  g_signal_connect(test_element(harness), "model-updated", G_CALLBACK(stop_in_signal), &stopped);
  set_model(harness, "/models/b");
  while (g_atomic_int_get(&stopped) == 0)
    g_usleep(1000);
  test_harness_teardown(harness);
  // The thread lets go of the model after that.
  while (mock_swin_n_alive() > 0)
    g_usleep(1000);
}
GST_END_TEST;

// Of two elements that share a model by name, the second to be set takes what the first has loaded;
// one that is not set keeps the old model.
GST_START_TEST(test_switch_of_an_instance) {
  const gchar *properties = "model-instance-id=one model-file=/models/a";
  GstHarness *harnesses[3];
  guint n_alive;

  for (guint i = 0; i < G_N_ELEMENTS(harnesses); i++)
    harnesses[i] = test_harness_new(properties);
  n_alive = mock_swin_n_alive();
  set_model(harnesses[0], "/models/b");
  wait_for_model(harnesses[0], "/models/b", "b");
  set_model(harnesses[1], "/models/b");
  wait_for_model(harnesses[1], "/models/b", "b");
  // Now there are two models on two devices.
  while (mock_swin_n_alive() > n_alive + 2)
    g_usleep(1000);
  mock_push(harnesses[2], 0, 1);
  pull_of(harnesses[2], 0, 1, "a");
  mock_push(harnesses[1], 0, 1);
  pull_of(harnesses[1], 0, 1, "b");
  for (guint i = 0; i < G_N_ELEMENTS(harnesses); i++)
    test_harness_teardown(harnesses[i]);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
}
GST_END_TEST;

/* ---- Under load ---------------------------------------------------------------------------- */

typedef struct {
  GstHarness *harness;
  gint stop;      /* atomic */
  guint n_pushed; /* the thread's until it has ended */
  gboolean flushes;
} Pusher;

static gpointer push_until_stopped(gpointer user_data) {
  Pusher *pusher = user_data;

  while (!g_atomic_int_get(&pusher->stop)) {
    mock_push(pusher->harness, pusher->n_pushed++, 1);
    if (pusher->flushes && pusher->n_pushed % 50 == 0)
      mock_flush(pusher->harness);
  }
  return NULL;
}

// 100 switches while another thread pushes: no frame is lost or overtaken, each names a model that
// was in use, and in the end nothing is left but what the last one needs.
static void check_switches(const gchar *policy, gboolean flushes) {
  g_autofree gchar *properties = g_strdup_printf("latency-policy=%s model-file=/models/a", policy);
  GstHarness *harness = test_harness_new(properties);
  guint n_alive = mock_swin_n_alive();
  Pusher pusher = {.harness = harness, .flushes = flushes};
  GThread *thread = g_thread_new("pusher", push_until_stopped, &pusher);

  for (guint i = 0; i < 100; i++) {
    g_autofree gchar *file = g_strdup_printf("/models/%c", i % 2 == 0 ? 'b' : 'a');

    set_model(harness, file);
    wait_for_model(harness, file, i % 2 == 0 ? "b" : "a");
  }
  g_atomic_int_set(&pusher.stop, 1);
  g_thread_join(thread);
  for (guint i = 0; !flushes && i < pusher.n_pushed; i++) {
    TestTags tags = mock_pull(harness, i);

    fail_unless(tags.n_metas == 0 || tags.model == g_intern_string("a") ||
                tags.model == g_intern_string("b"));
  }
  // The last result that is remembered may still be one of the model before.
  gst_harness_set_drop_buffers(harness, TRUE);
  while (mock_swin_n_alive() > n_alive)
    mock_push(harness, 0, 1);
  mock_teardown(harness);
}

GST_START_TEST(test_switches_under_load) {
  check_switches("every", FALSE);
  check_switches("latest", FALSE);
}
GST_END_TEST;

GST_START_TEST(test_switches_and_flushes) {
  check_switches("every", TRUE);
  check_switches("latest", TRUE);
}
GST_END_TEST;

// Set again and again while the element starts and stops: it ends as it should each time.
GST_START_TEST(test_switches_and_state_changes) {
  GstHarness *harness = test_harness_new("");
  GstHarnessThread *states = gst_harness_stress_statechange_start_full(harness, 1000);

  for (guint i = 0; i < 2000; i++) {
    set_model(harness, i % 2 == 0 ? "/models/a" : "/models/b");
    g_usleep(500);
  }
  fail_unless(gst_harness_stress_thread_stop(states) > 0);
  mock_teardown(harness);
}
GST_END_TEST;

static Suite *swap_suite(void) {
  Suite *suite = suite_create("swap");
  TCase *tcase = tcase_create("swap");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_switch);
  tcase_add_test(tcase, test_switch_under_latest);
  tcase_add_test(tcase, test_bad_file);
  tcase_add_test(tcase, test_precision_falls_back);
  tcase_add_test(tcase, test_last_one_wins);
  tcase_add_test(tcase, test_same_file_again);
  tcase_add_test(tcase, test_stop_while_loading);
  tcase_add_test(tcase, test_set_while_stopped);
  tcase_add_test(tcase, test_signal);
  tcase_add_test(tcase, test_stop_in_signal);
  tcase_add_test(tcase, test_switch_of_an_instance);
  tcase_add_test(tcase, test_switches_under_load);
  tcase_add_test(tcase, test_switches_and_flushes);
  tcase_add_test(tcase, test_switches_and_state_changes);
  return suite;
}

int main(int argc, char **argv) {
  return mock_main(&argc, &argv, swap_suite, "swap");
}
