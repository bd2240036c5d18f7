// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * bench-streams.h: what many callers who share a model get out of it together, beside one caller
 * who always submits full batches.
 */
#ifndef SWIN_TOOLS_BENCH_STREAMS_H
#define SWIN_TOOLS_BENCH_STREAMS_H

#include "model/model.h"

#define SWIN_BENCH_MAX_STREAMS 64

/**
 * swin_bench_streams: measures the two in turn and prints.
 * @batch: largest batch, 1 to 64
 * @n_streams: callers, each on a thread of its own and with a few frames under way; 1 to
 *   SWIN_BENCH_MAX_STREAMS
 * @runs: times that each of the two is measured, two seconds each
 */
gboolean swin_bench_streams(SwinDevice *device, SwinModel *model, SwinPrecision precision,
                            guint batch, guint n_streams, guint runs, gboolean json,
                            GError **error);

#endif /* SWIN_TOOLS_BENCH_STREAMS_H */
