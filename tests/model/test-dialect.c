// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tensor names: both publishers' files give the same tensors, and files that do not fit are refused
 * by the name of the tensor that does not. */
#include <string.h>

#include "fixture.h"
#include "model/layout.h"
#include "model/model.h"
#include "model/safetensors.h"

static SwinModel *load_golden(const gchar *name) {
  g_autofree gchar *path = fixture_golden(name);
  GError *error = NULL;
  SwinModel *model = swin_model_load(path, &error);
  ck_assert_msg(model != NULL, "%s: %s", name, error != NULL ? error->message : "");
  return model;
}

static void assert_same_tensors(SwinModel *a, SwinModel *b) {
  g_autoptr(GPtrArray) layout = swin_layout_new(swin_model_get_config(a));
  ck_assert_uint_gt(layout->len, 0);
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    const SwinTensor *first = swin_model_get_tensor(a, slot->name);
    const SwinTensor *second = swin_model_get_tensor(b, slot->name);
    ck_assert_msg(first != NULL && second != NULL, "%s is missing", slot->name);
    ck_assert_uint_eq(first->n_dims, slot->n_dims);
    ck_assert_uint_eq(second->n_dims, slot->n_dims);
    ck_assert_mem_eq(first->shape, slot->shape, slot->n_dims * sizeof *slot->shape);
    ck_assert_mem_eq(second->shape, slot->shape, slot->n_dims * sizeof *slot->shape);
    ck_assert_int_eq(first->dtype, SWIN_DTYPE_F32);
    ck_assert_int_eq(second->dtype, SWIN_DTYPE_F32);
    ck_assert_msg(memcmp(first->data, second->data, slot->n_elements * 4) == 0, "%s differs",
                  slot->name);
  }
  ck_assert_uint_eq(swin_model_get_n_parameters(a), swin_model_get_n_parameters(b));
}

START_TEST(same_weights) {
  static const gchar *const cases[] = {"regular", "three-stages"};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree gchar *first = g_build_filename(cases[i], "hf", NULL);
    g_autofree gchar *second = g_build_filename(cases[i], "torchvision", NULL);
    g_autoptr(SwinModel) hugging_face = load_golden(first);
    g_autoptr(SwinModel) torchvision = load_golden(second);
    assert_same_tensors(hugging_face, torchvision);
    const SwinEdgeRules *rules = &swin_model_get_config(hugging_face)->edge_rules;
    ck_assert(rules->clip_window && !rules->shift_per_axis);
    rules = &swin_model_get_config(torchvision)->edge_rules;
    ck_assert(!rules->clip_window && rules->shift_per_axis);
  }
}
END_TEST

/* ---- Files made of "regular" ---------------------------------------------------------------- */

/* Returns the new name of a tensor, or NULL to leave it out. */
typedef gchar *(*RenameFunc)(const gchar *name);

/* Writes DIRECTORY "made" out of a golden model: tensors renamed by @rename, and one more of
 * @extra_shape when @extra is a name. Tensors of other types than float are left out. */
static SwinModel *load_renamed(const gchar *golden, RenameFunc rename, const gchar *extra,
                               guint64 extra_rows, GError **error) {
  g_autofree gchar *weights = g_build_filename(GOLDEN_DIR, golden, "model.safetensors", NULL);
  g_autofree gchar *config = g_build_filename(GOLDEN_DIR, golden, "config.json", NULL);
  g_autofree gchar *text = NULL;
  g_autoptr(SwinSafetensors) file = swin_safetensors_open(weights, NULL);
  ck_assert(file != NULL && g_file_get_contents(config, &text, NULL, NULL));
  fixture_write_text("made/config.json", text);
  g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GArray) tensors = g_array_new(FALSE, TRUE, sizeof(SwinNamedValues));
  const GPtrArray *names = swin_safetensors_get_names(file);
  for (guint i = 0; i < names->len; i++) {
    SwinTensor tensor;
    gchar *name = rename(g_ptr_array_index(names, i));
    if (name == NULL ||
        !swin_safetensors_lookup(file, g_ptr_array_index(names, i), &tensor, NULL)) {
      g_free(name);
      continue;
    }
    gfloat *values = g_new(gfloat, tensor.n_elements);
    swin_tensor_read(&tensor, 0, tensor.n_elements, values);
    SwinNamedValues entry = {.name = name, .n_dims = tensor.n_dims, .values = values};
    memcpy(entry.shape, tensor.shape, sizeof entry.shape);
    g_array_append_val(tensors, entry);
    g_ptr_array_add(owned, name);
    g_ptr_array_add(owned, values);
  }
  gfloat *zeros = g_new0(gfloat, extra_rows + 1);
  g_ptr_array_add(owned, zeros);
  if (extra != NULL) {
    SwinNamedValues entry = {.name = extra, .n_dims = 1, .shape = {extra_rows}, .values = zeros};
    g_array_append_val(tensors, entry);
  }
  g_autofree gchar *path = fixture_path("made/model.safetensors");
  ck_assert(
      swin_safetensors_write(path, (SwinNamedValues *)tensors->data, tensors->len, NULL, NULL));
  return swin_model_load(path, error);
}

static gchar *replace(const gchar *text, const gchar *old, const gchar *new) {
  g_auto(GStrv) parts = g_strsplit(text, old, -1);
  return g_strjoinv(new, parts);
}

static gchar *keep(const gchar *name) {
  return g_strdup(name);
}

static gchar *without_prefix(const gchar *name) {
  return g_strdup(g_str_has_prefix(name, "swin.") ? name + strlen("swin.") : name);
}

/* The names of the newest transformers. */
static gchar *newer(const gchar *name) {
  static const gchar *const pairs[][2] = {
      {"attention.self.query", "attention.q_proj"},
      {"attention.self.key", "attention.k_proj"},
      {"attention.self.value", "attention.v_proj"},
      {"attention.output.dense", "attention.o_proj"},
      {"attention.self.relative_position_bias_table",
       "attention.relative_position_bias.relative_position_bias_table"},
      {"intermediate.dense", "mlp.fc1"},
      {"output.dense", "mlp.fc2"},
  };
  gchar *renamed = g_strdup(name);
  for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
    gchar *next = replace(renamed, pairs[i][0], pairs[i][1]);
    g_free(renamed);
    renamed = next;
  }
  return renamed;
}

START_TEST(other_hugging_face_names) {
  static const RenameFunc renames[] = {keep, without_prefix, newer};
  for (guint i = 0; i < G_N_ELEMENTS(renames); i++) {
    GError *error = NULL;
    g_autoptr(SwinModel) model = load_renamed("regular/hf", renames[i], NULL, 0, &error);
    ck_assert_msg(model != NULL, "%u: %s", i, error != NULL ? error->message : "");
    g_autoptr(SwinModel) golden = load_golden("regular/torchvision");
    assert_same_tensors(model, golden);
  }
}
END_TEST

START_TEST(ignored_tensors) {
  static const gchar *const names[] = {
      "swin.encoder.layers.0.blocks.0.attention.self.relative_position_index",
      "swin.encoder.layers.0.blocks.1.attn_mask", "swin.embeddings.mask_token"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autoptr(SwinModel) model = load_renamed("regular/hf", keep, names[i], 5, NULL);
    ck_assert_msg(model != NULL, "%s", names[i]);
  }
}
END_TEST

static gchar *without_classifier(const gchar *name) {
  return g_str_has_prefix(name, "classifier.") ? NULL : g_strdup(name);
}

static gchar *without_qkv_bias(const gchar *name) {
  return g_str_has_suffix(name, "features.3.1.attn.qkv.bias") ? NULL : g_strdup(name);
}

static gchar *as_microsoft(const gchar *name) {
  return replace(name, "swin.embeddings.patch_embeddings.projection", "patch_embed.proj");
}

static gchar *as_second_generation(const gchar *name) {
  return replace(name, "swin.", "swinv2.");
}

static gchar *as_nobody(const gchar *name) {
  return g_strconcat("backbone.", name, NULL);
}

static gchar *without_table(const gchar *name) {
  return g_str_has_suffix(name, "layers.1.blocks.0.attention.self.relative_position_bias_table")
             ? NULL
             : g_strdup(name);
}

static const struct {
  const gchar *golden;
  RenameFunc rename;
  const gchar *extra;
  SwinError code;
  const gchar *part;
} refused[] = {
    {"regular/hf", without_classifier, NULL, SWIN_ERROR_CONFIG, "calls for \"classifier.weight\""},
    {"regular/torchvision", without_qkv_bias, NULL, SWIN_ERROR_CONFIG,
     "calls for \"features.3.1.attn.qkv.bias\""},
    {"regular/hf", keep, "swin.encoder.layers.1.blocks.2.layernorm_before.weight",
     SWIN_ERROR_CONFIG, "no place for \"swin.encoder.layers.1.blocks.2.layernorm_before.weight\""},
    {"regular/torchvision", keep, "features.4.norm.weight", SWIN_ERROR_CONFIG,
     "no place for \"features.4.norm.weight\""},
    {"regular/hf", keep, "swin.embeddings.position_embeddings", SWIN_ERROR_CONFIG,
     "no place for \"swin.embeddings.position_embeddings\""},
    {"regular/hf", as_microsoft, NULL, SWIN_ERROR_MODEL, "Microsoft"},
    {"regular/hf", as_second_generation, NULL, SWIN_ERROR_MODEL, "Swin V2"},
    {"regular/hf", as_nobody, NULL, SWIN_ERROR_MODEL, "no Swin network"},
    {"regular/hf", without_table,
     "swin.encoder.layers.1.blocks.0.attention.self.relative_position_bias_table",
     SWIN_ERROR_CONFIG, "has the shape [5], but the config calls for [49, 4]"},
};

START_TEST(refusals) {
  for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
    GError *error = NULL;
    SwinModel *model =
        load_renamed(refused[i].golden, refused[i].rename, refused[i].extra, 5, &error);
    ck_assert_msg(model == NULL, "accepted where \"%s\" was expected", refused[i].part);
    ck_assert_msg(strstr(error->message, "made/model.safetensors\"") != NULL, "no file name in: %s",
                  error->message);
    fixture_expect_error(error, refused[i].code, refused[i].part);
  }
}
END_TEST

/* A tensor that is needed must be of a type that can be read. */
START_TEST(unreadable_type) {
  g_autofree gchar *path = g_build_filename(GOLDEN_DIR, "regular/hf/model.safetensors", NULL);
  g_autofree gchar *bytes = NULL;
  gsize n_bytes;
  ck_assert(g_file_get_contents(path, &bytes, &n_bytes, NULL));
  gchar *name = g_strstr_len(bytes + 8, (gssize)n_bytes - 8, "\"swin.layernorm.weight\"");
  gchar *dtype = g_strstr_len(name, 100, "F32");
  ck_assert_ptr_nonnull(dtype);
  memcpy(dtype, "I32", 3);
  fixture_write("typed/model.safetensors", bytes, n_bytes);
  g_autofree gchar *config_path = g_build_filename(GOLDEN_DIR, "regular/hf/config.json", NULL);
  g_autofree gchar *config = NULL;
  ck_assert(g_file_get_contents(config_path, &config, NULL, NULL));
  fixture_write_text("typed/config.json", config);
  g_autofree gchar *folder = fixture_path("typed");
  GError *error = NULL;
  ck_assert_ptr_null(swin_model_load(folder, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "\"I32\": save it as F32, F16 or BF16");
}
END_TEST

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

int main(void) {
  const TTest *const tests[] = {same_weights, other_hugging_face_names, ignored_tensors,
                                refusals,     unreadable_type,          stored_types};
  return fixture_run("dialect", tests, G_N_ELEMENTS(tests));
}
