// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/parallel.h"

/* Memory is what such work waits for, and a few threads keep it busy. */
#define MAX_THREADS 8

typedef struct {
  SwinParallelFunc func;
  gpointer data;
  guint n;
  guint next; /* atomic */
} Work;

static gpointer take_pieces(gpointer data) {
  Work *work = data;
  for (;;) {
    const guint index = (guint)g_atomic_int_add((gint *)&work->next, 1);
    if (index >= work->n) {
      return NULL;
    }
    work->func(index, work->data);
  }
}

void swin_parallel_for(guint n, SwinParallelFunc func, gpointer data) {
  Work work = {func, data, n, 0};
  const guint n_threads = MIN(MIN(g_get_num_processors(), n), MAX_THREADS);
  GThread *threads[MAX_THREADS] = {NULL};
  for (guint i = 1; i < n_threads; i++) {
    threads[i] = g_thread_try_new("swin-parallel", take_pieces, &work, NULL);
  }
  take_pieces(&work);
  for (guint i = 1; i < n_threads; i++) {
    if (threads[i] != NULL) {
      g_thread_join(threads[i]);
    }
  }
}
