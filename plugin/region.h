// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * region.h: which parts of a frame are looked at: all of it, or the objects that a detector
 * upstream has marked: GstAnalyticsODMtd (GStreamer 1.24 and later) and
 * GstVideoRegionOfInterestMeta.
 */
#ifndef SWIN_PLUGIN_REGION_H
#define SWIN_PLUGIN_REGION_H

#include <gst/video/video.h>

#include "swin.h"

typedef enum {
  SWIN_REGION_FRAME,     /* the whole frame */
  SWIN_REGION_ANALYTICS, /* a GstAnalyticsODMtd */
  SWIN_REGION_ROI,       /* a GstVideoRegionOfInterestMeta */
} SwinRegionKind;

/** SwinRegion: plain data. */
typedef struct {
  SwinRegionKind kind;
  SwinRectangle rectangle; /* inside the frame, at least 1 x 1 pixel */
  guint frame_width;       /* of the frame, or of what a GstVideoCropMeta leaves of it, in pixels */
  guint frame_height;
  guint id;            /* analytics: of the GstAnalyticsODMtd in its relation meta; ROI: its
                          position among the buffer's ROI metas */
  GQuark object_class; /* what the detector says it is; 0: nothing */
  gboolean is_tracked; /* whether track is known */
  guint64 track;       /* the same object in another frame has the same */
} SwinRegion;

/** SwinRegionOptions: which objects are looked at. */
typedef struct {
  gchar **classes;  /* (nullable): NULL-terminated; NULL or empty: objects of every class */
  guint min_width;  /* pixels; objects of which less is on the frame are passed over */
  guint min_height; /* pixels */
} SwinRegionOptions;

/** swin_region_of_frame: the whole of a frame. */
SwinRegion swin_region_of_frame(const GstVideoInfo *info);

/**
 * swin_regions_find: (transfer full): an array of #SwinRegion: the objects on @buffer that @options
 * want, cut to the frame, or to what a GstVideoCropMeta leaves of it. Of an object that is turned
 * it is the upright box around it. One of which nothing is left is none. An object that a detector
 * marked both ways, as DL Streamer does, is found once, as a GstAnalyticsODMtd.
 *
 * Tracks are those of a GstAnalyticsTrackingMtd that is related to the object, or, of a
 * GstVideoRegionOfInterestMeta, the field `id` (int) of its parameter `object_id`, which is where
 * DL Streamer's tracker leaves them.
 */
GArray *swin_regions_find(GstBuffer *buffer, const GstVideoInfo *info,
                          const SwinRegionOptions *options);

/**
 * swin_region_describe: sets the fields of @structure that say which object a region is: `region`
 * (array of x, y, width, height: uint), `frame-width` and `frame-height` (uint), `object-class`
 * (string) where it has one, `track` (guint64) where it is tracked. None for the whole frame.
 */
void swin_region_describe(const SwinRegion *region, GstStructure *structure);

#endif /* SWIN_PLUGIN_REGION_H */
