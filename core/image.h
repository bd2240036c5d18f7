// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * image.h: a frame's planes, strides and colour, as the preprocessing shaders read them. No Vulkan
 * calls.
 *
 * What is looked at is the frame's crop, turned upright. Regions of it are in upright pixels.
 * Nothing outside of the crop is read, but for bytes that share a word or a subsampled sample with
 * it; so chroma at the crop's edges is interpolated as it is at those of a frame.
 */
#ifndef SWIN_IMAGE_H
#define SWIN_IMAGE_H

#include "swin.h"
#include "parameters.h"

/** Largest SwinFrameComponent.pixel_stride: keeps what is uploaded near what is seen. */
#define SWIN_IMAGE_MAX_PIXEL_STRIDE 16

/** swin_frame_n_components: how many of a frame's components are used. */
static inline guint swin_frame_n_components(const SwinFrame *frame) {
  return frame->model == SWIN_COLOR_GRAY ? 1 : 3;
}

/**
 * swin_frame_check: whether a frame's description makes sense. The pixels are not looked at.
 *
 * Returns: FALSE with SWIN_ERROR_FRAME, naming the field.
 */
gboolean swin_frame_check(const SwinFrame *frame, GError **error);

/** swin_frame_get_size: of what is looked at, upright. */
void swin_frame_get_size(const SwinFrame *frame, guint *width, guint *height);

/**
 * swin_frame_get_phase: where the groups of SWIN_RESIZE_GROUP stored columns, which are unpacked
 * together, begin in upright rows: upright column x is number (x + phase) % SWIN_RESIZE_GROUP of
 * its group.
 */
guint swin_frame_get_phase(const SwinFrame *frame);

/**
 * SwinImagePlane: the rows of one plane that a region needs, and where they are uploaded to: byte b
 * of row r goes to byte upload_offset + r * upload_stride + b of the upload, modulo 2^64.
 *
 * Bytes keep their place within 32-bit words. What lies between end_byte of a row and first_byte of
 * the next is nobody's: it may be written, and its value does not matter.
 */
typedef struct {
  guint first_row;    /* of the plane */
  guint n_rows;       /* 0 where the plane is not used */
  guint64 first_byte; /* of each row; of images, of a texel */
  guint64 end_byte;   /* of each row: behind its last sample; of images, behind that one's texel */
  guint64 upload_offset; /* bytes from the start of the upload to byte 0 of row 0 of the plane, had
                            it been uploaded; modulo 2^64 */
  guint64 upload_stride; /* bytes from one uploaded row to the next; a multiple of 4. Of
                            host memory and dma-bufs the plane's own one where that is possible
                            without much waste, so that one copy brings all rows. Of images a
                            multiple of the texel's size, as are the places where uploaded rows
                            begin */
} SwinImagePlane;

/** SwinImageLayout: the planes of a region, one behind the other. */
typedef struct {
  SwinImagePlane planes[SWIN_FRAME_MAX_PLANES];
  guint64 size; /* bytes of the upload; a multiple of 4 */
} SwinImageLayout;

/** swin_image_layout: what of a checked frame is uploaded for @region. */
SwinImageLayout swin_image_layout(const SwinFrame *frame, const SwinRectangle *region);

/**
 * swin_image_upload: copies the samples of a region's rows; no byte behind the last one of a row
 * is read.
 * @frame: in host memory
 * @destination: room for layout->size bytes; what lies between rows is left as it is
 */
void swin_image_upload(const SwinFrame *frame, const SwinImageLayout *layout, gpointer destination);

/** SwinImagePixels: the unpacked pixels of a region, upright: rows of 32-bit words. */
typedef struct {
  guint row_groups; /* groups of SWIN_RESIZE_GROUP pixels in a row */
  guint n_rows;     /* that are written */
  guint first_row;  /* of the region among them */
} SwinImagePixels;

/** swin_image_pixels: what unpack.comp makes of @region. */
SwinImagePixels swin_image_pixels(const SwinFrame *frame, const SwinRectangle *region);

/**
 * swin_image_describe: how the shader finds the samples in the upload, how they become R'G'B', and
 * where the pixels go.
 * @image: (out): every field is set
 */
void swin_image_describe(const SwinFrame *frame, const SwinRectangle *region,
                         const SwinImageLayout *layout, struct SwinImageParameters *image);

#endif /* SWIN_IMAGE_H */
