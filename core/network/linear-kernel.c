// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/linear-private.h"
#include "network/tuning.h"

#include <math.h>

#define CHUNK_SIZE 16 /* bytes that the shaders load at once */

static guint64 divide_up(guint64 value, guint64 divisor) {
  return (value + divisor - 1) / divisor;
}

/* ---- Tables --------------------------------------------------------------------------------- */

/** Of linear-tile.comp. Where there are more lanes than blocks, several share a block and each
 * takes a part of every slab. */
typedef struct {
  guint16 rows, columns, depth, block_rows, block_columns, lanes;
} Tile;

static const Tile tiles[] = {
    {128, 128, 16, 8, 8, 256}, {128, 96, 16, 8, 8, 192}, {128, 64, 16, 8, 8, 128},
    {64, 128, 16, 8, 8, 128},  {64, 96, 16, 8, 8, 96},   {64, 64, 16, 8, 8, 64},
    {64, 64, 16, 8, 4, 128},   {64, 64, 16, 4, 4, 256},  {64, 32, 32, 8, 4, 64},
    {32, 64, 32, 4, 4, 128},   {32, 32, 32, 4, 4, 64},   {32, 32, 32, 4, 4, 128},
    {16, 64, 32, 4, 4, 64},    {16, 32, 64, 4, 4, 128},  {8, 32, 64, 4, 4, 128},
    {4, 64, 32, 4, 4, 128},    {4, 16, 128, 4, 4, 128},
};

/** Of linear-matrix.comp, in matrices of the device's shape: those of a subgroup's block, the
 * blocks of the work-group, how many subgroups share a block, and how many matrices deep a slab is.
 */
typedef struct {
  guint8 block_rows, block_columns, down, across, splits, steps;
} Block;

static const Block blocks[] = {
    {4, 3, 2, 2, 1, 2},  {4, 4, 2, 2, 1, 2}, {4, 3, 4, 2, 1, 1}, {4, 3, 2, 4, 1, 1},
    {4, 2, 2, 2, 1, 2},  {4, 2, 2, 2, 1, 4}, {2, 3, 2, 2, 1, 2}, {2, 3, 2, 2, 1, 4},
    {2, 2, 2, 2, 1, 4},  {2, 3, 2, 1, 2, 4}, {4, 2, 1, 1, 4, 4}, {2, 2, 1, 2, 2, 8},
    {2, 2, 1, 1, 4, 8},  {4, 1, 1, 1, 4, 8}, {1, 4, 1, 1, 4, 8}, {1, 2, 1, 1, 4, 8},
    {1, 1, 1, 1, 8, 16},
};

static SwinLinearKernel tile_kernel(const Tile *tile) {
  return (SwinLinearKernel){
      .kind = SWIN_LINEAR_KIND_TILES,
      .rows = tile->rows,
      .columns = tile->columns,
      .depth = tile->depth,
      .lanes = tile->lanes,
      .lane_rows = tile->block_rows,
      .lane_columns = tile->block_columns,
  };
}

static SwinLinearKernel matrix_kernel(const Block *block, const SwinMatrixShape *shape,
                                      guint32 subgroup_size) {
  const guint32 rows = block->block_rows * shape->m, columns = block->block_columns * shape->n;
  return (SwinLinearKernel){
      .kind = SWIN_LINEAR_KIND_MATRIX,
      .rows = block->down * rows,
      .columns = block->across * columns,
      .depth = block->steps * shape->k,
      .lanes = block->down * block->across * block->splits * subgroup_size,
      .lane_rows = rows,
      .lane_columns = columns,
      .shape = *shape,
  };
}

/* ---- What fits ------------------------------------------------------------------------------ */

static guint32 n_blocks(const SwinLinearKernel *kernel) {
  return kernel->rows / kernel->lane_rows * (kernel->columns / kernel->lane_columns);
}

/* Vectors of four floats, as the shared arrays of linear-tile.comp. */
static guint64 tile_shared(const SwinLinearKernel *kernel) {
  const guint64 splits = kernel->lanes / n_blocks(kernel);
  const guint64 row_slab = (guint64)kernel->depth * (kernel->rows / 4 + 1);
  const guint64 column_slab = (guint64)kernel->depth * (kernel->columns / 4);
  const guint64 shares = splits > 1 ? splits * kernel->rows * kernel->columns / 4 : 0;
  return CHUNK_SIZE * (row_slab + MAX(column_slab, shares));
}

/* Chunks, as the shared array of linear-matrix.comp. */
static guint64 matrix_shared(const SwinLinearKernel *kernel, guint32 subgroup_size) {
  const guint64 subgroups = kernel->lanes / subgroup_size;
  const guint64 slab = (guint64)kernel->rows * (kernel->depth / 8 + 1) +
                       (guint64)kernel->depth * (kernel->columns / 8 + 1);
  const guint64 sums = subgroups * kernel->shape.m * (kernel->lane_columns / 4 + 1);
  return CHUNK_SIZE * MAX(2 * slab, sums);
}

/* With what linear-norm.glsl adds, wanted or not: which kernels there are does not depend on it. */
static guint64 shared_size(const SwinLinearKernel *kernel, guint32 subgroup_size) {
  const guint64 norm = (guint64)kernel->rows * 5 * 2 * sizeof(gfloat);
  return norm + (kernel->kind == SWIN_LINEAR_KIND_MATRIX ? matrix_shared(kernel, subgroup_size)
                                                         : tile_shared(kernel));
}

static gboolean fits(SwinDevice *device, const SwinLinearKernel *kernel) {
  const SwinDeviceLimits *limits = swin_device_get_limits(device);
  /* Chunks of eight values are not cut. */
  const gboolean whole = kernel->kind != SWIN_LINEAR_KIND_MATRIX ||
                         (kernel->shape.n % 8 == 0 && kernel->shape.k % 8 == 0);
  return whole && kernel->lanes <= limits->max_lanes &&
         shared_size(kernel, limits->subgroup_size) <= limits->max_shared;
}

/* ---- Which comes first ---------------------------------------------------------------------- */

/* A large GPU of these years, for kernels that were not measured on the one at hand: what one of
 * its multiprocessors does in a nanosecond, and what it has room for. Arithmetic is what kernels
 * without asynchronous copies reach of a Hopper GPU's; latency is from a load of global memory to
 * the next slab's barrier. */
#define MULTIPROCESSORS 132.0
#define MATRIX_RATE 4600.0 /* flop */
#define TILE_RATE 400.0    /* flop */
#define SHARED_RATE 224.0  /* bytes from shared memory */
#define GLOBAL_RATE 40.0   /* bytes from the second-level cache */
#define SLAB_LATENCY 500.0
#define START_LATENCY 2000.0 /* of a work-group: first slab and epilogue */
#define SHARED_SIZE 220000.0
#define REGISTERS 65536.0
#define LANES 2048.0

/* Work-groups that a multiprocessor runs at a time. */
static gdouble resident_groups(const SwinLinearKernel *kernel, guint32 subgroup_size) {
  const gdouble owners = kernel->kind == SWIN_LINEAR_KIND_MATRIX ? (gdouble)subgroup_size : 1.0;
  const gdouble registers = (gdouble)kernel->lane_rows * kernel->lane_columns / owners + 70.0;
  const gdouble by_shared = SHARED_SIZE / (gdouble)shared_size(kernel, subgroup_size);
  const gdouble by_lanes = MIN(LANES, REGISTERS / registers) / kernel->lanes;
  return MAX(1.0, floor(MIN(by_shared, by_lanes)));
}

/* Nanoseconds: work-groups that share a multiprocessor also share its rates, and what each waits
 * for memory overlaps. */
static gdouble estimate(const SwinLinearProduct *product, const SwinLinearKernel *kernel,
                        guint32 subgroup_size) {
  const gboolean matrix = kernel->kind == SWIN_LINEAR_KIND_MATRIX;
  const gdouble size = product->storage == SWIN_STORAGE_F16 ? 2.0 : 4.0;
  const gdouble rows = kernel->rows, columns = kernel->columns, depth = (gdouble)product->depth;
  const gdouble slabs = ceil(depth / kernel->depth);
  const gdouble reuse = (gdouble)kernel->lane_rows * kernel->lane_columns /
                        (gdouble)(kernel->lane_rows + kernel->lane_columns);
  const gdouble rate =
      matrix ? MIN(MATRIX_RATE, SHARED_RATE * reuse) : MIN(TILE_RATE, SHARED_RATE * reuse / 2.0);
  const gdouble bytes = size * ((rows + columns) * depth + 2.0 * rows * columns);
  const gdouble work =
      MAX(2.0 * rows * columns * slabs * kernel->depth / rate, bytes / GLOBAL_RATE);
  const gdouble alone = START_LATENCY + MAX(work, slabs * SLAB_LATENCY);
  const gdouble groups = (gdouble)(divide_up(product->rows, kernel->rows) *
                                   divide_up(product->columns, kernel->columns));
  const gdouble shared = groups / MULTIPROCESSORS;
  return MAX(ceil(shared) * work, ceil(shared / resident_groups(kernel, subgroup_size)) * alone);
}

/* ---- The list ------------------------------------------------------------------------------- */

static guint list_all(SwinDevice *device, SwinLinearKind kind, SwinLinearKernel *kernels) {
  const SwinExtensions *extensions = swin_device_get_extensions(device);
  const guint32 subgroup_size = swin_device_get_limits(device)->subgroup_size;
  guint n = 0;
  if (kind == SWIN_LINEAR_KIND_STRIPS) {
    kernels[0] = (SwinLinearKernel){.kind = SWIN_LINEAR_KIND_STRIPS};
    return 1;
  }
  for (guint i = 0; kind == SWIN_LINEAR_KIND_TILES && i < G_N_ELEMENTS(tiles); i++) {
    kernels[n] = tile_kernel(&tiles[i]);
    n += fits(device, &kernels[n]);
  }
  for (guint i = 0; kind == SWIN_LINEAR_KIND_MATRIX && i < extensions->n_matrix_shapes; i++) {
    for (guint j = 0; j < G_N_ELEMENTS(blocks) && n < SWIN_LINEAR_MAX_KERNELS; j++) {
      kernels[n] = matrix_kernel(&blocks[j], &extensions->matrix_shapes[i], subgroup_size);
      n += fits(device, &kernels[n]);
    }
  }
  return n;
}

SwinLinearKind swin_linear_kind(SwinDevice *device, G_GNUC_UNUSED SwinStorage storage) {
  if (swin_device_is_cpu(device))
    return SWIN_LINEAR_KIND_STRIPS;
#ifdef HAVE_MATRIX_SHADERS
  SwinLinearKernel kernels[SWIN_LINEAR_MAX_KERNELS];
  /* A device may have matrices that no block fits, for want of shared memory. */
  if (storage == SWIN_STORAGE_F16 && list_all(device, SWIN_LINEAR_KIND_MATRIX, kernels) > 0)
    return SWIN_LINEAR_KIND_MATRIX;
#endif
  return SWIN_LINEAR_KIND_TILES;
}

guint swin_linear_list_kind(SwinDevice *device, SwinLinearKind kind,
                            const SwinLinearProduct *product, SwinLinearKernel *kernels) {
  const guint32 subgroup_size = swin_device_get_limits(device)->subgroup_size;
  const guint n = list_all(device, kind, kernels);
  guint best = 0;
  g_assert(n > 0);
  for (guint i = 1; kind != SWIN_LINEAR_KIND_STRIPS && i < n; i++) {
    if (estimate(product, &kernels[i], subgroup_size) <
        estimate(product, &kernels[best], subgroup_size))
      best = i;
  }
  const SwinLinearKernel first = kernels[best];
  kernels[best] = kernels[0];
  kernels[0] = first;
  return n;
}

guint swin_linear_list_kernels(SwinDevice *device, const SwinLinearProduct *product,
                               SwinLinearKernel *kernels) {
  return swin_linear_list_kind(device, swin_linear_kind(device, product->storage), product,
                               kernels);
}

static gboolean is_forced;
static SwinLinearKernel forced;

void swin_linear_force_kernel(const SwinLinearKernel *kernel) {
  is_forced = kernel != NULL;
  if (kernel)
    forced = *kernel;
}

SwinLinearKernel swin_linear_choose_of_kind(SwinDevice *device, SwinLinearKind kind,
                                            const SwinLinearProduct *product) {
  SwinLinearKernel kernels[SWIN_LINEAR_MAX_KERNELS];
  if (is_forced && forced.kind == kind)
    return forced;
  const guint n = swin_linear_list_kind(device, kind, product, kernels);
  const gint tuned = swin_tuning_find(device, product, kernels, n);
  return kernels[MAX(tuned, 0)];
}

gboolean swin_linear_kernel_equal(const SwinLinearKernel *a, const SwinLinearKernel *b) {
  return a->kind == b->kind && a->rows == b->rows && a->columns == b->columns &&
         a->depth == b->depth && a->lanes == b->lanes && a->lane_rows == b->lane_rows &&
         a->lane_columns == b->lane_columns && a->shape.m == b->shape.m &&
         a->shape.n == b->shape.n && a->shape.k == b->shape.k;
}

gchar *swin_linear_kernel_name(const SwinLinearKernel *kernel) {
  if (kernel->kind == SWIN_LINEAR_KIND_STRIPS)
    return g_strdup("strips");
  g_autofree gchar *tile = g_strdup_printf(
      "%s %ux%ux%u, %u lanes of %ux%u",
      kernel->kind == SWIN_LINEAR_KIND_MATRIX ? "matrix" : "tiles", kernel->rows, kernel->columns,
      kernel->depth, kernel->lanes, kernel->lane_rows, kernel->lane_columns);
  if (kernel->kind == SWIN_LINEAR_KIND_TILES)
    return g_steal_pointer(&tile);
  return g_strdup_printf("%s in %ux%ux%u", tile, kernel->shape.m, kernel->shape.n, kernel->shape.k);
}
