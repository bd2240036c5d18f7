// SPDX-License-Identifier: LGPL-2.1-or-later
// The property precision over real devices: fp16 takes effect and hardly changes what is seen, on a
// device of the element's own and on that of GStreamer's Vulkan elements; where a device cannot do
// it, the one is refused and the other is used in fp32.
#include "common.h"

#define N_FRAMES 3

// Frames of which the model is not sure, so that 16 bits show in the confidences.
#define FRAMES                                                                                     \
  "videotestsrc pattern=zone-plate kx2=7 ky2=5 num-buffers=3 ! "                                   \
  "video/x-raw,format=BGRA,width=320,height=240 ! "
/* The user's own caches are left alone. */
#define WITHOUT_FP16 "fp16,tuning,pipeline-cache"

#define CLASSIFY "swinclassify name=classify top-k=64 "

/** Outcome: what a pipeline has told. */
typedef struct {
  gchar *error;   // (nullable)
  gchar *warning; // (nullable): the first one
  guint n_warnings;
  gchar *precision; // (nullable): of the element's stats
  guint n_results;
  TestTags tags; // of the last result
} Outcome;

static void outcome_clear(Outcome *outcome) {
  g_free(outcome->error);
  g_free(outcome->warning);
  g_free(outcome->precision);
}

static gchar *stats_precision(GstElement *pipeline) {
  g_autoptr(GstElement) element = gst_bin_get_by_name(GST_BIN(pipeline), "classify");
  g_autoptr(GstStructure) stats = NULL;

  g_object_get(element, "stats", &stats, NULL);
  return g_strdup(gst_structure_get_string(stats, "precision"));
}

static void note_result(Outcome *outcome, const GstStructure *structure) {
  outcome->tags = test_tags_of_structure(structure);
  outcome->n_results++;
}

// Whether that was the last message.
static gboolean note_message(Outcome *outcome, GstMessage *message) {
  g_autoptr(GError) error = NULL;

  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_ERROR:
    gst_message_parse_error(message, &error, NULL);
    if (outcome->error == NULL)
      outcome->error = g_strdup(error->message);
    return TRUE;
  case GST_MESSAGE_WARNING:
    gst_message_parse_warning(message, &error, NULL);
    if (outcome->n_warnings++ == 0)
      outcome->warning = g_strdup(error->message);
    return FALSE;
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name(message, "swin-classification"))
      note_result(outcome, gst_message_get_structure(message));
    return FALSE;
  default:
    return TRUE;
  }
}

static Outcome run(const gchar *description) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GstElement) pipeline = gst_parse_launch(description, &error);
  g_autoptr(GstBus) bus = NULL;
  Outcome outcome = {NULL};
  gboolean ended = FALSE;

  fail_unless(error == NULL, "'%s': %s", description, error != NULL ? error->message : "");
  bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  while (!ended) {
    g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
        bus, 200 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT);

    fail_unless(message != NULL, "the pipeline hangs");
    ended = note_message(&outcome, message);
  }
  outcome.precision = stats_precision(pipeline);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return outcome;
}

static Outcome run_in_memory(const gchar *precision) {
  g_autofree gchar *description =
      g_strdup_printf(FRAMES CLASSIFY "precision=%s ! fakesink", precision);

  return run(description);
}

static Outcome run_in_images(const gchar *precision) {
  g_autofree gchar *description =
      g_strdup_printf(FRAMES "vulkanupload ! " CLASSIFY "precision=%s ! fakesink", precision);

  return run(description);
}

static void expect_running(const Outcome *outcome, const gchar *precision) {
  fail_unless(outcome->error == NULL, "%s", outcome->error);
  fail_unless_equals_int(outcome->n_results, N_FRAMES);
  assert_equals_string(outcome->precision, precision);
  assert_equals_string(outcome->tags.precision, precision);
}

// The confidence that was told of the class that is called @label; 0 where it was not told.
static gdouble confidence_of(const TestTags *tags, GQuark label) {
  for (guint i = 0; i < tags->n_tags; i++) {
    if (tags->labels[i] == label)
      return tags->confidences[i];
  }
  return 0.0;
}

// Values of 11 bits in between move a confidence by a few thousandths; the same would not move at
// all.
static void expect_near(const TestTags *tags, const TestTags *expected) {
  gdouble largest = 0.0;

  fail_unless_equals_int(tags->n_tags, expected->n_tags);
  for (guint i = 0; i < expected->n_tags; i++) {
    gdouble difference = confidence_of(tags, expected->labels[i]) - expected->confidences[i];

    largest = MAX(largest, ABS(difference));
  }
  fail_unless(largest > 0.0 && largest < 0.02, "the largest difference is %g", largest);
}

static void expect_same(const TestTags *tags, const TestTags *expected) {
  fail_unless_equals_int(tags->n_tags, expected->n_tags);
  for (guint i = 0; i < expected->n_tags; i++)
    fail_unless(tags->labels[i] == expected->labels[i] &&
                tags->confidences[i] == expected->confidences[i]);
}

/* ---- A device of its own ------------------------------------------------------------------- */

GST_START_TEST(test_own_device) {
  Outcome fp32 = run_in_memory("fp32"), fp16 = run_in_memory("fp16");

  expect_running(&fp32, "fp32");
  expect_running(&fp16, "fp16");
  expect_near(&fp16.tags, &fp32.tags);
  fail_unless_equals_int(fp16.n_warnings, 0);
  outcome_clear(&fp32);
  outcome_clear(&fp16);
}
GST_END_TEST;

// Tests run on a processor, where fp16 gains nothing.
GST_START_TEST(test_auto) {
  Outcome fp32 = run_in_memory("fp32"), either = run_in_memory("auto");

  expect_running(&either, "fp32");
  expect_same(&either.tags, &fp32.tags);
  outcome_clear(&fp32);
  outcome_clear(&either);
}
GST_END_TEST;

GST_START_TEST(test_own_device_that_cannot) {
  Outcome fp16, either;

  g_setenv("SWIN_DISABLE", WITHOUT_FP16, TRUE);
  fp16 = run_in_memory("fp16");
  either = run_in_memory("auto");
  g_setenv("SWIN_DISABLE", "tuning,pipeline-cache", TRUE);
  fail_unless(fp16.error != NULL && strstr(fp16.error, "fp16") != NULL, "%s", fp16.error);
  fail_unless_equals_int(fp16.n_results, 0);
  expect_running(&either, "fp32");
  fail_unless_equals_int(either.n_warnings, 0);
  outcome_clear(&fp16);
  outcome_clear(&either);
}
GST_END_TEST;

/* ---- That of the pipeline's Vulkan elements ------------------------------------------------ */

static gboolean has_vulkan(void) {
  g_autoptr(GstElementFactory) factory = gst_element_factory_find("vulkanupload");

  return factory != NULL;
}

static void expect_fallback(void) {
  Outcome fp32 = run_in_images("fp32"), fp16 = run_in_images("fp16");

  expect_running(&fp32, "fp32");
  fail_unless_equals_int(fp32.n_warnings, 0);
  expect_running(&fp16, "fp32");
  expect_same(&fp16.tags, &fp32.tags);
  fail_unless_equals_int(fp16.n_warnings, 1);
  fail_unless(strstr(fp16.warning, "fp16") != NULL, "%s", fp16.warning);
  outcome_clear(&fp32);
  outcome_clear(&fp16);
}

// GStreamer enables no features before 1.24, and all that the driver has from then on.
GST_START_TEST(test_shared_device) {
  guint major, minor, micro, nano;
  Outcome in_images, in_memory;

  gst_version(&major, &minor, &micro, &nano);
  if (minor < 24) {
    expect_fallback();
    return;
  }
  in_images = run_in_images("fp16");
  in_memory = run_in_memory("fp16");
  expect_running(&in_images, "fp16");
  fail_unless_equals_int(in_images.n_warnings, 0);
  expect_same(&in_images.tags, &in_memory.tags);
  outcome_clear(&in_images);
  outcome_clear(&in_memory);
}
GST_END_TEST;

// The element has a device of its own until it sees the pipeline's; `auto` is right on both.
GST_START_TEST(test_shared_device_that_cannot) {
  g_autofree gchar *description =
      g_strdup(FRAMES "vulkanupload ! " CLASSIFY "precision=auto ! fakesink");
  Outcome either;

  g_setenv("SWIN_DISABLE", WITHOUT_FP16, TRUE);
  either = run(description);
  g_setenv("SWIN_DISABLE", "tuning,pipeline-cache", TRUE);
  expect_running(&either, "fp32");
  fail_unless_equals_int(either.n_warnings, 0);
  outcome_clear(&either);
}
GST_END_TEST;

static Suite *precision_suite(void) {
  Suite *suite = suite_create("precision");
  TCase *tcase = tcase_create("precision");

  suite_add_tcase(suite, tcase);
  // A driver that has compiled none of the shaders yet may take half a minute for each precision.
  tcase_set_timeout(tcase, 240);
  tcase_add_test(tcase, test_own_device);
  tcase_add_test(tcase, test_auto);
  tcase_add_test(tcase, test_own_device_that_cannot);
  if (has_vulkan()) {
    tcase_add_test(tcase, test_shared_device);
    tcase_add_test(tcase, test_shared_device_that_cannot);
  }
  return suite;
}

GST_CHECK_MAIN(precision);
