// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * device.h: the inside of a device: its functions, limits and queue. Knows no Swin.
 */
#ifndef SWIN_GPU_DEVICE_H
#define SWIN_GPU_DEVICE_H

#include "swin.h"
#include "gpu/extensions.h"
#include "gpu/functions.h"

/** SwinDeviceLimits: what shaders and buffers must keep to. */
typedef struct {
  guint32 subgroup_size;
  guint64 max_storage_range; /* bytes of one storage-buffer binding */
  guint64 storage_alignment; /* bytes; of a binding's offset; a power of two */
  guint64 max_groups[3];     /* work-groups of one dispatch */
  guint32 max_lanes;         /* invocations of a work-group */
  guint32 max_shared;        /* bytes of a work-group's shared memory */
  gdouble timestamp_period;  /* nanoseconds a tick; 0 without timestamps */
  guint32 timestamp_bits;
} SwinDeviceLimits;

const SwinDeviceLimits *swin_device_get_limits(SwinDevice *device);

/** SwinDeviceIdentity: what a file that is kept of a device must be of. */
typedef struct {
  gchar *name;                    /* for the file: the same for every version of a driver */
  guint32 vendor, device;         /* as the driver numbers them */
  guint32 driver_version;         /* as the driver counts */
  guint8 driver[VK_UUID_SIZE];    /* of the driver's build */
  guint8 pipelines[VK_UUID_SIZE]; /* of what it makes of shaders (pipelineCacheUUID) */
} SwinDeviceIdentity;

/** swin_device_get_identity: (transfer none): valid as long as @device. */
const SwinDeviceIdentity *swin_device_get_identity(SwinDevice *device);

/** swin_device_get_extensions: what can be used of those that are enabled. */
const SwinExtensions *swin_device_get_extensions(SwinDevice *device);

/**
 * swin_device_is_cpu: whether shaders run on the processor, where other kernels are fast. The
 * environment variable SWIN_KERNELS, "cpu" or "gpu", decides instead where it is set, so that the
 * kernels for GPUs can be tried where there is none.
 */
gboolean swin_device_is_cpu(SwinDevice *device);

/**
 * swin_device_get_pipelines: (transfer none): the pipelines built so far, shared by all recorders.
 */
struct _SwinPipelines *swin_device_get_pipelines(SwinDevice *device);

/** swin_device_functions: the device's own function table; tests replace entries in it. */
SwinDeviceFunctions *swin_device_functions(SwinDevice *device);

VkDevice swin_device_get_handle(SwinDevice *device);
guint32 swin_device_get_queue_family(SwinDevice *device);

/** swin_device_get_memory: (transfer none): its types of memory; see memory.h. */
const VkPhysicalDeviceMemoryProperties *swin_device_get_memory(SwinDevice *device);

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

#define SWIN_SUBMISSION_MAX_COMMANDS 192
#define SWIN_SUBMISSION_MAX_IMAGES 256
#define SWIN_SUBMISSION_MAX_SEMAPHORES SWIN_SUBMISSION_MAX_IMAGES

/**
 * SwinSubmission: what goes to the queue at once. One that is all zero is empty. It has room for
 * the largest batch of pictures of the most images.
 */
typedef struct {
  guint n_commands;
  VkCommandBuffer commands[SWIN_SUBMISSION_MAX_COMMANDS]; /* in order */
  guint n_images; /* that the commands have made their own, so that they do it once */
  VkImage images[SWIN_SUBMISSION_MAX_IMAGES];
  guint n_semaphores; /* timeline semaphores that are both waited for and signalled */
  VkSemaphore semaphores[SWIN_SUBMISSION_MAX_SEMAPHORES]; /* each a different one */
  guint64 wait_values[SWIN_SUBMISSION_MAX_SEMAPHORES];    /* before the first command */
  guint64 signal_values[SWIN_SUBMISSION_MAX_SEMAPHORES];  /* after the last one */
} SwinSubmission;

/**
 * swin_device_lock_queue: keeps everybody else from the queue, the application too where the device
 * was imported, until swin_device_unlock_queue().
 */
void swin_device_lock_queue(SwinDevice *device);
void swin_device_unlock_queue(SwinDevice *device);

/**
 * swin_device_submit: submits with the queue locked by the caller.
 * @fence: (nullable): reset, then signalled when all is done; of no submission under way
 */
gboolean swin_device_submit(SwinDevice *device, const SwinSubmission *submission, VkFence fence,
                            GError **error);

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
