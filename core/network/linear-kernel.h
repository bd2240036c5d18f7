// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * linear-kernel.h: which of the kernels computes a matrix product, and the layout of its weights.
 *
 * A processor, a GPU, and a GPU with matrix units want different loops. All kernels of a kind read
 * the same packed weights, so that the tile may be chosen for each number of rows.
 */
#ifndef SWIN_NETWORK_LINEAR_KERNEL_H
#define SWIN_NETWORK_LINEAR_KERNEL_H

#include "network/operation.h"

/** SwinLinearKind: the loop. */
typedef enum {
  SWIN_LINEAR_KIND_STRIPS, /* linear.comp: registers, rows at uniform addresses; for processors.
                              SWIN_LINEAR_ROWS without a norm alone */
  SWIN_LINEAR_KIND_TILES,  /* linear-tile.comp: registers and shared memory; for every GPU */
  SWIN_LINEAR_KIND_MATRIX, /* linear-matrix.comp: cooperative matrices; fp16 alone */
} SwinLinearKind;

/**
 * SwinLinearKernel: a kind and the tile of the output that a work-group computes; of STRIPS all but
 * the kind is 0. The tile is divided into blocks, each kept by an invocation (of MATRIX: by a
 * subgroup). Where there are several times as many of these as blocks, they share the blocks: each
 * takes a part of every slab.
 */
typedef struct {
  SwinLinearKind kind;
  guint32 rows;          /* of the tile */
  guint32 columns;       /* of the tile */
  guint32 depth;         /* of a slab: values of K that are brought to shared memory at once */
  guint32 lanes;         /* invocations of the work-group */
  guint32 lane_rows;     /* of a block */
  guint32 lane_columns;  /* of a block */
  SwinMatrixShape shape; /* of MATRIX */
} SwinLinearKernel;

/** SwinLinearProduct: what is asked of a kernel: [rows, depth] * [depth, columns]. */
typedef struct {
  SwinStorage storage;
  guint64 rows, depth, columns;
} SwinLinearProduct;

/** swin_linear_kind: the kind for the products of a device; decides the layout of the weights. */
SwinLinearKind swin_linear_kind(SwinDevice *device, SwinStorage storage);

/** SWIN_LINEAR_MAX_KERNELS: of a device with many shapes of matrices, those of the largest. */
#define SWIN_LINEAR_MAX_KERNELS 34

/**
 * swin_linear_list_kernels: the kernels of the product's kind that @device can run, each tested
 * (tests/operations/test-linear.c); the one that is taken where nothing was measured comes first.
 * @kernels: (out): room for SWIN_LINEAR_MAX_KERNELS
 *
 * Returns: how many, at least 1.
 */
guint swin_linear_list_kernels(SwinDevice *device, const SwinLinearProduct *product,
                               SwinLinearKernel *kernels);

/**
 * swin_linear_force_kernel: until it is called with NULL, products of @kernel's kind that are
 * recorded in this process take @kernel, so that each can be measured (`swin tune`) and tested.
 * Packed weights fit every kernel of the kind. Not thread-safe: no other thread may record
 * meanwhile.
 * @kernel: (nullable): one that swin_linear_list_kernels() lists for the device
 */
void swin_linear_force_kernel(const SwinLinearKernel *kernel);

/** swin_linear_kernel_equal: whether both are the same kernel. */
gboolean swin_linear_kernel_equal(const SwinLinearKernel *a, const SwinLinearKernel *b);

/** swin_linear_kernel_name: (transfer full): such as "matrix 64x64x32, 128 lanes of 16x64". */
gchar *swin_linear_kernel_name(const SwinLinearKernel *kernel);

#endif /* SWIN_NETWORK_LINEAR_KERNEL_H */
