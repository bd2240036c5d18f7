// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * export-json.h: what transformers wants to know of a model beside its weights.
 */
#ifndef SWIN_MODEL_EXPORT_JSON_H
#define SWIN_MODEL_EXPORT_JSON_H

#include "model/model.h"

/**
 * swin_export_config: (transfer full): the text of `config.json`, of a config that transformers can
 * express.
 * @window: tokens a side, in all stages; Swin only
 * @dtype: of the weights
 */
gchar *swin_export_config(SwinModel *model, guint window, SwinDtype dtype);

/**
 * swin_export_preprocessor: (transfer full): the text of `preprocessor_config.json`, for the image
 * processor of transformers that does what the model's preprocessing does, or NULL with
 * %SWIN_ERROR_MODEL where none does.
 */
gchar *swin_export_preprocessor(SwinModel *model, GError **error);

#endif /* SWIN_MODEL_EXPORT_JSON_H */
