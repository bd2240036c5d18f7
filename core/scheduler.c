// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scheduler.h"
#include "engine.h"
#include "executor.h"

struct _SwinScheduler {
  gatomicrefcount references;
  gchar *key;     /* in the table of schedulers */
  gboolean ready; /* guarded by the table's lock; without it, the rest is still being made */
  SwinEngine *engine;
  SwinExecutor *executor;
  gint64 batch_timeout; /* microseconds */
  GQueue pending;       /* of SwinRequest; guarded by the executor's lock, as is the next */
  gboolean busy[SWIN_ENGINE_N_SLOTS];
};

/** Batch: requests that are computed together, in the order in which they came. */
typedef struct {
  guint slot;
  guint n_requests;
  SwinRequest *requests[SWIN_ENGINE_MAX_BATCH];
  gboolean cancelled[SWIN_ENGINE_MAX_BATCH]; /* before it was loaded */
  GError *refused[SWIN_ENGINE_MAX_BATCH];    /* (nullable): why it could not be loaded */
  guint n_images;                            /* of those that were loaded */
  GError *error;                             /* (nullable): why those have no results */
} Batch;

/* The lock is not held while an engine is built, which can take seconds: whoever wants the same
 * scheduler waits for it, others do not. */
static GMutex schedulers_lock;
static GCond schedulers_changed;
static GHashTable *schedulers; /* (nullable): key -> SwinScheduler */

static gboolean is_cancelled(const SwinRequest *request) {
  return request->serial < *request->cancelled_before;
}

static gint find_free_slot(const SwinScheduler *scheduler) {
  for (gint i = 0; i < SWIN_ENGINE_N_SLOTS; i++) {
    if (!scheduler->busy[i])
      return i;
  }
  return -1;
}

static gboolean is_due(SwinScheduler *scheduler, gint64 now, gint64 *deadline) {
  const SwinRequest *oldest = g_queue_peek_head(&scheduler->pending);
  if (!oldest)
    return FALSE;
  const gint64 due = oldest->arrival + scheduler->batch_timeout;
  if (now >= due || is_cancelled(oldest) ||
      scheduler->pending.length >= swin_engine_get_batch_size(scheduler->engine))
    return TRUE;
  *deadline = MIN(*deadline, due);
  return FALSE;
}

static gpointer scheduler_take(gpointer source, gint64 now, gint64 *deadline) {
  SwinScheduler *scheduler = source;
  const gint slot = find_free_slot(scheduler);
  if (slot < 0 || !is_due(scheduler, now, deadline))
    return NULL;
  Batch *batch = g_new0(Batch, 1);
  batch->slot = (guint)slot;
  scheduler->busy[slot] = TRUE;
  const guint batch_size = swin_engine_get_batch_size(scheduler->engine);
  while (batch->n_requests < batch_size && !g_queue_is_empty(&scheduler->pending)) {
    SwinRequest *request = g_queue_pop_head(&scheduler->pending);
    batch->cancelled[batch->n_requests] = is_cancelled(request);
    batch->requests[batch->n_requests++] = request;
  }
  return batch;
}

static void scheduler_start(gpointer source, gpointer work) {
  SwinScheduler *scheduler = source;
  Batch *batch = work;
  for (guint i = 0; i < batch->n_requests; i++) {
    SwinRequest *request = batch->requests[i];
    if (!batch->cancelled[i] && swin_engine_load(scheduler->engine, batch->slot, batch->n_images,
                                                 &request->frame, &batch->refused[i]))
      batch->n_images++;
    if (request->release)
      request->release(request->keep_alive);
  }
  if (batch->n_images > 0)
    swin_engine_submit(scheduler->engine, batch->slot, batch->n_images, &batch->error);
}

/* Why request @i has no result; NULL when it has one. @cancelled is what is said of those that were
 * cancelled before they were computed or since. */
static const GError *error_of(SwinScheduler *scheduler, const Batch *batch, guint i,
                              const GError *cancelled) {
  if (batch->cancelled[i])
    return cancelled;
  if (batch->refused[i])
    return batch->refused[i];
  if (batch->error)
    return batch->error;
  swin_executor_lock(scheduler->executor);
  const gboolean is_late = is_cancelled(batch->requests[i]);
  swin_executor_unlock(scheduler->executor);
  return is_late ? cancelled : NULL;
}

/* The last delivery may free the scheduler. */
static void deliver(SwinScheduler *scheduler, Batch *batch, const SwinTag *tags, guint top_k) {
  g_autoptr(GError) cancelled = g_error_new_literal(SWIN_ERROR, SWIN_ERROR_CANCELLED,
                                                    "The frame was cancelled by its owner.");
  for (guint i = 0; i < batch->n_requests; i++) {
    SwinRequest *request = batch->requests[i];
    const GError *error = error_of(scheduler, batch, i, cancelled);
    request->complete(request, error ? NULL : tags, error ? 0 : top_k, error);
    if (!batch->cancelled[i] && !batch->refused[i])
      tags += top_k;
    g_clear_error(&batch->refused[i]);
  }
}

static void scheduler_finish(gpointer source, gpointer work) {
  SwinScheduler *scheduler = source;
  g_autofree Batch *batch = work;
  const guint top_k = swin_engine_get_top_k(scheduler->engine);
  g_autofree SwinTag *tags = g_new0(SwinTag, (gsize)top_k * SWIN_ENGINE_MAX_BATCH);
  if (!batch->error && batch->n_images > 0)
    swin_engine_wait(scheduler->engine, batch->slot, &batch->error);
  for (guint i = 0; !batch->error && i < batch->n_images; i++)
    swin_engine_read(scheduler->engine, batch->slot, i, tags + (gsize)i * top_k);

  /* The slot can take the next batch while this one is delivered. */
  swin_executor_lock(scheduler->executor);
  scheduler->busy[batch->slot] = FALSE;
  swin_executor_wake(scheduler->executor);
  swin_executor_unlock(scheduler->executor);
  deliver(scheduler, batch, tags, top_k);
  g_clear_error(&batch->error);
}

static const SwinWorkSource scheduler_functions = {
    .take = scheduler_take,
    .start = scheduler_start,
    .finish = scheduler_finish,
};

static gboolean build(SwinScheduler *scheduler, SwinDevice *device, SwinModel *model,
                      const SwinClassifierParams *params, GError **error) {
  scheduler->engine = swin_engine_new(device, model, params, error);
  if (!scheduler->engine)
    return FALSE;
  scheduler->executor = swin_executor_add(device, &scheduler_functions, scheduler, error);
  if (scheduler->executor)
    return TRUE;
  swin_engine_free(scheduler->engine);
  return FALSE;
}

static void scheduler_free(SwinScheduler *scheduler) {
  g_free(scheduler->key);
  g_free(scheduler);
}

/* These three: under the table's lock. */
static SwinScheduler *find(const gchar *key) {
  return schedulers ? g_hash_table_lookup(schedulers, key) : NULL;
}

static SwinScheduler *insert(gchar *key, gint64 batch_timeout) {
  SwinScheduler *scheduler = g_new0(SwinScheduler, 1);
  g_atomic_ref_count_init(&scheduler->references);
  scheduler->key = key;
  scheduler->batch_timeout = batch_timeout;
  g_queue_init(&scheduler->pending);
  if (!schedulers)
    schedulers = g_hash_table_new(g_str_hash, g_str_equal);
  g_hash_table_insert(schedulers, scheduler->key, scheduler);
  return scheduler;
}

static void take_out(SwinScheduler *scheduler) {
  g_hash_table_remove(schedulers, scheduler->key);
  if (g_hash_table_size(schedulers) == 0)
    g_clear_pointer(&schedulers, g_hash_table_unref);
}

SwinScheduler *swin_scheduler_get(SwinDevice *device, SwinModel *model,
                                  const SwinClassifierParams *params, GError **error) {
  g_autofree gchar *described = swin_classifier_params_describe(params);
  g_autofree gchar *key = g_strdup_printf("%p %p %s", (gpointer)device, (gpointer)model, described);
  g_mutex_lock(&schedulers_lock);
  SwinScheduler *scheduler = find(key);
  while (scheduler && !scheduler->ready) {
    g_cond_wait(&schedulers_changed, &schedulers_lock);
    scheduler = find(key);
  }
  if (scheduler) {
    g_atomic_ref_count_inc(&scheduler->references);
    g_mutex_unlock(&schedulers_lock);
    return scheduler;
  }
  scheduler = insert(g_steal_pointer(&key), params->batch_timeout);
  g_mutex_unlock(&schedulers_lock);

  const gboolean built = build(scheduler, device, model, params, error);
  g_mutex_lock(&schedulers_lock);
  scheduler->ready = built;
  if (!built)
    take_out(scheduler);
  g_cond_broadcast(&schedulers_changed);
  g_mutex_unlock(&schedulers_lock);
  if (!built)
    g_clear_pointer(&scheduler, scheduler_free);
  return scheduler;
}

void swin_scheduler_unref(SwinScheduler *scheduler) {
  if (!scheduler)
    return;
  /* Under the lock, so that swin_scheduler_get() never finds one that is going away. */
  g_mutex_lock(&schedulers_lock);
  const gboolean last = g_atomic_ref_count_dec(&scheduler->references);
  if (last)
    take_out(scheduler);
  g_mutex_unlock(&schedulers_lock);
  if (!last)
    return;
  swin_executor_remove(scheduler->executor, scheduler);
  swin_engine_free(scheduler->engine);
  scheduler_free(scheduler);
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

void swin_scheduler_lock(SwinScheduler *scheduler) {
  swin_executor_lock(scheduler->executor);
}

void swin_scheduler_unlock(SwinScheduler *scheduler) {
  swin_executor_unlock(scheduler->executor);
}

void swin_scheduler_push(SwinScheduler *scheduler, SwinRequest *request) {
  request->arrival = g_get_monotonic_time();
  g_queue_push_tail(&scheduler->pending, request);
  swin_executor_wake(scheduler->executor);
}

void swin_scheduler_wake(SwinScheduler *scheduler) {
  swin_executor_wake(scheduler->executor);
}

void swin_scheduler_wait(SwinScheduler *scheduler) {
  swin_executor_wait(scheduler->executor);
}
