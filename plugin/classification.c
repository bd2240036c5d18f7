// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classification.h"

#include <string.h>

#include "enums.h"

static void tensor_free(gpointer data) {
  SwinTensorCopy *tensor = data;

  g_free(tensor->name);
  g_bytes_unref(tensor->values);
  g_free(tensor);
}

static SwinTensorCopy *tensor_new(const SwinOutput *output) {
  SwinTensorCopy *tensor = g_new0(SwinTensorCopy, 1);
  gsize n_values = 1;

  tensor->name = g_strdup(output->name);
  tensor->n_dims = output->n_dims;
  for (guint i = 0; i < output->n_dims; i++) {
    tensor->dims[i] = output->dims[i];
    n_values *= output->dims[i];
  }
  tensor->values = g_bytes_new(output->values, n_values * sizeof(gfloat));
  return tensor;
}

// NULL where there are none: most results have nothing but tags.
static GPtrArray *copy_outputs(const SwinResult *result) {
  GPtrArray *outputs;

  if (result->n_outputs == 0)
    return NULL;
  outputs = g_ptr_array_new_full(result->n_outputs, tensor_free);
  for (guint i = 0; i < result->n_outputs; i++)
    g_ptr_array_add(outputs, tensor_new(&result->outputs[i]));
  return outputs;
}

// With room for @n_tags tags, which are to be filled in. Takes @outputs.
static SwinClassification *allocate(SwinInference *inference, GstClockTime timestamp,
                                    GPtrArray *outputs, guint n_tags) {
  SwinClassification *classification =
      g_malloc(sizeof(SwinClassification) + n_tags * sizeof(SwinTag));

  g_atomic_ref_count_init(&classification->ref_count);
  classification->inference = swin_inference_ref(inference);
  classification->timestamp = timestamp;
  classification->outputs = outputs;
  classification->n_tags = n_tags;
  return classification;
}

// The same result with room for other tags.
static SwinClassification *allocate_like(const SwinClassification *classification, guint n_tags) {
  GPtrArray *outputs = classification->outputs;

  return allocate(classification->inference, classification->timestamp,
                  outputs != NULL ? g_ptr_array_ref(outputs) : NULL, n_tags);
}

SwinClassification *swin_classification_new(SwinInference *inference, const SwinResult *result,
                                            GstClockTime timestamp) {
  SwinClassification *classification =
      allocate(inference, timestamp, copy_outputs(result), result->n_tags);

  for (guint i = 0; i < result->n_tags; i++)
    classification->tags[i] = result->tags[i];
  return classification;
}

SwinClassification *swin_classification_retag(const SwinClassification *classification,
                                              const SwinTag *tags, guint n_tags) {
  SwinClassification *retagged = allocate_like(classification, n_tags);

  for (guint i = 0; i < n_tags; i++)
    retagged->tags[i] = tags[i];
  return retagged;
}

const SwinTensorCopy *swin_classification_find_output(const SwinClassification *classification,
                                                      const gchar *name) {
  const GPtrArray *outputs = classification->outputs;

  for (guint i = 0; outputs != NULL && i < outputs->len; i++) {
    const SwinTensorCopy *tensor = g_ptr_array_index(outputs, i);

    if (strcmp(tensor->name, name) == 0)
      return tensor;
  }
  return NULL;
}

SwinClassification *swin_classification_ref(SwinClassification *classification) {
  g_atomic_ref_count_inc(&classification->ref_count);
  return classification;
}

void swin_classification_unref(SwinClassification *classification) {
  if (classification == NULL || !g_atomic_ref_count_dec(&classification->ref_count))
    return;
  swin_inference_unref(classification->inference);
  g_clear_pointer(&classification->outputs, g_ptr_array_unref);
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

  passed = allocate_like(classification, n_passed);
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
  gst_structure_set(
      structure, "model", G_TYPE_STRING, swin_inference_get_model_name(classification->inference),
      "precision", G_TYPE_STRING,
      gst_swin_classify_precision_get_name(swin_inference_get_precision(classification->inference)),
      NULL);
  gst_structure_take_value(structure, "labels", &labels);
  gst_structure_take_value(structure, "confidences", &confidences);
  gst_structure_take_value(structure, "indices", &indices);
}
