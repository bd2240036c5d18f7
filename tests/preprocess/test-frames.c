// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test-frames.h"

#include <string.h>

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

static guint last_sample(guint size, guint shift) {
  return (size - 1) >> shift;
}

static guint n_components(const TestLayout *layout) {
  return layout->model == SWIN_COLOR_GRAY ? 1 : 3;
}

static void allocate_plane(TestFrame *test, const TestLayout *layout, guint plane, guint padding,
                           guint8 poison) {
  gsize row_bytes = 0;
  gsize n_rows = 0;
  for (guint i = 0; i < n_components(layout); i++) {
    const SwinFrameComponent *component = &layout->component[i];
    if (component->plane != plane)
      continue;
    const guint last = last_sample(test->frame.width, component->shift_x);
    row_bytes = MAX(row_bytes, component->offset + (gsize)last * component->pixel_stride + 1);
    n_rows = MAX(n_rows, last_sample(test->frame.height, component->shift_y) + 1);
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

static void fill_component(TestFrame *test, guint index, TestPattern pattern, guint seed) {
  const SwinFrameComponent *component = &test->frame.component[index];
  const gsize stride = test->frame.strides[component->plane];
  for (guint y = 0; y <= last_sample(test->frame.height, component->shift_y); y++) {
    guint8 *row = test->memory[component->plane] + component->offset + y * stride;
    for (guint x = 0; x <= last_sample(test->frame.width, component->shift_x); x++)
      row[(gsize)x * component->pixel_stride] = test_code(pattern, seed, x, y, index);
  }
}

TestFrame *test_frame_new(const TestLayout *layout, guint width, guint height, TestPattern pattern,
                          guint seed, guint padding, guint8 poison) {
  TestFrame *test = g_new0(TestFrame, 1);
  test->frame = (SwinFrame)SWIN_FRAME_INIT;
  test->frame.width = width;
  test->frame.height = height;
  test->frame.model = layout->model;
  memcpy(test->frame.component, layout->component, sizeof(layout->component));
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    allocate_plane(test, layout, i, padding, poison);
  for (guint i = 0; i < n_components(layout); i++)
    fill_component(test, i, pattern, seed);
  return test;
}

void test_frame_free(TestFrame *test) {
  if (!test)
    return;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    g_free(test->memory[i]);
  g_free(test);
}
