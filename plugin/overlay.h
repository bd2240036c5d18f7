// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * overlay.h: the element `swinoverlay`, which writes the tags that frames carry into the picture.
 * overlay.c has its class, states and what happens while it streams, overlay-properties.c its
 * properties; overlay-text.c reads tags, overlay-slot.c has them drawn.
 */
#ifndef SWIN_PLUGIN_OVERLAY_H
#define SWIN_PLUGIN_OVERLAY_H

#include <gst/gst.h>

#include "overlay-slot.h"
#include "overlay-text.h"

G_BEGIN_DECLS

#define GST_TYPE_SWIN_OVERLAY (gst_swin_overlay_get_type())
G_DECLARE_FINAL_TYPE(GstSwinOverlay, gst_swin_overlay, GST, SWIN_OVERLAY, GstBin)

GST_ELEMENT_REGISTER_DECLARE(swinoverlay)

struct _GstSwinOverlay {
  GstBin bin;
  GstPad *sink_pad;
  GstPad *source_pad;

  /* Under the object lock. */
  SwinOverlayFormat format;
  gchar *font;
  GstSwinOverlayHAlign halign;
  GstSwinOverlayVAlign valign;
  gboolean shaded;
  gboolean changed;      /* since the streaming thread looked */
  gchar *template_fault; /* (nullable): what is wrong with the template that was set last */

  /* The streaming thread while there is one. */
  GArray *slots; /* (nullable): of SwinOverlaySlot: of the frame, then of objects; NULL in READY and
                    below */
  guint width;   /* of the picture, in pixels; 0: not known */
  guint height;
};

/** gst_swin_overlay_install_properties: for the class; gst_swin_overlay_init_properties() gives a
 * new element their defaults, and gst_swin_overlay_clear_properties() frees what they own. */
void gst_swin_overlay_install_properties(GObjectClass *klass);
void gst_swin_overlay_init_properties(GstSwinOverlay *self);
void gst_swin_overlay_clear_properties(GstSwinOverlay *self);

G_END_DECLS

#endif /* SWIN_PLUGIN_OVERLAY_H */
