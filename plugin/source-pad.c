// SPDX-License-Identifier: LGPL-2.1-or-later
// Out: the source pad's task.
#include "message.h"
#include "swinclassify.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug

/* ---- Flow ---------------------------------------------------------------------------------- */

// Notes what the peer said; whether nobody upstream is left to hear of it.
static gboolean set_flow(GstSwinClassify *self, GstFlowReturn flow) {
  guint n_dropped;
  gboolean ended = swin_queue_set_flow(self->queue, flow, &n_dropped);

  swin_stats_add(self->stats, SWIN_STATS_DROPPED, n_dropped);
  return ended;
}

// Fatal: nothing more leaves. Downstream is told that the stream ends, so that files get closed.
static void fail(GstSwinClassify *self, const GError *error) {
  swin_message_post_error(GST_ELEMENT_CAST(self), error);
  set_flow(self, GST_FLOW_ERROR);
  gst_pad_push_event(self->source_pad, gst_event_new_eos());
}

static void pause_with(GstSwinClassify *self, GstFlowReturn flow) {
  GST_DEBUG_OBJECT(self, "source pad: %s", gst_flow_get_name(flow));
  if (!set_flow(self, flow) || flow == GST_FLOW_EOS)
    return;
  // EOS is behind us in the queue.
  if (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS) {
    gst_swin_classify_post_flow_error(self, flow);
    gst_pad_push_event(self->source_pad, gst_event_new_eos());
  }
}

/* ---- Items --------------------------------------------------------------------------------- */

static void push_frame(GstSwinClassify *self, SwinItem *item) {
  g_autoptr(GError) error = NULL;
  GstBuffer *buffer;
  GstFlowReturn flow;

  // A flush may have taken the event that began it.
  self->stream = item->look->position.stream;
  if (!gst_swin_classify_take_results(self, item->look, &error)) {
    swin_stats_count(self->stats, SWIN_STATS_DROPPED);
    fail(self, error);
    return;
  }
  buffer = gst_swin_classify_tag(self, item->look, swin_item_steal(item));
  flow = gst_pad_push(self->source_pad, buffer);
  if (flow < GST_FLOW_OK)
    pause_with(self, flow);
}

// What is known of a stream is told of before its end. FALSE when nothing more may leave.
static gboolean end_stream(GstSwinClassify *self) {
  g_autoptr(GError) error = NULL;

  if (gst_swin_classify_take_results(self, NULL, &error))
    return TRUE;
  fail(self, error);
  return FALSE;
}

static void push_event(GstSwinClassify *self, SwinItem *item) {
  g_autoptr(GstEvent) event = swin_item_steal(item);

  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_STREAM_START:
    if (!end_stream(self))
      return;
    gst_swin_classify_forget_results(self);
    self->stream++;
    break;
  case GST_EVENT_CAPS:
    self->warned = FALSE;
    break;
  case GST_EVENT_EOS:
    if (!end_stream(self))
      return;
    break;
  default:
    break;
  }
  gst_pad_push_event(self->source_pad, g_steal_pointer(&event));
}

// Frames that the element holds beside those that it hands on: upstream needs as many more.
static guint count_held_frames(GstSwinClassify *self) {
  gboolean waits;

  GST_OBJECT_LOCK(self);
  // Where it is not known yet, it may become so.
  waits = self->controls.latency_policy == GST_SWIN_CLASSIFY_LATENCY_POLICY_EVERY ||
          (self->controls.latency_policy == GST_SWIN_CLASSIFY_LATENCY_POLICY_AUTO &&
           !(self->live_known && self->live));
  GST_OBJECT_UNLOCK(self);
  // One that is looked at and one that is next, or as many as wait.
  return waits ? swin_queue_get_max_inferences(self->queue) : 2;
}

static void raise_pool_sizes(GstSwinClassify *self, GstQuery *query) {
  const guint n_held = count_held_frames(self);

  for (guint i = 0; i < gst_query_get_n_allocation_pools(query); i++) {
    GstBufferPool *pool;
    guint size, minimum, maximum;

    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &minimum, &maximum);
    minimum += n_held;
    if (maximum != 0)
      minimum = MIN(minimum, maximum);
    gst_query_set_nth_allocation_pool(query, i, pool, size, minimum, maximum);
    g_clear_object(&pool);
  }
}

// Whoever asks wants its buffers back. Those before the query have left; one may still be looked
// at.
static void let_go_of_frames(GstSwinClassify *self) {
  gst_swin_classify_withdraw(self);
  swin_flight_cancel(self->flight);
  swin_flight_drain(self->flight);
}

// Buffers pass as they are, so what downstream cannot take (such as GstVideoMeta or
// GstVideoCropMeta) must not be offered here.
static void answer_query(GstSwinClassify *self, SwinItem *item) {
  GstQuery *query = GST_QUERY_CAST(item->object);
  gboolean answer;

  if (GST_QUERY_TYPE(query) == GST_QUERY_DRAIN)
    let_go_of_frames(self);
  answer = gst_pad_peer_query(self->source_pad, query);
  if (answer && GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION)
    raise_pool_sizes(self, query);
  swin_queue_answer_query(self->queue, item, answer);
}

// Somebody may have been linked since the queue said that there is nothing to do; whoever noticed
// that has started a task that was not paused yet.
static void pause_task(GstSwinClassify *self) {
  gst_pad_pause_task(self->source_pad);
  if (swin_queue_is_running(self->queue))
    gst_swin_classify_start_task(self);
}

void gst_swin_classify_source_task(gpointer user_data) {
  GstSwinClassify *self = user_data;
  SwinItem *item = swin_queue_pop(self->queue);

  if (item == NULL) {
    pause_task(self);
    return;
  }
  switch (item->kind) {
  case SWIN_ITEM_FRAME:
    push_frame(self, item);
    break;
  case SWIN_ITEM_EVENT:
    push_event(self, item);
    break;
  case SWIN_ITEM_QUERY:
    answer_query(self, item);
    break;
  }
  swin_item_unref(item);
}

/* ---- From downstream ----------------------------------------------------------------------- */

gboolean gst_swin_classify_source_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_QOS:
    gst_swin_classify_handle_qos(self, event);
    break;
  case GST_EVENT_RECONFIGURE:
    gst_swin_classify_forget_live(self);
    // Somebody has been linked: try again.
    if (swin_queue_relink(self->queue))
      gst_swin_classify_start_task(self);
    break;
  default:
    break;
  }
  return gst_pad_event_default(pad, parent, event);
}

gboolean gst_swin_classify_source_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_LATENCY:
    return gst_swin_classify_answer_latency(self, query);
  case GST_QUERY_CONTEXT:
    if (swin_vulkan_answer_query(self->vulkan, GST_ELEMENT_CAST(self), query))
      return TRUE;
    break;
  default:
    break;
  }
  return gst_pad_query_default(pad, parent, query);
}
