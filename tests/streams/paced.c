// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * paced.c: eight live streams that share one model come and go at random; no frame may wait longer
 * than the batch timeout, one inference and 200 ms, and memory stays flat.
 *
 * The streams have 15 frames a second each, or fewer on a machine that cannot compute as many: what
 * is measured is how frames are gathered, not how fast the machine is.
 */
#include <gst/gst.h>

#include "direct.h"
#include "memory.h"

#define N_STREAMS 8
#define FRAME_RATE 15
/** Most of what the device can do, in percent, that is asked of it. */
#define MOST_LOAD 60
/** Frames that are computed to see what it can do. */
#define RATE_FRAMES 80
#define BATCH_TIMEOUT 20 /* ms */
#define MOST_WAIT 200    /* ms, beyond batch timeout and inference */

/** Stream: one pipeline after the other in the same place. */
typedef struct {
  guint index;
  GstElement *pipeline;
  GRand *random;
  GMutex lock;
  GHashTable *arrivals; /* time stamp -> monotonic time, both gint64 on the heap */
  gint64 longest;       /* wait of a frame in the element, us */
  guint64 n_frames;     /* that left with a result */
  guint64 n_bare;       /* that left without one */
  guint n_lives;
} Stream;

typedef struct {
  GMainLoop *loop;
  gint rate; /* frames a second of each stream */
  Stream streams[N_STREAMS];
  gboolean failed;
  guint64 early_size;
} Soak;

static Soak soak;

static gint64 *boxed(gint64 value) {
  gint64 *box = g_new(gint64, 1);

  *box = value;
  return box;
}

static GstPadProbeReturn note_arrival(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  Stream *stream = user_data;
  gint64 stamp = (gint64)GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));

  (void)pad;
  g_mutex_lock(&stream->lock);
  g_hash_table_insert(stream->arrivals, boxed(stamp), boxed(g_get_monotonic_time()));
  g_mutex_unlock(&stream->lock);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn note_departure(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  Stream *stream = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  gint64 stamp = (gint64)GST_BUFFER_PTS(buffer);
  const gint64 *arrival;

  (void)pad;
  g_mutex_lock(&stream->lock);
  arrival = g_hash_table_lookup(stream->arrivals, &stamp);
  if (arrival != NULL)
    stream->longest = MAX(stream->longest, g_get_monotonic_time() - *arrival);
  g_hash_table_remove(stream->arrivals, &stamp);
  if (gst_buffer_get_custom_meta(buffer, "swin-classification") != NULL)
    stream->n_frames++;
  else
    stream->n_bare++;
  g_mutex_unlock(&stream->lock);
  return GST_PAD_PROBE_OK;
}

static void add_probe(GstElement *element, const gchar *name, GstPadProbeCallback callback,
                      Stream *stream) {
  GstPad *pad = gst_element_get_static_pad(element, name);

  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, stream, NULL);
  gst_object_unref(pad);
}

static gboolean join(Stream *stream) {
  static const gchar *patterns[] = {"smpte", "black", "snow", "checkers-8"};
  g_autofree gchar *launch = g_strdup_printf(
      "videotestsrc is-live=true pattern=%s ! "
      "video/x-raw,format=I420,width=320,height=240,framerate=%d/1 ! "
      "swinclassify name=element model-file=testcard latency-policy=every batch-size=%d "
      "batch-timeout=%d post-messages=false ! fakesink sync=false",
      patterns[stream->index % G_N_ELEMENTS(patterns)], soak.rate, N_STREAMS, BATCH_TIMEOUT);
  g_autoptr(GError) error = NULL;
  GstElement *element;

  stream->pipeline = gst_parse_launch(launch, &error);
  if (error != NULL) {
    g_printerr("paced: %s\n", error->message);
    return FALSE;
  }
  g_hash_table_remove_all(stream->arrivals);
  element = gst_bin_get_by_name(GST_BIN(stream->pipeline), "element");
  add_probe(element, "sink", note_arrival, stream);
  add_probe(element, "src", note_departure, stream);
  gst_object_unref(element);
  stream->n_lives++;
  return gst_element_set_state(stream->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

static void leave(Stream *stream) {
  gst_element_set_state(stream->pipeline, GST_STATE_NULL);
  g_clear_object(&stream->pipeline);
}

static gboolean come_or_go(gpointer user_data) {
  Stream *stream = user_data;

  if (stream->pipeline != NULL)
    leave(stream);
  else if (!join(stream)) {
    soak.failed = TRUE;
    g_main_loop_quit(soak.loop);
    return G_SOURCE_REMOVE;
  }
  // A stream stays for up to four seconds and is away for up to one.
  g_timeout_add(
      (guint)g_rand_int_range(stream->random, 100, stream->pipeline != NULL ? 4000 : 1000),
      come_or_go, stream);
  return G_SOURCE_REMOVE;
}

static gboolean note_early_size(gpointer user_data) {
  (void)user_data;
  soak.early_size = test_resident_size();
  return G_SOURCE_REMOVE;
}

static gboolean stop(gpointer user_data) {
  (void)user_data;
  g_main_loop_quit(soak.loop);
  return G_SOURCE_REMOVE;
}

static void play(gint seconds) {
  soak.loop = g_main_loop_new(NULL, FALSE);
  for (guint i = 0; i < N_STREAMS; i++) {
    Stream *stream = &soak.streams[i];

    stream->index = i;
    stream->random = g_rand_new_with_seed(i + 1);
    g_mutex_init(&stream->lock);
    stream->arrivals = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    come_or_go(stream);
  }
  g_timeout_add_seconds((guint)seconds / 2, note_early_size, NULL);
  g_timeout_add_seconds((guint)seconds, stop, NULL);
  g_main_loop_run(soak.loop);
}

/* Whether all is well; *late: whether nothing else was wrong than that a frame waited too long. */
static gboolean judge(gint64 inference, gint seconds, gboolean *late) {
  gint64 allowed = inference + (MOST_WAIT + BATCH_TIMEOUT) * G_TIME_SPAN_MILLISECOND;
  gint64 longest = 0;
  guint64 n_frames = 0, n_bare = 0, size = test_resident_size();
  guint n_lives = 0;
  gboolean good;

  for (guint i = 0; i < N_STREAMS; i++) {
    longest = MAX(longest, soak.streams[i].longest);
    n_frames += soak.streams[i].n_frames;
    n_bare += soak.streams[i].n_bare;
    n_lives += soak.streams[i].n_lives;
  }
  g_print("%u pipelines in %d places, %d frames/s each; %" G_GUINT64_FORMAT
          " frames with a result, %" G_GUINT64_FORMAT
          " without; longest wait %.1f ms of %.1f allowed (a full batch alone takes %.1f)\n",
          n_lives, N_STREAMS, soak.rate, n_frames, n_bare, (gdouble)longest / 1e3,
          (gdouble)allowed / 1e3, (gdouble)inference / 1e3);
  good = test_memory_is_flat(soak.early_size, size, seconds);
  good &= !soak.failed && n_frames > 0 && n_bare == 0;
  *late = good && longest > allowed;
  good &= !*late;
  g_print("%s\n", good ? "ok" : "FAILED");
  return good;
}

static void clean_up(void) {
  for (guint i = 0; i < N_STREAMS; i++) {
    Stream *stream = &soak.streams[i];

    if (stream->pipeline != NULL)
      leave(stream);
    g_rand_free(stream->random);
    g_hash_table_unref(stream->arrivals);
    g_mutex_clear(&stream->lock);
    *stream = (Stream){0};
  }
  g_main_loop_unref(soak.loop);
}

static gint choose_rate(gdouble frames_per_second) {
  return CLAMP((gint)(frames_per_second * MOST_LOAD / 100 / N_STREAMS), 1, FRAME_RATE);
}

int main(int argc, char **argv) {
  gint seconds = 10, attempts = 1;
  const GOptionEntry entries[] = {
      {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "How long (default: 10)", "N"},
      {"attempts", 0, 0, G_OPTION_ARG_INT, &attempts,
       "How often, while the machine lets frames wait too long (default: 1)", "N"},
      {"rate", 0, 0, G_OPTION_ARG_INT, &soak.rate, "Frames a second of each stream", "N"},
      {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;
  TestDirect direct;
  gint64 inference;
  gboolean good = FALSE, late = TRUE;

  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_group(context, gst_init_get_option_group());
  if (!g_option_context_parse(context, &argc, &argv, &error) ||
      !test_direct_open(&direct, N_STREAMS, &error)) {
    g_printerr("paced: %s\n", error->message);
    return 1;
  }
  inference = test_direct_batch_time(&direct);
  if (soak.rate <= 0)
    soak.rate = choose_rate(test_direct_run(&direct, RATE_FRAMES));
  test_direct_close(&direct);
  for (gint i = 0; i < attempts && late; i++) {
    play(seconds);
    good = judge(inference, seconds, &late);
    clean_up();
  }
  return good ? 0 : 1;
}
