// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element asks of a model and of a classifier, noted.
#include <string.h>

#include "mock-private.h"

SwinModelOptions *swin_model_options_new(void) {
  return mock_create(sizeof(SwinModelOptions));
}

void swin_model_options_free(SwinModelOptions *options) {
  mock_destroy(options);
}

void swin_model_options_set_image_size(SwinModelOptions *options, guint width, guint height) {
  options->image_width = width;
  options->image_height = height;
}

void swin_model_options_set_window_size(SwinModelOptions *options, guint window_size) {
  options->window_size = window_size;
}

SwinClassifierParams *swin_classifier_params_new(void) {
  return mock_create(sizeof(SwinClassifierParams));
}

void swin_classifier_params_free(SwinClassifierParams *params) {
  mock_destroy(params);
}

void swin_classifier_params_set_top_k(SwinClassifierParams *params, guint top_k) {
  params->request.top_k = top_k;
}

void swin_classifier_params_set_batch_size(SwinClassifierParams *params, guint batch_size) {
  params->request.batch_size = batch_size;
}

void swin_classifier_params_set_batch_timeout(SwinClassifierParams *params, gint64 microseconds) {
  params->request.batch_timeout = microseconds;
}

void swin_classifier_params_set_outputs(SwinClassifierParams *params, const gchar *const *names) {
  guint n_names = names != NULL ? g_strv_length((gchar **)names) : 0;

  params->request.n_outputs = MIN(n_names, MOCK_SWIN_MAX_OUTPUTS);
  for (guint i = 0; i < params->request.n_outputs; i++)
    params->request.outputs[i] = g_intern_string(names[i]);
}

void swin_classifier_params_set_activation(SwinClassifierParams *params,
                                           SwinActivation activation) {
  params->request.activation = activation;
}

void swin_classifier_params_set_precision(SwinClassifierParams *params, SwinPrecision precision) {
  params->request.precision = precision;
}

void swin_classifier_params_set_crop_mode(SwinClassifierParams *params, SwinCropMode mode) {
  params->request.crop_mode = mode;
}

void swin_classifier_params_set_resize_size(SwinClassifierParams *params, guint resize_size) {
  params->request.resize_size = resize_size;
}

void swin_classifier_params_set_fill_color(SwinClassifierParams *params, guint8 red, guint8 green,
                                           guint8 blue) {
  params->request.fill[0] = red;
  params->request.fill[1] = green;
  params->request.fill[2] = blue;
}

void swin_classifier_params_set_interpolation(SwinClassifierParams *params,
                                              SwinInterpolation interpolation) {
  params->request.interpolation = interpolation;
}

void swin_classifier_params_set_mean(SwinClassifierParams *params, const gfloat mean[3]) {
  params->request.has_mean = TRUE;
  memcpy(params->request.mean, mean, sizeof(params->request.mean));
}

void swin_classifier_params_set_std(SwinClassifierParams *params, const gfloat std[3]) {
  params->request.has_std = TRUE;
  memcpy(params->request.std, std, sizeof(params->request.std));
}

void swin_classifier_params_set_channel_order(SwinClassifierParams *params,
                                              SwinChannelOrder order) {
  params->request.channel_order = order;
}
