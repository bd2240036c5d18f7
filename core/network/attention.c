// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#include <string.h>

/** How the queries and keys of a window and head are spread. */
typedef struct {
  guint32 lanes;   /* invocations a work-group */
  guint32 queries; /* of an invocation */
  guint32 tiles;   /* work-groups a window and head */
  guint32 keys;    /* taken at a time */
} AttentionShape;

static guint64 round_up(guint64 value, guint64 multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

gint swin_plan_add_attention(SwinPlan *plan, const gchar *name, gint input,
                             const SwinAttentionParameters *parameters,
                             const SwinTensor *bias_table, const SwinTensor *const *qkv_bias) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint64 shape[] = {in->shape[0], in->shape[1], in->shape[2], in->shape[3] / 3};
  guint64 side = 2 * (guint64)parameters->table_window - 1;

  g_assert(in->n_dims == 4 && in->shape[3] % 3 == 0);
  g_assert(parameters->n_heads > 0 && shape[3] % parameters->n_heads == 0);
  g_assert(parameters->window_height > 0 && parameters->window_width > 0);
  g_assert(parameters->shift_y < parameters->window_height);
  g_assert(parameters->shift_x < parameters->window_width);
  g_assert(parameters->table_window >= parameters->window_height &&
           parameters->table_window >= parameters->window_width);
  g_assert(bias_table == NULL || bias_table->n_elements == side * side * parameters->n_heads);

  gint output = swin_plan_add_tensor(plan, G_N_ELEMENTS(shape), shape);
  SwinOperation *operation =
      swin_plan_add_operation(plan, &swin_attention_class, name, 1, &input, output,
                              g_memdup2(parameters, sizeof(*parameters)));
  if (bias_table != NULL)
    operation->weights[SWIN_ATTENTION_BIAS_TABLE] = *bias_table;
  for (guint i = 0; i < 3; i++)
    if (qkv_bias != NULL && qkv_bias[i] != NULL) {
      g_assert(qkv_bias[i]->n_elements == shape[3]);
      operation->weights[SWIN_ATTENTION_QKV_BIAS + i] = *qkv_bias[i];
    }
  return output;
}

/* The two products; what happens to the scores in between is not counted. */
static guint64 flops(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinAttentionParameters *parameters = operation->parameters;
  const SwinPlanTensor *out = swin_plan_get_tensor(plan, operation->output);
  guint64 keys = (guint64)parameters->window_height * parameters->window_width;

  return 4 * out->n_elements * keys;
}

static guint64 packed_size(const SwinPlan *plan, const SwinOperation *operation,
                           G_GNUC_UNUSED SwinDevice *device) {
  guint64 channels = swin_plan_get_tensor(plan, operation->output)->shape[3];
  const SwinTensor *table = &operation->weights[SWIN_ATTENTION_BIAS_TABLE];

  return 3 * channels + (table->data != NULL ? table->n_elements : 0);
}

/* The biases of q, k and v, zeros where absent, then the table: [rows, heads] -> [heads, rows]. */
static void pack(const SwinPlan *plan, const SwinOperation *operation,
                 G_GNUC_UNUSED SwinDevice *device, gfloat *values) {
  const SwinAttentionParameters *parameters = operation->parameters;
  guint64 channels = swin_plan_get_tensor(plan, operation->output)->shape[3];
  const SwinTensor *table = &operation->weights[SWIN_ATTENTION_BIAS_TABLE];

  memset(values, 0, 3 * channels * sizeof(gfloat));
  for (guint i = 0; i < 3; i++) {
    const SwinTensor *bias = &operation->weights[SWIN_ATTENTION_QKV_BIAS + i];

    if (bias->data != NULL)
      swin_tensor_read(bias, 0, channels, values + i * channels);
  }
  if (table->data == NULL)
    return;
  g_autofree gfloat *plain = g_new(gfloat, table->n_elements);
  guint64 n_rows = table->n_elements / parameters->n_heads;
  swin_tensor_read(table, 0, table->n_elements, plain);
  for (guint64 row = 0; row < n_rows; row++)
    for (guint64 head = 0; head < parameters->n_heads; head++)
      values[3 * channels + head * n_rows + row] = plain[row * parameters->n_heads + head];
}

/* On Mesa's lavapipe 22.3.6 a uniform load costs as much as a dozen vector operations, so queries
 * share it; more than one key at a time only adds spills. What an invocation keeps is bounded too,
 * since compiling takes as long as the unrolled code is. */
#define CPU_QUERIES 7
#define CPU_QUERY_VALUES 256

/* As many parts of at most @largest as @n needs, all but the last equal: the size of a part. */
static guint64 even_part(guint64 n, guint64 largest) {
  guint64 n_parts = (n + largest - 1) / largest;

  return (n + n_parts - 1) / n_parts;
}

static AttentionShape choose_shape(SwinDevice *device, const SwinAttentionParameters *parameters,
                                   guint64 head_dim) {
  guint64 subgroup = MAX(swin_device_get_limits(device)->subgroup_size, 1);
  guint64 n_queries = (guint64)parameters->window_height * parameters->window_width;
  AttentionShape shape;

  if (swin_device_is_cpu(device)) {
    guint64 queries = CLAMP(CPU_QUERY_VALUES / head_dim, 1, CPU_QUERIES);

    shape.lanes = (guint32)subgroup;
    shape.queries = (guint32)even_part((n_queries + subgroup - 1) / subgroup, queries);
    shape.keys = 1;
  } else {
    shape.lanes = (guint32)round_up(even_part(n_queries, MAX(64, subgroup)), subgroup);
    shape.queries = 1;
    shape.keys = (guint32)even_part(parameters->window_width, 8);
  }
  guint64 tile = (guint64)shape.lanes * shape.queries;
  shape.tiles = (guint32)((n_queries + tile - 1) / tile);
  return shape;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinAttentionParameters *parameters = operation->parameters;
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const guint64 *out = swin_plan_get_tensor(context->plan, operation->output)->shape;
  guint64 padded_height = round_up(out[1], parameters->window_height);
  guint64 padded_width = round_up(out[2], parameters->window_width);
  guint64 head_dim = out[3] / parameters->n_heads;
  guint64 n_tokens = (guint64)parameters->window_height * parameters->window_width;
  AttentionShape shape = choose_shape(device, parameters, head_dim);
  guint64 image_work = padded_height * padded_width / n_tokens * parameters->n_heads * shape.tiles;
  guint64 output_bytes = out[1] * out[2] * out[3] * sizeof(gfloat), input_bytes = 3 * output_bytes;
  guint64 step = swin_split_items(device, out[0], input_bytes, output_bytes);
  struct SwinAttentionPush push = {
      .height = (guint32)out[1],
      .width = (guint32)out[2],
      .padded_height = (guint32)padded_height,
      .padded_width = (guint32)padded_width,
      .heads = parameters->n_heads,
      .tiles = shape.tiles,
      .shift_y = parameters->shift_y,
      .shift_x = parameters->shift_x,
      .table_window = parameters->table_window,
      .scale = parameters->scale,
  };

  for (guint64 first = 0; first < out[0]; first += step) {
    guint64 n = MIN(step, out[0] - first);
    SwinBinding in =
        swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first, n, input_bytes);
    SwinDispatch dispatch = {
        .shader = "attention",
        .label = operation->name,
        .n_constants = 9,
        .constants = {shape.lanes, (guint32)head_dim, parameters->window_height,
                      parameters->window_width, shape.queries, shape.keys,
                      operation->weights[SWIN_ATTENTION_BIAS_TABLE].data != NULL,
                      parameters->shift_y > 0 || parameters->shift_x > 0,
                      padded_height != out[1] || padded_width != out[2]},
        .n_bindings = 4,
        .bindings = {in, in, swin_operation_context_weights(context),
                     swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n,
                                       output_bytes)},
        .push = &push,
        .push_size = sizeof(push),
    };

    push.work = (guint32)(n * image_work);
    swin_split_groups(device, n * image_work, dispatch.groups);
    if (!swin_recorder_dispatch(context->recorder, &dispatch, error))
      return FALSE;
  }
  return TRUE;
}

const SwinOperationClass swin_attention_class = {
    .name = "attention",
    .flops = flops,
    .packed_size = packed_size,
    .pack = pack,
    .record = record,
};
