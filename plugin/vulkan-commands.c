// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vulkan-commands.h"

static void prepare(VkCommandBuffer commands, SwinVulkanImage *images, guint n_images,
                    VkAccessFlags access, VkImageLayout layout) {
  VkImageMemoryBarrier barriers[SWIN_FRAME_MAX_PLANES];

  for (guint i = 0; i < n_images; i++) {
    barriers[i] = (VkImageMemoryBarrier){
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = access,
        .oldLayout = images[i].state.layout,
        .newLayout = layout,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = images[i].image,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
    };
    images[i].state.layout = layout;
    images[i].state.stages = VK_PIPELINE_STAGE_TRANSFER_BIT;
    images[i].state.access = access;
  }
  vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                       0, 0, NULL, 0, NULL, n_images, barriers);
}

static void copy_regions(const SwinVulkanTransfer *transfer, VkCommandBuffer commands) {
  for (guint i = 0; i < transfer->n_regions; i++) {
    const SwinVulkanRegion *region = &transfer->regions[i];
    const VkImageSubresourceLayers layers = {region->aspect, 0, 0, 1};
    const VkImageCopy copy = {
        .srcSubresource = layers,
        .dstSubresource = layers,
        .extent = {region->extent.width, region->extent.height, 1},
    };

    vkCmdCopyImage(commands, transfer->from[region->image].image,
                   VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, transfer->to[region->image].image,
                   VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copy);
  }
}

VkResult swin_vulkan_transfer_record(SwinVulkanTransfer *transfer, VkCommandBuffer commands) {
  const VkCommandBufferBeginInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
      .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  VkResult result = vkBeginCommandBuffer(commands, &info);

  if (result != VK_SUCCESS)
    return result;
  prepare(commands, transfer->from, transfer->n_images, VK_ACCESS_TRANSFER_READ_BIT,
          VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  prepare(commands, transfer->to, transfer->n_images, VK_ACCESS_TRANSFER_WRITE_BIT,
          VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
  copy_regions(transfer, commands);
  return vkEndCommandBuffer(commands);
}

/** Semaphores: timeline semaphores, each waited for and then raised. */
typedef struct {
  guint n_semaphores;
  VkSemaphore semaphores[2 * SWIN_FRAME_MAX_PLANES];
  VkPipelineStageFlags stages[2 * SWIN_FRAME_MAX_PLANES];
  guint64 wait_values[2 * SWIN_FRAME_MAX_PLANES];
  guint64 signal_values[2 * SWIN_FRAME_MAX_PLANES];
} Semaphores;

static void add_semaphores(Semaphores *all, SwinVulkanImage *images, guint n_images) {
  for (guint i = 0; i < n_images; i++) {
    guint index = all->n_semaphores;

    if (images[i].state.semaphore == VK_NULL_HANDLE)
      continue;
    all->semaphores[index] = images[i].state.semaphore;
    all->stages[index] = VK_PIPELINE_STAGE_TRANSFER_BIT;
    all->wait_values[index] = images[i].state.value;
    all->signal_values[index] = ++images[i].state.value;
    all->n_semaphores++;
  }
}

VkResult swin_vulkan_transfer_submit(SwinVulkanTransfer *transfer, VkQueue queue,
                                     VkCommandBuffer commands, VkFence fence) {
  Semaphores all = {0};
  VkTimelineSemaphoreSubmitInfo values = {
      .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
      .pWaitSemaphoreValues = all.wait_values,
      .pSignalSemaphoreValues = all.signal_values,
  };
  VkSubmitInfo info = {
      .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
      .pWaitSemaphores = all.semaphores,
      .pWaitDstStageMask = all.stages,
      .commandBufferCount = 1,
      .pCommandBuffers = &commands,
      .pSignalSemaphores = all.semaphores,
  };

  add_semaphores(&all, transfer->from, transfer->n_images);
  add_semaphores(&all, transfer->to, transfer->n_images);
  values.waitSemaphoreValueCount = values.signalSemaphoreValueCount = all.n_semaphores;
  info.waitSemaphoreCount = info.signalSemaphoreCount = all.n_semaphores;
  if (all.n_semaphores > 0)
    info.pNext = &values;
  return vkQueueSubmit(queue, 1, &info, fence);
}
