// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * unpaced.c: eight streams that run as fast as they can and share one model, against one caller of
 * libswin that submits full batches: gathering frames across streams must cost next to nothing.
 */
#include <gst/gst.h>
#include <stdlib.h>

#include "direct.h"

#define N_STREAMS 8
#define N_ROUNDS 9
#define LEAST_RATIO 0.95

static gboolean wait_for_end(GstElement *pipeline) {
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  GstMessage *message =
      gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean ended = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;

  gst_message_unref(message);
  return ended;
}

// The same picture again and again: making new ones would take time from what is measured.
static GstElement *make_streams(guint n_frames, GError **error) {
  GString *launch = g_string_new(NULL);
  GstElement *pipeline;

  for (guint i = 0; i < N_STREAMS; i++)
    g_string_append_printf(
        launch,
        "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=%d,height=%d ! "
        "imagefreeze num-buffers=%u ! swinclassify model-file=testcard batch-size=%d "
        "batch-timeout=20 latency-policy=every post-messages=false ! fakesink sync=false ",
        TEST_STREAM_WIDTH, TEST_STREAM_HEIGHT, n_frames, N_STREAMS);
  pipeline = gst_parse_launch(launch->str, error);
  g_string_free(launch, TRUE);
  return pipeline;
}

// Frames a second of all together; 0 when something failed.
static gdouble run_streams(guint n_frames) {
  g_autoptr(GError) error = NULL;
  GstElement *pipeline = make_streams(n_frames, &error);
  gint64 start, end;
  gboolean ended;

  if (error != NULL) {
    g_printerr("unpaced: %s\n", error->message);
    g_clear_object(&pipeline);
    return 0.0;
  }
  // Models are opened on the way to PAUSED, and one frame of each stream comes as far as the sink.
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  start = g_get_monotonic_time();
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  ended = wait_for_end(pipeline);
  end = g_get_monotonic_time();
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return ended ? 1e6 * N_STREAMS * n_frames / (gdouble)(end - start) : 0.0;
}

static int compare(const void *a, const void *b) {
  const gdouble *left = a, *right = b;

  return (*left > *right) - (*left < *right);
}

int main(int argc, char **argv) {
  gint n_frames = 30;
  const GOptionEntry entries[] = {
      {"frames", 0, 0, G_OPTION_ARG_INT, &n_frames, "Of each stream in a round (default: 30)", "N"},
      {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;
  gdouble ratios[N_ROUNDS];
  TestDirect direct;
  gboolean good;

  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_group(context, gst_init_get_option_group());
  if (!g_option_context_parse(context, &argc, &argv, &error) ||
      !test_direct_open(&direct, N_STREAMS, &error)) {
    g_printerr("unpaced: %s\n", error->message);
    return 1;
  }
  // In turn and in short rounds, so that what else the machine does hits both.
  for (guint i = 0; i < N_ROUNDS; i++) {
    gdouble alone = test_direct_run(&direct, (guint)n_frames * N_STREAMS);
    gdouble together = run_streams((guint)n_frames);

    ratios[i] = alone > 0.0 ? together / alone : 0.0;
    g_print("one caller %.1f frames/s, %d streams %.1f frames/s: %.3f\n", alone, N_STREAMS,
            together, ratios[i]);
  }
  test_direct_close(&direct);
  qsort(ratios, N_ROUNDS, sizeof(*ratios), compare);
  good = ratios[N_ROUNDS / 2] >= LEAST_RATIO;
  g_print("median of the ratios: %.3f\n%s\n", ratios[N_ROUNDS / 2], good ? "ok" : "FAILED");
  return good ? 0 : 1;
}
