// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * extensions.h: what a device can do beyond core Vulkan 1.1, as far as there is a use for it.
 */
#ifndef SWIN_GPU_EXTENSIONS_H
#define SWIN_GPU_EXTENSIONS_H

#include "gpu/functions.h"

#define SWIN_MAX_MATRIX_SHAPES 8

/** SwinMatrixShape: a product that the subgroups of a device make of fp16 matrices, summed up in
 * fp32: [m, k] * [k, n] (VK_KHR_cooperative_matrix). */
typedef struct {
  guint32 m, n, k;
} SwinMatrixShape;

/** SwinExtensions: what the extensions and features that are enabled on a device allow. */
typedef struct {
  gboolean half;          /* 16-bit values in storage buffers, and arithmetic with them */
  gboolean subgroup_size; /* a pipeline can ask for the subgroup size and for full subgroups */
  guint n_matrix_shapes;  /* 0 without half, or where subgroups cannot be full */
  SwinMatrixShape matrix_shapes[SWIN_MAX_MATRIX_SHAPES]; /* the most multiplications first */
  gboolean addresses;     /* shaders can read buffers at 64-bit addresses; of processors alone */
  gboolean dmabuf;        /* Linux dma-bufs can be imported as buffers to copy from */
  guint32 foreign_family; /* the queue family of whoever else uses what is imported */
} SwinExtensions;

/** SwinFeatures: the features there is a use for. Once chosen they point to one another: not to be
 * copied. */
typedef struct {
  VkPhysicalDeviceFeatures2 core; /* of its own shaderInt64 at most; the first of the chain */
  VkPhysicalDevice16BitStorageFeatures storage;
  VkPhysicalDeviceShaderFloat16Int8Features half;
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroup_size;
  VkPhysicalDeviceVulkanMemoryModelFeatures memory_model;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix;
  VkPhysicalDeviceBufferDeviceAddressFeatures addresses;
} SwinFeatures;

/**
 * swin_extensions_choose: what is worth enabling on a device of the library's own.
 * @features: (out): those to enable, for VkDeviceCreateInfo.pNext
 *
 * Returns: (transfer container): names of extensions that the driver has, NULL-terminated.
 */
const gchar **swin_extensions_choose(const SwinInstanceFunctions *functions,
                                     VkPhysicalDevice physical_device, SwinFeatures *features);

/**
 * swin_extensions_read: what can be done with those that are enabled. The environment variable
 * SWIN_DISABLE takes "fp16", "matrix" and "addresses" away.
 * @names: (nullable): NULL-terminated
 * @features: (nullable): with its chain
 */
SwinExtensions swin_extensions_read(const SwinInstanceFunctions *functions,
                                    VkPhysicalDevice physical_device, const gchar *const *names,
                                    const VkPhysicalDeviceFeatures2 *features);

/**
 * swin_is_disabled: whether the environment variable SWIN_DISABLE, a list with commas, names @what:
 * "fp16", "matrix", "addresses", "tuning" or "pipeline-cache".
 */
gboolean swin_is_disabled(const gchar *what);

#endif /* SWIN_GPU_EXTENSIONS_H */
