// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * frames.h: frames that are there before anything is measured, in system memory or in the Vulkan
 * images of GStreamer's vulkanupload.
 */
#ifndef SWIN_TESTS_BENCH_VIDEO_FRAMES_H
#define SWIN_TESTS_BENCH_VIDEO_FRAMES_H

#include <gst/gst.h>

/** Frames are handed out in turn: enough of them that none is in the processor's caches still. */
#define FRAMES_N_BUFFERS 12

/** Frames: owns all that it points to. */
typedef struct {
  GstBuffer *buffers[FRAMES_N_BUFFERS];
  GstCaps *caps;
  GstContext *contexts[3]; /* (nullable): Vulkan instance, device and queue of the images */
  GstElement *producer;    /* (nullable): keeps them */
} Frames;

/**
 * frames_new: draws them.
 * @format: a GstVideoFormat's name
 * @images: whether they are in Vulkan images
 *
 * Returns: (transfer full): NULL with an error of GStreamer's where that is not possible
 */
Frames *frames_new(const gchar *format, guint width, guint height, gboolean images, GError **error);
void frames_free(Frames *frames); /* NULL-safe */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Frames, frames_free)

#endif /* SWIN_TESTS_BENCH_VIDEO_FRAMES_H */
