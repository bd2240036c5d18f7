// SPDX-License-Identifier: LGPL-2.1-or-later
// Which frames are looked at, whether they wait for that, and what both mean for the latency of the
// pipeline.
#include "swinclassify.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug

/* ---- Live or not --------------------------------------------------------------------------- */

// Under the object lock.
static gboolean is_latest(const GstSwinClassify *self) {
  switch (self->controls.latency_policy) {
  case GST_SWIN_CLASSIFY_LATENCY_POLICY_EVERY:
    return FALSE;
  case GST_SWIN_CLASSIFY_LATENCY_POLICY_LATEST:
    return TRUE;
  case GST_SWIN_CLASSIFY_LATENCY_POLICY_AUTO:
    break;
  }
  return self->live;
}

gboolean gst_swin_classify_is_latest(GstSwinClassify *self) {
  gboolean latest;

  GST_OBJECT_LOCK(self);
  latest = is_latest(self);
  GST_OBJECT_UNLOCK(self);
  return latest;
}

static void note_live(GstSwinClassify *self, gboolean live) {
  gboolean changed;

  GST_OBJECT_LOCK(self);
  changed = !self->live_known || self->live != live;
  self->live = live;
  self->live_known = TRUE;
  GST_OBJECT_UNLOCK(self);
  if (changed)
    GST_DEBUG_OBJECT(self, "upstream is %s", live ? "live" : "not live");
}

void gst_swin_classify_ask_live(GstSwinClassify *self) {
  gboolean wanted;
  GstQuery *query;

  GST_OBJECT_LOCK(self);
  wanted =
      !self->live_known && self->controls.latency_policy == GST_SWIN_CLASSIFY_LATENCY_POLICY_AUTO;
  GST_OBJECT_UNLOCK(self);
  if (!wanted)
    return;
  query = gst_query_new_latency();
  if (gst_pad_peer_query(self->sink_pad, query)) {
    gboolean live;

    gst_query_parse_latency(query, &live, NULL, NULL);
    note_live(self, live);
  }
  gst_query_unref(query);
}

void gst_swin_classify_forget_live(GstSwinClassify *self) {
  GST_OBJECT_LOCK(self);
  self->live_known = FALSE;
  GST_OBJECT_UNLOCK(self);
}

/* ---- Latency ------------------------------------------------------------------------------- */

// A frame that waits leaves when its inference is done. Before the first one that takes as long as
// it did when the model was opened.
gboolean gst_swin_classify_answer_latency(GstSwinClassify *self, GstQuery *query) {
  gboolean live;
  GstClockTime minimum, maximum, own;

  if (!gst_pad_peer_query(self->sink_pad, query))
    return FALSE;
  gst_query_parse_latency(query, &live, &minimum, &maximum);
  note_live(self, live);
  GST_OBJECT_LOCK(self);
  own = is_latest(self) ? 0 : self->latency;
  GST_OBJECT_UNLOCK(self);
  minimum += own;
  if (GST_CLOCK_TIME_IS_VALID(maximum))
    maximum += own;
  GST_DEBUG_OBJECT(self, "latency: %" GST_TIME_FORMAT " of it here", GST_TIME_ARGS(own));
  gst_query_set_latency(query, live, minimum, maximum);
  return TRUE;
}

void gst_swin_classify_tell_latency(GstSwinClassify *self) {
  gboolean live;

  GST_OBJECT_LOCK(self);
  live = self->live;
  GST_OBJECT_UNLOCK(self);
  if (live)
    gst_element_post_message(GST_ELEMENT_CAST(self), gst_message_new_latency(GST_OBJECT(self)));
}

void gst_swin_classify_note_latency(GstSwinClassify *self, gint64 microseconds) {
  GstClockTime latency = (GstClockTime)microseconds * GST_USECOND;
  gboolean tell = FALSE;

  GST_OBJECT_LOCK(self);
  if (latency > self->latency) {
    // A quarter more, so that an ordinary variation does not set all sinks again and again.
    self->latency = latency + latency / 4;
    tell = !is_latest(self);
  }
  GST_OBJECT_UNLOCK(self);
  if (tell)
    gst_swin_classify_tell_latency(self);
}

/* ---- Quality of service -------------------------------------------------------------------- */

// As GstBaseTransform has it: what comes no later than this was late already.
void gst_swin_classify_handle_qos(GstSwinClassify *self, GstEvent *event) {
  GstClockTimeDiff jitter;
  GstClockTime timestamp, earliest = GST_CLOCK_TIME_NONE;
  gdouble proportion;

  gst_event_parse_qos(event, NULL, &proportion, &jitter, &timestamp);
  if (GST_CLOCK_TIME_IS_VALID(timestamp) && (jitter >= 0 || timestamp > (GstClockTime)-jitter))
    earliest = timestamp + (GstClockTime)jitter;
  GST_LOG_OBJECT(self, "proportion %f, frames up to %" GST_TIME_FORMAT " are late", proportion,
                 GST_TIME_ARGS(earliest));
  GST_OBJECT_LOCK(self);
  self->earliest = earliest;
  GST_OBJECT_UNLOCK(self);
}

void gst_swin_classify_reset_qos(GstSwinClassify *self) {
  GST_OBJECT_LOCK(self);
  self->earliest = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK(self);
}

static gboolean is_late(GstSwinClassify *self, const GstBuffer *buffer) {
  GstClockTime earliest, running_time;
  gboolean qos;

  GST_OBJECT_LOCK(self);
  qos = self->controls.qos;
  earliest = self->earliest;
  GST_OBJECT_UNLOCK(self);
  if (!qos || !GST_CLOCK_TIME_IS_VALID(earliest) || !GST_BUFFER_PTS_IS_VALID(buffer) ||
      self->sink_segment.format != GST_FORMAT_TIME)
    return FALSE;
  running_time =
      gst_segment_to_running_time(&self->sink_segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  return GST_CLOCK_TIME_IS_VALID(running_time) && running_time <= earliest;
}

/* ---- Selection ----------------------------------------------------------------------------- */

static gboolean is_in_turn(GstSwinClassify *self) {
  guint interval;

  GST_OBJECT_LOCK(self);
  interval = self->controls.inference_interval;
  GST_OBJECT_UNLOCK(self);
  // The interval may have become shorter meanwhile.
  if (self->frames_until_inference > 0 && self->frames_until_inference < interval) {
    self->frames_until_inference--;
    return FALSE;
  }
  self->frames_until_inference = interval - 1;
  return TRUE;
}

gboolean gst_swin_classify_select(GstSwinClassify *self, const GstBuffer *buffer) {
  if (!is_in_turn(self))
    return FALSE;
  if (is_late(self, buffer)) {
    GST_DEBUG_OBJECT(self, "frame %" GST_TIME_FORMAT " is late and passes without inference",
                     GST_TIME_ARGS(GST_BUFFER_PTS(buffer)));
    swin_stats_count(self->stats, SWIN_STATS_SKIPPED);
    return FALSE;
  }
  return TRUE;
}
