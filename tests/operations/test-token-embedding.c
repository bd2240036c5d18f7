// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

/* Which positions there are. */
typedef enum { NONE, MAP, ALL } Positions;

static const struct {
  guint64 batch, height, width, channels, prefix;
  Positions positions;
} maps[] = {
    {1, 1, 1, 1, 1, ALL},   {2, 1, 1, 3, 2, MAP},    {1, 14, 14, 192, 1, ALL},
    {3, 5, 7, 33, 2, ALL},  {2, 3, 11, 97, 5, MAP},  {2, 7, 2, 5, 3, NONE},
    {3, 9, 13, 24, 0, MAP}, {1, 56, 56, 96, 0, ALL}, {2, 1, 97, 7, 1, ALL},
    {64, 2, 3, 5, 1, ALL},  {2, 3, 5, 20, 3, NONE},  {3, 5, 1, 4, 1, MAP},
};

/* One rounding a value, as in the twin: every bit arrives, or all that there is room for. */
static void check_embedding(guint i) {
  g_autoptr(HarnessCase) test = harness_case_new(
      i, "token embedding of %d x %d x %d x %d with %d prefix tokens", (int)maps[i].batch,
      (int)maps[i].height, (int)maps[i].width, (int)maps[i].channels, (int)maps[i].prefix);
  const guint64 shape[] = {maps[i].batch, maps[i].height, maps[i].width, maps[i].channels};
  guint64 n_map = maps[i].height * maps[i].width;
  guint64 n_positions = maps[i].positions == ALL ? maps[i].prefix + n_map : n_map;
  SwinTensor prefix = harness_case_weight(test, 2, maps[i].prefix, maps[i].channels, 0.0, 1.0);
  SwinTensor positions = harness_case_weight(test, 2, n_positions, maps[i].channels, 0.0, 1.0);
  gint output = swin_plan_add_token_embedding(
      test->plan, "embedding", harness_case_input(test, 4, shape),
      maps[i].prefix > 0 ? &prefix : NULL, maps[i].positions != NONE ? &positions : NULL);
  const SwinPlanTensor *tokens = swin_plan_get_tensor(test->plan, output);

  ck_assert_uint_eq(tokens->shape[1], maps[i].prefix > 0 ? 1 : maps[i].height);
  ck_assert_uint_eq(tokens->shape[1] * tokens->shape[2], maps[i].prefix + n_map);
  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, 0.0);
}

START_TEST(odd_shapes) {
  harness_storage((SwinStorage)(_i % 2));
  check_embedding((guint)_i / 2);
}
END_TEST

START_TEST(split_for_small_bindings) {
  harness_limit_storage(26000);
  for (guint storage = SWIN_STORAGE_F32; storage <= SWIN_STORAGE_F16; storage++) {
    harness_storage((SwinStorage)storage);
    check_embedding(3);
    check_embedding(6);
  }
}
END_TEST

START_TEST(many_groups) {
  harness_limit_groups(3);
  check_embedding(3);
  check_embedding(11);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("token embedding");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, 2 * G_N_ELEMENTS(maps));
  tcase_add_test(cases, split_for_small_bindings);
  tcase_add_test(cases, many_groups);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
