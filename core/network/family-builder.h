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

/** SwinFamilyNorm: a LayerNorm in front of a product: "NAME.weight" and "NAME.bias". */
typedef struct {
  const gchar *name;
  gdouble epsilon;
} SwinFamilyNorm;

/**
 * swin_family_add_patch_embedding: the input "input" and its patches: [N, h, w, embed_dim], without
 * norm and positions.
 */
gint swin_family_add_patch_embedding(const SwinFamilyBuilder *builder);

/** swin_family_add_linear: [..., K] -> [..., N] with the weights "NAME.weight" and "NAME.bias". */
gint swin_family_add_linear(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                            SwinGelu gelu, gint residual);

/**
 * swin_family_add_product: the same of any source.
 * @parameters: but the norm, of one part
 * @norm: (nullable): part of the product
 */
gint swin_family_add_product(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                             const SwinLinearParameters *parameters, const SwinFamilyNorm *norm,
                             gint residual);

/** swin_family_add_layer_norm: [..., C] -> [..., C] with "NAME.weight" and "NAME.bias". */
gint swin_family_add_layer_norm(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                                gdouble epsilon, gint residual);

/** swin_family_add_mean_pool: [N, H, W, C] -> [N, C]: as swin_plan_add_mean_pool(), with @norm
 * (nullable) before the mean. */
gint swin_family_add_mean_pool(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                               const SwinFamilyNorm *norm, guint first, guint n_tokens);

/**
 * swin_family_add_attention: [N, H, W, C] -> [N, H, W, C]: the norm, the projection to query, key
 * and value, the attention and the projection of its output, plus @residual.
 * @name: canonical name of the block's attention, such as "stages.0.blocks.1.attention"
 * @norm: (nullable): in front of the projection; part of it where the plan is fused
 * @table: (nullable): the relative position bias table
 */
gint swin_family_add_attention(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                               const SwinFamilyNorm *norm,
                               const SwinAttentionParameters *parameters, const SwinTensor *table,
                               gint residual);

/**
 * swin_family_add_mlp: [..., C] -> [..., C]: fc2(gelu(fc1(norm(x)))), plus @residual.
 * @name: canonical name of the block's MLP, such as "stages.0.blocks.1.mlp"
 * @norm: (nullable): as above
 */
gint swin_family_add_mlp(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                         const SwinFamilyNorm *norm, gint residual);

/** swin_family_mark_stage: with keep_stages, makes @tokens the output "stages.STAGE". */
void swin_family_mark_stage(const SwinFamilyBuilder *builder, guint stage, gint tokens);

#endif /* SWIN_NETWORK_FAMILY_BUILDER_H */
