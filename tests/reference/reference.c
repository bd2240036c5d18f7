// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

#include <string.h>

#include "network/storage.h"

static const struct {
  const gchar *name;
  ReferenceFunc func;
} twins[] = {
    {"patch_partition", reference_patch_partition},
    {"token_embedding", reference_token_embedding},
    {"linear", reference_linear},
    {"layer_norm", reference_layer_norm},
    {"attention", reference_attention},
    {"patch_merging", reference_patch_merging},
    {"mean_pool", reference_mean_pool},
    {"top_k", reference_top_k},
};

ReferenceFunc reference_find(const SwinOperationClass *klass) {
  for (gsize i = 0; i < G_N_ELEMENTS(twins); i++)
    if (strcmp(twins[i].name, klass->name) == 0)
      return twins[i].func;
  g_error("The operation %s has no scalar twin; add one in tests/reference", klass->name);
}

static void round_inputs(const SwinPlan *plan, const SwinOperation *operation,
                         float *const *tensors) {
  for (guint i = 0; i < SWIN_OPERATION_MAX_INPUTS; i++)
    if (operation->inputs[i] != SWIN_PLAN_NO_TENSOR) {
      const SwinPlanTensor *input = swin_plan_get_tensor(plan, operation->inputs[i]);

      swin_storage_round(input->storage, tensors[operation->inputs[i]], input->n_elements);
    }
}

void reference_run(const SwinPlan *plan, float *const *tensors) {
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinOperation *operation = swin_plan_get_operation(plan, i);

    round_inputs(plan, operation, tensors);
    reference_find(operation->klass)(plan, operation, tensors);
  }
}

float **reference_tensors_new(const SwinPlan *plan) {
  guint n = swin_plan_get_n_tensors(plan);
  float **tensors = g_new0(float *, n);

  for (guint i = 0; i < n; i++)
    tensors[i] = g_new0(float, swin_plan_get_tensor(plan, (gint)i)->n_elements);
  return tensors;
}

void reference_tensors_free(const SwinPlan *plan, float **tensors) {
  for (guint i = 0; i < swin_plan_get_n_tensors(plan); i++)
    g_free(tensors[i]);
  g_free(tensors);
}

float *reference_read_weight(const SwinOperation *operation, guint slot) {
  const SwinTensor *weight = &operation->weights[slot];

  if (weight->data == NULL)
    return NULL;
  float *values = g_new(float, weight->n_elements);
  swin_tensor_read(weight, 0, weight->n_elements, values);
  return values;
}
