// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * decoder.h: picture files, decoded by GStreamer.
 */
#ifndef SWIN_TOOLS_DECODER_H
#define SWIN_TOOLS_DECODER_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include "swin.h"

/** SwinDecodedPicture: 8-bit RGB; frees its memory with swin_decoded_picture_free(). */
typedef struct {
  GstSample *sample;
  GstVideoFrame mapped;
  SwinFrame frame; /* points into @mapped */
} SwinDecodedPicture;

/** swin_decoder_init: initialises GStreamer; to be called before the others. */
gboolean swin_decoder_init(GError **error);

/**
 * swin_decoder_read: decodes a picture, or the first frame of a film, turned upright where the file
 * says how the camera was held. What a file says makes no connection to other machines.
 *
 * Returns: (transfer full): the picture, or NULL with %SWIN_ERROR_FRAME.
 */
SwinDecodedPicture *swin_decoder_read(const gchar *path, GError **error);

void swin_decoded_picture_free(SwinDecodedPicture *picture); /* NULL-safe; any thread */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinDecodedPicture, swin_decoded_picture_free)

#endif /* SWIN_TOOLS_DECODER_H */
