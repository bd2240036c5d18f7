// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * test-preprocess.c: the resize shaders against their scalar twin and against Pillow.
 */
#include "test-frames.h"
#include "test-rig.h"
#include "reference/preprocess.h"
#include "run-cases.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static SwinDevice *device;

static void open_device(void) {
  GError *error = NULL;
  device = swin_device_open(NULL, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
}

static void close_device(void) {
  swin_device_unref(g_steal_pointer(&device));
}

static const SwinPreprocessing squash = {
    .resize_mode = SWIN_RESIZE_SQUASH,
    .filter = SWIN_FILTER_BICUBIC,
    .mean = {0.485f, 0.456f, 0.406f},
    .std = {0.229f, 0.224f, 0.225f},
};

/* Leaves codes / 255. */
static SwinPreprocessing plain(SwinFilter filter, guint resize_size) {
  return (SwinPreprocessing){
      .resize_mode = resize_size ? SWIN_RESIZE_SHORT_SIDE : SWIN_RESIZE_SQUASH,
      .resize_size = resize_size,
      .filter = filter,
      .std = {1.0f, 1.0f, 1.0f},
  };
}

/* How far results are from the twin's. */
typedef struct {
  gsize n_values;
  gsize n_other; /* values that are not the same bits */
  gint largest;  /* difference in codes */
} Difference;

static gint code_of(gfloat value, const SwinPreprocessing *preprocessing, guint channel) {
  return (gint)lrintf((value * preprocessing->std[channel] + preprocessing->mean[channel]) * 255);
}

static void compare(const gfloat *values, const guint8 *codes,
                    const SwinPreprocessing *preprocessing, guint width, guint height,
                    Difference *difference) {
  const gsize n_pixels = (gsize)width * height;
  g_autofree gfloat *expected = g_new(gfloat, 3 * n_pixels);
  reference_normalise_codes(codes, preprocessing, width, height, expected);
  for (gsize i = 0; i < 3 * n_pixels; i++) {
    const guint channel = (guint)(i / n_pixels);
    const gint code = codes[(i % n_pixels) * 3 + channel];
    difference->n_values++;
    if (memcmp(&values[i], &expected[i], sizeof(gfloat)) == 0)
      continue;
    difference->n_other++;
    ck_assert_msg(isfinite(values[i]), "value %" G_GSIZE_FORMAT " was not written", i);
    difference->largest =
        MAX(difference->largest, ABS(code_of(values[i], preprocessing, channel) - code));
  }
}

static void compare_with_twin(TestRig *rig, const SwinFrame *frame,
                              const SwinPreprocessing *preprocessing, guint width, guint height,
                              Difference *difference) {
  g_autofree guint8 *codes = g_new(guint8, (gsize)width * height * 3);
  const gfloat *values = test_rig_run(rig, frame, preprocessing);
  reference_resize(frame, preprocessing, width, height, codes);
  compare(values, codes, preprocessing, width, height, difference);
}

static const guint sizes[][2] = {{1, 1}, {3, 500}, {17, 23}, {1, 300}, {640, 480}, {301, 7}};

/* RGB and gray are the same to the last bit. From YUV, the shader's fixed-point matrix may round a
 * code the other way that lies within 2e-4 of the middle between two; see test-image.c. */
START_TEST(test_layout) {
  const TestLayout *layout = &test_layouts[_i];
  const guint width = 33;
  const guint height = 26;
  Difference difference = {0};
  g_autoptr(TestRig) rig = test_rig_new(device, width, height, 0, 1);
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    SwinPreprocessing preprocessing = squash;
    if (i % 2) {
      preprocessing.resize_mode = SWIN_RESIZE_SHORT_SIDE;
      preprocessing.resize_size = 37;
    }
    g_autoptr(TestFrame) test = test_frame_new(layout, sizes[i][0], sizes[i][1], TEST_NOISE, 11 + i,
                                               2 * i + 1, i % 2 ? 0xff : 0x00);
    test->frame.range = i % 3 ? SWIN_COLOR_RANGE_LIMITED : SWIN_COLOR_RANGE_FULL;
    test->frame.matrix = (SwinColorMatrix)(i % 3);
    compare_with_twin(rig, &test->frame, &preprocessing, width, height, &difference);
  }
  const gsize allowed = layout->model == SWIN_COLOR_YUV ? difference.n_values / 1000 : 0;
  ck_assert_msg(difference.n_other <= allowed && difference.largest <= 1,
                "%s: %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " values differ, by up to %d codes",
                layout->name, difference.n_other, difference.n_values, difference.largest);
}
END_TEST

/* What lies between the samples must not matter. */
START_TEST(test_poison) {
  const TestLayout *layout = &test_layouts[_i];
  const SwinPreprocessing preprocessing = plain(SWIN_FILTER_BICUBIC, 0);
  g_autoptr(TestRig) rig = test_rig_new(device, 31, 9, 0, 1);
  g_autoptr(TestFrame) low = test_frame_new(layout, 37, 21, TEST_NOISE, 1, 5, 0x00);
  g_autoptr(TestFrame) high = test_frame_new(layout, 37, 21, TEST_NOISE, 1, 12, 0xff);
  const gsize size = 3 * 31 * 9 * sizeof(gfloat);
  g_autofree gfloat *first = g_memdup2(test_rig_run(rig, &low->frame, &preprocessing), size);
  const gfloat *second = test_rig_run(rig, &high->frame, &preprocessing);
  ck_assert_mem_eq(first, second, size);
}
END_TEST

/* Up and down, even and odd, cropped and padded, by every filter. */
START_TEST(test_resize) {
  static const guint targets[][2] = {{96, 96}, {13, 40}, {1, 1}, {640, 480}};
  static const SwinFilter filters[] = {SWIN_FILTER_NEAREST, SWIN_FILTER_BILINEAR,
                                       SWIN_FILTER_BICUBIC};
  const guint width = targets[_i][0];
  const guint height = targets[_i][1];
  const guint resize_sizes[] = {0, MIN(width, height), MAX(width, height) + 9, height / 2 + 1};
  Difference difference = {0};
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autoptr(TestFrame) test = test_frame_new(test_layout_find("RGB"), sizes[i][0], sizes[i][1],
                                               i % 2 ? TEST_CHECKERS : TEST_NOISE, i, 1, 0x55);
    for (guint j = 0; j < G_N_ELEMENTS(filters); j++)
      for (guint k = 0; k < G_N_ELEMENTS(resize_sizes); k++) {
        const SwinPreprocessing preprocessing = plain(filters[j], resize_sizes[k]);
        g_autoptr(TestRig) rig = test_rig_new(device, width, height, 0, 1);
        compare_with_twin(rig, &test->frame, &preprocessing, width, height, &difference);
      }
  }
  ck_assert_uint_gt(difference.n_values, 0);
  ck_assert_msg(difference.n_other == 0,
                "%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " values differ, by up to %d codes",
                difference.n_other, difference.n_values, difference.largest);
}
END_TEST

/* One colour at a time, through a frame as large as the input. */
START_TEST(test_primaries) {
  static const struct {
    SwinColorMatrix matrix;
    SwinColorRange range;
    guint8 yuv[3];
    guint8 rgb[3];
  } colours[] = {
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_LIMITED, {235, 128, 128}, {255, 255, 255}},
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_LIMITED, {16, 128, 128}, {0, 0, 0}},
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_LIMITED, {81, 90, 240}, {255, 0, 0}},
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_LIMITED, {145, 54, 34}, {0, 255, 0}},
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_LIMITED, {41, 240, 110}, {0, 0, 255}},
      {SWIN_COLOR_MATRIX_BT709, SWIN_COLOR_RANGE_LIMITED, {235, 128, 128}, {255, 255, 255}},
      {SWIN_COLOR_MATRIX_BT709, SWIN_COLOR_RANGE_LIMITED, {63, 102, 240}, {255, 0, 0}},
      {SWIN_COLOR_MATRIX_BT709, SWIN_COLOR_RANGE_LIMITED, {173, 42, 26}, {0, 255, 0}},
      {SWIN_COLOR_MATRIX_BT709, SWIN_COLOR_RANGE_LIMITED, {32, 240, 118}, {0, 0, 255}},
      {SWIN_COLOR_MATRIX_BT2020, SWIN_COLOR_RANGE_LIMITED, {74, 97, 240}, {255, 0, 0}},
      {SWIN_COLOR_MATRIX_BT2020, SWIN_COLOR_RANGE_LIMITED, {164, 47, 25}, {0, 255, 0}},
      {SWIN_COLOR_MATRIX_BT2020, SWIN_COLOR_RANGE_LIMITED, {29, 240, 119}, {0, 0, 255}},
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_FULL, {255, 128, 128}, {255, 255, 255}},
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_FULL, {76, 85, 255}, {254, 0, 0}},
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_FULL, {150, 44, 21}, {0, 255, 1}},
      {SWIN_COLOR_MATRIX_BT601, SWIN_COLOR_RANGE_FULL, {29, 255, 107}, {0, 0, 254}},
      {SWIN_COLOR_MATRIX_BT709, SWIN_COLOR_RANGE_FULL, {18, 255, 116}, {0, 0, 254}},
  };
  const SwinPreprocessing preprocessing = plain(SWIN_FILTER_BICUBIC, 0);
  g_autoptr(TestRig) rig = test_rig_new(device, 1, 1, 0, 1);
  for (guint i = 0; i < G_N_ELEMENTS(colours); i++) {
    SwinFrame frame = SWIN_FRAME_INIT;
    frame.width = frame.height = 1;
    frame.model = SWIN_COLOR_YUV;
    frame.matrix = colours[i].matrix;
    frame.range = colours[i].range;
    frame.planes[0] = colours[i].yuv;
    frame.strides[0] = 3;
    for (guint j = 0; j < 3; j++)
      frame.component[j] = (SwinFrameComponent){0, j, 3, 0, 0};
    const gfloat *values = test_rig_run(rig, &frame, &preprocessing);
    for (guint j = 0; j < 3; j++)
      ck_assert_msg(fabsf(values[j] * 255.0f - colours[i].rgb[j]) <= 1.01f,
                    "colour %u, channel %u: %g instead of %u", i, j, values[j] * 255.0f,
                    colours[i].rgb[j]);
  }
}
END_TEST

/* A batch whose pictures begin where no binding may: see image_binding(). */
START_TEST(test_batch) {
  g_autoptr(TestFrame) test = test_frame_new(test_layout_find("NV12"), 29, 31, TEST_NOISE, 3, 2, 9);
  test->frame.range = SWIN_COLOR_RANGE_LIMITED;
  Difference difference = {0};
  for (guint image = 0; image < 4; image++) {
    g_autoptr(TestRig) rig = test_rig_new(device, 5, 7, image, 4);
    compare_with_twin(rig, &test->frame, &squash, 5, 7, &difference);
  }
  ck_assert_uint_eq(difference.n_values, 4 * 3 * 5 * 7);
  ck_assert_uint_eq(difference.n_other, 0);
}
END_TEST

/* Frames of other sizes, formats and crops need other parameters, not other commands. */
START_TEST(test_one_recording) {
  SwinPreprocessing preprocessing = plain(SWIN_FILTER_BICUBIC, 40);
  g_autoptr(TestRig) rig = test_rig_new(device, 32, 32, 0, 1);
  g_autoptr(TestFrame) largest =
      test_frame_new(test_layout_find("RGBx"), 640, 480, TEST_NOISE, 0, 0, 0);
  test_rig_reserve(rig, &largest->frame, &preprocessing);
  Difference difference = {0};
  for (guint i = 0; i < n_test_layouts; i++) {
    /* One side alone changes, or the other, or both, or none, for the tables that may stay. */
    const guint width = 41 + 13 * (i / 2);
    const guint height = 300 - 11 * (i / 3);
    g_autoptr(TestFrame) test =
        test_frame_new(&test_layouts[i], width, height, TEST_NOISE, i, i, 0xee);
    test->frame.range = SWIN_COLOR_RANGE_LIMITED;
    compare_with_twin(rig, &test->frame, &preprocessing, 32, 32, &difference);
  }
  ck_assert_uint_eq(test_rig_get_n_recordings(rig), 1);
  ck_assert_uint_eq(difference.n_values, n_test_layouts * 3 * 32 * 32);
  ck_assert_int_le(difference.largest, 1);
  ck_assert_uint_le(difference.n_other, difference.n_values / 1000);
}
END_TEST

START_TEST(test_too_large) {
  GError *error = NULL;
  const guint64 limit = swin_device_get_limits(device)->max_storage_range;
  SwinPreprocessSizes needed = {limit, 4, 4};
  ck_assert(swin_preprocess_check_sizes(device, &needed, &error));
  needed.intermediate = limit + 1;
  ck_assert(!swin_preprocess_check_sizes(device, &needed, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME));
  g_clear_error(&error);
}
END_TEST

static guint32 read_word(const guint8 **data) {
  guint32 word;
  memcpy(&word, *data, sizeof(word));
  *data += sizeof(word);
  return GUINT32_FROM_LE(word);
}

/* One record of make-goldens.py. */
static void check_golden(const guint8 **data, const guint8 *end) {
  ck_assert_int_ge(end - *data, 32);
  const guint frame_width = read_word(data);
  const guint frame_height = read_word(data);
  const guint width = read_word(data);
  const guint height = read_word(data);
  const guint resize_size = read_word(data);
  const SwinPreprocessing preprocessing = plain((SwinFilter)read_word(data), resize_size);
  const TestPattern pattern = (TestPattern)read_word(data);
  const guint seed = read_word(data);
  const gsize n_codes = (gsize)3 * width * height;
  ck_assert_int_ge(end - *data, (gssize)n_codes);
  const guint8 *golden = *data;
  *data += n_codes;

  g_autoptr(TestFrame) test =
      test_frame_new(test_layout_find("RGB"), frame_width, frame_height, pattern, seed, 1, 0x77);
  g_autofree guint8 *twin = g_new(guint8, n_codes);
  reference_resize(&test->frame, &preprocessing, width, height, twin);
  ck_assert_msg(memcmp(twin, golden, n_codes) == 0, "record %u: the twin is not Pillow", seed);

  Difference difference = {0};
  g_autoptr(TestRig) rig = test_rig_new(device, width, height, 0, 1);
  const gfloat *values = test_rig_run(rig, &test->frame, &preprocessing);
  compare(values, golden, &preprocessing, width, height, &difference);
  ck_assert_uint_eq(difference.n_values, n_codes);
  ck_assert_msg(difference.n_other == 0,
                "record %u: %" G_GSIZE_FORMAT " values differ from Pillow, by up to %d codes", seed,
                difference.n_other, difference.largest);
}

START_TEST(test_pillow) {
  g_autofree gchar *contents = NULL;
  gsize size = 0;
  guint n_records = 0;
  GError *error = NULL;
  ck_assert_msg(g_file_get_contents(PILLOW_GOLDENS, &contents, &size, &error), "%s",
                error ? error->message : "");
  const guint8 *data = (const guint8 *)contents;
  const guint8 *end = data + size;
  for (; data < end; n_records++)
    check_golden(&data, end);
  ck_assert_uint_eq(n_records, 24);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("preprocess");
  TCase *tests = tcase_create("shaders");
  tcase_set_timeout(tests, 240);
  tcase_add_unchecked_fixture(tests, open_device, close_device);
  tcase_add_loop_test(tests, test_layout, 0, (int)n_test_layouts);
  tcase_add_loop_test(tests, test_poison, 0, (int)n_test_layouts);
  tcase_add_loop_test(tests, test_resize, 0, 4);
  tcase_add_test(tests, test_primaries);
  tcase_add_test(tests, test_batch);
  tcase_add_test(tests, test_one_recording);
  tcase_add_test(tests, test_too_large);
  tcase_add_test(tests, test_pillow);
  suite_add_tcase(suite, tests);
  return run_suite(suite, CK_NOFORK);
}
