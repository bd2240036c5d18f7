// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/recorder.h"

#define DISPATCHES_PER_QUERY_POOL 512
#define SETS_PER_POOL 64

struct _SwinRecorder {
  SwinDevice *device;
  SwinRecorderFlags flags;
  VkCommandPool command_pool;
  VkCommandBuffer commands;
  VkFence fence; /* of swin_recorder_run() */
  VkQueryPool query_pool;
  GArray *descriptor_pools; /* of VkDescriptorPool; the last one still has room */
  guint sets_left;
  SwinHazards *hazards;
  GPtrArray *labels; /* of the dispatches */
  guint n_barriers;
};

static gboolean begin(SwinRecorder *recorder, GError **error) {
  SwinDevice *device = recorder->device;
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  const VkDevice handle = swin_device_get_handle(device);
  const VkCommandPoolCreateInfo pool_info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
      .queueFamilyIndex = swin_device_get_queue_family(device),
  };
  VkCommandPool pool = VK_NULL_HANDLE;
  VkResult result = functions->CreateCommandPool(handle, &pool_info, NULL, &pool);
  if (!swin_device_check(device, result, "creating a command pool", error))
    return FALSE;
  recorder->command_pool = pool;
  const VkCommandBufferAllocateInfo buffer_info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = recorder->command_pool,
      .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
      .commandBufferCount = 1,
  };
  result = functions->AllocateCommandBuffers(handle, &buffer_info, &recorder->commands);
  if (!swin_device_check(device, result, "allocating a command buffer", error))
    return FALSE;
  const VkCommandBufferBeginInfo begin_info = {.sType =
                                                   VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  result = functions->BeginCommandBuffer(recorder->commands, &begin_info);
  return swin_device_check(device, result, "recording", error);
}

static gboolean create_query_pool(SwinRecorder *recorder, GError **error) {
  SwinDevice *device = recorder->device;
  const VkQueryPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
      .queryType = VK_QUERY_TYPE_TIMESTAMP,
      .queryCount = 2 * DISPATCHES_PER_QUERY_POOL,
  };
  if (swin_device_get_limits(device)->timestamp_bits == 0) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "%s cannot time single operations: its queue has no timestamps.",
                swin_device_get_info(device)->name);
    return FALSE;
  }
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  VkQueryPool pool = VK_NULL_HANDLE;
  const VkResult result =
      functions->CreateQueryPool(swin_device_get_handle(device), &info, NULL, &pool);
  if (!swin_device_check(device, result, "creating a query pool", error))
    return FALSE;
  recorder->query_pool = pool;
  functions->CmdResetQueryPool(recorder->commands, recorder->query_pool, 0,
                               2 * DISPATCHES_PER_QUERY_POOL);
  return TRUE;
}

static void place_barrier(SwinRecorder *recorder, VkPipelineStageFlags source,
                          VkAccessFlags source_access, VkPipelineStageFlags destination,
                          VkAccessFlags destination_access) {
  const VkMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
      .srcAccessMask = source_access,
      .dstAccessMask = destination_access,
  };
  if (recorder->flags & SWIN_RECORDER_NO_BARRIERS)
    return;
  swin_device_functions(recorder->device)
      ->CmdPipelineBarrier(recorder->commands, source, destination, 0, 1, &barrier, 0, NULL, 0,
                           NULL);
  recorder->n_barriers++;
}

#define WORK_STAGES (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define WORK_WRITES (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)
#define WORK_READS (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT)

/* Everything after it waits for everything submitted or recorded before. */
static void place_full_barrier(SwinRecorder *recorder) {
  place_barrier(recorder, WORK_STAGES, WORK_WRITES,
                WORK_STAGES | VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT,
                WORK_READS | WORK_WRITES | VK_ACCESS_INDIRECT_COMMAND_READ_BIT);
  swin_hazards_clear(recorder->hazards);
}

SwinRecorder *swin_recorder_new(SwinDevice *device, SwinRecorderFlags flags, GError **error) {
  g_autoptr(SwinRecorder) recorder = g_new0(SwinRecorder, 1);
  recorder->device = swin_device_ref(device);
  recorder->flags = flags;
  recorder->descriptor_pools = g_array_new(FALSE, FALSE, sizeof(VkDescriptorPool));
  recorder->hazards = swin_hazards_new();
  recorder->labels = g_ptr_array_new_with_free_func(g_free);
  if (!begin(recorder, error))
    return NULL;
  if ((flags & SWIN_RECORDER_TIMESTAMPS) && !create_query_pool(recorder, error))
    return NULL;
  place_full_barrier(recorder);
  return g_steal_pointer(&recorder);
}

void swin_recorder_free(SwinRecorder *recorder) {
  if (!recorder)
    return;
  const SwinDeviceFunctions *functions = swin_device_functions(recorder->device);
  const VkDevice handle = swin_device_get_handle(recorder->device);
  for (guint i = 0; i < recorder->descriptor_pools->len; i++)
    functions->DestroyDescriptorPool(
        handle, g_array_index(recorder->descriptor_pools, VkDescriptorPool, i), NULL);
  functions->DestroyFence(handle, recorder->fence, NULL);
  functions->DestroyQueryPool(handle, recorder->query_pool, NULL);
  functions->DestroyCommandPool(handle, recorder->command_pool, NULL);
  g_array_unref(recorder->descriptor_pools);
  g_array_unref(recorder->hazards);
  g_ptr_array_unref(recorder->labels);
  swin_device_unref(recorder->device);
  g_free(recorder);
}

SwinDevice *swin_recorder_get_device(SwinRecorder *recorder) {
  return recorder->device;
}

static gboolean add_descriptor_pool(SwinRecorder *recorder, GError **error) {
  const VkDescriptorPoolSize size = {
      .type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
      .descriptorCount = SETS_PER_POOL * SWIN_DISPATCH_MAX_BINDINGS,
  };
  const VkDescriptorPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
      .maxSets = SETS_PER_POOL,
      .poolSizeCount = 1,
      .pPoolSizes = &size,
  };
  VkDescriptorPool pool = VK_NULL_HANDLE;
  const VkResult result =
      swin_device_functions(recorder->device)
          ->CreateDescriptorPool(swin_device_get_handle(recorder->device), &info, NULL, &pool);
  if (!swin_device_check(recorder->device, result, "creating a descriptor pool", error))
    return FALSE;
  g_array_append_val(recorder->descriptor_pools, pool);
  recorder->sets_left = SETS_PER_POOL;
  return TRUE;
}

static VkDescriptorSet make_set(SwinRecorder *recorder, const SwinPipeline *pipeline,
                                const SwinDispatch *dispatch, GError **error) {
  if (recorder->sets_left == 0 && !add_descriptor_pool(recorder, error))
    return VK_NULL_HANDLE;
  const SwinDeviceFunctions *functions = swin_device_functions(recorder->device);
  const VkDevice handle = swin_device_get_handle(recorder->device);
  const VkDescriptorSetAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
      .descriptorPool = g_array_index(recorder->descriptor_pools, VkDescriptorPool,
                                      recorder->descriptor_pools->len - 1),
      .descriptorSetCount = 1,
      .pSetLayouts = &pipeline->set_layout,
  };
  VkDescriptorSet set = VK_NULL_HANDLE;
  const VkResult result = functions->AllocateDescriptorSets(handle, &info, &set);
  if (!swin_device_check(recorder->device, result, "allocating descriptors", error))
    return VK_NULL_HANDLE;
  recorder->sets_left--;

  VkDescriptorBufferInfo buffers[SWIN_DISPATCH_MAX_BINDINGS];
  VkWriteDescriptorSet writes[SWIN_DISPATCH_MAX_BINDINGS];
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    const SwinBinding *binding = &dispatch->bindings[i];
    buffers[i] = (VkDescriptorBufferInfo){
        .buffer = binding->buffer->buffer, .offset = binding->offset, .range = binding->size};
    writes[i] = (VkWriteDescriptorSet){
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
        .dstSet = set,
        .dstBinding = i,
        .descriptorCount = 1,
        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
        .pBufferInfo = &buffers[i],
    };
  }
  functions->UpdateDescriptorSets(handle, dispatch->n_bindings, writes, 0, NULL);
  return set;
}

static gboolean check_limits(SwinRecorder *recorder, const SwinDispatch *dispatch, GError **error) {
  const SwinDeviceLimits *limits = swin_device_get_limits(recorder->device);
  for (guint i = 0; i < 3 && !dispatch->indirect; i++) {
    if (dispatch->groups[i] >= 1 && dispatch->groups[i] <= limits->max_groups[i])
      continue;
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "Operation %s needs %" G_GUINT64_FORMAT " work-groups in one direction and the "
                "device allows %" G_GUINT64_FORMAT "; use a smaller batch or image.",
                dispatch->label, dispatch->groups[i], limits->max_groups[i]);
    return FALSE;
  }
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    if (dispatch->bindings[i].size <= limits->max_storage_range)
      continue;
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "Operation %s needs %" G_GUINT64_FORMAT " bytes in one buffer and the device "
                "allows %" G_GUINT64_FORMAT "; use a smaller batch or image.",
                dispatch->label, dispatch->bindings[i].size, limits->max_storage_range);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_timestamps(SwinRecorder *recorder, GError **error) {
  if (!recorder->query_pool || recorder->labels->len < DISPATCHES_PER_QUERY_POOL)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
              "The network has more than %d operations, which cannot all be timed at once.",
              DISPATCHES_PER_QUERY_POOL);
  return FALSE;
}

/* Waits, where it must, for the accesses recorded so far, and remembers these. */
static void order_accesses(SwinRecorder *recorder, guint n_accesses, const SwinBinding *accesses) {
  gboolean conflict = FALSE;
  for (guint i = 0; i < n_accesses; i++)
    conflict |= swin_hazards_conflict(recorder->hazards, &accesses[i]);
  if (conflict)
    place_full_barrier(recorder);
  for (guint i = 0; i < n_accesses; i++)
    swin_hazards_add(recorder->hazards, &accesses[i]);
}

static void order_dispatch(SwinRecorder *recorder, const SwinDispatch *dispatch) {
  SwinBinding accesses[SWIN_DISPATCH_MAX_BINDINGS + 1];
  guint n_accesses = 0;
  for (guint i = 0; i < dispatch->n_bindings; i++)
    accesses[n_accesses++] = dispatch->bindings[i];
  if (dispatch->indirect)
    accesses[n_accesses++] = (SwinBinding){dispatch->indirect, dispatch->indirect_offset,
                                           sizeof(VkDispatchIndirectCommand), SWIN_ACCESS_READ};
  order_accesses(recorder, n_accesses, accesses);
}

static void write_timestamp(SwinRecorder *recorder, VkPipelineStageFlagBits stage, guint query) {
  if (recorder->query_pool)
    swin_device_functions(recorder->device)
        ->CmdWriteTimestamp(recorder->commands, stage, recorder->query_pool, query);
}

gboolean swin_recorder_dispatch(SwinRecorder *recorder, const SwinDispatch *dispatch,
                                GError **error) {
  g_assert(dispatch->n_bindings <= SWIN_DISPATCH_MAX_BINDINGS);
  const SwinDeviceFunctions *functions = swin_device_functions(recorder->device);
  if (!check_limits(recorder, dispatch, error) || !check_timestamps(recorder, error))
    return FALSE;
  const SwinPipeline *pipeline = swin_pipelines_get(
      swin_device_get_pipelines(recorder->device), dispatch->shader, dispatch->n_constants,
      dispatch->constants, dispatch->n_bindings, dispatch->push_size, error);
  if (!pipeline)
    return FALSE;
  const VkDescriptorSet set = make_set(recorder, pipeline, dispatch, error);
  if (!set)
    return FALSE;
  if (recorder->query_pool)
    place_full_barrier(recorder);
  else
    order_dispatch(recorder, dispatch);

  const guint index = recorder->labels->len;
  write_timestamp(recorder, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 2 * index);
  functions->CmdBindPipeline(recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->handle);
  functions->CmdBindDescriptorSets(recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                                   pipeline->layout, 0, 1, &set, 0, NULL);
  if (dispatch->push_size)
    functions->CmdPushConstants(recorder->commands, pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT,
                                0, dispatch->push_size, dispatch->push);
  if (dispatch->indirect)
    functions->CmdDispatchIndirect(recorder->commands, dispatch->indirect->buffer,
                                   dispatch->indirect_offset);
  else
    functions->CmdDispatch(recorder->commands, (guint32)dispatch->groups[0],
                           (guint32)dispatch->groups[1], (guint32)dispatch->groups[2]);
  write_timestamp(recorder, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 2 * index + 1);
  g_ptr_array_add(recorder->labels, g_strdup(dispatch->label));
  return TRUE;
}

gboolean swin_recorder_copy(SwinRecorder *recorder, const SwinBuffer *source, guint64 source_offset,
                            const SwinBuffer *destination, guint64 destination_offset, guint64 size,
                            GError **error) {
  if (source_offset > source->size || size > source->size - source_offset ||
      destination_offset > destination->size || size > destination->size - destination_offset) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                        "A copy between buffers reaches beyond one of them.");
    return FALSE;
  }
  const SwinBinding accesses[] = {{source, source_offset, size, SWIN_ACCESS_READ},
                                  {destination, destination_offset, size, SWIN_ACCESS_WRITE}};
  order_accesses(recorder, G_N_ELEMENTS(accesses), accesses);
  const VkBufferCopy region = {
      .srcOffset = source_offset, .dstOffset = destination_offset, .size = size};
  swin_device_functions(recorder->device)
      ->CmdCopyBuffer(recorder->commands, source->buffer, destination->buffer, 1, &region);
  return TRUE;
}

gboolean swin_recorder_finish(SwinRecorder *recorder, GError **error) {
  place_barrier(recorder, WORK_STAGES, WORK_WRITES, VK_PIPELINE_STAGE_HOST_BIT,
                VK_ACCESS_HOST_READ_BIT);
  const VkResult result =
      swin_device_functions(recorder->device)->EndCommandBuffer(recorder->commands);
  return swin_device_check(recorder->device, result, "recording", error);
}

gboolean swin_recorder_run(SwinRecorder *recorder, GError **error) {
  if (!recorder->fence)
    recorder->fence = swin_device_create_fence(recorder->device, error);
  if (!recorder->fence)
    return FALSE;
  const SwinSubmission submission = {.n_commands = 1, .commands = {recorder->commands}};
  swin_device_lock_queue(recorder->device);
  const gboolean submitted =
      swin_device_submit(recorder->device, &submission, recorder->fence, error);
  swin_device_unlock_queue(recorder->device);
  return submitted && swin_device_wait_fence(recorder->device, recorder->fence, error);
}

VkCommandBuffer swin_recorder_get_command_buffer(SwinRecorder *recorder) {
  return recorder->commands;
}

guint swin_recorder_get_n_dispatches(SwinRecorder *recorder) {
  return recorder->labels->len;
}

guint swin_recorder_get_n_barriers(SwinRecorder *recorder) {
  return recorder->n_barriers;
}

const gchar *swin_recorder_get_label(SwinRecorder *recorder, guint index) {
  return g_ptr_array_index(recorder->labels, index);
}

gboolean swin_recorder_read_times(SwinRecorder *recorder, gdouble *milliseconds, GError **error) {
  const SwinDeviceLimits *limits = swin_device_get_limits(recorder->device);
  const guint n_dispatches = recorder->labels->len;
  g_autofree guint64 *ticks = g_new0(guint64, 2 * n_dispatches + 1);
  const VkResult result =
      swin_device_functions(recorder->device)
          ->GetQueryPoolResults(swin_device_get_handle(recorder->device), recorder->query_pool, 0,
                                2 * n_dispatches, 2 * n_dispatches * sizeof(guint64), ticks,
                                sizeof(guint64), VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
  if (!swin_device_check(recorder->device, result, "reading timestamps", error))
    return FALSE;
  const guint64 mask =
      limits->timestamp_bits < 64 ? (1ull << limits->timestamp_bits) - 1 : G_MAXUINT64;
  for (guint i = 0; i < n_dispatches; i++) {
    const guint64 elapsed = (ticks[2 * i + 1] - ticks[2 * i]) & mask;
    milliseconds[i] = (gdouble)elapsed * limits->timestamp_period * 1e-6;
  }
  return TRUE;
}
