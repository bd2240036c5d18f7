// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * model-private.h: what the files that make a model share.
 */
#ifndef SWIN_MODEL_MODEL_PRIVATE_H
#define SWIN_MODEL_MODEL_PRIVATE_H

#include "model/model.h"
#include "model/safetensors.h"
#include "registry.h"

struct _SwinModel {
  SwinShared shared;
  gchar *name;
  SwinModelConfig config;
  SwinPreprocessing preprocessing;
  gchar **labels;      /* config.n_classes, NULL-terminated */
  gchar **notes;       /* NULL-terminated */
  GHashTable *tensors; /* canonical name -> SwinTensor, both owned; values in file or in owned */
  guint64 n_parameters;
  SwinSafetensors *file; /* NULL for random models */
  GPtrArray *owned;      /* memory with values that are in no file */
};

/** swin_model_new: (transfer full): a model without anything in it. */
SwinModel *swin_model_new(const gchar *name);

/**
 * swin_model_allocate: room for float32 values, which is freed with the model.
 *
 * Returns: (transfer none): or NULL with %SWIN_ERROR_OUT_OF_MEMORY.
 */
gfloat *swin_model_allocate(SwinModel *model, guint64 n_values, GError **error);

/** swin_model_allocate_for_now: (transfer full): the same, to be freed with g_free(). */
gfloat *swin_model_allocate_for_now(SwinModel *model, guint64 n_values, GError **error);

/**
 * swin_model_set_tensors: makes the canonical tensors of model->config, as model.h has them, out of
 * those that a file holds: prefix tokens joined, the heads of a distilled network halved,
 * LayerScale folded into the weights (model->config has it no more), tables and position embeddings
 * resized, the position bias of V2 computed.
 * @own: the config before anything else was asked of the model; where it does not fit the tensors
 *   that need resizing, these are taken to be square
 * @layout: of model->config
 * @tensors: as many as @layout has slots; of the slots' shapes but for what has to be resized.
 * Their data must live as long as the model
 *
 * Returns: FALSE with %SWIN_ERROR_CONFIG when a tensor cannot be resized, or
 *   %SWIN_ERROR_OUT_OF_MEMORY.
 */
gboolean swin_model_set_tensors(SwinModel *model, const SwinModelConfig *own,
                                const GPtrArray *layout, const SwinTensor *tensors, GError **error);

#endif /* SWIN_MODEL_MODEL_PRIVATE_H */
