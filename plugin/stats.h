// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * stats.h: what the element counts while it streams. Any thread.
 */
#ifndef SWIN_PLUGIN_STATS_H
#define SWIN_PLUGIN_STATS_H

#include <gst/gst.h>

#include "swin.h"

/** Latencies that median and 95th percentile are taken of: the latest ones. */
#define SWIN_STATS_N_LATENCIES 512

typedef struct _SwinStats SwinStats;

typedef enum {
  SWIN_STATS_FRAMES,     /* frames that came in */
  SWIN_STATS_CLASSIFIED, /* frames that inference was done for, or of objects on them */
  SWIN_STATS_INFERENCES, /* inferences: more than frames where several objects are on one */
  SWIN_STATS_SKIPPED,    /* frames that inference was meant for and that passed without: it was busy
                            with another, or they were late */
  SWIN_STATS_DROPPED,    /* frames that did not leave: flushed, or behind the end */
  SWIN_STATS_HOST_COPIES, /* frames whose pixels passed through memory of the host on their way to
                             the device */
  SWIN_STATS_N_COUNTERS,
} SwinStatsCounter;

SwinStats *swin_stats_new(void);
void swin_stats_free(SwinStats *stats); /* NULL-safe */
void swin_stats_clear(SwinStats *stats);

/** swin_stats_count: one more; swin_stats_add: @number more. */
void swin_stats_count(SwinStats *stats, SwinStatsCounter counter);
void swin_stats_add(SwinStats *stats, SwinStatsCounter counter, guint number);

/** swin_stats_add_latency: of one frame, from its coming to its result, in us. */
void swin_stats_add_latency(SwinStats *stats, gint64 microseconds);

/**
 * swin_stats_describe: (transfer full): the structure `application/x-swin-stats` with the fields
 * `frames`, `classified`, `inferences`, `skipped`, `dropped`, `host-copies` (guint64),
 * `latency-median`, `latency-p95` (guint64, ns; of the last SWIN_STATS_N_LATENCIES results),
 * `batch-fill` (double, 0 to 1: of the batches of all elements that share the model) and `device`,
 * `model`, `precision` (string; without a model unset).
 * @classifier: (nullable): in use
 */
GstStructure *swin_stats_describe(SwinStats *stats, SwinClassifier *classifier);

#endif /* SWIN_PLUGIN_STATS_H */
