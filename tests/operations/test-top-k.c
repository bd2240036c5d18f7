// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

#include <math.h>
#include <string.h>

/* Relative to each confidence: exp() is good to 3 + 2 |x| units in the last place (Vulkan
 * specification, "Precision and Operation of SPIR-V Instructions"), with |x| up to 10 here, and the
 * sum adds up to 21841 terms over the lanes. */
#define TOLERANCE 1e-5f

static guint32 index_of(const float *tags, guint64 rank) {
  guint32 index;

  memcpy(&index, &tags[2 * rank], sizeof(index));
  return index;
}

static void check_tags(const gchar *what, const float *expected, const float *actual, guint64 n) {
  for (guint64 rank = 0; rank < n; rank++) {
    float confidence = expected[2 * rank + 1];

    ck_assert_msg(index_of(actual, rank) == index_of(expected, rank), "%s: class %u, not %u", what,
                  index_of(actual, rank), index_of(expected, rank));
    /* What is below the smallest normal number may be flushed to zero. */
    ck_assert_msg(fabsf(actual[2 * rank + 1] - confidence) <= TOLERANCE * confidence + 1e-30f,
                  "%s: confidence %g, not %g", what, (double)actual[2 * rank + 1],
                  (double)confidence);
  }
}

/* @logits: (nullable): random ones where NULL */
static void check_activation(guint32 seed, guint64 batch, guint64 classes, guint k,
                             const float *logits, SwinActivation activation) {
  g_autoptr(HarnessCase) test =
      harness_case_new(seed, "top %u of %d x %d by %s", k, (int)batch, (int)classes,
                       activation == SWIN_ACTIVATION_SIGMOID ? "sigmoid" : "softmax");
  const guint64 shape[] = {batch, classes};
  gint input = harness_case_input(test, 2, shape);
  gint output = swin_plan_add_top_k(test->plan, "top_k", input, k, activation);
  const float *inputs[] = {logits, NULL};

  swin_plan_mark_output(test->plan, output, "output");
  HarnessRun *run = harness_case_run(test, inputs);
  check_tags(test->what, run->expected[output], run->actual[output], batch * k);
  harness_run_free(test, run);
}

/* By both activations. */
static void check_top_k(guint32 seed, guint64 batch, guint64 classes, guint k,
                        const float *logits) {
  check_activation(seed, batch, classes, k, logits, SWIN_ACTIVATION_SOFTMAX);
  check_activation(seed, batch, classes, k, logits, SWIN_ACTIVATION_SIGMOID);
}

static const struct {
  guint64 batch, classes;
  guint k;
} sizes[] = {
    {1, 1, 1},     {3, 1, 1},      {1, 2, 1},     {2, 2, 2},        {1, 5, 5},     {2, 7, 3},
    {1, 64, 64},   {1, 65, 64},    {2, 97, 33},   {3, 1000, 5},     {1, 1000, 64}, {1, 21841, 1},
    {2, 21841, 5}, {1, 21841, 64}, {64, 1000, 5}, {1, 1000000, 20}, {7, 33, 33},
};

START_TEST(odd_shapes) {
  check_top_k((guint32)_i, sizes[_i].batch, sizes[_i].classes, sizes[_i].k, NULL);
}
END_TEST

START_TEST(split_for_small_bindings) {
  harness_limit_storage(8192);
  check_top_k(1, 5, 1000, 5, NULL);
}
END_TEST

/* Of equal logits the lower index comes first, and minus zero equals zero. */
START_TEST(ties) {
  static const float equal[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  static const float zeros[9] = {-0.0f, 0.0f, -1.0f, 0.0f, -0.0f, -0.0f, 0.0f, -2.0f, 0.0f};
  static const float pairs[9] = {3, 5, 3, 5, -7, 5, -7, 3, 3};

  check_top_k(1, 1, 9, 9, equal);
  check_top_k(1, 1, 9, 9, zeros);
  check_top_k(1, 1, 9, 9, pairs);
}
END_TEST

/* Logits far apart or far from zero: the maximum is subtracted before the exponential. */
START_TEST(large_logits) {
  static const float apart[5] = {1e30f, -1e30f, 0.0f, 1e30f, 3e38f};
  static const float far[5] = {10000.0f, 9999.0f, 10001.0f, 9990.0f, 0.0f};
  static const float tiny[5] = {-10000.0f, -9999.0f, -10001.0f, -9990.0f, -1e30f};

  check_top_k(1, 1, 5, 5, apart);
  check_top_k(1, 1, 5, 5, far);
  check_top_k(1, 1, 5, 5, tiny);
}
END_TEST

/* A network that went wrong still gives an order, and no confidence in what is no number. */
START_TEST(no_numbers) {
  const float some[7] = {1.0f, NAN, 3.0f, -NAN, 2.0f, NAN, -INFINITY};
  const float none[7] = {NAN, -NAN, NAN, NAN, NAN, -NAN, NAN};
  const float infinite[7] = {INFINITY, 1.0f, -INFINITY, INFINITY, NAN, 2.0f, 0.0f};
  const float lowest[7] = {NAN, -INFINITY, -INFINITY, NAN, -INFINITY, NAN, -INFINITY};

  check_top_k(1, 1, 7, 7, some);
  check_top_k(1, 1, 7, 7, none);
  check_top_k(1, 1, 7, 7, infinite);
  check_top_k(1, 1, 7, 7, lowest);
}
END_TEST

/* The twin, too, is held against what is known. */
static void check_known(const float *logits, SwinActivation activation, const guint32 *indices,
                        const float *confidences) {
  g_autoptr(HarnessCase) test = harness_case_new(1, "known confidences");
  const guint64 shape[] = {1, 4};
  gint output =
      swin_plan_add_top_k(test->plan, "top_k", harness_case_input(test, 2, shape), 4, activation);
  const float *inputs[] = {logits, NULL};

  swin_plan_mark_output(test->plan, output, "output");
  HarnessRun *run = harness_case_run(test, inputs);
  for (guint i = 0; i < 4; i++) {
    ck_assert_uint_eq(index_of(run->expected[output], i), indices[i]);
    ck_assert_float_eq_tol(run->expected[output][2 * i + 1], confidences[i], 1e-6f);
    ck_assert_uint_eq(index_of(run->actual[output], i), indices[i]);
    ck_assert_float_eq_tol(run->actual[output][2 * i + 1], confidences[i], 1e-6f);
  }
  harness_run_free(test, run);
}

START_TEST(known_confidences) {
  const float softmax_logits[4] = {logf(1.0f), logf(2.0f), logf(4.0f), logf(1.0f)};
  static const guint32 softmax_indices[4] = {2, 1, 0, 3};
  static const float probabilities[4] = {0.5f, 0.25f, 0.125f, 0.125f};
  const float sigmoid_logits[4] = {0.0f, logf(3.0f), -logf(7.0f), 200.0f};
  static const guint32 sigmoid_indices[4] = {3, 1, 0, 2};
  static const float sigmoids[4] = {1.0f, 0.75f, 0.5f, 0.125f};

  check_known(softmax_logits, SWIN_ACTIVATION_SOFTMAX, softmax_indices, probabilities);
  check_known(sigmoid_logits, SWIN_ACTIVATION_SIGMOID, sigmoid_indices, sigmoids);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("top k");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, G_N_ELEMENTS(sizes));
  tcase_add_test(cases, split_for_small_bindings);
  tcase_add_test(cases, ties);
  tcase_add_test(cases, large_logits);
  tcase_add_test(cases, no_numbers);
  tcase_add_test(cases, known_confidences);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
