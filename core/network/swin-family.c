// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/family-builder.h"

static gboolean is_v2(const SwinFamilyBuilder *builder) {
  return builder->config->family == SWIN_FAMILY_SWIN_V2;
}

/* [N, H, W, C] -> [N, H, W, C]: windowed attention, with @norm (nullable) in front, plus
 * @residual. */
static gint add_attention(const SwinFamilyBuilder *builder, guint stage, guint block, gint input,
                          const SwinFamilyNorm *norm, gint residual) {
  g_autofree gchar *name = g_strdup_printf("stages.%u.blocks.%u.attention", stage, block);
  SwinWindows windows;

  swin_model_config_windows(builder->config, stage, block, &windows);
  const SwinAttentionParameters parameters = {
      .kind = is_v2(builder) ? SWIN_ATTENTION_COSINE : SWIN_ATTENTION_SCALED,
      .n_heads = builder->config->n_heads[stage],
      .window_height = windows.window_height,
      .window_width = windows.window_width,
      .shift_y = windows.shift_y,
      .shift_x = windows.shift_x,
      .mask = (gfloat)builder->config->edge_rules.mask,
      .roll_before_padding = builder->config->edge_rules.roll_before_padding,
      .table_height = windows.table_height,
      .table_width = windows.table_width,
  };
  return swin_family_add_attention(
      builder, name, input, norm, &parameters,
      swin_family_weight(builder, name, "relative_position_bias_table"), residual);
}

/* [N, H, W, C] -> [N, H, W, C]. V1: x += attention(norm1(x)); x += mlp(norm2(x)). V2 norms behind
 * each branch (arXiv:2111.09883, figure 1): x += norm1(attention(x)); x += norm2(mlp(x)). */
static gint add_block(const SwinFamilyBuilder *builder, guint stage, guint block, gint input) {
  gdouble epsilon = builder->config->layer_norm_epsilon;
  g_autofree gchar *norm1 = g_strdup_printf("stages.%u.blocks.%u.norm1", stage, block);
  g_autofree gchar *norm2 = g_strdup_printf("stages.%u.blocks.%u.norm2", stage, block);
  g_autofree gchar *mlp = g_strdup_printf("stages.%u.blocks.%u.mlp", stage, block);

  if (is_v2(builder)) {
    gint branch = add_attention(builder, stage, block, input, NULL, SWIN_PLAN_NO_TENSOR);
    gint attended = swin_family_add_layer_norm(builder, norm1, branch, epsilon, input);
    branch = swin_family_add_mlp(builder, mlp, attended, NULL, SWIN_PLAN_NO_TENSOR);
    return swin_family_add_layer_norm(builder, norm2, branch, epsilon, attended);
  }
  const SwinFamilyNorm first = {norm1, epsilon}, second = {norm2, epsilon};
  gint attended = add_attention(builder, stage, block, input, &first, input);
  return swin_family_add_mlp(builder, mlp, attended, &second, attended);
}

/* [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), 2C]: four neighbours, with @norm (nullable) over their
 * 4C values, reduced. */
static gint add_reduction(const SwinFamilyBuilder *builder, const gchar *merging, gint input,
                          const SwinFamilyNorm *norm) {
  const SwinLinearParameters of_neighbours = {.n_parts = 1, .source = SWIN_LINEAR_MERGING};
  g_autofree gchar *name = g_strdup_printf("%s.reduction", merging);

  if (builder->options->fused)
    return swin_family_add_product(builder, name, input, &of_neighbours, norm, SWIN_PLAN_NO_TENSOR);
  gint gathered = swin_plan_add_patch_merging(
      builder->plan, norm != NULL ? norm->name : merging, input,
      norm != NULL ? swin_family_weight(builder, norm->name, "weight") : NULL,
      norm != NULL ? swin_family_weight(builder, norm->name, "bias") : NULL,
      builder->config->merging_norm_epsilon);
  return swin_family_add_linear(builder, name, gathered, SWIN_GELU_NONE, SWIN_PLAN_NO_TENSOR);
}

/* [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), 2C]. V1 norms the 4C gathered values, V2 the 2C reduced
 * ones. */
static gint add_merging(const SwinFamilyBuilder *builder, guint stage, gint input) {
  g_autofree gchar *name = g_strdup_printf("stages.%u.merging", stage);
  g_autofree gchar *norm_name = g_strdup_printf("%s.norm", name);
  const SwinFamilyNorm norm = {norm_name, builder->config->merging_norm_epsilon};

  if (!is_v2(builder))
    return add_reduction(builder, name, input, &norm);
  gint reduced = add_reduction(builder, name, input, NULL);
  return swin_family_add_layer_norm(builder, norm.name, reduced, norm.epsilon, SWIN_PLAN_NO_TENSOR);
}

/* [N, channels, H, W] -> [N, h, w, embed_dim] */
static gint add_embedding(const SwinFamilyBuilder *builder) {
  const SwinModelConfig *config = builder->config;
  gint tokens = swin_family_add_patch_embedding(builder);

  if (config->patch_norm)
    tokens = swin_family_add_layer_norm(builder, "patch_embedding.norm", tokens,
                                        config->merging_norm_epsilon, SWIN_PLAN_NO_TENSOR);
  if (config->position_embedding)
    tokens =
        swin_plan_add_token_embedding(builder->plan, "position_embedding", tokens, NULL,
                                      swin_model_get_tensor(builder->model, "position_embedding"));
  return tokens;
}

gint swin_family_add_swin(SwinPlan *plan, SwinModel *model, const SwinPlanOptions *options) {
  const SwinModelConfig *config = swin_model_get_config(model);
  const SwinFamilyBuilder builder = {plan, model, config, options};

  gint tokens = add_embedding(&builder);
  for (guint stage = 0; stage < config->n_stages; stage++) {
    for (guint block = 0; block < config->depths[stage]; block++)
      tokens = add_block(&builder, stage, block, tokens);
    if (stage + 1 < config->n_stages)
      tokens = add_merging(&builder, stage, tokens);
    swin_family_mark_stage(&builder, stage, tokens);
  }
  const SwinFamilyNorm norm = {"norm", config->layer_norm_epsilon};
  gint pooled = swin_family_add_mean_pool(&builder, "pool", tokens, &norm, 0, 0);
  swin_plan_mark_output(plan, pooled, "pooled");
  if (config->n_classes == 0)
    return SWIN_PLAN_NO_TENSOR;
  return swin_family_add_linear(&builder, "head", pooled, SWIN_GELU_NONE, SWIN_PLAN_NO_TENSOR);
}
