// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench-loading.h"
#include "bench-streams.h"
#include "commands.h"
#include "model/json.h"

#include <string.h>

/** Figures: what was measured. Times in milliseconds. */
typedef struct {
  guint batch;
  gdouble median, p95, minimum;
  gdouble gflop_per_batch;
  GPtrArray *operations; /* of OperationFigures, by falling time */
} Figures;

/** OperationFigures: all operations of one kind together, in the fastest of the timed runs. */
typedef struct {
  const gchar *name;
  guint calls;
  gdouble gpu_ms;
} OperationFigures;

static gint compare_doubles(gconstpointer a, gconstpointer b) {
  const gdouble x = *(const gdouble *)a, y = *(const gdouble *)b;
  return (x > y) - (x < y);
}

static gint compare_operations(gconstpointer a, gconstpointer b) {
  const OperationFigures *x = *(OperationFigures *const *)a, *y = *(OperationFigures *const *)b;
  return (x->gpu_ms < y->gpu_ms) - (x->gpu_ms > y->gpu_ms);
}

/* Random pixels: zeros would be faster than anything real. */
static gboolean write_input(SwinNetwork *network, GError **error) {
  const gint input = swin_plan_find(swin_network_get_plan(network), "input");
  const SwinBinding binding = swin_network_tensor(network, input, SWIN_ACCESS_WRITE);
  g_autofree gfloat *values = g_try_malloc(binding.size);
  if (!values) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                        "There is not enough memory for a batch of that size.");
    return FALSE;
  }
  g_autoptr(GRand) random = g_rand_new_with_seed(1);
  for (guint64 i = 0; i < binding.size / sizeof(gfloat); i++)
    values[i] = (gfloat)g_rand_double_range(random, -2.0, 2.0);
  return swin_buffer_write(swin_network_get_arena(network), binding.offset, values, binding.size,
                           error);
}

static gboolean measure_latency(SwinNetwork *network, SwinDevice *device, guint runs,
                                Figures *figures, GError **error) {
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, error);
  if (!recorder || !swin_network_record(network, recorder, NULL, error) ||
      !swin_recorder_finish(recorder, error) || !swin_recorder_run(recorder, error))
    return FALSE;
  g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(gdouble));
  for (guint i = 0; i < runs; i++) {
    const gint64 start = g_get_monotonic_time();
    if (!swin_recorder_run(recorder, error))
      return FALSE;
    const gdouble milliseconds = (gdouble)(g_get_monotonic_time() - start) * 1e-3;
    g_array_append_val(times, milliseconds);
  }
  g_array_sort(times, compare_doubles);
  figures->minimum = g_array_index(times, gdouble, 0);
  figures->median = g_array_index(times, gdouble, runs / 2);
  figures->p95 = g_array_index(times, gdouble, MIN(runs - 1, runs * 95 / 100));
  return TRUE;
}

static OperationFigures *find_operation(GPtrArray *operations, const gchar *name) {
  for (guint i = 0; i < operations->len; i++) {
    OperationFigures *figures = g_ptr_array_index(operations, i);
    if (strcmp(figures->name, name) == 0)
      return figures;
  }
  OperationFigures *figures = g_new0(OperationFigures, 1);
  figures->name = name;
  g_ptr_array_add(operations, figures);
  return figures;
}

static gdouble sum(const gdouble *values, guint n_values) {
  gdouble total = 0.0;
  for (guint i = 0; i < n_values; i++)
    total += values[i];
  return total;
}

/* Times every dispatch; of the runs, the one with the smallest total counts. */
static gboolean measure_operations(SwinNetwork *network, SwinDevice *device, guint runs,
                                   Figures *figures, GError **error) {
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_TIMESTAMPS, error);
  if (!recorder || !swin_network_record(network, recorder, NULL, error) ||
      !swin_recorder_finish(recorder, error))
    return FALSE;
  const guint n_dispatches = swin_recorder_get_n_dispatches(recorder);
  g_autofree gdouble *times = g_new0(gdouble, n_dispatches);
  g_autofree gdouble *best = g_new0(gdouble, n_dispatches);
  for (guint i = 0; i < runs; i++) {
    if (!swin_recorder_run(recorder, error) || !swin_recorder_read_times(recorder, times, error))
      return FALSE;
    if (i == 0 || sum(times, n_dispatches) < sum(best, n_dispatches))
      memcpy(best, times, n_dispatches * sizeof(gdouble));
  }
  /* A large operation takes several dispatches, all labelled with its name. */
  const SwinPlan *plan = swin_network_get_plan(network);
  guint index = 0;
  for (guint i = 0; i < n_dispatches; i++) {
    while (strcmp(swin_plan_get_operation(plan, index)->name,
                  swin_recorder_get_label(recorder, i)) != 0)
      index++;
    OperationFigures *operation =
        find_operation(figures->operations, swin_plan_get_operation(plan, index)->klass->name);
    operation->calls++;
    operation->gpu_ms += best[i];
  }
  g_ptr_array_sort(figures->operations, compare_operations);
  return TRUE;
}

static gdouble total_gpu_ms(const Figures *figures) {
  gdouble total = 0.0;
  for (guint i = 0; i < figures->operations->len; i++)
    total += ((OperationFigures *)g_ptr_array_index(figures->operations, i))->gpu_ms;
  return total;
}

static gdouble images_per_second(const Figures *figures) {
  return figures->batch * 1e3 / figures->median;
}

static gdouble gflops(const Figures *figures) {
  return figures->gflop_per_batch * 1e3 / figures->median;
}

static void print_text(SwinModel *model, SwinDevice *device, const Figures *figures) {
  const SwinDeviceInfo *info = swin_device_get_info(device);
  g_print("device   %s (%s)\n", info->name, info->driver);
  g_print("model    %s, batch %u, fp32\n", swin_model_get_name(model), figures->batch);
  g_print("latency  median %.2f ms, p95 %.2f ms, minimum %.2f ms\n", figures->median, figures->p95,
          figures->minimum);
  g_print("speed    %.2f images/s, %.2f GFLOP/s\n\n", images_per_second(figures), gflops(figures));
  g_print("%-18s %6s %12s %7s\n", "operation", "calls", "GPU ms", "share");
  for (guint i = 0; i < figures->operations->len; i++) {
    const OperationFigures *operation = g_ptr_array_index(figures->operations, i);
    g_print("%-18s %6u %12.3f %6.1f%%\n", operation->name, operation->calls, operation->gpu_ms,
            100.0 * operation->gpu_ms / total_gpu_ms(figures));
  }
}

static void print_json(SwinModel *model, SwinDevice *device, const Figures *figures) {
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  swin_json_add_string(builder, "device", swin_device_get_info(device)->name);
  swin_json_add_string(builder, "driver", swin_device_get_info(device)->driver);
  swin_json_add_string(builder, "model", swin_model_get_name(model));
  swin_json_add_integer(builder, "batch", figures->batch);
  swin_json_add_string(builder, "precision", "fp32");
  swin_json_add_double(builder, "images_per_second", images_per_second(figures));
  json_builder_set_member_name(builder, "latency_ms");
  json_builder_begin_object(builder);
  swin_json_add_double(builder, "median", figures->median);
  swin_json_add_double(builder, "p95", figures->p95);
  swin_json_add_double(builder, "min", figures->minimum);
  json_builder_end_object(builder);
  swin_json_add_double(builder, "gflops", gflops(figures));
  json_builder_set_member_name(builder, "operations");
  json_builder_begin_array(builder);
  for (guint i = 0; i < figures->operations->len; i++) {
    const OperationFigures *operation = g_ptr_array_index(figures->operations, i);
    json_builder_begin_object(builder);
    swin_json_add_string(builder, "name", operation->name);
    swin_json_add_integer(builder, "calls", operation->calls);
    swin_json_add_double(builder, "gpu_ms", operation->gpu_ms);
    swin_json_add_double(builder, "share", operation->gpu_ms / total_gpu_ms(figures));
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
  json_builder_end_object(builder);
  swin_command_print_json(builder);
}

static gboolean check_counts(gint batch, gint runs, gint streams, gboolean loading,
                             GError **error) {
  const gchar *wrong = NULL;
  if (batch < 1 || batch > G_MAXUINT16 || runs < 1 || runs > 1000000)
    wrong = "--batch must be from 1 to 65535, --runs from 1 to 1000000.";
  else if (streams < 0 || streams > SWIN_BENCH_MAX_STREAMS || (streams > 0 && batch > 64))
    wrong = "--streams must be from 1 to 64, and with it --batch, too.";
  else if (streams > 0 && loading)
    wrong = "--streams and --loading exclude each other.";
  if (wrong)
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, wrong);
  return !wrong;
}

gboolean swin_command_bench(gint argc, gchar **argv, GError **error) {
  gboolean json = FALSE, loading = FALSE;
  gint batch = 1, runs = 10, streams = 0;
  g_autofree gchar *selector = NULL;
  const GOptionEntry entries[] = {
      {"batch", 'b', 0, G_OPTION_ARG_INT, &batch, "Images computed together (1)", "B"},
      {"runs", 'n', 0, G_OPTION_ARG_INT, &runs, "Timed runs, after one that warms up (10)", "N"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &selector, "Index, UUID or part of a name", "D"},
      {"loading", 0, 0, G_OPTION_ARG_NONE, &loading,
       "Measure how long the file takes to the device, instead of the network", NULL},
      {"streams", 0, 0, G_OPTION_ARG_INT, &streams,
       "Measure so many callers who share the network, beside a single one, instead of the network",
       "N"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(&argc, &argv, "MODEL",
                          "Measures a network: a folder, a .safetensors file, a built-in model "
                          "(testcard), or a published size with random weights (swin_t to "
                          "swin_l, swin_v2_t to swin_v2_l, vit_tiny to vit_base).",
                          entries, 1, error) ||
      !check_counts(batch, runs, streams, loading, error))
    return FALSE;
  g_autoptr(SwinDevice) device = swin_device_open(selector, error);
  if (!device)
    return FALSE;
  if (loading)
    return swin_bench_loading(device, argv[1], (guint)runs, json, error);
  g_autoptr(SwinModel) model = swin_command_load_model(argv[1], error);
  if (!model)
    return FALSE;
  if (streams > 0)
    return swin_bench_streams(device, model, (guint)batch, (guint)streams, (guint)runs, json,
                              error);
  g_autoptr(SwinNetwork) network =
      swin_command_make_network(device, model, (guint)batch, 0, FALSE, error);
  if (!network)
    return FALSE;
  g_autoptr(GPtrArray) operations = g_ptr_array_new_with_free_func(g_free);
  Figures figures = {
      .batch = (guint)batch,
      .gflop_per_batch = (gdouble)swin_plan_get_flops(swin_network_get_plan(network)) * 1e-9,
      .operations = operations,
  };
  if (!write_input(network, error) ||
      !measure_latency(network, device, (guint)runs, &figures, error) ||
      !measure_operations(network, device, (guint)runs, &figures, error))
    return FALSE;
  if (json)
    print_json(model, device, &figures);
  else
    print_text(model, device, &figures);
  return TRUE;
}
