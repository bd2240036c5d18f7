// SPDX-License-Identifier: LGPL-2.1-or-later
// tag-file: plays a media file as fast as it can be classified and prints what it shows when.
//
// The tags are taken from the messages on the bus; embed.c shows how to take them off the frames.
#include <gst/gst.h>
#include <string.h>

typedef struct {
  gchar *model;
  gchar *labels;
  gchar *device;
  gint interval;
  gdouble shortest; // seconds
  gboolean each;
  gchar **files;
} Options;

// A stretch of the file whose frames have the same best tag.
typedef struct {
  gchar *label; // NULL: none yet
  GstClockTime start;
  gdouble confidences;
  guint n_results;
} Stretch;

typedef struct {
  const Options *options;
  GstElement *pipeline;
  GstElement *convert;
  Stretch current;
  Stretch next;      // has not lasted long enough to count
  GstClockTime last; // time of the last result
  gboolean has_video;
  gboolean failed;
} App;

static gchar *format_time(GstClockTime time) {
  guint64 tenths = (time + GST_MSECOND * 50) / (GST_MSECOND * 100);
  guint64 seconds = tenths / 10, minutes = seconds / 60;

  if (minutes < 60)
    return g_strdup_printf("%u:%02u.%u", (guint)minutes, (guint)(seconds % 60),
                           (guint)(tenths % 10));
  return g_strdup_printf("%u:%02u:%02u.%u", (guint)(minutes / 60), (guint)(minutes % 60),
                         (guint)(seconds % 60), (guint)(tenths % 10));
}

static void print_stretch(const Stretch *stretch, GstClockTime end) {
  g_autofree gchar *from = format_time(stretch->start), *to = format_time(end);

  if (stretch->label != NULL)
    g_print("%s - %s  %s  %.0f %%\n", from, to, stretch->label,
            100.0 * stretch->confidences / stretch->n_results);
}

static void print_each(GstClockTime time, const GValue *labels, const GValue *confidences) {
  g_autofree gchar *text = format_time(time);

  g_print("%s", text);
  for (guint i = 0; i < gst_value_array_get_size(labels); i++)
    g_print("  %s %.0f %%", g_value_get_string(gst_value_array_get_value(labels, i)),
            100.0 * g_value_get_double(gst_value_array_get_value(confidences, i)));
  g_print("\n");
}

static void add_result(Stretch *stretch, const gchar *label, gdouble confidence,
                       GstClockTime time) {
  if (g_strcmp0(stretch->label, label) != 0) {
    g_free(stretch->label);
    *stretch = (Stretch){.label = g_strdup(label), .start = time};
  }
  stretch->confidences += confidence;
  stretch->n_results++;
}

static void clear_stretch(Stretch *stretch) {
  g_free(stretch->label);
  *stretch = (Stretch){0};
}

// A label that differs for a moment only is no stretch of its own.
static void extend_timeline(App *app, const gchar *label, gdouble confidence, GstClockTime time) {
  GstClockTime shortest = (GstClockTime)(app->options->shortest * GST_SECOND);

  app->last = time;
  if (app->current.label == NULL || strcmp(app->current.label, label) == 0) {
    add_result(&app->current, label, confidence, time);
    clear_stretch(&app->next);
    return;
  }
  add_result(&app->next, label, confidence, time);
  if (time - app->next.start < shortest)
    return;
  // Only the first can be too short here: it gives its time to the one that lasts.
  if (app->next.start - app->current.start < shortest)
    app->next.start = app->current.start;
  else
    print_stretch(&app->current, app->next.start);
  clear_stretch(&app->current);
  app->current = app->next;
  app->next = (Stretch){0};
}

static void receive_tags(App *app, const GstStructure *message) {
  const GValue *labels = gst_structure_get_value(message, "labels");
  const GValue *confidences = gst_structure_get_value(message, "confidences");
  GstClockTime time = GST_CLOCK_TIME_NONE;

  gst_structure_get_uint64(message, "stream-time", &time);
  if (!GST_CLOCK_TIME_IS_VALID(time))
    return;
  if (app->options->each)
    print_each(time, labels, confidences);
  else if (gst_value_array_get_size(labels) > 0)
    extend_timeline(app, g_value_get_string(gst_value_array_get_value(labels, 0)),
                    g_value_get_double(gst_value_array_get_value(confidences, 0)), time);
}

static void finish(App *app) {
  gint64 duration;

  // The last frame stays until the end of the file.
  if (gst_element_query_duration(app->pipeline, GST_FORMAT_TIME, &duration) &&
      (GstClockTime)duration > app->last)
    app->last = (GstClockTime)duration;
  print_stretch(&app->current, app->last);
}

static void print_error(const gchar *path, GstMessage *message) {
  g_autoptr(GError) error = NULL;
  g_autofree gchar *details = NULL;

  gst_message_parse_error(message, &error, &details);
  g_printerr("tag-file: %s: %s\n", path, error->message);
  if (details != NULL && g_getenv("GST_DEBUG") != NULL)
    g_printerr("%s\n", details);
}

// Only the first video stream is looked at.
static void link_video(GstElement *decoder, GstPad *pad, gpointer user_data) {
  App *app = user_data;
  g_autoptr(GstCaps) caps = gst_pad_query_caps(pad, NULL);
  const gchar *name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  GstElement *rest;

  (void)decoder;
  if (g_str_has_prefix(name, "video/x-raw") && !app->has_video) {
    g_autoptr(GstPad) sink = gst_element_get_static_pad(app->convert, "sink");

    app->has_video = gst_pad_link(pad, sink) == GST_PAD_LINK_OK;
  } else {
    g_autoptr(GstPad) sink = NULL;

    rest = gst_element_factory_make("fakesink", NULL);
    gst_bin_add(GST_BIN(app->pipeline), rest);
    gst_element_sync_state_with_parent(rest);
    sink = gst_element_get_static_pad(rest, "sink");
    gst_pad_link(pad, sink);
  }
}

static void check_video(GstElement *decoder, gpointer user_data) {
  App *app = user_data;

  if (!app->has_video)
    GST_ELEMENT_ERROR(decoder, STREAM, WRONG_TYPE, ("The file has no video to look at."), (NULL));
}

static gboolean build_pipeline(App *app, const gchar *path) {
  const Options *options = app->options;
  GstElement *source, *decoder, *classifier, *sink;

  app->pipeline = gst_pipeline_new(NULL);
  source = gst_element_factory_make("filesrc", NULL);
  decoder = gst_element_factory_make("decodebin", NULL);
  app->convert = gst_element_factory_make("videoconvert", NULL);
  classifier = gst_element_factory_make("swinclassify", NULL);
  sink = gst_element_factory_make("fakesink", NULL);
  if (classifier == NULL) {
    g_printerr("tag-file: GStreamer knows no element swinclassify; set GST_PLUGIN_PATH to the "
               "folder of libgstswin.so.\n");
    return FALSE;
  }
  if (source == NULL || decoder == NULL || app->convert == NULL || sink == NULL) {
    g_printerr("tag-file: GStreamer's base plugins are missing (gstreamer1.0-plugins-base).\n");
    return FALSE;
  }
  g_object_set(source, "location", path, NULL);
  g_object_set(classifier, "model-file", options->model, "labels-file", options->labels, "device",
               options->device, "inference-interval", (guint)options->interval, NULL);
  g_object_set(sink, "sync", FALSE, NULL);
  gst_bin_add_many(GST_BIN(app->pipeline), source, decoder, app->convert, classifier, sink, NULL);
  g_signal_connect(decoder, "pad-added", G_CALLBACK(link_video), app);
  g_signal_connect(decoder, "no-more-pads", G_CALLBACK(check_video), app);
  return gst_element_link(source, decoder) &&
         gst_element_link_many(app->convert, classifier, sink, NULL);
}

static void play(App *app) {
  g_autoptr(GstBus) bus = gst_element_get_bus(app->pipeline);
  gboolean ended = FALSE;

  gst_element_set_state(app->pipeline, GST_STATE_PLAYING);
  while (!ended) {
    GstMessage *message = gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE);

    if (gst_message_has_name(message, "swin-classification")) {
      receive_tags(app, gst_message_get_structure(message));
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      print_error(app->options->files[0], message);
      app->failed = ended = TRUE;
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
      finish(app);
      ended = TRUE;
    }
    gst_message_unref(message);
  }
  gst_element_set_state(app->pipeline, GST_STATE_NULL);
}

static gboolean parse_options(Options *options, int *argc, char ***argv) {
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &options->model,
       "Folder with model.safetensors and config.json, or the name of a built-in model: objects "
       "(the default) or testcard",
       "PATH"},
      {"labels", 'l', 0, G_OPTION_ARG_FILENAME, &options->labels,
       "File with one label on each line (default: the labels of the model)", "FILE"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options->device,
       "Vulkan device: index, UUID or part of the name", "DEVICE"},
      {"interval", 'i', 0, G_OPTION_ARG_INT, &options->interval,
       "Classify every n-th frame (default: 1)", "N"},
      {"shortest", 's', 0, G_OPTION_ARG_DOUBLE, &options->shortest,
       "Leave out of the timeline what lasts less (default: 0.2)", "SECONDS"},
      {"each", 'e', 0, G_OPTION_ARG_NONE, &options->each,
       "Print all tags of each result instead of a timeline of the best", NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->files, NULL, "FILE"},
      {NULL}};
  g_autoptr(GOptionContext) context =
      g_option_context_new("- print a timeline of what a video file shows");
  g_autoptr(GError) error = NULL;

  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_group(context, gst_init_get_option_group());
  if (!g_option_context_parse(context, argc, argv, &error)) {
    g_printerr("tag-file: %s\n", error->message);
    return FALSE;
  }
  if (options->files == NULL || options->files[1] != NULL || options->interval < 1 ||
      options->shortest < 0.0) {
    g_printerr("tag-file: name one file, an interval of at least 1 and no negative length; see "
               "--help.\n");
    return FALSE;
  }
  return TRUE;
}

int main(int argc, char **argv) {
  Options options = {.interval = 1, .shortest = 0.2};
  App app = {.options = &options};

  app.failed = !parse_options(&options, &argc, &argv) || !build_pipeline(&app, options.files[0]);
  if (!app.failed)
    play(&app);

  g_clear_pointer(&app.pipeline, gst_object_unref);
  clear_stretch(&app.current);
  clear_stretch(&app.next);
  g_free(options.model);
  g_free(options.labels);
  g_free(options.device);
  g_strfreev(options.files);
  return app.failed ? 1 : 0;
}
