// SPDX-License-Identifier: LGPL-2.1-or-later
// What each property asks of libswin, what it refuses, and what files and notes make of the
// results; over a libswin that tells what it was asked (mock-swin.h).
#include <glib/gstdio.h>

#include "../../plugin/metadata.h"
#include "../../plugin/swinclassify.h"
#include "common.h"
#include "mock-swin.h"

/* ---- Opening ------------------------------------------------------------------------------- */

static GstElement *element_new(void) {
  GstElement *element = gst_element_factory_make("swinclassify", NULL);
  GstBus *bus = gst_bus_new();

  fail_unless(element != NULL);
  gst_element_set_bus(element, bus);
  gst_object_unref(bus);
  return element;
}

static void element_free(GstElement *element) {
  gst_element_set_state(element, GST_STATE_NULL);
  gst_element_set_bus(element, NULL);
  ASSERT_OBJECT_REFCOUNT(element, "element", 1);
  gst_object_unref(element);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
}

// Opens and closes the element, which must work. What it asked for is asked of the mock.
static MockSwinRequest open_and_close(GstElement *element) {
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
  return mock_swin_last_request();
}

static MockSwinRequest request_with(const gchar *property, const gchar *value) {
  GstElement *element = element_new();
  MockSwinRequest request;

  gst_util_set_object_arg(G_OBJECT(element), property, value);
  request = open_and_close(element);
  element_free(element);
  return request;
}

// The element does not open, says why with one error, and keeps nothing.
static void expect_refusal(GstElement *element, gint code, const gchar *part) {
  GstBus *bus = gst_element_get_bus(element);
  GstMessage *message;
  GError *error;

  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  fail_unless(message != NULL, "no error message");
  gst_message_parse_error(message, &error, NULL);
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, code), "'%s' has code %d, should have %d",
              error->message, error->code, code);
  fail_unless(strstr(error->message, part) != NULL, "'%s' does not say '%s'", error->message, part);
  fail_unless(g_str_has_suffix(error->message, ".") && strchr(error->message, '\n') == NULL,
              "'%s' is no sentence", error->message);
  g_error_free(error);
  gst_message_unref(message);
  fail_unless(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) == NULL);
  gst_object_unref(bus);
  gst_element_set_state(element, GST_STATE_NULL);
  fail_unless_equals_int(mock_swin_n_alive(), 0);
}

/* ---- Properties one by one ----------------------------------------------------------------- */

GST_START_TEST(test_defaults) {
  GstElement *element = element_new();
  MockSwinRequest request = open_and_close(element);
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
  element_free(element);
}
GST_END_TEST;

// Whoever looks at an element sees the default that a new one has, and what it was set to.
GST_START_TEST(test_every_property_reads_back) {
  static const gchar *const values[][2] = {
      {"model-file", "/models/a"},
      {"image-size", "640x384"},
      {"window-size", "12"},
      {"labels-file", "/labels"},
      {"device", "1"},
      {"crop-mode", "pad"},
      {"resize-size", "292"},
      {"fill-color", "4286611584"},
      {"interpolation", "lanczos"},
      {"mean", "< 0.5, 0.25, 0.125 >"},
      {"std", "< 0.75, 1, 2 >"},
      {"channel-order", "bgr"},
      {"activation", "sigmoid"},
      {"top-k", "7"},
      {"thresholds-file", "/thresholds"},
  };
  GstElement *element = element_new();

  for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), values[i][0]);
    GValue value = G_VALUE_INIT, expected = G_VALUE_INIT;

    fail_unless(spec != NULL, "there is no %s", values[i][0]);
    fail_unless(spec->flags & GST_PARAM_MUTABLE_READY, "%s", spec->name);
    g_value_init(&value, spec->value_type);
    g_value_init(&expected, spec->value_type);
    g_object_get_property(G_OBJECT(element), spec->name, &value);
    fail_unless(g_param_value_defaults(spec, &value), "%s has another default", spec->name);

    gst_util_set_object_arg(G_OBJECT(element), spec->name, values[i][1]);
    g_object_get_property(G_OBJECT(element), spec->name, &value);
    fail_unless(gst_value_deserialize_with_pspec(&expected, values[i][1], spec));
    fail_unless_equals_int(gst_value_compare(&value, &expected), GST_VALUE_EQUAL);
    fail_if(g_param_value_defaults(spec, &value), "%s did not change", spec->name);
    g_value_unset(&value);
    g_value_unset(&expected);
  }
  element_free(element);
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
  GstElement *element = element_new();

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree gchar *shown = g_strdup_printf("image-size: The image size is \"%s\":", texts[i]);

    g_object_set(element, "image-size", texts[i], NULL);
    expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, shown);
  }
  g_object_set(element, "image-size", "1\n2", NULL);
  expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "\"1?2\"");
  g_object_set(element, "image-size", "96", NULL);
  fail_unless_equals_int(open_and_close(element).image_width, 96);
  element_free(element);
}
GST_END_TEST;

GST_START_TEST(test_numbers) {
  fail_unless_equals_int(request_with("window-size", "16").window_size, 16);
  fail_unless_equals_int(request_with("resize-size", "256").resize_size, 256);
  fail_unless_equals_int(request_with("top-k", "64").top_k, 64);
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
  GstElement *element = element_new();

  gst_util_set_object_arg(G_OBJECT(element), "mean", "<0.5>");
  expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "mean has 1 value:");
  gst_util_set_object_arg(G_OBJECT(element), "mean", "<>");
  gst_util_set_object_arg(G_OBJECT(element), "std", "<0.5,0.5,0.5,1.0>");
  expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "std has 4 values:");
  element_free(element);
}
GST_END_TEST;

// What is open stays as it was opened.
GST_START_TEST(test_changes_wait_for_the_next_opening) {
  GstElement *element = element_new();

  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  g_object_set(element, "image-size", "abc", "top-k", 3, NULL);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(mock_swin_last_request().top_k, 5);
  expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "image-size");
  g_object_set(element, "image-size", NULL, NULL);
  fail_unless_equals_int(open_and_close(element).top_k, 3);
  element_free(element);
}
GST_END_TEST;

/* ---- Models -------------------------------------------------------------------------------- */

// The library's own sentence, and not that of a file that has too many lines for no classes.
GST_START_TEST(test_model_without_a_head) {
  g_autofree gchar *path = g_build_filename(g_get_tmp_dir(), "nowhere", NULL);
  GstElement *element = element_new();

  mock_swin_set_headless(TRUE);
  g_object_set(element, "labels-file", path, "thresholds-file", path, NULL);
  expect_refusal(element, GST_RESOURCE_ERROR_READ, "The mock has no head.");
  mock_swin_set_headless(FALSE);
  g_object_set(element, "labels-file", NULL, "thresholds-file", NULL, NULL);
  open_and_close(element);
  element_free(element);
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
  GstElement *element = element_new();

  open_and_close(element);
  expect_info(element, NULL);
  mock_swin_set_notes(notes);
  for (guint i = 0; i < 2; i++) {
    open_and_close(element);
    expect_info(element, "The input is 100% square. It is yellow.");
  }
  mock_swin_set_notes(NULL);
  open_and_close(element);
  expect_info(element, NULL);
  element_free(element);
}
GST_END_TEST;

/* ---- Files --------------------------------------------------------------------------------- */

static gchar *write_file(const gchar *text) {
  gchar *path = NULL;
  gint file = g_file_open_tmp(NULL, &path, NULL);

  fail_unless(file >= 0);
  g_close(file, NULL);
  fail_unless(g_file_set_contents(path, text, -1, NULL));
  return path;
}

static void remove_file(gchar *path) {
  g_unlink(path);
  g_free(path);
}

// The tags of one frame as the message has them, which must be those of the metadata.
static TestTags classify(const gchar *properties) {
  GstHarness *harness = test_harness_new(properties);
  GstBuffer *pulled, *frame = gst_buffer_new_allocate(NULL, TEST_WIDTH * TEST_HEIGHT * 3 / 2, NULL);
  GstMessage *message;
  TestTags tags, metadata;

  gst_buffer_memset(frame, 0, 16, (gsize)-1);
  pulled = gst_harness_push_and_pull(harness, frame);
  metadata = test_tags_of_buffer(pulled);
  gst_buffer_unref(pulled);
  message = test_next_classification(harness);
  tags = test_tags_of_structure(gst_message_get_structure(message));
  gst_message_unref(message);
  test_harness_teardown(harness);
  fail_unless_equals_int(mock_swin_n_alive(), 0);

  fail_unless_equals_int(metadata.n_metas, tags.n_tags > 0 ? 1 : 0);
  fail_unless_equals_int(metadata.n_tags, tags.n_tags);
  for (guint i = 0; i < tags.n_tags; i++) {
    fail_unless_equals_int(metadata.labels[i], tags.labels[i]);
    fail_unless(metadata.confidences[i] == tags.confidences[i]);
  }
  return tags;
}

static void expect_labels(const gchar *properties, const gchar *expected) {
  TestTags tags = classify(properties);
  g_autoptr(GString) labels = g_string_new(NULL);

  for (guint i = 0; i < tags.n_tags; i++)
    g_string_append_printf(labels, "%s%s", i > 0 ? " " : "", g_quark_to_string(tags.labels[i]));
  assert_equals_string(labels->str, expected);
}

// A class falls out wherever it stands, and the others keep their order. The file's thresholds hold
// for each class, whatever the one for all says.
GST_START_TEST(test_thresholds_file) {
  static const gchar *const files[][2] = {
      {"0\n0\n0\n0\n0\n0\n0\n0\n", "a b c"},
      {"0.5\n0.25\n0.125\n0\n0\n0\n0\n0\n", "a b c"},
      {"0.5\n0.26\n0.125\n0\n0\n0\n0\n0\n", "a c"},
      {"0.51\n0.25\n0.125\n0\n0\n0\n0\n0", "b c"},
      {"1\r\n1\r\n0.1\r\n0\r\n0\r\n0\r\n0\r\n0\r\n", "c"},
      {"1\n1\n1\n0\n0\n0\n0\n0\n", ""},
      {"tag,threshold\nv,1\nw,.2\nx,1e-1\ny,0\nz,0\n0,0\n1,0\n2,0\n", "b c"},
  };
  static const gchar *const others[] = {"", "threshold=0.3", "threshold=1"};

  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    gchar *path = write_file(files[i][0]);

    for (guint j = 0; j < G_N_ELEMENTS(others); j++) {
      g_autofree gchar *properties = g_strdup_printf("thresholds-file=%s %s", path, others[j]);

      expect_labels(properties, files[i][1]);
    }
    remove_file(path);
  }
  expect_labels("threshold=0.25", "a b");
  expect_labels("threshold=0.6", "");
}
GST_END_TEST;

// Top-k is what thresholds take from: they bring no class in that is not one of the best.
GST_START_TEST(test_thresholds_take_from_the_best) {
  gchar *path = write_file("1\n0\n0\n0\n0\n0\n0\n0\n");
  g_autofree gchar *properties = g_strdup_printf("thresholds-file=%s top-k=2", path);

  expect_labels(properties, "b");
  remove_file(path);
}
GST_END_TEST;

GST_START_TEST(test_labels_file) {
  static const gchar *const files[][2] = {
      {"x\ny y\nz\n-\n-\n-\n-\n-\n", "x y y z"},
      {"\xef\xbb\xbfx\r\ny\r\nz\r\n-\r\n-\r\n-\r\n-\r\n-", "x y z"},
      {"tag_id,name,category,count\n1,x,0,9\n2,\"y, y\",0,9\n3,\"\"\"z\"\"\",0,9\n4,d,0,9\n"
       "5,e,0,9\n6,f,0,9\n7,g,0,9\n8,h,0,9\n",
       "x y, y \"z\""},
      {"n01440764 x\nn01443537 y, why\nn01484850 z\nn01491361 d\nn01494475 e\nn01496331 f\n"
       "n01498041 g\nn01514668 h\n",
       "x y, why z"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    gchar *path = write_file(files[i][0]);
    g_autofree gchar *properties = g_strdup_printf("labels-file=%s", path);

    expect_labels(properties, files[i][1]);
    remove_file(path);
  }
}
GST_END_TEST;

static void expect_bad_file(const gchar *property, const gchar *text, const gchar *part) {
  GstElement *element = element_new();
  gchar *path = write_file(text);

  g_object_set(element, property, path, NULL);
  expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, path);
  expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, part);
  g_object_set(element, property, NULL, NULL);
  open_and_close(element);
  element_free(element);
  remove_file(path);
}

GST_START_TEST(test_files_that_do_not_fit) {
  expect_bad_file("thresholds-file", "0\n0\n0\n", "3 thresholds");
  expect_bad_file("thresholds-file", "0\n0\n0\n0\n1.5\n0\n0\n0\n", "line 5");
  expect_bad_file("thresholds-file", "\xff\n", "UTF-8");
  expect_bad_file("labels-file", "name,count\na,1\n", "1 label,");
  expect_bad_file("labels-file", "name,count\na,1\nb\n", "line 3");
}
GST_END_TEST;

GST_START_TEST(test_files_that_are_not_there) {
  GstElement *element = element_new();

  g_object_set(element, "thresholds-file", "/nowhere/t.txt", NULL);
  expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "no threshold file \"/nowhere/t.txt\"");
  g_object_set(element, "labels-file", "/nowhere/l.txt", NULL);
  expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, "no label file \"/nowhere/l.txt\"");
  element_free(element);
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
  tcase_add_test(tcase, test_fill_color);
  tcase_add_test(tcase, test_crop_mode);
  tcase_add_test(tcase, test_interpolation);
  tcase_add_test(tcase, test_channel_order);
  tcase_add_test(tcase, test_activation);
  tcase_add_test(tcase, test_mean_and_std);
  tcase_add_test(tcase, test_mean_and_std_of_other_lengths);
  tcase_add_test(tcase, test_changes_wait_for_the_next_opening);
  tcase_add_test(tcase, test_model_without_a_head);
  tcase_add_test(tcase, test_notes);
  tcase_add_test(tcase, test_thresholds_file);
  tcase_add_test(tcase, test_thresholds_take_from_the_best);
  tcase_add_test(tcase, test_labels_file);
  tcase_add_test(tcase, test_files_that_do_not_fit);
  tcase_add_test(tcase, test_files_that_are_not_there);
  return suite;
}

int main(int argc, char **argv) {
  gst_check_init(&argc, &argv);
  // Not the plugin's: that has the real library.
  swin_metadata_register();
  if (!GST_ELEMENT_REGISTER(swinclassify, NULL))
    return 1;
  return gst_check_run_suite(properties_suite(), "properties", __FILE__);
}
