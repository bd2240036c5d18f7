// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * image.h: a frame's planes, strides and colour, as the preprocessing shaders read them. No Vulkan.
 */
#ifndef SWIN_IMAGE_H
#define SWIN_IMAGE_H

#include "swin.h"
#include "parameters.h"

/** Largest SwinFrameComponent.pixel_stride: keeps what is uploaded near what is seen. */
#define SWIN_IMAGE_MAX_PIXEL_STRIDE 16

/**
 * swin_frame_check: whether a frame's description makes sense. The pixels are not looked at.
 *
 * Returns: FALSE with SWIN_ERROR_FRAME, naming the field.
 */
gboolean swin_frame_check(const SwinFrame *frame, GError **error);

/** SwinImageRegion: a part of a frame, in pixels; at least 1 x 1 and inside the frame. */
typedef struct {
  guint x;
  guint y;
  guint width;
  guint height;
} SwinImageRegion;

/**
 * SwinImagePlane: the rows of one plane that a region needs, and where they are uploaded to. Bytes
 * keep their place within 32-bit words, and there is room for whole groups of SWIN_RESIZE_GROUP
 * columns.
 */
typedef struct {
  guint first_row;       /* of the plane */
  guint n_rows;          /* 0 where the plane is not used */
  guint64 first_byte;    /* of each row */
  guint64 end_byte;      /* of each row: behind its last sample */
  guint64 end_group;     /* of each row: behind the samples of the last group, were they there */
  guint64 upload_offset; /* bytes from the start of the upload to byte 0 of row 0 of the plane, had
                            it been uploaded; modulo 2^64 */
  guint64 upload_stride; /* bytes from one uploaded row to the next; a multiple of 4 */
} SwinImagePlane;

/** SwinImageLayout: the planes of a region, one behind the other. */
typedef struct {
  SwinImagePlane planes[SWIN_FRAME_MAX_PLANES];
  guint64 size; /* bytes of the upload; a multiple of 4 */
} SwinImageLayout;

/** swin_image_layout: what of a checked frame is uploaded for @region. */
SwinImageLayout swin_image_layout(const SwinFrame *frame, const SwinImageRegion *region);

/**
 * swin_image_upload: copies the samples of a region's rows; no byte behind the last one of a row
 * is read.
 * @destination: room for layout->size bytes; what lies between rows is left as it is
 */
void swin_image_upload(const SwinFrame *frame, const SwinImageLayout *layout, gpointer destination);

/**
 * swin_image_describe: how the shader finds the samples in the upload, and how they become R'G'B'.
 * @image: (out): every field is set. Positions are whole-frame pixel coordinates.
 */
void swin_image_describe(const SwinFrame *frame, const SwinImageLayout *layout,
                         struct SwinImageParameters *image);

#endif /* SWIN_IMAGE_H */
