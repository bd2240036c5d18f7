// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * vulkan.h: frames in GStreamer's Vulkan images, and the device that they are on. vulkan.c is the
 * one file that knows GstVulkan and its releases; built without it, nothing here finds anything.
 */
#ifndef SWIN_PLUGIN_VULKAN_H
#define SWIN_PLUGIN_VULKAN_H

#include <gst/video/video.h>

#include "swin.h"

/**
 * SwinVulkan: what an element knows of the pipeline's Vulkan: instance, device and queue, as far as
 * contexts have told. Any thread.
 */
typedef struct _SwinVulkan SwinVulkan;

SwinVulkan *swin_vulkan_new(void);
void swin_vulkan_free(SwinVulkan *vulkan); /* NULL-safe */

/** swin_vulkan_set_context: GstElement's set_context(); other contexts are ignored. */
void swin_vulkan_set_context(SwinVulkan *vulkan, GstElement *element, GstContext *context);

/** swin_vulkan_answer_query: answers a CONTEXT query about what is known; FALSE: not one of those.
 */
gboolean swin_vulkan_answer_query(SwinVulkan *vulkan, GstElement *element, GstQuery *query);

/**
 * swin_vulkan_find_device: the device of the pipeline's Vulkan elements, as libswin's: asks the
 * neighbours, then the bin and the application. Never makes one.
 *
 * Returns: (transfer full) (nullable): NULL where there is none (@error is not set), or with an
 *   error where there is one that libswin cannot use.
 */
SwinDevice *swin_vulkan_find_device(SwinVulkan *vulkan, GstElement *element, GError **error);

/** swin_vulkan_forget: on the way to READY: lets go of device and queue. */
void swin_vulkan_forget(SwinVulkan *vulkan);

/** swin_vulkan_append_caps: adds to @caps what the element takes in Vulkan images. */
void swin_vulkan_append_caps(GstCaps *caps);

/** swin_vulkan_parse: whether @caps are of Vulkan images that the element takes; sets @info. */
gboolean swin_vulkan_parse(GstVideoInfo *info, const GstCaps *caps);

/** swin_vulkan_is_image: whether the pixels of @buffer are in Vulkan images. */
gboolean swin_vulkan_is_image(GstBuffer *buffer);

/**
 * swin_vulkan_copy: a copy of @buffer, images and metadata, for a frame that others use while it is
 * read: one that is sent on before it has been read, or that came through a tee. GstVulkan has no
 * lock for what is known of an image (its layout, the value of its semaphore), so whoever uses it
 * must do so in the streaming thread that has the buffer. This does: the commands that copy are on
 * the queue when it returns. No pixel passes the host.
 *
 * Call in the sink pad's streaming thread.
 *
 * Returns: (transfer full): or NULL with %SWIN_ERROR_FRAME, %SWIN_ERROR_DEVICE or
 *   %SWIN_ERROR_DEVICE_LOST.
 */
GstBuffer *swin_vulkan_copy(SwinVulkan *vulkan, GstBuffer *buffer, const GstVideoInfo *info,
                            GError **error);

/** SwinVulkanFrame: the images of one buffer, readable; what SwinFrame.images calls. */
typedef struct _SwinVulkanFrame SwinVulkanFrame;

/**
 * swin_vulkan_map: describes the images of @buffer. SwinFrame.images.begin and .end take a pointer
 * to a struct whose first member is the SwinVulkanFrame that is returned. Nobody else may use the
 * images before they have been read; where somebody might, map a swin_vulkan_copy().
 * @frame: (inout): already described but for memory
 *
 * Returns: (transfer full): or NULL with %SWIN_ERROR_FRAME: images of another device than @device,
 *   or of a layout that the element does not know.
 */
SwinVulkanFrame *swin_vulkan_map(GstBuffer *buffer, const GstVideoInfo *info, SwinDevice *device,
                                 SwinFrame *frame, GError **error);
void swin_vulkan_unmap(SwinVulkanFrame *frame); /* NULL-safe */

#endif /* SWIN_PLUGIN_VULKAN_H */
