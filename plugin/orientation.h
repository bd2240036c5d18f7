// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * orientation.h: how a stream's tags say its pictures have to be turned to be upright.
 */
#ifndef SWIN_PLUGIN_ORIENTATION_H
#define SWIN_PLUGIN_ORIENTATION_H

#include <gst/video/video.h>

#include "swin.h"

/** SwinOrientationTags: what tags have said. Plain data; all zero: nothing. */
typedef struct {
  gboolean has_stream, has_global; /* whether they have said anything */
  GstVideoOrientationMethod stream, global;
  gboolean has_group;
  guint group; /* of streams that belong together, and share the global tags */
} SwinOrientationTags;

/** swin_orientation_handle_event: heeds TAG and STREAM_START events, no others. */
void swin_orientation_handle_event(SwinOrientationTags *tags, GstEvent *event);

/**
 * swin_orientation_resolve: what has to be done to a frame.
 * @method: what the user wants; %GST_VIDEO_ORIENTATION_AUTO: what the tags say, those of the stream
 *   before global ones
 */
SwinOrientation swin_orientation_resolve(const SwinOrientationTags *tags,
                                         GstVideoOrientationMethod method);

#endif /* SWIN_PLUGIN_ORIENTATION_H */
