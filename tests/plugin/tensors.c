// SPDX-License-Identifier: LGPL-2.1-or-later
// Tensors on frames, against what libswin gives for the same picture.
#include "common.h"

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#if GST_CHECK_VERSION(1, 26, 0)
#define HAVE_GST_TENSORS
#endif
#endif

#ifdef HAVE_GST_TENSORS

#include <math.h>

#include "swin.h"

#define RGB_CAPS                                                                                   \
  "video/x-raw, format=(string)RGB, width=(int)320, height=(int)240, framerate=(fraction)25/1"

/* ---- What libswin says --------------------------------------------------------------------- */

typedef struct {
  const gchar *output; // in libswin
  const gchar *id;     // on a frame
} Name;

static const Name names[] = {{"logits", "classification-generic-out"},
                             {"pooled", "swin-embedding"},
                             {"stages.0", "swin-stage-0"},
                             {"stages.1", "swin-stage-1"}};

typedef struct {
  guint n_dims;
  guint dims[SWIN_OUTPUT_MAX_DIMS];
  GBytes *values;
} Expected;

static void receive(SwinClassifier *classifier, const SwinResult *result, gpointer user_data) {
  Expected *expected = user_data;

  (void)classifier;
  fail_unless(result->error == NULL);
  fail_unless_equals_int(result->n_outputs, G_N_ELEMENTS(names));
  for (guint i = 0; i < result->n_outputs; i++) {
    const SwinOutput *output = &result->outputs[i];
    gsize n_values = 1;

    expected[i].n_dims = output->n_dims;
    for (guint d = 0; d < output->n_dims; d++) {
      expected[i].dims[d] = output->dims[d];
      n_values *= output->dims[d];
    }
    expected[i].values = g_bytes_new(output->values, n_values * sizeof(gfloat));
  }
}

static SwinClassifier *classifier_new(void) {
  const gchar *outputs[G_N_ELEMENTS(names) + 1] = {NULL};
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  g_autoptr(SwinDevice) device = swin_device_open(NULL, NULL);
  g_autoptr(SwinModel) model = swin_model_load("testcard", NULL, NULL);
  g_autoptr(GError) error = NULL;
  SwinClassifier *classifier;

  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    outputs[i] = names[i].output;
  swin_classifier_params_set_outputs(params, outputs);
  classifier = swin_classifier_new(device, model, params, &error);
  fail_unless(classifier != NULL, "%s", error != NULL ? error->message : "");
  return classifier;
}

// What the network makes of a part of an RGB frame.
static void expect_of(GstBuffer *buffer, SwinRectangle crop, Expected *expected) {
  g_autoptr(SwinClassifier) classifier = classifier_new();
  SwinFrame frame = SWIN_FRAME_INIT;
  GstMapInfo map;

  fail_unless(gst_buffer_map(buffer, &map, GST_MAP_READ));
  frame.width = TEST_WIDTH;
  frame.height = TEST_HEIGHT;
  frame.model = SWIN_COLOR_RGB;
  frame.range = SWIN_COLOR_RANGE_FULL;
  for (guint i = 0; i < 3; i++)
    frame.component[i] = (SwinFrameComponent){.offset = i, .pixel_stride = 3};
  frame.planes[0] = map.data;
  frame.strides[0] = TEST_WIDTH * 3;
  frame.crop = crop;
  fail_unless(swin_classifier_submit(classifier, &frame, NULL, NULL, receive, expected, NULL));
  swin_classifier_drain(classifier);
  gst_buffer_unmap(buffer, &map);
}

static void clear(Expected *expected) {
  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    g_bytes_unref(expected[i].values);
}

/* ---- What is on the frame ------------------------------------------------------------------ */

// (nullable)
static GstTensorMeta *nth_meta(GstBuffer *buffer, guint n) {
  gpointer state = NULL;
  GstMeta *meta;

  do
    meta = gst_buffer_iterate_meta_filtered(buffer, &state, GST_TENSOR_META_API_TYPE);
  while (meta != NULL && n-- > 0);
  return (GstTensorMeta *)meta;
}

static const GstTensor *find_tensor(GstTensorMeta *meta, const gchar *id) {
  gint index = gst_tensor_meta_get_index_from_id(meta, g_quark_from_string(id));

  return index >= 0 ? gst_tensor_meta_get(meta, (gsize)index) : NULL;
}

// To the last bit.
static void expect_tensor(const GstTensor *tensor, const Expected *expected, const gchar *id) {
  gsize size;
  const void *values = g_bytes_get_data(expected->values, &size);

  fail_unless(tensor != NULL, "there is no %s", id);
  fail_unless_equals_int(tensor->data_type, GST_TENSOR_DATA_TYPE_FLOAT32);
  fail_unless_equals_int(tensor->dims_order, GST_TENSOR_DIM_ORDER_ROW_MAJOR);
  fail_unless_equals_int(tensor->layout, GST_TENSOR_LAYOUT_CONTIGUOUS);
  fail_unless_equals_uint64(tensor->num_dims, 1 + expected->n_dims);
  fail_unless_equals_uint64(tensor->dims[0], 1);
  for (guint d = 0; d < expected->n_dims; d++)
    fail_unless_equals_uint64(tensor->dims[1 + d], expected->dims[d]);
  fail_unless_equals_uint64(gst_buffer_get_size(tensor->data), size);
  fail_unless(gst_buffer_memcmp(tensor->data, 0, values, size) == 0, "%s differs", id);
}

// The data say what they are about, in the words of the tags.
static TestTags tags_of_tensor(const GstTensor *tensor) {
  GstCustomMeta *meta = gst_buffer_get_custom_meta(tensor->data, "swin-classification");

  fail_unless(meta != NULL);
  return test_tags_of_structure(gst_custom_meta_get_structure(meta));
}

static GstHarness *rgb_harness_new(const gchar *properties) {
  GstHarness *harness = test_harness_new(properties);

  gst_harness_set_src_caps_str(harness, RGB_CAPS);
  return harness;
}

/* ---- Tests --------------------------------------------------------------------------------- */

GST_START_TEST(test_values_are_those_of_the_library) {
  GstHarness *harness =
      rgb_harness_new("attach-tensors=logits+embedding+stage-0+stage-1 unique-id=5");
  GstBuffer *frame = test_frame_new("smpte", "RGB", TEST_WIDTH, TEST_HEIGHT);
  Expected expected[G_N_ELEMENTS(names)];
  GstTensorMeta *meta;

  expect_of(frame, (SwinRectangle){0}, expected);
  frame = test_push_and_pull(harness, frame);
  meta = nth_meta(frame, 0);
  fail_unless(meta != NULL && nth_meta(frame, 1) == NULL);
  fail_unless_equals_uint64(meta->num_tensors, G_N_ELEMENTS(names));
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    const GstTensor *tensor = find_tensor(meta, names[i].id);
    TestTags tags;

    expect_tensor(tensor, &expected[i], names[i].id);
    tags = tags_of_tensor(tensor);
    assert_equals_string(tags.model, "testcard");
    fail_unless_equals_int(tags.unique_id, 5);
    fail_if(tags.has_region);
  }
  // They are the frame's, not the element's.
  test_harness_teardown(harness);
  expect_tensor(find_tensor(meta, names[1].id), &expected[1], names[1].id);
  gst_buffer_unref(frame);
  clear(expected);
}
GST_END_TEST;

// What the stock classifiertensordecoder would make of them: softmax of <1, classes>.
GST_START_TEST(test_logits_are_those_of_the_tags) {
  GstHarness *harness = rgb_harness_new("attach-tensors=logits top-k=64");
  GstBuffer *pulled =
      test_push_and_pull(harness, test_frame_new("smpte", "RGB", TEST_WIDTH, TEST_HEIGHT));
  TestTags tags = test_tags_of_buffer(pulled);
  const GstTensor *tensor = find_tensor(nth_meta(pulled, 0), "classification-generic-out");
  GstMapInfo map;
  const gfloat *logits;

  fail_unless(tensor != NULL);
  fail_unless_equals_uint64(nth_meta(pulled, 0)->num_tensors, 1);
  fail_unless_equals_uint64(tensor->num_dims, 2);
  fail_unless_equals_uint64(tensor->dims[1], tags.n_tags);
  fail_unless(gst_buffer_map(tensor->data, &map, GST_MAP_READ));
  logits = (const gfloat *)(gpointer)map.data;
  for (guint i = 0; i < tags.n_tags; i++) {
    gdouble sum = 0.0;

    for (guint j = 0; j < tags.n_tags; j++)
      sum += exp((gdouble)(logits[j] - logits[tags.indices[i]]));
    fail_unless(fabs(1.0 / sum - tags.confidences[i]) <= 1e-6);
  }
  gst_buffer_unmap(tensor->data, &map);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// Logits that only the average needs are not attached.
GST_START_TEST(test_nothing_that_was_not_asked_for) {
  static const gchar *const properties[] = {"", "smoothing=0.5", "smoothing=0.5 threshold=1.0"};
  GstHarness *harness;
  GstBuffer *pulled;

  for (guint i = 0; i < G_N_ELEMENTS(properties); i++) {
    harness = rgb_harness_new(properties[i]);
    pulled = test_push_and_pull(harness, test_frame_new("smpte", "RGB", TEST_WIDTH, TEST_HEIGHT));
    fail_unless(nth_meta(pulled, 0) == NULL);
    gst_buffer_unref(pulled);
    test_harness_teardown(harness);
  }
  harness = rgb_harness_new("smoothing=0.5 attach-tensors=embedding");
  pulled = test_push_and_pull(harness, test_frame_new("smpte", "RGB", TEST_WIDTH, TEST_HEIGHT));
  fail_unless_equals_uint64(nth_meta(pulled, 0)->num_tensors, 1);
  fail_unless(find_tensor(nth_meta(pulled, 0), "swin-embedding") != NULL);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// An embedding is worth having whether a class is told of or not.
GST_START_TEST(test_tensors_below_the_threshold) {
  GstHarness *harness = rgb_harness_new("attach-tensors=embedding threshold=1.0");
  GstBuffer *pulled =
      test_push_and_pull(harness, test_frame_new("smpte", "RGB", TEST_WIDTH, TEST_HEIGHT));

  fail_unless_equals_int(test_tags_of_buffer(pulled).n_metas, 0);
  fail_unless(nth_meta(pulled, 0) != NULL);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// Each has its own, of what is in its box.
GST_START_TEST(test_tensors_of_objects) {
  static const SwinRectangle boxes[] = {{3, 5, 101, 77}, {161, 120, 64, 119}};
  GstHarness *harness = rgb_harness_new("inference-region=roi-list attach-tensors=embedding");
  GstBuffer *frame = test_frame_new("smpte", "RGB", TEST_WIDTH, TEST_HEIGHT);
  Expected expected[G_N_ELEMENTS(boxes)][G_N_ELEMENTS(names)];

  for (guint i = 0; i < G_N_ELEMENTS(boxes); i++) {
    gst_buffer_add_video_region_of_interest_meta(frame, NULL, boxes[i].x, boxes[i].y,
                                                 boxes[i].width, boxes[i].height);
    expect_of(frame, boxes[i], expected[i]);
  }
  fail_if(g_bytes_equal(expected[0][1].values, expected[1][1].values));
  frame = test_push_and_pull(harness, frame);
  for (guint i = 0; i < G_N_ELEMENTS(boxes); i++) {
    const GstTensor *tensor = find_tensor(nth_meta(frame, i), "swin-embedding");
    TestTags tags;

    expect_tensor(tensor, &expected[i][1], "swin-embedding");
    tags = tags_of_tensor(tensor);
    fail_unless(tags.has_region && tags.x == boxes[i].x && tags.y == boxes[i].y &&
                tags.width == boxes[i].width && tags.height == boxes[i].height);
    clear(expected[i]);
  }
  fail_unless(nth_meta(frame, G_N_ELEMENTS(boxes)) == NULL);
  gst_buffer_unref(frame);
  test_harness_teardown(harness);
}
GST_END_TEST;

// Tensors that are there stay, and those of a second model are beside them.
GST_START_TEST(test_tensors_of_others) {
  GstHarness *harness = test_harness_new_parse("swinclassify attach-tensors=logits unique-id=1 ! "
                                               "swinclassify attach-tensors=embedding unique-id=2");
  GstBuffer *frame = test_frame_new("smpte", "RGB", TEST_WIDTH, TEST_HEIGHT);
  gfloat value = 3.5f, found;
  gsize dims[] = {1};
  GstTensor **tensors = g_new(GstTensor *, 1);
  const GstTensor *tensor;

  tensors[0] = gst_tensor_new_simple(
      g_quark_from_string("of-another"), GST_TENSOR_DATA_TYPE_FLOAT32,
      gst_buffer_new_memdup(&value, sizeof(value)), GST_TENSOR_DIM_ORDER_ROW_MAJOR, 1, dims);
  gst_tensor_meta_set(gst_buffer_add_tensor_meta(frame), 1, tensors);
  gst_harness_set_src_caps_str(harness, RGB_CAPS);
  frame = test_push_and_pull(harness, frame);
  tensor = find_tensor(nth_meta(frame, 0), "of-another");
  fail_unless(tensor != NULL);
  gst_buffer_extract(tensor->data, 0, &found, sizeof(found));
  fail_unless(found == value);
  tensor = find_tensor(nth_meta(frame, 1), "classification-generic-out");
  fail_unless(tensor != NULL);
  fail_unless_equals_int(tags_of_tensor(tensor).unique_id, 1);
  tensor = find_tensor(nth_meta(frame, 2), "swin-embedding");
  fail_unless(tensor != NULL);
  fail_unless_equals_int(tags_of_tensor(tensor).unique_id, 2);
  gst_buffer_unref(frame);
  test_harness_teardown(harness);
}
GST_END_TEST;

static Suite *tensors_suite(void) {
  Suite *suite = suite_create("tensors");
  TCase *tcase = tcase_create("tensors");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_values_are_those_of_the_library);
  tcase_add_test(tcase, test_logits_are_those_of_the_tags);
  tcase_add_test(tcase, test_nothing_that_was_not_asked_for);
  tcase_add_test(tcase, test_tensors_below_the_threshold);
  tcase_add_test(tcase, test_tensors_of_objects);
  tcase_add_test(tcase, test_tensors_of_others);
  return suite;
}

GST_CHECK_MAIN(tensors);

#else

int main(void) {
  g_print("Skipped: GStreamer before 1.26 has no GstTensorMeta.\n");
  return 77;
}

#endif
