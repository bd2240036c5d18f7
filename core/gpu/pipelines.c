// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/pipelines.h"

#include <gio/gio.h>

#include "gpu/pipeline-cache.h"

#define MAX_THREADS 16

typedef enum { NOT_BUILT, IN_WORK, BUILT } State;

/** Entry: a pipeline, and what it takes to build it. */
typedef struct {
  SwinPipeline pipeline; /* the first member: what is handed out */
  State state;           /* under the lock */
  gchar *shader;
  guint n_constants;
  guint32 constants[SWIN_PIPELINE_MAX_CONSTANTS];
  guint32 subgroup_size;
} Entry;

struct _SwinPipelines {
  SwinDevice *device; /* not a reference: the device owns this */
  GMutex lock;        /* guards what follows */
  GCond changed;      /* the state of an entry */
  GHashTable *table;  /* key string -> Entry */
  SwinPipelineCache *cache;
  guint n_unstored; /* pipelines that were added since the cache was stored */
  guint n_in_work;  /* entries that are IN_WORK */
};

static void entry_free(gpointer data) {
  Entry *entry = data;
  g_free(entry->shader);
  g_free(entry);
}

SwinPipelines *swin_pipelines_new(SwinDevice *device) {
  SwinPipelines *pipelines = g_new0(SwinPipelines, 1);
  pipelines->device = device;
  g_mutex_init(&pipelines->lock);
  g_cond_init(&pipelines->changed);
  pipelines->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
  pipelines->cache = swin_pipeline_cache_new(device);
  return pipelines;
}

static void pipeline_destroy(SwinDevice *device, SwinPipeline *pipeline) {
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  const VkDevice handle = swin_device_get_handle(device);
  functions->DestroyPipeline(handle, pipeline->handle, NULL);
  functions->DestroyPipelineLayout(handle, pipeline->layout, NULL);
  functions->DestroyDescriptorSetLayout(handle, pipeline->set_layout, NULL);
}

void swin_pipelines_store(SwinPipelines *pipelines) {
  g_mutex_lock(&pipelines->lock);
  /* Nobody may use the cache while another one is merged into it. */
  while (pipelines->n_in_work > 0)
    g_cond_wait(&pipelines->changed, &pipelines->lock);
  if (pipelines->n_unstored > 0)
    swin_pipeline_cache_store(pipelines->cache);
  pipelines->n_unstored = 0;
  g_mutex_unlock(&pipelines->lock);
}

void swin_pipelines_free(SwinPipelines *pipelines) {
  if (!pipelines)
    return;
  swin_pipelines_store(pipelines);
  swin_pipeline_cache_free(pipelines->cache);
  GHashTableIter iterator;
  gpointer entry;
  g_hash_table_iter_init(&iterator, pipelines->table);
  while (g_hash_table_iter_next(&iterator, NULL, &entry))
    pipeline_destroy(pipelines->device, &((Entry *)entry)->pipeline);
  g_hash_table_unref(pipelines->table);
  g_cond_clear(&pipelines->changed);
  g_mutex_clear(&pipelines->lock);
  g_free(pipelines);
}

static gboolean create_layouts(SwinDevice *device, SwinPipeline *pipeline, guint n_bindings,
                               guint32 push_size, GError **error) {
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  const VkDevice handle = swin_device_get_handle(device);
  g_autofree VkDescriptorSetLayoutBinding *bindings =
      g_new0(VkDescriptorSetLayoutBinding, n_bindings + 1);
  for (guint i = 0; i < n_bindings; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){
        .binding = i,
        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
        .descriptorCount = 1,
        .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    };
  const VkDescriptorSetLayoutCreateInfo set_info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .bindingCount = n_bindings,
      .pBindings = bindings,
  };
  VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
  VkResult result = functions->CreateDescriptorSetLayout(handle, &set_info, NULL, &set_layout);
  if (!swin_device_check(device, result, "creating a descriptor layout", error))
    return FALSE;
  pipeline->set_layout = set_layout;
  const VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = push_size};
  const VkPipelineLayoutCreateInfo layout_info = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
      .setLayoutCount = 1,
      .pSetLayouts = &pipeline->set_layout,
      .pushConstantRangeCount = push_size ? 1 : 0,
      .pPushConstantRanges = &range,
  };
  VkPipelineLayout layout = VK_NULL_HANDLE;
  result = functions->CreatePipelineLayout(handle, &layout_info, NULL, &layout);
  if (!swin_device_check(device, result, "creating a pipeline layout", error))
    return FALSE;
  pipeline->layout = layout;
  return TRUE;
}

static GBytes *find_shader(const gchar *shader, GError **error) {
  g_autofree gchar *path = g_strdup_printf("/swin/shaders/%s.spv", shader);
  return g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
}

static VkShaderModule create_module(SwinDevice *device, const gchar *shader, GError **error) {
  g_autoptr(GBytes) spirv = find_shader(shader, error);
  if (!spirv)
    return VK_NULL_HANDLE;
  /* The resource may lie at any address; Vulkan wants whole, aligned words. */
  gsize size = 0;
  gconstpointer data = g_bytes_get_data(spirv, &size);
  g_autofree guint32 *words = g_memdup2(data, size);
  const VkShaderModuleCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
      .codeSize = size,
      .pCode = words,
  };
  VkShaderModule module = VK_NULL_HANDLE;
  const VkResult result = swin_device_functions(device)->CreateShaderModule(
      swin_device_get_handle(device), &info, NULL, &module);
  return swin_device_check(device, result, "loading a shader", error) ? module : VK_NULL_HANDLE;
}

/* ---- Building ------------------------------------------------------------------------------- */

/* Without the lock, by several threads at once: Vulkan allows it, with the cache as well. */
static gboolean build_one(const SwinPipelines *pipelines, Entry *entry, GError **error) {
  SwinDevice *device = pipelines->device;
  VkSpecializationMapEntry entries[SWIN_PIPELINE_MAX_CONSTANTS];
  for (guint i = 0; i < entry->n_constants; i++)
    entries[i] = (VkSpecializationMapEntry){
        .constantID = i, .offset = i * (guint32)sizeof(guint32), .size = sizeof(guint32)};
  const VkSpecializationInfo specialization = {
      .mapEntryCount = entry->n_constants,
      .pMapEntries = entries,
      .dataSize = entry->n_constants * sizeof(guint32),
      .pData = entry->constants,
  };
  const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo required = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
      .requiredSubgroupSize = entry->subgroup_size,
  };
  VkShaderModule module = create_module(device, entry->shader, error);
  if (!module)
    return FALSE;
  const VkComputePipelineCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .stage =
          {
              .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
              .pNext = entry->subgroup_size ? &required : NULL,
              .flags = entry->subgroup_size
                           ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT
                           : 0,
              .stage = VK_SHADER_STAGE_COMPUTE_BIT,
              .module = module,
              .pName = "main",
              .pSpecializationInfo = &specialization,
          },
      .layout = entry->pipeline.layout,
  };
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  const VkDevice handle = swin_device_get_handle(device);
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result = functions->CreateComputePipelines(
      handle, swin_pipeline_cache_get_handle(pipelines->cache), 1, &info, NULL, &pipeline);
  functions->DestroyShaderModule(handle, module, NULL);
  if (!swin_device_check(device, result, "compiling a shader", error))
    return FALSE;
  entry->pipeline.handle = pipeline;
  return TRUE;
}

/** Work: what the threads of one swin_pipelines_build() share, under the lock. */
typedef struct {
  SwinPipelines *pipelines;
  const GPtrArray *needed;
  guint next;    /* of them */
  GError *error; /* (nullable): the first one; then no more are begun */
} Work;

/* Builds what nobody has begun, one after the other. Called with the lock, which it lets go in
 * between. */
static void build_rest(Work *work) {
  SwinPipelines *pipelines = work->pipelines;
  while (work->next < work->needed->len && !work->error) {
    Entry *entry = g_ptr_array_index(work->needed, work->next++);
    if (entry->state != NOT_BUILT)
      continue;
    entry->state = IN_WORK;
    pipelines->n_in_work++;
    g_mutex_unlock(&pipelines->lock);
    GError *error = NULL;
    const gboolean built = build_one(pipelines, entry, &error);
    g_mutex_lock(&pipelines->lock);
    entry->state = built ? BUILT : NOT_BUILT;
    pipelines->n_in_work--;
    pipelines->n_unstored += built;
    g_cond_broadcast(&pipelines->changed);
    if (error && !work->error)
      work->error = g_steal_pointer(&error);
    g_clear_error(&error);
  }
}

static gpointer build_thread(gpointer data) {
  Work *work = data;
  g_mutex_lock(&work->pipelines->lock);
  build_rest(work);
  g_mutex_unlock(&work->pipelines->lock);
  return NULL;
}

static guint count_unbuilt(const GPtrArray *needed) {
  guint n_unbuilt = 0;
  for (guint i = 0; i < needed->len; i++)
    n_unbuilt += ((const Entry *)g_ptr_array_index(needed, i))->state == NOT_BUILT;
  return n_unbuilt;
}

/* Those that another recorder's threads are at; one that they give up is begun anew. */
static void wait_for_others(Work *work) {
  SwinPipelines *pipelines = work->pipelines;
  for (guint i = 0; i < work->needed->len && !work->error; i++) {
    const Entry *entry = g_ptr_array_index(work->needed, i);
    while (entry->state == IN_WORK)
      g_cond_wait(&pipelines->changed, &pipelines->lock);
    if (entry->state == NOT_BUILT) {
      work->next = i;
      build_rest(work);
    }
  }
}

gboolean swin_pipelines_build(SwinPipelines *pipelines, const GPtrArray *needed, GError **error) {
  Work work = {.pipelines = pipelines, .needed = needed};
  GThread *threads[MAX_THREADS];
  guint n_threads = 0;
  g_mutex_lock(&pipelines->lock);
  const guint n_wanted = MIN(MIN(count_unbuilt(needed), g_get_num_processors()), MAX_THREADS);
  /* This thread is one of them, and all of them where there can be no others. */
  while (n_threads + 1 < n_wanted &&
         (threads[n_threads] = g_thread_try_new("swin-pipelines", build_thread, &work, NULL)))
    n_threads++;
  build_rest(&work);
  g_mutex_unlock(&pipelines->lock);
  for (guint i = 0; i < n_threads; i++)
    g_thread_join(threads[i]);
  g_mutex_lock(&pipelines->lock);
  wait_for_others(&work);
  g_mutex_unlock(&pipelines->lock);
  if (!work.error)
    return TRUE;
  g_propagate_error(error, work.error);
  return FALSE;
}

/* ---- The table ------------------------------------------------------------------------------ */

static gchar *make_key(const gchar *shader, guint n_constants, const guint32 *constants,
                       guint n_bindings, guint32 push_size, guint32 subgroup_size) {
  GString *key = g_string_new(shader);
  g_string_append_printf(key, " %u %u %u", n_bindings, push_size, subgroup_size);
  for (guint i = 0; i < n_constants; i++)
    g_string_append_printf(key, " %x", constants[i]);
  return g_string_free(key, FALSE);
}

static Entry *entry_new(SwinDevice *device, const gchar *shader, guint n_constants,
                        const guint32 *constants, guint n_bindings, guint32 push_size,
                        guint32 subgroup_size, GError **error) {
  g_autoptr(GBytes) spirv = find_shader(shader, error);
  if (!spirv)
    return NULL;
  g_assert(n_constants <= SWIN_PIPELINE_MAX_CONSTANTS);
  Entry *entry = g_new0(Entry, 1);
  entry->shader = g_strdup(shader);
  entry->n_constants = n_constants;
  for (guint i = 0; i < n_constants; i++)
    entry->constants[i] = constants[i];
  entry->subgroup_size = subgroup_size;
  if (create_layouts(device, &entry->pipeline, n_bindings, push_size, error))
    return entry;
  pipeline_destroy(device, &entry->pipeline);
  entry_free(entry);
  return NULL;
}

const SwinPipeline *swin_pipelines_get(SwinPipelines *pipelines, const gchar *shader,
                                       guint n_constants, const guint32 *constants,
                                       guint n_bindings, guint32 push_size, guint32 subgroup_size,
                                       GError **error) {
  g_autofree gchar *key =
      make_key(shader, n_constants, constants, n_bindings, push_size, subgroup_size);
  g_mutex_lock(&pipelines->lock);
  Entry *entry = g_hash_table_lookup(pipelines->table, key);
  if (!entry) {
    entry = entry_new(pipelines->device, shader, n_constants, constants, n_bindings, push_size,
                      subgroup_size, error);
    if (entry)
      g_hash_table_insert(pipelines->table, g_steal_pointer(&key), entry);
  }
  g_mutex_unlock(&pipelines->lock);
  return entry ? &entry->pipeline : NULL;
}
