// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/frames.h"

#include <string.h>
#include <unistd.h>

const FrameLayout frame_layout_bgra = {
    "BGRA",
    {VK_FORMAT_B8G8R8A8_UNORM},
    {4},
    SWIN_COLOR_RGB,
    {{.offset = 2, .pixel_stride = 4}, {.offset = 1, .pixel_stride = 4}, {.pixel_stride = 4}}};
const FrameLayout frame_layout_gray = {
    "GRAY8", {VK_FORMAT_R8_UNORM}, {1}, SWIN_COLOR_GRAY, {{.pixel_stride = 1}}};
const FrameLayout frame_layout_nv12 = {
    "NV12",
    {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM},
    {1, 2},
    SWIN_COLOR_YUV,
    {{.pixel_stride = 1},
     {.plane = 1, .pixel_stride = 2, .shift_x = 1, .shift_y = 1},
     {.plane = 1, .offset = 1, .pixel_stride = 2, .shift_x = 1, .shift_y = 1}}};
const FrameLayout frame_layout_nv12_in_one = {
    "NV12 in one image",
    {VK_FORMAT_G8_B8R8_2PLANE_420_UNORM},
    {1, 2},
    SWIN_COLOR_YUV,
    {{.pixel_stride = 1},
     {.plane = 1, .pixel_stride = 2, .shift_x = 1, .shift_y = 1},
     {.plane = 1, .offset = 1, .pixel_stride = 2, .shift_x = 1, .shift_y = 1}}};
const FrameLayout frame_layout_wide = {"one byte of RGBA64",
                                       {VK_FORMAT_R16G16B16A16_UNORM},
                                       {8},
                                       SWIN_COLOR_GRAY,
                                       {{.offset = 5, .pixel_stride = 8}}};
const FrameLayout frame_layout_wide_chroma = {"chroma of RGBA64",
                                              {VK_FORMAT_R8_UNORM, VK_FORMAT_R16G16B16A16_UNORM},
                                              {1, 8},
                                              SWIN_COLOR_YUV,
                                              {{.pixel_stride = 1},
                                               {.plane = 1, .offset = 4, .pixel_stride = 8},
                                               {.plane = 1, .offset = 6, .pixel_stride = 8}}};
const FrameLayout frame_layout_rgb = {
    "RGB",
    {VK_FORMAT_R8G8B8_UNORM},
    {3},
    SWIN_COLOR_RGB,
    {{.pixel_stride = 3}, {.offset = 1, .pixel_stride = 3}, {.offset = 2, .pixel_stride = 3}}};

static guint plane_shift(const FrameLayout *layout, guint plane) {
  guint shift = 0;
  for (guint i = 0; i < 3; i++)
    if (layout->component[i].plane == plane)
      shift = MAX(shift, layout->component[i].shift_x);
  return shift;
}

static guint shifted(guint length, guint shift) {
  return (length + (1u << shift) - 1) >> shift;
}

FrameHost frame_host_make(const FrameLayout *layout, guint width, guint height, guint padding) {
  FrameHost host = {.frame = SWIN_FRAME_INIT};
  SwinFrame *frame = &host.frame;
  g_autoptr(GRand) random = g_rand_new_with_seed(width * 131 + height);
  frame->width = width;
  frame->height = height;
  frame->model = layout->model;
  memcpy(frame->component, layout->component, sizeof(layout->component));
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES && layout->texel_sizes[i] > 0; i++) {
    const guint shift = plane_shift(layout, i);
    frame->strides[i] = shifted(width, shift) * layout->texel_sizes[i] + padding;
    host.sizes[i] = frame->strides[i] * shifted(height, shift);
    host.bytes[i] = g_malloc(host.sizes[i]);
    for (gsize j = 0; j < host.sizes[i]; j++)
      host.bytes[i][j] = (guint8)g_rand_int(random);
    frame->planes[i] = host.bytes[i];
  }
  return host;
}

void frame_host_clear(FrameHost *host) {
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    g_free(host->bytes[i]);
}

static void begin(gpointer keep_alive, SwinImageState *states) {
  FrameImages *images = keep_alive;
  images->n_begun++;
  for (guint i = 0; i < images->n_images; i++)
    states[i] = images->images[i]->state;
}

static void end(gpointer keep_alive, const SwinImageState *states) {
  FrameImages *images = keep_alive;
  images->n_ended++;
  for (guint i = 0; i < images->n_images; i++)
    images->images[i]->state = states[i];
}

static void forget_memory(SwinFrame *frame) {
  memset(frame->planes, 0, sizeof(frame->planes));
}

gboolean frame_images_make(Application *application, const FrameLayout *layout,
                           const FrameHost *host, FrameImages *images, SwinFrame *frame) {
  const guint width = host->frame.width, height = host->frame.height;
  *images = (FrameImages){0};
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES && layout->formats[i]; i++) {
    const guint shift = plane_shift(layout, i);
    images->images[i] = application_image_new(application, layout->formats[i],
                                              shifted(width, shift), shifted(height, shift));
    if (!images->images[i])
      return FALSE;
    images->n_images++;
  }
  forget_memory(frame);
  memset(frame->strides, 0, sizeof(frame->strides));
  frame->memory = SWIN_FRAME_MEMORY_IMAGE;
  frame->images = (SwinFrameImages){.n_images = images->n_images, .begin = begin, .end = end};
  for (guint i = 0; i < images->n_images; i++)
    frame->images.images[i] = images->images[i]->image;
  const gboolean in_one = images->n_images == 1 && layout->texel_sizes[1] > 0;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES && layout->texel_sizes[i] > 0; i++) {
    const guint shift = plane_shift(layout, i);
    const guint image = in_one ? 0 : i;
    frame->images.image[i] = image;
    frame->images.aspect[i] = in_one ? VK_IMAGE_ASPECT_PLANE_0_BIT << i : VK_IMAGE_ASPECT_COLOR_BIT;
    frame->images.texel_size[i] = layout->texel_sizes[i];
    application_image_fill(images->images[image], frame->images.aspect[i], shifted(width, shift),
                           shifted(height, shift), host->bytes[i], host->sizes[i]);
  }
  return TRUE;
}

void frame_images_clear(FrameImages *images) {
  for (guint i = 0; i < images->n_images; i++)
    application_image_free(images->images[i]);
  images->n_images = 0;
}

void frame_memfds_make(const FrameHost *host, gboolean in_one, SwinFrame *frame) {
  GByteArray *bytes = g_byte_array_new();
  forget_memory(frame);
  frame->memory = SWIN_FRAME_MEMORY_DMABUF;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++) {
    frame->dmabuf[i] = -1;
    if (!host->bytes[i])
      continue;
    g_byte_array_append(bytes, (const guint8 *)"nothing", 7);
    frame->dmabuf_offset[i] = bytes->len;
    g_byte_array_append(bytes, host->bytes[i], (guint)host->sizes[i]);
    if (in_one)
      continue;
    frame->dmabuf[i] = application_memfd(bytes->data, bytes->len);
    g_byte_array_set_size(bytes, 0);
  }
  const gint fd = in_one ? application_memfd(bytes->data, bytes->len) : -1;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES && in_one; i++)
    frame->dmabuf[i] = host->bytes[i] ? fd : -1;
  g_byte_array_unref(bytes);
}

void frame_memfds_close(const SwinFrame *frame) {
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    if (frame->dmabuf[i] >= 0 && (i == 0 || frame->dmabuf[i] != frame->dmabuf[0]))
      close(frame->dmabuf[i]);
}
