// SPDX-License-Identifier: LGPL-2.1-or-later
#include "inference.h"

#include "instance.h"

struct _SwinInference {
  gatomicrefcount ref_count;
  SwinModelInstance *instance;
  SwinClassifier *classifier;
  gint64 latency; /* us */
  SwinInferenceDisposer disposer;
  gpointer user_data;
};

/* ---- Opening ------------------------------------------------------------------------------- */

// What results carry is each element's own affair; the rest comes with the instance.
static SwinClassifier *make_classifier(const SwinModelInstance *instance, const SwinSettings *own,
                                       GError **error) {
  g_auto(SwinSettings) settings = {0};
  g_autoptr(SwinClassifierParams) params = NULL;

  swin_settings_copy(&settings, &instance->settings);
  settings.tensors = own->tensors;
  settings.smoothing = own->smoothing;
  if (instance->falls_back)
    settings.precision = SWIN_PRECISION_FP32;
  params = swin_settings_make_params(&settings, error);
  if (params == NULL)
    return NULL;
  return swin_classifier_new(instance->device, instance->model, params, error);
}

#define GRAY_SIZE 32

// Time that one frame takes, in us; -1 on failure. What it shows does not matter.
static gint64 run_once(SwinClassifier *classifier, GError **error) {
  g_autofree SwinTag *tags = g_new(SwinTag, swin_classifier_get_top_k(classifier));
  g_autofree guint8 *pixels = g_malloc0(GRAY_SIZE * GRAY_SIZE);
  SwinFrame frame = SWIN_FRAME_INIT;
  gint64 start = g_get_monotonic_time();
  guint n_tags;

  frame.width = frame.height = GRAY_SIZE;
  frame.model = SWIN_COLOR_GRAY;
  frame.component[0].pixel_stride = 1;
  frame.planes[0] = pixels;
  frame.strides[0] = GRAY_SIZE;
  if (!swin_classifier_classify(classifier, &frame, tags, &n_tags, error))
    return -1;
  return g_get_monotonic_time() - start;
}

// A first run that took between these had nothing to compile, and a second one would take as long.
#define CHEAP_RUN (G_TIME_SPAN_SECOND / 10)
#define COMPILING_RUN (2 * G_TIME_SPAN_SECOND)

// Drivers compile when something runs for the first time.
static gboolean warm_up(SwinInference *inference, GError **error) {
  inference->latency = run_once(inference->classifier, error);
  if (inference->latency < 0)
    return FALSE;
  if (inference->latency < CHEAP_RUN || inference->latency > COMPILING_RUN)
    inference->latency = run_once(inference->classifier, error);
  return inference->latency >= 0;
}

SwinInference *swin_inference_open(const SwinSettings *settings, SwinDevice *shared,
                                   gboolean switching, GError **error) {
  g_autoptr(SwinInference) inference = g_new0(SwinInference, 1);
  g_autoptr(SwinClassifierParams) params = NULL;

  g_atomic_ref_count_init(&inference->ref_count);
  // What makes no sense is refused before anything is loaded for it.
  params = swin_settings_make_params(settings, error);
  if (params == NULL)
    return NULL;
  inference->instance = swin_model_instance_open(settings, shared, switching, error);
  if (inference->instance == NULL)
    return NULL;
  inference->classifier = make_classifier(inference->instance, settings, error);
  if (inference->classifier == NULL || !warm_up(inference, error))
    return NULL;
  return g_steal_pointer(&inference);
}

/* ---- Life ---------------------------------------------------------------------------------- */

SwinInference *swin_inference_ref(SwinInference *inference) {
  g_atomic_ref_count_inc(&inference->ref_count);
  return inference;
}

void swin_inference_unref(SwinInference *inference) {
  SwinInferenceDisposer disposer;

  if (inference == NULL || !g_atomic_ref_count_dec(&inference->ref_count))
    return;
  disposer = g_steal_pointer(&inference->disposer);
  if (disposer != NULL) {
    g_atomic_ref_count_init(&inference->ref_count);
    disposer(inference, inference->user_data);
    return;
  }
  swin_classifier_unref(inference->classifier);
  swin_model_instance_unref(inference->instance);
  g_free(inference);
}

void swin_inference_set_disposer(SwinInference *inference, SwinInferenceDisposer disposer,
                                 gpointer user_data) {
  inference->disposer = disposer;
  inference->user_data = user_data;
}

/* ---- What it is ---------------------------------------------------------------------------- */

SwinClassifier *swin_inference_get_classifier(SwinInference *inference) {
  return inference->classifier;
}

SwinDevice *swin_inference_get_device(SwinInference *inference) {
  return inference->instance->device;
}

SwinModel *swin_inference_get_model(SwinInference *inference) {
  return inference->instance->model;
}

const SwinSettings *swin_inference_get_settings(const SwinInference *inference) {
  return &inference->instance->settings;
}

const gchar *swin_inference_get_model_name(const SwinInference *inference) {
  return swin_model_get_name(inference->instance->model);
}

SwinPrecision swin_inference_get_precision(const SwinInference *inference) {
  return swin_classifier_get_precision(inference->classifier);
}

gboolean swin_inference_falls_back(const SwinInference *inference) {
  return inference->instance->falls_back;
}

gint64 swin_inference_get_latency(const SwinInference *inference) {
  return inference->latency;
}

GQuark swin_inference_get_label(const SwinInference *inference, guint index) {
  g_return_val_if_fail(index < inference->instance->n_classes, 0);
  return inference->instance->labels[index];
}

gfloat swin_inference_get_threshold(const SwinInference *inference, guint index, gfloat general) {
  const gfloat *thresholds = inference->instance->thresholds;

  g_return_val_if_fail(index < inference->instance->n_classes, general);
  return thresholds != NULL ? thresholds[index] : general;
}
