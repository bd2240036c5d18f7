// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/external.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean refuse(SwinDevice *device, const gchar *why, GError **error) {
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
              "%s cannot read the frame's dma-buf: %s; have it copied to system memory.",
              swin_device_get_info(device)->name, why);
  return FALSE;
}

/* The kernel tells the size of a dma-buf by its end alone, which moves nothing; that of a memfd, in
 * which seeking would move its owner's position too, by its status. */
static gint64 size_of(gint fd) {
  struct stat status;
  if (fstat(fd, &status) != 0)
    return -1;
  return status.st_size > 0 ? (gint64)status.st_size : (gint64)lseek(fd, 0, SEEK_END);
}

static gboolean create_buffer(SwinBuffer *buffer, GError **error) {
  const VkExternalMemoryBufferCreateInfo external = {
      .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
      .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
  };
  const VkBufferCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
      .pNext = &external,
      .size = buffer->size,
      .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
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

/* Index of a memory type in which this dma-buf can be a buffer of these requirements, or -1. */
static gint choose_memory(SwinDevice *device, gint fd, const VkMemoryRequirements *requirements) {
  VkMemoryFdPropertiesKHR properties = {.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
  const VkResult result = swin_device_functions(device)->GetMemoryFdPropertiesKHR(
      swin_device_get_handle(device), VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, fd,
      &properties);
  if (result != VK_SUCCESS)
    return -1;
  return swin_memory_choose(swin_device_get_memory(device),
                            requirements->memoryTypeBits & properties.memoryTypeBits,
                            SWIN_BUFFER_DEVICE);
}

/* An import that works takes the descriptor over; one that fails leaves it. */
static VkResult allocate(SwinBuffer *buffer, gint fd, VkMemoryAllocateInfo *info) {
  const gint own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0)
    return VK_ERROR_INVALID_EXTERNAL_HANDLE;
  const VkImportMemoryFdInfoKHR import = {
      .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
      .pNext = info->pNext,
      .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
      .fd = own,
  };
  info->pNext = &import;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  const VkResult result =
      swin_device_functions(buffer->device)
          ->AllocateMemory(swin_device_get_handle(buffer->device), info, NULL, &memory);
  if (result == VK_SUCCESS)
    buffer->memory = memory;
  else
    close(own);
  return result;
}

static gboolean import_memory(SwinBuffer *buffer, gint fd, GError **error) {
  SwinDevice *device = buffer->device;
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  const VkDevice handle = swin_device_get_handle(device);
  VkMemoryDedicatedRequirements dedicated = {.sType =
                                                 VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
  VkMemoryRequirements2 requirements = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2,
                                        .pNext = &dedicated};
  const VkBufferMemoryRequirementsInfo2 query = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2, .buffer = buffer->buffer};
  functions->GetBufferMemoryRequirements2(handle, &query, &requirements);
  const gint type = choose_memory(device, fd, &requirements.memoryRequirements);
  if (type < 0)
    return refuse(device, "its memory is of no type that the device has", error);

  const VkMemoryDedicatedAllocateInfo dedication = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .buffer = buffer->buffer};
  VkMemoryAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .pNext = dedicated.requiresDedicatedAllocation ? &dedication : NULL,
      .allocationSize = requirements.memoryRequirements.size,
      .memoryTypeIndex = (guint32)type,
  };
  VkResult result = allocate(buffer, fd, &info);
  if (result == VK_ERROR_INVALID_EXTERNAL_HANDLE)
    return refuse(device, "the driver cannot import it", error);
  if (!swin_device_check(device, result, "importing a dma-buf", error))
    return FALSE;
  result = functions->BindBufferMemory(handle, buffer->buffer, buffer->memory, 0);
  return swin_device_check(device, result, "binding memory", error);
}

SwinBuffer *swin_external_import_dmabuf(SwinDevice *device, gint fd, GError **error) {
  if (!swin_device_get_extensions(device)->dmabuf) {
    refuse(device,
           "the driver, or the application's device, lacks "
           "VK_KHR_external_memory_fd or VK_EXT_external_memory_dma_buf",
           error);
    return NULL;
  }
  const gint64 size = size_of(fd);
  if (size <= 0) {
    refuse(device, "its file descriptor is of nothing that has a size", error);
    return NULL;
  }
  g_autoptr(SwinBuffer) buffer = g_new0(SwinBuffer, 1);
  buffer->device = swin_device_ref(device);
  buffer->size = (guint64)size;
  if (!create_buffer(buffer, error) || !import_memory(buffer, fd, error))
    return NULL;
  return g_steal_pointer(&buffer);
}

/* ---- By the processor ----------------------------------------------------------------------- */

/* Before and behind the processor's reads, so that it sees what devices wrote. Memory that is of no
 * driver (ENOTTY) is always seen as it is. */
static gboolean synchronize(gint fd, guint64 moment) {
  const struct dma_buf_sync request = {.flags = DMA_BUF_SYNC_READ | moment};
  gint result = 0;
  do
    result = ioctl(fd, DMA_BUF_IOCTL_SYNC, &request);
  while (result < 0 && (errno == EINTR || errno == EAGAIN));
  return result == 0 || errno == ENOTTY;
}

static gboolean read_bytes(gint fd, gsize size, gpointer into) {
  gpointer bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  if (bytes == MAP_FAILED)
    return FALSE;
  const gboolean readable = synchronize(fd, DMA_BUF_SYNC_START);
  if (readable) {
    memcpy(into, bytes, size);
    synchronize(fd, DMA_BUF_SYNC_END);
  }
  munmap(bytes, size);
  return readable;
}

SwinBuffer *swin_external_copy_dmabuf(SwinDevice *device, gint fd, GError **error) {
  const gint64 size = size_of(fd);
  if (size <= 0 || (gint64)(gsize)size != size) {
    refuse(device, "its file descriptor is of nothing that has a size", error);
    return NULL;
  }
  g_autoptr(SwinBuffer) buffer = swin_buffer_new(device, SWIN_BUFFER_UPLOAD, (guint64)size, error);
  if (!buffer)
    return NULL;
  /* A buffer may be larger than asked for, but there is no more to be read. */
  buffer->size = (guint64)size;
  if (!read_bytes(fd, (gsize)size, buffer->mapped)) {
    refuse(device, "the processor cannot map it", error);
    return NULL;
  }
  return swin_buffer_flush(buffer, error) ? g_steal_pointer(&buffer) : NULL;
}

/* ---- Who writes to it ----------------------------------------------------------------------- */

SwinWriting swin_external_poll_dmabuf(gint fd) {
  struct pollfd state = {.fd = fd, .events = POLLIN};
  gint n_ready = 0;
  do
    n_ready = poll(&state, 1, 0);
  while (n_ready < 0 && (errno == EINTR || errno == EAGAIN));
  if (n_ready == 0 && fd >= 0)
    return SWIN_WRITING_GOES_ON;
  return n_ready == 1 && (state.revents & POLLIN) ? SWIN_WRITING_IS_DONE : SWIN_WRITING_IS_UNKNOWN;
}
