// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/attention-kernel.h"
#include "network/split.h"
#include "parameters.h"

#include <math.h>
#include <string.h>

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

  gint output = swin_plan_add_tensor(plan, in->storage, G_N_ELEMENTS(shape), shape);
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

  return (3 * channels + parameters->n_heads +
          operation->weights[SWIN_ATTENTION_BIAS_TABLE].n_elements) *
         sizeof(gfloat);
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
                 G_GNUC_UNUSED SwinDevice *device, gpointer packed) {
  const SwinAttentionParameters *parameters = operation->parameters;
  guint64 channels = swin_plan_get_tensor(plan, operation->output)->shape[3];
  gfloat *values = packed;

  pack_biases(operation, channels, values);
  pack_scales(operation, channels / parameters->n_heads, values + 3 * channels);
  pack_table(operation, values + 3 * channels + parameters->n_heads);
}

/* ---- Recording ------------------------------------------------------------------------------ */

/* Of the shaders (shaders/attention.glsl). */
enum {
  BINDING_FAR_INPUT,
  BINDING_FAR_OUTPUT,
  BINDING_WEIGHTS,
  BINDING_NEAR_INPUT,
  BINDING_NEAR_OUTPUT,
  N_BINDINGS
};
#define CONSTANT_BANDED 8

/** Recording: an operation on its way to dispatches. */
typedef struct {
  const SwinOperationContext *context;
  const SwinOperation *operation;
  const SwinAttentionParameters *parameters;
  SwinDevice *device;
  const SwinPlanTensor *input, *output;
  struct SwinAttentionPush push;
  SwinDispatch dispatch;
} Recording;

static void start_push(Recording *recording) {
  const SwinAttentionParameters *parameters = recording->parameters;
  const guint64 *out = recording->output->shape;
  guint64 padded_height = swin_attention_round_up(out[1], parameters->window_height);
  guint64 padded_width = swin_attention_round_up(out[2], parameters->window_width);

  recording->push = (struct SwinAttentionPush){
      .height = (guint32)out[1],
      .width = (guint32)out[2],
      .padded_height = (guint32)padded_height,
      .padded_width = (guint32)padded_width,
      .rolled_height = (guint32)(parameters->roll_before_padding ? out[1] : padded_height),
      .rolled_width = (guint32)(parameters->roll_before_padding ? out[2] : padded_width),
      .heads = parameters->n_heads,
      .any_row = (guint32)out[1] - 1,
      .shift_y = parameters->shift_y,
      .shift_x = parameters->shift_x,
      .table_height = parameters->table_height,
      .table_width = parameters->table_width,
      .mask = parameters->mask,
  };
}

static void start_dispatch(Recording *recording, const SwinAttentionKernel *kernel,
                           guint64 head_dim) {
  const SwinAttentionParameters *parameters = recording->parameters;
  const SwinOperation *operation = recording->operation;
  const struct SwinAttentionPush *push = &recording->push;

  recording->dispatch = (SwinDispatch){
      .shader = kernel->shader,
      .label = operation->name,
      .n_constants = SWIN_ATTENTION_FIRST_CONSTANT + kernel->n_constants,
      .constants = {kernel->lanes, (guint32)head_dim, parameters->window_height,
                    parameters->window_width,
                    operation->weights[SWIN_ATTENTION_BIAS_TABLE].data != NULL,
                    parameters->shift_y > 0 || parameters->shift_x > 0,
                    push->padded_height != push->height || push->padded_width != push->width,
                    parameters->kind == SWIN_ATTENTION_COSINE},
      .n_bindings = N_BINDINGS,
      .push = push,
      .push_size = sizeof(*push),
      .subgroup_size = kernel->subgroup_size,
  };
  memcpy(recording->dispatch.constants + SWIN_ATTENTION_FIRST_CONSTANT, kernel->constants,
         kernel->n_constants * sizeof(guint32));
  recording->dispatch.bindings[BINDING_WEIGHTS] =
      swin_operation_context_weights(recording->context);
  recording->push.tiles = kernel->tiles;
}

/* @window_rows: rows of windows, of every image */
static gboolean record_dispatch(Recording *recording, guint64 n_images, guint64 window_rows,
                                GError **error) {
  struct SwinAttentionPush *push = &recording->push;
  guint64 windows = window_rows * (push->padded_width / recording->parameters->window_width);
  guint64 work = n_images * windows * push->heads * push->tiles;

  push->windows = (guint32)windows;
  push->work = (guint32)work;
  swin_split_groups(recording->device, work, recording->dispatch.groups);
  return swin_recorder_dispatch(recording->context->recorder, &recording->dispatch, error);
}

static guint64 image_bytes(const SwinPlanTensor *tensor) {
  return swin_plan_tensor_size(tensor) / tensor->shape[0];
}

/* As many whole images at a time as fit. */
static gboolean record_images(Recording *recording, GError **error) {
  const SwinOperationContext *context = recording->context;
  const SwinOperation *operation = recording->operation;
  guint64 n_images = recording->output->shape[0];
  guint64 window_rows = recording->push.padded_height / recording->parameters->window_height;
  guint64 in = image_bytes(recording->input), out = image_bytes(recording->output);
  guint64 step = swin_split_items(recording->device, n_images, in, out);
  SwinBinding *bindings = recording->dispatch.bindings;

  for (guint64 first = 0; first < n_images; first += step) {
    guint64 n = MIN(step, n_images - first);

    bindings[BINDING_FAR_INPUT] =
        swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first, n, in);
    bindings[BINDING_FAR_OUTPUT] =
        swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n, out);
    bindings[BINDING_NEAR_INPUT] = bindings[BINDING_FAR_INPUT];
    bindings[BINDING_NEAR_OUTPUT] = bindings[BINDING_FAR_OUTPUT];
    if (!record_dispatch(recording, n, window_rows, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- A map that is larger than a binding ---------------------------------------------------- */

/** Rows: of the map, from @first to @end - 1. */
typedef struct {
  guint64 first, end;
} Rows;

/* The rows of the map that the rows @first to @end - 1 of the rolled one come from, in two runs:
 * @near, the part that the roll brought from the map's beginning. Padding is left out. */
static void find_rows(const struct SwinAttentionPush *push, guint64 first, guint64 end, Rows *far,
                      Rows *near) {
  guint64 rolled_first = MIN(first, push->rolled_height);
  guint64 rolled_end = MIN(end, push->rolled_height);
  guint64 turn = push->rolled_height - push->shift_y; /* where the map's first row lies */

  *far = (Rows){MIN(MIN(rolled_first, turn) + push->shift_y, push->height),
                MIN(MIN(rolled_end, turn) + push->shift_y, push->height)};
  *near = (Rows){MAX(rolled_first, turn) - turn, MAX(rolled_end, turn) - turn};
}

static guint64 binding_alignment(SwinDevice *device) {
  return MAX(swin_device_get_limits(device)->storage_alignment, SWIN_VECTOR_SIZE);
}

/* Binds @rows of an image of @tensor; a binding begins at a multiple of the device's alignment.
 * Returns: position of the first value that is bound, from the image's first one, modulo 2^32. */
static guint32 bind_rows(Recording *recording, guint binding, gint tensor, SwinAccess access,
                         guint64 image, const Rows *rows) {
  const SwinPlanTensor *info = swin_plan_get_tensor(recording->context->plan, tensor);
  guint64 alignment = binding_alignment(recording->device);
  guint64 image_start = image * image_bytes(info), row_bytes = image_bytes(info) / info->shape[1];
  guint64 start = (image_start + rows->first * row_bytes) / alignment * alignment;
  SwinBinding bound = swin_operation_context_tensor(recording->context, tensor, access);

  bound.offset += start;
  bound.size = image_start + rows->end * row_bytes - start;
  recording->dispatch.bindings[binding] = bound;
  return (guint32)((start - image_start) / swin_storage_size(info->storage));
}

/* Windows of the rows @first to @end - 1 of the padded, rolled map. */
static gboolean record_band(Recording *recording, guint64 image, guint64 first, guint64 end,
                            GError **error) {
  const SwinOperation *operation = recording->operation;
  struct SwinAttentionPush *push = &recording->push;
  Rows far, near;

  find_rows(push, first, end, &far, &near);
  gboolean any_far = far.end > far.first, any_near = near.end > near.first;
  const Rows *at_far = any_far ? &far : &near, *at_near = any_near ? &near : &far;

  push->first_row = (guint32)first;
  push->any_row = (guint32)at_far->first;
  push->near_rows = any_near ? (guint32)near.end : 0;
  push->far_input = bind_rows(recording, BINDING_FAR_INPUT, operation->inputs[0], SWIN_ACCESS_READ,
                              image, at_far);
  push->far_output =
      bind_rows(recording, BINDING_FAR_OUTPUT, operation->output, SWIN_ACCESS_WRITE, image, at_far);
  push->near_input = bind_rows(recording, BINDING_NEAR_INPUT, operation->inputs[0],
                               SWIN_ACCESS_READ, image, at_near);
  push->near_output = bind_rows(recording, BINDING_NEAR_OUTPUT, operation->output,
                                SWIN_ACCESS_WRITE, image, at_near);
  return record_dispatch(recording, 1, (end - first) / recording->parameters->window_height, error);
}

/* As many rows of windows at a time as fit, of one image after the other. */
static gboolean record_bands(Recording *recording, GError **error) {
  guint64 window_height = recording->parameters->window_height;
  guint64 padded_height = recording->push.padded_height;
  guint64 row_bytes = image_bytes(recording->input) / recording->input->shape[1];
  guint64 alignment = binding_alignment(recording->device); /* what a binding may begin too early */
  guint64 room = swin_device_get_limits(recording->device)->max_storage_range - alignment;
  guint64 step =
      window_height * swin_attention_even_part(padded_height / window_height,
                                               MAX(room / (window_height * row_bytes), 1));

  recording->dispatch.constants[CONSTANT_BANDED] = TRUE;
  for (guint64 image = 0; image < recording->output->shape[0]; image++)
    for (guint64 first = 0; first < padded_height; first += step)
      if (!record_band(recording, image, first, MIN(first + step, padded_height), error))
        return FALSE;
  return TRUE;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinAttentionParameters *parameters = operation->parameters;
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  Recording recording = {
      .context = context,
      .operation = operation,
      .parameters = parameters,
      .device = device,
      .input = swin_plan_get_tensor(context->plan, operation->inputs[0]),
      .output = swin_plan_get_tensor(context->plan, operation->output),
  };
  const SwinAttentionTask task = {
      .storage = recording.output->storage,
      .head_dim = recording.output->shape[3] / parameters->n_heads,
      .window_height = parameters->window_height,
      .window_width = parameters->window_width,
  };
  SwinAttentionKernel kernel = swin_attention_choose_kernel(device, &task);

  if (!swin_split_check_loop(operation, kernel.n_rounds, error))
    return FALSE;
  start_push(&recording);
  start_dispatch(&recording, &kernel, task.head_dim);
  return image_bytes(recording.input) <= swin_device_get_limits(device)->max_storage_range
             ? record_images(&recording, error)
             : record_bands(&recording, error);
}

const SwinOperationClass swin_attention_class = {
    .name = "attention",
    .flops = flops,
    .packed_size = packed_size,
    .pack = pack,
    .record = record,
};
