// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * test-rig.h: runs the preprocessing shaders on single frames, with guard bands.
 */
#ifndef SWIN_TESTS_TEST_RIG_H
#define SWIN_TESTS_TEST_RIG_H

#include "image.h"
#include "preprocess.h"

typedef struct _TestRig TestRig;

/**
 * test_rig_new: for pictures of @width x @height, written at @image of a batch of @n_images.
 */
TestRig *test_rig_new(SwinDevice *device, guint width, guint height, guint image, guint n_images);
void test_rig_free(TestRig *rig); /* NULL-safe */

/**
 * test_rig_run: preprocesses one frame with the recorded commands, which are made anew only when a
 * buffer was too small, and checks that nothing beside the results was written.
 *
 * Returns: (transfer none): [3, height, width]; valid until the next call.
 */
const gfloat *test_rig_run(TestRig *rig, const SwinFrame *frame,
                           const SwinPreprocessing *preprocessing);

/** test_rig_get_n_recordings: how often commands were recorded so far. */
guint test_rig_get_n_recordings(const TestRig *rig);

/** test_rig_reserve: makes the buffers large enough for @frame at once. Returns what it needs. */
SwinPreprocessNeeds test_rig_reserve(TestRig *rig, const SwinFrame *frame,
                                     const SwinPreprocessing *preprocessing);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestRig, test_rig_free)

#endif /* SWIN_TESTS_TEST_RIG_H */
