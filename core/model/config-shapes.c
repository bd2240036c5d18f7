// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/config-shapes.h"

#include <math.h>

#include "model/config-read.h"
#include "model/quote.h"

gboolean swin_config_has(const SwinDialectMatch *match, SwinTensorRole role) {
  SwinTensor tensor;
  g_autofree gchar *name = swin_dialect_find(match, role, 0, 0, &tensor);
  return name != NULL;
}

guint swin_config_square_root(guint64 number) {
  if (number > (guint64)G_MAXUINT32) {
    return 0;
  }
  const guint root = (guint)lround(sqrt((gdouble)number));
  return (guint64)root * root == number ? root : 0;
}

static gboolean refuse(const gchar *name, const SwinTensor *tensor, const gchar *wanted,
                       GError **error) {
  g_autofree gchar *shown = swin_quote(name);
  g_autofree gchar *shape = swin_shape_to_string(tensor->shape, tensor->n_dims);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "the tensor %s has the shape %s, and it must be %s.", shown, shape, wanted);
  return FALSE;
}

/* One dimension of a tensor of @n_dims dimensions, checked to be from 1 to @max. 0 as @n_dims: any
 * number of them. @value stays as it is where the file has no such tensor. */
static gboolean read_dimension(const SwinDialectMatch *match, SwinTensorRole role, guint stage,
                               guint n_dims, guint dimension, guint max, guint *value,
                               GError **error) {
  SwinTensor tensor;
  g_autofree gchar *name = swin_dialect_find(match, role, stage, 0, &tensor);
  if (name == NULL) {
    return TRUE;
  }
  const gboolean ranked = n_dims == 0 ? tensor.n_dims > dimension : tensor.n_dims == n_dims;
  if (ranked && tensor.shape[dimension] >= 1 && tensor.shape[dimension] <= max) {
    *value = (guint)tensor.shape[dimension];
    return TRUE;
  }
  g_autofree gchar *wanted = n_dims == 0
                                 ? g_strdup_printf("from 1 to %u in dimension %u", max, dimension)
                                 : g_strdup_printf("of %u dimensions, with 1 to %u in dimension %u",
                                                   n_dims, max, dimension);
  return refuse(name, &tensor, wanted, error);
}

static gboolean read_patches(const SwinDialectMatch *match, SwinModelConfig *config,
                             GError **error) {
  SwinTensor tensor;
  g_autofree gchar *name = swin_dialect_find(match, SWIN_ROLE_PATCH_WEIGHT, 0, 0, &tensor);
  if (name != NULL && tensor.n_dims == 4 && tensor.shape[2] != tensor.shape[3]) {
    return refuse(name, &tensor, "of square patches", error);
  }
  return read_dimension(match, SWIN_ROLE_PATCH_WEIGHT, 0, 4, 0, SWIN_CONFIG_MAX_EMBED_DIM,
                        &config->embed_dim, error) &&
         read_dimension(match, SWIN_ROLE_PATCH_WEIGHT, 0, 4, 1, SWIN_CONFIG_MAX_CHANNELS,
                        &config->n_channels, error) &&
         read_dimension(match, SWIN_ROLE_PATCH_WEIGHT, 0, 4, 2, SWIN_CONFIG_MAX_PATCH,
                        &config->patch_size, error);
}

static guint count_blocks(const SwinDialectMatch *match, guint stage) {
  guint n_blocks = 0;
  SwinTensor tensor;
  gchar *name;
  while (n_blocks <= SWIN_CONFIG_MAX_DEPTH &&
         (name = swin_dialect_find(match, SWIN_ROLE_QUERY_WEIGHT, stage, n_blocks, &tensor)) !=
             NULL) {
    g_free(name);
    n_blocks++;
  }
  return n_blocks;
}

static gboolean read_depths(const SwinDialectMatch *match, SwinModelConfig *config,
                            GError **error) {
  const guint max_stages = config->family == SWIN_FAMILY_VIT ? 1 : SWIN_MAX_STAGES;
  config->n_stages = 0;
  while (config->n_stages < max_stages) {
    const guint n_blocks = count_blocks(match, config->n_stages);
    if (n_blocks == 0) {
      break;
    }
    config->depths[config->n_stages++] = n_blocks;
  }
  if (config->n_stages == 0) {
    g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(match->file));
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "the file %s has no tensor of the first block's attention.", path);
    return FALSE;
  }
  return TRUE;
}

/* V1 tables are [positions, heads], V2 scales [heads, 1, 1]. */
static gboolean read_heads(const SwinDialectMatch *match, SwinModelConfig *config, GError **error) {
  const gboolean v1 = config->family == SWIN_FAMILY_SWIN;
  const SwinTensorRole role = v1 ? SWIN_ROLE_BIAS_TABLE : SWIN_ROLE_LOGIT_SCALE;
  for (guint stage = 0; stage < config->n_stages; stage++) {
    config->n_heads[stage] = 0;
    if (!read_dimension(match, role, stage, v1 ? 2 : 0, v1 ? 1 : 0, SWIN_CONFIG_MAX_HEADS,
                        &config->n_heads[stage], error)) {
      return FALSE;
    }
    if (config->n_heads[stage] == 0) {
      g_set_error(
          error, SWIN_ERROR, SWIN_ERROR_CONFIG,
          "the tensors do not tell the heads of stage %u: there is no %s for its first block.",
          stage, v1 ? "relative_position_bias_table" : "logit_scale");
      return FALSE;
    }
  }
  return TRUE;
}

/* The ratio that gives the width of the last stage, and with it those of the others: rounding down
 * and halving may be swapped. The half only makes up for what a quotient loses in rounding. */
static gdouble find_ratio(guint width, guint channels) {
  const gdouble ratio = (gdouble)width / channels;
  return (guint)(channels * ratio) == width ? ratio : (width + 0.5) / channels;
}

static gboolean read_mlp(const SwinDialectMatch *match, SwinModelConfig *config, GError **error) {
  const guint last = config->n_stages - 1;
  const guint channels = swin_model_config_channels(config, last);
  const guint max = channels * (guint)SWIN_CONFIG_MAX_MLP_RATIO;
  guint width = swin_model_config_hidden(config, last);
  if (!read_dimension(match, SWIN_ROLE_FC1_WEIGHT, last, 2, 0, max, &width, error)) {
    return FALSE;
  }
  if (config->family == SWIN_FAMILY_VIT) {
    config->mlp_width = width;
  }
  config->mlp_ratio = find_ratio(width, channels);
  return TRUE;
}

gboolean swin_config_position_rows(const SwinDialectMatch *match, guint embed_dim, guint64 *n_rows,
                                   GError **error) {
  SwinTensor tensor;
  g_autofree gchar *name = swin_dialect_find(match, SWIN_ROLE_POSITION_EMBEDDING, 0, 0, &tensor);
  *n_rows = 0;
  if (name == NULL) {
    return TRUE;
  }
  if (tensor.n_dims == 0 || tensor.shape[tensor.n_dims - 1] != embed_dim ||
      tensor.n_elements / embed_dim == 0) {
    g_autofree gchar *wanted = g_strdup_printf("of rows of %u channels", embed_dim);
    return refuse(name, &tensor, wanted, error);
  }
  *n_rows = tensor.n_elements / embed_dim;
  return TRUE;
}

/* 0 where the stage has no table. */
static gboolean read_table_window(const SwinDialectMatch *match, guint stage, guint *window,
                                  GError **error) {
  SwinTensor tensor;
  g_autofree gchar *name = swin_dialect_find(match, SWIN_ROLE_BIAS_TABLE, stage, 0, &tensor);
  *window = 0;
  if (name == NULL) {
    return TRUE;
  }
  const guint side = tensor.n_dims == 2 ? swin_config_square_root(tensor.shape[0]) : 0;
  if (side % 2 == 0 || (side + 1) / 2 > SWIN_CONFIG_MAX_WINDOW) {
    return refuse(
        name, &tensor,
        "of the (2M-1)^2 rows of a square window of M x M tokens where no config tells another",
        error);
  }
  *window = (side + 1) / 2;
  return TRUE;
}

gboolean swin_config_read_table_windows(const SwinDialectMatch *match, SwinModelConfig *config,
                                        GError **error) {
  for (guint stage = 0; stage < config->n_stages; stage++) {
    guint window;
    if (!read_table_window(match, stage, &window, error)) {
      return FALSE;
    }
    config->window_height[stage] = config->window_width[stage] = window;
  }
  return TRUE;
}

/* Register tokens are one tensor, [1, registers, channels]. */
static gboolean count_prefix(const SwinDialectMatch *match, SwinModelConfig *config,
                             GError **error) {
  guint n_registers = 0;
  config->distillation_token = swin_config_has(match, SWIN_ROLE_DISTILLATION_TOKEN);
  if (!read_dimension(match, SWIN_ROLE_REGISTER_TOKENS, 0, 3, 1, SWIN_CONFIG_MAX_PREFIX_TOKENS,
                      &n_registers, error)) {
    return FALSE;
  }
  config->n_prefix_tokens = (swin_config_has(match, SWIN_ROLE_CLASS_TOKEN) ? 1 : 0) +
                            (config->distillation_token ? 1 : 0) + n_registers;
  return TRUE;
}

/* Whether prefix tokens have positions: where the image is another than the one that the embedding
 * was made for, only its being square tells (timm's no_embed_class). */
static gboolean has_prefix_positions(const SwinModelConfig *config, guint64 n_rows) {
  guint height, width;
  swin_model_config_map(config, 0, &height, &width);
  const guint64 n_tokens = (guint64)height * width;
  if (n_rows == n_tokens || n_rows == n_tokens + config->n_prefix_tokens) {
    return n_rows != n_tokens;
  }
  return n_rows <= config->n_prefix_tokens || swin_config_square_root(n_rows) == 0 ||
         swin_config_square_root(n_rows - config->n_prefix_tokens) != 0;
}

gboolean swin_config_read_tokens(const SwinDialectMatch *match, SwinModelConfig *config,
                                 GError **error) {
  guint64 n_rows;
  if (!count_prefix(match, config, error) ||
      !swin_config_position_rows(match, config->embed_dim, &n_rows, error)) {
    return FALSE;
  }
  config->prefix_positions = has_prefix_positions(config, n_rows);
  /* timm's forward_head averages both tokens where there are no heads. */
  config->distillation_head = config->distillation_token &&
                              (swin_config_has(match, SWIN_ROLE_DISTILLATION_HEAD_WEIGHT) ||
                               (config->n_classes == 0 && config->dialect == SWIN_DIALECT_TIMM));

  config->layer_scale = swin_config_has(match, SWIN_ROLE_LAYER_SCALE1);

  SwinTensor norm;
  g_autofree gchar *name = swin_dialect_find(match, SWIN_ROLE_NORM_WEIGHT, 0, 0, &norm);
  /* timm has fc_norm where the norm comes after pooling, which by default is that of the mean. */
  config->norm_before_pool = name == NULL || !g_str_has_suffix(name, "fc_norm.weight");
  config->pool = config->norm_before_pool && swin_config_has(match, SWIN_ROLE_CLASS_TOKEN)
                     ? SWIN_POOL_TOKEN
                     : SWIN_POOL_MEAN;
  return TRUE;
}

void swin_config_set_source(const SwinDialectMatch *match, SwinModelConfig *config) {
  config->dialect = match->dialect;
  config->edge_rules = swin_edge_rules(match->family, match->dialect);
  if (match->family == SWIN_FAMILY_VIT && match->dialect != SWIN_DIALECT_HUGGING_FACE) {
    config->layer_norm_epsilon = 1e-6; /* of timm's LayerNorm, and of DeiT and MAE */
  }
}

gboolean swin_config_read_shapes(const SwinDialectMatch *match, SwinModelConfig *config,
                                 GError **error) {
  swin_model_config_default(match->family, config);
  swin_config_set_source(match, config);
  if (!read_patches(match, config, error) || !read_depths(match, config, error) ||
      !read_mlp(match, config, error)) {
    return FALSE;
  }
  config->qkv_bias = swin_config_has(match, SWIN_ROLE_QUERY_BIAS);
  config->n_classes = 0;
  if (!read_dimension(match, SWIN_ROLE_HEAD_WEIGHT, 0, 2, 0, SWIN_CONFIG_MAX_CLASSES,
                      &config->n_classes, error)) {
    return FALSE;
  }
  if (match->family == SWIN_FAMILY_VIT) {
    return swin_config_read_tokens(match, config, error);
  }
  config->patch_norm = swin_config_has(match, SWIN_ROLE_PATCH_NORM_WEIGHT);
  config->position_embedding = swin_config_has(match, SWIN_ROLE_POSITION_EMBEDDING);
  return read_heads(match, config, error);
}
