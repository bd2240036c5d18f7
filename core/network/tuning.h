// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * tuning.h: which kernels were measured to be the fastest on a device: a file in the user's cache,
 * for each device and driver, written by `swin tune`. Thread-safe.
 *
 * A file that is absent, of another version or damaged is no tuning and no error.
 */
#ifndef SWIN_NETWORK_TUNING_H
#define SWIN_NETWORK_TUNING_H

#include "network/linear-kernel.h"

/**
 * swin_tuning_find: the kernel that was the fastest for @product, or for the same with the nearest
 * number of rows within a factor of two.
 * @kernels: (array length=n_kernels): those to choose among
 *
 * Returns: its index, or -1 where nothing was measured or what was is not among @kernels. The
 *   environment variable SWIN_DISABLE with "tuning" makes it -1.
 */
gint swin_tuning_find(SwinDevice *device, const SwinLinearProduct *product,
                      const SwinLinearKernel *kernels, guint n_kernels);

/** SwinTuned: a product and the kernel that was the fastest. */
typedef struct {
  SwinLinearProduct product;
  SwinLinearKernel kernel;
} SwinTuned;

/** swin_tuning_path: (transfer full): the file of @device, below g_get_user_cache_dir(). */
gchar *swin_tuning_path(SwinDevice *device);

/** swin_tuning_store: writes the file, with what it had of other products; later calls of
 * swin_tuning_find() in this process see it. */
gboolean swin_tuning_store(SwinDevice *device, const SwinTuned *tuned, guint n_tuned,
                           GError **error);

#endif /* SWIN_NETWORK_TUNING_H */
