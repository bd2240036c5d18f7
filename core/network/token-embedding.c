// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#include <string.h>

#define GROUP_SIZE 64

gint swin_plan_add_token_embedding(SwinPlan *plan, const gchar *name, gint input,
                                   const SwinTensor *prefix, const SwinTensor *positions) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  guint64 channels = in->shape[3], n_map = in->shape[1] * in->shape[2];
  guint64 n_prefix = prefix != NULL ? prefix->n_elements / channels : 0;
  const guint64 sequence[] = {in->shape[0], 1, n_prefix + n_map, channels};

  g_assert(in->n_dims == 4);
  g_assert(prefix != NULL || positions != NULL);
  g_assert(prefix == NULL || (n_prefix > 0 && prefix->n_elements == n_prefix * channels));
  g_assert(positions == NULL || positions->n_elements == n_map * channels ||
           positions->n_elements == (n_prefix + n_map) * channels);

  gint output = swin_plan_add_tensor(plan, in->storage, 4, n_prefix > 0 ? sequence : in->shape);
  SwinOperation *operation =
      swin_plan_add_operation(plan, &swin_token_embedding_class, name, 1, &input, output, NULL);
  if (prefix != NULL)
    operation->weights[SWIN_TOKEN_EMBEDDING_PREFIX] = *prefix;
  if (positions != NULL)
    operation->weights[SWIN_TOKEN_EMBEDDING_POSITIONS] = *positions;
  return output;
}

static guint64 flops(const SwinPlan *plan, const SwinOperation *operation) {
  return swin_plan_get_tensor(plan, operation->inputs[0])->n_elements;
}

/* Values that have an embedding: those of an image, or of its prefix alone where no token has a
 * position. */
static guint64 n_embedded(const SwinOperation *operation, guint64 image_size) {
  return operation->weights[SWIN_TOKEN_EMBEDDING_POSITIONS].data != NULL
             ? image_size
             : operation->weights[SWIN_TOKEN_EMBEDDING_PREFIX].n_elements;
}

static guint64 packed_values(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinPlanTensor *out = swin_plan_get_tensor(plan, operation->output);

  return n_embedded(operation, out->shape[1] * out->shape[2] * out->shape[3]);
}

static guint64 packed_size(const SwinPlan *plan, const SwinOperation *operation,
                           G_GNUC_UNUSED SwinDevice *device) {
  return packed_values(plan, operation) * sizeof(gfloat);
}

/* What every token gets: its position, with a prefix token the token itself too. */
static void pack(const SwinPlan *plan, const SwinOperation *operation,
                 G_GNUC_UNUSED SwinDevice *device, gpointer packed) {
  const SwinTensor *prefix = &operation->weights[SWIN_TOKEN_EMBEDDING_PREFIX];
  const SwinTensor *positions = &operation->weights[SWIN_TOKEN_EMBEDDING_POSITIONS];
  guint64 n = packed_values(plan, operation);
  gfloat *values = packed;
  g_autofree gfloat *tokens = g_new(gfloat, prefix->n_elements);

  memset(values, 0, n * sizeof(gfloat));
  /* Where the prefix tokens have no position, those of the map come behind them. */
  if (positions->data != NULL)
    swin_tensor_read(positions, 0, positions->n_elements, values + (n - positions->n_elements));
  if (prefix->data != NULL)
    swin_tensor_read(prefix, 0, prefix->n_elements, tokens);
  for (guint64 i = 0; i < prefix->n_elements; i++)
    values[i] += tokens[i];
}

static void fill(SwinDispatch *dispatch, SwinDevice *device, guint64 n_items, gpointer push) {
  struct SwinTokenEmbeddingPush *values = push;
  guint64 n = n_items * values->tokens * values->channels / dispatch->constants[1];

  values->images = (guint32)n_items;
  swin_split_groups(device, (n + GROUP_SIZE - 1) / GROUP_SIZE, dispatch->groups);
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinPlanTensor *input = swin_plan_get_tensor(context->plan, operation->inputs[0]);
  const guint64 *in = input->shape;
  const guint64 *out = swin_plan_get_tensor(context->plan, operation->output)->shape;
  guint64 n_tokens = out[1] * out[2];
  struct SwinTokenEmbeddingPush push = {
      .channels = (guint32)out[3],
      .tokens = (guint32)n_tokens,
      .prefix = (guint32)(n_tokens - in[1] * in[2]),
      .embedded = (guint32)(packed_values(context->plan, operation) / out[3]),
  };
  SwinDispatch dispatch = {
      .shader = swin_operation_shader("token-embedding", input->storage),
      .n_constants = 2,
      .constants = {GROUP_SIZE, out[3] % 4 == 0 ? 4 : 1},
      .n_bindings = 3,
      .push = &push,
      .push_size = sizeof(push),
  };

  return swin_split_record(context, operation, out[0], &dispatch, fill, &push, error);
}

const SwinOperationClass swin_token_embedding_class = {
    .name = "token_embedding",
    .flops = flops,
    .packed_size = packed_size,
    .pack = pack,
    .record = record,
};
