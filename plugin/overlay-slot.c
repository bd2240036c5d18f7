// SPDX-License-Identifier: LGPL-2.1-or-later
#include "overlay-slot.h"

/** Part of the picture's shorter side that stays free around the tags of the frame. */
#define MARGIN_DIVISOR 30

/**
 * GstSwinOverlayHAlign:
 * @left: at the left edge
 * @center: in the middle
 * @right: at the right edge
 *
 * Where the tags of the frame are, from left to right. Nicks are those of textoverlay.
 *
 * Since: 0.1
 */
GType gst_swin_overlay_halign_get_type(void) {
  static gsize type;
  static const GEnumValue values[] = {
      {GST_SWIN_OVERLAY_HALIGN_LEFT, "At the left edge", "left"},
      {GST_SWIN_OVERLAY_HALIGN_CENTER, "In the middle", "center"},
      {GST_SWIN_OVERLAY_HALIGN_RIGHT, "At the right edge", "right"},
      {0},
  };

  if (g_once_init_enter(&type))
    g_once_init_leave(&type, g_enum_register_static("GstSwinOverlayHAlign", values));
  return type;
}

/**
 * GstSwinOverlayVAlign:
 * @top: at the upper edge
 * @center: in the middle
 * @bottom: at the lower edge
 *
 * Where the tags of the frame are, from top to bottom. Nicks are those of textoverlay.
 *
 * Since: 0.1
 */
GType gst_swin_overlay_valign_get_type(void) {
  static gsize type;
  static const GEnumValue values[] = {
      {GST_SWIN_OVERLAY_VALIGN_TOP, "At the upper edge", "top"},
      {GST_SWIN_OVERLAY_VALIGN_CENTER, "In the middle", "center"},
      {GST_SWIN_OVERLAY_VALIGN_BOTTOM, "At the lower edge", "bottom"},
      {0},
  };

  if (g_once_init_enter(&type))
    g_once_init_leave(&type, g_enum_register_static("GstSwinOverlayVAlign", values));
  return type;
}

SwinOverlayPlace swin_overlay_place_frame(GstSwinOverlayHAlign halign, GstSwinOverlayVAlign valign,
                                          guint width, guint height) {
  guint margin = MIN(width, height) / MARGIN_DIVISOR;

  return (SwinOverlayPlace){.halign = halign, .valign = valign, .xpad = margin, .ypad = margin};
}

SwinOverlayPlace swin_overlay_place_object(const guint region[4], guint width, guint height) {
  guint left = MIN(region[0], width), top = MIN(region[1], height);
  guint right = left + MIN(region[2], width - left);
  SwinOverlayPlace place;

  if (left <= width - right) {
    place.halign = GST_SWIN_OVERLAY_HALIGN_LEFT;
    place.xpad = left;
  } else {
    place.halign = GST_SWIN_OVERLAY_HALIGN_RIGHT;
    place.xpad = width - right;
  }
  if (top <= height / 2) {
    place.valign = GST_SWIN_OVERLAY_VALIGN_TOP;
    place.ypad = top;
  } else {
    place.valign = GST_SWIN_OVERLAY_VALIGN_BOTTOM;
    place.ypad = height - top;
  }
  return place;
}

// Enumerations of another plugin are set by name.
static void set_enum(GstElement *overlay, const gchar *name, GType type, gint value) {
  GEnumClass *values = g_type_class_ref(type);

  gst_util_set_object_arg(G_OBJECT(overlay), name, g_enum_get_value(values, value)->value_nick);
  g_type_class_unref(values);
}

static gboolean place_equal(const SwinOverlayPlace *a, const SwinOverlayPlace *b) {
  return a->halign == b->halign && a->valign == b->valign && a->xpad == b->xpad &&
         a->ypad == b->ypad;
}

static void set_place(SwinOverlaySlot *slot, const SwinOverlayPlace *place) {
  slot->place = *place;
  slot->is_placed = TRUE;
  set_enum(slot->overlay, "halignment", GST_TYPE_SWIN_OVERLAY_HALIGN, (gint)place->halign);
  set_enum(slot->overlay, "line-alignment", GST_TYPE_SWIN_OVERLAY_HALIGN, (gint)place->halign);
  set_enum(slot->overlay, "valignment", GST_TYPE_SWIN_OVERLAY_VALIGN, (gint)place->valign);
  g_object_set(slot->overlay, "xpad", (gint)place->xpad, "ypad", (gint)place->ypad, NULL);
}

void swin_overlay_slot_write(SwinOverlaySlot *slot, const gchar *markup,
                             const SwinOverlayPlace *place) {
  if (*markup != '\0' && !(slot->is_placed && place_equal(&slot->place, place)))
    set_place(slot, place);
  if (g_strcmp0(slot->markup, markup) == 0)
    return;
  g_free(slot->markup);
  slot->markup = g_strdup(markup);
  // An empty text is none: the frame passes as it is.
  g_object_set(slot->overlay, "text", markup, NULL);
}

static gboolean remove_composition(GstBuffer *buffer, GstMeta **meta, gpointer user_data) {
  (void)buffer, (void)user_data;
  if ((*meta)->info->api == GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE)
    *meta = NULL;
  return TRUE;
}

// Whether they show the same pixels in the same place; a copy does, and is another object.
static gboolean rectangle_equal(GstVideoOverlayRectangle *a, GstVideoOverlayRectangle *b) {
  gint x[2], y[2];
  guint width[2], height[2];

  gst_video_overlay_rectangle_get_render_rectangle(a, &x[0], &y[0], &width[0], &height[0]);
  gst_video_overlay_rectangle_get_render_rectangle(b, &x[1], &y[1], &width[1], &height[1]);
  return x[0] == x[1] && y[0] == y[1] && width[0] == width[1] && height[0] == height[1] &&
         gst_video_overlay_rectangle_get_pixels_unscaled_raw(
             a, gst_video_overlay_rectangle_get_flags(a)) ==
             gst_video_overlay_rectangle_get_pixels_unscaled_raw(
                 b, gst_video_overlay_rectangle_get_flags(b));
}

// A textoverlay copies what it finds on the frame into what it adds.
static void add_new_rectangles(GstVideoOverlayComposition *to, GstVideoOverlayComposition *from) {
  const guint n_old = gst_video_overlay_composition_n_rectangles(to);

  for (guint i = 0; i < gst_video_overlay_composition_n_rectangles(from); i++) {
    GstVideoOverlayRectangle *rectangle = gst_video_overlay_composition_get_rectangle(from, i);
    guint j = 0;

    while (j < n_old &&
           !rectangle_equal(gst_video_overlay_composition_get_rectangle(to, j), rectangle))
      j++;
    if (j == n_old)
      gst_video_overlay_composition_add_rectangle(to, rectangle);
  }
}

GstBuffer *swin_overlay_merge(GstBuffer *buffer) {
  const GType api = GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE;
  GstVideoOverlayComposition *merged;
  gpointer state = NULL;
  GstMeta *meta;

  if (gst_buffer_get_n_meta(buffer, api) < 2)
    return buffer;
  merged = gst_video_overlay_composition_new(NULL);
  while ((meta = gst_buffer_iterate_meta_filtered(buffer, &state, api)) != NULL)
    add_new_rectangles(merged, ((GstVideoOverlayCompositionMeta *)meta)->overlay);
  buffer = gst_buffer_make_writable(buffer);
  gst_buffer_foreach_meta(buffer, remove_composition, NULL);
  gst_buffer_add_video_overlay_composition_meta(buffer, merged);
  gst_video_overlay_composition_unref(merged);
  return buffer;
}

void swin_overlay_slot_clear(SwinOverlaySlot *slot) {
  g_clear_pointer(&slot->markup, g_free);
}
