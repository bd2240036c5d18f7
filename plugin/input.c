// SPDX-License-Identifier: LGPL-2.1-or-later
#include "input.h"

#include "dmabuf.h"
#include "frame.h"
#include "vulkan.h"

struct _SwinMapping {
  SwinVulkanFrame *vulkan; /* (nullable): owned; first, as swin_vulkan_map() wants it */
  gatomicrefcount ref_count;
  GstBuffer *buffer;   /* owned */
  GstVideoFrame video; /* of host memory */
  gboolean mapped;     /* video is */
};

GstCaps *swin_input_caps(void) {
  g_autoptr(GArray) formats = swin_frame_formats();
  GstCaps *caps = gst_caps_new_empty();
  GValue names = G_VALUE_INIT;

  swin_vulkan_append_caps(caps);
  swin_dmabuf_append_caps(caps);
  swin_frame_format_names(formats, &names);
  swin_frame_append_caps(caps, NULL, "format", &names);
  g_value_unset(&names);
  return caps;
}

static gboolean is_system_memory(const GstCaps *caps) {
  return gst_caps_features_is_equal(gst_caps_get_features(caps, 0),
                                    GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
}

gboolean swin_input_parse(SwinInput *input, const GstCaps *caps) {
  g_autoptr(GstCaps) accepted = swin_input_caps();

  if (!gst_caps_is_fixed(caps) || !gst_caps_can_intersect(caps, accepted))
    return FALSE;
  if (swin_vulkan_parse(&input->video, caps)) {
    input->memory = SWIN_FRAME_MEMORY_IMAGE;
    return TRUE;
  }
  if (swin_dmabuf_parse(&input->video, caps)) {
    input->memory = SWIN_FRAME_MEMORY_DMABUF;
    return TRUE;
  }
  input->memory = SWIN_FRAME_MEMORY_HOST;
  return is_system_memory(caps) && gst_video_info_from_caps(&input->video, caps);
}

static gboolean map_host(SwinMapping *mapping, const GstVideoInfo *info, SwinFrame *frame,
                         GError **error) {
  if (!gst_video_frame_map(&mapping->video, info, mapping->buffer,
                           GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The buffer of %" G_GSIZE_FORMAT " bytes cannot be read as a %s picture of %d x %d "
                "pixels, which takes %" G_GSIZE_FORMAT ".",
                gst_buffer_get_size(mapping->buffer), info->finfo->name, GST_VIDEO_INFO_WIDTH(info),
                GST_VIDEO_INFO_HEIGHT(info), GST_VIDEO_INFO_SIZE(info));
    return FALSE;
  }
  mapping->mapped = TRUE;
  return swin_frame_set_host_memory(frame, &mapping->video, error);
}

// The buffer's memory decides, whatever the caps' features name.
static gboolean map_memory(SwinMapping *mapping, const GstVideoInfo *info, SwinDevice *device,
                           SwinFrame *frame, GError **error) {
  if (swin_vulkan_is_image(mapping->buffer)) {
    mapping->vulkan = swin_vulkan_map(mapping->buffer, info, device, frame, error);
    return mapping->vulkan != NULL;
  }
  return (swin_device_takes_memory(device, SWIN_FRAME_MEMORY_DMABUF) &&
          swin_dmabuf_describe(mapping->buffer, info, frame)) ||
         map_host(mapping, info, frame, error);
}

SwinMapping *swin_input_map(const SwinInput *input, GstBuffer *buffer, SwinDevice *device,
                            SwinFrame *frame, GError **error) {
  g_autoptr(SwinMapping) mapping = g_new0(SwinMapping, 1);

  g_atomic_ref_count_init(&mapping->ref_count);
  mapping->buffer = gst_buffer_ref(buffer);
  if (!swin_frame_describe(buffer, &input->video, frame, error) ||
      !map_memory(mapping, &input->video, device, frame, error))
    return NULL;
  return g_steal_pointer(&mapping);
}

SwinMapping *swin_mapping_ref(SwinMapping *mapping) {
  g_atomic_ref_count_inc(&mapping->ref_count);
  return mapping;
}

void swin_mapping_unref(gpointer data) {
  SwinMapping *mapping = data;

  if (mapping == NULL || !g_atomic_ref_count_dec(&mapping->ref_count))
    return;
  swin_vulkan_unmap(mapping->vulkan);
  if (mapping->mapped)
    gst_video_frame_unmap(&mapping->video);
  gst_buffer_unref(mapping->buffer);
  g_free(mapping);
}
