// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"
#include "model/safetensors.h"

/* The file's "input", as float32, when it is what the model takes. */
static gfloat *read_input(const gchar *path, SwinModel *model, guint *batch, GError **error) {
  const SwinModelConfig *config = swin_model_get_config(model);
  g_autoptr(SwinSafetensors) file = swin_safetensors_open(path, error);
  SwinTensor tensor;
  if (!file || !swin_safetensors_lookup(file, "input", &tensor, error))
    return NULL;
  if (tensor.n_dims != 4 || tensor.shape[0] < 1 || tensor.shape[0] > G_MAXUINT16 ||
      tensor.shape[1] != config->n_channels || tensor.shape[2] != config->image_height ||
      tensor.shape[3] != config->image_width) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The tensor \"input\" in %s must have the shape [N, %u, %u, %u] that the model "
                "takes.",
                path, config->n_channels, config->image_height, config->image_width);
    return NULL;
  }
  gfloat *values = g_try_new(gfloat, tensor.n_elements);
  if (!values) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                "There is not enough memory for the input in %s; use fewer images.", path);
    return NULL;
  }
  swin_tensor_read(&tensor, 0, tensor.n_elements, values);
  *batch = (guint)tensor.shape[0];
  return values;
}

static gboolean compute(SwinNetwork *network, SwinDevice *device, const gfloat *input,
                        GError **error) {
  const SwinPlan *plan = swin_network_get_plan(network);
  const SwinBinding binding =
      swin_network_tensor(network, swin_plan_find(plan, "input"), SWIN_ACCESS_WRITE);
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, error);
  return recorder && swin_network_record(network, recorder, NULL, error) &&
         swin_recorder_finish(recorder, error) &&
         swin_buffer_write(swin_network_get_arena(network), binding.offset, input, binding.size,
                           error) &&
         swin_recorder_run(recorder, error);
}

static gboolean write_outputs(SwinNetwork *network, const gchar *path, GError **error) {
  const SwinPlan *plan = swin_network_get_plan(network);
  g_autoptr(GArray) outputs = g_array_new(FALSE, TRUE, sizeof(SwinNamedValues));
  g_autoptr(GPtrArray) memory = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, (gint)i);
    if (!tensor->is_output)
      continue;
    const SwinBinding binding = swin_network_tensor(network, (gint)i, SWIN_ACCESS_READ);
    gfloat *values = g_try_malloc(binding.size);
    g_ptr_array_add(memory, values);
    if (!values) {
      g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                          "There is not enough memory for the results; use fewer images.");
      return FALSE;
    }
    if (!swin_buffer_read(swin_network_get_arena(network), binding.offset, values, binding.size,
                          error))
      return FALSE;
    SwinNamedValues output = {.name = tensor->name, .n_dims = tensor->n_dims, .values = values};
    for (guint j = 0; j < tensor->n_dims; j++)
      output.shape[j] = tensor->shape[j];
    g_array_append_val(outputs, output);
  }
  return swin_safetensors_write(path, (const SwinNamedValues *)(gpointer)outputs->data,
                                outputs->len, NULL, error);
}

gboolean swin_command_run(gint argc, gchar **argv, GError **error) {
  g_autofree gchar *input = NULL, *output = NULL, *selector = NULL;
  const GOptionEntry entries[] = {
      {"input", 'i', 0, G_OPTION_ARG_FILENAME, &input,
       "File with the tensor \"input\" [N, 3, H, W], normalised", "IN.safetensors"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
       "File for \"logits\", \"pooled\" and \"stages.0\", ...", "OUT.safetensors"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &selector, "Index, UUID or part of a name", "D"},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(&argc, &argv, "MODEL",
                          "Runs a network on a tensor of normalised pixels and writes what comes "
                          "out, for comparison with another implementation.",
                          entries, 1, error))
    return FALSE;
  if (!input || !output) {
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "both --input and --output are needed.");
    return FALSE;
  }
  guint batch = 0;
  g_autoptr(SwinModel) model = swin_command_load_model(argv[1], error);
  g_autofree gfloat *values = model ? read_input(input, model, &batch, error) : NULL;
  if (!values)
    return FALSE;
  g_autoptr(SwinDevice) device = swin_device_open(selector, error);
  if (!device)
    return FALSE;
  g_printerr("Running on %s.\n", swin_device_get_info(device)->name);
  g_autoptr(SwinNetwork) network = swin_command_make_network(device, model, batch, 0, TRUE, error);
  return network && compute(network, device, values, error) &&
         write_outputs(network, output, error);
}
