// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * instance.h: the library's own Vulkan instance and the devices it sees.
 */
#ifndef SWIN_GPU_INSTANCE_H
#define SWIN_GPU_INSTANCE_H

#include "swin.h"
#include "gpu/functions.h"

/** SwinInstance: reference counted; one at a time serves all devices of the library's own. */
typedef struct {
  gatomicrefcount references;
  VkInstance handle;
  SwinInstanceFunctions functions;
} SwinInstance;

/** swin_instance_get: (transfer full): the instance in use, or a new one. */
SwinInstance *swin_instance_get(GError **error);
void swin_instance_unref(SwinInstance *instance); /* NULL-safe */

/**
 * swin_instance_queue_families: (transfer full): the queue families of a physical device.
 * @n_families: (out)
 */
VkQueueFamilyProperties *swin_instance_queue_families(const SwinInstanceFunctions *functions,
                                                      VkPhysicalDevice physical_device,
                                                      guint *n_families);

/**
 * swin_device_info_new: (transfer full): describes a physical device; with @refusal set when it
 * cannot be used.
 */
SwinDeviceInfo *swin_device_info_new(const SwinInstanceFunctions *functions,
                                     VkPhysicalDevice physical_device, guint index);
void swin_device_info_free(SwinDeviceInfo *info); /* NULL-safe */
SwinDeviceInfo *swin_device_info_copy(const SwinDeviceInfo *info);

/**
 * swin_instance_describe: (transfer full): every physical device as a SwinDeviceInfo, in the
 * loader's order.
 * @physical_devices: (out) (transfer full) (nullable): the handles, in the same order; g_free()
 */
GPtrArray *swin_instance_describe(SwinInstance *instance, VkPhysicalDevice **physical_devices,
                                  GError **error);

/**
 * swin_device_choose: position in @devices (of SwinDeviceInfo) that @selector names, as
 * swin_device_open() describes; -1 with an error that lists what there is.
 */
gint swin_device_choose(const GPtrArray *devices, const gchar *selector, GError **error);

#endif /* SWIN_GPU_INSTANCE_H */
