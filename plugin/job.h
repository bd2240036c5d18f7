// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * job.h: the inferences of one frame: one of the whole of it, or one of each region.
 */
#ifndef SWIN_PLUGIN_JOB_H
#define SWIN_PLUGIN_JOB_H

#include "classification.h"
#include "input.h"
#include "region.h"

/** SwinJob: reference counted, any thread; what is public of it is constant once it is done. */
typedef struct {
  gatomicrefcount ref_count;
  SwinInference *inference; /* owned */
  guint n_regions;
  SwinRegion *regions;          /* [n_regions] */
  SwinClassification **results; /* [n_regions], owned; all NULL where error is set */
  GError *error;                /* (nullable): the first that came */
  gint64 submitted;             /* monotonic time, in us */
  gint64 latency;               /* from submission to the last result, in us */

  /* The job's own. */
  GstClockTime timestamp;
  GMutex lock;
  guint n_pending;
  void (*done)(gpointer job, gpointer user_data);
  gpointer user_data;
} SwinJob;

/** SwinJobFunc: once a job, from a thread of the library or from the submission; must not block. */
typedef void (*SwinJobFunc)(gpointer job, gpointer user_data);

/**
 * swin_job_new: (transfer full): nothing is under way yet.
 * @inference: referenced
 * @regions: at least one; copied
 * @timestamp: presentation time of the frame, which results carry
 */
SwinJob *swin_job_new(SwinInference *inference, const SwinRegion *regions, guint n_regions,
                      GstClockTime timestamp);
SwinJob *swin_job_ref(SwinJob *job);
void swin_job_unref(SwinJob *job); /* NULL-safe */

/**
 * swin_job_submit: submits every region of a frame to the classifier of the job's inference, once a
 * job.
 * @frame: of the whole frame; its crop is where the regions count from, so a GstVideoCropMeta moves
 *   them along
 * @mapping: of the frame; referenced as long as pixels are needed
 * @done: called when the last region has completed, or as soon as none of them can
 *
 * Returns: FALSE with the error of swin_classifier_submit() where the first region is refused; then
 *   @done is not called. Where a later one is, the job fails through @done.
 */
gboolean swin_job_submit(SwinJob *job, const SwinFrame *frame, SwinMapping *mapping,
                         SwinJobFunc done, gpointer user_data, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinJob, swin_job_unref)

#endif /* SWIN_PLUGIN_JOB_H */
