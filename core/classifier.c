// SPDX-License-Identifier: LGPL-2.1-or-later
#include "executor.h"
#include "gpu/device.h"
#include "image.h"
#include "scheduler.h"

#include <string.h>

struct _SwinClassifier {
  SwinCaller caller;          /* first, so that the two addresses are one */
  gatomicrefcount references; /* the application's */
  SwinScheduler *scheduler;
};

typedef struct {
  SwinRequest request; /* first, as above */
  SwinClassifier *classifier;
  SwinResultFunc done;
  gpointer user_data;
} Submission;

/* Classifiers whose last caller left from within a callback are freed on a thread of the library. A
 * process must not end in the middle of that, for the driver is torn down with it. */
static GMutex orphans_lock;
static GCond orphans_changed;
static guint n_orphans;

static void wait_for_orphans(void) {
  if (swin_executor_is_own_thread())
    return;
  g_mutex_lock(&orphans_lock);
  while (n_orphans > 0)
    g_cond_wait(&orphans_changed, &orphans_lock);
  g_mutex_unlock(&orphans_lock);
}

static void count_orphan(void) {
  static gboolean registered;
  g_mutex_lock(&orphans_lock);
  /* Only now, so that it runs before the exit handlers of the driver, which is loaded by now. */
  if (!registered)
    registered = atexit(wait_for_orphans) == 0;
  n_orphans++;
  g_mutex_unlock(&orphans_lock);
}

static void uncount_orphan(void) {
  g_mutex_lock(&orphans_lock);
  n_orphans--;
  g_cond_broadcast(&orphans_changed);
  g_mutex_unlock(&orphans_lock);
}

static void classifier_free(SwinClassifier *classifier) {
  swin_scheduler_unref(classifier->scheduler);
  g_free(classifier);
}

static void submission_complete(SwinRequest *request, const SwinResult *result) {
  Submission *submission = (Submission *)request;
  submission->done(submission->classifier, result, submission->user_data);
  g_free(submission);
}

SwinClassifier *swin_classifier_new(SwinDevice *device, SwinModel *model,
                                    const SwinClassifierParams *params, GError **error) {
  const SwinClassifierParams defaults = SWIN_CLASSIFIER_PARAMS_DEFAULT;
  SwinScheduler *scheduler = swin_scheduler_get(device, model, params ? params : &defaults, error);
  if (!scheduler)
    return NULL;
  SwinClassifier *classifier = g_new0(SwinClassifier, 1);
  g_atomic_ref_count_init(&classifier->references);
  classifier->scheduler = scheduler;
  return classifier;
}

SwinClassifier *swin_classifier_ref(SwinClassifier *classifier) {
  g_atomic_ref_count_inc(&classifier->references);
  return classifier;
}

static void orphan_free(SwinCaller *caller) {
  classifier_free((SwinClassifier *)caller);
  uncount_orphan();
}

/* On a thread of the library the frames under way cannot be waited for. */
static void leave_to_last_frame(SwinClassifier *classifier) {
  count_orphan();
  if (!swin_scheduler_leave(classifier->scheduler, &classifier->caller, orphan_free))
    orphan_free(&classifier->caller);
}

void swin_classifier_unref(SwinClassifier *classifier) {
  if (!classifier || !g_atomic_ref_count_dec(&classifier->references))
    return;
  if (swin_executor_is_own_thread()) {
    leave_to_last_frame(classifier);
  } else {
    swin_classifier_drain(classifier);
    classifier_free(classifier);
  }
}

SwinModel *swin_classifier_get_model(SwinClassifier *classifier) {
  return swin_scheduler_get_model(classifier->scheduler);
}

SwinDevice *swin_classifier_get_device(SwinClassifier *classifier) {
  return swin_scheduler_get_device(classifier->scheduler);
}

guint swin_classifier_get_top_k(SwinClassifier *classifier) {
  return swin_scheduler_get_top_k(classifier->scheduler);
}

SwinPrecision swin_classifier_get_precision(SwinClassifier *classifier) {
  return swin_scheduler_get_precision(classifier->scheduler);
}

SwinActivation swin_classifier_get_activation(SwinClassifier *classifier) {
  return swin_scheduler_get_activation(classifier->scheduler);
}

void swin_classifier_get_stats(SwinClassifier *classifier, SwinClassifierStats *stats) {
  SwinClassifierStats all = {.struct_size = stats->struct_size};
  swin_scheduler_get_stats(classifier->scheduler, &all);
  /* A caller of an older version has room for less. */
  memcpy(stats, &all, MIN(stats->struct_size, sizeof(all)));
}

gboolean swin_classifier_submit(SwinClassifier *classifier, const SwinFrame *frame,
                                GDestroyNotify release, gpointer keep_alive, SwinResultFunc done,
                                gpointer user_data, GError **error) {
  SwinDevice *device = swin_classifier_get_device(classifier);
  if (!swin_frame_check(frame, error))
    return FALSE;
  if (swin_device_is_lost(device))
    return swin_device_check(device, VK_ERROR_DEVICE_LOST, "accepting a frame", error);
  Submission *submission = g_new0(Submission, 1);
  submission->classifier = classifier;
  submission->done = done;
  submission->user_data = user_data;
  submission->request = (SwinRequest){
      .frame = *frame,
      .release = release,
      .keep_alive = keep_alive,
      .complete = submission_complete,
  };
  swin_scheduler_push(classifier->scheduler, &classifier->caller, &submission->request);
  return TRUE;
}

/** Answer: what swin_classifier_classify() waits for. */
typedef struct {
  GMutex lock;
  GCond arrived;
  gboolean done;
  SwinTag *tags; /* the caller's */
  guint n_tags;
  GError *error;
} Answer;

static void answer_arrives(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                           gpointer user_data) {
  Answer *answer = user_data;
  g_mutex_lock(&answer->lock);
  for (guint i = 0; i < result->n_tags; i++)
    answer->tags[i] = result->tags[i];
  answer->n_tags = result->n_tags;
  answer->error = result->error ? g_error_copy(result->error) : NULL;
  answer->done = TRUE;
  g_cond_signal(&answer->arrived);
  g_mutex_unlock(&answer->lock);
}

gboolean swin_classifier_classify(SwinClassifier *classifier, const SwinFrame *frame, SwinTag *tags,
                                  guint *n_tags, GError **error) {
  Answer answer = {.tags = tags};
  g_mutex_init(&answer.lock);
  g_cond_init(&answer.arrived);
  if (swin_classifier_submit(classifier, frame, NULL, NULL, answer_arrives, &answer,
                             &answer.error)) {
    g_mutex_lock(&answer.lock);
    while (!answer.done)
      g_cond_wait(&answer.arrived, &answer.lock);
    g_mutex_unlock(&answer.lock);
  }
  g_cond_clear(&answer.arrived);
  g_mutex_clear(&answer.lock);
  *n_tags = answer.n_tags;
  if (!answer.error)
    return TRUE;
  g_propagate_error(error, answer.error);
  return FALSE;
}

void swin_classifier_cancel(SwinClassifier *classifier) {
  swin_scheduler_cancel(classifier->scheduler, &classifier->caller);
}

void swin_classifier_drain(SwinClassifier *classifier) {
  swin_scheduler_drain(classifier->scheduler, &classifier->caller);
}
