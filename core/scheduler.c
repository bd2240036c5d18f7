// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scheduler.h"
#include "engine.h"
#include "executor.h"
#include "registry.h"

#define NO_SLOT (-1)

/* Whoever writes a frame may take this long after it was pushed, microseconds. */
#define WRITER_TIMEOUT G_TIME_SPAN_SECOND

/* The kernel tells by file descriptors when that is done; they are asked every so many
 * microseconds. */
#define WRITER_INTERVAL G_TIME_SPAN_MILLISECOND

struct _SwinScheduler {
  SwinShared shared;
  SwinEngine *engine;
  SwinExecutor *executor;
  gint64 batch_timeout; /* microseconds */
  /* Guarded by the executor's lock. */
  GQueue waiting; /* of SwinCaller: those with pending requests; the first one is served next */
  gboolean busy[SWIN_ENGINE_N_SLOTS]; /* until the last result has been delivered */
  guint64 n_batches, n_frames;        /* that were computed */
};

/** Batch: requests that are computed together, or that are not computed as they were cancelled. */
typedef struct {
  gint slot; /* NO_SLOT of cancelled ones */
  guint n_requests;
  SwinRequest *requests[SWIN_ENGINE_MAX_BATCH];
  GError *refused[SWIN_ENGINE_MAX_BATCH]; /* (nullable): why it could not be loaded */
  guint n_images;                         /* of those that were loaded */
  GError *error;                          /* (nullable): why those have no results */
} Batch;

static SwinRegistry schedulers;

/* ---- Queues: under the lock ----------------------------------------------------------------- */

static gboolean is_cancelled(const SwinRequest *request) {
  return request->number < request->caller->cancelled_before;
}

static Batch *batch_new(gint slot) {
  Batch *batch = g_new0(Batch, 1);
  batch->slot = slot;
  return batch;
}

static void add_oldest(Batch *batch, SwinCaller *caller) {
  batch->requests[batch->n_requests++] = g_queue_pop_head(&caller->pending);
}

/* Whether the caller's oldest request can be loaded. A frame that takes too long to be written is
 * refused by that. */
static gboolean is_ready(SwinCaller *caller, gint64 now) {
  SwinRequest *request = g_queue_peek_head(&caller->pending);
  if (!request->ready)
    request->ready =
        now - request->arrival >= WRITER_TIMEOUT || swin_engine_can_load(&request->frame);
  return request->ready;
}

/* The cancelled requests of a caller are its oldest ones. */
static Batch *take_cancelled(SwinScheduler *scheduler) {
  Batch *batch = NULL;
  GList *next;
  for (GList *link = scheduler->waiting.head; link; link = next) {
    SwinCaller *caller = link->data;
    next = link->next;
    while (!g_queue_is_empty(&caller->pending) &&
           is_cancelled(g_queue_peek_head(&caller->pending))) {
      if (!batch)
        batch = batch_new(NO_SLOT);
      if (batch->n_requests == SWIN_ENGINE_MAX_BATCH)
        return batch;
      add_oldest(batch, caller);
    }
    if (g_queue_is_empty(&caller->pending))
      g_queue_delete_link(&scheduler->waiting, link);
  }
  return batch;
}

/* One request of each caller in turn; whoever has more, or is not ready, goes behind the others. */
static Batch *take_in_turn(SwinScheduler *scheduler, gint slot, gint64 now) {
  const guint batch_size = swin_engine_get_batch_size(scheduler->engine);
  Batch *batch = batch_new(slot);
  guint n_passed = 0; /* callers since the last one that was ready */
  while (batch->n_requests < batch_size && n_passed < g_queue_get_length(&scheduler->waiting)) {
    SwinCaller *caller = g_queue_pop_head(&scheduler->waiting);
    const gboolean ready = is_ready(caller, now);
    if (ready)
      add_oldest(batch, caller);
    n_passed = ready ? 0 : n_passed + 1;
    if (!g_queue_is_empty(&caller->pending))
      g_queue_push_tail(&scheduler->waiting, caller);
  }
  return batch;
}

/** Ready: what could be taken of the callers whose oldest request is ready. */
typedef struct {
  guint n_requests; /* all of theirs: those behind the oldest are not asked yet */
  gint64 oldest;    /* arrival */
  gboolean all;     /* there are no other callers that wait */
} Ready;

static Ready find_ready(const SwinScheduler *scheduler, gint64 now) {
  Ready ready = {.oldest = G_MAXINT64, .all = TRUE};
  for (const GList *link = scheduler->waiting.head; link; link = link->next) {
    SwinCaller *caller = link->data;
    if (!is_ready(caller, now)) {
      ready.all = FALSE;
      continue;
    }
    const SwinRequest *request = g_queue_peek_head(&caller->pending);
    ready.n_requests += g_queue_get_length(&caller->pending);
    ready.oldest = MIN(ready.oldest, request->arrival);
  }
  return ready;
}

static gint find_free_slot(const SwinScheduler *scheduler) {
  for (gint i = 0; i < SWIN_ENGINE_N_SLOTS; i++) {
    if (!scheduler->busy[i])
      return i;
  }
  return NO_SLOT;
}

static gboolean is_idle(const SwinScheduler *scheduler) {
  for (guint i = 0; i < SWIN_ENGINE_N_SLOTS; i++) {
    if (scheduler->busy[i])
      return FALSE;
  }
  return TRUE;
}

static gboolean is_due(const SwinScheduler *scheduler, gint64 now, gint64 *deadline) {
  const Ready ready = find_ready(scheduler, now);
  if (!ready.all)
    *deadline = MIN(*deadline, now + WRITER_INTERVAL);
  if (ready.n_requests >= swin_engine_get_batch_size(scheduler->engine))
    return TRUE;
  if (ready.n_requests == 0 || !is_idle(scheduler))
    return FALSE;
  const gint64 due = ready.oldest + scheduler->batch_timeout;
  if (now >= due)
    return TRUE;
  *deadline = MIN(*deadline, due);
  return FALSE;
}

/* ---- A batch's way -------------------------------------------------------------------------- */

static gpointer scheduler_take(gpointer source, gint64 now, gint64 *deadline) {
  SwinScheduler *scheduler = source;
  Batch *cancelled = take_cancelled(scheduler);
  if (cancelled)
    return cancelled;
  const gint slot = find_free_slot(scheduler);
  if (slot == NO_SLOT || !is_due(scheduler, now, deadline))
    return NULL;
  scheduler->busy[slot] = TRUE;
  return take_in_turn(scheduler, slot, now);
}

static void release_pixels(SwinRequest *request) {
  if (request->release)
    request->release(request->keep_alive);
  request->release = NULL;
}

static void scheduler_start(gpointer source, gpointer work) {
  SwinScheduler *scheduler = source;
  Batch *batch = work;
  for (guint i = 0; i < batch->n_requests; i++) {
    SwinRequest *request = batch->requests[i];
    const gboolean loaded =
        batch->slot != NO_SLOT &&
        swin_engine_load(scheduler->engine, (guint)batch->slot, batch->n_images, &request->frame,
                         request->keep_alive, &batch->refused[i]);
    batch->n_images += loaded;
    /* Other memory is read by the device. */
    if (!loaded || request->frame.memory == SWIN_FRAME_MEMORY_HOST)
      release_pixels(request);
  }
  if (batch->n_images > 0)
    swin_engine_submit(scheduler->engine, (guint)batch->slot, batch->n_images, &batch->error);
}

/* With what is done, nothing of the slot is in use any more, whether that succeeded or not. */
static void wait_for(SwinScheduler *scheduler, Batch *batch) {
  if (batch->n_images > 0 && !batch->error &&
      swin_engine_wait(scheduler->engine, (guint)batch->slot, &batch->error)) {
    swin_executor_lock(scheduler->executor);
    scheduler->n_batches++;
    scheduler->n_frames += batch->n_images;
    swin_executor_unlock(scheduler->executor);
  }
  for (guint i = 0; i < batch->n_requests; i++)
    release_pixels(batch->requests[i]);
}

/* Why request @i has no result; NULL when it has one. @cancelled is what is said of those that were
 * cancelled before they were computed or since. */
static const GError *error_of(SwinScheduler *scheduler, const Batch *batch, guint i,
                              const GError *cancelled) {
  if (batch->refused[i])
    return batch->refused[i];
  if (batch->error)
    return batch->error;
  swin_executor_lock(scheduler->executor);
  const gboolean is_late = is_cancelled(batch->requests[i]);
  swin_executor_unlock(scheduler->executor);
  return is_late ? cancelled : NULL;
}

/* Whoever waits for the count may free the caller, and with the last caller the scheduler, as soon
 * as the lock is released.
 * @slot: that is free now, or NO_SLOT */
static void settle(SwinScheduler *scheduler, SwinCaller *caller, gint slot) {
  swin_executor_lock(scheduler->executor);
  caller->n_completed++;
  void (*left)(SwinCaller *) = caller->n_completed == caller->n_pushed ? caller->left : NULL;
  if (slot != NO_SLOT)
    scheduler->busy[slot] = FALSE;
  swin_executor_wake(scheduler->executor);
  swin_executor_unlock(scheduler->executor);
  if (left)
    left(caller);
}

static void scheduler_finish(gpointer source, gpointer work) {
  SwinScheduler *scheduler = source;
  g_autofree Batch *batch = work;
  g_autoptr(GError) cancelled = g_error_new_literal(SWIN_ERROR, SWIN_ERROR_CANCELLED,
                                                    "The frame was cancelled by its owner.");
  wait_for(scheduler, batch);
  guint image = 0;
  for (guint i = 0; i < batch->n_requests; i++) {
    SwinRequest *request = batch->requests[i];
    SwinCaller *caller = request->caller;
    SwinResult result = {.error = error_of(scheduler, batch, i, cancelled)};
    if (!result.error)
      swin_engine_read(scheduler->engine, (guint)batch->slot, image, &result);
    image += !batch->refused[i];
    request->complete(request, &result);
    settle(scheduler, caller, i + 1 == batch->n_requests ? batch->slot : NO_SLOT);
    g_clear_error(&batch->refused[i]);
  }
  g_clear_error(&batch->error);
}

static const SwinWorkSource scheduler_functions = {
    .take = scheduler_take,
    .start = scheduler_start,
    .finish = scheduler_finish,
};

/* ---- Making one ----------------------------------------------------------------------------- */

/** Wanted: what a scheduler is made of. */
typedef struct {
  SwinDevice *device;
  SwinModel *model;
  const SwinClassifierParams *params;
} Wanted;

static gpointer make(gpointer request, GError **error) {
  const Wanted *wanted = request;
  g_autoptr(SwinEngine) engine =
      swin_engine_new(wanted->device, wanted->model, wanted->params, error);
  if (!engine)
    return NULL;
  SwinScheduler *scheduler = g_new0(SwinScheduler, 1);
  swin_shared_init(&scheduler->shared);
  scheduler->engine = engine;
  scheduler->batch_timeout = wanted->params->batch_timeout;
  scheduler->executor = swin_executor_add(wanted->device, &scheduler_functions, scheduler, error);
  if (!scheduler->executor) {
    g_free(scheduler);
    return NULL;
  }
  g_steal_pointer(&engine);
  return scheduler;
}

SwinScheduler *swin_scheduler_get(SwinDevice *device, SwinModel *model,
                                  const SwinClassifierParams *params, GError **error) {
  Wanted wanted = {device, model, params};
  g_autofree gchar *described = swin_classifier_params_describe(params);
  g_autofree gchar *key = g_strdup_printf("%p %p %s", (gpointer)device, (gpointer)model, described);
  return swin_registry_get(&schedulers, key, make, &wanted, error);
}

void swin_scheduler_unref(SwinScheduler *scheduler) {
  if (!scheduler || !swin_shared_unref(&scheduler->shared))
    return;
  swin_registry_remove(&schedulers, scheduler);
  swin_executor_remove(scheduler->executor, scheduler);
  swin_engine_free(scheduler->engine);
  g_free(scheduler);
}

SwinDevice *swin_scheduler_get_device(SwinScheduler *scheduler) {
  return swin_engine_get_device(scheduler->engine);
}

SwinModel *swin_scheduler_get_model(SwinScheduler *scheduler) {
  return swin_engine_get_model(scheduler->engine);
}

guint swin_scheduler_get_top_k(SwinScheduler *scheduler) {
  return swin_engine_get_top_k(scheduler->engine);
}

SwinPrecision swin_scheduler_get_precision(SwinScheduler *scheduler) {
  return swin_engine_get_precision(scheduler->engine);
}

SwinActivation swin_scheduler_get_activation(SwinScheduler *scheduler) {
  return swin_engine_get_activation(scheduler->engine);
}

void swin_scheduler_get_stats(SwinScheduler *scheduler, SwinClassifierStats *stats) {
  stats->batch_size = swin_engine_get_batch_size(scheduler->engine);
  swin_executor_lock(scheduler->executor);
  stats->n_batches = scheduler->n_batches;
  stats->n_frames = scheduler->n_frames;
  swin_executor_unlock(scheduler->executor);
}

/* ---- What callers do ------------------------------------------------------------------------ */

void swin_scheduler_push(SwinScheduler *scheduler, SwinCaller *caller, SwinRequest *request) {
  request->caller = caller;
  swin_executor_lock(scheduler->executor);
  request->arrival = g_get_monotonic_time();
  request->number = caller->n_pushed++;
  if (g_queue_is_empty(&caller->pending))
    g_queue_push_tail(&scheduler->waiting, caller);
  g_queue_push_tail(&caller->pending, request);
  swin_executor_wake(scheduler->executor);
  swin_executor_unlock(scheduler->executor);
}

void swin_scheduler_cancel(SwinScheduler *scheduler, SwinCaller *caller) {
  swin_executor_lock(scheduler->executor);
  caller->cancelled_before = caller->n_pushed;
  swin_executor_wake(scheduler->executor);
  swin_executor_unlock(scheduler->executor);
}

void swin_scheduler_drain(SwinScheduler *scheduler, SwinCaller *caller) {
  swin_executor_lock(scheduler->executor);
  const guint64 last = caller->n_pushed;
  while (caller->n_completed < last)
    swin_executor_wait(scheduler->executor);
  swin_executor_unlock(scheduler->executor);
}

gboolean swin_scheduler_leave(SwinScheduler *scheduler, SwinCaller *caller,
                              void (*left)(SwinCaller *caller)) {
  swin_executor_lock(scheduler->executor);
  const gboolean under_way = caller->n_completed < caller->n_pushed;
  if (under_way)
    caller->left = left;
  swin_executor_unlock(scheduler->executor);
  return under_way;
}
