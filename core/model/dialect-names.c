// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/dialect-names.h"

#include <string.h>

/* One row of a table for a tensor, or two for the weight and bias of a layer. */
#define NAMED(role, name) [SWIN_ROLE_##role] = {{name, -1}}
#define EITHER(role, name, other) [SWIN_ROLE_##role] = {{name, -1}, {other, -1}}
#define PART(role, name, part) [SWIN_ROLE_##role] = {{name, part}}
#define LAYER(role, name) NAMED(role##_WEIGHT, name ".weight"), NAMED(role##_BIAS, name ".bias")
#define EITHER_LAYER(role, name, other)                                                            \
  EITHER(role##_WEIGHT, name ".weight", other ".weight"),                                          \
      EITHER(role##_BIAS, name ".bias", other ".bias")
#define PART_LAYER(role, name, part)                                                               \
  PART(role##_WEIGHT, name ".weight", part), PART(role##_BIAS, name ".bias", part)

typedef SwinTensorName Row[SWIN_TENSOR_MAX_NAMES];

/* ---- Hugging Face --------------------------------------------------------------------------- */

/* Sources: transformers' modeling_swin.py and modeling_swinv2.py up to 4.x; the second names are
 * those of modeling_swin.py in 5.x. */
#define HF "encoder.layers.{i}.blocks.{j}."
#define HF_ATTENTION HF "attention."
#define HF_MERGING "encoder.layers.{i}.downsample."

static const Row hugging_face_swin[SWIN_N_ROLES] = {
    LAYER(PATCH, "embeddings.patch_embeddings.projection"),
    LAYER(PATCH_NORM, "embeddings.norm"),
    NAMED(POSITION_EMBEDDING, "embeddings.position_embeddings"),
    LAYER(NORM1, HF "layernorm_before"),
    EITHER_LAYER(QUERY, HF_ATTENTION "self.query", HF_ATTENTION "q_proj"),
    EITHER_LAYER(KEY, HF_ATTENTION "self.key", HF_ATTENTION "k_proj"),
    EITHER_LAYER(VALUE, HF_ATTENTION "self.value", HF_ATTENTION "v_proj"),
    EITHER(BIAS_TABLE, HF_ATTENTION "self.relative_position_bias_table",
           HF_ATTENTION "relative_position_bias.relative_position_bias_table"),
    NAMED(LOGIT_SCALE, HF_ATTENTION "self.logit_scale"),
    LAYER(BIAS_MLP1, HF_ATTENTION "self.continuous_position_bias_mlp.0"),
    NAMED(BIAS_MLP2_WEIGHT, HF_ATTENTION "self.continuous_position_bias_mlp.2.weight"),
    EITHER_LAYER(PROJECTION, HF_ATTENTION "output.dense", HF_ATTENTION "o_proj"),
    LAYER(NORM2, HF "layernorm_after"),
    EITHER_LAYER(FC1, HF "intermediate.dense", HF "mlp.fc1"),
    EITHER_LAYER(FC2, HF "output.dense", HF "mlp.fc2"),
    LAYER(MERGING_NORM, HF_MERGING "norm"),
    NAMED(REDUCTION_WEIGHT, HF_MERGING "reduction.weight"),
    LAYER(NORM, "layernorm"),
    LAYER(HEAD, "/classifier"),
};

/* Sources: transformers' modeling_vit.py, modeling_deit.py and modeling_vit_mae.py up to 4.x; the
 * second names are those of 5.x. Two heads: DeiTForImageClassificationWithTeacher. */
#define VIT "encoder.layer.{j}."
#define VIT_NEW "layers.{j}."

static const Row hugging_face_vit[SWIN_N_ROLES] = {
    LAYER(PATCH, "embeddings.patch_embeddings.projection"),
    NAMED(POSITION_EMBEDDING, "embeddings.position_embeddings"),
    NAMED(CLASS_TOKEN, "embeddings.cls_token"),
    NAMED(DISTILLATION_TOKEN, "embeddings.distillation_token"),
    EITHER_LAYER(NORM1, VIT "layernorm_before", VIT_NEW "layernorm_before"),
    EITHER_LAYER(QUERY, VIT "attention.attention.query", VIT_NEW "attention.q_proj"),
    EITHER_LAYER(KEY, VIT "attention.attention.key", VIT_NEW "attention.k_proj"),
    EITHER_LAYER(VALUE, VIT "attention.attention.value", VIT_NEW "attention.v_proj"),
    EITHER_LAYER(PROJECTION, VIT "attention.output.dense", VIT_NEW "attention.o_proj"),
    EITHER_LAYER(NORM2, VIT "layernorm_after", VIT_NEW "layernorm_after"),
    EITHER_LAYER(FC1, VIT "intermediate.dense", VIT_NEW "mlp.fc1"),
    EITHER_LAYER(FC2, VIT "output.dense", VIT_NEW "mlp.fc2"),
    LAYER(NORM, "layernorm"),
    EITHER_LAYER(HEAD, "/classifier", "/cls_classifier"),
    LAYER(DISTILLATION_HEAD, "/distillation_classifier"),
};

/* ---- timm and Microsoft --------------------------------------------------------------------- */

/* Sources: timm's swin_transformer.py and swin_transformer_v2.py from 0.9 on, Microsoft's files of
 * the same names. */
#define TIMM "layers.{i}.blocks.{j}."
#define TIMM_MERGING "layers.{i+1}.downsample."
#define MICROSOFT_MERGING "layers.{i}.downsample."

static const Row timm_swin[SWIN_N_ROLES] = {
    LAYER(PATCH, "patch_embed.proj"),
    LAYER(PATCH_NORM, "patch_embed.norm"),
    NAMED(POSITION_EMBEDDING, "absolute_pos_embed"),
    LAYER(NORM1, TIMM "norm1"),
    PART_LAYER(QUERY, TIMM "attn.qkv", 0),
    PART_LAYER(KEY, TIMM "attn.qkv", 1),
    PART_LAYER(VALUE, TIMM "attn.qkv", 2),
    NAMED(BIAS_TABLE, TIMM "attn.relative_position_bias_table"),
    NAMED(LOGIT_SCALE, TIMM "attn.logit_scale"),
    LAYER(BIAS_MLP1, TIMM "attn.cpb_mlp.0"),
    NAMED(BIAS_MLP2_WEIGHT, TIMM "attn.cpb_mlp.2.weight"),
    LAYER(PROJECTION, TIMM "attn.proj"),
    LAYER(NORM2, TIMM "norm2"),
    LAYER(FC1, TIMM "mlp.fc1"),
    LAYER(FC2, TIMM "mlp.fc2"),
    LAYER(MERGING_NORM, TIMM_MERGING "norm"),
    NAMED(REDUCTION_WEIGHT, TIMM_MERGING "reduction.weight"),
    LAYER(NORM, "norm"),
    LAYER(HEAD, "head.fc"),
};

/* Sources: timm's vision_transformer.py and deit.py. */
#define TIMM_VIT "blocks.{j}."

static const Row timm_vit[SWIN_N_ROLES] = {
    LAYER(PATCH, "patch_embed.proj"),
    NAMED(POSITION_EMBEDDING, "pos_embed"),
    NAMED(CLASS_TOKEN, "cls_token"),
    NAMED(DISTILLATION_TOKEN, "dist_token"),
    NAMED(REGISTER_TOKENS, "reg_token"),
    LAYER(NORM1, TIMM_VIT "norm1"),
    PART_LAYER(QUERY, TIMM_VIT "attn.qkv", 0),
    PART_LAYER(KEY, TIMM_VIT "attn.qkv", 1),
    PART_LAYER(VALUE, TIMM_VIT "attn.qkv", 2),
    LAYER(PROJECTION, TIMM_VIT "attn.proj"),
    NAMED(LAYER_SCALE1, TIMM_VIT "ls1.gamma"),
    LAYER(NORM2, TIMM_VIT "norm2"),
    LAYER(FC1, TIMM_VIT "mlp.fc1"),
    LAYER(FC2, TIMM_VIT "mlp.fc2"),
    NAMED(LAYER_SCALE2, TIMM_VIT "ls2.gamma"),
    EITHER_LAYER(NORM, "norm", "fc_norm"),
    LAYER(HEAD, "head"),
    LAYER(DISTILLATION_HEAD, "head_dist"),
};

/* V2 has no key bias, and so the two others are on their own (WindowAttention). */
static const Row timm_v2_bias[SWIN_N_ROLES] = {
    [SWIN_ROLE_QUERY_BIAS] = {{TIMM "attn.q_bias", -1}, {TIMM "attn.qkv.bias", 0}},
    [SWIN_ROLE_VALUE_BIAS] = {{TIMM "attn.v_bias", -1}, {TIMM "attn.qkv.bias", 2}},
};

/* Microsoft's stages end with the merging, timm's begin with it; timm before 0.9 is as Microsoft.
 */
static const Row microsoft[SWIN_N_ROLES] = {
    LAYER(MERGING_NORM, MICROSOFT_MERGING "norm"),
    NAMED(REDUCTION_WEIGHT, MICROSOFT_MERGING "reduction.weight"),
    LAYER(HEAD, "head"),
};

/* ---- torchvision ---------------------------------------------------------------------------- */

/* Source: torchvision's swin_transformer.py. V2's qkv bias has a part for the key, which is set to
 * zero when the network runs (ShiftedWindowAttentionV2). */
#define TV "features.{2i+1}.{j}."
#define TV_MERGING "features.{2i+2}."

static const Row torchvision[SWIN_N_ROLES] = {
    LAYER(PATCH, "features.0.0"),
    LAYER(PATCH_NORM, "features.0.2"),
    LAYER(NORM1, TV "norm1"),
    PART_LAYER(QUERY, TV "attn.qkv", 0),
    PART_LAYER(KEY, TV "attn.qkv", 1),
    PART_LAYER(VALUE, TV "attn.qkv", 2),
    NAMED(BIAS_TABLE, TV "attn.relative_position_bias_table"),
    NAMED(LOGIT_SCALE, TV "attn.logit_scale"),
    LAYER(BIAS_MLP1, TV "attn.cpb_mlp.0"),
    NAMED(BIAS_MLP2_WEIGHT, TV "attn.cpb_mlp.2.weight"),
    LAYER(PROJECTION, TV "attn.proj"),
    LAYER(NORM2, TV "norm2"),
    LAYER(FC1, TV "mlp.0"),
    LAYER(FC2, TV "mlp.3"),
    LAYER(MERGING_NORM, TV_MERGING "norm"),
    NAMED(REDUCTION_WEIGHT, TV_MERGING "reduction.weight"),
    LAYER(NORM, "norm"),
    LAYER(HEAD, "head"),
};

/* ---- Which table ---------------------------------------------------------------------------- */

const SwinTensorName *swin_dialect_get_names(SwinFamily family, SwinDialect dialect,
                                             SwinTensorRole role) {
  const gboolean vit = family == SWIN_FAMILY_VIT;
  switch (dialect) {
  case SWIN_DIALECT_HUGGING_FACE:
    return vit ? hugging_face_vit[role] : hugging_face_swin[role];
  case SWIN_DIALECT_TORCHVISION:
    return torchvision[role];
  case SWIN_DIALECT_MICROSOFT:
  case SWIN_DIALECT_TIMM:
    break;
  }
  if (vit) {
    return timm_vit[role];
  }
  if (dialect == SWIN_DIALECT_MICROSOFT && microsoft[role][0].pattern != NULL) {
    return microsoft[role];
  }
  const gboolean v2 = family == SWIN_FAMILY_SWIN_V2;
  return v2 && timm_v2_bias[role][0].pattern != NULL ? timm_v2_bias[role] : timm_swin[role];
}

const gchar *const *swin_dialect_get_prefixes(SwinFamily family, SwinDialect dialect) {
  static const gchar *const swin[] = {"swin.", "swinv2.", "", NULL};
  static const gchar *const vit[] = {"vit.", "deit.", "", NULL};
  static const gchar *const others[] = {"", "model.", "module.", NULL};
  if (dialect != SWIN_DIALECT_HUGGING_FACE) {
    return others;
  }
  return family == SWIN_FAMILY_VIT ? vit : swin;
}

const gchar *const *swin_dialect_get_stems(SwinFamily family, SwinDialect dialect) {
  static const gchar *const hugging_face_swin_stems[] = {"encoder.layers.0.blocks.0.", NULL};
  static const gchar *const hugging_face_vit_stems[] = {"encoder.layer.0.layernorm_before.",
                                                        "layers.0.layernorm_before.", NULL};
  static const gchar *const timm_swin_stems[] = {"layers.0.blocks.0.", NULL};
  static const gchar *const timm_vit_stems[] = {"blocks.0.", NULL};
  static const gchar *const torchvision_stems[] = {"features.1.0.attn.", NULL};
  const gboolean vit = family == SWIN_FAMILY_VIT;
  switch (dialect) {
  case SWIN_DIALECT_HUGGING_FACE:
    return vit ? hugging_face_vit_stems : hugging_face_swin_stems;
  case SWIN_DIALECT_TIMM:
    return vit ? timm_vit_stems : timm_swin_stems;
  case SWIN_DIALECT_MICROSOFT: /* told from timm by what is not in the first block */
    return NULL;
  case SWIN_DIALECT_TORCHVISION:
    return vit ? NULL : torchvision_stems;
  }
  g_return_val_if_reached(NULL);
}

gboolean swin_dialect_is_ignored(SwinFamily family, SwinDialect dialect, const gchar *prefix,
                                 const gchar *name) {
  static const gchar *const buffers[] = {"relative_position_index", "relative_coords_table",
                                         "attn_mask"};
  for (guint i = 0; i < G_N_ELEMENTS(buffers); i++) {
    if (g_str_has_suffix(name, buffers[i])) {
      return TRUE;
    }
  }
  const gchar *rest = g_str_has_prefix(name, prefix) ? name + strlen(prefix) : name;
  if (dialect != SWIN_DIALECT_HUGGING_FACE) {
    return strcmp(rest, "mask_token") == 0;
  }
  /* The decoder of pre-training by masked pictures has no prefix. */
  return strcmp(rest, "embeddings.mask_token") == 0 || g_str_has_prefix(name, "decoder.") ||
         (family == SWIN_FAMILY_VIT && g_str_has_prefix(rest, "pooler."));
}

const gchar *swin_dialect_find_foreign(const gchar *name) {
  static const struct {
    const gchar *mark;
    gboolean at_start;
    const gchar *what;
  } marks[] = {
      {"backbone.", TRUE, "a backbone inside another network, as mmpretrain saves it"},
      {"visual_encoder.", TRUE, "a backbone inside another network"},
      {"visual.", TRUE, "the encoder of a network for pictures and text"},
      {"vision_model.", TRUE, "the encoder of a network for pictures and text"},
      {"conv_proj.", TRUE, "a Vision Transformer of torchvision, whose names are not known here"},
      {"meta_mlp.", FALSE, "a Swin V2 of timm's variant \"swinv2_cr\""},
      {".layer_scale", FALSE, "a network with LayerScale, which is known by timm's names alone"},
      {".gamma_1", FALSE, "a network with LayerScale, which is known by timm's names alone"},
      {".q_norm.", FALSE, "a network that norms its queries and keys"},
      {".in_proj.", FALSE, "a network of parallel attention and MLP"},
      {"norm_pre.", FALSE, "a network with a norm before its blocks"},
      {"attn_pool.", FALSE, "a network with attention pooling"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
    const gchar *found = strstr(name, marks[i].mark);
    if (found != NULL && (!marks[i].at_start || found == name)) {
      return marks[i].what;
    }
  }
  return NULL;
}
