// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/family-builder.h"

/* [N, H, W, C] -> [N, H, W, C]: x += attention(norm1(x)); x += mlp(norm2(x)), each token attending
 * to all (arXiv:2010.11929, equations 2 and 3): one window as large as the map. */
static gint add_block(const SwinFamilyBuilder *builder, guint block, gint input) {
  const SwinPlanTensor *map = swin_plan_get_tensor(builder->plan, input);
  const SwinAttentionParameters parameters = {
      .kind = SWIN_ATTENTION_SCALED,
      .n_heads = builder->config->n_heads[0],
      .window_height = (guint)map->shape[1],
      .window_width = (guint)map->shape[2],
  };
  gdouble epsilon = builder->config->layer_norm_epsilon;
  g_autofree gchar *norm1 = g_strdup_printf("stages.0.blocks.%u.norm1", block);
  g_autofree gchar *attention = g_strdup_printf("stages.0.blocks.%u.attention", block);
  g_autofree gchar *norm2 = g_strdup_printf("stages.0.blocks.%u.norm2", block);
  g_autofree gchar *mlp = g_strdup_printf("stages.0.blocks.%u.mlp", block);

  const SwinFamilyNorm first = {norm1, epsilon}, second = {norm2, epsilon};
  gint attended =
      swin_family_add_attention(builder, attention, input, &first, &parameters, NULL, input);
  return swin_family_add_mlp(builder, mlp, attended, &second, attended);
}

/* [N, H, W, C] -> [N, C]: the mean of @n_tokens tokens from @first on, 0: of all, with the last
 * norm before or after it. */
static gint add_pool(const SwinFamilyBuilder *builder, const gchar *name, gint tokens, guint first,
                     guint n_tokens) {
  const SwinFamilyNorm norm = {"norm", builder->config->layer_norm_epsilon};

  if (builder->config->norm_before_pool)
    return swin_family_add_mean_pool(builder, name, tokens, &norm, first, n_tokens);
  gint pooled = swin_family_add_mean_pool(builder, name, tokens, NULL, first, n_tokens);
  return swin_family_add_layer_norm(builder, norm.name, pooled, norm.epsilon, SWIN_PLAN_NO_TENSOR);
}

gint swin_family_add_vit(SwinPlan *plan, SwinModel *model, const SwinPlanOptions *options) {
  const SwinModelConfig *config = swin_model_get_config(model);
  const SwinFamilyBuilder builder = {plan, model, config, options};
  gboolean by_token = config->pool == SWIN_POOL_TOKEN;
  /* Without heads, the features of a distilled network are the mean of what its heads would see. */
  guint n_pooled = config->n_classes == 0 && config->distillation_head ? 2 : 1;

  gint tokens = swin_plan_add_token_embedding(plan, "token_embedding",
                                              swin_family_add_patch_embedding(&builder),
                                              swin_model_get_tensor(model, "prefix_tokens"),
                                              swin_model_get_tensor(model, "position_embedding"));
  for (guint block = 0; block < config->depths[0]; block++)
    tokens = add_block(&builder, block, tokens);
  swin_family_mark_stage(&builder, 0, tokens);

  gint pooled = by_token ? add_pool(&builder, "pool", tokens, 0, n_pooled)
                         : add_pool(&builder, "pool", tokens, config->n_prefix_tokens, 0);
  swin_plan_mark_output(plan, pooled, "pooled");
  if (config->n_classes == 0)
    return SWIN_PLAN_NO_TENSOR;
  gint logits =
      swin_family_add_linear(&builder, "head", pooled, SWIN_GELU_NONE, SWIN_PLAN_NO_TENSOR);
  if (!config->distillation_head)
    return logits;
  /* The mean of both heads (arXiv:2012.12877, section 4): the model's weights are halved. */
  gint distilled = add_pool(&builder, "distillation_pool", tokens, 1, 1);
  return swin_family_add_linear(&builder, "distillation_head", distilled, SWIN_GELU_NONE, logits);
}
