// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * objects.h: what is remembered of tracked objects from frame to frame: their latest result, and
 * when they were last looked at. Objects that have not been seen for a while are forgotten.
 *
 * What is remembered is of one stretch of one stream, and what one model said of it. Each frame
 * holds that of its own, so that what begins anew does so between two frames, wherever these are.
 */
#ifndef SWIN_PLUGIN_OBJECTS_H
#define SWIN_PLUGIN_OBJECTS_H

#include "classification.h"

/** Frames after which an object that none of them shows is forgotten. */
#define SWIN_OBJECTS_MEMORY 300

/** SwinObjects: reference counted, any thread. */
typedef struct _SwinObjects SwinObjects;

SwinObjects *swin_objects_new(void);
SwinObjects *swin_objects_ref(SwinObjects *objects);
void swin_objects_unref(SwinObjects *objects); /* NULL-safe */

/** swin_objects_next_frame: counts frames, for intervals and for forgetting. */
void swin_objects_next_frame(SwinObjects *objects);

/**
 * swin_objects_is_due: notes that object @track is on the present frame.
 * @interval: frames from one look at it to the next; 0: one look is enough
 *
 * Returns: whether it has to be classified now; that counts as a look.
 */
gboolean swin_objects_is_due(SwinObjects *objects, guint64 track, guint interval);

/**
 * swin_objects_store: the latest result of @track. Nothing happens when that has been forgotten
 * meanwhile.
 */
void swin_objects_store(SwinObjects *objects, guint64 track, SwinClassification *classification);

/** swin_objects_make_due: the last look at @track has come to nothing: the next frame needs one. */
void swin_objects_make_due(SwinObjects *objects, guint64 track);

/** swin_objects_lookup: (transfer full) (nullable): that result, for a frame that @track is on. */
SwinClassification *swin_objects_lookup(SwinObjects *objects, guint64 track);

#endif /* SWIN_PLUGIN_OBJECTS_H */
