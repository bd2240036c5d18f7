// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * overlay-text.h: what `swinoverlay` writes on a frame: the tags that the frame carries, read off
 * the custom metas that metadata.h describes, as text. Knows nothing of how it is drawn.
 */
#ifndef SWIN_PLUGIN_OVERLAY_TEXT_H
#define SWIN_PLUGIN_OVERLAY_TEXT_H

#include <gst/gst.h>

/** SwinOverlayFormat: how tags become text. */
typedef struct {
  gchar *template;   /* of one tag; see swin_overlay_template_check() */
  guint max_tags;    /* of one model about one thing */
  guint max_objects; /* that are written about */
  guint unique_id;   /* tags of this one alone; 0: of all */
} SwinOverlayFormat;

/** SwinOverlayText: what is written about one thing. */
typedef struct {
  guint region[4]; /* of an object: x, y, width, height in pixels of the picture */
  GString *markup; /* lines of Pango markup */
} SwinOverlayText;

/**
 * swin_overlay_template_check: whether @template is one: text in which `%l` stands for the label,
 * `%p` for the confidence in percent, `%c` for the confidence from 0 to 1, `%i` for the index of
 * the class, `%m` for the name of the model, `%u` for its unique-id, `%o` for the class that the
 * detector gave the object, `%t` for the number under which the object is tracked, `%a` for the age
 * of the result in milliseconds, and `%%` for a percent sign. What a tag does not have is empty.
 *
 * Returns: FALSE with %GST_CORE_ERROR_FAILED where none of these follows a percent sign.
 */
gboolean swin_overlay_template_check(const gchar *template, GError **error);

/**
 * swin_overlay_texts_new: (transfer full): an array of #SwinOverlayText: that of the frame, which
 * is always there and may be empty, then those of objects, each once, in the order of the metadata.
 * One line for each tag, best first, one model after the other. Metadata of another shape than
 * metadata.h says are passed over.
 * @format: with a template that has been checked
 * @width: of the picture, in pixels. Where it has been scaled since it was looked at, so are
 *   regions; 0: not known
 * @height: likewise
 */
GArray *swin_overlay_texts_new(GstBuffer *buffer, const SwinOverlayFormat *format, guint width,
                               guint height);

#endif /* SWIN_PLUGIN_OVERLAY_TEXT_H */
