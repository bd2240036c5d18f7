// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

/* Mean and variance are sums of C terms in float, whose error grows with the square root of C: at
 * C = 3072 about 55 * 6e-8. */
#define TOLERANCE 4e-6

static void check_norm(guint32 seed, guint64 rows, guint64 channels, gboolean with_residual) {
  g_autoptr(HarnessCase) test =
      harness_case_new(seed, "layer norm of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT "%s", rows,
                       channels, with_residual ? " and residual" : "");
  const guint64 shape[] = {rows, channels};
  gint input = harness_case_input(test, 2, shape);
  gint residual = with_residual ? harness_case_input(test, 2, shape) : SWIN_PLAN_NO_TENSOR;
  SwinTensor weight = harness_case_weight(test, 1, channels, 1, 1.0, 0.3);
  SwinTensor bias = harness_case_weight(test, 1, channels, 1, 0.0, 0.3);
  gint output = swin_plan_add_layer_norm(test->plan, "norm", input, &weight, &bias, 1e-5, residual);

  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, TOLERANCE);
}

/* With the kernels of both kinds of devices. */
static void pretend(gint kind) {
  harness_pretend(kind == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
}

START_TEST(odd_shapes) {
  static const guint64 rows[] = {1, 3, 8, 49, 97};
  static const guint64 channels[] = {1, 2, 3, 7, 33, 96, 97, 768, 3072};

  pretend(_i % 2);
  check_norm((guint32)_i, rows[_i / 2 % 5], channels[_i / 10 % 9], _i >= 90);
}
END_TEST

/* A mean that dwarfs the deviation: E[x^2] - mean^2 would lose half of the digits. */
START_TEST(large_mean) {
  g_autoptr(HarnessCase) test = harness_case_new(1, "layer norm around 1000");
  const guint64 shape[] = {5, 96};
  gint input = harness_case_input(test, 2, shape);
  SwinTensor weight = harness_case_weight(test, 1, 96, 1, 1.0, 0.3);
  SwinTensor bias = harness_case_weight(test, 1, 96, 1, 0.0, 0.3);
  SwinTensor values = harness_case_weight(test, 1, 5 * 96, 1, 1000.0, 1.0);
  const float *inputs[] = {(const float *)values.data, NULL};

  gint output = swin_plan_add_layer_norm(test->plan, "norm", input, &weight, &bias, 1e-5,
                                         SWIN_PLAN_NO_TENSOR);
  swin_plan_mark_output(test->plan, output, "output");
  HarnessRun *run = harness_case_run(test, inputs);
  for (guint i = 0; i < 5 * 96; i++)
    ck_assert_float_eq_tol(run->actual[output][i], run->expected[output][i], 4e-6f);
  harness_run_free(test, run);
}
END_TEST

START_TEST(split_for_small_bindings) {
  harness_limit_storage(8192);
  check_norm(3, 97, 96, FALSE);
  check_norm(4, 97, 33, TRUE);
}
END_TEST

/* Rows that one invocation would need too many rounds for. */
START_TEST(long_rows) {
  check_norm(6, 3, 20000, FALSE);
  check_norm(7, 9, 70001, TRUE);
}
END_TEST

START_TEST(many_groups) {
  harness_limit_groups(3);
  check_norm(5, 97, 7, TRUE);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("layer norm");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, 180);
  tcase_add_test(cases, large_mean);
  tcase_add_test(cases, split_for_small_bindings);
  tcase_add_test(cases, long_rows);
  tcase_add_test(cases, many_groups);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
