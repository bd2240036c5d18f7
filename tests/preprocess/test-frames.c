// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test-frames.h"

#include <string.h>

/* Words of 16 bits in the first plane, or alone in a plane, and three samples in one of 32. */
#define WORD16(offset, stride, shift, big, bit, bits)                                              \
  { 0, offset, stride, shift, 0, 0, 2, big, bit, bits }
#define PLANE16(plane, shift_x, shift_y, big, bits)                                                \
  { plane, 0, 2, shift_x, shift_y, 0, 2, big, 0, bits }
#define WORD32(big, bit)                                                                           \
  { 0, 0, 4, 0, 0, 0, 4, big, bit, 10 }

const TestLayout test_layouts[] = {
    {"RGB", SWIN_COLOR_RGB, {{0, 0, 3, 0, 0}, {0, 1, 3, 0, 0}, {0, 2, 3, 0, 0}}},
    {"BGR", SWIN_COLOR_RGB, {{0, 2, 3, 0, 0}, {0, 1, 3, 0, 0}, {0, 0, 3, 0, 0}}},
    {"RGBx", SWIN_COLOR_RGB, {{0, 0, 4, 0, 0}, {0, 1, 4, 0, 0}, {0, 2, 4, 0, 0}}},
    {"xRGB", SWIN_COLOR_RGB, {{0, 1, 4, 0, 0}, {0, 2, 4, 0, 0}, {0, 3, 4, 0, 0}}},
    {"BGRA", SWIN_COLOR_RGB, {{0, 2, 4, 0, 0}, {0, 1, 4, 0, 0}, {0, 0, 4, 0, 0}}},
    {"GBR", SWIN_COLOR_RGB, {{2, 0, 1, 0, 0}, {0, 0, 1, 0, 0}, {1, 0, 1, 0, 0}}},
    {"GRAY8", SWIN_COLOR_GRAY, {{0, 0, 1, 0, 0}}},
    {"I420", SWIN_COLOR_YUV, {{0, 0, 1, 0, 0}, {1, 0, 1, 1, 1}, {2, 0, 1, 1, 1}}},
    {"NV12", SWIN_COLOR_YUV, {{0, 0, 1, 0, 0}, {1, 0, 2, 1, 1}, {1, 1, 2, 1, 1}}},
    {"YUY2", SWIN_COLOR_YUV, {{0, 0, 2, 0, 0}, {0, 1, 4, 1, 0}, {0, 3, 4, 1, 0}}},
    {"UYVY", SWIN_COLOR_YUV, {{0, 1, 2, 0, 0}, {0, 0, 4, 1, 0}, {0, 2, 4, 1, 0}}},
    {"AYUV", SWIN_COLOR_YUV, {{0, 1, 4, 0, 0}, {0, 2, 4, 0, 0}, {0, 3, 4, 0, 0}}},
    {"Y41B", SWIN_COLOR_YUV, {{0, 0, 1, 0, 0}, {1, 0, 1, 2, 0}, {2, 0, 1, 2, 0}}},
    {"ARGB64", SWIN_COLOR_RGB, {{0, 3, 8, 0, 0}, {0, 5, 8, 0, 0}, {0, 7, 8, 0, 0}}},
    {"Y42B", SWIN_COLOR_YUV, {{0, 0, 1}, {1, 0, 1, 1, 0}, {2, 0, 1, 1, 0}}},
    {"Y444", SWIN_COLOR_YUV, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
    {"NV21", SWIN_COLOR_YUV, {{0, 0, 1}, {1, 1, 2, 1, 1}, {1, 0, 2, 1, 1}}},
    {"NV16", SWIN_COLOR_YUV, {{0, 0, 1}, {1, 0, 2, 1, 0}, {1, 1, 2, 1, 0}}},
    {"NV24", SWIN_COLOR_YUV, {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
    {"YVYU", SWIN_COLOR_YUV, {{0, 0, 2}, {0, 3, 4, 1, 0}, {0, 1, 4, 1, 0}}},
    {"v308", SWIN_COLOR_YUV, {{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
    {"IYU1", SWIN_COLOR_YUV, {{0, 1, 1, 0, 0, 1}, {0, 0, 6, 2, 0}, {0, 3, 6, 2, 0}}},
    {"RGB16",
     SWIN_COLOR_RGB,
     {WORD16(0, 2, 0, 0, 11, 5), WORD16(0, 2, 0, 0, 5, 6), WORD16(0, 2, 0, 0, 0, 5)}},
    {"RGB16-BE",
     SWIN_COLOR_RGB,
     {WORD16(0, 2, 0, 1, 11, 5), WORD16(0, 2, 0, 1, 5, 6), WORD16(0, 2, 0, 1, 0, 5)}},
    {"BGR15",
     SWIN_COLOR_RGB,
     {WORD16(0, 2, 0, 0, 0, 5), WORD16(0, 2, 0, 0, 5, 5), WORD16(0, 2, 0, 0, 10, 5)}},
    {"RGB10A2_LE", SWIN_COLOR_RGB, {WORD32(0, 0), WORD32(0, 10), WORD32(0, 20)}},
    {"r210", SWIN_COLOR_RGB, {WORD32(1, 20), WORD32(1, 10), WORD32(1, 0)}},
    {"Y410", SWIN_COLOR_YUV, {WORD32(0, 10), WORD32(0, 0), WORD32(0, 20)}},
    {"GRAY16_LE", SWIN_COLOR_GRAY, {WORD16(0, 2, 0, 0, 0, 16)}},
    {"GRAY16_BE", SWIN_COLOR_GRAY, {WORD16(0, 2, 0, 1, 0, 16)}},
    {"ARGB64_LE",
     SWIN_COLOR_RGB,
     {WORD16(2, 8, 0, 0, 0, 16), WORD16(4, 8, 0, 0, 0, 16), WORD16(6, 8, 0, 0, 0, 16)}},
    {"AYUV64_BE",
     SWIN_COLOR_YUV,
     {WORD16(2, 8, 0, 1, 0, 16), WORD16(4, 8, 0, 1, 0, 16), WORD16(6, 8, 0, 1, 0, 16)}},
    {"GBR_12BE",
     SWIN_COLOR_RGB,
     {PLANE16(2, 0, 0, 1, 12), PLANE16(0, 0, 0, 1, 12), PLANE16(1, 0, 0, 1, 12)}},
    {"P010_10LE",
     SWIN_COLOR_YUV,
     {WORD16(0, 2, 0, 0, 6, 10), {1, 0, 4, 1, 1, 0, 2, 0, 6, 10}, {1, 2, 4, 1, 1, 0, 2, 0, 6, 10}}},
    {"I420_10LE",
     SWIN_COLOR_YUV,
     {PLANE16(0, 0, 0, 0, 10), PLANE16(1, 1, 1, 0, 10), PLANE16(2, 1, 1, 0, 10)}},
    {"I420_12BE",
     SWIN_COLOR_YUV,
     {PLANE16(0, 0, 0, 1, 12), PLANE16(1, 1, 1, 1, 12), PLANE16(2, 1, 1, 1, 12)}},
    {"I422_10LE",
     SWIN_COLOR_YUV,
     {PLANE16(0, 0, 0, 0, 10), PLANE16(1, 1, 0, 0, 10), PLANE16(2, 1, 0, 0, 10)}},
    {"Y210",
     SWIN_COLOR_YUV,
     {WORD16(0, 4, 0, 0, 6, 10), WORD16(2, 8, 1, 0, 6, 10), WORD16(6, 8, 1, 0, 6, 10)}},
    {"Y412_BE",
     SWIN_COLOR_YUV,
     {WORD16(2, 8, 0, 1, 4, 12), WORD16(0, 8, 0, 1, 4, 12), WORD16(4, 8, 0, 1, 4, 12)}},
    {"mixed",
     SWIN_COLOR_YUV,
     {WORD16(2, 6, 0, 0, 1, 11), {1, 4, 12, 1, 1, 0, 4, 1, 13, 9}, {2, 0, 7, 2, 1, 0, 1, 1, 0, 8}}},
    {"columns", SWIN_COLOR_RGB, {{0, 0, 1}, {1, 0, 1, 2, 1}, {2, 0, 1, 0, 2}}},
    {"4:4:0", SWIN_COLOR_YUV, {{0, 0, 1}, {1, 0, 1, 0, 1}, {2, 0, 1, 0, 1}}},
    {"shifted", SWIN_COLOR_YUV, {{0, 3, 1, 0, 0}, {1, 5, 2, 1, 1}, {1, 2, 2, 1, 1}}},
    {"late", SWIN_COLOR_RGB, {{0, 3, 3, 0, 0}, {0, 5, 3, 0, 0}, {0, 4, 3, 0, 0}}},
    {"apart3", SWIN_COLOR_RGB, {{0, 0, 3, 0, 0}, {1, 1, 3, 0, 0}, {2, 2, 3, 0, 0}}},
    {"apart4", SWIN_COLOR_RGB, {{2, 0, 4, 0, 0}, {1, 1, 4, 0, 0}, {0, 2, 4, 0, 0}}},
    {"rows", SWIN_COLOR_YUV, {{0, 0, 4, 0, 0}, {0, 1, 4, 0, 1}, {0, 2, 4, 0, 2}}},
    {"YVU9", SWIN_COLOR_YUV, {{0, 0, 1, 0, 0}, {2, 0, 1, 2, 2}, {1, 0, 1, 2, 2}}},
};
const guint n_test_layouts = G_N_ELEMENTS(test_layouts);

const TestLayout *test_layout_find(const gchar *name) {
  for (guint i = 0; i < n_test_layouts; i++)
    if (strcmp(test_layouts[i].name, name) == 0)
      return &test_layouts[i];
  g_assert_not_reached();
}

guint8 test_code(TestPattern pattern, guint seed, guint x, guint y, guint component) {
  guint32 code = 0;
  switch (pattern) {
  case TEST_GRADIENT:
    code = x * 5 + y * 3 + component * 80 + ((x * y) >> 6) + seed;
    break;
  case TEST_NOISE:
    code = x * 374761393u + y * 668265263u + component * 2246822519u + seed * 3266489917u;
    code = (code ^ (code >> 13)) * 1274126177u;
    code = code ^ (code >> 16);
    break;
  case TEST_CHECKERS:
    code = ((x / 3 + y / 5 + component + seed) & 1) * 255;
    break;
  }
  return (guint8)(code & 255);
}

guint test_sample(TestPattern pattern, guint seed, guint x, guint y, guint component, guint depth) {
  const guint high = test_code(pattern, seed, x, y, component);
  const guint low = test_code(pattern, seed + 1, x, y, component);
  return (high << 8 | low) >> (16 - depth);
}

static guint n_components(const TestLayout *layout) {
  return layout->model == SWIN_COLOR_GRAY ? 1 : 3;
}

static guint word_size_of(const SwinFrameComponent *component) {
  return MAX(component->word_size, 1);
}

/* Where the word of a sample begins in its row. */
static gsize sample_byte(const SwinFrameComponent *component, guint x) {
  return component->offset + (gsize)x * component->pixel_stride +
         (gsize)((x << component->shift_x) / 2) * component->pair_stride;
}

static guint n_columns(const TestFrame *test, const SwinFrameComponent *component) {
  return ((test->frame.width - 1) >> component->shift_x) + 1;
}

static guint n_rows_of(const TestFrame *test, const SwinFrameComponent *component) {
  const guint last = (test->frame.height - 1) >> component->shift_y;
  if (!(test->frame.chroma_site & SWIN_CHROMA_INTERLACED) || component->shift_y == 0)
    return last + 1;
  return test->frame.height == 1 ? 1 : (last | 1) + 1;
}

static void allocate_plane(TestFrame *test, const TestLayout *layout, guint plane, guint padding,
                           guint8 poison) {
  gsize row_bytes = 0;
  gsize n_rows = 0;
  for (guint i = 0; i < n_components(layout); i++) {
    const SwinFrameComponent *component = &layout->component[i];
    if (component->plane != plane)
      continue;
    const guint last = n_columns(test, component) - 1;
    row_bytes = MAX(row_bytes, sample_byte(component, last) + word_size_of(component));
    n_rows = MAX(n_rows, n_rows_of(test, component));
  }
  if (n_rows == 0)
    return;
  const gsize stride = row_bytes + padding;
  const gsize size = stride * (n_rows - 1) + row_bytes;
  test->memory[plane] = g_malloc(size);
  memset(test->memory[plane], poison, size);
  test->frame.planes[plane] = test->memory[plane];
  test->frame.strides[plane] = stride;
}

/* Leaves the other bits of the word as they are. */
static void write_sample(const SwinFrameComponent *component, guint8 *word, guint sample) {
  const guint depth = component->depth > 0 ? component->depth : 8;
  for (guint i = 0; i < depth; i++) {
    const guint bit = component->low_bit + i;
    const guint byte = component->big_endian ? word_size_of(component) - 1 - bit / 8 : bit / 8;
    word[byte] = (guint8)((word[byte] & ~(1u << bit % 8)) | ((sample >> i & 1u) << bit % 8));
  }
}

static void fill_component(TestFrame *test, guint index, TestPattern pattern, guint seed) {
  const SwinFrameComponent *component = &test->frame.component[index];
  const gsize stride = test->frame.strides[component->plane];
  const guint depth = component->depth > 0 ? component->depth : 8;
  for (guint y = 0; y < n_rows_of(test, component); y++) {
    guint8 *row = test->memory[component->plane] + y * stride;
    for (guint x = 0; x < n_columns(test, component); x++)
      write_sample(component, row + sample_byte(component, x),
                   test_sample(pattern, seed, x, y, index, depth));
  }
}

TestFrame *test_frame_new_sited(const TestLayout *layout, SwinChromaSite site, guint width,
                                guint height, TestPattern pattern, guint seed, guint padding,
                                guint8 poison) {
  TestFrame *test = g_new0(TestFrame, 1);
  test->frame = (SwinFrame)SWIN_FRAME_INIT;
  test->frame.width = width;
  test->frame.height = height;
  test->frame.model = layout->model;
  test->frame.chroma_site = site;
  memcpy(test->frame.component, layout->component, sizeof(layout->component));
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    allocate_plane(test, layout, i, padding, poison);
  for (guint i = 0; i < n_components(layout); i++)
    fill_component(test, i, pattern, seed);
  return test;
}

TestFrame *test_frame_new(const TestLayout *layout, guint width, guint height, TestPattern pattern,
                          guint seed, guint padding, guint8 poison) {
  return test_frame_new_sited(layout, 0, width, height, pattern, seed, padding, poison);
}

void test_frame_free(TestFrame *test) {
  if (!test)
    return;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    g_free(test->memory[i]);
  g_free(test);
}
