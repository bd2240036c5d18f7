// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/linear-private.h"
#include "network/split.h"
#include "network/storage.h"
#include "parameters.h"

#include <string.h>

#define CHUNK_SIZE 16 /* bytes that the shaders load at once */
#define MOST_HALF 65504.0f

/* Columns of the packed weights, so that every row begins with a whole chunk in either storage. */
static guint64 packed_columns(guint64 columns) {
  return (columns + 7) / 8 * 8;
}

/* Biases and sums of the weights, of which the latter are there with a norm alone. */
static guint64 n_tail_rows(const SwinOperation *operation) {
  const SwinLinearParameters *parameters = operation->parameters;
  return parameters->normed ? 2 : 1;
}

static guint64 weights_size(const SwinLinearProduct *product) {
  return product->depth * packed_columns(product->columns) * swin_storage_size(product->storage);
}

static guint64 rows_packed_size(const SwinPlan *plan, const SwinOperation *operation,
                                G_GNUC_UNUSED SwinDevice *device) {
  const SwinLinearProduct product = swin_linear_product(plan, operation);
  return weights_size(&product) +
         n_tail_rows(operation) * packed_columns(product.columns) * sizeof(gfloat);
}

/* ---- Packing -------------------------------------------------------------------------------- */

/* A square of the weight that is transposed at once: its rows are read in runs of PACK_RUN values
 * and written as columns, so that both sides move whole cache lines. */
#define PACK_ROWS 16
#define PACK_RUN 64

/** Packing: where the rows of one operation's weights go, and what becomes of them. */
typedef struct {
  SwinStorage storage;
  guint64 depth;
  guint64 stride;     /* columns of the packed weights */
  guint8 *weights;    /* [depth, stride] in storage */
  gfloat *biases;     /* [stride] */
  gfloat *sums;       /* (nullable): [stride] */
  const gfloat *norm; /* (nullable): [2, depth]: weight and bias */
} Packing;

/* Multiplies a run of a row by the norm's weights. Returns: what its biases add to the product's.
 */
static gdouble fold_norm(const gfloat *norm, guint64 depth, guint64 first, guint64 n,
                         gfloat *values) {
  gdouble bias = 0.0;
  for (guint64 i = 0; i < n; i++) {
    bias += (gdouble)values[i] * (gdouble)norm[depth + first + i];
    values[i] *= norm[first + i];
  }
  return bias;
}

/* An infinite weight would make NaN of every zero that it meets. */
static void limit_halves(gfloat *values, guint64 n) {
  for (guint64 i = 0; i < n; i++)
    values[i] = CLAMP(values[i], -MOST_HALF, MOST_HALF);
}

/* Rows @row to @row + @n_rows - 1 of a weight [N, depth], PACK_ROWS at most, become the columns
 * from @column on. The sums are those of the weights as they are stored: what the shader subtracts
 * from the product is what it added. */
static void pack_rows(const Packing *packing, const SwinTensor *weight, guint64 row, guint64 n_rows,
                      guint64 column) {
  const guint size = swin_storage_size(packing->storage);
  gdouble biases[PACK_ROWS] = {0}, sums[PACK_ROWS] = {0};
  /* Device memory is not read back: it may be slow to. */
  gfloat runs[PACK_ROWS][PACK_RUN], line[PACK_ROWS], stored[PACK_ROWS];
  for (guint64 first = 0; first < packing->depth; first += PACK_RUN) {
    const guint64 n = MIN(PACK_RUN, packing->depth - first);
    for (guint64 i = 0; i < n_rows; i++) {
      swin_tensor_read(weight, (row + i) * packing->depth + first, n, runs[i]);
      if (packing->norm)
        biases[i] += fold_norm(packing->norm, packing->depth, first, n, runs[i]);
      if (packing->storage == SWIN_STORAGE_F16)
        limit_halves(runs[i], n);
    }
    for (guint64 j = 0; j < n; j++) {
      for (guint64 i = 0; i < n_rows; i++)
        line[i] = runs[i][j];
      swin_storage_write(packing->storage, line, n_rows, stored);
      memcpy(packing->weights + ((first + j) * packing->stride + column) * size, stored,
             n_rows * size);
      if (!packing->norm)
        continue;
      swin_storage_read(packing->storage, stored, n_rows, line);
      for (guint64 i = 0; i < n_rows; i++)
        sums[i] += (gdouble)line[i];
    }
  }
  for (guint64 i = 0; packing->norm && i < n_rows; i++) {
    packing->biases[column + i] = (gfloat)((gdouble)packing->biases[column + i] + biases[i]);
    packing->sums[column + i] = (gfloat)sums[i];
  }
}

/* Zeros for the columns beyond the last one, and for biases that are absent. */
static void pack_padding(const Packing *packing, guint64 columns, guint64 n_tail) {
  const guint size = swin_storage_size(packing->storage);
  for (guint64 k = 0; columns < packing->stride && k < packing->depth; k++)
    memset(packing->weights + (k * packing->stride + columns) * size, 0,
           (packing->stride - columns) * size);
  memset(packing->biases, 0, n_tail * packing->stride * sizeof(gfloat));
}

/* [N, K] to [K, N], the tail behind it. */
static void rows_pack(const SwinPlan *plan, const SwinOperation *operation,
                      G_GNUC_UNUSED SwinDevice *device, gpointer packed) {
  const SwinLinearParameters *parameters = operation->parameters;
  const SwinLinearProduct product = swin_linear_product(plan, operation);
  const guint64 depth = product.depth;
  gfloat *tail = (gfloat *)((guint8 *)packed + weights_size(&product));
  g_autofree gfloat *norm = parameters->normed ? g_new(gfloat, 2 * depth) : NULL;
  const Packing packing = {
      .storage = product.storage,
      .depth = depth,
      .stride = packed_columns(product.columns),
      .weights = packed,
      .biases = tail,
      .sums = norm ? tail + packed_columns(product.columns) : NULL,
      .norm = norm,
  };
  for (guint i = 0; norm && i < 2; i++)
    swin_tensor_read(&operation->weights[SWIN_LINEAR_NORM_WEIGHT + i], 0, depth, norm + i * depth);
  pack_padding(&packing, product.columns, n_tail_rows(operation));

  guint64 column = 0;
  for (guint part = 0; part < parameters->n_parts; part++) {
    const SwinTensor *weight = &operation->weights[SWIN_LINEAR_WEIGHT + part];
    const SwinTensor *bias = &operation->weights[SWIN_LINEAR_BIAS + part];
    const guint64 n = weight->shape[0];
    if (bias->data)
      swin_tensor_read(bias, 0, n, packing.biases + column);
    for (guint64 row = 0; row < n; row += PACK_ROWS)
      pack_rows(&packing, weight, row, MIN(PACK_ROWS, n - row), column + row);
    column += n;
  }
}

/* ---- Recording ------------------------------------------------------------------------------ */

/** Items: what an operation is split into: rows, or images where rows are gathered from a map. */
typedef struct {
  guint64 n;
  guint64 rows; /* of the product, of one */
  guint64 input_bytes, output_bytes;
} Items;

static Items count_items(const SwinPlan *plan, const SwinOperation *operation,
                         const SwinLinearProduct *product) {
  const SwinLinearParameters *parameters = operation->parameters;
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, operation->inputs[0]);
  const SwinPlanTensor *out = swin_plan_get_tensor(plan, operation->output);
  const guint64 n = parameters->source == SWIN_LINEAR_ROWS ? product->rows : in->shape[0];
  return (Items){
      .n = n,
      .rows = product->rows / n,
      .input_bytes = swin_plan_tensor_size(in) / n,
      .output_bytes = swin_plan_tensor_size(out) / n,
  };
}

/* Whether chunks of the source never cross the end of a row, a segment, or a patch's line, and
 * begin at a multiple of their size. */
static gboolean is_aligned(const SwinPlanTensor *in, const SwinLinearParameters *parameters,
                           const SwinLinearProduct *product) {
  const guint64 chunk = CHUNK_SIZE / swin_storage_size(product->storage);
  switch (parameters->source) {
  case SWIN_LINEAR_ROWS:
    return product->depth % chunk == 0;
  case SWIN_LINEAR_MERGING:
    return product->depth % (4 * chunk) == 0;
  case SWIN_LINEAR_PATCHES: /* in vectors of four pixels */
    return parameters->patch_size % 4 == 0 && in->shape[3] % 4 == 0 && product->depth % chunk == 0;
  }
  g_assert_not_reached();
}

static struct SwinLinearTilePush make_push(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinLinearParameters *parameters = operation->parameters;
  const guint64 *in = swin_plan_get_tensor(plan, operation->inputs[0])->shape;
  const guint64 *out = swin_plan_get_tensor(plan, operation->output)->shape;
  const guint line = parameters->source == SWIN_LINEAR_PATCHES ? 2 : 1;
  struct SwinLinearTilePush push = {.epsilon = (gfloat)parameters->epsilon};
  if (parameters->source == SWIN_LINEAR_ROWS)
    return push;
  push.height = (guint32)in[line];
  push.width = (guint32)in[line + 1];
  push.map_rows = (guint32)out[1];
  push.map_columns = (guint32)out[2];
  return push;
}

static SwinDispatch make_dispatch(const SwinOperationContext *context,
                                  const SwinOperation *operation, const SwinLinearProduct *product,
                                  const SwinLinearKernel *kernel) {
  const SwinLinearParameters *parameters = operation->parameters;
  const SwinPlanTensor *in = swin_plan_get_tensor(context->plan, operation->inputs[0]);
  const gboolean matrix = kernel->kind == SWIN_LINEAR_KIND_MATRIX;
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const guint32 subgroup_size = matrix ? swin_device_get_limits(device)->subgroup_size : 0;
  return (SwinDispatch){
      .shader = matrix ? "linear-matrix" : swin_operation_shader("linear-tile", product->storage),
      .label = operation->name,
      .n_constants = matrix ? 19 : 15,
      .constants = {kernel->lanes, (guint32)product->depth, (guint32)product->columns, kernel->rows,
                    kernel->columns, kernel->depth, kernel->lane_rows, kernel->lane_columns,
                    parameters->source, parameters->patch_size,
                    (guint32)is_aligned(in, parameters, product), (guint32)parameters->normed,
                    (guint32)packed_columns(product->columns), parameters->gelu,
                    operation->inputs[1] != SWIN_PLAN_NO_TENSOR, kernel->shape.m, kernel->shape.n,
                    kernel->shape.k, subgroup_size},
      .n_bindings = 4,
      .push_size = sizeof(struct SwinLinearTilePush),
      .subgroup_size = subgroup_size,
  };
}

/* The items from @first on; as many as one dispatch may take. */
static gboolean record_items(const SwinOperationContext *context, const SwinOperation *operation,
                             const Items *items, guint64 first, guint64 n, SwinDispatch *dispatch,
                             GError **error) {
  const gint input = operation->inputs[0], residual = operation->inputs[1];
  SwinBinding *bindings = dispatch->bindings;
  bindings[0] = swin_split_tensor(context, input, SWIN_ACCESS_READ, first, n, items->input_bytes);
  bindings[1] = swin_operation_context_weights(context);
  bindings[2] = swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n,
                                  items->output_bytes);
  bindings[3] =
      residual != SWIN_PLAN_NO_TENSOR
          ? swin_split_tensor(context, residual, SWIN_ACCESS_READ, first, n, items->output_bytes)
          : bindings[0];
  return swin_recorder_dispatch(context->recorder, dispatch, error);
}

/* Rounds of an invocation's loops over one slab: its depth, a few loads, and the norm's. */
static gboolean check_loops(const SwinOperation *operation, const SwinLinearProduct *product,
                            const SwinLinearKernel *kernel, GError **error) {
  const SwinLinearParameters *parameters = operation->parameters;
  const guint64 splits = 1 + kernel->lanes / 4; /* the last sum's, generously */
  const guint64 norm = parameters->normed ? (kernel->rows * 4 / kernel->lanes + 1) : 0;
  return swin_split_check_loop(operation, product->depth * (2 + norm) + splits, error);
}

static gboolean rows_record(const SwinOperationContext *context, const SwinOperation *operation,
                            GError **error) {
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const SwinLinearProduct product = swin_linear_product(context->plan, operation);
  const SwinLinearKernel kernel = swin_linear_choose_of_kind(
      device, swin_linear_operation_kind(context->plan, operation, device), &product);
  const Items items = count_items(context->plan, operation, &product);
  const guint64 step = swin_split_items(device, items.n, items.input_bytes, items.output_bytes);
  const guint64 columns = (product.columns + kernel.columns - 1) / kernel.columns;
  struct SwinLinearTilePush push = make_push(context->plan, operation);
  SwinDispatch dispatch = make_dispatch(context, operation, &product, &kernel);
  dispatch.push = &push;
  if (!check_loops(operation, &product, &kernel, error))
    return FALSE;
  for (guint64 first = 0; first < items.n; first += step) {
    const guint64 n = MIN(step, items.n - first);
    push.rows = (guint32)(n * items.rows);
    swin_split_groups(device, (push.rows + kernel.rows - 1) / kernel.rows * columns,
                      dispatch.groups);
    if (!record_items(context, operation, &items, first, n, &dispatch, error))
      return FALSE;
  }
  return TRUE;
}

const SwinLinearKindClass swin_linear_rows = {
    .packed_size = rows_packed_size,
    .pack = rows_pack,
    .record = rows_record,
};
