// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * scheduler.h: gathers the frames of all classifiers of one model on one device into batches.
 *
 * Each caller has a queue of its own, and they are served in turn, a frame each. A batch starts
 * when there is room for it and it is full. One that is not starts when its oldest frame has waited
 * for the batch timeout and nothing else is under way: behind another batch it would have to wait
 * on the device, and there it cannot be joined any more. Frames that were cancelled wait for
 * neither.
 *
 * A frame to which somebody is still writing keeps back those of its own caller alone, and for a
 * second after it was pushed at most.
 */
#ifndef SWIN_SCHEDULER_H
#define SWIN_SCHEDULER_H

#include "classifier-params.h"

typedef struct _SwinScheduler SwinScheduler;
typedef struct _SwinCaller SwinCaller;
typedef struct _SwinRequest SwinRequest;

/** SwinRequest: a frame on its way. Owned by the scheduler from push to complete. */
struct _SwinRequest {
  SwinFrame frame;
  GDestroyNotify release; /* (nullable): called with keep_alive once the pixels are not needed any
                             more, before complete */
  gpointer keep_alive;

  /* Delivers the result on a thread of the library and frees the request. */
  void (*complete)(SwinRequest *request, const SwinResult *result);

  /* Set by the push. */
  SwinCaller *caller;
  guint64 number; /* of the caller's requests, from 0 */
  gint64 arrival; /* monotonic microseconds */

  /* The scheduler's own, under its lock. */
  gboolean ready; /* to be loaded */
};

/** SwinCaller: one caller's queue; all zero at first. The scheduler's own, under its lock. */
struct _SwinCaller {
  GQueue pending;             /* of SwinRequest, oldest first */
  guint64 n_pushed;           /* requests so far: the number of the next one */
  guint64 n_completed;        /* those of lower numbers have completed */
  guint64 cancelled_before;   /* those of lower numbers are cancelled */
  void (*left)(SwinCaller *); /* (nullable): see swin_scheduler_leave() */
};

/**
 * swin_scheduler_get: (transfer full): the scheduler that serves this device, model and
 * parameters, or a new one. While it is made, others who want the same wait for it.
 */
SwinScheduler *swin_scheduler_get(SwinDevice *device, SwinModel *model,
                                  const SwinClassifierParams *params, GError **error);

/** swin_scheduler_unref: NULL-safe; all requests have completed. Any thread. */
void swin_scheduler_unref(SwinScheduler *scheduler);

SwinDevice *swin_scheduler_get_device(SwinScheduler *scheduler); /* (transfer none) */
SwinModel *swin_scheduler_get_model(SwinScheduler *scheduler);   /* (transfer none) */
guint swin_scheduler_get_top_k(SwinScheduler *scheduler);
SwinPrecision swin_scheduler_get_precision(SwinScheduler *scheduler);
SwinActivation swin_scheduler_get_activation(SwinScheduler *scheduler);

/** swin_scheduler_get_stats: all but struct_size is filled in. */
void swin_scheduler_get_stats(SwinScheduler *scheduler, SwinClassifierStats *stats);

/** swin_scheduler_push: queues a request (transfer full). */
void swin_scheduler_push(SwinScheduler *scheduler, SwinCaller *caller, SwinRequest *request);

/** swin_scheduler_cancel: the caller's requests until now complete as cancelled. */
void swin_scheduler_cancel(SwinScheduler *scheduler, SwinCaller *caller);

/** swin_scheduler_drain: until the caller's requests until now have completed. Not on a thread of
 * the library. */
void swin_scheduler_drain(SwinScheduler *scheduler, SwinCaller *caller);

/**
 * swin_scheduler_leave: no more requests come from the caller.
 * @left: called on a thread of the library when the last one has completed; it may free the caller
 *   and drop the scheduler
 *
 * Returns: FALSE where there are none under way, and @left is not called.
 */
gboolean swin_scheduler_leave(SwinScheduler *scheduler, SwinCaller *caller,
                              void (*left)(SwinCaller *caller));

#endif /* SWIN_SCHEDULER_H */
