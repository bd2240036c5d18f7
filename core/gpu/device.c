// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/device.h"
#include "gpu/instance.h"
#include "gpu/pipelines.h"
#include "gpu/properties.h"

struct _SwinDevice {
  gatomicrefcount references;
  SwinInstance *instance; /* (nullable): the library's own; NULL for an imported device */
  VkPhysicalDevice physical_device;
  VkDevice handle;
  SwinDeviceInfo *info;
  gchar *key; /* in the table of open devices */
  SwinDeviceLimits limits;
  SwinExtensions extensions;
  SwinDeviceIdentity identity;
  gint kernels; /* -1: as the device is; 0: those for GPUs; 1: those for processors */
  SwinDeviceFunctions functions;
  VkPhysicalDeviceMemoryProperties memory;
  SwinPipelines *pipelines;
  gint lost; /* atomic */

  GMutex queue_lock; /* guards the queue among the library's own threads */
  VkQueue queue;
  guint32 queue_family;
  void (*lock_queue)(gpointer user_data);
  void (*unlock_queue)(gpointer user_data);
  gpointer lock_data;
  GDestroyNotify destroy; /* of lock_data */
};

/* Devices that are open, so that all users share one: the library's own by UUID, imported ones by
 * queue. */
G_LOCK_DEFINE_STATIC(open_devices);
static GHashTable *open_devices;

/* A family that computes without drawing is left alone by a desktop's own work. */
static guint32 choose_queue_family(const SwinInstanceFunctions *functions,
                                   VkPhysicalDevice physical_device) {
  guint count = 0;
  g_autofree VkQueueFamilyProperties *families =
      swin_instance_queue_families(functions, physical_device, &count);
  guint32 chosen = G_MAXUINT32;
  for (guint32 i = 0; i < count; i++) {
    if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT))
      continue;
    if (!(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT))
      return i;
    chosen = MIN(chosen, i);
  }
  return chosen;
}

/* What an own and an imported device have in common. @extensions, @features: (nullable): those that
 * are enabled */
static gboolean set_up(SwinDevice *device, const SwinInstanceFunctions *functions,
                       guint32 queue_index, const gchar *const *extensions,
                       const VkPhysicalDeviceFeatures2 *features, GError **error) {
  if (!swin_device_functions_load(&device->functions, functions->GetDeviceProcAddr, device->handle,
                                  extensions, error))
    return FALSE;
  device->functions.GetDeviceQueue(device->handle, device->queue_family, queue_index,
                                   &device->queue);
  functions->GetPhysicalDeviceMemoryProperties(device->physical_device, &device->memory);
  device->limits = swin_limits_read(functions, device->physical_device, device->queue_family);
  device->identity = swin_identity_read(functions, device->physical_device);
  device->extensions =
      swin_extensions_read(functions, device->physical_device, extensions, features);
  /* An application may name extensions that it has not enabled. */
  device->extensions.dmabuf &= device->functions.GetMemoryFdPropertiesKHR != NULL;
  device->extensions.addresses &= device->functions.GetBufferDeviceAddressKHR != NULL;
  const gchar *kernels = g_getenv("SWIN_KERNELS");
  device->kernels = g_strcmp0(kernels, "cpu") == 0 ? 1 : g_strcmp0(kernels, "gpu") == 0 ? 0 : -1;
  device->pipelines = swin_pipelines_new(device);
  return TRUE;
}

static gboolean create_device(SwinDevice *device, GError **error) {
  const SwinInstanceFunctions *functions = &device->instance->functions;
  device->queue_family = choose_queue_family(functions, device->physical_device);
  const float priority = 1.0f;
  const VkDeviceQueueCreateInfo queue = {
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
      .queueFamilyIndex = device->queue_family,
      .queueCount = 1,
      .pQueuePriorities = &priority,
  };
  SwinFeatures features;
  g_autofree const gchar **extensions =
      swin_extensions_choose(functions, device->physical_device, &features);
  const VkDeviceCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
      .pNext = &features.core,
      .queueCreateInfoCount = 1,
      .pQueueCreateInfos = &queue,
      .enabledExtensionCount = g_strv_length((gchar **)extensions),
      .ppEnabledExtensionNames = extensions,
  };
  const VkResult result =
      functions->CreateDevice(device->physical_device, &info, NULL, &device->handle);
  if (result != VK_SUCCESS) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "%s could not be opened (Vulkan error %d); is it in use by another program?",
                device->info->name, (gint)result);
    return FALSE;
  }
  return set_up(device, functions, 0, extensions, &features.core, error);
}

/* Undoes whatever of a device there is; also of one that was only half made. */
static void device_free(SwinDevice *device) {
  g_clear_pointer(&device->pipelines, swin_pipelines_free);
  if (device->instance && device->functions.DestroyDevice)
    device->functions.DestroyDevice(device->handle, NULL);
  g_clear_pointer(&device->instance, swin_instance_unref);
  swin_device_info_free(device->info);
  g_free(device->identity.name);
  g_free(device->key);
  g_mutex_clear(&device->queue_lock);
  g_free(device);
}

static SwinDevice *device_new(void) {
  SwinDevice *device = g_new0(SwinDevice, 1);
  g_atomic_ref_count_init(&device->references);
  g_mutex_init(&device->queue_lock);
  return device;
}

/* The device of @key, or NULL; then @key is that of the device which is added next. Both with the
 * table of open devices locked. */
static SwinDevice *find_open(const gchar *key) {
  SwinDevice *device = open_devices ? g_hash_table_lookup(open_devices, key) : NULL;
  return device && !swin_device_is_lost(device) ? swin_device_ref(device) : NULL;
}

static void add_open(SwinDevice *device, const gchar *key) {
  if (!open_devices)
    open_devices = g_hash_table_new(g_str_hash, g_str_equal);
  device->key = g_strdup(key);
  g_hash_table_replace(open_devices, device->key, device);
}

/* Takes over @instance and @info. Called with the table of open devices locked. */
static SwinDevice *open_locked(SwinInstance *instance, VkPhysicalDevice physical_device,
                               SwinDeviceInfo *info, GError **error) {
  SwinDevice *device = find_open(info->uuid);
  if (device) {
    swin_instance_unref(instance);
    swin_device_info_free(info);
    return device;
  }
  device = device_new();
  device->instance = instance;
  device->physical_device = physical_device;
  device->info = info;
  if (!create_device(device, error)) {
    device_free(device);
    return NULL;
  }
  add_open(device, info->uuid);
  return device;
}

SwinDevice *swin_device_open(const gchar *selector, GError **error) {
  SwinInstance *instance = swin_instance_get(error);
  if (!instance)
    return NULL;
  g_autofree VkPhysicalDevice *physical = NULL;
  g_autoptr(GPtrArray) infos = swin_instance_describe(instance, &physical, error);
  const gint chosen = infos ? swin_device_choose(infos, selector, error) : -1;
  if (chosen < 0) {
    swin_instance_unref(instance);
    return NULL;
  }
  SwinDeviceInfo *info = swin_device_info_copy(g_ptr_array_index(infos, chosen));
  G_LOCK(open_devices);
  SwinDevice *device = open_locked(instance, physical[chosen], info, error);
  G_UNLOCK(open_devices);
  return device;
}

static gboolean check_import(const SwinDeviceImport *import, GError **error) {
  const gchar *absent = NULL;
  if (!import || import->struct_size < sizeof(SwinDeviceImport))
    absent = "struct_size (use SWIN_DEVICE_IMPORT_INIT)";
  else if (!import->get_proc_addr)
    absent = "get_proc_addr";
  else if (!import->instance || !import->physical_device || !import->device)
    absent = "instance, physical_device or device";
  else if (!import->lock_queue != !import->unlock_queue)
    absent = "one of lock_queue and unlock_queue";
  if (absent)
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "The description of the application's device lacks %s.", absent);
  return !absent;
}

static gboolean check_import_queue(const SwinDeviceImport *import,
                                   const SwinInstanceFunctions *functions, GError **error) {
  guint count = 0;
  g_autofree VkQueueFamilyProperties *families =
      swin_instance_queue_families(functions, import->physical_device, &count);
  if (import->queue_family < count &&
      import->queue_index < families[import->queue_family].queueCount &&
      (families[import->queue_family].queueFlags & VK_QUEUE_COMPUTE_BIT))
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
              "Queue %u of family %u of the application's device cannot compute; import one of a "
              "family with VK_QUEUE_COMPUTE_BIT.",
              import->queue_index, import->queue_family);
  return FALSE;
}

static SwinDevice *import_new(const SwinDeviceImport *import, GError **error) {
  SwinInstanceFunctions functions;
  if (!swin_instance_functions_load(&functions, import->get_proc_addr, import->instance, error))
    return NULL;
  SwinDevice *device = device_new();
  device->physical_device = import->physical_device;
  device->handle = import->device;
  device->queue_family = import->queue_family;
  device->lock_queue = import->lock_queue;
  device->unlock_queue = import->unlock_queue;
  device->lock_data = import->user_data;
  device->destroy = import->destroy;
  device->info = swin_device_info_new(&functions, import->physical_device, 0);
  if (device->info->refusal) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE, device->info->refusal);
    device_free(device);
    return NULL;
  }
  if (!check_import_queue(import, &functions, error) ||
      !set_up(device, &functions, import->queue_index, import->extensions, import->features,
              error)) {
    device_free(device);
    return NULL;
  }
  return device;
}

SwinDevice *swin_device_import(const SwinDeviceImport *import, GError **error) {
  if (!check_import(import, error))
    return NULL;
  g_autofree gchar *key = g_strdup_printf("%p %u %u", (gpointer)import->device,
                                          import->queue_family, import->queue_index);
  G_LOCK(open_devices);
  SwinDevice *device = find_open(key);
  const gboolean is_shared = device != NULL;
  if (!device && (device = import_new(import, error)))
    add_open(device, key);
  G_UNLOCK(open_devices);
  if (is_shared && import->destroy)
    import->destroy(import->user_data);
  return device;
}

gboolean swin_device_takes_memory(SwinDevice *device, SwinFrameMemory memory) {
  switch (memory) {
  case SWIN_FRAME_MEMORY_HOST:
  case SWIN_FRAME_MEMORY_IMAGE:
    return TRUE;
  case SWIN_FRAME_MEMORY_DMABUF:
    return device->extensions.dmabuf;
  }
  return FALSE;
}

SwinDevice *swin_device_ref(SwinDevice *device) {
  g_atomic_ref_count_inc(&device->references);
  return device;
}

void swin_device_unref(SwinDevice *device) {
  if (!device)
    return;
  /* Under the lock, so that nobody finds a device that is going away. */
  G_LOCK(open_devices);
  const gboolean is_last = g_atomic_ref_count_dec(&device->references);
  if (is_last && open_devices) {
    if (g_hash_table_lookup(open_devices, device->key) == device)
      g_hash_table_remove(open_devices, device->key);
    if (g_hash_table_size(open_devices) == 0)
      g_clear_pointer(&open_devices, g_hash_table_unref);
  }
  G_UNLOCK(open_devices);
  if (!is_last)
    return;
  const GDestroyNotify destroy = device->destroy;
  gpointer user_data = device->lock_data;
  /* Writes compiled pipelines to disk, for which others need not wait. */
  device_free(device);
  if (destroy)
    destroy(user_data);
}

const SwinDeviceInfo *swin_device_get_info(SwinDevice *device) {
  return device->info;
}

const SwinDeviceLimits *swin_device_get_limits(SwinDevice *device) {
  return &device->limits;
}

const SwinDeviceIdentity *swin_device_get_identity(SwinDevice *device) {
  return &device->identity;
}

const SwinExtensions *swin_device_get_extensions(SwinDevice *device) {
  return &device->extensions;
}

gboolean swin_device_is_cpu(SwinDevice *device) {
  return device->kernels >= 0 ? device->kernels : device->info->kind == SWIN_DEVICE_KIND_CPU;
}

SwinPrecision swin_device_get_precision(SwinDevice *device, SwinPrecision precision) {
  const gboolean half = device->extensions.half;
  switch (precision) {
  case SWIN_PRECISION_FP32:
    return SWIN_PRECISION_FP32;
  case SWIN_PRECISION_FP16:
    return half ? SWIN_PRECISION_FP16 : SWIN_PRECISION_AUTO;
  case SWIN_PRECISION_AUTO:
  default:
    return half && !swin_device_is_cpu(device) ? SWIN_PRECISION_FP16 : SWIN_PRECISION_FP32;
  }
}

SwinPipelines *swin_device_get_pipelines(SwinDevice *device) {
  return device->pipelines;
}

SwinDeviceFunctions *swin_device_functions(SwinDevice *device) {
  return &device->functions;
}

VkDevice swin_device_get_handle(SwinDevice *device) {
  return device->handle;
}

guint32 swin_device_get_queue_family(SwinDevice *device) {
  return device->queue_family;
}

const VkPhysicalDeviceMemoryProperties *swin_device_get_memory(SwinDevice *device) {
  return &device->memory;
}

gboolean swin_device_check(SwinDevice *device, VkResult result, const gchar *doing,
                           GError **error) {
  switch (result) {
  case VK_SUCCESS:
    return TRUE;
  case VK_ERROR_DEVICE_LOST:
    g_atomic_int_set(&device->lost, 1);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE_LOST,
                "%s was lost while %s; open it anew, or choose another device.", device->info->name,
                doing);
    return FALSE;
  case VK_ERROR_OUT_OF_HOST_MEMORY:
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                "%s ran out of memory while %s; use a smaller batch or model.", device->info->name,
                doing);
    return FALSE;
  default:
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE, "%s failed while %s (Vulkan error %d).",
                device->info->name, doing, (gint)result);
    return FALSE;
  }
}

gboolean swin_device_is_lost(SwinDevice *device) {
  return g_atomic_int_get(&device->lost) != 0;
}

void swin_device_lock_queue(SwinDevice *device) {
  g_mutex_lock(&device->queue_lock);
  if (device->lock_queue)
    device->lock_queue(device->lock_data);
}

void swin_device_unlock_queue(SwinDevice *device) {
  if (device->unlock_queue)
    device->unlock_queue(device->lock_data);
  g_mutex_unlock(&device->queue_lock);
}

gboolean swin_device_submit(SwinDevice *device, const SwinSubmission *submission, VkFence fence,
                            GError **error) {
  if (swin_device_is_lost(device))
    return swin_device_check(device, VK_ERROR_DEVICE_LOST, "submitting work", error);
  /* The copies of images are what waits; whatever reads their result is behind a barrier. */
  VkPipelineStageFlags stages[SWIN_SUBMISSION_MAX_SEMAPHORES];
  for (guint i = 0; i < submission->n_semaphores; i++)
    stages[i] = VK_PIPELINE_STAGE_TRANSFER_BIT;
  const VkTimelineSemaphoreSubmitInfo values = {
      .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
      .waitSemaphoreValueCount = submission->n_semaphores,
      .pWaitSemaphoreValues = submission->wait_values,
      .signalSemaphoreValueCount = submission->n_semaphores,
      .pSignalSemaphoreValues = submission->signal_values,
  };
  const VkSubmitInfo submit = {
      .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
      .pNext = submission->n_semaphores > 0 ? &values : NULL,
      .waitSemaphoreCount = submission->n_semaphores,
      .pWaitSemaphores = submission->semaphores,
      .pWaitDstStageMask = stages,
      .commandBufferCount = submission->n_commands,
      .pCommandBuffers = submission->commands,
      .signalSemaphoreCount = submission->n_semaphores,
      .pSignalSemaphores = submission->semaphores,
  };
  VkResult result = fence ? device->functions.ResetFences(device->handle, 1, &fence) : VK_SUCCESS;
  if (!swin_device_check(device, result, "resetting a fence", error))
    return FALSE;
  result = device->functions.QueueSubmit(device->queue, 1, &submit, fence);
  return swin_device_check(device, result, "submitting work", error);
}

void swin_device_wait_idle(SwinDevice *device) {
  swin_device_lock_queue(device);
  device->functions.QueueWaitIdle(device->queue);
  swin_device_unlock_queue(device);
}

VkFence swin_device_create_fence(SwinDevice *device, GError **error) {
  const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  VkFence fence = VK_NULL_HANDLE;
  const VkResult result = device->functions.CreateFence(device->handle, &info, NULL, &fence);
  return swin_device_check(device, result, "creating a fence", error) ? fence : VK_NULL_HANDLE;
}

gboolean swin_device_wait_fence(SwinDevice *device, VkFence fence, GError **error) {
  const VkResult result =
      device->functions.WaitForFences(device->handle, 1, &fence, VK_TRUE, G_MAXUINT64);
  /* The caller goes on to reuse or to free what the work may still be using. */
  if (result != VK_SUCCESS)
    swin_device_wait_idle(device);
  return swin_device_check(device, result, "waiting for results", error);
}
