// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * model-cache.h: models that are in use, so that the same files are loaded once. Any thread.
 */
#ifndef SWIN_MODEL_CACHE_H
#define SWIN_MODEL_CACHE_H

#include "model/model-options.h"
#include "swin.h"

/**
 * swin_model_cache_key: (transfer full): a text that is the same for the same files and options and
 * for no others: of every file that swin_model_load() would read, whether it is there, and its
 * device, inode, size and times; and the name that the model will have.
 * @options: (nullable)
 */
gchar *swin_model_cache_key(const gchar *location, const SwinModelOptions *options);

/** SwinModelLoader: what loads a model that is not in use. */
typedef SwinModel *(*SwinModelLoader)(const gchar *location, const SwinModelOptions *options,
                                      GError **error);

/**
 * swin_model_cache_get: (transfer full): the model in use under that key, or what @loader makes of
 * it. While it is loaded, others who want the same wait for it, and those who want another do not.
 * Where the files change meanwhile, it is the last one to be handed out under that key.
 */
SwinModel *swin_model_cache_get(const gchar *location, const SwinModelOptions *options,
                                SwinModelLoader loader, GError **error);

/**
 * swin_model_cache_drop: the last reference to @model, of the cache or not, is gone; call it before
 * the model is freed.
 */
void swin_model_cache_drop(SwinModel *model);

#endif /* SWIN_MODEL_CACHE_H */
