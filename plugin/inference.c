// SPDX-License-Identifier: LGPL-2.1-or-later
#include "inference.h"

struct _SwinInference {
  gatomicrefcount ref_count;
  SwinClassifier *classifier; /* holds device and model */
  GQuark *labels;             /* [n_classes] */
  guint n_classes;
};

static GQuark *intern_labels(SwinModel *model, gchar **labels) {
  guint n_classes = swin_model_get_n_classes(model);
  GQuark *quarks = g_new(GQuark, n_classes);

  for (guint i = 0; i < n_classes; i++)
    quarks[i] = g_quark_from_string(labels != NULL ? labels[i] : swin_model_get_label(model, i));
  return quarks;
}

static SwinClassifier *open_classifier(SwinModel *model, const SwinInferenceSettings *settings,
                                       GError **error) {
  g_autoptr(SwinDevice) device = swin_device_open(settings->device, error);
  g_autoptr(SwinClassifierParams) params = NULL;

  if (device == NULL)
    return NULL;
  params = swin_classifier_params_new();
  swin_classifier_params_set_top_k(params, settings->top_k);
  return swin_classifier_new(device, model, params, error);
}

SwinInference *swin_inference_open(const SwinInferenceSettings *settings, GError **error) {
  const gchar *location = settings->model != NULL ? settings->model : SWIN_INFERENCE_DEFAULT_MODEL;
  g_autoptr(SwinModel) model = swin_model_load(location, NULL, error);
  g_auto(GStrv) labels = NULL;
  SwinClassifier *classifier;
  SwinInference *inference;

  if (model == NULL)
    return NULL;
  if (settings->labels != NULL) {
    labels = swin_labels_load(settings->labels, swin_model_get_n_classes(model), error);
    if (labels == NULL)
      return NULL;
  }
  classifier = open_classifier(model, settings, error);
  if (classifier == NULL)
    return NULL;

  inference = g_new0(SwinInference, 1);
  g_atomic_ref_count_init(&inference->ref_count);
  inference->classifier = classifier;
  inference->n_classes = swin_model_get_n_classes(model);
  inference->labels = intern_labels(model, labels);
  return inference;
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
  g_free(inference);
}

SwinClassifier *swin_inference_get_classifier(SwinInference *inference) {
  return inference->classifier;
}

GQuark swin_inference_get_label(const SwinInference *inference, guint index) {
  g_return_val_if_fail(index < inference->n_classes, 0);
  return inference->labels[index];
}
