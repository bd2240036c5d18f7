// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/layout.h"

#include <string.h>

typedef enum { SCOPE_INPUT, SCOPE_BLOCK, SCOPE_MERGING, SCOPE_OUTPUT } Scope;

/* Dimensions by name; NONE ends a shape. */
typedef enum {
  NONE,
  EMBED_DIM,
  IMAGE_CHANNELS,
  PATCH,
  CHANNELS, /* of the stage */
  CHANNELS_2,
  CHANNELS_4,
  HIDDEN,
  TABLE_ROWS,
  HEADS,
  LAST_CHANNELS,
  CLASSES,
} Dimension;

typedef enum { ALWAYS, WITH_PATCH_NORM, WITH_QKV_BIAS } Condition;

#define BLOCK "stages.{i}.blocks.{j}."
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
    [SWIN_ROLE_NORM1_WEIGHT] =
        {SCOPE_BLOCK, BLOCK "norm1.weight", SWIN_PARAMETER_NORM, {CHANNELS}, ALWAYS},
    [SWIN_ROLE_NORM1_BIAS] =
        {SCOPE_BLOCK, BLOCK "norm1.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, ALWAYS},
    [SWIN_ROLE_QUERY_WEIGHT] = {SCOPE_BLOCK,
                                BLOCK "attention.query.weight",
                                SWIN_PARAMETER_LINEAR,
                                {CHANNELS, CHANNELS},
                                ALWAYS},
    [SWIN_ROLE_QUERY_BIAS] =
        {SCOPE_BLOCK, BLOCK "attention.query.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, WITH_QKV_BIAS},
    [SWIN_ROLE_KEY_WEIGHT] = {SCOPE_BLOCK,
                              BLOCK "attention.key.weight",
                              SWIN_PARAMETER_LINEAR,
                              {CHANNELS, CHANNELS},
                              ALWAYS},
    [SWIN_ROLE_KEY_BIAS] =
        {SCOPE_BLOCK, BLOCK "attention.key.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, WITH_QKV_BIAS},
    [SWIN_ROLE_VALUE_WEIGHT] = {SCOPE_BLOCK,
                                BLOCK "attention.value.weight",
                                SWIN_PARAMETER_LINEAR,
                                {CHANNELS, CHANNELS},
                                ALWAYS},
    [SWIN_ROLE_VALUE_BIAS] =
        {SCOPE_BLOCK, BLOCK "attention.value.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, WITH_QKV_BIAS},
    [SWIN_ROLE_BIAS_TABLE] = {SCOPE_BLOCK,
                              BLOCK "attention.relative_position_bias_table",
                              SWIN_PARAMETER_BIAS,
                              {TABLE_ROWS, HEADS},
                              ALWAYS},
    [SWIN_ROLE_PROJECTION_WEIGHT] = {SCOPE_BLOCK,
                                     BLOCK "attention.projection.weight",
                                     SWIN_PARAMETER_LINEAR,
                                     {CHANNELS, CHANNELS},
                                     ALWAYS},
    [SWIN_ROLE_PROJECTION_BIAS] =
        {SCOPE_BLOCK, BLOCK "attention.projection.bias", SWIN_PARAMETER_BIAS, {CHANNELS}, ALWAYS},
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
    [SWIN_ROLE_MERGING_NORM_WEIGHT] =
        {SCOPE_MERGING, MERGING "norm.weight", SWIN_PARAMETER_NORM, {CHANNELS_4}, ALWAYS},
    [SWIN_ROLE_MERGING_NORM_BIAS] =
        {SCOPE_MERGING, MERGING "norm.bias", SWIN_PARAMETER_BIAS, {CHANNELS_4}, ALWAYS},
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
        {SCOPE_OUTPUT, "head.weight", SWIN_PARAMETER_LINEAR, {CLASSES, LAST_CHANNELS}, ALWAYS},
    [SWIN_ROLE_HEAD_BIAS] = {SCOPE_OUTPUT, "head.bias", SWIN_PARAMETER_BIAS, {CLASSES}, ALWAYS},
};

static guint64 get_dimension(const SwinModelConfig *config, guint stage, Dimension dimension) {
  guint64 channels = swin_model_config_channels(config, stage);
  guint64 table_side = 2 * (guint64)config->window_size - 1;
  switch (dimension) {
  case NONE:
    return 0;
  case EMBED_DIM:
    return config->embed_dim;
  case IMAGE_CHANNELS:
    return config->n_channels;
  case PATCH:
    return config->patch_size;
  case CHANNELS:
    return channels;
  case CHANNELS_2:
    return 2 * channels;
  case CHANNELS_4:
    return 4 * channels;
  case HIDDEN:
    return swin_model_config_hidden(config, stage);
  case TABLE_ROWS:
    return table_side * table_side;
  case HEADS:
    return config->n_heads[stage];
  case LAST_CHANNELS:
    return swin_model_config_channels(config, config->n_stages - 1);
  case CLASSES:
    return config->n_classes;
  }
  g_return_val_if_reached(0);
}

gchar *swin_layout_expand(const gchar *pattern, guint stage, guint block) {
  const struct {
    const gchar *mark;
    guint number;
  } marks[] = {
      {"{i}", stage}, {"{j}", block}, {"{2i+1}", 2 * stage + 1}, {"{2i+2}", 2 * stage + 2}};
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
    if (rows[role].scope != scope ||
        (rows[role].condition == WITH_PATCH_NORM && !config->patch_norm) ||
        (rows[role].condition == WITH_QKV_BIAS && !config->qkv_bias)) {
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
