// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tensors that are handed out with a result, and the weights, which all classifiers share. */
#include "classifier/expected.h"
#include "classifier/fixture.h"
#include "network/family.h"
#include "network/network.h"
#include "run-cases.h"

#include <math.h>
#include <string.h>

#define MAX_OUTPUTS 8

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

static SwinClassifierParams *make_params(const gchar *const *names, guint batch_size) {
  SwinClassifierParams *params = swin_classifier_params_new();
  swin_classifier_params_set_precision(params, SWIN_PRECISION_FP32);
  swin_classifier_params_set_outputs(params, names);
  swin_classifier_params_set_batch_size(params, batch_size);
  swin_classifier_params_set_batch_timeout(params, G_MAXINT64);
  return params;
}

static SwinClassifier *make_classifier(SwinModel *of, const SwinClassifierParams *params) {
  g_autoptr(GError) error = NULL;
  SwinClassifier *classifier = swin_classifier_new(device, of, params, &error);
  ck_assert_msg(classifier != NULL, "%s", error ? error->message : "");
  return classifier;
}

/** Kept: a result that outlives its callback. */
typedef struct {
  gboolean arrived, failed;
  guint n_outputs;
  SwinOutput outputs[MAX_OUTPUTS]; /* values are owned; the names are the classifier's */
} Kept;

static gsize count_values(const SwinOutput *output) {
  gsize n = 1;
  for (guint i = 0; i < output->n_dims; i++)
    n *= output->dims[i];
  return n;
}

static void keep(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                 gpointer user_data) {
  Kept *kept = user_data;
  kept->arrived = TRUE;
  kept->failed = result->error != NULL;
  kept->n_outputs = result->n_outputs;
  for (guint i = 0; i < result->n_outputs; i++) {
    kept->outputs[i] = result->outputs[i];
    kept->outputs[i].values =
        g_memdup2(result->outputs[i].values, count_values(&result->outputs[i]) * sizeof(gfloat));
  }
}

static void kept_clear(Kept *kept) {
  for (guint i = 0; i < kept->n_outputs; i++)
    g_free((gpointer)kept->outputs[i].values);
}

static void check_output(SwinModel *of, const SwinFrame *frame, const SwinOutput *output) {
  gsize n_values;
  g_autofree gfloat *expected = expected_output(of, swin_model_get_preprocessing(of),
                                                SWIN_STORAGE_F32, frame, output->name, &n_values);
  ck_assert_uint_eq(count_values(output), n_values);
  for (gsize i = 0; i < n_values; i++)
    ck_assert_msg(fabsf(output->values[i] - expected[i]) <= 1e-5f * (1.0f + fabsf(expected[i])),
                  "%s[%zu] is %g instead of %g", output->name, i, (gdouble)output->values[i],
                  (gdouble)expected[i]);
}

/* Three batches of three pictures, so that both slots are used again. */
START_TEST(test_outputs_are_those_of_the_frame) {
  enum { N = 9 };
  static const gchar *const names[] = {"stages.1", "logits", "stages.0", "pooled", NULL};
  g_autoptr(SwinClassifierParams) params = make_params(names, 3);
  g_autoptr(SwinClassifier) classifier = make_classifier(model, params);
  FixturePicture *pictures[N];
  Kept kept[N] = {{0}};
  for (guint i = 0; i < N; i++) {
    pictures[i] = fixture_picture_new(20 + 13 * i, 70 - 5 * i, i);
    ck_assert(
        swin_classifier_submit(classifier, &pictures[i]->frame, NULL, NULL, keep, &kept[i], NULL));
  }
  swin_classifier_drain(classifier);
  for (guint i = 0; i < N; i++) {
    ck_assert(kept[i].arrived && !kept[i].failed);
    ck_assert_uint_eq(kept[i].n_outputs, 4);
    for (guint j = 0; j < kept[i].n_outputs; j++) {
      ck_assert_str_eq(kept[i].outputs[j].name, names[j]);
      check_output(model, &pictures[i]->frame, &kept[i].outputs[j]);
    }
    kept_clear(&kept[i]);
    fixture_picture_free(pictures[i]);
  }
}
END_TEST

static void check_dims(const SwinOutput *output, guint n_dims, const guint *dims) {
  ck_assert_uint_eq(output->n_dims, n_dims);
  for (guint i = 0; i < n_dims; i++)
    ck_assert_uint_eq(output->dims[i], dims[i]);
}

static Kept classify(SwinClassifier *classifier, const SwinFrame *frame) {
  Kept kept = {0};
  ck_assert(swin_classifier_submit(classifier, frame, NULL, NULL, keep, &kept, NULL));
  swin_classifier_drain(classifier);
  ck_assert(kept.arrived);
  return kept;
}

/* 32 x 32 pixels, patches of 4, 16 channels: 8 x 8 tokens, merged once. */
START_TEST(test_dims) {
  static const gchar *const names[] = {"stages.0", "pooled", "logits", "logits", NULL};
  g_autoptr(SwinClassifierParams) params = make_params(names, 1);
  g_autoptr(SwinClassifier) classifier = make_classifier(model, params);
  g_autoptr(FixturePicture) picture = fixture_picture_new(33, 31, 1);
  Kept kept = classify(classifier, &picture->frame);
  ck_assert_uint_eq(kept.n_outputs, 4);
  check_dims(&kept.outputs[0], 3, (guint[]){4, 4, 32});
  check_dims(&kept.outputs[1], 1, (guint[]){32});
  check_dims(&kept.outputs[2], 1, (guint[]){10});
  check_dims(&kept.outputs[3], 1, (guint[]){10});
  ck_assert_mem_eq(kept.outputs[2].values, kept.outputs[3].values, 10 * sizeof(gfloat));
  kept_clear(&kept);
}
END_TEST

START_TEST(test_outputs_of_a_vit) {
  static const gchar *const names[] = {"stages.0", "pooled", NULL};
  SwinModelConfig config;
  swin_model_config_default(SWIN_FAMILY_VIT, &config);
  config.image_height = 32;
  config.image_width = 48;
  config.patch_size = 16;
  config.embed_dim = 24;
  config.depths[0] = 2;
  config.n_heads[0] = 3;
  config.n_classes = 7;
  g_autoptr(SwinModel) vit = swin_model_new_from_config("vit", &config, 3);
  g_autoptr(SwinClassifierParams) params = make_params(names, 1);
  g_autoptr(SwinClassifier) classifier = make_classifier(vit, params);
  g_autoptr(FixturePicture) picture = fixture_picture_new(50, 40, 2);
  Kept kept = classify(classifier, &picture->frame);
  ck_assert_uint_eq(kept.n_outputs, 2);
  check_dims(&kept.outputs[0], 3, (guint[]){1, config.n_prefix_tokens + 6, 24});
  for (guint i = 0; i < kept.n_outputs; i++)
    check_output(vit, &picture->frame, &kept.outputs[i]);
  kept_clear(&kept);
}
END_TEST

START_TEST(test_nothing_is_handed_out_unasked) {
  static const gchar *const names[] = {"pooled", NULL}, *const none[] = {NULL};
  g_autoptr(FixturePicture) picture = fixture_picture_new(40, 40, 3);
  for (guint i = 0; i < 3; i++) {
    g_autoptr(SwinClassifierParams) params = make_params(i == 0 ? NULL : names, 1);
    if (i > 0)
      swin_classifier_params_set_outputs(params, i == 1 ? none : NULL);
    g_autoptr(SwinClassifier) classifier = make_classifier(model, params);
    const Kept kept = classify(classifier, &picture->frame);
    ck_assert(!kept.failed);
    ck_assert_uint_eq(kept.n_outputs, 0);
  }
}
END_TEST

START_TEST(test_a_cancelled_frame_has_none) {
  static const gchar *const names[] = {"pooled", NULL};
  g_autoptr(SwinClassifierParams) params = make_params(names, 2);
  g_autoptr(SwinClassifier) classifier = make_classifier(model, params);
  g_autoptr(FixturePicture) picture = fixture_picture_new(40, 40, 3);
  Kept kept = {0};
  ck_assert(swin_classifier_submit(classifier, &picture->frame, NULL, NULL, keep, &kept, NULL));
  swin_classifier_cancel(classifier);
  swin_classifier_drain(classifier);
  ck_assert(kept.arrived && kept.failed);
  ck_assert_uint_eq(kept.n_outputs, 0);
}
END_TEST

START_TEST(test_unknown_names_are_refused) {
  static const gchar *const wrong[] = {"stages.2", "tags", "input", "", "Logits", "\xff"};
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    const gchar *const names[] = {"pooled", wrong[i], NULL};
    g_autoptr(SwinClassifierParams) params = make_params(names, 1);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(swin_classifier_new(device, model, params, &error));
    ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_CONFIG));
    ck_assert_msg(strstr(error->message, "it has stages.0, stages.1, pooled and logits.") != NULL,
                  "%s", error->message);
    ck_assert(g_utf8_validate(error->message, -1, NULL));
  }
}
END_TEST

START_TEST(test_activation_in_use) {
  SwinModelConfig config;
  fixture_config(&config);
  config.activation = SWIN_ACTIVATION_SIGMOID;
  g_autoptr(SwinModel) tagger = swin_model_new_from_config("tagger", &config, 7);
  g_autoptr(SwinClassifier) of_softmax = make_classifier(model, NULL);
  g_autoptr(SwinClassifier) of_sigmoid = make_classifier(tagger, NULL);
  ck_assert_int_eq(swin_classifier_get_activation(of_softmax), SWIN_ACTIVATION_SOFTMAX);
  ck_assert_int_eq(swin_classifier_get_activation(of_sigmoid), SWIN_ACTIVATION_SIGMOID);
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_activation(params, SWIN_ACTIVATION_SOFTMAX);
  g_autoptr(SwinClassifier) asked = make_classifier(tagger, params);
  ck_assert_int_eq(swin_classifier_get_activation(asked), SWIN_ACTIVATION_SOFTMAX);
}
END_TEST

/* ---- Weights -------------------------------------------------------------------------------- */

static PFN_vkCreateBuffer create_buffer;
static VkDeviceSize weights_size;
static gint n_weights; /* atomic: buffers of that size that were created */

static VkResult VKAPI_CALL count_weights(VkDevice handle, const VkBufferCreateInfo *info,
                                         const VkAllocationCallbacks *callbacks, VkBuffer *buffer) {
  g_atomic_int_add(&n_weights, info->size == weights_size);
  return create_buffer(handle, info, callbacks, buffer);
}

static SwinWeights *get_weights(SwinModel *of) {
  const SwinPlanOptions options = {.batch = 1, .top_k = 1, .fused = swin_network_fuses(device)};
  g_autoptr(SwinPlan) plan = swin_family_plan(of, &options);
  SwinWeights *weights = swin_weights_get(device, of, plan, NULL);
  ck_assert(weights != NULL);
  return weights;
}

static gpointer make_other(gpointer data) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_precision(params, SWIN_PRECISION_FP32);
  swin_classifier_params_set_top_k(params, 1 + GPOINTER_TO_UINT(data));
  return make_classifier(model, params);
}

/* Whatever the parameters, also when they are made at once; and they go with the last one. */
START_TEST(test_weights_are_resident_once) {
  enum { N = 5 };
  SwinWeights *weights = get_weights(model);
  weights_size = swin_weights_get_buffer(weights)->size;
  swin_weights_unref(weights);
  SwinDeviceFunctions *functions = swin_device_functions(device);
  create_buffer = functions->CreateBuffer;
  functions->CreateBuffer = count_weights;
  g_atomic_int_set(&n_weights, 0);
  for (gint round = 1; round <= 2; round++) {
    GThread *threads[N];
    SwinClassifier *classifiers[N];
    for (guint i = 0; i < N; i++)
      threads[i] = g_thread_new("maker", make_other, GUINT_TO_POINTER(i));
    for (guint i = 0; i < N; i++)
      classifiers[i] = g_thread_join(threads[i]);
    ck_assert_int_eq(g_atomic_int_get(&n_weights), round);
    for (guint i = 0; i < N; i++)
      swin_classifier_unref(classifiers[i]);
  }
  functions->CreateBuffer = create_buffer;
}
END_TEST

START_TEST(test_other_models_have_other_weights) {
  g_autoptr(SwinModel) twin = fixture_model();
  g_autoptr(SwinWeights) one = get_weights(model);
  g_autoptr(SwinWeights) again = get_weights(model);
  g_autoptr(SwinWeights) other = get_weights(twin);
  ck_assert_ptr_eq(one, again);
  ck_assert_ptr_ne(one, other);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("outputs");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_outputs_are_those_of_the_frame);
  tcase_add_test(cases, test_dims);
  tcase_add_test(cases, test_outputs_of_a_vit);
  tcase_add_test(cases, test_nothing_is_handed_out_unasked);
  tcase_add_test(cases, test_a_cancelled_frame_has_none);
  tcase_add_test(cases, test_unknown_names_are_refused);
  tcase_add_test(cases, test_activation_in_use);
  tcase_add_test(cases, test_weights_are_resident_once);
  tcase_add_test(cases, test_other_models_have_other_weights);
  tcase_set_timeout(cases, 120);
  return run_cases("outputs", cases);
}
