// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * buffer.h: device memory with a Vulkan buffer over it. Not thread-safe per buffer.
 */
#ifndef SWIN_GPU_BUFFER_H
#define SWIN_GPU_BUFFER_H

#include "gpu/device.h"
#include "gpu/memory.h"

typedef struct {
  SwinDevice *device; /* a reference */
  VkBuffer buffer;    /* usable as storage, indirect, transfer source and destination */
  VkDeviceMemory memory;
  guint64 size;      /* bytes */
  guint64 address;   /* of the first byte on the device; 0 without extensions.addresses */
  gpointer mapped;   /* (nullable): set where the memory is host-visible; always for the two
                        mapped uses */
  gboolean coherent; /* no flush or invalidate needed */
} SwinBuffer;

/** swin_buffer_new: @size bytes (at least 1), contents undefined. NULL with an error when memory
 * is short. */
SwinBuffer *swin_buffer_new(SwinDevice *device, SwinBufferUse use, guint64 size, GError **error);

/** swin_buffer_free: NULL-safe; the device must be done with it. */
void swin_buffer_free(SwinBuffer *buffer);

/** swin_buffer_flush: makes the host's writes visible to submissions that follow. */
gboolean swin_buffer_flush(SwinBuffer *buffer, GError **error);

/** swin_buffer_invalidate: makes the device's finished writes visible to the host. */
gboolean swin_buffer_invalidate(SwinBuffer *buffer, GError **error);

/**
 * swin_buffer_write: copies @size bytes from @data to @offset of a buffer of any use and waits:
 * directly where it is mapped, otherwise through staging memory. For set-up, not for frames.
 */
gboolean swin_buffer_write(SwinBuffer *buffer, guint64 offset, gconstpointer data, guint64 size,
                           GError **error);

/** swin_buffer_read: the other way round. */
gboolean swin_buffer_read(SwinBuffer *buffer, guint64 offset, gpointer data, guint64 size,
                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinBuffer, swin_buffer_free)

#endif /* SWIN_GPU_BUFFER_H */
