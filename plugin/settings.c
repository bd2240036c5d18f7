// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings.h"

#include "enums.h"

#define N_CHANNELS 3

void swin_settings_copy(SwinSettings *to, const SwinSettings *from) {
  *to = *from;
  to->device = g_strdup(from->device);
  to->model = g_strdup(from->model);
  to->labels = g_strdup(from->labels);
  to->thresholds = g_strdup(from->thresholds);
  to->image_size = g_strdup(from->image_size);
  to->instance = g_strdup(from->instance);
  to->mean = from->mean != NULL ? g_array_copy(from->mean) : NULL;
  to->std = from->std != NULL ? g_array_copy(from->std) : NULL;
}

void swin_settings_clear(SwinSettings *settings) {
  g_free(settings->device);
  g_free(settings->model);
  g_free(settings->labels);
  g_free(settings->thresholds);
  g_free(settings->image_size);
  g_free(settings->instance);
  g_clear_pointer(&settings->mean, g_array_unref);
  g_clear_pointer(&settings->std, g_array_unref);
}

/* ---- The model ----------------------------------------------------------------------------- */

static gboolean set_image_size(SwinModelOptions *options, const gchar *text, GError **error) {
  guint width, height;

  if (text == NULL || *text == '\0')
    return TRUE;
  if (!swin_image_size_parse(text, &width, &height, error)) {
    g_prefix_error_literal(error, "Property image-size: ");
    return FALSE;
  }
  swin_model_options_set_image_size(options, width, height);
  return TRUE;
}

SwinModelOptions *swin_settings_make_options(const SwinSettings *settings, GError **error) {
  g_autoptr(SwinModelOptions) options = swin_model_options_new();

  if (!set_image_size(options, settings->image_size, error))
    return NULL;
  swin_model_options_set_window_size(options, settings->window_size);
  return g_steal_pointer(&options);
}

/* ---- The classifier ------------------------------------------------------------------------ */

typedef void (*SetChannels)(SwinClassifierParams *params, const gfloat values[N_CHANNELS]);

static gboolean set_channels(SwinClassifierParams *params, SetChannels set, const gchar *property,
                             const GArray *numbers, GError **error) {
  gfloat values[N_CHANNELS];

  if (numbers == NULL || numbers->len == 0)
    return TRUE;
  if (numbers->len != N_CHANNELS) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "The property %s has %u value%s: it takes three, one a channel, such as "
                "\"<0.5,0.5,0.5>\".",
                property, numbers->len, numbers->len == 1 ? "" : "s");
    return FALSE;
  }
  for (guint i = 0; i < N_CHANNELS; i++)
    values[i] = (gfloat)g_array_index(numbers, gdouble, i);
  set(params, values);
  return TRUE;
}

// The library's names of what results are to carry. Smoothing averages logits.
static void set_outputs(SwinClassifierParams *params, const SwinSettings *settings) {
  static const struct {
    guint flag;
    const gchar *name;
  } outputs[] = {
      {GST_SWIN_CLASSIFY_TENSORS_LOGITS, "logits"},
      {GST_SWIN_CLASSIFY_TENSORS_EMBEDDING, "pooled"},
      {GST_SWIN_CLASSIFY_TENSORS_STAGE_0, "stages.0"},
      {GST_SWIN_CLASSIFY_TENSORS_STAGE_1, "stages.1"},
      {GST_SWIN_CLASSIFY_TENSORS_STAGE_2, "stages.2"},
      {GST_SWIN_CLASSIFY_TENSORS_STAGE_3, "stages.3"},
  };
  guint wanted = settings->tensors;
  const gchar *names[G_N_ELEMENTS(outputs) + 1] = {NULL};
  guint n_names = 0;

  if (settings->smoothing > 0.0f)
    wanted |= GST_SWIN_CLASSIFY_TENSORS_LOGITS;
  for (guint i = 0; i < G_N_ELEMENTS(outputs); i++) {
    if (wanted & outputs[i].flag)
      names[n_names++] = outputs[i].name;
  }
  swin_classifier_params_set_outputs(params, n_names > 0 ? names : NULL);
}

SwinClassifierParams *swin_settings_make_params(const SwinSettings *settings, GError **error) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  guint32 fill = settings->fill_color;

  if (!set_channels(params, swin_classifier_params_set_mean, "mean", settings->mean, error) ||
      !set_channels(params, swin_classifier_params_set_std, "std", settings->std, error))
    return NULL;
  swin_classifier_params_set_top_k(params, settings->top_k);
  swin_classifier_params_set_activation(params, settings->activation);
  swin_classifier_params_set_precision(params, settings->precision);
  swin_classifier_params_set_crop_mode(params, settings->crop_mode);
  swin_classifier_params_set_resize_size(params, settings->resize_size);
  swin_classifier_params_set_fill_color(params, (guint8)(fill >> 16), (guint8)(fill >> 8),
                                        (guint8)fill);
  swin_classifier_params_set_interpolation(params, settings->interpolation);
  swin_classifier_params_set_channel_order(params, settings->channel_order);
  swin_classifier_params_set_batch_size(params, settings->batch_size);
  swin_classifier_params_set_batch_timeout(params, (gint64)settings->batch_timeout * 1000);
  set_outputs(params, settings);
  return g_steal_pointer(&params);
}
