// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * network.h: a plan on a device: weights resident once, activations in one arena, the operations
 * recorded into a command buffer.
 */
#ifndef SWIN_NETWORK_NETWORK_H
#define SWIN_NETWORK_NETWORK_H

#include "network/weights.h"

/** SwinNetwork: a plan with memory for its activations. One run at a time. */
typedef struct _SwinNetwork SwinNetwork;

/**
 * swin_network_new: allocates the arena. Fails with SWIN_ERROR_OUT_OF_MEMORY when memory is short
 * or image size and batch are beyond all counting.
 * @plan: (transfer full): finished, with the alignment of swin_network_alignment()
 * @weights: made of a plan with the same operations
 * @arena: (nullable): at least swin_plan_get_arena_size() bytes that networks share whose runs
 * follow one another on the queue; must outlive the network. NULL makes one of the network's own
 */
SwinNetwork *swin_network_new(SwinDevice *device, SwinPlan *plan, SwinWeights *weights,
                              SwinBuffer *arena, GError **error);
void swin_network_free(SwinNetwork *network); /* NULL-safe; the device must be done with it */

/**
 * swin_network_storage: what @precision comes to on @device (swin_device_get_precision()).
 * @storage: (out)
 *
 * Returns: FALSE with SWIN_ERROR_DEVICE where fp16 is asked for and @device has no 16-bit storage.
 */
gboolean swin_network_storage(SwinDevice *device, SwinPrecision precision, SwinStorage *storage,
                              GError **error);

/** swin_network_fuses: whether plans for @device should be fused: on GPUs, where every dispatch
 * costs its start; a processor would norm each row once for every strip of columns. */
gboolean swin_network_fuses(SwinDevice *device);

/** swin_network_alignment: what swin_plan_finish() needs on @device, in bytes. */
guint64 swin_network_alignment(SwinDevice *device);

/** swin_network_get_weights_size: bytes that the weights take on the device. */
guint64 swin_network_get_weights_size(const SwinNetwork *network);

const SwinPlan *swin_network_get_plan(SwinNetwork *network);
SwinBuffer *swin_network_get_arena(SwinNetwork *network); /* (transfer none) */

/**
 * swin_network_record: appends all operations to @recorder. May be called for several recorders:
 * they share the arena, so their runs must follow one another on the queue.
 * @io: (nullable): per tensor number, a buffer of the caller's for that input or output, or NULL
 *   to leave it in the arena; must outlive the recorder
 */
gboolean swin_network_record(SwinNetwork *network, SwinRecorder *recorder,
                             const SwinBuffer *const *io, GError **error);

/** swin_network_tensor: the binding of a tensor that lives in the arena. */
SwinBinding swin_network_tensor(SwinNetwork *network, gint tensor, SwinAccess access);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinNetwork, swin_network_free)

#endif /* SWIN_NETWORK_NETWORK_H */
