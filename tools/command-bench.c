// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench-loading.h"
#include "bench-report.h"
#include "bench-streams.h"
#include "commands.h"
#include "model/model-options.h"

/** Options: of the command line. */
typedef struct {
  gchar *batch, *image_size, *precision_name, *device;
  gint window_size, warm_up, runs, streams;
  gboolean loading, operations, json;
  guint n_batches;
  guint batches[SWIN_COMMAND_MAX_BATCHES];
  SwinPrecision precision;
} Options;

static void options_clear(Options *options) {
  g_free(options->batch);
  g_free(options->image_size);
  g_free(options->precision_name);
  g_free(options->device);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean check_options(const Options *options, GError **error) {
  const gchar *wrong = NULL;
  if (options->runs < 1 || options->runs > 1000000 || options->warm_up < 0 ||
      options->warm_up > 1000000)
    wrong = "--runs must be from 1 to 1000000, --warm-up from 0.";
  else if (options->streams < 0 || options->streams > SWIN_BENCH_MAX_STREAMS)
    wrong = "--streams must be from 1 to 64.";
  else if (options->streams > 0 && (options->n_batches > 1 || options->batches[0] > 64))
    wrong = "with --streams, --batch must be a single number from 1 to 64.";
  else if (options->streams > 0 && options->loading)
    wrong = "--streams and --loading exclude each other.";
  else if (options->loading && (options->image_size || options->window_size != 0))
    wrong = "--loading takes the model as it is: leave out --image-size and --window-size.";
  if (wrong)
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, wrong);
  return !wrong;
}

static gboolean parse(gint *argc, gchar ***argv, Options *options, GError **error) {
  const GOptionEntry entries[] = {
      {"batch", 'b', 0, G_OPTION_ARG_STRING, &options->batch,
       "Images computed together, or several such numbers: 1,8,32 (1)", "B[,B...]"},
      {"image-size", 0, 0, G_OPTION_ARG_STRING, &options->image_size,
       "Input size in pixels instead of the model's own", "N or WxH"},
      {"window-size", 0, 0, G_OPTION_ARG_INT, &options->window_size,
       "Window in tokens instead of the model's own; one as large as the first map makes the "
       "attention global",
       "N"},
      SWIN_COMMAND_PRECISION_ENTRY(options->precision_name, "auto"),
      {"warm-up", 'w', 0, G_OPTION_ARG_INT, &options->warm_up, "Runs that are not timed (1)", "N"},
      {"runs", 'n', 0, G_OPTION_ARG_INT, &options->runs, "Timed runs (10)", "N"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options->device, "Index, UUID or part of a name",
       "D"},
      {"operations", 0, 0, G_OPTION_ARG_NONE, &options->operations,
       "Print every operation too, not only the kinds", NULL},
      {"loading", 0, 0, G_OPTION_ARG_NONE, &options->loading,
       "Measure how long the file takes to the device, instead of the network", NULL},
      {"streams", 0, 0, G_OPTION_ARG_INT, &options->streams,
       "Measure so many callers who share the network, beside a single one, instead of the network",
       "N"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Print JSON", NULL},
      G_OPTION_ENTRY_NULL,
  };
  return swin_command_parse(
             argc, argv, "MODEL",
             "Measures a network: a folder, a .safetensors file, a built-in model (objects, "
             "testcard), or a published size with random weights (swin_t to swin_l, swin_v2_t to "
             "swin_v2_l, vit_tiny to vit_base), whole and operation by operation, beside what the "
             "device can do at most. The limit of an operation is the time that its arithmetic, or "
             "the bytes of its inputs, output and weights, take at that speed; the gap is what it "
             "takes beyond.",
             entries, 1, error) &&
         swin_command_parse_batches(options->batch, options->batches, &options->n_batches, error) &&
         swin_command_parse_precision(options->precision_name, &options->precision, error) &&
         check_options(options, error);
}

/* A published name at another size is drawn anew: its weights are random in any case. */
static SwinModel *load_model(const gchar *name, const Options *options, GError **error) {
  SwinModelConfig config;
  g_autoptr(SwinModelOptions) model_options =
      swin_command_make_model_options(options->image_size, options->window_size, error);
  if (!model_options)
    return NULL;
  if (!swin_model_config_published(name, &config))
    return swin_model_load(name, model_options, error);
  if (swin_model_options_are_default(model_options))
    return swin_model_new_random(name, 1, error);
  if (!swin_model_options_apply(model_options, TRUE, &config, error) ||
      !swin_model_config_check(&config, error))
    return NULL;
  SwinModel *model = swin_model_new_from_config(name, &config, 1);
  if (!model)
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                "There is not enough memory for the weights of %s.", name);
  return model;
}

static gboolean bench_network(SwinDevice *device, SwinModel *model, const Options *options,
                              GError **error) {
  SwinBenchCeilings ceilings;
  SwinBenchNetwork network = {.device = device,
                              .model = model,
                              .warm_up = (guint)options->warm_up,
                              .n_runs = (guint)options->runs,
                              .ceilings = &ceilings};
  if (!swin_network_storage(device, options->precision, &network.storage, error) ||
      !swin_bench_measure_ceilings(device, &ceilings, error))
    return FALSE;
  g_autoptr(SwinWeights) weights = NULL;
  g_autoptr(GPtrArray) results =
      g_ptr_array_new_with_free_func((GDestroyNotify)swin_bench_result_free);
  for (guint i = 0; i < options->n_batches; i++) {
    network.batch = options->batches[i];
    SwinBenchResult *result = swin_bench_network(&network, &weights, error);
    if (!result)
      return FALSE;
    g_ptr_array_add(results, result);
  }
  if (options->json)
    swin_bench_print_json(&network, results, options->operations);
  else
    swin_bench_print_text(&network, results, options->operations);
  return TRUE;
}

gboolean swin_command_bench(gint argc, gchar **argv, GError **error) {
  g_auto(Options) options = {.warm_up = 1, .runs = 10};
  if (!parse(&argc, &argv, &options, error))
    return FALSE;
  g_autoptr(SwinDevice) device = swin_device_open(options.device, error);
  if (!device)
    return FALSE;
  if (options.loading)
    return swin_bench_loading(device, argv[1], options.precision, (guint)options.runs, options.json,
                              error);
  g_autoptr(SwinModel) model = load_model(argv[1], &options, error);
  if (!model)
    return FALSE;
  return options.streams > 0
             ? swin_bench_streams(device, model, options.precision, options.batches[0],
                                  (guint)options.streams, (guint)options.runs, options.json, error)
             : bench_network(device, model, &options, error);
}
