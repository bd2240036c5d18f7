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
    {2, 9, 11, 5, 8, 17}, {1, 1, 9, 40, 1, 7}, {3, 7, 9, 100},        {1, 43, 42, 1028},
};

static void check_pool(guint i, gboolean normed) {
  g_autoptr(HarnessCase) test = harness_case_new(
      i, "mean pool of %d x %d x %d x %d, %u tokens from %u on%s", (int)maps[i].batch,
      (int)maps[i].height, (int)maps[i].width, (int)maps[i].channels, maps[i].n_tokens,
      maps[i].first, normed ? ", normed" : "");
  const guint64 shape[] = {maps[i].batch, maps[i].height, maps[i].width, maps[i].channels};
  SwinTensor weight = harness_case_weight(test, 1, maps[i].channels, 1, 1.0, 0.3);
  SwinTensor bias = harness_case_weight(test, 1, maps[i].channels, 1, 0.0, 0.3);
  const SwinTensor *const norm[] = {&weight, &bias};
  gint input = harness_case_input(test, 4, shape);
  gint output = swin_plan_add_mean_pool(test->plan, "pool", input, maps[i].first, maps[i].n_tokens,
                                        normed ? norm : NULL, 1e-5);

  /* A classifier behind it reads it as it is, whatever the activations are stored in. */
  ck_assert_int_eq(swin_plan_get_tensor(test->plan, output)->storage, SWIN_STORAGE_F32);
  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, TOLERANCE);
}

/* With the kernels of both kinds of devices, in both storages. */
#define VARIANTS 4
static void choose_variant(gint variant) {
  harness_pretend(variant % 2 == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
  harness_storage(variant / 2 == 0 ? SWIN_STORAGE_F32 : SWIN_STORAGE_F16);
}

START_TEST(odd_shapes) {
  choose_variant(_i % VARIANTS);
  check_pool((guint)_i / VARIANTS, FALSE);
  check_pool((guint)_i / VARIANTS, TRUE);
}
END_TEST

/* Nothing is left of what is the same everywhere, and a mean that dwarfs the deviation does no
 * harm: the bias, and what a single channel of one token makes of it. */
START_TEST(large_mean) {
  g_autoptr(HarnessCase) test = harness_case_new(1, "mean pool around 1000, normed");
  const guint64 shape[] = {1, 3, 11, 96};
  SwinTensor values = harness_case_weight(test, 1, 33 * 96, 1, 1000.0, 1.0);
  SwinTensor weight = harness_case_weight(test, 1, 96, 1, 1.0, 0.3);
  SwinTensor bias = harness_case_weight(test, 1, 96, 1, 0.0, 0.3);
  const SwinTensor *const norm[] = {&weight, &bias};
  const float *inputs[] = {(const float *)values.data, NULL};

  harness_pretend(_i == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
  gint output = swin_plan_add_mean_pool(test->plan, "pool", harness_case_input(test, 4, shape), 0,
                                        0, norm, 1e-5);
  swin_plan_mark_output(test->plan, output, "output");
  HarnessRun *run = harness_case_run(test, inputs);
  for (guint i = 0; i < 96; i++)
    ck_assert_float_eq_tol(run->actual[output][i], run->expected[output][i], 4e-6f);
  harness_run_free(test, run);
}
END_TEST

/* A map whose tokens one register's worth of invocations would need too many rounds for. */
START_TEST(large_map) {
  choose_variant(_i);
  check_pool(G_N_ELEMENTS(maps) - 1, TRUE);
}
END_TEST

/* Where a work-group may have fewest invocations and least shared memory. */
START_TEST(small_groups) {
  SwinDeviceLimits *limits = (SwinDeviceLimits *)swin_device_get_limits(harness_device());

  harness_pretend(SWIN_DEVICE_KIND_DISCRETE);
  limits->max_lanes = 128;
  check_pool(3, TRUE);
  limits->max_lanes = 1024;
  limits->max_shared = 4096;
  check_pool(8, TRUE);
}
END_TEST

START_TEST(split_for_small_bindings) {
  harness_limit_storage(19000);
  for (gint variant = 0; variant < VARIANTS; variant++) {
    choose_variant(variant);
    check_pool(3, FALSE);
    check_pool(14, TRUE);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mean pool");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, VARIANTS * (G_N_ELEMENTS(maps) - 1));
  tcase_add_loop_test(cases, large_mean, 0, 2);
  tcase_add_loop_test(cases, large_map, 0, VARIANTS);
  tcase_add_test(cases, small_groups);
  tcase_add_test(cases, split_for_small_bindings);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
