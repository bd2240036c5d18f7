// SPDX-License-Identifier: LGPL-2.1-or-later
// swinoverlay: what is written where. Frames carry metadata made by hand, so that nothing here but
// the last test needs a model.
#include <string.h>

#include "common.h"
#include "overlay-rig.h"

/* ---- The frame's tags ---------------------------------------------------------------------- */

// Each place of the frame, and the ninth of the picture that has the middle of the text.
GST_START_TEST(test_text_is_where_it_should_be) {
  static const gchar *const horizontal[] = {"left", "center", "right"};
  static const gchar *const vertical[] = {"top", "center", "bottom"};

  for (gint i = 0; i < 9; i++) {
    g_autofree gchar *properties = g_strdup_printf(
        "shaded-background=false halignment=%s valignment=%s", horizontal[i % 3], vertical[i / 3]);
    OverlayArea area = overlay_written_by(properties, &overlay_one_tag, 643, 361);

    fail_unless(area.right > area.left && area.bottom > area.top, "no text with %s", properties);
    fail_unless_equals_int((area.left + area.right) / 2 * 3 / 643, i % 3);
    fail_unless_equals_int((area.top + area.bottom) / 2 * 3 / 361, i / 3);
    // Not the whole picture, and not at its very edge.
    fail_unless(area.left > 0 && area.top > 0 && area.right < 643 && area.bottom < 361);
    fail_unless(area.right - area.left < 643 / 2 && area.bottom - area.top < 361 / 4);
  }
}
GST_END_TEST;

GST_START_TEST(test_no_text_without_tags) {
  static const OverlayTags empty = {.model = "none"};
  const OverlayTags *tags = &empty;
  GstHarness *harness = overlay_harness_new("", "I420", 320, 240);

  fail_unless_equals_int(overlay_written(harness, NULL, 0, "I420", 320, 240).right, 0);
  fail_unless_equals_int(overlay_written(harness, &tags, 1, "I420", 320, 240).right, 0);
  gst_harness_teardown(harness);
}
GST_END_TEST;

// The text of a frame neither comes late nor stays.
GST_START_TEST(test_text_is_of_its_own_frame) {
  static const OverlayTags other = {
      .model = "one", .n_tags = 1, .labels = {"Quail"}, .confidences = {0.5}};
  static const OverlayTags *const these[] = {&overlay_one_tag};
  static const OverlayTags *const those[] = {&other};
  GstHarness *harness = overlay_harness_new("", "I420", 320, 240);
  GstBuffer *frame = test_frame_new("black", "I420", 320, 240);
  GstBuffer *shown[6];

  for (guint i = 0; i < 6; i++)
    shown[i] = overlay_show(harness, i % 3 == 0 ? these : those, i % 3 < 2 ? 1 : 0, frame, i);
  for (guint i = 0; i < 6; i++) {
    fail_unless_equals_int(overlay_difference(frame, shown[i], "I420", 320, 240).right > 0,
                           i % 3 < 2);
    fail_unless_equals_int(overlay_difference(shown[i % 3], shown[i], "I420", 320, 240).right, 0);
  }
  fail_unless(overlay_difference(shown[0], shown[1], "I420", 320, 240).right > 0);
  for (guint i = 0; i < 6; i++)
    gst_buffer_unref(shown[i]);
  gst_buffer_unref(frame);
  gst_harness_teardown(harness);
}
GST_END_TEST;

// Tags stay on the frame for others.
GST_START_TEST(test_metadata_stay) {
  static const OverlayTags *const tags[] = {&overlay_one_tag};
  GstHarness *harness = overlay_harness_new("", "I420", 320, 240);
  GstBuffer *frame = test_frame_new("black", "I420", 320, 240);
  GstBuffer *shown = overlay_show(harness, tags, 1, frame, 3);

  fail_unless(gst_buffer_get_custom_meta(shown, "swin-classification") != NULL);
  fail_unless_equals_uint64(GST_BUFFER_DURATION(shown), TEST_FRAME_TIME);
  gst_buffer_unref(shown);
  gst_buffer_unref(frame);
  gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_max_tags) {
  static const OverlayTags four = {.model = "one",
                                   .n_tags = 4,
                                   .labels = {"a", "b", "c", "d"},
                                   .confidences = {0.4, 0.3, 0.2, 0.1}};
  const OverlayTags *tags = &four;
  GstHarness *harness = overlay_harness_new("", "I420", 320, 240);

  overlay_written(harness, &tags, 1, "I420", 320, 240);
  overlay_check_text(harness, "frame", "a 40 %\nb 30 %\nc 20 %");
  overlay_set(harness, "max-tags", "1");
  overlay_written(harness, &tags, 1, "I420", 320, 240);
  overlay_check_text(harness, "frame", "a 40 %");
  overlay_set(harness, "max-tags", "64");
  overlay_written(harness, &tags, 1, "I420", 320, 240);
  overlay_check_text(harness, "frame", "a 40 %\nb 30 %\nc 20 %\nd 10 %");
  gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_several_models) {
  static const OverlayTags two = {.model = "two",
                                  .unique_id = 2,
                                  .n_tags = 2,
                                  .labels = {"Quail", "Snipe"},
                                  .confidences = {0.5, 0.25}};
  const OverlayTags *tags[] = {&overlay_one_tag, &two};
  GstHarness *harness = overlay_harness_new("shaded-background=false", "I420", 640, 480);
  OverlayArea one = overlay_written(harness, tags, 1, "I420", 640, 480);
  OverlayArea both = overlay_written(harness, tags, 2, "I420", 640, 480);

  overlay_check_text(harness, "frame", "Wagtail 75 %\nQuail 50 %\nSnipe 25 %");
  fail_unless(both.bottom - both.top > 2 * (one.bottom - one.top));
  overlay_set(harness, "unique-id", "2");
  overlay_written(harness, tags, 2, "I420", 640, 480);
  overlay_check_text(harness, "frame", "Quail 50 %\nSnipe 25 %");
  fail_unless_equals_int(overlay_written(harness, tags, 1, "I420", 640, 480).right, 0);
  gst_harness_teardown(harness);
}
GST_END_TEST;

/* ---- Objects ------------------------------------------------------------------------------- */

// The text begins at the box and stays in the picture, wherever the object is.
GST_START_TEST(test_text_is_at_the_object) {
  static const struct {
    guint region[4];
    gint x, y; /* where the text begins or, in the right and lower half, ends; -1: anywhere */
  } cases[] = {
      {{0, 0, 50, 50}, 0, 0},          {{101, 61, 80, 200}, 101, 61},
      {{401, 61, 100, 50}, 501, 61},   {{101, 301, 80, 20}, 101, 301},
      {{500, 300, 140, 60}, 640, 300}, {{639, 359, 1, 1}, 640, 359},
      {{0, 0, 640, 360}, 0, 0},        {{600, 340, 4000, 4000}, 640, 340},
      {{9000, 9000, 10, 10}, -1, -1},  {{G_MAXUINT, G_MAXUINT, G_MAXUINT, G_MAXUINT}, -1, -1},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    OverlayTags tags = overlay_one_tag;
    OverlayArea area;

    tags.is_object = TRUE;
    memcpy(tags.region, cases[i].region, sizeof(tags.region));
    area = overlay_written_by("shaded-background=false", &tags, 640, 360);
    fail_unless(area.right - area.left > 60 && area.bottom - area.top > 12,
                "case %u: the text is %d x %d pixels", i, area.right - area.left,
                area.bottom - area.top);
    // Letters do not begin where their line does: an eighth of a font size or so later.
    if (cases[i].x >= 0)
      fail_unless(ABS((cases[i].x > 320 ? area.right : area.left) - cases[i].x) <= 6,
                  "case %u: from %d to %d, not at %d", i, area.left, area.right, cases[i].x);
    if (cases[i].y >= 0)
      fail_unless(ABS((cases[i].y > 180 ? area.bottom : area.top) - cases[i].y) <= 12,
                  "case %u: from %d to %d, not at %d", i, area.top, area.bottom, cases[i].y);
  }
}
GST_END_TEST;

// Where the object is in the picture that is drawn on, whatever its size was when it was found.
GST_START_TEST(test_object_behind_a_scaler) {
  static const struct {
    guint region[4], frame_size[2];
    gint x, y; /* as above */
  } cases[] = {
      {{30, 45, 90, 60}, {640, 361}, 15, 30},
      {{400, 60, 100, 50}, {640, 361}, 250, 40},
      {{300, 300, 300, G_MAXUINT}, {640, 361}, 300, 200},
      {{G_MAXUINT, G_MAXUINT, G_MAXUINT, G_MAXUINT}, {1, 1}, -1, -1},
      // Sizes that are none.
      {{30, 45, 90, 60}, {G_MAXUINT, 0}, 30, 45},
  };
  GstHarness *harness =
      gst_harness_new_parse("videoscale ! video/x-raw,width=320,height=241 ! "
                            "swinoverlay shaded-background=false font-desc=\"Sans 14\"");
  GstBuffer *wanted = test_frame_new("solid-color foreground-color=0xff606060", "I420", 320, 241);
  GstBuffer *frame = test_frame_new("solid-color foreground-color=0xff606060", "I420", 640, 361);

  gst_harness_set_src_caps_str(harness, "video/x-raw,format=I420,width=640,height=361,"
                                        "framerate=25/1,pixel-aspect-ratio=1/1");
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    OverlayTags tags = overlay_one_tag;
    const OverlayTags *all = &tags;
    GstBuffer *shown;
    OverlayArea area;

    tags.is_object = TRUE;
    memcpy(tags.region, cases[i].region, sizeof(tags.region));
    memcpy(tags.frame_size, cases[i].frame_size, sizeof(tags.frame_size));
    shown = overlay_show(harness, &all, 1, frame, i);
    area = overlay_difference(wanted, shown, "I420", 320, 241);
    gst_buffer_unref(shown);
    fail_unless(area.right > area.left, "case %u: no text", i);
    if (cases[i].x >= 0)
      fail_unless(ABS((cases[i].x > 160 ? area.right : area.left) - cases[i].x) <= 4,
                  "case %u: from %d to %d, not at %d", i, area.left, area.right, cases[i].x);
    if (cases[i].y >= 0)
      fail_unless(ABS((cases[i].y > 120 ? area.bottom : area.top) - cases[i].y) <= 8,
                  "case %u: from %d to %d, not at %d", i, area.top, area.bottom, cases[i].y);
  }
  gst_buffer_unref(wanted);
  gst_buffer_unref(frame);
  gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_objects_and_frame) {
  OverlayTags one = overlay_one_tag, two = overlay_one_tag, same = overlay_one_tag;
  const OverlayTags *tags[] = {&one, &two, &overlay_one_tag, &same};
  GstHarness *harness = overlay_harness_new("max-objects=2", "I420", 640, 480);

  one.is_object = two.is_object = same.is_object = TRUE;
  one.labels[0] = "Quail", two.labels[0] = "Snipe", same.labels[0] = "Crake";
  memcpy(one.region, (guint[]){10, 200, 100, 100}, sizeof(one.region));
  memcpy(two.region, (guint[]){300, 200, 100, 100}, sizeof(two.region));
  // Another model about the first object.
  memcpy(same.region, one.region, sizeof(same.region));
  overlay_written(harness, tags, 4, "I420", 640, 480);
  overlay_check_text(harness, "frame", "Wagtail 75 %");
  overlay_check_text(harness, "object-0", "Quail 75 %\nCrake 75 %");
  overlay_check_text(harness, "object-1", "Snipe 75 %");
  // A frame with one object, then one with none.
  overlay_written(harness, tags, 1, "I420", 640, 480);
  overlay_check_text(harness, "frame", "");
  overlay_check_text(harness, "object-0", "Quail 75 %");
  overlay_check_text(harness, "object-1", "");
  fail_unless_equals_int(overlay_written(harness, NULL, 0, "I420", 640, 480).right, 0);
  gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_max_objects) {
  OverlayTags objects[3] = {overlay_one_tag, overlay_one_tag, overlay_one_tag};
  const OverlayTags *tags[] = {&objects[0], &objects[1], &objects[2]};
  GstHarness *harness =
      overlay_harness_new("max-objects=1 shaded-background=false", "I420", 640, 480);
  OverlayArea area;

  for (guint i = 0; i < 3; i++) {
    objects[i].is_object = TRUE;
    objects[i].region[0] = 0, objects[i].region[1] = 120 * i;
    objects[i].region[2] = objects[i].region[3] = 100;
  }
  area = overlay_written(harness, tags, 3, "I420", 640, 480);
  fail_unless(area.right > 0 && area.bottom < 120);
  gst_harness_teardown(harness);

  harness = overlay_harness_new("max-objects=0", "I420", 640, 480);
  fail_unless_equals_int(overlay_written(harness, tags, 3, "I420", 640, 480).right, 0);
  fail_unless(overlay_find(harness, "object-0") == NULL);
  gst_harness_teardown(harness);
}
GST_END_TEST;

// Where downstream draws overlays itself, it gets all text as one, and the picture as it was.
GST_START_TEST(test_text_is_handed_on) {
  OverlayTags objects[2] = {overlay_one_tag, overlay_one_tag};
  const OverlayTags *tags[] = {&overlay_one_tag, &objects[0], &objects[1]};
  g_autofree gchar *caps = overlay_caps("I420", 320, 240);
  GstHarness *harness = gst_harness_new_parse("swinoverlay");
  GstBuffer *frame = test_frame_new("black", "I420", 320, 240), *shown;
  GstVideoOverlayCompositionMeta *meta;

  gst_harness_set_sink_caps_str(
      harness, "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition)");
  gst_harness_add_propose_allocation_meta(harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE,
                                          NULL);
  gst_harness_set_src_caps_str(harness, caps);
  objects[0].is_object = objects[1].is_object = TRUE;
  objects[0].region[0] = 10, objects[1].region[0] = 200;
  for (guint n_tags = 0; n_tags <= 3; n_tags++) {
    shown = overlay_show(harness, tags, n_tags, frame, n_tags);
    fail_unless_equals_int(overlay_difference(frame, shown, "I420", 320, 240).right, 0);
    fail_unless_equals_int(
        gst_buffer_get_n_meta(shown, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE), n_tags > 0);
    meta = gst_buffer_get_video_overlay_composition_meta(shown);
    if (n_tags > 0)
      fail_unless_equals_int(gst_video_overlay_composition_n_rectangles(meta->overlay), n_tags);
    gst_buffer_unref(shown);
  }
  gst_buffer_unref(frame);
  gst_harness_teardown(harness);
}
GST_END_TEST;

/* ---- Text ---------------------------------------------------------------------------------- */

GST_START_TEST(test_template) {
  OverlayTags object = overlay_one_tag;
  const OverlayTags *tags[] = {&overlay_one_tag, &object};
  GstHarness *harness = overlay_harness_new("", "I420", 320, 240);
  GstBus *bus = gst_bus_new();
  GstElement *overlay;
  GstMessage *message;
  gchar *template;

  object.is_object = TRUE;
  object.region[2] = object.region[3] = 50;
  object.unique_id = 3;
  overlay_set(harness, "template", "%l|%p|%c|%i|%m|%u|%o|%t|%a|%%|l");
  overlay_written(harness, tags, 2, "I420", 320, 240);
  overlay_check_text(harness, "frame", "Wagtail|75|0.75|10|one|0|||40|%|l");
  overlay_check_text(harness, "object-0", "Wagtail|75|0.75|10|one|3|bird|7|40|%|l");

  gst_element_set_bus(harness->element, bus);
  for (guint i = 0; i < 3; i++) {
    static const gchar *const wrong[] = {"%l %x", "%", "%l %é"};

    overlay_set(harness, "template", wrong[i]);
    message = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING);
    fail_unless(message != NULL, "nothing was said about '%s'", wrong[i]);
    gst_message_unref(message);
  }
  overlay = gst_harness_find_element(harness, "swinoverlay");
  g_object_get(overlay, "template", &template, NULL);
  fail_unless_equals_string(template, "%l|%p|%c|%i|%m|%u|%o|%t|%a|%%|l");
  g_free(template);
  // It goes on, but does not start again before that has been put right.
  overlay_written(harness, tags, 1, "I420", 320, 240);
  overlay_check_text(harness, "frame", "Wagtail|75|0.75|10|one|0|||40|%|l");
  gst_element_set_state(harness->element, GST_STATE_NULL);
  fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  fail_unless(message != NULL);
  gst_message_unref(message);
  g_object_set(overlay, "template", "%l", NULL);
  fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  gst_object_unref(overlay);
  gst_element_set_state(harness->element, GST_STATE_NULL);
  gst_element_set_bus(harness->element, NULL);
  gst_object_unref(bus);
  gst_harness_teardown(harness);
}
GST_END_TEST;

// Labels are no markup, and need not be UTF-8 either.
GST_START_TEST(test_labels_are_escaped) {
  static const gchar *const labels[] = {"<b>&", "a < b", "</span>", "&amp;", "Vogel \xe9", "\x01"};
  static const gchar *const texts[] = {"&lt;b&gt;&amp;", "a &lt; b",     "&lt;/span&gt;",
                                       "&amp;amp;",      "Vogel \uFFFD", "&#x1;"};
  GstHarness *harness = overlay_harness_new("template=%l", "I420", 640, 480);

  for (guint i = 0; i < G_N_ELEMENTS(labels); i++) {
    OverlayTags tags = overlay_one_tag;
    const OverlayTags *all = &tags;

    tags.labels[0] = labels[i];
    fail_unless(overlay_written(harness, &all, 1, "I420", 640, 480).right > 0,
                "label %u is not seen", i);
    overlay_check_text(harness, "frame", texts[i]);
  }
  gst_harness_teardown(harness);
}
GST_END_TEST;

// Metadata of that name by somebody else.
GST_START_TEST(test_other_metadata_are_passed_over) {
  static const gchar *const others[] = {
      "swin-classification, labels=1",
      "swin-classification, labels=<a>, confidences=<1>, indices=<1>",
      "swin-classification, labels=<a>, confidences=<(double)1>, indices=<>",
      "swin-classification, labels=<a>, confidences=<(double)1>, indices=<(uint)1>, region=<1,2,3,4>",
      "swin-classification, labels=<a>, confidences=<(double)1>, indices=<(uint)1>, "
      "region=<(uint)1>",
      "swin-classification, labels=<a, 1>, confidences=<(double)1>, indices=<(uint)1>",
  };
  GstHarness *harness = overlay_harness_new("", "I420", 320, 240);

  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    GstBuffer *frame = test_frame_at("black", 0), *copy = gst_buffer_copy_deep(frame), *shown;
    GstCustomMeta *meta = gst_buffer_add_custom_meta(frame, "swin-classification");
    GstStructure *other = gst_structure_from_string(others[i], NULL);

    fail_unless(other != NULL, "case %u cannot be read", i);
    for (gint field = 0; field < gst_structure_n_fields(other); field++) {
      const gchar *name = gst_structure_nth_field_name(other, (guint)field);

      gst_structure_set_value(gst_custom_meta_get_structure(meta), name,
                              gst_structure_get_value(other, name));
    }
    gst_structure_free(other);
    shown = gst_harness_push_and_pull(harness, frame);
    fail_unless_equals_int(overlay_difference(copy, shown, "I420", 320, 240).right, 0);
    gst_buffer_unref(copy);
    gst_buffer_unref(shown);
  }
  gst_harness_teardown(harness);
}
GST_END_TEST;

/* ---- Properties, sizes, states ------------------------------------------------------------- */

GST_START_TEST(test_properties_at_run_time) {
  const OverlayTags *tags = &overlay_one_tag;
  GstHarness *harness = overlay_harness_new("shaded-background=false", "I420", 640, 480);
  OverlayArea small = overlay_written(harness, &tags, 1, "I420", 640, 480), area;

  overlay_set(harness, "font-desc", "Sans 40");
  area = overlay_written(harness, &tags, 1, "I420", 640, 480);
  fail_unless(area.bottom - area.top > (small.bottom - small.top) * 3 / 2);
  overlay_set(harness, "font-desc", "Sans 20");
  overlay_set(harness, "valignment", "bottom");
  area = overlay_written(harness, &tags, 1, "I420", 640, 480);
  fail_unless(area.top > 240 && area.left == small.left);
  overlay_set(harness, "valignment", "top");
  overlay_set(harness, "shaded-background", "true");
  area = overlay_written(harness, &tags, 1, "I420", 640, 480);
  fail_unless(area.left < small.left && area.bottom > small.bottom && area.right > small.right);
  overlay_set(harness, "shaded-background", "false");
  area = overlay_written(harness, &tags, 1, "I420", 640, 480);
  fail_unless(memcmp(&area, &small, sizeof(area)) == 0);
  gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_sizes_and_formats) {
  static const gchar *const formats[] = {"I420", "NV12",  "YUY2",     "RGB",
                                         "BGRA", "GRAY8", "P010_10LE"};
  static const gint sizes[][2] = {{641, 479}, {175, 143}, {17, 13}, {3, 5}, {1, 1}};

  for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
    for (guint j = 0; j < G_N_ELEMENTS(sizes); j++) {
      OverlayTags object = overlay_one_tag;
      const OverlayTags *tags[] = {&overlay_one_tag, &object};
      GstHarness *harness = overlay_harness_new("", formats[i], sizes[j][0], sizes[j][1]);
      OverlayArea area;

      object.is_object = TRUE;
      object.region[0] = (guint)sizes[j][0] / 2, object.region[1] = (guint)sizes[j][1] / 2;
      object.region[2] = object.region[3] = 1000;
      area = overlay_written(harness, tags, 2, formats[i], sizes[j][0], sizes[j][1]);
      // On less than a letter's size there may be nothing.
      fail_unless(area.right > 0 || sizes[j][0] < 20, "%s, %d x %d: no text", formats[i],
                  sizes[j][0], sizes[j][1]);
      gst_harness_teardown(harness);
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_size_changes) {
  OverlayTags object = overlay_one_tag;
  const OverlayTags *tags = &object;
  GstHarness *harness = overlay_harness_new("shaded-background=false", "I420", 640, 480);
  g_autofree gchar *caps = overlay_caps("I420", 200, 600);
  OverlayArea area;

  object.is_object = TRUE;
  object.region[0] = 110, object.region[1] = 350, object.region[2] = object.region[3] = 60;
  area = overlay_written(harness, &tags, 1, "I420", 640, 480);
  // Left half.
  fail_unless(ABS(area.left - 110) <= 6, "from %d", area.left);
  gst_harness_set_src_caps_str(harness, caps);
  area = overlay_written(harness, &tags, 1, "I420", 200, 600);
  // Right half.
  fail_unless(ABS(area.right - 170) <= 4 && area.bottom <= 350, "to %d, %d", area.right,
              area.bottom);
  gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(test_states) {
  GstElement *pipeline = gst_parse_launch(
      "videotestsrc num-buffers=3 ! swinoverlay name=overlay ! fakesink name=sink", NULL);
  GstElement *overlay = gst_bin_get_by_name(GST_BIN(pipeline), "overlay");
  GstBus *bus = gst_element_get_bus(pipeline);

  for (guint i = 0; i < 10; i++) {
    GstMessage *message;

    g_object_set(overlay, "max-objects", i % 4, NULL);
    fail_unless(gst_element_set_state(pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
    message = gst_bus_timed_pop_filtered(bus, 10 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless(message != NULL && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS);
    gst_message_unref(message);
    fail_unless_equals_int(GST_BIN_NUMCHILDREN(overlay), (gint)(i % 4) + 1);
    gst_element_set_state(pipeline, i % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL);
    fail_unless_equals_int(GST_BIN_NUMCHILDREN(overlay), 0);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(overlay);
  gst_object_unref(pipeline);
}
GST_END_TEST;

// Without GStreamer's Pango plugin there is an error that names the package, and what installers of
// missing plugins listen to.
GST_START_TEST(test_missing_textoverlay) {
  GstRegistry *registry = gst_registry_get();
  GstPluginFeature *feature = gst_registry_lookup_feature(registry, "textoverlay");
  GstElement *overlay = gst_element_factory_make("swinoverlay", NULL);
  GstBus *bus = gst_bus_new();
  GstMessage *message;
  GError *error;

  fail_unless(feature != NULL && overlay != NULL);
  gst_registry_remove_feature(registry, feature);
  gst_element_set_bus(overlay, bus);
  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int(gst_element_set_state(overlay, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_FAILURE);
    message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT);
    fail_unless(message != NULL && gst_message_has_name(message, "missing-plugin"));
    gst_message_unref(message);
    message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    fail_unless(message != NULL);
    gst_message_parse_error(message, &error, NULL);
    fail_unless(g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN));
    fail_unless(strstr(error->message, "textoverlay") != NULL &&
                    strstr(error->message, "gstreamer1.0-x") != NULL,
                "%s", error->message);
    g_error_free(error);
    gst_message_unref(message);
    gst_element_set_state(overlay, GST_STATE_NULL);
  }
  fail_unless_equals_int(GST_BIN_NUMCHILDREN(overlay), 0);
  // Once it is installed, the same element works.
  gst_registry_add_feature(registry, feature);
  fail_unless_equals_int(gst_element_set_state(overlay, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state(overlay, GST_STATE_NULL);
  gst_object_unref(feature);
  gst_element_set_bus(overlay, NULL);
  gst_object_unref(bus);
  gst_object_unref(overlay);
}
GST_END_TEST;

/* ---- Behind swinclassify ------------------------------------------------------------------- */

GST_START_TEST(test_behind_swinclassify) {
  GstHarness *harness =
      gst_harness_new_parse("swinclassify latency-policy=every ! swinoverlay max-tags=1");
  GstBuffer *frame = test_frame_at("smpte", 0), *copy = gst_buffer_copy_deep(frame), *shown;
  gchar *text;

  gst_harness_set_src_caps_str(harness, TEST_CAPS);
  shown = gst_harness_push_and_pull(harness, frame);
  fail_unless(overlay_difference(copy, shown, "I420", TEST_WIDTH, TEST_HEIGHT).right > 0);
  text = overlay_text_of(harness, "frame");
  fail_unless(g_str_has_prefix(text, "colour bars 9"), "%s", text);
  g_free(text);
  gst_buffer_unref(copy);
  gst_buffer_unref(shown);
  gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *overlay_suite(void) {
  Suite *suite = suite_create("overlay");
  TCase *tcase = tcase_create("overlay");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_text_is_where_it_should_be);
  tcase_add_test(tcase, test_no_text_without_tags);
  tcase_add_test(tcase, test_text_is_of_its_own_frame);
  tcase_add_test(tcase, test_metadata_stay);
  tcase_add_test(tcase, test_max_tags);
  tcase_add_test(tcase, test_several_models);
  tcase_add_test(tcase, test_text_is_at_the_object);
  tcase_add_test(tcase, test_object_behind_a_scaler);
  tcase_add_test(tcase, test_objects_and_frame);
  tcase_add_test(tcase, test_max_objects);
  tcase_add_test(tcase, test_text_is_handed_on);
  tcase_add_test(tcase, test_template);
  tcase_add_test(tcase, test_labels_are_escaped);
  tcase_add_test(tcase, test_other_metadata_are_passed_over);
  tcase_add_test(tcase, test_properties_at_run_time);
  tcase_add_test(tcase, test_sizes_and_formats);
  tcase_add_test(tcase, test_size_changes);
  tcase_add_test(tcase, test_states);
  tcase_add_test(tcase, test_missing_textoverlay);
  tcase_add_test(tcase, test_behind_swinclassify);
  return suite;
}

GST_CHECK_MAIN(overlay);
