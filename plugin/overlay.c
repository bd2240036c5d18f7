// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-swinoverlay
 * @title: swinoverlay
 *
 * Writes into the picture what #swinclassify found: the tags of each frame, and those of objects at
 * the objects. The text is always that of the very frame; a frame without tags shows none.
 *
 * It is a bin around the stock element `textoverlay`, takes the formats that it takes, and like it
 * lets no frame pass that has no timestamp. Where what is downstream draws overlays by itself, as
 * `vulkanoverlaycompositor` does, the text is handed on to it, and frames stay where they are, also
 * in Vulkan images; then the background is not shaded. In front of all else frames have to be in
 * system memory. Pictures may be scaled between #swinclassify and #swinoverlay; where objects are
 * in one that has been cropped or turned is not known.
 *
 * ## Text
 *
 * Each tag is one line as #GstSwinOverlay:template has it, up to #GstSwinOverlay:max-tags for each
 * model. Several swinclassify in a row each have their lines; #GstSwinOverlay:unique-id picks one.
 * Font sizes are those of a picture 640 pixels wide, and grow and shrink with it.
 *
 * The tags of the frame are where #GstSwinOverlay:halignment and #GstSwinOverlay:valignment say.
 * Those of an object begin at the upper edge of its box: below it in the upper half of the picture,
 * above it in the lower half, and from its left end in the left half, up to its right end in the
 * right half. So text stays inside the picture wherever the object is.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc ! swinclassify model-file=testcard ! swinoverlay ! videoconvert !
 * autovideosink
 * ]| Shows colour bars with "colour bars 99 %" written on them.
 * |[
 * gst-launch-1.0 v4l2src ! swinclassify ! swinoverlay template="%l (%c)" font-desc="Serif Bold 24"
 * valignment=bottom ! videoconvert ! autovideosink
 * ]| Shows a camera's picture with its tags below.
 *
 * Since: 0.1
 */
#include "overlay.h"

#include <gst/pbutils/pbutils.h>

GST_DEBUG_CATEGORY_STATIC(gst_swin_overlay_debug);
#define GST_CAT_DEFAULT gst_swin_overlay_debug

// What is drawn on is negotiated by the textoverlay: it can also hand its text on to elements that
// draw it into other memory than the system's.
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));
static GstStaticPadTemplate source_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));

G_DEFINE_FINAL_TYPE(GstSwinOverlay, gst_swin_overlay, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE(swinoverlay, "swinoverlay", GST_RANK_NONE, GST_TYPE_SWIN_OVERLAY)

/* ---- While it streams ---------------------------------------------------------------------- */

static void apply_properties(GstSwinOverlay *self) {
  g_autofree gchar *font = NULL;
  gboolean changed, shaded;

  GST_OBJECT_LOCK(self);
  changed = self->changed;
  self->changed = FALSE;
  shaded = self->shaded;
  font = changed ? g_strdup(self->font) : NULL;
  GST_OBJECT_UNLOCK(self);
  for (guint i = 0; changed && i < self->slots->len; i++)
    g_object_set(g_array_index(self->slots, SwinOverlaySlot, i).overlay, "font-desc", font,
                 "shaded-background", shaded, NULL);
}

static GArray *read_texts(GstSwinOverlay *self, GstBuffer *buffer) {
  SwinOverlayFormat format;
  GArray *texts;

  GST_OBJECT_LOCK(self);
  format = self->format;
  format.template = g_strdup(format.template);
  GST_OBJECT_UNLOCK(self);
  format.max_objects = self->slots->len - 1;
  texts = swin_overlay_texts_new(buffer, &format, self->width, self->height);
  g_free(format.template);
  return texts;
}

static SwinOverlayPlace place_frame(GstSwinOverlay *self) {
  GstSwinOverlayHAlign halign;
  GstSwinOverlayVAlign valign;

  GST_OBJECT_LOCK(self);
  halign = self->halign;
  valign = self->valign;
  GST_OBJECT_UNLOCK(self);
  return swin_overlay_place_frame(halign, valign, self->width, self->height);
}

static void show_tags(GstSwinOverlay *self, GstBuffer *buffer) {
  g_autoptr(GArray) texts = read_texts(self, buffer);

  apply_properties(self);
  for (guint i = 0; i < self->slots->len; i++) {
    SwinOverlaySlot *slot = &g_array_index(self->slots, SwinOverlaySlot, i);
    const SwinOverlayText *text;
    SwinOverlayPlace place;

    if (i >= texts->len) {
      swin_overlay_slot_write(slot, "", NULL);
      continue;
    }
    text = &g_array_index(texts, SwinOverlayText, i);
    place = i == 0 ? place_frame(self)
                   : swin_overlay_place_object(text->region, self->width, self->height);
    swin_overlay_slot_write(slot, text->markup->str, &place);
  }
}

static void set_size(GstSwinOverlay *self, GstEvent *event) {
  const GstStructure *structure;
  gint width = 0, height = 0;
  GstCaps *caps;

  // Not a GstVideoInfo, which dma-bufs with modifiers do not have.
  gst_event_parse_caps(event, &caps);
  structure = gst_caps_get_structure(caps, 0);
  gst_structure_get_int(structure, "width", &width);
  gst_structure_get_int(structure, "height", &height);
  self->width = (guint)MAX(width, 0);
  self->height = (guint)MAX(height, 0);
}

static GstPadProbeReturn look(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  GstSwinOverlay *self = user_data;

  (void)pad;
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER)
    show_tags(self, GST_PAD_PROBE_INFO_BUFFER(info));
  else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CAPS)
    set_size(self, GST_PAD_PROBE_INFO_EVENT(info));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn merge(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  (void)pad, (void)user_data;
  GST_PAD_PROBE_INFO_DATA(info) = swin_overlay_merge(GST_PAD_PROBE_INFO_BUFFER(info));
  return GST_PAD_PROBE_OK;
}

/* ---- The chain of textoverlays ------------------------------------------------------------- */

static void set_targets(GstSwinOverlay *self, GstPad *sink, GstPad *source) {
  gst_ghost_pad_set_target(GST_GHOST_PAD(self->sink_pad), sink);
  gst_ghost_pad_set_target(GST_GHOST_PAD(self->source_pad), source);
}

static gboolean add_overlay(GstSwinOverlay *self, guint position) {
  g_autofree gchar *name =
      position == 0 ? g_strdup("frame") : g_strdup_printf("object-%u", position - 1);
  SwinOverlaySlot slot = {.overlay = gst_element_factory_make("textoverlay", name)};

  if (slot.overlay == NULL)
    return FALSE;
  g_object_set(slot.overlay, "text", "", NULL);
  gst_bin_add(GST_BIN(self), slot.overlay);
  g_array_append_val(self->slots, slot);
  return position == 0 ||
         gst_element_link_pads(g_array_index(self->slots, SwinOverlaySlot, position - 1).overlay,
                               "src", slot.overlay, "video_sink");
}

static void remove_overlays(GstSwinOverlay *self) {
  if (self->slots == NULL)
    return;
  set_targets(self, NULL, NULL);
  for (guint i = 0; i < self->slots->len; i++) {
    GstElement *overlay = g_array_index(self->slots, SwinOverlaySlot, i).overlay;

    gst_element_set_state(overlay, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(self), overlay);
  }
  g_clear_pointer(&self->slots, g_array_unref);
}

static void tell_missing(GstSwinOverlay *self) {
  gst_element_post_message(GST_ELEMENT_CAST(self),
                           gst_missing_element_message_new(GST_ELEMENT_CAST(self), "textoverlay"));
  GST_ELEMENT_ERROR(self, CORE, MISSING_PLUGIN,
                    ("swinoverlay draws with textoverlay, which GStreamer does not find: install "
                     "its Pango plugin (on Debian and Ubuntu the package gstreamer1.0-x)."),
                    (NULL));
}

static gboolean add_overlays(GstSwinOverlay *self) {
  g_autoptr(GstPad) sink = NULL, source = NULL;
  guint n_slots;

  GST_OBJECT_LOCK(self);
  n_slots = 1 + self->format.max_objects;
  self->changed = TRUE;
  GST_OBJECT_UNLOCK(self);
  self->width = self->height = 0;
  self->slots = g_array_new(FALSE, FALSE, sizeof(SwinOverlaySlot));
  g_array_set_clear_func(self->slots, (GDestroyNotify)swin_overlay_slot_clear);
  for (guint i = 0; i < n_slots; i++) {
    if (!add_overlay(self, i)) {
      remove_overlays(self);
      tell_missing(self);
      return FALSE;
    }
  }
  sink = gst_element_get_static_pad(g_array_index(self->slots, SwinOverlaySlot, 0).overlay,
                                    "video_sink");
  source = gst_element_get_static_pad(
      g_array_index(self->slots, SwinOverlaySlot, n_slots - 1).overlay, "src");
  gst_pad_add_probe(sink, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, look,
                    self, NULL);
  gst_pad_add_probe(source, GST_PAD_PROBE_TYPE_BUFFER, merge, NULL, NULL);
  set_targets(self, sink, source);
  return TRUE;
}

static gboolean check_template(GstSwinOverlay *self) {
  g_autofree gchar *fault = NULL;

  GST_OBJECT_LOCK(self);
  fault = g_strdup(self->template_fault);
  GST_OBJECT_UNLOCK(self);
  if (fault != NULL)
    GST_ELEMENT_ERROR(self, LIBRARY, SETTINGS, ("%s", fault), (NULL));
  return fault == NULL;
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition) {
  GstSwinOverlay *self = GST_SWIN_OVERLAY(element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      !(check_template(self) && add_overlays(self)))
    return GST_STATE_CHANGE_FAILURE;
  result = GST_ELEMENT_CLASS(gst_swin_overlay_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
    remove_overlays(self);
  return result;
}

/* ---- Class --------------------------------------------------------------------------------- */

static void finalize(GObject *object) {
  gst_swin_overlay_clear_properties(GST_SWIN_OVERLAY(object));
  G_OBJECT_CLASS(gst_swin_overlay_parent_class)->finalize(object);
}

static void gst_swin_overlay_class_init(GstSwinOverlayClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS(klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

  GST_DEBUG_CATEGORY_INIT(gst_swin_overlay_debug, "swinoverlay", 0, "tags written on the picture");
  object_class->finalize = finalize;
  element_class->change_state = change_state;
  gst_swin_overlay_install_properties(object_class);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &source_template);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_OVERLAY_HALIGN, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_OVERLAY_VALIGN, 0);
  gst_element_class_set_static_metadata(element_class, "Tags on the picture", "Filter/Editor/Video",
                                        "Writes into the picture what swinclassify says of it",
                                        "The gst-swin developers");
}

static GstPad *add_pad(GstSwinOverlay *self, const gchar *name) {
  GstPadTemplate *template = gst_element_get_pad_template(GST_ELEMENT_CAST(self), name);
  GstPad *pad = gst_ghost_pad_new_no_target_from_template(name, template);

  gst_element_add_pad(GST_ELEMENT_CAST(self), pad);
  return pad;
}

static void gst_swin_overlay_init(GstSwinOverlay *self) {
  self->sink_pad = add_pad(self, "sink");
  self->source_pad = add_pad(self, "src");
  gst_swin_overlay_init_properties(self);
}
