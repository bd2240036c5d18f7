// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

/* Sums of 32 values, then of those sums: at most 32 + tokens / 32 roundings of sums that grow with
 * the square root of the tokens, as the mean's deviation shrinks. */
#define TOLERANCE 4e-6

static const struct {
  guint64 batch, height, width, channels;
  guint first, n_tokens; /* 0 tokens: all from the first on */
} maps[] = {
    {1, 1, 1, 1},         {1, 1, 1, 97},       {3, 1, 7, 33},         {2, 7, 7, 96},
    {1, 33, 1, 5},        {1, 5, 13, 7},       {2, 8, 8, 32},         {1, 97, 33, 3},
    {1, 7, 7, 768},       {5, 3, 11, 1},       {2, 1, 197, 64, 0, 1}, {3, 1, 198, 33, 1, 1},
    {2, 1, 197, 64, 1},   {1, 1, 50, 7, 5},    {3, 7, 5, 3, 34},      {2, 7, 5, 3, 34, 1},
    {2, 9, 11, 5, 8, 17}, {1, 1, 9, 40, 1, 7},
};

static void check_pool(guint i) {
  g_autoptr(HarnessCase) test =
      harness_case_new(i, "mean pool of %d x %d x %d x %d, %u tokens from %u on",
                       (int)maps[i].batch, (int)maps[i].height, (int)maps[i].width,
                       (int)maps[i].channels, maps[i].n_tokens, maps[i].first);
  const guint64 shape[] = {maps[i].batch, maps[i].height, maps[i].width, maps[i].channels};
  gint input = harness_case_input(test, 4, shape);

  gint output = swin_plan_add_mean_pool(test->plan, "pool", input, maps[i].first, maps[i].n_tokens);

  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, TOLERANCE);
}

START_TEST(odd_shapes) {
  check_pool((guint)_i);
}
END_TEST

START_TEST(split_for_small_bindings) {
  harness_limit_storage(19000);
  check_pool(3);
  check_pool(14);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mean pool");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, G_N_ELEMENTS(maps));
  tcase_add_test(cases, split_for_small_bindings);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
