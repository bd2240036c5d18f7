// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * fake-inference.h: an inference without a model, a classifier without a device and a mapping
 * without a picture, for tests of what the element does with results. Frames that are submitted
 * are kept until the test completes them.
 */
#ifndef SWIN_TESTS_PLUGIN_FAKE_INFERENCE_H
#define SWIN_TESTS_PLUGIN_FAKE_INFERENCE_H

#include "classification.h"
#include "input.h"

/** fake_inference_new: (transfer full): of a model called @name; class n is labelled "n". */
SwinInference *fake_inference_new(const gchar *name, guint n_classes, SwinActivation activation);

/** fake_mapping_new: (transfer full). */
SwinMapping *fake_mapping_new(void);

/** fake_n_alive: inferences and mappings that somebody still holds. */
guint fake_n_alive(void);

/** fake_refuse: the submission after the next @n_good is refused with @code; once. */
void fake_refuse(guint n_good, SwinError code);

/** fake_set_immediate: whether frames complete before their submission returns. */
void fake_set_immediate(gboolean immediate);

/** fake_n_submitted: frames submitted so far, completed or not. */
guint fake_n_submitted(void);

/** fake_get_frame: (transfer none): frame @n of those. */
const SwinFrame *fake_get_frame(guint n);

/**
 * fake_complete: hands out the result of frame @n: class @n with a confidence of 0.5, or @error
 * where that is not NULL. From any thread.
 */
void fake_complete(guint n, const GError *error);

/** fake_reset: forgets all frames, each of which must be complete, and the settings above. */
void fake_reset(void);

#endif /* SWIN_TESTS_PLUGIN_FAKE_INFERENCE_H */
