// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * smoothing.h: scores averaged over time, so that tags do not flicker: score = s * score + (1 - s)
 * * new, of every class, from the logits. Not thread-safe.
 */
#ifndef SWIN_PLUGIN_SMOOTHING_H
#define SWIN_PLUGIN_SMOOTHING_H

#include "classification.h"

/** Results after which an object that none of them is about is forgotten. */
#define SWIN_SMOOTHING_MEMORY 1024

typedef struct _SwinSmoothing SwinSmoothing;

SwinSmoothing *swin_smoothing_new(void);
void swin_smoothing_free(SwinSmoothing *smoothing); /* NULL-safe */

/** swin_smoothing_clear: forgets the past: a flush, a new stream. */
void swin_smoothing_clear(SwinSmoothing *smoothing);

/**
 * swin_smoothing_apply: (transfer full): @classification with averaged scores and the best tags by
 * them, as many as it has. Another model than that of the last call begins anew.
 * @classification: of an inference that was opened with smoothing, so that it has its logits
 * @factor: s, from 0 (as it is) to below 1
 * @track: (nullable): the object whose past counts; NULL: the frame's
 */
SwinClassification *swin_smoothing_apply(SwinSmoothing *smoothing,
                                         SwinClassification *classification, gfloat factor,
                                         const guint64 *track);

#endif /* SWIN_PLUGIN_SMOOTHING_H */
