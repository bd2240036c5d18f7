// SPDX-License-Identifier: LGPL-2.1-or-later
#include "loader.h"

struct _SwinLoader {
  gatomicrefcount ref_count;
  SwinLoaderFunc load;
  gpointer user_data;

  GMutex lock;
  GCond changed;   /* of anything below */
  GThread *thread; /* (nullable): from the first need to the stop */
  gboolean running;
  gboolean requested;
  gboolean loading;
  GQueue unused; /* of SwinInference, owned: to be freed */
};

SwinLoader *swin_loader_new(SwinLoaderFunc load, gpointer user_data) {
  SwinLoader *loader = g_new0(SwinLoader, 1);

  g_atomic_ref_count_init(&loader->ref_count);
  loader->load = load;
  loader->user_data = user_data;
  g_mutex_init(&loader->lock);
  g_cond_init(&loader->changed);
  g_queue_init(&loader->unused);
  return loader;
}

SwinLoader *swin_loader_ref(SwinLoader *loader) {
  g_atomic_ref_count_inc(&loader->ref_count);
  return loader;
}

void swin_loader_unref(SwinLoader *loader) {
  if (loader == NULL || !g_atomic_ref_count_dec(&loader->ref_count))
    return;
  g_mutex_clear(&loader->lock);
  g_cond_clear(&loader->changed);
  g_free(loader);
}

/* ---- The thread ---------------------------------------------------------------------------- */

// One thing that there is to do, with the lock released meanwhile. FALSE when there is none.
static gboolean work_once(SwinLoader *loader) {
  SwinInference *inference = g_queue_pop_head(&loader->unused);
  gboolean load = inference == NULL && loader->requested && loader->running;

  if (inference == NULL && !load)
    return FALSE;
  if (load)
    loader->requested = FALSE;
  loader->loading = load;
  g_mutex_unlock(&loader->lock);
  if (load)
    loader->load(loader->user_data);
  swin_inference_unref(inference);
  g_mutex_lock(&loader->lock);
  loader->loading = FALSE;
  return TRUE;
}

static gpointer work(gpointer user_data) {
  SwinLoader *loader = user_data;
  gboolean running = TRUE;

  g_mutex_lock(&loader->lock);
  while (running) {
    while (work_once(loader))
      continue;
    // Only now: what came just before the stop has been done.
    running = loader->running;
    if (running)
      g_cond_wait(&loader->changed, &loader->lock);
  }
  g_mutex_unlock(&loader->lock);
  swin_loader_unref(loader);
  return NULL;
}

// Under the lock.
static void wake(SwinLoader *loader) {
  if (loader->thread == NULL)
    loader->thread = g_thread_new("swin-loader", work, swin_loader_ref(loader));
  g_cond_broadcast(&loader->changed);
}

/* ---- From outside -------------------------------------------------------------------------- */

void swin_loader_start(SwinLoader *loader) {
  g_mutex_lock(&loader->lock);
  loader->running = TRUE;
  loader->requested = FALSE;
  g_mutex_unlock(&loader->lock);
}

void swin_loader_stop(SwinLoader *loader) {
  GThread *thread;

  g_mutex_lock(&loader->lock);
  loader->running = FALSE;
  thread = g_steal_pointer(&loader->thread);
  g_cond_broadcast(&loader->changed);
  g_mutex_unlock(&loader->lock);
  // Somebody may stop the element in answer to what the loader has told: the thread then ends when
  // that returns.
  if (thread == g_thread_self())
    g_thread_unref(thread);
  else if (thread != NULL)
    g_thread_join(thread);
}

gboolean swin_loader_is_running(SwinLoader *loader) {
  gboolean running;

  g_mutex_lock(&loader->lock);
  running = loader->running;
  g_mutex_unlock(&loader->lock);
  return running;
}

void swin_loader_request(SwinLoader *loader) {
  g_mutex_lock(&loader->lock);
  if (loader->running) {
    loader->requested = TRUE;
    wake(loader);
  }
  g_mutex_unlock(&loader->lock);
}

void swin_loader_repeat(SwinLoader *loader) {
  g_mutex_lock(&loader->lock);
  if (loader->loading)
    loader->requested = TRUE;
  g_mutex_unlock(&loader->lock);
}

// SwinInferenceDisposer: the thread that calls may be one of the library, which cannot wait for
// itself.
static void dispose(SwinInference *inference, gpointer user_data) {
  SwinLoader *loader = user_data;

  g_mutex_lock(&loader->lock);
  if (loader->running) {
    g_queue_push_tail(&loader->unused, g_steal_pointer(&inference));
    wake(loader);
  }
  g_mutex_unlock(&loader->lock);
  swin_inference_unref(inference);
  swin_loader_unref(loader);
}

void swin_loader_adopt(SwinLoader *loader, SwinInference *inference) {
  swin_inference_set_disposer(inference, dispose, swin_loader_ref(loader));
}
