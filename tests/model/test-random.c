// SPDX-License-Identifier: LGPL-2.1-or-later
/* Models without a file: the same on every machine, nothing left at zero or one. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "model/layout.h"
#include "model/model.h"

static const SwinModelConfig small = {
    .image_height = 32,
    .image_width = 32,
    .n_channels = 3,
    .patch_size = 4,
    .embed_dim = 32,
    .n_stages = 2,
    .depths = {2, 1},
    .n_heads = {2, 4},
    .window_size = 4,
    .mlp_ratio = 4.0,
    .qkv_bias = TRUE,
    .patch_norm = TRUE,
    .layer_norm_epsilon = 1e-5,
    .n_classes = 7,
    .edge_rules = {.clip_window = TRUE, .shift_per_axis = FALSE},
};

static gfloat *read_all(SwinModel *model, const gchar *name, guint64 *n_values) {
  const SwinTensor *tensor = swin_model_get_tensor(model, name);
  ck_assert_msg(tensor != NULL, "no tensor %s", name);
  gfloat *values = g_new(gfloat, tensor->n_elements);
  swin_tensor_read(tensor, 0, tensor->n_elements, values);
  *n_values = tensor->n_elements;
  return values;
}

START_TEST(drawn) {
  g_autoptr(SwinModel) model = swin_model_new_from_config("small", &small, 1);
  g_autoptr(GPtrArray) layout = swin_layout_new(&small);
  guint64 n_parameters = 0;
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    guint64 n_values;
    g_autofree gfloat *values = read_all(model, slot->name, &n_values);
    ck_assert_uint_eq(n_values, slot->n_elements);
    n_parameters += n_values;
    gdouble sum = 0.0, squares = 0.0;
    for (guint64 j = 0; j < n_values; j++) {
      ck_assert(isfinite(values[j]) && values[j] != 0.0f);
      sum += values[j];
      squares += (gdouble)values[j] * values[j];
    }
    gdouble mean = sum / (gdouble)n_values;
    ck_assert(fabs(mean - (slot->kind == SWIN_PARAMETER_NORM ? 1.0 : 0.0)) < 0.3);
    if (slot->kind == SWIN_PARAMETER_LINEAR && n_values >= 1000) {
      gdouble n_inputs = (gdouble)(n_values / slot->shape[0]);
      ck_assert(fabs(squares / (gdouble)n_values * n_inputs - 1.0) < 0.1);
    }
  }
  ck_assert_uint_eq(swin_model_get_n_parameters(model), n_parameters);
  ck_assert_str_eq(swin_model_get_name(model), "small");
  ck_assert_uint_eq(swin_model_get_n_classes(model), 7);
  ck_assert_str_eq(swin_model_get_label(model, 6), "LABEL_6");
}
END_TEST

/* The first values of seed 1, as bits: a change of them changes every measurement. */
START_TEST(pinned) {
  static const guint32 expected[] = {0x3d08516cu, 0x3dfbae36u, 0x3e712745u, 0xbce3e798u};
  g_autoptr(SwinModel) model = swin_model_new_from_config("small", &small, 1);
  const SwinTensor *tensor = swin_model_get_tensor(model, "patch_embedding.projection.weight");
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    guint32 bits;
    memcpy(&bits, tensor->data + 4 * i, 4);
    ck_assert_uint_eq(GUINT32_FROM_LE(bits), expected[i]);
  }
}
END_TEST

START_TEST(seeds) {
  g_autoptr(SwinModel) first = swin_model_new_from_config("a", &small, 5);
  g_autoptr(SwinModel) same = swin_model_new_from_config("b", &small, 5);
  g_autoptr(SwinModel) other = swin_model_new_from_config("c", &small, 6);
  guint64 n_values;
  g_autofree gfloat *a = read_all(first, "head.weight", &n_values);
  g_autofree gfloat *b = read_all(same, "head.weight", &n_values);
  g_autofree gfloat *c = read_all(other, "head.weight", &n_values);
  ck_assert_mem_eq(a, b, n_values * sizeof *a);
  ck_assert_mem_ne(a, c, n_values * sizeof *a);
}
END_TEST

/* The number of parameters that torchvision gives for swin_t. */
START_TEST(published) {
  GError *error = NULL;
  g_autoptr(SwinModel) model = swin_model_new_random("swin_t", 1, &error);
  ck_assert_ptr_nonnull(model);
  ck_assert_uint_eq(swin_model_get_n_parameters(model), 28288354);
  guint width, height;
  swin_model_get_input_size(model, &width, &height);
  ck_assert_uint_eq(width, 224);
  ck_assert_uint_eq(height, 224);
  ck_assert_ptr_null(swin_model_new_random("swin_q", 1, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "\"swin_q\"");
}
END_TEST

int main(void) {
  const TTest *const tests[] = {drawn, pinned, seeds, published};
  return fixture_run("random", tests, G_N_ELEMENTS(tests));
}
