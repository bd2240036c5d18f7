// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vulkan-format.h"

#include "swin.h"

/** ImageFormat: a VkFormat that GstVulkan uses in some release (gstvkformat.c). */
typedef struct {
  VkFormat format;
  guint n_planes;
  guint texel_size[3]; // of each plane, in bytes; Vulkan specification, "Compatible Formats of
                       // Planes of Multi-Planar Formats"
} ImageFormat;

static const ImageFormat image_formats[] = {
    {VK_FORMAT_R8_UNORM, 1, {1}},
    {VK_FORMAT_R8G8_UNORM, 1, {2}},
    {VK_FORMAT_R8G8B8A8_UNORM, 1, {4}},
    {VK_FORMAT_R8G8B8A8_SRGB, 1, {4}},
    {VK_FORMAT_B8G8R8A8_UNORM, 1, {4}},
    {VK_FORMAT_B8G8R8A8_SRGB, 1, {4}},
    {VK_FORMAT_R5G6B5_UNORM_PACK16, 1, {2}},
    {VK_FORMAT_B5G6R5_UNORM_PACK16, 1, {2}},
    {VK_FORMAT_R16_UNORM, 1, {2}},
    {VK_FORMAT_R16G16_UNORM, 1, {4}},
    {VK_FORMAT_R16G16B16A16_UNORM, 1, {8}},
    {VK_FORMAT_R10X6_UNORM_PACK16, 1, {2}},
    {VK_FORMAT_R10X6G10X6_UNORM_2PACK16, 1, {4}},
    {VK_FORMAT_R12X4_UNORM_PACK16, 1, {2}},
    {VK_FORMAT_R12X4G12X4_UNORM_2PACK16, 1, {4}},
    {VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, 2, {1, 2}},
    {VK_FORMAT_G8_B8R8_2PLANE_422_UNORM, 2, {1, 2}},
    {VK_FORMAT_G10X6_B10X6R10X6_2PLANE_420_UNORM_3PACK16, 2, {2, 4}},
    {VK_FORMAT_G12X4_B12X4R12X4_2PLANE_420_UNORM_3PACK16, 2, {2, 4}},
    {VK_FORMAT_G16_B16R16_2PLANE_420_UNORM, 2, {2, 4}},
    {VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, 3, {1, 1, 1}},
    {VK_FORMAT_G8_B8_R8_3PLANE_422_UNORM, 3, {1, 1, 1}},
    {VK_FORMAT_G8_B8_R8_3PLANE_444_UNORM, 3, {1, 1, 1}},
    {VK_FORMAT_G16_B16_R16_3PLANE_420_UNORM, 3, {2, 2, 2}},
    {VK_FORMAT_G16_B16_R16_3PLANE_422_UNORM, 3, {2, 2, 2}},
    {VK_FORMAT_G16_B16_R16_3PLANE_444_UNORM, 3, {2, 2, 2}},
};

// The first component whose samples are in @plane, or G_MAXUINT.
static guint first_component(const GstVideoFormatInfo *format, guint plane) {
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format); i++)
    if (GST_VIDEO_FORMAT_INFO_PLANE(format, i) == plane)
      return i;
  return G_MAXUINT;
}

// 0 where a pixel is no texel: in YUY2, where two share U and V, and in the three bytes of RGB, of
// which hardly a driver has images.
guint swin_vulkan_format_texel_size(const GstVideoFormatInfo *format, guint plane) {
  guint first = first_component(format, plane);
  gint size;

  if (first == G_MAXUINT)
    return 0;
  size = GST_VIDEO_FORMAT_INFO_PSTRIDE(format, first);
  for (guint i = first; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format); i++)
    if (GST_VIDEO_FORMAT_INFO_PLANE(format, i) == plane &&
        (GST_VIDEO_FORMAT_INFO_PSTRIDE(format, i) != size ||
         GST_VIDEO_FORMAT_INFO_W_SUB(format, i) != GST_VIDEO_FORMAT_INFO_W_SUB(format, first) ||
         GST_VIDEO_FORMAT_INFO_H_SUB(format, i) != GST_VIDEO_FORMAT_INFO_H_SUB(format, first)))
      return 0;
  return size == 1 || size == 2 || size == 4 || size == 8 ? (guint)size : 0;
}

gboolean swin_vulkan_format_fits(const GstVideoFormatInfo *format) {
  guint n_planes = GST_VIDEO_FORMAT_INFO_N_PLANES(format);

  for (guint plane = 0; plane < n_planes; plane++)
    if (swin_vulkan_format_texel_size(format, plane) == 0)
      return FALSE;
  return n_planes >= 1 && n_planes <= SWIN_FRAME_MAX_PLANES;
}

VkExtent2D swin_vulkan_format_plane_extent(const GstVideoFormatInfo *format, guint plane,
                                           guint width, guint height) {
  guint component = first_component(format, plane);

  return (VkExtent2D){GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(format, component, width),
                      GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(format, component, height)};
}

static const ImageFormat *find_format(VkFormat format) {
  for (guint i = 0; i < G_N_ELEMENTS(image_formats); i++)
    if (image_formats[i].format == format)
      return &image_formats[i];
  return NULL;
}

gboolean swin_vulkan_format_matches(VkFormat image_format, const GstVideoFormatInfo *format,
                                    guint first_plane, guint n_planes) {
  const ImageFormat *known = find_format(image_format);

  if (known == NULL || known->n_planes != n_planes)
    return FALSE;
  for (guint i = 0; i < n_planes; i++)
    if (known->texel_size[i] != swin_vulkan_format_texel_size(format, first_plane + i))
      return FALSE;
  // Several planes of an image are in the order Y, U, V, and so are the halves of their texels.
  return n_planes == 1 || (GST_VIDEO_FORMAT_INFO_PLANE(format, 1) == 1 &&
                           GST_VIDEO_FORMAT_INFO_POFFSET(format, 1) == 0);
}
