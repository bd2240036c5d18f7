// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * fake-engine.h: an engine and a device that compute nothing, for tests of what is around them:
 * batches take as long as a test says, one after the other, and what a frame holds comes back.
 *
 * A frame's first plane is a guint32: the index of its result's tag. It is read when the frame is
 * loaded, or of other memory than the host's when its batch is done, as the device would.
 */
#ifndef SWIN_TESTS_CLASSIFIER_FAKE_ENGINE_H
#define SWIN_TESTS_CLASSIFIER_FAKE_ENGINE_H

#include "engine.h"

#define FAKE_REFUSED_WIDTH 2  /* a frame so wide cannot be loaded */
#define FAKE_FAILING_HEIGHT 2 /* the batch of a frame so high cannot be submitted */

/** What classifiers are made of; each the only one. */
SwinDevice *fake_device(void);
SwinModel *fake_model(void);

/** fake_frame: describes @number, which has to stay where it is. */
SwinFrame fake_frame(const guint32 *number);

/** fake_reset: forgets batches and settings; nothing is under way. */
void fake_reset(void);

/** fake_set_batch_time: from the next submit on: microseconds, however many frames. Default 0. */
void fake_set_batch_time(gint64 microseconds);

/** fake_hold: with TRUE batches that were submitted do not finish. */
void fake_hold(gboolean hold);

/** fake_set_written: with FALSE somebody is still writing to all dma-bufs. */
void fake_set_written(gboolean written);

/** fake_wait_for_batches: until @n batches have been submitted in all. */
void fake_wait_for_batches(guint n);

/**
 * fake_get_batch: what the batch that was submitted as number @index is made of.
 * @numbers: (out): SWIN_ENGINE_MAX_BATCH of them
 *
 * Returns: how many.
 */
guint fake_get_batch(guint index, guint32 *numbers);

#endif /* SWIN_TESTS_CLASSIFIER_FAKE_ENGINE_H */
