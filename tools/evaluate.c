// SPDX-License-Identifier: LGPL-2.1-or-later
#include "evaluate.h"
#include "network/storage.h"

#include <string.h>

SwinModel *swin_evaluate_load_model(const gchar *name, const gchar *image_size, gint window_size,
                                    GError **error) {
  if (!image_size && window_size == 0)
    return swin_command_load_model(name, error);
  SwinModelConfig config;
  if (swin_model_config_published(name, &config)) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "\"%s\" stands for random weights of one size; --image-size and --window-size need "
                "a model that is loaded from a file.",
                name);
    return NULL;
  }
  g_autoptr(SwinModelOptions) options =
      swin_command_make_model_options(image_size, window_size, error);
  return options ? swin_model_load(name, options, error) : NULL;
}

/* The file's "input", as float32, when it is what the model takes. */
static gfloat *read_input(SwinSafetensors *file, SwinModel *model, guint *batch, GError **error) {
  const SwinModelConfig *config = swin_model_get_config(model);
  const gchar *path = swin_safetensors_get_path(file);
  SwinTensor tensor;
  if (!swin_safetensors_lookup(file, "input", &tensor, error))
    return NULL;
  if (tensor.n_dims != 4 || tensor.shape[0] < 1 || tensor.shape[0] > G_MAXUINT16 ||
      tensor.shape[1] != config->n_channels || tensor.shape[2] != config->image_height ||
      tensor.shape[3] != config->image_width) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The tensor \"input\" in %s must have the shape [N, %u, %u, %u] that the model "
                "takes; --image-size runs the model at another size.",
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

static void free_evaluated(gpointer data) {
  SwinEvaluated *evaluated = data;
  g_free(evaluated->name);
  g_free(evaluated->values);
  g_free(evaluated);
}

/* (nullable): with an error. */
static gfloat *read_values(SwinNetwork *network, gint number, GError **error) {
  const SwinPlanTensor *tensor = swin_plan_get_tensor(swin_network_get_plan(network), number);
  const SwinBinding binding = swin_network_tensor(network, number, SWIN_ACCESS_READ);
  g_autofree gpointer stored = g_try_malloc(binding.size);
  g_autofree gfloat *values = stored ? g_try_new(gfloat, tensor->n_elements) : NULL;
  if (!values) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                        "There is not enough memory for the results; use fewer images.");
    return NULL;
  }
  if (!swin_buffer_read(swin_network_get_arena(network), binding.offset, stored, binding.size,
                        error))
    return NULL;
  swin_storage_read(tensor->storage, stored, tensor->n_elements, values);
  return g_steal_pointer(&values);
}

static GPtrArray *read_outputs(SwinNetwork *network, GError **error) {
  const SwinPlan *plan = swin_network_get_plan(network);
  g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func(free_evaluated);
  for (guint i = 0; i < swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, (gint)i);
    if (!tensor->is_output)
      continue;
    SwinEvaluated *output = g_new0(SwinEvaluated, 1);
    g_ptr_array_add(outputs, output);
    output->name = g_strdup(tensor->name);
    output->n_dims = tensor->n_dims;
    output->n_elements = tensor->n_elements;
    memcpy(output->shape, tensor->shape, sizeof(output->shape));
    output->values = read_values(network, (gint)i, error);
    if (!output->values)
      return NULL;
  }
  return g_steal_pointer(&outputs);
}

GPtrArray *swin_evaluate(SwinDevice *device, SwinModel *model, SwinPrecision precision,
                         SwinSafetensors *file, GError **error) {
  guint batch = 0;
  g_autofree gfloat *input = read_input(file, model, &batch, error);
  if (!input)
    return NULL;
  g_autoptr(SwinNetwork) network =
      swin_command_make_network(device, model, precision, batch, 0, TRUE, error);
  return network && compute(network, device, input, error) ? read_outputs(network, error) : NULL;
}
