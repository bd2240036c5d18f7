// SPDX-License-Identifier: LGPL-2.1-or-later
#include "evaluate.h"

#include <string.h>

static gboolean write_outputs(const GPtrArray *outputs, const gchar *path, GError **error) {
  g_autofree SwinNamedValues *tensors = g_new0(SwinNamedValues, outputs->len);
  for (guint i = 0; i < outputs->len; i++) {
    const SwinEvaluated *output = g_ptr_array_index(outputs, i);
    tensors[i].name = output->name;
    tensors[i].n_dims = output->n_dims;
    memcpy(tensors[i].shape, output->shape, sizeof(tensors[i].shape));
    tensors[i].values = output->values;
  }
  return swin_safetensors_write(path, tensors, outputs->len, NULL, error);
}

gboolean swin_command_run(gint argc, gchar **argv, GError **error) {
  g_autofree gchar *input = NULL, *output = NULL, *selector = NULL, *image_size = NULL,
                   *precision_name = NULL;
  gint window_size = 0;
  SwinPrecision precision = SWIN_PRECISION_FP32; /* as the others compute */
  const GOptionEntry entries[] = {
      {"input", 'i', 0, G_OPTION_ARG_FILENAME, &input,
       "File with the tensor \"input\" [N, 3, H, W], normalised", "IN.safetensors"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
       "File for \"logits\" (of a model with a head), \"pooled\" and \"stages.0\", ...",
       "OUT.safetensors"},
      {"image-size", 0, 0, G_OPTION_ARG_STRING, &image_size,
       "Input size in pixels instead of the model's own", "N or WxH"},
      {"window-size", 0, 0, G_OPTION_ARG_INT, &window_size,
       "Window in tokens instead of the model's own", "N"},
      SWIN_COMMAND_PRECISION_ENTRY(precision_name, "fp32"),
      {"device", 'd', 0, G_OPTION_ARG_STRING, &selector, "Index, UUID or part of a name", "D"},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(&argc, &argv, "MODEL",
                          "Runs a network on a tensor of normalised pixels and writes what comes "
                          "out, for comparison with another implementation.",
                          entries, 1, error) ||
      !swin_command_parse_precision(precision_name, &precision, error))
    return FALSE;
  if (!input || !output) {
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "both --input and --output are needed.");
    return FALSE;
  }
  g_autoptr(SwinModel) model = swin_evaluate_load_model(argv[1], image_size, window_size, error);
  g_autoptr(SwinSafetensors) file = model ? swin_safetensors_open(input, error) : NULL;
  g_autoptr(SwinDevice) device = file ? swin_device_open(selector, error) : NULL;
  if (!device)
    return FALSE;
  g_printerr("Running on %s.\n", swin_device_get_info(device)->name);
  g_autoptr(GPtrArray) outputs = swin_evaluate(device, model, precision, file, error);
  return outputs && write_outputs(outputs, output, error);
}
