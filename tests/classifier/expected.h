// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * expected.h: what a classifier must say, by the scalar twins.
 */
#ifndef SWIN_TESTS_CLASSIFIER_EXPECTED_H
#define SWIN_TESTS_CLASSIFIER_EXPECTED_H

#include "network/plan.h"

/**
 * expected_tags: pixels to tensor, network in float32, activation.
 * @tags: (out): room for @top_k, at most as many as there are classes
 */
void expected_tags(SwinModel *model, const SwinPreprocessing *preprocessing,
                   SwinActivation activation, const SwinFrame *frame, SwinTag *tags, guint top_k);

/**
 * expected_output: (transfer full): what one frame makes of an output of the network in @storage.
 * @name: such as "logits" or "stages.0"
 * @n_values: (out): of the array
 */
gfloat *expected_output(SwinModel *model, const SwinPreprocessing *preprocessing,
                        SwinStorage storage, const SwinFrame *frame, const gchar *name,
                        gsize *n_values);

#endif /* SWIN_TESTS_CLASSIFIER_EXPECTED_H */
