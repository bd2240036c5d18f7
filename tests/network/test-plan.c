// SPDX-License-Identifier: LGPL-2.1-or-later
/* Plans as data: the arena. No device is needed. */
#include <check.h>

#include "fixture.h"
#include "network/operation.h"
#include "run-cases.h"

#define ALIGNMENT 64

/* Whether a tensor's values are needed while or after operation @index runs. Counted from the
 * operations, not from what the plan remembers. */
static gboolean is_live(const SwinPlan *plan, gint tensor, guint index) {
  const SwinPlanTensor *info = swin_plan_get_tensor(plan, tensor);
  gboolean written = info->is_input, needed = info->is_input || info->is_output;

  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinOperation *operation = swin_plan_get_operation(plan, i);

    written |= i <= index && operation->output == tensor;
    needed |= i == index && operation->output == tensor;
    for (guint j = 0; j < SWIN_OPERATION_MAX_INPUTS; j++)
      needed |= i >= index && operation->inputs[j] == tensor;
  }
  return written && needed;
}

static guint64 end_of(const SwinPlanTensor *tensor) {
  return tensor->offset + swin_plan_tensor_size(tensor);
}

static void check_arena(SwinPlan *plan, guint64 guard) {
  guint64 live_most = 0, all = 0;
  gint n_tensors = (gint)swin_plan_get_n_tensors(plan);

  swin_plan_finish(plan, ALIGNMENT, guard);
  for (gint i = 0; i < n_tensors; i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, i);

    ck_assert_uint_eq(tensor->offset % ALIGNMENT, 0);
    ck_assert_uint_eq(swin_plan_tensor_size(tensor),
                      (tensor->storage == SWIN_STORAGE_F16 ? 2 : 4) * tensor->n_elements);
    ck_assert_uint_le(end_of(tensor) + guard, swin_plan_get_arena_size(plan));
    all += swin_plan_tensor_size(tensor);
  }
  for (guint index = 0; index < swin_plan_get_n_operations(plan); index++) {
    guint64 live = 0;

    for (gint i = 0; i < n_tensors; i++) {
      const SwinPlanTensor *one = swin_plan_get_tensor(plan, i);

      if (!is_live(plan, i, index))
        continue;
      live += swin_plan_tensor_size(one);
      for (gint j = i + 1; j < n_tensors; j++) {
        const SwinPlanTensor *other = swin_plan_get_tensor(plan, j);

        if (is_live(plan, j, index))
          ck_assert(end_of(one) + guard <= other->offset || end_of(other) + guard <= one->offset);
      }
    }
    live_most = MAX(live_most, live);
  }
  if (guard == 0) {
    /* Memory is used again, and little is lost to gaps. */
    ck_assert_uint_lt(swin_plan_get_arena_size(plan), all / 2);
    ck_assert_uint_le(swin_plan_get_arena_size(plan), live_most + live_most / 4);
  }
}

static const struct {
  SwinPlanOptions options;
  guint64 guard;
} plans[] = {
    {{.batch = 1}, 0},
    {{.batch = 1, .top_k = 5, .keep_stages = TRUE}, 0},
    {{.batch = 3, .top_k = 1}, 0},
    {{.batch = 2, .top_k = 7, .keep_stages = TRUE}, 512},
    {{.batch = 3, .storage = SWIN_STORAGE_F16}, 0},
    {{.batch = 1, .top_k = 2, .keep_stages = TRUE, .storage = SWIN_STORAGE_F16}, 512},
    {{.batch = 3, .storage = SWIN_STORAGE_F16, .fused = TRUE}, 0},
};

START_TEST(live_tensors_do_not_overlap) {
  SwinModelConfig config = fixture_tiny_config();
  g_autoptr(SwinPlan) plan = fixture_plan_with(&config, &plans[_i].options);

  check_arena(plan, plans[_i].guard);
  ck_assert(swin_plan_check_size(plan, NULL));
}
END_TEST

/* Activations between operations, and no others: what users see is float32. */
START_TEST(storage_of_tensors) {
  SwinModelConfig configs[] = {fixture_tiny_config(), fixture_tiny_v2_config(),
                               fixture_tiny_vit_config()};
  const SwinPlanOptions options = {.batch = 2,
                                   .top_k = 3,
                                   .keep_stages = TRUE,
                                   .storage = SWIN_STORAGE_F16,
                                   .fused = _i % 2 == 1};
  static const gchar *const in_float32[] = {"input", "pooled", "logits", "tags"};
  g_autoptr(SwinPlan) plan = fixture_plan_with(&configs[_i / 2], &options);

  ck_assert_int_eq(swin_plan_get_storage(plan), SWIN_STORAGE_F16);
  for (gint i = 0; i < (gint)swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, i);
    gboolean expected = FALSE;

    for (guint j = 0; j < G_N_ELEMENTS(in_float32); j++)
      expected |= g_strcmp0(tensor->name, in_float32[j]) == 0;
    ck_assert_msg(expected == (tensor->storage == SWIN_STORAGE_F32), "tensor %d, %s", i,
                  tensor->name != NULL ? tensor->name : "between operations");
  }
}
END_TEST

START_TEST(sizes_that_cannot_be_counted) {
  static const guint64 shapes[][4] = {
      {1u << 16, 1u << 16, 1, 1}, {G_MAXUINT64, 2, 1, 1}, {1u << 31, 1u << 31, 1u << 31, 1u << 31}};
  g_autoptr(SwinPlan) plan = swin_plan_new(NULL, SWIN_STORAGE_F32);
  g_autoptr(GError) error = NULL;

  swin_plan_add_input(plan, "input", SWIN_STORAGE_F32, 4, shapes[_i]);
  swin_plan_finish(plan, ALIGNMENT, 0);
  ck_assert(!swin_plan_check_size(plan, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY));
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("all");

  tcase_add_loop_test(cases, live_tensors_do_not_overlap, 0, G_N_ELEMENTS(plans));
  tcase_add_loop_test(cases, storage_of_tensors, 0, 6);
  tcase_add_loop_test(cases, sizes_that_cannot_be_counted, 0, 3);
  return run_cases("plan", cases);
}
