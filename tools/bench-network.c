// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench-network.h"

#include "commands.h"
#include "network/family.h"

#include <string.h>

static void figures_free(gpointer data) {
  SwinBenchFigures *figures = data;
  g_free(figures->name);
  g_free(figures);
}

void swin_bench_result_free(SwinBenchResult *result) {
  if (!result)
    return;
  g_clear_pointer(&result->operations, g_ptr_array_unref);
  g_clear_pointer(&result->kinds, g_ptr_array_unref);
  g_free(result->untimed);
  g_free(result);
}

gdouble swin_bench_figures_gap(const SwinBenchFigures *figures) {
  return figures->time - figures->limit;
}

/* ---- The whole network ---------------------------------------------------------------------- */

static SwinNetwork *make_network(const SwinBenchNetwork *options, SwinWeights **weights,
                                 GError **error) {
  const SwinPlanOptions plan_options = {.batch = options->batch,
                                        .storage = options->storage,
                                        .fused = swin_network_fuses(options->device)};
  SwinPlan *plan = swin_family_plan(options->model, &plan_options);
  swin_plan_finish(plan, swin_network_alignment(options->device), 0);
  if (!*weights)
    *weights = swin_weights_new(options->device, plan, error);
  if (!*weights) {
    swin_plan_free(plan);
    return NULL;
  }
  return swin_network_new(options->device, plan, *weights, NULL, error);
}

static gint compare_doubles(gconstpointer a, gconstpointer b) {
  const gdouble x = *(const gdouble *)a, y = *(const gdouble *)b;
  return (x > y) - (x < y);
}

static gboolean time_runs(SwinRecorder *recorder, const SwinBenchNetwork *options,
                          SwinBenchResult *result, GError **error) {
  g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(gdouble));
  for (guint i = 0; i < options->warm_up + options->n_runs; i++) {
    const gint64 start = g_get_monotonic_time();
    if (!swin_recorder_run(recorder, error))
      return FALSE;
    const gdouble milliseconds = (gdouble)(g_get_monotonic_time() - start) * 1e-3;
    if (i >= options->warm_up)
      g_array_append_val(times, milliseconds);
  }
  g_array_sort(times, compare_doubles);
  result->minimum = g_array_index(times, gdouble, 0);
  result->median = g_array_index(times, gdouble, times->len / 2);
  result->p95 = g_array_index(times, gdouble, MIN(times->len - 1, times->len * 95 / 100));
  return TRUE;
}

static gboolean measure_latency(SwinNetwork *network, const SwinBenchNetwork *options,
                                SwinBenchResult *result, GError **error) {
  g_autoptr(SwinRecorder) recorder =
      swin_recorder_new(options->device, SWIN_RECORDER_DEFAULT, error);
  if (!recorder || !swin_network_record(network, recorder, NULL, error) ||
      !swin_recorder_finish(recorder, error) || !time_runs(recorder, options, result, error))
    return FALSE;
  result->n_dispatches = swin_recorder_get_n_dispatches(recorder);
  result->n_barriers = swin_recorder_get_n_barriers(recorder);
  return TRUE;
}

/* ---- Operation by operation ----------------------------------------------------------------- */

static guint64 count_bytes(const SwinPlan *plan, const SwinOperation *operation,
                           SwinDevice *device) {
  guint64 n_bytes = swin_plan_tensor_size(swin_plan_get_tensor(plan, operation->output));
  for (guint i = 0; i < SWIN_OPERATION_MAX_INPUTS; i++)
    if (operation->inputs[i] != SWIN_PLAN_NO_TENSOR)
      n_bytes += swin_plan_tensor_size(swin_plan_get_tensor(plan, operation->inputs[i]));
  if (operation->klass->packed_size)
    n_bytes += operation->klass->packed_size(plan, operation, device);
  return n_bytes;
}

static SwinBenchFigures *make_figures(const SwinBenchNetwork *options, const SwinPlan *plan,
                                      const SwinOperation *operation) {
  const SwinBenchCeilings *ceilings = options->ceilings;
  SwinBenchFigures *figures = g_new0(SwinBenchFigures, 1);
  figures->name = g_strdup(operation->name);
  figures->kind = operation->klass->name;
  figures->n_operations = 1;
  figures->flops = operation->klass->flops(plan, operation);
  figures->n_bytes = count_bytes(plan, operation, options->device);
  figures->arithmetic_time =
      1e3 * (gdouble)figures->flops / swin_bench_ceiling_arithmetic(ceilings, options->storage);
  figures->memory_time =
      1e3 * (gdouble)figures->n_bytes / swin_bench_ceiling_bandwidth(ceilings, figures->n_bytes);
  figures->limit = MAX(figures->arithmetic_time, figures->memory_time);
  return figures;
}

static SwinBenchFigures *find_kind(GPtrArray *kinds, const gchar *kind) {
  for (guint i = 0; i < kinds->len; i++) {
    SwinBenchFigures *figures = g_ptr_array_index(kinds, i);
    if (strcmp(figures->kind, kind) == 0)
      return figures;
  }
  SwinBenchFigures *figures = g_new0(SwinBenchFigures, 1);
  figures->name = g_strdup(kind);
  figures->kind = kind;
  g_ptr_array_add(kinds, figures);
  return figures;
}

static void sum_up(const GPtrArray *operations, GPtrArray *kinds) {
  for (guint i = 0; i < operations->len; i++) {
    const SwinBenchFigures *figures = g_ptr_array_index(operations, i);
    SwinBenchFigures *sum = find_kind(kinds, figures->kind);
    sum->n_operations += figures->n_operations;
    sum->n_dispatches += figures->n_dispatches;
    sum->flops += figures->flops;
    sum->n_bytes += figures->n_bytes;
    sum->time += figures->time;
    sum->arithmetic_time += figures->arithmetic_time;
    sum->memory_time += figures->memory_time;
    sum->limit += figures->limit;
  }
}

static gint compare_gaps(gconstpointer a, gconstpointer b) {
  const gdouble x = swin_bench_figures_gap(*(SwinBenchFigures *const *)a);
  const gdouble y = swin_bench_figures_gap(*(SwinBenchFigures *const *)b);
  return (x < y) - (x > y);
}

/* The times of dispatches go to their operations, whose names they are labelled with. */
static void assign_times(SwinRecorder *recorder, const gdouble *times, GPtrArray *operations) {
  guint index = 0;
  for (guint i = 0; i < swin_recorder_get_n_dispatches(recorder); i++) {
    SwinBenchFigures *figures = g_ptr_array_index(operations, index);
    while (strcmp(figures->name, swin_recorder_get_label(recorder, i)) != 0)
      figures = g_ptr_array_index(operations, ++index);
    figures->n_dispatches++;
    figures->time += times[i];
  }
}

static gboolean time_dispatches(SwinRecorder *recorder, guint n_runs, gdouble *best,
                                GError **error) {
  const guint n_dispatches = swin_recorder_get_n_dispatches(recorder);
  g_autofree gdouble *times = g_new0(gdouble, n_dispatches);
  for (guint i = 0; i < n_runs; i++) {
    if (!swin_recorder_run(recorder, error) || !swin_recorder_read_times(recorder, times, error))
      return FALSE;
    for (guint j = 0; j < n_dispatches; j++)
      best[j] = i == 0 ? times[j] : MIN(best[j], times[j]);
  }
  return TRUE;
}

static gboolean measure_operations(SwinNetwork *network, const SwinBenchNetwork *options,
                                   SwinBenchResult *result, GError **error) {
  const SwinPlan *plan = swin_network_get_plan(network);
  g_autoptr(SwinRecorder) recorder =
      swin_recorder_new(options->device, SWIN_RECORDER_TIMESTAMPS, error);
  if (!recorder || !swin_network_record(network, recorder, NULL, error) ||
      !swin_recorder_finish(recorder, error))
    return FALSE;
  g_autofree gdouble *times = g_new0(gdouble, swin_recorder_get_n_dispatches(recorder));
  if (!time_dispatches(recorder, options->n_runs, times, error))
    return FALSE;
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++)
    g_ptr_array_add(result->operations,
                    make_figures(options, plan, swin_plan_get_operation(plan, i)));
  assign_times(recorder, times, result->operations);
  sum_up(result->operations, result->kinds);
  g_ptr_array_sort(result->operations, compare_gaps);
  g_ptr_array_sort(result->kinds, compare_gaps);
  return TRUE;
}

SwinBenchResult *swin_bench_network(const SwinBenchNetwork *options, SwinWeights **weights,
                                    GError **error) {
  g_autoptr(SwinNetwork) network = make_network(options, weights, error);
  if (!network || !swin_command_write_input(network, error))
    return NULL;
  g_autoptr(SwinBenchResult) result = g_new0(SwinBenchResult, 1);
  result->batch = options->batch;
  result->n_runs = options->n_runs;
  result->flops = swin_plan_get_flops(swin_network_get_plan(network));
  result->arena = swin_plan_get_arena_size(swin_network_get_plan(network));
  result->weights = swin_network_get_weights_size(network);
  result->operations = g_ptr_array_new_with_free_func(figures_free);
  result->kinds = g_ptr_array_new_with_free_func(figures_free);
  if (!measure_latency(network, options, result, error))
    return NULL;
  /* Where the queue has no timestamps, the latency is known all the same. */
  if (swin_device_get_limits(options->device)->timestamp_bits == 0)
    result->untimed = g_strdup("the device has no timestamps.");
  else if (!measure_operations(network, options, result, error))
    return NULL;
  return g_steal_pointer(&result);
}
