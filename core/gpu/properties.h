// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * properties.h: what a physical device says of itself.
 */
#ifndef SWIN_GPU_PROPERTIES_H
#define SWIN_GPU_PROPERTIES_H

#include "gpu/device.h"

/** swin_limits_read: the limits of a device with a queue of @queue_family. */
SwinDeviceLimits swin_limits_read(const SwinInstanceFunctions *functions,
                                  VkPhysicalDevice physical_device, guint32 queue_family);

/** swin_identity_read: free its name. */
SwinDeviceIdentity swin_identity_read(const SwinInstanceFunctions *functions,
                                      VkPhysicalDevice physical_device);

#endif /* SWIN_GPU_PROPERTIES_H */
