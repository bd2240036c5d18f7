// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * external.h: memory of others as buffers of a device: Linux dma-bufs.
 */
#ifndef SWIN_GPU_EXTERNAL_H
#define SWIN_GPU_EXTERNAL_H

#include "gpu/buffer.h"

/**
 * swin_external_import_dmabuf: a buffer over the bytes of a dma-buf, to be copied from.
 * @fd: stays the caller's
 *
 * Returns: (transfer full): free with swin_buffer_free(); it keeps the dma-buf alive by itself.
 * NULL with SWIN_ERROR_FRAME where the device cannot import this one, or with an error of the
 * device.
 */
SwinBuffer *swin_external_import_dmabuf(SwinDevice *device, gint fd, GError **error);

/**
 * swin_external_copy_dmabuf: a buffer with the bytes that a dma-buf has now, copied by the
 * processor: for those that the device cannot import.
 * @fd: stays the caller's; what writes to it is done
 *
 * Returns: (transfer full): NULL with SWIN_ERROR_FRAME where the processor cannot read it either,
 * or with an error of the device.
 */
SwinBuffer *swin_external_copy_dmabuf(SwinDevice *device, gint fd, GError **error);

/** SwinWriting: of a dma-buf, so far as the kernel knows of it (implicit fences). */
typedef enum {
  SWIN_WRITING_IS_DONE,
  SWIN_WRITING_GOES_ON,
  SWIN_WRITING_IS_UNKNOWN, /* the descriptor is not open for reading, or of nothing that is */
} SwinWriting;

/** swin_external_poll_dmabuf: whether somebody is still writing to it. Does not wait. Any thread.
 */
SwinWriting swin_external_poll_dmabuf(gint fd);

#endif /* SWIN_GPU_EXTERNAL_H */
