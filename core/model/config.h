// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * config.h: what a Swin network looks like, apart from its weights.
 */
#ifndef SWIN_MODEL_CONFIG_H
#define SWIN_MODEL_CONFIG_H

#include <gio/gio.h>

#define SWIN_MAX_STAGES 8

/**
 * SwinEdgeRules: what the families do differently where maps, windows and shifts do not fit. The
 * sources agree elsewhere.
 */
typedef struct {
  gboolean clip_window;    /* a window no smaller than the map shrinks to it (Hugging Face);
                              otherwise the map is padded to the window (torchvision) */
  gboolean shift_per_axis; /* the shift is dropped on each axis by itself (torchvision), not on both
                              as soon as one fits into the window (Hugging Face) */
} SwinEdgeRules;

/** SwinModelConfig: the network. All sizes are checked to be in range when a config is made. */
typedef struct {
  guint image_height; /* pixels, at least patch_size */
  guint image_width;
  guint n_channels;               /* colour channels of the input; 3 for frames */
  guint patch_size;               /* pixels a side, at least 1 */
  guint embed_dim;                /* channels of the first stage */
  guint n_stages;                 /* 1 to SWIN_MAX_STAGES */
  guint depths[SWIN_MAX_STAGES];  /* blocks in each stage, at least 1 */
  guint n_heads[SWIN_MAX_STAGES]; /* attention heads; divide the stage's channels */
  guint window_size;              /* tokens a side, at least 1 */
  gdouble mlp_ratio;              /* hidden width over channels */
  gboolean qkv_bias;              /* query, key and value have a bias */
  gboolean patch_norm;            /* LayerNorm after the patch embedding */
  gdouble layer_norm_epsilon;
  guint n_classes; /* at least 1 */
  SwinEdgeRules edge_rules;
} SwinModelConfig;

/** How a picture becomes the network's input. */
typedef enum {
  SWIN_RESIZE_SQUASH,     /* to the input size, whatever the aspect ratio */
  SWIN_RESIZE_SHORT_SIDE, /* the short side to resize_size, then a centre crop of the input size */
} SwinResizeMode;

/** Interpolation kernels, numbered as Pillow's `Image.Resampling`. */
typedef enum {
  SWIN_FILTER_NEAREST = 0,
  SWIN_FILTER_BILINEAR = 2,
  SWIN_FILTER_BICUBIC = 3, /* a = -0.5 */
} SwinFilter;

typedef struct {
  SwinResizeMode resize_mode;
  guint resize_size; /* pixels of the short side; 0 with SWIN_RESIZE_SQUASH */
  SwinFilter filter; /* antialiased: the support grows with the downscaling, as in Pillow */
  gfloat mean[3];    /* R, G, B on a scale of 0 to 1 */
  gfloat std[3];     /* positive */
} SwinPreprocessing;

/** swin_model_config_channels: channels of stage @stage: embed_dim * 2^stage. */
guint swin_model_config_channels(const SwinModelConfig *config, guint stage);

/** swin_model_config_hidden: width of the MLP in stage @stage: (guint) (channels * mlp_ratio). */
guint swin_model_config_hidden(const SwinModelConfig *config, guint stage);

/**
 * swin_model_config_parse: reads a Hugging Face `config.json`. Absent fields take the defaults of
 * transformers' SwinConfig; a field of the wrong type or range is refused by name.
 * @labels: (out) (transfer full): n_classes labels, NULL-terminated; "LABEL_<index>" where absent
 *
 * @edge_rules is set to Hugging Face's; the dialect may replace it.
 */
gboolean swin_model_config_parse(GBytes *json, SwinModelConfig *config, gchar ***labels,
                                 GError **error);

/**
 * swin_preprocessing_parse: reads a `preprocessor_config.json` (of ViTImageProcessor and its kin).
 * @json: (nullable): NULL gives squash, bicubic, ImageNet mean and std
 */
gboolean swin_preprocessing_parse(GBytes *json, const SwinModelConfig *config,
                                  SwinPreprocessing *preprocessing, GError **error);

/**
 * swin_model_config_published: the configuration that goes by @name ("swin_t", "swin_s", "swin_b",
 * "swin_l": 224 px, window 7, 1000 classes). FALSE when there is none of that name.
 */
gboolean swin_model_config_published(const gchar *name, SwinModelConfig *config);

#endif /* SWIN_MODEL_CONFIG_H */
