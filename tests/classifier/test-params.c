// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a classifier's parameters change, what they refuse, and which classifiers share. */
#include "classifier/expected.h"
#include "classifier/fixture.h"
#include "classifier-params.h"
#include "run-cases.h"
#include "scheduler.h"

#include <math.h>
#include <string.h>

static SwinDevice *device;
static SwinModel *model;

static void setup(void) {
  device = fixture_device();
  model = fixture_model();
}

static void teardown(void) {
  g_clear_pointer(&model, swin_model_unref);
  g_clear_pointer(&device, swin_device_unref);
}

static SwinClassifierParams *new_params(void) {
  SwinClassifierParams *params = swin_classifier_params_new();
  swin_classifier_params_set_precision(params, SWIN_PRECISION_FP32);
  return params;
}

/* The classifier's tags of some pictures are those of the twins. */
static void check_classifier(SwinModel *checked, const SwinClassifierParams *params,
                             const SwinPreprocessing *preprocessing, SwinActivation activation) {
  static const guint sizes[][2] = {{32, 32}, {17, 90}, {121, 40}, {1, 1}};
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinClassifier) classifier = swin_classifier_new(device, checked, params, &error);
  ck_assert_msg(classifier != NULL, "%s", error ? error->message : "");
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autoptr(FixturePicture) picture = fixture_picture_new(sizes[i][0], sizes[i][1], 40 + i);
    SwinTag tags[5], expected[5];
    guint n_tags = 0;
    ck_assert(swin_classifier_classify(classifier, &picture->frame, tags, &n_tags, &error));
    ck_assert_uint_eq(n_tags, 5);
    expected_tags(checked, preprocessing, activation, &picture->frame, expected, 5);
    for (guint j = 0; j < n_tags; j++) {
      ck_assert_uint_eq(tags[j].index, expected[j].index);
      ck_assert_float_eq_tol(tags[j].confidence, expected[j].confidence, 1e-5f);
    }
  }
}

START_TEST(test_activation) {
  const SwinPreprocessing *preprocessing = swin_model_get_preprocessing(model);
  g_autoptr(SwinClassifierParams) params = new_params();
  swin_classifier_params_set_activation(params, SWIN_ACTIVATION_SIGMOID);
  check_classifier(model, params, preprocessing, SWIN_ACTIVATION_SIGMOID);

  /* As the config says it, and against it. */
  SwinModelConfig config;
  fixture_config(&config);
  config.activation = SWIN_ACTIVATION_SIGMOID;
  g_autoptr(SwinModel) tagger = swin_model_new_from_config("tagger", &config, 7);
  g_autoptr(SwinClassifierParams) defaults = new_params();
  check_classifier(tagger, defaults, preprocessing, SWIN_ACTIVATION_SIGMOID);
  swin_classifier_params_set_activation(params, SWIN_ACTIVATION_SOFTMAX);
  check_classifier(tagger, params, preprocessing, SWIN_ACTIVATION_SOFTMAX);
}
END_TEST

START_TEST(test_overrides) {
  SwinPreprocessing expected = *swin_model_get_preprocessing(model);
  g_autoptr(SwinClassifierParams) params = new_params();
  ck_assert_int_ne(expected.filter, SWIN_FILTER_LANCZOS);
  swin_classifier_params_set_interpolation(params, SWIN_INTERPOLATION_LANCZOS);
  expected.filter = SWIN_FILTER_LANCZOS;
  check_classifier(model, params, &expected, SWIN_ACTIVATION_AUTO);

  swin_classifier_params_set_mean(params, (gfloat[]){0.1f, 0.5f, 0.7f});
  swin_classifier_params_set_std(params, (gfloat[]){0.9f, 0.3f, 0.2f});
  swin_classifier_params_set_channel_order(params, SWIN_CHANNEL_ORDER_BGR);
  memcpy(expected.mean, (gfloat[]){0.1f, 0.5f, 0.7f}, sizeof(expected.mean));
  memcpy(expected.std, (gfloat[]){0.9f, 0.3f, 0.2f}, sizeof(expected.std));
  expected.bgr = TRUE;
  check_classifier(model, params, &expected, SWIN_ACTIVATION_AUTO);

  swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_PAD);
  swin_classifier_params_set_fill_color(params, 10, 200, 90);
  expected.resize_mode = SWIN_RESIZE_PAD;
  memcpy(expected.fill, (guint8[]){10, 200, 90}, sizeof(expected.fill));
  check_classifier(model, params, &expected, SWIN_ACTIVATION_AUTO);

  swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_CENTER);
  swin_classifier_params_set_resize_size(params, 41);
  expected.resize_mode = SWIN_RESIZE_SHORT_SIDE;
  expected.resize_size = 41;
  check_classifier(model, params, &expected, SWIN_ACTIVATION_AUTO);
}
END_TEST

/* What the parameters make of the preprocessing of a model of @dialect. */
static SwinPreprocessing resolve(const SwinClassifierParams *params, SwinDialect dialect) {
  SwinModelConfig config;
  fixture_config(&config);
  config.dialect = dialect;
  g_autoptr(SwinModel) other = swin_model_new_from_config("other", &config, 1);
  SwinPreprocessing result;
  g_autoptr(GError) error = NULL;
  ck_assert_msg(swin_classifier_params_preprocessing(params, other, &result, &error), "%s",
                error ? error->message : "");
  return result;
}

START_TEST(test_crop_modes) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  SwinPreprocessing result = resolve(params, SWIN_DIALECT_TIMM);
  ck_assert_int_eq(result.resize_mode, SWIN_RESIZE_SHORT_SIDE);
  ck_assert_uint_eq(result.resize_size, 35); /* floor(32 / 0.9) */

  swin_classifier_params_set_resize_size(params, 50);
  result = resolve(params, SWIN_DIALECT_TIMM);
  ck_assert_uint_eq(result.resize_size, 50);
  swin_classifier_params_set_resize_size(params, 0);
  result = resolve(params, SWIN_DIALECT_HUGGING_FACE);
  ck_assert_int_eq(result.resize_mode, SWIN_RESIZE_SQUASH);
  ck_assert_uint_eq(result.resize_width, 32);

  swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_CENTER);
  result = resolve(params, SWIN_DIALECT_TIMM);
  ck_assert_uint_eq(result.resize_size, 35);
  result = resolve(params, SWIN_DIALECT_HUGGING_FACE);
  ck_assert_int_eq(result.resize_mode, SWIN_RESIZE_SHORT_SIDE);
  ck_assert_uint_eq(result.resize_size, 36); /* int(32 * 8 / 7) */

  swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_SQUASH);
  result = resolve(params, SWIN_DIALECT_TIMM);
  ck_assert_int_eq(result.resize_mode, SWIN_RESIZE_SQUASH);
  ck_assert_uint_eq(result.resize_height, 32);

  swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_PAD);
  result = resolve(params, SWIN_DIALECT_TIMM);
  ck_assert_int_eq(result.resize_mode, SWIN_RESIZE_PAD);
  ck_assert_uint_eq(result.resize_width, 32);
  ck_assert_uint_eq(result.fill[2], 255);
}
END_TEST

/* Overrides go again where the parameter is set back. */
START_TEST(test_set_back) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  const SwinPreprocessing before = resolve(params, SWIN_DIALECT_TIMM);
  swin_classifier_params_set_mean(params, (gfloat[]){1.0f, 1.0f, 1.0f});
  swin_classifier_params_set_std(params, (gfloat[]){2.0f, 2.0f, 2.0f});
  swin_classifier_params_set_channel_order(params, SWIN_CHANNEL_ORDER_BGR);
  ck_assert_float_eq(resolve(params, SWIN_DIALECT_TIMM).mean[1], 1.0f);
  swin_classifier_params_set_mean(params, NULL);
  swin_classifier_params_set_std(params, NULL);
  swin_classifier_params_set_channel_order(params, SWIN_CHANNEL_ORDER_AUTO);
  const SwinPreprocessing after = resolve(params, SWIN_DIALECT_TIMM);
  ck_assert_mem_eq(after.mean, before.mean, sizeof(before.mean));
  ck_assert_mem_eq(after.std, before.std, sizeof(before.std));
  ck_assert(!after.bgr);
}
END_TEST

static void expect_refusal(SwinModel *refused, const SwinClassifierParams *params, gint code,
                           const gchar *part) {
  g_autoptr(GError) error = NULL;
  ck_assert_ptr_null(swin_classifier_new(device, refused, params, &error));
  ck_assert_msg(g_error_matches(error, SWIN_ERROR, code), "%s", error->message);
  ck_assert_msg(strstr(error->message, part) != NULL, "\"%s\" does not say \"%s\"", error->message,
                part);
  ck_assert(g_str_has_suffix(error->message, "."));
}

START_TEST(test_refused_normalisation) {
  const gfloat wrong[] = {0.0f, -1.0f, INFINITY, NAN, 1e-44f};
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
    swin_classifier_params_set_std(params, (gfloat[]){1.0f, wrong[i], 1.0f});
    expect_refusal(model, params, SWIN_ERROR_CONFIG, "channel 1");
  }
  for (guint i = 2; i < 4; i++) {
    g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
    swin_classifier_params_set_mean(params, (gfloat[]){0.0f, 0.0f, wrong[i]});
    expect_refusal(model, params, SWIN_ERROR_CONFIG, "channel 2");
  }
}
END_TEST

/* The model's own preprocessing squashes. */
START_TEST(test_refused_resize_without_cut) {
  const SwinCropMode modes[] = {SWIN_CROP_MODE_AUTO, SWIN_CROP_MODE_SQUASH, SWIN_CROP_MODE_PAD};
  for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
    g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
    swin_classifier_params_set_crop_mode(params, modes[i]);
    swin_classifier_params_set_resize_size(params, 50);
    expect_refusal(model, params, SWIN_ERROR_CONFIG, "set the crop mode to center");
  }
}
END_TEST

START_TEST(test_refused_sizes_and_choices) {
  const guint sizes[] = {31, 1, 65537, G_MAXUINT};
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
    swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_CENTER);
    swin_classifier_params_set_resize_size(params, sizes[i]);
    expect_refusal(model, params, SWIN_ERROR_CONFIG, "resize size");
  }
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_activation(params, (SwinActivation)3);
  expect_refusal(model, params, SWIN_ERROR_CONFIG, "activation 3");
  swin_classifier_params_set_activation(params, SWIN_ACTIVATION_AUTO);
  swin_classifier_params_set_crop_mode(params, (SwinCropMode)-1);
  expect_refusal(model, params, SWIN_ERROR_CONFIG, "crop mode -1");
  swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_AUTO);
  swin_classifier_params_set_interpolation(params, (SwinInterpolation)5);
  expect_refusal(model, params, SWIN_ERROR_CONFIG, "interpolation 5");
  swin_classifier_params_set_interpolation(params, SWIN_INTERPOLATION_AUTO);
  swin_classifier_params_set_channel_order(params, (SwinChannelOrder)99);
  expect_refusal(model, params, SWIN_ERROR_CONFIG, "channel order 99");
  swin_classifier_params_set_channel_order(params, SWIN_CHANNEL_ORDER_AUTO);
  swin_classifier_params_set_precision(params, (SwinPrecision)3);
  expect_refusal(model, params, SWIN_ERROR_CONFIG, "precision 3");
}
END_TEST

START_TEST(test_refused_models) {
  SwinModelConfig config;
  fixture_config(&config);
  config.n_classes = 0;
  g_autoptr(SwinModel) headless = swin_model_new_from_config("headless", &config, 1);
  expect_refusal(headless, NULL, SWIN_ERROR_MODEL, "headless has no head");
  fixture_config(&config);
  config.n_channels = 4;
  g_autoptr(SwinModel) four = swin_model_new_from_config("four", &config, 1);
  expect_refusal(four, NULL, SWIN_ERROR_CONFIG, "4 colour channels");
}
END_TEST

static SwinScheduler *get_scheduler(const SwinClassifierParams *params) {
  g_autoptr(GError) error = NULL;
  SwinScheduler *scheduler = swin_scheduler_get(device, model, params, &error);
  ck_assert_msg(scheduler != NULL, "%s", error ? error->message : "");
  return scheduler;
}

/* One parameter other than the default, of each kind. */
static SwinClassifierParams *other_params(guint which) {
  SwinClassifierParams *params = swin_classifier_params_new();
  switch (which) {
  case 1:
    swin_classifier_params_set_top_k(params, 4);
    break;
  case 2:
    swin_classifier_params_set_batch_size(params, 2);
    break;
  case 3:
    swin_classifier_params_set_batch_timeout(params, 1);
    break;
  case 4:
    swin_classifier_params_set_activation(params, SWIN_ACTIVATION_SIGMOID);
    break;
  case 5:
    swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_CENTER);
    break;
  case 6: /* other than 5 */
    swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_CENTER);
    swin_classifier_params_set_resize_size(params, 40);
    break;
  case 7:
    swin_classifier_params_set_fill_color(params, 255, 255, 254);
    break;
  case 8:
    swin_classifier_params_set_interpolation(params, SWIN_INTERPOLATION_NEAREST);
    break;
  case 9:
    swin_classifier_params_set_mean(params, (gfloat[]){0.5f, 0.5f, 0.5f});
    break;
  case 10:
    swin_classifier_params_set_mean(params, (gfloat[]){0.5f, 0.5f, nextafterf(0.5f, 1.0f)});
    break;
  case 11:
    swin_classifier_params_set_std(params, (gfloat[]){0.5f, 0.5f, 0.5f});
    break;
  case 12:
    swin_classifier_params_set_channel_order(params, SWIN_CHANNEL_ORDER_BGR);
    break;
  case 13:
    swin_classifier_params_set_outputs(params, (const gchar *const[]){"logits", NULL});
    break;
  case 14: /* other than 13 */
    swin_classifier_params_set_outputs(params, (const gchar *const[]){"pooled", NULL});
    break;
  case 15: /* other than the default even where that comes to the same */
    swin_classifier_params_set_precision(params, SWIN_PRECISION_FP32);
    break;
  default:
    break;
  }
  return params;
}

START_TEST(test_sharing) {
  enum { N = 16 };
  SwinScheduler *schedulers[N];
  for (guint i = 0; i < N; i++) {
    g_autoptr(SwinClassifierParams) params = other_params(i);
    schedulers[i] = get_scheduler(params);
    SwinScheduler *again = get_scheduler(params);
    ck_assert_ptr_eq(again, schedulers[i]);
    swin_scheduler_unref(again);
    for (guint j = 0; j < i; j++)
      ck_assert_msg(schedulers[i] != schedulers[j], "parameters %u and %u share", i, j);
  }
  for (guint i = 0; i < N; i++)
    swin_scheduler_unref(schedulers[i]);
}
END_TEST

static gpointer make_classifier(gpointer data) {
  const SwinClassifierParams *params = data;
  return swin_classifier_new(device, model, params, NULL);
}

/* Some wait for others, or fail like them, and nobody is left behind. */
START_TEST(test_made_at_once) {
  enum { THREADS = 9 };
  for (guint round = 0; round < 3; round++) {
    SwinClassifierParams *params[3] = {other_params(0), other_params(round), other_params(0)};
    swin_classifier_params_set_std(params[2], (gfloat[]){0.0f, 1.0f, 1.0f});
    GThread *threads[THREADS];
    for (guint i = 0; i < THREADS; i++)
      threads[i] = g_thread_new("maker", make_classifier, params[i % 3]);
    for (guint i = 0; i < THREADS; i++) {
      SwinClassifier *classifier = g_thread_join(threads[i]);
      ck_assert((classifier == NULL) == (i % 3 == 2));
      swin_classifier_unref(classifier);
    }
    for (guint i = 0; i < G_N_ELEMENTS(params); i++)
      swin_classifier_params_free(params[i]);
  }
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("params");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_activation);
  tcase_add_test(cases, test_overrides);
  tcase_add_test(cases, test_crop_modes);
  tcase_add_test(cases, test_set_back);
  tcase_add_test(cases, test_refused_normalisation);
  tcase_add_test(cases, test_refused_resize_without_cut);
  tcase_add_test(cases, test_refused_sizes_and_choices);
  tcase_add_test(cases, test_refused_models);
  tcase_add_test(cases, test_sharing);
  tcase_add_test(cases, test_made_at_once);
  tcase_set_timeout(cases, 60);
  return run_cases("params", cases);
}
