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
 * swin_picture_load: copies a checked frame's pixels and parameters to where the commands find
 * them. The frame is not needed afterwards.
 */
gboolean swin_picture_load(SwinPicture *picture, const SwinFrame *frame, GError **error);

/** swin_picture_get_commands: valid until the next load; after the first one. */
VkCommandBuffer swin_picture_get_commands(SwinPicture *picture);

#endif /* SWIN_PICTURE_H */
