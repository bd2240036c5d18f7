// SPDX-License-Identifier: LGPL-2.1-or-later
// Objects that a detector has marked, through the element: what it says of them, when, and where it
// puts that.
#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#include "common.h"

/* ---- Frames with objects ------------------------------------------------------------------- */

#define TILE_WIDTH 107
#define TILE_HEIGHT 121
#define N_TILES 3
#define TILES_WIDTH (N_TILES * TILE_WIDTH)
#define TILES_CAPS                                                                                 \
  "video/x-raw, format=(string)RGB, width=(int)321, height=(int)121, framerate=(fraction)25/1"

static GstHarness *tiles_harness_new(const gchar *properties) {
  g_autofree gchar *all = g_strdup_printf("inference-region=roi-list %s", properties);
  GstHarness *harness = test_harness_new(all);

  gst_harness_set_src_caps_str(harness, TILES_CAPS);
  return harness;
}

// Patterns side by side.
static GstBuffer *tiles_new(const gchar *const patterns[N_TILES], guint number) {
  const gsize row = GST_ROUND_UP_4(TILES_WIDTH * 3), tile_row = GST_ROUND_UP_4(TILE_WIDTH * 3);
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, TILE_HEIGHT * row, NULL);

  for (guint t = 0; t < N_TILES; t++) {
    GstBuffer *pattern = test_frame_new(patterns[t], "RGB", TILE_WIDTH, TILE_HEIGHT);
    GstMapInfo map;

    fail_unless(gst_buffer_map(pattern, &map, GST_MAP_READ));
    for (guint y = 0; y < TILE_HEIGHT; y++)
      gst_buffer_fill(buffer, y * row + t * TILE_WIDTH * 3, map.data + y * tile_row,
                      TILE_WIDTH * 3);
    gst_buffer_unmap(pattern, &map);
    gst_buffer_unref(pattern);
  }
  GST_BUFFER_PTS(buffer) = number * TEST_FRAME_TIME;
  GST_BUFFER_DURATION(buffer) = TEST_FRAME_TIME;
  return buffer;
}

// An object on tile @t, inside it by @margin.
static GstVideoRegionOfInterestMeta *mark_tile(GstBuffer *buffer, const gchar *object_class,
                                               guint t, guint margin) {
  return gst_buffer_add_video_region_of_interest_meta(buffer, object_class, t * TILE_WIDTH + margin,
                                                      margin, TILE_WIDTH - 2 * margin,
                                                      TILE_HEIGHT - 2 * margin);
}

static void expect_object(const TestTags *tags, const gchar *object_class, const gchar *label) {
  fail_unless(tags->has_region);
  assert_equals_string(g_quark_to_string(tags->object_class), object_class);
  assert_equals_string(g_quark_to_string(tags->labels[0]), label);
}

static void expect_message(GstHarness *harness, const TestTags *expected) {
  TestTags tags = test_next_message_tags(harness);

  fail_unless(tags.has_region && tags.x == expected->x && tags.width == expected->width);
  fail_unless_equals_int(tags.object_class, expected->object_class);
  fail_unless_equals_int(tags.labels[0], expected->labels[0]);
  fail_unless_equals_uint64(tags.timestamp, expected->timestamp);
}

static const gchar *const bars_red_black[N_TILES] = {"smpte", "red", "black"};
static const gchar *const labels_of_tiles[N_TILES] = {"colour bars", "red", "black"};

GST_START_TEST(test_each_object_has_its_tags) {
  static const gchar *const classes[N_TILES] = {"picture", NULL, "screen"};
  GstHarness *harness = tiles_harness_new("top-k=3 unique-id=9");
  GstBuffer *frame = tiles_new(bars_red_black, 0), *pulled;

  for (guint t = 0; t < N_TILES; t++)
    mark_tile(frame, classes[t], t, 0);
  pulled = test_push_and_pull(harness, frame);
  for (guint t = 0; t < N_TILES; t++) {
    TestTags tags = test_nth_tags_of_buffer(pulled, t);

    fail_unless_equals_int(tags.n_metas, N_TILES);
    expect_object(&tags, classes[t], labels_of_tiles[t]);
    fail_unless(tags.x == t * TILE_WIDTH && tags.y == 0);
    fail_unless(tags.width == TILE_WIDTH && tags.height == TILE_HEIGHT);
    fail_unless_equals_int(tags.n_tags, 3);
    fail_unless_equals_int(tags.unique_id, 9);
    fail_unless_equals_uint64(tags.age, 0);
    fail_if(tags.is_tracked);
    expect_message(harness, &tags);
  }
  fail_unless(test_next_classification(harness) == NULL);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// An object is classified as if it were a frame of its own, to the last bit.
GST_START_TEST(test_object_is_as_good_as_a_frame) {
  GstHarness *harness = tiles_harness_new("top-k=64"), *whole = test_harness_new("top-k=64");
  GstBuffer *frame = tiles_new(bars_red_black, 0);
  TestTags object, expected;

  mark_tile(frame, NULL, 0, 0);
  frame = test_push_and_pull(harness, frame);
  object = test_tags_of_buffer(frame);
  gst_buffer_unref(frame);
  gst_harness_set_src_caps_str(whole, "video/x-raw, format=(string)RGB, width=(int)107, "
                                      "height=(int)121, framerate=(fraction)25/1");
  frame = test_push_and_pull(whole, test_frame_new("smpte", "RGB", TILE_WIDTH, TILE_HEIGHT));
  expected = test_tags_of_buffer(frame);
  gst_buffer_unref(frame);
  fail_if(expected.has_region);
  fail_unless_equals_int(object.n_tags, expected.n_tags);
  for (guint i = 0; i < object.n_tags; i++) {
    fail_unless_equals_int(object.labels[i], expected.labels[i]);
    fail_unless(object.confidences[i] == expected.confidences[i], "tag %u differs", i);
  }
  test_harness_teardown(harness);
  test_harness_teardown(whole);
}
GST_END_TEST;

GST_START_TEST(test_no_objects) {
  GstHarness *harness = tiles_harness_new("");
  GstBuffer *pulled = test_push_and_pull(harness, tiles_new(bars_red_black, 0));

  fail_unless_equals_int(test_tags_of_buffer(pulled).n_metas, 0);
  fail_unless_equals_int(test_count_classifications(harness), 0);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// Partly outside, and with odd corners.
GST_START_TEST(test_object_at_the_edge) {
  GstHarness *harness = tiles_harness_new("");
  GstBuffer *frame = tiles_new(bars_red_black, 0), *pulled;
  TestTags tags;

  gst_buffer_add_video_region_of_interest_meta(frame, NULL, 2 * TILE_WIDTH + 51, 33, 1000, 1000);
  pulled = test_push_and_pull(harness, frame);
  tags = test_tags_of_buffer(pulled);
  expect_object(&tags, NULL, "black");
  fail_unless(tags.width == TILE_WIDTH - 51 && tags.height == TILE_HEIGHT - 33);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// A GstVideoCropMeta moves the objects along: its first tile is the second of the frame.
GST_START_TEST(test_objects_in_a_crop) {
  GstHarness *harness = tiles_harness_new("");
  GstBuffer *frame = tiles_new(bars_red_black, 0), *pulled;
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(frame);
  TestTags tags;

  crop->x = TILE_WIDTH;
  crop->y = 1;
  crop->width = TILES_WIDTH - TILE_WIDTH;
  crop->height = TILE_HEIGHT - 1;
  mark_tile(frame, "first", 0, 3);
  mark_tile(frame, "second", 1, 3);
  mark_tile(frame, "outside", 2, 3);
  pulled = test_push_and_pull(harness, frame);
  tags = test_nth_tags_of_buffer(pulled, 0);
  fail_unless_equals_int(tags.n_metas, 2);
  expect_object(&tags, "first", "red");
  tags = test_nth_tags_of_buffer(pulled, 1);
  expect_object(&tags, "second", "black");
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// The others pass as they are.
GST_START_TEST(test_choice_of_objects) {
  GstHarness *harness =
      tiles_harness_new("object-class=car,hat object-min-width=50 object-min-height=100");
  GstBuffer *frame = tiles_new(bars_red_black, 0), *pulled;
  TestTags tags;

  mark_tile(frame, "face", 0, 0);
  mark_tile(frame, "hat", 1, 5);
  mark_tile(frame, "car", 2, 15);
  pulled = test_push_and_pull(harness, frame);
  tags = test_tags_of_buffer(pulled);
  fail_unless_equals_int(tags.n_metas, 1);
  expect_object(&tags, "hat", "red");
  gst_buffer_unref(pulled);

  g_object_set(test_element(harness), "object-class", NULL, "object-min-height", 91, NULL);
  frame = tiles_new(bars_red_black, 1);
  mark_tile(frame, "face", 0, 0);
  mark_tile(frame, "car", 2, 15);
  pulled = test_push_and_pull(harness, frame);
  fail_unless_equals_int(test_tags_of_buffer(pulled).n_metas, 2);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

// Nothing is told of an object whose tags do not reach the threshold; it is not another's turn.
GST_START_TEST(test_threshold_of_objects) {
  GstHarness *harness = tiles_harness_new("threshold=1.0");
  GstBuffer *frame = tiles_new(bars_red_black, 0), *pulled;

  mark_tile(frame, NULL, 0, 0);
  pulled = test_push_and_pull(harness, frame);
  fail_unless_equals_int(test_tags_of_buffer(pulled).n_metas, 0);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

/* ---- Tracked objects ----------------------------------------------------------------------- */

static GstBuffer *tracked_new(const gchar *const patterns[N_TILES], const gint tracks[N_TILES],
                              guint number) {
  GstBuffer *frame = tiles_new(patterns, number);

  for (guint t = 0; t < N_TILES; t++) {
    // As DL Streamer's gvatrack does it.
    if (tracks[t] >= 0)
      gst_video_region_of_interest_meta_add_param(
          mark_tile(frame, NULL, t, 0),
          gst_structure_new("object_id", "id", G_TYPE_INT, tracks[t], NULL));
  }
  return frame;
}

static GstBuffer *push_tracked(GstHarness *harness, const gchar *const patterns[N_TILES],
                               const gint tracks[N_TILES], guint number) {
  return test_push_and_pull(harness, tracked_new(patterns, tracks, number));
}

// What was said of a tracked object goes with it, wherever it is, until it is looked at again.
GST_START_TEST(test_reclassify_interval) {
  static const gchar *const patterns[4][N_TILES] = {{"red", "green", "blue"},
                                                    {"white", "black", "smpte"},
                                                    {"white", "black", "smpte"},
                                                    {"white", "black", "smpte"}};
  static const gint tracks[4][N_TILES] = {{1, 2, -1}, {2, 1, 3}, {2, 1, 3}, {2, 1, 3}};
  static const gchar *const labels[4][N_TILES] = {{"red", "green", NULL},
                                                  {"green", "red", "colour bars"},
                                                  {"green", "red", "colour bars"},
                                                  {"white", "black", "colour bars"}};
  // Of frame n: how many frames ago each was looked at.
  static const guint ages[4][N_TILES] = {{0, 0, 0}, {1, 1, 0}, {2, 2, 1}, {0, 0, 2}};
  static const guint n_messages[4] = {2, 1, 0, 2};
  GstHarness *harness = tiles_harness_new("reclassify-interval=3");

  for (guint number = 0; number < 4; number++) {
    GstBuffer *pulled = push_tracked(harness, patterns[number], tracks[number], number);

    for (guint t = 0, n = 0; t < N_TILES; t++) {
      TestTags tags;

      if (tracks[number][t] < 0)
        continue;
      tags = test_nth_tags_of_buffer(pulled, n++);
      expect_object(&tags, NULL, labels[number][t]);
      fail_unless_equals_int(tags.x, t * TILE_WIDTH);
      fail_unless_equals_uint64(tags.track, (guint64)tracks[number][t]);
      fail_unless_equals_uint64(tags.age, ages[number][t] * TEST_FRAME_TIME);
      fail_unless_equals_uint64(tags.timestamp, (number - ages[number][t]) * TEST_FRAME_TIME);
    }
    fail_unless_equals_int(test_count_classifications(harness), n_messages[number]);
    gst_buffer_unref(pulled);
  }
  test_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_tracked_objects_once) {
  static const gchar *const begin[N_TILES] = {"red", "green", "blue"};
  static const gchar *const later[N_TILES] = {"black", "black", "black"};
  static const gint tracks[N_TILES] = {5, -1, 6};
  GstHarness *harness = tiles_harness_new("reclassify-interval=0");

  for (guint number = 0; number < 10; number++) {
    GstBuffer *pulled = push_tracked(harness, number == 0 ? begin : later, tracks, number);
    TestTags tags = test_nth_tags_of_buffer(pulled, 1);

    expect_object(&tags, NULL, "blue");
    fail_unless_equals_int(tags.n_metas, 2);
    fail_unless_equals_uint64(tags.age, number * TEST_FRAME_TIME);
    gst_buffer_unref(pulled);
  }
  fail_unless_equals_int(test_count_classifications(harness), 2);
  test_harness_teardown(harness);
}
GST_END_TEST;

// While frames of one stream are still to leave, those of the next come in: neither takes away what
// is known of the other's objects, and a track is another object in each.
GST_START_TEST(test_tracked_objects_between_streams) {
  static const gchar *const patterns[3][N_TILES] = {
      {"red", "green", "blue"}, {"black", "black", "black"}, {"white", "white", "white"}};
  static const gchar *const labels[3] = {"green", "green", "white"};
  static const gint tracks[N_TILES] = {-1, 5, -1};
  GstHarness *harness = tiles_harness_new("reclassify-interval=0");
  gulong block = gst_pad_add_probe(
      harness->sinkpad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, NULL, NULL, NULL);

  for (guint number = 0; number < 3; number++) {
    if (number == 2)
      test_start_stream(harness, gst_util_group_id_next(), TILES_CAPS);
    fail_unless_equals_int(gst_harness_push(harness, tracked_new(patterns[number], tracks, number)),
                           GST_FLOW_OK);
  }
  gst_pad_remove_probe(harness->sinkpad, block);
  for (guint number = 0; number < 3; number++) {
    GstBuffer *pulled = gst_harness_pull(harness);
    TestTags tags = test_tags_of_buffer(pulled);

    fail_unless_equals_int(tags.n_metas, 1);
    expect_object(&tags, NULL, labels[number]);
    gst_buffer_unref(pulled);
  }
  fail_unless_equals_int(test_count_classifications(harness), 2);
  test_harness_teardown(harness);
}
GST_END_TEST;

// Without a track an object is another one in each frame.
GST_START_TEST(test_untracked_objects_every_time) {
  GstHarness *harness = tiles_harness_new("reclassify-interval=0");

  for (guint number = 0; number < 3; number++) {
    GstBuffer *frame = tiles_new(bars_red_black, number);

    mark_tile(frame, NULL, number, 0);
    frame = test_push_and_pull(harness, frame);
    assert_equals_string(test_best_label(frame), labels_of_tiles[number]);
    gst_buffer_unref(frame);
  }
  fail_unless_equals_int(test_count_classifications(harness), 3);
  test_harness_teardown(harness);
}
GST_END_TEST;

/* ---- On their way -------------------------------------------------------------------------- */

static GstBuffer *push_marked_tiles(GstHarness *harness) {
  GstBuffer *frame = tiles_new(bars_red_black, 0);

  gst_harness_set_src_caps_str(harness, TILES_CAPS);
  for (guint t = 0; t < N_TILES; t++)
    mark_tile(frame, "tile", t, 0);
  return test_push_and_pull(harness, frame);
}

GST_START_TEST(test_objects_survive_copies) {
  GstHarness *harness =
      test_harness_new_parse("swinclassify inference-region=roi-list top-k=4 ! tee ! queue");
  GstBuffer *pulled = push_marked_tiles(harness), *copy = gst_buffer_copy(pulled);

  gst_buffer_unref(pulled);
  for (guint t = 0; t < N_TILES; t++) {
    TestTags tags = test_nth_tags_of_buffer(copy, t);

    fail_unless_equals_int(tags.n_metas, N_TILES);
    fail_unless_equals_int(tags.n_tags, 4);
    expect_object(&tags, "tile", labels_of_tiles[t]);
  }
  gst_buffer_unref(copy);
  test_harness_teardown(harness);
}
GST_END_TEST;

// A scaler leaves the parameters of a region of interest behind; the custom metadata stay.
GST_START_TEST(test_objects_survive_conversion) {
  GstHarness *harness = test_harness_new_parse(
      "swinclassify inference-region=roi-list top-k=4 ! videoconvert ! videoscale ! "
      "capsfilter caps=\"video/x-raw,format=BGRx,width=160,height=60\"");
  GstBuffer *pulled = push_marked_tiles(harness);
  gpointer state = NULL;
  guint t = 0;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta(pulled, &state)) != NULL) {
    TestTags tags;

    if (!gst_meta_info_is_custom(meta->info))
      continue;
    tags = test_tags_of_structure(gst_custom_meta_get_structure((GstCustomMeta *)meta));
    fail_unless(t < N_TILES);
    fail_unless_equals_int(tags.n_tags, 4);
    expect_object(&tags, "tile", labels_of_tiles[t++]);
  }
  fail_unless_equals_int(t, N_TILES);
  gst_buffer_unref(pulled);
  test_harness_teardown(harness);
}
GST_END_TEST;

#ifdef HAVE_GST_ANALYTICS

static GstAnalyticsODMtd mark_tile_in_analytics(GstBuffer *buffer, const gchar *object_class,
                                                guint t) {
  GstAnalyticsRelationMeta *meta = gst_buffer_add_analytics_relation_meta(buffer);
  GstAnalyticsODMtd object;

  fail_unless(gst_analytics_relation_meta_add_od_mtd(meta, g_quark_from_string(object_class),
                                                     (gint)(t * TILE_WIDTH), 0, TILE_WIDTH,
                                                     TILE_HEIGHT, 0.5f, &object));
  return object;
}

// The label that objectdetectionoverlay would take.
static const gchar *label_of_object(GstBuffer *buffer, guint id) {
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta(buffer);
  GstAnalyticsClsMtd tags;

  fail_unless(meta != NULL);
  if (!gst_analytics_relation_meta_get_direct_related(meta, id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                                      gst_analytics_cls_mtd_get_mtd_type(), NULL,
                                                      &tags))
    return NULL;
  return g_quark_to_string(gst_analytics_cls_mtd_get_quark(&tags, 0));
}

static guint count_in_analytics(GstBuffer *buffer) {
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta(buffer);
  gpointer state = NULL;
  GstAnalyticsMtd tags;
  guint n = 0;

  while (gst_analytics_relation_meta_iterate(meta, &state, gst_analytics_cls_mtd_get_mtd_type(),
                                             &tags))
    n++;
  return n;
}

// Tags are related to their objects, those of a class that is not wanted have none, and nothing of
// the detector's is touched: not on the buffer, and not on a copy of it.
GST_START_TEST(test_analytics_objects_through_the_element) {
  GstHarness *harness = test_harness_new_parse(
      "swinclassify inference-region=roi-list object-class=thing ! tee ! queue ! videoconvert ! "
      "capsfilter caps=\"video/x-raw,format=BGRx\"");
  GstBuffer *frame = tiles_new(bars_red_black, 0), *copy;
  GstAnalyticsODMtd objects[N_TILES];
  GstAnalyticsTrackingMtd tracking;

  gst_harness_set_src_caps_str(harness, TILES_CAPS);
  for (guint t = 0; t < N_TILES; t++) {
    objects[t] = mark_tile_in_analytics(frame, t == 1 ? "other" : "thing", t);
    fail_unless(
        gst_analytics_relation_meta_add_tracking_mtd(objects[t].meta, 10 + t, 0, &tracking));
    fail_unless(gst_analytics_relation_meta_set_relation(
        objects[t].meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, objects[t].id, tracking.id));
  }
  frame = test_push_and_pull(harness, frame);
  copy = gst_buffer_copy(frame);
  gst_buffer_unref(frame);
  assert_equals_string(label_of_object(copy, objects[0].id), "colour bars");
  fail_unless(label_of_object(copy, objects[1].id) == NULL);
  assert_equals_string(label_of_object(copy, objects[2].id), "black");
  fail_unless_equals_int(count_in_analytics(copy), 2);
  for (guint n = 0; n < 2; n++) {
    TestTags tags = test_nth_tags_of_buffer(copy, n);

    fail_unless_equals_uint64(tags.track, 10 + 2 * n);
    expect_object(&tags, "thing", labels_of_tiles[2 * n]);
  }
  gst_buffer_unref(copy);
  test_harness_teardown(harness);
}
GST_END_TEST;

// A buffer that others hold too is copied before tags are put on it; the objects are found again.
GST_START_TEST(test_objects_on_a_shared_buffer) {
  GstHarness *harness = tiles_harness_new("");
  GstBuffer *frame = tiles_new(bars_red_black, 0), *pulled;
  GstAnalyticsODMtd objects[N_TILES];

  for (guint t = 0; t < N_TILES; t++)
    objects[t] = mark_tile_in_analytics(frame, NULL, t);
  mark_tile(frame, "inner", 1, 20);
  pulled = test_push_and_pull(harness, gst_buffer_ref(frame));
  fail_unless(pulled != frame);
  for (guint t = 0; t < N_TILES; t++)
    assert_equals_string(label_of_object(pulled, objects[t].id), labels_of_tiles[t]);
  fail_unless_equals_int(test_nth_tags_of_buffer(pulled, 3).n_metas, 4);
  fail_unless_equals_int(test_tags_of_buffer(frame).n_metas, 0);
  fail_unless_equals_int(count_in_analytics(frame), 0);
  gst_buffer_unref(pulled);
  gst_buffer_unref(frame);
  test_harness_teardown(harness);
}
GST_END_TEST;

/* ---- objectdetectionoverlay ---------------------------------------------------------------- */

// The stock element keeps the last picture that it drew (1.26.2).
#ifndef __SANITIZE_ADDRESS__

// What the stock overlay draws, in white, on a red frame with one object, after @elements.
static GstBuffer *draw(const gchar *elements, const gchar *object_class, gfloat confidence) {
  g_autofree gchar *launch = g_strdup_printf("%s objectdetectionoverlay", elements);
  GstHarness *harness = test_harness_new_parse(launch);
  GstBuffer *frame = test_frame_new("red", "BGRA", TEST_WIDTH, TEST_HEIGHT), *drawn;

  fail_unless(gst_analytics_relation_meta_add_od_mtd(gst_buffer_add_analytics_relation_meta(frame),
                                                     g_quark_from_string(object_class), 101, 77,
                                                     150, 95, confidence, NULL));
  gst_harness_set_src_caps_str(harness, "video/x-raw, format=(string)BGRA, width=(int)320, "
                                        "height=(int)240, framerate=(fraction)25/1");
  drawn = test_push_and_pull(harness, frame);
  test_harness_teardown(harness);
  return drawn;
}

static gboolean is_same_picture(GstBuffer *one, GstBuffer *other) {
  GstMapInfo map;
  gboolean is_same;

  fail_unless(gst_buffer_map(other, &map, GST_MAP_READ));
  is_same =
      gst_buffer_get_size(one) == map.size && gst_buffer_memcmp(one, 0, map.data, map.size) == 0;
  gst_buffer_unmap(other, &map);
  return is_same;
}

// It writes our label to the object: what it would write if the detector had said that.
GST_START_TEST(test_stock_overlay_draws_the_label) {
  g_autoptr(GstBuffer) blank = test_frame_new("red", "BGRA", TEST_WIDTH, TEST_HEIGHT);
  g_autoptr(GstBuffer) detected = draw("", "thing", 0.5f);
  g_autoptr(GstBuffer) classified =
      draw("swinclassify inference-region=roi-list top-k=1 !", "thing", 0.5f);
  TestTags tags = test_tags_of_buffer(classified);
  g_autoptr(GstBuffer) expected = NULL;

  assert_equals_string(g_quark_to_string(tags.labels[0]), "red");
  expected = draw("", "red", (gfloat)tags.confidences[0]);
  fail_if(is_same_picture(detected, blank));
  fail_if(is_same_picture(classified, detected));
  fail_unless(is_same_picture(classified, expected));
}
GST_END_TEST;

#endif
#endif

static Suite *objects_suite(void) {
  Suite *suite = suite_create("objects");
  TCase *tcase = tcase_create("objects");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_each_object_has_its_tags);
  tcase_add_test(tcase, test_object_is_as_good_as_a_frame);
  tcase_add_test(tcase, test_no_objects);
  tcase_add_test(tcase, test_object_at_the_edge);
  tcase_add_test(tcase, test_objects_in_a_crop);
  tcase_add_test(tcase, test_choice_of_objects);
  tcase_add_test(tcase, test_threshold_of_objects);
  tcase_add_test(tcase, test_reclassify_interval);
  tcase_add_test(tcase, test_tracked_objects_once);
  tcase_add_test(tcase, test_tracked_objects_between_streams);
  tcase_add_test(tcase, test_untracked_objects_every_time);
  tcase_add_test(tcase, test_objects_survive_copies);
  tcase_add_test(tcase, test_objects_survive_conversion);
#ifdef HAVE_GST_ANALYTICS
  tcase_add_test(tcase, test_analytics_objects_through_the_element);
  tcase_add_test(tcase, test_objects_on_a_shared_buffer);
#ifndef __SANITIZE_ADDRESS__
  if (gst_registry_check_feature_version(gst_registry_get(), "objectdetectionoverlay", 1, 24, 0))
    tcase_add_test(tcase, test_stock_overlay_draws_the_label);
  else
    g_print("Left out: there is no objectdetectionoverlay.\n");
#endif
#else
  g_print("Left out: objects in GstAnalytics, which this GStreamer does not have.\n");
#endif
  return suite;
}

GST_CHECK_MAIN(objects);
