// SPDX-License-Identifier: LGPL-2.1-or-later
// Bad input: one clear error, a clean stop, and another try once it is put right.
#include "common.h"

// One sentence for a person: begins with a capital, ends with a full stop, is one line.
static void check_sentence(const gchar *text) {
  fail_unless(g_ascii_isupper(text[0]), "'%s' does not begin a sentence", text);
  fail_unless(g_str_has_suffix(text, "."), "'%s' is no whole sentence", text);
  fail_unless(strchr(text, '\n') == NULL, "'%s' is more than a line", text);
}

static void expect_error(GstElement *element, GQuark domain, gint code, const gchar *part) {
  GstBus *bus = gst_element_get_bus(element);
  GstMessage *message = gst_bus_timed_pop_filtered(bus, 30 * GST_SECOND, GST_MESSAGE_ERROR);
  GError *error;

  fail_unless(message != NULL, "no error message");
  gst_message_parse_error(message, &error, NULL);
  check_sentence(error->message);
  fail_unless(g_error_matches(error, domain, code), "'%s' has code %d, should have %d",
              error->message, error->code, code);
  if (part != NULL)
    fail_unless(strstr(error->message, part) != NULL, "'%s' does not name '%s'", error->message,
                part);
  g_error_free(error);
  gst_message_unref(message);
  fail_if(gst_bus_have_pending(bus) &&
          (message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) != NULL);
  gst_object_unref(bus);
}

typedef struct {
  GstElement *pipeline;
  GstElement *element;
} Player;

static Player player_new(const gchar *properties) {
  g_autofree gchar *launch =
      g_strdup_printf("videotestsrc num-buffers=3 ! " TEST_CAPS
                      " ! swinclassify name=element %s ! fakesink sync=false",
                      properties);
  Player player = {.pipeline = gst_parse_launch(launch, NULL)};

  fail_unless(player.pipeline != NULL);
  player.element = gst_bin_get_by_name(GST_BIN(player.pipeline), "element");
  return player;
}

static void player_free(Player *player) {
  GstElement *element = player->element;

  fail_unless_equals_int(gst_element_set_state(player->pipeline, GST_STATE_NULL),
                         GST_STATE_CHANGE_SUCCESS);
  gst_object_unref(player->pipeline);
  ASSERT_OBJECT_REFCOUNT(element, "element", 1);
  gst_object_unref(element);
}

static void expect_failure(Player *player, gint code, const gchar *part) {
  fail_unless_equals_int(gst_element_set_state(player->pipeline, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_FAILURE);
  expect_error(player->pipeline, GST_RESOURCE_ERROR, code, part);
  fail_unless_equals_int(gst_element_set_state(player->pipeline, GST_STATE_NULL),
                         GST_STATE_CHANGE_SUCCESS);
}

static void expect_success(Player *player) {
  GstBus *bus = gst_element_get_bus(player->pipeline);
  GstMessage *message;

  fail_unless(gst_element_set_state(player->pipeline, GST_STATE_PLAYING) !=
              GST_STATE_CHANGE_FAILURE);
  message =
      gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS);
  gst_message_unref(message);
  gst_object_unref(bus);
}

// Twice, because what a first failure leaves behind shows in the second; then put right.
static void check_bad_property(const gchar *name, const gchar *value, gint code,
                               const gchar *part) {
  Player player = player_new("");

  g_object_set(player.element, name, value, NULL);
  expect_failure(&player, code, part);
  expect_failure(&player, code, part);
  g_object_set(player.element, name, NULL, NULL);
  expect_success(&player);
  player_free(&player);
}

GST_START_TEST(test_missing_model) {
  check_bad_property("model-file", "/nowhere/at/all", GST_RESOURCE_ERROR_READ, "/nowhere/at/all");
}
GST_END_TEST;

GST_START_TEST(test_truncated_model) {
  static const gsize cuts[][2] = {{0, 1}, {1, 100000}, {1, 10}, {1, 2}, {99, 100}};

  for (guint i = 0; i < G_N_ELEMENTS(cuts); i++) {
    gchar *folder = test_model_copy();

    test_model_truncate(folder, cuts[i][0], cuts[i][1]);
    check_bad_property("model-file", folder, GST_RESOURCE_ERROR_READ, NULL);
    test_model_remove(folder);
  }
}
GST_END_TEST;

GST_START_TEST(test_config_that_contradicts_the_tensors) {
  gchar *folder = test_model_copy();

  test_model_replace(folder, "\"embed_dim\": *[0-9]+", "\"embed_dim\": 64");
  check_bad_property("model-file", folder, GST_RESOURCE_ERROR_SETTINGS, NULL);
  test_model_remove(folder);
}
GST_END_TEST;

GST_START_TEST(test_config_that_is_no_json) {
  gchar *folder = test_model_copy();

  test_model_replace(folder, "\\{", "");
  check_bad_property("model-file", folder, GST_RESOURCE_ERROR_SETTINGS, "config.json");
  test_model_remove(folder);
}
GST_END_TEST;

GST_START_TEST(test_labels_of_the_wrong_length) {
  static const gchar *const texts[] = {"one\ntwo\nthree\n", ""};
  gchar *folder = g_dir_make_tmp(NULL, NULL);
  g_autofree gchar *path = g_build_filename(folder, "labels.txt", NULL);

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    fail_unless(g_file_set_contents(path, texts[i], -1, NULL));
    check_bad_property("labels-file", path, GST_RESOURCE_ERROR_SETTINGS, "labels.txt");
  }
  test_model_remove(folder);
}
GST_END_TEST;

GST_START_TEST(test_missing_labels) {
  check_bad_property("labels-file", "/nowhere/labels.txt", GST_RESOURCE_ERROR_SETTINGS,
                     "/nowhere/labels.txt");
}
GST_END_TEST;

GST_START_TEST(test_missing_thresholds) {
  check_bad_property("thresholds-file", "/nowhere/thresholds.txt", GST_RESOURCE_ERROR_SETTINGS,
                     "/nowhere/thresholds.txt");
}
GST_END_TEST;

GST_START_TEST(test_image_size_that_is_none) {
  check_bad_property("image-size", "wide", GST_RESOURCE_ERROR_SETTINGS, "wide");
}
GST_END_TEST;

// Well-formed, but of no use with this model: the library's sentence passes through.
GST_START_TEST(test_settings_that_do_not_fit_the_model) {
  static const gchar *const settings[] = {
      "image-size=1",
      "crop-mode=center resize-size=3",
      "std=<0.0,1.0,1.0>",
  };

  for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
    Player player = player_new(settings[i]);

    expect_failure(&player, GST_RESOURCE_ERROR_SETTINGS, NULL);
    expect_failure(&player, GST_RESOURCE_ERROR_SETTINGS, NULL);
    player_free(&player);
  }
}
GST_END_TEST;

GST_START_TEST(test_no_device) {
  check_bad_property("device", "no-such-device", GST_RESOURCE_ERROR_NOT_FOUND, "no-such-device");
  check_bad_property("device", "999", GST_RESOURCE_ERROR_NOT_FOUND, "999");
}
GST_END_TEST;

// The environment names a device that is not there; a property that names one that is has
// precedence.
GST_START_TEST(test_no_device_by_environment) {
  g_autofree gchar *device = g_strdup(g_getenv("SWIN_DEVICE"));
  Player player = player_new("");

  g_setenv("SWIN_DEVICE", "no-such-device", TRUE);
  expect_failure(&player, GST_RESOURCE_ERROR_NOT_FOUND, "no-such-device");
  g_object_set(player.element, "device", "0", NULL);
  expect_success(&player);
  player_free(&player);
  // The tests of a suite may share a process.
  if (device != NULL)
    g_setenv("SWIN_DEVICE", device, TRUE);
  else
    g_unsetenv("SWIN_DEVICE");
}
GST_END_TEST;

// A bus handler that looks at the element may do so: no lock is held while the error is posted.
static GstBusSyncReply look_at_element(GstBus *bus, GstMessage *message, gpointer user_data) {
  gchar *model;

  (void)bus;
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
    return GST_BUS_PASS;
  g_object_get(user_data, "model-file", &model, NULL);
  g_free(model);
  g_object_set(user_data, "threshold", 0.5f, NULL);
  return GST_BUS_PASS;
}

GST_START_TEST(test_error_is_posted_without_lock) {
  Player player = player_new("model-file=/nowhere/at/all");
  GstBus *bus = gst_element_get_bus(player.pipeline);

  gst_bus_set_sync_handler(bus, look_at_element, player.element, NULL);
  expect_failure(&player, GST_RESOURCE_ERROR_READ, "/nowhere/at/all");
  gst_bus_set_sync_handler(bus, NULL, NULL, NULL);
  gst_object_unref(bus);
  player_free(&player);
}
GST_END_TEST;

static guint count_warnings(GstHarness *harness) {
  GstBus *bus = gst_element_get_bus(harness->element);
  GstMessage *message;
  guint count = 0;

  while ((message = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING)) != NULL) {
    GError *error;

    gst_message_parse_warning(message, &error, NULL);
    check_sentence(error->message);
    g_error_free(error);
    gst_message_unref(message);
    count++;
  }
  gst_object_unref(bus);
  return count;
}

// Buffers that are no pictures pass, with one warning for a run of them, and what follows is
// classified.
GST_START_TEST(test_buffers_that_are_no_pictures) {
  GstHarness *harness = test_harness_new("");
  GstBuffer *pulled;

  for (guint i = 0; i < 3; i++) {
    pulled = gst_harness_push_and_pull(harness, gst_buffer_new_allocate(NULL, 100, NULL));
    fail_unless(gst_buffer_get_size(pulled) == 100);
    fail_unless_equals_int(test_tags_of_buffer(pulled).n_metas, 0);
    gst_buffer_unref(pulled);
  }
  fail_unless_equals_int(count_warnings(harness), 1);
  pulled = gst_harness_push_and_pull(harness, test_frame_at("black", 3));
  assert_equals_string(test_best_label(pulled), "black");
  gst_buffer_unref(pulled);
  pulled = gst_harness_push_and_pull(harness, gst_buffer_new());
  gst_buffer_unref(pulled);
  fail_unless_equals_int(count_warnings(harness), 1);
  test_harness_teardown(harness);
}
GST_END_TEST;

static Suite *errors_suite(void) {
  Suite *suite = suite_create("errors");
  TCase *tcase = tcase_create("errors");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_missing_model);
  tcase_add_test(tcase, test_truncated_model);
  tcase_add_test(tcase, test_config_that_contradicts_the_tensors);
  tcase_add_test(tcase, test_config_that_is_no_json);
  tcase_add_test(tcase, test_labels_of_the_wrong_length);
  tcase_add_test(tcase, test_missing_labels);
  tcase_add_test(tcase, test_missing_thresholds);
  tcase_add_test(tcase, test_image_size_that_is_none);
  tcase_add_test(tcase, test_settings_that_do_not_fit_the_model);
  tcase_add_test(tcase, test_no_device);
  tcase_add_test(tcase, test_no_device_by_environment);
  tcase_add_test(tcase, test_error_is_posted_without_lock);
  tcase_add_test(tcase, test_buffers_that_are_no_pictures);
  return suite;
}

GST_CHECK_MAIN(errors);
