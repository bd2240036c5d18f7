// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/pipelines.h"

#include <gio/gio.h>

struct _SwinPipelines {
  SwinDevice *device; /* not a reference: the device owns this */
  GMutex lock;        /* guards the table */
  GHashTable *table;  /* key string -> SwinPipeline */
};

SwinPipelines *swin_pipelines_new(SwinDevice *device) {
  SwinPipelines *pipelines = g_new0(SwinPipelines, 1);
  pipelines->device = device;
  g_mutex_init(&pipelines->lock);
  pipelines->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return pipelines;
}

static void pipeline_destroy(SwinDevice *device, SwinPipeline *pipeline) {
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  const VkDevice handle = swin_device_get_handle(device);
  functions->DestroyPipeline(handle, pipeline->handle, NULL);
  functions->DestroyPipelineLayout(handle, pipeline->layout, NULL);
  functions->DestroyDescriptorSetLayout(handle, pipeline->set_layout, NULL);
}

void swin_pipelines_free(SwinPipelines *pipelines) {
  if (!pipelines)
    return;
  GHashTableIter iterator;
  gpointer pipeline;
  g_hash_table_iter_init(&iterator, pipelines->table);
  while (g_hash_table_iter_next(&iterator, NULL, &pipeline))
    pipeline_destroy(pipelines->device, pipeline);
  g_hash_table_unref(pipelines->table);
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

static VkShaderModule create_module(SwinDevice *device, const gchar *shader, GError **error) {
  g_autofree gchar *path = g_strdup_printf("/swin/shaders/%s.spv", shader);
  g_autoptr(GBytes) spirv = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
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

static gboolean create_pipeline(SwinDevice *device, SwinPipeline *pipeline, const gchar *shader,
                                guint n_constants, const guint32 *constants, GError **error) {
  VkSpecializationMapEntry entries[SWIN_PIPELINE_MAX_CONSTANTS];
  g_assert(n_constants <= SWIN_PIPELINE_MAX_CONSTANTS);
  for (guint i = 0; i < n_constants; i++)
    entries[i] = (VkSpecializationMapEntry){
        .constantID = i, .offset = i * (guint32)sizeof(guint32), .size = sizeof(guint32)};
  const VkSpecializationInfo specialization = {
      .mapEntryCount = n_constants,
      .pMapEntries = entries,
      .dataSize = n_constants * sizeof(guint32),
      .pData = constants,
  };
  VkShaderModule module = create_module(device, shader, error);
  if (!module)
    return FALSE;
  const VkComputePipelineCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .stage =
          {
              .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
              .stage = VK_SHADER_STAGE_COMPUTE_BIT,
              .module = module,
              .pName = "main",
              .pSpecializationInfo = &specialization,
          },
      .layout = pipeline->layout,
  };
  const SwinDeviceFunctions *functions = swin_device_functions(device);
  const VkDevice handle = swin_device_get_handle(device);
  const VkResult result =
      functions->CreateComputePipelines(handle, VK_NULL_HANDLE, 1, &info, NULL, &pipeline->handle);
  functions->DestroyShaderModule(handle, module, NULL);
  return swin_device_check(device, result, "compiling a shader", error);
}

static gchar *make_key(const gchar *shader, guint n_constants, const guint32 *constants,
                       guint n_bindings, guint32 push_size) {
  GString *key = g_string_new(shader);
  g_string_append_printf(key, " %u %u", n_bindings, push_size);
  for (guint i = 0; i < n_constants; i++)
    g_string_append_printf(key, " %x", constants[i]);
  return g_string_free(key, FALSE);
}

const SwinPipeline *swin_pipelines_get(SwinPipelines *pipelines, const gchar *shader,
                                       guint n_constants, const guint32 *constants,
                                       guint n_bindings, guint32 push_size, GError **error) {
  SwinDevice *device = pipelines->device;
  g_autofree gchar *key = make_key(shader, n_constants, constants, n_bindings, push_size);
  g_mutex_lock(&pipelines->lock);
  SwinPipeline *pipeline = g_hash_table_lookup(pipelines->table, key);
  if (!pipeline) {
    pipeline = g_new0(SwinPipeline, 1);
    if (create_layouts(device, pipeline, n_bindings, push_size, error) &&
        create_pipeline(device, pipeline, shader, n_constants, constants, error)) {
      g_hash_table_insert(pipelines->table, g_steal_pointer(&key), pipeline);
    } else {
      pipeline_destroy(device, pipeline);
      g_clear_pointer(&pipeline, g_free);
    }
  }
  g_mutex_unlock(&pipelines->lock);
  return pipeline;
}
