// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/buffer.h"
#include "gpu/recorder.h"

#include <string.h>

static gboolean has_address(const SwinBuffer *buffer) {
  return swin_device_get_extensions(buffer->device)->addresses;
}

static gboolean create_buffer(SwinBuffer *buffer, GError **error) {
  const VkBufferCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
      .size = buffer->size,
      .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
               VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
               (has_address(buffer) ? VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT : 0),
      .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
  };
  VkBuffer handle = VK_NULL_HANDLE;
  const VkResult result =
      swin_device_functions(buffer->device)
          ->CreateBuffer(swin_device_get_handle(buffer->device), &info, NULL, &handle);
  if (!swin_device_check(buffer->device, result, "creating a buffer", error))
    return FALSE;
  buffer->buffer = handle;
  return TRUE;
}

static VkResult allocate_of_type(SwinBuffer *buffer, VkDeviceSize size, guint32 type) {
  const VkMemoryAllocateFlagsInfo flags_info = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
      .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
  };
  const VkMemoryAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .pNext = has_address(buffer) ? &flags_info : NULL,
      .allocationSize = size,
      .memoryTypeIndex = type,
  };
  VkDeviceMemory memory = VK_NULL_HANDLE;
  const VkResult result =
      swin_device_functions(buffer->device)
          ->AllocateMemory(swin_device_get_handle(buffer->device), &info, NULL, &memory);
  if (result == VK_SUCCESS)
    buffer->memory = memory;
  return result;
}

/* *flags: of the memory. Where a GPU's own memory is full, uploads take what is left elsewhere. */
static gboolean allocate_memory(SwinBuffer *buffer, SwinBufferUse use, VkMemoryPropertyFlags *flags,
                                GError **error) {
  SwinDevice *device = buffer->device;
  const VkPhysicalDeviceMemoryProperties *memory = swin_device_get_memory(device);
  VkMemoryRequirements requirements;
  swin_device_functions(device)->GetBufferMemoryRequirements(swin_device_get_handle(device),
                                                             buffer->buffer, &requirements);
  VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  guint32 type_bits = requirements.memoryTypeBits;
  gint type = swin_memory_choose(memory, type_bits, use);
  while (type >= 0 && result == VK_ERROR_OUT_OF_DEVICE_MEMORY) {
    *flags = memory->memoryTypes[type].propertyFlags;
    result = allocate_of_type(buffer, requirements.size, (guint32)type);
    type_bits &= ~(1u << type);
    type = use == SWIN_BUFFER_UPLOAD ? swin_memory_choose(memory, type_bits, use) : -1;
  }
  return swin_device_check(device, result, "allocating memory", error);
}

/* Device-local memory of a discrete GPU is left unmapped even where it could be: the window through
 * which the processor sees it may be small, and is shared. */
static gboolean is_to_be_mapped(const SwinBuffer *buffer, SwinBufferUse use,
                                VkMemoryPropertyFlags flags) {
  return (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) &&
         (use != SWIN_BUFFER_DEVICE ||
          swin_device_get_info(buffer->device)->kind != SWIN_DEVICE_KIND_DISCRETE);
}

static gboolean bind_memory(SwinBuffer *buffer, SwinBufferUse use, VkMemoryPropertyFlags flags,
                            GError **error) {
  SwinDevice *device = buffer->device;
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  const VkDevice handle = swin_device_get_handle(device);
  VkResult result = functions->BindBufferMemory(handle, buffer->buffer, buffer->memory, 0);
  if (!swin_device_check(device, result, "binding memory", error))
    return FALSE;
  const VkBufferDeviceAddressInfo address = {.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                             .buffer = buffer->buffer};
  if (has_address(buffer))
    buffer->address = functions->GetBufferDeviceAddressKHR(handle, &address);
  buffer->coherent = (flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) != 0;
  if (!is_to_be_mapped(buffer, use, flags))
    return TRUE;
  result = functions->MapMemory(handle, buffer->memory, 0, VK_WHOLE_SIZE, 0, &buffer->mapped);
  return swin_device_check(device, result, "mapping memory", error);
}

SwinBuffer *swin_buffer_new(SwinDevice *device, SwinBufferUse use, guint64 size, GError **error) {
  g_autoptr(SwinBuffer) buffer = g_new0(SwinBuffer, 1);
  buffer->device = swin_device_ref(device);
  buffer->size = MAX(size, 4);
  VkMemoryPropertyFlags flags = 0;
  if (!create_buffer(buffer, error) || !allocate_memory(buffer, use, &flags, error) ||
      !bind_memory(buffer, use, flags, error))
    return NULL;
  return g_steal_pointer(&buffer);
}

void swin_buffer_free(SwinBuffer *buffer) {
  if (!buffer)
    return;
  const SwinDeviceFunctions *functions = swin_device_functions(buffer->device);
  const VkDevice handle = swin_device_get_handle(buffer->device);
  functions->DestroyBuffer(handle, buffer->buffer, NULL);
  functions->FreeMemory(handle, buffer->memory, NULL);
  swin_device_unref(buffer->device);
  g_free(buffer);
}

static VkMappedMemoryRange whole(const SwinBuffer *buffer) {
  return (VkMappedMemoryRange){.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
                               .memory = buffer->memory,
                               .size = VK_WHOLE_SIZE};
}

gboolean swin_buffer_flush(SwinBuffer *buffer, GError **error) {
  if (buffer->coherent)
    return TRUE;
  const VkMappedMemoryRange range = whole(buffer);
  const VkResult result =
      swin_device_functions(buffer->device)
          ->FlushMappedMemoryRanges(swin_device_get_handle(buffer->device), 1, &range);
  return swin_device_check(buffer->device, result, "flushing memory", error);
}

gboolean swin_buffer_invalidate(SwinBuffer *buffer, GError **error) {
  if (buffer->coherent)
    return TRUE;
  const VkMappedMemoryRange range = whole(buffer);
  const VkResult result =
      swin_device_functions(buffer->device)
          ->InvalidateMappedMemoryRanges(swin_device_get_handle(buffer->device), 1, &range);
  return swin_device_check(buffer->device, result, "reading memory back", error);
}

/* Runs one copy and waits for it. */
static gboolean copy_now(SwinBuffer *source, guint64 source_offset, SwinBuffer *destination,
                         guint64 destination_offset, guint64 size, GError **error) {
  SwinDevice *device = source->device;
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, error);
  if (!recorder ||
      !swin_recorder_copy(recorder, source, source_offset, destination, destination_offset, size,
                          error) ||
      !swin_recorder_finish(recorder, error))
    return FALSE;
  return swin_recorder_run(recorder, error);
}

gboolean swin_buffer_write(SwinBuffer *buffer, guint64 offset, gconstpointer data, guint64 size,
                           GError **error) {
  g_assert(offset <= buffer->size && size <= buffer->size - offset);
  if (buffer->mapped) {
    memcpy((guint8 *)buffer->mapped + offset, data, size);
    return swin_buffer_flush(buffer, error);
  }
  g_autoptr(SwinBuffer) staging = swin_buffer_new(buffer->device, SWIN_BUFFER_UPLOAD, size, error);
  if (!staging)
    return FALSE;
  memcpy(staging->mapped, data, size);
  return swin_buffer_flush(staging, error) && copy_now(staging, 0, buffer, offset, size, error);
}

gboolean swin_buffer_read(SwinBuffer *buffer, guint64 offset, gpointer data, guint64 size,
                          GError **error) {
  g_assert(offset <= buffer->size && size <= buffer->size - offset);
  if (buffer->mapped) {
    if (!swin_buffer_invalidate(buffer, error))
      return FALSE;
    memcpy(data, (const guint8 *)buffer->mapped + offset, size);
    return TRUE;
  }
  g_autoptr(SwinBuffer) staging =
      swin_buffer_new(buffer->device, SWIN_BUFFER_DOWNLOAD, size, error);
  if (!staging || !copy_now(buffer, offset, staging, 0, size, error) ||
      !swin_buffer_invalidate(staging, error))
    return FALSE;
  memcpy(data, staging->mapped, size);
  return TRUE;
}
