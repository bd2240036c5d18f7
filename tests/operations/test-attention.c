// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/attention-kernel.h"
#include "network/storage.h"
#include "operations/harness.h"

#include <math.h>

/* A score is a sum of head_dim products, good to some 1e-6, which the exponential turns from an
 * absolute into a relative error; the sums over up to 200 keys, in the order in which the running
 * maximum rescales them, add as much again, and so do the sums over runs of more keys. */
#define TOLERANCE 8e-6

/* With matrix units, weights of the values are rounded to half precision: each by up to 2^-12 of
 * itself, so the sum of many of them by as much of its own spread, and the largest of thousands of
 * sums by some four times that. */
#define MATRIX_TOLERANCE 1.5e-3

typedef struct {
  guint64 batch, height, width;
  guint heads, head_dim;
  guint window_height, window_width;
  guint shift_y, shift_x;
  guint table_height, table_width; /* 0: no table */
  gboolean bias;                   /* of query, key and value */
  gboolean roll_before_padding;
} AttentionShape;

static const AttentionShape shapes[] = {
    /* one token */
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, TRUE},
    {2, 1, 1, 3, 6, 1, 1, 0, 0, 0, 0, FALSE},
    /* windows that divide the map */
    {1, 2, 2, 1, 1, 2, 2, 0, 0, 2, 2, TRUE},
    {2, 4, 6, 2, 5, 2, 2, 0, 0, 2, 2, TRUE},
    {1, 8, 12, 3, 24, 4, 4, 0, 0, 4, 4, TRUE},
    {3, 7, 7, 2, 32, 7, 7, 0, 0, 7, 7, TRUE},
    {1, 14, 21, 1, 64, 7, 7, 0, 0, 7, 7, FALSE},
    {1, 24, 12, 2, 32, 12, 12, 0, 0, 12, 12, TRUE},
    /* shifted on both axes, on one, by odd amounts */
    {2, 14, 14, 3, 32, 7, 7, 3, 3, 7, 7, TRUE},
    {1, 8, 8, 2, 6, 4, 4, 2, 2, 4, 4, TRUE},
    {1, 7, 21, 2, 32, 7, 7, 0, 3, 7, 7, TRUE},
    {1, 21, 7, 2, 32, 7, 7, 3, 0, 7, 7, TRUE},
    {1, 6, 6, 1, 5, 2, 2, 1, 1, 2, 2, TRUE},
    {1, 6, 4, 1, 24, 2, 2, 0, 1, 0, 0, TRUE},
    {1, 24, 24, 1, 32, 12, 12, 6, 6, 12, 12, TRUE},
    {1, 12, 12, 1, 8, 4, 4, 1, 3, 4, 4, TRUE},
    /* maps that are padded, with and without a shift, also to a single window */
    {1, 3, 33, 2, 24, 4, 4, 0, 0, 4, 4, TRUE},
    {2, 11, 11, 3, 6, 7, 7, 3, 3, 7, 7, TRUE},
    {1, 6, 6, 3, 12, 7, 7, 0, 0, 7, 7, TRUE},
    {1, 5, 9, 2, 6, 5, 5, 0, 2, 5, 5, TRUE},
    {1, 97, 1, 1, 32, 7, 7, 3, 0, 7, 7, FALSE},
    {1, 1, 97, 2, 5, 7, 7, 0, 3, 7, 7, TRUE},
    {2, 13, 15, 1, 32, 12, 12, 6, 6, 12, 12, TRUE},
    {1, 7, 3, 1, 1, 2, 2, 1, 1, 2, 2, TRUE},
    {1, 1, 1, 2, 32, 7, 7, 0, 0, 7, 7, TRUE},
    /* clipped: the table is that of a larger window */
    {1, 5, 5, 2, 12, 5, 5, 0, 0, 7, 7, TRUE},
    {1, 3, 5, 2, 6, 3, 3, 0, 0, 5, 5, TRUE},
    {2, 1, 4, 1, 24, 1, 1, 0, 0, 7, 7, TRUE},
    /* windows that are no squares, and of a prime width */
    {1, 6, 10, 2, 5, 3, 5, 1, 2, 3, 5, TRUE},
    {1, 12, 13, 1, 6, 4, 13, 2, 6, 4, 13, TRUE},
    {1, 5, 11, 1, 32, 5, 11, 0, 0, 11, 11, TRUE},
    {2, 9, 4, 2, 6, 5, 2, 2, 1, 7, 3, TRUE},
    /* rolled before they are padded, on both axes, on one, in windows that are no squares, and
       where the map is smaller than the window */
    {2, 11, 11, 3, 6, 7, 7, 3, 3, 7, 7, TRUE, TRUE},
    {1, 9, 10, 2, 5, 4, 4, 2, 1, 4, 4, TRUE, TRUE},
    {1, 5, 14, 1, 24, 4, 7, 2, 0, 4, 7, TRUE, TRUE},
    {2, 8, 13, 2, 6, 4, 6, 0, 3, 5, 6, TRUE, TRUE},
    {1, 13, 15, 1, 32, 12, 12, 6, 6, 12, 12, TRUE, TRUE},
    {1, 6, 5, 2, 8, 7, 7, 3, 3, 7, 7, TRUE, TRUE},
    {1, 8, 8, 2, 8, 4, 4, 2, 2, 4, 4, TRUE, TRUE},
    /* large windows */
    {1, 16, 48, 2, 32, 16, 16, 0, 8, 16, 16, TRUE},
    {1, 24, 24, 1, 32, 24, 24, 0, 0, 24, 24, TRUE},
    {1, 25, 30, 1, 32, 24, 24, 12, 12, 24, 24, TRUE},
    /* all tokens to all others */
    {2, 1, 50, 2, 64, 1, 50, 0, 0, 0, 0, TRUE},
    {1, 1, 197, 3, 64, 1, 197, 0, 0, 0, 0, FALSE},
    {1, 1, 785, 1, 64, 1, 785, 0, 0, 0, 0, FALSE},
    /* a head of many channels */
    {1, 4, 4, 1, 97, 2, 2, 1, 1, 2, 2, TRUE},
    {1, 4, 4, 1, 256, 4, 4, 0, 0, 4, 4, TRUE},
    /* heads of whole eights, more or fewer than a matrix is deep */
    {2, 14, 13, 2, 16, 7, 7, 3, 3, 7, 7, TRUE},
    {1, 15, 9, 1, 40, 5, 9, 2, 4, 5, 9, TRUE},
    {1, 16, 8, 3, 48, 8, 8, 4, 0, 8, 8, TRUE},
    {1, 9, 18, 1, 128, 9, 9, 0, 4, 9, 9, TRUE},
};

/* As the product that makes q, k and v leaves it where a token is padding: like the inputs, rounded
 * to what the plan's storage can hold. */
static SwinTensor draw_bias(HarnessCase *test, guint64 channels) {
  SwinTensor bias = harness_case_weight(test, 1, channels, 1, 0.0, 1.0);

  swin_storage_round(swin_plan_get_storage(test->plan), (gfloat *)bias.data, channels);
  return bias;
}

static void check_attention(guint32 seed, const AttentionShape *shape, SwinAttentionKind kind,
                            gdouble tolerance) {
  g_autoptr(HarnessCase) test = harness_case_new(
      seed, "%s attention %d x %d x %d, %u heads of %u, windows %u x %u, shift %u, %u%s",
      kind == SWIN_ATTENTION_COSINE ? "cosine" : "scaled", (int)shape->batch, (int)shape->height,
      (int)shape->width, shape->heads, shape->head_dim, shape->window_height, shape->window_width,
      shape->shift_y, shape->shift_x, shape->roll_before_padding ? " before padding" : "");
  guint64 channels = (guint64)shape->heads * shape->head_dim;
  const guint64 input_shape[] = {shape->batch, shape->height, shape->width, 3 * channels};
  gboolean biased = shape->table_height > 0;
  guint64 rows = biased ? (2 * shape->table_height - 1) * (2 * shape->table_width - 1) : 1;
  SwinAttentionParameters parameters = {
      .kind = kind,
      .n_heads = shape->heads,
      .window_height = shape->window_height,
      .window_width = shape->window_width,
      .shift_y = shape->shift_y,
      .shift_x = shape->shift_x,
      .mask = 2.0f, /* little enough that a wrong one shows */
      .roll_before_padding = shape->roll_before_padding,
      .table_height = shape->table_height,
      .table_width = shape->table_width,
  };
  SwinTensor table = harness_case_weight(test, 2, rows, shape->heads, 0.0, 1.0);
  SwinTensor logit_scale = harness_case_weight(test, 1, shape->heads, 1, log(10.0), 0.2);
  SwinTensor biases[3];
  const SwinTensor *bias_list[] = {&biases[0], &biases[1], &biases[2]};

  for (guint i = 0; i < 3; i++)
    biases[i] = draw_bias(test, channels);
  gint output =
      swin_plan_add_attention(test->plan, "attention", harness_case_input(test, 4, input_shape),
                              &parameters, biased ? &table : NULL, shape->bias ? bias_list : NULL,
                              kind == SWIN_ATTENTION_COSINE ? &logit_scale : NULL);
  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, tolerance);
}

/** Kernel: one of those that a device may be given. */
typedef enum {
  KERNEL_PROCESSOR,
  KERNEL_GPU,
  KERNEL_PROCESSOR_HALF,
  KERNEL_GPU_HALF,
  KERNEL_MATRIX,
} Kernel;

static gboolean has_matrices(void) {
  return swin_device_get_extensions(harness_device())->n_matrix_shapes > 0;
}

/* Until harness_restore(). Returns: FALSE where the device cannot do it. */
static gboolean pretend(Kernel kernel) {
  gboolean half = kernel >= KERNEL_PROCESSOR_HALF;

  if ((half && !swin_device_get_extensions(harness_device())->half) ||
      (kernel == KERNEL_MATRIX && !has_matrices()))
    return FALSE;
  harness_pretend(kernel == KERNEL_PROCESSOR || kernel == KERNEL_PROCESSOR_HALF
                      ? SWIN_DEVICE_KIND_CPU
                      : SWIN_DEVICE_KIND_DISCRETE);
  harness_storage(half ? SWIN_STORAGE_F16 : SWIN_STORAGE_F32);
  if (kernel != KERNEL_MATRIX)
    harness_disable_matrices();
  return TRUE;
}

static gboolean fits_matrices(const AttentionShape *shape) {
  const SwinAttentionTask task = {
      .storage = SWIN_STORAGE_F16,
      .head_dim = shape->head_dim,
      .window_height = shape->window_height,
      .window_width = shape->window_width,
  };
  SwinAttentionKernel kernel;

  return swin_attention_choose_matrix(harness_device(), &task, &kernel);
}

/* Every shape with both kinds of scores, in turn on one kind of device and on the other: each is a
 * pipeline to compile. Some in half precision, which only loads and stores can tell. */
START_TEST(odd_shapes) {
  gint shape = _i / 2;
  Kernel kernel = (_i + shape) % 2 == 0 ? KERNEL_PROCESSOR : KERNEL_GPU;

  if (shape % 4 == 3)
    kernel = kernel == KERNEL_PROCESSOR ? KERNEL_PROCESSOR_HALF : KERNEL_GPU_HALF;
  if (pretend(kernel))
    check_attention((guint32)_i, &shapes[shape],
                    _i % 2 == 0 ? SWIN_ATTENTION_SCALED : SWIN_ATTENTION_COSINE, TOLERANCE);
}
END_TEST

/* In turn with both kinds of scores. */
START_TEST(odd_shapes_by_matrices) {
  const AttentionShape *shape = &shapes[_i];

  if (!pretend(KERNEL_MATRIX))
    return;
  if (shape->head_dim % 8 != 0 || shape->head_dim > 128)
    ck_assert(!fits_matrices(shape));
  else {
    ck_assert(fits_matrices(shape));
    check_attention((guint32)_i, shape, _i % 2 == 0 ? SWIN_ATTENTION_SCALED : SWIN_ATTENTION_COSINE,
                    MATRIX_TOLERANCE);
  }
}
END_TEST

static void check_everywhere(guint32 seed, const AttentionShape *shape,
                             void (*limit)(guint64 value), guint64 value) {
  for (Kernel kernel = 0; kernel <= KERNEL_MATRIX; kernel++) {
    if (pretend(kernel)) {
      limit(value);
      check_attention(seed, shape, SWIN_ATTENTION_SCALED,
                      kernel == KERNEL_MATRIX ? MATRIX_TOLERANCE : TOLERANCE);
    }
    harness_restore();
  }
}

START_TEST(split_for_small_bindings) {
  static const AttentionShape shape = {5, 4, 6, 2, 8, 2, 2, 1, 1, 2, 2, TRUE, FALSE};

  check_everywhere(1, &shape, harness_limit_storage, 9000);
}
END_TEST

START_TEST(many_groups) {
  static const AttentionShape shape = {3, 4, 6, 2, 8, 2, 2, 1, 1, 2, 2, TRUE, FALSE};

  check_everywhere(2, &shape, harness_limit_groups, 5);
}
END_TEST

/* A single map that is larger than a binding is taken by bands of windows. Where windows shift, the
 * last band has rows of both ends of the map; where the map is rolled before it is padded, so may
 * the last but one. */
static const AttentionShape banded[] = {
    {1, 12, 5, 1, 8, 3, 3, 0, 0, 3, 3, TRUE},        {2, 12, 5, 1, 8, 3, 3, 1, 2, 3, 3, TRUE},
    {2, 14, 4, 1, 8, 4, 4, 3, 1, 4, 4, TRUE},        {1, 13, 7, 2, 8, 4, 4, 1, 3, 4, 4, TRUE},
    {2, 13, 5, 1, 8, 4, 4, 3, 2, 4, 4, TRUE, TRUE},  {1, 14, 6, 1, 8, 7, 7, 3, 3, 7, 7, TRUE, TRUE},
    {1, 12, 5, 1, 8, 4, 4, 2, 0, 4, 4, FALSE, TRUE}, {2, 9, 3, 3, 6, 2, 2, 1, 1, 2, 2, TRUE},
};

START_TEST(bands_of_windows) {
  const AttentionShape *shape = &banded[_i];
  guint64 values = 3 * shape->width * shape->heads * shape->head_dim;

  for (Kernel kernel = 0; kernel <= KERNEL_MATRIX; kernel++) {
    guint64 value_size = kernel < KERNEL_PROCESSOR_HALF ? 4 : 2;

    for (guint64 rows = 1; rows < 3; rows++) {
      if (pretend(kernel)) {
        harness_limit_storage(rows * shape->window_height * values * value_size + 64);
        check_attention((guint32)_i, shape, SWIN_ATTENTION_SCALED,
                        kernel == KERNEL_MATRIX ? MATRIX_TOLERANCE : TOLERANCE);
      }
      harness_restore();
    }
  }
}
END_TEST

#define SIDE 14
#define HEAD_DIM 32
#define WIDTH (3 * HEAD_DIM) /* of a token with a single head */

static const SwinAttentionParameters shifted = {
    .n_heads = 1,
    .window_height = 7,
    .window_width = 7,
    .shift_y = 3,
    .shift_x = 3,
    .mask = 100.0f,
};

/* Attention over @input [SIDE, SIDE, WIDTH] without biases. */
static HarnessRun *run_on(HarnessCase *test, SwinAttentionKind kind, gfloat logit_scale,
                          const gfloat *input) {
  const guint64 shape[] = {1, SIDE, SIDE, WIDTH};
  const float *inputs[] = {input, NULL};
  SwinTensor scale = harness_case_weight(test, 1, 1, 1, (gdouble)logit_scale, 0.0);
  SwinAttentionParameters parameters = shifted;

  parameters.kind = kind;
  gint output = swin_plan_add_attention(test->plan, "attention", harness_case_input(test, 4, shape),
                                        &parameters, NULL, NULL,
                                        kind == SWIN_ATTENTION_COSINE ? &scale : NULL);
  swin_plan_mark_output(test->plan, output, "output");
  return harness_case_run(test, inputs);
}

static void check_values(const HarnessCase *test, const HarnessRun *run, gfloat tolerance) {
  gint output = swin_plan_find(test->plan, "output");

  for (guint i = 0; i < SIDE * SIDE * HEAD_DIM; i++)
    ck_assert_float_eq_tol(run->actual[output][i], run->expected[output][i], tolerance);
}

/* Normally distributed values; those of every query times @factor. */
static gfloat *draw_input(HarnessCase *test, gdouble deviation, gfloat factor) {
  guint n = SIDE * SIDE * WIDTH;
  SwinTensor values = harness_case_weight(test, 1, n, 1, 0.0, deviation);
  gfloat *input = g_memdup2(values.data, n * sizeof(gfloat));

  for (guint i = 0; i < n; i++)
    if (i % WIDTH < HEAD_DIM)
      input[i] *= factor;
  return input;
}

/* Scores in the hundreds: without the running maximum their exponentials overflow. */
START_TEST(large_scores) {
  g_autoptr(HarnessCase) test = harness_case_new(1, "attention with large scores");
  g_autofree gfloat *input = draw_input(test, 8.0, sqrtf(HEAD_DIM));
  HarnessRun *run = run_on(test, SWIN_ATTENTION_SCALED, 0.0f, input);

  /* Scores of 360 on average, up to 2000, are known to 1e-4: so is every weight of the values,
   * relatively. */
  check_values(test, run, 2e-3f);
  harness_run_free(test, run);
}
END_TEST

/* The logit scale is clamped at ln 100; exp(100) would be infinite. A product of unit vectors is
 * good to 1e-7, so a score to 1e-5. */
START_TEST(clamped_scales) {
  static const gfloat scales[] = {4.5f, 4.6051702f, 4.7f, 100.0f};

  for (guint i = 0; i < G_N_ELEMENTS(scales); i++) {
    g_autoptr(HarnessCase) test =
        harness_case_new(i, "cosine attention with logit scale %g", (gdouble)scales[i]);
    g_autofree gfloat *input = draw_input(test, 1.0, 1.0f);
    HarnessRun *run = run_on(test, SWIN_ATTENTION_COSINE, scales[i], input);

    check_values(test, run, 1e-5f);
    harness_run_free(test, run);
  }
}
END_TEST

/* Vectors of no length or nearly none: lengths below 1e-12 count as that, and squares that are too
 * small for a float are not missed. */
START_TEST(short_vectors) {
  static const gfloat sizes[] = {0.0f, 1e-30f, 1e-20f, 1e-13f, 1e-12f, 1e-11f, 1.0f, 1e6f};
  g_autoptr(HarnessCase) test = harness_case_new(1, "cosine attention of short vectors");
  g_autofree gfloat *input = draw_input(test, 1.0, 1.0f);

  for (guint i = 0; i < SIDE * SIDE * WIDTH; i++) {
    guint token = i / WIDTH;

    if (i % WIDTH < HEAD_DIM)
      input[i] *= sizes[token % G_N_ELEMENTS(sizes)];
    else if (i % WIDTH < 2 * HEAD_DIM)
      input[i] *= sizes[token / 3 % G_N_ELEMENTS(sizes)];
  }
  HarnessRun *run = run_on(test, SWIN_ATTENTION_COSINE, 2.0f, input);
  check_values(test, run, 4e-6f);
  harness_run_free(test, run);
}
END_TEST

/* More keys than the loops of every driver reach are refused, not left out. */
START_TEST(too_many_keys) {
  g_autoptr(GError) error = NULL;
  g_autoptr(HarnessCase) test = harness_case_new(1, "attention with too many keys");
  const guint64 shape[] = {1, 1, 65537, 3};
  SwinAttentionParameters parameters = {.n_heads = 1, .window_height = 1, .window_width = 65537};
  gint output = swin_plan_add_attention(test->plan, "attention", harness_case_input(test, 4, shape),
                                        &parameters, NULL, NULL, NULL);

  swin_plan_mark_output(test->plan, output, "output");
  pretend(KERNEL_PROCESSOR);
  swin_plan_finish(test->plan, swin_network_alignment(harness_device()), 0);
  g_autoptr(SwinWeights) weights = swin_weights_new(harness_device(), test->plan, &error);
  ck_assert_msg(weights != NULL, "%s", error != NULL ? error->message : "");
  test->network = swin_network_new(harness_device(), test->plan, weights, NULL, &error);
  ck_assert_msg(test->network != NULL, "%s", error != NULL ? error->message : "");
  g_autoptr(SwinRecorder) recorder =
      swin_recorder_new(harness_device(), SWIN_RECORDER_DEFAULT, &error);
  ck_assert_msg(recorder != NULL, "%s", error != NULL ? error->message : "");
  ck_assert(!swin_network_record(test->network, recorder, NULL, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_DEVICE));
}
END_TEST

static TCase *add_case(Suite *suite, const gchar *name) {
  TCase *cases = tcase_create(name);

  tcase_add_checked_fixture(cases, NULL, harness_restore);
  suite_add_tcase(suite, cases);
  return cases;
}

int main(void) {
  Suite *suite = suite_create("attention");
  TCase *cases = add_case(suite, "matrices");

  harness_device();
  tcase_add_loop_test(cases, odd_shapes_by_matrices, 0, G_N_ELEMENTS(shapes));
  cases = add_case(suite, "registers");
  tcase_add_loop_test(cases, odd_shapes, 0, 2 * G_N_ELEMENTS(shapes));
  cases = add_case(suite, "limits");
  tcase_add_loop_test(cases, bands_of_windows, 0, G_N_ELEMENTS(banded));
  tcase_add_test(cases, split_for_small_bindings);
  tcase_add_test(cases, many_groups);
  tcase_add_test(cases, too_many_keys);
  cases = add_case(suite, "values");
  tcase_add_test(cases, large_scores);
  tcase_add_test(cases, clamped_scales);
  tcase_add_test(cases, short_vectors);
  return harness_run(suite);
}
