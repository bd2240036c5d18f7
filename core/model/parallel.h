// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * parallel.h: independent pieces of work on all processors.
 */
#ifndef SWIN_MODEL_PARALLEL_H
#define SWIN_MODEL_PARALLEL_H

#include <glib.h>

/** SwinParallelFunc: does piece @index; called from several threads at once. */
typedef void (*SwinParallelFunc)(guint index, gpointer data);

/**
 * swin_parallel_for: calls @func for every index below @n, and returns when all are done. A thread
 * takes the next index when it has finished one, so pieces may be of different sizes. Where no
 * thread can be started, the calling one does everything.
 */
void swin_parallel_for(guint n, SwinParallelFunc func, gpointer data);

#endif /* SWIN_MODEL_PARALLEL_H */
