// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * device.h: the inside of a device: its functions, limits and queue. Knows no Swin.
 */
#ifndef SWIN_GPU_DEVICE_H
#define SWIN_GPU_DEVICE_H

#include "swin.h"
#include "gpu/functions.h"

/** SwinDeviceLimits: what shaders and buffers must keep to. */
typedef struct {
  guint32 subgroup_size;
  guint64 max_storage_range; /* bytes of one storage-buffer binding */
  guint64 storage_alignment; /* bytes; of a binding's offset; a power of two */
  guint64 max_groups[3];     /* work-groups of one dispatch */
  gdouble timestamp_period;  /* nanoseconds a tick; 0 without timestamps */
  guint32 timestamp_bits;
} SwinDeviceLimits;

const SwinDeviceLimits *swin_device_get_limits(SwinDevice *device);

/** swin_device_is_cpu: whether shaders run on the processor, where other kernels are fast. */
gboolean swin_device_is_cpu(SwinDevice *device);

/**
 * swin_device_get_pipelines: (transfer none): the pipelines built so far, shared by all recorders.
 */
struct _SwinPipelines *swin_device_get_pipelines(SwinDevice *device);

/** swin_device_functions: the device's own function table; tests replace entries in it. */
SwinDeviceFunctions *swin_device_functions(SwinDevice *device);

VkDevice swin_device_get_handle(SwinDevice *device);
guint32 swin_device_get_queue_family(SwinDevice *device);

/**
 * swin_device_find_memory: index of a memory type in @type_bits with all of @required, preferring
 * those that also have @preferred; -1 when there is none.
 * @flags: (out): the properties of the type found
 */
gint swin_device_find_memory(SwinDevice *device, guint32 type_bits, VkMemoryPropertyFlags required,
                             VkMemoryPropertyFlags preferred, VkMemoryPropertyFlags *flags);

/**
 * swin_device_check: turns a failed Vulkan call into an error; remembers a lost device, so that
 * everything after it fails at once.
 * @doing: what was tried, such as "submitting work"
 *
 * Returns: TRUE when @result is VK_SUCCESS.
 */
gboolean swin_device_check(SwinDevice *device, VkResult result, const gchar *doing, GError **error);

/** swin_device_is_lost: whether a call has reported the device lost. */
gboolean swin_device_is_lost(SwinDevice *device);

/**
 * swin_device_submit: queues command buffers, in order, under the queue's lock (the application's
 * too where the device was imported). Serialised: any thread.
 * @fence: (nullable): reset, then signalled when they are done; of no submission under way
 */
gboolean swin_device_submit(SwinDevice *device, guint n_command_buffers,
                            const VkCommandBuffer *command_buffers, VkFence fence, GError **error);

/** swin_device_wait_idle: waits until the queue has nothing left to do; ignores a lost device. */
void swin_device_wait_idle(SwinDevice *device);

/** swin_device_create_fence: an unsignalled fence, or VK_NULL_HANDLE with an error. */
VkFence swin_device_create_fence(SwinDevice *device, GError **error);

/**
 * swin_device_wait_fence: waits for a submission's @fence. Where that fails the whole queue is
 * waited for instead, so that nothing is in use in either case.
 */
gboolean swin_device_wait_fence(SwinDevice *device, VkFence fence, GError **error);

#endif /* SWIN_GPU_DEVICE_H */
