// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * test-image.c: frame descriptions, uploads and colour matrices; no device.
 */
#include "image.h"
#include "test-frames.h"
#include "reference/preprocess.h"
#include "run-cases.h"

#include <check.h>
#include <string.h>

static SwinFrame good_frame(void) {
  static const guint8 pixels[1] = {0};
  SwinFrame frame = SWIN_FRAME_INIT;
  frame.width = 5;
  frame.height = 3;
  frame.model = SWIN_COLOR_YUV;
  memcpy(frame.component, test_layout_find("NV12")->component, sizeof(frame.component));
  frame.planes[0] = frame.planes[1] = pixels;
  frame.strides[0] = 5;
  frame.strides[1] = 6;
  return frame;
}

static void expect_refusal(const SwinFrame *frame, const gchar *field) {
  GError *error = NULL;
  ck_assert_msg(!swin_frame_check(frame, &error), "a frame with a wrong %s passed", field);
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME));
  ck_assert_msg(strstr(error->message, field) != NULL, "\"%s\" does not name %s", error->message,
                field);
  ck_assert(g_str_has_suffix(error->message, "."));
  g_error_free(error);
}

/* Writes one wrong value into a good frame. */
#define REFUSE(member, value, field)                                                               \
  G_STMT_START {                                                                                   \
    SwinFrame frame = good_frame();                                                                \
    frame.member = value;                                                                          \
    expect_refusal(&frame, field);                                                                 \
  }                                                                                                \
  G_STMT_END

START_TEST(test_refusals) {
  REFUSE(struct_size, 0, "struct_size");
  REFUSE(struct_size, sizeof(SwinFrame) + 8, "struct_size");
  REFUSE(width, 0, "width");
  REFUSE(width, 32769, "width");
  REFUSE(height, 0, "height");
  REFUSE(height, 32769, "height");
  REFUSE(model, (SwinColorModel)3, "model");
  REFUSE(matrix, (SwinColorMatrix)3, "matrix");
  REFUSE(range, (SwinColorRange)2, "range");
  REFUSE(component[1].plane, 2, "planes[2]");
  REFUSE(component[2].plane, 4, "component[2].plane");
  REFUSE(component[2].plane, G_MAXUINT, "component[2].plane");
  REFUSE(planes[0], NULL, "planes[0]");
  REFUSE(planes[1], NULL, "planes[1]");
  REFUSE(component[0].pixel_stride, 0, "component[0].pixel_stride");
  REFUSE(component[1].pixel_stride, 17, "component[1].pixel_stride");
  REFUSE(component[1].pixel_stride, G_MAXUINT, "component[1].pixel_stride");
  REFUSE(component[1].shift_x, 3, "shift_x");
  REFUSE(component[2].shift_y, 32, "shift_y");
  REFUSE(strides[0], 4, "strides[0]");
  REFUSE(strides[1], 5, "strides[1]");
  REFUSE(component[2].offset, 2, "strides[1]");
  REFUSE(component[0].offset, G_MAXUINT, "strides[0]");
}
END_TEST

START_TEST(test_good) {
  GError *error = NULL;
  SwinFrame frame = good_frame();
  ck_assert(swin_frame_check(&frame, &error));
  frame.model = SWIN_COLOR_GRAY; /* one component; the others and the matrix do not matter */
  frame.planes[1] = NULL;
  frame.matrix = (SwinColorMatrix)77;
  ck_assert(swin_frame_check(&frame, &error));
  for (guint i = 0; i < n_test_layouts; i++) {
    g_autoptr(TestFrame) test = test_frame_new(&test_layouts[i], 7, 5, TEST_NOISE, 0, 0, 0);
    ck_assert(swin_frame_check(&test->frame, &error));
  }
}
END_TEST

static guint32 position_of(const struct SwinImageParameters *image, guint index, guint x, guint y) {
  return image->base[index] + (y >> image->shift_y[index]) * image->row_stride[index] +
         (x >> image->shift_x[index]) * image->pixel_stride[index];
}

static guint8 uploaded_byte(const guint8 *upload, const struct SwinImageParameters *image,
                            guint index, guint x, guint y) {
  return upload[position_of(image, index, x, y)];
}

/* The shader fetches whole groups, beyond the region too. */
static void check_room(const struct SwinImageParameters *image, const SwinImageRegion *region,
                       guint64 size) {
  const guint last = region->x + region->width - 1;
  for (guint x = region->x & ~3u; x <= (last | 3u); x++)
    for (guint y = region->y; y < region->y + region->height; y++)
      for (guint i = 0; i < 3; i++)
        ck_assert_uint_lt(position_of(image, i, x, y), size);
}

/* Planes and upload are exactly as large as they must be, so that the address sanitizer sees any
 * byte too many. */
START_TEST(test_upload) {
  const SwinImageRegion regions[] = {
      {0, 0, 23, 17}, {22, 16, 1, 1}, {0, 16, 23, 1}, {3, 5, 7, 9}, {22, 0, 1, 17}};
  const TestLayout *layout = &test_layouts[_i];
  g_autoptr(TestFrame) test = test_frame_new(layout, 23, 17, TEST_NOISE, 5, 3, 0xaa);
  const guint n_components = layout->model == SWIN_COLOR_GRAY ? 1 : 3;
  for (guint i = 0; i < G_N_ELEMENTS(regions); i++) {
    const SwinImageRegion *region = &regions[i];
    const SwinImageLayout upload_layout = swin_image_layout(&test->frame, region);
    struct SwinImageParameters image;
    g_autofree guint8 *upload = g_malloc(upload_layout.size);
    ck_assert_uint_eq(upload_layout.size % 4, 0);
    swin_image_upload(&test->frame, &upload_layout, upload);
    swin_image_describe(&test->frame, &upload_layout, &image);
    check_room(&image, region, upload_layout.size);
    for (guint y = region->y; y < region->y + region->height; y++)
      for (guint x = region->x; x < region->x + region->width; x++)
        for (guint j = 0; j < 3; j++) {
          const guint index = MIN(j, n_components - 1);
          const SwinFrameComponent *component = &layout->component[index];
          ck_assert_uint_eq(
              uploaded_byte(upload, &image, j, x, y),
              test_code(TEST_NOISE, 5, x >> component->shift_x, y >> component->shift_y, index));
        }
  }
}
END_TEST

/* Every format of the pixel families takes the quick way. */
START_TEST(test_access) {
  static const struct {
    const gchar *layout;
    guint32 access;
  } expected[] = {
      {"I420", SWIN_IMAGE_PLANAR},   {"NV12", SWIN_IMAGE_PLANAR}, {"GRAY8", SWIN_IMAGE_PLANAR},
      {"GBR", SWIN_IMAGE_PLANAR},    {"Y41B", SWIN_IMAGE_PLANAR}, {"YVU9", SWIN_IMAGE_PLANAR},
      {"RGBx", SWIN_IMAGE_WORDS},    {"xRGB", SWIN_IMAGE_WORDS},  {"BGRA", SWIN_IMAGE_WORDS},
      {"AYUV", SWIN_IMAGE_WORDS},    {"YUY2", SWIN_IMAGE_WORDS},  {"UYVY", SWIN_IMAGE_WORDS},
      {"RGB", SWIN_IMAGE_TRIPLE},    {"BGR", SWIN_IMAGE_TRIPLE},  {"ARGB64", SWIN_IMAGE_BYTES},
      {"shifted", SWIN_IMAGE_BYTES}, {"late", SWIN_IMAGE_BYTES},  {"apart3", SWIN_IMAGE_BYTES},
      {"apart4", SWIN_IMAGE_BYTES},  {"rows", SWIN_IMAGE_BYTES},
  };
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_autoptr(TestFrame) test =
        test_frame_new(test_layout_find(expected[i].layout), 9, 3, TEST_NOISE, 0, 0, 0);
    const SwinImageLayout layout = swin_image_layout(&test->frame, &(SwinImageRegion){0, 0, 9, 3});
    struct SwinImageParameters image;
    swin_image_describe(&test->frame, &layout, &image);
    ck_assert_msg(image.access == expected[i].access, "%s: access %u instead of %u",
                  expected[i].layout, image.access, expected[i].access);
  }
}
END_TEST

static guint8 fixed_point(const struct SwinImageParameters *image, guint channel,
                          const guint8 codes[3]) {
  gint32 sum = image->colour_offset[channel];
  for (guint i = 0; i < 3; i++)
    sum += image->colour_matrix[3 * channel + i] * codes[i];
  return (guint8)CLAMP(sum >> SWIN_COLOUR_BITS, 0, 255);
}

/* The shader's fixed-point matrices against the definitions in doubles, over all of Y'CbCr (every
 * luma, every third chroma code). Both round to nearest; where the exact value lies within the
 * matrix' precision of the middle between two codes, they may fall on either side. */
START_TEST(test_colour) {
  guint8 codes[3] = {0, 0, 0};
  SwinFrame frame = SWIN_FRAME_INIT;
  struct SwinImageParameters image;
  guint64 n_values = 0;
  guint64 n_other = 0;

  frame.width = frame.height = 1;
  frame.model = SWIN_COLOR_YUV;
  frame.matrix = (SwinColorMatrix)(_i / 2);
  frame.range = (SwinColorRange)(_i % 2);
  for (guint i = 0; i < 3; i++)
    frame.component[i] = (SwinFrameComponent){0, i, 3, 0, 0};
  frame.planes[0] = codes;
  frame.strides[0] = 3;
  const SwinImageLayout layout = swin_image_layout(&frame, &(SwinImageRegion){0, 0, 1, 1});
  swin_image_describe(&frame, &layout, &image);

  for (guint u = 0; u < 256; u += 3)
    for (guint v = 0; v < 256; v += 3)
      for (guint y = 0; y < 256; y++) {
        guint8 rgb[3];
        codes[0] = (guint8)y;
        codes[1] = (guint8)u;
        codes[2] = (guint8)v;
        reference_pixel(&frame, 0, 0, rgb);
        for (guint i = 0; i < 3; i++, n_values++) {
          const gint difference = fixed_point(&image, i, codes) - rgb[i];
          if (difference != 0)
            n_other++;
          if (ABS(difference) > 1)
            ck_abort_msg("%u %u %u, channel %u: off by %d", y, u, v, i, difference);
        }
      }
  ck_assert_msg(n_other <= n_values / 2000,
                "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " codes differ", n_other, n_values);
}
END_TEST

/* Gray and RGB, where nothing but the range can change a code. */
START_TEST(test_levels) {
  for (guint i = 0; i < 4; i++) {
    g_autoptr(TestFrame) test =
        test_frame_new(test_layout_find(i % 2 ? "GRAY8" : "BGR"), 256, 1, TEST_GRADIENT, i, 0, 0);
    test->frame.range = (SwinColorRange)(i / 2);
    const SwinImageLayout layout =
        swin_image_layout(&test->frame, &(SwinImageRegion){0, 0, 256, 1});
    struct SwinImageParameters image;
    swin_image_describe(&test->frame, &layout, &image);
    for (guint x = 0; x < 256; x++) {
      guint8 codes[3], rgb[3];
      for (guint j = 0; j < 3; j++)
        codes[j] = uploaded_byte(test->frame.planes[0], &image, j, x, 0);
      reference_pixel(&test->frame, x, 0, rgb);
      for (guint j = 0; j < 3; j++)
        ck_assert_uint_eq(fixed_point(&image, j, codes), rgb[j]);
    }
  }
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("frames");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_refusals);
  tcase_add_test(tests, test_good);
  tcase_add_loop_test(tests, test_upload, 0, (int)n_test_layouts);
  tcase_add_test(tests, test_access);
  tcase_add_loop_test(tests, test_colour, 0, 6);
  tcase_add_test(tests, test_levels);
  return run_cases("image", tests);
}
