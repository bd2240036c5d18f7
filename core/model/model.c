// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model.h"

#include <string.h>

#include "model/config-read.h"
#include "model/layout.h"
#include "model/model-cache.h"
#include "model/model-private.h"
#include "model/quote.h"
#include "model/random.h"

SwinModel *swin_model_new(const gchar *name) {
  SwinModel *model = g_new0(SwinModel, 1);
  swin_shared_init(&model->shared);
  model->name = g_strdup(name);
  model->notes = g_new0(gchar *, 1);
  model->tensors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  model->owned = g_ptr_array_new_with_free_func(g_free);
  return model;
}

SwinModel *swin_model_ref(SwinModel *model) {
  swin_shared_ref(&model->shared);
  return model;
}

void swin_model_unref(SwinModel *model) {
  if (model == NULL || !swin_shared_unref(&model->shared)) {
    return;
  }
  swin_model_cache_drop(model);
  g_hash_table_unref(model->tensors);
  g_ptr_array_unref(model->owned);
  swin_safetensors_free(model->file);
  g_strfreev(model->labels);
  g_strfreev(model->notes);
  g_free(model->name);
  g_free(model);
}

gfloat *swin_model_allocate_for_now(SwinModel *model, guint64 n_values, GError **error) {
  gfloat *values =
      n_values <= G_MAXSIZE / sizeof *values ? g_try_malloc(n_values * sizeof *values) : NULL;
  if (values == NULL) {
    g_autofree gchar *name = swin_quote(model->name);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                "There is not enough memory for the weights of %s.", name);
  }
  return values;
}

gfloat *swin_model_allocate(SwinModel *model, guint64 n_values, GError **error) {
  gfloat *values = swin_model_allocate_for_now(model, n_values, error);
  if (values != NULL) {
    g_ptr_array_add(model->owned, values);
  }
  return values;
}

/* ---- Random --------------------------------------------------------------------------------- */

static gboolean draw_tensors(SwinModel *model, guint32 seed, GError **error) {
  g_autoptr(GPtrArray) layout = swin_layout_new(&model->config);
  g_autofree SwinTensor *tensors = g_new0(SwinTensor, layout->len);
  guint64 n_values = 0, state = seed;
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    n_values += slot->n_elements;
  }
  guint8 *data = (guint8 *)swin_model_allocate(model, n_values, error);
  if (data == NULL) {
    return FALSE;
  }
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    swin_random_fill(&state, slot, data);
    tensors[i] = (SwinTensor){.dtype = SWIN_DTYPE_F32,
                              .n_dims = slot->n_dims,
                              .n_elements = slot->n_elements,
                              .data = data};
    memcpy(tensors[i].shape, slot->shape, sizeof tensors[i].shape);
    data += slot->n_elements * sizeof(gfloat);
  }
  return swin_model_set_tensors(model, &model->config, layout, tensors, error);
}

static SwinModel *model_draw(const gchar *name, const SwinModelConfig *config, guint32 seed,
                             GError **error) {
  g_autoptr(SwinModel) model = swin_model_new(name);
  model->config = *config;
  model->labels = swin_config_make_labels(config->n_classes);
  swin_preprocessing_preset(config, &model->preprocessing);
  return draw_tensors(model, seed, error) ? g_steal_pointer(&model) : NULL;
}

SwinModel *swin_model_new_from_config(const gchar *name, const SwinModelConfig *config,
                                      guint32 seed) {
  return model_draw(name, config, seed, NULL);
}

SwinModel *swin_model_new_random(const gchar *name, guint32 seed, GError **error) {
  SwinModelConfig config;
  if (!swin_model_config_published(name, &config)) {
    g_autofree gchar *shown = swin_quote(name);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "There is no published configuration %s: the known ones are swin_t, swin_s, swin_b "
                "and swin_l, the same with swin_v2_, and vit_tiny, vit_small and vit_base.",
                shown);
    return NULL;
  }
  return model_draw(name, &config, seed, error);
}

/* ---- What a model holds --------------------------------------------------------------------- */

const gchar *swin_model_get_name(SwinModel *model) {
  return model->name;
}

const gchar *const *swin_model_get_notes(SwinModel *model) {
  return (const gchar *const *)model->notes;
}

guint swin_model_get_n_classes(SwinModel *model) {
  return model->config.n_classes;
}

const gchar *swin_model_get_label(SwinModel *model, guint index) {
  g_return_val_if_fail(index < model->config.n_classes, NULL);
  return model->labels[index];
}

guint64 swin_model_get_n_parameters(SwinModel *model) {
  return model->n_parameters;
}

void swin_model_get_input_size(SwinModel *model, guint *width, guint *height) {
  if (width != NULL) {
    *width = model->config.image_width;
  }
  if (height != NULL) {
    *height = model->config.image_height;
  }
}

const SwinModelConfig *swin_model_get_config(SwinModel *model) {
  return &model->config;
}

const SwinPreprocessing *swin_model_get_preprocessing(SwinModel *model) {
  return &model->preprocessing;
}

const SwinTensor *swin_model_get_tensor(SwinModel *model, const gchar *name) {
  return g_hash_table_lookup(model->tensors, name);
}

void swin_model_drop_pages(SwinModel *model) {
  if (model->file != NULL) {
    swin_safetensors_drop_pages(model->file);
  }
}
