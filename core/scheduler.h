// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * scheduler.h: gathers the frames of all classifiers of one model on one device into batches.
 */
#ifndef SWIN_SCHEDULER_H
#define SWIN_SCHEDULER_H

#include "classifier-params.h"

typedef struct _SwinScheduler SwinScheduler;
typedef struct _SwinRequest SwinRequest;

/** SwinRequest: a frame on its way. Owned by the scheduler from push to complete. */
struct _SwinRequest {
  SwinFrame frame;
  GDestroyNotify release; /* (nullable): called with keep_alive once the pixels are copied, before
                             complete */
  gpointer keep_alive;
  guint64 serial;                  /* of the caller's own numbering, rising */
  const guint64 *cancelled_before; /* requests of lower serials are cancelled; guarded by the
                                      scheduler's lock */
  gint64 arrival;                  /* monotonic microseconds; set by the push */

  /* Delivers the result on a thread of the library and frees the request. @error is set where there
   * are no tags. The scheduler may be gone when it returns. */
  void (*complete)(SwinRequest *request, const SwinTag *tags, guint n_tags, const GError *error);
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

/** The lock guards what requests point to, and the caller's own count of them. */
void swin_scheduler_lock(SwinScheduler *scheduler);
void swin_scheduler_unlock(SwinScheduler *scheduler);

/** swin_scheduler_push: under the lock: queues a request (transfer full). */
void swin_scheduler_push(SwinScheduler *scheduler, SwinRequest *request);

/** swin_scheduler_wake: under the lock: wakes all that are in swin_scheduler_wait(). */
void swin_scheduler_wake(SwinScheduler *scheduler);

/** swin_scheduler_wait: under the lock: until something has completed. */
void swin_scheduler_wait(SwinScheduler *scheduler);

#endif /* SWIN_SCHEDULER_H */
