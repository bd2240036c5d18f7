// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * config.h: what a network looks like, apart from its weights.
 */
#ifndef SWIN_MODEL_CONFIG_H
#define SWIN_MODEL_CONFIG_H

#include <glib.h>

#include "swin.h"

#define SWIN_MAX_STAGES 8

/** SwinFamily: the architecture. */
typedef enum {
  SWIN_FAMILY_SWIN,    /* Swin Transformer (arXiv:2103.14030) */
  SWIN_FAMILY_SWIN_V2, /* Swin Transformer V2 (arXiv:2111.09883) */
  SWIN_FAMILY_VIT,     /* Vision Transformer (arXiv:2010.11929) and DeiT (arXiv:2012.12877): one
                          stage, whose blocks attend to all tokens */
} SwinFamily;

/** SwinDialect: whose names and habits a file follows. */
typedef enum {
  SWIN_DIALECT_HUGGING_FACE,
  SWIN_DIALECT_TIMM,
  SWIN_DIALECT_TORCHVISION,
  SWIN_DIALECT_MICROSOFT, /* also timm before 0.9 */
} SwinDialect;

/** SwinWindowRule: what becomes of window and shift where a map is no larger than the window. */
typedef enum {
  SWIN_WINDOW_KEEP,        /* the map is padded to the window; the shift is dropped on each axis by
                              itself (torchvision) */
  SWIN_WINDOW_CLIP_SQUARE, /* as soon as one axis fits, the window shrinks to the map's short side
                              and both shifts are dropped (Microsoft, Hugging Face V1) */
  SWIN_WINDOW_CLIP_AXES,   /* window and shift on each axis by itself (timm) */
  SWIN_WINDOW_CLIP_HEIGHT, /* the height decides about both axes: that of the map as it would be if
                              what is not a whole patch, or not a pair of tokens in merging, were
                              left out (Hugging Face V2, whose maps are padded all the same) */
} SwinWindowRule;

/** SwinPartialRule: what becomes of what is not a whole patch or window. */
typedef enum {
  SWIN_PARTIAL_PAD,    /* filled up with zeros at the right and bottom */
  SWIN_PARTIAL_CUT,    /* left out */
  SWIN_PARTIAL_REFUSE, /* the publisher's code does not run */
} SwinPartialRule;

/** SwinEdgeRules: what the sources do differently where maps, windows and shifts do not fit. They
 * agree elsewhere. */
typedef struct {
  SwinWindowRule window;
  gboolean table_of_clipped_window; /* a V1 bias table belongs to the window after clipping
                                       (Microsoft, timm), not before (Hugging Face) */
  guint mask; /* what the score between regions that a roll brought together loses: 100; the mask
                 is added twice in transformers' V2 code */
  gboolean roll_before_padding;    /* timm rolls the map, then pads it; the others pad first */
  SwinPartialRule partial_windows; /* PAD or REFUSE; with REFUSE, odd maps are not merged either */
  SwinPartialRule partial_patches; /* PAD or CUT */
} SwinEdgeRules;

/** SwinPool: what the head sees of the last map. */
typedef enum {
  SWIN_POOL_MEAN,  /* the mean of all tokens but the prefix */
  SWIN_POOL_TOKEN, /* the first prefix token; with distillation_head, each of the first two has a
                      head of its own, and the logits are the mean of both; without classes, the
                      features are the mean of the two tokens */
} SwinPool;

/** SwinModelConfig: the network. swin_model_config_check() holds all sizes to their ranges, whose
 * upper ends are in config-read.h. */
typedef struct {
  SwinFamily family;
  SwinDialect dialect;
  SwinEdgeRules edge_rules;
  guint image_height; /* pixels, at least patch_size */
  guint image_width;
  guint n_channels;               /* colour channels of the input; 3 for frames */
  guint patch_size;               /* pixels a side, at least 1 */
  guint embed_dim;                /* channels of the first stage */
  guint n_stages;                 /* 1 to SWIN_MAX_STAGES; ViT: 1 */
  guint depths[SWIN_MAX_STAGES];  /* blocks in each stage, at least 1 */
  guint n_heads[SWIN_MAX_STAGES]; /* attention heads; divide the stage's channels */
  gdouble mlp_ratio;              /* hidden width over channels */
  guint mlp_width;                /* hidden width itself, the same in all stages; 0: by mlp_ratio */
  gboolean tanh_gelu;             /* the MLPs have the tanh form of GELU; else the exact one */
  gboolean qkv_bias;              /* query and value have a bias, in V1 and ViT the key too */
  gdouble layer_norm_epsilon;     /* of the blocks and of the last norm */
  gdouble merging_norm_epsilon;   /* of patch norm and patch merging */
  guint n_classes;                /* 0: no head, features only */
  SwinActivation activation;      /* softmax or sigmoid */

  /* Swin. */
  guint window_height[SWIN_MAX_STAGES]; /* tokens, at least 1; before any clipping */
  guint window_width[SWIN_MAX_STAGES];
  guint pretrained_window[SWIN_MAX_STAGES]; /* V2: tokens a side, 0: the window itself */
  gboolean patch_norm;                      /* LayerNorm after the patch embedding */
  gboolean position_embedding;              /* an embedding of each position is added at the start;
                                               ViT always has one */

  /* ViT. */
  guint n_prefix_tokens;       /* class token, distillation token, registers, in this order */
  gboolean distillation_token; /* the second prefix token is one */
  gboolean distillation_head;  /* with distillation_token: it has a head of its own, or without
                                  classes features are the mean of both (timm); else only the first
                                  token counts (transformers' DeiTForImageClassification) */
  gboolean prefix_positions;   /* the position embedding has rows for the prefix tokens too */
  SwinPool pool;               /* Swin: SWIN_POOL_MEAN */
  gboolean layer_scale;        /* blocks scale what attention and MLP add (arXiv:2103.17239); FALSE
                                  again when a model has folded the factors into its weights */
  gboolean norm_before_pool;   /* the last norm comes before pooling; else after (timm's fc_norm) */
} SwinModelConfig;

/** SwinWindows: how the map of a Swin block is cut, in tokens. */
typedef struct {
  guint map_height, map_width;       /* of the stage */
  guint window_height, window_width; /* at least 1 */
  guint shift_y, shift_x;            /* 0 where the block does not shift */
  guint table_height, table_width;   /* the window that the stage's V1 bias tables cover; at least
                                        the window; V2: the window itself */
} SwinWindows;

/** swin_model_config_windows: of block @block of stage @stage, by the edge rules. */
void swin_model_config_windows(const SwinModelConfig *config, guint stage, guint block,
                               SwinWindows *windows);

/** swin_model_config_map: the map of stage @stage in tokens. */
void swin_model_config_map(const SwinModelConfig *config, guint stage, guint *height, guint *width);

/** swin_model_config_channels: channels of stage @stage: embed_dim * 2^stage. */
guint swin_model_config_channels(const SwinModelConfig *config, guint stage);

/** swin_model_config_hidden: width of the MLP in stage @stage. */
guint swin_model_config_hidden(const SwinModelConfig *config, guint stage);

/**
 * swin_model_config_default: the defaults of transformers' SwinConfig, Swinv2Config or ViTConfig,
 * with the rules of Hugging Face.
 */
void swin_model_config_default(SwinFamily family, SwinModelConfig *config);

/** swin_edge_rules: what the sources of that dialect do. */
SwinEdgeRules swin_edge_rules(SwinFamily family, SwinDialect dialect);

/**
 * swin_model_config_check: whether the parts fit together: ranges, heads, windows, and sizes that
 * the edge rules refuse. FALSE with SWIN_ERROR_CONFIG and a sentence that starts with the name of
 * the field as config.json has it.
 */
gboolean swin_model_config_check(const SwinModelConfig *config, GError **error);

/**
 * swin_model_config_published: the configuration that goes by @name ("swin_t", "swin_s", "swin_b",
 * "swin_l": 224 px, window 7; "swin_v2_t" and so on: 256 px, window 8; "vit_tiny", "vit_small",
 * "vit_base": 224 px, patch 16; 1000 classes). FALSE when there is none of that name.
 */
gboolean swin_model_config_published(const gchar *name, SwinModelConfig *config);

#endif /* SWIN_MODEL_CONFIG_H */
