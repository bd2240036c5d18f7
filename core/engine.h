// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * engine.h: a model on a device, with slots in which batches of frames are under way.
 *
 * While one slot is computed, another is filled. Networks are recorded once per batch bucket (the
 * powers of two up to the largest batch, and that itself) and slot when the engine is made: frames
 * cost no recording, no allocation and no descriptors. All networks share one arena.
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
 * swin_engine_new: uploads the weights and records the networks.
 * @params: top_k is cut to the number of classes; the engine keeps nothing of it
 *
 * The weights are shared with the other engines of @model on @device.
 *
 * Returns: NULL with %SWIN_ERROR_MODEL where @model has no head, with %SWIN_ERROR_CONFIG where
 *   @params make no sense for it, or with an error of the device, such as that it cannot do the
 *   precision.
 */
SwinEngine *swin_engine_new(SwinDevice *device, SwinModel *model,
                            const SwinClassifierParams *params, GError **error);

/** swin_engine_free: waits for what is under way; NULL-safe. */
void swin_engine_free(SwinEngine *engine);

SwinDevice *swin_engine_get_device(SwinEngine *engine); /* (transfer none) */
SwinModel *swin_engine_get_model(SwinEngine *engine);   /* (transfer none) */
guint swin_engine_get_batch_size(SwinEngine *engine);
guint swin_engine_get_top_k(SwinEngine *engine);
SwinPrecision swin_engine_get_precision(SwinEngine *engine);   /* fp32 or fp16 */
SwinActivation swin_engine_get_activation(SwinEngine *engine); /* softmax or sigmoid */

/**
 * swin_engine_can_load: whether nobody is still writing to a checked frame, so far as that can be
 * known; one that is loaded sooner is refused. Does not wait. Any thread.
 */
gboolean swin_engine_can_load(const SwinFrame *frame);

/**
 * swin_engine_load: puts a checked frame into a slot that is not under way. Pixels in host memory
 * are not needed afterwards, others until swin_engine_wait().
 * @slot: below SWIN_ENGINE_N_SLOTS
 * @image: its place in the batch, below the batch size
 * @keep_alive: (nullable): for the functions of SwinFrame.images
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME where the frame is too large for the device or cannot be
 *   read by it, or with an error of the device, as the next two.
 */
gboolean swin_engine_load(SwinEngine *engine, guint slot, guint image, const SwinFrame *frame,
                          gpointer keep_alive, GError **error);

/** swin_engine_submit: starts the first @n_images of a slot; all of them were loaded. */
gboolean swin_engine_submit(SwinEngine *engine, guint slot, guint n_images, GError **error);

/**
 * swin_engine_wait: waits for a slot that was submitted; after it the results can be read. Where it
 * fails, nothing is under way either.
 */
gboolean swin_engine_wait(SwinEngine *engine, guint slot, GError **error);

/**
 * swin_engine_read: the result of one image of a finished slot: tags, and the outputs that the
 * parameters name.
 * @result: (out): what it points to is the slot's, until the next result of the slot is read or
 *   the slot is submitted
 */
void swin_engine_read(SwinEngine *engine, guint slot, guint image, SwinResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinEngine, swin_engine_free)

#endif /* SWIN_ENGINE_H */
