// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * preprocess.h: a frame's pixels -> the network's input tensor: colour, resize, crop, normalise.
 *
 * Two passes, as Pillow resizes: columns first, then rows, each rounded to 8 bits. They are
 * recorded once; everything about a frame (size, layout, colour, crop, filter weights, how many
 * rows there are) lies in the parameter buffer, from which the first pass also takes its number of
 * work-groups. So a frame of another size or format is only another upload, unless it needs larger
 * buffers.
 *
 * Of every frame: tables of its size, swin_preprocess_sizes(), larger buffers and a new recording
 * if one has become too small, swin_preprocess_write(), flush, submit.
 *
 * Thread-safe as far as the arguments are different ones.
 */
#ifndef SWIN_PREPROCESS_H
#define SWIN_PREPROCESS_H

#include "gpu/recorder.h"
#include "resize-tables.h"

/** SwinPreprocessSizes: least sizes of the buffers that a frame needs, in bytes; none is 0. */
typedef struct {
  guint64 frame;        /* pixels; the host writes: SWIN_BUFFER_UPLOAD */
  guint64 parameters;   /* parameters and tables; the host writes: SWIN_BUFFER_UPLOAD */
  guint64 intermediate; /* resized columns: SWIN_BUFFER_DEVICE */
} SwinPreprocessSizes;

/**
 * swin_preprocess_sizes: what a frame needs.
 * @frame: a frame that passed swin_frame_check()
 * @tables: of its size
 */
SwinPreprocessSizes swin_preprocess_sizes(const SwinFrame *frame, const SwinResizeTables *tables);

/**
 * swin_preprocess_check_sizes: whether the device can bind buffers of these sizes.
 *
 * Returns: FALSE with SWIN_ERROR_FRAME when the frame is too large for it.
 */
gboolean swin_preprocess_check_sizes(SwinDevice *device, const SwinPreprocessSizes *sizes,
                                     GError **error);

/**
 * swin_preprocess_write: what the host has to say about a frame: its pixels and the parameters.
 * The pixels are copied: the frame is no longer needed afterwards.
 * @tables: of the frame's size
 * @write_tables: FALSE where @parameter_memory has them from the frame before
 * @frame_memory: the mapped frame buffer, at least sizes.frame bytes
 * @parameter_memory: the mapped parameter buffer, at least sizes.parameters bytes; aligned to 4
 */
void swin_preprocess_write(const SwinFrame *frame, const SwinResizeTables *tables,
                           gboolean write_tables, gpointer frame_memory, gpointer parameter_memory);

/**
 * swin_preprocess_record: appends both passes for one picture of a batch.
 * @frame, @parameters, @intermediate: bound as a whole; see #SwinPreprocessSizes. Pictures of one
 *   batch can share @intermediate, at the price of running one behind the other.
 * @output: float32 [images, 3, height, width]; written at @image
 */
gboolean swin_preprocess_record(SwinRecorder *recorder, const SwinBuffer *frame,
                                const SwinBuffer *parameters, const SwinBuffer *intermediate,
                                SwinBinding output, guint width, guint height, guint image,
                                GError **error);

#endif /* SWIN_PREPROCESS_H */
