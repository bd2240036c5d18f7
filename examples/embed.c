// SPDX-License-Identifier: LGPL-2.1-or-later
// embed: how an application reads the tags off the frames that it takes from an appsink.
//
//   embed [SOURCE [MODEL]]
//
// SOURCE are elements in the words of gst-launch-1.0, such as "filesrc location=film.mp4 !
// decodebin"; by default a test picture. MODEL is a folder or the name of a built-in model; by
// default "testcard" for the test picture, and otherwise what swinclassify takes by itself.
//
// Compile it outside this tree:
//   cc embed.c -o embed $(pkg-config --cflags --libs gstreamer-app-1.0)
#include <gst/app/gstappsink.h>
#include <gst/gst.h>

// What a result is about, where that is not the whole frame: an object that a detector has marked.
static void print_object(const GstStructure *result) {
  const gchar *object_class = gst_structure_get_string(result, "object-class");
  const GValue *region = gst_structure_get_value(result, "region");
  guint numbers[4];
  guint64 track;

  if (region == NULL)
    return;
  for (guint i = 0; i < 4; i++)
    numbers[i] = g_value_get_uint(gst_value_array_get_value(region, i));
  g_print("  %s", object_class != NULL ? object_class : "object");
  if (gst_structure_get_uint64(result, "track", &track))
    g_print(" %" G_GUINT64_FORMAT, track);
  g_print(" at %u, %u, %u x %u:", numbers[0], numbers[1], numbers[2], numbers[3]);
}

// Two arrays of the same length, best first.
static void print_tags(const GstStructure *result) {
  const GValue *labels = gst_structure_get_value(result, "labels");
  const GValue *confidences = gst_structure_get_value(result, "confidences");

  for (guint i = 0; i < gst_value_array_get_size(labels); i++)
    g_print("  %s %.0f %%", g_value_get_string(gst_value_array_get_value(labels, i)),
            100.0 * g_value_get_double(gst_value_array_get_value(confidences, i)));
}

// A buffer has a custom meta of the name below for each model that it went through, or one for each
// object. Where several models are used, the fields `model` and `unique-id` tell them apart.
//
// With GStreamer 1.24 and later the tags are also a GstAnalyticsClsMtd in the buffer's
// GstAnalyticsRelationMeta, for applications that know that of other elements.
static gboolean print_results(GstBuffer *buffer) {
  gboolean found = FALSE;
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta(buffer, &state)) != NULL) {
    const GstStructure *result;

    if (!gst_meta_info_is_custom(meta->info) ||
        !gst_custom_meta_has_name((GstCustomMeta *)meta, "swin-classification"))
      continue;
    result = gst_custom_meta_get_structure((GstCustomMeta *)meta);
    print_object(result);
    print_tags(result);
    found = TRUE;
  }
  return found;
}

// A real application would use the picture as well: gst_video_frame_map() with the caps of the
// sample.
static void print_sample(GstSample *sample) {
  GstBuffer *buffer = gst_sample_get_buffer(sample);

  g_print("%" GST_TIME_FORMAT, GST_TIME_ARGS(GST_BUFFER_PTS(buffer)));
  if (!print_results(buffer))
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
  g_autoptr(GstElement) classifier = NULL;
  g_autoptr(GstElement) sink = NULL;
  gboolean failed = FALSE;

  gst_init(&argc, &argv);
  // sync=false: as fast as frames are classified. A player leaves it out. max-buffers holds the
  // frames back that this program has not taken yet.
  launch = g_strdup_printf("%s ! videoconvert ! swinclassify name=classifier top-k=3 "
                           "post-messages=false ! appsink name=sink sync=false max-buffers=4",
                           argc > 1 ? argv[1] : "videotestsrc num-buffers=10");
  pipeline = gst_parse_launch_full(launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline == NULL) {
    g_printerr("embed: %s\n", error->message);
    return 1;
  }
  classifier = gst_bin_get_by_name(GST_BIN(pipeline), "classifier");
  if (argc > 2)
    g_object_set(classifier, "model-file", argv[2], NULL);
  else if (argc == 1)
    g_object_set(classifier, "model-file", "testcard", NULL);
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
