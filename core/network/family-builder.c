// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/family-builder.h"

const SwinTensor *swin_family_weight(const SwinFamilyBuilder *builder, const gchar *prefix,
                                     const gchar *suffix) {
  g_autofree gchar *name = g_strdup_printf("%s.%s", prefix, suffix);

  return swin_model_get_tensor(builder->model, name);
}

gint swin_family_add_patch_embedding(const SwinFamilyBuilder *builder) {
  const SwinModelConfig *config = builder->config;
  const gboolean cut = config->edge_rules.partial_patches == SWIN_PARTIAL_CUT;
  const SwinLinearParameters of_pixels = {
      .n_parts = 1, .source = SWIN_LINEAR_PATCHES, .patch_size = config->patch_size, .cut = cut};
  const guint64 shape[] = {builder->options->batch, config->n_channels, config->image_height,
                           config->image_width};
  gint input =
      swin_plan_add_input(builder->plan, "input", SWIN_STORAGE_F32, G_N_ELEMENTS(shape), shape);

  if (builder->options->fused)
    return swin_family_add_product(builder, "patch_embedding.projection", input, &of_pixels, NULL,
                                   SWIN_PLAN_NO_TENSOR);
  gint patches = swin_plan_add_patch_partition(builder->plan, "patch_embedding.partition", input,
                                               config->patch_size, cut);
  return swin_family_add_linear(builder, "patch_embedding.projection", patches, SWIN_GELU_NONE,
                                SWIN_PLAN_NO_TENSOR);
}

/* Both NULL without a norm. */
static void find_norm(const SwinFamilyBuilder *builder, const SwinFamilyNorm *norm,
                      const SwinTensor *weights[2]) {
  weights[0] = norm != NULL ? swin_family_weight(builder, norm->name, "weight") : NULL;
  weights[1] = norm != NULL ? swin_family_weight(builder, norm->name, "bias") : NULL;
}

/* With the norm as part of the product. */
static gint add_normed(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                       SwinLinearParameters parameters, const SwinTensor *const *weights,
                       const SwinTensor *const *biases, const SwinFamilyNorm *norm, gint residual) {
  const SwinTensor *norm_weights[2];

  find_norm(builder, norm, norm_weights);
  parameters.normed = norm != NULL;
  parameters.epsilon = norm != NULL ? norm->epsilon : 0.0;
  return swin_plan_add_linear(builder->plan, name, input, &parameters, weights, biases,
                              norm != NULL ? norm_weights : NULL, residual);
}

/* The norm as an operation in front of the product, where the plan is not fused. */
static gint norm_first(const SwinFamilyBuilder *builder, gint input, const SwinFamilyNorm **norm) {
  if (*norm == NULL || builder->options->fused)
    return input;
  gint normed = swin_family_add_layer_norm(builder, (*norm)->name, input, (*norm)->epsilon,
                                           SWIN_PLAN_NO_TENSOR);
  *norm = NULL;
  return normed;
}

gint swin_family_add_product(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                             const SwinLinearParameters *parameters, const SwinFamilyNorm *norm,
                             gint residual) {
  const SwinTensor *weights[] = {swin_family_weight(builder, name, "weight")};
  const SwinTensor *biases[] = {swin_family_weight(builder, name, "bias")};

  return add_normed(builder, name, input, *parameters, weights, biases, norm, residual);
}

gint swin_family_add_linear(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                            SwinGelu gelu, gint residual) {
  const SwinLinearParameters parameters = {.n_parts = 1, .gelu = gelu};

  return swin_family_add_product(builder, name, input, &parameters, NULL, residual);
}

gint swin_family_add_layer_norm(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                                gdouble epsilon, gint residual) {
  return swin_plan_add_layer_norm(builder->plan, name, input,
                                  swin_family_weight(builder, name, "weight"),
                                  swin_family_weight(builder, name, "bias"), epsilon, residual);
}

gint swin_family_add_mean_pool(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                               const SwinFamilyNorm *norm, guint first, guint n_tokens) {
  const SwinTensor *norm_weights[2];

  find_norm(builder, norm, norm_weights);
  return swin_plan_add_mean_pool(builder->plan, name, input, first, n_tokens,
                                 norm != NULL ? norm_weights : NULL,
                                 norm != NULL ? norm->epsilon : 0.0);
}

gint swin_family_add_attention(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                               const SwinFamilyNorm *norm,
                               const SwinAttentionParameters *parameters, const SwinTensor *table,
                               gint residual) {
  static const gchar *const weight_names[] = {"query.weight", "key.weight", "value.weight"};
  static const gchar *const bias_names[] = {"query.bias", "key.bias", "value.bias"};
  const SwinLinearParameters stacked = {.n_parts = 3};
  const SwinTensor *weights[3], *biases[3];
  g_autofree gchar *qkv_name = g_strdup_printf("%s.qkv", name);
  g_autofree gchar *projection_name = g_strdup_printf("%s.projection", name);

  for (guint i = 0; i < 3; i++) {
    weights[i] = swin_family_weight(builder, name, weight_names[i]);
    biases[i] = swin_family_weight(builder, name, bias_names[i]);
  }
  gint tokens = norm_first(builder, input, &norm);
  gint qkv =
      add_normed(builder, qkv_name, tokens, stacked, weights, biases, norm, SWIN_PLAN_NO_TENSOR);
  gint attended = swin_plan_add_attention(builder->plan, name, qkv, parameters, table, biases,
                                          swin_family_weight(builder, name, "logit_scale"));
  return swin_family_add_linear(builder, projection_name, attended, SWIN_GELU_NONE, residual);
}

gint swin_family_add_mlp(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                         const SwinFamilyNorm *norm, gint residual) {
  const SwinLinearParameters first = {
      .n_parts = 1, .gelu = builder->config->tanh_gelu ? SWIN_GELU_TANH : SWIN_GELU_EXACT};
  g_autofree gchar *fc1 = g_strdup_printf("%s.fc1", name);
  g_autofree gchar *fc2 = g_strdup_printf("%s.fc2", name);

  gint tokens = norm_first(builder, input, &norm);
  gint hidden = swin_family_add_product(builder, fc1, tokens, &first, norm, SWIN_PLAN_NO_TENSOR);
  return swin_family_add_linear(builder, fc2, hidden, SWIN_GELU_NONE, residual);
}

void swin_family_mark_stage(const SwinFamilyBuilder *builder, guint stage, gint tokens) {
  if (!builder->options->keep_stages)
    return;
  g_autofree gchar *name = g_strdup_printf("stages.%u", stage);
  swin_plan_mark_output(builder->plan, tokens, name);
}
