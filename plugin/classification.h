// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * classification.h: the result of one inference, as the element carries it from the library's
 * callback to metadata and messages.
 */
#ifndef SWIN_PLUGIN_CLASSIFICATION_H
#define SWIN_PLUGIN_CLASSIFICATION_H

#include <gst/gst.h>

#include "inference.h"
#include "swin.h"

/** Name of the element message, of the custom metadata and of the structures in both. */
#define SWIN_CLASSIFICATION_NAME "swin-classification"

/**
 * SwinClassification: reference counted, immutable, any thread. Keeps the #SwinInference that made
 * it, so that its labels stay right whatever the element does meanwhile.
 */
typedef struct {
  gatomicrefcount ref_count;
  SwinInference *inference; /* owned */
  GstClockTime timestamp;   /* presentation time of the frame */
  GPtrArray *outputs;       /* (nullable): of SwinTensorCopy; shared by filtered copies */
  guint n_tags;
  SwinTag tags[]; /* best first */
} SwinClassification;

/** SwinTensorCopy: a SwinOutput of its own. */
typedef struct {
  gchar *name;
  guint n_dims;
  guint dims[SWIN_OUTPUT_MAX_DIMS];
  GBytes *values; /* float32 */
} SwinTensorCopy;

/** swin_classification_new: (transfer full): copies @result, which is no error; refs @inference. */
SwinClassification *swin_classification_new(SwinInference *inference, const SwinResult *result,
                                            GstClockTime timestamp);

/** swin_classification_retag: (transfer full): the same with other tags, which are copied. */
SwinClassification *swin_classification_retag(const SwinClassification *classification,
                                              const SwinTag *tags, guint n_tags);

/** swin_classification_find_output: (transfer none) (nullable): the output called @name. */
const SwinTensorCopy *swin_classification_find_output(const SwinClassification *classification,
                                                      const gchar *name);

SwinClassification *swin_classification_ref(SwinClassification *classification);
void swin_classification_unref(SwinClassification *classification); /* NULL-safe */

/**
 * swin_classification_filter: (transfer full): the tags that reach their thresholds, in their
 * order.
 * @threshold: of every class, unless the inference has thresholds of its own
 */
SwinClassification *swin_classification_filter(SwinClassification *classification,
                                               gfloat threshold);

/** swin_classification_get_label: label of tag @position as a quark, and with it a static string.
 */
GQuark swin_classification_get_label(const SwinClassification *classification, guint position);

/**
 * swin_classification_describe: sets the fields `model` and `precision` (string), and `labels`
 * (array of string), `confidences` (array of double) and `indices` (array of uint) of @structure to
 * the tags, best first.
 */
void swin_classification_describe(const SwinClassification *classification,
                                  GstStructure *structure);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinClassification, swin_classification_unref)

#endif /* SWIN_PLUGIN_CLASSIFICATION_H */
