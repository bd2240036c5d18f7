// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/layer-norm.h"
#include "network/split.h"
#include "parameters.h"

#define VECTOR 4 /* channels that an invocation loads at a time */
#define OWNED 8  /* vectors that an invocation of a processor adds up */
/* Of a GPU: invocations that find the norm of a token, or have a vector each. */
#define LANES 32
/* The larger a work-group, the fewer rounds, each of which waits for the one before. */
#define GROUP_SIZE 512
#define LANE_BYTES 36 /* at most, of shared memory */

gint swin_plan_add_mean_pool(SwinPlan *plan, const gchar *name, gint input, guint first,
                             guint n_tokens, const SwinTensor *const *norm, gdouble epsilon) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint64 shape[] = {in->shape[0], in->shape[3]};
  guint64 n_map = in->shape[1] * in->shape[2];
  SwinMeanPoolParameters *parameters = g_new0(SwinMeanPoolParameters, 1);

  g_assert(in->n_dims == 4);
  g_assert(first < n_map && n_tokens <= n_map - first);
  parameters->first = first;
  parameters->n_tokens = n_tokens > 0 ? n_tokens : (guint)(n_map - first);
  parameters->normed = norm != NULL;
  parameters->epsilon = epsilon;
  gint output = swin_plan_add_tensor(plan, SWIN_STORAGE_F32, G_N_ELEMENTS(shape), shape);
  SwinOperation *operation =
      swin_plan_add_operation(plan, &swin_mean_pool_class, name, 1, &input, output, parameters);
  for (guint i = SWIN_WEIGHT; norm != NULL && i <= SWIN_BIAS; i++) {
    g_assert(norm[i]->n_elements == shape[1]);
    operation->weights[i] = *norm[i];
  }
  return output;
}

/* The sum; where there is a norm, as much for each token as a layer norm takes. */
static guint64 flops(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinMeanPoolParameters *parameters = operation->parameters;
  guint64 n_outputs = swin_plan_get_tensor(plan, operation->output)->n_elements;

  return n_outputs * parameters->n_tokens * (parameters->normed ? 7 : 1);
}

/** Pool: how shaders/mean-pool.comp spreads tokens and channels over a work-group. */
typedef struct {
  SwinNormShape norm; /* rows: tokens that are taken at a time */
  guint32 owners;     /* vectors beside one another */
  guint32 parts;      /* invocations that share a vector */
  guint32 owned;      /* vectors of an invocation */
} Pool;

static guint64 n_rounds(const Pool *pool, guint64 n_tokens, guint64 n_channels) {
  guint64 token_rounds = pool->owned * (pool->norm.rows / pool->parts + 1);

  return (n_tokens / pool->norm.rows + 1) *
         (swin_norm_rounds(pool->norm, n_channels) + token_rounds);
}

static Pool choose_pool(SwinDevice *device, guint64 n_tokens, guint64 n_channels) {
  const SwinDeviceLimits *limits = swin_device_get_limits(device);
  guint64 n_vectors = (n_channels + VECTOR - 1) / VECTOR;

  if (!swin_device_is_cpu(device)) {
    guint32 size = GROUP_SIZE;

    while (size > limits->max_lanes || size * LANE_BYTES > limits->max_shared)
      size /= 2;
    return (Pool){.norm = {.lanes = LANES, .rows = size / LANES}, LANES, size / LANES, 1};
  }
  guint32 size = limits->subgroup_size;
  guint32 owned = (guint32)MIN((n_vectors + size - 1) / size, OWNED);
  Pool pool = {.norm = {.lanes = 1, .rows = size}, size, 1, owned};

  while (n_rounds(&pool, n_tokens, n_channels) > SWIN_MAX_ITERATIONS &&
         2 * pool.norm.rows <= limits->max_lanes) {
    pool.norm.rows *= 2;
    pool.parts *= 2;
  }
  return pool;
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinMeanPoolParameters *parameters = operation->parameters;
  const SwinPlanTensor *input = swin_plan_get_tensor(context->plan, operation->inputs[0]);
  const guint64 *in = input->shape;
  Pool pool = choose_pool(swin_recorder_get_device(context->recorder), parameters->n_tokens, in[3]);
  guint64 group_channels = (guint64)VECTOR * pool.owners * pool.owned;
  struct SwinMeanPoolPush push = {
      .map_tokens = (guint32)(in[1] * in[2]),
      .first = parameters->first,
      .tokens = parameters->n_tokens,
      .channels = (guint32)in[3],
      .epsilon = (gfloat)parameters->epsilon,
  };
  SwinDispatch dispatch = {
      .shader = swin_operation_shader("mean-pool", input->storage),
      .n_constants = SWIN_NORM_CONSTANTS + 4,
      .n_bindings = 3,
      .push = &push,
      .push_size = sizeof(push),
      .groups = {(in[3] + group_channels - 1) / group_channels, 1, 1},
  };

  swin_norm_set_constants(&dispatch, pool.norm, in[3]);
  dispatch.constants[SWIN_NORM_CONSTANTS] = parameters->normed;
  dispatch.constants[SWIN_NORM_CONSTANTS + 1] = pool.owners;
  dispatch.constants[SWIN_NORM_CONSTANTS + 2] = pool.parts;
  dispatch.constants[SWIN_NORM_CONSTANTS + 3] = pool.owned;
  return swin_split_check_loop(operation, n_rounds(&pool, parameters->n_tokens, in[3]), error) &&
         swin_split_record(context, operation, in[0], &dispatch, swin_split_fill_z, &push, error);
}

const SwinOperationClass swin_mean_pool_class = {
    .name = "mean_pool",
    .flops = flops,
    .packed_size = swin_norm_packed_size,
    .pack = swin_norm_pack,
    .record = record,
};
