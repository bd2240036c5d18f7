// SPDX-License-Identifier: LGPL-2.1-or-later
/* Precision takes effect: in the results, in the memory of weights, and where it is refused. */
#include "classifier/expected.h"
#include "classifier/fixture.h"
#include "model/export.h"
#include "network/family.h"
#include "network/network.h"
#include "run-cases.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Of the root mean square of an output, which is what half precision changes it by; see
 * HALF_TOLERANCE in ../network/test-golden.c. */
#define HALF_TOLERANCE 2e-2

static SwinModel *model;

static void setup(void) {
  model = fixture_model();
}

static void teardown(void) {
  g_unsetenv("SWIN_KERNELS");
  g_setenv("SWIN_DISABLE", "tuning,pipeline-cache", TRUE);
  g_clear_pointer(&model, swin_model_unref);
}

/* A device that chooses as GPUs do; without @half, as one without 16-bit storage. It reads the
 * environment when it is opened. */
static SwinDevice *open_gpu(gboolean half) {
  g_setenv("SWIN_KERNELS", "gpu", TRUE);
  if (!half)
    g_setenv("SWIN_DISABLE", "fp16,tuning,pipeline-cache", TRUE);
  return fixture_device();
}

static gboolean has_half(SwinDevice *device) {
  return swin_device_get_precision(device, SWIN_PRECISION_FP16) == SWIN_PRECISION_FP16;
}

static SwinClassifier *make_classifier(SwinDevice *device, SwinPrecision precision,
                                       GError **error) {
  static const gchar *const names[] = {"stages.0", "pooled", "logits", NULL};
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_precision(params, precision);
  swin_classifier_params_set_outputs(params, names);
  return swin_classifier_new(device, model, params, error);
}

/* What auto, fp32 and fp16 come to. */
static void check_in_use(SwinDevice *device, SwinPrecision automatic) {
  const struct {
    SwinPrecision asked, expected;
  } all[] = {{SWIN_PRECISION_AUTO, automatic},
             {SWIN_PRECISION_FP32, SWIN_PRECISION_FP32},
             {SWIN_PRECISION_FP16, SWIN_PRECISION_FP16}};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
    if (all[i].asked == SWIN_PRECISION_FP16 && !has_half(device))
      continue;
    g_autoptr(GError) error = NULL;
    g_autoptr(SwinClassifier) classifier = make_classifier(device, all[i].asked, &error);
    ck_assert_msg(classifier != NULL, "%s", error ? error->message : "");
    ck_assert_int_eq(swin_classifier_get_precision(classifier), all[i].expected);
  }
}

START_TEST(test_in_use) {
  SwinDevice *device = fixture_device();
  const gboolean is_gpu = !swin_device_is_cpu(device);
  check_in_use(device, is_gpu && has_half(device) ? SWIN_PRECISION_FP16 : SWIN_PRECISION_FP32);
  swin_device_unref(device);

  SwinDevice *gpu = open_gpu(TRUE);
  check_in_use(gpu, has_half(gpu) ? SWIN_PRECISION_FP16 : SWIN_PRECISION_FP32);
  swin_device_unref(gpu);
}
END_TEST

START_TEST(test_refused) {
  g_autoptr(SwinDevice) device = open_gpu(FALSE);
  g_autoptr(GError) error = NULL;
  ck_assert(!has_half(device));
  check_in_use(device, SWIN_PRECISION_FP32);
  ck_assert_ptr_null(make_classifier(device, SWIN_PRECISION_FP16, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_DEVICE));
  ck_assert_msg(strstr(error->message, "use auto or fp32.") != NULL, "%s", error->message);
}
END_TEST

/** Kept: the outputs of a result. */
typedef struct {
  guint n_outputs;
  struct {
    gsize n_values;
    gfloat *values;
  } outputs[3];
} Kept;

static void keep(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                 gpointer user_data) {
  Kept *kept = user_data;
  for (guint i = 0; i < result->n_outputs; i++) {
    const SwinOutput *output = &result->outputs[i];
    gsize n_values = 1;
    for (guint j = 0; j < output->n_dims; j++)
      n_values *= output->dims[j];
    kept->outputs[i].n_values = n_values;
    kept->outputs[i].values = g_memdup2(output->values, n_values * sizeof(gfloat));
  }
  kept->n_outputs = result->n_outputs;
}

static void kept_clear(Kept *kept) {
  for (guint i = 0; i < kept->n_outputs; i++)
    g_free(kept->outputs[i].values);
}

static Kept run(SwinDevice *device, SwinPrecision precision, const SwinFrame *frame) {
  Kept kept = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinClassifier) classifier = make_classifier(device, precision, &error);
  ck_assert_msg(classifier != NULL, "%s", error ? error->message : "");
  ck_assert(swin_classifier_submit(classifier, frame, NULL, NULL, keep, &kept, NULL));
  swin_classifier_drain(classifier);
  ck_assert_uint_eq(kept.n_outputs, 3);
  return kept;
}

static gdouble relative_error(const gfloat *expected, const gfloat *actual, gsize n_values) {
  gdouble worst = 0.0, squares = 0.0;
  for (gsize i = 0; i < n_values; i++) {
    const gdouble difference = fabs((gdouble)expected[i] - (gdouble)actual[i]);
    squares += (gdouble)expected[i] * (gdouble)expected[i];
    worst = difference <= worst ? worst : difference;
  }
  return worst / sqrt(squares / (gdouble)n_values);
}

static void check_results(SwinDevice *device) {
  static const gchar *const names[] = {"stages.0", "pooled", "logits"};
  g_autoptr(FixturePicture) picture = fixture_picture_new(45, 37, 5);
  Kept single = run(device, SWIN_PRECISION_FP32, &picture->frame);
  Kept half = run(device, SWIN_PRECISION_FP16, &picture->frame);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    gsize n_values;
    g_autofree gfloat *expected =
        expected_output(model, swin_model_get_preprocessing(model), SWIN_STORAGE_F16,
                        &picture->frame, names[i], &n_values);
    ck_assert_uint_eq(half.outputs[i].n_values, n_values);
    ck_assert_uint_eq(single.outputs[i].n_values, n_values);
    ck_assert_msg(
        memcmp(half.outputs[i].values, single.outputs[i].values, n_values * sizeof(gfloat)) != 0,
        "%s is the same in both precisions", names[i]);
    ck_assert_double_le(relative_error(expected, half.outputs[i].values, n_values), HALF_TOLERANCE);
    ck_assert_double_le(relative_error(single.outputs[i].values, half.outputs[i].values, n_values),
                        HALF_TOLERANCE);
  }
  kept_clear(&single);
  kept_clear(&half);
}

/* Of both kinds of kernels: other results than those of float32, but in the low digits alone, and
 * maps that are stored in half precision are handed out in float32. */
START_TEST(test_results) {
  g_autoptr(SwinDevice) device = _i == 0 ? fixture_device() : open_gpu(TRUE);
  if (has_half(device))
    check_results(device);
}
END_TEST

static SwinWeights *get_weights(SwinDevice *device, SwinModel *of, SwinStorage storage) {
  const SwinPlanOptions options = {
      .batch = 1, .storage = storage, .fused = swin_network_fuses(device)};
  g_autoptr(SwinPlan) plan = swin_family_plan(of, &options);
  g_autoptr(GError) error = NULL;
  SwinWeights *weights = swin_weights_get(device, of, plan, &error);
  ck_assert_msg(weights != NULL, "%s", error ? error->message : "");
  return weights;
}

/* Each precision has its own weights, and those in half precision take half of the memory: all but
 * biases, norms and tables are halved, which are a hundredth of vit_tiny. */
START_TEST(test_weights) {
  g_autoptr(SwinDevice) device = _i == 0 ? fixture_device() : open_gpu(TRUE);
  g_autoptr(SwinModel) tiny = swin_model_new_random("vit_tiny", 1, NULL);
  if (!has_half(device))
    return;
  g_autoptr(SwinWeights) single = get_weights(device, tiny, SWIN_STORAGE_F32);
  g_autoptr(SwinWeights) half = get_weights(device, tiny, SWIN_STORAGE_F16);
  g_autoptr(SwinWeights) again = get_weights(device, tiny, SWIN_STORAGE_F16);
  const gdouble share =
      (gdouble)swin_weights_get_buffer(half)->size / (gdouble)swin_weights_get_buffer(single)->size;
  ck_assert_ptr_ne(single, half);
  ck_assert_ptr_eq(half, again);
  ck_assert_double_gt(share, 0.5);
  ck_assert_double_lt(share, 0.55);
}
END_TEST

/* kB of the file at @path that are in this process's memory. */
static guint64 resident(const gchar *path) {
  g_autofree gchar *text = NULL;
  ck_assert(g_file_get_contents("/proc/self/smaps", &text, NULL, NULL));
  const gchar *mapping = strstr(text, path);
  ck_assert_ptr_nonnull(mapping);
  const gchar *field = strstr(mapping, "\nRss:");
  ck_assert_ptr_nonnull(field);
  return g_ascii_strtoull(field + strlen("\nRss:"), NULL, 10);
}

static gpointer read_slice(const SwinWeights *weights, SwinWeightsSlice slice) {
  const SwinBuffer *buffer = swin_weights_get_buffer(weights);
  gpointer values = g_malloc(slice.size);
  ck_assert(swin_buffer_read((SwinBuffer *)buffer, slice.offset, values, slice.size, NULL));
  return values;
}

/* Those of @loaded are read again, and are the model's from which its file was written. */
static void check_same_weights(SwinDevice *device, SwinModel *loaded) {
  const SwinStorage storage = has_half(device) ? SWIN_STORAGE_F16 : SWIN_STORAGE_F32;
  g_autoptr(SwinWeights) actual = get_weights(device, loaded, storage);
  g_autoptr(SwinWeights) expected = get_weights(device, model, storage);
  const SwinPlanOptions options = {.batch = 1, .fused = swin_network_fuses(device)};
  g_autoptr(SwinPlan) plan = swin_family_plan(model, &options);
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinWeightsSlice slice = swin_weights_get_slice(expected, i);
    if (slice.size == 0)
      continue;
    g_autofree gpointer one = read_slice(expected, slice), other = read_slice(actual, slice);
    ck_assert_msg(memcmp(one, other, slice.size) == 0, "%s has other weights",
                  swin_plan_get_operation(plan, i)->name);
  }
}

/* When weights are on the device, the pages that they were read from leave memory; they are read
 * again for another precision. */
START_TEST(test_file_leaves_memory) {
  g_autoptr(GError) error = NULL;
  g_autofree gchar *folder = g_dir_make_tmp("swin-precision-XXXXXX", &error);
  ck_assert(folder && swin_model_export(model, folder, SWIN_DTYPE_F32, &error));
  g_autofree gchar *path = g_build_filename(folder, "model.safetensors", NULL);
  g_autoptr(SwinModel) loaded = swin_model_load(folder, NULL, &error);
  ck_assert_msg(loaded != NULL, "%s", error ? error->message : "");
  g_autoptr(SwinDevice) device = fixture_device();
  ck_assert_uint_gt(resident(path), 0);
  g_autoptr(SwinWeights) weights = get_weights(device, loaded, SWIN_STORAGE_F32);
  ck_assert_uint_eq(resident(path), 0);
  check_same_weights(device, loaded);

  const gchar *const names[] = {"model.safetensors", "config.json", "preprocessor_config.json"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree gchar *file = g_build_filename(folder, names[i], NULL);
    g_remove(file);
  }
  g_rmdir(folder);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("precision");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_in_use);
  tcase_add_test(cases, test_refused);
  tcase_add_loop_test(cases, test_results, 0, 2);
  tcase_add_loop_test(cases, test_weights, 0, 2);
  tcase_add_test(cases, test_file_leaves_memory);
  tcase_set_timeout(cases, 120);
  return run_cases("precision", cases);
}
