// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fake-inference.h"

struct _SwinInference {
  gatomicrefcount ref_count;
  gchar *name;
  guint n_classes;
  SwinActivation activation;
  SwinInferenceDisposer disposer;
  gpointer disposer_data;
};

struct _SwinMapping {
  gatomicrefcount ref_count;
};

typedef struct {
  SwinFrame frame;
  GDestroyNotify release;
  gpointer keep_alive;
  SwinResultFunc done;
  gpointer user_data;
} Submission;

static gint n_alive;
static GPtrArray *submissions;
static gboolean is_immediate;
static gboolean refuses;
static guint n_before_refusal;
static SwinError refusal;

/* ---- Inferences and classifiers ------------------------------------------------------------ */

SwinInference *fake_inference_new(const gchar *name, guint n_classes, SwinActivation activation) {
  SwinInference *inference = g_new0(SwinInference, 1);

  g_atomic_ref_count_init(&inference->ref_count);
  inference->name = g_strdup(name);
  inference->n_classes = n_classes;
  inference->activation = activation;
  g_atomic_int_inc(&n_alive);
  return inference;
}

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
    disposer(inference, inference->disposer_data);
    return;
  }
  g_free(inference->name);
  g_free(inference);
  g_atomic_int_add(&n_alive, -1);
}

void swin_inference_set_disposer(SwinInference *inference, SwinInferenceDisposer disposer,
                                 gpointer user_data) {
  inference->disposer = disposer;
  inference->disposer_data = user_data;
}

SwinClassifier *swin_inference_get_classifier(SwinInference *inference) {
  return (SwinClassifier *)inference;
}

const gchar *swin_inference_get_model_name(const SwinInference *inference) {
  return inference->name;
}

SwinPrecision swin_inference_get_precision(const SwinInference *inference) {
  (void)inference;
  return SWIN_PRECISION_FP32;
}

GQuark swin_inference_get_label(const SwinInference *inference, guint index) {
  g_autofree gchar *label = g_strdup_printf("%u", index);

  g_return_val_if_fail(index < inference->n_classes, 0);
  return g_quark_from_string(label);
}

gfloat swin_inference_get_threshold(const SwinInference *inference, guint index, gfloat general) {
  (void)inference, (void)index;
  return general;
}

SwinActivation swin_classifier_get_activation(SwinClassifier *classifier) {
  return ((SwinInference *)classifier)->activation;
}

/* ---- Mappings ------------------------------------------------------------------------------ */

SwinMapping *fake_mapping_new(void) {
  SwinMapping *mapping = g_new0(SwinMapping, 1);

  g_atomic_ref_count_init(&mapping->ref_count);
  g_atomic_int_inc(&n_alive);
  return mapping;
}

SwinMapping *swin_mapping_ref(SwinMapping *mapping) {
  g_atomic_ref_count_inc(&mapping->ref_count);
  return mapping;
}

void swin_mapping_unref(gpointer data) {
  SwinMapping *mapping = data;

  if (mapping == NULL || !g_atomic_ref_count_dec(&mapping->ref_count))
    return;
  g_free(mapping);
  g_atomic_int_add(&n_alive, -1);
}

guint fake_n_alive(void) {
  return (guint)g_atomic_int_get(&n_alive);
}

/* ---- Submissions --------------------------------------------------------------------------- */

void fake_refuse(guint n_good, SwinError code) {
  refuses = TRUE;
  n_before_refusal = n_good;
  refusal = code;
}

void fake_set_immediate(gboolean immediate) {
  is_immediate = immediate;
}

guint fake_n_submitted(void) {
  return submissions != NULL ? submissions->len : 0;
}

const SwinFrame *fake_get_frame(guint n) {
  const Submission *submission = g_ptr_array_index(submissions, n);

  return &submission->frame;
}

void fake_complete(guint n, const GError *error) {
  Submission *submission = g_ptr_array_index(submissions, n);
  const SwinTag tag = {.index = n, .confidence = 0.5f};
  const SwinResult result = {
      .error = error, .n_tags = error == NULL ? 1 : 0, .tags = error == NULL ? &tag : NULL};

  submission->release(submission->keep_alive);
  submission->done(NULL, &result, submission->user_data);
}

void fake_reset(void) {
  g_clear_pointer(&submissions, g_ptr_array_unref);
  is_immediate = FALSE;
  refuses = FALSE;
}

GQuark swin_error_quark(void) {
  return g_quark_from_static_string("swin-error-quark");
}

gboolean swin_classifier_submit(SwinClassifier *classifier, const SwinFrame *frame,
                                GDestroyNotify release, gpointer keep_alive, SwinResultFunc done,
                                gpointer user_data, GError **error) {
  Submission *submission;

  (void)classifier;
  if (refuses && n_before_refusal-- == 0) {
    refuses = FALSE;
    g_set_error_literal(error, SWIN_ERROR, refusal, "Refused.");
    return FALSE;
  }
  submission = g_new(Submission, 1);
  *submission = (Submission){.frame = *frame,
                             .release = release,
                             .keep_alive = keep_alive,
                             .done = done,
                             .user_data = user_data};
  if (submissions == NULL)
    submissions = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(submissions, submission);
  if (is_immediate)
    fake_complete(submissions->len - 1, NULL);
  return TRUE;
}
