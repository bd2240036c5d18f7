// SPDX-License-Identifier: LGPL-2.1-or-later
// What an element has in use and what it has counted, what elements share by name, and how it turns
// frames; over a libswin that tells what it was asked (mock-swin.h).
#include "../../plugin/metadata.h"
#include "mock-harness.h"
#include "mock-swin.h"

/* ---- What is in use ------------------------------------------------------------------------ */

static void expect_model_name(GstElement *element, const gchar *expected) {
  gchar *name;

  g_object_get(element, "model-name", &name, NULL);
  fail_unless(g_strcmp0(name, expected) == 0, "%s", name);
  g_free(name);
}

GST_START_TEST(test_model_name) {
  GstElement *element = mock_element_new();

  expect_model_name(element, NULL);
  g_object_set(element, "model-file", "/models/a", NULL);
  expect_model_name(element, NULL);
  gst_element_set_state(element, GST_STATE_PAUSED);
  expect_model_name(element, "a");
  gst_element_set_state(element, GST_STATE_READY);
  expect_model_name(element, NULL);
  mock_element_free(element);
}
GST_END_TEST;

// What model-file does not say, SWIN_MODEL does.
GST_START_TEST(test_model_that_is_not_named) {
  static const gchar *const variables[] = {NULL, "", "/models/b", "/models/b"};
  static const gchar *const files[] = {NULL, NULL, NULL, "/models/a"};
  static const gchar *const names[] = {"objects", "objects", "b", "a"};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    GstElement *element = mock_element_new();

    if (variables[i] != NULL)
      g_setenv("SWIN_MODEL", variables[i], TRUE);
    else
      g_unsetenv("SWIN_MODEL");
    g_object_set(element, "model-file", files[i], NULL);
    gst_element_set_state(element, GST_STATE_PAUSED);
    expect_model_name(element, names[i]);
    mock_element_free(element);
  }
  g_unsetenv("SWIN_MODEL");
}
GST_END_TEST;

// Elements of one name have the model and the settings of the first, and what is each one's own.
GST_START_TEST(test_model_instance_id) {
  GstElement *one = mock_element_new(), *other = mock_element_new();

  g_object_set(one, "model-instance-id", "one", "model-file", "/models/a", "top-k", 3, NULL);
  g_object_set(other, "model-instance-id", "one", "model-file", "/bad", "top-k", 4, "smoothing",
               0.5f, NULL);
  gst_element_set_state(one, GST_STATE_PAUSED);
  fail_unless_equals_int(gst_element_set_state(other, GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  expect_model_name(other, "a");
  fail_unless_equals_int(mock_swin_last_request().top_k, 3);
  fail_unless_equals_int(mock_swin_last_request().n_outputs, 1);
  // The name lives as long as anyone uses it.
  gst_element_set_state(one, GST_STATE_NULL);
  expect_model_name(other, "a");
  gst_element_set_state(one, GST_STATE_PAUSED);
  expect_model_name(one, "a");
  gst_element_set_state(one, GST_STATE_NULL);
  gst_element_set_state(other, GST_STATE_NULL);
  fail_unless_equals_int(gst_element_set_state(other, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  mock_element_free(one);
  mock_element_free(other);
}
GST_END_TEST;

static gpointer open_element(gpointer user_data) {
  GstElement *element = mock_element_new();

  (void)user_data;

  g_object_set(element, "model-instance-id", "one", NULL);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  return element;
}

// Two that open at the same time: one loads, the other waits for that.
GST_START_TEST(test_instances_opened_at_once) {
  guint n_alive = mock_swin_n_alive();
  GThread *threads[4];
  GstElement *elements[4];

  mock_swin_hold_loads();
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("opener", open_element, NULL);
  mock_swin_wait_loading();
  g_usleep(G_USEC_PER_SEC / 10);
  mock_swin_release_loads();
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
    elements[i] = g_thread_join(threads[i]);
  // A device and a model, and a classifier for each.
  fail_unless_equals_int(mock_swin_n_alive() - n_alive, 2 + G_N_ELEMENTS(threads));
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
    gst_element_set_state(elements[i], GST_STATE_NULL);
    gst_element_set_bus(elements[i], NULL);
    gst_object_unref(elements[i]);
  }
  fail_unless_equals_int(mock_swin_n_alive(), 0);
}
GST_END_TEST;

// The batches of the first are the batches of all, and each brings enough for two.
GST_START_TEST(test_batches_of_an_instance) {
  GstHarness *one = test_harness_new("model-instance-id=one batch-size=8");
  GstHarness *other = test_harness_new("model-instance-id=one");
  guint n_submitted = mock_swin_n_submitted();

  mock_swin_hold();
  mock_push(other, 0, 16);
  fail_unless_equals_int(mock_swin_n_submitted() - n_submitted, 16);
  mock_swin_release();
  mock_pull_all(other, 0, 16);
  test_harness_teardown(one);
  mock_teardown(other);
}
GST_END_TEST;

GST_START_TEST(test_stats_without_a_model) {
  static const gchar *const counters[] = {"frames",         "classified", "inferences",
                                          "skipped",        "dropped",    "host-copies",
                                          "latency-median", "latency-p95"};
  GstElement *element = mock_element_new();
  GstStructure *stats;
  gdouble fill;

  g_object_get(element, "stats", &stats, NULL);
  assert_equals_string(gst_structure_get_name(stats), "application/x-swin-stats");
  for (guint i = 0; i < G_N_ELEMENTS(counters); i++) {
    guint64 value;

    fail_unless(gst_structure_get_uint64(stats, counters[i], &value), "no %s", counters[i]);
    fail_unless_equals_uint64(value, 0);
  }
  fail_unless(gst_structure_get_double(stats, "batch-fill", &fill) && fill == 0.0);
  fail_if(gst_structure_has_field(stats, "device") || gst_structure_has_field(stats, "model"));
  gst_structure_free(stats);
  mock_element_free(element);
}
GST_END_TEST;

// A build that cannot do it says so, and goes on without.
GST_START_TEST(test_attach_tensors_where_there_are_none) {
  GstElement *element = mock_element_new();
  GstBus *bus = gst_element_get_bus(element);
  GstMessage *message;

  gst_util_set_object_arg(G_OBJECT(element), "attach-tensors", "embedding");
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  message = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING);
  fail_unless((message != NULL) == !swin_metadata_has_tensors());
  if (message != NULL) {
    GError *error;

    gst_message_parse_warning(message, &error, NULL);
    fail_unless(strstr(error->message, "GStreamer 1.26") != NULL, "%s", error->message);
    g_error_free(error);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  mock_element_free(element);
}
GST_END_TEST;

/* ---- Orientation --------------------------------------------------------------------------- */

static void expect_orientation(GstHarness *harness, SwinOrientation expected) {
  gst_buffer_unref(gst_harness_push_and_pull(harness, mock_frame_new(0)));
  fail_unless_equals_int(mock_swin_last_orientation(), expected);
}

static void push_orientation(GstHarness *harness, const gchar *orientation, GstTagScope scope) {
  GstTagList *tags = gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, orientation, NULL);

  gst_tag_list_set_scope(tags, scope);
  fail_unless(gst_harness_push_event(harness, gst_event_new_tag(tags)));
}

// Tags hold from the next frame on, those of the stream before global ones; the former for the
// stream, the latter for its group; and a direction that the user sets before both.
GST_START_TEST(test_orientation_by_tags) {
  GstHarness *harness = test_harness_new("");
  const guint group = gst_util_group_id_next();

  expect_orientation(harness, SWIN_ORIENTATION_IDENTITY);
  test_start_stream(harness, group, TEST_CAPS);
  push_orientation(harness, "rotate-180", GST_TAG_SCOPE_GLOBAL);
  expect_orientation(harness, SWIN_ORIENTATION_ROTATE_180);
  push_orientation(harness, "rotate-90", GST_TAG_SCOPE_STREAM);
  expect_orientation(harness, SWIN_ORIENTATION_ROTATE_90);
  push_orientation(harness, "flip-rotate-0", GST_TAG_SCOPE_GLOBAL);
  expect_orientation(harness, SWIN_ORIENTATION_ROTATE_90);
  test_start_stream(harness, group, TEST_CAPS);
  expect_orientation(harness, SWIN_ORIENTATION_FLIP_HORIZONTAL);
  gst_util_set_object_arg(G_OBJECT(test_element(harness)), "video-direction", "90l");
  expect_orientation(harness, SWIN_ORIENTATION_ROTATE_270);
  gst_util_set_object_arg(G_OBJECT(test_element(harness)), "video-direction", "custom");
  expect_orientation(harness, SWIN_ORIENTATION_IDENTITY);
  gst_util_set_object_arg(G_OBJECT(test_element(harness)), "video-direction", "auto");
  test_start_stream(harness, gst_util_group_id_next(), TEST_CAPS);
  expect_orientation(harness, SWIN_ORIENTATION_IDENTITY);
  test_harness_teardown(harness);
}
GST_END_TEST;

// The values of libswin are those of GStreamer.
GST_START_TEST(test_every_direction) {
  static const SwinOrientation orientations[] = {
      SWIN_ORIENTATION_IDENTITY,   SWIN_ORIENTATION_ROTATE_90,       SWIN_ORIENTATION_ROTATE_180,
      SWIN_ORIENTATION_ROTATE_270, SWIN_ORIENTATION_FLIP_HORIZONTAL, SWIN_ORIENTATION_FLIP_VERTICAL,
      SWIN_ORIENTATION_TRANSPOSE,  SWIN_ORIENTATION_ANTITRANSPOSE};
  static const gchar *const directions[] = {"identity", "90r",  "180",   "90l",
                                            "horiz",    "vert", "ul-lr", "ur-ll"};
  GstHarness *harness = test_harness_new("");

  fail_unless(GST_IS_VIDEO_DIRECTION(test_element(harness)));
  for (guint i = 0; i < G_N_ELEMENTS(directions); i++) {
    gst_util_set_object_arg(G_OBJECT(test_element(harness)), "video-direction", directions[i]);
    expect_orientation(harness, orientations[i]);
  }
  test_harness_teardown(harness);
}
GST_END_TEST;

static Suite *instances_suite(void) {
  Suite *suite = suite_create("instances");
  TCase *tcase = tcase_create("instances");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_model_name);
  tcase_add_test(tcase, test_model_that_is_not_named);
  tcase_add_test(tcase, test_model_instance_id);
  tcase_add_test(tcase, test_instances_opened_at_once);
  tcase_add_test(tcase, test_batches_of_an_instance);
  tcase_add_test(tcase, test_stats_without_a_model);
  tcase_add_test(tcase, test_attach_tensors_where_there_are_none);
  tcase_add_test(tcase, test_orientation_by_tags);
  tcase_add_test(tcase, test_every_direction);
  return suite;
}

int main(int argc, char **argv) {
  return mock_main(&argc, &argv, instances_suite, "instances");
}
