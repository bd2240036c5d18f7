// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frame.h"

static SwinColorModel color_model(const GstVideoFormatInfo *format) {
  if (GST_VIDEO_FORMAT_INFO_IS_GRAY(format))
    return SWIN_COLOR_GRAY;
  return GST_VIDEO_FORMAT_INFO_IS_YUV(format) ? SWIN_COLOR_YUV : SWIN_COLOR_RGB;
}

// Where the stream names a matrix that libswin has not, the nearest: FCC's coefficients are those
// of BT.601 but for the third digit, SMPTE 240M's likewise those of BT.709.
static SwinColorMatrix color_matrix(const GstVideoInfo *info) {
  switch (info->colorimetry.matrix) {
  case GST_VIDEO_COLOR_MATRIX_BT709:
  case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
    return SWIN_COLOR_MATRIX_BT709;
  case GST_VIDEO_COLOR_MATRIX_BT2020:
    return SWIN_COLOR_MATRIX_BT2020;
  case GST_VIDEO_COLOR_MATRIX_UNKNOWN:
    // As GStreamer guesses where caps are silent: high definition starts above 576 lines.
    return GST_VIDEO_INFO_HEIGHT(info) > 576 ? SWIN_COLOR_MATRIX_BT709 : SWIN_COLOR_MATRIX_BT601;
  default:
    return SWIN_COLOR_MATRIX_BT601;
  }
}

static SwinColorRange color_range(const GstVideoInfo *info) {
  switch (info->colorimetry.range) {
  case GST_VIDEO_COLOR_RANGE_0_255:
    return SWIN_COLOR_RANGE_FULL;
  case GST_VIDEO_COLOR_RANGE_16_235:
    return SWIN_COLOR_RANGE_LIMITED;
  default:
    return GST_VIDEO_FORMAT_INFO_IS_YUV(info->finfo) ? SWIN_COLOR_RANGE_LIMITED
                                                     : SWIN_COLOR_RANGE_FULL;
  }
}

// A GstVideoMeta is believed by gst_video_frame_map() whatever it says, so its last byte is checked
// here.
static gboolean component_fits(const GstVideoFrame *video, const SwinFrameComponent *component) {
  const GstMapInfo *map = video->meta != NULL ? &video->map[component->plane] : &video->map[0];
  const guint8 *plane = video->data[component->plane];
  gsize columns = ((gsize)GST_VIDEO_FRAME_WIDTH(video) - 1) >> component->shift_x;
  gsize rows = ((gsize)GST_VIDEO_FRAME_HEIGHT(video) - 1) >> component->shift_y;
  gsize last = component->offset + rows * (gsize)video->info.stride[component->plane] +
               columns * component->pixel_stride;

  return plane != NULL && plane >= map->data && plane < map->data + map->size &&
         last < (gsize)(map->data + map->size - plane);
}

static gboolean describe_component(const GstVideoFrame *video, guint index, SwinFrame *frame) {
  const GstVideoFormatInfo *format = video->info.finfo;
  SwinFrameComponent *component = &frame->component[index];
  guint plane = format->plane[index];

  if (video->info.stride[plane] <= 0)
    return FALSE;
  component->plane = plane;
  component->offset = format->poffset[index];
  component->pixel_stride = (guint)format->pixel_stride[index];
  component->shift_x = format->w_sub[index];
  component->shift_y = format->h_sub[index];
  frame->planes[plane] = video->data[plane];
  frame->strides[plane] = (gsize)video->info.stride[plane];
  return component_fits(video, component);
}

gboolean swin_frame_describe(const GstVideoFrame *video, SwinFrame *frame, GError **error) {
  const GstVideoInfo *info = &video->info;
  guint n_components;

  *frame = (SwinFrame)SWIN_FRAME_INIT;
  frame->width = (guint)GST_VIDEO_INFO_WIDTH(info);
  frame->height = (guint)GST_VIDEO_INFO_HEIGHT(info);
  frame->model = color_model(info->finfo);
  frame->matrix = color_matrix(info);
  frame->range = color_range(info);
  n_components = frame->model == SWIN_COLOR_GRAY ? 1 : 3;
  for (guint i = 0; i < n_components; i++) {
    if (describe_component(video, i, frame))
      continue;
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The buffer is too small for a %s picture of %u x %u pixels with the strides that "
                "its video metadata names.",
                info->finfo->name, frame->width, frame->height);
    return FALSE;
  }
  return TRUE;
}

gboolean swin_frame_map(GstBuffer *buffer, const GstVideoInfo *info, SwinFrame *frame,
                        gpointer *keep_alive, GError **error) {
  GstVideoFrame *video = g_new(GstVideoFrame, 1);

  if (!gst_video_frame_map(video, info, buffer, GST_MAP_READ)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The buffer of %" G_GSIZE_FORMAT " bytes cannot be read as a %s picture of %d x %d "
                "pixels, which takes %" G_GSIZE_FORMAT ".",
                gst_buffer_get_size(buffer), info->finfo->name, GST_VIDEO_INFO_WIDTH(info),
                GST_VIDEO_INFO_HEIGHT(info), GST_VIDEO_INFO_SIZE(info));
    g_free(video);
    return FALSE;
  }
  if (!swin_frame_describe(video, frame, error)) {
    swin_frame_unmap(video);
    return FALSE;
  }
  *keep_alive = video;
  return TRUE;
}

void swin_frame_unmap(gpointer keep_alive) {
  GstVideoFrame *video = keep_alive;

  gst_video_frame_unmap(video);
  g_free(video);
}
