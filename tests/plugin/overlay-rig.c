// SPDX-License-Identifier: LGPL-2.1-or-later
#include "overlay-rig.h"

#include <string.h>

const OverlayTags overlay_one_tag = {
    .model = "one", .n_tags = 1, .labels = {"Wagtail"}, .confidences = {0.75}};

/* ---- Frames -------------------------------------------------------------------------------- */

static void append(GValue *array, GType type, const gchar *label, gdouble confidence, guint index) {
  GValue value = G_VALUE_INIT;

  g_value_init(&value, type);
  if (type == G_TYPE_STRING)
    g_value_set_string(&value, label);
  else if (type == G_TYPE_DOUBLE)
    g_value_set_double(&value, confidence);
  else
    g_value_set_uint(&value, index);
  gst_value_array_append_and_take_value(array, &value);
}

static void attach(GstBuffer *frame, const OverlayTags *tags) {
  GstCustomMeta *meta = gst_buffer_add_custom_meta(frame, "swin-classification");
  GstStructure *structure = gst_custom_meta_get_structure(meta);
  GValue labels = G_VALUE_INIT, confidences = G_VALUE_INIT, indices = G_VALUE_INIT;
  GValue region = G_VALUE_INIT;

  gst_value_array_init(&labels, tags->n_tags);
  gst_value_array_init(&confidences, tags->n_tags);
  gst_value_array_init(&indices, tags->n_tags);
  for (guint i = 0; i < tags->n_tags; i++) {
    append(&labels, G_TYPE_STRING, tags->labels[i], 0.0, 0);
    append(&confidences, G_TYPE_DOUBLE, NULL, tags->confidences[i], 0);
    append(&indices, G_TYPE_UINT, NULL, 0.0, 10 + i);
  }
  gst_structure_take_value(structure, "labels", &labels);
  gst_structure_take_value(structure, "confidences", &confidences);
  gst_structure_take_value(structure, "indices", &indices);
  gst_structure_set(structure, "model", G_TYPE_STRING, tags->model, "unique-id", G_TYPE_UINT,
                    tags->unique_id, "age", G_TYPE_UINT64, 40 * GST_MSECOND, NULL);
  if (!tags->is_object)
    return;
  gst_value_array_init(&region, 4);
  for (guint i = 0; i < 4; i++)
    append(&region, G_TYPE_UINT, NULL, 0.0, tags->region[i]);
  gst_structure_take_value(structure, "region", &region);
  if (tags->frame_size[0] > 0)
    gst_structure_set(structure, "frame-width", G_TYPE_UINT, tags->frame_size[0], "frame-height",
                      G_TYPE_UINT, tags->frame_size[1], NULL);
  gst_structure_set(structure, "object-class", G_TYPE_STRING, "bird", "track", G_TYPE_UINT64,
                    G_GUINT64_CONSTANT(7), NULL);
}

gchar *overlay_caps(const gchar *format, gint width, gint height) {
  return g_strdup_printf("video/x-raw,format=%s,width=%d,height=%d,framerate=25/1", format, width,
                         height);
}

GstHarness *overlay_harness_new(const gchar *properties, const gchar *format, gint width,
                                gint height) {
  g_autofree gchar *launch = g_strdup_printf("swinoverlay %s", properties);
  g_autofree gchar *caps = overlay_caps(format, width, height);
  GstHarness *harness = gst_harness_new_parse(launch);

  gst_harness_set_src_caps_str(harness, caps);
  return harness;
}

// (transfer full): a child of the bin, or the bin itself.
GObject *overlay_find(GstHarness *harness, const gchar *name) {
  return G_OBJECT(gst_bin_get_by_name(GST_BIN(harness->element), name));
}

void overlay_set(GstHarness *harness, const gchar *name, const gchar *value) {
  GstElement *overlay = gst_harness_find_element(harness, "swinoverlay");

  gst_util_set_object_arg(G_OBJECT(overlay), name, value);
  gst_object_unref(overlay);
}

// (transfer full): the text that textoverlay @name was given.
gchar *overlay_text_of(GstHarness *harness, const gchar *name) {
  GObject *overlay = overlay_find(harness, name);
  gchar *text;

  fail_unless(overlay != NULL, "there is no %s", name);
  g_object_get(overlay, "text", &text, NULL);
  g_object_unref(overlay);
  return text;
}

void overlay_check_text(GstHarness *harness, const gchar *name, const gchar *wanted) {
  gchar *text = overlay_text_of(harness, name);

  fail_unless_equals_string(text, wanted);
  g_free(text);
}

/* ---- Pictures ------------------------------------------------------------------------------ */

OverlayArea overlay_difference(GstBuffer *a, GstBuffer *b, const gchar *format, gint width,
                               gint height) {
  OverlayArea area = {.left = width, .top = height};
  g_autofree gchar *text = overlay_caps(format, width, height);
  GstCaps *caps = gst_caps_from_string(text);
  GstVideoFrame frames[2];
  GstVideoInfo info;

  fail_unless(gst_video_info_from_caps(&info, caps));
  gst_caps_unref(caps);
  fail_unless(gst_video_frame_map(&frames[0], &info, a, GST_MAP_READ));
  fail_unless(gst_video_frame_map(&frames[1], &info, b, GST_MAP_READ));
  for (gint y = 0; y < height; y++) {
    for (gint x = 0; x < width; x++) {
      guint8 *pixels[2];

      for (guint i = 0; i < 2; i++)
        pixels[i] = (guint8 *)GST_VIDEO_FRAME_COMP_DATA(&frames[i], 0) +
                    y * GST_VIDEO_FRAME_COMP_STRIDE(&frames[i], 0) +
                    x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frames[i], 0);
      if (memcmp(pixels[0], pixels[1],
                 (gsize)(GST_VIDEO_FRAME_COMP_DEPTH(&frames[0], 0) + 7) / 8) == 0)
        continue;
      area.left = MIN(area.left, x);
      area.top = MIN(area.top, y);
      area.right = MAX(area.right, x + 1);
      area.bottom = MAX(area.bottom, y + 1);
    }
  }
  gst_video_frame_unmap(&frames[0]);
  gst_video_frame_unmap(&frames[1]);
  return area;
}

// (transfer full): what comes out for a grey frame with @n_tags tags.
GstBuffer *overlay_show(GstHarness *harness, const OverlayTags *const *tags, guint n_tags,
                        GstBuffer *frame, guint number) {
  GstBuffer *copy = gst_buffer_copy_deep(frame), *shown;

  GST_BUFFER_PTS(copy) = number * TEST_FRAME_TIME;
  GST_BUFFER_DURATION(copy) = TEST_FRAME_TIME;
  for (guint i = 0; i < n_tags; i++)
    attach(copy, tags[i]);
  shown = gst_harness_push_and_pull(harness, copy);
  fail_unless(shown != NULL);
  fail_unless_equals_uint64(GST_BUFFER_PTS(shown), number * TEST_FRAME_TIME);
  return shown;
}

// Where the text of @n_tags tags is on a grey frame.
OverlayArea overlay_written(GstHarness *harness, const OverlayTags *const *tags, guint n_tags,
                            const gchar *format, gint width, gint height) {
  // Not black: the shade of the background shows.
  GstBuffer *frame =
      test_frame_new("solid-color foreground-color=0xff606060", format, width, height);
  GstBuffer *shown = overlay_show(harness, tags, n_tags, frame, 0);
  OverlayArea area = overlay_difference(frame, shown, format, width, height);

  gst_buffer_unref(frame);
  gst_buffer_unref(shown);
  return area;
}

OverlayArea overlay_written_by(const gchar *properties, const OverlayTags *tags, gint width,
                               gint height) {
  GstHarness *harness = overlay_harness_new(properties, "I420", width, height);
  OverlayArea area = overlay_written(harness, &tags, 1, "I420", width, height);

  gst_harness_teardown(harness);
  return area;
}
