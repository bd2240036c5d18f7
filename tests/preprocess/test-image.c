// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * test-image.c: frame descriptions, uploads and colour matrices; no device.
 */
#include "image.h"
#include "test-frames.h"
#include "reference/preprocess.h"
#include "run-cases.h"

#include <check.h>
#include <math.h>
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
#define REFUSE(member, value, field) REFUSE_OF(good_frame, member, value, field)
#define REFUSE_OF(good, member, value, field)                                                      \
  G_STMT_START {                                                                                   \
    SwinFrame frame = good();                                                                      \
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
  REFUSE(memory, (SwinFrameMemory)3, "memory");
  REFUSE(chroma_site, (SwinChromaSite)8, "chroma_site");
  REFUSE(orientation, (SwinOrientation)8, "orientation");
  REFUSE(component[1].plane, 2, "planes[2]");
  REFUSE(component[2].plane, 4, "component[2].plane");
  REFUSE(component[2].plane, G_MAXUINT, "component[2].plane");
  REFUSE(planes[0], NULL, "planes[0]");
  REFUSE(planes[1], NULL, "planes[1]");
  REFUSE(component[0].pixel_stride, 0, "component[0].pixel_stride");
  REFUSE(component[1].pixel_stride, 17, "component[1].pixel_stride");
  REFUSE(component[1].pixel_stride, G_MAXUINT, "component[1].pixel_stride");
  REFUSE(component[0].pair_stride, 17, "component[0].pair_stride");
  REFUSE(component[0].pair_stride, 1, "strides[0]");
  REFUSE(component[1].shift_x, 3, "shift_x");
  REFUSE(component[0].shift_x, 1, "component[0]");
  REFUSE(component[0].shift_y, 1, "component[0]");
  REFUSE(component[2].shift_y, 32, "shift_y");
  REFUSE(component[0].word_size, 3, "component[0].word_size");
  REFUSE(component[0].word_size, 8, "component[0].word_size");
  REFUSE(component[0].word_size, 2, "component[0]");
  REFUSE(component[1].word_size, 4, "component[1]");
  REFUSE(component[1].depth, 17, "component[1].depth");
  REFUSE(component[1].depth, 9, "component[1]");
  REFUSE(component[2].low_bit, 1, "low_bit");
  REFUSE(component[2].low_bit, G_MAXUINT, "low_bit");
  REFUSE(strides[0], 4, "strides[0]");
  REFUSE(strides[1], 5, "strides[1]");
  REFUSE(component[2].offset, 2, "strides[1]");
  REFUSE(component[0].offset, G_MAXUINT, "strides[0]");
  REFUSE(crop, ((SwinRectangle){5, 0, 1, 1}), "crop");
  REFUSE(crop, ((SwinRectangle){0, 3, 1, 1}), "crop");
  REFUSE(crop, ((SwinRectangle){1, 0, 5, 3}), "crop");
  REFUSE(crop, ((SwinRectangle){0, 2, 5, 2}), "crop");
  REFUSE(crop, ((SwinRectangle){1, 1, G_MAXUINT, G_MAXUINT}), "crop");
}
END_TEST

static void no_begin(gpointer keep_alive, SwinImageState *states) {
  (void)keep_alive;
  (void)states;
}

static void no_end(gpointer keep_alive, const SwinImageState *states) {
  (void)keep_alive;
  (void)states;
}

/* In two images, which nobody looks at. */
static SwinFrame good_image_frame(void) {
  static guint64 somewhere[2];
  SwinFrame frame = good_frame();
  frame.memory = SWIN_FRAME_MEMORY_IMAGE;
  memset(frame.planes, 0, sizeof(frame.planes));
  memset(frame.strides, 0, sizeof(frame.strides));
  frame.images = (SwinFrameImages){
      .n_images = 2,
      .images = {(VkImage)&somewhere[0], (VkImage)&somewhere[1]},
      .image = {0, 1},
      .aspect = {VK_IMAGE_ASPECT_COLOR_BIT, VK_IMAGE_ASPECT_COLOR_BIT},
      .texel_size = {1, 2},
      .begin = no_begin,
      .end = no_end,
  };
  return frame;
}

static SwinFrame good_dmabuf_frame(void) {
  SwinFrame frame = good_frame();
  frame.memory = SWIN_FRAME_MEMORY_DMABUF;
  memset(frame.planes, 0, sizeof(frame.planes));
  frame.dmabuf[2] = frame.dmabuf[3] = -1; /* not used */
  return frame;
}

START_TEST(test_device_memory_refusals) {
  REFUSE_OF(good_dmabuf_frame, dmabuf[0], -1, "dmabuf[0]");
  REFUSE_OF(good_dmabuf_frame, dmabuf[1], -1, "dmabuf[1]");
  REFUSE_OF(good_dmabuf_frame, strides[1], 5, "strides[1]");
  REFUSE_OF(good_image_frame, images.n_images, 0, "images.n_images");
  REFUSE_OF(good_image_frame, images.n_images, 5, "images.n_images");
  REFUSE_OF(good_image_frame, images.n_images, 1, "images.image[1]");
  REFUSE_OF(good_image_frame, images.images[1], VK_NULL_HANDLE, "images.images[1]");
  REFUSE_OF(good_image_frame, images.images[1], frame.images.images[0], "images.images[1]");
  REFUSE_OF(good_image_frame, images.image[0], 2, "images.image[0]");
  REFUSE_OF(good_image_frame, images.aspect[1], 0, "images.aspect[1]");
  REFUSE_OF(good_image_frame, images.aspect[0], VK_IMAGE_ASPECT_DEPTH_BIT, "images.aspect[0]");
  REFUSE_OF(good_image_frame, images.texel_size[0], 0, "images.texel_size[0]");
  REFUSE_OF(good_image_frame, images.texel_size[0], 17, "images.texel_size[0]");
  REFUSE_OF(good_image_frame, images.begin, NULL, "images.begin");
  REFUSE_OF(good_image_frame, images.end, NULL, "images.end");
}
END_TEST

static void expect_good(const SwinFrame *frame) {
  GError *error = NULL;
  ck_assert_msg(swin_frame_check(frame, &error), "%s", error ? error->message : "");
}

START_TEST(test_good) {
  SwinFrame frame = good_frame();
  expect_good(&frame);
  frame.crop = (SwinRectangle){4, 2, 1, 1};
  expect_good(&frame);
  frame.crop = (SwinRectangle){77, 99, 0, 3}; /* no crop */
  expect_good(&frame);
  frame.model = SWIN_COLOR_GRAY; /* one component; the others and the matrix do not matter */
  frame.planes[1] = NULL;
  frame.matrix = (SwinColorMatrix)77;
  expect_good(&frame);
  frame = good_dmabuf_frame();
  expect_good(&frame);
  frame = good_image_frame();
  expect_good(&frame);
  for (guint i = 0; i < n_test_layouts; i++) {
    g_autoptr(TestFrame) test = test_frame_new(&test_layouts[i], 7, 5, TEST_NOISE, 0, 0, 0);
    expect_good(&test->frame);
  }
}
END_TEST

static guint32 row_position(const struct SwinImageParameters *image, guint index, guint y) {
  const guint row = y >> image->shift_y[index];
  return image->base[index] +
         (image->interlaced ? (row & ~1u) | (y & 1) : row) * image->row_stride[index];
}

static guint32 position_of(const struct SwinImageParameters *image, guint index, guint x, guint y) {
  return row_position(image, index, y) + (x >> image->shift_x[index]) * image->pixel_stride[index] +
         (x >> 1) * image->pair_stride[index];
}

/* The shader fetches whole groups and the ones beside them, and words that follow. */
static void check_room(const struct SwinImageParameters *image, guint64 size) {
  const guint first = MAX(image->first_column, SWIN_RESIZE_GROUP) - SWIN_RESIZE_GROUP;
  for (guint y = image->first_line; y < image->first_line + image->n_lines; y++)
    for (guint i = 0; i < 3; i++) {
      ck_assert_uint_lt(position_of(image, i, first, y), size);
      ck_assert_uint_lt(
          (guint64)position_of(image, i, image->end_column + SWIN_RESIZE_GROUP - 1, y) + 8, size);
    }
}

/* All that the pixels of a region are interpolated of. */
static void check_samples(const TestFrame *test, const TestLayout *layout,
                          const struct SwinImageParameters *image, const SwinRectangle *stored,
                          const guint8 *upload, guint seed) {
  for (guint y = stored->y; y < stored->y + stored->height; y++)
    for (guint x = stored->x; x < stored->x + stored->width; x++)
      for (guint j = 0; j < 3; j++) {
        const guint index = layout->model == SWIN_COLOR_GRAY ? 0 : j;
        const SwinFrameComponent *component = &layout->component[index];
        const guint row = y >> component->shift_y;
        const guint depth = component->depth > 0 ? component->depth : 8;
        guint32 word;
        memcpy(&word, upload + position_of(image, j, x, y), sizeof(word));
        if (image->big_endian[j])
          word = GUINT32_SWAP_LE_BE(word);
        ck_assert_uint_eq((word >> image->low_bit[j]) & image->mask[j],
                          test_sample(TEST_NOISE, seed, x >> component->shift_x,
                                      test->frame.chroma_site & SWIN_CHROMA_INTERLACED
                                          ? (row & ~1u) | (y & 1)
                                          : row,
                                      index, depth));
      }
}

/* Where an orientation brings the corners of a region of a crop. */
static SwinRectangle stored_region(const SwinFrame *frame, const SwinRectangle *region) {
  const SwinRectangle *crop = &frame->crop;
  const guint far_x = crop->width - region->x - region->width;
  const guint far_y = crop->height - region->y - region->height;
  const guint lying_x = crop->width - region->y - region->height;
  const guint lying_y = crop->height - region->x - region->width;
  const SwinRectangle stored[] = {
      [SWIN_ORIENTATION_IDENTITY] = {region->x, region->y},
      [SWIN_ORIENTATION_ROTATE_90] = {region->y, lying_y},
      [SWIN_ORIENTATION_ROTATE_180] = {far_x, far_y},
      [SWIN_ORIENTATION_ROTATE_270] = {lying_x, region->x},
      [SWIN_ORIENTATION_FLIP_HORIZONTAL] = {far_x, region->y},
      [SWIN_ORIENTATION_FLIP_VERTICAL] = {region->x, far_y},
      [SWIN_ORIENTATION_TRANSPOSE] = {region->y, region->x},
      [SWIN_ORIENTATION_ANTITRANSPOSE] = {lying_x, lying_y},
  };
  const gboolean lying = frame->orientation == SWIN_ORIENTATION_ROTATE_90 ||
                         frame->orientation == SWIN_ORIENTATION_ROTATE_270 ||
                         frame->orientation >= SWIN_ORIENTATION_TRANSPOSE;
  return (SwinRectangle){
      crop->x + stored[frame->orientation].x,
      crop->y + stored[frame->orientation].y,
      lying ? region->height : region->width,
      lying ? region->width : region->height,
  };
}

/* Planes and upload are exactly as large as they must be, so that the address sanitizer sees any
 * byte too many. */
START_TEST(test_upload) {
  static const SwinRectangle crops[] = {{0, 0, 23, 17}, {1, 2, 17, 15}, {6, 3, 16, 14}};
  static const SwinRectangle regions[] = {
      {0, 0, 14, 14}, {13, 13, 1, 1}, {0, 13, 14, 1}, {3, 5, 7, 6}, {12, 0, 1, 14}};
  const TestLayout *layout = &test_layouts[_i];
  for (guint i = 0; i < 8 * G_N_ELEMENTS(regions) * G_N_ELEMENTS(crops); i++) {
    const SwinRectangle *region = &regions[i / 8 % G_N_ELEMENTS(regions)];
    g_autoptr(TestFrame) test =
        test_frame_new_sited(layout, (SwinChromaSite)(i * 5 % 8), 23, 17, TEST_NOISE, i, 3, 0xaa);
    test->frame.crop = crops[i / 8 / G_N_ELEMENTS(regions)];
    test->frame.orientation = (SwinOrientation)(i % 8);
    const SwinImageLayout upload_layout = swin_image_layout(&test->frame, region);
    const SwinRectangle stored = stored_region(&test->frame, region);
    struct SwinImageParameters image;
    g_autofree guint8 *upload = g_malloc(upload_layout.size);
    ck_assert_uint_eq(upload_layout.size % 4, 0);
    swin_image_upload(&test->frame, &upload_layout, upload);
    swin_image_describe(&test->frame, region, &upload_layout, &image);
    ck_assert_uint_eq(image.first_line, stored.y);
    ck_assert_uint_eq(image.n_lines, stored.height);
    ck_assert_uint_eq(image.first_column, stored.x / 4 * 4);
    ck_assert_uint_eq(image.end_column, (stored.x + stored.width + 3) / 4 * 4);
    check_room(&image, upload_layout.size);
    check_samples(test, layout, &image, &stored, upload, i);
  }
}
END_TEST

static guint64 row_start(const SwinImagePlane *plane, guint row) {
  return plane->upload_offset + row * plane->upload_stride + plane->first_byte;
}

/* A dma-buf's own stride is kept where it does not waste much, so that one copy brings a plane. */
START_TEST(test_dmabuf_layout) {
  static const struct {
    gsize stride;
    gboolean kept;
  } strides[] = {{64, TRUE}, {100, TRUE}, {102, FALSE}, {128, TRUE}, {132, FALSE}, {4096, FALSE}};
  for (guint i = 0; i < G_N_ELEMENTS(strides); i++) {
    SwinFrame frame = good_dmabuf_frame();
    frame.width = 63;
    frame.height = 17;
    frame.strides[0] = frame.strides[1] = strides[i].stride;
    const SwinImageLayout layout = swin_image_layout(&frame, &(SwinRectangle){0, 0, 63, 17});
    ck_assert_uint_eq(layout.planes[0].upload_stride, strides[i].kept ? strides[i].stride : 64);
    ck_assert_uint_eq(layout.planes[1].upload_stride, strides[i].kept ? strides[i].stride : 64);
    ck_assert_uint_ge(row_start(&layout.planes[1], 0), row_start(&layout.planes[0], 16) + 63);
    ck_assert_uint_le(row_start(&layout.planes[1], 8) + 64, layout.size);
  }
}
END_TEST

/* Rows of images are whole texels, at places where a copy may write them. */
START_TEST(test_image_layout) {
  static const guint texel_sizes[] = {1, 2, 3, 4, 6, 8, 12, 16};
  for (guint i = 0; i < G_N_ELEMENTS(texel_sizes); i++) {
    const guint size = texel_sizes[i];
    SwinFrame frame = good_image_frame();
    frame.width = 31;
    frame.height = 9;
    frame.images.texel_size[0] = frame.images.texel_size[1] = size;
    const SwinImageLayout layout = swin_image_layout(&frame, &(SwinRectangle){13, 3, 10, 5});
    for (guint j = 0; j < 2; j++) {
      const SwinImagePlane *plane = &layout.planes[j];
      ck_assert_uint_eq(plane->first_byte % size, 0);
      ck_assert_uint_eq(plane->end_byte % size, 0);
      ck_assert_uint_eq(plane->upload_stride % size, 0);
      ck_assert_uint_eq(plane->upload_stride % 4, 0);
      ck_assert_uint_eq(row_start(plane, plane->first_row) % size, 0);
      ck_assert_uint_eq(plane->upload_offset % 4, 0);
      ck_assert_uint_le(plane->first_byte, j == 0 ? 13 : 12);
      ck_assert_uint_ge(plane->end_byte, j == 0 ? 23 : 24);
    }
    ck_assert_uint_ge(row_start(&layout.planes[1], layout.planes[1].first_row),
                      row_start(&layout.planes[0], 7) + 10);
  }
}
END_TEST

/* The crop alone is read, but for samples that are shared with what is beside it. */
START_TEST(test_crop_bytes) {
  g_autoptr(TestFrame) test = test_frame_new(test_layout_find("NV12"), 40, 30, TEST_NOISE, 0, 0, 0);
  test->frame.crop = (SwinRectangle){9, 7, 12, 10};
  const SwinImageLayout layout = swin_image_layout(&test->frame, &(SwinRectangle){0, 0, 12, 10});
  ck_assert_uint_eq(layout.planes[0].first_row, 7);
  ck_assert_uint_eq(layout.planes[0].n_rows, 10);
  ck_assert_uint_eq(layout.planes[0].first_byte, 8);
  ck_assert_uint_eq(layout.planes[0].end_byte, 21);
  ck_assert_uint_eq(layout.planes[1].first_row, 3);
  ck_assert_uint_eq(layout.planes[1].n_rows, 6);
  ck_assert_uint_eq(layout.planes[1].first_byte, 8);
  ck_assert_uint_eq(layout.planes[1].end_byte, 22);
}
END_TEST

/* Every format of the pixel families takes the quick way. */
START_TEST(test_access) {
  static const struct {
    const gchar *layout;
    guint32 access;
  } expected[] = {
      {"GRAY8", SWIN_IMAGE_PLANAR},  {"GBR", SWIN_IMAGE_PLANAR},
      {"Y444", SWIN_IMAGE_PLANAR},   {"NV24", SWIN_IMAGE_FULL},
      {"I420", SWIN_IMAGE_HALVED},   {"NV12", SWIN_IMAGE_HALVED},
      {"NV21", SWIN_IMAGE_HALVED},   {"NV16", SWIN_IMAGE_HALVED},
      {"Y42B", SWIN_IMAGE_HALVED},   {"YUY2", SWIN_IMAGE_PAIRS},
      {"UYVY", SWIN_IMAGE_PAIRS},    {"YVYU", SWIN_IMAGE_PAIRS},
      {"RGBx", SWIN_IMAGE_WORDS},    {"xRGB", SWIN_IMAGE_WORDS},
      {"BGRA", SWIN_IMAGE_WORDS},    {"AYUV", SWIN_IMAGE_WORDS},
      {"RGB", SWIN_IMAGE_TRIPLE},    {"BGR", SWIN_IMAGE_TRIPLE},
      {"v308", SWIN_IMAGE_TRIPLE},   {"ARGB64", SWIN_IMAGE_FULL},
      {"Y41B", SWIN_IMAGE_SAMPLES},  {"YVU9", SWIN_IMAGE_SAMPLES},
      {"IYU1", SWIN_IMAGE_SAMPLES},  {"shifted", SWIN_IMAGE_SAMPLES},
      {"late", SWIN_IMAGE_FULL},     {"apart3", SWIN_IMAGE_FULL},
      {"apart4", SWIN_IMAGE_FULL},   {"rows", SWIN_IMAGE_SAMPLES},
      {"4:4:0", SWIN_IMAGE_SAMPLES}, {"P010_10LE", SWIN_IMAGE_SAMPLES},
      {"RGB16", SWIN_IMAGE_FULL},    {"r210", SWIN_IMAGE_FULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_autoptr(TestFrame) test =
        test_frame_new(test_layout_find(expected[i].layout), 9, 3, TEST_NOISE, 0, 0, 0);
    const SwinRectangle all = {0, 0, 9, 3};
    const SwinImageLayout layout = swin_image_layout(&test->frame, &all);
    struct SwinImageParameters image;
    swin_image_describe(&test->frame, &all, &layout, &image);
    ck_assert_msg(image.access == expected[i].access, "%s: access %u instead of %u",
                  expected[i].layout, image.access, expected[i].access);
  }
}
END_TEST

/* The formula of SwinImageParameters. */
static guint8 fixed_point(const struct SwinImageParameters *image, guint channel,
                          const guint16 codes[3]) {
  gint32 sum = image->colour_offset[channel];
  for (guint i = 0; i < 3; i++) {
    const guint32 widened = codes[i] * image->repeat[i] >> image->surplus[i];
    const gint32 t = (gint32)((widened ^ image->flip) * image->spread) >> image->drop;
    sum += (image->colour_matrix[3 * channel + i] * t) >> image->inner;
  }
  return (guint8)CLAMP(sum >> image->outer, 0, 255);
}

/* A pixel of its own of three 16-bit words. */
static SwinFrame colour_frame(guint16 codes[3], guint depth, gint matrix, gint range) {
  SwinFrame frame = SWIN_FRAME_INIT;
  frame.width = frame.height = 1;
  frame.model = SWIN_COLOR_YUV;
  frame.matrix = (SwinColorMatrix)matrix;
  frame.range = (SwinColorRange)range;
  for (guint i = 0; i < 3; i++)
    frame.component[i] = (SwinFrameComponent){.offset = 2 * i,
                                              .pixel_stride = 6,
                                              .word_size = 2,
                                              .big_endian = G_BYTE_ORDER == G_BIG_ENDIAN,
                                              .depth = depth};
  frame.planes[0] = (const guint8 *)codes;
  frame.strides[0] = 6;
  return frame;
}

/* How far a code is from the definition of its colour. */
static gint inexactness(const SwinFrame *frame, const guint16 codes[3], guint depth,
                        const guint8 rgb[3]) {
  static const gdouble weights[3][2] = {{0.299, 0.114}, {0.2126, 0.0722}, {0.2627, 0.0593}};
  const gdouble kr = weights[frame->matrix][0], kb = weights[frame->matrix][1];
  const gboolean limited = frame->range == SWIN_COLOR_RANGE_LIMITED;
  const gdouble unit = ldexp(1.0, (gint)depth - 8), all = ldexp(1.0, (gint)depth) - 1.0;
  const gdouble luma = (codes[0] - (limited ? 16.0 * unit : 0.0)) / (limited ? 219.0 * unit : all);
  const gdouble steps = limited ? 224.0 * unit : all;
  const gdouble blue = luma + (2.0 - 2.0 * kb) * (codes[1] - 128.0 * unit) / steps;
  const gdouble red = luma + (2.0 - 2.0 * kr) * (codes[2] - 128.0 * unit) / steps;
  const gdouble defined[3] = {red, (luma - kr * red - kb * blue) / (1.0 - kr - kb), blue};
  gint largest = 0;
  for (guint i = 0; i < 3; i++) {
    const gint code = (gint)lround(CLAMP(defined[i], 0.0, 1.0) * 255.0);
    largest = MAX(largest, ABS(code - rgb[i]));
  }
  return largest;
}

/* The shader's integers against the twin and the definitions, over all of Y'CbCr (every luma, every
 * third chroma code, and what is below codes of 8 bits). */
START_TEST(test_colour) {
  static const guint depths[] = {8, 9, 10, 12, 16};
  const guint depth = depths[_i / 6];
  guint16 codes[3] = {0, 0, 0};
  const SwinFrame frame = colour_frame(codes, depth, _i / 2 % 3, _i % 2);
  const SwinRectangle all = {0, 0, 1, 1};
  const SwinImageLayout layout = swin_image_layout(&frame, &all);
  struct SwinImageParameters image;
  gint largest = 0;
  swin_image_describe(&frame, &all, &layout, &image);

  const guint step = (1u << depth) / 256;
  for (guint u = 0; u < 256; u += 3)
    for (guint v = 0; v < 256; v += 3)
      for (guint y = 0; y < 256; y++) {
        guint8 rgb[3];
        codes[0] = (guint16)(y * step + u % step);
        codes[1] = (guint16)(u * step + y % step);
        codes[2] = (guint16)(v * step + (y ^ u) % step);
        reference_pixel(&frame, 0, 0, rgb);
        for (guint i = 0; i < 3; i++)
          if (fixed_point(&image, i, codes) != rgb[i])
            ck_abort_msg("%u %u %u, channel %u: %u instead of %u", codes[0], codes[1], codes[2], i,
                         fixed_point(&image, i, codes), rgb[i]);
        largest = MAX(largest, inexactness(&frame, codes, depth, rgb));
      }
  ck_assert_int_le(largest, depth == 8 ? 6 : 2);
}
END_TEST

/* Gray and RGB, where nothing but the range can change a code. */
START_TEST(test_levels) {
  for (guint i = 0; i < 4; i++) {
    g_autoptr(TestFrame) test =
        test_frame_new(test_layout_find(i % 2 ? "GRAY8" : "BGR"), 256, 1, TEST_GRADIENT, i, 0, 0);
    test->frame.range = (SwinColorRange)(i / 2);
    const SwinRectangle all = {0, 0, 256, 1};
    const SwinImageLayout layout = swin_image_layout(&test->frame, &all);
    g_autofree guint8 *upload = g_malloc(layout.size);
    struct SwinImageParameters image;
    swin_image_upload(&test->frame, &layout, upload);
    swin_image_describe(&test->frame, &all, &layout, &image);
    for (guint x = 0; x < 256; x++) {
      guint8 rgb[3];
      guint16 codes[3];
      for (guint j = 0; j < 3; j++)
        codes[j] = upload[position_of(&image, j, x, 0)];
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
  tcase_add_test(tests, test_device_memory_refusals);
  tcase_add_test(tests, test_good);
  tcase_add_loop_test(tests, test_upload, 0, (int)n_test_layouts);
  tcase_add_test(tests, test_dmabuf_layout);
  tcase_add_test(tests, test_image_layout);
  tcase_add_test(tests, test_crop_bytes);
  tcase_add_test(tests, test_access);
  tcase_add_loop_test(tests, test_colour, 0, 30);
  tcase_add_test(tests, test_levels);
  return run_cases("image", tests);
}
