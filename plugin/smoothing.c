// SPDX-License-Identifier: LGPL-2.1-or-later
#include "smoothing.h"

#include <math.h>

// The past of the frame or of one object.
typedef struct {
  guint64 track;
  guint64 last_result; // number of a result
  gsize n_classes;
  gdouble scores[]; // [n_classes]
} Past;

struct _SwinSmoothing {
  SwinInference *inference; // (nullable): that made the last result
  Past *frame;              // (nullable)
  GHashTable *objects;      // of Past, by track
  guint64 n_results;
};

SwinSmoothing *swin_smoothing_new(void) {
  SwinSmoothing *smoothing = g_new0(SwinSmoothing, 1);

  // Keys are the first member of what they lead to.
  smoothing->objects = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
  return smoothing;
}

void swin_smoothing_clear(SwinSmoothing *smoothing) {
  g_clear_pointer(&smoothing->inference, swin_inference_unref);
  g_clear_pointer(&smoothing->frame, g_free);
  g_hash_table_remove_all(smoothing->objects);
}

void swin_smoothing_free(SwinSmoothing *smoothing) {
  if (smoothing == NULL)
    return;
  swin_smoothing_clear(smoothing);
  g_hash_table_unref(smoothing->objects);
  g_free(smoothing);
}

// Scores of one model mean nothing to another. The inference is kept, so that no other one can come
// to lie at its address.
static void begin_anew_with_another_model(SwinSmoothing *smoothing, SwinInference *inference) {
  if (smoothing->inference == inference)
    return;
  swin_smoothing_clear(smoothing);
  smoothing->inference = swin_inference_ref(inference);
}

static gboolean is_forgotten(gpointer track, gpointer data, gpointer user_data) {
  const Past *past = data;
  const SwinSmoothing *smoothing = user_data;

  (void)track;
  return smoothing->n_results - past->last_result > SWIN_SMOOTHING_MEMORY;
}

// NULL where there is none yet.
static Past *find_past(SwinSmoothing *smoothing, const guint64 *track) {
  return track != NULL ? g_hash_table_lookup(smoothing->objects, track) : smoothing->frame;
}

static Past *add_past(SwinSmoothing *smoothing, const guint64 *track, gsize n_classes) {
  Past *past = g_malloc0(sizeof(Past) + n_classes * sizeof(gdouble));

  past->n_classes = n_classes;
  if (track == NULL) {
    smoothing->frame = past;
  } else {
    past->track = *track;
    g_hash_table_insert(smoothing->objects, &past->track, past);
  }
  return past;
}

// A logit that is no number would stay in the average for good. As in the shader (top-k.comp) its
// class has a score of 0, and an infinite one is a large number.
static gdouble finite_logit(gfloat logit) {
  return isnan(logit) ? -G_MAXDOUBLE
                      : CLAMP((gdouble)logit, -(gdouble)G_MAXFLOAT, (gdouble)G_MAXFLOAT);
}

static void softmax(const gfloat *logits, gdouble *scores, gsize n_classes) {
  gdouble largest = -(gdouble)G_MAXFLOAT, sum = 0.0;

  for (gsize i = 0; i < n_classes; i++)
    largest = MAX(largest, finite_logit(logits[i]));
  // With the largest subtracted no power overflows, and the sum is at least 1 unless no logit is a
  // number.
  for (gsize i = 0; i < n_classes; i++) {
    scores[i] = exp(finite_logit(logits[i]) - largest);
    sum += scores[i];
  }
  for (gsize i = 0; i < n_classes; i++)
    scores[i] /= sum > 0.0 ? sum : 1.0;
}

static void sigmoid(const gfloat *logits, gdouble *scores, gsize n_classes) {
  // exp() overflows to infinity at worst, which gives 0 as it should.
  for (gsize i = 0; i < n_classes; i++)
    scores[i] = 1.0 / (1.0 + exp(-finite_logit(logits[i])));
}

// score = s * score + (1 - s) * new; the first is taken as it is.
static const gdouble *average(SwinSmoothing *smoothing, const guint64 *track, gdouble *scores,
                              gsize n_classes, gdouble factor) {
  Past *past = find_past(smoothing, track);

  if (past == NULL) {
    past = add_past(smoothing, track, n_classes);
    factor = 0.0;
  }
  past->last_result = smoothing->n_results;
  for (gsize i = 0; i < past->n_classes; i++)
    past->scores[i] = factor * past->scores[i] + (1.0 - factor) * scores[i];
  return past->scores;
}

// The best @n_tags classes, best first; of equal ones the first.
static void find_best(const gdouble *scores, gsize n_classes, SwinTag *tags, guint n_tags) {
  guint n_found = 0;

  for (guint i = 0; i < n_classes; i++) {
    guint position;

    if (n_found == n_tags && scores[i] <= scores[tags[n_tags - 1].index])
      continue;
    if (n_found < n_tags)
      n_found++;
    for (position = n_found - 1; position > 0 && scores[tags[position - 1].index] < scores[i];
         position--)
      tags[position] = tags[position - 1];
    tags[position] = (SwinTag){.index = i, .confidence = (gfloat)scores[i]};
  }
}

SwinClassification *swin_smoothing_apply(SwinSmoothing *smoothing,
                                         SwinClassification *classification, gfloat factor,
                                         const guint64 *track) {
  SwinInference *inference = classification->inference;
  const SwinTensorCopy *logits = swin_classification_find_output(classification, "logits");
  g_autofree gdouble *scores = NULL;
  g_autofree SwinTag *tags = NULL;
  const gdouble *averages;
  const gfloat *values;
  gsize size, n_classes;

  if (logits == NULL || classification->n_tags == 0)
    return swin_classification_ref(classification);
  values = g_bytes_get_data(logits->values, &size);
  n_classes = size / sizeof(gfloat);

  begin_anew_with_another_model(smoothing, inference);
  smoothing->n_results++;
  g_hash_table_foreach_remove(smoothing->objects, is_forgotten, smoothing);
  scores = g_new(gdouble, n_classes);
  if (swin_classifier_get_activation(swin_inference_get_classifier(inference)) ==
      SWIN_ACTIVATION_SIGMOID)
    sigmoid(values, scores, n_classes);
  else
    softmax(values, scores, n_classes);
  averages = average(smoothing, track, scores, n_classes, (gdouble)factor);

  tags = g_new(SwinTag, classification->n_tags);
  find_best(averages, n_classes, tags, classification->n_tags);
  return swin_classification_retag(classification, tags, classification->n_tags);
}
