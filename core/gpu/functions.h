// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * functions.h: the Vulkan functions in use, in one table per device, so that several devices (and
 * an application's own loader) live side by side and tests can replace single functions.
 */
#ifndef SWIN_GPU_FUNCTIONS_H
#define SWIN_GPU_FUNCTIONS_H

#include <glib.h>
#include <vulkan/vulkan_core.h>

#include "gpu/cooperative-matrix.h"

#define SWIN_INSTANCE_FUNCTIONS(X)                                                                 \
  X(DestroyInstance)                                                                               \
  X(EnumeratePhysicalDevices)                                                                      \
  X(GetPhysicalDeviceProperties)                                                                   \
  X(GetPhysicalDeviceProperties2)                                                                  \
  X(GetPhysicalDeviceFeatures2)                                                                    \
  X(GetPhysicalDeviceMemoryProperties)                                                             \
  X(GetPhysicalDeviceQueueFamilyProperties)                                                        \
  X(GetPhysicalDeviceExternalBufferProperties)                                                     \
  X(EnumerateDeviceExtensionProperties)                                                            \
  X(CreateDevice)                                                                                  \
  X(GetDeviceProcAddr)

/* Of extensions of devices; NULL where the driver has none of them. */
#define SWIN_INSTANCE_OPTIONAL_FUNCTIONS(X) X(GetPhysicalDeviceCooperativeMatrixPropertiesKHR)

#define SWIN_DEVICE_FUNCTIONS(X)                                                                   \
  X(DestroyDevice)                                                                                 \
  X(GetDeviceQueue)                                                                                \
  X(QueueSubmit)                                                                                   \
  X(QueueWaitIdle)                                                                                 \
  X(CreateFence)                                                                                   \
  X(DestroyFence)                                                                                  \
  X(WaitForFences)                                                                                 \
  X(ResetFences)                                                                                   \
  X(CreateBuffer)                                                                                  \
  X(DestroyBuffer)                                                                                 \
  X(GetBufferMemoryRequirements)                                                                   \
  X(GetBufferMemoryRequirements2)                                                                  \
  X(AllocateMemory)                                                                                \
  X(FreeMemory)                                                                                    \
  X(BindBufferMemory)                                                                              \
  X(MapMemory)                                                                                     \
  X(FlushMappedMemoryRanges)                                                                       \
  X(InvalidateMappedMemoryRanges)                                                                  \
  X(CreateShaderModule)                                                                            \
  X(DestroyShaderModule)                                                                           \
  X(CreatePipelineLayout)                                                                          \
  X(DestroyPipelineLayout)                                                                         \
  X(CreatePipelineCache)                                                                           \
  X(DestroyPipelineCache)                                                                          \
  X(MergePipelineCaches)                                                                           \
  X(GetPipelineCacheData)                                                                          \
  X(CreateComputePipelines)                                                                        \
  X(DestroyPipeline)                                                                               \
  X(CreateDescriptorSetLayout)                                                                     \
  X(DestroyDescriptorSetLayout)                                                                    \
  X(CreateDescriptorPool)                                                                          \
  X(DestroyDescriptorPool)                                                                         \
  X(AllocateDescriptorSets)                                                                        \
  X(UpdateDescriptorSets)                                                                          \
  X(CreateCommandPool)                                                                             \
  X(DestroyCommandPool)                                                                            \
  X(AllocateCommandBuffers)                                                                        \
  X(BeginCommandBuffer)                                                                            \
  X(EndCommandBuffer)                                                                              \
  X(CmdBindPipeline)                                                                               \
  X(CmdBindDescriptorSets)                                                                         \
  X(CmdPushConstants)                                                                              \
  X(CmdDispatch)                                                                                   \
  X(CmdDispatchIndirect)                                                                           \
  X(CmdCopyBuffer)                                                                                 \
  X(CmdCopyImageToBuffer)                                                                          \
  X(CmdPipelineBarrier)                                                                            \
  X(CreateQueryPool)                                                                               \
  X(DestroyQueryPool)                                                                              \
  X(CmdResetQueryPool)                                                                             \
  X(CmdWriteTimestamp)                                                                             \
  X(GetQueryPoolResults)

/* Of extensions, with the name of each; NULL where it is not enabled. */
#define SWIN_DEVICE_OPTIONAL_FUNCTIONS(X)                                                          \
  X(GetMemoryFdPropertiesKHR, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)                            \
  X(GetBufferDeviceAddressKHR, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME)

#define SWIN_OPTIONAL_FUNCTION_MEMBER(name, extension) PFN_vk##name name;
#define SWIN_FUNCTION_MEMBER(name) PFN_vk##name name;

typedef struct {
  SWIN_INSTANCE_FUNCTIONS(SWIN_FUNCTION_MEMBER)
  SWIN_INSTANCE_OPTIONAL_FUNCTIONS(SWIN_FUNCTION_MEMBER)
} SwinInstanceFunctions;

typedef struct {
  SWIN_DEVICE_FUNCTIONS(SWIN_FUNCTION_MEMBER)
  SWIN_DEVICE_OPTIONAL_FUNCTIONS(SWIN_OPTIONAL_FUNCTION_MEMBER)
} SwinDeviceFunctions;

#undef SWIN_FUNCTION_MEMBER
#undef SWIN_OPTIONAL_FUNCTION_MEMBER

/**
 * swin_instance_functions_load: fills the table. FALSE with SWIN_ERROR_DEVICE, naming the function
 * that is missing.
 */
gboolean swin_instance_functions_load(SwinInstanceFunctions *functions,
                                      PFN_vkGetInstanceProcAddr get_proc_addr, VkInstance instance,
                                      GError **error);

/**
 * swin_device_functions_load: the same for the functions of one device.
 * @extensions: (nullable): those enabled, NULL-terminated; the functions of others are left NULL
 */
gboolean swin_device_functions_load(SwinDeviceFunctions *functions,
                                    PFN_vkGetDeviceProcAddr get_proc_addr, VkDevice device,
                                    const gchar *const *extensions, GError **error);

#endif /* SWIN_GPU_FUNCTIONS_H */
