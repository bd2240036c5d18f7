// SPDX-License-Identifier: LGPL-2.1-or-later
// What swinclassify costs a pipeline besides the inference: processor time a frame, in all threads
// but the driver's, more than identity takes in its place. README.md beside this says how to read
// it.
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "frames.h"
#include "threads.h"

#define MICROSECOND 1000.0

/** Case: one line of the table. */
typedef struct {
  const gchar *format;
  guint width, height;
  gboolean images;         /* in Vulkan images, else in system memory */
  const gchar *mode;       /* what is shown */
  const gchar *properties; /* of swinclassify */
  gdouble part;            /* of the frame's bytes that are uploaded; 0: none from here */
} Case;

/** Cost: of a run, for each frame. */
typedef struct {
  guint n_frames;
  guint64 n_inferences;
  ThreadTimes times; /* nanoseconds in all */
  gdouble seconds;   /* from the first frame to the end of the stream */
} Cost;

static gint n_frames_option = 100;
static gint n_skipped_option = 2000;
static gchar *csv_option, *model_option;

static const GOptionEntry entries[] = {
    {"frames", 'n', 0, G_OPTION_ARG_INT, &n_frames_option, "frames that are looked at (100)", "N"},
    {"skipped", 's', 0, G_OPTION_ARG_INT, &n_skipped_option, "frames that pass (2000)", "N"},
    {"model", 'm', 0, G_OPTION_ARG_STRING, &model_option, "model-file (testcard)", "FILE"},
    {"csv", 0, 0, G_OPTION_ARG_FILENAME, &csv_option, "writes the table as CSV too", "FILE"},
    {NULL},
};

G_NORETURN static void give_up(const gchar *why) {
  g_printerr("%s\n", why);
  exit(1);
}

/* ---- A pipeline that is fed by hand -------------------------------------------------------- */

typedef struct {
  GstElement *pipeline;
  GstElement *element; /* that is measured; the pipeline's */
  GstPad *feed;        /* linked to its sink */
  Frames *frames;
  GAsyncQueue *unused; /* of GstBuffer: frames that are not in the pipeline */
  guint n_frames;
  GMutex lock;
  GCond changed;
  gboolean warm;  /* the first frames have been pushed */
  gboolean begun; /* measuring has begun */
} Run;

static gboolean is_at_end(GstMessage *message) {
  g_autoptr(GError) error = NULL;
  gboolean at_end = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;

  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &error, NULL);
    give_up(error->message);
  }
  gst_message_unref(message);
  return at_end;
}

static gboolean strip_meta(G_GNUC_UNUSED GstBuffer *buffer, GstMeta **meta,
                           G_GNUC_UNUSED gpointer user_data) {
  if ((*meta)->info->api != GST_VIDEO_META_API_TYPE)
    *meta = NULL;
  return TRUE;
}

// Nobody else has a frame while it is in the pipeline, as where it comes from a pool: of those in
// Vulkan images that others have too, the element makes copies.
static void push_frames(Run *run, guint first, guint count) {
  for (guint i = first; i < first + count; i++) {
    GstBuffer *buffer = g_async_queue_pop(run->unused);

    gst_buffer_foreach_meta(buffer, strip_meta, NULL);
    GST_BUFFER_PTS(buffer) = i * 40 * GST_MSECOND;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    if (gst_pad_push(run->feed, buffer) != GST_FLOW_OK)
      give_up("The pipeline refuses frames; GST_DEBUG=2 shows the reason.");
  }
}

// In place of the sink.
static GstPadProbeReturn take_back(G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info,
                                   gpointer user_data) {
  Run *run = user_data;

  g_async_queue_push(run->unused, gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info)));
  GST_PAD_PROBE_INFO_DATA(info) = NULL;
  return GST_PAD_PROBE_HANDLED;
}

static void begin_turns(Run *run, GstElement *sink) {
  g_autoptr(GstPad) pad = gst_element_get_static_pad(sink, "sink");

  run->unused = g_async_queue_new();
  for (guint i = 0; i < FRAMES_N_BUFFERS; i++)
    g_async_queue_push(run->unused, g_steal_pointer(&run->frames->buffers[i]));
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, take_back, run, NULL);
}

static void end_turns(Run *run) {
  for (guint i = 0; i < FRAMES_N_BUFFERS; i++)
    run->frames->buffers[i] = g_async_queue_pop(run->unused);
  g_async_queue_unref(run->unused);
}

static void push_start(Run *run) {
  GstSegment segment;

  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(run->feed, gst_event_new_stream_start("bench"));
  gst_pad_push_event(run->feed, gst_event_new_caps(run->frames->caps));
  gst_pad_push_event(run->feed, gst_event_new_segment(&segment));
}

#define N_WARM_UP FRAMES_N_BUFFERS

static gpointer feed(gpointer user_data) {
  Run *run = user_data;

  push_start(run);
  push_frames(run, 0, N_WARM_UP);
  g_mutex_lock(&run->lock);
  run->warm = TRUE;
  g_cond_broadcast(&run->changed);
  while (!run->begun)
    g_cond_wait(&run->changed, &run->lock);
  g_mutex_unlock(&run->lock);
  push_frames(run, N_WARM_UP, run->n_frames);
  gst_pad_push_event(run->feed, gst_event_new_eos());
  // The thread's time is gone with it: it ends when that has been read.
  g_mutex_lock(&run->lock);
  while (run->begun)
    g_cond_wait(&run->changed, &run->lock);
  g_mutex_unlock(&run->lock);
  return NULL;
}

static void set_begun(Run *run, gboolean begun) {
  g_mutex_lock(&run->lock);
  run->begun = begun;
  g_cond_broadcast(&run->changed);
  g_mutex_unlock(&run->lock);
}

static guint64 count_inferences(GstElement *element) {
  g_autoptr(GstStructure) stats = NULL;
  guint64 n_inferences = 0;

  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "unique-id") == NULL)
    return 0;
  g_object_get(element, "stats", &stats, NULL);
  gst_structure_get_uint64(stats, "inferences", &n_inferences);
  return n_inferences;
}

// The first frames have been pushed, and nothing is said of them any more.
static void wait_until_warm(Run *run, GstBus *bus) {
  GstMessage *message;

  g_mutex_lock(&run->lock);
  while (!run->warm)
    g_cond_wait(&run->changed, &run->lock);
  g_mutex_unlock(&run->lock);
  while ((message = gst_bus_timed_pop(bus, 500 * GST_MSECOND)) != NULL)
    is_at_end(message);
}

static Cost measure(Run *run) {
  g_autoptr(GstBus) bus = gst_element_get_bus(run->pipeline);
  GThread *feeder;
  ThreadTimes start;
  Cost cost = {.n_frames = run->n_frames};
  guint64 n_before;
  gint64 began;

  gst_element_set_state(run->pipeline, GST_STATE_PLAYING);
  gst_pad_set_active(run->feed, TRUE);
  feeder = g_thread_new(THREADS_FEEDER, feed, run);
  wait_until_warm(run, bus);
  n_before = count_inferences(run->element);
  start = thread_times_read();
  began = g_get_monotonic_time();
  set_begun(run, TRUE);
  while (!is_at_end(gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE)))
    continue;
  cost.seconds = (gdouble)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
  cost.times = thread_times_since(&start);
  cost.n_inferences = count_inferences(run->element) - n_before;
  set_begun(run, FALSE);
  g_thread_join(feeder);
  gst_element_set_state(run->pipeline, GST_STATE_NULL);
  return cost;
}

static Cost run_element(const gchar *launch, Frames *frames, guint n_frames) {
  g_autofree gchar *description =
      g_strdup_printf("%s name=element ! fakesink name=end sync=false async=false", launch);
  g_autoptr(GError) error = NULL;
  g_autoptr(GstElement) pipeline = gst_parse_launch(description, &error);
  g_autoptr(GstElement) element = NULL, end = NULL;
  g_autoptr(GstPad) sink = NULL, feed_pad = NULL;
  Run run = {.pipeline = pipeline, .frames = frames, .n_frames = n_frames};
  Cost cost;

  if (pipeline == NULL)
    give_up(error->message);
  element = gst_bin_get_by_name(GST_BIN(pipeline), "element");
  end = gst_bin_get_by_name(GST_BIN(pipeline), "end");
  sink = gst_element_get_static_pad(element, "sink");
  feed_pad = gst_object_ref_sink(gst_pad_new("src", GST_PAD_SRC));
  for (guint i = 0; i < G_N_ELEMENTS(frames->contexts); i++) {
    if (frames->contexts[i] != NULL)
      gst_element_set_context(element, frames->contexts[i]);
  }
  gst_pad_link_full(feed_pad, sink, GST_PAD_LINK_CHECK_NOTHING);
  run.element = element;
  begin_turns(&run, end);
  run.feed = feed_pad;
  g_mutex_init(&run.lock);
  g_cond_init(&run.changed);
  cost = measure(&run);
  end_turns(&run);
  gst_pad_unlink(feed_pad, sink);
  g_cond_clear(&run.changed);
  g_mutex_clear(&run.lock);
  return cost;
}

/* ---- The limit ----------------------------------------------------------------------------- */

static gdouble own_nanoseconds(void) {
  struct timespec time;

  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (gdouble)time.tv_sec * 1e9 + (gdouble)time.tv_nsec;
}

// Nanoseconds that copying takes of @bytes that are in no cache, from buffers in turn into the
// same two, as slots are: the least of a few rounds.
static gdouble measure_copies(gsize bytes) {
  guint8 *from = g_malloc(bytes * FRAMES_N_BUFFERS), *to = g_malloc(bytes * 2);
  gdouble least = G_MAXDOUBLE;

  memset(from, 1, bytes * FRAMES_N_BUFFERS);
  memset(to, 2, bytes * 2);
  for (guint round = 0; round < 4; round++) {
    const gdouble began = own_nanoseconds();

    for (guint i = 0; i < FRAMES_N_BUFFERS; i++) {
      memcpy(to + bytes * (i % 2), from + bytes * i, bytes);
      __asm__ volatile("" ::"r"(to) : "memory");
    }
    least = MIN(least, (own_nanoseconds() - began) / FRAMES_N_BUFFERS);
  }
  g_free(from);
  g_free(to);
  return least;
}

static gsize frame_bytes(const Case *the_case) {
  return (gsize)the_case->width * the_case->height *
         (g_str_equal(the_case->format, "NV12") ? 3 : 8) / 2;
}

/* ---- Cases --------------------------------------------------------------------------------- */

/** Line: what has come out of a case. Times in microseconds a frame. */
typedef struct {
  const Case *of;
  gsize bytes;      /* that are copied */
  gdouble limit;    /* that a copy of them takes */
  gdouble identity; /* of the same pipeline with that */
  gdouble added;    /* by the element */
  Cost cost;
} Line;

static gdouble per_frame(const Cost *cost, guint64 nanoseconds) {
  return (gdouble)nanoseconds / cost->n_frames / MICROSECOND;
}

static Line run_case(const Case *the_case, Frames *frames) {
  const gchar *model = model_option != NULL ? model_option : "testcard";
  g_autofree gchar *launch =
      g_strdup_printf("swinclassify model-file=\"%s\" %s", model, the_case->properties);
  const gboolean skips = !g_str_has_prefix(the_case->mode, "every");
  const guint n_frames = (guint)(skips ? n_skipped_option : n_frames_option);
  Line line = {.of = the_case};
  Cost identity = run_element("identity", frames, n_frames);

  line.cost = run_element(launch, frames, n_frames);
  line.bytes = (gsize)((gdouble)frame_bytes(the_case) * the_case->part);
  line.limit = line.bytes > 0 ? measure_copies(line.bytes) / MICROSECOND : 0.0;
  line.identity = per_frame(&identity, thread_times_own(&identity.times));
  line.added = per_frame(&line.cost, thread_times_own(&line.cost.times)) - line.identity;
  return line;
}

#define LATEST "latency-policy=latest"
#define WHOLE "crop-mode=squash"

// 7/8 of the short side is cut out of the middle.
#define CENTRE(width, height) (0.875 * 0.875 * (height) / (width))

#define OF_SIZE(width, height)                                                                     \
  {"NV12", width, height, FALSE, "every", WHOLE, 1.0},                                             \
      {"NV12", width, height, FALSE, "every, cut", "crop-mode=center", CENTRE(width, height)},     \
      {"BGRA", width, height, FALSE, "every", WHOLE, 1.0},                                         \
      {"NV12", width, height, TRUE, "every", WHOLE, 0.0},                                          \
      {"BGRA", width, height, TRUE, "every", WHOLE, 0.0},                                          \
      {"NV12", width, height, FALSE, "passing", "inference-interval=1000000 " WHOLE, 0.0},         \
      {"NV12", width, height, FALSE, "latest", LATEST " " WHOLE, 0.0}, {                           \
    "NV12", width, height, TRUE, "passing", "inference-interval=1000000 " WHOLE, 0.0               \
  }

static const Case cases[] = {OF_SIZE(1920, 1080), OF_SIZE(3840, 2160)};

/* ---- Output -------------------------------------------------------------------------------- */

static void print_header(void) {
  printf("%-5s %-9s %-6s %-11s %8s %8s %8s | %7s %7s %7s %7s %7s | %9s %6s %6s\n", "", "size",
         "memory", "frames", "added", "limit", "identity", "sink", "source", "upload", "wait",
         "bus", "driver", "infer.", "fps");
  printf("%-5s %-9s %-6s %-11s %8s %8s %8s | %7s %7s %7s %7s %7s | %9s %6s %6s\n", "", "", "", "",
         "us", "us", "us", "us", "us", "us", "us", "us", "us", "", "");
}

static void print_line(const Line *line) {
  const Case *of = line->of;
  const Cost *cost = &line->cost;
  g_autofree gchar *size = g_strdup_printf("%ux%u", of->width, of->height);

  printf(
      "%-5s %-9s %-6s %-11s %8.1f %8.1f %8.1f | %7.1f %7.1f %7.1f %7.1f %7.1f | %9.0f %6" G_GUINT64_FORMAT
      " %6.0f\n",
      of->format, size, of->images ? "image" : "system", of->mode, line->added, line->limit,
      line->identity, per_frame(cost, cost->times.feeder), per_frame(cost, cost->times.source),
      per_frame(cost, cost->times.start), per_frame(cost, cost->times.finish),
      per_frame(cost, cost->times.main), per_frame(cost, cost->times.driver), cost->n_inferences,
      cost->n_frames / cost->seconds);
  fflush(stdout);
}

static void append_csv(GString *csv, const Line *line) {
  const Case *of = line->of;
  const Cost *cost = &line->cost;

  g_string_append_printf(csv,
                         "%s,%u,%u,%s,\"%s\",%u,%" G_GUINT64_FORMAT
                         ",%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%" G_GSIZE_FORMAT "\n",
                         of->format, of->width, of->height, of->images ? "image" : "system",
                         of->mode, cost->n_frames, cost->n_inferences, line->added, line->limit,
                         line->identity, per_frame(cost, cost->times.feeder),
                         per_frame(cost, cost->times.source), per_frame(cost, cost->times.start),
                         per_frame(cost, cost->times.finish), per_frame(cost, cost->times.main),
                         per_frame(cost, cost->times.driver), line->bytes);
}

static gboolean write_file(const gchar *path, const GString *text) {
  g_autoptr(GError) error = NULL;

  if (path == NULL || g_file_set_contents(path, text->str, (gssize)text->len, &error))
    return TRUE;
  g_printerr("%s\n", error->message);
  return FALSE;
}

/* ---- Main ---------------------------------------------------------------------------------- */

static gboolean are_alike(const Case *a, const Case *b) {
  return g_str_equal(a->format, b->format) && a->width == b->width && a->images == b->images;
}

static void run_cases(GString *csv) {
  g_autoptr(Frames) frames = NULL;
  const Case *drawn = NULL;

  print_header();
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Case *of = &cases[i];
    g_autoptr(GError) error = NULL;
    Line line;

    if (drawn == NULL || !are_alike(drawn, of)) {
      g_clear_pointer(&frames, frames_free);
      frames = frames_new(of->format, of->width, of->height, of->images, &error);
      drawn = of;
    }
    if (frames == NULL) {
      printf("%s of %u x %u in %s: %s\n", of->format, of->width, of->height,
             of->images ? "images" : "memory", error != NULL ? error->message : "as above");
      continue;
    }
    line = run_case(of, frames);
    print_line(&line);
    append_csv(csv, &line);
  }
}

int main(int argc, char **argv) {
  g_autoptr(GOptionContext) options = g_option_context_new(NULL);
  g_autoptr(GString) csv = g_string_new(
      "format,width,height,memory,mode,frames,inferences,added_us,limit_us,identity_us,sink_us,"
      "source_us,upload_us,wait_us,bus_us,driver_us,bytes\n");
  g_autoptr(GError) error = NULL;

  // This build's plugin, unless another is to be measured.
  g_setenv("GST_PLUGIN_PATH", SWIN_PLUGIN_FOLDER, FALSE);
  g_option_context_add_main_entries(options, entries, NULL);
  g_option_context_add_group(options, gst_init_get_option_group());
  if (!g_option_context_parse(options, &argc, &argv, &error)) {
    g_printerr("%s\n", error->message);
    return 2;
  }
  run_cases(csv);
  return write_file(csv_option, csv) ? 0 : 1;
}
