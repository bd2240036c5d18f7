// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench-report.h"
#include "commands.h"
#include "model/json.h"
#include "network/storage.h"

/* By the median, as a caller sees it. */
static gdouble images_per_second(const SwinBenchResult *result) {
  return result->batch * 1e3 / result->median;
}

static gdouble gflops(const SwinBenchResult *result) {
  return (gdouble)result->flops * 1e-6 / result->median;
}

/* Of all operations together; summed up over their kinds. */
static SwinBenchFigures get_total(const SwinBenchResult *result) {
  SwinBenchFigures total = {0};
  for (guint i = 0; i < result->kinds->len; i++) {
    const SwinBenchFigures *kind = g_ptr_array_index(result->kinds, i);
    total.time += kind->time;
    total.limit += kind->limit;
  }
  return total;
}

/* What was done of what could be done in the time that was taken. */
static gdouble share(gdouble part, gdouble whole) {
  return whole > 0.0 ? part / whole : 0.0;
}

/* ---- Text ----------------------------------------------------------------------------------- */

static void print_ceilings(const SwinBenchCeilings *ceilings) {
  g_print("ceilings %.1f GFLOP/s in fp32", ceilings->fp32 * 1e-9);
  if (ceilings->fp16 > 0.0)
    g_print(", %.1f in fp16", ceilings->fp16 * 1e-9);
  if (ceilings->matrix > 0.0)
    g_print(", %.1f of matrix units (%ux%ux%u)", ceilings->matrix * 1e-9, ceilings->shape.m,
            ceilings->shape.n, ceilings->shape.k);
  g_print("\n         ");
  for (guint i = 0; i < ceilings->n_sizes; i++)
    g_print("%s%.1f GB/s of %" G_GUINT64_FORMAT " MiB", i > 0 ? ", " : "",
            ceilings->bandwidth[i].speed * 1e-9, ceilings->bandwidth[i].n_bytes >> 20);
  g_print("\n");
}

static void print_head(const SwinBenchNetwork *options) {
  const SwinDeviceInfo *info = swin_device_get_info(options->device);
  guint width, height;
  swin_model_get_input_size(options->model, &width, &height);
  g_print("device   %s (%s)\n", info->name, info->driver);
  g_print("model    %s, %u x %u pixels, %s\n", swin_model_get_name(options->model), width, height,
          swin_storage_name(options->storage));
  print_ceilings(options->ceilings);
}

static void print_figures(const SwinBenchFigures *figures, gdouble total) {
  g_print("%-34s %5u %10u %10.3f %6.1f%% %9.2f %6.1f%% %8.2f %6.1f%% %10.3f %10.3f\n",
          figures->name, figures->n_operations, figures->n_dispatches, figures->time,
          100.0 * share(figures->time, total), share((gdouble)figures->flops * 1e-6, figures->time),
          100.0 * share(figures->arithmetic_time, figures->time),
          share((gdouble)figures->n_bytes * 1e-6, figures->time),
          100.0 * share(figures->memory_time, figures->time), figures->limit,
          swin_bench_figures_gap(figures));
}

static void print_table(const gchar *title, const GPtrArray *rows, gdouble total) {
  g_print("\n%-34s %5s %10s %10s %7s %9s %7s %8s %7s %10s %10s\n", title, "calls", "dispatches",
          "ms", "share", "GFLOP/s", "of peak", "GB/s", "of peak", "limit ms", "gap ms");
  for (guint i = 0; i < rows->len; i++)
    print_figures(g_ptr_array_index(rows, i), total);
}

static void print_result(const SwinBenchResult *result, gboolean all) {
  const SwinBenchFigures total = get_total(result);
  g_print("\nbatch    %u, %.2f GFLOP\n", result->batch, (gdouble)result->flops * 1e-9);
  g_print("latency  minimum %.3f ms, median %.3f ms, p95 %.3f ms of %u runs\n", result->minimum,
          result->median, result->p95, result->n_runs);
  g_print("speed    %.2f images/s, %.2f GFLOP/s\n", images_per_second(result), gflops(result));
  g_print("work     %u dispatches, %u barriers; activations %.1f MB, weights %.1f MB\n",
          result->n_dispatches, result->n_barriers, (gdouble)result->arena * 1e-6,
          (gdouble)result->weights * 1e-6);
  if (result->untimed) {
    g_print("         single operations are not timed: %s\n", result->untimed);
    return;
  }
  g_print("limit    %.3f ms, of %.3f ms in the operations\n", total.limit, total.time);
  print_table("kind", result->kinds, total.time);
  if (all)
    print_table("operation", result->operations, total.time);
}

void swin_bench_print_text(const SwinBenchNetwork *options, const GPtrArray *results,
                           gboolean all) {
  print_head(options);
  for (guint i = 0; i < results->len; i++)
    print_result(g_ptr_array_index(results, i), all);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void add_ceilings(JsonBuilder *builder, const SwinBenchCeilings *ceilings) {
  json_builder_set_member_name(builder, "ceilings");
  json_builder_begin_object(builder);
  swin_json_add_double(builder, "fp32_gflops", ceilings->fp32 * 1e-9);
  if (ceilings->fp16 > 0.0)
    swin_json_add_double(builder, "fp16_gflops", ceilings->fp16 * 1e-9);
  if (ceilings->matrix > 0.0) {
    g_autofree gchar *shape =
        g_strdup_printf("%ux%ux%u", ceilings->shape.m, ceilings->shape.n, ceilings->shape.k);
    swin_json_add_double(builder, "matrix_gflops", ceilings->matrix * 1e-9);
    swin_json_add_string(builder, "matrix_shape", shape);
  }
  json_builder_set_member_name(builder, "bandwidth");
  json_builder_begin_array(builder);
  for (guint i = 0; i < ceilings->n_sizes; i++) {
    json_builder_begin_object(builder);
    swin_json_add_integer(builder, "bytes", (gint64)ceilings->bandwidth[i].n_bytes);
    swin_json_add_double(builder, "gb_per_second", ceilings->bandwidth[i].speed * 1e-9);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
  json_builder_end_object(builder);
}

static void add_figures(JsonBuilder *builder, const SwinBenchFigures *figures, gdouble total) {
  json_builder_begin_object(builder);
  swin_json_add_string(builder, "name", figures->name);
  swin_json_add_string(builder, "kind", figures->kind);
  swin_json_add_integer(builder, "calls", figures->n_operations);
  swin_json_add_integer(builder, "dispatches", figures->n_dispatches);
  swin_json_add_integer(builder, "flops", (gint64)figures->flops);
  swin_json_add_integer(builder, "bytes", (gint64)figures->n_bytes);
  swin_json_add_double(builder, "gpu_ms", figures->time);
  swin_json_add_double(builder, "share", share(figures->time, total));
  swin_json_add_double(builder, "gflops", share((gdouble)figures->flops * 1e-6, figures->time));
  swin_json_add_double(builder, "gb_per_second",
                       share((gdouble)figures->n_bytes * 1e-6, figures->time));
  swin_json_add_double(builder, "arithmetic_share", share(figures->arithmetic_time, figures->time));
  swin_json_add_double(builder, "bandwidth_share", share(figures->memory_time, figures->time));
  swin_json_add_double(builder, "limit_ms", figures->limit);
  swin_json_add_double(builder, "gap_ms", swin_bench_figures_gap(figures));
  json_builder_end_object(builder);
}

static void add_table(JsonBuilder *builder, const gchar *name, const GPtrArray *rows,
                      gdouble total) {
  json_builder_set_member_name(builder, name);
  json_builder_begin_array(builder);
  for (guint i = 0; i < rows->len; i++)
    add_figures(builder, g_ptr_array_index(rows, i), total);
  json_builder_end_array(builder);
}

static void add_latency(JsonBuilder *builder, const SwinBenchResult *result) {
  json_builder_set_member_name(builder, "latency_ms");
  json_builder_begin_object(builder);
  swin_json_add_double(builder, "min", result->minimum);
  swin_json_add_double(builder, "median", result->median);
  swin_json_add_double(builder, "p95", result->p95);
  json_builder_end_object(builder);
}

static void add_result(JsonBuilder *builder, const SwinBenchNetwork *options,
                       const SwinBenchResult *result, gboolean all) {
  const SwinDeviceInfo *info = swin_device_get_info(options->device);
  const SwinBenchFigures total = get_total(result);
  guint width, height;
  swin_model_get_input_size(options->model, &width, &height);
  json_builder_begin_object(builder);
  swin_json_add_string(builder, "device", info->name);
  swin_json_add_string(builder, "driver", info->driver);
  swin_json_add_string(builder, "device_kind", swin_device_kind_name(info->kind));
  swin_json_add_string(builder, "model", swin_model_get_name(options->model));
  swin_json_add_integer(builder, "image_width", width);
  swin_json_add_integer(builder, "image_height", height);
  swin_json_add_integer(builder, "batch", result->batch);
  swin_json_add_string(builder, "precision", swin_storage_name(options->storage));
  swin_json_add_double(builder, "gflop_per_image", (gdouble)result->flops * 1e-9 / result->batch);
  swin_json_add_integer(builder, "runs", result->n_runs);
  add_latency(builder, result);
  swin_json_add_double(builder, "images_per_second", images_per_second(result));
  swin_json_add_double(builder, "gflops", gflops(result));
  swin_json_add_integer(builder, "dispatches", result->n_dispatches);
  swin_json_add_integer(builder, "barriers", result->n_barriers);
  swin_json_add_integer(builder, "activations_bytes", (gint64)result->arena);
  swin_json_add_integer(builder, "weights_bytes", (gint64)result->weights);
  add_ceilings(builder, options->ceilings);
  if (result->untimed)
    swin_json_add_string(builder, "untimed", result->untimed);
  swin_json_add_double(builder, "limit_ms", total.limit);
  swin_json_add_double(builder, "operations_ms", total.time);
  add_table(builder, "kinds", result->kinds, total.time);
  if (all)
    add_table(builder, "operations", result->operations, total.time);
  json_builder_end_object(builder);
}

void swin_bench_print_json(const SwinBenchNetwork *options, const GPtrArray *results,
                           gboolean all) {
  g_autoptr(JsonBuilder) builder = json_builder_new();
  if (results->len > 1)
    json_builder_begin_array(builder);
  for (guint i = 0; i < results->len; i++)
    add_result(builder, options, g_ptr_array_index(results, i), all);
  if (results->len > 1)
    json_builder_end_array(builder);
  swin_command_print_json(builder);
}
