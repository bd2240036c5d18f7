// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/dialect.h"

#include <string.h>

#include "model/quote.h"
#include "swin.h"

#define HF "encoder.layers.{i}.blocks.{j}."
#define HF_MERGING "encoder.layers.{i}.downsample."
#define TV "features.{2i+1}.{j}."
#define TV_MERGING "features.{2i+2}."

/* Sources: transformers' modeling_swin.py (up to 4.x), its modular_swin.py (newer), and
 * torchvision's swin_transformer.py. The newer names are NULL where they are the same. Names of the
 * backbone may have the prefix "swin."; a leading '/' says that a name never has it. */
static const struct {
  const gchar *hugging_face;
  const gchar *hugging_face_newer;
  const gchar *torchvision;
  gint fused_part; /* which third of torchvision's tensor; -1: the whole */
} names[SWIN_N_ROLES] = {
    [SWIN_ROLE_PATCH_WEIGHT] = {"embeddings.patch_embeddings.projection.weight", NULL,
                                "features.0.0.weight", -1},
    [SWIN_ROLE_PATCH_BIAS] = {"embeddings.patch_embeddings.projection.bias", NULL,
                              "features.0.0.bias", -1},
    [SWIN_ROLE_PATCH_NORM_WEIGHT] = {"embeddings.norm.weight", NULL, "features.0.2.weight", -1},
    [SWIN_ROLE_PATCH_NORM_BIAS] = {"embeddings.norm.bias", NULL, "features.0.2.bias", -1},
    [SWIN_ROLE_NORM1_WEIGHT] = {HF "layernorm_before.weight", NULL, TV "norm1.weight", -1},
    [SWIN_ROLE_NORM1_BIAS] = {HF "layernorm_before.bias", NULL, TV "norm1.bias", -1},
    [SWIN_ROLE_QUERY_WEIGHT] = {HF "attention.self.query.weight", HF "attention.q_proj.weight",
                                TV "attn.qkv.weight", 0},
    [SWIN_ROLE_QUERY_BIAS] = {HF "attention.self.query.bias", HF "attention.q_proj.bias",
                              TV "attn.qkv.bias", 0},
    [SWIN_ROLE_KEY_WEIGHT] = {HF "attention.self.key.weight", HF "attention.k_proj.weight",
                              TV "attn.qkv.weight", 1},
    [SWIN_ROLE_KEY_BIAS] = {HF "attention.self.key.bias", HF "attention.k_proj.bias",
                            TV "attn.qkv.bias", 1},
    [SWIN_ROLE_VALUE_WEIGHT] = {HF "attention.self.value.weight", HF "attention.v_proj.weight",
                                TV "attn.qkv.weight", 2},
    [SWIN_ROLE_VALUE_BIAS] = {HF "attention.self.value.bias", HF "attention.v_proj.bias",
                              TV "attn.qkv.bias", 2},
    [SWIN_ROLE_BIAS_TABLE] = {HF "attention.self.relative_position_bias_table",
                              HF "attention.relative_position_bias.relative_position_bias_table",
                              TV "attn.relative_position_bias_table", -1},
    [SWIN_ROLE_PROJECTION_WEIGHT] = {HF "attention.output.dense.weight",
                                     HF "attention.o_proj.weight", TV "attn.proj.weight", -1},
    [SWIN_ROLE_PROJECTION_BIAS] = {HF "attention.output.dense.bias", HF "attention.o_proj.bias",
                                   TV "attn.proj.bias", -1},
    [SWIN_ROLE_NORM2_WEIGHT] = {HF "layernorm_after.weight", NULL, TV "norm2.weight", -1},
    [SWIN_ROLE_NORM2_BIAS] = {HF "layernorm_after.bias", NULL, TV "norm2.bias", -1},
    [SWIN_ROLE_FC1_WEIGHT] = {HF "intermediate.dense.weight", HF "mlp.fc1.weight",
                              TV "mlp.0.weight", -1},
    [SWIN_ROLE_FC1_BIAS] = {HF "intermediate.dense.bias", HF "mlp.fc1.bias", TV "mlp.0.bias", -1},
    [SWIN_ROLE_FC2_WEIGHT] = {HF "output.dense.weight", HF "mlp.fc2.weight", TV "mlp.3.weight", -1},
    [SWIN_ROLE_FC2_BIAS] = {HF "output.dense.bias", HF "mlp.fc2.bias", TV "mlp.3.bias", -1},
    [SWIN_ROLE_MERGING_NORM_WEIGHT] = {HF_MERGING "norm.weight", NULL, TV_MERGING "norm.weight",
                                       -1},
    [SWIN_ROLE_MERGING_NORM_BIAS] = {HF_MERGING "norm.bias", NULL, TV_MERGING "norm.bias", -1},
    [SWIN_ROLE_REDUCTION_WEIGHT] = {HF_MERGING "reduction.weight", NULL,
                                    TV_MERGING "reduction.weight", -1},
    [SWIN_ROLE_NORM_WEIGHT] = {"layernorm.weight", NULL, "norm.weight", -1},
    [SWIN_ROLE_NORM_BIAS] = {"layernorm.bias", NULL, "norm.bias", -1},
    [SWIN_ROLE_HEAD_WEIGHT] = {"/classifier.weight", NULL, "head.weight", -1},
    [SWIN_ROLE_HEAD_BIAS] = {"/classifier.bias", NULL, "head.bias", -1},
};

/* Buffers that are computed anew, and a parameter that only training reads. */
static const gchar *const ignored_suffixes[] = {"relative_position_index", "relative_coords_table",
                                                "attn_mask", "embeddings.mask_token"};

typedef struct {
  gboolean torchvision;
  const gchar *prefix; /* of Hugging Face's backbone */
  SwinEdgeRules edge_rules;
} Dialect;

static const Dialect dialects[] = {
    {FALSE, "swin.", {.clip_window = TRUE, .shift_per_axis = FALSE}},
    {FALSE, "", {.clip_window = TRUE, .shift_per_axis = FALSE}},
    {TRUE, "", {.clip_window = FALSE, .shift_per_axis = TRUE}},
};

static gchar *make_name(const Dialect *dialect, const gchar *pattern, const SwinTensorSlot *slot) {
  g_autofree gchar *name = swin_layout_expand(pattern, slot->stage, slot->block);
  if (*name == '/') {
    return g_strdup(name + 1);
  }
  return g_strconcat(dialect->prefix, name, NULL);
}

/* The name of @slot in @file; where there is none, the name that it should have. */
static gchar *find_name(SwinSafetensors *file, const Dialect *dialect, const SwinTensorSlot *slot) {
  if (dialect->torchvision) {
    return make_name(dialect, names[slot->role].torchvision, slot);
  }
  g_autofree gchar *name = make_name(dialect, names[slot->role].hugging_face, slot);
  if (!swin_safetensors_has(file, name) && names[slot->role].hugging_face_newer != NULL) {
    g_autofree gchar *newer = make_name(dialect, names[slot->role].hugging_face_newer, slot);
    if (swin_safetensors_has(file, newer)) {
      return g_steal_pointer(&newer);
    }
  }
  return g_steal_pointer(&name);
}

static const Dialect *detect(SwinSafetensors *file, const SwinTensorSlot *first, GError **error) {
  for (guint i = 0; i < G_N_ELEMENTS(dialects); i++) {
    g_autofree gchar *name = find_name(file, &dialects[i], first);
    if (swin_safetensors_has(file, name)) {
      return &dialects[i];
    }
  }
  g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(file));
  if (swin_safetensors_has(file, "patch_embed.proj.weight")) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_MODEL,
        "The file %s names its tensors as Microsoft's and timm's checkpoints do: convert it "
        "to the names of Hugging Face or torchvision.",
        path);
  } else if (swin_safetensors_has(file, "swinv2.embeddings.patch_embeddings.projection.weight")) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The file %s holds a Swin V2 network, and this version runs only the first "
                "generation.",
                path);
  } else {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The file %s holds no Swin network with the tensor names of Hugging Face or "
                "torchvision.",
                path);
  }
  return NULL;
}

static gboolean check_shape(SwinSafetensors *file, const gchar *name, const SwinTensor *tensor,
                            const SwinTensorSlot *slot, guint64 n_parts, GError **error) {
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
  memcpy(shape, slot->shape, sizeof shape);
  shape[0] *= n_parts;
  if (tensor->n_dims == slot->n_dims &&
      memcmp(tensor->shape, shape, slot->n_dims * sizeof *shape) == 0) {
    return TRUE;
  }
  g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(file));
  g_autofree gchar *shown = swin_quote(name);
  g_autofree gchar *there = swin_shape_to_string(tensor->shape, tensor->n_dims);
  g_autofree gchar *wanted = swin_shape_to_string(shape, slot->n_dims);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "The config contradicts the tensors: %s in the file %s has the shape %s, but the "
              "config calls for %s.",
              shown, path, there, wanted);
  return FALSE;
}

static gboolean map_slot(SwinSafetensors *file, const Dialect *dialect, const SwinTensorSlot *slot,
                         GHashTable *used, SwinTensor *tensor, GError **error) {
  gchar *name = find_name(file, dialect, slot);
  g_hash_table_add(used, name);
  if (!swin_safetensors_has(file, name)) {
    g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(file));
    g_autofree gchar *shown = swin_quote(name);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "The config contradicts the tensors: it calls for %s, which the file %s does not "
                "have.",
                shown, path);
    return FALSE;
  }
  gint part = dialect->torchvision ? names[slot->role].fused_part : -1;
  SwinTensor whole;
  if (!swin_safetensors_lookup(file, name, &whole, error) ||
      !check_shape(file, name, &whole, slot, part < 0 ? 1 : 3, error)) {
    return FALSE;
  }
  *tensor =
      part < 0 ? whole : swin_tensor_rows(&whole, (guint64)part * slot->shape[0], slot->shape[0]);
  return TRUE;
}

static gboolean is_ignored(const gchar *name) {
  for (guint i = 0; i < G_N_ELEMENTS(ignored_suffixes); i++) {
    if (g_str_has_suffix(name, ignored_suffixes[i])) {
      return TRUE;
    }
  }
  return FALSE;
}

/* A tensor too many means a deeper or other network than the one that would be run. */
static gboolean check_rest(SwinSafetensors *file, GHashTable *used, GError **error) {
  const GPtrArray *all = swin_safetensors_get_names(file);
  for (guint i = 0; i < all->len; i++) {
    const gchar *name = g_ptr_array_index(all, i);
    if (g_hash_table_contains(used, name) || is_ignored(name)) {
      continue;
    }
    g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(file));
    g_autofree gchar *shown = swin_quote(name);
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "The config contradicts the tensors: it has no place for %s, which the file %s has.", shown,
        path);
    return FALSE;
  }
  return TRUE;
}

/* Hugging Face pads an image to whole patches; torchvision's convolution drops what is left over,
 * which the network here does not do. */
static gboolean check_patches(const Dialect *dialect, const SwinModelConfig *config,
                              GError **error) {
  if (!dialect->torchvision || (config->image_height % config->patch_size == 0 &&
                                config->image_width % config->patch_size == 0)) {
    return TRUE;
  }
  g_set_error(
      error, SWIN_ERROR, SWIN_ERROR_CONFIG,
      "The config has an \"image_size\" of %u x %u pixels, which for a model of torchvision "
      "must be a multiple of its \"patch_size\" of %u.",
      config->image_width, config->image_height, config->patch_size);
  return FALSE;
}

gboolean swin_dialect_map(SwinSafetensors *file, SwinModelConfig *config, const GPtrArray *layout,
                          SwinTensor *tensors, GError **error) {
  const Dialect *dialect = detect(file, g_ptr_array_index(layout, 0), error);
  if (dialect == NULL || !check_patches(dialect, config, error)) {
    return FALSE;
  }
  config->edge_rules = dialect->edge_rules;
  g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < layout->len; i++) {
    if (!map_slot(file, dialect, g_ptr_array_index(layout, i), used, &tensors[i], error)) {
      return FALSE;
    }
  }
  return check_rest(file, used, error);
}
