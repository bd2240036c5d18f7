// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/half.h"
#include "network/linear-private.h"
#include "network/split.h"
#include "parameters.h"

#include <string.h>

/** How one work-group's tile of the output is shaped on a device. */
typedef struct {
  gboolean addresses; /* computed by linear-address.comp, else by linear.comp */
  guint32 lanes;      /* invocations, side by side along the columns */
  guint32 vectors;    /* of four columns, that an invocation keeps in registers */
} Strip;

static guint64 strip_columns(const Strip *strip) {
  return 4ull * strip->lanes * strip->vectors;
}

static guint64 padded_columns(const Strip *strip, guint64 columns) {
  return (columns + strip_columns(strip) - 1) / strip_columns(strip) * strip_columns(strip);
}

/* Mesa 26.1 computes Swin-T's products four times as fast in linear-address.comp, for the reason
 * told there, 22.3 and 25.0 more slowly; these say that their version is 0.0.1. Nothing guards what
 * is read at an address, so that only sizes are computed there which fill every strip. */
static gboolean uses_addresses(SwinDevice *device, const SwinLinearProduct *product) {
  const SwinDeviceIdentity *identity = swin_device_get_identity(device);
  const guint32 lanes = swin_device_get_limits(device)->subgroup_size;
  if (product->columns % (SWIN_LINEAR_ADDRESS_RUNS * lanes) != 0 ||
      product->depth % SWIN_LINEAR_ADDRESS_STEP != 0)
    return FALSE;
  return swin_device_get_extensions(device)->addresses && identity->vendor == VK_VENDOR_ID_MESA &&
         identity->driver_version >= VK_MAKE_API_VERSION(0, 26, 0, 0) && lanes <= 16;
}

/* An invocation is a lane of a vector register. In linear.comp every load costs as much as many
 * multiplications and registers spill into a fast cache, so large tiles that reuse each loaded
 * value win, the widest that pads the columns least; with addresses loads are cheap, and a tile
 * that stays in the registers wins. */
static Strip choose_strip(SwinDevice *device, const SwinLinearProduct *product) {
  const guint32 lanes = swin_device_get_limits(device)->subgroup_size;
  const guint64 columns = product->columns;
  if (uses_addresses(device, product))
    return (Strip){TRUE, lanes, 1};
  Strip best = {FALSE, lanes, 3};
  for (guint32 vectors = 2; vectors >= 1; vectors--) {
    const Strip strip = {FALSE, lanes, vectors};
    if (padded_columns(&strip, columns) < padded_columns(&best, columns))
      best = strip;
  }
  return best;
}

/* Rows of a tile, of so many of all dispatches. With addresses seven fill the registers and divide
 * the maps of windows of seven; eight are nearly as fast. */
static guint32 choose_rows(const Strip *strip, guint64 rows) {
  if (!strip->addresses)
    return 16;
  if (rows < 7)
    return (guint32)rows;
  return (rows + 7) / 8 * 8 < (rows + 6) / 7 * 7 ? 8 : 7;
}

static guint64 strips_packed_size(const SwinPlan *plan, const SwinOperation *operation,
                                  SwinDevice *device) {
  const SwinLinearProduct product = swin_linear_product(plan, operation);
  const Strip strip = choose_strip(device, &product);
  return padded_columns(&strip, product.columns) *
         (product.depth * swin_storage_size(product.storage) + sizeof(gfloat));
}

/* A square of the weight that is transposed at once: its rows are read in runs of PACK_RUN values
 * and written as columns, so that both sides move whole cache lines. */
#define PACK_ROWS 16
#define PACK_RUN 64

/* PACK_ROWS values, or fewer, of a line of a strip. */
static void pack_line(SwinStorage storage, const gfloat *values, guint64 n, gpointer line) {
  if (storage == SWIN_STORAGE_F32) {
    memcpy(line, values, n * sizeof(gfloat));
    return;
  }
  guint16 *halves = line;
  for (guint64 i = 0; i < n; i++)
    halves[i] = swin_half_from_float(values[i]);
}

/* Rows @row to @row + @n_rows - 1 of a weight [N, K] become columns of a strip [K, width]. */
static void pack_rows(const SwinTensor *weight, guint64 row, guint64 n_rows,
                      const SwinLinearProduct *product, guint64 width, guint8 *strip) {
  const guint64 size = swin_storage_size(product->storage);
  gfloat runs[PACK_ROWS][PACK_RUN];
  for (guint64 first = 0; first < product->depth; first += PACK_RUN) {
    const guint64 n = MIN(PACK_RUN, product->depth - first);
    for (guint64 i = 0; i < n_rows; i++)
      swin_tensor_read(weight, (row + i) * product->depth + first, n, runs[i]);
    for (guint64 j = 0; j < n; j++) {
      gfloat line[PACK_ROWS];
      for (guint64 i = 0; i < n_rows; i++)
        line[i] = runs[i][j];
      pack_line(product->storage, line, n_rows, strip + (first + j) * width * size);
    }
  }
}

/* [N, K] to [strips, K, columns of a strip], the bias behind it as float32. Zeros for the columns
 * beyond the last one, and for biases that are absent. */
static void strips_pack(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device,
                        gpointer packed) {
  const SwinLinearParameters *parameters = operation->parameters;
  const SwinLinearProduct product = swin_linear_product(plan, operation);
  const guint64 size = swin_storage_size(product.storage);
  const Strip strip = choose_strip(device, &product);
  const guint64 width = strip_columns(&strip);
  const guint64 padded = padded_columns(&strip, product.columns);
  guint8 *strips = packed;
  gfloat *biases = (gfloat *)(gpointer)(strips + product.depth * padded * size);
  const guint64 full = product.columns / width * width;
  memset(strips + full * product.depth * size, 0, (padded - full) * product.depth * size);
  memset(biases, 0, padded * sizeof(gfloat));

  guint64 column = 0;
  for (guint part = 0; part < parameters->n_parts; part++) {
    const SwinTensor *weight = &operation->weights[SWIN_LINEAR_WEIGHT + part];
    const SwinTensor *bias = &operation->weights[SWIN_LINEAR_BIAS + part];
    if (bias->data)
      swin_tensor_read(bias, 0, weight->shape[0], biases + column);
    for (guint64 row = 0; row < weight->shape[0];) {
      const guint64 in_strip = column % width;
      const guint64 n_rows = MIN(MIN(PACK_ROWS, weight->shape[0] - row), width - in_strip);
      pack_rows(weight, row, n_rows, &product, width,
                strips + ((column - in_strip) * product.depth + in_strip) * size);
      row += n_rows;
      column += n_rows;
    }
  }
}

static SwinDispatch storage_dispatch(const Strip *strip, guint32 rows,
                                     const SwinLinearProduct *product, SwinGelu gelu,
                                     gboolean residual) {
  return (SwinDispatch){
      .shader = swin_operation_shader("linear", product->storage),
      .n_constants = 7,
      .constants = {strip->lanes, (guint32)product->depth, (guint32)product->columns, rows,
                    strip->vectors, (guint32)gelu, (guint32)residual},
      .push_size = sizeof(struct SwinLinearPush),
  };
}

static SwinDispatch address_dispatch(const Strip *strip, guint32 rows, guint64 n_rows,
                                     const SwinLinearProduct *product, SwinGelu gelu,
                                     gboolean residual) {
  return (SwinDispatch){
      .shader = swin_operation_shader("linear-address", product->storage),
      .n_constants = 5,
      .constants = {strip->lanes, rows, (guint32)gelu, (guint32)residual, n_rows % rows == 0},
      .push_size = sizeof(struct SwinLinearAddressPush),
  };
}

static void set_address(guint32 words[2], const SwinBinding *binding) {
  const guint64 address = binding->buffer->address + binding->offset;
  words[0] = (guint32)address;
  words[1] = (guint32)(address >> 32);
}

/* The rows from @first on; as many as one dispatch may take. */
static gboolean record_rows(const SwinOperationContext *context, const SwinOperation *operation,
                            const SwinLinearProduct *product, guint64 first, guint64 n_rows,
                            GError **error) {
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const SwinGelu gelu = ((const SwinLinearParameters *)operation->parameters)->gelu;
  const guint64 size = swin_storage_size(product->storage);
  const guint64 input_bytes = product->depth * size, output_bytes = product->columns * size;
  const gboolean residual = operation->inputs[1] != SWIN_PLAN_NO_TENSOR;
  const Strip strip = choose_strip(device, product);
  const guint32 rows = choose_rows(&strip, product->rows);
  SwinDispatch dispatch = strip.addresses
                              ? address_dispatch(&strip, rows, n_rows, product, gelu, residual)
                              : storage_dispatch(&strip, rows, product, gelu, residual);
  dispatch.label = operation->name;
  dispatch.groups[0] = (n_rows + rows - 1) / rows;
  dispatch.groups[1] = padded_columns(&strip, product->columns) / strip_columns(&strip);
  dispatch.groups[2] = 1;
  /* What is read at an address is bound as well, for the barriers. */
  dispatch.n_bindings = 4;
  dispatch.bindings[0] = swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first,
                                           n_rows, input_bytes);
  dispatch.bindings[1] = swin_operation_context_weights(context);
  dispatch.bindings[2] =
      swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n_rows, output_bytes);
  dispatch.bindings[3] = residual ? swin_split_tensor(context, operation->inputs[1],
                                                      SWIN_ACCESS_READ, first, n_rows, output_bytes)
                                  : dispatch.bindings[0];

  const struct SwinLinearPush storage_push = {.rows = (guint32)n_rows};
  struct SwinLinearAddressPush address_push = {
      .rows = (guint32)n_rows,
      .depth = (guint32)product->depth,
      .columns = (guint32)product->columns,
  };
  set_address(address_push.input_address, &dispatch.bindings[0]);
  set_address(address_push.weights_address, &dispatch.bindings[1]);
  set_address(address_push.residual_address, &dispatch.bindings[3]);
  dispatch.push = strip.addresses ? (gconstpointer)&address_push : &storage_push;
  return swin_recorder_dispatch(context->recorder, &dispatch, error);
}

static gboolean strips_record(const SwinOperationContext *context, const SwinOperation *operation,
                              GError **error) {
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const SwinLinearProduct product = swin_linear_product(context->plan, operation);
  const guint64 size = swin_storage_size(product.storage);
  const guint64 input_bytes = product.depth * size, output_bytes = product.columns * size;
  const Strip strip = choose_strip(device, &product);
  /* The next binding has to lie at a multiple of the alignment, a power of two. */
  const guint64 bytes = input_bytes | output_bytes;
  const guint64 aligned_rows =
      MAX(swin_device_get_limits(device)->storage_alignment / (bytes & -bytes), 1);
  const guint64 allowed_rows =
      swin_device_get_limits(device)->max_groups[0] * choose_rows(&strip, product.rows);
  const guint64 most_rows = MAX(allowed_rows / aligned_rows, 1) * aligned_rows;
  const guint64 step =
      MIN(most_rows, swin_split_items(device, product.rows, input_bytes, output_bytes));
  if (!swin_split_check_loop(operation, product.depth, error))
    return FALSE;
  for (guint64 first = 0; first < product.rows; first += step) {
    if (!record_rows(context, operation, &product, first, MIN(step, product.rows - first), error))
      return FALSE;
  }
  return TRUE;
}

const SwinLinearKindClass swin_linear_strips = {
    .packed_size = strips_packed_size,
    .pack = strips_pack,
    .record = strips_record,
};
