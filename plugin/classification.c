// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classification.h"

// With room for @n_tags tags, which are to be filled in.
static SwinClassification *allocate(SwinInference *inference, guint n_tags) {
  SwinClassification *classification =
      g_malloc(sizeof(SwinClassification) + n_tags * sizeof(SwinTag));

  g_atomic_ref_count_init(&classification->ref_count);
  classification->inference = swin_inference_ref(inference);
  classification->n_tags = n_tags;
  return classification;
}

SwinClassification *swin_classification_new(SwinInference *inference, const SwinTag *tags,
                                            guint n_tags) {
  SwinClassification *classification = allocate(inference, n_tags);

  for (guint i = 0; i < n_tags; i++)
    classification->tags[i] = tags[i];
  return classification;
}

SwinClassification *swin_classification_ref(SwinClassification *classification) {
  g_atomic_ref_count_inc(&classification->ref_count);
  return classification;
}

void swin_classification_unref(SwinClassification *classification) {
  if (classification == NULL || !g_atomic_ref_count_dec(&classification->ref_count))
    return;
  swin_inference_unref(classification->inference);
  g_free(classification);
}

static gboolean passes(const SwinClassification *classification, guint position, gfloat threshold) {
  const SwinTag *tag = &classification->tags[position];

  return tag->confidence >=
         swin_inference_get_threshold(classification->inference, tag->index, threshold);
}

// Thresholds may differ from class to class, so tags may fall out anywhere. Most often none does.
SwinClassification *swin_classification_filter(SwinClassification *classification,
                                               gfloat threshold) {
  SwinClassification *passed;
  guint n_passed = 0;

  for (guint i = 0; i < classification->n_tags; i++)
    n_passed += passes(classification, i, threshold) ? 1 : 0;
  if (n_passed == classification->n_tags)
    return swin_classification_ref(classification);

  passed = allocate(classification->inference, n_passed);
  n_passed = 0;
  for (guint i = 0; i < classification->n_tags; i++) {
    if (passes(classification, i, threshold))
      passed->tags[n_passed++] = classification->tags[i];
  }
  return passed;
}

GQuark swin_classification_get_label(const SwinClassification *classification, guint position) {
  g_return_val_if_fail(position < classification->n_tags, 0);
  return swin_inference_get_label(classification->inference, classification->tags[position].index);
}

void swin_classification_describe(const SwinClassification *classification,
                                  GstStructure *structure) {
  const guint n_tags = classification->n_tags;
  GValue labels = G_VALUE_INIT, confidences = G_VALUE_INIT, indices = G_VALUE_INIT;

  gst_value_array_init(&labels, n_tags);
  gst_value_array_init(&confidences, n_tags);
  gst_value_array_init(&indices, n_tags);
  for (guint i = 0; i < n_tags; i++) {
    GValue label = G_VALUE_INIT, confidence = G_VALUE_INIT, class_index = G_VALUE_INIT;

    g_value_init(&label, G_TYPE_STRING);
    g_value_set_static_string(&label,
                              g_quark_to_string(swin_classification_get_label(classification, i)));
    gst_value_array_append_and_take_value(&labels, &label);
    g_value_init(&confidence, G_TYPE_DOUBLE);
    g_value_set_double(&confidence, (gdouble)classification->tags[i].confidence);
    gst_value_array_append_and_take_value(&confidences, &confidence);
    g_value_init(&class_index, G_TYPE_UINT);
    g_value_set_uint(&class_index, classification->tags[i].index);
    gst_value_array_append_and_take_value(&indices, &class_index);
  }
  gst_structure_take_value(structure, "labels", &labels);
  gst_structure_take_value(structure, "confidences", &confidences);
  gst_structure_take_value(structure, "indices", &indices);
}
