// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * bench-ceilings.h: how fast a device calculates and reads when it does nothing else: what the
 * operations of a network are held against.
 */
#ifndef SWIN_TOOLS_BENCH_CEILINGS_H
#define SWIN_TOOLS_BENCH_CEILINGS_H

#include "network/plan.h"
#include "gpu/device.h"

#define SWIN_BENCH_MAX_SIZES 3

/** SwinBenchBandwidth: of memory that is gone through again and again. */
typedef struct {
  guint64 n_bytes;
  gdouble speed; /* bytes a second */
} SwinBenchBandwidth;

/** SwinBenchCeilings: speeds in multiplications and additions a second, each counted as one; 0 of
 * what the device does not have. */
typedef struct {
  gdouble fp32;
  gdouble fp16;
  gdouble matrix;        /* fp16 factors, fp32 sums: the fastest of the device's shapes */
  SwinMatrixShape shape; /* that one */
  guint n_sizes;         /* at least 1 */
  SwinBenchBandwidth bandwidth[SWIN_BENCH_MAX_SIZES]; /* by growing size */
} SwinBenchCeilings;

/**
 * swin_bench_measure_ceilings: measures for a second or two, and checks what the shaders computed,
 * so that a driver that left work out is found.
 */
gboolean swin_bench_measure_ceilings(SwinDevice *device, SwinBenchCeilings *ceilings,
                                     GError **error);

/** swin_bench_ceiling_arithmetic: the fastest that the device can calculate with values of
 * @storage. */
gdouble swin_bench_ceiling_arithmetic(const SwinBenchCeilings *ceilings, SwinStorage storage);

/**
 * swin_bench_ceiling_bandwidth: the fastest that the device can bring @n_bytes: those that fit into
 * a cache may come from there.
 */
gdouble swin_bench_ceiling_bandwidth(const SwinBenchCeilings *ceilings, guint64 n_bytes);

#endif /* SWIN_TOOLS_BENCH_CEILINGS_H */
