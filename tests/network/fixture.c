// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fixture.h"

#include <check.h>

SwinModelConfig fixture_tiny_config(void) {
  return (SwinModelConfig){
      .family = SWIN_FAMILY_SWIN,
      .dialect = SWIN_DIALECT_HUGGING_FACE,
      .edge_rules = swin_edge_rules(SWIN_FAMILY_SWIN, SWIN_DIALECT_HUGGING_FACE),
      .image_height = 48,
      .image_width = 80,
      .n_channels = 3,
      .patch_size = 4,
      .embed_dim = 6,
      .n_stages = 3,
      .depths = {2, 3, 2},
      .n_heads = {1, 2, 3},
      .window_height = {4, 4, 4},
      .window_width = {4, 4, 4},
      .mlp_ratio = 2.0,
      .qkv_bias = TRUE,
      .patch_norm = TRUE,
      .layer_norm_epsilon = 1e-5,
      .merging_norm_epsilon = 1e-6,
      .n_classes = 7,
      .activation = SWIN_ACTIVATION_SOFTMAX,
  };
}

SwinModelConfig fixture_tiny_v2_config(void) {
  SwinModelConfig config = fixture_tiny_config();

  config.family = SWIN_FAMILY_SWIN_V2;
  config.edge_rules = swin_edge_rules(config.family, config.dialect);
  return config;
}

SwinModelConfig fixture_tiny_vit_config(void) {
  return (SwinModelConfig){
      .family = SWIN_FAMILY_VIT,
      .dialect = SWIN_DIALECT_TIMM,
      .edge_rules = swin_edge_rules(SWIN_FAMILY_VIT, SWIN_DIALECT_TIMM),
      .image_height = 17,
      .image_width = 20,
      .n_channels = 3,
      .patch_size = 4,
      .embed_dim = 6,
      .n_stages = 1,
      .depths = {3},
      .n_heads = {2},
      .mlp_ratio = 2.0,
      .qkv_bias = TRUE,
      .layer_norm_epsilon = 1e-6,
      .merging_norm_epsilon = 1e-6,
      .n_classes = 7,
      .activation = SWIN_ACTIVATION_SIGMOID,
      .position_embedding = TRUE,
      .n_prefix_tokens = 1,
      .prefix_positions = TRUE,
      .pool = SWIN_POOL_TOKEN,
      .norm_before_pool = TRUE,
  };
}

SwinPlan *fixture_plan_with(const SwinModelConfig *config, const SwinPlanOptions *options) {
  g_autoptr(SwinModel) model = swin_model_new_from_config("tiny", config, 1);

  ck_assert_ptr_nonnull(model);
  return swin_family_plan(model, options);
}

SwinPlan *fixture_new_plan(const SwinModelConfig *config, guint batch, guint top_k,
                           gboolean keep_stages) {
  const SwinPlanOptions options = {.batch = batch, .top_k = top_k, .keep_stages = keep_stages};

  return fixture_plan_with(config, &options);
}
