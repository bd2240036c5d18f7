// SPDX-License-Identifier: LGPL-2.1-or-later
// embed: how an application reads the tags off the frames that it takes from an appsink.
//
//   embed [SOURCE]    SOURCE: elements in the words of gst-launch-1.0 (default: a test picture),
//   such as
//                     "filesrc location=film.mp4 ! decodebin"
//
// Compile it outside this tree, with GStreamer before 1.24 without what stands in brackets:
//   cc embed.c -o embed [-DHAVE_GST_ANALYTICS]
//     $(pkg-config --cflags --libs gstreamer-app-1.0 [gstreamer-analytics-1.0])
#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

static void print_tag(const gchar *label, gdouble confidence) {
  g_print("  %s %.0f %%", label, 100.0 * confidence);
}

#ifdef HAVE_GST_ANALYTICS

// GStreamer 1.24 and later: a buffer has one relation meta with any number of results in it. A
// classification is a list of labels, as quarks, and how sure the model is of each, best first.
static gboolean print_tags(GstBuffer *buffer) {
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta(buffer);
  GstAnalyticsMtd tags;
  gpointer state = NULL;

  if (meta == NULL || !gst_analytics_relation_meta_iterate(
                          meta, &state, gst_analytics_cls_mtd_get_mtd_type(), &tags))
    return FALSE;
  for (gsize i = 0; i < gst_analytics_cls_mtd_get_length(&tags); i++)
    print_tag(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&tags, i)),
              (gdouble)gst_analytics_cls_mtd_get_level(&tags, i));
  return TRUE;
}

#else

// Before 1.24: a custom meta of the name below, whose structure has three arrays of the same
// length.
static gboolean print_tags(GstBuffer *buffer) {
  GstCustomMeta *meta = gst_buffer_get_custom_meta(buffer, "swin-classification");
  GstStructure *structure;
  const GValue *labels, *confidences;

  if (meta == NULL)
    return FALSE;
  structure = gst_custom_meta_get_structure(meta);
  labels = gst_structure_get_value(structure, "labels");
  confidences = gst_structure_get_value(structure, "confidences");
  for (guint i = 0; i < gst_value_array_get_size(labels); i++)
    print_tag(g_value_get_string(gst_value_array_get_value(labels, i)),
              g_value_get_double(gst_value_array_get_value(confidences, i)));
  return TRUE;
}

#endif

// A real application would use the picture as well: gst_video_frame_map() with the caps of the
// sample.
static void print_sample(GstSample *sample) {
  GstBuffer *buffer = gst_sample_get_buffer(sample);

  g_print("%" GST_TIME_FORMAT, GST_TIME_ARGS(GST_BUFFER_PTS(buffer)));
  if (!print_tags(buffer))
    g_print("  no tags");
  g_print("\n");
}

// What went wrong, if anything did, is on the bus.
static gboolean print_error(GstElement *pipeline) {
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  g_autoptr(GstMessage) message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  g_autoptr(GError) error = NULL;

  if (message == NULL)
    return FALSE;
  gst_message_parse_error(message, &error, NULL);
  g_printerr("embed: %s\n", error->message);
  return TRUE;
}

int main(int argc, char **argv) {
  g_autofree gchar *launch = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GstElement) pipeline = NULL;
  g_autoptr(GstElement) sink = NULL;
  gboolean failed = FALSE;

  gst_init(&argc, &argv);
  // sync=false: as fast as frames are classified. A player leaves it out. max-buffers holds the
  // frames back that this program has not taken yet.
  launch = g_strdup_printf("%s ! videoconvert ! swinclassify top-k=3 post-messages=false ! "
                           "appsink name=sink sync=false max-buffers=4",
                           argc > 1 ? argv[1] : "videotestsrc num-buffers=10");
  pipeline = gst_parse_launch_full(launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline == NULL) {
    g_printerr("embed: %s\n", error->message);
    return 1;
  }
  sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  // An error ends the stream without EOS, so the bus is looked at whenever no frame comes for a
  // while.
  while (!failed && !gst_app_sink_is_eos(GST_APP_SINK(sink))) {
    GstSample *sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), 100 * GST_MSECOND);

    if (sample != NULL) {
      print_sample(sample);
      gst_sample_unref(sample);
    } else {
      failed = print_error(pipeline);
    }
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return failed ? 1 : 0;
}
