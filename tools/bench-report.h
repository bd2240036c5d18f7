// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * bench-report.h: what `swin bench` prints.
 */
#ifndef SWIN_TOOLS_BENCH_REPORT_H
#define SWIN_TOOLS_BENCH_REPORT_H

#include "bench-network.h"

/**
 * swin_bench_print_text: tables for people: of the kinds of operations, and of each operation where
 * @all.
 * @results: (element-type SwinBenchResult): one for each batch size
 */
void swin_bench_print_text(const SwinBenchNetwork *options, const GPtrArray *results, gboolean all);

/** swin_bench_print_json: the same as an object, of several batch sizes as an array of them. */
void swin_bench_print_json(const SwinBenchNetwork *options, const GPtrArray *results, gboolean all);

#endif /* SWIN_TOOLS_BENCH_REPORT_H */
