// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * pipeline-cache.h: what the driver made of shaders, kept from one run of a program to the next in
 * the user's cache, a file for each device and driver.
 *
 * Drivers trust what they are given, and crash on a file that was cut off or damaged. So the file
 * has a header of our own, with everything that it must be of and a checksum, and one that does not
 * fit is as good as none. It is replaced as a whole: a program that is killed leaves the old file,
 * of several programs each adds to what it finds. Nothing here is an error to the caller: a folder
 * that cannot be written to means that shaders are compiled anew.
 *
 * Calls for one cache must not overlap.
 */
#ifndef SWIN_GPU_PIPELINE_CACHE_H
#define SWIN_GPU_PIPELINE_CACHE_H

#include "gpu/device.h"

typedef struct _SwinPipelineCache SwinPipelineCache;

/** swin_pipeline_cache_new: with what the file has. The environment variable SWIN_DISABLE with
 * "pipeline-cache" leaves the file alone. */
SwinPipelineCache *swin_pipeline_cache_new(SwinDevice *device);

/** swin_pipeline_cache_free: does not write the file; NULL-safe. */
void swin_pipeline_cache_free(SwinPipelineCache *cache);

/** swin_pipeline_cache_get_handle: for vkCreateComputePipelines(); VK_NULL_HANDLE where there is
 * none. */
VkPipelineCache swin_pipeline_cache_get_handle(SwinPipelineCache *cache);

/** swin_pipeline_cache_store: writes the file, unless it has all of it already. One that would be
 * larger than 64 MiB is removed instead, so that it starts anew. */
void swin_pipeline_cache_store(SwinPipelineCache *cache);

#endif /* SWIN_GPU_PIPELINE_CACHE_H */
