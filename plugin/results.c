// SPDX-License-Identifier: LGPL-2.1-or-later
// From finished inferences to what frames carry and messages tell. All in the source pad's task, in
// the order in which frames leave.
#include "message.h"
#include "metadata.h"
#include "swinclassify.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug

typedef struct {
  gfloat threshold;
  gboolean post_messages;
  guint unique_id;
  gfloat smoothing;
  guint tensors; /* GstSwinClassifyTensors */
} Wishes;

static Wishes get_wishes(GstSwinClassify *self) {
  Wishes wishes;

  GST_OBJECT_LOCK(self);
  wishes = (Wishes){self->controls.threshold, self->controls.post_messages,
                    self->controls.unique_id, self->settings.smoothing, self->settings.tensors};
  GST_OBJECT_UNLOCK(self);
  return wishes;
}

/* ---- In ------------------------------------------------------------------------------------ */

// (transfer full): an object without a track has no past.
static SwinClassification *smooth(GstSwinClassify *self, const SwinRegion *region,
                                  SwinClassification *result, gfloat factor) {
  gboolean is_known = region->kind == SWIN_REGION_FRAME || region->is_tracked;

  // The model may have been opened before smoothing was wanted.
  if (factor <= 0.0f || !is_known || swin_classification_find_output(result, "logits") == NULL)
    return swin_classification_ref(result);
  return swin_smoothing_apply(self->smoothing, result, factor,
                              region->kind == SWIN_REGION_FRAME ? NULL : &region->track);
}

static void remember(GstSwinClassify *self, const SwinLook *look, const SwinRegion *region,
                     SwinClassification *result) {
  if (region->kind == SWIN_REGION_FRAME) {
    swin_classification_unref(self->last);
    self->last = swin_classification_ref(result);
    swin_classification_unref(self->fresh);
    self->fresh = swin_classification_ref(result);
  } else if (region->is_tracked) {
    swin_objects_store(look->objects, region->track, result);
  }
}

static void take_result(GstSwinClassify *self, const SwinLook *look, guint number,
                        const Wishes *wishes) {
  const SwinRegion *region = &look->job->regions[number];
  SwinClassification *result = look->job->results[number];
  g_autoptr(SwinClassification) smoothed = smooth(self, region, result, wishes->smoothing);
  g_autoptr(SwinClassification) passed = NULL;

  remember(self, look, region, smoothed);
  if (!wishes->post_messages)
    return;
  passed = swin_classification_filter(smoothed, wishes->threshold);
  gst_element_post_message(GST_ELEMENT_CAST(self), swin_message_new_classification(
                                                       GST_OBJECT(self), &look->position.segment,
                                                       region, passed, wishes->unique_id));
}

// As GstVideoFilter does, a buffer that is no picture passes with a warning: one for a run of them.
static void warn_unreadable(GstSwinClassify *self, const GError *failure) {
  if (!self->warned)
    GST_ELEMENT_WARNING(self, STREAM, WRONG_TYPE, ("%s", failure->message),
                        ("The buffer passes without tags of its own."));
  self->warned = TRUE;
}

// An inference that was cancelled says nothing of its frame, one of a frame that turned out to be
// unreadable warns, and all other errors are the end.
static gboolean take_error(GstSwinClassify *self, const GError *failure, GError **error) {
  if (g_error_matches(failure, SWIN_ERROR, SWIN_ERROR_CANCELLED))
    return TRUE;
  if (g_error_matches(failure, SWIN_ERROR, SWIN_ERROR_FRAME)) {
    warn_unreadable(self, failure);
    return TRUE;
  }
  g_propagate_error(error, g_error_copy(failure));
  return FALSE;
}

static gboolean take_look(GstSwinClassify *self, SwinLook *look, GError **error) {
  const SwinJob *job = look->job;
  Wishes wishes;

  if (look->error != NULL)
    return take_error(self, look->error, error);
  if (job == NULL)
    return TRUE;
  if (job->error != NULL) {
    const gboolean goes_on = take_error(self, job->error, error);

    swin_look_give_up(look);
    return goes_on;
  }
  GST_LOG_OBJECT(self, "frame %" GST_TIME_FORMAT ": %u inferences of %s in %" G_GINT64_FORMAT " us",
                 GST_TIME_ARGS(look->position.timestamp), job->n_regions,
                 swin_inference_get_model_name(job->inference), job->latency);
  self->warned = FALSE;
  look->taken = TRUE;
  swin_stats_count(self->stats, SWIN_STATS_CLASSIFIED);
  swin_stats_add(self->stats, SWIN_STATS_INFERENCES, job->n_regions);
  swin_stats_add_latency(self->stats, job->submitted + job->latency - look->arrived);
  gst_swin_classify_note_latency(self, job->latency);
  wishes = get_wishes(self);
  for (guint i = 0; i < job->n_regions; i++)
    take_result(self, look, i, &wishes);
  return TRUE;
}

// A later frame's result is not a frame's to carry, and what comes of an earlier stream when that
// has ended is nobody's.
gboolean gst_swin_classify_take_results(GstSwinClassify *self, SwinLook *look, GError **error) {
  const guint64 number = look != NULL ? look->position.number : G_MAXUINT64;
  SwinLook *finished;
  gboolean good = TRUE;

  while (good && (finished = swin_latest_take(self->latest, self->stream, number)) != NULL) {
    if (finished->position.stream == self->stream)
      good = take_look(self, finished, error);
    swin_look_unref(finished);
  }
  return good && (look == NULL || take_look(self, look, error));
}

/* ---- Out ----------------------------------------------------------------------------------- */

// (transfer full) (nullable): the newest that is known of @region.
static SwinClassification *find_result(GstSwinClassify *self, const SwinLook *look,
                                       const SwinRegion *region) {
  SwinClassification *result;

  if (region->kind == SWIN_REGION_FRAME)
    result = self->last;
  else if (region->is_tracked)
    return swin_objects_lookup(look->objects, region->track);
  else
    result = swin_look_find_result(look, region);
  return result != NULL ? swin_classification_ref(result) : NULL;
}

// (transfer none) (nullable): of what @region is to carry tensors. Each result's travel once.
static SwinClassification *find_tensors(GstSwinClassify *self, const SwinLook *look,
                                        const SwinRegion *region) {
  return region->kind == SWIN_REGION_FRAME ? self->fresh : swin_look_find_result(look, region);
}

static GstBuffer *tag_region(GstSwinClassify *self, const SwinLook *look, const SwinRegion *region,
                             const Wishes *wishes, GstBuffer *buffer) {
  g_autoptr(SwinClassification) result = find_result(self, look, region);
  g_autoptr(SwinClassification) passed = NULL;
  SwinClassification *tensors = wishes->tensors != 0 ? find_tensors(self, look, region) : NULL;

  if (result != NULL)
    passed = swin_classification_filter(result, wishes->threshold);
  if (tensors == NULL && (passed == NULL || passed->n_tags == 0))
    return buffer;
  buffer = gst_buffer_make_writable(buffer);
  if (passed != NULL)
    swin_metadata_attach(buffer, region, passed, wishes->unique_id);
  if (tensors != NULL)
    swin_metadata_attach_tensors(buffer, region, tensors, wishes->unique_id, wishes->tensors);
  return buffer;
}

GstBuffer *gst_swin_classify_tag(GstSwinClassify *self, const SwinLook *look, GstBuffer *buffer) {
  Wishes wishes = get_wishes(self);

  for (guint i = 0; i < look->regions->len; i++)
    buffer = tag_region(self, look, &g_array_index(look->regions, SwinRegion, i), &wishes, buffer);
  g_clear_pointer(&self->fresh, swin_classification_unref);
  return buffer;
}
