// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * executor.h: the two threads of a device: one that starts work, one that finishes it.
 *
 * Schedulers register with the executor of their device; it asks them in turn for work, so that
 * none starves. Finished work is delivered in the order in which it was started. One lock guards
 * the executor and the queues of all its schedulers.
 */
#ifndef SWIN_EXECUTOR_H
#define SWIN_EXECUTOR_H

#include "swin.h"

typedef struct _SwinExecutor SwinExecutor;

/** SwinWorkSource: what a scheduler tells its executor. */
typedef struct {
  /* Under the lock: takes work that can start now, or returns NULL and lowers @deadline (monotonic
   * microseconds) to when it wants to be asked again without being woken. */
  gpointer (*take)(gpointer source, gint64 now, gint64 *deadline);
  /* On the starting thread, without the lock. */
  void (*start)(gpointer source, gpointer work);
  /* On the finishing thread, without the lock: waits for the work and delivers it. The source may
   * be gone afterwards. */
  void (*finish)(gpointer source, gpointer work);
} SwinWorkSource;

/**
 * swin_executor_add: registers a source with the executor of @device, which is made when it is the
 * first one. Balance with swin_executor_remove().
 *
 * Returns: (transfer none): or NULL with SWIN_ERROR_OUT_OF_MEMORY when no thread can be made.
 */
SwinExecutor *swin_executor_add(SwinDevice *device, const SwinWorkSource *functions,
                                gpointer source, GError **error);

/**
 * swin_executor_remove: the source has no work left and gets none any more. With the last source
 * the threads end: they are joined, unless this is called from one of them.
 */
void swin_executor_remove(SwinExecutor *executor, gpointer source);

/** swin_executor_is_own_thread: whether the caller runs on a thread of any executor. */
gboolean swin_executor_is_own_thread(void);

void swin_executor_lock(SwinExecutor *executor);
void swin_executor_unlock(SwinExecutor *executor);

/** swin_executor_wake: under the lock: a source has become ready, or someone may stop waiting. */
void swin_executor_wake(SwinExecutor *executor);

/** swin_executor_wait: under the lock: until the next swin_executor_wake(). */
void swin_executor_wait(SwinExecutor *executor);

#endif /* SWIN_EXECUTOR_H */
