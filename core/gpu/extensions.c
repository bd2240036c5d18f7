// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/extensions.h"

#include <stdlib.h>
#include <string.h>

gboolean swin_is_disabled(const gchar *what) {
  const gchar *list = g_getenv("SWIN_DISABLE");
  if (!list)
    return FALSE;
  g_auto(GStrv) names = g_strsplit(list, ",", -1);
  return g_strv_contains((const gchar *const *)names, what);
}

/* ---- What to enable ------------------------------------------------------------------------- */

static const gchar *const wanted[] = {
    VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,    VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
    VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,  VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,
    VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME,
    VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME,    VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME,
};

/* A driver that cannot say what it has is taken to have nothing. */
static VkExtensionProperties *list_extensions(const SwinInstanceFunctions *functions,
                                              VkPhysicalDevice physical_device, guint *n_found) {
  uint32_t count = 0;
  VkResult result =
      functions->EnumerateDeviceExtensionProperties(physical_device, NULL, &count, NULL);
  VkExtensionProperties *found = g_new0(VkExtensionProperties, count + 1);
  if (result == VK_SUCCESS)
    result = functions->EnumerateDeviceExtensionProperties(physical_device, NULL, &count, found);
  *n_found = result == VK_SUCCESS || result == VK_INCOMPLETE ? count : 0;
  return found;
}

static gboolean has_extension(const VkExtensionProperties *found, guint n_found,
                              const gchar *name) {
  for (guint i = 0; i < n_found; i++)
    if (strcmp(found[i].extensionName, name) == 0)
      return TRUE;
  return FALSE;
}

/* Puts @structure, whose first two members are those of VkBaseOutStructure, into the chain. */
static void add_to_chain(SwinFeatures *features, gpointer structure) {
  VkBaseOutStructure *base = structure;
  base->pNext = features->core.pNext;
  features->core.pNext = base;
}

/* Asks what the device has of the features of these extensions. */
static void query_features(const SwinInstanceFunctions *functions, VkPhysicalDevice physical_device,
                           const gchar *const *names, SwinFeatures *features) {
  *features = (SwinFeatures){
      .core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
      .storage.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
      .half.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
      .subgroup_size.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
      .memory_model.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
      .matrix.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
      .addresses.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES,
  };
  add_to_chain(features, &features->storage);
  if (g_strv_contains(names, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME))
    add_to_chain(features, &features->half);
  if (g_strv_contains(names, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME))
    add_to_chain(features, &features->subgroup_size);
  if (g_strv_contains(names, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME))
    add_to_chain(features, &features->memory_model);
  if (g_strv_contains(names, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME))
    add_to_chain(features, &features->matrix);
  if (g_strv_contains(names, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME))
    add_to_chain(features, &features->addresses);
  functions->GetPhysicalDeviceFeatures2(physical_device, &features->core);
}

/* Leaves of what the device has what there is a use for: some features cost speed. */
static void keep_used(SwinFeatures *features) {
  const VkBool32 addresses =
      features->addresses.bufferDeviceAddress && features->core.features.shaderInt64;
  memset(&features->core.features, 0, sizeof(features->core.features));
  features->core.features.shaderInt64 = addresses;
  features->addresses.bufferDeviceAddress = addresses;
  features->addresses.bufferDeviceAddressCaptureReplay = VK_FALSE;
  features->addresses.bufferDeviceAddressMultiDevice = VK_FALSE;
  features->storage.uniformAndStorageBuffer16BitAccess = VK_FALSE;
  features->storage.storagePushConstant16 = VK_FALSE;
  features->storage.storageInputOutput16 = VK_FALSE;
  features->half.shaderInt8 = VK_FALSE;
  features->memory_model.vulkanMemoryModelDeviceScope = VK_FALSE;
  features->memory_model.vulkanMemoryModelAvailabilityVisibilityChains = VK_FALSE;
  features->matrix.cooperativeMatrixRobustBufferAccess = VK_FALSE;
}

/* Kernels for GPUs have no use for addresses. */
static gboolean is_processor(const SwinInstanceFunctions *functions,
                             VkPhysicalDevice physical_device) {
  VkPhysicalDeviceProperties properties;
  functions->GetPhysicalDeviceProperties(physical_device, &properties);
  return properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

const gchar **swin_extensions_choose(const SwinInstanceFunctions *functions,
                                     VkPhysicalDevice physical_device, SwinFeatures *features) {
  const gboolean is_cpu = is_processor(functions, physical_device);
  guint n_found = 0;
  g_autofree VkExtensionProperties *found = list_extensions(functions, physical_device, &n_found);
  const gchar **names = g_new0(const gchar *, G_N_ELEMENTS(wanted) + 1);
  guint n_names = 0;
  for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
    if (has_extension(found, n_found, wanted[i]) &&
        (is_cpu || !g_str_equal(wanted[i], VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME)))
      names[n_names++] = wanted[i];
  query_features(functions, physical_device, names, features);
  keep_used(features);
  return names;
}

/* ---- What is enabled ------------------------------------------------------------------------ */

typedef struct {
  gboolean storage, half; /* 16 bits: in buffers, and arithmetic */
  gboolean subgroup_size;
  gboolean memory_model;
  gboolean matrix;
  gboolean addresses;
} Enabled;

/* An application may name a feature in the struct of its extension or in that of the Vulkan version
 * which took it up. */
static Enabled read_features(const VkPhysicalDeviceFeatures2 *features) {
  Enabled enabled = {0};
  const VkBaseInStructure *next = features ? features->pNext : NULL;
  for (; next; next = next->pNext) {
    switch ((guint)next->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES: {
      const VkPhysicalDevice16BitStorageFeatures *storage = (gconstpointer)next;
      enabled.storage |= storage->storageBuffer16BitAccess;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES: {
      const VkPhysicalDeviceVulkan11Features *version = (gconstpointer)next;
      enabled.storage |= version->storageBuffer16BitAccess;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES: {
      const VkPhysicalDeviceShaderFloat16Int8Features *half = (gconstpointer)next;
      enabled.half |= half->shaderFloat16;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES: {
      const VkPhysicalDeviceVulkan12Features *version = (gconstpointer)next;
      enabled.half |= version->shaderFloat16;
      enabled.memory_model |= version->vulkanMemoryModel;
      enabled.addresses |= version->bufferDeviceAddress;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES: {
      const VkPhysicalDeviceVulkanMemoryModelFeatures *model = (gconstpointer)next;
      enabled.memory_model |= model->vulkanMemoryModel;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES: {
      const VkPhysicalDeviceSubgroupSizeControlFeatures *size = (gconstpointer)next;
      enabled.subgroup_size |= size->subgroupSizeControl && size->computeFullSubgroups;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES: {
      const VkPhysicalDeviceVulkan13Features *version = (gconstpointer)next;
      enabled.subgroup_size |= version->subgroupSizeControl && version->computeFullSubgroups;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR: {
      const VkPhysicalDeviceCooperativeMatrixFeaturesKHR *matrix = (gconstpointer)next;
      enabled.matrix |= matrix->cooperativeMatrix;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES: {
      const VkPhysicalDeviceBufferDeviceAddressFeatures *addresses = (gconstpointer)next;
      enabled.addresses |= addresses->bufferDeviceAddress;
      break;
    }
    default:
      break;
    }
  }
  enabled.addresses &= features && features->features.shaderInt64;
  return enabled;
}

/* Whether compute shaders can be told to run in full subgroups of the size that the device says it
 * has. */
static gboolean can_fix_subgroups(const SwinInstanceFunctions *functions,
                                  VkPhysicalDevice physical_device) {
  VkPhysicalDeviceSubgroupSizeControlProperties control = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
  VkPhysicalDeviceSubgroupProperties subgroup = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, .pNext = &control};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &subgroup};
  functions->GetPhysicalDeviceProperties2(physical_device, &properties);
  return (control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
         control.minSubgroupSize <= subgroup.subgroupSize &&
         subgroup.subgroupSize <= control.maxSubgroupSize;
}

static gboolean is_wanted_shape(const VkCooperativeMatrixPropertiesKHR *shape) {
  return shape->scope == VK_SCOPE_SUBGROUP_KHR && shape->AType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
         shape->BType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
         shape->CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
         shape->ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && !shape->saturatingAccumulation &&
         shape->MSize > 0 && shape->NSize > 0 && shape->KSize > 0;
}

/* The most multiplications first; of the same number those of the most columns, so that the order
 * does not depend on the driver's. */
static gint compare_shapes(gconstpointer a, gconstpointer b) {
  const SwinMatrixShape *first = a, *second = b;
  const guint64 sizes[] = {(guint64)first->m * first->n * first->k,
                           (guint64)second->m * second->n * second->k};
  if (sizes[0] != sizes[1])
    return sizes[0] > sizes[1] ? -1 : 1;
  if (first->n != second->n)
    return first->n > second->n ? -1 : 1;
  return first->m == second->m ? 0 : first->m > second->m ? -1 : 1;
}

static gboolean computes_matrices(const SwinInstanceFunctions *functions,
                                  VkPhysicalDevice physical_device) {
  VkPhysicalDeviceCooperativeMatrixPropertiesKHR matrix = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_PROPERTIES_KHR};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &matrix};
  functions->GetPhysicalDeviceProperties2(physical_device, &properties);
  return (matrix.cooperativeMatrixSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
}

/* A driver that fails to list its shapes is taken to have none. */
static void read_matrix_shapes(const SwinInstanceFunctions *functions,
                               VkPhysicalDevice physical_device, SwinExtensions *extensions) {
  const PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR list =
      functions->GetPhysicalDeviceCooperativeMatrixPropertiesKHR;
  uint32_t count = 0;
  if (!list || !computes_matrices(functions, physical_device) ||
      list(physical_device, &count, NULL) != VK_SUCCESS)
    return;
  g_autofree VkCooperativeMatrixPropertiesKHR *found =
      g_new0(VkCooperativeMatrixPropertiesKHR, count + 1);
  for (guint i = 0; i < count; i++)
    found[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  const VkResult result = list(physical_device, &count, found);
  if (result != VK_SUCCESS && result != VK_INCOMPLETE)
    return;
  g_autoptr(GArray) shapes = g_array_new(FALSE, FALSE, sizeof(SwinMatrixShape));
  for (guint i = 0; i < count; i++) {
    const SwinMatrixShape shape = {found[i].MSize, found[i].NSize, found[i].KSize};
    if (is_wanted_shape(&found[i]))
      g_array_append_val(shapes, shape);
  }
  g_array_sort(shapes, compare_shapes);
  extensions->n_matrix_shapes = MIN(shapes->len, SWIN_MAX_MATRIX_SHAPES);
  if (shapes->len > 0)
    memcpy(extensions->matrix_shapes, shapes->data,
           extensions->n_matrix_shapes * sizeof(SwinMatrixShape));
}

static gboolean can_import_dmabuf(const SwinInstanceFunctions *functions,
                                  VkPhysicalDevice physical_device) {
  const VkPhysicalDeviceExternalBufferInfo info = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
      .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
      .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
  };
  VkExternalBufferProperties properties = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
  functions->GetPhysicalDeviceExternalBufferProperties(physical_device, &info, &properties);
  return (properties.externalMemoryProperties.externalMemoryFeatures &
          VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) != 0;
}

SwinExtensions swin_extensions_read(const SwinInstanceFunctions *functions,
                                    VkPhysicalDevice physical_device, const gchar *const *names,
                                    const VkPhysicalDeviceFeatures2 *features) {
  const gchar *const none[] = {NULL};
  if (!names)
    names = none;
  const Enabled enabled = read_features(features);
  SwinExtensions extensions = {
      .half = enabled.storage && enabled.half && !swin_is_disabled("fp16"),
      .subgroup_size = enabled.subgroup_size && can_fix_subgroups(functions, physical_device),
      .addresses = enabled.addresses && is_processor(functions, physical_device) &&
                   !swin_is_disabled("addresses"),
      .dmabuf = g_strv_contains(names, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME) &&
                g_strv_contains(names, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME) &&
                can_import_dmabuf(functions, physical_device),
      .foreign_family = g_strv_contains(names, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME)
                            ? VK_QUEUE_FAMILY_FOREIGN_EXT
                            : VK_QUEUE_FAMILY_EXTERNAL,
  };
  /* GLSL with cooperative matrices compiles to the Vulkan memory model. */
  if (extensions.half && extensions.subgroup_size && enabled.memory_model && enabled.matrix &&
      g_strv_contains(names, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) &&
      !swin_is_disabled("matrix"))
    read_matrix_shapes(functions, physical_device, &extensions);
  return extensions;
}
