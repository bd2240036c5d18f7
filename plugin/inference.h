// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * inference.h: what an element opens before it streams: a device, a model, its labels, its
 * thresholds and a classifier of its own, as one immutable object.
 */
#ifndef SWIN_PLUGIN_INFERENCE_H
#define SWIN_PLUGIN_INFERENCE_H

#include <glib.h>

#include "settings.h"
#include "swin.h"

/** SwinInference: reference counted, immutable, any thread. */
typedef struct _SwinInference SwinInference;

/**
 * swin_inference_open: opens the device, loads the model, its labels and its thresholds, uploads
 * the weights, and runs the network twice: once, so that the first frame finds everything compiled,
 * and again, to learn how long a frame takes.
 *
 * Inferences of the same model, device and settings share all but the queue of frames, as libswin
 * does. Those that name the same settings->instance share what was opened first under that name
 * while it is in use, and with it its settings; tensors and smoothing alone stay each one's own.
 *
 * Takes up to seconds. What was opened before a failure is closed again.
 * @shared: (nullable): the device to use instead of the one that the settings name, whatever
 *   precision it can do
 * @switching: a model of the same instance that is not the one that the settings name is not taken;
 *   the new one takes over the name
 *
 * Returns: (transfer full): the inference, or NULL with an error of %SWIN_ERROR.
 */
SwinInference *swin_inference_open(const SwinSettings *settings, SwinDevice *shared,
                                   gboolean switching, GError **error);

SwinInference *swin_inference_ref(SwinInference *inference);
void swin_inference_unref(SwinInference *inference); /* NULL-safe */

/** SwinInferenceDisposer: takes over the last reference of @inference (transfer full). */
typedef void (*SwinInferenceDisposer)(SwinInference *inference, gpointer user_data);

/**
 * swin_inference_set_disposer: calls @disposer, once, instead of freeing in the thread that lets go
 * of the last reference, which may be one that must not wait. Before anyone else has a reference.
 */
void swin_inference_set_disposer(SwinInference *inference, SwinInferenceDisposer disposer,
                                 gpointer user_data);

/** swin_inference_get_classifier: (transfer none): @inference's own; valid as long as that. */
SwinClassifier *swin_inference_get_classifier(SwinInference *inference);

/** swin_inference_get_device: (transfer none): valid as long as @inference. */
SwinDevice *swin_inference_get_device(SwinInference *inference);

/** swin_inference_get_model: (transfer none): valid as long as @inference. */
SwinModel *swin_inference_get_model(SwinInference *inference);

/** swin_inference_get_settings: (transfer none): those that it was opened with, or that whoever
 * opened what it shares did. Valid as long as @inference. */
const SwinSettings *swin_inference_get_settings(const SwinInference *inference);

/** swin_inference_get_model_name: the name of the model, which metadata carry. */
const gchar *swin_inference_get_model_name(const SwinInference *inference);

/** swin_inference_get_precision: the one in use: fp32 or fp16, never auto. */
SwinPrecision swin_inference_get_precision(const SwinInference *inference);

/** swin_inference_falls_back: whether that is fp32 because the @shared device cannot do the fp16
 * that the settings ask for. */
gboolean swin_inference_falls_back(const SwinInference *inference);

/** swin_inference_get_latency: how long a frame took when the inference was opened, in us. */
gint64 swin_inference_get_latency(const SwinInference *inference);

/**
 * swin_inference_get_label: the label of class @index as a quark. Quarks are never freed, so all of
 * them are interned once, when the model is opened.
 */
GQuark swin_inference_get_label(const SwinInference *inference, guint index);

/**
 * swin_inference_get_threshold: the least confidence with which class @index is told of: what the
 * file of thresholds says, and @general where there is no such file.
 */
gfloat swin_inference_get_threshold(const SwinInference *inference, guint index, gfloat general);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinInference, swin_inference_unref)

#endif /* SWIN_PLUGIN_INFERENCE_H */
