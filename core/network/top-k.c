// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"
#include "parameters.h"

#define LANES 128        /* a power of two; what every device allows */
#define SCAN_OVERHEAD 16 /* rounds of a scan that are not over classes */

gint swin_plan_add_top_k(SwinPlan *plan, const gchar *name, gint input, guint k,
                         SwinActivation activation) {
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, input);
  const guint64 shape[] = {in->shape[0], k, 2};
  SwinTopKParameters *parameters = g_new0(SwinTopKParameters, 1);

  g_assert(in->n_dims == 2);
  g_assert(k >= 1 && k <= SWIN_TOP_K_MAX && k <= in->shape[1]);
  g_assert(activation != SWIN_ACTIVATION_AUTO);
  parameters->k = k;
  parameters->activation = activation;
  gint output = swin_plan_add_tensor(plan, SWIN_STORAGE_F32, G_N_ELEMENTS(shape), shape);
  swin_plan_add_operation(plan, &swin_top_k_class, name, 1, &input, output, parameters);
  return output;
}

/* The softmax's difference, exponential and sum, or the sigmoid's exponential, sum and quotient;
 * comparisons are not counted. */
static guint64 flops(const SwinPlan *plan, const SwinOperation *operation) {
  const SwinTopKParameters *parameters = operation->parameters;
  const SwinPlanTensor *in = swin_plan_get_tensor(plan, operation->inputs[0]);

  return parameters->activation == SWIN_ACTIVATION_SIGMOID ? 3 * in->shape[0] * parameters->k
                                                           : 3 * in->n_elements;
}

/* Records ranks @first_rank to @end_rank - 1 of @n images from @first on. */
static gboolean record_ranks(const SwinOperationContext *context, const SwinOperation *operation,
                             guint64 first, guint64 n, guint first_rank, guint end_rank,
                             GError **error) {
  const SwinTopKParameters *parameters = operation->parameters;
  guint64 n_classes = swin_plan_get_tensor(context->plan, operation->inputs[0])->shape[1];
  struct SwinTopKPush push = {
      .classes = (guint32)n_classes,
      .k = parameters->k,
      .first_rank = first_rank,
      .end_rank = end_rank,
  };
  SwinDispatch dispatch = {
      .shader = "top-k",
      .label = operation->name,
      .n_constants = 3,
      .constants = {LANES, LANES, parameters->activation == SWIN_ACTIVATION_SIGMOID},
      .n_bindings = 2,
      .bindings = {swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first, n,
                                     n_classes * sizeof(gfloat)),
                   swin_split_tensor(context, operation->output,
                                     first_rank > 0 ? SWIN_ACCESS_READ_WRITE : SWIN_ACCESS_WRITE,
                                     first, n, 2 * parameters->k * sizeof(gfloat))},
      .push = &push,
      .push_size = sizeof(push),
      .groups = {n, 1, 1},
  };

  return swin_recorder_dispatch(context->recorder, &dispatch, error);
}

static gboolean record(const SwinOperationContext *context, const SwinOperation *operation,
                       GError **error) {
  const SwinTopKParameters *parameters = operation->parameters;
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  const guint64 *in = swin_plan_get_tensor(context->plan, operation->inputs[0])->shape;
  guint64 step =
      swin_split_items(device, in[0], in[1] * sizeof(gfloat), 2 * parameters->k * sizeof(gfloat));
  /* A scan of the classes for each rank and one for the softmax. */
  guint64 scan = (in[1] + LANES - 1) / LANES + SCAN_OVERHEAD;

  if (!swin_split_check_loop(operation, 2 * scan, error))
    return FALSE;
  guint ranks = (guint)MIN(SWIN_MAX_ITERATIONS / scan - 1, parameters->k);
  for (guint64 first = 0; first < in[0]; first += step)
    for (guint rank = 0; rank < parameters->k; rank += ranks)
      if (!record_ranks(context, operation, first, MIN(step, in[0] - first), rank,
                        MIN(rank + ranks, parameters->k), error))
        return FALSE;
  return TRUE;
}

const SwinOperationClass swin_top_k_class = {
    .name = "top_k",
    .flops = flops,
    .record = record,
};
