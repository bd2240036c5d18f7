// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

#include <math.h>

/* Mean and variance are sums of C terms in float, whose error grows with the square root of C: at
 * C = 3072 about 55 * 6e-8. */
#define TOLERANCE 4e-6

static void check_norm(guint32 seed, guint64 n_rows, guint64 n_channels, gboolean with_residual) {
  g_autoptr(HarnessCase) test =
      harness_case_new(seed, "layer norm of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT "%s",
                       n_rows, n_channels, with_residual ? " and residual" : "");
  const guint64 shape[] = {n_rows, n_channels};
  gint input = harness_case_input(test, 2, shape);
  gint residual = with_residual ? harness_case_input(test, 2, shape) : SWIN_PLAN_NO_TENSOR;
  SwinTensor weight = harness_case_weight(test, 1, n_channels, 1, 1.0, 0.3);
  SwinTensor bias = harness_case_weight(test, 1, n_channels, 1, 0.0, 0.3);
  gint output = swin_plan_add_layer_norm(test->plan, "norm", input, &weight, &bias, 1e-5, residual);

  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, TOLERANCE);
}

/* With the kernels of both kinds of devices, in both storages. */
#define VARIANTS 4
static void choose_variant(gint variant) {
  harness_pretend(variant % 2 == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
  harness_storage(variant / 2 == 0 ? SWIN_STORAGE_F32 : SWIN_STORAGE_F16);
}

static const guint64 rows[] = {1, 3, 8, 49, 97};
static const guint64 channels[] = {1, 2, 3, 4, 7, 8, 33, 96, 97, 100, 768, 1024, 1028, 3072};

START_TEST(odd_shapes) {
  guint shape = (guint)_i / VARIANTS;

  choose_variant(_i % VARIANTS);
  for (guint residual = 0; residual < 2; residual++)
    check_norm((guint32)_i, rows[shape % G_N_ELEMENTS(rows)], channels[shape / G_N_ELEMENTS(rows)],
               residual);
}
END_TEST

/* Of values that are far apart, or not at all. */
static void check_values(const gchar *what, guint64 n_channels, const SwinTensor *values) {
  g_autoptr(HarnessCase) test =
      harness_case_new(1, "layer norm of %" G_GUINT64_FORMAT " channels %s", n_channels, what);
  const guint64 shape[] = {values->n_elements / n_channels, n_channels};
  gint input = harness_case_input(test, 2, shape);
  SwinTensor weight = harness_case_weight(test, 1, n_channels, 1, 1.0, 0.3);
  SwinTensor bias = harness_case_weight(test, 1, n_channels, 1, 0.0, 0.3);
  const float *inputs[] = {(const float *)values->data, NULL};
  gint output = swin_plan_add_layer_norm(test->plan, "norm", input, &weight, &bias, 1e-5,
                                         SWIN_PLAN_NO_TENSOR);

  swin_plan_mark_output(test->plan, output, "output");
  HarnessRun *run = harness_case_run(test, inputs);
  for (guint64 i = 0; i < values->n_elements; i++)
    ck_assert_msg(fabsf(run->actual[output][i] - run->expected[output][i]) <=
                      4e-6f * MAX(fabsf(run->expected[output][i]), 1.0f),
                  "%s: %g, not %g", test->what, (double)run->actual[output][i],
                  (double)run->expected[output][i]);
  harness_run_free(test, run);
}

/* A mean that dwarfs the deviation: E[x^2] - mean^2 would lose half of the digits. In one block of
 * the shader and in several. */
START_TEST(large_mean) {
  harness_pretend(_i == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
  for (guint64 n_channels = 33; n_channels < 5000; n_channels *= 3) {
    g_autoptr(HarnessCase) numbers = harness_case_new(2, "numbers");
    SwinTensor values = harness_case_weight(numbers, 1, 5 * n_channels, 1, 1000.0, 1.0);

    check_values("around 1000", n_channels, &values);
  }
}
END_TEST

/* Single channels of trained networks are hundreds of deviations away from all others; be it the
 * first one, or one of another block. */
START_TEST(outliers) {
  harness_pretend(_i == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
  for (guint64 outlier = 0; outlier < 768; outlier += 383) {
    g_autoptr(HarnessCase) numbers = harness_case_new(3, "numbers");
    SwinTensor values = harness_case_weight(numbers, 1, 3 * 768, 1, 0.0, 1.0);

    for (guint row = 0; row < 3; row++)
      ((float *)values.data)[row * 768 + outlier] = -700.0f;
    check_values("with an outlier", 768, &values);
  }
}
END_TEST

/* Nothing is left of what is the same everywhere: the bias alone. */
START_TEST(equal_values) {
  harness_pretend(_i == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
  g_autoptr(HarnessCase) numbers = harness_case_new(4, "numbers");
  SwinTensor values = harness_case_weight(numbers, 1, 2 * 390, 1, 0.1, 0.0);

  check_values("of equal values", 390, &values);
}
END_TEST

START_TEST(split_for_small_bindings) {
  harness_limit_storage(8192);
  for (gint variant = 0; variant < VARIANTS; variant++) {
    choose_variant(variant);
    check_norm(3, 97, 96, FALSE);
    check_norm(4, 97, 33, TRUE);
  }
}
END_TEST

/* Rows that one invocation would need too many rounds for. */
START_TEST(long_rows) {
  choose_variant(_i);
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
  tcase_add_loop_test(cases, odd_shapes, 0, VARIANTS * G_N_ELEMENTS(rows) * G_N_ELEMENTS(channels));
  tcase_add_loop_test(cases, large_mean, 0, 2);
  tcase_add_loop_test(cases, outliers, 0, 2);
  tcase_add_loop_test(cases, equal_values, 0, 2);
  tcase_add_test(cases, split_for_small_bindings);
  tcase_add_loop_test(cases, long_rows, 0, VARIANTS);
  tcase_add_test(cases, many_groups);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
