// SPDX-License-Identifier: LGPL-2.1-or-later
/* Where models are looked for, what they say of themselves, and that bad ones give a sentence. */
#include <math.h>
#include <string.h>

#include "dialect-fixture.h"
#include "fixture.h"

static gchar *read_golden(const gchar *name, gsize *length) {
  g_autofree gchar *path = fixture_golden(name);
  gchar *content = NULL;
  ck_assert_msg(g_file_get_contents(path, &content, length, NULL), "no %s", path);
  return content;
}

static void copy_golden(const gchar *name, const gchar *to) {
  gsize length;
  g_autofree gchar *content = read_golden(name, &length);
  fixture_write(to, content, length);
}

static SwinModel *load(const gchar *name, GError **error) {
  g_autofree gchar *path = fixture_path(name);
  return swin_model_load(path, NULL, error);
}

/* A copy of a golden model with one text of its config replaced. */
static SwinModel *load_with(const gchar *old, const gchar *new, GError **error) {
  copy_golden("regular/hf/model.safetensors", "changed/model.safetensors");
  g_autofree gchar *config = read_golden("regular/hf/config.json", NULL);
  ck_assert_ptr_nonnull(strstr(config, old));
  g_auto(GStrv) parts = g_strsplit(config, old, 2);
  g_autofree gchar *changed = g_strjoinv(new, parts);
  fixture_write_text("changed/config.json", changed);
  return load("changed", error);
}

START_TEST(directory_and_file) {
  static const gchar *const locations[] = {"place", "place/", "place/model.safetensors",
                                           "place/other.safetensors"};
  static const gchar *const names[] = {"place", "place", "model.safetensors", "other.safetensors"};
  copy_golden("regular/hf/model.safetensors", "place/model.safetensors");
  copy_golden("regular/hf/model.safetensors", "place/other.safetensors");
  copy_golden("regular/hf/config.json", "place/config.json");
  for (guint i = 0; i < G_N_ELEMENTS(locations); i++) {
    GError *error = NULL;
    g_autoptr(SwinModel) model = load(locations[i], &error);
    ck_assert_msg(model != NULL, "%s: %s", locations[i], error != NULL ? error->message : "");
    ck_assert_str_eq(swin_model_get_name(model), names[i]);
    ck_assert_uint_eq(swin_model_get_n_classes(model), 5);
    ck_assert_str_eq(swin_model_get_label(model, 0), "alpha");
    ck_assert_str_eq(swin_model_get_label(model, 4), "epsilon");
    ck_assert_int_eq(swin_model_get_preprocessing(model)->filter, SWIN_FILTER_BICUBIC);
    ck_assert_ptr_null(swin_model_get_tensor(model, "stages.2.blocks.0.norm1.weight"));
    g_autoptr(SwinModel) other = swin_model_ref(model);
    ck_assert_ptr_eq(other, model);
  }
}
END_TEST

START_TEST(preprocessor) {
  copy_golden("regular/hf/model.safetensors", "prepared/model.safetensors");
  copy_golden("regular/hf/config.json", "prepared/config.json");
  fixture_write_text("prepared/preprocessor_config.json", "{\"size\": 32, \"resample\": 2}");
  g_autoptr(SwinModel) model = load("prepared", NULL);
  ck_assert_ptr_nonnull(model);
  ck_assert_int_eq(swin_model_get_preprocessing(model)->filter, SWIN_FILTER_BILINEAR);
  fixture_write_text("prepared/preprocessor_config.json", "{\"size\": 48}");
  GError *error = NULL;
  ck_assert_ptr_null(load("prepared", &error));
  ck_assert_ptr_nonnull(strstr(error->message, "preprocessor_config.json\""));
  fixture_expect_error(error, SWIN_ERROR_CONFIG, "\"size\" makes pictures of 48 x 48 pixels");
}
END_TEST

/* built-in.gresource.xml holds these. */
START_TEST(built_in) {
  GError *error = NULL;
  g_autoptr(SwinModel) model = swin_model_load("golden-regular", NULL, &error);
  ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
  ck_assert_str_eq(swin_model_get_name(model), "golden-regular");
  ck_assert_str_eq(swin_model_get_label(model, 3), "delta");
  g_autofree gchar *path = fixture_golden("regular/torchvision");
  g_autoptr(SwinModel) golden = swin_model_load(path, NULL, NULL);
  const SwinTensor *ours = swin_model_get_tensor(model, "head.weight");
  const SwinTensor *theirs = swin_model_get_tensor(golden, "head.weight");
  ck_assert_uint_eq(ours->n_elements, theirs->n_elements);
  ck_assert_mem_eq(ours->data, theirs->data, ours->n_elements * 4);
  ck_assert_ptr_null(swin_model_load("golden-damaged", NULL, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "golden-damaged");
  ck_assert_ptr_null(swin_model_load("../models/golden-regular", NULL, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "There is no model");
}
END_TEST

START_TEST(nothing_there) {
  GError *error = NULL;
  g_autofree gchar *missing = fixture_path("missing");
  ck_assert_ptr_null(swin_model_load(missing, NULL, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, missing);
  ck_assert_ptr_null(swin_model_load("no-such-built-in", NULL, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "built-in");
  ck_assert_ptr_null(swin_model_load("", NULL, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "no model");
}
END_TEST

START_TEST(incomplete_directories) {
  GError *error = NULL;
  fixture_write_text("bare/readme", "nothing else");
  ck_assert_ptr_null(load("bare", &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "holds no model.safetensors");
  fixture_write_text("bare/pytorch_model.bin", "pickled");
  ck_assert_ptr_null(load("bare", &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "convert pytorch_model.bin");
  fixture_write_text("bare/model.safetensors.index.json", "{}");
  ck_assert_ptr_null(load("bare", &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "several files");
}
END_TEST

/* What the tensors do not tell is assumed, and said. */
START_TEST(without_config) {
  GError *error = NULL;
  copy_golden("regular/hf/model.safetensors", "alone/model.safetensors");
  g_autoptr(SwinModel) model = load("alone", &error);
  ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
  const gchar *const *notes = swin_model_get_notes(model);
  ck_assert_ptr_nonnull(notes[0]);
  ck_assert_ptr_nonnull(strstr(notes[0], "image-size"));
  ck_assert_str_eq(swin_model_get_label(model, 4), "LABEL_4");
  g_autofree gchar *path = fixture_golden("regular/hf");
  g_autoptr(SwinModel) golden = swin_model_load(path, NULL, NULL);
  ck_assert_ptr_null(swin_model_get_notes(golden)[0]);
  fixture_same_tensors(model, golden);
}
END_TEST

/* A text that is there is not passed over. */
START_TEST(unknown_config) {
  GError *error = NULL;
  copy_golden("regular/hf/model.safetensors", "unknown/model.safetensors");
  fixture_write_text("unknown/config.json", "{\"model_name\": \"swin\"}");
  ck_assert_ptr_null(load("unknown", &error));
  ck_assert_ptr_nonnull(strstr(error->message, "unknown/config.json\""));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_CONFIG,
                       "\"model_type\", which transformers writes, and \"architecture\"");
  fixture_write_text("unknown/preprocessor_config.json/inside", "");
  copy_golden("regular/hf/config.json", "unknown/config.json");
  ck_assert_ptr_null(load("unknown", &error));
  fixture_expect_error(error, SWIN_ERROR_CONFIG, "preprocessor_config.json\" is no file");
}
END_TEST

START_TEST(truncated) {
  gsize length;
  g_autofree gchar *content = read_golden("regular/torchvision/model.safetensors", &length);
  copy_golden("regular/torchvision/config.json", "cut/config.json");
  const gsize lengths[] = {0, 7, 8, 100, length / 2, length - 1};
  for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
    fixture_write("cut/model.safetensors", content, lengths[i]);
    GError *error = NULL;
    ck_assert_ptr_null(load("cut", &error));
    fixture_expect_error(error, SWIN_ERROR_MODEL, "cut/model.safetensors\"");
  }
}
END_TEST

START_TEST(contradictions) {
  static const struct {
    const gchar *old;
    const gchar *new;
    const gchar *part;
  } cases[] = {
      {"\"embed_dim\": 16", "\"embed_dim\": 24",
       "\"swin.embeddings.patch_embeddings.projection.weight\""},
      {"\"embed_dim\": 16", "\"embed_dim\": 24",
       "has the shape [16, 3, 2, 2], but the config calls for [24, 3, 2, 2]"},
      {"\"window_size\": 4", "\"window_size\": 7",
       "has the shape [49, 2], but the config calls for [169, 2]"},
      {"\"id2label\"", "\"id_to_label\"", "\"classifier.weight\""},
      {"\"qkv_bias\": true", "\"qkv_bias\": false",
       "no place for \"swin.encoder.layers.0.blocks.0.attention.self.key.bias\""},
      {"\"mlp_ratio\": 4.0", "\"mlp_ratio\": 2.0", "has the shape [64, 16], but"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    GError *error = NULL;
    ck_assert_ptr_null(load_with(cases[i].old, cases[i].new, &error));
    fixture_expect_error(error, SWIN_ERROR_CONFIG, cases[i].part);
  }
}
END_TEST

START_TEST(bad_config) {
  GError *error = NULL;
  ck_assert_ptr_null(load_with("\"window_size\": 4", "\"window_size\": -4", &error));
  ck_assert_ptr_nonnull(strstr(error->message, "changed/config.json\""));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_CONFIG, "\"window_size\"");
  ck_assert_ptr_null(load_with("{", "", &error));
  ck_assert_ptr_nonnull(strstr(error->message, "changed/config.json\""));
  fixture_expect_error(error, SWIN_ERROR_CONFIG, "not JSON");
}
END_TEST

/* What the tests of the networks hold their results against is complete. */
START_TEST(golden_references) {
  static const gchar *const cases[] = {
      "regular/hf",
      "regular/torchvision",
      "three-stages/hf",
      "three-stages/torchvision",
      "odd-torchvision/torchvision",
      "odd-hf/hf",
      "rectangle-torchvision/torchvision",
      "rectangle-hf/hf",
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree gchar *path = fixture_golden(cases[i]);
    g_autofree gchar *folder = g_path_get_dirname(path);
    g_autofree gchar *reference = g_build_filename(folder, "reference.safetensors", NULL);
    g_autoptr(SwinModel) model = swin_model_load(path, NULL, NULL);
    g_autoptr(SwinSafetensors) file = swin_safetensors_open(reference, NULL);
    ck_assert_msg(model != NULL && file != NULL, "%s", cases[i]);
    const SwinModelConfig *config = swin_model_get_config(model);
    SwinTensor input, logits, pooled;
    ck_assert(swin_safetensors_lookup(file, "input", &input, NULL));
    ck_assert(swin_safetensors_lookup(file, "logits", &logits, NULL));
    ck_assert(swin_safetensors_lookup(file, "pooled", &pooled, NULL));
    ck_assert_uint_eq(input.shape[1], config->n_channels);
    ck_assert_uint_eq(input.shape[2], config->image_height);
    ck_assert_uint_eq(input.shape[3], config->image_width);
    ck_assert_uint_eq(logits.shape[0], input.shape[0]);
    ck_assert_uint_eq(logits.shape[1], config->n_classes);
    ck_assert_uint_eq(pooled.shape[1], swin_model_config_channels(config, config->n_stages - 1));
    for (guint stage = 0; stage < config->n_stages; stage++) {
      g_autofree gchar *name = g_strdup_printf("stages.%u", stage);
      SwinTensor tokens;
      ck_assert(swin_safetensors_lookup(file, name, &tokens, NULL));
      ck_assert_uint_eq(tokens.n_dims, 4);
      ck_assert_uint_eq(tokens.shape[3],
                        swin_model_config_channels(config, MIN(stage + 1, config->n_stages - 1)));
    }
  }
}
END_TEST

/* ---- timm's config -------------------------------------------------------------------------- */

static const gchar timm_config[] =
    "{\"architecture\":\"swin_tiny_patch4_window7_224\",\"num_classes\":5,"
    "\"model_args\":{\"img_size\":[32,64],\"window_size\":4},"
    "\"pretrained_cfg\":{\"mean\":[0.25,0.5,0.75],\"crop_pct\":0.5}}";

/* timm runs Microsoft's files by its own rules. */
START_TEST(config_of_timm) {
  static const Style styles[] = {STYLE_TIMM, STYLE_MICROSOFT};
  SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN);
  g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 1);
  for (guint i = 0; i < G_N_ELEMENTS(styles); i++) {
    g_auto(DialectFile) file = fixture_tensors(drawn, styles[i], "");
    fixture_save(&file, "timm");
    fixture_write_text("timm/config.json", timm_config);
    GError *error = NULL;
    g_autoptr(SwinModel) model = load("timm", &error);
    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    fixture_same_tensors(drawn, model);
    ck_assert_int_eq(swin_model_get_config(model)->dialect, SWIN_DIALECT_TIMM);
    ck_assert_int_eq(swin_model_get_config(model)->edge_rules.window, SWIN_WINDOW_CLIP_AXES);
    ck_assert(swin_model_get_preprocessing(model)->mean[0] == 0.25f);
  }
}
END_TEST

/* ---- Values --------------------------------------------------------------------------------- */

START_TEST(not_finite) {
  static const struct {
    SwinFamily family;
    Style style;
    const gchar *name;
    guint index;
    gfloat value;
    const gchar *part;
  } cases[] = {
      {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, "embeddings.norm.bias", 11, NAN,
       "\"embeddings.norm.bias\" has no number (NaN) at [11]"},
      {SWIN_FAMILY_SWIN, STYLE_MICROSOFT, "layers.1.blocks.1.attn.qkv.weight", 24 * 50 + 3,
       INFINITY, "\"layers.1.blocks.1.attn.qkv.weight\" has an infinite value at [50, 3]"},
      {SWIN_FAMILY_SWIN_V2, STYLE_TIMM, "layers.0.blocks.0.attn.logit_scale", 1, -INFINITY,
       "\"layers.0.blocks.0.attn.logit_scale\" has an infinite value at [1, 0, 0]"},
      {SWIN_FAMILY_SWIN_V2, STYLE_TORCHVISION, "features.3.1.attn.cpb_mlp.2.weight", 3 * 512 + 7,
       NAN, "\"features.3.1.attn.cpb_mlp.2.weight\" has no number (NaN) at [3, 7]"},
      {SWIN_FAMILY_VIT, STYLE_TIMM, "cls_token", 5, NAN,
       "\"cls_token\" has no number (NaN) at [0, 0, 5]"},
      {SWIN_FAMILY_VIT, STYLE_HUGGING_FACE, "embeddings.patch_embeddings.projection.weight",
       ((2 * 3 + 1) * 8 + 6) * 8 + 4, NAN,
       "projection.weight\" has no number (NaN) at [2, 1, 6, 4]"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const SwinModelConfig config = fixture_config(cases[i].family);
    GError *error = NULL;
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 2);
    g_auto(DialectFile) file = fixture_tensors(drawn, cases[i].style, "");
    fixture_values(&file, cases[i].name)[cases[i].index] = cases[i].value;
    fixture_save(&file, "values");
    fixture_save_config(&config, "values");
    ck_assert_ptr_null(load("values", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "values/model.safetensors\""));
    fixture_expect_error(error, SWIN_ERROR_MODEL, cases[i].part);
  }
}
END_TEST

/* torchvision sets V2's key bias to zero when it runs: what is in the file does not matter. */
START_TEST(unused_values) {
  const SwinModelConfig config = fixture_config(SWIN_FAMILY_SWIN_V2);
  g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 2);
  g_auto(DialectFile) file = fixture_tensors(drawn, STYLE_TORCHVISION, "");
  fixture_values(&file, "features.3.1.attn.qkv.bias")[24 + 3] = NAN;
  fixture_save(&file, "values");
  fixture_save_config(&config, "values");
  g_autoptr(SwinModel) model = load("values", NULL);
  ck_assert_ptr_nonnull(model);
  fixture_same_tensors(drawn, model);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      directory_and_file, built_in,       preprocessor, nothing_there,  incomplete_directories,
      without_config,     unknown_config, truncated,    contradictions, bad_config,
      golden_references,  config_of_timm, not_finite,   unused_values};
  return fixture_run("model", tests, G_N_ELEMENTS(tests));
}
