// SPDX-License-Identifier: LGPL-2.1-or-later
// What holds the way of a frame together: pads, their activation, and what is forgotten when.
#include "swinclassify.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug

void gst_swin_classify_add_pad_templates(GstElementClass *klass) {
  g_autoptr(GstCaps) caps = swin_input_caps();

  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
}

/* ---- Forgetting ---------------------------------------------------------------------------- */

void gst_swin_classify_withdraw(GstSwinClassify *self) {
  if (swin_latest_withdraw(self->latest))
    swin_stats_count(self->stats, SWIN_STATS_SKIPPED);
}

static void reset_latest(GstSwinClassify *self) {
  if (swin_latest_reset(self->latest))
    swin_stats_count(self->stats, SWIN_STATS_SKIPPED);
}

void gst_swin_classify_renew_objects(GstSwinClassify *self) {
  SwinObjects *old;

  GST_OBJECT_LOCK(self);
  old = self->objects;
  self->objects = swin_objects_new();
  GST_OBJECT_UNLOCK(self);
  swin_objects_unref(old);
}

SwinObjects *gst_swin_classify_ref_objects(GstSwinClassify *self) {
  SwinObjects *objects;

  GST_OBJECT_LOCK(self);
  objects = swin_objects_ref(self->objects);
  GST_OBJECT_UNLOCK(self);
  return objects;
}

// What waits goes first, or it would be begun with as soon as what is under way is cancelled.
void gst_swin_classify_cancel(GstSwinClassify *self) {
  reset_latest(self);
  swin_flight_cancel(self->flight);
}

static void forget_frames(GstSwinClassify *self) {
  gst_swin_classify_renew_objects(self);
  gst_swin_classify_reset_qos(self);
  self->frames_until_inference = 0;
}

void gst_swin_classify_begin_stream(GstSwinClassify *self) {
  gst_swin_classify_withdraw(self);
  self->n_streams++;
  forget_frames(self);
}

void gst_swin_classify_restart_stream(GstSwinClassify *self) {
  reset_latest(self);
  forget_frames(self);
}

void gst_swin_classify_forget_results(GstSwinClassify *self) {
  g_clear_pointer(&self->last, swin_classification_unref);
  g_clear_pointer(&self->fresh, swin_classification_unref);
  swin_smoothing_clear(self->smoothing);
  self->warned = FALSE;
}

/* ---- Start and stop ------------------------------------------------------------------------ */

gboolean gst_swin_classify_start_task(GstSwinClassify *self) {
  return gst_pad_start_task(self->source_pad, gst_swin_classify_source_task, self, NULL);
}

static gboolean activate_sink(GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  (void)pad;
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    self->negotiated = FALSE;
    self->orientation_tags = (SwinOrientationTags){0};
    gst_segment_init(&self->sink_segment, GST_FORMAT_TIME);
    gst_swin_classify_restart_stream(self);
    gst_swin_classify_forget_live(self);
  } else {
    swin_queue_stop(self->queue);
  }
  return TRUE;
}

static gboolean activate_source(GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    swin_queue_start(self->queue);
    return gst_swin_classify_start_task(self);
  }
  swin_queue_stop(self->queue);
  return gst_pad_stop_task(pad);
}

void gst_swin_classify_stop_stream(GstSwinClassify *self) {
  swin_stats_add(self->stats, SWIN_STATS_DROPPED, swin_queue_purge(self->queue, NULL));
  gst_swin_classify_restart_stream(self);
  gst_swin_classify_forget_results(self);
  GST_OBJECT_LOCK(self);
  self->live = FALSE;
  self->live_known = FALSE;
  self->latency = 0;
  GST_OBJECT_UNLOCK(self);
}

/* ---- Life ---------------------------------------------------------------------------------- */

static GstPad *add_pad(GstSwinClassify *self, const gchar *name,
                       GstPadActivateModeFunction activate, GstPadEventFunction event,
                       GstPadQueryFunction query) {
  GstPadTemplate *template = gst_element_get_pad_template(GST_ELEMENT_CAST(self), name);
  GstPad *pad = gst_pad_new_from_template(template, name);

  gst_pad_set_activatemode_function(pad, activate);
  gst_pad_set_event_function(pad, event);
  gst_pad_set_query_function(pad, query);
  GST_PAD_SET_PROXY_CAPS(pad);
  gst_element_add_pad(GST_ELEMENT_CAST(self), pad);
  return pad;
}

void gst_swin_classify_init_stream(GstSwinClassify *self) {
  self->queue = swin_queue_new();
  self->flight = swin_flight_new();
  self->latest = swin_latest_new(gst_swin_classify_look_at, self);
  self->objects = swin_objects_new();
  self->smoothing = swin_smoothing_new();
  self->stats = swin_stats_new();
  self->earliest = GST_CLOCK_TIME_NONE;
  gst_segment_init(&self->sink_segment, GST_FORMAT_TIME);

  self->sink_pad = add_pad(self, "sink", activate_sink, gst_swin_classify_sink_event,
                           gst_swin_classify_sink_query);
  gst_pad_set_chain_function(self->sink_pad, gst_swin_classify_sink_chain);
  self->source_pad = add_pad(self, "src", activate_source, gst_swin_classify_source_event,
                             gst_swin_classify_source_query);
}

void gst_swin_classify_free_stream(GstSwinClassify *self) {
  swin_latest_free(self->latest);
  swin_flight_free(self->flight);
  swin_queue_unref(self->queue);
  swin_objects_unref(self->objects);
  swin_smoothing_free(self->smoothing);
  swin_stats_free(self->stats);
}
