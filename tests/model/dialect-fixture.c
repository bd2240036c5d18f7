// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dialect-fixture.h"

#include <string.h>

#include "fixture.h"

void dialect_file_clear(DialectFile *file) {
  g_clear_pointer(&file->tensors, g_array_unref);
  g_clear_pointer(&file->owned, g_ptr_array_unref);
}

/* ---- Configs -------------------------------------------------------------------------------- */

static void make_vit(SwinModelConfig *config) {
  config->image_height = 24;
  config->image_width = 40;
  config->patch_size = 8;
  config->depths[0] = 2;
  config->n_heads[0] = 3;
  config->mlp_width = 20;
}

static void make_swin(SwinModelConfig *config) {
  static const guint depths[] = {1, 2, 1}, n_heads[] = {2, 4, 3};
  config->image_height = 32;
  config->image_width = 64;
  config->patch_size = 2;
  config->n_stages = G_N_ELEMENTS(depths);
  memcpy(config->depths, depths, sizeof depths);
  memcpy(config->n_heads, n_heads, sizeof n_heads);
  for (guint stage = 0; stage < config->n_stages; stage++) {
    config->window_height[stage] = config->window_width[stage] = 4;
  }
  config->mlp_ratio = 2.5;
}

SwinModelConfig fixture_config(SwinFamily family) {
  SwinModelConfig config;
  swin_model_config_default(family, &config);
  config.embed_dim = 12;
  config.n_classes = 5;
  if (family == SWIN_FAMILY_VIT) {
    make_vit(&config);
  } else {
    make_swin(&config);
  }
  return config;
}

static void append_uints(GString *text, const gchar *field, const guint *values, guint n_values) {
  g_string_append_printf(text, ",\"%s\":[", field);
  for (guint i = 0; i < n_values; i++) {
    g_string_append_printf(text, "%s%u", i == 0 ? "" : ",", values[i]);
  }
  g_string_append_c(text, ']');
}

void fixture_save_config(const SwinModelConfig *config, const gchar *folder) {
  static const gchar *const types[] = {"swin", "swinv2", "vit"};
  g_autoptr(GString) text = g_string_new("{");
  g_string_append_printf(
      text,
      "\"model_type\":\"%s\",\"image_size\":[%u,%u],\"patch_size\":%u,\"num_channels\":%u,"
      "\"num_labels\":%u,\"qkv_bias\":%s,\"use_absolute_embeddings\":%s",
      types[config->family], config->image_height, config->image_width, config->patch_size,
      config->n_channels, config->n_classes, config->qkv_bias ? "true" : "false",
      config->position_embedding ? "true" : "false");
  if (config->family == SWIN_FAMILY_VIT) {
    g_string_append_printf(text,
                           ",\"hidden_size\":%u,\"num_hidden_layers\":%u,"
                           "\"num_attention_heads\":%u,\"intermediate_size\":%u",
                           config->embed_dim, config->depths[0], config->n_heads[0],
                           config->mlp_width);
  } else {
    g_string_append_printf(text, ",\"embed_dim\":%u,\"window_size\":%u,\"mlp_ratio\":%g",
                           config->embed_dim, config->window_height[0], config->mlp_ratio);
    g_string_append_printf(text, ",\"patch_norm\":%s", config->patch_norm ? "true" : "false");
    append_uints(text, "depths", config->depths, config->n_stages);
    append_uints(text, "num_heads", config->n_heads, config->n_stages);
    append_uints(text, "pretrained_window_sizes", config->pretrained_window, config->n_stages);
  }
  g_string_append_c(text, '}');
  g_autofree gchar *name = g_build_filename(folder, "config.json", NULL);
  fixture_write_text(name, text->str);
}

/* ---- Names ---------------------------------------------------------------------------------- */

/* What is replaced in canonical names, in this order. */
typedef const gchar *const Pair[2];

static Pair hugging_face_pairs[] = {
    {"patch_embedding.projection", "embeddings.patch_embeddings.projection"},
    {"patch_embedding.norm", "embeddings.norm"},
    {"position_embedding", "embeddings.position_embeddings"},
    {"class_token", "embeddings.cls_token"},
    {"distillation_token", "embeddings.distillation_token"},
    {".norm1", ".layernorm_before"},
    {".norm2", ".layernorm_after"},
    {"attention.", "attention.self."},
    {"attention.self.projection", "attention.output.dense"},
    {"position_bias_mlp", "continuous_position_bias_mlp"},
    {"mlp.fc1", "intermediate.dense"},
    {"mlp.fc2", "output.dense"},
    {NULL, NULL},
};

static Pair newest_pairs[] = {
    {"attention.self.query", "attention.q_proj"},
    {"attention.self.key", "attention.k_proj"},
    {"attention.self.value", "attention.v_proj"},
    {"attention.attention.query", "attention.q_proj"},
    {"attention.attention.key", "attention.k_proj"},
    {"attention.attention.value", "attention.v_proj"},
    {"attention.output.dense", "attention.o_proj"},
    {"attention.self.relative_position_bias_table",
     "attention.relative_position_bias.relative_position_bias_table"},
    {"intermediate.dense", "mlp.fc1"},
    {"output.dense", "mlp.fc2"},
    {"encoder.layer.", "layers."},
    {NULL, NULL},
};

static Pair timm_pairs[] = {
    {"patch_embedding.projection", "patch_embed.proj"},
    {"patch_embedding.norm", "patch_embed.norm"},
    {"class_token", "cls_token"},
    {"distillation_token", "dist_token"},
    {"register_tokens", "reg_token"},
    {"distillation_head", "head_dist"},
    {"attention.", "attn."},
    {"attn.query", "attn.qkv"},
    {"attn.projection", "attn.proj"},
    {"position_bias_mlp", "cpb_mlp"},
    {NULL, NULL},
};

static Pair torchvision_pairs[] = {
    {"patch_embedding.projection", "features.0.0"},
    {"patch_embedding.norm", "features.0.2"},
    {"mlp.fc1", "mlp.0"},
    {"mlp.fc2", "mlp.3"},
    {NULL, NULL},
};

static void replace_pairs(gchar **name, Pair *pairs) {
  for (; (*pairs)[0] != NULL; pairs++) {
    g_auto(GStrv) parts = g_strsplit(*name, (*pairs)[0], -1);
    g_free(*name);
    *name = g_strjoinv((*pairs)[1], parts);
  }
}

static gchar *rename_hugging_face(gboolean vit, gboolean newest, const SwinTensorSlot *slot,
                                  const gchar *rest) {
  gchar *name = rest == NULL ? g_strdup(slot->name)
                : vit        ? g_strdup_printf("encoder.layer.%u.%s", slot->block, rest)
                             : g_strdup_printf("encoder.layers.%u.%s", slot->stage, rest);
  replace_pairs(&name, hugging_face_pairs);
  if (vit) {
    static Pair pairs[] = {{"attention.self.", "attention.attention."}, {NULL, NULL}};
    replace_pairs(&name, pairs);
  }
  if (newest) {
    replace_pairs(&name, newest_pairs);
  }
  if (g_str_has_prefix(name, "norm.")) {
    gchar *with_layer = g_strconcat("layer", name, NULL);
    g_free(name);
    return with_layer;
  }
  return name;
}

static gchar *rename_timm(gboolean vit, gboolean microsoft, const SwinTensorSlot *slot,
                          const gchar *rest) {
  const gboolean merging = rest != NULL && g_str_has_prefix(rest, "downsample.");
  gchar *name =
      rest == NULL ? g_strdup(slot->name)
      : vit        ? g_strdup_printf("blocks.%u.%s", slot->block, rest)
            : g_strdup_printf("layers.%u.%s", slot->stage + (merging && !microsoft ? 1 : 0), rest);
  replace_pairs(&name, timm_pairs);
  if (!vit && !microsoft && g_str_has_prefix(name, "head.")) {
    gchar *with_fc = g_strconcat("head.fc.", name + strlen("head."), NULL);
    g_free(name);
    return with_fc;
  }
  if (strcmp(name, "position_embedding") == 0) {
    g_free(name);
    return g_strdup(vit ? "pos_embed" : "absolute_pos_embed");
  }
  return name;
}

static gchar *rename_torchvision(const SwinTensorSlot *slot, const gchar *rest) {
  gchar *name = NULL;
  if (rest == NULL) {
    name = g_strdup(slot->name);
  } else if (g_str_has_prefix(rest, "downsample.")) {
    name = g_strdup_printf("features.%u.%s", 2 * slot->stage + 2, rest + strlen("downsample."));
  } else {
    const gchar *in_block = strchr(rest + strlen("blocks."), '.') + 1;
    name = g_strdup_printf("features.%u.%u.%s", 2 * slot->stage + 1, slot->block, in_block);
  }
  replace_pairs(&name, torchvision_pairs);
  replace_pairs(&name, timm_pairs);
  return name;
}

/* What follows the stage in a canonical name (of ViT what follows the block), or NULL. */
static gchar *get_rest(const SwinTensorSlot *slot, gboolean vit) {
  if (!g_str_has_prefix(slot->name, "stages.")) {
    return NULL;
  }
  gchar *rest = g_strdup(strchr(slot->name + strlen("stages."), '.') + 1);
  if (vit) {
    gchar *in_block = g_strdup(strchr(rest + strlen("blocks."), '.') + 1);
    g_free(rest);
    return in_block;
  }
  static Pair pairs[] = {{"merging.", "downsample."}, {NULL, NULL}};
  replace_pairs(&rest, pairs);
  return rest;
}

static gchar *make_name(const SwinModelConfig *config, Style style, const gchar *prefix,
                        const SwinTensorSlot *slot) {
  const gboolean vit = config->family == SWIN_FAMILY_VIT;
  const gboolean head = strstr(slot->name, "head.") != NULL;
  g_autofree gchar *rest = get_rest(slot, vit);
  g_autofree gchar *name = NULL;
  switch (style) {
  case STYLE_HUGGING_FACE:
  case STYLE_HUGGING_FACE_NEWEST:
    if (head) { /* beside the backbone, not in it */
      const gchar *which = g_str_has_prefix(slot->name, "dist") ? "distillation_classifier"
                           : config->distillation_head          ? "cls_classifier"
                                                                : "classifier";
      return g_strconcat(which, strrchr(slot->name, '.'), NULL);
    }
    name = rename_hugging_face(vit, style == STYLE_HUGGING_FACE_NEWEST, slot, rest);
    break;
  case STYLE_TORCHVISION:
    name = rename_torchvision(slot, rest);
    break;
  default:
    name = rename_timm(vit, style != STYLE_TIMM, slot, rest);
  }
  return g_strconcat(prefix, name, NULL);
}

/* ---- Values --------------------------------------------------------------------------------- */

static void append(DialectFile *file, gchar *name, guint n_dims, const guint64 *shape,
                   gfloat *values) {
  SwinNamedValues entry = {.name = name, .n_dims = n_dims, .values = values};
  memcpy(entry.shape, shape, n_dims * sizeof *shape);
  g_array_append_val(file->tensors, entry);
  g_ptr_array_add(file->owned, name);
  g_ptr_array_add(file->owned, values);
}

static guint64 count(guint n_dims, const guint64 *shape) {
  guint64 n_elements = 1;
  for (guint i = 0; i < n_dims; i++) {
    n_elements *= shape[i];
  }
  return n_elements;
}

gfloat *fixture_add(DialectFile *file, const gchar *name, guint n_dims, const guint64 *shape) {
  gfloat *values = g_new0(gfloat, count(n_dims, shape) + 1);
  append(file, g_strdup(name), n_dims, shape, values);
  return values;
}

/* The values of a slot: prefix tokens are rows of one canonical tensor, and the heads of a
 * distilled network are kept halved. */
static gfloat *read_values(SwinModel *model, const SwinTensorSlot *slot) {
  const SwinModelConfig *config = swin_model_get_config(model);
  const gboolean distilled = config->distillation_token;
  const gchar *name = slot->name;
  guint64 first = 0;
  if (strstr(name, "_token") != NULL) {
    first = name[0] == 'c' ? 0 : name[0] == 'd' ? 1 : distilled ? 2 : 1;
    first *= config->embed_dim;
    name = "prefix_tokens";
  }
  const SwinTensor *tensor = swin_model_get_tensor(model, name);
  ck_assert_msg(tensor != NULL, "no tensor %s", name);
  gfloat *values = g_new(gfloat, slot->n_elements);
  swin_tensor_read(tensor, first, slot->n_elements, values);
  for (guint64 i = 0; config->distillation_head && strstr(name, "head.") && i < slot->n_elements;
       i++) {
    values[i] *= 2.0f;
  }
  return values;
}

/* Query, key and value in one tensor. Where there is no key bias, torchvision's files still have a
 * place for it, with values that nobody reads. */
static void append_fused(DialectFile *file, SwinModel *model, gchar *name,
                         const SwinTensorSlot *slot) {
  static const gchar *const parts[] = {"query", "key", "value"};
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
  memcpy(shape, slot->shape, sizeof shape);
  shape[0] *= 3;
  gfloat *values = g_new(gfloat, 3 * slot->n_elements);
  for (guint i = 0; i < 3; i++) {
    g_auto(GStrv) around = g_strsplit(slot->name, "query", 2);
    g_autofree gchar *canonical = g_strjoinv(parts[i], around);
    const SwinTensor *tensor = swin_model_get_tensor(model, canonical);
    gfloat *part = values + i * slot->n_elements;
    for (guint64 j = 0; j < slot->n_elements; j++) {
      part[j] = 1000.0f;
    }
    if (tensor != NULL) {
      swin_tensor_read(tensor, 0, slot->n_elements, part);
    }
  }
  append(file, name, slot->n_dims, shape, values);
}

/* Files have dimensions of 1 that canonical shapes do not have. */
static void append_slot(DialectFile *file, SwinModel *model, gchar *name,
                        const SwinTensorSlot *slot) {
  gfloat *values = read_values(model, slot);
  if (strstr(slot->name, "_token") != NULL || strcmp(slot->name, "position_embedding") == 0) {
    const guint64 shape[] = {1, slot->shape[0], slot->shape[1]};
    append(file, name, 3, shape, values);
  } else if (g_str_has_suffix(slot->name, "logit_scale")) {
    const guint64 shape[] = {slot->shape[0], 1, 1};
    append(file, name, 3, shape, values);
  } else {
    append(file, name, slot->n_dims, slot->shape, values);
  }
}

/* What the publishers' code computes anew. */
static void append_buffers(DialectFile *file, const gchar *prefix) {
  static const gchar *const names[] = {"layers.0.attn.relative_position_index",
                                       "layers.0.attn.relative_coords_table",
                                       "layers.0.blocks.1.attn_mask"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    const guint64 shape[] = {1, 7, 7, 2};
    g_autofree gchar *name = g_strconcat(prefix, names[i], NULL);
    fixture_add(file, name, 4, shape);
  }
}

/* Of V2's three biases timm and Microsoft have the two that are not zero, each by itself. */
static Pair second_generation_pairs[] = {
    {"attn.qkv.bias", "attn.q_bias"},
    {"attn.value.bias", "attn.v_bias"},
    {NULL, NULL},
};

DialectFile fixture_tensors(SwinModel *model, Style style, const gchar *prefix) {
  const SwinModelConfig *config = swin_model_get_config(model);
  DialectFile file = {.tensors = g_array_new(FALSE, TRUE, sizeof(SwinNamedValues)),
                      .owned = g_ptr_array_new_with_free_func(g_free)};
  const gboolean fuses = style != STYLE_HUGGING_FACE && style != STYLE_HUGGING_FACE_NEWEST;
  const gboolean two_biases =
      config->family == SWIN_FAMILY_SWIN_V2 && (style == STYLE_TIMM || style == STYLE_MICROSOFT);
  g_autoptr(GPtrArray) layout = swin_layout_new(config);
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    const gboolean bias = two_biases && g_str_has_suffix(slot->name, ".bias");
    gchar *name = make_name(config, style, prefix, slot);
    if (bias) {
      replace_pairs(&name, second_generation_pairs);
    }
    if (!fuses || bias) {
      append_slot(&file, model, name, slot);
    } else if (strstr(slot->name, "attention.query.") != NULL) {
      append_fused(&file, model, name, slot);
    } else if (strstr(slot->name, "attention.key.") != NULL ||
               strstr(slot->name, "attention.value.") != NULL) {
      g_free(name);
    } else {
      append_slot(&file, model, name, slot);
    }
  }
  append_buffers(&file, prefix);
  return file;
}

SwinNamedValues *fixture_find(DialectFile *file, const gchar *name) {
  for (guint i = 0; i < file->tensors->len; i++) {
    SwinNamedValues *entry = &g_array_index(file->tensors, SwinNamedValues, i);
    if (strcmp(entry->name, name) == 0) {
      return entry;
    }
  }
  ck_abort_msg("no tensor %s", name);
  return NULL;
}

gfloat *fixture_values(DialectFile *file, const gchar *name) {
  return (gfloat *)fixture_find(file, name)->values;
}

void fixture_remove(DialectFile *file, const gchar *name) {
  const SwinNamedValues *entry = fixture_find(file, name);
  g_array_remove_index(file->tensors,
                       (guint)(entry - (const SwinNamedValues *)file->tensors->data));
}

void fixture_save(const DialectFile *file, const gchar *folder) {
  g_autofree gchar *name = g_build_filename(folder, "model.safetensors", NULL);
  g_autofree gchar *path = fixture_path(name);
  GError *error = NULL;
  fixture_write_text(name, "");
  ck_assert_msg(swin_safetensors_write(path, (const SwinNamedValues *)file->tensors->data,
                                       file->tensors->len, NULL, &error),
                "%s", error != NULL ? error->message : "");
}

SwinModel *fixture_load(const gchar *folder, const SwinModelOptions *options, GError **error) {
  g_autofree gchar *path = fixture_path(folder);
  return swin_model_load(path, options, error);
}

/* ---- Comparison ----------------------------------------------------------------------------- */

static void assert_same(SwinModel *a, SwinModel *b, const gchar *name) {
  const SwinTensor *first = swin_model_get_tensor(a, name);
  const SwinTensor *second = swin_model_get_tensor(b, name);
  ck_assert_msg((first != NULL) == (second != NULL), "%s is missing in one", name);
  if (first == NULL) {
    return;
  }
  ck_assert_msg(first->n_dims == second->n_dims &&
                    memcmp(first->shape, second->shape, first->n_dims * sizeof *first->shape) == 0,
                "%s has another shape", name);
  ck_assert_int_eq(first->dtype, SWIN_DTYPE_F32);
  ck_assert_int_eq(second->dtype, SWIN_DTYPE_F32);
  ck_assert_msg(memcmp(first->data, second->data, first->n_elements * 4) == 0, "%s differs", name);
}

void fixture_same_tensors(SwinModel *a, SwinModel *b) {
  g_autoptr(GPtrArray) layout = swin_layout_new(swin_model_get_config(a));
  ck_assert_uint_gt(layout->len, 0);
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    assert_same(a, b, slot->name);
    if (slot->role == SWIN_ROLE_LOGIT_SCALE) {
      g_autofree gchar *table = swin_layout_expand(
          "stages.{i}.blocks.{j}.attention.relative_position_bias_table", slot->stage, slot->block);
      ck_assert_ptr_nonnull(swin_model_get_tensor(a, table));
      assert_same(a, b, table);
    }
  }
  assert_same(a, b, "prefix_tokens");
  ck_assert_uint_eq(swin_model_get_n_parameters(a), swin_model_get_n_parameters(b));
}
