// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * vulkan-commands.h: the Vulkan commands that copy images, whosever they are.
 */
#ifndef SWIN_PLUGIN_VULKAN_COMMANDS_H
#define SWIN_PLUGIN_VULKAN_COMMANDS_H

#include "swin.h"

/** SwinVulkanImage: an image and what is known of it. */
typedef struct {
  VkImage image;
  SwinImageState state;
} SwinVulkanImage;

/** SwinVulkanRegion: the part of an image that is one plane, from its corner on. */
typedef struct {
  guint image; /* index into from and to */
  VkImageAspectFlags aspect;
  VkExtent2D extent;
} SwinVulkanRegion;

/** SwinVulkanTransfer: copies of images, on the queue family that owns them. */
typedef struct {
  guint n_images;
  SwinVulkanImage from[SWIN_FRAME_MAX_PLANES];
  SwinVulkanImage to[SWIN_FRAME_MAX_PLANES]; /* what was in them is lost */
  guint n_regions;
  SwinVulkanRegion regions[SWIN_FRAME_MAX_PLANES];
} SwinVulkanTransfer;

/** swin_vulkan_transfer_record: all of @commands; the states become those after it. */
VkResult swin_vulkan_transfer_record(SwinVulkanTransfer *transfer, VkCommandBuffer commands);

/**
 * swin_vulkan_transfer_submit: waits on the device for what used the images last, where semaphores
 * tell, and raises these by 1 when it is done. The queue must be locked.
 */
VkResult swin_vulkan_transfer_submit(SwinVulkanTransfer *transfer, VkQueue queue,
                                     VkCommandBuffer commands, VkFence fence);

#endif /* SWIN_PLUGIN_VULKAN_COMMANDS_H */
