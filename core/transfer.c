// SPDX-License-Identifier: LGPL-2.1-or-later
#include "transfer.h"
#include "gpu/external.h"

#include <string.h>

/* Rows that are copied one by one are put into this many regions of a command. */
#define MAX_REGIONS 256

/* Rows of bytes that are copied from one buffer to another. */
typedef struct {
  guint64 source, source_stride; /* bytes */
  guint64 target, target_stride;
  guint64 row_bytes;
  guint n_rows; /* 0 where there is nothing to copy */
} Rows;

struct _SwinTransfer {
  SwinDevice *device;
  VkCommandPool pool;
  VkCommandBuffer commands;
  const SwinBuffer *destination;

  SwinBuffer *dmabufs[SWIN_FRAME_MAX_PLANES]; /* (nullable): each once, imported or copied */
  guint dmabuf[SWIN_FRAME_MAX_PLANES];        /* of each plane: which of them */
  Rows rows[SWIN_FRAME_MAX_PLANES];           /* of each plane */

  SwinFrameImages images; /* n_images is 0 for a frame in dma-bufs */
  gpointer keep_alive;
  VkBufferImageCopy texels[SWIN_FRAME_MAX_PLANES]; /* of each plane */
  SwinImageState states[SWIN_FRAME_MAX_PLANES];    /* between begin and end */
  const SwinSubmission *submission;                /* (nullable): the same */
};

SwinTransfer *swin_transfer_new(SwinDevice *device) {
  SwinTransfer *transfer = g_new0(SwinTransfer, 1);
  transfer->device = swin_device_ref(device);
  return transfer;
}

static void forget_dmabufs(SwinTransfer *transfer) {
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    g_clear_pointer(&transfer->dmabufs[i], swin_buffer_free);
}

void swin_transfer_free(SwinTransfer *transfer) {
  if (!transfer)
    return;
  forget_dmabufs(transfer);
  swin_device_functions(transfer->device)
      ->DestroyCommandPool(swin_device_get_handle(transfer->device), transfer->pool, NULL);
  swin_device_unref(transfer->device);
  g_free(transfer);
}

static gboolean create_pool(SwinTransfer *transfer, GError **error) {
  SwinDevice *device = transfer->device;
  const VkCommandPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
      .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
      .queueFamilyIndex = swin_device_get_queue_family(device),
  };
  VkCommandPool pool = VK_NULL_HANDLE;
  const VkResult result = swin_device_functions(device)->CreateCommandPool(
      swin_device_get_handle(device), &info, NULL, &pool);
  if (!swin_device_check(device, result, "creating a command pool", error))
    return FALSE;
  transfer->pool = pool;
  return TRUE;
}

static gboolean create_commands(SwinTransfer *transfer, GError **error) {
  SwinDevice *device = transfer->device;
  if (!transfer->pool && !create_pool(transfer, error))
    return FALSE;
  const VkCommandBufferAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = transfer->pool,
      .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
      .commandBufferCount = 1,
  };
  VkCommandBuffer commands = VK_NULL_HANDLE;
  const VkResult result = swin_device_functions(device)->AllocateCommandBuffers(
      swin_device_get_handle(device), &info, &commands);
  if (!swin_device_check(device, result, "allocating a command buffer", error))
    return FALSE;
  transfer->commands = commands;
  return TRUE;
}

/* ---- Dma-bufs ------------------------------------------------------------------------------- */

gboolean swin_transfer_can_load(const SwinFrame *frame) {
  const guint n_components = swin_frame_n_components(frame);
  if (frame->memory != SWIN_FRAME_MEMORY_DMABUF)
    return TRUE;
  for (guint i = 0; i < n_components; i++)
    if (swin_external_poll_dmabuf(frame->dmabuf[frame->component[i].plane]) == SWIN_WRITING_GOES_ON)
      return FALSE;
  return TRUE;
}

static gboolean check_written(gint fd, GError **error) {
  const SwinWriting writing = swin_external_poll_dmabuf(fd);
  if (writing == SWIN_WRITING_IS_DONE)
    return TRUE;
  g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                      writing == SWIN_WRITING_GOES_ON
                          ? "The frame's dma-buf is still being written to; is the device that "
                            "fills it stuck?"
                          : "The frame's dma-buf cannot be waited for; it must be a file "
                            "descriptor that is open for reading.");
  return FALSE;
}

/* What the device cannot import, the processor may be able to read: slower, and the same bytes. */
static SwinBuffer *import_or_copy(SwinDevice *device, gint fd, GError **error) {
  g_autoptr(GError) refusal = NULL;
  SwinBuffer *buffer = swin_external_import_dmabuf(device, fd, &refusal);
  if (!buffer && !swin_device_is_lost(device))
    buffer = swin_external_copy_dmabuf(device, fd, NULL);
  if (!buffer)
    g_propagate_error(error, g_steal_pointer(&refusal));
  return buffer;
}

/* Gets the dma-buf of @plane, unless a plane before it is in the same one. */
static gboolean open_plane(SwinTransfer *transfer, const SwinFrame *frame,
                           const SwinImageLayout *layout, guint plane, GError **error) {
  for (guint i = 0; i < plane; i++) {
    if (layout->planes[i].n_rows == 0 || frame->dmabuf[i] != frame->dmabuf[plane])
      continue;
    transfer->dmabuf[plane] = transfer->dmabuf[i];
    return TRUE;
  }
  transfer->dmabuf[plane] = plane;
  if (!check_written(frame->dmabuf[plane], error))
    return FALSE;
  transfer->dmabufs[plane] = import_or_copy(transfer->device, frame->dmabuf[plane], error);
  return transfer->dmabufs[plane] != NULL;
}

/* Where the first byte of a plane goes. */
static guint64 target_of(const SwinImagePlane *plane) {
  return plane->upload_offset + plane->first_row * plane->upload_stride + plane->first_byte;
}

/* Where the rows of a plane are; they must lie within the @size bytes that there are. */
static gboolean place_rows(const SwinFrame *frame, const SwinImageLayout *layout, guint index,
                           guint64 size, Rows *rows, GError **error) {
  const SwinImagePlane *plane = &layout->planes[index];
  const guint64 stride = frame->strides[index];
  guint64 last_row = 0, source = 0, end = 0;
  if (!g_uint64_checked_mul(&last_row, stride, plane->first_row + plane->n_rows - 1) ||
      !g_uint64_checked_add(&source, frame->dmabuf_offset[index], plane->first_byte) ||
      !g_uint64_checked_add(&end, frame->dmabuf_offset[index], plane->end_byte) ||
      !g_uint64_checked_add(&end, end, last_row) || end > size) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's plane %u, with dmabuf_offset %" G_GUINT64_FORMAT
                " and a stride of %" G_GUINT64_FORMAT " bytes, ends behind the %" G_GUINT64_FORMAT
                " bytes of its dma-buf.",
                index, frame->dmabuf_offset[index], stride, size);
    return FALSE;
  }
  *rows = (Rows){
      .source = source + plane->first_row * stride,
      .source_stride = stride,
      .target = target_of(plane),
      .target_stride = plane->upload_stride,
      .row_bytes = plane->end_byte - plane->first_byte,
      .n_rows = plane->n_rows,
  };
  return TRUE;
}

static gboolean load_dmabufs(SwinTransfer *transfer, const SwinFrame *frame,
                             const SwinImageLayout *layout, GError **error) {
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++) {
    if (layout->planes[i].n_rows == 0)
      continue;
    if (!open_plane(transfer, frame, layout, i, error) ||
        !place_rows(frame, layout, i, transfer->dmabufs[transfer->dmabuf[i]]->size,
                    &transfer->rows[i], error))
      return FALSE;
  }
  return TRUE;
}

/* ---- Images --------------------------------------------------------------------------------- */

/* The layout has rows that begin and end with whole texels, so texels go where they belong at once
 * (Vulkan 1.3, "Buffer and Image Addressing"). */
static void load_images(SwinTransfer *transfer, const SwinFrame *frame,
                        const SwinImageLayout *layout) {
  transfer->images = frame->images;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++) {
    const SwinImagePlane *plane = &layout->planes[i];
    if (plane->n_rows == 0)
      continue;
    const guint64 texel_size = frame->images.texel_size[i];
    transfer->texels[i] = (VkBufferImageCopy){
        .bufferOffset = target_of(plane),
        .bufferRowLength = (guint32)(plane->upload_stride / texel_size),
        .imageSubresource = {.aspectMask = frame->images.aspect[i], .layerCount = 1},
        .imageOffset = {.x = (gint32)(plane->first_byte / texel_size),
                        .y = (gint32)plane->first_row},
        .imageExtent = {(guint32)((plane->end_byte - plane->first_byte) / texel_size),
                        plane->n_rows, 1},
    };
  }
}

gboolean swin_transfer_load(SwinTransfer *transfer, const SwinFrame *frame, gpointer keep_alive,
                            const SwinImageLayout *layout, const SwinBuffer *destination,
                            GError **error) {
  g_assert(frame->memory != SWIN_FRAME_MEMORY_HOST && layout->size <= destination->size);
  forget_dmabufs(transfer);
  memset(transfer->rows, 0, sizeof(transfer->rows));
  memset(transfer->texels, 0, sizeof(transfer->texels));
  transfer->images.n_images = 0;
  transfer->keep_alive = keep_alive;
  transfer->destination = destination;
  if (!transfer->commands && !create_commands(transfer, error))
    return FALSE;
  if (frame->memory == SWIN_FRAME_MEMORY_DMABUF)
    return load_dmabufs(transfer, frame, layout, error);
  load_images(transfer, frame, layout);
  return TRUE;
}

/* ---- Commands ------------------------------------------------------------------------------- */

static guint find_image(const SwinSubmission *submission, VkImage image) {
  guint i = 0;
  while (i < submission->n_images && submission->images[i] != image)
    i++;
  return i;
}

static guint find_semaphore(const SwinSubmission *submission, VkSemaphore semaphore) {
  guint i = 0;
  while (i < submission->n_semaphores && submission->semaphores[i] != semaphore)
    i++;
  return i;
}

/* Copies wait for whatever used the source before, on this queue or behind a semaphore. What that
 * was need not be told apart: the network behind waits for all that is on the queue anyway. */
static void acquire(SwinTransfer *transfer, guint n_buffers, const VkBufferMemoryBarrier *buffers,
                    guint n_images, const VkImageMemoryBarrier *images) {
  swin_device_functions(transfer->device)
      ->CmdPipelineBarrier(transfer->commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                           VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, n_buffers, buffers, n_images,
                           images);
}

/* An image that a picture before in the submission uses is ready for copies already; its state is
 * still told as it was before that. */
static void acquire_images(SwinTransfer *transfer, const SwinSubmission *submission) {
  const guint32 own = swin_device_get_queue_family(transfer->device);
  VkImageMemoryBarrier barriers[SWIN_FRAME_MAX_PLANES];
  guint n_barriers = 0;
  for (guint i = 0; i < transfer->images.n_images; i++) {
    const SwinImageState *state = &transfer->states[i];
    if (find_image(submission, transfer->images.images[i]) < submission->n_images)
      continue;
    const gboolean is_foreign =
        state->queue_family != VK_QUEUE_FAMILY_IGNORED && state->queue_family != own;
    barriers[n_barriers++] = (VkImageMemoryBarrier){
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
        .oldLayout = state->layout,
        .newLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
        .srcQueueFamilyIndex = is_foreign ? state->queue_family : VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = is_foreign ? own : VK_QUEUE_FAMILY_IGNORED,
        .image = transfer->images.images[i],
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
    };
  }
  if (n_barriers > 0)
    acquire(transfer, 0, NULL, n_barriers, barriers);
}

/* Memory of others changes hands and back, so that what they write next is theirs. Copies, which
 * alone are mapped, are ours anyway. */
static guint pass_dmabufs(SwinTransfer *transfer, gboolean take, VkBufferMemoryBarrier *barriers) {
  const guint32 own = swin_device_get_queue_family(transfer->device);
  const guint32 foreign = swin_device_get_extensions(transfer->device)->foreign_family;
  guint n_barriers = 0;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++) {
    if (!transfer->dmabufs[i] || transfer->dmabufs[i]->mapped)
      continue;
    barriers[n_barriers++] = (VkBufferMemoryBarrier){
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
        .dstAccessMask = take ? VK_ACCESS_TRANSFER_READ_BIT : 0,
        .srcQueueFamilyIndex = take ? foreign : own,
        .dstQueueFamilyIndex = take ? own : foreign,
        .buffer = transfer->dmabufs[i]->buffer,
        .size = VK_WHOLE_SIZE,
    };
  }
  return n_barriers;
}

static void acquire_dmabufs(SwinTransfer *transfer) {
  VkBufferMemoryBarrier barriers[SWIN_FRAME_MAX_PLANES];
  const guint n_barriers = pass_dmabufs(transfer, TRUE, barriers);
  if (n_barriers > 0)
    acquire(transfer, n_barriers, barriers, 0, NULL);
}

/* What shaders read next was copied; a dma-buf goes back once that is done. */
static void release(SwinTransfer *transfer) {
  const VkMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
      .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
      .dstAccessMask = VK_ACCESS_SHADER_READ_BIT,
  };
  VkBufferMemoryBarrier barriers[SWIN_FRAME_MAX_PLANES];
  const guint n_barriers = pass_dmabufs(transfer, FALSE, barriers);
  swin_device_functions(transfer->device)
      ->CmdPipelineBarrier(transfer->commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                           VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &barrier, n_barriers,
                           barriers, 0, NULL);
}

static void copy_texels(SwinTransfer *transfer) {
  const SwinFrameImages *images = &transfer->images;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    if (transfer->texels[i].imageExtent.height > 0)
      swin_device_functions(transfer->device)
          ->CmdCopyImageToBuffer(transfer->commands, images->images[images->image[i]],
                                 VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                                 transfer->destination->buffer, 1, &transfer->texels[i]);
}

/* In one piece where rows are as far apart in both buffers; the bytes between them do no harm. */
static void copy_rows(SwinTransfer *transfer, const SwinBuffer *source, const Rows *rows) {
  const gboolean whole = rows->source_stride == rows->target_stride;
  const guint n_pieces = whole ? 1 : rows->n_rows;
  const guint64 size =
      whole ? (rows->n_rows - 1) * rows->source_stride + rows->row_bytes : rows->row_bytes;
  for (guint first = 0; first < n_pieces; first += MAX_REGIONS) {
    VkBufferCopy regions[MAX_REGIONS];
    const guint n_regions = MIN(n_pieces - first, MAX_REGIONS);
    for (guint i = 0; i < n_regions; i++)
      regions[i] = (VkBufferCopy){
          .srcOffset = rows->source + (first + i) * rows->source_stride,
          .dstOffset = rows->target + (first + i) * rows->target_stride,
          .size = size,
      };
    swin_device_functions(transfer->device)
        ->CmdCopyBuffer(transfer->commands, source->buffer, transfer->destination->buffer,
                        n_regions, regions);
  }
}

static gboolean record(SwinTransfer *transfer, const SwinSubmission *submission, GError **error) {
  const SwinDeviceFunctions *functions = swin_device_functions(transfer->device);
  const VkCommandBufferBeginInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
      .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  const VkResult result = functions->BeginCommandBuffer(transfer->commands, &info);
  if (!swin_device_check(transfer->device, result, "recording", error))
    return FALSE;
  acquire_images(transfer, submission);
  acquire_dmabufs(transfer);
  copy_texels(transfer);
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    if (transfer->rows[i].n_rows > 0)
      copy_rows(transfer, transfer->dmabufs[transfer->dmabuf[i]], &transfer->rows[i]);
  release(transfer);
  return swin_device_check(transfer->device, functions->EndCommandBuffer(transfer->commands),
                           "recording", error);
}

/* Several images may share a semaphore: the last of their uses is waited for, and the value is
 * raised once. */
static void add_semaphore(SwinSubmission *submission, const SwinImageState *state) {
  const guint i = find_semaphore(submission, state->semaphore);
  if (i == submission->n_semaphores) {
    submission->semaphores[submission->n_semaphores++] = state->semaphore;
    submission->wait_values[i] = state->value;
  }
  submission->wait_values[i] = MAX(submission->wait_values[i], state->value);
  submission->signal_values[i] = submission->wait_values[i] + 1;
}

static void add_image(SwinSubmission *submission, VkImage image, const SwinImageState *state) {
  if (find_image(submission, image) == submission->n_images)
    submission->images[submission->n_images++] = image;
  if (state->semaphore)
    add_semaphore(submission, state);
}

gboolean swin_transfer_begin(SwinTransfer *transfer, SwinSubmission *submission, GError **error) {
  const guint n_images = transfer->images.n_images;
  g_assert(submission->n_commands < SWIN_SUBMISSION_MAX_COMMANDS &&
           submission->n_images + n_images <= SWIN_SUBMISSION_MAX_IMAGES);
  memset(transfer->states, 0, sizeof(transfer->states));
  if (n_images > 0)
    transfer->images.begin(transfer->keep_alive, transfer->states);
  if (!record(transfer, submission, error))
    return FALSE;
  submission->commands[submission->n_commands++] = transfer->commands;
  for (guint i = 0; i < n_images; i++)
    add_image(submission, transfer->images.images[i], &transfer->states[i]);
  transfer->submission = submission;
  return TRUE;
}

void swin_transfer_end(SwinTransfer *transfer, gboolean submitted) {
  const SwinSubmission *submission = transfer->submission;
  transfer->submission = NULL;
  if (!submitted || transfer->images.n_images == 0)
    return;
  for (guint i = 0; i < transfer->images.n_images; i++) {
    SwinImageState *state = &transfer->states[i];
    state->layout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL;
    state->stages = VK_PIPELINE_STAGE_TRANSFER_BIT;
    state->access = VK_ACCESS_TRANSFER_READ_BIT;
    if (state->queue_family != VK_QUEUE_FAMILY_IGNORED)
      state->queue_family = swin_device_get_queue_family(transfer->device);
    if (state->semaphore)
      state->value = submission->signal_values[find_semaphore(submission, state->semaphore)];
  }
  transfer->images.end(transfer->keep_alive, transfer->states);
}
