// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#include <math.h>
#include <string.h>

/** How the queries and keys of a window and head are spread. */
typedef struct {
  guint32 lanes;   /* invocations a work-group */
  guint32 queries; /* of an invocation */
  guint32 tiles;   /* work-groups a window and head */
  guint32 keys;    /* taken at a time */
  guint32 run;     /* keys of a window's row that are summed up by themselves */
  gboolean in_runs;
} AttentionShape;

static guint64 round_up(guint64 value, guint64 multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/* Rows of the bias table. */
static guint64 n_table_rows(const SwinAttentionParameters *parameters) {
  return (2 * (guint64)parameters->table_height - 1) * (2 * (guint64)parameters->table_width - 1);
}

static void check_windows(const SwinAttentionParameters *parameters, const guint64 *shape) {
  g_assert(parameters->window_height > 0 && parameters->window_width > 0);
  g_assert(parameters->shift_y < parameters->window_height);
  g_assert(parameters->shift_x < parameters->window_width);
  g_assert(!parameters->roll_before_padding ||
           (parameters->shift_y < shape[1] && parameters->shift_x < shape[2]));
}

gint swin_plan_add_attention(SwinPlan *plan, const gchar *name, gint input,
                             const SwinAttentionParameters *parameters,
                             const SwinTensor *bias_table, const SwinTensor *const *qkv_bias,
                             const SwinTensor *logit_scale) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint64 shape[] = {in->shape[0], in->shape[1], in->shape[2], in->shape[3] / 3};

  g_assert(in->n_dims == 4 && in->shape[3] % 3 == 0);
  g_assert(parameters->n_heads > 0 && shape[3] % parameters->n_heads == 0);
  check_windows(parameters, shape);

  gint output = swin_plan_add_tensor(plan, G_N_ELEMENTS(shape), shape);
  SwinOperation *operation =
      swin_plan_add_operation(plan, &swin_attention_class, name, 1, &input, output,
                              g_memdup2(parameters, sizeof(*parameters)));
  if (bias_table != NULL) {
    g_assert(parameters->table_height >= parameters->window_height);
    g_assert(parameters->table_width >= parameters->window_width);
    g_assert(bias_table->n_elements == n_table_rows(parameters) * parameters->n_heads);
    operation->weights[SWIN_ATTENTION_BIAS_TABLE] = *bias_table;
  }
  for (guint i = 0; i < 3; i++)
    if (qkv_bias != NULL && qkv_bias[i] != NULL) {
      g_assert(qkv_bias[i]->n_elements == shape[3]);
      operation->weights[SWIN_ATTENTION_QKV_BIAS + i] = *qkv_bias[i];
    }
  g_assert((logit_scale != NULL) == (parameters->kind == SWIN_ATTENTION_COSINE));
  if (logit_scale != NULL) {
    g_assert(logit_scale->n_elements == parameters->n_heads);
    operation->weights[SWIN_ATTENTION_LOGIT_SCALE] = *logit_scale;
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
  const SwinAttentionParameters *parameters = operation->parameters;
  guint64 channels = swin_plan_get_tensor(plan, operation->output)->shape[3];

  return 3 * channels + parameters->n_heads +
         operation->weights[SWIN_ATTENTION_BIAS_TABLE].n_elements;
}

/* [3, channels]: the biases of query, key and value, zeros where absent. */
static void pack_biases(const SwinOperation *operation, guint64 channels, gfloat *values) {
  memset(values, 0, 3 * channels * sizeof(gfloat));
  for (guint i = 0; i < 3; i++) {
    const SwinTensor *bias = &operation->weights[SWIN_ATTENTION_QKV_BIAS + i];

    if (bias->data != NULL)
      swin_tensor_read(bias, 0, channels, values + i * channels);
  }
}

/* [heads]: what the product of a query and a key is multiplied by. */
static void pack_scales(const SwinOperation *operation, guint64 head_dim, gfloat *values) {
  const SwinAttentionParameters *parameters = operation->parameters;

  if (parameters->kind == SWIN_ATTENTION_COSINE)
    swin_tensor_read(&operation->weights[SWIN_ATTENTION_LOGIT_SCALE], 0, parameters->n_heads,
                     values);
  for (guint head = 0; head < parameters->n_heads; head++)
    values[head] = parameters->kind == SWIN_ATTENTION_COSINE
                       ? (gfloat)exp(MIN((gdouble)values[head], log(100.0)))
                       : (gfloat)(1.0 / sqrt((gdouble)head_dim));
}

/* [rows, heads] -> [heads, rows] */
static void pack_table(const SwinOperation *operation, gfloat *values) {
  const SwinAttentionParameters *parameters = operation->parameters;
  const SwinTensor *table = &operation->weights[SWIN_ATTENTION_BIAS_TABLE];
  guint64 n_rows = table->n_elements / parameters->n_heads;
  g_autofree gfloat *plain = g_new(gfloat, table->n_elements);

  if (table->data != NULL)
    swin_tensor_read(table, 0, table->n_elements, plain);
  for (guint64 row = 0; row < n_rows; row++)
    for (guint64 head = 0; head < parameters->n_heads; head++)
      values[head * n_rows + row] = plain[row * parameters->n_heads + head];
}

static void pack(const SwinPlan *plan, const SwinOperation *operation,
                 G_GNUC_UNUSED SwinDevice *device, gfloat *values) {
  const SwinAttentionParameters *parameters = operation->parameters;
  guint64 channels = swin_plan_get_tensor(plan, operation->output)->shape[3];

  pack_biases(operation, channels, values);
  pack_scales(operation, channels / parameters->n_heads, values + 3 * channels);
  pack_table(operation, values + 3 * channels + parameters->n_heads);
}

/* On Mesa's lavapipe 22.3.6 a uniform load costs as much as a dozen vector operations, so queries
 * share it; more than one key at a time only adds spills. What an invocation keeps is bounded too,
 * since compiling takes as long as the unrolled code is. */
#define CPU_QUERIES 7
#define CPU_QUERY_VALUES 256

/* So many keys are summed up one by one without losing digits that matter, more of them in runs. */
#define PLAIN_KEYS 200
#define RUN_KEYS 32

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
  shape.in_runs = n_queries > PLAIN_KEYS;
  shape.run = (guint32)round_up(
      even_part(parameters->window_width, shape.in_runs ? RUN_KEYS : parameters->window_width),
      shape.keys);
  guint64 tile = (guint64)shape.lanes * shape.queries;
  shape.tiles = (guint32)((n_queries + tile - 1) / tile);
  return shape;
}

static void fill(SwinDispatch *dispatch, SwinDevice *device, guint64 n_items, gpointer push) {
  struct SwinAttentionPush *values = push;
  guint64 work = n_items * values->windows * values->heads * values->tiles;

  values->work = (guint32)work;
  swin_split_groups(device, work, dispatch->groups);
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinAttentionParameters *parameters = operation->parameters;
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const guint64 *out = swin_plan_get_tensor(context->plan, operation->output)->shape;
  guint64 window_height = parameters->window_height, window_width = parameters->window_width;
  guint64 padded_height = round_up(out[1], window_height);
  guint64 padded_width = round_up(out[2], window_width);
  guint64 head_dim = out[3] / parameters->n_heads;
  AttentionShape shape = choose_shape(device, parameters, head_dim);
  struct SwinAttentionPush push = {
      .height = (guint32)out[1],
      .width = (guint32)out[2],
      .padded_height = (guint32)padded_height,
      .padded_width = (guint32)padded_width,
      .rolled_height = (guint32)(parameters->roll_before_padding ? out[1] : padded_height),
      .rolled_width = (guint32)(parameters->roll_before_padding ? out[2] : padded_width),
      .heads = parameters->n_heads,
      .tiles = shape.tiles,
      .windows = (guint32)(padded_height / window_height * (padded_width / window_width)),
      .shift_y = parameters->shift_y,
      .shift_x = parameters->shift_x,
      .table_height = parameters->table_height,
      .table_width = parameters->table_width,
      .mask = parameters->mask,
  };
  SwinDispatch dispatch = {
      .shader = "attention",
      .n_constants = 12,
      .constants = {shape.lanes, (guint32)head_dim, parameters->window_height,
                    parameters->window_width, shape.queries, shape.keys,
                    operation->weights[SWIN_ATTENTION_BIAS_TABLE].data != NULL,
                    parameters->shift_y > 0 || parameters->shift_x > 0,
                    padded_height != out[1] || padded_width != out[2],
                    parameters->kind == SWIN_ATTENTION_COSINE, shape.run, shape.in_runs},
      .n_bindings = 3,
      .push = &push,
      .push_size = sizeof(push),
  };
  guint64 n_rounds = window_height * ((window_width + shape.keys - 1) / shape.keys +
                                      (window_width + shape.run - 1) / shape.run + 1);

  return swin_split_check_loop(operation, n_rounds, error) &&
         swin_split_record(context, operation, out[0], &dispatch, fill, &push, error);
}

const SwinOperationClass swin_attention_class = {
    .name = "attention",
    .flops = flops,
    .packed_size = packed_size,
    .pack = pack,
    .record = record,
};
