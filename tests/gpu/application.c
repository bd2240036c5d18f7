// SPDX-License-Identifier: LGPL-2.1-or-later
/* memfd_create() is Linux's own. */
#define _GNU_SOURCE
#include "gpu/application.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void lock(gpointer user_data) {
  Application *application = user_data;
  g_mutex_lock(&application->lock);
  application->n_locked++;
}

static void unlock(gpointer user_data) {
  Application *application = user_data;
  application->n_unlocked++;
  g_mutex_unlock(&application->lock);
}

static void create_instance(Application *application) {
  const VkApplicationInfo info = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                  .apiVersion = VK_API_VERSION_1_2};
  const VkInstanceCreateInfo instance = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                         .pApplicationInfo = &info};
  ck_assert_int_eq(vkCreateInstance(&instance, NULL, &application->instance), VK_SUCCESS);
  uint32_t count = 1;
  ck_assert_int_ge(
      vkEnumeratePhysicalDevices(application->instance, &count, &application->physical_device), 0);
  ck_assert_uint_eq(count, 1);
}

static void choose_extensions(Application *application) {
  static const gchar *const wanted[] = {
      VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
      VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
      VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
  };
  uint32_t count = 0;
  vkEnumerateDeviceExtensionProperties(application->physical_device, NULL, &count, NULL);
  g_autofree VkExtensionProperties *found = g_new0(VkExtensionProperties, count);
  vkEnumerateDeviceExtensionProperties(application->physical_device, NULL, &count, found);
  guint n_chosen = 0;
  for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
    for (guint j = 0; j < count; j++)
      if (strcmp(wanted[i], found[j].extensionName) == 0)
        application->extensions[n_chosen++] = wanted[i];
  application->has_dmabuf =
      g_strv_contains(application->extensions, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
}

static void choose_features(Application *application) {
  application->features_1_2.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  application->features_1_1.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
  application->features_1_1.pNext = &application->features_1_2;
  application->features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  application->features.pNext = &application->features_1_1;
  vkGetPhysicalDeviceFeatures2(application->physical_device, &application->features);
  const VkBool32 storage = application->features_1_1.storageBuffer16BitAccess;
  const VkBool32 half = application->features_1_2.shaderFloat16;
  application->features.features = (VkPhysicalDeviceFeatures){0};
  application->features_1_1 = (VkPhysicalDeviceVulkan11Features){
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
      .pNext = &application->features_1_2,
      .storageBuffer16BitAccess = storage};
  application->features_1_2 = (VkPhysicalDeviceVulkan12Features){
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
      .shaderFloat16 = half,
      .timelineSemaphore = VK_TRUE};
  application->has_half = storage && half;
}

static void create_device(Application *application) {
  const float priority = 1.0f;
  const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                         .queueCount = 1,
                                         .pQueuePriorities = &priority};
  const VkDeviceCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
      .pNext = &application->features,
      .queueCreateInfoCount = 1,
      .pQueueCreateInfos = &queue,
      .enabledExtensionCount = g_strv_length((gchar **)application->extensions),
      .ppEnabledExtensionNames = application->extensions,
  };
  ck_assert_int_eq(vkCreateDevice(application->physical_device, &info, NULL, &application->device),
                   VK_SUCCESS);
  vkGetDeviceQueue(application->device, 0, 0, &application->queue);
}

Application *application_new(void) {
  Application *application = g_new0(Application, 1);
  g_mutex_init(&application->lock);
  create_instance(application);
  choose_extensions(application);
  choose_features(application);
  create_device(application);
  application->import = (SwinDeviceImport)SWIN_DEVICE_IMPORT_INIT;
  application->import.get_proc_addr = vkGetInstanceProcAddr;
  application->import.instance = application->instance;
  application->import.physical_device = application->physical_device;
  application->import.device = application->device;
  application->import.extensions = application->extensions;
  application->import.lock_queue = lock;
  application->import.unlock_queue = unlock;
  application->import.user_data = application;
  return application;
}

void application_free(Application *application) {
  vkDeviceWaitIdle(application->device);
  vkDestroyDevice(application->device, NULL);
  vkDestroyInstance(application->instance, NULL);
  g_mutex_clear(&application->lock);
  g_free(application);
}

static guint32 choose_memory(Application *application, guint32 type_bits,
                             VkMemoryPropertyFlags flags) {
  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties(application->physical_device, &memory);
  guint32 type = 0;
  while (type < memory.memoryTypeCount &&
         (!(type_bits & (1u << type)) || (memory.memoryTypes[type].propertyFlags & flags) != flags))
    type++;
  ck_assert_uint_lt(type, memory.memoryTypeCount);
  return type;
}

static VkDeviceMemory allocate(Application *application, const VkMemoryRequirements *requirements,
                               VkMemoryPropertyFlags flags) {
  const VkMemoryAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .allocationSize = requirements->size,
      .memoryTypeIndex = choose_memory(application, requirements->memoryTypeBits, flags)};
  VkDeviceMemory memory = VK_NULL_HANDLE;
  ck_assert_int_eq(vkAllocateMemory(application->device, &info, NULL, &memory), VK_SUCCESS);
  return memory;
}

static VkSemaphore create_timeline(VkDevice device, guint64 value) {
  const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                          .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
                                          .initialValue = value};
  const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                      .pNext = &type};
  VkSemaphore semaphore = VK_NULL_HANDLE;
  ck_assert_int_eq(vkCreateSemaphore(device, &info, NULL, &semaphore), VK_SUCCESS);
  return semaphore;
}

ApplicationImage *application_image_new(Application *application, VkFormat format, guint32 width,
                                        guint32 height) {
  const VkImageCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
      .imageType = VK_IMAGE_TYPE_2D,
      .format = format,
      .extent = {width, height, 1},
      .mipLevels = 1,
      .arrayLayers = 1,
      .samples = VK_SAMPLE_COUNT_1_BIT,
      .usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
  };
  VkImageFormatProperties properties;
  if (vkGetPhysicalDeviceImageFormatProperties(application->physical_device, format, info.imageType,
                                               info.tiling, info.usage, 0,
                                               &properties) != VK_SUCCESS)
    return NULL;
  ApplicationImage *image = g_new0(ApplicationImage, 1);
  image->application = application;
  image->width = width;
  image->height = height;
  ck_assert_int_eq(vkCreateImage(application->device, &info, NULL, &image->image), VK_SUCCESS);
  VkMemoryRequirements requirements;
  vkGetImageMemoryRequirements(application->device, image->image, &requirements);
  image->memory = allocate(application, &requirements, 0);
  ck_assert_int_eq(vkBindImageMemory(application->device, image->image, image->memory, 0),
                   VK_SUCCESS);
  image->state.value = 5;
  image->state.semaphore = create_timeline(application->device, image->state.value);
  return image;
}

void application_image_free(ApplicationImage *image) {
  if (!image)
    return;
  const VkDevice device = image->application->device;
  vkDeviceWaitIdle(device);
  vkDestroySemaphore(device, image->state.semaphore, NULL);
  vkDestroyImage(device, image->image, NULL);
  vkFreeMemory(device, image->memory, NULL);
  g_free(image);
}

typedef struct {
  VkBuffer buffer;
  VkDeviceMemory memory;
} Staging;

static Staging staging_new(Application *application, gconstpointer bytes, gsize size) {
  const VkDevice device = application->device;
  const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                   .size = size,
                                   .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT};
  Staging staging = {VK_NULL_HANDLE, VK_NULL_HANDLE};
  ck_assert_int_eq(vkCreateBuffer(device, &info, NULL, &staging.buffer), VK_SUCCESS);
  VkMemoryRequirements requirements;
  vkGetBufferMemoryRequirements(device, staging.buffer, &requirements);
  staging.memory =
      allocate(application, &requirements,
               VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
  ck_assert_int_eq(vkBindBufferMemory(device, staging.buffer, staging.memory, 0), VK_SUCCESS);
  gpointer mapped = NULL;
  ck_assert_int_eq(vkMapMemory(device, staging.memory, 0, VK_WHOLE_SIZE, 0, &mapped), VK_SUCCESS);
  memcpy(mapped, bytes, size);
  vkUnmapMemory(device, staging.memory);
  return staging;
}

static void change_layout(ApplicationImage *image, VkCommandBuffer commands, VkImageLayout layout,
                          VkAccessFlags access, VkPipelineStageFlags stages) {
  const VkImageMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
      .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
      .dstAccessMask = access,
      .oldLayout = image->state.layout,
      .newLayout = layout,
      .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .image = image->image,
      .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
  };
  vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, stages, 0, 0, NULL, 0, NULL, 1,
                       &barrier);
  image->state.layout = layout;
  image->state.access = access;
  image->state.stages = stages;
}

/* Raises the semaphore of @image behind @commands, which wait for it. */
static void submit(ApplicationImage *image, VkCommandBuffer commands) {
  const guint64 value = image->state.value + 1;
  const VkTimelineSemaphoreSubmitInfo values = {
      .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
      .waitSemaphoreValueCount = 1,
      .pWaitSemaphoreValues = &image->state.value,
      .signalSemaphoreValueCount = 1,
      .pSignalSemaphoreValues = &value,
  };
  const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  const VkSubmitInfo info = {
      .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
      .pNext = &values,
      .waitSemaphoreCount = 1,
      .pWaitSemaphores = &image->state.semaphore,
      .pWaitDstStageMask = &stages,
      .commandBufferCount = 1,
      .pCommandBuffers = &commands,
      .signalSemaphoreCount = 1,
      .pSignalSemaphores = &image->state.semaphore,
  };
  g_mutex_lock(&image->application->lock);
  ck_assert_int_eq(vkQueueSubmit(image->application->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
  g_mutex_unlock(&image->application->lock);
  image->state.value = value;
}

void application_image_fill(ApplicationImage *image, VkImageAspectFlags aspect, guint32 width,
                            guint32 height, gconstpointer texels, gsize size) {
  const VkDevice device = image->application->device;
  const Staging staging = staging_new(image->application, texels, size);
  const VkCommandPoolCreateInfo pool_info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  VkCommandPool pool = VK_NULL_HANDLE;
  ck_assert_int_eq(vkCreateCommandPool(device, &pool_info, NULL, &pool), VK_SUCCESS);
  const VkCommandBufferAllocateInfo commands_info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = pool,
      .commandBufferCount = 1};
  VkCommandBuffer commands = VK_NULL_HANDLE;
  ck_assert_int_eq(vkAllocateCommandBuffers(device, &commands_info, &commands), VK_SUCCESS);
  const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  ck_assert_int_eq(vkBeginCommandBuffer(commands, &begin), VK_SUCCESS);
  change_layout(image, commands, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_ACCESS_TRANSFER_WRITE_BIT,
                VK_PIPELINE_STAGE_TRANSFER_BIT);
  const VkBufferImageCopy copy = {.imageSubresource = {.aspectMask = aspect, .layerCount = 1},
                                  .imageExtent = {width, height, 1}};
  vkCmdCopyBufferToImage(commands, staging.buffer, image->image,
                         VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copy);
  change_layout(image, commands, VK_IMAGE_LAYOUT_GENERAL, VK_ACCESS_SHADER_READ_BIT,
                VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
  ck_assert_int_eq(vkEndCommandBuffer(commands), VK_SUCCESS);
  submit(image, commands);
  g_mutex_lock(&image->application->lock);
  vkQueueWaitIdle(image->application->queue);
  g_mutex_unlock(&image->application->lock);
  vkDestroyCommandPool(device, pool, NULL);
  vkDestroyBuffer(device, staging.buffer, NULL);
  vkFreeMemory(device, staging.memory, NULL);
}

guint64 application_image_value(ApplicationImage *image) {
  const VkSemaphoreWaitInfo wait = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                    .semaphoreCount = 1,
                                    .pSemaphores = &image->state.semaphore,
                                    .pValues = &image->state.value};
  ck_assert_int_eq(vkWaitSemaphores(image->application->device, &wait, 10ull * 1000 * 1000 * 1000),
                   VK_SUCCESS);
  guint64 value = 0;
  ck_assert_int_eq(
      vkGetSemaphoreCounterValue(image->application->device, image->state.semaphore, &value),
      VK_SUCCESS);
  return value;
}

gint application_memfd(gconstpointer bytes, gsize size) {
  const gint fd = memfd_create("swin-test", MFD_CLOEXEC);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, bytes, size), (gssize)size);
  return fd;
}
