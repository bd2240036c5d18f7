// SPDX-License-Identifier: LGPL-2.1-or-later
// Objects that a detector has marked on a buffer: which of them are found.
#include <gst/check/gstcheck.h>
#include <string.h>

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#include "region.h"

/* ---- Marks on a buffer --------------------------------------------------------------------- */

static const SwinRegionOptions every_object = {0};

static GstVideoInfo video_of(guint width, guint height) {
  GstVideoInfo info;

  fail_unless(gst_video_info_set_format(&info, GST_VIDEO_FORMAT_RGB, width, height));
  return info;
}

static GArray *find(GstBuffer *buffer, const SwinRegionOptions *options) {
  const GstVideoInfo info = video_of(100, 80);

  return swin_regions_find(buffer, &info, options);
}

static void expect_rectangle(const SwinRegion *region, guint x, guint y, guint width,
                             guint height) {
  const SwinRectangle *found = &region->rectangle;

  fail_unless(found->x == x && found->y == y && found->width == width && found->height == height,
              "the object is at %u, %u, %u x %u", found->x, found->y, found->width, found->height);
}

static void expect_frame(const SwinRegion *region, guint width, guint height) {
  GstStructure *structure = gst_structure_new_empty("test");
  guint found_width, found_height;

  swin_region_describe(region, structure);
  fail_unless(gst_structure_get_uint(structure, "frame-width", &found_width) &&
              gst_structure_get_uint(structure, "frame-height", &found_height));
  fail_unless_equals_int(found_width, width);
  fail_unless_equals_int(found_height, height);
  gst_structure_free(structure);
}

static GstVideoRegionOfInterestMeta *add_roi(GstBuffer *buffer, const gchar *object_class, guint x,
                                             guint y, guint width, guint height) {
  return gst_buffer_add_video_region_of_interest_meta(buffer, object_class, x, y, width, height);
}

// As DL Streamer's gvatrack.
static void set_object_id(GstVideoRegionOfInterestMeta *roi, gint id) {
  gst_video_region_of_interest_meta_add_param(
      roi, gst_structure_new("object_id", "id", G_TYPE_INT, id, NULL));
}

GST_START_TEST(test_whole_frame) {
  const GstVideoInfo info = video_of(101, 7);
  const SwinRegion region = swin_region_of_frame(&info);
  GstStructure *structure = gst_structure_new_empty("test");

  fail_unless(region.kind == SWIN_REGION_FRAME);
  expect_rectangle(&region, 0, 0, 101, 7);
  swin_region_describe(&region, structure);
  fail_unless_equals_int(gst_structure_n_fields(structure), 0);
  gst_structure_free(structure);
}
GST_END_TEST;

// What is left of them within 100 x 80; nothing of some.
GST_START_TEST(test_objects_are_cut_to_the_frame) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  g_autoptr(GArray) none = find(buffer, &every_object);
  g_autoptr(GArray) found = NULL;

  fail_unless_equals_int(none->len, 0);
  add_roi(buffer, "inside", 1, 2, 33, 5);
  add_roi(buffer, "right of it", 100, 0, 10, 10);
  add_roi(buffer, "over the corner", 99, 77, 10, 10);
  add_roi(buffer, "no width", 10, 10, 0, 10);
  add_roi(buffer, "no end", 98, 3, G_MAXUINT, G_MAXUINT);
  add_roi(buffer, "left of it", (guint)-20, 0, 10, 10);
  add_roi(buffer, "all of it", 0, 0, 100, 80);
  found = find(buffer, &every_object);
  fail_unless_equals_int(found->len, 4);
  for (guint i = 0; i < 4; i++) {
    static const guint positions[] = {0, 2, 4, 6};
    const SwinRegion *region = &g_array_index(found, SwinRegion, i);

    fail_unless(region->kind == SWIN_REGION_ROI);
    fail_unless_equals_int(region->id, positions[i]);
    fail_if(region->is_tracked);
  }
  expect_rectangle(&g_array_index(found, SwinRegion, 0), 1, 2, 33, 5);
  expect_rectangle(&g_array_index(found, SwinRegion, 1), 99, 77, 1, 3);
  expect_rectangle(&g_array_index(found, SwinRegion, 2), 98, 3, 2, 77);
  expect_rectangle(&g_array_index(found, SwinRegion, 3), 0, 0, 100, 80);
  expect_frame(&g_array_index(found, SwinRegion, 3), 100, 80);
}
GST_END_TEST;

// Objects count from the corner of the crop, and end where it does.
GST_START_TEST(test_objects_are_cut_to_the_crop) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
  g_autoptr(GArray) found = NULL;

  crop->x = 30;
  crop->y = 20;
  crop->width = 40;
  crop->height = 30;
  add_roi(buffer, NULL, 35, 10, 50, 50);
  add_roi(buffer, NULL, 40, 0, 10, 10);
  found = find(buffer, &every_object);
  fail_unless_equals_int(found->len, 1);
  expect_rectangle(&g_array_index(found, SwinRegion, 0), 35, 10, 5, 20);
  expect_frame(&g_array_index(found, SwinRegion, 0), 40, 30);
}
GST_END_TEST;

static void expect_ids(GstBuffer *buffer, const SwinRegionOptions *options, const gchar *expected) {
  g_autoptr(GArray) found = find(buffer, options);
  g_autoptr(GString) ids = g_string_new(NULL);

  for (guint i = 0; i < found->len; i++)
    g_string_append_printf(ids, "%u ", g_array_index(found, SwinRegion, i).id);
  fail_unless(strcmp(ids->str, expected) == 0, "'%s' instead of '%s'", ids->str, expected);
}

GST_START_TEST(test_object_class) {
  gchar *one[] = {(gchar *)"face", NULL}, *two[] = {(gchar *)"car", (gchar *)"hat", NULL};
  gchar *none[] = {NULL}, *unknown[] = {(gchar *)"nothing of the kind", NULL};
  g_autoptr(GstBuffer) buffer = gst_buffer_new();

  add_roi(buffer, "face", 0, 0, 10, 10);
  add_roi(buffer, "car", 10, 0, 10, 10);
  add_roi(buffer, NULL, 20, 0, 10, 10);
  add_roi(buffer, "hat", 30, 0, 10, 10);
  add_roi(buffer, "face", 40, 0, 10, 10);
  expect_ids(buffer, &every_object, "0 1 2 3 4 ");
  expect_ids(buffer, &(SwinRegionOptions){.classes = none}, "0 1 2 3 4 ");
  expect_ids(buffer, &(SwinRegionOptions){.classes = one}, "0 4 ");
  expect_ids(buffer, &(SwinRegionOptions){.classes = two}, "1 3 ");
  expect_ids(buffer, &(SwinRegionOptions){.classes = unknown}, "");
}
GST_END_TEST;

// What counts is what can be seen of them.
GST_START_TEST(test_smallest_object) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();

  add_roi(buffer, NULL, 0, 0, 10, 20);
  add_roi(buffer, NULL, 0, 0, 9, 20);
  add_roi(buffer, NULL, 91, 0, 100, 20);
  add_roi(buffer, NULL, 0, 61, 10, 20);
  expect_ids(buffer, &(SwinRegionOptions){.min_width = 10, .min_height = 19}, "0 3 ");
  expect_ids(buffer, &(SwinRegionOptions){.min_width = 10, .min_height = 20}, "0 ");
  expect_ids(buffer, &(SwinRegionOptions){.min_width = 9}, "0 1 2 3 ");
}
GST_END_TEST;

GST_START_TEST(test_track_of_dl_streamer) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  g_autoptr(GArray) found = NULL;
  const SwinRegion *region;
  GstStructure *structure = gst_structure_new_empty("test");
  guint64 track;

  set_object_id(add_roi(buffer, "face", 0, 0, 10, 10), 7);
  gst_video_region_of_interest_meta_add_param(
      add_roi(buffer, "face", 20, 0, 10, 10),
      gst_structure_new("object_id", "id", G_TYPE_STRING, "seven", NULL));
  found = find(buffer, &every_object);
  region = &g_array_index(found, SwinRegion, 0);
  fail_unless(region->is_tracked);
  fail_unless_equals_uint64(region->track, 7);
  fail_if(g_array_index(found, SwinRegion, 1).is_tracked);

  swin_region_describe(region, structure);
  fail_unless(gst_structure_get_uint64(structure, "track", &track));
  fail_unless_equals_uint64(track, 7);
  assert_equals_string(gst_structure_get_string(structure, "object-class"), "face");
  gst_structure_free(structure);
}
GST_END_TEST;

#ifdef HAVE_GST_ANALYTICS

static GstAnalyticsODMtd add_object(GstBuffer *buffer, const gchar *object_class, gint x, gint y,
                                    gint width, gint height) {
  GstAnalyticsRelationMeta *meta = gst_buffer_add_analytics_relation_meta(buffer);
  GstAnalyticsODMtd object;

  fail_unless(gst_analytics_relation_meta_add_od_mtd(meta, g_quark_from_string(object_class), x, y,
                                                     width, height, 0.5f, &object));
  return object;
}

static void add_tracking(const GstAnalyticsODMtd *object, guint64 track,
                         GstAnalyticsRelTypes relation) {
  GstAnalyticsTrackingMtd tracking;

  fail_unless(gst_analytics_relation_meta_add_tracking_mtd(object->meta, track, 0, &tracking));
  if (relation != GST_ANALYTICS_REL_TYPE_NONE)
    fail_unless(
        gst_analytics_relation_meta_set_relation(object->meta, relation, object->id, tracking.id));
}

GST_START_TEST(test_analytics_objects) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  GstAnalyticsODMtd objects[8];
  g_autoptr(GArray) found = NULL;

  objects[0] = add_object(buffer, "face", -5, -7, 10, 10);
  objects[1] = add_object(buffer, NULL, 10, 10, -4, 10);
  objects[2] = add_object(buffer, NULL, G_MININT, G_MININT, G_MAXINT, G_MAXINT);
  objects[3] = add_object(buffer, NULL, G_MAXINT, 0, G_MAXINT, 10);
  objects[4] = add_object(buffer, NULL, -1000, -1000, G_MAXINT, G_MAXINT);
  objects[5] = add_object(buffer, NULL, 99, 79, 1, 1);
  add_tracking(&objects[0], G_MAXUINT64, GST_ANALYTICS_REL_TYPE_RELATE_TO);
  add_tracking(&objects[4], 3, GST_ANALYTICS_REL_TYPE_NONE);
  add_tracking(&objects[5], 4, GST_ANALYTICS_REL_TYPE_CONTAIN);
  found = find(buffer, &every_object);
  fail_unless_equals_int(found->len, 3);
  expect_rectangle(&g_array_index(found, SwinRegion, 0), 0, 0, 5, 3);
  expect_rectangle(&g_array_index(found, SwinRegion, 1), 0, 0, 100, 80);
  expect_rectangle(&g_array_index(found, SwinRegion, 2), 99, 79, 1, 1);
  for (guint i = 0; i < 3; i++) {
    static const guint expected[] = {0, 4, 5};
    const SwinRegion *region = &g_array_index(found, SwinRegion, i);

    fail_unless(region->kind == SWIN_REGION_ANALYTICS);
    fail_unless_equals_int(region->id, objects[expected[i]].id);
  }
  assert_equals_string(g_quark_to_string(g_array_index(found, SwinRegion, 0).object_class), "face");
  fail_unless(g_array_index(found, SwinRegion, 1).object_class == 0);
  fail_unless(g_array_index(found, SwinRegion, 0).is_tracked);
  fail_unless_equals_uint64(g_array_index(found, SwinRegion, 0).track, G_MAXUINT64);
  fail_if(g_array_index(found, SwinRegion, 1).is_tracked);
  fail_unless(g_array_index(found, SwinRegion, 2).is_tracked);
  fail_unless_equals_uint64(g_array_index(found, SwinRegion, 2).track, 4);
}
GST_END_TEST;

// DL Streamer marks each object both ways. Boxes that a scaler has rounded are still the same.
GST_START_TEST(test_object_that_is_marked_twice) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  gchar *classes[] = {(gchar *)"car", NULL};
  g_autoptr(GArray) found = NULL;
  GstAnalyticsODMtd face = add_object(buffer, "face", 10, 10, 30, 30);
  GstAnalyticsODMtd car = add_object(buffer, "car", 50, 10, 30, 30);
  GstAnalyticsODMtd thing = add_object(buffer, NULL, 10, 50, 30, 20);

  add_tracking(&face, 1, GST_ANALYTICS_REL_TYPE_RELATE_TO);
  set_object_id(add_roi(buffer, "face", 10, 10, 30, 30), 2);
  set_object_id(add_roi(buffer, "car", 49, 11, 31, 31), 3);
  add_roi(buffer, "hat", 10, 50, 30, 20);
  // These are others: by their class, by their place.
  add_roi(buffer, "nose", 10, 10, 30, 30);
  add_roi(buffer, "face", 10, 10, 33, 30);

  found = find(buffer, &every_object);
  fail_unless_equals_int(found->len, 5);
  expect_frame(&g_array_index(found, SwinRegion, 0), 100, 80);
  fail_unless_equals_int(g_array_index(found, SwinRegion, 0).id, face.id);
  fail_unless_equals_uint64(g_array_index(found, SwinRegion, 0).track, 1);
  fail_unless_equals_int(g_array_index(found, SwinRegion, 1).id, car.id);
  fail_unless_equals_uint64(g_array_index(found, SwinRegion, 1).track, 3);
  expect_rectangle(&g_array_index(found, SwinRegion, 1), 50, 10, 30, 30);
  fail_unless_equals_int(g_array_index(found, SwinRegion, 2).id, thing.id);
  assert_equals_string(g_quark_to_string(g_array_index(found, SwinRegion, 2).object_class), "hat");
  for (guint i = 3; i < 5; i++) {
    fail_unless(g_array_index(found, SwinRegion, i).kind == SWIN_REGION_ROI);
    fail_unless_equals_int(g_array_index(found, SwinRegion, i).id, i);
  }
  // Nor is the twin of an object that is not wanted.
  g_clear_pointer(&found, g_array_unref);
  found = find(buffer, &(SwinRegionOptions){.classes = classes, .min_width = 31});
  fail_unless_equals_int(found->len, 0);
}
GST_END_TEST;

#if GST_CHECK_VERSION(1, 26, 0)

// Of an object that is turned the upright box around it.
GST_START_TEST(test_turned_object) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  g_autoptr(GArray) found = NULL;
  const SwinRectangle *rectangle;

  fail_unless(gst_analytics_relation_meta_add_oriented_od_mtd(
      gst_buffer_add_analytics_relation_meta(buffer), 0, 10, 20, 40, 10, (gfloat)G_PI_2, 0.5f,
      NULL));
  found = find(buffer, &every_object);
  fail_unless_equals_int(found->len, 1);
  rectangle = &g_array_index(found, SwinRegion, 0).rectangle;
  // About the centre (30, 25); a pixel for rounding.
  fail_unless(ABS((gint)rectangle->x - 25) <= 1 && ABS((gint)rectangle->y - 5) <= 1 &&
              ABS((gint)rectangle->width - 10) <= 1 && ABS((gint)rectangle->height - 40) <= 1);
}
GST_END_TEST;

#endif
#endif

static Suite *regions_suite(void) {
  Suite *suite = suite_create("regions");
  TCase *tcase = tcase_create("regions");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_whole_frame);
  tcase_add_test(tcase, test_objects_are_cut_to_the_frame);
  tcase_add_test(tcase, test_objects_are_cut_to_the_crop);
  tcase_add_test(tcase, test_object_class);
  tcase_add_test(tcase, test_smallest_object);
  tcase_add_test(tcase, test_track_of_dl_streamer);
#ifdef HAVE_GST_ANALYTICS
  tcase_add_test(tcase, test_analytics_objects);
  tcase_add_test(tcase, test_object_that_is_marked_twice);
#if GST_CHECK_VERSION(1, 26, 0)
  tcase_add_test(tcase, test_turned_object);
#endif
#else
  g_print("Left out: objects in GstAnalytics, which this GStreamer does not have.\n");
#endif
  return suite;
}

GST_CHECK_MAIN(regions);
