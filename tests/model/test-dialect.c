// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tensor names: the same network written by every publisher gives the same tensors, and files that
 * do not fit are refused by the name of the tensor that does not. */
#include <math.h>
#include <string.h>

#include "dialect-fixture.h"
#include "fixture.h"

/* ---- The same weights under all names ------------------------------------------------------- */

static const struct {
  SwinFamily family;
  Style style;
  const gchar *prefix;
  SwinDialect dialect;
} files[] = {
    {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, "swin.", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, "", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE_NEWEST, "swin.", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_SWIN, STYLE_TIMM, "", SWIN_DIALECT_TIMM},
    {SWIN_FAMILY_SWIN, STYLE_TIMM, "model.", SWIN_DIALECT_TIMM},
    {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, "", SWIN_DIALECT_MICROSOFT},
    {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, "module.", SWIN_DIALECT_MICROSOFT},
    {SWIN_FAMILY_SWIN, STYLE_TORCHVISION, "", SWIN_DIALECT_TORCHVISION},
    {SWIN_FAMILY_SWIN, STYLE_TORCHVISION, "module.", SWIN_DIALECT_TORCHVISION},
    {SWIN_FAMILY_SWIN_V2, STYLE_HUGGING_FACE, "swinv2.", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_SWIN_V2, STYLE_HUGGING_FACE, "", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_SWIN_V2, STYLE_HUGGING_FACE_NEWEST, "swinv2.", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_SWIN_V2, STYLE_TIMM, "", SWIN_DIALECT_TIMM},
    {SWIN_FAMILY_SWIN_V2, STYLE_MICROSOFT, "model.", SWIN_DIALECT_MICROSOFT},
    {SWIN_FAMILY_SWIN_V2, STYLE_FUSED_BIAS, "", SWIN_DIALECT_MICROSOFT},
    {SWIN_FAMILY_SWIN_V2, STYLE_TORCHVISION, "", SWIN_DIALECT_TORCHVISION},
    {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE, "vit.", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE, "", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE_NEWEST, "vit.", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE_NEWEST, "", SWIN_DIALECT_HUGGING_FACE},
    {SWIN_FAMILY_VIT, STYLE_TIMM, "", SWIN_DIALECT_TIMM},
    {SWIN_FAMILY_VIT, STYLE_TIMM, "model.", SWIN_DIALECT_TIMM},
};

static SwinModel *load_good(const gchar *what) {
  GError *error = NULL;
  SwinModel *model = fixture_load("made", NULL, &error);
  ck_assert_msg(model != NULL, "%s: %s", what, error != NULL ? error->message : "");
  return model;
}

START_TEST(same_weights) {
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    const SwinModelConfig config = fixture_config(files[i].family);
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 3);
    g_auto(DialectFile) file = fixture_tensors(drawn, files[i].style, files[i].prefix);
    fixture_save(&file, "made");
    fixture_save_config(&config, "made");
    g_autofree gchar *what = g_strdup_printf("file %u", i);
    g_autoptr(SwinModel) model = load_good(what);
    fixture_same_tensors(drawn, model);
    const SwinModelConfig *read = swin_model_get_config(model);
    ck_assert_int_eq(read->family, files[i].family);
    ck_assert_int_eq(read->dialect, files[i].dialect);
    const SwinEdgeRules rules = swin_edge_rules(files[i].family, files[i].dialect);
    ck_assert_int_eq(read->edge_rules.window, rules.window);
    ck_assert_ptr_null(swin_model_get_notes(model)[0]);
  }
}
END_TEST

/* Networks that have more or less in them than the usual ones. */
START_TEST(variants) {
  static const struct {
    SwinFamily family;
    gboolean qkv_bias, patch_norm, position_embedding;
    guint n_classes;
  } cases[] = {
      {SWIN_FAMILY_SWIN, FALSE, FALSE, TRUE, 5},
      {SWIN_FAMILY_SWIN_V2, FALSE, FALSE, TRUE, 5},
      {SWIN_FAMILY_SWIN_V2, TRUE, TRUE, FALSE, 0},
      {SWIN_FAMILY_VIT, FALSE, FALSE, TRUE, 0},
  };
  static const Style styles[] = {STYLE_HUGGING_FACE, STYLE_TIMM, STYLE_MICROSOFT};
  for (guint i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(styles); i++) {
    const guint which = i / G_N_ELEMENTS(styles);
    const Style style = styles[i % G_N_ELEMENTS(styles)];
    SwinModelConfig config = fixture_config(cases[which].family);
    if (config.family == SWIN_FAMILY_VIT && style == STYLE_MICROSOFT) {
      continue;
    }
    config.qkv_bias = cases[which].qkv_bias;
    config.patch_norm = cases[which].patch_norm;
    config.position_embedding = cases[which].position_embedding;
    config.n_classes = cases[which].n_classes;
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 4);
    g_auto(DialectFile) file = fixture_tensors(drawn, style, "");
    fixture_save(&file, "made");
    fixture_save_config(&config, "made");
    g_autofree gchar *what = g_strdup_printf("case %u, style %d", which, style);
    g_autoptr(SwinModel) model = load_good(what);
    fixture_same_tensors(drawn, model);
    ck_assert_uint_eq(swin_model_get_n_classes(model), cases[which].n_classes);
  }
}
END_TEST

/* V2's position bias MLP is as wide as the file has it. */
START_TEST(other_bias_width) {
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN_V2);
  g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 3);
  g_auto(DialectFile) file = fixture_tensors(drawn, STYLE_TIMM, "");
  static const gchar attention[] = "layers.1.blocks.0.attn.";
  static const struct {
    const gchar *name;
    guint n_dims;
    guint64 shape[2];
  } tensors[] = {
      {"cpb_mlp.0.weight", 2, {7, 2}}, {"cpb_mlp.0.bias", 1, {7}}, {"cpb_mlp.2.weight", 2, {4, 7}}};
  for (guint i = 0; i < G_N_ELEMENTS(tensors); i++) {
    g_autofree gchar *name = g_strconcat(attention, tensors[i].name, NULL);
    fixture_remove(&file, name);
    fixture_add(&file, name, tensors[i].n_dims, tensors[i].shape)[0] = 0.5f;
  }
  fixture_save(&file, "made");
  fixture_save_config(&config, "made");
  g_autoptr(SwinModel) model = load_good("seven hidden values");
  const SwinTensor *table =
      swin_model_get_tensor(model, "stages.1.blocks.0.attention.relative_position_bias_table");
  ck_assert_uint_eq(table->shape[0], 49);
  ck_assert_uint_eq(table->shape[1], 4);
  gfloat value; /* of the last head, whose weights are zero: 16 * sigmoid(0) */
  swin_tensor_read(table, 48 * 4 + 3, 1, &value);
  ck_assert(value == 8.0f);

  fixture_find(&file, "layers.1.blocks.0.attn.cpb_mlp.0.bias")->shape[0] = 6;
  fixture_save(&file, "made");
  GError *error = NULL;
  ck_assert_ptr_null(fixture_load("made", NULL, &error));
  fixture_expect_error(error, SWIN_ERROR_CONFIG,
                       "\"layers.1.blocks.0.attn.cpb_mlp.0.bias\" in the file");
}
END_TEST

/* ---- Tokens of Vision Transformers ---------------------------------------------------------- */

static SwinModelConfig distilled_config(gboolean with_head) {
  SwinModelConfig config = fixture_config(SWIN_FAMILY_VIT);
  config.n_prefix_tokens = 2;
  config.distillation_token = TRUE;
  config.distillation_head = with_head;
  return config;
}

/* Two tokens and two heads, whose logits are averaged: the model holds halves. */
START_TEST(distilled) {
  static const Style styles[] = {STYLE_HUGGING_FACE, STYLE_HUGGING_FACE_NEWEST, STYLE_TIMM};
  static const gchar *const prefixes[] = {"deit.", "deit.", ""};
  for (guint i = 0; i < 2 * G_N_ELEMENTS(styles); i++) {
    const guint which = i / 2;
    const gboolean with_head = i % 2 == 0;
    if (!with_head && styles[which] == STYLE_TIMM) {
      continue; /* timm's have two heads or none */
    }
    const SwinModelConfig config = distilled_config(with_head);
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 5);
    g_auto(DialectFile) file = fixture_tensors(drawn, styles[which], prefixes[which]);
    fixture_save(&file, "made");
    fixture_save_config(&config, "made");
    g_autoptr(SwinModel) model = load_good("distilled");
    fixture_same_tensors(drawn, model);
    ck_assert_int_eq(swin_model_get_config(model)->distillation_head, with_head);
  }
}
END_TEST

START_TEST(halved_heads) {
  const SwinModelConfig config = distilled_config(TRUE);
  g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 5);
  g_auto(DialectFile) file = fixture_tensors(drawn, STYLE_TIMM, "");
  fixture_values(&file, "head.weight")[7] = 3.0f;
  fixture_values(&file, "head.bias")[4] = -1.5f;
  fixture_values(&file, "head_dist.weight")[8] = 0x1p-126f;
  fixture_values(&file, "head_dist.bias")[2] = 0x1.fffffep100f;
  fixture_save(&file, "made");
  fixture_save_config(&config, "made");
  g_autoptr(SwinModel) model = load_good("distilled");
  static const struct {
    const gchar *name;
    guint64 index;
    gfloat value;
  } expected[] = {{"head.weight", 7, 1.5f},
                  {"head.bias", 4, -0.75f},
                  {"distillation_head.weight", 8, 0x1p-127f},
                  {"distillation_head.bias", 2, 0x1.fffffep99f}};
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    gfloat value;
    swin_tensor_read(swin_model_get_tensor(model, expected[i].name), expected[i].index, 1, &value);
    ck_assert_msg(value == expected[i].value, "%s", expected[i].name);
  }
}
END_TEST

/* timm's registers: with a class token, without one, and the norm behind pooling by another name.
 */
START_TEST(registers) {
  SwinModelConfig config = fixture_config(SWIN_FAMILY_VIT);
  config.n_prefix_tokens = 4;
  config.prefix_positions = FALSE;
  g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 6);
  g_auto(DialectFile) file = fixture_tensors(drawn, STYLE_TIMM, "");
  fixture_save(&file, "made");
  fixture_save_config(&config, "made");
  g_autoptr(SwinModel) with_class = load_good("with a class token");
  fixture_same_tensors(drawn, with_class);

  const guint64 shape[] = {1, 4, 12};
  gfloat *all = fixture_add(&file, "all", 3, shape);
  memcpy(all, fixture_values(&file, "cls_token"), 12 * sizeof *all);
  memcpy(all + 12, fixture_values(&file, "reg_token"), 3 * 12 * sizeof *all);
  fixture_remove(&file, "cls_token");
  fixture_remove(&file, "reg_token");
  fixture_find(&file, "all")->name = "reg_token";
  fixture_find(&file, "norm.weight")->name = "fc_norm.weight";
  fixture_find(&file, "norm.bias")->name = "fc_norm.bias";
  fixture_save(&file, "made");
  g_autoptr(SwinModel) without_class = load_good("without a class token");
  fixture_same_tensors(drawn, without_class);
  ck_assert_int_eq(swin_model_get_config(without_class)->pool, SWIN_POOL_MEAN);
  ck_assert(!swin_model_get_config(without_class)->norm_before_pool);
}
END_TEST

/* ---- What is passed over -------------------------------------------------------------------- */

START_TEST(ignored_tensors) {
  static const struct {
    SwinFamily family;
    Style style;
    const gchar *prefix;
    const gchar *name;
  } cases[] = {
      {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, "swin.", "swin.embeddings.mask_token"},
      {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, "swin.", "decoder.0.weight"},
      {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, "", "layers.1.blocks.1.attn_mask"},
      {SWIN_FAMILY_SWIN_V2, STYLE_TIMM, "module.", "module.mask_token"},
      {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE, "vit.", "vit.pooler.dense.weight"},
      {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE, "", "pooler.dense.bias"},
      {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE, "vit.", "decoder.decoder_layers.0.mlp.fc1.weight"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const SwinModelConfig config = fixture_config(cases[i].family);
    const guint64 shape[] = {3};
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 7);
    g_auto(DialectFile) file = fixture_tensors(drawn, cases[i].style, cases[i].prefix);
    fixture_add(&file, cases[i].name, 1, shape)[0] = NAN;
    fixture_save(&file, "made");
    fixture_save_config(&config, "made");
    g_autoptr(SwinModel) model = load_good(cases[i].name);
    fixture_same_tensors(drawn, model);
  }
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------- */

/* One tensor taken out, one put in of 5 elements, or one renamed. */
static const struct {
  SwinFamily family;
  Style style;
  const gchar *prefix;
  const gchar *removed;
  const gchar *added;
  SwinError code;
  const gchar *part;
} refused[] = {
    {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, "swin.", "classifier.weight", NULL, SWIN_ERROR_CONFIG,
     "calls for \"classifier.weight\""},
    {SWIN_FAMILY_SWIN, STYLE_TORCHVISION, "", "features.3.1.attn.qkv.bias", NULL, SWIN_ERROR_CONFIG,
     "calls for \"features.3.1.attn.qkv.bias\""},
    {SWIN_FAMILY_SWIN, STYLE_TIMM, "model.", "model.layers.2.downsample.reduction.weight", NULL,
     SWIN_ERROR_CONFIG, "calls for \"model.layers.2.downsample.reduction.weight\""},
    {SWIN_FAMILY_SWIN_V2, STYLE_MICROSOFT, "", "layers.1.blocks.0.attn.v_bias", NULL,
     SWIN_ERROR_CONFIG, "calls for \"layers.1.blocks.0.attn.v_bias\""},
    {SWIN_FAMILY_SWIN_V2, STYLE_HUGGING_FACE, "swinv2.",
     "swinv2.encoder.layers.2.blocks.0.attention.self.logit_scale", NULL, SWIN_ERROR_CONFIG,
     "swinv2.encoder.layers.2.blocks.0.attention.self.logit_scale"},
    {SWIN_FAMILY_VIT, STYLE_TIMM, "", "blocks.1.mlp.fc2.bias", NULL, SWIN_ERROR_CONFIG,
     "calls for \"blocks.1.mlp.fc2.bias\""},
    {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE, "vit.", "vit.embeddings.patch_embeddings.projection.bias",
     NULL, SWIN_ERROR_CONFIG, "calls for \"vit.embeddings.patch_embeddings.projection.bias\""},
    {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, "swin.", NULL,
     "swin.encoder.layers.1.blocks.2.layernorm_before.weight", SWIN_ERROR_CONFIG,
     "no place for \"swin.encoder.layers.1.blocks.2.layernorm_before.weight\""},
    {SWIN_FAMILY_SWIN, STYLE_TORCHVISION, "", NULL, "features.6.norm.weight", SWIN_ERROR_CONFIG,
     "no place for \"features.6.norm.weight\""},
    {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, "swin.", NULL, "swin.embeddings.position_embeddings",
     SWIN_ERROR_CONFIG, "\"swin.embeddings.position_embeddings\""},
    {SWIN_FAMILY_SWIN, STYLE_TIMM, "", NULL, "pooler.dense.bias", SWIN_ERROR_CONFIG,
     "no place for \"pooler.dense.bias\""},
    {SWIN_FAMILY_SWIN_V2, STYLE_HUGGING_FACE, "swinv2.", NULL,
     "swinv2.encoder.layers.0.blocks.0.attention.self.key.bias", SWIN_ERROR_CONFIG,
     "no place for \"swinv2.encoder.layers.0.blocks.0.attention.self.key.bias\""},
    {SWIN_FAMILY_VIT, STYLE_TIMM, "", NULL, "pre_logits.fc.weight", SWIN_ERROR_CONFIG,
     "no place for \"pre_logits.fc.weight\""},
    {SWIN_FAMILY_VIT, STYLE_TIMM, "", NULL, "fc_norm.weight", SWIN_ERROR_CONFIG,
     "no place for \"fc_norm.weight\""},
    {SWIN_FAMILY_VIT, STYLE_TIMM, "", NULL, "blocks.0.gamma_1", SWIN_ERROR_MODEL,
     "LayerScale, which is known by timm's names alone, as its tensor \"blocks.0.gamma_1\" tells"},
    {SWIN_FAMILY_VIT, STYLE_TIMM, "", NULL, "blocks.0.ls1.gamma", SWIN_ERROR_CONFIG,
     "\"blocks.0.ls1.gamma\" in the file"},
    {SWIN_FAMILY_VIT, STYLE_TIMM, "", NULL, "blocks.0.attn.q_norm.weight", SWIN_ERROR_MODEL,
     "\"blocks.0.attn.q_norm.weight\""},
    {SWIN_FAMILY_SWIN_V2, STYLE_TIMM, "", NULL, "stages.0.blocks.0.attn.meta_mlp.fc1.weight",
     SWIN_ERROR_MODEL, "swinv2_cr"},
    {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, "backbone.", NULL, NULL, SWIN_ERROR_MODEL, "mmpretrain"},
    {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, "visual_encoder.", NULL, NULL, SWIN_ERROR_MODEL,
     "inside another network, as its tensor \"visual_encoder."},
    {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, "nobody.", NULL, NULL, SWIN_ERROR_MODEL,
     "no Swin network or Vision Transformer with the tensor names of Hugging Face, timm"},
};

START_TEST(refusals) {
  for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
    const SwinModelConfig config = fixture_config(refused[i].family);
    const guint64 shape[] = {5};
    GError *error = NULL;
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 8);
    g_auto(DialectFile) file = fixture_tensors(drawn, refused[i].style, refused[i].prefix);
    if (refused[i].removed != NULL) {
      fixture_remove(&file, refused[i].removed);
    }
    if (refused[i].added != NULL) {
      fixture_add(&file, refused[i].added, 1, shape);
    }
    fixture_save(&file, "made");
    fixture_save_config(&config, "made");
    SwinModel *model = fixture_load("made", NULL, &error);
    ck_assert_msg(model == NULL, "accepted where \"%s\" was expected", refused[i].part);
    ck_assert_msg(strstr(error->message, "made/model.safetensors\"") != NULL, "no file name in: %s",
                  error->message);
    fixture_expect_error(error, refused[i].code, refused[i].part);
  }
}
END_TEST

/* Of one network, each tensor with a shape that is not the config's. */
START_TEST(shapes) {
  static const struct {
    SwinFamily family;
    Style style;
    const gchar *name;
    guint dimension;
    guint64 size;
    const gchar *part;
  } cases[] = {
      {SWIN_FAMILY_SWIN, STYLE_TIMM, "layers.1.blocks.0.attn.qkv.weight", 0, 71,
       "has the shape [71, 24], but the config calls for [72, 24]"},
      {SWIN_FAMILY_SWIN, STYLE_TIMM, "layers.1.blocks.0.attn.relative_position_bias_table", 0, 48,
       "has the shape [48, 4], but the config calls for [49, 4] (the options image-size and window-size have"},
      {SWIN_FAMILY_SWIN_V2, STYLE_MICROSOFT, "layers.2.blocks.0.attn.logit_scale", 1, 0,
       "has the shape [3, 0, 1], but the config calls for [3, 1, 1]"},
      {SWIN_FAMILY_SWIN_V2, STYLE_MICROSOFT, "layers.2.blocks.0.attn.cpb_mlp.0.weight", 0, 0,
       "\"layers.2.blocks.0.attn.cpb_mlp.0.weight\""},
      {SWIN_FAMILY_VIT, STYLE_TIMM, "pos_embed", 1, 14,
       "has the shape [1, 14, 12], but the config calls for [1, 16, 12]"},
      {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE, "embeddings.cls_token", 2, 11,
       "has the shape [1, 1, 11], but the config calls for [1, 1, 12]"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const SwinModelConfig config = fixture_config(cases[i].family);
    GError *error = NULL;
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 9);
    g_auto(DialectFile) file = fixture_tensors(drawn, cases[i].style, "");
    fixture_find(&file, cases[i].name)->shape[cases[i].dimension] = cases[i].size;
    fixture_save(&file, "made");
    fixture_save_config(&config, "made");
    ck_assert_ptr_null(fixture_load("made", NULL, &error));
    fixture_expect_error(error, SWIN_ERROR_CONFIG, cases[i].part);
  }
}
END_TEST

/* A tensor that is needed must be of a type that can be read. */
START_TEST(unreadable_type) {
  g_autofree gchar *path = fixture_golden("regular/hf/model.safetensors");
  g_autofree gchar *config_path = fixture_golden("regular/hf/config.json");
  g_autofree gchar *bytes = NULL, *config = NULL;
  gsize n_bytes;
  ck_assert(g_file_get_contents(path, &bytes, &n_bytes, NULL));
  gchar *name = g_strstr_len(bytes + 8, (gssize)n_bytes - 8, "\"swin.layernorm.weight\"");
  gchar *dtype = g_strstr_len(name, 100, "F32");
  ck_assert_ptr_nonnull(dtype);
  memcpy(dtype, "I32", 3);
  fixture_write("typed/model.safetensors", bytes, n_bytes);
  ck_assert(g_file_get_contents(config_path, &config, NULL, NULL));
  fixture_write_text("typed/config.json", config);
  GError *error = NULL;
  ck_assert_ptr_null(fixture_load("typed", NULL, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "\"I32\": save it as F32, F16 or BF16");
}
END_TEST

static SwinModel *load_golden(const gchar *name) {
  g_autofree gchar *path = fixture_golden(name);
  GError *error = NULL;
  SwinModel *model = swin_model_load(path, NULL, &error);
  ck_assert_msg(model != NULL, "%s: %s", name, error != NULL ? error->message : "");
  return model;
}

START_TEST(stored_types) {
  g_autoptr(SwinModel) half = load_golden("odd-hf/hf");
  ck_assert_int_eq(swin_model_get_tensor(half, "head.weight")->dtype, SWIN_DTYPE_F16);
  g_autoptr(SwinModel) brain = load_golden("rectangle-hf/hf");
  ck_assert_int_eq(swin_model_get_tensor(brain, "head.weight")->dtype, SWIN_DTYPE_BF16);
  gfloat value;
  swin_tensor_read(swin_model_get_tensor(brain, "norm.weight"), 0, 1, &value);
  ck_assert(value > 0.0f && value < 2.0f);
}
END_TEST

/* Files that transformers and torchvision themselves wrote. */
START_TEST(golden_weights) {
  static const gchar *const cases[][2] = {{"regular/hf", "regular/torchvision"},
                                          {"three-stages/hf", "three-stages/torchvision"}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(SwinModel) first = load_golden(cases[i][0]);
    g_autoptr(SwinModel) second = load_golden(cases[i][1]);
    fixture_same_tensors(first, second);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {same_weights, variants,        other_bias_width, distilled,
                                halved_heads, registers,       ignored_tensors,  refusals,
                                shapes,       unreadable_type, stored_types,     golden_weights};
  return fixture_run("dialect", tests, G_N_ELEMENTS(tests));
}
