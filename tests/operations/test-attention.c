// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

#include <math.h>

/* A score is a sum of head_dim products, good to some 1e-6, which the exponential turns from an
 * absolute into a relative error; the sums over up to 144 keys, in the order in which the running
 * maximum rescales them, add as much again. */
#define TOLERANCE 8e-6

typedef struct {
  guint64 batch, height, width;
  guint heads, head_dim;
  guint window_height, window_width;
  guint shift_y, shift_x;
  guint table_window; /* 0: no table */
  gboolean bias;      /* of query, key and value */
} AttentionShape;

static const AttentionShape shapes[] = {
    /* one token */
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, TRUE},
    {2, 1, 1, 3, 6, 1, 1, 0, 0, 0, FALSE},
    /* windows that divide the map */
    {1, 2, 2, 1, 1, 2, 2, 0, 0, 2, TRUE},
    {2, 4, 6, 2, 5, 2, 2, 0, 0, 2, TRUE},
    {1, 8, 12, 3, 24, 4, 4, 0, 0, 4, TRUE},
    {3, 7, 7, 2, 32, 7, 7, 0, 0, 7, TRUE},
    {1, 14, 21, 1, 64, 7, 7, 0, 0, 7, FALSE},
    {1, 24, 12, 2, 32, 12, 12, 0, 0, 12, TRUE},
    /* shifted on both axes, on one, by odd amounts */
    {2, 14, 14, 3, 32, 7, 7, 3, 3, 7, TRUE},
    {1, 8, 8, 2, 6, 4, 4, 2, 2, 4, TRUE},
    {1, 7, 21, 2, 32, 7, 7, 0, 3, 7, TRUE},
    {1, 21, 7, 2, 32, 7, 7, 3, 0, 7, TRUE},
    {1, 6, 6, 1, 5, 2, 2, 1, 1, 2, TRUE},
    {1, 6, 4, 1, 24, 2, 2, 0, 1, 0, TRUE},
    {1, 24, 24, 1, 32, 12, 12, 6, 6, 12, TRUE},
    {1, 12, 12, 1, 8, 4, 4, 1, 3, 4, TRUE},
    /* maps that are padded, with and without a shift, also to a single window */
    {1, 3, 33, 2, 24, 4, 4, 0, 0, 4, TRUE},
    {2, 11, 11, 3, 6, 7, 7, 3, 3, 7, TRUE},
    {1, 6, 6, 3, 12, 7, 7, 0, 0, 7, TRUE},
    {1, 5, 9, 2, 6, 5, 5, 0, 2, 5, TRUE},
    {1, 97, 1, 1, 32, 7, 7, 3, 0, 7, FALSE},
    {1, 1, 97, 2, 5, 7, 7, 0, 3, 7, TRUE},
    {2, 13, 15, 1, 32, 12, 12, 6, 6, 12, TRUE},
    {1, 7, 3, 1, 1, 2, 2, 1, 1, 2, TRUE},
    {1, 1, 1, 2, 32, 7, 7, 0, 0, 7, TRUE},
    /* clipped: the table is that of a larger window */
    {1, 5, 5, 2, 12, 5, 5, 0, 0, 7, TRUE},
    {1, 3, 5, 2, 6, 3, 3, 0, 0, 5, TRUE},
    {2, 1, 4, 1, 24, 1, 1, 0, 0, 7, TRUE},
    /* windows that are no squares, and of a prime width */
    {1, 6, 10, 2, 5, 3, 5, 1, 2, 5, TRUE},
    {1, 12, 13, 1, 6, 4, 13, 2, 6, 13, TRUE},
    {1, 5, 11, 1, 32, 5, 11, 0, 0, 11, TRUE},
    /* a head of many channels */
    {1, 4, 4, 1, 97, 2, 2, 1, 1, 2, TRUE},
    {1, 4, 4, 1, 256, 4, 4, 0, 0, 4, TRUE},
};

static void check_attention(guint32 seed, const AttentionShape *shape) {
  g_autoptr(HarnessCase) test = harness_case_new(
      seed, "attention %d x %d x %d, %u heads of %u, windows %u x %u, shift %u, %u",
      (int)shape->batch, (int)shape->height, (int)shape->width, shape->heads, shape->head_dim,
      shape->window_height, shape->window_width, shape->shift_y, shape->shift_x);
  guint64 channels = (guint64)shape->heads * shape->head_dim;
  const guint64 input_shape[] = {shape->batch, shape->height, shape->width, 3 * channels};
  guint64 side = 2 * (guint64)MAX(shape->table_window, 1) - 1;
  SwinAttentionParameters parameters = {
      .n_heads = shape->heads,
      .window_height = shape->window_height,
      .window_width = shape->window_width,
      .shift_y = shape->shift_y,
      .shift_x = shape->shift_x,
      .table_window = MAX(shape->table_window, MAX(shape->window_height, shape->window_width)),
      .scale = (gfloat)(1.0 / sqrt((gdouble)shape->head_dim)),
  };
  SwinTensor table = harness_case_weight(test, 2, side * side, shape->heads, 0.0, 1.0);
  SwinTensor biases[3];
  const SwinTensor *bias_list[] = {&biases[0], &biases[1], &biases[2]};

  for (guint i = 0; i < 3; i++)
    biases[i] = harness_case_weight(test, 1, channels, 1, 0.0, 1.0);
  gint output = swin_plan_add_attention(
      test->plan, "attention", harness_case_input(test, 4, input_shape), &parameters,
      shape->table_window > 0 ? &table : NULL, shape->bias ? bias_list : NULL);
  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, TOLERANCE);
}

/* With the kernels of both kinds of devices. */
static void pretend(gint kind) {
  harness_pretend(kind == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
}

START_TEST(odd_shapes) {
  pretend(_i % 2);
  check_attention((guint32)_i, &shapes[_i / 2]);
}
END_TEST

START_TEST(split_for_small_bindings) {
  static const AttentionShape shape = {5, 4, 6, 2, 5, 2, 2, 1, 1, 2, TRUE};

  harness_limit_storage(6000);
  check_attention(1, &shape);
}
END_TEST

START_TEST(many_groups) {
  static const AttentionShape shape = {3, 4, 6, 2, 5, 2, 2, 1, 1, 2, TRUE};

  harness_limit_groups(5);
  check_attention(2, &shape);
}
END_TEST

/* Scores in the hundreds: without the running maximum their exponentials overflow. */
START_TEST(large_scores) {
  g_autoptr(HarnessCase) test = harness_case_new(1, "attention with large scores");
  const guint64 shape[] = {1, 14, 14, 96};
  SwinAttentionParameters parameters = {1, 7, 7, 3, 3, 7, 1.0f};
  SwinTensor values = harness_case_weight(test, 1, 14 * 14 * 96, 1, 0.0, 8.0);
  const float *inputs[] = {(const float *)values.data, NULL};
  gint output = swin_plan_add_attention(test->plan, "attention", harness_case_input(test, 4, shape),
                                        &parameters, NULL, NULL);

  swin_plan_mark_output(test->plan, output, "output");
  HarnessRun *run = harness_case_run(test, inputs);
  /* Scores of 360 on average, up to 2000, are known to 1e-4: so is every weight of the values,
   * relatively. */
  for (guint i = 0; i < 14 * 14 * 32; i++)
    ck_assert_float_eq_tol(run->actual[output][i], run->expected[output][i], 2e-3f);
  harness_run_free(test, run);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("attention");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, 2 * G_N_ELEMENTS(shapes));
  tcase_add_test(cases, split_for_small_bindings);
  tcase_add_test(cases, many_groups);
  tcase_add_test(cases, large_scores);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
