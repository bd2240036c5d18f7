// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * latest.h: inference that no frame waits for: one frame is looked at, the newest of those that
 * came meanwhile is kept, and when the first is done that one is next.
 */
#ifndef SWIN_PLUGIN_LATEST_H
#define SWIN_PLUGIN_LATEST_H

#include "look.h"

/** SwinLatest: any thread. Must outlive what it has submitted. */
typedef struct _SwinLatest SwinLatest;

/**
 * SwinLatestSubmit: begins to look at @buffer, the frame of @look. From the thread of
 * swin_latest_offer() or, when a job is done, from one of the library; must not block.
 *
 * Returns: whether @done will be called. FALSE without an error: there is nothing to look at.
 */
typedef gboolean (*SwinLatestSubmit)(SwinLook *look, GstBuffer *buffer, SwinJobFunc done,
                                     gpointer done_data, gpointer user_data, GError **error);

SwinLatest *swin_latest_new(SwinLatestSubmit submit, gpointer user_data);
void swin_latest_free(SwinLatest *latest); /* NULL-safe */

/**
 * swin_latest_offer: has @look looked at now, or when it is its turn. One thread at a time.
 * @look: (transfer full): has its buffer
 *
 * Returns: whether an earlier frame has lost its turn to this one.
 */
gboolean swin_latest_offer(SwinLatest *latest, SwinLook *look);

/**
 * swin_latest_take: (transfer full) (nullable): the next frame that has been looked at since, in
 * their order, with its job; or with an error where that could not be begun.
 * @stream, @number: of the last frame that is asked about; what came of later ones stays. Of the
 *   whole stream, with all before it, where @number is %G_MAXUINT64
 */
SwinLook *swin_latest_take(SwinLatest *latest, guint stream, guint64 number);

/** swin_latest_withdraw: forgets the frame that waits. TRUE where there was one. */
gboolean swin_latest_withdraw(SwinLatest *latest);

/**
 * swin_latest_reset: forgets all: what waits, what has been looked at and not been taken, and what
 * comes of the job under way. TRUE where a frame waited.
 */
gboolean swin_latest_reset(SwinLatest *latest);

#endif /* SWIN_PLUGIN_LATEST_H */
