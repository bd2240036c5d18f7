// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

#include <math.h>

/* Each of K additions rounds by up to 6e-8 of a partial sum that grows with the square root of its
 * terms; the errors add up like a random walk, to 6e-8 / 2 * sqrt(K / 2) on average. In the worst
 * of some thousand outputs the partial sums stray to three times their size and the walk to four
 * times its own. GELU's erf() is good to 4e-7, times half of an input of some deviations. */
static gdouble tolerance(guint64 depth) {
  return 2e-6 + 2.5e-7 * sqrt((gdouble)depth);
}

typedef struct {
  guint64 rows, depth;
  guint64 columns[SWIN_LINEAR_MAX_PARTS]; /* of each part; 0 where there is none */
  gboolean bias;
  SwinGelu gelu;
  gboolean residual;
} LinearShape;

static const LinearShape shapes[] = {
    {1, 1, {1}, TRUE, SWIN_GELU_NONE, FALSE},
    {1, 1, {1}, FALSE, SWIN_GELU_NONE, FALSE},
    {3, 17, {49}, TRUE, SWIN_GELU_NONE, FALSE},
    {17, 49, {3}, FALSE, SWIN_GELU_NONE, TRUE},
    {49, 3, {97}, TRUE, SWIN_GELU_EXACT, FALSE},
    {97, 97, {97}, TRUE, SWIN_GELU_EXACT, TRUE},
    {16, 96, {96}, TRUE, SWIN_GELU_NONE, TRUE},
    {15, 96, {7}, TRUE, SWIN_GELU_NONE, FALSE},
    {33, 18, {18, 18, 18}, TRUE, SWIN_GELU_NONE, FALSE},
    {7, 24, {24, 24, 24}, FALSE, SWIN_GELU_NONE, FALSE},
    {5, 12, {1, 3, 17}, TRUE, SWIN_GELU_NONE, FALSE},
    {2, 33, {33, 1}, TRUE, SWIN_GELU_EXACT, TRUE},
    {49, 768, {64}, TRUE, SWIN_GELU_NONE, TRUE},
    {31, 48, {96}, TRUE, SWIN_GELU_NONE, FALSE},
    {1, 768, {1000}, TRUE, SWIN_GELU_NONE, FALSE},
    {65, 3072, {33}, TRUE, SWIN_GELU_NONE, FALSE},
    {2, 5, {4097}, FALSE, SWIN_GELU_EXACT, FALSE},
    {13, 21, {37}, TRUE, SWIN_GELU_TANH, TRUE},
    {50, 64, {129}, TRUE, SWIN_GELU_TANH, FALSE},
    {300, 8, {8}, TRUE, SWIN_GELU_NONE, FALSE},
};

static const gchar *const gelu_names[] = {"", " gelu", " tanh gelu"};

static void check_linear(guint32 seed, const LinearShape *shape) {
  g_autoptr(HarnessCase) test = harness_case_new(
      seed, "linear %d x %d x (%d, %d, %d)%s%s%s", (int)shape->rows, (int)shape->depth,
      (int)shape->columns[0], (int)shape->columns[1], (int)shape->columns[2],
      shape->bias ? " bias" : "", gelu_names[shape->gelu], shape->residual ? " residual" : "");
  SwinTensor weights[SWIN_LINEAR_MAX_PARTS], biases[SWIN_LINEAR_MAX_PARTS];
  const SwinTensor *weight_list[SWIN_LINEAR_MAX_PARTS], *bias_list[SWIN_LINEAR_MAX_PARTS];
  const guint64 input_shape[] = {shape->rows, shape->depth};
  guint64 output_shape[] = {shape->rows, 0};
  guint n_parts = 0;

  for (; n_parts < SWIN_LINEAR_MAX_PARTS && shape->columns[n_parts] > 0; n_parts++) {
    weights[n_parts] = harness_case_weight(test, 2, shape->columns[n_parts], shape->depth, 0.0,
                                           1.0 / sqrt((gdouble)shape->depth));
    biases[n_parts] = harness_case_weight(test, 1, shape->columns[n_parts], 1, 0.0, 0.5);
    weight_list[n_parts] = &weights[n_parts];
    bias_list[n_parts] = &biases[n_parts];
    output_shape[1] += shape->columns[n_parts];
  }
  gint input = harness_case_input(test, 2, input_shape);
  gint residual = shape->residual ? harness_case_input(test, 2, output_shape) : SWIN_PLAN_NO_TENSOR;
  gint output = swin_plan_add_linear(test->plan, "linear", input, n_parts, weight_list,
                                     shape->bias ? bias_list : NULL, shape->gelu, residual);

  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, tolerance(shape->depth));
}

/* With the kernels of both kinds of devices. */
static void pretend(gint kind) {
  harness_pretend(kind == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
}

START_TEST(odd_shapes) {
  pretend(_i % 2);
  check_linear((guint32)_i, &shapes[_i / 2]);
}
END_TEST

/* Of three parts only the middle one without a bias, as Swin V2's key is. */
START_TEST(one_bias_missing) {
  g_autoptr(HarnessCase) test = harness_case_new(1, "linear without the second bias");
  const guint64 shape[] = {9, 10};
  SwinTensor weights[3], bias = harness_case_weight(test, 1, 5, 1, 0.0, 0.5);
  const SwinTensor *weight_list[] = {&weights[0], &weights[1], &weights[2]};
  const SwinTensor *bias_list[] = {&bias, NULL, &bias};

  for (guint i = 0; i < 3; i++)
    weights[i] = harness_case_weight(test, 2, 5, 10, 0.0, 0.3);
  gint output = swin_plan_add_linear(test->plan, "linear", harness_case_input(test, 2, shape), 3,
                                     weight_list, bias_list, SWIN_GELU_NONE, SWIN_PLAN_NO_TENSOR);
  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, tolerance(10));
}
END_TEST

/* Both kinds of GELU alone, where it is nearly zero, nearly linear, and in between. */
START_TEST(gelu_over_its_range) {
  enum { N = 4001 };
  static const SwinGelu gelus[] = {SWIN_GELU_EXACT, SWIN_GELU_TANH};
  g_autoptr(HarnessCase) test = harness_case_new(1, "%s", gelu_names[gelus[_i]]);
  g_autofree float *values = g_new(float, N);
  const guint64 shape[] = {N, 1};
  SwinTensor weight = harness_case_weight(test, 2, 1, 1, 1.0, 0.0);
  const SwinTensor *weights[] = {&weight};

  for (gint i = 0; i < N; i++)
    values[i] = (float)(i - N / 2) / 200.0f;
  gint output = swin_plan_add_linear(test->plan, "linear", harness_case_input(test, 2, shape), 1,
                                     weights, NULL, gelus[_i], SWIN_PLAN_NO_TENSOR);
  const float *inputs[] = {values, NULL};
  swin_plan_mark_output(test->plan, output, "output");
  HarnessRun *run = harness_case_run(test, inputs);
  /* erf() within 4e-7, times half the value. */
  for (gint i = 0; i < N; i++)
    ck_assert_msg(fabsf(run->actual[output][i] - run->expected[output][i]) <=
                      2.5e-7f * fabsf(values[i]) + 1e-7f,
                  "GELU of %g is %g, not %g", (double)values[i], (double)run->actual[output][i],
                  (double)run->expected[output][i]);
  harness_run_free(test, run);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("linear");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, 2 * G_N_ELEMENTS(shapes));
  tcase_add_test(cases, one_bias_missing);
  tcase_add_loop_test(cases, gelu_over_its_range, 0, 2);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
