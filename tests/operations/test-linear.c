// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

#include <math.h>
#include <string.h>

#include "network/linear-kernel.h"
#include "network/storage.h"

typedef struct {
  SwinLinearSource source;
  guint64 rows, depth;                    /* of SWIN_LINEAR_ROWS */
  guint64 shape[4];                       /* of the map or the picture otherwise */
  guint64 columns[SWIN_LINEAR_MAX_PARTS]; /* of each part; 0 where there is none */
  gboolean bias;
  SwinGelu gelu;
  gboolean residual;
  gboolean normed;
  guint patch_size;
  gboolean cut;
  gdouble mean; /* of the input's values, whose deviation is 1 */
} LinearShape;

/* Each of K additions rounds by up to 6e-8 of a partial sum that grows with the square root of its
 * terms; the errors add up like a random walk, to 6e-8 / 2 * sqrt(K / 2) on average. In the worst
 * of some thousand outputs the partial sums stray to three times their size and the walk to four
 * times its own. GELU's erf() is good to 4e-7, times half of an input of some deviations.
 *
 * A norm in the product multiplies all of that by how much larger the values are than their
 * differences from the mean, which the product of the mean takes away only at the end; and of a
 * mean far from 0, a deviation made of rounded values adds the same once more.
 *
 * Weights have been rounded to half precision before, and stay exact when they are multiplied by a
 * norm's, which are powers of two here. A picture's pixels are rounded by the kernels: each by 0.42
 * * 2^-11 of itself on average, and so is a sum of products whose errors are independent; the worst
 * of some million sums by up to six times that. */
static gdouble tolerance(SwinStorage storage, const LinearShape *shape, guint64 depth) {
  gdouble single = 2e-6 + 2.5e-7 * sqrt((gdouble)depth);
  gboolean rounds = storage == SWIN_STORAGE_F16 && shape->source == SWIN_LINEAR_PATCHES;

  if (shape->normed)
    single *= 1.0 + 2.0 * fabs(shape->mean);
  return single + (rounds ? 6 * 0.42 * 0x1p-11 : 0.0);
}

/* With the kernels of each kind, in both storages. */
enum { CPU_F32, GPU_F32, CPU_F16, TILES_F16, MATRIX_F16, N_VARIANTS };

/* Returns: FALSE where the device does not have it. */
static gboolean choose_variant(gint variant) {
  SwinDevice *device = harness_device();
  const SwinExtensions *extensions = swin_device_get_extensions(device);
  SwinStorage storage = variant >= CPU_F16 ? SWIN_STORAGE_F16 : SWIN_STORAGE_F32;

  if (storage == SWIN_STORAGE_F16 && !extensions->half)
    return FALSE;
  harness_pretend(variant == CPU_F32 || variant == CPU_F16 ? SWIN_DEVICE_KIND_CPU
                                                           : SWIN_DEVICE_KIND_DISCRETE);
  harness_storage(storage);
  if (variant == MATRIX_F16)
    return swin_linear_kind(device, storage) == SWIN_LINEAR_KIND_MATRIX;
  harness_disable_matrices();
  return TRUE;
}

static guint64 depth_of(const LinearShape *shape) {
  switch (shape->source) {
  case SWIN_LINEAR_ROWS:
    return shape->depth;
  case SWIN_LINEAR_MERGING:
    return 4 * shape->shape[3];
  case SWIN_LINEAR_PATCHES:
    return shape->shape[1] * shape->patch_size * shape->patch_size;
  }
  g_assert_not_reached();
}

static SwinTensor make_weight(HarnessCase *test, guint n_dims, guint64 rows, guint64 depth,
                              gdouble mean, gdouble deviation) {
  SwinTensor weight = harness_case_weight(test, n_dims, rows, depth, mean, deviation);

  if (n_dims == 2)
    swin_storage_round(swin_plan_get_storage(test->plan), (float *)weight.data, weight.n_elements);
  return weight;
}

static SwinTensor make_norm_weight(HarnessCase *test, guint64 depth) {
  SwinTensor weight = make_weight(test, 1, depth, 1, 0.0, 1.0);
  float *values = (float *)weight.data;

  for (guint64 i = 0; i < depth; i++)
    values[i] = values[i] < -0.7f ? -0.5f : values[i] < 0.7f ? 1.0f : 2.0f;
  return weight;
}

static gint add_input(HarnessCase *test, const LinearShape *shape) {
  const guint64 rows[] = {shape->rows, shape->depth};

  switch (shape->source) {
  case SWIN_LINEAR_ROWS:
    return harness_case_input(test, 2, rows);
  case SWIN_LINEAR_MERGING:
    return harness_case_input(test, 4, shape->shape);
  case SWIN_LINEAR_PATCHES:
    return swin_plan_add_input(test->plan, "picture", SWIN_STORAGE_F32, 4, shape->shape);
  }
  g_assert_not_reached();
}

/* The shape of what the product adds its residual to. */
static gint add_residual(HarnessCase *test, const LinearShape *shape, guint64 columns) {
  guint64 down = shape->shape[1], across = shape->shape[2], side = 2;

  if (!shape->residual)
    return SWIN_PLAN_NO_TENSOR;
  if (shape->source == SWIN_LINEAR_ROWS)
    return harness_case_input(test, 2, (const guint64[]){shape->rows, columns});
  if (shape->source == SWIN_LINEAR_PATCHES) {
    down = shape->shape[2];
    across = shape->shape[3];
    side = shape->patch_size;
  }
  guint64 rest = shape->cut ? 0 : side - 1;
  const guint64 map[] = {shape->shape[0], (down + rest) / side, (across + rest) / side, columns};
  return harness_case_input(test, 4, map);
}

/* Returns: the input. */
static gint add_product(HarnessCase *test, const LinearShape *shape) {
  guint64 depth = depth_of(shape), columns = 0;
  SwinTensor weights[SWIN_LINEAR_MAX_PARTS], biases[SWIN_LINEAR_MAX_PARTS];
  const SwinTensor *weight_list[SWIN_LINEAR_MAX_PARTS], *bias_list[SWIN_LINEAR_MAX_PARTS];
  SwinTensor norm_weight = make_norm_weight(test, depth);
  SwinTensor norm_bias = make_weight(test, 1, depth, 1, 0.0, 0.3);
  const SwinTensor *norm[] = {&norm_weight, &norm_bias};
  SwinLinearParameters parameters = {
      .gelu = shape->gelu,
      .source = shape->source,
      .patch_size = shape->patch_size,
      .cut = shape->cut,
      .normed = shape->normed,
      .epsilon = 1e-5,
  };

  for (guint i = 0; i < SWIN_LINEAR_MAX_PARTS && shape->columns[i] > 0; i++) {
    weights[i] = make_weight(test, 2, shape->columns[i], depth, 0.0, 1.0 / sqrt((gdouble)depth));
    biases[i] = make_weight(test, 1, shape->columns[i], 1, 0.0, 0.5);
    weight_list[i] = &weights[i];
    bias_list[i] = &biases[i];
    columns += shape->columns[i];
    parameters.n_parts++;
  }
  gint input = add_input(test, shape);
  gint residual = add_residual(test, shape, columns);
  gint output =
      swin_plan_add_linear(test->plan, "linear", input, &parameters, weight_list,
                           shape->bias ? bias_list : NULL, shape->normed ? norm : NULL, residual);
  swin_plan_mark_output(test->plan, output, "output");
  return input;
}

static const gchar *const gelu_names[] = {"", " gelu", " tanh gelu"};
static const gchar *const source_names[] = {"", " merging", " patches"};

static HarnessCase *case_new(guint32 seed, const LinearShape *shape, const gchar *kernel) {
  return harness_case_new(
      seed, "linear%s %d x %d x (%d, %d, %d)%s%s%s%s%s", source_names[shape->source],
      (int)shape->rows, (int)depth_of(shape), (int)shape->columns[0], (int)shape->columns[1],
      (int)shape->columns[2], shape->bias ? " bias" : "", gelu_names[shape->gelu],
      shape->residual ? " residual" : "", shape->normed ? " normed" : "", kernel);
}

static void check_linear(guint32 seed, const LinearShape *shape, const gchar *kernel) {
  g_autoptr(HarnessCase) test = case_new(seed, shape, kernel);

  add_product(test, shape);
  harness_case_check(test, tolerance(swin_plan_get_storage(test->plan), shape, depth_of(shape)));
}

/* ---- The kernel that is chosen --------------------------------------------------------------- */

static const LinearShape shapes[] = {
    {.rows = 1, .depth = 1, .columns = {1}, .bias = TRUE},
    {.rows = 1, .depth = 1, .columns = {1}},
    {.rows = 3, .depth = 17, .columns = {49}, .bias = TRUE},
    {.rows = 17, .depth = 49, .columns = {3}, .residual = TRUE},
    {.rows = 49, .depth = 3, .columns = {97}, .bias = TRUE, .gelu = SWIN_GELU_EXACT},
    {.rows = 97,
     .depth = 97,
     .columns = {97},
     .bias = TRUE,
     .gelu = SWIN_GELU_EXACT,
     .residual = TRUE},
    {.rows = 16, .depth = 96, .columns = {96}, .bias = TRUE, .residual = TRUE},
    {.rows = 15, .depth = 96, .columns = {7}, .bias = TRUE},
    {.rows = 33, .depth = 18, .columns = {18, 18, 18}, .bias = TRUE},
    {.rows = 7, .depth = 24, .columns = {24, 24, 24}},
    {.rows = 5, .depth = 12, .columns = {1, 3, 17}, .bias = TRUE},
    {.rows = 2,
     .depth = 33,
     .columns = {33, 1},
     .bias = TRUE,
     .gelu = SWIN_GELU_EXACT,
     .residual = TRUE},
    {.rows = 49, .depth = 768, .columns = {64}, .bias = TRUE, .residual = TRUE},
    {.rows = 31, .depth = 48, .columns = {96}, .bias = TRUE},
    {.rows = 1, .depth = 768, .columns = {1000}, .bias = TRUE},
    {.rows = 65, .depth = 3072, .columns = {33}, .bias = TRUE},
    {.rows = 31,
     .depth = 48,
     .columns = {96},
     .bias = TRUE,
     .gelu = SWIN_GELU_EXACT,
     .residual = TRUE},
    {.rows = 5, .depth = 16, .columns = {32}, .residual = TRUE},
    {.rows = 2, .depth = 5, .columns = {4097}, .gelu = SWIN_GELU_EXACT},
    {.rows = 13,
     .depth = 21,
     .columns = {37},
     .bias = TRUE,
     .gelu = SWIN_GELU_TANH,
     .residual = TRUE},
    {.rows = 50, .depth = 64, .columns = {129}, .bias = TRUE, .gelu = SWIN_GELU_TANH},
    {.rows = 300, .depth = 8, .columns = {8}, .bias = TRUE},
    /* Norms: of one value, of shares that some invocations have nothing of, and of whole ones. */
    {.rows = 3, .depth = 1, .columns = {5}, .bias = TRUE, .normed = TRUE},
    {.rows = 5, .depth = 2, .columns = {3}, .normed = TRUE},
    {.rows = 9, .depth = 19, .columns = {18, 7, 18}, .bias = TRUE, .normed = TRUE},
    {.rows = 49, .depth = 96, .columns = {40}, .bias = TRUE, .normed = TRUE},
    {.rows = 70,
     .depth = 41,
     .columns = {41},
     .bias = TRUE,
     .gelu = SWIN_GELU_EXACT,
     .residual = TRUE,
     .normed = TRUE},
    {.rows = 2, .depth = 1536, .columns = {9}, .bias = TRUE, .normed = TRUE},
    /* Means far from 0: what the norm subtracts is lost from what is left. */
    {.rows = 20, .depth = 384, .columns = {24}, .bias = TRUE, .normed = TRUE, .mean = 8.0},
    {.rows = 20, .depth = 96, .columns = {24}, .bias = TRUE, .normed = TRUE, .mean = -50.0},
    /* Gathered rows, cut at the edges and not. */
    {.source = SWIN_LINEAR_MERGING, .shape = {1, 1, 1, 1}, .columns = {2}},
    {.source = SWIN_LINEAR_MERGING, .shape = {2, 7, 5, 3}, .columns = {6}, .normed = TRUE},
    {.source = SWIN_LINEAR_MERGING, .shape = {1, 6, 9, 24}, .columns = {48}, .normed = TRUE},
    {.source = SWIN_LINEAR_MERGING,
     .shape = {3, 5, 4, 8},
     .columns = {16},
     .bias = TRUE,
     .residual = TRUE},
    {.source = SWIN_LINEAR_PATCHES,
     .shape = {1, 3, 12, 20},
     .patch_size = 4,
     .columns = {24},
     .bias = TRUE},
    {.source = SWIN_LINEAR_PATCHES,
     .shape = {2, 1, 11, 13},
     .patch_size = 4,
     .columns = {9},
     .bias = TRUE,
     .residual = TRUE},
    {.source = SWIN_LINEAR_PATCHES,
     .shape = {1, 3, 10, 9},
     .patch_size = 2,
     .columns = {6},
     .bias = TRUE,
     .cut = TRUE},
    {.source = SWIN_LINEAR_PATCHES,
     .shape = {1, 3, 14, 20},
     .patch_size = 4,
     .columns = {8},
     .bias = TRUE,
     .cut = TRUE},
    {.source = SWIN_LINEAR_PATCHES,
     .shape = {1, 2, 15, 7},
     .patch_size = 5,
     .columns = {11},
     .bias = TRUE,
     .normed = TRUE},
};

/* The values of a case with a mean of its own. */
static void check_mean(guint32 seed, const LinearShape *shape) {
  g_autoptr(HarnessCase) test = case_new(seed, shape, " far from 0");
  SwinStorage storage = swin_plan_get_storage(test->plan);
  gint input = add_product(test, shape);
  guint64 n = shape->rows * shape->depth;
  SwinTensor values = harness_case_weight(test, 2, shape->rows, shape->depth, shape->mean, 1.0);
  g_autofree const float **inputs = g_new0(const float *, swin_plan_get_n_tensors(test->plan));

  inputs[input] = (const float *)values.data;
  HarnessRun *run = harness_case_run(test, inputs);
  gint output = swin_plan_find(test->plan, "output");
  gdouble limit = tolerance(storage, shape, shape->depth);
  g_assert(values.n_elements == n);
  for (guint64 i = 0; i < shape->rows * shape->columns[0]; i++) {
    gdouble expected = (gdouble)run->expected[output][i];
    gdouble stored = storage == SWIN_STORAGE_F16 ? fabs(expected) * 0x1p-11 : 0.0;

    ck_assert_msg(fabs((gdouble)run->actual[output][i] - expected) <= limit + stored,
                  "%s: %g, not %g", test->what, (gdouble)run->actual[output][i], expected);
  }
  harness_run_free(test, run);
}

START_TEST(odd_shapes) {
  const LinearShape *shape = &shapes[_i / N_VARIANTS];

  if (!choose_variant(_i % N_VARIANTS))
    return;
  if (shape->mean != 0.0)
    check_mean((guint32)_i, shape);
  else
    check_linear((guint32)_i, shape, "");
}
END_TEST

/* Of three parts only the middle one without a bias, as Swin V2's key is. */
START_TEST(one_bias_missing) {
  if (!choose_variant(_i))
    return;
  g_autoptr(HarnessCase) test = harness_case_new(1, "linear without the second bias");
  const guint64 shape[] = {9, 10};
  const SwinLinearParameters parameters = {.n_parts = 3};
  SwinTensor weights[3], bias = harness_case_weight(test, 1, 5, 1, 0.0, 0.5);
  const SwinTensor *weight_list[] = {&weights[0], &weights[1], &weights[2]};
  const SwinTensor *bias_list[] = {&bias, NULL, &bias};

  for (guint i = 0; i < 3; i++)
    weights[i] = make_weight(test, 2, 5, 10, 0.0, 0.3);
  gint output =
      swin_plan_add_linear(test->plan, "linear", harness_case_input(test, 2, shape), &parameters,
                           weight_list, bias_list, NULL, SWIN_PLAN_NO_TENSOR);
  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, 3e-6);
}
END_TEST

/* Both kinds of GELU alone, where it is nearly zero, nearly linear, and in between. */
START_TEST(gelu_over_its_range) {
  enum { N = 4001 };
  static const SwinGelu gelus[] = {SWIN_GELU_EXACT, SWIN_GELU_TANH};
  const SwinLinearParameters parameters = {.n_parts = 1, .gelu = gelus[_i / 2]};

  choose_variant(_i % 2);
  g_autoptr(HarnessCase) test = harness_case_new(1, "%s", gelu_names[gelus[_i / 2]]);
  g_autofree float *values = g_new(float, N);
  const guint64 shape[] = {N, 1};
  SwinTensor weight = harness_case_weight(test, 2, 1, 1, 1.0, 0.0);
  const SwinTensor *weights[] = {&weight};

  for (gint i = 0; i < N; i++)
    values[i] = (float)(i - N / 2) / 200.0f;
  gint output = swin_plan_add_linear(test->plan, "linear", harness_case_input(test, 2, shape),
                                     &parameters, weights, NULL, NULL, SWIN_PLAN_NO_TENSOR);
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

/* ---- Every kernel ---------------------------------------------------------------------------- */

/* A little more than one tile each way, and more than one slab: with edges that are no multiples of
 * anything, and such that are of what is loaded at once. */
static guint make_shapes(const SwinLinearKernel *kernel, LinearShape *made) {
  guint64 rows = kernel->rows, columns = kernel->columns, depth = kernel->depth;
  guint64 across = rows / 10 + 1; /* two images with five rows of so many */
  guint n = 0;

  made[n++] = (LinearShape){.rows = rows + 3,
                            .depth = depth + 3,
                            .columns = {columns + 5},
                            .bias = TRUE,
                            .gelu = SWIN_GELU_EXACT,
                            .residual = TRUE};
  made[n++] = (LinearShape){.rows = rows + 1,
                            .depth = 2 * depth + 8,
                            .columns = {8, columns},
                            .bias = TRUE,
                            .residual = TRUE,
                            .normed = TRUE};
  made[n++] = (LinearShape){.source = SWIN_LINEAR_MERGING,
                            .shape = {2, 9, 2 * across - 1, 8 * (depth / 32 + 1)},
                            .columns = {columns},
                            .normed = TRUE};
  made[n++] = (LinearShape){.source = SWIN_LINEAR_PATCHES,
                            .shape = {2, 3, 18, 4 * across},
                            .patch_size = 4,
                            .columns = {columns},
                            .bias = TRUE};
  return n;
}

static void check_kernel(gint variant, guint wanted) {
  SwinLinearKernel kernels[SWIN_LINEAR_MAX_KERNELS];
  const SwinLinearProduct product = {
      .storage = variant == GPU_F32 ? SWIN_STORAGE_F32 : SWIN_STORAGE_F16,
      .rows = 100,
      .depth = 100,
      .columns = 100,
  };
  LinearShape made[4];

  if (!choose_variant(variant))
    return;
  if (wanted >= swin_linear_list_kernels(harness_device(), &product, kernels))
    return;
  g_autofree gchar *name = swin_linear_kernel_name(&kernels[wanted]);
  g_autofree gchar *label = g_strdup_printf(", %s", name);
  swin_linear_force_kernel(&kernels[wanted]);
  guint n = make_shapes(&kernels[wanted], made);
  for (guint i = 0; i < n; i++)
    check_linear(wanted, &made[i], label);
}

START_TEST(every_tile) {
  check_kernel(GPU_F32, (guint)_i);
}
END_TEST

START_TEST(every_tile_in_half) {
  check_kernel(TILES_F16, (guint)_i);
}
END_TEST

START_TEST(every_matrix_kernel) {
  check_kernel(MATRIX_F16, (guint)_i);
}
END_TEST

/* ---- Limits ---------------------------------------------------------------------------------- */

/* Rows in several dispatches, whole images where they are gathered; and on GPUs more work-groups
 * than fit along one axis. */
START_TEST(split_for_small_bindings) {
  static const LinearShape split[] = {
      {.rows = 700, .depth = 24, .columns = {40}, .bias = TRUE, .residual = TRUE},
      {.rows = 700, .depth = 24, .columns = {40}, .normed = TRUE},
      {.source = SWIN_LINEAR_MERGING, .shape = {5, 6, 8, 16}, .columns = {48}, .normed = TRUE},
      {.source = SWIN_LINEAR_PATCHES,
       .shape = {9, 3, 16, 16},
       .patch_size = 4,
       .columns = {32},
       .bias = TRUE},
  };

  if (!choose_variant(_i))
    return;
  harness_limit_storage(20000);
  if (_i != CPU_F32 && _i != CPU_F16)
    harness_limit_groups(3);
  for (guint i = 0; i < G_N_ELEMENTS(split); i++)
    check_linear(i, &split[i], ", split");
}
END_TEST

static void restore(void) {
  swin_linear_force_kernel(NULL);
  harness_restore();
}

/* CK_RUN_CASE in the environment runs one of them alone. */
static void add_cases(Suite *suite, const gchar *name, const TTest *function, gint n) {
  TCase *cases = tcase_create(name);

  tcase_add_checked_fixture(cases, NULL, restore);
  tcase_add_loop_test(cases, function, 0, n);
  suite_add_tcase(suite, cases);
}

int main(void) {
  Suite *suite = suite_create("linear");

  harness_device();
  add_cases(suite, "shapes", odd_shapes, N_VARIANTS * G_N_ELEMENTS(shapes));
  add_cases(suite, "bias", one_bias_missing, N_VARIANTS);
  add_cases(suite, "gelu", gelu_over_its_range, 4);
  add_cases(suite, "split", split_for_small_bindings, N_VARIANTS);
  add_cases(suite, "tiles", every_tile, SWIN_LINEAR_MAX_KERNELS);
  add_cases(suite, "tiles-half", every_tile_in_half, SWIN_LINEAR_MAX_KERNELS);
  add_cases(suite, "matrix", every_matrix_kernel, SWIN_LINEAR_MAX_KERNELS);
  return harness_run(suite);
}
