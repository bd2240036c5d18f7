// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * extensions.h: what a device can do beyond core Vulkan 1.1, as far as there is a use for it.
 */
#ifndef SWIN_GPU_EXTENSIONS_H
#define SWIN_GPU_EXTENSIONS_H

#include "gpu/functions.h"

/** SwinExtensions: what the extensions that are enabled on a device allow. */
typedef struct {
  gboolean dmabuf;        /* Linux dma-bufs can be imported as buffers to copy from */
  guint32 foreign_family; /* the queue family of whoever else uses what is imported */
} SwinExtensions;

/**
 * swin_extensions_choose: what is worth enabling on a device of the library's own.
 *
 * Returns: (transfer container): names of extensions that the driver has, NULL-terminated.
 */
const gchar **swin_extensions_choose(const SwinInstanceFunctions *functions,
                                     VkPhysicalDevice physical_device);

/**
 * swin_extensions_read: what can be done with those that are enabled.
 * @names: (nullable): NULL-terminated
 */
SwinExtensions swin_extensions_read(const SwinInstanceFunctions *functions,
                                    VkPhysicalDevice physical_device, const gchar *const *names);

#endif /* SWIN_GPU_EXTENSIONS_H */
