// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/recorder.h"

#include <string.h>

#define DISPATCHES_PER_QUERY_POOL 512
#define SETS_PER_POOL 64

#define MAX_PUSH_SIZE 128 /* bytes that every device has */

/** Step: a dispatch or a copy that has still to be put into the command buffer. */
typedef struct {
  SwinBarrier barrier;          /* in front of it */
  const SwinPipeline *pipeline; /* (nullable): NULL for a copy */
  VkDescriptorSet set;
  guint8 push[MAX_PUSH_SIZE];
  guint32 push_size;
  guint32 groups[3];
  VkBuffer indirect;
  guint64 indirect_offset;
  VkBuffer source, destination; /* of a copy */
  VkBufferCopy region;
} Step;

struct _SwinRecorder {
  SwinDevice *device;
  SwinRecorderFlags flags;
  VkCommandPool command_pool;
  VkCommandBuffer commands;
  VkFence fence;            /* of swin_recorder_run() */
  GArray *query_pools;      /* of VkQueryPool, of DISPATCHES_PER_QUERY_POOL dispatches each */
  GArray *descriptor_pools; /* of VkDescriptorPool; the last one still has room */
  guint sets_left;
  SwinHazards *hazards;
  GArray *steps;     /* of Step: all of them, until swin_recorder_finish() */
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

static gboolean add_query_pool(SwinRecorder *recorder, GError **error) {
  SwinDevice *device = recorder->device;
  const VkQueryPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
      .queryType = VK_QUERY_TYPE_TIMESTAMP,
      .queryCount = 2 * DISPATCHES_PER_QUERY_POOL,
  };
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  VkQueryPool pool = VK_NULL_HANDLE;
  const VkResult result =
      functions->CreateQueryPool(swin_device_get_handle(device), &info, NULL, &pool);
  if (!swin_device_check(device, result, "creating a query pool", error))
    return FALSE;
  g_array_append_val(recorder->query_pools, pool);
  functions->CmdResetQueryPool(recorder->commands, pool, 0, 2 * DISPATCHES_PER_QUERY_POOL);
  return TRUE;
}

static gboolean check_timestamps(SwinDevice *device, GError **error) {
  if (swin_device_get_limits(device)->timestamp_bits > 0)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
              "%s cannot time single operations: its queue has no timestamps.",
              swin_device_get_info(device)->name);
  return FALSE;
}

#define WORK_STAGES (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define WORK_WRITES (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)
#define WORK_READS (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT)

/* Everything after it waits for everything submitted or recorded before. */
static const SwinBarrier full_barrier = {
    .source = WORK_STAGES,
    .source_access = WORK_WRITES,
    .destination = WORK_STAGES | VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT,
    .destination_access = WORK_READS | WORK_WRITES | VK_ACCESS_INDIRECT_COMMAND_READ_BIT,
};

static gboolean has_barrier(const SwinRecorder *recorder, const SwinBarrier *barrier) {
  return barrier->source && !(recorder->flags & SWIN_RECORDER_NO_BARRIERS);
}

static void write_barrier(SwinRecorder *recorder, const SwinBarrier *barrier) {
  const VkMemoryBarrier memory = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
      .srcAccessMask = barrier->source_access,
      .dstAccessMask = barrier->destination_access,
  };
  if (has_barrier(recorder, barrier))
    swin_device_functions(recorder->device)
        ->CmdPipelineBarrier(recorder->commands, barrier->source, barrier->destination, 0,
                             barrier->source_access ? 1 : 0, &memory, 0, NULL, 0, NULL);
}

SwinRecorder *swin_recorder_new(SwinDevice *device, SwinRecorderFlags flags, GError **error) {
  g_autoptr(SwinRecorder) recorder = g_new0(SwinRecorder, 1);
  recorder->device = swin_device_ref(device);
  recorder->flags = flags;
  recorder->descriptor_pools = g_array_new(FALSE, FALSE, sizeof(VkDescriptorPool));
  recorder->query_pools = g_array_new(FALSE, FALSE, sizeof(VkQueryPool));
  recorder->hazards = swin_hazards_new();
  recorder->steps = g_array_new(FALSE, FALSE, sizeof(Step));
  recorder->labels = g_ptr_array_new_with_free_func(g_free);
  if (!begin(recorder, error))
    return NULL;
  if ((flags & SWIN_RECORDER_TIMESTAMPS) && !check_timestamps(recorder->device, error))
    return NULL;
  write_barrier(recorder, &full_barrier);
  recorder->n_barriers += has_barrier(recorder, &full_barrier);
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
  for (guint i = 0; i < recorder->query_pools->len; i++)
    functions->DestroyQueryPool(handle, g_array_index(recorder->query_pools, VkQueryPool, i), NULL);
  functions->DestroyCommandPool(handle, recorder->command_pool, NULL);
  g_array_unref(recorder->descriptor_pools);
  g_array_unref(recorder->query_pools);
  g_array_unref(recorder->hazards);
  g_array_unref(recorder->steps);
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

/* ---- Steps ---------------------------------------------------------------------------------- */

/* Has @step wait, where it must, for the accesses before it, and remembers these. */
static void add_step(SwinRecorder *recorder, Step *step, guint n_accesses,
                     const SwinStageAccess *accesses) {
  const gboolean timed = step->pipeline && (recorder->flags & SWIN_RECORDER_TIMESTAMPS);
  step->barrier = timed ? full_barrier : swin_hazards_find(recorder->hazards, n_accesses, accesses);
  swin_hazards_place(recorder->hazards, &step->barrier);
  swin_hazards_add(recorder->hazards, n_accesses, accesses);
  recorder->n_barriers += has_barrier(recorder, &step->barrier);
  g_array_append_vals(recorder->steps, step, 1);
}

static void add_dispatch(SwinRecorder *recorder, Step *step, const SwinDispatch *dispatch) {
  SwinStageAccess accesses[SWIN_DISPATCH_MAX_BINDINGS + 1];
  guint n_accesses = 0;
  for (guint i = 0; i < dispatch->n_bindings; i++)
    accesses[n_accesses++] =
        (SwinStageAccess){dispatch->bindings[i], VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT};
  if (dispatch->indirect)
    accesses[n_accesses++] =
        (SwinStageAccess){{dispatch->indirect, dispatch->indirect_offset,
                           sizeof(VkDispatchIndirectCommand), SWIN_ACCESS_READ},
                          VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT};
  add_step(recorder, step, n_accesses, accesses);
}

gboolean swin_recorder_dispatch(SwinRecorder *recorder, const SwinDispatch *dispatch,
                                GError **error) {
  g_assert(dispatch->n_bindings <= SWIN_DISPATCH_MAX_BINDINGS);
  g_assert(dispatch->push_size <= MAX_PUSH_SIZE);
  const gboolean timed = (recorder->flags & SWIN_RECORDER_TIMESTAMPS) != 0;
  if (!check_limits(recorder, dispatch, error))
    return FALSE;
  if (timed && recorder->labels->len == recorder->query_pools->len * DISPATCHES_PER_QUERY_POOL &&
      !add_query_pool(recorder, error))
    return FALSE;
  const SwinPipeline *pipeline =
      swin_pipelines_get(swin_device_get_pipelines(recorder->device), dispatch->shader,
                         dispatch->n_constants, dispatch->constants, dispatch->n_bindings,
                         dispatch->push_size, dispatch->subgroup_size, error);
  if (!pipeline)
    return FALSE;
  Step step = {
      .pipeline = pipeline,
      .set = make_set(recorder, pipeline, dispatch, error),
      .push_size = dispatch->push_size,
      .groups = {(guint32)dispatch->groups[0], (guint32)dispatch->groups[1],
                 (guint32)dispatch->groups[2]},
      .indirect = dispatch->indirect ? dispatch->indirect->buffer : VK_NULL_HANDLE,
      .indirect_offset = dispatch->indirect_offset,
  };
  if (!step.set)
    return FALSE;
  if (dispatch->push_size > 0)
    memcpy(step.push, dispatch->push, dispatch->push_size);
  add_dispatch(recorder, &step, dispatch);
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
  const SwinStageAccess accesses[] = {
      {{source, source_offset, size, SWIN_ACCESS_READ}, VK_PIPELINE_STAGE_TRANSFER_BIT},
      {{destination, destination_offset, size, SWIN_ACCESS_WRITE}, VK_PIPELINE_STAGE_TRANSFER_BIT},
  };
  Step step = {
      .source = source->buffer,
      .destination = destination->buffer,
      .region = {.srcOffset = source_offset, .dstOffset = destination_offset, .size = size},
  };
  add_step(recorder, &step, G_N_ELEMENTS(accesses), accesses);
  return TRUE;
}

/* ---- Commands ------------------------------------------------------------------------------- */

/* One before dispatch @index, or one after it. Both at the stage that the full barrier in front of
 * the dispatch holds back: one at the top of the pipe would not wait for it. */
static void write_timestamp(SwinRecorder *recorder, guint index, guint end) {
  const guint pool = index / DISPATCHES_PER_QUERY_POOL;
  if (recorder->flags & SWIN_RECORDER_TIMESTAMPS)
    swin_device_functions(recorder->device)
        ->CmdWriteTimestamp(recorder->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                            g_array_index(recorder->query_pools, VkQueryPool, pool),
                            2 * (index % DISPATCHES_PER_QUERY_POOL) + end);
}

static void write_dispatch(SwinRecorder *recorder, const Step *step) {
  const SwinDeviceFunctions *functions = swin_device_functions(recorder->device);
  const SwinPipeline *pipeline = step->pipeline;
  functions->CmdBindPipeline(recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->handle);
  functions->CmdBindDescriptorSets(recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                                   pipeline->layout, 0, 1, &step->set, 0, NULL);
  if (step->push_size > 0)
    functions->CmdPushConstants(recorder->commands, pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT,
                                0, step->push_size, step->push);
  if (step->indirect)
    functions->CmdDispatchIndirect(recorder->commands, step->indirect, step->indirect_offset);
  else
    functions->CmdDispatch(recorder->commands, step->groups[0], step->groups[1], step->groups[2]);
}

static void write_steps(SwinRecorder *recorder) {
  guint n_dispatches = 0;
  for (guint i = 0; i < recorder->steps->len; i++) {
    const Step *step = &g_array_index(recorder->steps, Step, i);
    write_barrier(recorder, &step->barrier);
    if (step->pipeline) {
      write_timestamp(recorder, n_dispatches, 0);
      write_dispatch(recorder, step);
      write_timestamp(recorder, n_dispatches++, 1);
    } else {
      swin_device_functions(recorder->device)
          ->CmdCopyBuffer(recorder->commands, step->source, step->destination, 1, &step->region);
    }
  }
}

static gboolean build_pipelines(SwinRecorder *recorder, GError **error) {
  g_autoptr(GPtrArray) needed = g_ptr_array_new();
  for (guint i = 0; i < recorder->steps->len; i++) {
    const SwinPipeline *pipeline = g_array_index(recorder->steps, Step, i).pipeline;
    if (pipeline)
      g_ptr_array_add(needed, (gpointer)pipeline);
  }
  return swin_pipelines_build(swin_device_get_pipelines(recorder->device), needed, error);
}

gboolean swin_recorder_finish(SwinRecorder *recorder, GError **error) {
  const SwinBarrier to_host = {
      .source = WORK_STAGES,
      .source_access = WORK_WRITES,
      .destination = VK_PIPELINE_STAGE_HOST_BIT,
      .destination_access = VK_ACCESS_HOST_READ_BIT,
  };
  if (!build_pipelines(recorder, error))
    return FALSE;
  write_steps(recorder);
  write_barrier(recorder, &to_host);
  recorder->n_barriers += has_barrier(recorder, &to_host);
  g_array_set_size(recorder->steps, 0);
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

/* The ticks around each dispatch. */
static guint64 *read_ticks(SwinRecorder *recorder, GError **error) {
  const guint n_dispatches = recorder->labels->len;
  g_autofree guint64 *ticks = g_new0(guint64, 2 * n_dispatches + 1);
  for (guint first = 0; first < n_dispatches; first += DISPATCHES_PER_QUERY_POOL) {
    const guint n_queries = 2 * MIN(n_dispatches - first, DISPATCHES_PER_QUERY_POOL);
    const VkResult result =
        swin_device_functions(recorder->device)
            ->GetQueryPoolResults(swin_device_get_handle(recorder->device),
                                  g_array_index(recorder->query_pools, VkQueryPool,
                                                first / DISPATCHES_PER_QUERY_POOL),
                                  0, n_queries, n_queries * sizeof(guint64), &ticks[2 * first],
                                  sizeof(guint64),
                                  VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
    if (!swin_device_check(recorder->device, result, "reading timestamps", error))
      return NULL;
  }
  return g_steal_pointer(&ticks);
}

gboolean swin_recorder_read_times(SwinRecorder *recorder, gdouble *milliseconds, GError **error) {
  const SwinDeviceLimits *limits = swin_device_get_limits(recorder->device);
  g_autofree guint64 *ticks = read_ticks(recorder, error);
  if (!ticks)
    return FALSE;
  const guint64 mask =
      limits->timestamp_bits < 64 ? (1ull << limits->timestamp_bits) - 1 : G_MAXUINT64;
  for (guint i = 0; i < recorder->labels->len; i++) {
    const guint64 elapsed = (ticks[2 * i + 1] - ticks[2 * i]) & mask;
    milliseconds[i] = (gdouble)elapsed * limits->timestamp_period * 1e-6;
  }
  return TRUE;
}
