// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#include <string.h>

/** How one work-group's tile of the output is shaped on a device. */
typedef struct {
  guint32 lanes;        /* invocations, side by side along the columns */
  guint32 tile_rows;    /* rows an invocation keeps in registers */
  guint32 tile_vectors; /* vectors of four columns an invocation keeps in registers */
} Tile;

static guint64 tile_columns(const Tile *tile) {
  return 4ull * tile->lanes * tile->tile_vectors;
}

static guint64 padded_columns(const Tile *tile, guint64 columns) {
  return (columns + tile_columns(tile) - 1) / tile_columns(tile) * tile_columns(tile);
}

/* On a CPU device an invocation is a lane of a vector register and registers spill into a fast
 * cache, so large tiles that reuse each loaded value win, the widest that pads the columns least;
 * a GPU wants many small work-groups. */
static Tile choose_tile(SwinDevice *device, guint64 columns) {
  const guint32 lanes = swin_device_get_limits(device)->subgroup_size;
  if (!swin_device_is_cpu(device))
    return (Tile){MAX(lanes, 32), 8, 1};
  Tile best = {lanes, 16, 3};
  for (guint32 vectors = 2; vectors >= 1; vectors--) {
    const Tile tile = {lanes, 16, vectors};
    if (padded_columns(&tile, columns) < padded_columns(&best, columns))
      best = tile;
  }
  return best;
}

static guint64 last_dimension(const SwinPlanTensor *tensor) {
  return tensor->shape[tensor->n_dims - 1];
}

gint swin_plan_add_linear(SwinPlan *plan, const gchar *name, gint input, guint n_parts,
                          const SwinTensor *const *weights, const SwinTensor *const *biases,
                          SwinGelu gelu, gint residual) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint n_dims = in->n_dims;
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
  for (guint i = 0; i < n_dims; i++)
    shape[i] = in->shape[i];
  g_assert(n_parts >= 1 && n_parts <= SWIN_LINEAR_MAX_PARTS);
  shape[n_dims - 1] = 0;
  for (guint i = 0; i < n_parts; i++) {
    g_assert(weights[i]->n_elements == weights[i]->shape[0] * last_dimension(in));
    shape[n_dims - 1] += weights[i]->shape[0];
  }
  const gint output = swin_plan_add_tensor(plan, n_dims, shape);
  g_assert(residual == SWIN_PLAN_NO_TENSOR || swin_plan_get_tensor(plan, residual)->n_elements ==
                                                  swin_plan_get_tensor(plan, output)->n_elements);

  SwinLinearParameters *parameters = g_new0(SwinLinearParameters, 1);
  parameters->n_parts = n_parts;
  parameters->gelu = gelu;
  const gint inputs[] = {input, residual};
  SwinOperation *operation =
      swin_plan_add_operation(plan, &swin_linear_class, name,
                              residual == SWIN_PLAN_NO_TENSOR ? 1 : 2, inputs, output, parameters);
  for (guint i = 0; i < n_parts; i++) {
    operation->weights[i] = *weights[i];
    if (biases && biases[i])
      operation->weights[SWIN_LINEAR_MAX_PARTS + i] = *biases[i];
  }
  return output;
}

static guint64 linear_flops(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinPlanTensor *input = swin_plan_get_tensor(plan, operation->inputs[0]);
  const SwinPlanTensor *output = swin_plan_get_tensor(plan, operation->output);
  return 2 * output->n_elements * last_dimension(input);
}

static guint64 linear_packed_size(const SwinPlan *plan, const SwinOperation *operation,
                                  SwinDevice *device) {
  const guint64 k = last_dimension(swin_plan_get_tensor(plan, operation->inputs[0]));
  const guint64 n = last_dimension(swin_plan_get_tensor(plan, operation->output));
  const Tile tile = choose_tile(device, n);
  return (k + 1) * padded_columns(&tile, n);
}

/* A square of the weight that is transposed at once: its rows are read in runs of PACK_RUN values
 * and written as columns, so that both sides move whole cache lines. */
#define PACK_ROWS 16
#define PACK_RUN 64

/* Rows @row to @row + @n_rows - 1 of a weight [N, K] become columns of a strip [K, width]. */
static void pack_rows(const SwinTensor *weight, guint64 row, guint64 n_rows, guint64 k,
                      guint64 width, gfloat *strip) {
  gfloat runs[PACK_ROWS][PACK_RUN];
  for (guint64 first = 0; first < k; first += PACK_RUN) {
    const guint64 n = MIN(PACK_RUN, k - first);
    for (guint64 i = 0; i < n_rows; i++)
      swin_tensor_read(weight, (row + i) * k + first, n, runs[i]);
    for (guint64 j = 0; j < n; j++) {
      gfloat *line = strip + (first + j) * width;
      if (n_rows == PACK_ROWS) {
        for (guint i = 0; i < PACK_ROWS; i++)
          line[i] = runs[i][j];
      } else {
        for (guint64 i = 0; i < n_rows; i++)
          line[i] = runs[i][j];
      }
    }
  }
}

/* Zeros for the columns beyond the last one, and for biases that are absent. */
static void pack_padding(guint64 k, guint64 n, guint64 padded, guint64 width, gfloat *values) {
  const guint64 used = n % width;
  gfloat *strip = values + n / width * width * k;
  for (guint64 j = 0; used > 0 && j < k; j++)
    memset(strip + j * width + used, 0, (width - used) * sizeof(gfloat));
  memset(values + k * padded, 0, padded * sizeof(gfloat));
}

/* [N, K] to [strips, K, columns of a strip], the bias behind it. */
static void linear_pack(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device,
                        gfloat *values) {
  const SwinLinearParameters *parameters = operation->parameters;
  const guint64 k = last_dimension(swin_plan_get_tensor(plan, operation->inputs[0]));
  const guint64 n = last_dimension(swin_plan_get_tensor(plan, operation->output));
  const Tile tile = choose_tile(device, n);
  const guint64 width = tile_columns(&tile);
  const guint64 padded = padded_columns(&tile, n);
  pack_padding(k, n, padded, width, values);

  guint64 column = 0;
  for (guint part = 0; part < parameters->n_parts; part++) {
    const SwinTensor *weight = &operation->weights[part];
    const SwinTensor *bias = &operation->weights[SWIN_LINEAR_MAX_PARTS + part];
    if (bias->data)
      swin_tensor_read(bias, 0, weight->shape[0], values + k * padded + column);
    for (guint64 row = 0; row < weight->shape[0];) {
      const guint64 in_strip = column % width;
      const guint64 n_rows = MIN(MIN(PACK_ROWS, weight->shape[0] - row), width - in_strip);
      pack_rows(weight, row, n_rows, k, width, values + (column - in_strip) * k + in_strip);
      row += n_rows;
      column += n_rows;
    }
  }
}

/* The rows from @first on; as many as one dispatch may take. */
static gboolean record_rows(const SwinOperationContext *context, const SwinOperation *operation,
                            guint64 k, guint64 n, guint64 first, guint64 n_rows, GError **error) {
  const SwinLinearParameters *parameters = operation->parameters;
  const gboolean residual = operation->inputs[1] != SWIN_PLAN_NO_TENSOR;
  const Tile tile = choose_tile(swin_recorder_get_device(context->recorder), n);
  const struct SwinLinearPush push = {.rows = (guint32)n_rows};
  const SwinBinding input = swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ,
                                              first, n_rows, k * sizeof(gfloat));
  const SwinDispatch dispatch = {
      .shader = "linear",
      .label = operation->name,
      .n_constants = 7,
      .constants = {tile.lanes, (guint32)k, (guint32)n, tile.tile_rows, tile.tile_vectors,
                    (guint32)parameters->gelu, (guint32)residual},
      .n_bindings = 4,
      .bindings = {input, swin_operation_context_weights(context),
                   swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n_rows,
                                     n * sizeof(gfloat)),
                   residual ? swin_split_tensor(context, operation->inputs[1], SWIN_ACCESS_READ,
                                                first, n_rows, n * sizeof(gfloat))
                            : input},
      .push = &push,
      .push_size = sizeof(push),
      .groups = {(n_rows + tile.tile_rows - 1) / tile.tile_rows,
                 padded_columns(&tile, n) / tile_columns(&tile), 1},
  };
  return swin_recorder_dispatch(context->recorder, &dispatch, error);
}

static gboolean linear_record(const SwinOperationContext *context, const SwinOperation *operation,
                              GError **error) {
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const SwinPlanTensor *input = swin_plan_get_tensor(context->plan, operation->inputs[0]);
  const guint64 k = last_dimension(input);
  const guint64 n = last_dimension(swin_plan_get_tensor(context->plan, operation->output));
  const guint64 rows = input->n_elements / k;
  /* 64 rows of one value are 256 bytes, the largest alignment that Vulkan allows a device to ask of
   * the next binding. */
  const guint64 allowed_rows =
      swin_device_get_limits(device)->max_groups[0] * choose_tile(device, n).tile_rows;
  const guint64 most_rows = MAX(allowed_rows / 64, 1) * 64;
  const guint64 step =
      MIN(most_rows, swin_split_items(device, rows, k * sizeof(gfloat), n * sizeof(gfloat)));
  if (!swin_split_check_loop(operation, k, error))
    return FALSE;
  for (guint64 first = 0; first < rows; first += step) {
    if (!record_rows(context, operation, k, n, first, MIN(step, rows - first), error))
      return FALSE;
  }
  return TRUE;
}

const SwinOperationClass swin_linear_class = {
    .name = "linear",
    .flops = linear_flops,
    .packed_size = linear_packed_size,
    .pack = linear_pack,
    .record = linear_record,
};
