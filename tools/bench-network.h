// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * bench-network.h: how long a network takes on a device, as a whole and operation by operation.
 */
#ifndef SWIN_TOOLS_BENCH_NETWORK_H
#define SWIN_TOOLS_BENCH_NETWORK_H

#include "bench-ceilings.h"
#include "network/network.h"

/** SwinBenchFigures: what an operation, or all of a kind together, does and takes. */
typedef struct {
  gchar *name;             /* such as "stages.0.blocks.0.mlp.fc1"; of a kind that of @kind */
  const gchar *kind;       /* such as "linear" */
  guint n_operations;      /* 1 but of a kind */
  guint n_dispatches;      /* a large operation takes several */
  guint64 flops;           /* multiplications and additions */
  guint64 n_bytes;         /* inputs, output and packed weights, each moved once */
  gdouble time;            /* ms: of every dispatch the quickest run */
  gdouble arithmetic_time; /* ms: the least that the ceiling of arithmetic allows */
  gdouble memory_time;     /* ms: the same of bandwidth */
  gdouble limit;           /* ms: the larger of the two, of each operation */
} SwinBenchFigures;

/** swin_bench_figures_gap: ms: what an operation takes beyond its limit. */
gdouble swin_bench_figures_gap(const SwinBenchFigures *figures);

/** SwinBenchResult: one batch size. Times in milliseconds. */
typedef struct {
  guint batch;
  guint n_runs;
  gdouble minimum, median, p95;
  guint64 flops;      /* of the batch */
  guint n_dispatches; /* of a run, as are the barriers */
  guint n_barriers;
  guint64 arena;         /* bytes of activations */
  guint64 weights;       /* bytes */
  GPtrArray *operations; /* of SwinBenchFigures, the largest gap first; empty where they could not
                            be timed */
  GPtrArray *kinds;      /* the same, summed up */
  gchar *untimed;        /* (nullable): why the operations could not be timed */
} SwinBenchResult;

void swin_bench_result_free(SwinBenchResult *result); /* NULL-safe */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinBenchResult, swin_bench_result_free)

/** SwinBenchNetwork: what is measured. */
typedef struct {
  SwinDevice *device;
  SwinModel *model;
  SwinStorage storage;
  guint batch;
  guint warm_up; /* runs that do not count */
  guint n_runs;  /* at least 1 */
  const SwinBenchCeilings *ceilings;
} SwinBenchNetwork;

/**
 * swin_bench_network: measures one batch size on random pixels.
 * @weights: (inout): of the model on the device, NULL before the first batch size
 */
SwinBenchResult *swin_bench_network(const SwinBenchNetwork *options, SwinWeights **weights,
                                    GError **error);

#endif /* SWIN_TOOLS_BENCH_NETWORK_H */
