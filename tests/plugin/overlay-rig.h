// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * overlay-rig.h: frames with metadata made by hand through swinoverlay. Where text is, the picture
 * differs from the one that went in.
 */
#ifndef SWIN_TESTS_PLUGIN_OVERLAY_RIG_H
#define SWIN_TESTS_PLUGIN_OVERLAY_RIG_H

#include "common.h"

/** OverlayTags: what a frame says of itself, as metadata.h has it. */
typedef struct {
  const gchar *model;
  guint unique_id;
  guint n_tags;
  const gchar *labels[4];
  gdouble confidences[4];
  gboolean is_object;
  guint region[4];
  guint frame_size[2]; /* 0: is not said */
} OverlayTags;

/** overlay_one_tag: "Wagtail", 0.75, of the whole frame. */
extern const OverlayTags overlay_one_tag;

/** OverlayArea: the smallest rectangle around all pixels that differ. Without any, right is 0. */
typedef struct {
  gint left, top, right, bottom; /* right and bottom are just outside */
} OverlayArea;

/** overlay_caps: (transfer full): of frames, 25 a second. */
gchar *overlay_caps(const gchar *format, gint width, gint height);

/** overlay_harness_new: swinoverlay with @properties, as gst-launch-1.0 has them. */
GstHarness *overlay_harness_new(const gchar *properties, const gchar *format, gint width,
                                gint height);

/** overlay_find: (transfer full) (nullable): a child of the bin in @harness. */
GObject *overlay_find(GstHarness *harness, const gchar *name);

/** overlay_set: a property of swinoverlay. */
void overlay_set(GstHarness *harness, const gchar *name, const gchar *value);

/** overlay_text_of: (transfer full): the text that textoverlay @name was given;
 * overlay_check_text() compares it. */
gchar *overlay_text_of(GstHarness *harness, const gchar *name);
void overlay_check_text(GstHarness *harness, const gchar *name, const gchar *wanted);

/** overlay_difference: where two frames of the same caps differ. */
OverlayArea overlay_difference(GstBuffer *a, GstBuffer *b, const gchar *format, gint width,
                               gint height);

/** overlay_show: (transfer full): what comes out for a copy of @frame with @n_tags tags. */
GstBuffer *overlay_show(GstHarness *harness, const OverlayTags *const *tags, guint n_tags,
                        GstBuffer *frame, guint number);

/** overlay_written: where the text of @n_tags tags is on a grey frame; overlay_written_by() has a
 * harness of its own, and one tag on an I420 frame. */
OverlayArea overlay_written(GstHarness *harness, const OverlayTags *const *tags, guint n_tags,
                            const gchar *format, gint width, gint height);
OverlayArea overlay_written_by(const gchar *properties, const OverlayTags *tags, gint width,
                               gint height);

#endif /* SWIN_TESTS_PLUGIN_OVERLAY_RIG_H */
