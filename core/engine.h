// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * engine.h: a model on a device, with slots in which batches of frames are under way.
 *
 * While one slot is computed, another is filled. Networks are recorded once per batch bucket (the
 * powers of two up to the largest batch, and that itself), when a batch of that size first comes.
 *
 * Threads: the functions of one slot must not overlap; those of different slots may.
 */
#ifndef SWIN_ENGINE_H
#define SWIN_ENGINE_H

#include "classifier-params.h"
#include "gpu/device.h"

#define SWIN_ENGINE_N_SLOTS 2
#define SWIN_ENGINE_MAX_BATCH 64

typedef struct _SwinEngine SwinEngine;

/**
 * swin_engine_new: uploads the weights and builds the network for one frame.
 * @params: top_k is cut to the number of classes
 *
 * Returns: NULL with %SWIN_ERROR_MODEL where @model has no head, with %SWIN_ERROR_CONFIG where
 *   @params make no sense for it, or with an error of the device.
 */
SwinEngine *swin_engine_new(SwinDevice *device, SwinModel *model,
                            const SwinClassifierParams *params, GError **error);

/** swin_engine_free: waits for what is under way; NULL-safe. */
void swin_engine_free(SwinEngine *engine);

SwinDevice *swin_engine_get_device(SwinEngine *engine); /* (transfer none) */
SwinModel *swin_engine_get_model(SwinEngine *engine);   /* (transfer none) */
guint swin_engine_get_batch_size(SwinEngine *engine);
guint swin_engine_get_top_k(SwinEngine *engine);

/**
 * swin_engine_load: puts a checked frame into a slot that is not under way.
 * @slot: below SWIN_ENGINE_N_SLOTS
 * @image: its place in the batch, below the batch size
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME where the frame is too large for the device, or with an
 *   error of the device, as the next two.
 */
gboolean swin_engine_load(SwinEngine *engine, guint slot, guint image, const SwinFrame *frame,
                          GError **error);

/** swin_engine_submit: starts the first @n_images of a slot; all of them were loaded. */
gboolean swin_engine_submit(SwinEngine *engine, guint slot, guint n_images, GError **error);

/** swin_engine_wait: waits for a slot that was submitted; after it the tags can be read. */
gboolean swin_engine_wait(SwinEngine *engine, guint slot, GError **error);

/** swin_engine_read: the result of one image of a finished slot: top_k tags, best first. */
void swin_engine_read(SwinEngine *engine, guint slot, guint image, SwinTag *tags);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinEngine, swin_engine_free)

#endif /* SWIN_ENGINE_H */
