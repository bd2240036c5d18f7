// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * overlay-slot.h: a textoverlay of `swinoverlay`: where it writes, and what; and what all of them
 * leave on a frame.
 *
 * A textoverlay renders without its lock, so its properties are set by the thread that then sends
 * it the frame. Whatever is set makes it render anew, so nothing is set twice.
 */
#ifndef SWIN_PLUGIN_OVERLAY_SLOT_H
#define SWIN_PLUGIN_OVERLAY_SLOT_H

#include <gst/video/video.h>

/** GstSwinOverlayHAlign: where text is, from left to right. */
typedef enum {
  GST_SWIN_OVERLAY_HALIGN_LEFT,
  GST_SWIN_OVERLAY_HALIGN_CENTER,
  GST_SWIN_OVERLAY_HALIGN_RIGHT,
} GstSwinOverlayHAlign;
#define GST_TYPE_SWIN_OVERLAY_HALIGN (gst_swin_overlay_halign_get_type())
GType gst_swin_overlay_halign_get_type(void);

/** GstSwinOverlayVAlign: where text is, from top to bottom. */
typedef enum {
  GST_SWIN_OVERLAY_VALIGN_TOP,
  GST_SWIN_OVERLAY_VALIGN_CENTER,
  GST_SWIN_OVERLAY_VALIGN_BOTTOM,
} GstSwinOverlayVAlign;
#define GST_TYPE_SWIN_OVERLAY_VALIGN (gst_swin_overlay_valign_get_type())
GType gst_swin_overlay_valign_get_type(void);

/** SwinOverlayPlace: where a textoverlay writes. Plain data. */
typedef struct {
  GstSwinOverlayHAlign halign;
  GstSwinOverlayVAlign valign;
  guint xpad; /* pixels that stay free at the edge that halign names */
  guint ypad; /* likewise */
} SwinOverlayPlace;

/** SwinOverlaySlot: a textoverlay, and what it was told last. */
typedef struct {
  GstElement *overlay; /* not owned */
  gchar *markup;       /* (nullable): nothing yet */
  gboolean is_placed;  /* whether it has been told a place */
  SwinOverlayPlace place;
} SwinOverlaySlot;

/** swin_overlay_place_frame: at the edges of a picture of @width x @height pixels. */
SwinOverlayPlace swin_overlay_place_frame(GstSwinOverlayHAlign halign, GstSwinOverlayVAlign valign,
                                          guint width, guint height);

/**
 * swin_overlay_place_object: at the upper edge of a box, where at least half of the picture is
 * left for text in both directions.
 * @region: x, y, width and height; what is outside of the picture does not count
 */
SwinOverlayPlace swin_overlay_place_object(const guint region[4], guint width, guint height);

/**
 * swin_overlay_slot_write: what the next frame shows.
 * @markup: Pango markup; "": nothing
 * @place: (nullable): may be NULL where @markup is ""
 */
void swin_overlay_slot_write(SwinOverlaySlot *slot, const gchar *markup,
                             const SwinOverlayPlace *place);

/**
 * swin_overlay_merge: (transfer full): @buffer with one overlay composition in place of all that it
 * has: each textoverlay adds one, and elements downstream may draw the first alone.
 * @buffer: (transfer full)
 */
GstBuffer *swin_overlay_merge(GstBuffer *buffer);

/** swin_overlay_slot_clear: frees what @slot owns. */
void swin_overlay_slot_clear(SwinOverlaySlot *slot);

#endif /* SWIN_PLUGIN_OVERLAY_SLOT_H */
