// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * frame.h: from GStreamer's description of a picture to libswin's.
 */
#ifndef SWIN_PLUGIN_FRAME_H
#define SWIN_PLUGIN_FRAME_H

#include <gst/video/video.h>

#include "swin.h"

/**
 * swin_frame_formats: (transfer full): the formats that the element takes, of those that this
 * release of GstVideo knows, as an array of GstVideoFormat: every one that #SwinFrameComponent can
 * describe, which leaves out tiles, palettes and samples packed across words. What costs least to
 * read comes first.
 */
GArray *swin_frame_formats(void);

/**
 * swin_frame_append_caps: adds to @caps raw video of any size and rate.
 * @feature: (nullable): what the caps' features name; NULL: system memory
 * @field: "format" or another field that names formats
 * @names: of them; a GST_TYPE_LIST of strings
 *
 * Returns: (transfer none): the structure, for further fields.
 */
GstStructure *swin_frame_append_caps(GstCaps *caps, const gchar *feature, const gchar *field,
                                     const GValue *names);

/** swin_frame_format_names: sets @names, which is zeroed memory, to those of @formats. */
void swin_frame_format_names(const GArray *formats, GValue *names);

/**
 * swin_frame_describe: describes the picture in @buffer but for its memory and orientation: layout
 * of the format, colorimetry, chroma siting, fields, and as the crop what a GstVideoCropMeta leaves
 * of it. The size is that of a GstVideoMeta, which may be larger than the caps say.
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME when the metadata contradict @info or each other.
 */
gboolean swin_frame_describe(GstBuffer *buffer, const GstVideoInfo *info, SwinFrame *frame,
                             GError **error);

/**
 * swin_frame_component_fits: whether the last word of a component lies within @size bytes that
 * begin with the first one of its plane.
 */
gboolean swin_frame_component_fits(const SwinFrame *frame, guint index, gsize size);

/** swin_frame_n_components: 1 for gray, else 3. */
guint swin_frame_n_components(const SwinFrame *frame);

/**
 * swin_frame_set_host_memory: lets @frame, which swin_frame_describe() described, point into
 * @video. Nothing is copied. Strides and offsets are those of the mapped frame, so padding and
 * GstVideoMeta are respected.
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME when the planes do not fit into the mapped memory.
 */
gboolean swin_frame_set_host_memory(SwinFrame *frame, const GstVideoFrame *video, GError **error);

#endif /* SWIN_PLUGIN_FRAME_H */
