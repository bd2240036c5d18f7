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
  VkPipeline handle; /* once swin_pipelines_build() has returned for it */
  VkPipelineLayout layout;
  VkDescriptorSetLayout set_layout; /* n storage buffers at bindings 0 to n-1 */
} SwinPipeline;

SwinPipelines *swin_pipelines_new(SwinDevice *device);

/** swin_pipelines_free: stores what was added since; NULL-safe. */
void swin_pipelines_free(SwinPipelines *pipelines);

/**
 * swin_pipelines_store: writes what was added to the cache on disk (pipeline-cache.h), so that it
 * is there even where the program is killed; does nothing where none was built since.
 */
void swin_pipelines_store(SwinPipelines *pipelines);

/**
 * swin_pipelines_get: the pipeline of a shader with these specialization constants; one that is new
 * has still to be built.
 * @shader: name below the resource path /swin/shaders, without ".spv"
 * @n_constants: at most SWIN_PIPELINE_MAX_CONSTANTS
 * @constants: values of the constants 0 to n_constants-1
 * @subgroup_size: as in SwinDispatch
 *
 * Returns: (transfer none): the pipeline, or NULL with an error.
 */
const SwinPipeline *swin_pipelines_get(SwinPipelines *pipelines, const gchar *shader,
                                       guint n_constants, const guint32 *constants,
                                       guint n_bindings, guint32 push_size, guint32 subgroup_size,
                                       GError **error);

/**
 * swin_pipelines_build: builds those that are not built yet, by as many threads as the machine has
 * processors: a driver takes 20 to 200 ms for each.
 * @needed: of SwinPipeline, of @pipelines; the same one may be in it several times
 *
 * Returns: FALSE with the error of one that cannot be built; the next call tries again.
 */
gboolean swin_pipelines_build(SwinPipelines *pipelines, const GPtrArray *needed, GError **error);

#endif /* SWIN_GPU_PIPELINES_H */
