// SPDX-License-Identifier: LGPL-2.1-or-later
/* Plans as data: the arena, and how the Swin family lays windows. No device is needed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "network/family.h"
#include "network/operation.h"
#include "run-cases.h"

#define ALIGNMENT 64

static SwinModelConfig tiny_config(void) {
  return (SwinModelConfig){
      .image_height = 48,
      .image_width = 80,
      .n_channels = 3,
      .patch_size = 4,
      .embed_dim = 6,
      .n_stages = 3,
      .depths = {2, 3, 2},
      .n_heads = {1, 2, 3},
      .window_size = 4,
      .mlp_ratio = 2.0,
      .qkv_bias = TRUE,
      .patch_norm = TRUE,
      .layer_norm_epsilon = 1e-5,
      .n_classes = 7,
      .edge_rules = {.clip_window = TRUE, .shift_per_axis = FALSE},
  };
}

static SwinPlan *new_plan(const SwinModelConfig *config, guint batch, guint top_k,
                          gboolean keep_stages) {
  g_autoptr(SwinModel) model = swin_model_new_from_config("tiny", config, 1);

  ck_assert_ptr_nonnull(model);
  return swin_plan_new_swin(model, batch, top_k, keep_stages);
}

/* ---- The arena ------------------------------------------------------------------------------ */

/* Whether a tensor's values are needed while or after operation @index runs. Counted from the
 * operations, not from what the plan remembers. */
static gboolean is_live(const SwinPlan *plan, gint tensor, guint index) {
  const SwinPlanTensor *info = swin_plan_get_tensor(plan, tensor);
  gboolean written = info->is_input, needed = info->is_input || info->is_output;

  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinOperation *operation = swin_plan_get_operation(plan, i);

    written |= i <= index && operation->output == tensor;
    needed |= i == index && operation->output == tensor;
    for (guint j = 0; j < SWIN_OPERATION_MAX_INPUTS; j++)
      needed |= i >= index && operation->inputs[j] == tensor;
  }
  return written && needed;
}

static void check_arena(SwinPlan *plan, guint64 guard) {
  guint64 live_most = 0, all = 0;
  gint n_tensors = (gint)swin_plan_get_n_tensors(plan);

  swin_plan_finish(plan, ALIGNMENT, guard);
  for (gint i = 0; i < n_tensors; i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, i);

    ck_assert_uint_eq(tensor->offset % ALIGNMENT, 0);
    ck_assert_uint_le(tensor->offset + 4 * tensor->n_elements + guard,
                      swin_plan_get_arena_size(plan));
    all += 4 * tensor->n_elements;
  }
  for (guint index = 0; index < swin_plan_get_n_operations(plan); index++) {
    guint64 live = 0;

    for (gint i = 0; i < n_tensors; i++) {
      const SwinPlanTensor *one = swin_plan_get_tensor(plan, i);

      if (!is_live(plan, i, index))
        continue;
      live += 4 * one->n_elements;
      for (gint j = i + 1; j < n_tensors; j++) {
        const SwinPlanTensor *other = swin_plan_get_tensor(plan, j);

        if (is_live(plan, j, index))
          ck_assert(one->offset + 4 * one->n_elements + guard <= other->offset ||
                    other->offset + 4 * other->n_elements + guard <= one->offset);
      }
    }
    live_most = MAX(live_most, live);
  }
  if (guard == 0) {
    /* Memory is used again, and little is lost to gaps. */
    ck_assert_uint_lt(swin_plan_get_arena_size(plan), all / 2);
    ck_assert_uint_le(swin_plan_get_arena_size(plan), live_most + live_most / 4);
  }
}

START_TEST(live_tensors_do_not_overlap) {
  static const struct {
    guint batch, top_k;
    gboolean keep_stages;
    guint64 guard;
  } plans[] = {{1, 0, FALSE, 0}, {1, 5, TRUE, 0}, {3, 1, FALSE, 0}, {2, 7, TRUE, 512}};
  SwinModelConfig config = tiny_config();
  g_autoptr(SwinPlan) plan =
      new_plan(&config, plans[_i].batch, plans[_i].top_k, plans[_i].keep_stages);

  check_arena(plan, plans[_i].guard);
  ck_assert(swin_plan_check_size(plan, NULL));
}
END_TEST

START_TEST(sizes_that_cannot_be_counted) {
  static const guint64 shapes[][4] = {
      {1u << 16, 1u << 16, 1, 1}, {G_MAXUINT64, 2, 1, 1}, {1u << 31, 1u << 31, 1u << 31, 1u << 31}};
  g_autoptr(SwinPlan) plan = swin_plan_new(NULL);
  g_autoptr(GError) error = NULL;

  swin_plan_add_input(plan, "input", 4, shapes[_i]);
  swin_plan_finish(plan, ALIGNMENT, 0);
  ck_assert(!swin_plan_check_size(plan, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY));
}
END_TEST

/* ---- The Swin family ------------------------------------------------------------------------ */

static const SwinOperation *find_operation(const SwinPlan *plan, const gchar *name) {
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinOperation *operation = swin_plan_get_operation(plan, i);

    if (strcmp(operation->name, name) == 0)
      return operation;
  }
  ck_abort_msg("The plan has no operation %s", name);
}

static void expect_shape(const SwinPlan *plan, const gchar *name, guint n_dims,
                         const guint64 *shape) {
  gint number = swin_plan_find(plan, name);

  ck_assert_msg(number != SWIN_PLAN_NO_TENSOR, "The plan has no tensor %s", name);
  const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, number);
  ck_assert_uint_eq(tensor->n_dims, n_dims);
  for (guint i = 0; i < n_dims; i++)
    ck_assert_uint_eq(tensor->shape[i], shape[i]);
}

START_TEST(inputs_and_outputs) {
  SwinModelConfig config = tiny_config();
  g_autoptr(SwinPlan) plan = new_plan(&config, 2, 64, TRUE);

  expect_shape(plan, "input", 4, (const guint64[]){2, 3, 48, 80});
  expect_shape(plan, "stages.0", 4, (const guint64[]){2, 6, 10, 12});
  expect_shape(plan, "stages.1", 4, (const guint64[]){2, 3, 5, 24});
  expect_shape(plan, "stages.2", 4, (const guint64[]){2, 3, 5, 24});
  expect_shape(plan, "pooled", 2, (const guint64[]){2, 24});
  expect_shape(plan, "logits", 2, (const guint64[]){2, 7});
  expect_shape(plan, "tags", 3, (const guint64[]){2, 7, 2}); /* no more tags than classes */

  g_autoptr(SwinPlan) short_plan = new_plan(&config, 2, 0, FALSE);
  ck_assert_int_eq(swin_plan_find(short_plan, "tags"), SWIN_PLAN_NO_TENSOR);
  ck_assert_int_eq(swin_plan_find(short_plan, "stages.0"), SWIN_PLAN_NO_TENSOR);
}
END_TEST

/* Swin-T at 224 x 224 takes 4.5 G multiply-adds (arXiv:2103.14030, table 1a). */
START_TEST(flops_of_swin_t) {
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinModel) model = swin_model_new_random("swin_t", 1, &error);
  ck_assert_msg(model != NULL, "%s", error ? error->message : "");
  g_autoptr(SwinPlan) plan = swin_plan_new_swin(model, 1, 5, FALSE);
  gdouble giga = (gdouble)swin_plan_get_flops(plan) / 1e9;

  ck_assert_double_gt(giga, 8.9);
  ck_assert_double_lt(giga, 9.1);
}
END_TEST

/* Maps of 12 x 20, 6 x 10 and 3 x 5 under windows that fit on no, one or both axes. */
static const struct {
  guint window;
  SwinEdgeRules rules; /* clip_window, shift_per_axis */
  guint stage;
  guint expected_window, expected_shift_y, expected_shift_x;
} edges[] = {
    /* larger maps: nothing special */
    {4, {TRUE, FALSE}, 0, 4, 2, 2},
    {4, {FALSE, TRUE}, 0, 4, 2, 2},
    {5, {TRUE, FALSE}, 1, 5, 2, 2},
    /* the window is as high as the map: 6 x 10 */
    {6, {TRUE, FALSE}, 1, 6, 0, 0},
    {6, {FALSE, TRUE}, 1, 6, 0, 3},
    {6, {FALSE, FALSE}, 1, 6, 0, 0},
    /* and higher: 3 x 5 */
    {4, {TRUE, FALSE}, 2, 3, 0, 0},
    {4, {FALSE, TRUE}, 2, 4, 0, 2},
    /* no axis is larger */
    {7, {TRUE, FALSE}, 2, 3, 0, 0},
    {7, {FALSE, TRUE}, 2, 7, 0, 0},
    /* half of one token is none */
    {1, {TRUE, FALSE}, 0, 1, 0, 0},
};

START_TEST(windows_at_the_edge) {
  SwinModelConfig config = tiny_config();

  config.window_size = edges[_i].window;
  config.edge_rules = edges[_i].rules;
  g_autoptr(SwinPlan) plan = new_plan(&config, 1, 0, FALSE);
  for (guint block = 0; block < 2; block++) {
    g_autofree gchar *name =
        g_strdup_printf("stages.%u.blocks.%u.attention", edges[_i].stage, block);
    const SwinAttentionParameters *parameters = find_operation(plan, name)->parameters;

    ck_assert_uint_eq(parameters->window_height, edges[_i].expected_window);
    ck_assert_uint_eq(parameters->window_width, edges[_i].expected_window);
    ck_assert_uint_eq(parameters->table_window, edges[_i].window);
    ck_assert_uint_eq(parameters->shift_y, block == 1 ? edges[_i].expected_shift_y : 0);
    ck_assert_uint_eq(parameters->shift_x, block == 1 ? edges[_i].expected_shift_x : 0);
  }
}
END_TEST

START_TEST(optional_weights) {
  SwinModelConfig config = tiny_config();

  config.patch_norm = FALSE;
  config.qkv_bias = FALSE;
  g_autoptr(SwinPlan) plan = new_plan(&config, 1, 0, FALSE);
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++)
    ck_assert_str_ne(swin_plan_get_operation(plan, i)->name, "patch_embedding.norm");
  const SwinOperation *qkv = find_operation(plan, "stages.0.blocks.0.attention.qkv");
  for (guint i = 0; i < SWIN_LINEAR_MAX_PARTS; i++)
    ck_assert_ptr_null(qkv->weights[SWIN_LINEAR_MAX_PARTS + i].data);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("all");

  tcase_add_loop_test(cases, live_tensors_do_not_overlap, 0, 4);
  tcase_add_loop_test(cases, sizes_that_cannot_be_counted, 0, 3);
  tcase_add_test(cases, inputs_and_outputs);
  tcase_add_test(cases, flops_of_swin_t);
  tcase_add_loop_test(cases, windows_at_the_edge, 0, G_N_ELEMENTS(edges));
  tcase_add_test(cases, optional_weights);
  return run_cases("plan", cases);
}
