// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/family.h"

#include <math.h>

#include "network/operations.h"

/* What the functions below hand on to each other while a plan grows. */
typedef struct {
  SwinPlan *plan;
  SwinModel *model;
  const SwinModelConfig *config;
} Builder;

G_GNUC_PRINTF(2, 3)
static const SwinTensor *weight(const Builder *builder, const gchar *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  g_autofree gchar *name = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  return swin_model_get_tensor(builder->model, name);
}

/* [..., C] -> [..., C] */
static gint add_layer_norm(const Builder *builder, const gchar *name, gint input) {
  return swin_plan_add_layer_norm(builder->plan, name, input, weight(builder, "%s.weight", name),
                                  weight(builder, "%s.bias", name),
                                  builder->config->layer_norm_epsilon);
}

/* [..., K] -> [..., N] */
static gint add_linear(const Builder *builder, const gchar *name, gint input, gboolean gelu,
                       gint residual) {
  const SwinTensor *weights[] = {weight(builder, "%s.weight", name)};
  const SwinTensor *biases[] = {weight(builder, "%s.bias", name)};

  return swin_plan_add_linear(builder->plan, name, input, 1, weights, biases, gelu, residual);
}

/* The window of a relative position bias table of (2 * window - 1)^2 rows. */
static guint table_window(const SwinTensor *table) {
  guint64 side = (guint64)llround(sqrt((gdouble)table->shape[0]));

  g_assert(side * side == table->shape[0] && side % 2 == 1);
  return (guint)((side + 1) / 2);
}

/* How the map of block @block is cut into windows. Every second block shifts them by half a window
 * (arXiv:2103.14030, section 3.2); the sources differ where a map is not larger than the window. */
static void set_windows(const SwinModelConfig *config, guint64 height, guint64 width, guint block,
                        SwinAttentionParameters *parameters) {
  guint window = config->window_size;
  guint shift = block % 2 == 1 ? window / 2 : 0;
  gboolean fits_y = height <= window, fits_x = width <= window;

  if (config->edge_rules.shift_per_axis) {
    parameters->shift_y = fits_y ? 0 : shift;
    parameters->shift_x = fits_x ? 0 : shift;
  } else {
    parameters->shift_y = fits_y || fits_x ? 0 : shift;
    parameters->shift_x = parameters->shift_y;
  }
  if (config->edge_rules.clip_window && (fits_y || fits_x))
    window = (guint)MIN(height, width);
  parameters->window_height = window;
  parameters->window_width = window;
}

/* [N, H, W, C] -> [N, H, W, C]: attention, without the norm before it, plus @residual. */
static gint add_attention(const Builder *builder, guint stage, guint block, gint input,
                          gint residual) {
  static const gchar *const parts[] = {"query", "key", "value"};
  const SwinTensor *weights[3], *biases[3];
  g_autofree gchar *name = g_strdup_printf("stages.%u.blocks.%u.attention", stage, block);
  g_autofree gchar *qkv_name = g_strdup_printf("%s.qkv", name);
  g_autofree gchar *projection_name = g_strdup_printf("%s.projection", name);

  for (guint i = 0; i < 3; i++) {
    weights[i] = weight(builder, "%s.%s.weight", name, parts[i]);
    biases[i] = weight(builder, "%s.%s.bias", name, parts[i]);
  }
  const SwinPlanTensor *map = swin_plan_get_tensor(builder->plan, input);
  const SwinTensor *table = weight(builder, "%s.relative_position_bias_table", name);
  guint channels = (guint)map->shape[3];
  SwinAttentionParameters parameters = {.n_heads = builder->config->n_heads[stage]};
  parameters.scale = (gfloat)(1.0 / sqrt((gdouble)channels / parameters.n_heads));
  set_windows(builder->config, map->shape[1], map->shape[2], block, &parameters);
  parameters.table_window = table_window(table);

  gint qkv = swin_plan_add_linear(builder->plan, qkv_name, input, 3, weights, biases, FALSE,
                                  SWIN_PLAN_NO_TENSOR);
  gint attended = swin_plan_add_attention(builder->plan, name, qkv, &parameters, table, biases);
  return add_linear(builder, projection_name, attended, FALSE, residual);
}

/* [N, H, W, C] -> [N, H, W, C]: x += attention(norm1(x)); x += mlp(norm2(x)). */
static gint add_block(const Builder *builder, guint stage, guint block, gint input) {
  g_autofree gchar *norm1 = g_strdup_printf("stages.%u.blocks.%u.norm1", stage, block);
  g_autofree gchar *norm2 = g_strdup_printf("stages.%u.blocks.%u.norm2", stage, block);
  g_autofree gchar *fc1 = g_strdup_printf("stages.%u.blocks.%u.mlp.fc1", stage, block);
  g_autofree gchar *fc2 = g_strdup_printf("stages.%u.blocks.%u.mlp.fc2", stage, block);

  gint normed = add_layer_norm(builder, norm1, input);
  gint attended = add_attention(builder, stage, block, normed, input);
  normed = add_layer_norm(builder, norm2, attended);
  gint hidden = add_linear(builder, fc1, normed, TRUE, SWIN_PLAN_NO_TENSOR);
  return add_linear(builder, fc2, hidden, FALSE, attended);
}

/* [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), 2C] */
static gint add_merging(const Builder *builder, guint stage, gint input) {
  g_autofree gchar *name = g_strdup_printf("stages.%u.merging.norm", stage);
  g_autofree gchar *reduction = g_strdup_printf("stages.%u.merging.reduction", stage);

  gint merged = swin_plan_add_patch_merging(
      builder->plan, name, input, weight(builder, "%s.weight", name),
      weight(builder, "%s.bias", name), builder->config->layer_norm_epsilon);
  return add_linear(builder, reduction, merged, FALSE, SWIN_PLAN_NO_TENSOR);
}

/* [N, channels, H, W] -> [N, ceil(H/patch), ceil(W/patch), embed_dim] */
static gint add_embedding(const Builder *builder, guint batch) {
  const SwinModelConfig *config = builder->config;
  const guint64 shape[] = {batch, config->n_channels, config->image_height, config->image_width};
  gint input = swin_plan_add_input(builder->plan, "input", G_N_ELEMENTS(shape), shape);

  gint patches = swin_plan_add_patch_partition(builder->plan, "patch_embedding.partition", input,
                                               config->patch_size);
  gint tokens =
      add_linear(builder, "patch_embedding.projection", patches, FALSE, SWIN_PLAN_NO_TENSOR);
  return config->patch_norm ? add_layer_norm(builder, "patch_embedding.norm", tokens) : tokens;
}

/* [N, H, W, C] -> pooled, logits and tags */
static void add_head(const Builder *builder, gint input, guint top_k) {
  gint normed = add_layer_norm(builder, "norm", input);
  gint pooled = swin_plan_add_mean_pool(builder->plan, "pool", normed);
  gint logits = add_linear(builder, "head", pooled, FALSE, SWIN_PLAN_NO_TENSOR);

  swin_plan_mark_output(builder->plan, pooled, "pooled");
  swin_plan_mark_output(builder->plan, logits, "logits");
  if (top_k > 0) {
    guint k = MIN(MIN(top_k, SWIN_TOP_K_MAX), builder->config->n_classes);

    swin_plan_mark_output(builder->plan, swin_plan_add_top_k(builder->plan, "top_k", logits, k),
                          "tags");
  }
}

SwinPlan *swin_plan_new_swin(SwinModel *model, guint batch, guint top_k, gboolean keep_stages) {
  const SwinModelConfig *config = swin_model_get_config(model);
  const Builder builder = {swin_plan_new(model), model, config};

  gint tokens = add_embedding(&builder, batch);
  for (guint stage = 0; stage < config->n_stages; stage++) {
    for (guint block = 0; block < config->depths[stage]; block++)
      tokens = add_block(&builder, stage, block, tokens);
    if (stage + 1 < config->n_stages)
      tokens = add_merging(&builder, stage, tokens);
    if (keep_stages) {
      g_autofree gchar *name = g_strdup_printf("stages.%u", stage);

      swin_plan_mark_output(builder.plan, tokens, name);
    }
  }
  add_head(&builder, tokens, top_k);
  return builder.plan;
}
