// SPDX-License-Identifier: LGPL-2.1-or-later
// In: the sink pad: from buffers to frames in the queue, with their inferences under way.
#include "message.h"
#include "region.h"
#include "swinclassify.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug

/* ---- Frames -------------------------------------------------------------------------------- */

// (transfer full): of SwinRegion
static GArray *find_regions(GstSwinClassify *self, GstBuffer *buffer,
                            const GstSwinClassifyControls *controls) {
  SwinRegionOptions options = {.min_width = controls->object_min_width,
                               .min_height = controls->object_min_height};
  SwinRegion whole;
  GArray *regions;

  if (controls->region == GST_SWIN_CLASSIFY_INFERENCE_REGION_ROI_LIST) {
    if (controls->object_classes != NULL)
      options.classes = (gchar **)controls->object_classes->pdata;
    return swin_regions_find(buffer, &self->input.video, &options);
  }
  whole = swin_region_of_frame(&self->input.video);
  regions = g_array_new(FALSE, FALSE, sizeof(SwinRegion));
  return g_array_append_val(regions, whole);
}

static SwinLook *make_look(GstSwinClassify *self, GstBuffer *buffer) {
  const SwinPosition position = {
      .stream = self->n_streams,
      .number = self->n_frames,
      .timestamp = GST_BUFFER_PTS(buffer),
      .segment = self->sink_segment,
  };
  GstSwinClassifyControls controls;
  SwinOrientation orientation;
  GArray *regions;

  GST_OBJECT_LOCK(self);
  controls = self->controls;
  if (controls.object_classes != NULL)
    g_ptr_array_ref(controls.object_classes);
  GST_OBJECT_UNLOCK(self);
  regions = find_regions(self, buffer, &controls);
  g_clear_pointer(&controls.object_classes, g_ptr_array_unref);
  orientation = swin_orientation_resolve(&self->orientation_tags, controls.direction);
  return swin_look_new(&self->input, orientation, &position, regions,
                       gst_swin_classify_ref_objects(self));
}

// Makes the job of what has to be looked at now; FALSE where that is nothing.
static gboolean prepare(GstSwinClassify *self, SwinLook *look) {
  g_autoptr(SwinInference) inference = gst_swin_classify_ref_inference(self);
  guint interval;

  GST_OBJECT_LOCK(self);
  interval = self->controls.reclassify_interval;
  GST_OBJECT_UNLOCK(self);
  return swin_look_prepare(look, inference, interval);
}

gboolean gst_swin_classify_look_at(SwinLook *look, GstBuffer *buffer, SwinJobFunc done,
                                   gpointer done_data, gpointer user_data, GError **error) {
  GstSwinClassify *self = user_data;

  if (!prepare(self, look) ||
      !swin_look_submit(look, buffer, self->flight, self->stats, done, done_data, error))
    return FALSE;
  // A cancellation may have come just before the submission.
  if (swin_queue_get_flow(self->queue) == GST_FLOW_FLUSHING)
    swin_flight_cancel(self->flight);
  return TRUE;
}

// (transfer full): the pixels of @buffer for inference. Nobody else may use images before they have
// been read, so those that others have too, or that leave at once, are copied on the device.
static GstBuffer *get_picture(GstSwinClassify *self, GstBuffer *buffer, gboolean waits,
                              GError **error) {
  if (!swin_vulkan_is_image(buffer) || (waits && gst_buffer_is_all_memory_writable(buffer)))
    return gst_buffer_ref(buffer);
  return swin_vulkan_copy(self->vulkan, buffer, &self->input.video, error);
}

static GstFlowReturn push_frame(GstSwinClassify *self, SwinItem *item) {
  GstFlowReturn flow = swin_queue_push(self->queue, item);

  if (flow != GST_FLOW_OK)
    swin_stats_count(self->stats, SWIN_STATS_DROPPED);
  return flow;
}

// A frame that cannot be read passes, and that is told of when it leaves; what else goes wrong is
// the end. @error: (transfer full)
static gboolean note_refusal(GstSwinClassify *self, SwinLook *look, GError *error) {
  look->error = error;
  if (g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME))
    return TRUE;
  swin_message_post_error(GST_ELEMENT_CAST(self), error);
  return FALSE;
}

/* ---- Frames that wait for their inferences ------------------------------------------------- */

// SwinJobFunc
static void complete_item(gpointer job, gpointer user_data) {
  SwinItem *item = user_data;

  (void)job;
  swin_item_complete(item);
  swin_item_unref(item);
}

static gboolean submit_item(GstSwinClassify *self, SwinItem *item, GstBuffer *buffer) {
  g_autoptr(GstBuffer) picture = NULL;
  GError *error = NULL;

  if (!prepare(self, item->look))
    return TRUE;
  picture = get_picture(self, buffer, TRUE, &error);
  if (picture == NULL) {
    swin_look_give_up(item->look);
    return note_refusal(self, item->look, error);
  }
  swin_item_expect(item, item->look->job->n_regions);
  if (swin_look_submit(item->look, picture, self->flight, self->stats, complete_item,
                       swin_item_ref(item), &error))
    return TRUE;
  complete_item(NULL, item);
  return note_refusal(self, item->look, error);
}

static GstFlowReturn push_waiting(GstSwinClassify *self, GstBuffer *buffer, SwinLook *look) {
  SwinItem *item = swin_item_new_frame(self->queue, buffer, look);
  GstFlowReturn flow;

  if (!submit_item(self, item, buffer)) {
    swin_stats_count(self->stats, SWIN_STATS_DROPPED);
    swin_item_unref(item);
    return GST_FLOW_ERROR;
  }
  flow = push_frame(self, item);
  // A flush came after swin_queue_wait(): its cancellation may have come before the submission.
  if (flow != GST_FLOW_OK)
    gst_swin_classify_cancel(self);
  return flow;
}

/* ---- Frames that do not wait --------------------------------------------------------------- */

static gboolean offer(GstSwinClassify *self, GstBuffer *buffer, SwinLook *look) {
  GError *error = NULL;
  GstBuffer *picture = get_picture(self, buffer, FALSE, &error);
  SwinLook *offered;

  if (picture == NULL)
    return note_refusal(self, look, error);
  offered = swin_look_new_detached(look);
  offered->buffer = picture;
  if (swin_latest_offer(self->latest, offered))
    swin_stats_count(self->stats, SWIN_STATS_SKIPPED);
  return TRUE;
}

static GstFlowReturn push_at_once(GstSwinClassify *self, GstBuffer *buffer, SwinLook *look,
                                  gboolean selected) {
  SwinItem *item = swin_item_new_frame(self->queue, buffer, look);
  GstFlowReturn flow;

  if (selected && !offer(self, buffer, look)) {
    swin_stats_count(self->stats, SWIN_STATS_DROPPED);
    swin_item_unref(item);
    return GST_FLOW_ERROR;
  }
  flow = push_frame(self, item);
  if (flow != GST_FLOW_OK && selected)
    gst_swin_classify_cancel(self);
  return flow;
}

/* ---- Chain --------------------------------------------------------------------------------- */

GstFlowReturn gst_swin_classify_sink_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);
  gboolean selected, waits;
  GstFlowReturn flow;
  SwinLook *look;

  (void)pad;
  if (!self->negotiated) {
    gst_buffer_unref(buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  self->n_frames++;
  swin_stats_count(self->stats, SWIN_STATS_FRAMES);
  gst_swin_classify_ask_live(self);
  selected = gst_swin_classify_select(self, buffer);
  waits = selected && !gst_swin_classify_is_latest(self);
  flow = swin_queue_wait(self->queue, waits);
  if (flow != GST_FLOW_OK) {
    swin_stats_count(self->stats, SWIN_STATS_DROPPED);
    gst_buffer_unref(buffer);
    return flow;
  }
  look = make_look(self, buffer);
  swin_objects_next_frame(look->objects);
  selected = selected && look->regions->len > 0;
  GST_LOG_OBJECT(self, "frame %" GST_TIME_FORMAT ": %u regions, %s",
                 GST_TIME_ARGS(GST_BUFFER_PTS(buffer)), look->regions->len,
                 !selected ? "passes"
                 : waits   ? "waits for its result"
                           : "is offered");
  return waits && selected ? push_waiting(self, buffer, look)
                           : push_at_once(self, buffer, look, selected);
}

/* ---- Events -------------------------------------------------------------------------------- */

static gboolean set_caps(GstSwinClassify *self, GstEvent *event) {
  GstCaps *caps;

  gst_event_parse_caps(event, &caps);
  self->negotiated = swin_input_parse(&self->input, caps);
  gst_swin_classify_forget_live(self);
  GST_DEBUG_OBJECT(self, "%s caps %" GST_PTR_FORMAT, self->negotiated ? "takes" : "cannot read",
                   caps);
  if (self->negotiated && self->input.memory == SWIN_FRAME_MEMORY_IMAGE)
    self->negotiated = gst_swin_classify_follow_images(self);
  return self->negotiated;
}

static gboolean flush_start(GstSwinClassify *self, GstEvent *event) {
  gboolean handled = gst_pad_push_event(self->source_pad, event);

  swin_queue_stop(self->queue);
  gst_swin_classify_cancel(self);
  gst_pad_pause_task(self->source_pad);
  return handled;
}

static gboolean flush_stop(GstSwinClassify *self, GstEvent *event) {
  gboolean handled = gst_pad_push_event(self->source_pad, event);

  // Done by FLUSH_START already, unless somebody sent FLUSH_STOP alone.
  swin_queue_stop(self->queue);
  gst_pad_pause_task(self->source_pad);
  swin_stats_add(self->stats, SWIN_STATS_DROPPED, swin_queue_purge(self->queue, self->source_pad));
  // A result of the old position says nothing of the new one.
  gst_swin_classify_restart_stream(self);
  gst_swin_classify_forget_results(self);
  gst_segment_init(&self->sink_segment, GST_FORMAT_TIME);
  swin_queue_start(self->queue);
  if (gst_pad_is_active(self->source_pad))
    gst_swin_classify_start_task(self);
  return handled;
}

// What has been looked at until now is told of before the end, and nothing is waited for.
static void end_looking(GstSwinClassify *self) {
  gst_swin_classify_withdraw(self);
  if (swin_queue_count_inferences(self->queue) == 0)
    swin_flight_cancel(self->flight);
}

// Upstream has nothing more to push, so it will not hear of an error in what is queued.
void gst_swin_classify_post_flow_error(GstSwinClassify *self, GstFlowReturn flow) {
  if (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS)
    GST_ELEMENT_FLOW_ERROR(self, flow);
}

static gboolean enqueue_event(GstSwinClassify *self, GstEvent *event) {
  gboolean is_eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  GstFlowReturn flow;

  if (is_eos) {
    end_looking(self);
    flow = swin_queue_get_flow(self->queue);
    if (flow != GST_FLOW_OK && flow != GST_FLOW_EOS) {
      gst_swin_classify_post_flow_error(self, flow);
      gst_event_unref(event);
      return FALSE;
    }
  }
  flow = swin_queue_push(self->queue, swin_item_new(self->queue, SWIN_ITEM_EVENT, event));
  return flow == GST_FLOW_OK;
}

// What an event says of the frames behind it. FALSE when it is refused.
static gboolean heed_event(GstSwinClassify *self, GstEvent *event) {
  swin_orientation_handle_event(&self->orientation_tags, event);
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_STREAM_START:
    gst_swin_classify_begin_stream(self);
    gst_swin_classify_forget_live(self);
    return TRUE;
  case GST_EVENT_CAPS:
    return set_caps(self, event);
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment(event, &self->sink_segment);
    gst_swin_classify_reset_qos(self);
    return TRUE;
  default:
    return TRUE;
  }
}

gboolean gst_swin_classify_sink_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  (void)pad;
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START)
    return flush_start(self, event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
    return flush_stop(self, event);
  if (!heed_event(self, event)) {
    gst_event_unref(event);
    return FALSE;
  }
  if (GST_EVENT_IS_SERIALIZED(event))
    return enqueue_event(self, event);
  return gst_pad_push_event(self->source_pad, event);
}

gboolean gst_swin_classify_sink_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(parent);

  if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT &&
      swin_vulkan_answer_query(self->vulkan, GST_ELEMENT_CAST(self), query))
    return TRUE;
  // Downstream answers as of its place in the stream: after the frames and caps that are still
  // here.
  if (GST_QUERY_IS_SERIALIZED(query))
    return swin_queue_push_query(self->queue, query);
  return gst_pad_query_default(pad, parent, query);
}
