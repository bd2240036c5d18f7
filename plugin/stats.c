// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stats.h"

#include <string.h>

#include "enums.h"

struct _SwinStats {
  GMutex lock;
  guint64 counters[SWIN_STATS_N_COUNTERS];
  gint64 latencies[SWIN_STATS_N_LATENCIES]; /* us; the latest ones, in a ring */
  guint64 n_latencies;                      /* that came, those that are overwritten included */
};

SwinStats *swin_stats_new(void) {
  SwinStats *stats = g_new0(SwinStats, 1);

  g_mutex_init(&stats->lock);
  return stats;
}

void swin_stats_free(SwinStats *stats) {
  if (stats == NULL)
    return;
  g_mutex_clear(&stats->lock);
  g_free(stats);
}

void swin_stats_clear(SwinStats *stats) {
  g_mutex_lock(&stats->lock);
  memset(stats->counters, 0, sizeof(stats->counters));
  stats->n_latencies = 0;
  g_mutex_unlock(&stats->lock);
}

void swin_stats_count(SwinStats *stats, SwinStatsCounter counter) {
  swin_stats_add(stats, counter, 1);
}

void swin_stats_add(SwinStats *stats, SwinStatsCounter counter, guint number) {
  g_mutex_lock(&stats->lock);
  stats->counters[counter] += number;
  g_mutex_unlock(&stats->lock);
}

void swin_stats_add_latency(SwinStats *stats, gint64 microseconds) {
  g_mutex_lock(&stats->lock);
  stats->latencies[stats->n_latencies++ % SWIN_STATS_N_LATENCIES] = microseconds;
  g_mutex_unlock(&stats->lock);
}

/* ---- Telling ------------------------------------------------------------------------------- */

static gint compare_latencies(gconstpointer a, gconstpointer b) {
  const gint64 first = *(const gint64 *)a, second = *(const gint64 *)b;

  return (first > second) - (first < second);
}

// The latency, in ns, that @percent of the @n of @sorted do not exceed (nearest rank).
static guint64 percentile(const gint64 *sorted, guint n, guint percent) {
  return n > 0 ? (guint64)sorted[(n * percent + 99) / 100 - 1] * GST_USECOND : 0;
}

static void describe_classifier(GstStructure *structure, SwinClassifier *classifier) {
  const SwinDeviceInfo *device = swin_device_get_info(swin_classifier_get_device(classifier));
  SwinClassifierStats batches = {.struct_size = sizeof(batches)};
  gdouble fill = 0.0;

  swin_classifier_get_stats(classifier, &batches);
  if (batches.n_batches > 0)
    fill = (gdouble)batches.n_frames / (gdouble)batches.n_batches / (gdouble)batches.batch_size;
  gst_structure_set(
      structure, "batch-fill", G_TYPE_DOUBLE, fill, "device", G_TYPE_STRING, device->name, "model",
      G_TYPE_STRING, swin_model_get_name(swin_classifier_get_model(classifier)), "precision",
      G_TYPE_STRING,
      gst_swin_classify_precision_get_name(swin_classifier_get_precision(classifier)), NULL);
}

GstStructure *swin_stats_describe(SwinStats *stats, SwinClassifier *classifier) {
  static const gchar *const names[SWIN_STATS_N_COUNTERS] = {
      [SWIN_STATS_FRAMES] = "frames",         [SWIN_STATS_CLASSIFIED] = "classified",
      [SWIN_STATS_INFERENCES] = "inferences", [SWIN_STATS_SKIPPED] = "skipped",
      [SWIN_STATS_DROPPED] = "dropped",       [SWIN_STATS_HOST_COPIES] = "host-copies",
  };
  GstStructure *structure = gst_structure_new_empty("application/x-swin-stats");
  gint64 latencies[SWIN_STATS_N_LATENCIES];
  guint n_latencies;

  g_mutex_lock(&stats->lock);
  for (guint i = 0; i < SWIN_STATS_N_COUNTERS; i++)
    gst_structure_set(structure, names[i], G_TYPE_UINT64, stats->counters[i], NULL);
  n_latencies = (guint)MIN(stats->n_latencies, SWIN_STATS_N_LATENCIES);
  memcpy(latencies, stats->latencies, n_latencies * sizeof(gint64));
  g_mutex_unlock(&stats->lock);

  qsort(latencies, n_latencies, sizeof(gint64), compare_latencies);
  gst_structure_set(structure, "latency-median", G_TYPE_UINT64,
                    percentile(latencies, n_latencies, 50), "latency-p95", G_TYPE_UINT64,
                    percentile(latencies, n_latencies, 95), "batch-fill", G_TYPE_DOUBLE, 0.0, NULL);
  if (classifier != NULL)
    describe_classifier(structure, classifier);
  return structure;
}
