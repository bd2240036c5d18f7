// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * input.h: the pictures that come to the sink pad: what caps say of them, and the pixels of a
 * buffer where they are: in system memory (frame.h), in dma-bufs (dmabuf.h) or in Vulkan images
 * (vulkan.h).
 */
#ifndef SWIN_PLUGIN_INPUT_H
#define SWIN_PLUGIN_INPUT_H

#include <gst/video/video.h>

#include "swin.h"

/** SwinInput: what caps say of the frames that follow them. Plain data. */
typedef struct {
  GstVideoInfo video;
  SwinFrameMemory memory; /* what the caps' features name; a buffer of another kind of memory is
                             taken as what it is */
} SwinInput;

/** swin_input_caps: (transfer full): all that the element takes, what costs least to read first. */
GstCaps *swin_input_caps(void);

/** swin_input_parse: FALSE when @caps are none of swin_input_caps(). */
gboolean swin_input_parse(SwinInput *input, const GstCaps *caps);

/**
 * SwinMapping: the pixels of one buffer, readable; holds the buffer. Reference counted, any thread:
 * each inference of a part of the frame holds one.
 */
typedef struct _SwinMapping SwinMapping;

/**
 * swin_input_map: makes the picture in @buffer readable for @device and describes it: format,
 * strides, colorimetry, chroma siting, and as the crop what a GstVideoCropMeta leaves of it.
 * @device: that will read it. A dma-buf that it cannot import is mapped as system memory is.
 * @frame: (out): described but for its orientation; its memory is that of the mapping, which is
 *   also the keep_alive that swin_classifier_submit() wants
 *
 * Returns: (transfer full): or NULL with %SWIN_ERROR_FRAME when the buffer is no picture of the
 * kind that @input describes, or lies on another device than @device.
 */
SwinMapping *swin_input_map(const SwinInput *input, GstBuffer *buffer, SwinDevice *device,
                            SwinFrame *frame, GError **error);

SwinMapping *swin_mapping_ref(SwinMapping *mapping);
void swin_mapping_unref(gpointer mapping); /* NULL-safe; a GDestroyNotify */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinMapping, swin_mapping_unref)

#endif /* SWIN_PLUGIN_INPUT_H */
