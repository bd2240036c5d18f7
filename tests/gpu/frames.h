// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * frames.h: the same noisy picture in host memory, in images and in memfds that stand in for
 * dma-bufs, for tests.
 */
#ifndef SWIN_TESTS_GPU_FRAMES_H
#define SWIN_TESTS_GPU_FRAMES_H

#include "gpu/application.h"

/** FrameLayout: components of a frame, and formats of images for its planes. */
typedef struct {
  const gchar *name;
  VkFormat formats[SWIN_FRAME_MAX_PLANES]; /* one for several planes: an image of those planes */
  guint texel_sizes[SWIN_FRAME_MAX_PLANES];
  SwinColorModel model;
  SwinFrameComponent component[3];
} FrameLayout;

extern const FrameLayout frame_layout_bgra;
extern const FrameLayout frame_layout_gray;
extern const FrameLayout frame_layout_nv12;
extern const FrameLayout frame_layout_nv12_in_one;
/* Texels of 8 bytes need not start at a multiple of 8 in the upload; of these, 1 byte is needed. */
extern const FrameLayout frame_layout_wide;
/* The same behind a plane whose upload need not be a multiple of 8. */
extern const FrameLayout frame_layout_wide_chroma;
/* Texels of 3 bytes start anywhere; few devices have them. */
extern const FrameLayout frame_layout_rgb;

/** FrameHost: a picture in host memory. */
typedef struct {
  SwinFrame frame;
  guint8 *bytes[SWIN_FRAME_MAX_PLANES];
  gsize sizes[SWIN_FRAME_MAX_PLANES];
} FrameHost;

/** frame_host_make: rows are packed, but for @padding bytes behind each. */
FrameHost frame_host_make(const FrameLayout *layout, guint width, guint height, guint padding);
void frame_host_clear(FrameHost *host);

/** FrameImages: what SwinFrameImages.begin and .end are given as keep_alive. */
typedef struct {
  guint n_images;
  ApplicationImage *images[SWIN_FRAME_MAX_PLANES];
  guint n_begun, n_ended; /* calls */
} FrameImages;

/**
 * frame_images_make: new images with the pixels of @host, which has no padding.
 * @images: (out): frame_images_clear(); must stay where it is, as keep_alive of the frame
 * @frame: (inout): its memory is set
 *
 * Returns: FALSE where the device has no such images.
 */
gboolean frame_images_make(Application *application, const FrameLayout *layout,
                           const FrameHost *host, FrameImages *images, SwinFrame *frame);
void frame_images_clear(FrameImages *images);

/**
 * frame_memfds_make: the planes of @host, each behind bytes of nothing, in one memfd or in several.
 * @frame: (inout): its memory is set; frame_memfds_close()
 */
void frame_memfds_make(const FrameHost *host, gboolean in_one, SwinFrame *frame);
void frame_memfds_close(const SwinFrame *frame);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FrameHost, frame_host_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FrameImages, frame_images_clear)

#endif /* SWIN_TESTS_GPU_FRAMES_H */
