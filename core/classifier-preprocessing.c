// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the parameters of a classifier make of its model's preprocessing. */
#include "classifier-params.h"

#include <string.h>

static gboolean check_value(const gchar *what, gint value, gint last, GError **error) {
  if (value >= 0 && value <= last)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "The %s %d is none of those in swin.h.", what,
              value);
  return FALSE;
}

static gboolean check_choices(const SwinClassifierParams *params, GError **error) {
  return check_value("precision", (gint)params->precision, SWIN_PRECISION_FP16, error) &&
         check_value("activation", (gint)params->activation, SWIN_ACTIVATION_SIGMOID, error) &&
         check_value("crop mode", (gint)params->crop_mode, SWIN_CROP_MODE_PAD, error) &&
         check_value("interpolation", (gint)params->interpolation, SWIN_INTERPOLATION_LANCZOS,
                     error) &&
         check_value("channel order", (gint)params->channel_order, SWIN_CHANNEL_ORDER_BGR, error);
}

static gboolean check_resize_size(guint resize_size, const SwinModelConfig *config,
                                  GError **error) {
  const guint needed = MAX(config->image_width, config->image_height);
  if (resize_size >= needed && resize_size <= SWIN_PREPROCESSING_MAX_SIZE)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "The resize size of %u pixels does not lie between %u, the longer side of the "
              "network's input of %u x %u pixels, and %u.",
              resize_size, needed, config->image_width, config->image_height,
              SWIN_PREPROCESSING_MAX_SIZE);
  return FALSE;
}

static gboolean keeps_aspect_ratio(const SwinPreprocessing *preprocessing) {
  return preprocessing->resize_mode == SWIN_RESIZE_SHORT_SIDE ||
         preprocessing->resize_mode == SWIN_RESIZE_COVER;
}

static void resize_to(SwinPreprocessing *preprocessing, SwinResizeMode mode,
                      const SwinModelConfig *config) {
  preprocessing->resize_mode = mode;
  preprocessing->resize_size = 0;
  preprocessing->resize_width = config->image_width;
  preprocessing->resize_height = config->image_height;
}

static gboolean crop_centre(const SwinClassifierParams *params, const SwinModelConfig *config,
                            SwinPreprocessing *preprocessing, GError **error) {
  if (params->resize_size == 0 && keeps_aspect_ratio(preprocessing))
    return TRUE;
  if (params->resize_size != 0 && !check_resize_size(params->resize_size, config, error))
    return FALSE;
  preprocessing->resize_mode = SWIN_RESIZE_SHORT_SIDE;
  preprocessing->resize_height = preprocessing->resize_width = 0;
  preprocessing->resize_size =
      params->resize_size != 0
          ? params->resize_size
          : swin_preprocessing_resize_size(MAX(config->image_width, config->image_height));
  return TRUE;
}

/* Said without a cut, a resize size would be ignored without a word. */
static gboolean check_resize_mode(const SwinClassifierParams *params,
                                  const SwinPreprocessing *preprocessing, GError **error) {
  const gboolean cuts =
      params->crop_mode == SWIN_CROP_MODE_CENTER ||
      (params->crop_mode == SWIN_CROP_MODE_AUTO && keeps_aspect_ratio(preprocessing));
  if (cuts || params->resize_size == 0)
    return TRUE;
  g_set_error(
      error, SWIN_ERROR, SWIN_ERROR_CONFIG,
      "The resize size of %u pixels has a meaning only where the centre is cut out: set the "
      "crop mode to center, or leave the resize size at 0.",
      params->resize_size);
  return FALSE;
}

static gboolean set_crop_mode(const SwinClassifierParams *params, const SwinModelConfig *config,
                              SwinPreprocessing *preprocessing, GError **error) {
  switch (params->crop_mode) {
  case SWIN_CROP_MODE_SQUASH:
    resize_to(preprocessing, SWIN_RESIZE_SQUASH, config);
    return TRUE;
  case SWIN_CROP_MODE_PAD:
    resize_to(preprocessing, SWIN_RESIZE_PAD, config);
    memcpy(preprocessing->fill, params->fill, sizeof(preprocessing->fill));
    return TRUE;
  case SWIN_CROP_MODE_CENTER:
    return crop_centre(params, config, preprocessing, error);
  default:
    return !keeps_aspect_ratio(preprocessing) || crop_centre(params, config, preprocessing, error);
  }
}

static void set_filter(const SwinClassifierParams *params, SwinPreprocessing *preprocessing) {
  static const SwinFilter filters[] = {
      [SWIN_INTERPOLATION_NEAREST] = SWIN_FILTER_NEAREST,
      [SWIN_INTERPOLATION_BILINEAR] = SWIN_FILTER_BILINEAR,
      [SWIN_INTERPOLATION_BICUBIC] = SWIN_FILTER_BICUBIC,
      [SWIN_INTERPOLATION_LANCZOS] = SWIN_FILTER_LANCZOS,
  };
  if (params->interpolation != SWIN_INTERPOLATION_AUTO)
    preprocessing->filter = filters[params->interpolation];
}

static gboolean set_channels(const SwinClassifierParams *params, SwinPreprocessing *preprocessing,
                             GError **error) {
  if (params->channel_order != SWIN_CHANNEL_ORDER_AUTO)
    preprocessing->bgr = params->channel_order == SWIN_CHANNEL_ORDER_BGR;
  if (params->has_mean)
    memcpy(preprocessing->mean, params->mean, sizeof(preprocessing->mean));
  if (params->has_std)
    memcpy(preprocessing->std, params->std, sizeof(preprocessing->std));
  const gint channel = swin_preprocessing_find_bad_channel(preprocessing);
  if (channel < 0)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "The mean %g and the standard deviation %g of channel %d do not make finite values: "
              "both must be finite, and the deviation above 0.",
              (gdouble)preprocessing->mean[channel], (gdouble)preprocessing->std[channel], channel);
  return FALSE;
}

gboolean swin_classifier_params_preprocessing(const SwinClassifierParams *params, SwinModel *model,
                                              SwinPreprocessing *preprocessing, GError **error) {
  SwinPreprocessing result = *swin_model_get_preprocessing(model);
  if (!check_choices(params, error) || !check_resize_mode(params, &result, error) ||
      !set_crop_mode(params, swin_model_get_config(model), &result, error) ||
      !set_channels(params, &result, error))
    return FALSE;
  set_filter(params, &result);
  *preprocessing = result;
  return TRUE;
}
