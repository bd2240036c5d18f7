// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * frame.h: from GStreamer's description of a picture to libswin's.
 */
#ifndef SWIN_PLUGIN_FRAME_H
#define SWIN_PLUGIN_FRAME_H

#include <gst/video/video.h>

#include "swin.h"

/**
 * Formats that the element takes: those with 8 bits a component whose components lie at a regular
 * distance in memory, as #SwinFrameComponent describes. Those that cost least to read come first.
 */
#define SWIN_FRAME_FORMATS                                                                         \
  "{ I420, YV12, NV12, NV21, YUY2, UYVY, YVYU, Y42B, Y444, RGB, BGR, RGBx, BGRx, xRGB, xBGR, "     \
  "RGBA, BGRA, ARGB, ABGR, GRAY8 }"

/**
 * swin_frame_describe: describes the picture that is mapped in @video. Nothing is copied: @frame
 * points into @video. Strides, offsets and colorimetry are those of the mapped frame, so padding
 * and GstVideoMeta are respected.
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME when the planes do not fit into the mapped memory.
 */
gboolean swin_frame_describe(const GstVideoFrame *video, SwinFrame *frame, GError **error);

/**
 * swin_frame_map: maps @buffer for reading and describes it. Holds a reference to @buffer.
 * @keep_alive: (out) (transfer full): give it to swin_frame_unmap(), from any thread, when the
 *   pixels are no longer needed
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME when the buffer is no picture of the kind @info describes.
 */
gboolean swin_frame_map(GstBuffer *buffer, const GstVideoInfo *info, SwinFrame *frame,
                        gpointer *keep_alive, GError **error);

/** swin_frame_unmap: a #GDestroyNotify. */
void swin_frame_unmap(gpointer keep_alive);

#endif /* SWIN_PLUGIN_FRAME_H */
