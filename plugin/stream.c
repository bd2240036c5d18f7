// SPDX-License-Identifier: LGPL-2.1-or-later
// The way of a frame through the element: chain function, queue, source task.
#include "swinclassify.h"

#include "frame.h"
#include "message.h"
#include "metadata.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug

#define FRAME_CAPS                                                                                 \
  "video/x-raw, format = (string) " SWIN_FRAME_FORMATS ", width = (int) [ 1, 32768 ], "            \
  "height = (int) [ 1, 32768 ], framerate = " GST_VIDEO_FPS_RANGE

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(FRAME_CAPS));
static GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(FRAME_CAPS));

void gst_swin_classify_add_pad_templates(GstElementClass *klass) {
  gst_element_class_add_static_pad_template(klass, &sink_template);
  gst_element_class_add_static_pad_template(klass, &source_template);
}

/* ---- In: the sink pad ---------------------------------------------------------------------- */

typedef struct {
  SwinItem *item;
  SwinInference *inference;
} Completion;

// SwinResultFunc: a thread of the library.
static void receive_result(SwinClassifier *classifier, const SwinTag *tags, guint n_tags,
                           const GError *error, gpointer user_data) {
  Completion *completion = user_data;
  SwinClassification *result = NULL;

  (void)classifier;
  if (error == NULL)
    result = swin_classification_new(completion->inference, tags, n_tags);
  swin_item_complete(completion->item, result, error);
  swin_item_unref(completion->item);
  swin_inference_unref(completion->inference);
  g_free(completion);
}

static gboolean submit(GstSwinClassify *self, const SwinFrame *frame, gpointer keep_alive,
                       SwinItem *item, GError **error) {
  SwinClassifier *classifier = swin_inference_get_classifier(self->inference);
  Completion *completion = g_new(Completion, 1);

  completion->item = swin_item_ref(item);
  completion->inference = swin_inference_ref(self->inference);
  if (swin_classifier_submit(classifier, frame, swin_frame_unmap, keep_alive, receive_result,
                             completion, error))
    return TRUE;
  swin_frame_unmap(keep_alive);
  swin_item_unref(completion->item);
  swin_inference_unref(completion->inference);
  g_free(completion);
  return FALSE;
}

// As GstVideoFilter does, a buffer that is no picture passes with a warning: one for a run of them.
static GstFlowReturn pass_unreadable(GstSwinClassify *self, GstBuffer *buffer,
                                     const GError *error) {
  if (!self->warned)
    GST_ELEMENT_WARNING(self, STREAM, WRONG_TYPE, ("%s", error->message),
                        ("The buffer passes without tags of its own."));
  self->warned = TRUE;
  return swin_queue_push(self->queue, swin_item_new(self->queue, SWIN_ITEM_FRAME, buffer, FALSE));
}

static GstFlowReturn classify(GstSwinClassify *self, GstBuffer *buffer) {
  g_autoptr(GError) error = NULL;
  SwinFrame frame;
  gpointer keep_alive;
  SwinItem *item;
  GstFlowReturn flow;

  if (!swin_frame_map(buffer, &self->info, &frame, &keep_alive, &error))
    return pass_unreadable(self, buffer, error);
  self->warned = FALSE;
  item = swin_item_new(self->queue, SWIN_ITEM_FRAME, buffer, TRUE);
  if (!submit(self, &frame, keep_alive, item, &error)) {
    swin_item_unref(item);
    swin_message_post_error(GST_ELEMENT_CAST(self), error);
    return GST_FLOW_ERROR;
  }
  flow = swin_queue_push(self->queue, item);
  // A flush came after swin_queue_wait(): its cancellation may have come before the submission.
  if (flow != GST_FLOW_OK)
    swin_classifier_cancel(swin_inference_get_classifier(self->inference));
  return flow;
}

// Whether the next frame is one of those that are classified.
static gboolean is_selected(GstSwinClassify *self) {
  guint interval;

  GST_OBJECT_LOCK(self);
  interval = self->inference_interval;
  GST_OBJECT_UNLOCK(self);
  // The interval may have become shorter meanwhile.
  if (self->frames_until_inference > 0 && self->frames_until_inference < interval) {
    self->frames_until_inference--;
    return FALSE;
  }
  self->frames_until_inference = interval - 1;
  return TRUE;
}

static GstFlowReturn sink_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);
  gboolean selected;
  GstFlowReturn flow;

  (void)pad;
  if (!self->negotiated) {
    gst_buffer_unref(buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  selected = is_selected(self);
  flow = swin_queue_wait(self->queue, selected);
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref(buffer);
    return flow;
  }
  if (selected)
    return classify(self, buffer);
  return swin_queue_push(self->queue, swin_item_new(self->queue, SWIN_ITEM_FRAME, buffer, FALSE));
}

static gboolean set_caps(GstSwinClassify *self, GstEvent *event) {
  GstCaps *caps;

  gst_event_parse_caps(event, &caps);
  self->negotiated = gst_video_info_from_caps(&self->info, caps);
  self->warned = FALSE;
  if (!self->negotiated)
    GST_WARNING_OBJECT(self, "cannot read caps %" GST_PTR_FORMAT, caps);
  return self->negotiated;
}

// For threads that no pad's stream lock holds off from a state change.
static void cancel_inferences(GstSwinClassify *self) {
  g_autoptr(SwinInference) inference = NULL;

  GST_OBJECT_LOCK(self);
  if (self->inference != NULL)
    inference = swin_inference_ref(self->inference);
  GST_OBJECT_UNLOCK(self);
  if (inference != NULL)
    swin_classifier_cancel(swin_inference_get_classifier(inference));
}

static gboolean flush_start(GstSwinClassify *self, GstEvent *event) {
  gboolean handled = gst_pad_push_event(self->source_pad, event);

  swin_queue_stop(self->queue);
  cancel_inferences(self);
  gst_pad_pause_task(self->source_pad);
  return handled;
}

static void source_task(gpointer user_data);

static gboolean start_task(GstSwinClassify *self) {
  return gst_pad_start_task(self->source_pad, source_task, self, NULL);
}

static void forget_results(GstSwinClassify *self) {
  gst_segment_init(&self->segment, GST_FORMAT_TIME);
  g_clear_pointer(&self->last, swin_classification_unref);
}

static gboolean flush_stop(GstSwinClassify *self, GstEvent *event) {
  gboolean handled = gst_pad_push_event(self->source_pad, event);

  // Done by FLUSH_START already, unless somebody sent FLUSH_STOP alone.
  swin_queue_stop(self->queue);
  gst_pad_pause_task(self->source_pad);
  swin_queue_purge(self->queue, self->source_pad);
  // A result of the old position says nothing of the new one.
  forget_results(self);
  self->frames_until_inference = 0;
  swin_queue_start(self->queue);
  if (gst_pad_is_active(self->source_pad))
    start_task(self);
  return handled;
}

// Upstream has nothing more to push, so it will not hear of an error in what is queued.
static void post_flow_error(GstSwinClassify *self, GstFlowReturn flow) {
  if (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS)
    GST_ELEMENT_FLOW_ERROR(self, flow);
}

static gboolean enqueue_event(GstSwinClassify *self, GstEvent *event) {
  gboolean is_eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  GstFlowReturn flow;

  if (is_eos) {
    flow = swin_queue_get_flow(self->queue);
    if (flow != GST_FLOW_OK && flow != GST_FLOW_EOS) {
      post_flow_error(self, flow);
      gst_event_unref(event);
      return FALSE;
    }
  }
  flow = swin_queue_push(self->queue, swin_item_new(self->queue, SWIN_ITEM_EVENT, event, FALSE));
  return flow == GST_FLOW_OK;
}

static gboolean sink_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  (void)pad;
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_FLUSH_START:
    return flush_start(self, event);
  case GST_EVENT_FLUSH_STOP:
    return flush_stop(self, event);
  case GST_EVENT_CAPS:
    if (!set_caps(self, event)) {
      gst_event_unref(event);
      return FALSE;
    }
    break;
  default:
    break;
  }
  if (GST_EVENT_IS_SERIALIZED(event))
    return enqueue_event(self, event);
  return gst_pad_push_event(self->source_pad, event);
}

static gboolean sink_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  // Downstream answers as of its place in the stream: after the frames and caps that are still
  // here.
  if (GST_QUERY_IS_SERIALIZED(query))
    return swin_queue_push_query(self->queue, query);
  return gst_pad_query_default(pad, parent, query);
}

/* ---- Out: the source pad's task ------------------------------------------------------------ */

// Fatal: nothing more leaves. Downstream is told that the stream ends, so that files get closed.
static void fail(GstSwinClassify *self, const GError *error) {
  swin_message_post_error(GST_ELEMENT_CAST(self), error);
  swin_queue_set_flow(self->queue, GST_FLOW_ERROR);
  gst_pad_push_event(self->source_pad, gst_event_new_eos());
}

// Says anew how long frames take when that has grown beyond what was said.
static void note_latency(GstSwinClassify *self, gint64 microseconds) {
  GstClockTime latency = (GstClockTime)microseconds * GST_USECOND;
  gboolean tell = FALSE;

  GST_OBJECT_LOCK(self);
  if (latency > self->latency) {
    // A quarter more, so that an ordinary variation does not set all sinks again and again.
    self->latency = latency + latency / 4;
    tell = self->live;
  }
  GST_OBJECT_UNLOCK(self);
  if (tell)
    gst_element_post_message(GST_ELEMENT_CAST(self), gst_message_new_latency(GST_OBJECT(self)));
}

static void post_result(GstSwinClassify *self, const GstBuffer *buffer,
                        const SwinClassification *result) {
  gst_element_post_message(
      GST_ELEMENT_CAST(self),
      swin_message_new_classification(GST_OBJECT(self), buffer, &self->segment, result));
}

// Tells of a new result, and puts the latest on the frame. A frame that others hold too is copied
// for that, without its pixels.
static GstBuffer *tag_frame(GstSwinClassify *self, const SwinItem *item, GstBuffer *buffer) {
  g_autoptr(SwinClassification) passed = NULL;
  gboolean post_messages;
  gfloat threshold;

  if (item->result != NULL) {
    swin_classification_unref(self->last);
    self->last = swin_classification_ref(item->result);
    note_latency(self, item->latency);
  }
  if (self->last == NULL)
    return buffer;

  GST_OBJECT_LOCK(self);
  post_messages = self->post_messages;
  threshold = self->threshold;
  GST_OBJECT_UNLOCK(self);
  passed = swin_classification_filter(self->last, threshold);
  if (item->result != NULL && post_messages)
    post_result(self, buffer, passed);
  if (passed->n_tags == 0)
    return buffer;
  buffer = gst_buffer_make_writable(buffer);
  swin_metadata_attach(buffer, passed);
  return buffer;
}

static void pause_with(GstSwinClassify *self, GstFlowReturn flow) {
  GST_DEBUG_OBJECT(self, "source pad: %s", gst_flow_get_name(flow));
  if (!swin_queue_set_flow(self->queue, flow) || flow == GST_FLOW_EOS)
    return;
  // EOS is behind us in the queue.
  if (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS) {
    post_flow_error(self, flow);
    gst_pad_push_event(self->source_pad, gst_event_new_eos());
  }
}

static void push_frame(GstSwinClassify *self, SwinItem *item) {
  GstBuffer *buffer;
  GstFlowReturn flow;

  if (item->error != NULL) {
    if (!g_error_matches(item->error, SWIN_ERROR, SWIN_ERROR_CANCELLED))
      fail(self, item->error);
    return;
  }
  buffer = tag_frame(self, item, swin_item_steal(item));
  flow = gst_pad_push(self->source_pad, buffer);
  if (flow < GST_FLOW_OK)
    pause_with(self, flow);
}

static void push_event(GstSwinClassify *self, SwinItem *item) {
  GstEvent *event = swin_item_steal(item);

  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT)
    gst_event_copy_segment(event, &self->segment);
  gst_pad_push_event(self->source_pad, event);
}

// This element holds frames while others are computed, so upstream needs that many more.
static void raise_pool_sizes(GstQuery *query) {
  for (guint i = 0; i < gst_query_get_n_allocation_pools(query); i++) {
    GstBufferPool *pool;
    guint size, minimum, maximum;

    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &minimum, &maximum);
    minimum += SWIN_QUEUE_MAX_INFERENCES;
    if (maximum != 0)
      minimum = MIN(minimum, maximum);
    gst_query_set_nth_allocation_pool(query, i, pool, size, minimum, maximum);
    g_clear_object(&pool);
  }
}

// Buffers pass as they are, so what downstream cannot take (such as GstVideoMeta) must not be
// offered here.
static void answer_query(GstSwinClassify *self, SwinItem *item) {
  GstQuery *query = GST_QUERY_CAST(item->object);
  gboolean answer = gst_pad_peer_query(self->source_pad, query);

  if (answer && GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION)
    raise_pool_sizes(query);
  swin_queue_answer_query(self->queue, item, answer);
}

static void source_task(gpointer user_data) {
  GstSwinClassify *self = user_data;
  SwinItem *item = swin_queue_pop(self->queue);

  if (item == NULL) {
    gst_pad_pause_task(self->source_pad);
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

static gboolean source_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  // Somebody has been linked: try again.
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE && swin_queue_relink(self->queue))
    start_task(self);
  return gst_pad_event_default(pad, parent, event);
}

// A frame leaves when its inference is done. How long that takes is not known before the first one;
// sinks are told by a LATENCY message when it is, and when it grows.
static gboolean answer_latency(GstSwinClassify *self, GstQuery *query) {
  gboolean live;
  GstClockTime minimum, maximum;

  if (!gst_pad_peer_query(self->sink_pad, query))
    return FALSE;
  gst_query_parse_latency(query, &live, &minimum, &maximum);
  GST_OBJECT_LOCK(self);
  self->live = live;
  minimum += self->latency;
  if (GST_CLOCK_TIME_IS_VALID(maximum))
    maximum += self->latency;
  GST_OBJECT_UNLOCK(self);
  gst_query_set_latency(query, live, minimum, maximum);
  return TRUE;
}

static gboolean source_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY)
    return answer_latency(GST_SWIN_CLASSIFY(parent), query);
  return gst_pad_query_default(pad, parent, query);
}

/* ---- Start and stop ------------------------------------------------------------------------ */

static gboolean activate_sink(GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  (void)pad;
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    self->negotiated = FALSE;
    self->warned = FALSE;
    self->frames_until_inference = 0;
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
    return start_task(self);
  }
  swin_queue_stop(self->queue);
  return gst_pad_stop_task(pad);
}

void gst_swin_classify_init_stream(GstSwinClassify *self) {
  self->queue = swin_queue_new();
  gst_segment_init(&self->segment, GST_FORMAT_TIME);

  self->sink_pad = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(self->sink_pad, sink_chain);
  gst_pad_set_event_function(self->sink_pad, sink_event);
  gst_pad_set_query_function(self->sink_pad, sink_query);
  gst_pad_set_activatemode_function(self->sink_pad, activate_sink);
  GST_PAD_SET_PROXY_CAPS(self->sink_pad);
  gst_element_add_pad(GST_ELEMENT_CAST(self), self->sink_pad);

  self->source_pad = gst_pad_new_from_static_template(&source_template, "src");
  gst_pad_set_event_function(self->source_pad, source_event);
  gst_pad_set_query_function(self->source_pad, source_query);
  gst_pad_set_activatemode_function(self->source_pad, activate_source);
  GST_PAD_SET_PROXY_CAPS(self->source_pad);
  gst_element_add_pad(GST_ELEMENT_CAST(self), self->source_pad);
}

void gst_swin_classify_stop_stream(GstSwinClassify *self) {
  swin_queue_purge(self->queue, NULL);
  forget_results(self);
  GST_OBJECT_LOCK(self);
  self->live = FALSE;
  self->latency = 0;
  GST_OBJECT_UNLOCK(self);
}
