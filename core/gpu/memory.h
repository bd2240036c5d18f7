// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * memory.h: which of a device's types of memory is for what. Pure functions, any thread.
 */
#ifndef SWIN_GPU_MEMORY_H
#define SWIN_GPU_MEMORY_H

#include <glib.h>
#include <vulkan/vulkan.h>

typedef enum {
  SWIN_BUFFER_DEVICE,   /* device-local; host-visible only by chance */
  SWIN_BUFFER_UPLOAD,   /* mapped; the host writes and never reads, the device reads */
  SWIN_BUFFER_DOWNLOAD, /* mapped and cached where possible; the device writes, the host reads */
} SwinBufferUse;

/**
 * swin_memory_choose: index of the memory type in @type_bits for @use, or -1. What is uploaded goes
 * into a GPU's own memory where the processor sees more of it than the 256 MiB that are scarce
 * (resizable BAR): then it crosses the bus while it is written, beside what the GPU computes, and
 * not once more when shaders read it.
 */
gint swin_memory_choose(const VkPhysicalDeviceMemoryProperties *memory, guint32 type_bits,
                        SwinBufferUse use);

#endif /* SWIN_GPU_MEMORY_H */
