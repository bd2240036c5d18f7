// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * tune.h: measures every kernel on the matrix products of a network.
 */
#ifndef SWIN_TOOLS_TUNE_H
#define SWIN_TOOLS_TUNE_H

#include "network/linear-kernel.h"
#include "network/network.h"

/** SwinTuneProduct: a product, and how long each of its kernels takes. */
typedef struct {
  guint batch;        /* of the network that it was measured in */
  gchar *name;        /* of the first operation with it, such as
                         "stages.0.blocks.0.attention.qkv" */
  guint n_operations; /* that have it */
  SwinLinearProduct product;
  guint n_kernels;
  SwinLinearKernel kernels[SWIN_LINEAR_MAX_KERNELS]; /* the one taken untuned comes first */
  gdouble times[SWIN_LINEAR_MAX_KERNELS];            /* ms: the quickest; 0: not measured */
  guint chosen;                                      /* index */
} SwinTuneProduct;

/** SwinTune: what is measured, and for how long. */
typedef struct {
  SwinDevice *device;
  SwinModel *model;
  SwinPrecision precision;
  guint n_runs;    /* of each kernel, that count */
  gint64 deadline; /* monotonic time, microseconds: no run but the first begins after it */
} SwinTune;

/**
 * swin_tune_network: measures a network for @batch images of random pixels, as a whole with one
 * kernel after the other, so that each product has its real operands and neighbours. The kernels
 * that are taken untuned come first; those that the device refuses are left out.
 * @products: of SwinTuneProduct; those of the network are added
 *
 * Returns: FALSE with an error of the device, or where it cannot time single operations.
 */
gboolean swin_tune_network(const SwinTune *tune, guint batch, GPtrArray *products, GError **error);

void swin_tune_product_free(SwinTuneProduct *product); /* NULL-safe */

#endif /* SWIN_TOOLS_TUNE_H */
