// SPDX-License-Identifier: LGPL-2.1-or-later
// What each property asks of libswin, and what it refuses; over a libswin that tells what it was
// asked (mock-swin.h).
#include "mock-harness.h"
#include "mock-swin.h"

static MockSwinRequest request_with(const gchar *property, const gchar *value) {
  GstElement *element = mock_element_new();
  MockSwinRequest request;

  gst_util_set_object_arg(G_OBJECT(element), property, value);
  request = mock_element_open_and_close(element);
  mock_element_free(element);
  return request;
}

/* ---- Properties one by one ----------------------------------------------------------------- */

GST_START_TEST(test_defaults) {
  GstElement *element = mock_element_new();
  MockSwinRequest request = mock_element_open_and_close(element);
  guint8 white[3] = {255, 255, 255};

  fail_unless_equals_int(request.image_width, 0);
  fail_unless_equals_int(request.image_height, 0);
  fail_unless_equals_int(request.window_size, 0);
  fail_unless_equals_int(request.top_k, 5);
  fail_unless_equals_int(request.activation, SWIN_ACTIVATION_AUTO);
  fail_unless_equals_int(request.crop_mode, SWIN_CROP_MODE_AUTO);
  fail_unless_equals_int(request.resize_size, 0);
  fail_unless(memcmp(request.fill, white, sizeof(white)) == 0);
  fail_unless_equals_int(request.interpolation, SWIN_INTERPOLATION_AUTO);
  fail_if(request.has_mean || request.has_std);
  fail_unless_equals_int(request.channel_order, SWIN_CHANNEL_ORDER_AUTO);
  mock_element_free(element);
}
GST_END_TEST;

// Whoever looks at an element sees the default that a new one has, and what it was set to.
GST_START_TEST(test_every_property_reads_back) {
  static const struct {
    const gchar *name, *value;
    gint flags;
  } values[] = {
      {"model-file", "/models/a", GST_PARAM_MUTABLE_PLAYING},
      {"image-size", "640x384", GST_PARAM_MUTABLE_READY},
      {"window-size", "12", GST_PARAM_MUTABLE_READY},
      {"labels-file", "/labels", GST_PARAM_MUTABLE_READY},
      {"device", "1", GST_PARAM_MUTABLE_READY},
      {"precision", "fp16", GST_PARAM_MUTABLE_READY},
      {"crop-mode", "pad", GST_PARAM_MUTABLE_READY},
      {"resize-size", "292", GST_PARAM_MUTABLE_READY},
      {"fill-color", "4286611584", GST_PARAM_MUTABLE_READY},
      {"interpolation", "lanczos", GST_PARAM_MUTABLE_READY},
      {"mean", "< 0.5, 0.25, 0.125 >", GST_PARAM_MUTABLE_READY},
      {"std", "< 0.75, 1, 2 >", GST_PARAM_MUTABLE_READY},
      {"channel-order", "bgr", GST_PARAM_MUTABLE_READY},
      {"video-direction", "90r", GST_PARAM_MUTABLE_PLAYING},
      {"activation", "sigmoid", GST_PARAM_MUTABLE_READY},
      {"top-k", "7", GST_PARAM_MUTABLE_READY},
      {"threshold", "0.25", GST_PARAM_MUTABLE_PLAYING},
      {"thresholds-file", "/thresholds", GST_PARAM_MUTABLE_READY},
      {"smoothing", "0.5", GST_PARAM_MUTABLE_READY},
      {"inference-interval", "4", GST_PARAM_MUTABLE_PLAYING},
      {"inference-region", "roi-list", GST_PARAM_MUTABLE_PLAYING},
      {"object-class", "car, truck", GST_PARAM_MUTABLE_PLAYING},
      {"object-min-width", "16", GST_PARAM_MUTABLE_PLAYING},
      {"object-min-height", "24", GST_PARAM_MUTABLE_PLAYING},
      {"reclassify-interval", "0", GST_PARAM_MUTABLE_PLAYING},
      {"latency-policy", "latest", GST_PARAM_MUTABLE_PLAYING},
      {"qos", "false", GST_PARAM_MUTABLE_PLAYING},
      {"batch-size", "8", GST_PARAM_MUTABLE_READY},
      {"batch-timeout", "40", GST_PARAM_MUTABLE_READY},
      {"model-instance-id", "one", GST_PARAM_MUTABLE_READY},
      {"unique-id", "3", GST_PARAM_MUTABLE_PLAYING},
      {"post-messages", "false", GST_PARAM_MUTABLE_PLAYING},
      {"attach-tensors", "logits+stage-2", GST_PARAM_MUTABLE_READY},
  };
  GstElement *element = mock_element_new();

  for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), values[i].name);
    GValue value = G_VALUE_INIT, expected = G_VALUE_INIT;

    fail_unless(spec != NULL, "there is no %s", values[i].name);
    fail_unless((gint)spec->flags & values[i].flags, "%s", spec->name);
    g_value_init(&value, spec->value_type);
    g_value_init(&expected, spec->value_type);
    g_object_get_property(G_OBJECT(element), spec->name, &value);
    fail_unless(g_param_value_defaults(spec, &value), "%s has another default", spec->name);

    gst_util_set_object_arg(G_OBJECT(element), spec->name, values[i].value);
    g_object_get_property(G_OBJECT(element), spec->name, &value);
    fail_unless(gst_value_deserialize_with_pspec(&expected, values[i].value, spec));
    fail_unless_equals_int(gst_value_compare(&value, &expected), GST_VALUE_EQUAL);
    fail_if(g_param_value_defaults(spec, &value), "%s did not change", spec->name);
    g_value_unset(&value);
    g_value_unset(&expected);
  }
  mock_element_free(element);
}
GST_END_TEST;

GST_START_TEST(test_image_size) {
  static const struct {
    const gchar *text;
    guint width, height;
  } sizes[] = {{"224", 224, 224}, {"640x384", 640, 384}, {"1x16384", 1, 16384}, {"", 0, 0}};

  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    MockSwinRequest request = request_with("image-size", sizes[i].text);

    fail_unless_equals_int(request.image_width, sizes[i].width);
    fail_unless_equals_int(request.image_height, sizes[i].height);
  }
}
GST_END_TEST;

GST_START_TEST(test_image_size_that_is_none) {
  static const gchar *const texts[] = {"abc",   "0",     "-224",     "224x",    "x224", "224x0",
                                       "1x2x3", "16385", "224x384 ", "224,384", "+5",   "224 "};
  GstElement *element = mock_element_new();

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree gchar *shown = g_strdup_printf("image-size: The image size is \"%s\":", texts[i]);

    g_object_set(element, "image-size", texts[i], NULL);
    mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, shown);
  }
  g_object_set(element, "image-size", "1\n2", NULL);
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "\"1?2\"");
  g_object_set(element, "image-size", "96", NULL);
  fail_unless_equals_int(mock_element_open_and_close(element).image_width, 96);
  mock_element_free(element);
}
GST_END_TEST;

GST_START_TEST(test_numbers) {
  fail_unless_equals_int(request_with("window-size", "16").window_size, 16);
  fail_unless_equals_int(request_with("resize-size", "256").resize_size, 256);
  fail_unless_equals_int(request_with("top-k", "64").top_k, 64);
}
GST_END_TEST;

GST_START_TEST(test_batches) {
  fail_unless_equals_int(request_with("top-k", "1").batch_size, 1);
  fail_unless_equals_int(request_with("batch-size", "64").batch_size, 64);
  fail_unless(request_with("top-k", "1").batch_timeout == 0);
  fail_unless(request_with("batch-timeout", "40").batch_timeout == 40000);
}
GST_END_TEST;

static void expect_outputs(const gchar *property, const gchar *value, const gchar *expected) {
  MockSwinRequest request = request_with(property, value);
  g_autoptr(GString) names = g_string_new(NULL);

  for (guint i = 0; i < request.n_outputs; i++)
    g_string_append_printf(names, "%s%s", i > 0 ? " " : "", request.outputs[i]);
  assert_equals_string(names->str, expected);
}

// What is not asked for is not computed; smoothing needs logits.
GST_START_TEST(test_outputs) {
  expect_outputs("top-k", "1", "");
  expect_outputs("smoothing", "0.9", "logits");
  expect_outputs("attach-tensors", "embedding", "pooled");
  expect_outputs("attach-tensors", "logits+embedding+stage-0+stage-1+stage-2+stage-3",
                 "logits pooled stages.0 stages.1 stages.2 stages.3");
}
GST_END_TEST;

// The alpha is ignored.
GST_START_TEST(test_fill_color) {
  static const gchar *const colors[] = {"0x00123456", "0xff123456"};
  static const guint8 fill[3] = {0x12, 0x34, 0x56};

  for (guint i = 0; i < G_N_ELEMENTS(colors); i++) {
    MockSwinRequest request = request_with("fill-color", colors[i]);

    fail_unless(memcmp(request.fill, fill, sizeof(fill)) == 0);
  }
}
GST_END_TEST;

GST_START_TEST(test_crop_mode) {
  fail_unless_equals_int(request_with("crop-mode", "auto").crop_mode, SWIN_CROP_MODE_AUTO);
  fail_unless_equals_int(request_with("crop-mode", "squash").crop_mode, SWIN_CROP_MODE_SQUASH);
  fail_unless_equals_int(request_with("crop-mode", "center").crop_mode, SWIN_CROP_MODE_CENTER);
  fail_unless_equals_int(request_with("crop-mode", "pad").crop_mode, SWIN_CROP_MODE_PAD);
}
GST_END_TEST;

GST_START_TEST(test_interpolation) {
  static const gchar *const names[] = {"auto", "nearest", "bilinear", "bicubic", "lanczos"};
  static const SwinInterpolation values[] = {
      SWIN_INTERPOLATION_AUTO, SWIN_INTERPOLATION_NEAREST, SWIN_INTERPOLATION_BILINEAR,
      SWIN_INTERPOLATION_BICUBIC, SWIN_INTERPOLATION_LANCZOS};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    fail_unless_equals_int(request_with("interpolation", names[i]).interpolation, values[i]);
}
GST_END_TEST;

GST_START_TEST(test_channel_order) {
  fail_unless_equals_int(request_with("channel-order", "auto").channel_order,
                         SWIN_CHANNEL_ORDER_AUTO);
  fail_unless_equals_int(request_with("channel-order", "rgb").channel_order,
                         SWIN_CHANNEL_ORDER_RGB);
  fail_unless_equals_int(request_with("channel-order", "bgr").channel_order,
                         SWIN_CHANNEL_ORDER_BGR);
}
GST_END_TEST;

GST_START_TEST(test_activation) {
  fail_unless_equals_int(request_with("activation", "auto").activation, SWIN_ACTIVATION_AUTO);
  fail_unless_equals_int(request_with("activation", "softmax").activation, SWIN_ACTIVATION_SOFTMAX);
  fail_unless_equals_int(request_with("activation", "sigmoid").activation, SWIN_ACTIVATION_SIGMOID);
}
GST_END_TEST;

static void expect_precision(const gchar *asked, SwinPrecision request, const gchar *running) {
  GstElement *element = mock_element_new();
  g_autoptr(GstStructure) stats = NULL;

  gst_util_set_object_arg(G_OBJECT(element), "precision", asked);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(mock_swin_last_request().precision, request);
  g_object_get(element, "stats", &stats, NULL);
  assert_equals_string(gst_structure_get_string(stats, "precision"), running);
  mock_element_free(element);
}

GST_START_TEST(test_precision) {
  expect_precision("auto", SWIN_PRECISION_AUTO, "fp16");
  expect_precision("fp32", SWIN_PRECISION_FP32, "fp32");
  expect_precision("fp16", SWIN_PRECISION_FP16, "fp16");
  mock_swin_set_half(FALSE);
  expect_precision("auto", SWIN_PRECISION_AUTO, "fp32");
  mock_swin_set_half(TRUE);
}
GST_END_TEST;

// A device of the element's own is refused: another one may be there that can.
GST_START_TEST(test_precision_that_the_device_cannot_do) {
  GstElement *element = mock_element_new();

  mock_swin_set_half(FALSE);
  gst_util_set_object_arg(G_OBJECT(element), "precision", "fp16");
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_NOT_FOUND, "The mock cannot do fp16.");
  mock_swin_set_half(TRUE);
  mock_element_open_and_close(element);
  mock_element_free(element);
}
GST_END_TEST;

// As gst-launch-1.0 writes them; whole numbers are numbers too.
GST_START_TEST(test_mean_and_std) {
  static const gfloat mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {1.0f, 2.0f, 0.5f};
  MockSwinRequest request = request_with("mean", "<0.485,0.456,0.406>");

  fail_unless(request.has_mean && memcmp(request.mean, mean, sizeof(mean)) == 0);
  fail_if(request.has_std);
  request = request_with("std", "<1,2,0.5>");
  fail_unless(request.has_std && memcmp(request.std, std, sizeof(std)) == 0);
  fail_if(request.has_mean);
  request = request_with("mean", "<>");
  fail_if(request.has_mean);
}
GST_END_TEST;

GST_START_TEST(test_mean_and_std_of_other_lengths) {
  GstElement *element = mock_element_new();

  gst_util_set_object_arg(G_OBJECT(element), "mean", "<0.5>");
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "mean has 1 value:");
  gst_util_set_object_arg(G_OBJECT(element), "mean", "<>");
  gst_util_set_object_arg(G_OBJECT(element), "std", "<0.5,0.5,0.5,1.0>");
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "std has 4 values:");
  mock_element_free(element);
}
GST_END_TEST;

// What is open stays as it was opened.
GST_START_TEST(test_changes_wait_for_the_next_opening) {
  GstElement *element = mock_element_new();

  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  g_object_set(element, "image-size", "abc", "top-k", 3, NULL);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(mock_swin_last_request().top_k, 5);
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "image-size");
  g_object_set(element, "image-size", NULL, NULL);
  fail_unless_equals_int(mock_element_open_and_close(element).top_k, 3);
  mock_element_free(element);
}
GST_END_TEST;

/* ---- Models -------------------------------------------------------------------------------- */

// The library's own sentence, and not that of a file that has too many lines for no classes.
GST_START_TEST(test_model_without_a_head) {
  g_autofree gchar *path = g_build_filename(g_get_tmp_dir(), "nowhere", NULL);
  GstElement *element = mock_element_new();

  mock_swin_set_headless(TRUE);
  g_object_set(element, "labels-file", path, "thresholds-file", path, NULL);
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_READ, "The mock has no head.");
  mock_swin_set_headless(FALSE);
  g_object_set(element, "labels-file", NULL, "thresholds-file", NULL, NULL);
  mock_element_open_and_close(element);
  mock_element_free(element);
}
GST_END_TEST;

static void expect_info(GstElement *element, const gchar *text) {
  GstBus *bus = gst_element_get_bus(element);
  GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_INFO);

  if (text == NULL) {
    fail_unless(message == NULL, "something was noted");
  } else {
    GError *error;
    gchar *debug;

    fail_unless(message != NULL, "nothing was noted");
    gst_message_parse_info(message, &error, &debug);
    assert_equals_string(error->message, text);
    fail_unless(g_str_has_suffix(debug, text), "%s", debug);
    g_error_free(error);
    g_free(debug);
    gst_message_unref(message);
    fail_unless(gst_bus_pop_filtered(bus, GST_MESSAGE_INFO) == NULL);
  }
  fail_unless(gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR) == NULL);
  gst_object_unref(bus);
}

// One message an opening, and none for a model of which nothing was assumed.
GST_START_TEST(test_notes) {
  static const gchar *const notes[] = {"The input is 100% square.", "It is yellow.", NULL};
  GstElement *element = mock_element_new();

  mock_element_open_and_close(element);
  expect_info(element, NULL);
  mock_swin_set_notes(notes);
  for (guint i = 0; i < 2; i++) {
    mock_element_open_and_close(element);
    expect_info(element, "The input is 100% square. It is yellow.");
  }
  mock_swin_set_notes(NULL);
  mock_element_open_and_close(element);
  expect_info(element, NULL);
  mock_element_free(element);
}
GST_END_TEST;

static Suite *properties_suite(void) {
  Suite *suite = suite_create("properties");
  TCase *tcase = tcase_create("properties");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_defaults);
  tcase_add_test(tcase, test_every_property_reads_back);
  tcase_add_test(tcase, test_image_size);
  tcase_add_test(tcase, test_image_size_that_is_none);
  tcase_add_test(tcase, test_numbers);
  tcase_add_test(tcase, test_batches);
  tcase_add_test(tcase, test_outputs);
  tcase_add_test(tcase, test_fill_color);
  tcase_add_test(tcase, test_crop_mode);
  tcase_add_test(tcase, test_interpolation);
  tcase_add_test(tcase, test_channel_order);
  tcase_add_test(tcase, test_activation);
  tcase_add_test(tcase, test_precision);
  tcase_add_test(tcase, test_precision_that_the_device_cannot_do);
  tcase_add_test(tcase, test_mean_and_std);
  tcase_add_test(tcase, test_mean_and_std_of_other_lengths);
  tcase_add_test(tcase, test_changes_wait_for_the_next_opening);
  tcase_add_test(tcase, test_model_without_a_head);
  tcase_add_test(tcase, test_notes);
  return suite;
}

int main(int argc, char **argv) {
  return mock_main(&argc, &argv, properties_suite, "properties");
}
