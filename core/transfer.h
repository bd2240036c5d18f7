// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * transfer.h: brings a frame that is in device memory (dma-bufs, Vulkan images) to where a frame of
 * host memory would be uploaded to, by commands on the queue. So all that follows is the same, bit
 * for bit, wherever the frame came from. Not thread-safe; must not be loaded while its commands
 * run.
 */
#ifndef SWIN_TRANSFER_H
#define SWIN_TRANSFER_H

#include "gpu/buffer.h"
#include "image.h"

typedef struct _SwinTransfer SwinTransfer;

SwinTransfer *swin_transfer_new(SwinDevice *device);
void swin_transfer_free(SwinTransfer *transfer); /* NULL-safe */

/**
 * swin_transfer_can_load: whether a checked frame is in no dma-buf that somebody is still writing
 * to. Does not wait. Any thread.
 */
gboolean swin_transfer_can_load(const SwinFrame *frame);

/**
 * swin_transfer_load: notes what has to be copied; imports dma-bufs, or copies those that the
 * device cannot import. Does not wait for those who write to them.
 * @frame: checked, of memory other than %SWIN_FRAME_MEMORY_HOST
 * @keep_alive: (nullable): for the functions of SwinFrame.images
 * @layout: of the frame: which bytes go where
 * @destination: at least layout->size bytes; must outlive the commands
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME where the frame cannot be read, or is still being written,
 *   or with an error of the device.
 */
gboolean swin_transfer_load(SwinTransfer *transfer, const SwinFrame *frame, gpointer keep_alive,
                            const SwinImageLayout *layout, const SwinBuffer *destination,
                            GError **error);

/**
 * swin_transfer_begin: with the queue locked: asks for the state of the images, records the copies
 * and appends them with the semaphores that they need. A barrier towards shaders is behind them.
 * @submission: must stay where it is until swin_transfer_end(); several transfers may add to it,
 *   also of the same images
 */
gboolean swin_transfer_begin(SwinTransfer *transfer, SwinSubmission *submission, GError **error);

/** swin_transfer_end: with the queue still locked: tells the state of the images, if @submitted. */
void swin_transfer_end(SwinTransfer *transfer, gboolean submitted);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinTransfer, swin_transfer_free)

#endif /* SWIN_TRANSFER_H */
