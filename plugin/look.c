// SPDX-License-Identifier: LGPL-2.1-or-later
#include "look.h"

SwinLook *swin_look_new(const SwinInput *input, SwinOrientation orientation,
                        const SwinPosition *position, GArray *regions, SwinObjects *objects) {
  SwinLook *look = g_new0(SwinLook, 1);

  g_atomic_ref_count_init(&look->ref_count);
  look->input = *input;
  look->orientation = orientation;
  look->position = *position;
  look->arrived = g_get_monotonic_time();
  look->regions = regions;
  look->objects = objects;
  return look;
}

SwinLook *swin_look_new_detached(const SwinLook *look) {
  return swin_look_new(&look->input, look->orientation, &look->position, g_array_ref(look->regions),
                       swin_objects_ref(look->objects));
}

SwinLook *swin_look_ref(SwinLook *look) {
  g_atomic_ref_count_inc(&look->ref_count);
  return look;
}

void swin_look_unref(SwinLook *look) {
  if (look == NULL || !g_atomic_ref_count_dec(&look->ref_count))
    return;
  if (!look->taken)
    swin_look_give_up(look);
  g_array_unref(look->regions);
  swin_objects_unref(look->objects);
  gst_clear_buffer(&look->buffer);
  swin_job_unref(look->job);
  g_clear_error(&look->error);
  g_free(look);
}

void swin_look_give_up(SwinLook *look) {
  const SwinJob *job = look->job;

  // It was the look that counts, maybe the only one.
  for (guint i = 0; job != NULL && i < job->n_regions; i++) {
    if (job->regions[i].is_tracked)
      swin_objects_make_due(look->objects, job->regions[i].track);
  }
  g_clear_pointer(&look->job, swin_job_unref);
}

static gboolean is_due(const SwinRegion *region, SwinObjects *objects, guint interval) {
  return !region->is_tracked || swin_objects_is_due(objects, region->track, interval);
}

gboolean swin_look_prepare(SwinLook *look, SwinInference *inference, guint interval) {
  g_autoptr(GArray) due = g_array_new(FALSE, FALSE, sizeof(SwinRegion));

  for (guint i = 0; i < look->regions->len; i++) {
    const SwinRegion *region = &g_array_index(look->regions, SwinRegion, i);

    if (is_due(region, look->objects, interval))
      g_array_append_val(due, *region);
  }
  if (due->len == 0)
    return FALSE;
  look->job = swin_job_new(inference, (const SwinRegion *)(gpointer)due->data, due->len,
                           look->position.timestamp);
  return TRUE;
}

gboolean swin_look_submit(SwinLook *look, GstBuffer *buffer, SwinFlight *flight, SwinStats *stats,
                          SwinJobFunc done, gpointer user_data, GError **error) {
  // The frame may leave, and @look with it, before the submission returns.
  g_autoptr(SwinJob) job = swin_job_ref(look->job);
  g_autoptr(SwinMapping) mapping = NULL;
  SwinFrame frame;

  mapping = swin_input_map(&look->input, buffer, swin_inference_get_device(job->inference), &frame,
                           error);
  if (mapping != NULL) {
    if (frame.memory == SWIN_FRAME_MEMORY_HOST)
      swin_stats_count(stats, SWIN_STATS_HOST_COPIES);
    frame.orientation = look->orientation;
    if (swin_flight_submit(flight, job, &frame, mapping, done, user_data, error))
      return TRUE;
  }
  swin_look_give_up(look);
  return FALSE;
}

SwinClassification *swin_look_find_result(const SwinLook *look, const SwinRegion *region) {
  const SwinJob *job = look->job;

  for (guint i = 0; job != NULL && i < job->n_regions; i++) {
    if (job->regions[i].kind == region->kind && job->regions[i].id == region->id)
      return job->results[i];
  }
  return NULL;
}
