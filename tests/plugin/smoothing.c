// SPDX-License-Identifier: LGPL-2.1-or-later
// Averaged scores against the formulas in plain doubles.
#include <gst/check/gstcheck.h>
#include <math.h>

#include "fake-inference.h"
#include "smoothing.h"

#define N_CLASSES 37
#define TOP_K 5

/* ---- The formulas -------------------------------------------------------------------------- */

typedef struct {
  gdouble scores[N_CLASSES];
  gboolean is_begun;
} Reference;

static void reference_add(Reference *reference, const gfloat *logits, SwinActivation activation,
                          gdouble factor) {
  for (guint i = 0; i < N_CLASSES; i++) {
    gdouble score, sum = 0.0;

    // 1 / (sum of exp(other - this)): what is too large for a double has a share of 0.
    for (guint j = 0; j < N_CLASSES; j++)
      sum += exp((gdouble)logits[j] - (gdouble)logits[i]);
    score =
        activation == SWIN_ACTIVATION_SIGMOID ? 1.0 / (1.0 + exp(-(gdouble)logits[i])) : 1.0 / sum;
    reference->scores[i] =
        reference->is_begun ? factor * reference->scores[i] + (1.0 - factor) * score : score;
  }
  reference->is_begun = TRUE;
}

// Index of the class that is number @rank by score; of equal ones the first comes first.
static guint reference_rank(const Reference *reference, guint rank) {
  for (guint i = 0; i < N_CLASSES; i++) {
    guint n_better = 0;

    for (guint j = 0; j < N_CLASSES; j++)
      n_better += reference->scores[j] > reference->scores[i] ||
                  (reference->scores[j] == reference->scores[i] && j < i);
    if (n_better == rank)
      return i;
  }
  fail("no class has rank %u", rank);
  return 0;
}

static void expect_reference(const SwinClassification *smoothed, const Reference *reference) {
  fail_unless_equals_int(smoothed->n_tags, TOP_K);
  for (guint i = 0; i < TOP_K; i++) {
    guint index = reference_rank(reference, i);
    gdouble difference = fabs((gdouble)smoothed->tags[i].confidence - reference->scores[index]);

    fail_unless_equals_int(smoothed->tags[i].index, index);
    fail_unless(difference <= 1e-7, "tag %u is %g, should be %g", i,
                (gdouble)smoothed->tags[i].confidence, reference->scores[index]);
  }
}

/* ---- Results ------------------------------------------------------------------------------- */

static void draw_logits(GRand *random, gfloat *logits, gdouble span) {
  for (guint i = 0; i < N_CLASSES; i++)
    logits[i] = (gfloat)g_rand_double_range(random, -span, span);
}

// With tags that nobody would come to by the logits: the logits count.
static SwinClassification *result_of(SwinInference *inference, const gfloat *logits) {
  static const SwinTag tags[TOP_K] = {{.index = 0, .confidence = 1.0f}};
  const SwinOutput output = {.name = "logits", .n_dims = 1, .dims = {N_CLASSES}, .values = logits};
  const SwinResult result = {
      .n_tags = TOP_K, .tags = tags, .n_outputs = logits != NULL ? 1 : 0, .outputs = &output};

  return swin_classification_new(inference, &result, 777);
}

static SwinClassification *smooth(SwinSmoothing *smoothing, SwinInference *inference,
                                  const gfloat *logits, gfloat factor, const guint64 *track) {
  g_autoptr(SwinClassification) result = result_of(inference, logits);

  return swin_smoothing_apply(smoothing, result, factor, track);
}

static void tear_down(SwinSmoothing *smoothing, SwinInference *inference) {
  swin_smoothing_free(smoothing);
  swin_inference_unref(inference);
  fail_unless_equals_int(fake_n_alive(), 0);
}

/* ---- Tests --------------------------------------------------------------------------------- */

static void check_against_formula(SwinActivation activation, gdouble span, gfloat factor) {
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, activation);
  SwinSmoothing *smoothing = swin_smoothing_new();
  GRand *random = g_rand_new_with_seed(20240607);
  Reference reference = {.is_begun = FALSE};

  for (guint frame = 0; frame < 50; frame++) {
    g_autoptr(SwinClassification) smoothed = NULL;
    gfloat logits[N_CLASSES];

    draw_logits(random, logits, span);
    smoothed = smooth(smoothing, inference, logits, factor, NULL);
    reference_add(&reference, logits, activation, (gdouble)factor);
    expect_reference(smoothed, &reference);
    // The rest is as it was.
    fail_unless_equals_uint64(smoothed->timestamp, 777);
    fail_unless(swin_classification_find_output(smoothed, "logits") != NULL);
  }
  g_rand_free(random);
  tear_down(smoothing, inference);
}

GST_START_TEST(test_softmax) {
  check_against_formula(SWIN_ACTIVATION_SOFTMAX, 4.0, 0.9f);
  check_against_formula(SWIN_ACTIVATION_SOFTMAX, 4.0, 0.25f);
}
GST_END_TEST;

GST_START_TEST(test_sigmoid) {
  check_against_formula(SWIN_ACTIVATION_SIGMOID, 4.0, 0.9f);
}
GST_END_TEST;

// Logits whose powers are beyond a double, and averages that are not.
GST_START_TEST(test_large_logits) {
  check_against_formula(SWIN_ACTIVATION_SOFTMAX, 2000.0, 0.5f);
  check_against_formula(SWIN_ACTIVATION_SIGMOID, 2000.0, 0.5f);
}
GST_END_TEST;

// What is no number counts as nothing, and does not stay in the average.
GST_START_TEST(test_logits_that_are_no_numbers) {
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinSmoothing *smoothing = swin_smoothing_new();
  GRand *random = g_rand_new_with_seed(99);
  Reference reference = {.is_begun = TRUE};
  gfloat logits[N_CLASSES];

  for (guint i = 0; i < N_CLASSES; i++)
    logits[i] = NAN;
  for (guint frame = 0; frame < 4; frame++) {
    g_autoptr(SwinClassification) smoothed = NULL;

    // Nothing but NaN, then an infinite one among them: that is all there is.
    logits[5] = frame == 0 ? NAN : INFINITY;
    reference.scores[5] = frame == 0 ? 0.0 : 0.5 * reference.scores[5] + 0.5;
    if (frame == 3) {
      reference.scores[5] = 0.75;
      draw_logits(random, logits, 4.0);
      reference_add(&reference, logits, SWIN_ACTIVATION_SOFTMAX, 0.5);
    }
    smoothed = smooth(smoothing, inference, logits, 0.5f, NULL);
    expect_reference(smoothed, &reference);
  }
  g_rand_free(random);
  tear_down(smoothing, inference);
}
GST_END_TEST;

GST_START_TEST(test_factor_of_nothing) {
  check_against_formula(SWIN_ACTIVATION_SOFTMAX, 4.0, 0.0f);
}
GST_END_TEST;

// A class that was there all the time and is missing for once stays among the best.
GST_START_TEST(test_missing_for_once) {
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinSmoothing *smoothing = swin_smoothing_new();
  gfloat logits[N_CLASSES] = {0};

  logits[30] = 10.0f;
  for (guint frame = 0; frame < 3; frame++)
    swin_classification_unref(smooth(smoothing, inference, logits, 0.9f, NULL));
  logits[30] = -10.0f;
  logits[20] = 10.0f;
  {
    g_autoptr(SwinClassification) smoothed = smooth(smoothing, inference, logits, 0.9f, NULL);

    fail_unless_equals_int(smoothed->tags[0].index, 30);
    fail_unless_equals_int(smoothed->tags[1].index, 20);
  }
  tear_down(smoothing, inference);
}
GST_END_TEST;

// The frame and each object have a past of their own.
GST_START_TEST(test_objects) {
  static const guint64 tracks[] = {0, 1, G_MAXUINT64};
  const guint64 *const keys[] = {NULL, &tracks[0], &tracks[1], &tracks[2]};
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinSmoothing *smoothing = swin_smoothing_new();
  GRand *random = g_rand_new_with_seed(4711);
  Reference references[G_N_ELEMENTS(keys)] = {0};

  for (guint i = 0; i < 40; i++) {
    guint key = (guint)g_rand_int_range(random, 0, G_N_ELEMENTS(keys));
    g_autoptr(SwinClassification) smoothed = NULL;
    gfloat logits[N_CLASSES];

    draw_logits(random, logits, 4.0);
    smoothed = smooth(smoothing, inference, logits, 0.8f, keys[key]);
    reference_add(&references[key], logits, SWIN_ACTIVATION_SOFTMAX, (gdouble)0.8f);
    expect_reference(smoothed, &references[key]);
  }
  g_rand_free(random);
  tear_down(smoothing, inference);
}
GST_END_TEST;

// Whether a result like the first is taken as it is, because nothing is remembered.
static gboolean begins_anew(SwinSmoothing *smoothing, SwinInference *inference,
                            const guint64 *track) {
  gfloat logits[N_CLASSES] = {0};
  Reference reference = {.is_begun = FALSE};
  g_autoptr(SwinClassification) smoothed = NULL;

  logits[7] = 3.0f;
  smoothed = smooth(smoothing, inference, logits, 0.9f, track);
  reference_add(&reference, logits, SWIN_ACTIVATION_SOFTMAX, 0.0);
  return smoothed->tags[0].index == 7 &&
         fabs((gdouble)smoothed->tags[0].confidence - reference.scores[7]) <= 1e-7;
}

static void remember(SwinSmoothing *smoothing, SwinInference *inference, const guint64 *track) {
  gfloat logits[N_CLASSES] = {0};

  logits[2] = 5.0f;
  swin_classification_unref(smooth(smoothing, inference, logits, 0.9f, track));
}

GST_START_TEST(test_another_model_begins_anew) {
  SwinInference *one = fake_inference_new("one", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinInference *other = fake_inference_new("other", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinSmoothing *smoothing = swin_smoothing_new();
  const guint64 track = 3;

  remember(smoothing, one, NULL);
  remember(smoothing, one, &track);
  fail_if(begins_anew(smoothing, one, NULL));
  fail_if(begins_anew(smoothing, one, &track));
  remember(smoothing, one, NULL);
  remember(smoothing, one, &track);
  fail_unless(begins_anew(smoothing, other, NULL));
  fail_unless(begins_anew(smoothing, other, &track));
  swin_inference_unref(one);
  tear_down(smoothing, other);
}
GST_END_TEST;

GST_START_TEST(test_clear) {
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinSmoothing *smoothing = swin_smoothing_new();
  const guint64 track = 3;

  remember(smoothing, inference, NULL);
  remember(smoothing, inference, &track);
  swin_smoothing_clear(smoothing);
  fail_unless(begins_anew(smoothing, inference, NULL));
  fail_unless(begins_anew(smoothing, inference, &track));
  tear_down(smoothing, inference);
}
GST_END_TEST;

GST_START_TEST(test_objects_are_forgotten) {
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinSmoothing *smoothing = swin_smoothing_new();
  const guint64 one = 1, other = 2;

  // The look at it is the last of those that count.
  remember(smoothing, inference, &one);
  for (guint i = 0; i < SWIN_SMOOTHING_MEMORY - 1; i++)
    remember(smoothing, inference, &other);
  fail_if(begins_anew(smoothing, inference, &one));
  remember(smoothing, inference, &one);
  for (guint i = 0; i < SWIN_SMOOTHING_MEMORY; i++)
    remember(smoothing, inference, &other);
  fail_unless(begins_anew(smoothing, inference, &one));
  tear_down(smoothing, inference);
}
GST_END_TEST;

GST_START_TEST(test_without_logits) {
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinSmoothing *smoothing = swin_smoothing_new();
  SwinClassification *result = result_of(inference, NULL), *smoothed;

  smoothed = swin_smoothing_apply(smoothing, result, 0.5f, NULL);
  fail_unless(smoothed == result);
  swin_classification_unref(smoothed);
  swin_classification_unref(result);
  tear_down(smoothing, inference);
}
GST_END_TEST;

static Suite *smoothing_suite(void) {
  Suite *suite = suite_create("smoothing");
  TCase *tcase = tcase_create("smoothing");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_softmax);
  tcase_add_test(tcase, test_sigmoid);
  tcase_add_test(tcase, test_large_logits);
  tcase_add_test(tcase, test_logits_that_are_no_numbers);
  tcase_add_test(tcase, test_factor_of_nothing);
  tcase_add_test(tcase, test_missing_for_once);
  tcase_add_test(tcase, test_objects);
  tcase_add_test(tcase, test_another_model_begins_anew);
  tcase_add_test(tcase, test_clear);
  tcase_add_test(tcase, test_objects_are_forgotten);
  tcase_add_test(tcase, test_without_logits);
  return suite;
}

GST_CHECK_MAIN(smoothing);
