// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * classifier-params.h: what is behind SwinClassifierParams.
 */
#ifndef SWIN_CLASSIFIER_PARAMS_H
#define SWIN_CLASSIFIER_PARAMS_H

#include "model/model.h"

struct _SwinClassifierParams {
  guint top_k;
  guint batch_size;
  gint64 batch_timeout; /* microseconds */
  SwinPrecision precision;
  SwinActivation activation;
  SwinCropMode crop_mode;
  guint resize_size; /* pixels; 0: the model's */
  guint8 fill[3];    /* R, G, B; of SWIN_CROP_MODE_PAD */
  SwinInterpolation interpolation;
  gboolean has_mean, has_std;
  gfloat mean[3], std[3];
  SwinChannelOrder channel_order;
  gchar **outputs; /* (nullable): NULL-terminated, at least one */
};

#define SWIN_CLASSIFIER_PARAMS_DEFAULT                                                             \
  {                                                                                                \
    .top_k = 5, .batch_size = 1, .fill = { 255, 255, 255 }                                         \
  }

/** swin_classifier_params_describe: (transfer full): a text that is the same for the same
 * parameters and for no others. */
gchar *swin_classifier_params_describe(const SwinClassifierParams *params);

/**
 * swin_classifier_params_preprocessing: what @params make of the model's own preprocessing.
 *
 * Returns: FALSE with %SWIN_ERROR_CONFIG where the result makes no sense.
 */
gboolean swin_classifier_params_preprocessing(const SwinClassifierParams *params, SwinModel *model,
                                              SwinPreprocessing *preprocessing, GError **error);

#endif /* SWIN_CLASSIFIER_PARAMS_H */
