// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * look.h: what the element knows of one frame on its way: its regions, and the inferences of those
 * of them that are looked at.
 */
#ifndef SWIN_PLUGIN_LOOK_H
#define SWIN_PLUGIN_LOOK_H

#include "flight.h"
#include "input.h"
#include "job.h"
#include "objects.h"
#include "stats.h"

/** SwinPosition: where a frame is among all that came. */
typedef struct {
  guint stream;           /* number of its stream */
  guint64 number;         /* its own; not begun anew with a stream */
  GstClockTime timestamp; /* presentation time */
  GstSegment segment;     /* that the presentation time is in */
} SwinPosition;

/**
 * SwinLook: reference counted. Belongs to one thread at a time: the sink pad's until the frame is
 * submitted, from then on to the job, and when that is done to whoever takes the result.
 */
typedef struct {
  gatomicrefcount ref_count;
  SwinInput input;
  SwinOrientation orientation;
  SwinPosition position;
  gint64 arrived;       /* monotonic time, in us */
  GArray *regions;      /* owned, of SwinRegion: all of the frame, looked at or not */
  SwinObjects *objects; /* owned: what is remembered of those that are tracked */
  GstBuffer *buffer;    /* (nullable): owned: the frame, while it waits to be looked at */
  SwinJob *job;         /* (nullable): owned: of the regions that are looked at */
  GError *error;        /* (nullable): owned: why the frame could not be looked at */
  gboolean taken;       /* what the job says has been taken */
} SwinLook;

/**
 * swin_look_new: (transfer full)
 * @regions: (transfer full)
 * @objects: (transfer full)
 */
SwinLook *swin_look_new(const SwinInput *input, SwinOrientation orientation,
                        const SwinPosition *position, GArray *regions, SwinObjects *objects);

/** swin_look_new_detached: (transfer full): the same frame, for a look that it does not wait for.
 */
SwinLook *swin_look_new_detached(const SwinLook *look);

SwinLook *swin_look_ref(SwinLook *look);
void swin_look_unref(SwinLook *look); /* NULL-safe */

/**
 * swin_look_prepare: makes the job of those regions that have to be looked at now: all but tracked
 * objects that were looked at less than @interval frames ago. That counts as a look at them.
 *
 * Returns: FALSE where there are none.
 */
gboolean swin_look_prepare(SwinLook *look, SwinInference *inference, guint interval);

/**
 * swin_look_submit: submits the job that swin_look_prepare() made.
 * @buffer: the frame, or a copy of its pixels
 * @stats: counts what passes through memory of the host
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME where @buffer cannot be read, or with the error of
 *   swin_job_submit(); then there is no job any more and @done is not called.
 */
gboolean swin_look_submit(SwinLook *look, GstBuffer *buffer, SwinFlight *flight, SwinStats *stats,
                          SwinJobFunc done, gpointer user_data, GError **error);

/** swin_look_give_up: nothing will be known by the job of @look: it goes, and its tracked objects
 * are due again. Where nobody takes what it says, that happens in the end. */
void swin_look_give_up(SwinLook *look);

/**
 * swin_look_find_result: (transfer none) (nullable): what the frame's own job says of @region; only
 * when that is done.
 */
SwinClassification *swin_look_find_result(const SwinLook *look, const SwinRegion *region);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinLook, swin_look_unref)

#endif /* SWIN_PLUGIN_LOOK_H */
