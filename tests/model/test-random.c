// SPDX-License-Identifier: LGPL-2.1-or-later
/* Models without a file: the same on every machine, nothing left at zero or one. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "model/layout.h"
#include "model/model.h"

/* Two stages of 32 and 64 channels; a ViT of one. */
static SwinModelConfig make_config(SwinFamily family) {
  SwinModelConfig config;
  swin_model_config_default(family, &config);
  config.image_height = config.image_width = 32;
  config.patch_size = 4;
  config.embed_dim = 32;
  config.n_stages = family == SWIN_FAMILY_VIT ? 1 : 2;
  config.depths[0] = 2;
  config.depths[1] = 1;
  config.n_heads[0] = 8;
  config.n_heads[1] = 16;
  config.window_height[0] = config.window_width[0] = 4;
  config.window_height[1] = config.window_width[1] = 4;
  config.mlp_width = family == SWIN_FAMILY_VIT ? 128 : 0;
  config.n_classes = 7;
  return config;
}

static gfloat *read_all(SwinModel *model, const gchar *name, guint64 *n_values) {
  const SwinTensor *tensor = swin_model_get_tensor(model, name);
  ck_assert_msg(tensor != NULL, "no tensor %s", name);
  gfloat *values = g_new(gfloat, tensor->n_elements);
  swin_tensor_read(tensor, 0, tensor->n_elements, values);
  *n_values = tensor->n_elements;
  return values;
}

static gdouble get_centre(SwinParameterKind kind) {
  return kind == SWIN_PARAMETER_NORM ? 1.0 : kind == SWIN_PARAMETER_SCALE ? log(10.0) : 0.0;
}

/* Every value of one tensor; returns how many there are. */
static guint64 check_values(SwinModel *model, const SwinTensorSlot *slot) {
  guint64 n_values;
  g_autofree gfloat *values = read_all(model, slot->name, &n_values);
  ck_assert_uint_eq(n_values, slot->n_elements);
  gdouble sum = 0.0, squares = 0.0;
  for (guint64 j = 0; j < n_values; j++) {
    ck_assert(isfinite(values[j]) && values[j] != 0.0f);
    sum += values[j];
    squares += (gdouble)values[j] * values[j];
  }
  const gdouble spread = slot->kind == SWIN_PARAMETER_SCALE ? 3.0 : 0.3;
  ck_assert_msg(fabs(sum / (gdouble)n_values - get_centre(slot->kind)) < spread, "%s", slot->name);
  if (slot->kind == SWIN_PARAMETER_LINEAR && n_values >= 1000) {
    const gdouble n_inputs = (gdouble)(n_values / slot->shape[0]);
    ck_assert(fabs(squares / (gdouble)n_values * n_inputs - 1.0) < 0.1);
  }
  return n_values;
}

START_TEST(drawn) {
  static const SwinFamily families[] = {SWIN_FAMILY_SWIN, SWIN_FAMILY_SWIN_V2, SWIN_FAMILY_VIT};
  for (guint family = 0; family < G_N_ELEMENTS(families); family++) {
    const SwinModelConfig config = make_config(families[family]);
    g_autoptr(SwinModel) model = swin_model_new_from_config("small", &config, 1);
    g_autoptr(GPtrArray) layout = swin_layout_new(&config);
    guint64 n_parameters = 0;
    for (guint i = 0; i < layout->len; i++) {
      const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
      n_parameters +=
          slot->role == SWIN_ROLE_CLASS_TOKEN ? slot->n_elements : check_values(model, slot);
    }
    ck_assert_uint_eq(swin_model_get_n_parameters(model), n_parameters);
    ck_assert_str_eq(swin_model_get_name(model), "small");
    ck_assert_uint_eq(swin_model_get_n_classes(model), 7);
    ck_assert_str_eq(swin_model_get_label(model, 6), "LABEL_6");
    ck_assert_ptr_null(swin_model_get_notes(model)[0]);
  }
}
END_TEST

/* V2's scales are clamped at ln 100: some of those drawn are above, some below. */
START_TEST(scales) {
  const SwinModelConfig config = make_config(SWIN_FAMILY_SWIN_V2);
  g_autoptr(SwinModel) model = swin_model_new_from_config("small", &config, 1);
  guint n_above = 0, n_all = 0;
  for (guint stage = 0; stage < 2; stage++) {
    g_autofree gchar *name = g_strdup_printf("stages.%u.blocks.0.attention.logit_scale", stage);
    guint64 n_values;
    g_autofree gfloat *values = read_all(model, name, &n_values);
    for (guint64 i = 0; i < n_values; i++, n_all++) {
      n_above += values[i] > logf(100.0f) ? 1 : 0;
    }
  }
  ck_assert_uint_eq(n_all, 24);
  ck_assert(n_above >= 1 && n_above <= 12);
}
END_TEST

/* A token and the positions of a ViT are there under their canonical names. */
START_TEST(tokens) {
  SwinModelConfig config = make_config(SWIN_FAMILY_VIT);
  config.n_prefix_tokens = 3;
  g_autoptr(SwinModel) model = swin_model_new_from_config("small", &config, 1);
  guint64 n_values;
  g_autofree gfloat *prefix = read_all(model, "prefix_tokens", &n_values);
  ck_assert_uint_eq(n_values, 3 * 32);
  for (guint i = 0; i < n_values; i++) {
    ck_assert(prefix[i] != 0.0f && fabsf(prefix[i]) < 0.25f);
  }
  const SwinTensor *positions = swin_model_get_tensor(model, "position_embedding");
  ck_assert_uint_eq(positions->shape[0], 3 + 8 * 8);
}
END_TEST

/* The first values of seed 1, as bits: a change of them changes every measurement. */
START_TEST(pinned) {
  static const guint32 expected[] = {0x3d08516cu, 0x3dfbae36u, 0x3e712745u, 0xbce3e798u};
  const SwinModelConfig config = make_config(SWIN_FAMILY_SWIN);
  g_autoptr(SwinModel) model = swin_model_new_from_config("small", &config, 1);
  const SwinTensor *tensor = swin_model_get_tensor(model, "patch_embedding.projection.weight");
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    guint32 bits;
    memcpy(&bits, tensor->data + 4 * i, 4);
    ck_assert_uint_eq(GUINT32_FROM_LE(bits), expected[i]);
  }
}
END_TEST

START_TEST(seeds) {
  const SwinModelConfig small = make_config(SWIN_FAMILY_SWIN_V2);
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

/* The numbers of parameters that torchvision and timm give for them; of V2 without the key's bias,
 * which torchvision counts, though it is always zero. */
START_TEST(published) {
  static const struct {
    const gchar *name;
    guint64 n_parameters;
    guint size;
  } models[] = {{"swin_t", 28288354, 224},
                {"swin_v2_t", 28351570 - (2 * 96 + 2 * 192 + 6 * 384 + 2 * 768), 256},
                {"vit_tiny", 5717416, 224}};
  GError *error = NULL;
  for (guint i = 0; i < G_N_ELEMENTS(models); i++) {
    g_autoptr(SwinModel) model = swin_model_new_random(models[i].name, 1, &error);
    ck_assert_ptr_nonnull(model);
    ck_assert_uint_eq(swin_model_get_n_parameters(model), models[i].n_parameters);
    guint width, height;
    swin_model_get_input_size(model, &width, &height);
    ck_assert_uint_eq(width, models[i].size);
    ck_assert_uint_eq(height, models[i].size);
  }
  ck_assert_ptr_null(swin_model_new_random("swin_q", 1, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "\"swin_q\"");
}
END_TEST

int main(void) {
  const TTest *const tests[] = {drawn, scales, tokens, pinned, seeds, published};
  return fixture_run("random", tests, G_N_ELEMENTS(tests));
}
