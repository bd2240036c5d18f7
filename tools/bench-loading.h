// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * bench-loading.h: how long a model takes from its file to the device, beside what merely reading
 * the file takes, and how much memory that needs.
 */
#ifndef SWIN_TOOLS_BENCH_LOADING_H
#define SWIN_TOOLS_BENCH_LOADING_H

#include "model/model.h"

/**
 * swin_bench_loading: measures and prints.
 * @location: as swin_model_load() takes it; a folder or file, not a built-in name
 * @runs: of which the quickest counts; the first fills the page cache and does not count
 */
gboolean swin_bench_loading(SwinDevice *device, const gchar *location, SwinPrecision precision,
                            guint runs, gboolean json, GError **error);

#endif /* SWIN_TOOLS_BENCH_LOADING_H */
