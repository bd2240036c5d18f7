// SPDX-License-Identifier: LGPL-2.1-or-later
/* Whole networks against what PyTorch computed in float64 (tests/golden/make.py). */
#include <math.h>
#include <string.h>

#include "model/safetensors.h"
#include "network/family.h"
#include "network/storage.h"
#include "operations/harness.h"
#include "reference/reference.h"

/* As parts of the standard deviation of each tensor. The twins round each activation to float once:
 * 6e-8 of values of up to some deviations, through some twenty operations. The device rounds every
 * step of every sum; the project promises 1e-4 for Swin-T, which is several times as deep. */
#define REFERENCE_TOLERANCE 2e-6
#define DEVICE_TOLERANCE 1e-5

/* Swin V2 multiplies cosines by up to 100 on their way into the softmax, and with them what queries
 * and keys were rounded by. PyTorch's own float32 is off by up to 1e-5 in these cases. */
#define COSINE_FACTOR 5

/* Half precision has 11 digits: storing a value changes it by up to 4.9e-4 of itself, by 1.4e-4 of
 * the deviation as a rule. A dozen to two dozen activations are stored one after the other, and
 * every product's weights are rounded as well: 1e-3 as a rule, and of thousands of values the
 * farthest is off by some times that. The twins, which round at these places and nowhere else, are
 * off by up to 8.6e-3, of V2 by 3.0e-2; who sums in another order has other values rounded the
 * other way, and another value is the farthest. */
#define HALF_TOLERANCE 2e-2

#define TOP_K 3

/* One reference of a golden model. */
typedef struct {
  const gchar *name;      /* folder */
  const gchar *reference; /* file, without its ending */
  const gchar
      *dialect;      /* (nullable): the only one whose code gives this; NULL: all of the folder */
  gboolean resized;  /* made at another image size than the model's own */
  guint window_size; /* option; 0: the model's own */
} GoldenCase;

static const GoldenCase resized[] = {
    {"regular", "resized", NULL, TRUE, 5},
    {"v2-regular", "resized", NULL, TRUE, 3},
    {"position-embedding", "resized", NULL, TRUE, 0},
    {"vit", "resized-hf", "hf", TRUE, 0},
    {"vit", "resized-timm", "timm", TRUE, 0},
    {"deit", "resized-timm", "timm", TRUE, 0},
};

static const gchar *const dialects[] = {"hf", "timm", "microsoft", "torchvision"};
static GPtrArray *cases; /* (element-type GoldenCase) */

static void fail_on_error(const gchar *what, gboolean done, const GError *error) {
  ck_assert_msg(done, "%s: %s", what, error != NULL ? error->message : "no error is set");
}

static SwinSafetensors *open_reference(const GoldenCase *golden) {
  g_autoptr(GError) error = NULL;
  g_autofree gchar *file_name = g_strdup_printf("%s.safetensors", golden->reference);
  g_autofree gchar *path = g_build_filename(GOLDEN_DIR, golden->name, file_name, NULL);
  SwinSafetensors *file = swin_safetensors_open(path, &error);

  fail_on_error(path, file != NULL, error);
  return file;
}

/* (transfer full): the values of a tensor of the reference. */
static float *read_reference(SwinSafetensors *file, const gchar *name, SwinTensor *tensor) {
  g_autoptr(GError) error = NULL;

  fail_on_error(name, swin_safetensors_lookup(file, name, tensor, &error), error);
  float *values = g_new(float, tensor->n_elements);
  swin_tensor_read(tensor, 0, tensor->n_elements, values);
  return values;
}

/* (transfer full) (nullable): NULL where the case has no such dialect. */
static SwinModel *load_model(const GoldenCase *golden, SwinSafetensors *file,
                             const gchar *dialect) {
  g_autoptr(GError) error = NULL;
  g_autofree gchar *path = g_build_filename(GOLDEN_DIR, golden->name, dialect, NULL);
  SwinTensor input;

  if (!g_file_test(path, G_FILE_TEST_IS_DIR) ||
      (golden->dialect != NULL && strcmp(golden->dialect, dialect) != 0))
    return NULL;
  SwinModelOptions *options = swin_model_options_new();
  fail_on_error("input", swin_safetensors_lookup(file, "input", &input, &error), error);
  if (golden->resized)
    swin_model_options_set_image_size(options, (guint)input.shape[3], (guint)input.shape[2]);
  swin_model_options_set_window_size(options, golden->window_size);
  SwinModel *model = swin_model_load(path, options, &error);
  swin_model_options_free(options);
  fail_on_error(path, model != NULL, error);
  return model;
}

static gdouble standard_deviation(const float *values, guint64 n) {
  gdouble mean = 0.0, squares = 0.0;

  for (guint64 i = 0; i < n; i++)
    mean += (gdouble)values[i] / (gdouble)n;
  for (guint64 i = 0; i < n; i++)
    squares += ((gdouble)values[i] - mean) * ((gdouble)values[i] - mean) / (gdouble)n;
  return sqrt(squares);
}

/* The largest difference between an output and what PyTorch computed, in standard deviations. */
static void check_output(const gchar *what, const SwinPlan *plan, gint number,
                         float *const *tensors, SwinSafetensors *file, gdouble tolerance) {
  const SwinPlanTensor *actual = swin_plan_get_tensor(plan, number);
  SwinTensor expected;
  g_autofree float *values = read_reference(file, actual->name, &expected);
  gdouble deviation = standard_deviation(values, expected.n_elements), worst = 0.0;

  ck_assert_uint_eq(actual->n_dims, expected.n_dims);
  for (guint i = 0; i < actual->n_dims; i++)
    ck_assert_uint_eq(actual->shape[i], expected.shape[i]);
  for (guint64 i = 0; i < expected.n_elements; i++) {
    gdouble difference = fabs((gdouble)tensors[number][i] - (gdouble)values[i]) / deviation;

    worst = difference <= worst ? worst : difference;
  }
  if (g_getenv("SWIN_TEST_VERBOSE") != NULL)
    g_print("%s %s: %.2e of the deviation\n", what, actual->name, worst);
  ck_assert_msg(worst <= tolerance, "%s: %s differs from PyTorch by %g of the deviation", what,
                actual->name, worst);
}

/* Every output but the tags against PyTorch, which computed no others. */
static void check_outputs(const gchar *what, SwinModel *model, const SwinPlan *plan,
                          float *const *tensors, SwinSafetensors *file, gdouble tolerance) {
  guint n_checked = 0;

  if (swin_model_get_config(model)->family == SWIN_FAMILY_SWIN_V2)
    tolerance *= COSINE_FACTOR;

  for (gint i = 0; i < (gint)swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, i);

    if (!tensor->is_output || strcmp(tensor->name, "tags") == 0)
      continue;
    check_output(what, plan, i, tensors, file, tolerance);
    n_checked++;
  }
  ck_assert_uint_eq(n_checked + 1, swin_safetensors_get_names(file)->len); /* and the input */
}

/* A plan for the first @batch images of the reference, and its tensors with the input filled. */
static SwinPlan *make_plan(SwinModel *model, SwinSafetensors *file, guint64 batch,
                           SwinStorage storage, gboolean fused, float ***tensors) {
  SwinTensor input;
  g_autofree float *pixels = read_reference(file, "input", &input);
  const SwinPlanOptions options = {.batch = (guint)batch,
                                   .top_k = TOP_K,
                                   .keep_stages = TRUE,
                                   .storage = storage,
                                   .fused = fused};
  SwinPlan *plan = swin_family_plan(model, &options);
  gint number = swin_plan_find(plan, "input");
  const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, number);

  swin_plan_finish(plan, swin_network_alignment(harness_device()), 0);
  for (guint i = 1; i < 4; i++)
    ck_assert_uint_eq(tensor->shape[i], input.shape[i]);
  *tensors = reference_tensors_new(plan);
  memcpy((*tensors)[number], pixels, tensor->n_elements * sizeof(float));
  return plan;
}

static guint64 reference_batch(SwinSafetensors *file) {
  g_autoptr(GError) error = NULL;
  SwinTensor input;

  fail_on_error("input", swin_safetensors_lookup(file, "input", &input, &error), error);
  return input.shape[0];
}

START_TEST(reference_against_pytorch) {
  const GoldenCase *golden = g_ptr_array_index(cases, (guint)_i);
  g_autoptr(SwinSafetensors) file = open_reference(golden);

  for (guint i = 0; i < G_N_ELEMENTS(dialects); i++) {
    g_autoptr(SwinModel) model = load_model(golden, file, dialects[i]);
    g_autofree gchar *what =
        g_strdup_printf("%s/%s (%s) by the twins", golden->name, golden->reference, dialects[i]);
    float **tensors;

    if (model == NULL)
      continue;
    g_autoptr(SwinPlan) plan =
        make_plan(model, file, reference_batch(file), SWIN_STORAGE_F32, FALSE, &tensors);
    reference_run(plan, tensors);
    check_outputs(what, model, plan, tensors, file, REFERENCE_TOLERANCE);
    reference_tensors_free(plan, tensors);
  }
}
END_TEST

/* The first of the dialects that the case has. */
static SwinModel *load_any(const GoldenCase *golden, SwinSafetensors *file) {
  SwinModel *model = NULL;

  for (guint i = 0; model == NULL && i < G_N_ELEMENTS(dialects); i++)
    model = load_model(golden, file, dialects[i]);
  ck_assert_ptr_nonnull(model);
  return model;
}

static gdouble tolerance_of(SwinStorage storage, gdouble in_float32) {
  return storage == SWIN_STORAGE_F16 ? HALF_TOLERANCE : in_float32;
}

static const struct {
  const gchar *name;
  SwinStorage storage;
  gboolean fused;
} other_plans[] = {
    {"fused", SWIN_STORAGE_F32, TRUE},
    {"in half precision", SWIN_STORAGE_F16, FALSE},
    {"fused and in half precision", SWIN_STORAGE_F16, TRUE},
};

START_TEST(other_plans_against_pytorch) {
  const GoldenCase *golden = g_ptr_array_index(cases, (guint)_i);
  g_autoptr(SwinSafetensors) file = open_reference(golden);
  g_autoptr(SwinModel) model = load_any(golden, file);

  for (guint i = 0; i < G_N_ELEMENTS(other_plans); i++) {
    g_autofree gchar *what = g_strdup_printf("%s/%s by the twins, %s", golden->name,
                                             golden->reference, other_plans[i].name);
    float **tensors;
    g_autoptr(SwinPlan) plan = make_plan(model, file, reference_batch(file), other_plans[i].storage,
                                         other_plans[i].fused, &tensors);
    reference_run(plan, tensors);
    check_outputs(what, model, plan, tensors, file,
                  tolerance_of(other_plans[i].storage, REFERENCE_TOLERANCE));
    reference_tensors_free(plan, tensors);
  }
}
END_TEST

/* Runs @plan, of which it becomes the owner, and fetches its outputs into @tensors. */
static SwinNetwork *run_on_device(const gchar *what, SwinPlan *plan, float *const *tensors) {
  g_autoptr(GError) error = NULL;
  SwinDevice *device = harness_device();
  g_autoptr(SwinWeights) weights = swin_weights_new(device, plan, &error);
  fail_on_error(what, weights != NULL, error);
  SwinNetwork *network = swin_network_new(device, plan, weights, NULL, &error);
  fail_on_error(what, network != NULL, error);
  SwinBuffer *arena = swin_network_get_arena(network);
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, &error);
  gint input = swin_plan_find(plan, "input");
  SwinBinding binding = swin_network_tensor(network, input, SWIN_ACCESS_READ);

  gboolean done = recorder != NULL &&
                  swin_buffer_write(arena, binding.offset, tensors[input], binding.size, &error) &&
                  swin_network_record(network, recorder, NULL, &error) &&
                  swin_recorder_finish(recorder, &error) && swin_recorder_run(recorder, &error);
  for (gint i = 0; done && i < (gint)swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, i);
    binding = swin_network_tensor(network, i, SWIN_ACCESS_READ);
    g_autofree gpointer stored = g_malloc(binding.size);
    if (!tensor->is_output)
      continue;
    done = swin_buffer_read(arena, binding.offset, stored, binding.size, &error);
    swin_storage_read(tensor->storage, stored, tensor->n_elements, tensors[i]);
  }
  fail_on_error(what, done, error);
  return network;
}

/* The tags follow from the logits that the device computed. */
static void check_tags(const gchar *what, const SwinPlan *plan, float *const *tensors) {
  gint number = swin_plan_find(plan, "tags"), logits = swin_plan_find(plan, "logits");
  if (logits == SWIN_PLAN_NO_TENSOR) {
    ck_assert_int_eq(number, SWIN_PLAN_NO_TENSOR);
    return;
  }
  const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, number);
  const SwinOperation *last = swin_plan_get_operation(plan, swin_plan_get_n_operations(plan) - 1);
  g_autofree float **copy = g_memdup2(tensors, swin_plan_get_n_tensors(plan) * sizeof(float *));
  g_autofree float *expected = g_new0(float, tensor->n_elements);

  ck_assert_int_eq(last->inputs[0], logits);
  copy[number] = expected;
  reference_top_k(plan, last, copy);
  for (guint64 i = 0; i < tensor->n_elements; i += 2) {
    ck_assert_msg(memcmp(&expected[i], &tensors[number][i], sizeof(guint32)) == 0,
                  "%s: tag %" G_GUINT64_FORMAT " is of another class", what, i / 2);
    ck_assert_float_eq_tol(tensors[number][i + 1], expected[i + 1], 1e-6f);
  }
}

/* Bit by bit: the outputs of the first @batch images. */
static void check_equal(const gchar *what, const SwinPlan *plan, float *const *some,
                        float *const *others) {
  for (gint i = 0; i < (gint)swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, i);

    if (tensor->is_output && memcmp(some[i], others[i], tensor->n_elements * sizeof(float)) != 0)
      ck_abort_msg("%s: %s is not the same", what, tensor->name);
  }
}

static gboolean fuses(void) {
  return swin_network_fuses(harness_device());
}

/* An image's result does not depend on what it is computed together with. */
static void check_batch_of_one(const gchar *what, SwinModel *model, SwinSafetensors *file,
                               float *const *together) {
  float **alone;
  SwinPlan *plan = make_plan(model, file, 1, SWIN_STORAGE_F32, fuses(), &alone);
  SwinNetwork *network = run_on_device(what, plan, alone);

  check_equal(what, plan, alone, together);
  reference_tensors_free(plan, alone);
  swin_network_free(network);
}

START_TEST(device_against_pytorch) {
  const GoldenCase *golden = g_ptr_array_index(cases, (guint)_i);
  g_autoptr(SwinSafetensors) file = open_reference(golden);
  SwinNetwork *networks[G_N_ELEMENTS(dialects)] = {NULL};
  float **tensors[G_N_ELEMENTS(dialects)] = {NULL};
  guint first = G_N_ELEMENTS(dialects);

  for (guint i = 0; i < G_N_ELEMENTS(dialects); i++) {
    g_autoptr(SwinModel) model = load_model(golden, file, dialects[i]);
    g_autofree gchar *what =
        g_strdup_printf("%s/%s (%s) on the device", golden->name, golden->reference, dialects[i]);

    if (model == NULL)
      continue;
    SwinPlan *plan =
        make_plan(model, file, reference_batch(file), SWIN_STORAGE_F32, fuses(), &tensors[i]);
    networks[i] = run_on_device(what, plan, tensors[i]);
    check_outputs(what, model, plan, tensors[i], file, DEVICE_TOLERANCE);
    check_tags(what, plan, tensors[i]);
    /* make.py writes a case in several dialects only where their rules give the same network. */
    first = MIN(first, i);
    check_equal(what, plan, tensors[i], tensors[first]);
    if (first == i && reference_batch(file) > 1)
      check_batch_of_one(what, model, file, tensors[i]);
  }
  ck_assert_uint_lt(first, G_N_ELEMENTS(dialects));
  for (guint i = 0; i < G_N_ELEMENTS(dialects); i++)
    if (networks[i] != NULL) {
      reference_tensors_free(swin_network_get_plan(networks[i]), tensors[i]);
      swin_network_free(networks[i]);
    }
}
END_TEST

/* What else than itself the device can be made to be. */
static const struct {
  const gchar *name;
  SwinDeviceKind kind;
  SwinStorage storage;
  gboolean with_matrices;
} settings[] = {
    {"kernels for GPUs", SWIN_DEVICE_KIND_DISCRETE, SWIN_STORAGE_F32, FALSE},
    {"kernels for GPUs in half precision", SWIN_DEVICE_KIND_DISCRETE, SWIN_STORAGE_F16, FALSE},
    {"matrices", SWIN_DEVICE_KIND_DISCRETE, SWIN_STORAGE_F16, TRUE},
    {"kernels for processors in half precision", SWIN_DEVICE_KIND_CPU, SWIN_STORAGE_F16, FALSE},
};

static gboolean is_there(guint setting) {
  const SwinExtensions *extensions = swin_device_get_extensions(harness_device());

  return (settings[setting].storage == SWIN_STORAGE_F32 || extensions->half) &&
         (!settings[setting].with_matrices || extensions->n_matrix_shapes > 0);
}

START_TEST(kernels_against_pytorch) {
  const GoldenCase *golden = g_ptr_array_index(cases, (guint)_i);
  g_autoptr(SwinSafetensors) file = open_reference(golden);
  g_autoptr(SwinModel) model = load_any(golden, file);

  for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
    g_autofree gchar *what =
        g_strdup_printf("%s/%s, %s", golden->name, golden->reference, settings[i].name);
    float **tensors;

    if (!is_there(i))
      continue;
    harness_pretend(settings[i].kind);
    if (!settings[i].with_matrices)
      harness_disable_matrices();
    SwinPlan *plan =
        make_plan(model, file, reference_batch(file), settings[i].storage, fuses(), &tensors);
    SwinNetwork *network = run_on_device(what, plan, tensors);
    harness_restore();
    check_outputs(what, model, plan, tensors, file,
                  tolerance_of(settings[i].storage, DEVICE_TOLERANCE));
    check_tags(what, plan, tensors);
    reference_tensors_free(plan, tensors);
    swin_network_free(network);
  }
}
END_TEST

static GPtrArray *list_cases(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GDir) folder = g_dir_open(GOLDEN_DIR, 0, &error);
  GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
  const gchar *name;

  if (folder == NULL)
    g_error("%s", error->message);
  while ((name = g_dir_read_name(folder)) != NULL) {
    const GoldenCase golden = {.name = g_intern_string(name), .reference = "reference"};
    g_autofree gchar *path = g_build_filename(GOLDEN_DIR, name, "reference.safetensors", NULL);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
      g_ptr_array_add(list, g_memdup2(&golden, sizeof(golden)));
  }
  for (guint i = 0; i < G_N_ELEMENTS(resized); i++)
    g_ptr_array_add(list, g_memdup2(&resized[i], sizeof(resized[i])));
  return list;
}

START_TEST(cases_are_there) {
  /* Of three families, in up to four dialects, with edge rules of their own. */
  ck_assert_uint_ge(cases->len, 30 + G_N_ELEMENTS(resized));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("golden models");
  TCase *twins = tcase_create("twins"), *on_device = tcase_create("device");

  harness_device();
  cases = list_cases();
  tcase_add_test(twins, cases_are_there);
  tcase_add_loop_test(twins, reference_against_pytorch, 0, (int)cases->len);
  tcase_add_loop_test(twins, other_plans_against_pytorch, 0, (int)cases->len);
  tcase_add_loop_test(on_device, device_against_pytorch, 0, (int)cases->len);
  tcase_add_loop_test(on_device, kernels_against_pytorch, 0, (int)cases->len);
  suite_add_tcase(suite, twins);
  suite_add_tcase(suite, on_device);
  int status = harness_run(suite);
  g_ptr_array_unref(cases);
  return status;
}
