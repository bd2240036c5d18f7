// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * random.h: seeded random parameters.
 */
#ifndef SWIN_MODEL_RANDOM_H
#define SWIN_MODEL_RANDOM_H

#include "model/layout.h"

/**
 * swin_random_fill: draws all parameters of one tensor. The same seed and slots in the same order
 * give the same values on every machine.
 * @state: (inout): the seed before the first call
 * @data: room for slot->n_elements float32, written in the byte order of #SwinTensor
 */
void swin_random_fill(guint64 *state, const SwinTensorSlot *slot, guint8 *data);

#endif /* SWIN_MODEL_RANDOM_H */
