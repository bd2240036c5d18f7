// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/plan.h"

#include <string.h>

#include "network/operation.h"

struct _SwinPlan {
  SwinModel *model;
  SwinStorage storage;
  GPtrArray *tensors;    /* of SwinPlanTensor */
  GPtrArray *operations; /* of SwinOperation */
  guint64 arena_size;    /* bytes */
  gboolean too_large;    /* a size did not fit its type */
  gboolean finished;
};

static void tensor_free(gpointer data) {
  SwinPlanTensor *tensor = data;
  g_free(tensor->name);
  g_free(tensor);
}

static void operation_free(gpointer data) {
  SwinOperation *operation = data;
  g_free(operation->name);
  g_free(operation->parameters);
  g_free(operation);
}

SwinPlan *swin_plan_new(SwinModel *model, SwinStorage storage) {
  SwinPlan *plan = g_new0(SwinPlan, 1);

  plan->model = model != NULL ? swin_model_ref(model) : NULL;
  plan->storage = storage;
  plan->tensors = g_ptr_array_new_with_free_func(tensor_free);
  plan->operations = g_ptr_array_new_with_free_func(operation_free);
  return plan;
}

void swin_plan_free(SwinPlan *plan) {
  if (plan == NULL)
    return;
  g_ptr_array_unref(plan->operations);
  g_ptr_array_unref(plan->tensors);
  swin_model_unref(plan->model);
  g_free(plan);
}

SwinStorage swin_plan_get_storage(const SwinPlan *plan) {
  return plan->storage;
}

static SwinPlanTensor *get_tensor(const SwinPlan *plan, gint tensor) {
  g_assert(tensor >= 0 && (guint)tensor < plan->tensors->len);
  return g_ptr_array_index(plan->tensors, (guint)tensor);
}

gint swin_plan_add_tensor(SwinPlan *plan, SwinStorage storage, guint n_dims, const guint64 *shape) {
  g_assert(!plan->finished);
  g_assert(n_dims <= SWIN_TENSOR_MAX_DIMS);

  SwinPlanTensor *tensor = g_new0(SwinPlanTensor, 1);
  tensor->storage = storage;
  tensor->n_dims = n_dims;
  tensor->n_elements = 1;
  for (guint i = 0; i < SWIN_TENSOR_MAX_DIMS; i++) {
    tensor->shape[i] = i < n_dims ? shape[i] : 1;
    g_assert(tensor->shape[i] > 0);
    if (!g_uint64_checked_mul(&tensor->n_elements, tensor->n_elements, tensor->shape[i]) ||
        tensor->n_elements > G_MAXUINT32) {
      /* Batch and image size come from outside: remembered for swin_plan_check_size(). */
      plan->too_large = TRUE;
      tensor->n_elements = G_MAXUINT32;
    }
  }
  tensor->first_use = plan->operations->len;
  tensor->last_use = plan->operations->len;
  g_ptr_array_add(plan->tensors, tensor);
  return (gint)plan->tensors->len - 1;
}

gint swin_plan_add_input(SwinPlan *plan, const gchar *name, SwinStorage storage, guint n_dims,
                         const guint64 *shape) {
  gint number = swin_plan_add_tensor(plan, storage, n_dims, shape);
  SwinPlanTensor *tensor = get_tensor(plan, number);

  tensor->name = g_strdup(name);
  tensor->is_input = TRUE;
  tensor->first_use = 0;
  return number;
}

void swin_plan_mark_output(SwinPlan *plan, gint tensor, const gchar *name) {
  SwinPlanTensor *output = get_tensor(plan, tensor);

  g_assert(!plan->finished);
  g_free(output->name);
  output->name = g_strdup(name);
  output->is_output = TRUE;
}

SwinOperation *swin_plan_add_operation(SwinPlan *plan, const SwinOperationClass *klass,
                                       const gchar *name, guint n_inputs, const gint *inputs,
                                       gint output, gpointer parameters) {
  g_assert(!plan->finished);
  g_assert(n_inputs <= SWIN_OPERATION_MAX_INPUTS);

  guint index = plan->operations->len;
  SwinOperation *operation = g_new0(SwinOperation, 1);
  operation->klass = klass;
  operation->name = g_strdup(name);
  for (guint i = 0; i < SWIN_OPERATION_MAX_INPUTS; i++) {
    operation->inputs[i] = i < n_inputs ? inputs[i] : SWIN_PLAN_NO_TENSOR;
    if (operation->inputs[i] != SWIN_PLAN_NO_TENSOR)
      get_tensor(plan, operation->inputs[i])->last_use = index;
  }
  operation->output = output;
  SwinPlanTensor *written = get_tensor(plan, output);
  g_assert(!written->is_input);
  written->first_use = index;
  written->last_use = index;
  operation->parameters = parameters;
  g_ptr_array_add(plan->operations, operation);
  return operation;
}

/* ---- The arena ---------------------------------------------------------------------------- */

/* Bytes that a tensor takes in the arena: its own, the guard, and what the next one's alignment
 * costs. */
static gboolean reserved_size(const SwinPlanTensor *tensor, guint64 alignment, guint64 guard,
                              guint64 *size) {
  return g_uint64_checked_add(size, swin_plan_tensor_size(tensor), guard) &&
         g_uint64_checked_add(size, *size, alignment - 1) && ((*size &= ~(alignment - 1)), TRUE);
}

static gboolean lives_overlap(const SwinPlanTensor *a, const SwinPlanTensor *b) {
  return a->first_use <= b->last_use && b->first_use <= a->last_use;
}

static gint compare_sizes(gconstpointer a, gconstpointer b) {
  const SwinPlanTensor *first = *(const SwinPlanTensor *const *)a;
  const SwinPlanTensor *second = *(const SwinPlanTensor *const *)b;

  guint64 first_size = swin_plan_tensor_size(first), second_size = swin_plan_tensor_size(second);

  return (first_size < second_size) - (first_size > second_size);
}

static gint compare_offsets(gconstpointer a, gconstpointer b) {
  const SwinPlanTensor *first = *(const SwinPlanTensor *const *)a;
  const SwinPlanTensor *second = *(const SwinPlanTensor *const *)b;

  return (first->offset > second->offset) - (first->offset < second->offset);
}

/* The lowest offset at which @size bytes are free while @tensor lives. @placed is ordered by
 * offset. */
static gboolean first_fit(const GPtrArray *placed, const SwinPlanTensor *tensor, guint64 size,
                          guint64 alignment, guint64 guard, guint64 *offset) {
  *offset = 0;
  for (guint i = 0; i < placed->len; i++) {
    const SwinPlanTensor *other = g_ptr_array_index(placed, i);
    guint64 other_size, end;

    if (!lives_overlap(tensor, other))
      continue;
    if (!g_uint64_checked_add(&end, *offset, size))
      return FALSE;
    if (end <= other->offset)
      break;
    if (!reserved_size(other, alignment, guard, &other_size) ||
        !g_uint64_checked_add(&end, other->offset, other_size))
      return FALSE;
    *offset = MAX(*offset, end);
  }
  return TRUE;
}

/* Placing large tensors first leaves the small ones to fill the gaps: less arena than the order of
 * execution gives. */
static gboolean place_tensors(SwinPlan *plan, guint64 alignment, guint64 guard) {
  g_autoptr(GPtrArray) by_size = g_ptr_array_new();
  g_autoptr(GPtrArray) placed = g_ptr_array_new();

  for (guint i = 0; i < plan->tensors->len; i++)
    g_ptr_array_add(by_size, g_ptr_array_index(plan->tensors, i));
  g_ptr_array_sort(by_size, compare_sizes);

  for (guint i = 0; i < by_size->len; i++) {
    SwinPlanTensor *tensor = g_ptr_array_index(by_size, i);
    guint64 size, end;

    if (!reserved_size(tensor, alignment, guard, &size) ||
        !first_fit(placed, tensor, size, alignment, guard, &tensor->offset) ||
        !g_uint64_checked_add(&end, tensor->offset, size))
      return FALSE;
    plan->arena_size = MAX(plan->arena_size, end);
    g_ptr_array_add(placed, tensor);
    g_ptr_array_sort(placed, compare_offsets);
  }
  return TRUE;
}

void swin_plan_finish(SwinPlan *plan, guint64 alignment, guint64 guard) {
  g_assert(!plan->finished);
  g_assert(alignment > 0 && (alignment & (alignment - 1)) == 0);

  guint last = plan->operations->len > 0 ? plan->operations->len - 1 : 0;
  for (guint i = 0; i < plan->tensors->len; i++) {
    SwinPlanTensor *tensor = g_ptr_array_index(plan->tensors, i);

    if (tensor->is_input || tensor->is_output)
      tensor->last_use = last;
  }
  if (!place_tensors(plan, alignment, guard))
    plan->too_large = TRUE;
  plan->finished = TRUE;
}

gboolean swin_plan_check_size(const SwinPlan *plan, GError **error) {
  if (!plan->too_large)
    return TRUE;
  g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                      "The network has a tensor of more than 4294967295 values at this image size "
                      "and batch; use a smaller batch or a smaller input");
  return FALSE;
}

/* ---- Reading a plan ------------------------------------------------------------------------- */

guint swin_plan_get_n_operations(const SwinPlan *plan) {
  return plan->operations->len;
}

const SwinOperation *swin_plan_get_operation(const SwinPlan *plan, guint index) {
  g_assert(index < plan->operations->len);
  return g_ptr_array_index(plan->operations, index);
}

guint swin_plan_get_n_tensors(const SwinPlan *plan) {
  return plan->tensors->len;
}

const SwinPlanTensor *swin_plan_get_tensor(const SwinPlan *plan, gint tensor) {
  return get_tensor(plan, tensor);
}

gint swin_plan_find(const SwinPlan *plan, const gchar *name) {
  for (guint i = 0; i < plan->tensors->len; i++) {
    const SwinPlanTensor *tensor = g_ptr_array_index(plan->tensors, i);

    if (tensor->name != NULL && strcmp(tensor->name, name) == 0)
      return (gint)i;
  }
  return SWIN_PLAN_NO_TENSOR;
}

guint64 swin_plan_tensor_size(const SwinPlanTensor *tensor) {
  return tensor->n_elements * swin_storage_size(tensor->storage);
}

guint64 swin_plan_get_arena_size(const SwinPlan *plan) {
  g_assert(plan->finished);
  return plan->arena_size;
}

guint64 swin_plan_get_flops(const SwinPlan *plan) {
  guint64 flops = 0;

  for (guint i = 0; i < plan->operations->len; i++) {
    const SwinOperation *operation = g_ptr_array_index(plan->operations, i);

    flops += operation->klass->flops(plan, operation);
  }
  return flops;
}
