// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/config.h"

#include <string.h>

#include "model/config-read.h"

/* ---- Sizes ----------------------------------------------------------------------------------- */

guint swin_model_config_channels(const SwinModelConfig *config, guint stage) {
  return config->embed_dim << stage;
}

/* As Python's int(): towards zero. */
guint swin_model_config_hidden(const SwinModelConfig *config, guint stage) {
  return config->mlp_width != 0
             ? config->mlp_width
             : (guint)(swin_model_config_channels(config, stage) * config->mlp_ratio);
}

/* Patches along one side of the image. */
static guint count_patches(const SwinModelConfig *config, guint side) {
  const guint whole = side / config->patch_size;
  const gboolean pads = config->edge_rules.partial_patches == SWIN_PARTIAL_PAD;
  return whole + (pads && side % config->patch_size != 0 ? 1 : 0);
}

/* Each merging halves the map and rounds up; so does the division by its power of two. */
void swin_model_config_map(const SwinModelConfig *config, guint stage, guint *height,
                           guint *width) {
  const guint round_up = (1u << stage) - 1;
  *height = (count_patches(config, config->image_height) + round_up) >> stage;
  *width = (count_patches(config, config->image_width) + round_up) >> stage;
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* transformers' Swinv2Layer takes its window from the configured size, halved and rounded down,
 * though the map that comes in was padded and rounded up. */
static guint get_floor_height(const SwinModelConfig *config, guint stage) {
  return (config->image_height / config->patch_size) >> stage;
}

static void clip_windows(const SwinModelConfig *config, guint stage, SwinWindows *windows) {
  const guint short_side = MIN(windows->map_height, windows->map_width);
  const guint floor_height = get_floor_height(config, stage);
  switch (config->edge_rules.window) {
  case SWIN_WINDOW_KEEP:
    break;
  case SWIN_WINDOW_CLIP_SQUARE:
    if (short_side <= MIN(windows->window_height, windows->window_width)) {
      windows->window_height = windows->window_width = short_side;
    }
    break;
  case SWIN_WINDOW_CLIP_AXES:
    windows->window_height = MIN(windows->window_height, windows->map_height);
    windows->window_width = MIN(windows->window_width, windows->map_width);
    break;
  case SWIN_WINDOW_CLIP_HEIGHT:
    if (floor_height <= windows->window_height) {
      windows->window_height = windows->window_width = MAX(1, floor_height);
    }
    break;
  }
}

/* Whether the map fits into the nominal window, on each axis, as far as the shift is concerned. */
static void find_fits(const SwinModelConfig *config, guint stage, const SwinWindows *windows,
                      gboolean *fits_y, gboolean *fits_x) {
  *fits_y = windows->map_height <= config->window_height[stage];
  *fits_x = windows->map_width <= config->window_width[stage];
  if (config->edge_rules.window == SWIN_WINDOW_CLIP_SQUARE) {
    *fits_y = *fits_x = *fits_y || *fits_x;
  } else if (config->edge_rules.window == SWIN_WINDOW_CLIP_HEIGHT) {
    *fits_y = *fits_x = get_floor_height(config, stage) <= config->window_height[stage];
  }
}

void swin_model_config_windows(const SwinModelConfig *config, guint stage, guint block,
                               SwinWindows *windows) {
  const guint height = config->window_height[stage], width = config->window_width[stage];
  memset(windows, 0, sizeof *windows);
  swin_model_config_map(config, stage, &windows->map_height, &windows->map_width);
  windows->window_height = height;
  windows->window_width = width;
  clip_windows(config, stage, windows);

  gboolean fits_y, fits_x;
  find_fits(config, stage, windows, &fits_y, &fits_x);
  /* Every second block shifts by half of the window as it was before clipping. */
  if (block % 2 == 1) {
    windows->shift_y = fits_y ? 0 : height / 2;
    windows->shift_x = fits_x ? 0 : width / 2;
  }
  const gboolean clipped =
      config->family == SWIN_FAMILY_SWIN_V2 || config->edge_rules.table_of_clipped_window;
  windows->table_height = clipped ? windows->window_height : height;
  windows->table_width = clipped ? windows->window_width : width;
}

/* Sources, of V1 and V2 each: transformers' modeling_swin.py (set_shift_and_window_size, maybe_pad)
 * and modeling_swinv2.py (_compute_window_shift); timm's swin_transformer.py and
 * swin_transformer_v2.py (_calc_window_shift, _attn) and patch_embed.py, whose convolution leaves
 * out what is not a whole patch; torchvision's swin_transformer.py (shifted_window_attention);
 * Microsoft's swin_transformer.py and swin_transformer_v2.py (SwinTransformerBlock, PatchMerging,
 * PatchEmbed). The patch embeddings of every ViT are plain convolutions. */
SwinEdgeRules swin_edge_rules(SwinFamily family, SwinDialect dialect) {
  SwinEdgeRules rules = {
      .window = SWIN_WINDOW_CLIP_SQUARE,
      .table_of_clipped_window = FALSE,
      .mask = 100,
      .roll_before_padding = FALSE,
      .partial_windows = SWIN_PARTIAL_PAD,
      .partial_patches = SWIN_PARTIAL_CUT,
  };
  switch (dialect) {
  case SWIN_DIALECT_HUGGING_FACE:
    if (family == SWIN_FAMILY_SWIN_V2) {
      rules.window = SWIN_WINDOW_CLIP_HEIGHT;
      rules.mask = 200;
    }
    if (family != SWIN_FAMILY_VIT) {
      rules.partial_patches = SWIN_PARTIAL_PAD;
    }
    break;
  case SWIN_DIALECT_TIMM:
    rules.window = SWIN_WINDOW_CLIP_AXES;
    rules.table_of_clipped_window = TRUE;
    rules.roll_before_padding = TRUE;
    break;
  case SWIN_DIALECT_TORCHVISION:
    rules.window = SWIN_WINDOW_KEEP;
    break;
  case SWIN_DIALECT_MICROSOFT:
    rules.table_of_clipped_window = TRUE;
    rules.partial_windows = SWIN_PARTIAL_REFUSE;
    break;
  }
  return rules;
}

/* ---- Known configurations -------------------------------------------------------------------- */

/* num_labels is PretrainedConfig's. The norms of patches and merging do not follow
 * "layer_norm_eps" in transformers: they have the default of torch's LayerNorm. */
static void set_swin_defaults(SwinModelConfig *config) {
  static const guint depths[] = {2, 2, 6, 2}, n_heads[] = {3, 6, 12, 24};
  config->patch_size = 4;
  config->embed_dim = 96;
  config->n_stages = G_N_ELEMENTS(depths);
  memcpy(config->depths, depths, sizeof depths);
  memcpy(config->n_heads, n_heads, sizeof n_heads);
  config->mlp_ratio = 4.0;
  config->layer_norm_epsilon = 1e-5;
  for (guint stage = 0; stage < SWIN_MAX_STAGES; stage++) {
    config->window_height[stage] = config->window_width[stage] = 7;
  }
  config->patch_norm = TRUE;
  config->pool = SWIN_POOL_MEAN;
}

static void set_vit_defaults(SwinModelConfig *config) {
  config->patch_size = 16;
  config->embed_dim = 768;
  config->n_stages = 1;
  config->depths[0] = 12;
  config->n_heads[0] = 12;
  config->mlp_width = 3072;
  config->mlp_ratio = 4.0;
  config->layer_norm_epsilon = 1e-12;
  config->position_embedding = TRUE;
  config->n_prefix_tokens = 1;
  config->prefix_positions = TRUE;
  config->pool = SWIN_POOL_TOKEN;
}

void swin_model_config_default(SwinFamily family, SwinModelConfig *config) {
  memset(config, 0, sizeof *config);
  config->family = family;
  config->dialect = SWIN_DIALECT_HUGGING_FACE;
  config->edge_rules = swin_edge_rules(family, config->dialect);
  config->image_height = config->image_width = 224;
  config->n_channels = 3;
  config->qkv_bias = TRUE;
  config->merging_norm_epsilon = 1e-5;
  config->n_classes = 2;
  config->activation = SWIN_ACTIVATION_SOFTMAX;
  config->norm_before_pool = TRUE;
  if (family == SWIN_FAMILY_VIT) {
    set_vit_defaults(config);
  } else {
    set_swin_defaults(config);
  }
}

gboolean swin_model_config_published(const gchar *name, SwinModelConfig *config) {
  static const struct {
    const gchar *name;
    SwinFamily family;
    guint embed_dim;
    guint depth; /* Swin: of the third stage; the others have two blocks */
    guint heads; /* of the first stage; they double from stage to stage */
  } published[] = {
      {"swin_t", SWIN_FAMILY_SWIN, 96, 6, 3},
      {"swin_s", SWIN_FAMILY_SWIN, 96, 18, 3},
      {"swin_b", SWIN_FAMILY_SWIN, 128, 18, 4},
      {"swin_l", SWIN_FAMILY_SWIN, 192, 18, 6},
      {"swin_v2_t", SWIN_FAMILY_SWIN_V2, 96, 6, 3},
      {"swin_v2_s", SWIN_FAMILY_SWIN_V2, 96, 18, 3},
      {"swin_v2_b", SWIN_FAMILY_SWIN_V2, 128, 18, 4},
      {"swin_v2_l", SWIN_FAMILY_SWIN_V2, 192, 18, 6},
      {"vit_tiny", SWIN_FAMILY_VIT, 192, 12, 3},
      {"vit_small", SWIN_FAMILY_VIT, 384, 12, 6},
      {"vit_base", SWIN_FAMILY_VIT, 768, 12, 12},
  };
  for (guint i = 0; i < G_N_ELEMENTS(published); i++) {
    if (strcmp(name, published[i].name) != 0) {
      continue;
    }
    const SwinFamily family = published[i].family;
    swin_model_config_default(family, config);
    config->embed_dim = published[i].embed_dim;
    config->depths[family == SWIN_FAMILY_VIT ? 0 : 2] = published[i].depth;
    for (guint stage = 0; stage < config->n_stages; stage++) {
      config->n_heads[stage] = published[i].heads << stage;
      if (family == SWIN_FAMILY_SWIN_V2) {
        config->window_height[stage] = config->window_width[stage] = 8;
      }
    }
    if (family == SWIN_FAMILY_SWIN_V2) {
      config->image_height = config->image_width = 256;
    } else if (family == SWIN_FAMILY_VIT) {
      config->mlp_width = 4 * config->embed_dim;
    }
    config->n_classes = 1000;
    return TRUE;
  }
  return FALSE;
}
