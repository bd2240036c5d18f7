// SPDX-License-Identifier: LGPL-2.1-or-later
/* Another input size or window than the model's own. */

#include <glib/gstdio.h>

#include "dialect-fixture.h"
#include "fixture.h"
#include "model/derive.h"

#define TABLE "stages.1.blocks.1.attention.relative_position_bias_table"

/* The fixture's network of that family, in the folder "made". */
static SwinModel *save(const SwinModelConfig *config, Style style) {
  SwinModel *drawn = swin_model_new_from_config("drawn", config, 11);
  g_auto(DialectFile) file = fixture_tensors(drawn, style, "");
  fixture_save(&file, "made");
  fixture_save_config(config, "made");
  return drawn;
}

static SwinModel *load(guint width, guint height, guint window, GError **error) {
  g_autoptr(SwinModelOptions) options = swin_model_options_new();
  swin_model_options_set_image_size(options, width, height);
  swin_model_options_set_window_size(options, window);
  return fixture_load("made", options, error);
}

static SwinModel *load_good(guint width, guint height, guint window) {
  GError *error = NULL;
  SwinModel *model = load(width, height, window, &error);
  ck_assert_msg(model != NULL, "%ux%u, %u: %s", width, height, window,
                error != NULL ? error->message : "");
  return model;
}

static gfloat *read_all(SwinModel *model, const gchar *name) {
  const SwinTensor *tensor = swin_model_get_tensor(model, name);
  ck_assert_msg(tensor != NULL, "no tensor %s", name);
  gfloat *values = g_new(gfloat, tensor->n_elements);
  swin_tensor_read(tensor, 0, tensor->n_elements, values);
  return values;
}

static void assert_shape(SwinModel *model, const gchar *name, guint64 rows, guint64 columns) {
  const SwinTensor *tensor = swin_model_get_tensor(model, name);
  ck_assert_ptr_nonnull(tensor);
  ck_assert_uint_eq(tensor->n_dims, 2);
  ck_assert_uint_eq(tensor->shape[0], rows);
  ck_assert_uint_eq(tensor->shape[1], columns);
  ck_assert_uint_eq(tensor->n_elements, rows * columns);
}

/* Nothing is computed that need not be. */
START_TEST(own_sizes) {
  static const SwinFamily families[] = {SWIN_FAMILY_SWIN, SWIN_FAMILY_SWIN_V2, SWIN_FAMILY_VIT};
  for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
    SwinModelConfig config = fixture_config(families[i]);
    config.position_embedding = TRUE;
    g_autoptr(SwinModel) drawn = save(&config, STYLE_TIMM);
    g_autoptr(SwinModel) model =
        load_good(config.image_width, config.image_height, families[i] == SWIN_FAMILY_VIT ? 0 : 4);
    fixture_same_tensors(drawn, model);
    for (guint stage = 0; stage < config.n_stages; stage++) {
      ck_assert_uint_eq(swin_model_get_config(model)->pretrained_window[stage], 0);
    }
  }
}
END_TEST

START_TEST(v1_window) {
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN);
  g_autoptr(SwinModel) drawn = save(&config, STYLE_TORCHVISION);
  g_autoptr(SwinModel) model = load_good(0, 0, 6);
  assert_shape(model, TABLE, 11 * 11, 4);
  g_autofree gfloat *own = read_all(drawn, TABLE), *resized = read_all(model, TABLE);
  gfloat expected[11 * 11 * 4];
  swin_derive_resized(own, 7, 7, 11, 11, 4, SWIN_CUBIC_PLAIN, expected);
  ck_assert_mem_eq(resized, expected, sizeof expected);
  ck_assert_uint_eq(swin_model_get_config(model)->window_height[2], 6);
  ck_assert_uint_eq(swin_model_get_config(model)->image_width, 64);
  const guint64 more = (11 * 11 - 7 * 7) * (2 + 2 * 4 + 3);
  ck_assert_uint_eq(swin_model_get_n_parameters(model), swin_model_get_n_parameters(drawn) + more);
}
END_TEST

/* Where the publisher's tables belong to the window after clipping, a smaller map has smaller
 * ones. */
START_TEST(v1_image) {
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN);
  g_autoptr(SwinModel) drawn = save(&config, STYLE_TIMM);
  g_autoptr(SwinModel) model = load_good(48, 16, 0); /* maps of 8 x 24, 4 x 12 and 2 x 6 */
  assert_shape(model, TABLE, 7 * 7, 4);
  assert_shape(model, "stages.2.blocks.0.attention.relative_position_bias_table", 3 * 7, 3);
  const gchar *name = "stages.2.blocks.0.attention.relative_position_bias_table";
  g_autofree gfloat *own = read_all(drawn, name), *resized = read_all(model, name);
  gfloat expected[3 * 7 * 3];
  swin_derive_resized(own, 7, 7, 3, 7, 3, SWIN_CUBIC_PLAIN, expected);
  ck_assert_mem_eq(resized, expected, sizeof expected);

  g_autoptr(SwinModel) same = save(&config, STYLE_HUGGING_FACE);
  g_autoptr(SwinModel) classic = load_good(48, 16, 0);
  fixture_same_tensors(same, classic);
}
END_TEST

static void assert_bias(SwinModel *model, guint height, guint width, guint pretrained) {
  static const gchar *const parts[] = {"0.weight", "0.bias", "2.weight"};
  const SwinTensor *mlp[3];
  for (guint i = 0; i < 3; i++) {
    g_autofree gchar *name =
        g_strconcat("stages.1.blocks.1.attention.position_bias_mlp.", parts[i], NULL);
    mlp[i] = swin_model_get_tensor(model, name);
  }
  const guint64 rows = (2 * (guint64)height - 1) * (2 * (guint64)width - 1);
  assert_shape(model, TABLE, rows, 4);
  g_autofree gfloat *table = read_all(model, TABLE), *expected = g_new(gfloat, rows * 4);
  swin_derive_position_bias(height, width, pretrained, mlp[0], mlp[1], mlp[2], expected);
  ck_assert_mem_eq(table, expected, rows * 4 * sizeof *expected);
}

/* The coordinates of a new window are those of the old one, carried on. */
START_TEST(v2_window) {
  SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN_V2);
  g_autoptr(SwinModel) drawn = save(&config, STYLE_HUGGING_FACE);
  assert_bias(drawn, 4, 4, 0);
  g_autoptr(SwinModel) model = load_good(0, 0, 6);
  assert_bias(model, 6, 6, 4);
  g_autoptr(SwinModel) larger = load_good(64, 32, 5);
  assert_bias(larger, 5, 5, 4);

  config.pretrained_window[1] = 3;
  g_autoptr(SwinModel) transferred = save(&config, STYLE_MICROSOFT);
  assert_bias(transferred, 4, 4, 3);
  g_autoptr(SwinModel) twice = load_good(48, 48, 6);
  assert_bias(twice, 6, 6, 3);
}
END_TEST

/* Without a config and the buffer that tells the window, it is the option that says what the
 * network was trained with. */
START_TEST(v2_unknown_window) {
  SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN_V2);
  config.image_height = config.image_width = 64;
  g_autoptr(SwinModel) drawn = save(&config, STYLE_TIMM);
  g_auto(DialectFile) file = fixture_tensors(drawn, STYLE_TIMM, "");
  fixture_remove(&file, "layers.0.attn.relative_coords_table");
  fixture_save(&file, "made");
  g_autofree gchar *path = fixture_path("made/config.json");
  ck_assert_int_eq(g_unlink(path), 0);
  g_autoptr(SwinModel) model = load_good(64, 64, 4);
  fixture_same_tensors(drawn, model);
  assert_bias(model, 4, 4, 0);
}
END_TEST

START_TEST(v2_image) {
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN_V2);
  g_autoptr(SwinModel) drawn = save(&config, STYLE_TIMM);
  g_autoptr(SwinModel) model = load_good(24, 8, 0); /* the second map is of 2 x 6 */
  assert_bias(model, 2, 4, 0);
  guint width, height;
  swin_model_get_input_size(model, &width, &height);
  ck_assert_uint_eq(width, 24);
  ck_assert_uint_eq(height, 8);
}
END_TEST

/* Prefix rows stay; the others are resized, with antialiasing by timm alone. */
START_TEST(positions) {
  static const struct {
    Style style;
    SwinCubic cubic;
  } cases[] = {{STYLE_TIMM, SWIN_CUBIC_ANTIALIASED}, {STYLE_HUGGING_FACE, SWIN_CUBIC_PLAIN}};
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_VIT);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(SwinModel) drawn = save(&config, cases[i].style);
    g_autoptr(SwinModel) model = load_good(16, 56, 0); /* 7 x 2 tokens instead of 3 x 5 */
    assert_shape(model, "position_embedding", 1 + 7 * 2, 12);
    g_autofree gfloat *own = read_all(drawn, "position_embedding");
    g_autofree gfloat *resized = read_all(model, "position_embedding");
    gfloat expected[7 * 2 * 12];
    swin_derive_resized(own + 12, 3, 5, 7, 2, 12, cases[i].cubic, expected);
    ck_assert_mem_eq(resized, own, 12 * sizeof *own);
    ck_assert_mem_eq(resized + 12, expected, sizeof expected);
  }
}
END_TEST

/* As many positions, but on another map. */
START_TEST(transposed_positions) {
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_VIT);
  g_autoptr(SwinModel) drawn = save(&config, STYLE_TIMM);
  g_autoptr(SwinModel) model = load_good(24, 40, 0);
  g_autofree gfloat *own = read_all(drawn, "position_embedding");
  g_autofree gfloat *resized = read_all(model, "position_embedding");
  gfloat expected[5 * 3 * 12];
  swin_derive_resized(own + 12, 3, 5, 5, 3, 12, SWIN_CUBIC_ANTIALIASED, expected);
  ck_assert_mem_eq(resized + 12, expected, sizeof expected);
}
END_TEST

START_TEST(swin_positions) {
  SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN);
  config.position_embedding = TRUE;
  g_autoptr(SwinModel) drawn = save(&config, STYLE_MICROSOFT);
  g_autoptr(SwinModel) model = load_good(32, 32, 0);
  assert_shape(model, "position_embedding", 16 * 16, 12);
  g_autofree gfloat *own = read_all(drawn, "position_embedding");
  g_autofree gfloat *resized = read_all(model, "position_embedding");
  g_autofree gfloat *expected = g_new(gfloat, 16 * 16 * 12);
  swin_derive_resized(own, 16, 32, 16, 16, 12, SWIN_CUBIC_PLAIN, expected);
  ck_assert_mem_eq(resized, expected, 16 * 16 * 12 * sizeof *expected);
}
END_TEST

/* A config that contradicts the tensors is put right by the option. */
START_TEST(corrected) {
  SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN);
  g_autoptr(SwinModel) drawn = save(&config, STYLE_HUGGING_FACE);
  for (guint stage = 0; stage < config.n_stages; stage++) {
    config.window_height[stage] = config.window_width[stage] = 7;
  }
  fixture_save_config(&config, "made");
  GError *error = NULL;
  ck_assert_ptr_null(load(0, 0, 0, &error));
  fixture_expect_error(error, SWIN_ERROR_CONFIG,
                       "the options image-size and window-size have it resized");
  g_autoptr(SwinModel) model = load_good(0, 0, 4);
  fixture_same_tensors(drawn, model);
}
END_TEST

/* What is cut away of the picture stays the same share. */
START_TEST(preprocessing) {
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_VIT);
  g_autoptr(SwinModel) drawn = save(&config, STYLE_HUGGING_FACE);
  fixture_write_text("made/preprocessor_config.json",
                     "{\"size\":{\"height\":24,\"width\":40},\"resample\":2}");
  g_autoptr(SwinModel) model = load_good(80, 48, 0);
  const SwinPreprocessing *scaled = swin_model_get_preprocessing(model);
  ck_assert_int_eq(scaled->resize_mode, SWIN_RESIZE_SQUASH);
  ck_assert_int_eq(scaled->filter, SWIN_FILTER_BILINEAR);
  ck_assert_uint_eq(scaled->resize_height, 48);
  ck_assert_uint_eq(scaled->resize_width, 80);
  g_autofree gchar *path = fixture_path("made/preprocessor_config.json");
  ck_assert_int_eq(g_unlink(path), 0);
}
END_TEST

START_TEST(refusals) {
  static const struct {
    SwinFamily family;
    Style style;
    guint width, height, window;
    const gchar *part;
  } cases[] = {
      {SWIN_FAMILY_SWIN, STYLE_TIMM, 0, 32, 0, "The option image-size is 0 x 32 pixels"},
      {SWIN_FAMILY_VIT, STYLE_TIMM, 24, 7, 0, "image-size is 24 x 7 pixels, and each side must be"},
      {SWIN_FAMILY_VIT, STYLE_TIMM, 16385, 24, 0, "image-size is 16385 x 24 pixels"},
      {SWIN_FAMILY_VIT, STYLE_TIMM, 0, 0, 4, "a Vision Transformer has no windows"},
      {SWIN_FAMILY_SWIN_V2, STYLE_TIMM, 0, 0, 129, "The option window-size is 129 tokens"},
      {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, 0, 0, 3,
       "The option window-size cannot be used: \"image_size\" is 64 x 32"},
      {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, 36, 36, 0,
       "The option image-size cannot be used: \"image_size\" is 36 x 36"},
      {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, 36, 36, 3,
       "The options image-size and window-size cannot be used: \"image_size\" is 36 x 36"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const SwinModelConfig config = fixture_config(cases[i].family);
    GError *error = NULL;
    g_autoptr(SwinModel) drawn = save(&config, cases[i].style);
    ck_assert_ptr_null(load(cases[i].width, cases[i].height, cases[i].window, &error));
    fixture_expect_error(error, SWIN_ERROR_CONFIG, cases[i].part);
  }
}
END_TEST

/* A tensor that is neither of the model's own map nor square cannot be resized. */
START_TEST(no_map) {
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN);
  g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 11);
  g_auto(DialectFile) file = fixture_tensors(drawn, STYLE_TORCHVISION, "");
  fixture_find(&file, "features.3.1.attn.relative_position_bias_table")->shape[0] = 48;
  fixture_save(&file, "made");
  fixture_save_config(&config, "made");
  GError *error = NULL;
  ck_assert_ptr_null(load(0, 0, 5, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_CONFIG,
                       "\"" TABLE "\" has 48 positions, which make no square map");
  fixture_find(&file, "features.3.1.attn.relative_position_bias_table")->shape[0] = 0;
  fixture_save(&file, "made");
  ck_assert_ptr_null(load(0, 0, 5, &error));
  fixture_expect_error(error, SWIN_ERROR_CONFIG, "has 0 positions");
}
END_TEST

int main(void) {
  const TTest *const tests[] = {own_sizes,
                                v1_window,
                                v1_image,
                                v2_window,
                                v2_unknown_window,
                                v2_image,
                                positions,
                                transposed_positions,
                                swin_positions,
                                corrected,
                                preprocessing,
                                refusals,
                                no_map};
  return fixture_run("options", tests, G_N_ELEMENTS(tests));
}
