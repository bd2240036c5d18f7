// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/config.h"

#include <math.h>

#include "model/config-read.h"

/* The names of fields differ between transformers' SwinConfig and ViTConfig. */
typedef struct {
  const gchar *embed_dim;
  const gchar *depths;
  const gchar *n_heads;
  const gchar *mlp;
} Fields;

static const Fields swin_fields = {"embed_dim", "depths", "num_heads", "mlp_ratio"};
static const Fields vit_fields = {"hidden_size", "num_hidden_layers", "num_attention_heads",
                                  "intermediate_size"};

static const Fields *get_fields(const SwinModelConfig *config) {
  return config->family == SWIN_FAMILY_VIT ? &vit_fields : &swin_fields;
}

static gboolean check_range(const gchar *field, guint value, guint min, guint max, GError **error) {
  if (value >= min && value <= max) {
    return TRUE;
  }
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "\"%s\" is %u, and it must be from %u to %u.",
              field, value, min, max);
  return FALSE;
}

static gboolean check_epsilon(gdouble epsilon, GError **error) {
  if (isfinite(epsilon) && epsilon > 0 && epsilon <= 1) {
    return TRUE;
  }
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "\"layer_norm_eps\" is %g, and it must be more than 0 and at most 1.", epsilon);
  return FALSE;
}

static gboolean check_image(const SwinModelConfig *config, GError **error) {
  const guint short_side = MIN(config->image_height, config->image_width);
  if (!check_range("image_size", config->image_height, 1, SWIN_CONFIG_MAX_IMAGE, error) ||
      !check_range("image_size", config->image_width, 1, SWIN_CONFIG_MAX_IMAGE, error) ||
      !check_range("num_channels", config->n_channels, 1, SWIN_CONFIG_MAX_CHANNELS, error) ||
      !check_range("patch_size", config->patch_size, 1, SWIN_CONFIG_MAX_PATCH, error)) {
    return FALSE;
  }
  if (config->patch_size > short_side) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"patch_size\" is %u, which is more than the %u x %u pixels of \"image_size\".",
                config->patch_size, config->image_width, config->image_height);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_stages(const SwinModelConfig *config, GError **error) {
  const Fields *fields = get_fields(config);
  const guint max_stages = config->family == SWIN_FAMILY_VIT ? 1 : SWIN_MAX_STAGES;
  if (!check_range(fields->embed_dim, config->embed_dim, 1, SWIN_CONFIG_MAX_EMBED_DIM, error)) {
    return FALSE;
  }
  if (config->n_stages < 1 || config->n_stages > max_stages) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"%s\" is of length %u, and there must be from 1 to %u stages.", fields->depths,
                config->n_stages, max_stages);
    return FALSE;
  }
  for (guint stage = 0; stage < config->n_stages; stage++) {
    const guint channels = swin_model_config_channels(config, stage);
    const guint heads = config->n_heads[stage];
    if (!check_range(fields->depths, config->depths[stage], 1, SWIN_CONFIG_MAX_DEPTH, error) ||
        !check_range(fields->n_heads, heads, 1, SWIN_CONFIG_MAX_HEADS, error)) {
      return FALSE;
    }
    if (channels % heads != 0) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"%s\" has %u heads for stage %u, which do not divide its %u channels.",
                  fields->n_heads, heads, stage, channels);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean check_mlp(const SwinModelConfig *config, GError **error) {
  const Fields *fields = get_fields(config);
  if (config->mlp_width != 0) {
    return check_range(fields->mlp, config->mlp_width, 1,
                       SWIN_CONFIG_MAX_EMBED_DIM * (guint)SWIN_CONFIG_MAX_MLP_RATIO, error);
  }
  if (!(config->mlp_ratio > 0 && config->mlp_ratio <= SWIN_CONFIG_MAX_MLP_RATIO)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"%s\" is %g, and it must be more than 0 and at most %g.", fields->mlp,
                config->mlp_ratio, SWIN_CONFIG_MAX_MLP_RATIO);
    return FALSE;
  }
  if (swin_model_config_hidden(config, 0) == 0) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"%s\" is %g, which leaves nothing of %u channels.", fields->mlp,
                config->mlp_ratio, config->embed_dim);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_window(const SwinModelConfig *config, guint stage, GError **error) {
  const guint height = config->window_height[stage], width = config->window_width[stage];
  const gboolean square = config->edge_rules.window == SWIN_WINDOW_CLIP_SQUARE ||
                          config->edge_rules.window == SWIN_WINDOW_CLIP_HEIGHT;
  if (!check_range("window_size", height, 1, SWIN_CONFIG_MAX_WINDOW, error) ||
      !check_range("window_size", width, 1, SWIN_CONFIG_MAX_WINDOW, error) ||
      !check_range("pretrained_window_sizes", config->pretrained_window[stage], 0,
                   SWIN_CONFIG_MAX_WINDOW, error)) {
    return FALSE;
  }
  if (square && height != width) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "\"window_size\" is %u x %u in stage %u, and the windows of this publisher's networks "
        "are square.",
        width, height, stage);
    return FALSE;
  }
  return TRUE;
}

/* What the publisher's own code would stop at. */
static gboolean check_fit(const SwinModelConfig *config, guint stage, GError **error) {
  SwinWindows windows;
  swin_model_config_windows(config, stage, 0, &windows);
  if (config->edge_rules.window == SWIN_WINDOW_CLIP_HEIGHT &&
      (config->image_height / config->patch_size) >> stage == 0) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"image_size\" is %u x %u, which leaves nothing of the height for stage %u in "
                "transformers: it must be at least %u pixels high.",
                config->image_width, config->image_height, stage, config->patch_size << stage);
    return FALSE;
  }
  if (config->edge_rules.partial_windows != SWIN_PARTIAL_REFUSE) {
    return TRUE;
  }
  if (windows.map_height % windows.window_height != 0 ||
      windows.map_width % windows.window_width != 0) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "\"image_size\" is %u x %u, which makes a map of %u x %u tokens in stage %u: for this "
        "publisher's networks it must be a whole number of windows of %u x %u.",
        config->image_width, config->image_height, windows.map_width, windows.map_height, stage,
        windows.window_width, windows.window_height);
    return FALSE;
  }
  if (stage + 1 < config->n_stages && (windows.map_height % 2 != 0 || windows.map_width % 2 != 0)) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "\"image_size\" is %u x %u, which makes a map of %u x %u tokens in stage %u: for this "
        "publisher's networks both must be even to be merged.",
        config->image_width, config->image_height, windows.map_width, windows.map_height, stage);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_swin(const SwinModelConfig *config, GError **error) {
  for (guint stage = 0; stage < config->n_stages; stage++) {
    if (!check_window(config, stage, error) || !check_fit(config, stage, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* Tokens that pooling needs beside those of patches. */
static guint count_pooled_tokens(const SwinModelConfig *config) {
  return config->pool == SWIN_POOL_MEAN ? 0 : config->distillation_token ? 2 : 1;
}

static gboolean check_vit(const SwinModelConfig *config, GError **error) {
  const guint needed = count_pooled_tokens(config);
  if (config->n_prefix_tokens < needed) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "\"global_pool\" is \"token\", and the network has %u tokens beside those of patches "
        "where it needs %u.",
        config->n_prefix_tokens, needed);
    return FALSE;
  }
  if (config->distillation_head && needed < 2) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                        "\"global_pool\" is not \"token\", and the network has a head for its "
                        "distillation token.");
    return FALSE;
  }
  return check_range("reg_tokens", config->n_prefix_tokens, 0, SWIN_CONFIG_MAX_PREFIX_TOKENS,
                     error);
}

gboolean swin_model_config_check(const SwinModelConfig *config, GError **error) {
  return check_image(config, error) && check_stages(config, error) && check_mlp(config, error) &&
         check_epsilon(config->layer_norm_epsilon, error) &&
         check_epsilon(config->merging_norm_epsilon, error) &&
         check_range("num_labels", config->n_classes, 0, SWIN_CONFIG_MAX_CLASSES, error) &&
         (config->family == SWIN_FAMILY_VIT ? check_vit(config, error) : check_swin(config, error));
}
