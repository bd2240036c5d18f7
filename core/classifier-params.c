// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classifier-params.h"
#include "engine.h"
#include "network/operations.h"

#include <string.h>

SwinClassifierParams *swin_classifier_params_new(void) {
  SwinClassifierParams *params = g_new(SwinClassifierParams, 1);
  *params = (SwinClassifierParams)SWIN_CLASSIFIER_PARAMS_DEFAULT;
  return params;
}

void swin_classifier_params_free(SwinClassifierParams *params) {
  if (!params)
    return;
  g_strfreev(params->outputs);
  g_free(params);
}

void swin_classifier_params_set_top_k(SwinClassifierParams *params, guint top_k) {
  params->top_k = CLAMP(top_k, 1, SWIN_TOP_K_MAX);
}

void swin_classifier_params_set_batch_size(SwinClassifierParams *params, guint batch_size) {
  params->batch_size = CLAMP(batch_size, 1, SWIN_ENGINE_MAX_BATCH);
}

void swin_classifier_params_set_batch_timeout(SwinClassifierParams *params, gint64 microseconds) {
  /* Half the range, so that the sum with a time cannot overflow. */
  params->batch_timeout = CLAMP(microseconds, 0, G_MAXINT64 / 2);
}

void swin_classifier_params_set_outputs(SwinClassifierParams *params, const gchar *const *names) {
  gchar **outputs = names && *names ? g_strdupv((gchar **)names) : NULL;
  g_strfreev(params->outputs);
  params->outputs = outputs;
}

void swin_classifier_params_set_precision(SwinClassifierParams *params, SwinPrecision precision) {
  params->precision = precision;
}

void swin_classifier_params_set_activation(SwinClassifierParams *params,
                                           SwinActivation activation) {
  params->activation = activation;
}

void swin_classifier_params_set_crop_mode(SwinClassifierParams *params, SwinCropMode mode) {
  params->crop_mode = mode;
}

void swin_classifier_params_set_resize_size(SwinClassifierParams *params, guint resize_size) {
  params->resize_size = resize_size;
}

void swin_classifier_params_set_fill_color(SwinClassifierParams *params, guint8 red, guint8 green,
                                           guint8 blue) {
  params->fill[0] = red;
  params->fill[1] = green;
  params->fill[2] = blue;
}

void swin_classifier_params_set_interpolation(SwinClassifierParams *params,
                                              SwinInterpolation interpolation) {
  params->interpolation = interpolation;
}

void swin_classifier_params_set_mean(SwinClassifierParams *params, const gfloat mean[3]) {
  params->has_mean = mean != NULL;
  if (mean)
    memcpy(params->mean, mean, sizeof(params->mean));
}

void swin_classifier_params_set_std(SwinClassifierParams *params, const gfloat std[3]) {
  params->has_std = std != NULL;
  if (std)
    memcpy(params->std, std, sizeof(params->std));
}

void swin_classifier_params_set_channel_order(SwinClassifierParams *params,
                                              SwinChannelOrder order) {
  params->channel_order = order;
}

gchar *swin_classifier_params_describe(const SwinClassifierParams *params) {
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "%u %u %" G_GINT64_FORMAT " %d %d %d %u %u,%u,%u %d %d",
                         params->top_k, params->batch_size, params->batch_timeout,
                         (gint)params->precision, (gint)params->activation, (gint)params->crop_mode,
                         params->resize_size, params->fill[0], params->fill[1], params->fill[2],
                         (gint)params->interpolation, (gint)params->channel_order);
  for (guint i = 0; i < 3; i++) {
    if (params->has_mean)
      g_string_append_printf(text, " mean %a", (gdouble)params->mean[i]);
    if (params->has_std)
      g_string_append_printf(text, " std %a", (gdouble)params->std[i]);
  }
  for (guint i = 0; params->outputs && params->outputs[i]; i++) {
    g_autofree gchar *name = g_strescape(params->outputs[i], NULL);
    g_string_append_printf(text, " output \"%s\"", name);
  }
  return g_string_free(text, FALSE);
}
