// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * vulkan-format.h: which Vulkan images hold the planes of which pictures.
 */
#ifndef SWIN_PLUGIN_VULKAN_FORMAT_H
#define SWIN_PLUGIN_VULKAN_FORMAT_H

#include <gst/video/video.h>
#include <vulkan/vulkan_core.h>

/** swin_vulkan_format_fits: whether each pixel of each plane of @format is a texel of its own. */
gboolean swin_vulkan_format_fits(const GstVideoFormatInfo *format);

/** swin_vulkan_format_texel_size: bytes of a texel of @plane, of a format that fits. */
guint swin_vulkan_format_texel_size(const GstVideoFormatInfo *format, guint plane);

/** swin_vulkan_format_plane_extent: texels of @plane of a picture of @width x @height pixels. */
VkExtent2D swin_vulkan_format_plane_extent(const GstVideoFormatInfo *format, guint plane,
                                           guint width, guint height);

/**
 * swin_vulkan_format_matches: whether an image of @image_format holds the @n_planes planes of
 * @format from @first_plane on, byte for byte.
 */
gboolean swin_vulkan_format_matches(VkFormat image_format, const GstVideoFormatInfo *format,
                                    guint first_plane, guint n_planes);

#endif /* SWIN_PLUGIN_VULKAN_FORMAT_H */
