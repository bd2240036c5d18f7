// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * expected.h: what a classifier must say, by the scalar twins.
 */
#ifndef SWIN_TESTS_CLASSIFIER_EXPECTED_H
#define SWIN_TESTS_CLASSIFIER_EXPECTED_H

#include "model/model.h"

/**
 * expected_tags: pixels to tensor, network, activation.
 * @tags: (out): room for @top_k, at most as many as there are classes
 */
void expected_tags(SwinModel *model, const SwinPreprocessing *preprocessing,
                   SwinActivation activation, const SwinFrame *frame, SwinTag *tags, guint top_k);

#endif /* SWIN_TESTS_CLASSIFIER_EXPECTED_H */
