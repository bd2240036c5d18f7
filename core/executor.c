// SPDX-License-Identifier: LGPL-2.1-or-later
#include "executor.h"

typedef struct {
  const SwinWorkSource *functions;
  gpointer source;
} Entry;

typedef struct {
  Entry entry;
  gpointer work;
} Started;

struct _SwinExecutor {
  SwinDevice *device;         /* not a reference: sources keep it alive */
  gatomicrefcount references; /* the two threads and the table */
  GMutex lock;
  GCond changed;
  GArray *entries; /* of Entry */
  guint next;      /* the entry that is asked first */
  GQueue started;  /* of Started: under way, oldest first */
  gboolean stopping;
  GThread *starter;
  GThread *finisher;
};

static GPrivate own_thread; /* not NULL on the threads of executors */

G_LOCK_DEFINE_STATIC(executors);
static GHashTable *executors; /* SwinDevice -> SwinExecutor */

static void executor_unref(SwinExecutor *executor) {
  if (!g_atomic_ref_count_dec(&executor->references))
    return;
  g_array_unref(executor->entries);
  g_cond_clear(&executor->changed);
  g_mutex_clear(&executor->lock);
  g_free(executor);
}

/* Asks every source once, beginning behind the one that was served last. */
static Started *take_next(SwinExecutor *executor, gint64 *deadline) {
  const gint64 now = g_get_monotonic_time();
  for (guint i = 0; i < executor->entries->len; i++) {
    const guint position = (executor->next + i) % executor->entries->len;
    const Entry entry = g_array_index(executor->entries, Entry, position);
    gpointer work = entry.functions->take(entry.source, now, deadline);
    if (!work)
      continue;
    executor->next = position + 1;
    Started *started = g_new(Started, 1);
    *started = (Started){.entry = entry, .work = work};
    return started;
  }
  return NULL;
}

static gpointer starter_run(gpointer data) {
  SwinExecutor *executor = data;
  g_private_set(&own_thread, executor);
  g_mutex_lock(&executor->lock);
  while (!executor->stopping) {
    gint64 deadline = G_MAXINT64;
    Started *started = take_next(executor, &deadline);
    if (!started && deadline == G_MAXINT64) {
      g_cond_wait(&executor->changed, &executor->lock);
    } else if (!started) {
      g_cond_wait_until(&executor->changed, &executor->lock, deadline);
    } else {
      g_mutex_unlock(&executor->lock);
      started->entry.functions->start(started->entry.source, started->work);
      g_mutex_lock(&executor->lock);
      g_queue_push_tail(&executor->started, started);
      g_cond_broadcast(&executor->changed);
    }
  }
  g_mutex_unlock(&executor->lock);
  executor_unref(executor);
  return NULL;
}

static gpointer finisher_run(gpointer data) {
  SwinExecutor *executor = data;
  g_private_set(&own_thread, executor);
  g_mutex_lock(&executor->lock);
  while (!executor->stopping || !g_queue_is_empty(&executor->started)) {
    Started *started = g_queue_pop_head(&executor->started);
    if (!started) {
      g_cond_wait(&executor->changed, &executor->lock);
      continue;
    }
    g_mutex_unlock(&executor->lock);
    started->entry.functions->finish(started->entry.source, started->work);
    g_free(started);
    g_mutex_lock(&executor->lock);
  }
  g_mutex_unlock(&executor->lock);
  executor_unref(executor);
  return NULL;
}

static GThread *start_thread(SwinExecutor *executor, const gchar *name, GThreadFunc run,
                             GError **error) {
  g_autoptr(GError) cause = NULL;
  g_atomic_ref_count_inc(&executor->references);
  GThread *thread = g_thread_try_new(name, run, executor, &cause);
  if (thread)
    return thread;
  executor_unref(executor);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
              "No thread could be started for the device: %s.", cause->message);
  return NULL;
}

static void end_thread(GThread *thread) {
  if (!thread)
    return;
  if (thread == g_thread_self())
    g_thread_unref(thread);
  else
    g_thread_join(thread);
}

/* Ends the threads, as far as they were started, and drops the caller's reference. */
static void executor_stop(SwinExecutor *executor) {
  g_mutex_lock(&executor->lock);
  executor->stopping = TRUE;
  g_cond_broadcast(&executor->changed);
  g_mutex_unlock(&executor->lock);
  end_thread(executor->starter);
  end_thread(executor->finisher);
  executor_unref(executor);
}

static SwinExecutor *executor_new(SwinDevice *device, GError **error) {
  SwinExecutor *executor = g_new0(SwinExecutor, 1);
  executor->device = device;
  g_atomic_ref_count_init(&executor->references);
  g_mutex_init(&executor->lock);
  g_cond_init(&executor->changed);
  g_queue_init(&executor->started);
  executor->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
  executor->starter = start_thread(executor, "swin-start", starter_run, error);
  if (executor->starter)
    executor->finisher = start_thread(executor, "swin-finish", finisher_run, error);
  if (executor->finisher)
    return executor;
  executor_stop(executor);
  return NULL;
}

/* The executor of @device; called with the table locked. */
static SwinExecutor *find_or_create(SwinDevice *device, GError **error) {
  SwinExecutor *executor = executors ? g_hash_table_lookup(executors, device) : NULL;
  if (executor)
    return executor;
  executor = executor_new(device, error);
  if (!executor)
    return NULL;
  if (!executors)
    executors = g_hash_table_new(NULL, NULL);
  g_hash_table_insert(executors, device, executor);
  return executor;
}

SwinExecutor *swin_executor_add(SwinDevice *device, const SwinWorkSource *functions,
                                gpointer source, GError **error) {
  const Entry entry = {.functions = functions, .source = source};
  G_LOCK(executors);
  SwinExecutor *executor = find_or_create(device, error);
  if (executor) {
    g_mutex_lock(&executor->lock);
    g_array_append_val(executor->entries, entry);
    g_mutex_unlock(&executor->lock);
  }
  G_UNLOCK(executors);
  return executor;
}

static gboolean remove_entry(SwinExecutor *executor, gpointer source) {
  for (guint i = 0; i < executor->entries->len; i++) {
    if (g_array_index(executor->entries, Entry, i).source != source)
      continue;
    g_array_remove_index(executor->entries, i);
    break;
  }
  return executor->entries->len == 0;
}

void swin_executor_remove(SwinExecutor *executor, gpointer source) {
  G_LOCK(executors);
  g_mutex_lock(&executor->lock);
  const gboolean last = remove_entry(executor, source);
  g_mutex_unlock(&executor->lock);
  if (last) {
    g_hash_table_remove(executors, executor->device);
    if (g_hash_table_size(executors) == 0)
      g_clear_pointer(&executors, g_hash_table_unref);
  }
  G_UNLOCK(executors);
  if (last)
    executor_stop(executor);
}

gboolean swin_executor_is_own_thread(void) {
  return g_private_get(&own_thread) != NULL;
}

void swin_executor_lock(SwinExecutor *executor) {
  g_mutex_lock(&executor->lock);
}

void swin_executor_unlock(SwinExecutor *executor) {
  g_mutex_unlock(&executor->lock);
}

void swin_executor_wake(SwinExecutor *executor) {
  g_cond_broadcast(&executor->changed);
}

void swin_executor_wait(SwinExecutor *executor) {
  g_cond_wait(&executor->changed, &executor->lock);
}
