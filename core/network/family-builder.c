// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/family-builder.h"

const SwinTensor *swin_family_weight(const SwinFamilyBuilder *builder, const gchar *prefix,
                                     const gchar *suffix) {
  g_autofree gchar *name = g_strdup_printf("%s.%s", prefix, suffix);

  return swin_model_get_tensor(builder->model, name);
}

gint swin_family_add_patch_embedding(const SwinFamilyBuilder *builder) {
  const SwinModelConfig *config = builder->config;
  const guint64 shape[] = {builder->options->batch, config->n_channels, config->image_height,
                           config->image_width};
  gint input = swin_plan_add_input(builder->plan, "input", G_N_ELEMENTS(shape), shape);

  gint patches = swin_plan_add_patch_partition(
      builder->plan, "patch_embedding.partition", input, config->patch_size,
      config->edge_rules.partial_patches == SWIN_PARTIAL_CUT);
  return swin_family_add_linear(builder, "patch_embedding.projection", patches, SWIN_GELU_NONE,
                                SWIN_PLAN_NO_TENSOR);
}

gint swin_family_add_linear(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                            SwinGelu gelu, gint residual) {
  const SwinTensor *weights[] = {swin_family_weight(builder, name, "weight")};
  const SwinTensor *biases[] = {swin_family_weight(builder, name, "bias")};

  return swin_plan_add_linear(builder->plan, name, input, 1, weights, biases, gelu, residual);
}

gint swin_family_add_layer_norm(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                                gdouble epsilon, gint residual) {
  return swin_plan_add_layer_norm(builder->plan, name, input,
                                  swin_family_weight(builder, name, "weight"),
                                  swin_family_weight(builder, name, "bias"), epsilon, residual);
}

gint swin_family_add_attention(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                               const SwinAttentionParameters *parameters, const SwinTensor *table,
                               gint residual) {
  static const gchar *const weight_names[] = {"query.weight", "key.weight", "value.weight"};
  static const gchar *const bias_names[] = {"query.bias", "key.bias", "value.bias"};
  const SwinTensor *weights[3], *biases[3];
  g_autofree gchar *qkv_name = g_strdup_printf("%s.qkv", name);
  g_autofree gchar *projection_name = g_strdup_printf("%s.projection", name);

  for (guint i = 0; i < 3; i++) {
    weights[i] = swin_family_weight(builder, name, weight_names[i]);
    biases[i] = swin_family_weight(builder, name, bias_names[i]);
  }
  gint qkv = swin_plan_add_linear(builder->plan, qkv_name, input, 3, weights, biases,
                                  SWIN_GELU_NONE, SWIN_PLAN_NO_TENSOR);
  gint attended = swin_plan_add_attention(builder->plan, name, qkv, parameters, table, biases,
                                          swin_family_weight(builder, name, "logit_scale"));
  return swin_family_add_linear(builder, projection_name, attended, SWIN_GELU_NONE, residual);
}

gint swin_family_add_mlp(const SwinFamilyBuilder *builder, const gchar *name, gint input,
                         gint residual) {
  g_autofree gchar *fc1 = g_strdup_printf("%s.fc1", name);
  g_autofree gchar *fc2 = g_strdup_printf("%s.fc2", name);

  SwinGelu gelu = builder->config->tanh_gelu ? SWIN_GELU_TANH : SWIN_GELU_EXACT;
  gint hidden = swin_family_add_linear(builder, fc1, input, gelu, SWIN_PLAN_NO_TENSOR);
  return swin_family_add_linear(builder, fc2, hidden, SWIN_GELU_NONE, residual);
}

void swin_family_mark_stage(const SwinFamilyBuilder *builder, guint stage, gint tokens) {
  if (!builder->options->keep_stages)
    return;
  g_autofree gchar *name = g_strdup_printf("stages.%u", stage);
  swin_plan_mark_output(builder->plan, tokens, name);
}
