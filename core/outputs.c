// SPDX-License-Identifier: LGPL-2.1-or-later
#include "outputs.h"

#include "model/quote.h"
#include "network/storage.h"

#include <string.h>

/* What the scheduler's results hold anyway. */
#define TAGS_NAME "tags"

typedef struct {
  SwinOutput description; /* without values; the name is owned */
  guint64 n_values;       /* of one image */
  SwinStorage storage;    /* on the device */
} Output;

struct _SwinOutputs {
  guint n_outputs;
  Output outputs[];
};

struct _SwinOutputBuffers {
  const SwinOutputs *outputs;
  SwinOutput *read; /* what the last read found */
  struct {
    SwinBuffer *buffer; /* [batch_size, ...] */
    gfloat *widened;    /* (nullable): what the last read made of values in half precision */
  } places[];           /* of each output */
};

/* ---- What was asked for --------------------------------------------------------------------- */

/* "a, b and c" */
static gchar *list_names(const SwinPlan *plan) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, (gint)i);
    if (tensor->is_output && strcmp(tensor->name, TAGS_NAME) != 0)
      g_ptr_array_add(names, tensor->name);
  }
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < names->len; i++) {
    const gchar *separator = i == 0 ? "" : i + 1 < names->len ? ", " : " and ";
    g_string_append_printf(text, "%s%s", separator, (gchar *)g_ptr_array_index(names, i));
  }
  return g_string_free(text, FALSE);
}

static const SwinPlanTensor *find_tensor(const SwinPlan *plan, const gchar *name, GError **error) {
  const gint number =
      strcmp(name, TAGS_NAME) != 0 ? swin_plan_find(plan, name) : SWIN_PLAN_NO_TENSOR;
  const SwinPlanTensor *tensor =
      number != SWIN_PLAN_NO_TENSOR ? swin_plan_get_tensor(plan, number) : NULL;
  if (tensor && tensor->is_output)
    return tensor;
  g_autofree gchar *valid = g_utf8_make_valid(name, -1);
  g_autofree gchar *shown = swin_quote(valid);
  g_autofree gchar *names = list_names(plan);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "The model has no output %s to hand out; it has %s.", shown, names);
  return NULL;
}

/* [1, ...] of one image; without the 1. */
static void describe(const SwinPlanTensor *tensor, Output *output) {
  SwinOutput *description = &output->description;
  g_assert(tensor->n_dims <= SWIN_OUTPUT_MAX_DIMS + 1);
  description->name = g_strdup(tensor->name);
  description->n_dims = tensor->n_dims - 1;
  for (guint i = 0; i < description->n_dims; i++)
    description->dims[i] = (guint)tensor->shape[i + 1];
  output->n_values = tensor->n_elements;
  output->storage = tensor->storage;
}

SwinOutputs *swin_outputs_new(const gchar *const *names, const SwinPlan *plan, GError **error) {
  const guint n_names = g_strv_length((gchar **)names);
  g_autoptr(SwinOutputs) outputs = g_malloc0(sizeof(SwinOutputs) + n_names * sizeof(Output));
  for (guint i = 0; i < n_names; i++) {
    const SwinPlanTensor *tensor = find_tensor(plan, names[i], error);
    if (!tensor)
      return NULL;
    describe(tensor, &outputs->outputs[outputs->n_outputs++]);
  }
  return g_steal_pointer(&outputs);
}

void swin_outputs_free(SwinOutputs *outputs) {
  if (!outputs)
    return;
  for (guint i = 0; i < outputs->n_outputs; i++)
    g_free((gchar *)outputs->outputs[i].description.name);
  g_free(outputs);
}

/* ---- On their way --------------------------------------------------------------------------- */

SwinOutputBuffers *swin_output_buffers_new(SwinDevice *device, const SwinOutputs *outputs,
                                           guint batch_size, GError **error) {
  const guint n_outputs = outputs->n_outputs;
  g_autoptr(SwinOutputBuffers) buffers =
      g_malloc0(sizeof(SwinOutputBuffers) + n_outputs * sizeof(buffers->places[0]));
  buffers->outputs = outputs;
  buffers->read = g_new0(SwinOutput, n_outputs);
  for (guint i = 0; i < n_outputs; i++) {
    const Output *output = &outputs->outputs[i];
    const guint64 size = batch_size * output->n_values * swin_storage_size(output->storage);
    buffers->places[i].buffer = swin_buffer_new(device, SWIN_BUFFER_DOWNLOAD, size, error);
    if (!buffers->places[i].buffer)
      return NULL;
    if (output->storage != SWIN_STORAGE_F32)
      buffers->places[i].widened = g_new(gfloat, output->n_values);
  }
  return g_steal_pointer(&buffers);
}

void swin_output_buffers_free(SwinOutputBuffers *buffers) {
  if (!buffers)
    return;
  for (guint i = 0; i < buffers->outputs->n_outputs; i++) {
    swin_buffer_free(buffers->places[i].buffer);
    g_free(buffers->places[i].widened);
  }
  g_free(buffers->read);
  g_free(buffers);
}

/* Copied and not written in place: later operations read stages and the embedding, and memory that
 * the host can see may be slow for them. */
gboolean swin_output_buffers_record(const SwinOutputBuffers *buffers, SwinNetwork *network,
                                    SwinRecorder *recorder, GError **error) {
  const SwinPlan *plan = swin_network_get_plan(network);
  for (guint i = 0; i < buffers->outputs->n_outputs; i++) {
    const gint number = swin_plan_find(plan, buffers->outputs->outputs[i].description.name);
    const SwinBinding tensor = swin_network_tensor(network, number, SWIN_ACCESS_READ);
    if (!swin_recorder_copy(recorder, tensor.buffer, tensor.offset, buffers->places[i].buffer, 0,
                            tensor.size, error))
      return FALSE;
  }
  return TRUE;
}

gboolean swin_output_buffers_invalidate(SwinOutputBuffers *buffers, GError **error) {
  for (guint i = 0; i < buffers->outputs->n_outputs; i++)
    if (!swin_buffer_invalidate(buffers->places[i].buffer, error))
      return FALSE;
  return TRUE;
}

/* In float32 where they are, or in @widened. */
static const gfloat *read_values(const Output *output, gconstpointer stored, guint image,
                                 gfloat *widened) {
  const guint8 *values =
      (const guint8 *)stored + image * output->n_values * swin_storage_size(output->storage);
  if (!widened)
    return (const gfloat *)(gconstpointer)values;
  swin_storage_read(output->storage, values, output->n_values, widened);
  return widened;
}

void swin_output_buffers_read(SwinOutputBuffers *buffers, guint image, SwinResult *result) {
  for (guint i = 0; i < buffers->outputs->n_outputs; i++) {
    const Output *output = &buffers->outputs->outputs[i];
    buffers->read[i] = output->description;
    buffers->read[i].values =
        read_values(output, buffers->places[i].buffer->mapped, image, buffers->places[i].widened);
  }
  result->n_outputs = buffers->outputs->n_outputs;
  result->outputs = buffers->read;
}
