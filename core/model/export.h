// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * export.h: a model written the way transformers reads it.
 */
#ifndef SWIN_MODEL_EXPORT_H
#define SWIN_MODEL_EXPORT_H

#include "model/model.h"

/**
 * swin_model_export: writes `model.safetensors` with Hugging Face's names, `config.json` and
 * `preprocessor_config.json`, which transformers and swin_model_load() read with the same result.
 * The weights are converted while they are written. What transformers cuts out of the centre of a
 * picture may lie half a pixel beside what the model's publisher does.
 * @folder: made where it is missing; files of those names in it are replaced, even those that
 *   @model was loaded from
 * @dtype: %SWIN_DTYPE_F32 or %SWIN_DTYPE_F16 (rounded to nearest, ties to even)
 *
 * Swin with an absolute position embedding is read by transformers from 5 on only; before, its own
 * code does not run with one.
 *
 * Returns: FALSE with %SWIN_ERROR_MODEL when a file cannot be written, a value does not fit into
 *   F16, or Hugging Face's rules would make another network of it (the message says which).
 */
gboolean swin_model_export(SwinModel *model, const gchar *folder, SwinDtype dtype, GError **error);

#endif /* SWIN_MODEL_EXPORT_H */
