// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dmabuf.h"

#include <gst/allocators/gstdmabuf.h>

#include "frame.h"

/* ---- Caps ---------------------------------------------------------------------------------- */

#if GST_CHECK_VERSION(1, 24, 0)

// From drm_fourcc.h.
#define DRM_FORMAT_INVALID 0
#define DRM_FORMAT_MOD_LINEAR 0

// From 1.24 on the format of a dma-buf is one of the kernel's, with a modifier that says how its
// pixels are arranged; linear is written without.
static void append_drm_caps(GstCaps *caps, const GArray *formats) {
  GValue names = G_VALUE_INIT;
  GstStructure *structure;

  g_value_init(&names, GST_TYPE_LIST);
  for (guint i = 0; i < formats->len; i++) {
    guint32 fourcc =
        gst_video_dma_drm_fourcc_from_format(g_array_index(formats, GstVideoFormat, i));
    GValue name = G_VALUE_INIT;

    if (fourcc == DRM_FORMAT_INVALID)
      continue;
    g_value_init(&name, G_TYPE_STRING);
    g_value_take_string(&name, gst_video_dma_drm_fourcc_to_string(fourcc, DRM_FORMAT_MOD_LINEAR));
    gst_value_list_append_and_take_value(&names, &name);
  }
  structure = swin_frame_append_caps(caps, GST_CAPS_FEATURE_MEMORY_DMABUF, "drm-format", &names);
  gst_structure_set(structure, "format", G_TYPE_STRING, "DMA_DRM", NULL);
  g_value_unset(&names);
}

static gboolean is_drm(const GstCaps *caps) {
  return gst_video_is_dma_drm_caps(caps);
}

static gboolean parse_drm(GstVideoInfo *info, const GstCaps *caps) {
  GstVideoInfoDmaDrm drm;

  return gst_video_info_dma_drm_from_caps(&drm, caps) &&
         drm.drm_modifier == DRM_FORMAT_MOD_LINEAR &&
         gst_video_info_dma_drm_to_video_info(&drm, info);
}

#else

static void append_drm_caps(GstCaps *caps, const GArray *formats) {
  (void)caps;
  (void)formats;
}

static gboolean is_drm(const GstCaps *caps) {
  (void)caps;
  return FALSE;
}

static gboolean parse_drm(GstVideoInfo *info, const GstCaps *caps) {
  (void)info;
  (void)caps;
  return FALSE;
}

#endif

void swin_dmabuf_append_caps(GstCaps *caps) {
  g_autoptr(GArray) formats = swin_frame_formats();
  GValue names = G_VALUE_INIT;

  append_drm_caps(caps, formats);
  // As it was before 1.24, and as some elements have it still.
  swin_frame_format_names(formats, &names);
  swin_frame_append_caps(caps, GST_CAPS_FEATURE_MEMORY_DMABUF, "format", &names);
  g_value_unset(&names);
}

gboolean swin_dmabuf_parse(GstVideoInfo *info, const GstCaps *caps) {
  const GstCapsFeatures *features = gst_caps_get_features(caps, 0);

  if (features == NULL || !gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_DMABUF))
    return FALSE;
  return is_drm(caps) ? parse_drm(info, caps) : gst_video_info_from_caps(info, caps);
}

/* ---- Buffers ------------------------------------------------------------------------------- */

/** Layout: where the planes of a picture begin within its buffer. */
typedef struct {
  const gsize *offset;
  const gint *stride;
} Layout;

static Layout find_layout(GstBuffer *buffer, const GstVideoInfo *info) {
  const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);

  return meta != NULL ? (Layout){meta->offset, meta->stride} : (Layout){info->offset, info->stride};
}

static gboolean describe_component(GstBuffer *buffer, Layout layout, guint index,
                                   SwinFrame *frame) {
  guint plane = frame->component[index].plane, memory_index, n_memories;
  GstMemory *memory;
  gsize skip;

  if (layout.stride[plane] <= 0 ||
      !gst_buffer_find_memory(buffer, layout.offset[plane], 1, &memory_index, &n_memories, &skip))
    return FALSE;
  memory = gst_buffer_peek_memory(buffer, memory_index);
  if (!gst_is_dmabuf_memory(memory))
    return FALSE;
  frame->strides[plane] = (gsize)layout.stride[plane];
  frame->dmabuf[plane] = gst_dmabuf_memory_get_fd(memory);
  frame->dmabuf_offset[plane] = (guint64)memory->offset + skip;
  return swin_frame_component_fits(frame, index, memory->size - skip);
}

gboolean swin_dmabuf_describe(GstBuffer *buffer, const GstVideoInfo *info, SwinFrame *frame) {
  Layout layout = find_layout(buffer, info);
  SwinFrame described = *frame;

  described.memory = SWIN_FRAME_MEMORY_DMABUF;
  for (guint i = 0; i < swin_frame_n_components(frame); i++)
    if (!describe_component(buffer, layout, i, &described))
      return FALSE;
  *frame = described;
  return TRUE;
}
