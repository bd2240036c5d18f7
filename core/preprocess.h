// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * preprocess.h: a frame's pixels -> the network's input tensor: colour, resize, crop, normalise.
 *
 * Three passes: the frame's samples become upright pixels of R'G'B', and these are resized as
 * Pillow does it, columns first, then rows, each rounded to 8 bits. They are recorded once;
 * everything about a frame (size, layout, colour, crop, orientation, filter weights, how many rows
 * there are) lies in the parameter buffer, from which the first two passes also take their numbers
 * of work-groups. So a frame of another size or format is only another upload, unless it needs
 * larger buffers.
 *
 * Of every frame: tables of its size, swin_preprocess_needs(), larger buffers and a new recording
 * if one has become too small, swin_preprocess_write(), flush, submit.
 *
 * Thread-safe as far as the arguments are different ones.
 */
#ifndef SWIN_PREPROCESS_H
#define SWIN_PREPROCESS_H

#include "gpu/recorder.h"
#include "image.h"
#include "resize-tables.h"

/** SwinPreprocessNeeds: what a frame needs. Sizes are the least ones, in bytes; none is 0. */
typedef struct {
  SwinImageLayout layout; /* of the frame in its buffer, layout.size bytes: SWIN_BUFFER_UPLOAD where
                             the host writes it */
  guint64 parameters;     /* parameters and tables; the host writes: SWIN_BUFFER_UPLOAD */
  guint64 pixels;         /* unpacked pixels: SWIN_BUFFER_DEVICE */
  guint64 intermediate;   /* resized columns: SWIN_BUFFER_DEVICE */
} SwinPreprocessNeeds;

/**
 * swin_preprocess_needs: what a frame needs.
 * @frame: a frame that passed swin_frame_check()
 * @tables: of its size and phase
 */
SwinPreprocessNeeds swin_preprocess_needs(const SwinFrame *frame, const SwinResizeTables *tables);

/**
 * swin_preprocess_check_sizes: whether the device can bind buffers of these sizes.
 *
 * Returns: FALSE with SWIN_ERROR_FRAME when the frame is too large for it.
 */
gboolean swin_preprocess_check_sizes(SwinDevice *device, const SwinPreprocessNeeds *needs,
                                     GError **error);

/**
 * swin_preprocess_write: what the host has to say about a frame: the parameters. Its pixels are
 * written by swin_image_upload() or by commands.
 * @tables: of the frame's size and phase
 * @write_tables: FALSE where @memory has them from the frame before
 * @memory: the mapped parameter buffer, at least needs->parameters bytes; aligned to 4
 */
void swin_preprocess_write(const SwinFrame *frame, const SwinResizeTables *tables,
                           const SwinPreprocessNeeds *needs, gboolean write_tables,
                           gpointer memory);

/** SwinPreprocessBuffers: see #SwinPreprocessNeeds. */
typedef struct {
  const SwinBuffer *frame;
  const SwinBuffer *parameters;
  const SwinBuffer *pixels;
  const SwinBuffer *intermediate;
} SwinPreprocessBuffers;

/**
 * swin_preprocess_record: appends all passes for one picture of a batch.
 * @buffers: bound as a whole. Pictures of one batch can share the last two, at the price of running
 *   one behind the other.
 * @output: float32 [images, 3, height, width]; written at @image
 */
gboolean swin_preprocess_record(SwinRecorder *recorder, const SwinPreprocessBuffers *buffers,
                                SwinBinding output, guint width, guint height, guint image,
                                GError **error);

#endif /* SWIN_PREPROCESS_H */
