// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is enabled on a device, what an application says is enabled, and what follows from it. */
#include "gpu/application.h"
#include "gpu/device.h"
#include "run-cases.h"

#include <string.h>

/* ---- A driver of paper ---------------------------------------------------------------------- */

static const gchar *const all_extensions[] = {
    VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,   VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME,
    VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME,   VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME,
    VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME, NULL};

/* What it has; a test takes something away. */
static struct {
  const gchar *const *extensions;
  VkPhysicalDeviceType type;
  gboolean storage, half, control, full, model, matrix, addresses; /* features */
  VkShaderStageFlags size_stages, matrix_stages;
  guint32 subgroup_size, min_size, max_size;
  VkCooperativeMatrixPropertiesKHR shapes[16];
  guint n_shapes;
  VkResult list_result;
} driver;

#define HALF VK_COMPONENT_TYPE_FLOAT16_KHR
#define FLOAT VK_COMPONENT_TYPE_FLOAT32_KHR

static void add_shape(guint32 m, guint32 n, guint32 k, VkComponentTypeKHR a,
                      VkComponentTypeKHR result, VkScopeKHR scope) {
  driver.shapes[driver.n_shapes++] = (VkCooperativeMatrixPropertiesKHR){
      .sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR,
      .MSize = m,
      .NSize = n,
      .KSize = k,
      .AType = a,
      .BType = a,
      .CType = result,
      .ResultType = result,
      .scope = scope};
}

static void reset_driver(void) {
  memset(&driver, 0, sizeof(driver));
  driver.extensions = all_extensions;
  driver.type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  driver.storage = driver.half = driver.control = driver.full = driver.model = driver.matrix = TRUE;
  driver.addresses = TRUE;
  driver.size_stages = driver.matrix_stages = VK_SHADER_STAGE_COMPUTE_BIT;
  driver.subgroup_size = 32;
  driver.min_size = 8;
  driver.max_size = 64;
  add_shape(16, 8, 8, HALF, FLOAT, VK_SCOPE_SUBGROUP_KHR);
  add_shape(16, 16, 16, HALF, HALF, VK_SCOPE_SUBGROUP_KHR);
  add_shape(8, 16, 16, HALF, FLOAT, VK_SCOPE_SUBGROUP_KHR);
  add_shape(64, 64, 64, HALF, FLOAT, (VkScopeKHR)2 /* work-group */);
  add_shape(16, 8, 16, HALF, FLOAT, VK_SCOPE_SUBGROUP_KHR);
  add_shape(32, 32, 32, FLOAT, FLOAT, VK_SCOPE_SUBGROUP_KHR);
  add_shape(16, 16, 16, HALF, FLOAT, VK_SCOPE_SUBGROUP_KHR);
}

static VkResult VKAPI_CALL list_extensions(G_GNUC_UNUSED VkPhysicalDevice device,
                                           G_GNUC_UNUSED const char *layer, uint32_t *count,
                                           VkExtensionProperties *properties) {
  *count = g_strv_length((gchar **)driver.extensions);
  for (guint i = 0; properties && i < *count; i++)
    g_strlcpy(properties[i].extensionName, driver.extensions[i], VK_MAX_EXTENSION_NAME_SIZE);
  return VK_SUCCESS;
}

/* Fills every member with what the driver has, or with TRUE. */
static void VKAPI_CALL get_features(G_GNUC_UNUSED VkPhysicalDevice device,
                                    VkPhysicalDeviceFeatures2 *features) {
  VkBool32 *core = (VkBool32 *)&features->features;
  for (gsize i = 0; i < sizeof(features->features) / sizeof(VkBool32); i++)
    core[i] = VK_TRUE;
  for (VkBaseOutStructure *next = features->pNext; next; next = next->pNext) {
    switch ((guint)next->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES:
      *(VkPhysicalDevice16BitStorageFeatures *)(gpointer)next =
          (VkPhysicalDevice16BitStorageFeatures){next->sType, next->pNext, driver.storage, 1, 1, 1};
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES:
      *(VkPhysicalDeviceShaderFloat16Int8Features *)(gpointer)next =
          (VkPhysicalDeviceShaderFloat16Int8Features){next->sType, next->pNext, driver.half, 1};
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES:
      *(VkPhysicalDeviceSubgroupSizeControlFeatures *)(gpointer)next =
          (VkPhysicalDeviceSubgroupSizeControlFeatures){next->sType, next->pNext, driver.control,
                                                        driver.full};
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES:
      *(VkPhysicalDeviceVulkanMemoryModelFeatures *)(gpointer)next =
          (VkPhysicalDeviceVulkanMemoryModelFeatures){next->sType, next->pNext, driver.model, 1, 1};
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR:
      *(VkPhysicalDeviceCooperativeMatrixFeaturesKHR *)(gpointer)next =
          (VkPhysicalDeviceCooperativeMatrixFeaturesKHR){next->sType, next->pNext, driver.matrix,
                                                         1};
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES:
      *(VkPhysicalDeviceBufferDeviceAddressFeatures *)(gpointer)next =
          (VkPhysicalDeviceBufferDeviceAddressFeatures){next->sType, next->pNext, driver.addresses,
                                                        1, 1};
      break;
    default:
      ck_abort_msg("features of structure %d were asked for", next->sType);
    }
  }
}

static void VKAPI_CALL get_type(G_GNUC_UNUSED VkPhysicalDevice device,
                                VkPhysicalDeviceProperties *properties) {
  *properties = (VkPhysicalDeviceProperties){.deviceType = driver.type};
}

static void VKAPI_CALL get_properties(G_GNUC_UNUSED VkPhysicalDevice device,
                                      VkPhysicalDeviceProperties2 *properties) {
  for (VkBaseOutStructure *next = properties->pNext; next; next = next->pNext) {
    if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES) {
      ((VkPhysicalDeviceSubgroupProperties *)(gpointer)next)->subgroupSize = driver.subgroup_size;
    } else if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES) {
      VkPhysicalDeviceSubgroupSizeControlProperties *control = (gpointer)next;
      control->minSubgroupSize = driver.min_size;
      control->maxSubgroupSize = driver.max_size;
      control->requiredSubgroupSizeStages = driver.size_stages;
    } else if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_PROPERTIES_KHR) {
      ((VkPhysicalDeviceCooperativeMatrixPropertiesKHR *)(gpointer)next)
          ->cooperativeMatrixSupportedStages = driver.matrix_stages;
    }
  }
}

static VkResult VKAPI_CALL list_shapes(G_GNUC_UNUSED VkPhysicalDevice device, uint32_t *count,
                                       VkCooperativeMatrixPropertiesKHR *properties) {
  if (!properties) {
    *count = driver.n_shapes;
    return driver.list_result == VK_ERROR_OUT_OF_DEVICE_MEMORY ? driver.list_result : VK_SUCCESS;
  }
  *count = MIN(*count, driver.n_shapes);
  for (guint i = 0; i < *count; i++) {
    ck_assert_int_eq(properties[i].sType, VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR);
    properties[i] = driver.shapes[i];
  }
  return driver.list_result;
}

static SwinInstanceFunctions functions = {
    .EnumerateDeviceExtensionProperties = list_extensions,
    .GetPhysicalDeviceProperties = get_type,
    .GetPhysicalDeviceFeatures2 = get_features,
    .GetPhysicalDeviceProperties2 = get_properties,
    .GetPhysicalDeviceCooperativeMatrixPropertiesKHR = list_shapes,
};

/* What a device of the library's own can do. */
static SwinExtensions read_own(void) {
  SwinFeatures features;
  g_autofree const gchar **names = swin_extensions_choose(&functions, VK_NULL_HANDLE, &features);
  return swin_extensions_read(&functions, VK_NULL_HANDLE, names, &features.core);
}

/* ---- Tests ---------------------------------------------------------------------------------- */

START_TEST(test_shapes_are_sorted_out) {
  reset_driver();
  const SwinExtensions extensions = read_own();
  ck_assert(extensions.half && extensions.subgroup_size);
  const SwinMatrixShape expected[] = {{16, 16, 16}, {8, 16, 16}, {16, 8, 16}, {16, 8, 8}};
  ck_assert_uint_eq(extensions.n_matrix_shapes, G_N_ELEMENTS(expected));
  ck_assert_mem_eq(extensions.matrix_shapes, expected, sizeof(expected));
  for (guint32 i = 0; driver.n_shapes < G_N_ELEMENTS(driver.shapes); i++)
    add_shape(1, 1, 1 + i, HALF, FLOAT, VK_SCOPE_SUBGROUP_KHR);
  ck_assert_uint_eq(read_own().n_matrix_shapes, SWIN_MAX_MATRIX_SHAPES);
  ck_assert_mem_eq(read_own().matrix_shapes, expected, sizeof(expected));
}
END_TEST

START_TEST(test_features_out_of_use_stay_off) {
  SwinFeatures features;
  const VkPhysicalDeviceFeatures none = {0};
  reset_driver();
  g_autofree const gchar **names = swin_extensions_choose(&functions, VK_NULL_HANDLE, &features);
  ck_assert_uint_eq(g_strv_length((gchar **)names), 4);
  ck_assert_mem_eq(&features.core.features, &none, sizeof(none));
  ck_assert(features.storage.storageBuffer16BitAccess && features.half.shaderFloat16 &&
            features.subgroup_size.subgroupSizeControl &&
            features.subgroup_size.computeFullSubgroups &&
            features.memory_model.vulkanMemoryModel && features.matrix.cooperativeMatrix);
  ck_assert(!features.storage.storagePushConstant16 && !features.half.shaderInt8 &&
            !features.memory_model.vulkanMemoryModelDeviceScope &&
            !features.matrix.cooperativeMatrixRobustBufferAccess);
}
END_TEST

/* Only what all of it is there for can be used. */
START_TEST(test_what_is_missing_is_not_used) {
  const struct {
    gsize missing;                        /* the offset of a flag of the driver, or -1 */
    const gchar *extension;               /* or its name */
    gboolean half, subgroup_size, matrix; /* what is left */
  } cases[] = {
      {(gsize)((guint8 *)&driver.storage - (guint8 *)&driver), NULL, FALSE, TRUE, FALSE},
      {(gsize)((guint8 *)&driver.half - (guint8 *)&driver), NULL, FALSE, TRUE, FALSE},
      {(gsize)((guint8 *)&driver.control - (guint8 *)&driver), NULL, TRUE, FALSE, FALSE},
      {(gsize)((guint8 *)&driver.full - (guint8 *)&driver), NULL, TRUE, FALSE, FALSE},
      {(gsize)((guint8 *)&driver.model - (guint8 *)&driver), NULL, TRUE, TRUE, FALSE},
      {(gsize)((guint8 *)&driver.matrix - (guint8 *)&driver), NULL, TRUE, TRUE, FALSE},
      {(gsize)((guint8 *)&driver.size_stages - (guint8 *)&driver), NULL, TRUE, FALSE, FALSE},
      {(gsize)((guint8 *)&driver.matrix_stages - (guint8 *)&driver), NULL, TRUE, TRUE, FALSE},
      {0, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME, FALSE, TRUE, FALSE},
      {0, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, TRUE, FALSE, FALSE},
      {0, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME, TRUE, TRUE, FALSE},
      {0, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, TRUE, TRUE, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const gchar *left[G_N_ELEMENTS(all_extensions)] = {NULL};
    guint n_left = 0;
    reset_driver();
    for (guint j = 0; all_extensions[j]; j++)
      if (g_strcmp0(all_extensions[j], cases[i].extension) != 0)
        left[n_left++] = all_extensions[j];
    driver.extensions = left;
    if (!cases[i].extension)
      *(guint32 *)(gpointer)((guint8 *)&driver + cases[i].missing) = 0;
    const SwinExtensions extensions = read_own();
    ck_assert_msg(extensions.half == cases[i].half &&
                      extensions.subgroup_size == cases[i].subgroup_size &&
                      (extensions.n_matrix_shapes > 0) == cases[i].matrix,
                  "case %u", i);
  }
}
END_TEST

START_TEST(test_addresses_are_for_processors) {
  SwinFeatures features;
  reset_driver();
  ck_assert(!read_own().addresses);
  driver.type = VK_PHYSICAL_DEVICE_TYPE_CPU;
  ck_assert(read_own().addresses);
  g_autofree const gchar **names = swin_extensions_choose(&functions, VK_NULL_HANDLE, &features);
  ck_assert_uint_eq(g_strv_length((gchar **)names), 5);
  ck_assert(features.core.features.shaderInt64 && !features.core.features.robustBufferAccess);
  ck_assert(!features.addresses.bufferDeviceAddressCaptureReplay);
  g_setenv("SWIN_DISABLE", "addresses", TRUE);
  ck_assert(!read_own().addresses);
  g_unsetenv("SWIN_DISABLE");
  driver.addresses = FALSE;
  ck_assert(!read_own().addresses);
}
END_TEST

START_TEST(test_sizes_out_of_range_cannot_be_asked_for) {
  reset_driver();
  driver.min_size = 64;
  ck_assert(!read_own().subgroup_size);
  reset_driver();
  driver.max_size = 16;
  ck_assert(!read_own().subgroup_size);
}
END_TEST

START_TEST(test_failing_lists_are_empty) {
  const VkResult failures[] = {VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY};
  for (guint i = 0; i < G_N_ELEMENTS(failures); i++) {
    reset_driver();
    driver.list_result = failures[i];
    ck_assert_uint_eq(read_own().n_matrix_shapes, 0);
  }
  reset_driver();
  driver.list_result = VK_INCOMPLETE;
  ck_assert_uint_eq(read_own().n_matrix_shapes, 4);
  SwinInstanceFunctions saved = functions;
  functions.GetPhysicalDeviceCooperativeMatrixPropertiesKHR = NULL;
  ck_assert_uint_eq(read_own().n_matrix_shapes, 0);
  functions = saved;
}
END_TEST

START_TEST(test_environment_takes_away) {
  reset_driver();
  g_setenv("SWIN_DISABLE", "matrix", TRUE);
  SwinExtensions extensions = read_own();
  ck_assert(extensions.half && extensions.n_matrix_shapes == 0);
  g_setenv("SWIN_DISABLE", "tuning,fp16", TRUE);
  extensions = read_own();
  ck_assert(!extensions.half && extensions.n_matrix_shapes == 0);
  g_setenv("SWIN_DISABLE", "fp", TRUE);
  ck_assert(read_own().half);
  ck_assert(!swin_is_disabled("fp16") && swin_is_disabled("fp"));
  g_unsetenv("SWIN_DISABLE");
  ck_assert(!swin_is_disabled("fp16"));
}
END_TEST

/* An application may have enabled features by the structs of Vulkan's versions. */
START_TEST(test_features_of_versions_count) {
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
      .cooperativeMatrix = VK_TRUE};
  VkPhysicalDeviceVulkan13Features third = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
      .pNext = &matrix,
      .subgroupSizeControl = VK_TRUE,
      .computeFullSubgroups = VK_TRUE};
  VkPhysicalDeviceVulkan12Features second = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
      .pNext = &third,
      .shaderFloat16 = VK_TRUE,
      .vulkanMemoryModel = VK_TRUE};
  VkPhysicalDeviceVulkan11Features first = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
      .pNext = &second,
      .storageBuffer16BitAccess = VK_TRUE};
  const VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                              .pNext = &first};
  const gchar *const names[] = {VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, NULL};
  reset_driver();
  SwinExtensions extensions = swin_extensions_read(&functions, VK_NULL_HANDLE, names, &features);
  ck_assert(extensions.half && extensions.subgroup_size && extensions.n_matrix_shapes == 4);
  extensions = swin_extensions_read(&functions, VK_NULL_HANDLE, NULL, &features);
  ck_assert(extensions.half && extensions.subgroup_size && extensions.n_matrix_shapes == 0);
  extensions = swin_extensions_read(&functions, VK_NULL_HANDLE, names, NULL);
  ck_assert(!extensions.half && !extensions.subgroup_size && extensions.n_matrix_shapes == 0);
  second.shaderFloat16 = VK_FALSE;
  extensions = swin_extensions_read(&functions, VK_NULL_HANDLE, names, &features);
  ck_assert(!extensions.half && extensions.subgroup_size && extensions.n_matrix_shapes == 0);
}
END_TEST

START_TEST(test_imported_precision) {
  g_autoptr(Application) application = application_new();
  g_autoptr(GError) error = NULL;
  SwinDevice *device = swin_device_import(&application->import, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  ck_assert_int_eq(swin_device_get_precision(device, SWIN_PRECISION_AUTO), SWIN_PRECISION_FP32);
  ck_assert_int_eq(swin_device_get_precision(device, SWIN_PRECISION_FP32), SWIN_PRECISION_FP32);
  ck_assert_int_eq(swin_device_get_precision(device, SWIN_PRECISION_FP16), SWIN_PRECISION_AUTO);
  swin_device_unref(device);
  application->import.features = &application->features;
  device = swin_device_import(&application->import, &error);
  ck_assert_ptr_nonnull(device);
  ck_assert_int_eq(swin_device_get_precision(device, SWIN_PRECISION_FP16),
                   application->has_half ? SWIN_PRECISION_FP16 : SWIN_PRECISION_AUTO);
  swin_device_unref(device);
}
END_TEST

START_TEST(test_environment_chooses_kernels) {
  const struct {
    const gchar *kernels, *disable;
    gboolean half; /* to be had */
  } cases[] = {{NULL, NULL, TRUE},
               {"cpu", NULL, TRUE},
               {"gpu", NULL, TRUE},
               {"gpu", "fp16", FALSE},
               {"tpu", NULL, TRUE}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_unsetenv("SWIN_KERNELS");
    g_unsetenv("SWIN_DISABLE");
    if (cases[i].kernels)
      g_setenv("SWIN_KERNELS", cases[i].kernels, TRUE);
    if (cases[i].disable)
      g_setenv("SWIN_DISABLE", cases[i].disable, TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(SwinDevice) device = swin_device_open(NULL, &error);
    ck_assert_msg(device != NULL, "%s", error ? error->message : "");
    const gboolean true_cpu = swin_device_get_info(device)->kind == SWIN_DEVICE_KIND_CPU;
    const gboolean cpu = g_strcmp0(cases[i].kernels, "cpu") == 0   ? TRUE
                         : g_strcmp0(cases[i].kernels, "gpu") == 0 ? FALSE
                                                                   : true_cpu;
    const gboolean half = swin_device_get_extensions(device)->half;
    ck_assert_int_eq(swin_device_is_cpu(device), cpu);
    ck_assert(cases[i].half || !half);
    ck_assert_int_eq(swin_device_get_precision(device, SWIN_PRECISION_AUTO),
                     half && !cpu ? SWIN_PRECISION_FP16 : SWIN_PRECISION_FP32);
    ck_assert_int_eq(swin_device_get_precision(device, SWIN_PRECISION_FP16),
                     half ? SWIN_PRECISION_FP16 : SWIN_PRECISION_AUTO);
  }
}
END_TEST

START_TEST(test_limits_are_those_of_the_device) {
  g_autoptr(SwinDevice) device = swin_device_open(NULL, NULL);
  ck_assert_ptr_nonnull(device);
  const SwinDeviceLimits *limits = swin_device_get_limits(device);
  ck_assert_uint_ge(limits->max_lanes, 128);    /* Vulkan's own minimum */
  ck_assert_uint_ge(limits->max_shared, 16384); /* likewise */
  ck_assert_uint_ge(limits->subgroup_size, 1);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("extensions");
  tcase_add_test(cases, test_shapes_are_sorted_out);
  tcase_add_test(cases, test_features_out_of_use_stay_off);
  tcase_add_test(cases, test_what_is_missing_is_not_used);
  tcase_add_test(cases, test_addresses_are_for_processors);
  tcase_add_test(cases, test_sizes_out_of_range_cannot_be_asked_for);
  tcase_add_test(cases, test_failing_lists_are_empty);
  tcase_add_test(cases, test_environment_takes_away);
  tcase_add_test(cases, test_features_of_versions_count);
  tcase_add_test(cases, test_imported_precision);
  tcase_add_test(cases, test_environment_chooses_kernels);
  tcase_add_test(cases, test_limits_are_those_of_the_device);
  tcase_set_timeout(cases, 60);
  return run_cases("extensions", cases);
}
