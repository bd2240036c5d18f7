// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * inference.h: what the element opens before it streams: a device, a model, its labels, its
 * thresholds and a classifier of them, as one immutable object.
 */
#ifndef SWIN_PLUGIN_INFERENCE_H
#define SWIN_PLUGIN_INFERENCE_H

#include <glib.h>

#include "settings.h"
#include "swin.h"

/** Model that is used when no `model-file` is set; embedded in libswin. */
#define SWIN_INFERENCE_DEFAULT_MODEL "testcard"

/** SwinInference: reference counted, immutable, any thread. */
typedef struct _SwinInference SwinInference;

/**
 * swin_inference_open: opens the device, loads the model, its labels and its thresholds, uploads
 * the weights.
 *
 * Takes up to seconds. What was opened before a failure is closed again.
 *
 * Returns: (transfer full): the inference, or NULL with an error of %SWIN_ERROR.
 */
SwinInference *swin_inference_open(const SwinSettings *settings, GError **error);

SwinInference *swin_inference_ref(SwinInference *inference);
void swin_inference_unref(SwinInference *inference); /* NULL-safe */

/** swin_inference_get_classifier: (transfer none): valid as long as @inference. */
SwinClassifier *swin_inference_get_classifier(SwinInference *inference);

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
