// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * live.c: a live source in front of a model that is much slower than it, under
 * latency-policy=latest: nothing may be late, lost or piled up.
 *
 * The same pipeline runs twice, the first time with `identity` in the element's place. Of both it
 * is measured how late frames come to the sink. With --swin-t the model is Swin-T with random
 * weights, half a second a frame on two processors; without it testcard at a size that takes about
 * as long and is quick to open.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/gst.h>

#include "memory.h"
#include "model/export.h"
#include "model/model.h"

#define FRAME_RATE 30
#define FRAME_TIME (GST_SECOND / FRAME_RATE)

/** A result is of the frame that was the newest when the inference before it ended, so that it is
 * two inferences old at most when the next one takes its place. That end is seen at the sink with
 * the next frame, and the newest frame may be the one that is just coming. */
#define MAX_BEHIND (2 * FRAME_TIME)

typedef struct {
  gint seconds;
  gint attempts; /* while frames were late, but nothing else was wrong */
  gboolean swin_t;
} Options;

/** Verdict: of a run. LATE can be the machine's doing, WRONG cannot. */
typedef enum { GOOD, LATE, WRONG } Verdict;

/** Run: what was seen at the sink. */
typedef struct {
  GstElement *pipeline;
  GArray *lateness; /* of gint64, ns: of each frame */
  GstClockTime last;
  guint n_disordered;
  guint n_results;    /* frames that carry one */
  guint64 oldest;     /* result, in ns */
  GstClockTime of;    /* the frame that the newest result is of */
  GstClockTime since; /* the first frame that carried it */
  gint64 behind;      /* ns: how long, at most, the result before was there when the frame of the
                         next came */
  guint64 first_half_size; /* resident bytes when half of the frames had come */
  guint64 size;            /* at the end */
  guint64 latency;         /* 95th percentile of inferences, in ns */
} Run;

static guint64 age_of(GstBuffer *buffer) {
  GstCustomMeta *meta = gst_buffer_get_custom_meta(buffer, "swin-classification");
  guint64 age = GST_CLOCK_TIME_NONE;

  if (meta != NULL)
    gst_structure_get_uint64(gst_custom_meta_get_structure(meta), "age", &age);
  return age;
}

/* Of a frame of time stamp @stamp that carries a result of age @age. */
static void note_result(Run *run, GstClockTime stamp, guint64 age) {
  GstClockTime of = stamp - age;

  run->oldest = MAX(run->oldest, age);
  if (run->n_results++ > 0 && of == run->of)
    return;
  if (run->n_results > 1)
    run->behind = MAX(run->behind, GST_CLOCK_DIFF(of, run->since));
  run->of = of;
  run->since = stamp;
}

static GstPadProbeReturn note_arrival(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  Run *run = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  guint64 age = age_of(buffer);
  // The source's segment begins at 0: a frame's time stamp is its running time.
  gint64 late =
      GST_CLOCK_DIFF(GST_BUFFER_PTS(buffer), gst_element_get_current_running_time(run->pipeline));

  (void)pad;
  g_array_append_val(run->lateness, late);
  if (run->lateness->len > 1 && GST_BUFFER_PTS(buffer) <= run->last)
    run->n_disordered++;
  run->last = GST_BUFFER_PTS(buffer);
  if (age != GST_CLOCK_TIME_NONE)
    note_result(run, run->last, age);
  return GST_PAD_PROBE_OK;
}

static gboolean wait_for_end(GstElement *pipeline, gint seconds) {
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered(bus, (GstClockTime)seconds * GST_SECOND,
                                                   GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean ended = message != NULL && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;

  if (message == NULL)
    g_printerr("live: the pipeline did not come to its end.\n");
  else if (!ended) {
    g_autoptr(GError) error = NULL;

    gst_message_parse_error(message, &error, NULL);
    g_printerr("live: %s\n", error->message);
  }
  g_clear_pointer(&message, gst_message_unref);
  return ended;
}

static gboolean play(Run *run, gint seconds) {
  gboolean ended;

  gst_element_set_state(run->pipeline, GST_STATE_PLAYING);
  // Opening a model takes its time; only then the source starts.
  gst_element_get_state(run->pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  g_usleep((gulong)seconds / 2 * G_USEC_PER_SEC);
  run->first_half_size = test_resident_size();
  ended = wait_for_end(run->pipeline, seconds + 30);
  run->size = test_resident_size();
  return ended;
}

static void read_stats(Run *run) {
  GstElement *element = gst_bin_get_by_name(GST_BIN(run->pipeline), "element");
  g_autoptr(GstStructure) stats = NULL;

  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "stats") != NULL) {
    g_object_get(element, "stats", &stats, NULL);
    gst_structure_get_uint64(stats, "latency-p95", &run->latency);
  }
  gst_object_unref(element);
}

static gboolean run_with(Run *run, const gchar *element, gint seconds) {
  g_autofree gchar *launch = g_strdup_printf(
      "videotestsrc is-live=true pattern=ball num-buffers=%d ! "
      "video/x-raw,format=I420,width=640,height=480,framerate=%d/1 ! %s name=element ! "
      "fakesink name=sink sync=true",
      seconds * FRAME_RATE, FRAME_RATE, element);
  g_autoptr(GError) error = NULL;
  GstElement *sink;
  GstPad *pad;
  gboolean ended;

  *run = (Run){.pipeline = gst_parse_launch(launch, &error)};
  if (error != NULL) {
    g_printerr("live: %s\n", error->message);
    g_clear_object(&run->pipeline);
    return FALSE;
  }
  run->lateness = g_array_new(FALSE, FALSE, sizeof(gint64));
  sink = gst_bin_get_by_name(GST_BIN(run->pipeline), "sink");
  pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, note_arrival, run, NULL);
  gst_object_unref(pad);
  gst_object_unref(sink);
  ended = play(run, seconds);
  read_stats(run);
  gst_element_set_state(run->pipeline, GST_STATE_NULL);
  g_clear_object(&run->pipeline);
  return ended;
}

static gint compare(gconstpointer a, gconstpointer b) {
  const gint64 *left = a, *right = b;

  return (*left > *right) - (*left < *right);
}

static gint64 percentile(GArray *values, guint percent) {
  g_array_sort(values, compare);
  return values->len > 0 ? g_array_index(values, gint64, (guint64)(values->len - 1) * percent / 100)
                         : 0;
}

static gdouble milliseconds(gint64 nanoseconds) {
  return (gdouble)nanoseconds / (gdouble)GST_MSECOND;
}

static Verdict check(gboolean holds, Verdict otherwise, const gchar *what) {
  g_print("%s: %s\n", holds ? "ok" : "FAILED", what);
  return holds ? GOOD : otherwise;
}

static Verdict judge(Run *with, Run *without, gint seconds) {
  gint64 late = percentile(with->lateness, 99), usual = percentile(without->lateness, 99);
  Verdict verdict;

  g_print(
      "frames %u of %d; lateness at the sink, 99th percentile: %.1f ms, with identity %.1f ms\n",
      with->lateness->len, seconds * FRAME_RATE, milliseconds(late), milliseconds(usual));
  g_print(
      "inference, 95th percentile: %.0f ms; oldest result %.0f ms; on %u frames; its frame came "
      "at most %.0f ms before the result of the one before\n",
      milliseconds((gint64)with->latency), milliseconds((gint64)with->oldest), with->n_results,
      milliseconds(with->behind));
  verdict = check(late <= usual + (gint64)FRAME_TIME, LATE, "at most a frame later than identity");
  verdict = MAX(verdict, check(with->behind <= (gint64)MAX_BEHIND, LATE,
                               "no result is older than two inferences"));
  verdict = MAX(verdict, check(with->lateness->len == (guint)(seconds * FRAME_RATE), WRONG,
                               "every frame leaves"));
  verdict = MAX(verdict, check(with->n_disordered == 0, WRONG, "in order"));
  verdict = MAX(verdict, check(with->n_results > 0, WRONG, "frames carry results"));
  return MAX(verdict, check(test_memory_is_flat(with->first_half_size, with->size, seconds), WRONG,
                            "memory stays flat, where the run is long enough to tell"));
}

static gchar *export_swin_t(GError **error) {
  g_autoptr(SwinModel) model = swin_model_new_random("swin_t", 1, error);
  g_autofree gchar *folder = model != NULL ? g_dir_make_tmp("swin-live-XXXXXX", error) : NULL;

  if (folder == NULL || !swin_model_export(model, folder, SWIN_DTYPE_F32, error))
    return NULL;
  return g_steal_pointer(&folder);
}

static void remove_folder(const gchar *folder) {
  static const gchar *names[] = {"model.safetensors", "config.json", "preprocessor_config.json"};

  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree gchar *path = g_build_filename(folder, names[i], NULL);

    g_remove(path);
  }
  g_rmdir(folder);
}

static Verdict run_both(const gchar *model, gint seconds) {
  g_autofree gchar *element =
      g_strdup_printf("swinclassify latency-policy=latest post-messages=false %s", model);
  Run with = {0}, without = {0};
  Verdict verdict = WRONG;

  if (run_with(&without, "identity", seconds) && run_with(&with, element, seconds))
    verdict = judge(&with, &without, seconds);
  g_clear_pointer(&with.lateness, g_array_unref);
  g_clear_pointer(&without.lateness, g_array_unref);
  return verdict;
}

static gboolean run(const gchar *model, const Options *options) {
  Verdict verdict = LATE;

  for (gint i = 0; i < options->attempts && verdict == LATE; i++)
    verdict = run_both(model, options->seconds);
  return verdict == GOOD;
}

static gboolean run_swin_t(const Options *options, GError **error) {
  g_autofree gchar *folder = export_swin_t(error);
  g_autofree gchar *model = NULL;
  gboolean good;

  if (folder == NULL)
    return FALSE;
  model = g_strdup_printf("model-file=\"%s\"", folder);
  good = run(model, options);
  remove_folder(folder);
  return good;
}

int main(int argc, char **argv) {
  Options options = {.seconds = 8, .attempts = 1};
  const GOptionEntry entries[] = {
      {"seconds", 0, 0, G_OPTION_ARG_INT, &options.seconds, "How long (default: 8)", "N"},
      {"attempts", 0, 0, G_OPTION_ARG_INT, &options.attempts,
       "How often, while the machine lets frames be late (default: 1)", "N"},
      {"swin-t", 0, 0, G_OPTION_ARG_NONE, &options.swin_t, "With Swin-T", NULL},
      {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;
  gboolean good = FALSE;

  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_group(context, gst_init_get_option_group());
  if (g_option_context_parse(context, &argc, &argv, &error))
    good = options.swin_t ? run_swin_t(&options, &error)
                          : run("model-file=testcard image-size=672", &options);
  if (error != NULL)
    g_printerr("live: %s\n", error->message);
  return good ? 0 : 1;
}
