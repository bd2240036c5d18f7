// SPDX-License-Identifier: LGPL-2.1-or-later
#include "orientation.h"

static void handle_tags(SwinOrientationTags *tags, GstEvent *event) {
  GstVideoOrientationMethod method;
  GstTagList *list;

  gst_event_parse_tag(event, &list);
  if (!gst_video_orientation_from_tag(list, &method))
    return;
  if (gst_tag_list_get_scope(list) == GST_TAG_SCOPE_STREAM) {
    tags->has_stream = TRUE;
    tags->stream = method;
  } else {
    tags->has_global = TRUE;
    tags->global = method;
  }
}

// Tags of a stream end with it, global ones with the group that it belongs to.
static void handle_stream_start(SwinOrientationTags *tags, GstEvent *event) {
  guint group = 0;
  gboolean has_group = gst_event_parse_group_id(event, &group);

  tags->has_stream = FALSE;
  if (!has_group || !tags->has_group || group != tags->group)
    tags->has_global = FALSE;
  tags->has_group = has_group;
  tags->group = group;
}

void swin_orientation_handle_event(SwinOrientationTags *tags, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_TAG)
    handle_tags(tags, event);
  else if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START)
    handle_stream_start(tags, event);
}

SwinOrientation swin_orientation_resolve(const SwinOrientationTags *tags,
                                         GstVideoOrientationMethod method) {
  if (method == GST_VIDEO_ORIENTATION_AUTO) {
    if (tags->has_stream)
      method = tags->stream;
    else
      method = tags->has_global ? tags->global : GST_VIDEO_ORIENTATION_IDENTITY;
  }
  // The values are the same; beyond them a method says nothing of a picture.
  return method <= GST_VIDEO_ORIENTATION_UR_LL ? (SwinOrientation)method
                                               : SWIN_ORIENTATION_IDENTITY;
}
