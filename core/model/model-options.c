// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model-options.h"

#include "model/config-read.h"

SwinModelOptions *swin_model_options_new(void) {
  return g_new0(SwinModelOptions, 1);
}

void swin_model_options_free(SwinModelOptions *options) {
  g_free(options);
}

void swin_model_options_set_image_size(SwinModelOptions *options, guint width, guint height) {
  options->image_width = width;
  options->image_height = height;
}

void swin_model_options_set_window_size(SwinModelOptions *options, guint window_size) {
  options->window_size = window_size;
}

gboolean swin_model_options_are_default(const SwinModelOptions *options) {
  return options == NULL ||
         (options->image_width == 0 && options->image_height == 0 && options->window_size == 0);
}

const gchar *swin_model_options_get_names(const SwinModelOptions *options) {
  const gboolean image = options->image_width != 0 || options->image_height != 0;
  if (options->window_size == 0) {
    return "option image-size";
  }
  return image ? "options image-size and window-size" : "option window-size";
}

static gboolean apply_image_size(const SwinModelOptions *options, SwinModelConfig *config,
                                 GError **error) {
  const guint width = options->image_width, height = options->image_height;
  if (width == 0 && height == 0) {
    return TRUE;
  }
  if (MIN(width, height) < config->patch_size || MAX(width, height) > SWIN_CONFIG_MAX_IMAGE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "The option image-size is %u x %u pixels, and each side must be from %u, which is "
                "one patch, to %u.",
                width, height, config->patch_size, SWIN_CONFIG_MAX_IMAGE);
    return FALSE;
  }
  config->image_width = width;
  config->image_height = height;
  return TRUE;
}

/* The window that the position bias was trained at: as the model's own map left it. */
static void keep_pretrained_window(SwinModelConfig *config, guint stage, guint window) {
  SwinWindows old = {.window_height = config->window_height[stage],
                     .window_width = config->window_width[stage]};
  if (window == old.window_height && window == old.window_width) {
    return;
  }
  if (swin_model_config_check(config, NULL)) {
    swin_model_config_windows(config, stage, 0, &old);
  }
  config->pretrained_window[stage] = MIN(old.window_height, old.window_width);
}

static gboolean apply_window_size(const SwinModelOptions *options, gboolean window_known,
                                  SwinModelConfig *config, GError **error) {
  const guint window = options->window_size;
  if (window == 0) {
    return TRUE;
  }
  if (config->family == SWIN_FAMILY_VIT) {
    g_set_error_literal(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "The option window-size cannot be used: a Vision Transformer has no windows.");
    return FALSE;
  }
  if (window > SWIN_CONFIG_MAX_WINDOW) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "The option window-size is %u tokens, and it must be at most %u.", window,
                SWIN_CONFIG_MAX_WINDOW);
    return FALSE;
  }
  for (guint stage = 0; stage < config->n_stages; stage++) {
    if (window_known && config->family == SWIN_FAMILY_SWIN_V2 &&
        config->pretrained_window[stage] == 0) {
      keep_pretrained_window(config, stage, window);
    }
    config->window_height[stage] = config->window_width[stage] = window;
  }
  return TRUE;
}

/* The window first: what it is carried over from is the one at the model's own image size. */
gboolean swin_model_options_apply(const SwinModelOptions *options, gboolean window_known,
                                  SwinModelConfig *config, GError **error) {
  return options == NULL || (apply_window_size(options, window_known, config, error) &&
                             apply_image_size(options, config, error));
}
