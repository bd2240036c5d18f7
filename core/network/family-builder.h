// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * family-builder.h: what families are built of: steps whose weights are found by canonical name.
 */
#ifndef SWIN_NETWORK_FAMILY_BUILDER_H
#define SWIN_NETWORK_FAMILY_BUILDER_H

#include "network/family.h"
#include "network/operations.h"

/** SwinFamilyBuilder: a plan while it grows. Nothing in it is owned. */
typedef struct {
  SwinPlan *plan;
  SwinModel *model;
  const SwinModelConfig *config;
  const SwinPlanOptions *options;
} SwinFamilyBuilder;

/** swin_family_weight: (transfer none) (nullable): the model's tensor "PREFIX.SUFFIX". */
const SwinTensor *swin_family_weight(const SwinFamilyBuilder *builder, const gchar *prefix,
                                     const gchar *suffix);

/**
 * swin_family_add_patch_embedding: the input "input" and its patches: [N, h, w, embed_dim], without
 * norm and positions.
 */
gint swin_family_add_patch_embedding(const SwinFamilyBuilder *builder);

/** swin_family_add_linear: [..., K] -> [..., N] with the weights "NAME.weight" and "NAME.bias". */
gint swin_family_add_linear(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                            SwinGelu gelu, gint residual);

/** swin_family_add_layer_norm: [..., C] -> [..., C] with "NAME.weight" and "NAME.bias". */
gint swin_family_add_layer_norm(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                                gdouble epsilon, gint residual);

/**
 * swin_family_add_attention: [N, H, W, C] -> [N, H, W, C]: the projection to query, key and value,
 * the attention and the projection of its output, plus @residual.
 * @name: canonical name of the block's attention, such as "stages.0.blocks.1.attention"
 * @table: (nullable): the relative position bias table
 */
gint swin_family_add_attention(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                               const SwinAttentionParameters *parameters, const SwinTensor *table,
                               gint residual);

/**
 * swin_family_add_mlp: [..., C] -> [..., C]: fc2(gelu(fc1(x))), plus @residual.
 * @name: canonical name of the block's MLP, such as "stages.0.blocks.1.mlp"
 */
gint swin_family_add_mlp(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                         gint residual);

/** swin_family_mark_stage: with keep_stages, makes @tokens the output "stages.STAGE". */
void swin_family_mark_stage(const SwinFamilyBuilder *builder, guint stage, gint tokens);

#endif /* SWIN_NETWORK_FAMILY_BUILDER_H */
