// SPDX-License-Identifier: LGPL-2.1-or-later
#include "inference.h"

struct _SwinInference {
  gatomicrefcount ref_count;
  SwinClassifier *classifier; /* holds device and model */
  guint n_classes;
  GQuark *labels;     /* [n_classes] */
  gfloat *thresholds; /* (nullable): [n_classes] */
};

static void intern_labels(SwinInference *inference, SwinModel *model, gchar **labels) {
  inference->labels = g_new(GQuark, inference->n_classes);
  for (guint i = 0; i < inference->n_classes; i++)
    inference->labels[i] =
        g_quark_from_string(labels != NULL ? labels[i] : swin_model_get_label(model, i));
}

// What the user says of the classes. A model without a head has none to say anything of; the
// classifier refuses it.
static gboolean load_class_files(SwinInference *inference, SwinModel *model,
                                 const SwinSettings *settings, GError **error) {
  g_auto(GStrv) labels = NULL;

  inference->n_classes = swin_model_get_n_classes(model);
  if (inference->n_classes == 0)
    return TRUE;
  if (settings->labels != NULL) {
    labels = swin_labels_load(settings->labels, inference->n_classes, error);
    if (labels == NULL)
      return FALSE;
  }
  if (settings->thresholds != NULL) {
    inference->thresholds = swin_thresholds_load(settings->thresholds, inference->n_classes, error);
    if (inference->thresholds == NULL)
      return FALSE;
  }
  intern_labels(inference, model, labels);
  return TRUE;
}

static SwinModel *load_model(const SwinSettings *settings, GError **error) {
  const gchar *location = settings->model != NULL ? settings->model : SWIN_INFERENCE_DEFAULT_MODEL;
  SwinModelOptions *options = swin_settings_make_options(settings, error);
  SwinModel *model;

  if (options == NULL)
    return NULL;
  model = swin_model_load(location, options, error);
  swin_model_options_free(options);
  return model;
}

SwinInference *swin_inference_open(const SwinSettings *settings, GError **error) {
  g_autoptr(SwinInference) inference = g_new0(SwinInference, 1);
  g_autoptr(SwinClassifierParams) params = NULL;
  g_autoptr(SwinModel) model = NULL;
  g_autoptr(SwinDevice) device = NULL;

  g_atomic_ref_count_init(&inference->ref_count);
  params = swin_settings_make_params(settings, error);
  if (params == NULL)
    return NULL;
  model = load_model(settings, error);
  if (model == NULL || !load_class_files(inference, model, settings, error))
    return NULL;
  device = swin_device_open(settings->device, error);
  if (device == NULL)
    return NULL;
  inference->classifier = swin_classifier_new(device, model, params, error);
  return inference->classifier != NULL ? g_steal_pointer(&inference) : NULL;
}

SwinInference *swin_inference_ref(SwinInference *inference) {
  g_atomic_ref_count_inc(&inference->ref_count);
  return inference;
}

void swin_inference_unref(SwinInference *inference) {
  if (inference == NULL || !g_atomic_ref_count_dec(&inference->ref_count))
    return;
  swin_classifier_unref(inference->classifier);
  g_free(inference->labels);
  g_free(inference->thresholds);
  g_free(inference);
}

SwinClassifier *swin_inference_get_classifier(SwinInference *inference) {
  return inference->classifier;
}

GQuark swin_inference_get_label(const SwinInference *inference, guint index) {
  g_return_val_if_fail(index < inference->n_classes, 0);
  return inference->labels[index];
}

gfloat swin_inference_get_threshold(const SwinInference *inference, guint index, gfloat general) {
  g_return_val_if_fail(index < inference->n_classes, general);
  return inference->thresholds != NULL ? inference->thresholds[index] : general;
}
