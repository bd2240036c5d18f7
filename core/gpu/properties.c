// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/properties.h"

#include <string.h>

#include "gpu/instance.h"

SwinDeviceLimits swin_limits_read(const SwinInstanceFunctions *functions,
                                  VkPhysicalDevice physical_device, guint32 queue_family) {
  /* Stays zero where the driver does not know it. */
  VkPhysicalDeviceSubgroupSizeControlProperties control = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
  VkPhysicalDeviceSubgroupProperties subgroup = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, .pNext = &control};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &subgroup};
  functions->GetPhysicalDeviceProperties2(physical_device, &properties);

  const VkPhysicalDeviceLimits *found = &properties.properties.limits;
  SwinDeviceLimits limits = {
      .subgroup_size = MAX(subgroup.subgroupSize, 1),
      .max_storage_range = found->maxStorageBufferRange,
      .storage_alignment = MAX(found->minStorageBufferOffsetAlignment, 4),
      .max_groups = {found->maxComputeWorkGroupCount[0], found->maxComputeWorkGroupCount[1],
                     found->maxComputeWorkGroupCount[2]},
      .max_lanes = MIN(found->maxComputeWorkGroupInvocations, found->maxComputeWorkGroupSize[0]),
      .max_shared = found->maxComputeSharedMemorySize,
      .timestamp_period = found->timestampPeriod,
  };
  /* A limit of work-groups with full subgroups, which any may be asked to have. */
  const guint64 in_subgroups = (guint64)control.maxComputeWorkgroupSubgroups * limits.subgroup_size;
  if (in_subgroups > 0)
    limits.max_lanes = (guint32)MIN((guint64)limits.max_lanes, in_subgroups);

  guint count = 0;
  g_autofree VkQueueFamilyProperties *families =
      swin_instance_queue_families(functions, physical_device, &count);
  if (queue_family < count)
    limits.timestamp_bits = families[queue_family].timestampValidBits;
  return limits;
}

SwinDeviceIdentity swin_identity_read(const SwinInstanceFunctions *functions,
                                      VkPhysicalDevice physical_device) {
  VkPhysicalDeviceDriverProperties driver = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceIDProperties ids = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
                                      .pNext = &driver};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &ids};
  functions->GetPhysicalDeviceProperties2(physical_device, &properties);

  const VkPhysicalDeviceProperties *found = &properties.properties;
  SwinDeviceIdentity identity = {
      .vendor = found->vendorID, .device = found->deviceID, .driver_version = found->driverVersion};
  memcpy(identity.driver, ids.driverUUID, VK_UUID_SIZE);
  memcpy(identity.pipelines, found->pipelineCacheUUID, VK_UUID_SIZE);
  GString *name = g_string_new(NULL);
  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf(name, "%02x", ids.deviceUUID[i]);
  /* Two drivers of one device may both be installed, and take turns. */
  g_string_append_printf(name, "-%u", (guint)driver.driverID);
  identity.name = g_string_free(name, FALSE);
  return identity;
}
