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

/* To @width x @height, normalised as ImageNet is. */
static SwinPreprocessing squash(guint width, guint height) {
  return (SwinPreprocessing){
      .resize_mode = SWIN_RESIZE_SQUASH,
      .resize_width = width,
      .resize_height = height,
      .filter = SWIN_FILTER_BICUBIC,
      .mean = {0.485f, 0.456f, 0.406f},
      .std = {0.229f, 0.224f, 0.225f},
  };
}

/* Leaves codes / 255. */
static SwinPreprocessing plain_squash(SwinFilter filter, guint width, guint height) {
  SwinPreprocessing preprocessing = {.resize_mode = SWIN_RESIZE_SQUASH, .filter = filter};
  preprocessing.resize_width = width;
  preprocessing.resize_height = height;
  preprocessing.std[0] = preprocessing.std[1] = preprocessing.std[2] = 1.0f;
  return preprocessing;
}

static SwinPreprocessing plain_short_side(SwinFilter filter, guint resize_size) {
  SwinPreprocessing preprocessing = plain_squash(filter, 0, 0);
  preprocessing.resize_mode = SWIN_RESIZE_SHORT_SIDE;
  preprocessing.resize_size = resize_size;
  return preprocessing;
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
    if (!isfinite(values[i]))
      ck_abort_msg("value %" G_GSIZE_FORMAT " was not written", i);
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

/* Of R'G'B' of limited range and many bits, a code may be rounded the other way that lies within
 * the matrix' precision of the middle between two. All else is the same to the last bit. */
static gboolean is_same(const SwinFrame *frame, const Difference *difference) {
  if (frame->model == SWIN_COLOR_RGB && frame->range == SWIN_COLOR_RANGE_LIMITED &&
      frame->component[0].depth > 8)
    return difference->n_other <= difference->n_values / 100 && difference->largest <= 1;
  return difference->n_other == 0;
}

static const guint sizes[][2] = {{1, 1}, {3, 500}, {17, 23}, {1, 300}, {640, 480}, {301, 7}};

START_TEST(test_layout) {
  const TestLayout *layout = &test_layouts[_i];
  const guint width = 33;
  const guint height = 26;
  g_autoptr(TestRig) rig = test_rig_new(device, width, height, 0, 1);
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    SwinPreprocessing preprocessing = squash(width, height);
    if (i % 3 == 1) {
      preprocessing.resize_mode = SWIN_RESIZE_SHORT_SIDE;
      preprocessing.resize_size = 37;
    } else if (i % 3 == 2) {
      preprocessing.resize_mode = SWIN_RESIZE_PAD;
      memcpy(preprocessing.fill, (guint8[]){200, 100, 50}, 3);
      preprocessing.bgr = i % 2;
    }
    g_autoptr(TestFrame) test = test_frame_new(layout, sizes[i][0], sizes[i][1], TEST_NOISE, 11 + i,
                                               2 * i + 1, i % 2 ? 0xff : 0x00);
    test->frame.range = i % 3 ? SWIN_COLOR_RANGE_LIMITED : SWIN_COLOR_RANGE_FULL;
    test->frame.matrix = (SwinColorMatrix)(i % 3);
    Difference difference = {0};
    compare_with_twin(rig, &test->frame, &preprocessing, width, height, &difference);
    ck_assert_msg(is_same(&test->frame, &difference),
                  "%s: %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " values differ, by up to %d codes",
                  layout->name, difference.n_other, difference.n_values, difference.largest);
  }
}
END_TEST

/* What lies between the samples must not matter. */
START_TEST(test_poison) {
  const TestLayout *layout = &test_layouts[_i];
  const SwinPreprocessing preprocessing = plain_squash(SWIN_FILTER_BICUBIC, 31, 9);
  g_autoptr(TestRig) rig = test_rig_new(device, 31, 9, 0, 1);
  g_autoptr(TestFrame) low = test_frame_new(layout, 37, 21, TEST_NOISE, 1, 5, 0x00);
  g_autoptr(TestFrame) high = test_frame_new(layout, 37, 21, TEST_NOISE, 1, 12, 0xff);
  const gsize size = 3 * 31 * 9 * sizeof(gfloat);
  g_autofree gfloat *first = g_memdup2(test_rig_run(rig, &low->frame, &preprocessing), size);
  const gfloat *second = test_rig_run(rig, &high->frame, &preprocessing);
  ck_assert_mem_eq(first, second, size);
}
END_TEST

/* What may come between a frame and an input of @width x @height, one way a number below N_WAYS. */
enum { N_WAYS = 10 };

static SwinPreprocessing resize_way(guint way, SwinFilter filter, guint width, guint height) {
  SwinPreprocessing preprocessing = plain_squash(filter, width, height);
  if (way >= 1 && way <= 3)
    return plain_short_side(
        filter, (guint[]){MIN(width, height), MAX(width, height) + 9, height / 2 + 1}[way - 1]);
  memcpy(preprocessing.fill, (guint8[]){255, 3, 130}, 3);
  if (way >= 5) {
    preprocessing.resize_width += 5;
    preprocessing.resize_height += 8;
    preprocessing.crop_rounding = SWIN_CROP_ROUND_DOWN;
  }
  if (way == 4 || way == 6) {
    preprocessing.resize_mode = SWIN_RESIZE_PAD;
  } else if (way == 7) {
    preprocessing.resize_mode = SWIN_RESIZE_COVER;
  } else if (way == 8) {
    preprocessing.resize_mode = SWIN_RESIZE_CONTAIN;
    preprocessing.bgr = TRUE;
  } else if (way == 9) { /* smaller than the input */
    preprocessing.resize_width = width / 2 + 1;
    preprocessing.resize_height = height / 3 + 1;
  }
  return preprocessing;
}

/* Up and down, even and odd, cropped and padded, by every filter. */
START_TEST(test_resize) {
  static const guint targets[][2] = {{60, 96}, {13, 40}, {1, 1}, {130, 61}};
  static const guint sources[][2] = {{1, 1}, {3, 290}, {17, 23}, {151, 110}, {99, 7}};
  const guint width = targets[_i][0];
  const guint height = targets[_i][1];
  Difference difference = {0};
  for (guint i = 0; i < G_N_ELEMENTS(sources); i++) {
    g_autoptr(TestFrame) test =
        test_frame_new(test_layout_find("RGB"), sources[i][0], sources[i][1],
                       i % 2 ? TEST_CHECKERS : TEST_NOISE, i, 1, 0x55);
    g_autoptr(TestRig) rig = test_rig_new(device, width, height, 0, 1);
    for (SwinFilter filter = SWIN_FILTER_NEAREST; filter <= SWIN_FILTER_HAMMING; filter++)
      for (guint way = 0; way < N_WAYS; way++) {
        const SwinPreprocessing preprocessing = resize_way(way, filter, width, height);
        compare_with_twin(rig, &test->frame, &preprocessing, width, height, &difference);
        ck_assert_msg(difference.n_other == 0,
                      "%u x %u, filter %d, way %u: %" G_GSIZE_FORMAT " values differ, by up to %d",
                      sources[i][0], sources[i][1], (gint)filter, way, difference.n_other,
                      difference.largest);
      }
  }
  ck_assert_uint_eq(difference.n_values,
                    (gsize)G_N_ELEMENTS(sources) * 6 * N_WAYS * 3 * width * height);
}
END_TEST

/* One colour at a time, through a frame as large as the input. What videoconvert, and so we, make
 * of 8 bits is up to 6 codes off. */
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
  const SwinPreprocessing preprocessing = plain_squash(SWIN_FILTER_BICUBIC, 1, 1);
  g_autoptr(TestRig) rig = test_rig_new(device, 1, 1, 0, 1);
  for (guint i = 0; i < 2 * G_N_ELEMENTS(colours); i++) {
    const guint depth = i % 2 ? 10 : 8;
    const gfloat tolerance = depth == 8 ? 6.01f : 2.01f;
    guint16 codes[3];
    SwinFrame frame = SWIN_FRAME_INIT;
    frame.width = frame.height = 1;
    frame.model = SWIN_COLOR_YUV;
    frame.matrix = colours[i / 2].matrix;
    frame.range = colours[i / 2].range;
    frame.planes[0] = (const guint8 *)codes;
    frame.strides[0] = sizeof(codes);
    for (guint j = 0; j < 3; j++) {
      const guint code = colours[i / 2].yuv[j];
      codes[j] = (guint16)(depth == 8                                ? code
                           : frame.range == SWIN_COLOR_RANGE_LIMITED ? code * 4
                                                                     : code * 1023 / 255);
      frame.component[j] = (SwinFrameComponent){.offset = 2 * j,
                                                .pixel_stride = 6,
                                                .word_size = 2,
                                                .big_endian = G_BYTE_ORDER == G_BIG_ENDIAN,
                                                .depth = depth};
    }
    const gfloat *values = test_rig_run(rig, &frame, &preprocessing);
    for (guint j = 0; j < 3; j++)
      ck_assert_msg(fabsf(values[j] * 255.0f - colours[i / 2].rgb[j]) <= tolerance,
                    "colour %u of %u bits, channel %u: %g instead of %u", i / 2, depth, j,
                    values[j] * 255.0f, colours[i / 2].rgb[j]);
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
    const SwinPreprocessing preprocessing = squash(5, 7);
    compare_with_twin(rig, &test->frame, &preprocessing, 5, 7, &difference);
  }
  ck_assert_uint_eq(difference.n_values, 4 * 3 * 5 * 7);
  ck_assert_uint_eq(difference.n_other, 0);
}
END_TEST

/* A part of a frame of @width x @height; now and then all of it. */
static SwinRectangle random_crop(GRand *random, guint width, guint height) {
  if (g_rand_int_range(random, 0, 4) == 0)
    return (SwinRectangle){0, 0, 0, 0};
  const guint x = (guint)g_rand_int_range(random, 0, (gint)width);
  const guint y = (guint)g_rand_int_range(random, 0, (gint)height);
  return (SwinRectangle){x, y, (guint)g_rand_int_range(random, 1, (gint)(width - x) + 1),
                         (guint)g_rand_int_range(random, 1, (gint)(height - y) + 1)};
}

/* Any layout, size, chroma site, crop and orientation, by one recording as far as the buffers are
 * large enough. */
START_TEST(test_random) {
  const guint width = 19 + 2 * (guint)_i;
  const guint height = 27 - (guint)_i;
  g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
  g_autoptr(TestRig) rig = test_rig_new(device, width, height, 0, 1);
  for (guint i = 0; i < 4 * n_test_layouts; i++) {
    const TestLayout *layout = &test_layouts[i % n_test_layouts];
    const guint frame_width = (guint)g_rand_int_range(random, 1, i % 3 ? 50 : 300);
    const guint frame_height = (guint)g_rand_int_range(random, 1, 70);
    const SwinPreprocessing preprocessing =
        resize_way(i % N_WAYS, i % 4 ? SWIN_FILTER_BICUBIC : SWIN_FILTER_NEAREST, width, height);
    g_autoptr(TestFrame) test = test_frame_new_sited(
        layout, (SwinChromaSite)g_rand_int_range(random, 0, 8), frame_width, frame_height,
        i % 5 ? TEST_NOISE : TEST_CHECKERS, i, (guint)g_rand_int_range(random, 0, 7), 0x5a);
    SwinFrame *frame = &test->frame;
    Difference difference = {0};
    frame->crop = random_crop(random, frame_width, frame_height);
    frame->orientation = (SwinOrientation)g_rand_int_range(random, 0, 8);
    frame->range = (SwinColorRange)g_rand_int_range(random, 0, 2);
    frame->matrix = (SwinColorMatrix)g_rand_int_range(random, 0, 3);
    compare_with_twin(rig, frame, &preprocessing, width, height, &difference);
    ck_assert_msg(
        is_same(frame, &difference),
        "%s, %u x %u, site %u, crop %u x %u from (%u, %u), orientation %u: %" G_GSIZE_FORMAT
        " of %" G_GSIZE_FORMAT " values differ, by up to %d codes",
        layout->name, frame_width, frame_height, frame->chroma_site, frame->crop.width,
        frame->crop.height, frame->crop.x, frame->crop.y, frame->orientation, difference.n_other,
        difference.n_values, difference.largest);
  }
}
END_TEST

/* What an orientation does to a picture whose pixels are all different. */
START_TEST(test_orientation) {
  /* Where the upper left, upper right, lower left and lower right pixel of the upright picture are
   * stored, of 1 2 above 3 4. */
  static const guint8 corners[8][4] = {
      [SWIN_ORIENTATION_IDENTITY] = {1, 2, 3, 4},
      [SWIN_ORIENTATION_ROTATE_90] = {3, 1, 4, 2},
      [SWIN_ORIENTATION_ROTATE_180] = {4, 3, 2, 1},
      [SWIN_ORIENTATION_ROTATE_270] = {2, 4, 1, 3},
      [SWIN_ORIENTATION_FLIP_HORIZONTAL] = {2, 1, 4, 3},
      [SWIN_ORIENTATION_FLIP_VERTICAL] = {3, 4, 1, 2},
      [SWIN_ORIENTATION_TRANSPOSE] = {1, 3, 2, 4},
      [SWIN_ORIENTATION_ANTITRANSPOSE] = {4, 2, 3, 1},
  };
  static const guint8 pixels[] = {1, 2, 3, 4};
  const SwinPreprocessing preprocessing = plain_squash(SWIN_FILTER_NEAREST, 2, 2);
  g_autoptr(TestRig) rig = test_rig_new(device, 2, 2, 0, 1);
  SwinFrame frame = SWIN_FRAME_INIT;
  frame.width = frame.height = 2;
  frame.model = SWIN_COLOR_GRAY;
  frame.component[0].pixel_stride = 1;
  frame.planes[0] = pixels;
  frame.strides[0] = 2;
  for (guint i = 0; i < 8; i++) {
    frame.orientation = (SwinOrientation)i;
    const gfloat *values = test_rig_run(rig, &frame, &preprocessing);
    for (guint j = 0; j < 12; j++)
      ck_assert_int_eq((gint)lrintf(values[j] * 255.0f), corners[i][j % 4]);
  }
}
END_TEST

/* Frames of other sizes, formats and crops need other parameters, not other commands. */
START_TEST(test_one_recording) {
  const SwinPreprocessing preprocessing = plain_short_side(SWIN_FILTER_BICUBIC, 40);
  g_autoptr(TestRig) rig = test_rig_new(device, 32, 32, 0, 1);
  g_autoptr(TestFrame) largest =
      test_frame_new(test_layout_find("RGBx"), 640, 480, TEST_NOISE, 0, 0, 0);
  test_rig_reserve(rig, &largest->frame, &preprocessing);
  for (guint i = 0; i < n_test_layouts; i++) {
    /* One side alone changes, or the other, or both, or none, for the tables that may stay. */
    const guint width = 41 + 13 * (i / 2);
    const guint height = 300 - 11 * (i / 3);
    g_autoptr(TestFrame) test =
        test_frame_new(&test_layouts[i], width, height, TEST_NOISE, i, i, 0xee);
    Difference difference = {0};
    test->frame.range = SWIN_COLOR_RANGE_LIMITED;
    compare_with_twin(rig, &test->frame, &preprocessing, 32, 32, &difference);
    ck_assert_uint_eq(difference.n_values, 3 * 32 * 32);
    ck_assert_msg(is_same(&test->frame, &difference), "%s", test_layouts[i].name);
  }
  ck_assert_uint_eq(test_rig_get_n_recordings(rig), 1);
}
END_TEST

START_TEST(test_too_large) {
  GError *error = NULL;
  const guint64 limit = swin_device_get_limits(device)->max_storage_range;
  SwinPreprocessNeeds needed = {
      .layout = {.size = limit}, .parameters = 4, .pixels = 4, .intermediate = 4};
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

/** Golden: one record of make-goldens.py. */
typedef struct {
  guint frame_width, frame_height; /* pixels */
  guint width, height;             /* of the input */
  SwinPreprocessing preprocessing;
  TestPattern pattern;
  gsize n_codes;
  const guint8 *codes;  /* (nullable): NULL where only the digest is known */
  const guint8 *digest; /* (nullable): of 32 bytes */
} Golden;

#define GOLDEN_HEADER 52
#define GOLDEN_DIGEST 32
#define GOLDEN_MAX_CODES (3 * 64 * 64)

static void read_golden(const guint8 **data, const guint8 *end, Golden *golden) {
  ck_assert_int_ge(end - *data, GOLDEN_HEADER);
  golden->frame_width = read_word(data);
  golden->frame_height = read_word(data);
  golden->width = read_word(data);
  golden->height = read_word(data);
  SwinPreprocessing *preprocessing = &golden->preprocessing;
  *preprocessing = plain_squash(SWIN_FILTER_NEAREST, 0, 0);
  preprocessing->resize_mode = (SwinResizeMode)read_word(data);
  preprocessing->resize_size = read_word(data);
  preprocessing->resize_width = read_word(data);
  preprocessing->resize_height = read_word(data);
  preprocessing->crop_rounding = (SwinCropRounding)read_word(data);
  preprocessing->filter = (SwinFilter)read_word(data);
  const guint32 fill = read_word(data);
  for (guint i = 0; i < 3; i++)
    preprocessing->fill[i] = (fill >> (8 * i)) & 0xff;
  preprocessing->bgr = read_word(data) != 0;
  golden->pattern = (TestPattern)read_word(data);

  golden->n_codes = (gsize)3 * golden->width * golden->height;
  const gboolean is_digest = golden->n_codes > GOLDEN_MAX_CODES;
  const gsize size = is_digest ? GOLDEN_DIGEST : golden->n_codes;
  ck_assert_int_ge(end - *data, (gssize)size);
  golden->codes = is_digest ? NULL : *data;
  golden->digest = is_digest ? *data : NULL;
  *data += size;
}

static gboolean has_digest(const guint8 *codes, gsize n_codes, const guint8 *digest) {
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  guint8 found[GOLDEN_DIGEST];
  gsize size = sizeof(found);
  g_checksum_update(checksum, codes, (gssize)n_codes);
  g_checksum_get_digest(checksum, found, &size);
  return memcmp(found, digest, sizeof(found)) == 0;
}

static void check_golden(const Golden *golden, guint seed) {
  const SwinPreprocessing *preprocessing = &golden->preprocessing;
  g_autoptr(TestFrame) test = test_frame_new(test_layout_find("RGB"), golden->frame_width,
                                             golden->frame_height, golden->pattern, seed, 1, 0x77);
  g_autofree guint8 *twin = g_new(guint8, golden->n_codes);
  reference_resize(&test->frame, preprocessing, golden->width, golden->height, twin);
  ck_assert_msg(golden->codes ? memcmp(twin, golden->codes, golden->n_codes) == 0
                              : has_digest(twin, golden->n_codes, golden->digest),
                "record %u: the twin is not Pillow", seed);

  Difference difference = {0};
  g_autoptr(TestRig) rig = test_rig_new(device, golden->width, golden->height, 0, 1);
  const gfloat *values = test_rig_run(rig, &test->frame, preprocessing);
  compare(values, twin, preprocessing, golden->width, golden->height, &difference);
  ck_assert_uint_eq(difference.n_values, golden->n_codes);
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
  for (; data < end; n_records++) {
    Golden golden;
    read_golden(&data, end, &golden);
    check_golden(&golden, n_records);
  }
  ck_assert_uint_eq(n_records, 78);
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
  tcase_add_loop_test(tests, test_random, 0, 3);
  tcase_add_test(tests, test_orientation);
  tcase_add_test(tests, test_one_recording);
  tcase_add_test(tests, test_too_large);
  tcase_add_test(tests, test_pillow);
  suite_add_tcase(suite, tests);
  return run_suite(suite, CK_NOFORK);
}
