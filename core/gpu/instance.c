// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/instance.h"

G_LOCK_DEFINE_STATIC(instance);
static SwinInstance *shared_instance;

static gboolean instance_create(SwinInstance *instance, GError **error) {
  PFN_vkCreateInstance create =
      (PFN_vkCreateInstance)vkGetInstanceProcAddr(VK_NULL_HANDLE, "vkCreateInstance");
  const VkApplicationInfo application = {
      .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
      .pApplicationName = "gst-swin",
      .apiVersion = VK_API_VERSION_1_1,
  };
  const VkInstanceCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
      .pApplicationInfo = &application,
  };
  const VkResult result =
      create ? create(&info, NULL, &instance->handle) : VK_ERROR_INITIALIZATION_FAILED;
  if (result != VK_SUCCESS) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "Vulkan could not be started (error %d); install a Vulkan driver, such as the "
                "package mesa-vulkan-drivers.",
                (gint)result);
    return FALSE;
  }
  if (swin_instance_functions_load(&instance->functions, vkGetInstanceProcAddr, instance->handle,
                                   error))
    return TRUE;
  if (instance->functions.DestroyInstance)
    instance->functions.DestroyInstance(instance->handle, NULL);
  return FALSE;
}

SwinInstance *swin_instance_get(GError **error) {
  G_LOCK(instance);
  if (shared_instance) {
    g_atomic_ref_count_inc(&shared_instance->references);
  } else {
    SwinInstance *instance = g_new0(SwinInstance, 1);
    g_atomic_ref_count_init(&instance->references);
    if (instance_create(instance, error))
      shared_instance = instance;
    else
      g_free(instance);
  }
  SwinInstance *found = shared_instance;
  G_UNLOCK(instance);
  return found;
}

void swin_instance_unref(SwinInstance *instance) {
  if (!instance)
    return;
  /* Under the lock, so that swin_instance_get() never revives an instance that is going away. */
  G_LOCK(instance);
  if (g_atomic_ref_count_dec(&instance->references)) {
    shared_instance = NULL;
    instance->functions.DestroyInstance(instance->handle, NULL);
    g_free(instance);
  }
  G_UNLOCK(instance);
}

VkQueueFamilyProperties *swin_instance_queue_families(const SwinInstanceFunctions *functions,
                                                      VkPhysicalDevice physical_device,
                                                      guint *n_families) {
  uint32_t count = 0;
  functions->GetPhysicalDeviceQueueFamilyProperties(physical_device, &count, NULL);
  VkQueueFamilyProperties *families = g_new0(VkQueueFamilyProperties, count + 1);
  functions->GetPhysicalDeviceQueueFamilyProperties(physical_device, &count, families);
  *n_families = count;
  return families;
}

static VkPhysicalDevice *enumerate(SwinInstance *instance, guint *n_devices, GError **error) {
  uint32_t count = 0;
  VkResult result = instance->functions.EnumeratePhysicalDevices(instance->handle, &count, NULL);
  g_autofree VkPhysicalDevice *devices = g_new0(VkPhysicalDevice, count + 1);
  if (result == VK_SUCCESS && count > 0)
    result = instance->functions.EnumeratePhysicalDevices(instance->handle, &count, devices);
  if ((result != VK_SUCCESS && result != VK_INCOMPLETE) || count == 0) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                        "There is no Vulkan device; install a Vulkan driver, such as the package "
                        "mesa-vulkan-drivers, which also runs without a GPU.");
    return NULL;
  }
  *n_devices = count;
  return g_steal_pointer(&devices);
}

GPtrArray *swin_instance_describe(SwinInstance *instance, VkPhysicalDevice **physical_devices,
                                  GError **error) {
  guint n_devices = 0;
  g_autofree VkPhysicalDevice *physical = enumerate(instance, &n_devices, error);
  if (!physical)
    return NULL;
  GPtrArray *devices = g_ptr_array_new_with_free_func((GDestroyNotify)swin_device_info_free);
  for (guint i = 0; i < n_devices; i++)
    g_ptr_array_add(devices, swin_device_info_new(&instance->functions, physical[i], i));
  if (physical_devices)
    *physical_devices = g_steal_pointer(&physical);
  return devices;
}
