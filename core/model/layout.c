// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/layout.h"

typedef enum { SCOPE_INPUT, SCOPE_BLOCK, SCOPE_MERGING, SCOPE_OUTPUT } Scope;

/* Dimensions by name; NONE ends a shape. */
typedef enum {
  NONE,
  ONE,
  EMBED_DIM,
  IMAGE_CHANNELS,
  PATCH,
  POSITIONS, /* rows of the position embedding */
  REGISTERS,
  CHANNELS, /* of the stage */
  CHANNELS_2,
  CHANNELS_4,
  MERGED, /* channels at the norm of patch merging */
  HIDDEN,
  TABLE_ROWS,
  HEADS,
  COORDINATES, /* of a position relative to another */
  BIAS_HIDDEN,
  LAST_CHANNELS,
  CLASSES,
} Dimension;

typedef enum {
  ALWAYS,
  WITH_PATCH_NORM,
  WITH_POSITIONS,
  WITH_CLASS_TOKEN,
  WITH_DISTILLATION_TOKEN,
  WITH_REGISTERS,
  WITH_QKV_BIAS,
  WITH_KEY_BIAS,
  WITH_BIAS_TABLE,
  WITH_BIAS_MLP,
  WITH_LAYER_SCALE,
  WITH_HEAD,
  WITH_DISTILLATION_HEAD,
} Condition;

#define BLOCK "stages.{i}.blocks.{j}."
#define ATTENTION BLOCK "attention."
#define MERGING "stages.{i}.merging."

/* In the order of SwinTensorRole. */
static const struct {
  Scope scope;
  const gchar *name;
  SwinParameterKind kind;
  Dimension shape[SWIN_TENSOR_MAX_DIMS];
  Condition condition;
} rows[SWIN_N_ROLES] = {
    [SWIN_ROLE_PATCH_WEIGHT] = {SCOPE_INPUT,
                                "patch_embedding.projection.weight",
                                SWIN_PARAMETER_LINEAR,
                                {EMBED_DIM, IMAGE_CHANNELS, PATCH, PATCH},
                                ALWAYS},
    [SWIN_ROLE_PATCH_BIAS] =
        {SCOPE_INPUT, "patch_embedding.projection.bias", SWIN_PARAMETER_BIAS, {EMBED_DIM}, ALWAYS},
    [SWIN_ROLE_PATCH_NORM_WEIGHT] = {SCOPE_INPUT,
                                     "patch_embedding.norm.weight",
                                     SWIN_PARAMETER_NORM,
                                     {EMBED_DIM},
                                     WITH_PATCH_NORM},
    [SWIN_ROLE_PATCH_NORM_BIAS] = {SCOPE_INPUT,
                                   "patch_embedding.norm.bias",
                                   SWIN_PARAMETER_BIAS,
                                   {EMBED_DIM},
                                   WITH_PATCH_NORM},
    [SWIN_ROLE_POSITION_EMBEDDING] = {SCOPE_INPUT,
                                      "position_embedding",
                                      SWIN_PARAMETER_BIAS,
                                      {POSITIONS, EMBED_DIM},
                                      WITH_POSITIONS},
    [SWIN_ROLE_CLASS_TOKEN] =
        {SCOPE_INPUT, "class_token", SWIN_PARAMETER_BIAS, {ONE, EMBED_DIM}, WITH_CLASS_TOKEN},
    [SWIN_ROLE_DISTILLATION_TOKEN] = {SCOPE_INPUT,
                                      "distillation_token",
                                      SWIN_PARAMETER_BIAS,
                                      {ONE, EMBED_DIM},
                                      WITH_DISTILLATION_TOKEN},
    [SWIN_ROLE_REGISTER_TOKENS] = {SCOPE_INPUT,
                                   "register_tokens",
                                   SWIN_PARAMETER_BIAS,
                                   {REGISTERS, EMBED_DIM},
                                   WITH_REGISTERS},
    [SWIN_ROLE_NORM1_WEIGHT] =
        {SCOPE_BLOCK, BLOCK "norm1.weight", SWIN_PARAMETER_NORM, {CHANNELS}, ALWAYS},
    [SWIN_ROLE_NORM1_BIAS] =
        {SCOPE_BLOCK, BLOCK "norm1.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, ALWAYS},
    [SWIN_ROLE_QUERY_WEIGHT] = {SCOPE_BLOCK,
                                ATTENTION "query.weight",
                                SWIN_PARAMETER_LINEAR,
                                {CHANNELS, CHANNELS},
                                ALWAYS},
    [SWIN_ROLE_QUERY_BIAS] =
        {SCOPE_BLOCK, ATTENTION "query.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, WITH_QKV_BIAS},
    [SWIN_ROLE_KEY_WEIGHT] =
        {SCOPE_BLOCK, ATTENTION "key.weight", SWIN_PARAMETER_LINEAR, {CHANNELS, CHANNELS}, ALWAYS},
    [SWIN_ROLE_KEY_BIAS] =
        {SCOPE_BLOCK, ATTENTION "key.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, WITH_KEY_BIAS},
    [SWIN_ROLE_VALUE_WEIGHT] = {SCOPE_BLOCK,
                                ATTENTION "value.weight",
                                SWIN_PARAMETER_LINEAR,
                                {CHANNELS, CHANNELS},
                                ALWAYS},
    [SWIN_ROLE_VALUE_BIAS] =
        {SCOPE_BLOCK, ATTENTION "value.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, WITH_QKV_BIAS},
    [SWIN_ROLE_BIAS_TABLE] = {SCOPE_BLOCK,
                              ATTENTION "relative_position_bias_table",
                              SWIN_PARAMETER_BIAS,
                              {TABLE_ROWS, HEADS},
                              WITH_BIAS_TABLE},
    [SWIN_ROLE_LOGIT_SCALE] =
        {SCOPE_BLOCK, ATTENTION "logit_scale", SWIN_PARAMETER_SCALE, {HEADS}, WITH_BIAS_MLP},
    [SWIN_ROLE_BIAS_MLP1_WEIGHT] = {SCOPE_BLOCK,
                                    ATTENTION "position_bias_mlp.0.weight",
                                    SWIN_PARAMETER_LINEAR,
                                    {BIAS_HIDDEN, COORDINATES},
                                    WITH_BIAS_MLP},
    [SWIN_ROLE_BIAS_MLP1_BIAS] = {SCOPE_BLOCK,
                                  ATTENTION "position_bias_mlp.0.bias",
                                  SWIN_PARAMETER_BIAS,
                                  {BIAS_HIDDEN},
                                  WITH_BIAS_MLP},
    [SWIN_ROLE_BIAS_MLP2_WEIGHT] = {SCOPE_BLOCK,
                                    ATTENTION "position_bias_mlp.2.weight",
                                    SWIN_PARAMETER_LINEAR,
                                    {HEADS, BIAS_HIDDEN},
                                    WITH_BIAS_MLP},
    [SWIN_ROLE_PROJECTION_WEIGHT] = {SCOPE_BLOCK,
                                     ATTENTION "projection.weight",
                                     SWIN_PARAMETER_LINEAR,
                                     {CHANNELS, CHANNELS},
                                     ALWAYS},
    [SWIN_ROLE_PROJECTION_BIAS] =
        {SCOPE_BLOCK, ATTENTION "projection.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, ALWAYS},
    [SWIN_ROLE_LAYER_SCALE1] =
        {SCOPE_BLOCK, BLOCK "layer_scale1", SWIN_PARAMETER_NORM, {CHANNELS}, WITH_LAYER_SCALE},
    [SWIN_ROLE_NORM2_WEIGHT] =
        {SCOPE_BLOCK, BLOCK "norm2.weight", SWIN_PARAMETER_NORM, {CHANNELS}, ALWAYS},
    [SWIN_ROLE_NORM2_BIAS] =
        {SCOPE_BLOCK, BLOCK "norm2.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, ALWAYS},
    [SWIN_ROLE_FC1_WEIGHT] =
        {SCOPE_BLOCK, BLOCK "mlp.fc1.weight", SWIN_PARAMETER_LINEAR, {HIDDEN, CHANNELS}, ALWAYS},
    [SWIN_ROLE_FC1_BIAS] =
        {SCOPE_BLOCK, BLOCK "mlp.fc1.bias", SWIN_PARAMETER_BIAS, {HIDDEN}, ALWAYS},
    [SWIN_ROLE_FC2_WEIGHT] =
        {SCOPE_BLOCK, BLOCK "mlp.fc2.weight", SWIN_PARAMETER_LINEAR, {CHANNELS, HIDDEN}, ALWAYS},
    [SWIN_ROLE_FC2_BIAS] =
        {SCOPE_BLOCK, BLOCK "mlp.fc2.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, ALWAYS},
    [SWIN_ROLE_LAYER_SCALE2] =
        {SCOPE_BLOCK, BLOCK "layer_scale2", SWIN_PARAMETER_NORM, {CHANNELS}, WITH_LAYER_SCALE},
    [SWIN_ROLE_MERGING_NORM_WEIGHT] =
        {SCOPE_MERGING, MERGING "norm.weight", SWIN_PARAMETER_NORM, {MERGED}, ALWAYS},
    [SWIN_ROLE_MERGING_NORM_BIAS] =
        {SCOPE_MERGING, MERGING "norm.bias", SWIN_PARAMETER_BIAS, {MERGED}, ALWAYS},
    [SWIN_ROLE_REDUCTION_WEIGHT] = {SCOPE_MERGING,
                                    MERGING "reduction.weight",
                                    SWIN_PARAMETER_LINEAR,
                                    {CHANNELS_2, CHANNELS_4},
                                    ALWAYS},
    [SWIN_ROLE_NORM_WEIGHT] =
        {SCOPE_OUTPUT, "norm.weight", SWIN_PARAMETER_NORM, {LAST_CHANNELS}, ALWAYS},
    [SWIN_ROLE_NORM_BIAS] =
        {SCOPE_OUTPUT, "norm.bias", SWIN_PARAMETER_BIAS, {LAST_CHANNELS}, ALWAYS},
    [SWIN_ROLE_HEAD_WEIGHT] =
        {SCOPE_OUTPUT, "head.weight", SWIN_PARAMETER_LINEAR, {CLASSES, LAST_CHANNELS}, WITH_HEAD},
    [SWIN_ROLE_HEAD_BIAS] = {SCOPE_OUTPUT, "head.bias", SWIN_PARAMETER_BIAS, {CLASSES}, WITH_HEAD},
    [SWIN_ROLE_DISTILLATION_HEAD_WEIGHT] = {SCOPE_OUTPUT,
                                            "distillation_head.weight",
                                            SWIN_PARAMETER_LINEAR,
                                            {CLASSES, LAST_CHANNELS},
                                            WITH_DISTILLATION_HEAD},
    [SWIN_ROLE_DISTILLATION_HEAD_BIAS] = {SCOPE_OUTPUT,
                                          "distillation_head.bias",
                                          SWIN_PARAMETER_BIAS,
                                          {CLASSES},
                                          WITH_DISTILLATION_HEAD},
};

gboolean swin_role_is_prefix_token(SwinTensorRole role) {
  return role == SWIN_ROLE_CLASS_TOKEN || role == SWIN_ROLE_DISTILLATION_TOKEN ||
         role == SWIN_ROLE_REGISTER_TOKENS;
}

static guint64 count_table_rows(const SwinModelConfig *config, guint stage) {
  SwinWindows windows;
  swin_model_config_windows(config, stage, 0, &windows);
  return (2 * (guint64)windows.table_height - 1) * (2 * (guint64)windows.table_width - 1);
}

static guint64 count_positions(const SwinModelConfig *config) {
  guint height, width;
  swin_model_config_map(config, 0, &height, &width);
  return (config->prefix_positions ? config->n_prefix_tokens : 0) + (guint64)height * width;
}

/* Prefix tokens beside class and distillation token. */
static guint count_registers(const SwinModelConfig *config) {
  const guint others = config->distillation_token ? 2 : 1;
  return config->n_prefix_tokens - MIN(config->n_prefix_tokens, others);
}

static guint64 get_dimension(const SwinModelConfig *config, guint stage, Dimension dimension) {
  const guint64 channels = swin_model_config_channels(config, stage);
  switch (dimension) {
  case NONE:
    return 0;
  case ONE:
    return 1;
  case EMBED_DIM:
    return config->embed_dim;
  case IMAGE_CHANNELS:
    return config->n_channels;
  case PATCH:
    return config->patch_size;
  case POSITIONS:
    return count_positions(config);
  case REGISTERS:
    return count_registers(config);
  case CHANNELS:
    return channels;
  case CHANNELS_2:
    return 2 * channels;
  case CHANNELS_4:
    return 4 * channels;
  case MERGED: /* V1 norms what it gathered, V2 what it made of it (arXiv:2111.09883) */
    return (config->family == SWIN_FAMILY_SWIN_V2 ? 2 : 4) * channels;
  case HIDDEN:
    return swin_model_config_hidden(config, stage);
  case TABLE_ROWS:
    return count_table_rows(config, stage);
  case HEADS:
    return config->n_heads[stage];
  case COORDINATES:
    return 2;
  case BIAS_HIDDEN:
    return SWIN_BIAS_MLP_HIDDEN;
  case LAST_CHANNELS:
    return swin_model_config_channels(config, config->n_stages - 1);
  case CLASSES:
    return config->n_classes;
  }
  g_return_val_if_reached(0);
}

static gboolean is_met(const SwinModelConfig *config, Condition condition) {
  const gboolean vit = config->family == SWIN_FAMILY_VIT;
  const gboolean v2 = config->family == SWIN_FAMILY_SWIN_V2;
  switch (condition) {
  case ALWAYS:
    return TRUE;
  case WITH_PATCH_NORM:
    return !vit && config->patch_norm;
  case WITH_POSITIONS:
    return vit || config->position_embedding;
  case WITH_CLASS_TOKEN:
    return vit && config->n_prefix_tokens > 0;
  case WITH_DISTILLATION_TOKEN:
    return vit && config->distillation_token;
  case WITH_REGISTERS:
    return vit && count_registers(config) > 0;
  case WITH_QKV_BIAS:
    return config->qkv_bias;
  case WITH_KEY_BIAS:
    return config->qkv_bias && !v2;
  case WITH_BIAS_TABLE:
    return !vit && !v2;
  case WITH_BIAS_MLP:
    return v2;
  case WITH_LAYER_SCALE:
    return vit && config->layer_scale;
  case WITH_HEAD:
    return config->n_classes > 0;
  case WITH_DISTILLATION_HEAD:
    return vit && config->n_classes > 0 && config->distillation_head;
  }
  g_return_val_if_reached(FALSE);
}

gchar *swin_layout_expand(const gchar *pattern, guint stage, guint block) {
  const struct {
    const gchar *mark;
    guint number;
  } marks[] = {{"{i}", stage},
               {"{i+1}", stage + 1},
               {"{j}", block},
               {"{2i+1}", 2 * stage + 1},
               {"{2i+2}", 2 * stage + 2}};
  GString *name = g_string_new(pattern);
  for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
    g_autofree gchar *digits = g_strdup_printf("%u", marks[i].number);
    g_string_replace(name, marks[i].mark, digits, 0);
  }
  return g_string_free(name, FALSE);
}

gchar *swin_shape_to_string(const guint64 *shape, guint n_dims) {
  GString *text = g_string_new("[");
  for (guint i = 0; i < n_dims; i++) {
    g_string_append_printf(text, "%s%" G_GUINT64_FORMAT, i == 0 ? "" : ", ", shape[i]);
  }
  g_string_append_c(text, ']');
  return g_string_free(text, FALSE);
}

static void slot_free(gpointer data) {
  SwinTensorSlot *slot = data;
  g_free(slot->name);
  g_free(slot);
}

static void add_scope(GPtrArray *slots, const SwinModelConfig *config, Scope scope, guint stage,
                      guint block) {
  for (guint role = 0; role < SWIN_N_ROLES; role++) {
    if (rows[role].scope != scope || !is_met(config, rows[role].condition)) {
      continue;
    }
    SwinTensorSlot *slot = g_new0(SwinTensorSlot, 1);
    slot->role = (SwinTensorRole)role;
    slot->kind = rows[role].kind;
    slot->stage = stage;
    slot->block = block;
    slot->name = swin_layout_expand(rows[role].name, stage, block);
    slot->n_elements = 1;
    while (slot->n_dims < SWIN_TENSOR_MAX_DIMS && rows[role].shape[slot->n_dims] != NONE) {
      guint64 size = get_dimension(config, stage, rows[role].shape[slot->n_dims]);
      slot->shape[slot->n_dims++] = size;
      slot->n_elements *= size;
    }
    g_ptr_array_add(slots, slot);
  }
}

GPtrArray *swin_layout_new(const SwinModelConfig *config) {
  GPtrArray *slots = g_ptr_array_new_with_free_func(slot_free);
  add_scope(slots, config, SCOPE_INPUT, 0, 0);
  for (guint stage = 0; stage < config->n_stages; stage++) {
    for (guint block = 0; block < config->depths[stage]; block++) {
      add_scope(slots, config, SCOPE_BLOCK, stage, block);
    }
    if (stage + 1 < config->n_stages) {
      add_scope(slots, config, SCOPE_MERGING, stage, 0);
    }
  }
  add_scope(slots, config, SCOPE_OUTPUT, config->n_stages - 1, 0);
  return slots;
}
