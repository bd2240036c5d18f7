// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frames.h"

static const gchar *const context_types[] = {"gst.vulkan.instance", "gst.vulkan.device",
                                             "gst.vulkan.queue"};

void frames_free(Frames *frames) {
  if (frames == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS(frames->buffers); i++)
    gst_clear_buffer(&frames->buffers[i]);
  for (guint i = 0; i < G_N_ELEMENTS(frames->contexts); i++)
    g_clear_pointer(&frames->contexts[i], gst_context_unref);
  gst_clear_caps(&frames->caps);
  if (frames->producer != NULL)
    gst_element_set_state(frames->producer, GST_STATE_NULL);
  gst_clear_object(&frames->producer);
  g_free(frames);
}

static GstElement *make_producer(const gchar *format, guint width, guint height, gboolean images,
                                 GError **error) {
  g_autofree gchar *launch = g_strdup_printf(
      "videotestsrc pattern=smpte num-buffers=%d ! video/x-raw,format=%s,width=%u,height=%u,"
      "framerate=25/1 ! %s ! appsink name=sink sync=false max-buffers=1",
      FRAMES_N_BUFFERS, format, width, height,
      images ? "vulkanupload name=last ! video/x-raw(memory:VulkanImage)" : "identity name=last");

  return gst_parse_launch(launch, error);
}

static gboolean take_frames(Frames *frames, GError **error) {
  g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(frames->producer), "sink");

  for (guint i = 0; i < FRAMES_N_BUFFERS; i++) {
    GstSample *sample = NULL;

    g_signal_emit_by_name(sink, "pull-sample", &sample);
    if (sample == NULL) {
      g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
                  "No frames were made; GST_DEBUG=2 shows the reason.");
      return FALSE;
    }
    frames->buffers[i] = gst_buffer_ref(gst_sample_get_buffer(sample));
    gst_caps_replace(&frames->caps, gst_sample_get_caps(sample));
    gst_sample_unref(sample);
  }
  return TRUE;
}

static void take_contexts(Frames *frames) {
  g_autoptr(GstElement) last = gst_bin_get_by_name(GST_BIN(frames->producer), "last");
  g_autoptr(GstPad) pad = gst_element_get_static_pad(last, "src");

  for (guint i = 0; i < G_N_ELEMENTS(context_types); i++) {
    g_autoptr(GstQuery) query = gst_query_new_context(context_types[i]);
    GstContext *context = NULL;

    if (gst_pad_query(pad, query))
      gst_query_parse_context(query, &context);
    if (context != NULL)
      frames->contexts[i] = gst_context_ref(context);
  }
}

Frames *frames_new(const gchar *format, guint width, guint height, gboolean images,
                   GError **error) {
  g_autoptr(Frames) frames = g_new0(Frames, 1);

  frames->producer = make_producer(format, width, height, images, error);
  if (frames->producer == NULL)
    return NULL;
  gst_element_set_state(frames->producer, GST_STATE_PLAYING);
  if (!take_frames(frames, error))
    return NULL;
  if (images)
    take_contexts(frames);
  return g_steal_pointer(&frames);
}
