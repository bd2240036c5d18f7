// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job.h"

// One region of a job under way. Owns a reference to the job.
typedef struct {
  SwinJob *job;
  guint region;
} Completion;

SwinJob *swin_job_new(SwinInference *inference, const SwinRegion *regions, guint n_regions,
                      GstClockTime timestamp) {
  SwinJob *job = g_new0(SwinJob, 1);

  g_atomic_ref_count_init(&job->ref_count);
  g_mutex_init(&job->lock);
  job->inference = swin_inference_ref(inference);
  job->n_regions = n_regions;
  job->regions = g_memdup2(regions, n_regions * sizeof(SwinRegion));
  job->results = g_new0(SwinClassification *, n_regions);
  job->timestamp = timestamp;
  return job;
}

SwinJob *swin_job_ref(SwinJob *job) {
  g_atomic_ref_count_inc(&job->ref_count);
  return job;
}

static void clear_results(SwinJob *job) {
  for (guint i = 0; i < job->n_regions; i++)
    g_clear_pointer(&job->results[i], swin_classification_unref);
}

void swin_job_unref(SwinJob *job) {
  if (job == NULL || !g_atomic_ref_count_dec(&job->ref_count))
    return;
  clear_results(job);
  g_free(job->results);
  g_free(job->regions);
  g_clear_error(&job->error);
  swin_inference_unref(job->inference);
  g_mutex_clear(&job->lock);
  g_free(job);
}

static void begin_one(SwinJob *job) {
  g_mutex_lock(&job->lock);
  job->n_pending++;
  g_mutex_unlock(&job->lock);
}

// Whether that was the last one.
static gboolean end_one(SwinJob *job) {
  gboolean is_last;

  g_mutex_lock(&job->lock);
  is_last = --job->n_pending == 0;
  g_mutex_unlock(&job->lock);
  return is_last;
}

static void set_error(SwinJob *job, const GError *error) {
  g_mutex_lock(&job->lock);
  if (job->error == NULL)
    job->error = g_error_copy(error);
  g_mutex_unlock(&job->lock);
}

// Nothing is under way any more, so no other thread looks at the job before it hears of this.
static void finish(SwinJob *job) {
  job->latency = g_get_monotonic_time() - job->submitted;
  if (job->error != NULL)
    clear_results(job);
  job->done(job, job->user_data);
}

static void receive_result(SwinClassifier *classifier, const SwinResult *result,
                           gpointer user_data) {
  Completion *completion = user_data;
  SwinJob *job = completion->job;

  (void)classifier;
  if (result->error != NULL)
    set_error(job, result->error);
  else
    job->results[completion->region] =
        swin_classification_new(job->inference, result, job->timestamp);
  g_free(completion);
  if (end_one(job))
    finish(job);
  swin_job_unref(job);
}

// The region of an object within what a GstVideoCropMeta leaves of the frame. Objects were cut to
// that when they were found.
static SwinFrame crop_frame(const SwinFrame *frame, const SwinRegion *region) {
  SwinFrame cropped = *frame;

  if (region->kind == SWIN_REGION_FRAME)
    return cropped;
  cropped.crop = region->rectangle;
  if (frame->crop.width > 0 && frame->crop.height > 0) {
    cropped.crop.x += frame->crop.x;
    cropped.crop.y += frame->crop.y;
  }
  return cropped;
}

static gboolean submit_region(SwinJob *job, const SwinFrame *frame, SwinMapping *mapping,
                              guint region, GError **error) {
  SwinClassifier *classifier = swin_inference_get_classifier(job->inference);
  SwinFrame cropped = crop_frame(frame, &job->regions[region]);
  Completion *completion = g_new(Completion, 1);

  completion->job = swin_job_ref(job);
  completion->region = region;
  begin_one(job);
  if (swin_classifier_submit(classifier, &cropped, swin_mapping_unref, swin_mapping_ref(mapping),
                             receive_result, completion, error))
    return TRUE;
  end_one(job);
  swin_mapping_unref(mapping);
  swin_job_unref(job);
  g_free(completion);
  return FALSE;
}

gboolean swin_job_submit(SwinJob *job, const SwinFrame *frame, SwinMapping *mapping,
                         SwinJobFunc done, gpointer user_data, GError **error) {
  GError *refusal = NULL;
  guint n_submitted = 0;

  job->done = done;
  job->user_data = user_data;
  job->submitted = g_get_monotonic_time();
  // The submission counts as one more that is under way, so that results which come meanwhile do
  // not complete the job.
  begin_one(job);
  while (n_submitted < job->n_regions && submit_region(job, frame, mapping, n_submitted, &refusal))
    n_submitted++;
  if (n_submitted == 0) {
    end_one(job);
    g_propagate_error(error, refusal);
    return FALSE;
  }
  if (refusal != NULL)
    set_error(job, refusal);
  g_clear_error(&refusal);
  if (end_one(job))
    finish(job);
  return TRUE;
}
