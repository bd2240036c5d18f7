// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * picture.h: one place of a batch: takes a frame, and has commands that write its part of the
 * network's input. Not thread-safe; must not be loaded while its commands run.
 */
#ifndef SWIN_PICTURE_H
#define SWIN_PICTURE_H

#include "preprocess.h"

typedef struct _SwinPicture SwinPicture;

/**
 * swin_picture_new: nothing is allocated on the device before the first frame.
 * @preprocessing: must outlive the picture
 * @output: the network's input [images, 3, height, width]; its buffer must outlive the picture
 * @image: which image of the batch this is
 */
SwinPicture *swin_picture_new(SwinDevice *device, const SwinPreprocessing *preprocessing,
                              SwinBinding output, guint width, guint height, guint image);
void swin_picture_free(SwinPicture *picture); /* NULL-safe */

/**
 * swin_picture_load: takes a checked frame. Pixels in host memory are copied, and not needed
 * afterwards; other memory must stay until the commands have run.
 * @keep_alive: (nullable): for the functions of SwinFrame.images
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME where the frame is too large for the device or its memory
 *   cannot be read by it, or with an error of the device.
 */
gboolean swin_picture_load(SwinPicture *picture, const SwinFrame *frame, gpointer keep_alive,
                           GError **error);

/**
 * swin_picture_begin: with the queue locked, after a load: appends the commands that bring the
 * picture to the network's input, and what they wait for. Balance with swin_picture_end() before
 * the queue is unlocked, unless it fails.
 */
gboolean swin_picture_begin(SwinPicture *picture, SwinSubmission *submission, GError **error);

/** swin_picture_end: @submitted: whether the commands are on their way. */
void swin_picture_end(SwinPicture *picture, gboolean submitted);

#endif /* SWIN_PICTURE_H */
