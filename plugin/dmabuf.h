// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * dmabuf.h: frames in dma-bufs: their caps, which differ between GStreamer releases, and their
 * description.
 */
#ifndef SWIN_PLUGIN_DMABUF_H
#define SWIN_PLUGIN_DMABUF_H

#include <gst/video/video.h>

#include "swin.h"

/** swin_dmabuf_append_caps: adds to @caps what the element takes in dma-bufs: linear ones. */
void swin_dmabuf_append_caps(GstCaps *caps);

/** swin_dmabuf_parse: whether @caps are of dma-bufs that the element takes; then @info is set. */
gboolean swin_dmabuf_parse(GstVideoInfo *info, const GstCaps *caps);

/**
 * swin_dmabuf_describe: where the planes of @buffer lie, if all of it is in dma-bufs.
 * @info: of the stream; a GstVideoMeta has the last word on strides and offsets
 * @frame: (inout): already described but for memory
 *
 * Returns: FALSE where the buffer is in other memory or the planes do not fit into it; @frame is
 *   then as it was. File descriptors are those of @buffer.
 */
gboolean swin_dmabuf_describe(GstBuffer *buffer, const GstVideoInfo *info, SwinFrame *frame);

#endif /* SWIN_PLUGIN_DMABUF_H */
