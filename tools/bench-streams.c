// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench-streams.h"
#include "commands.h"
#include "model/json.h"

#define WARM_UP 200000  /* microseconds */
#define MEASURE 2000000 /* microseconds */
#define UNDER_WAY 4     /* frames of one stream */

/** Meter: what the shared scheduler had done at two moments at which a batch was just done. */
typedef struct {
  gint64 from, until; /* monotonic microseconds: what is counted */
  GMutex lock;        /* guards the rest */
  gint64 times[2];
  SwinClassifierStats stats[2];
} Meter;

/** Stream: a caller that submits as fast as its frames come back. */
typedef struct {
  SwinClassifier *classifier;
  const SwinFrame *frame;
  guint most_under_way;
  Meter *meter;
  GMutex lock; /* guards the rest */
  GCond changed;
  guint n_under_way;
  guint n_counted;
  GError *error; /* (nullable): the first one */
} Stream;

/** Measured: all streams together. */
typedef struct {
  gdouble speed; /* frames a second */
  gdouble least; /* of the stream that got the least, as a share of what it had in a fair world */
  gdouble fill;  /* of the batches, 0 to 1 */
} Measured;

/* Returns: whether the frame counts. */
static gboolean read_meter(Meter *meter, SwinClassifier *classifier) {
  const gint64 now = g_get_monotonic_time();
  if (now < meter->from || now >= meter->until)
    return FALSE;
  SwinClassifierStats stats = {.struct_size = sizeof(stats)};
  swin_classifier_get_stats(classifier, &stats);
  g_mutex_lock(&meter->lock);
  const guint moment = meter->times[0] != 0;
  if (stats.n_batches != meter->stats[1].n_batches) {
    meter->times[moment] = now;
    meter->stats[moment] = stats;
  }
  g_mutex_unlock(&meter->lock);
  return TRUE;
}

static void result_arrives(SwinClassifier *classifier, const SwinResult *result,
                           gpointer user_data) {
  Stream *stream = user_data;
  const gboolean counts = read_meter(stream->meter, classifier);
  g_mutex_lock(&stream->lock);
  stream->n_under_way--;
  stream->n_counted += counts;
  if (result->error && !stream->error)
    stream->error = g_error_copy(result->error);
  g_cond_signal(&stream->changed);
  g_mutex_unlock(&stream->lock);
}

/* Takes a place among the frames under way. Returns: FALSE when time is up or a frame failed. */
static gboolean take_place(Stream *stream) {
  g_mutex_lock(&stream->lock);
  while (stream->n_under_way >= stream->most_under_way)
    g_cond_wait(&stream->changed, &stream->lock);
  const gboolean go_on = !stream->error && g_get_monotonic_time() < stream->meter->until;
  stream->n_under_way += go_on;
  g_mutex_unlock(&stream->lock);
  return go_on;
}

static gpointer run_stream(gpointer data) {
  Stream *stream = data;
  g_autoptr(GError) error = NULL;
  while (!error && take_place(stream))
    swin_classifier_submit(stream->classifier, stream->frame, NULL, NULL, result_arrives, stream,
                           &error);
  swin_classifier_drain(stream->classifier);
  if (error && !stream->error)
    stream->error = g_steal_pointer(&error);
  return NULL;
}

static gboolean open_streams(Stream *streams, guint n_streams, SwinDevice *device, SwinModel *model,
                             const SwinClassifierParams *params, GError **error) {
  for (guint i = 0; i < n_streams; i++) {
    streams[i].classifier = swin_classifier_new(device, model, params, error);
    if (!streams[i].classifier)
      return FALSE;
    g_mutex_init(&streams[i].lock);
    g_cond_init(&streams[i].changed);
  }
  return TRUE;
}

static void close_streams(Stream *streams, guint n_streams) {
  for (guint i = 0; i < n_streams && streams[i].classifier; i++) {
    swin_classifier_unref(streams[i].classifier);
    g_cond_clear(&streams[i].changed);
    g_mutex_clear(&streams[i].lock);
    g_clear_error(&streams[i].error);
  }
}

static gboolean evaluate(const Meter *meter, Measured *measured, GError **error) {
  const gdouble n_batches = (gdouble)meter->stats[1].n_batches - (gdouble)meter->stats[0].n_batches;
  const gdouble n_frames = (gdouble)meter->stats[1].n_frames - (gdouble)meter->stats[0].n_frames;
  if (meter->times[1] == 0) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                        "The device is too slow to be measured with batches of that size.");
    return FALSE;
  }
  measured->speed = n_frames * 1e6 / (gdouble)(meter->times[1] - meter->times[0]);
  measured->fill = n_frames / n_batches / meter->stats[1].batch_size;
  return TRUE;
}

static gboolean run_streams(Stream *streams, guint n_streams, Meter *meter, Measured *measured,
                            GError **error) {
  GThread *threads[SWIN_BENCH_MAX_STREAMS];
  meter->from = g_get_monotonic_time() + WARM_UP;
  meter->until = meter->from + MEASURE;
  for (guint i = 0; i < n_streams; i++)
    threads[i] = g_thread_new("stream", run_stream, &streams[i]);
  guint total = 0, least = G_MAXUINT;
  for (guint i = 0; i < n_streams; i++) {
    g_thread_join(threads[i]);
    total += streams[i].n_counted;
    least = MIN(least, streams[i].n_counted);
  }
  for (guint i = 0; i < n_streams; i++)
    if (streams[i].error) {
      g_propagate_error(error, g_steal_pointer(&streams[i].error));
      return FALSE;
    }
  measured->least = total > 0 ? (gdouble)least * n_streams / total : 0.0;
  return evaluate(meter, measured, error);
}

static gboolean measure(SwinDevice *device, SwinModel *model, const SwinClassifierParams *params,
                        const SwinFrame *frame, guint n_streams, guint most_under_way,
                        Measured *measured, GError **error) {
  Meter meter = {0};
  Stream streams[SWIN_BENCH_MAX_STREAMS] = {0};
  for (guint i = 0; i < n_streams; i++) {
    streams[i].frame = frame;
    streams[i].most_under_way = most_under_way;
    streams[i].meter = &meter;
  }
  g_mutex_init(&meter.lock);
  const gboolean done = open_streams(streams, n_streams, device, model, params, error) &&
                        run_streams(streams, n_streams, &meter, measured, error);
  close_streams(streams, n_streams);
  g_mutex_clear(&meter.lock);
  return done;
}

/* Of the network's size, with random pixels. */
static guint8 *make_frame(SwinModel *model, SwinFrame *frame) {
  guint width, height;
  swin_model_get_input_size(model, &width, &height);
  const gsize n_bytes = (gsize)3 * width * height;
  guint8 *pixels = g_malloc(n_bytes);
  g_autoptr(GRand) random = g_rand_new_with_seed(1);
  for (gsize i = 0; i < n_bytes; i++)
    pixels[i] = (guint8)g_rand_int(random);
  *frame = (SwinFrame)SWIN_FRAME_INIT;
  frame->width = width;
  frame->height = height;
  frame->model = SWIN_COLOR_RGB;
  for (guint c = 0; c < 3; c++)
    frame->component[c] = (SwinFrameComponent){.offset = c, .pixel_stride = 3};
  frame->planes[0] = pixels;
  frame->strides[0] = 3 * (gsize)width;
  return pixels;
}

/* ---- What is printed ------------------------------------------------------------------------ */

static gint compare_doubles(gconstpointer a, gconstpointer b) {
  const gdouble x = *(const gdouble *)a, y = *(const gdouble *)b;
  return (x > y) - (x < y);
}

static gdouble median(const gdouble *values, guint n_values) {
  g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(gdouble));
  g_array_append_vals(sorted, values, n_values);
  g_array_sort(sorted, compare_doubles);
  return g_array_index(sorted, gdouble, n_values / 2);
}

/** Figures: the medians of the runs. */
typedef struct {
  guint batch, n_streams;
  const gchar *precision; /* in use */
  gdouble single, together, ratio, least, fill;
} Figures;

static void print_text(SwinModel *model, const Figures *figures) {
  g_print("model    %s, batch %u, %s\n", swin_model_get_name(model), figures->batch,
          figures->precision);
  g_print("alone    %.2f frames/s of one caller\n", figures->single);
  g_print("streams  %.2f frames/s of %u callers, %.3f times as many\n", figures->together,
          figures->n_streams, figures->ratio);
  g_print("         batches %.0f%% full; the least that one of them got is %.2f of its share\n",
          100.0 * figures->fill, figures->least);
}

static void print_json(SwinModel *model, const Figures *figures) {
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  swin_json_add_string(builder, "model", swin_model_get_name(model));
  swin_json_add_integer(builder, "batch", figures->batch);
  swin_json_add_integer(builder, "streams", figures->n_streams);
  swin_json_add_string(builder, "precision", figures->precision);
  swin_json_add_double(builder, "alone_per_second", figures->single);
  swin_json_add_double(builder, "streams_per_second", figures->together);
  swin_json_add_double(builder, "ratio", figures->ratio);
  swin_json_add_double(builder, "batch_fill", figures->fill);
  swin_json_add_double(builder, "least_share", figures->least);
  json_builder_end_object(builder);
  swin_command_print_json(builder);
}

gboolean swin_bench_streams(SwinDevice *device, SwinModel *model, SwinPrecision precision,
                            guint batch, guint n_streams, guint runs, gboolean json,
                            GError **error) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_batch_size(params, batch);
  swin_classifier_params_set_precision(params, precision);
  SwinFrame frame;
  g_autofree guint8 *pixels = make_frame(model, &frame);
  g_autofree gdouble *values = g_new0(gdouble, (gsize)5 * runs);
  gdouble *single = values, *together = single + runs, *ratio = together + runs,
          *least = ratio + runs, *fill = least + runs;
  for (guint i = 0; i < runs; i++) {
    Measured one, many;
    if (!measure(device, model, params, &frame, 1, 2 * batch, &one, error) ||
        !measure(device, model, params, &frame, n_streams, UNDER_WAY, &many, error))
      return FALSE;
    single[i] = one.speed;
    together[i] = many.speed;
    ratio[i] = one.speed > 0.0 ? many.speed / one.speed : 0.0;
    least[i] = many.least;
    fill[i] = many.fill;
  }
  const Figures figures = {
      .batch = batch,
      .n_streams = n_streams,
      .precision = swin_command_precision_name(swin_device_get_precision(device, precision)),
      .single = median(single, runs),
      .together = median(together, runs),
      .ratio = median(ratio, runs),
      .least = median(least, runs),
      .fill = median(fill, runs),
  };
  if (json)
    print_json(model, &figures);
  else
    print_text(model, &figures);
  return TRUE;
}
