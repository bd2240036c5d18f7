// SPDX-License-Identifier: LGPL-2.1-or-later
#include "region.h"

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

// Pixels by which the edges of two boxes may differ that are one: a scaler rounds position and size
// of each kind in its own way.
#define MAX_EDGE_DIFFERENCE 2

SwinRegion swin_region_of_frame(const GstVideoInfo *info) {
  return (SwinRegion){
      .kind = SWIN_REGION_FRAME,
      .rectangle = {.width = (guint)GST_VIDEO_INFO_WIDTH(info),
                    .height = (guint)GST_VIDEO_INFO_HEIGHT(info)},
      .frame_width = (guint)GST_VIDEO_INFO_WIDTH(info),
      .frame_height = (guint)GST_VIDEO_INFO_HEIGHT(info),
  };
}

/* ---- Boxes --------------------------------------------------------------------------------- */

// The part of the buffer that is the picture; objects count from its corner.
static void get_frame_size(GstBuffer *buffer, const GstVideoInfo *info, guint *width,
                           guint *height) {
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta(buffer);

  *width = (guint)GST_VIDEO_INFO_WIDTH(info);
  *height = (guint)GST_VIDEO_INFO_HEIGHT(info);
  if (crop != NULL && crop->width > 0 && crop->height > 0) {
    *width = crop->width;
    *height = crop->height;
  }
}

// Cuts what lies from @start to @end to what lies from 0 to @limit.
static gboolean cut_side(gint64 start, gint64 end, guint limit, guint *position, guint *length) {
  start = MAX(start, 0);
  end = MIN(end, (gint64)limit);
  if (start >= end)
    return FALSE;
  *position = (guint)start;
  *length = (guint)(end - start);
  return TRUE;
}

// Detectors may mark what lies outside the frame, and sizes that are no sizes.
static gboolean cut(gint64 x, gint64 y, gint64 width, gint64 height, SwinRegion *region) {
  SwinRectangle *rectangle = &region->rectangle;

  return cut_side(x, x + width, region->frame_width, &rectangle->x, &rectangle->width) &&
         cut_side(y, y + height, region->frame_height, &rectangle->y, &rectangle->height);
}

static gboolean are_close(guint one, guint other) {
  return MAX(one, other) - MIN(one, other) <= MAX_EDGE_DIFFERENCE;
}

static gboolean is_same_box(const SwinRectangle *one, const SwinRectangle *other) {
  return are_close(one->x, other->x) && are_close(one->y, other->y) &&
         are_close(one->x + one->width, other->x + other->width) &&
         are_close(one->y + one->height, other->y + other->height);
}

/* ---- GstAnalyticsODMtd --------------------------------------------------------------------- */

#ifdef HAVE_GST_ANALYTICS

static void read_track(GstAnalyticsODMtd *object, SwinRegion *region) {
  GstAnalyticsTrackingMtd tracking;
  GstClockTime first_seen, last_seen;
  gboolean is_lost;

  // Trackers differ in the kind of relation that they set.
  region->is_tracked = gst_analytics_relation_meta_get_direct_related(
                           object->meta, object->id, GST_ANALYTICS_REL_TYPE_ANY,
                           gst_analytics_tracking_mtd_get_mtd_type(), NULL, &tracking) &&
                       gst_analytics_tracking_mtd_get_info(&tracking, &region->track, &first_seen,
                                                           &last_seen, &is_lost);
}

static void find_analytics(GstBuffer *buffer, guint frame_width, guint frame_height,
                           GArray *regions) {
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta(buffer);
  GstAnalyticsODMtd object;
  gpointer state = NULL;

  while (meta != NULL && gst_analytics_relation_meta_iterate(
                             meta, &state, gst_analytics_od_mtd_get_mtd_type(), &object)) {
    SwinRegion region = {.kind = SWIN_REGION_ANALYTICS,
                         .frame_width = frame_width,
                         .frame_height = frame_height,
                         .id = object.id};
    gint x, y, width, height;

    // Of an object that is turned this is the upright box around it.
    if (!gst_analytics_od_mtd_get_location(&object, &x, &y, &width, &height, NULL) ||
        !cut(x, y, width, height, &region))
      continue;
    region.object_class = gst_analytics_od_mtd_get_obj_type(&object);
    read_track(&object, &region);
    g_array_append_val(regions, region);
  }
}

#else

static void find_analytics(GstBuffer *buffer, guint frame_width, guint frame_height,
                           GArray *regions) {
  (void)buffer, (void)frame_width, (void)frame_height, (void)regions;
}

#endif

/* ---- GstVideoRegionOfInterestMeta ---------------------------------------------------------- */

// DL Streamer: get_object_id() in src/monolithic/gst/common/gva_utils.cpp.
static void read_object_id(GstVideoRegionOfInterestMeta *meta, SwinRegion *region) {
  const GstStructure *parameter = gst_video_region_of_interest_meta_get_param(meta, "object_id");
  gint id;

  region->is_tracked = parameter != NULL && gst_structure_get_int(parameter, "id", &id);
  if (region->is_tracked)
    region->track = (guint64)(gint64)id;
}

static gboolean is_same_object(const SwinRegion *one, const SwinRegion *other) {
  return is_same_box(&one->rectangle, &other->rectangle) &&
         (one->object_class == other->object_class || one->object_class == 0 ||
          other->object_class == 0);
}

// (nullable): the one of the first @n_analytics regions that is @region marked another way.
static SwinRegion *find_twin(GArray *regions, guint n_analytics, const SwinRegion *region) {
  for (guint i = 0; i < n_analytics; i++) {
    SwinRegion *other = &g_array_index(regions, SwinRegion, i);

    if (is_same_object(other, region))
      return other;
  }
  return NULL;
}

// What only one of the two marks says.
static void merge(SwinRegion *region, const SwinRegion *twin) {
  if (region->object_class == 0)
    region->object_class = twin->object_class;
  if (!region->is_tracked) {
    region->is_tracked = twin->is_tracked;
    region->track = twin->track;
  }
}

static void find_rois(GstBuffer *buffer, guint frame_width, guint frame_height, GArray *regions) {
  const guint n_analytics = regions->len;
  gpointer state = NULL;
  GstMeta *meta;

  for (guint position = 0;
       (meta = gst_buffer_iterate_meta_filtered(
            buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) != NULL;
       position++) {
    GstVideoRegionOfInterestMeta *roi = (GstVideoRegionOfInterestMeta *)meta;
    SwinRegion region = {.kind = SWIN_REGION_ROI,
                         .frame_width = frame_width,
                         .frame_height = frame_height,
                         .id = position,
                         .object_class = roi->roi_type};
    SwinRegion *twin;

    if (!cut(roi->x, roi->y, roi->w, roi->h, &region))
      continue;
    read_object_id(roi, &region);
    twin = find_twin(regions, n_analytics, &region);
    if (twin != NULL)
      merge(twin, &region);
    else
      g_array_append_val(regions, region);
  }
}

/* ---- Choice -------------------------------------------------------------------------------- */

static gboolean is_wanted(const SwinRegion *region, const SwinRegionOptions *options) {
  gchar **classes = options->classes;

  if (region->rectangle.width < options->min_width ||
      region->rectangle.height < options->min_height)
    return FALSE;
  if (classes == NULL || classes[0] == NULL)
    return TRUE;
  return region->object_class != 0 &&
         g_strv_contains((const gchar *const *)classes, g_quark_to_string(region->object_class));
}

GArray *swin_regions_find(GstBuffer *buffer, const GstVideoInfo *info,
                          const SwinRegionOptions *options) {
  GArray *regions = g_array_new(FALSE, FALSE, sizeof(SwinRegion));
  guint width, height, n_wanted = 0;

  get_frame_size(buffer, info, &width, &height);
  find_analytics(buffer, width, height, regions);
  find_rois(buffer, width, height, regions);
  // Only now, so that a twin of an object that is not wanted is not wanted either.
  for (guint i = 0; i < regions->len; i++) {
    SwinRegion region = g_array_index(regions, SwinRegion, i);

    if (is_wanted(&region, options))
      g_array_index(regions, SwinRegion, n_wanted++) = region;
  }
  g_array_set_size(regions, n_wanted);
  return regions;
}

/* ---- Description --------------------------------------------------------------------------- */

void swin_region_describe(const SwinRegion *region, GstStructure *structure) {
  const SwinRectangle *rectangle = &region->rectangle;
  const guint numbers[] = {rectangle->x, rectangle->y, rectangle->width, rectangle->height};
  GValue array = G_VALUE_INIT;

  if (region->kind == SWIN_REGION_FRAME)
    return;
  gst_value_array_init(&array, G_N_ELEMENTS(numbers));
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    GValue number = G_VALUE_INIT;

    g_value_init(&number, G_TYPE_UINT);
    g_value_set_uint(&number, numbers[i]);
    gst_value_array_append_and_take_value(&array, &number);
  }
  gst_structure_take_value(structure, "region", &array);
  gst_structure_set(structure, "frame-width", G_TYPE_UINT, region->frame_width, "frame-height",
                    G_TYPE_UINT, region->frame_height, NULL);
  if (region->object_class != 0)
    gst_structure_set(structure, "object-class", G_TYPE_STRING,
                      g_quark_to_string(region->object_class), NULL);
  if (region->is_tracked)
    gst_structure_set(structure, "track", G_TYPE_UINT64, region->track, NULL);
}
