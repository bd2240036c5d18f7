// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * weights.h: a model's weights on a device, in the layouts that its operations read.
 */
#ifndef SWIN_NETWORK_WEIGHTS_H
#define SWIN_NETWORK_WEIGHTS_H

#include "network/operation.h"

/**
 * SwinWeights: the packed weights of a model on a device; reference counted, immutable, shared by
 * networks of every batch size, since packing does not depend on it.
 */
typedef struct _SwinWeights SwinWeights;

/** swin_weights_new: packs and uploads the weights of @plan's operations. */
SwinWeights *swin_weights_new(SwinDevice *device, const SwinPlan *plan, GError **error);

/**
 * swin_weights_get: (transfer full): the weights of @model in the storage of @plan that are on
 * @device, or new ones. While they are brought there, others who want the same wait for it.
 * @plan: of @model; which of its operations have weights must not depend on anything else
 */
SwinWeights *swin_weights_get(SwinDevice *device, SwinModel *model, const SwinPlan *plan,
                              GError **error);
SwinWeights *swin_weights_ref(SwinWeights *weights);
void swin_weights_unref(SwinWeights *weights); /* NULL-safe */

/** SwinWeightsSlice: where one operation's weights lie. */
typedef struct {
  guint64 offset; /* bytes */
  guint64 size;   /* bytes; 0 where the operation has none */
} SwinWeightsSlice;

/** swin_weights_get_buffer: (transfer none): its size is what the weights take on the device. */
const SwinBuffer *swin_weights_get_buffer(const SwinWeights *weights);

/** swin_weights_get_slice: the slice of the plan's operation number @operation. */
SwinWeightsSlice swin_weights_get_slice(const SwinWeights *weights, guint operation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinWeights, swin_weights_unref)

#endif /* SWIN_NETWORK_WEIGHTS_H */
