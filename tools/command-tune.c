// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"
#include "network/storage.h"
#include "network/tuning.h"
#include "tune.h"

#define MAX_SECONDS 86400

/** Options: of the command line. */
typedef struct {
  gchar *batch, *precision_name, *device;
  gint runs, seconds;
  gboolean json;
  guint n_batches;
  guint batches[SWIN_COMMAND_MAX_BATCHES];
  SwinPrecision precision;
} Options;

static void options_clear(Options *options) {
  g_free(options->batch);
  g_free(options->precision_name);
  g_free(options->device);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean parse(gint *argc, gchar ***argv, Options *options, GError **error) {
  const GOptionEntry entries[] = {
      {"batch", 'b', 0, G_OPTION_ARG_STRING, &options->batch,
       "Images computed together, or several such numbers: 1,8,32 (1)", "B[,B...]"},
      SWIN_COMMAND_PRECISION_ENTRY(options->precision_name, "auto"),
      {"runs", 'n', 0, G_OPTION_ARG_INT, &options->runs, "Timed runs of every kernel (5)", "N"},
      {"seconds", 's', 0, G_OPTION_ARG_INT, &options->seconds,
       "When to stop, whatever is measured by then (300)", "N"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options->device, "Index, UUID or part of a name",
       "D"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Print JSON", NULL},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(argc, argv, "MODEL",
                          "Measures every kernel on the matrix products of a network, prints how "
                          "long each takes, and keeps the fastest for the device and this version "
                          "of its driver: networks take them from then on. SWIN_DISABLE=tuning "
                          "leaves them out.",
                          entries, 1, error) ||
      !swin_command_parse_batches(options->batch, options->batches, &options->n_batches, error) ||
      !swin_command_parse_precision(options->precision_name, &options->precision, error))
    return FALSE;
  if (options->runs >= 1 && options->runs <= 1000 && options->seconds >= 1 &&
      options->seconds <= MAX_SECONDS)
    return TRUE;
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
              "--runs must be from 1 to 1000, --seconds from 1 to %d.", MAX_SECONDS);
  return FALSE;
}

/* ---- Printing ------------------------------------------------------------------------------- */

static void print_kernel(const SwinTuneProduct *product, guint index) {
  g_autofree gchar *name = swin_linear_kernel_name(&product->kernels[index]);
  g_print("  %s %9.4f ms ", index == product->chosen ? "*" : " ", product->times[index]);
  if (product->times[0] > 0)
    g_print(" %6.2f", product->times[index] / product->times[0]);
  else
    g_print("      -");
  g_print("  %s%s\n", name, index == 0 ? " (default)" : "");
}

static void print_product(const SwinTuneProduct *product) {
  const SwinLinearProduct *shape = &product->product;
  g_print("batch %u, %s, %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT ": %s",
          product->batch, swin_storage_name(shape->storage), shape->rows, shape->columns,
          shape->depth, product->name);
  if (product->n_operations > 1)
    g_print(" and %u more", product->n_operations - 1);
  g_print("\n");
  guint n_missing = 0;
  for (guint i = 0; i < product->n_kernels; i++) {
    if (product->times[i] > 0)
      print_kernel(product, i);
    else
      n_missing++;
  }
  if (n_missing > 0)
    g_print("    %u kernels not measured\n", n_missing);
}

/* Milliseconds of all products together, each as often as a network of its batch has it. */
static gdouble sum_times(const GPtrArray *products, gboolean tuned) {
  gdouble sum = 0;
  for (guint i = 0; i < products->len; i++) {
    const SwinTuneProduct *product = g_ptr_array_index(products, i);
    sum += product->n_operations * product->times[tuned ? product->chosen : 0];
  }
  return sum;
}

static void print_text(const GPtrArray *products, const gchar *path) {
  for (guint i = 0; i < products->len; i++) {
    const SwinTuneProduct *product = g_ptr_array_index(products, i);
    if (product->n_kernels > 1)
      print_product(product);
  }
  if (!path) {
    g_print("Nothing is kept: the device has one kernel for these products, or --seconds were too "
            "few to compare.\n");
    return;
  }
  g_print("all products: %.3f ms untuned, %.3f ms tuned\nkept in %s\n", sum_times(products, FALSE),
          sum_times(products, TRUE), path);
}

static void add_kernels(JsonBuilder *builder, const SwinTuneProduct *product) {
  json_builder_set_member_name(builder, "kernels");
  json_builder_begin_array(builder);
  for (guint i = 0; i < product->n_kernels; i++) {
    g_autofree gchar *name = swin_linear_kernel_name(&product->kernels[i]);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, name);
    json_builder_set_member_name(builder, "ms");
    if (product->times[i] > 0)
      json_builder_add_double_value(builder, product->times[i]);
    else
      json_builder_add_null_value(builder);
    json_builder_set_member_name(builder, "default");
    json_builder_add_boolean_value(builder, i == 0);
    json_builder_set_member_name(builder, "chosen");
    json_builder_add_boolean_value(builder, i == product->chosen);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
}

static void print_json(const GPtrArray *products, const gchar *path) {
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "file");
  json_builder_add_string_value(builder, path);
  json_builder_set_member_name(builder, "products");
  json_builder_begin_array(builder);
  for (guint i = 0; i < products->len; i++) {
    const SwinTuneProduct *product = g_ptr_array_index(products, i);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "batch");
    json_builder_add_int_value(builder, product->batch);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, product->name);
    json_builder_set_member_name(builder, "operations");
    json_builder_add_int_value(builder, product->n_operations);
    json_builder_set_member_name(builder, "storage");
    json_builder_add_string_value(builder, swin_storage_name(product->product.storage));
    json_builder_set_member_name(builder, "rows");
    json_builder_add_int_value(builder, (gint64)product->product.rows);
    json_builder_set_member_name(builder, "columns");
    json_builder_add_int_value(builder, (gint64)product->product.columns);
    json_builder_set_member_name(builder, "depth");
    json_builder_add_int_value(builder, (gint64)product->product.depth);
    add_kernels(builder, product);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
  json_builder_end_object(builder);
  swin_command_print_json(builder);
}

/* ---- The command ---------------------------------------------------------------------------- */

static GPtrArray *measure(SwinDevice *device, const gchar *name, const Options *options,
                          GError **error) {
  g_autoptr(SwinModel) model = swin_command_load_model(name, error);
  if (!model)
    return NULL;
  const gint64 whole = (gint64)options->seconds * G_USEC_PER_SEC;
  SwinTune tune = {.device = device,
                   .model = model,
                   .precision = options->precision,
                   .n_runs = (guint)options->runs};
  g_autoptr(GPtrArray) products =
      g_ptr_array_new_with_free_func((GDestroyNotify)swin_tune_product_free);
  const gint64 start = g_get_monotonic_time();
  for (guint i = 0; i < options->n_batches; i++) {
    /* What a batch leaves of its share, the next ones have. */
    tune.deadline = start + whole * (i + 1) / options->n_batches;
    if (!swin_tune_network(&tune, options->batches[i], products, error))
      return NULL;
  }
  return g_steal_pointer(&products);
}

static gboolean has_choice(const SwinTuneProduct *product) {
  guint n_timed = 0;
  for (guint i = 0; i < product->n_kernels; i++)
    n_timed += product->times[i] > 0;
  return product->times[0] > 0 && n_timed > 1;
}

/* Keeps what was compared, and leaves what was kept before of the rest. @any: (out): whether there
 * was anything to compare */
static gboolean keep(SwinDevice *device, const GPtrArray *products, gboolean *any, GError **error) {
  g_autoptr(GArray) tuned = g_array_new(FALSE, FALSE, sizeof(SwinTuned));
  for (guint i = 0; i < products->len; i++) {
    const SwinTuneProduct *product = g_ptr_array_index(products, i);
    const SwinTuned one = {product->product, product->kernels[product->chosen]};
    if (has_choice(product))
      g_array_append_val(tuned, one);
  }
  *any = tuned->len > 0;
  return !*any ||
         swin_tuning_store(device, (const SwinTuned *)(gpointer)tuned->data, tuned->len, error);
}

gboolean swin_command_tune(gint argc, gchar **argv, GError **error) {
  g_auto(Options) options = {.runs = 5, .seconds = 300};
  if (!parse(&argc, &argv, &options, error))
    return FALSE;
  g_autoptr(SwinDevice) device = swin_device_open(options.device, error);
  if (!device)
    return FALSE;
  g_autoptr(GPtrArray) products = measure(device, argv[1], &options, error);
  gboolean any = FALSE;
  if (!products || !keep(device, products, &any, error))
    return FALSE;
  g_autofree gchar *path = any ? swin_tuning_path(device) : NULL;
  if (options.json)
    print_json(products, path);
  else
    print_text(products, path);
  return TRUE;
}
