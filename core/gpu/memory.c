// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/memory.h"

/* Of a GPU's memory, what the processor sees without resizable BAR: all programs share it. */
#define SMALL_WINDOW (256ull << 20)

#define WRITABLE (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

/* The first with all of @required, preferring those that also have @preferred; -1: none. */
static gint find_type(const VkPhysicalDeviceMemoryProperties *memory, guint32 type_bits,
                      VkMemoryPropertyFlags required, VkMemoryPropertyFlags preferred) {
  gint found = -1;
  for (guint32 i = 0; i < memory->memoryTypeCount; i++) {
    const VkMemoryPropertyFlags has = memory->memoryTypes[i].propertyFlags;
    if (!(type_bits & (1u << i)) || (has & required) != required)
      continue;
    if ((has & preferred) == preferred)
      return (gint)i;
    if (found < 0)
      found = (gint)i;
  }
  return found;
}

static guint32 types_in_large_heaps(const VkPhysicalDeviceMemoryProperties *memory) {
  guint32 bits = 0;
  for (guint32 i = 0; i < memory->memoryTypeCount; i++)
    if (memory->memoryHeaps[memory->memoryTypes[i].heapIndex].size > SMALL_WINDOW)
      bits |= 1u << i;
  return bits;
}

gint swin_memory_choose(const VkPhysicalDeviceMemoryProperties *memory, guint32 type_bits,
                        SwinBufferUse use) {
  if (use == SWIN_BUFFER_DEVICE)
    return find_type(memory, type_bits, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
  if (use == SWIN_BUFFER_DOWNLOAD)
    return find_type(memory, type_bits, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
                     VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
  const gint own = find_type(memory, type_bits & types_in_large_heaps(memory),
                             VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | WRITABLE, 0);
  return own >= 0 ? own
                  : find_type(memory, type_bits, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
                              VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
}
