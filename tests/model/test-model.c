// SPDX-License-Identifier: LGPL-2.1-or-later
/* Where models are looked for, what they say of themselves, and that bad ones give a sentence. */
#include <string.h>

#include "fixture.h"
#include "model/model.h"
#include "model/safetensors.h"

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
  return swin_model_load(path, error);
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
  g_autoptr(SwinModel) model = swin_model_load("golden-regular", &error);
  ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
  ck_assert_str_eq(swin_model_get_name(model), "golden-regular");
  ck_assert_str_eq(swin_model_get_label(model, 3), "delta");
  g_autofree gchar *path = fixture_golden("regular/torchvision");
  g_autoptr(SwinModel) golden = swin_model_load(path, NULL);
  const SwinTensor *ours = swin_model_get_tensor(model, "head.weight");
  const SwinTensor *theirs = swin_model_get_tensor(golden, "head.weight");
  ck_assert_uint_eq(ours->n_elements, theirs->n_elements);
  ck_assert_mem_eq(ours->data, theirs->data, ours->n_elements * 4);
  ck_assert_ptr_null(swin_model_load("golden-damaged", &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "golden-damaged");
  ck_assert_ptr_null(swin_model_load("../models/golden-regular", &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "There is no model");
}
END_TEST

START_TEST(nothing_there) {
  GError *error = NULL;
  g_autofree gchar *missing = fixture_path("missing");
  ck_assert_ptr_null(swin_model_load(missing, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, missing);
  ck_assert_ptr_null(swin_model_load("no-such-built-in", &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "built-in");
  ck_assert_ptr_null(swin_model_load("", &error));
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
  copy_golden("regular/hf/model.safetensors", "alone/model.safetensors");
  ck_assert_ptr_null(load("alone", &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_CONFIG, "alone/config.json\"");
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
      {"\"patch_size\": 2", "\"patch_size\": 2, \"patch_norm\": false",
       "no place for \"swin.embeddings.norm.bias\""},
      {"\"mlp_ratio\": 4.0", "\"mlp_ratio\": 2.0", "has the shape [64, 16], but"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    GError *error = NULL;
    ck_assert_ptr_null(load_with(cases[i].old, cases[i].new, &error));
    fixture_expect_error(error, SWIN_ERROR_CONFIG, cases[i].part);
  }
}
END_TEST

/* Hugging Face's networks pad an image to whole patches, torchvision's cut it. */
START_TEST(parts_of_patches) {
  static const gchar *const dialects[] = {"hf", "torchvision"};
  for (guint i = 0; i < G_N_ELEMENTS(dialects); i++) {
    g_autofree gchar *weights = g_build_filename("regular", dialects[i], "model.safetensors", NULL);
    copy_golden(weights, "changed/model.safetensors");
    g_autofree gchar *config = read_golden("regular/hf/config.json", NULL);
    g_auto(GStrv) parts = g_strsplit(config, "\"image_size\": 32", 2);
    g_autofree gchar *changed = g_strjoinv("\"image_size\": 33", parts);
    fixture_write_text("changed/config.json", changed);
    GError *error = NULL;
    g_autoptr(SwinModel) model = load("changed", &error);
    ck_assert_int_eq(model != NULL, i == 0);
    if (i == 1) {
      fixture_expect_error(error, SWIN_ERROR_CONFIG, "33 x 33 pixels");
    }
  }
}
END_TEST

START_TEST(bad_config) {
  GError *error = NULL;
  ck_assert_ptr_null(load_with("\"window_size\": 4", "\"window_size\": -4", &error));
  ck_assert_ptr_nonnull(strstr(error->message, "changed/config.json\""));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_CONFIG, "\"window_size\"");
  ck_assert_ptr_null(load_with("{", "", &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_CONFIG, "not JSON");
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
    g_autoptr(SwinModel) model = swin_model_load(path, NULL);
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

int main(void) {
  const TTest *const tests[] = {
      directory_and_file, built_in,       preprocessor, nothing_there,     incomplete_directories,
      truncated,          contradictions, bad_config,   golden_references, parts_of_patches};
  return fixture_run("model", tests, G_N_ELEMENTS(tests));
}
