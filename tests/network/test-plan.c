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

static void check_arena(SwinPlan *plan, guint64 guard) {
  guint64 live_most = 0, all = 0;
  gint n_tensors = (gint)swin_plan_get_n_tensors(plan);

  swin_plan_finish(plan, ALIGNMENT, guard);
  for (gint i = 0; i < n_tensors; i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, i);

    ck_assert_uint_eq(tensor->offset % ALIGNMENT, 0);
    ck_assert_uint_le(tensor->offset + 4 * tensor->n_elements + guard,
                      swin_plan_get_arena_size(plan));
    all += 4 * tensor->n_elements;
  }
  for (guint index = 0; index < swin_plan_get_n_operations(plan); index++) {
    guint64 live = 0;

    for (gint i = 0; i < n_tensors; i++) {
      const SwinPlanTensor *one = swin_plan_get_tensor(plan, i);

      if (!is_live(plan, i, index))
        continue;
      live += 4 * one->n_elements;
      for (gint j = i + 1; j < n_tensors; j++) {
        const SwinPlanTensor *other = swin_plan_get_tensor(plan, j);

        if (is_live(plan, j, index))
          ck_assert(one->offset + 4 * one->n_elements + guard <= other->offset ||
                    other->offset + 4 * other->n_elements + guard <= one->offset);
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

START_TEST(live_tensors_do_not_overlap) {
  static const struct {
    guint batch, top_k;
    gboolean keep_stages;
    guint64 guard;
  } plans[] = {{1, 0, FALSE, 0}, {1, 5, TRUE, 0}, {3, 1, FALSE, 0}, {2, 7, TRUE, 512}};
  SwinModelConfig config = fixture_tiny_config();
  g_autoptr(SwinPlan) plan =
      fixture_new_plan(&config, plans[_i].batch, plans[_i].top_k, plans[_i].keep_stages);

  check_arena(plan, plans[_i].guard);
  ck_assert(swin_plan_check_size(plan, NULL));
}
END_TEST

START_TEST(sizes_that_cannot_be_counted) {
  static const guint64 shapes[][4] = {
      {1u << 16, 1u << 16, 1, 1}, {G_MAXUINT64, 2, 1, 1}, {1u << 31, 1u << 31, 1u << 31, 1u << 31}};
  g_autoptr(SwinPlan) plan = swin_plan_new(NULL);
  g_autoptr(GError) error = NULL;

  swin_plan_add_input(plan, "input", 4, shapes[_i]);
  swin_plan_finish(plan, ALIGNMENT, 0);
  ck_assert(!swin_plan_check_size(plan, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY));
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("all");

  tcase_add_loop_test(cases, live_tensors_do_not_overlap, 0, 4);
  tcase_add_loop_test(cases, sizes_that_cannot_be_counted, 0, 3);
  return run_cases("plan", cases);
}
