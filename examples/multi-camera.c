// SPDX-License-Identifier: LGPL-2.1-or-later
// multi-camera: looks at several cameras, files or test patterns with one model, and shows them in
// one picture, each with its tags.
//
// Each source has a swinclassify of its own. They name the same model, so they share it: the
// weights are on the device once, and frames of different sources are computed in one batch.
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>

// For scripts: there is no camera.
#define EXIT_NO_CAMERA 3
#define MAX_SOURCES 64

typedef struct {
  gint test;
  gchar *sink;
  gchar *model;
  gchar *device;
  gint tags;
  gint width;
  gint wait; // milliseconds
  gdouble seconds;
  gchar **sources;
} Options;

/* ---- Sources ------------------------------------------------------------------------------- */

static gint compare(gconstpointer a, gconstpointer b) {
  return g_strcmp0(*(const gchar *const *)a, *(const gchar *const *)b);
}

// Cameras have a second device file for what they say of frames, and decoders have one too.
static gboolean is_camera(const gchar *path) {
  struct v4l2_capability capability;
  gint file = g_open(path, O_RDWR | O_NONBLOCK, 0);
  gboolean gives_pictures;

  if (file < 0)
    return FALSE;
  gives_pictures =
      ioctl(file, VIDIOC_QUERYCAP, &capability) == 0 &&
      (capability.device_caps & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE)) != 0;
  g_close(file, NULL);
  return gives_pictures;
}

static void add_cameras(GPtrArray *sources) {
  GDir *folder = g_dir_open("/dev", 0, NULL);
  const gchar *name;

  while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
    g_autofree gchar *path = g_build_filename("/dev", name, NULL);

    if (g_str_has_prefix(name, "video") && g_ascii_isdigit(name[5]) && is_camera(path))
      g_ptr_array_add(sources, g_strdup_printf("v4l2src device=%s", path));
  }
  if (folder != NULL)
    g_dir_close(folder);
  g_ptr_array_sort(sources, compare);
}

static void add_patterns(GPtrArray *sources, gint n_patterns) {
  static const gchar *const patterns[] = {"smpte",      "ball",  "snow",     "checkers-8",
                                          "zone-plate", "black", "pinwheel", "gradient"};

  // In what cameras give; by itself videotestsrc takes the largest format there is.
  for (gint i = 0; i < n_patterns; i++)
    g_ptr_array_add(sources, g_strdup_printf("videotestsrc is-live=true pattern=%s ! "
                                             "video/x-raw,format=NV12,width=640,height=480",
                                             patterns[(gsize)i % G_N_ELEMENTS(patterns)]));
}

// A camera, a file, or elements in the words of gst-launch-1.0.
static gchar *describe(const gchar *source) {
  if (g_str_has_prefix(source, "/dev/"))
    return g_strdup_printf("v4l2src device=\"%s\"", source);
  if (g_file_test(source, G_FILE_TEST_EXISTS))
    return g_strdup_printf("filesrc location=\"%s\" ! decodebin", source);
  return g_strdup(source);
}

// (transfer full): in gst-launch-1.0's words.
static GPtrArray *find_sources(const Options *options) {
  GPtrArray *sources = g_ptr_array_new_with_free_func(g_free);

  for (guint i = 0; options->sources != NULL && options->sources[i] != NULL; i++)
    g_ptr_array_add(sources, describe(options->sources[i]));
  add_patterns(sources, options->test);
  if (sources->len == 0)
    add_cameras(sources);
  return sources;
}

/* ---- Pipeline ------------------------------------------------------------------------------ */

// One branch: source, classifier, tags on the picture, a place in the mosaic. The queue lets the
// mosaic wait for one source without holding up another.
static void append_branch(GString *launch, const gchar *source, guint number) {
  g_string_append_printf(launch,
                         "%s ! swinclassify name=classifier-%u ! swinoverlay name=overlay-%u ! "
                         "queue ! mosaic.sink_%u ",
                         source, number, number, number);
}

static void place(GstElement *mosaic, guint number, guint n_columns, gint width, gint height) {
  g_autofree gchar *name = g_strdup_printf("sink_%u", number);
  g_autoptr(GstPad) pad = gst_element_get_static_pad(mosaic, name);

  g_object_set(pad, "xpos", (gint)(number % n_columns) * width, "ypos",
               (gint)(number / n_columns) * height, "width", width, "height", height, NULL);
  // Black beside pictures of another shape.
  gst_util_set_object_arg(G_OBJECT(pad), "sizing-policy", "keep-aspect-ratio");
}

static GstElement *get_element(GstElement *pipeline, const gchar *kind, guint number) {
  g_autofree gchar *name = g_strdup_printf("%s-%u", kind, number);

  return gst_bin_get_by_name(GST_BIN(pipeline), name);
}

static void set_up_branch(GstElement *pipeline, const Options *options, guint number,
                          guint n_sources) {
  g_autoptr(GstElement) classifier = get_element(pipeline, "classifier", number);
  g_autoptr(GstElement) overlay = get_element(pipeline, "overlay", number);

  // The same for all: only classifiers with the same parameters share batches.
  g_object_set(classifier, "model-file", options->model, "device", options->device, "top-k",
               (guint)options->tags, "batch-size", n_sources, "batch-timeout", (guint)options->wait,
               NULL);
  // For swinoverlay and for messages to tell them apart.
  g_object_set(classifier, "unique-id", number + 1, NULL);
  g_object_set(overlay, "max-tags", (guint)options->tags, NULL);
}

static GstElement *build_pipeline(const Options *options, const GPtrArray *sources,
                                  GError **error) {
  const gchar *sink = options->sink != NULL ? options->sink : "autovideosink";
  g_autoptr(GString) launch = g_string_new("compositor name=mosaic background=black ");
  g_autoptr(GstElement) mosaic = NULL;
  GstElement *pipeline;
  guint n_columns = 1;

  while (n_columns * n_columns < sources->len)
    n_columns++;
  g_string_append_printf(launch, "! videoconvert ! %s ", sink);
  for (guint i = 0; i < sources->len; i++)
    append_branch(launch, g_ptr_array_index(sources, i), i);
  pipeline = gst_parse_launch_full(launch->str, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (pipeline == NULL)
    return NULL;
  mosaic = gst_bin_get_by_name(GST_BIN(pipeline), "mosaic");
  for (guint i = 0; i < sources->len; i++) {
    place(mosaic, i, n_columns, options->width, options->width * 3 / 4);
    set_up_branch(pipeline, options, i, MIN(sources->len, MAX_SOURCES));
  }
  return pipeline;
}

/* ---- Playing ------------------------------------------------------------------------------- */

static guint64 get_count(const GstStructure *stats, const gchar *name) {
  guint64 count = 0;

  gst_structure_get_uint64(stats, name, &count);
  return count;
}

static void print_stats(GstElement *pipeline, const GPtrArray *sources) {
  for (guint i = 0; i < sources->len; i++) {
    g_autoptr(GstElement) classifier = get_element(pipeline, "classifier", i);
    g_autoptr(GstStructure) stats = NULL;
    gdouble fill = 0.0;

    g_object_get(classifier, "stats", &stats, NULL);
    gst_structure_get_double(stats, "batch-fill", &fill);
    g_print("%s: %" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT
            " classified, half of them within %" G_GUINT64_FORMAT " ms, batches %.0f %% full\n",
            (const gchar *)g_ptr_array_index(sources, i), get_count(stats, "frames"),
            get_count(stats, "classified"), get_count(stats, "latency-median") / GST_MSECOND,
            100.0 * fill);
  }
}

// (transfer full) (nullable): the next message that matters; NULL when @end, in monotonic time, has
// come. 0: no end.
static GstMessage *next_message(GstElement *pipeline, gint64 end) {
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  GstClockTime timeout = GST_CLOCK_TIME_NONE;

  if (end != 0)
    timeout = (GstClockTime)MAX(end - g_get_monotonic_time(), 0) * GST_USECOND;
  return gst_bus_timed_pop_filtered(bus, timeout,
                                    GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_LATENCY);
}

// Until all sources have ended, something fails, or @end has come.
static gboolean wait_for_end(GstElement *pipeline, gint64 end) {
  GstMessage *message;
  gboolean ended = FALSE, failed = FALSE;

  while (!ended && !failed && (message = next_message(pipeline, end)) != NULL) {
    ended = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
    failed = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY)
      gst_bin_recalculate_latency(GST_BIN(pipeline));
    if (failed) {
      g_autoptr(GError) error = NULL;

      gst_message_parse_error(message, &error, NULL);
      g_printerr("multi-camera: %s\n", error->message);
    }
    gst_message_unref(message);
  }
  return !failed;
}

static gboolean play(GstElement *pipeline, const GPtrArray *sources, gdouble seconds) {
  const gint64 now = g_get_monotonic_time();
  gboolean played;

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  played = wait_for_end(pipeline, seconds > 0.0 ? now + (gint64)(seconds * G_USEC_PER_SEC) : 0);
  if (played)
    print_stats(pipeline, sources);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return played;
}

static int run(const Options *options) {
  g_autoptr(GPtrArray) sources = find_sources(options);
  g_autoptr(GError) error = NULL;
  g_autoptr(GstElement) pipeline = NULL;

  if (sources->len == 0) {
    g_printerr("multi-camera: There is no camera in /dev. Plug one in, name files to play instead, "
               "or try --test 4, which needs neither.\n");
    return EXIT_NO_CAMERA;
  }
  pipeline = build_pipeline(options, sources, &error);
  if (pipeline == NULL) {
    g_printerr("multi-camera: %s (swinclassify and swinoverlay are found through "
               "GST_PLUGIN_PATH)\n",
               error->message);
    return 1;
  }
  return play(pipeline, sources, options->seconds) ? 0 : 1;
}

/* ---- Options ------------------------------------------------------------------------------- */

static gboolean check_options(const Options *options) {
  guint n_sources = options->sources != NULL ? g_strv_length(options->sources) : 0;

  if (options->tags >= 1 && options->tags <= 64 && options->test >= 0 && options->wait >= 0 &&
      options->width >= 16 && options->width <= 4096 && options->seconds >= 0.0 &&
      n_sources <= MAX_SOURCES && (guint)options->test <= MAX_SOURCES - n_sources)
    return TRUE;
  g_printerr("multi-camera: there is something odd among the options, or there are more than %d "
             "sources; see --help.\n",
             MAX_SOURCES);
  return FALSE;
}

static gboolean parse_options(Options *options, int *argc, char ***argv) {
  const GOptionEntry entries[] = {
      {"test", 't', 0, G_OPTION_ARG_INT, &options->test, "As many test patterns", "N"},
      {"sink", 'o', 0, G_OPTION_ARG_STRING, &options->sink,
       "Where to show the picture, in the words of gst-launch-1.0 (default: autovideosink)",
       "ELEMENTS"},
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &options->model,
       "Folder with model.safetensors and config.json, or the name of a built-in model (default: "
       "objects; for test patterns alone: testcard)",
       "PATH"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options->device,
       "Vulkan device: index, UUID or part of the name", "DEVICE"},
      {"tags", 'k', 0, G_OPTION_ARG_INT, &options->tags,
       "How many tags to write on each picture (default: 2)", "N"},
      {"width", 'w', 0, G_OPTION_ARG_INT, &options->width,
       "Width of each picture in the mosaic (default: 480)", "PIXELS"},
      {"wait", 0, 0, G_OPTION_ARG_INT, &options->wait,
       "How long a batch waits for frames of other sources (default: 10)", "MILLISECONDS"},
      {"seconds", 's', 0, G_OPTION_ARG_DOUBLE, &options->seconds,
       "Stop after that time (default: when all sources have ended)", "SECONDS"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->sources, NULL, "[SOURCE...]"},
      {NULL}};
  g_autoptr(GOptionContext) context =
      g_option_context_new("- look at several cameras with one model");
  g_autoptr(GError) error = NULL;

  g_option_context_set_summary(
      context, "A SOURCE is a camera (/dev/video0), a media file, or elements in the words of "
               "gst-launch-1.0.\nWithout any, all cameras are shown.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_group(context, gst_init_get_option_group());
  if (!g_option_context_parse(context, argc, argv, &error)) {
    g_printerr("multi-camera: %s\n", error->message);
    return FALSE;
  }
  if (options->test > 0 && options->sources == NULL && options->model == NULL)
    options->model = g_strdup("testcard");
  return check_options(options);
}

int main(int argc, char **argv) {
  Options options = {.tags = 2, .width = 480, .wait = 10};
  int status = parse_options(&options, &argc, &argv) ? run(&options) : 2;

  g_free(options.sink);
  g_free(options.model);
  g_free(options.device);
  g_strfreev(options.sources);
  return status;
}
