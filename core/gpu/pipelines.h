// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * pipelines.h: compute pipelines by shader and constants, built once per device. Thread-safe.
 */
#ifndef SWIN_GPU_PIPELINES_H
#define SWIN_GPU_PIPELINES_H

#include "gpu/device.h"

#define SWIN_PIPELINE_MAX_CONSTANTS 24

typedef struct _SwinPipelines SwinPipelines;

/** SwinPipeline: owned by the SwinPipelines it came from; lives as long as the device. */
typedef struct {
  VkPipeline handle;
  VkPipelineLayout layout;
  VkDescriptorSetLayout set_layout; /* n storage buffers at bindings 0 to n-1 */
} SwinPipeline;

SwinPipelines *swin_pipelines_new(SwinDevice *device);
void swin_pipelines_free(SwinPipelines *pipelines); /* NULL-safe */

/**
 * swin_pipelines_get: the pipeline of a shader with these specialization constants.
 * @shader: name below the resource path /swin/shaders, without ".spv"
 * @n_constants: at most SWIN_PIPELINE_MAX_CONSTANTS
 * @constants: values of the constants 0 to n_constants-1
 *
 * Returns: (transfer none): the pipeline, or NULL with an error.
 */
const SwinPipeline *swin_pipelines_get(SwinPipelines *pipelines, const gchar *shader,
                                       guint n_constants, const guint32 *constants,
                                       guint n_bindings, guint32 push_size, GError **error);

#endif /* SWIN_GPU_PIPELINES_H */
