// SPDX-License-Identifier: LGPL-2.1-or-later
// webcam: shows a camera's picture in a window, with what swinclassify sees written into it.
//
// The pipeline is all there is to it: behind a live source swinclassify lets frames pass at once,
// each with the newest result, and swinoverlay writes what a frame carries. So the picture is never
// late, however slow the model is.
#include <gst/gst.h>

// For scripts: there is no camera.
#define EXIT_NO_CAMERA 3

typedef struct {
  gchar *camera;
  gboolean test;
  gchar *source;
  gchar *sink;
  gchar *model;
  gchar *device;
  gint tags;
} Options;

// (transfer full): what to take pictures from, in gst-launch-1.0's words; NULL when there is no
// camera.
static gchar *source_description(const Options *options) {
  const gchar *camera = options->camera != NULL ? options->camera : "/dev/video0";

  if (options->source != NULL)
    return g_strdup(options->source);
  // In what cameras give; by itself videotestsrc takes the largest format there is.
  if (options->test)
    return g_strdup("videotestsrc is-live=true pattern=ball ! "
                    "video/x-raw,format=NV12,width=640,height=480");
  if (g_file_test(camera, G_FILE_TEST_EXISTS))
    return g_strdup_printf("v4l2src device=\"%s\"", camera);
  g_printerr("webcam: There is no camera at %s. Plug one in, name another with --camera, or try "
             "--test, which needs none.\n",
             camera);
  return NULL;
}

static GstElement *build_pipeline(const Options *options, const gchar *source, GError **error) {
  const gchar *sink = options->sink != NULL ? options->sink : "autovideosink";
  g_autofree gchar *launch =
      g_strdup_printf("%s ! swinclassify name=classifier ! swinoverlay name=overlay ! "
                      "videoconvert ! %s",
                      source, sink);
  GstElement *pipeline = gst_parse_launch_full(launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  GstElement *classifier, *overlay;

  if (pipeline == NULL)
    return NULL;
  classifier = gst_bin_get_by_name(GST_BIN(pipeline), "classifier");
  g_object_set(classifier, "model-file", options->model, "device", options->device, "top-k",
               (guint)options->tags, NULL);
  gst_object_unref(classifier);
  overlay = gst_bin_get_by_name(GST_BIN(pipeline), "overlay");
  g_object_set(overlay, "max-tags", (guint)options->tags, NULL);
  gst_object_unref(overlay);
  return pipeline;
}

static gboolean play(GstElement *pipeline) {
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  gboolean ended = FALSE, failed = FALSE;

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  while (!ended) {
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_LATENCY);

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY) {
      gst_bin_recalculate_latency(GST_BIN(pipeline));
    } else {
      ended = TRUE;
      failed = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
    }
    if (failed) {
      g_autoptr(GError) error = NULL;

      gst_message_parse_error(message, &error, NULL);
      g_printerr("webcam: %s\n", error->message);
    }
    gst_message_unref(message);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return !failed;
}

static gboolean parse_options(Options *options, int *argc, char ***argv) {
  const GOptionEntry entries[] = {
      {"camera", 'c', 0, G_OPTION_ARG_FILENAME, &options->camera,
       "Camera to take pictures from (default: /dev/video0)", "DEVICE"},
      {"test", 't', 0, G_OPTION_ARG_NONE, &options->test, "A test picture instead of a camera",
       NULL},
      {"source", 's', 0, G_OPTION_ARG_STRING, &options->source,
       "Any source, in the words of gst-launch-1.0, instead of a camera", "ELEMENTS"},
      {"sink", 'o', 0, G_OPTION_ARG_STRING, &options->sink,
       "Where to show the pictures, in the words of gst-launch-1.0 (default: autovideosink)",
       "ELEMENTS"},
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &options->model,
       "Folder with model.safetensors and config.json, or the name of a built-in model (default: "
       "objects; for test patterns alone: testcard)",
       "PATH"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options->device,
       "Vulkan device: index, UUID or part of the name", "DEVICE"},
      {"tags", 'k', 0, G_OPTION_ARG_INT, &options->tags, "How many tags to write (default: 3)",
       "N"},
      {NULL}};
  g_autoptr(GOptionContext) context =
      g_option_context_new("- show a camera's picture and what is seen in it");
  g_autoptr(GError) error = NULL;

  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_group(context, gst_init_get_option_group());
  if (!g_option_context_parse(context, argc, argv, &error)) {
    g_printerr("webcam: %s\n", error->message);
    return FALSE;
  }
  if (*argc > 1 || options->tags < 1 || options->tags > 64) {
    g_printerr("webcam: there is something odd among the options; see --help.\n");
    return FALSE;
  }
  if (options->test && options->model == NULL)
    options->model = g_strdup("testcard");
  return TRUE;
}

static int run(const Options *options) {
  g_autofree gchar *source = source_description(options);
  g_autoptr(GError) error = NULL;
  GstElement *pipeline;
  gboolean played;

  if (source == NULL)
    return EXIT_NO_CAMERA;
  pipeline = build_pipeline(options, source, &error);
  if (pipeline == NULL) {
    g_printerr("webcam: %s (swinclassify and swinoverlay are found through GST_PLUGIN_PATH)\n",
               error->message);
    return 1;
  }
  played = play(pipeline);
  gst_object_unref(pipeline);
  return played ? 0 : 1;
}

int main(int argc, char **argv) {
  Options options = {.tags = 3};
  int status = parse_options(&options, &argc, &argv) ? run(&options) : 2;

  g_free(options.camera);
  g_free(options.source);
  g_free(options.sink);
  g_free(options.model);
  g_free(options.device);
  return status;
}
