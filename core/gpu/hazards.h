// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * hazards.h: which commands must wait for which: what the commands of a command buffer do to ranges
 * of buffers, and which barriers lie between.
 */
#ifndef SWIN_GPU_HAZARDS_H
#define SWIN_GPU_HAZARDS_H

#include "gpu/buffer.h"

typedef enum { SWIN_ACCESS_READ = 1, SWIN_ACCESS_WRITE = 2, SWIN_ACCESS_READ_WRITE = 3 } SwinAccess;

/** SwinBinding: a range of a buffer, and what is done to it. */
typedef struct {
  const SwinBuffer *buffer;
  guint64 offset; /* bytes; a multiple of the device's storage_alignment where it is bound */
  guint64 size;   /* bytes; at most max_storage_range where it is bound */
  SwinAccess access;
} SwinBinding;

/** SwinStageAccess: a range, and where in the device's pipeline it is touched. */
typedef struct {
  SwinBinding binding;
  VkPipelineStageFlags stage; /* one of COMPUTE_SHADER, TRANSFER, DRAW_INDIRECT (which reads) */
} SwinStageAccess;

/** SwinBarrier: the arguments of a memory barrier. Without @source_access nothing has to be made
 * visible: one only writes what others have read. */
typedef struct {
  VkPipelineStageFlags source, destination; /* 0: no barrier */
  VkAccessFlags source_access, destination_access;
} SwinBarrier;

/** SwinHazards: the accesses of a command buffer so far. */
typedef GArray SwinHazards; /* of private structs */

SwinHazards *swin_hazards_new(void);

/**
 * swin_hazards_find: the barrier that must lie in front of a command with these accesses: no wider
 * than what they depend on. Two that only read never depend on one another.
 */
SwinBarrier swin_hazards_find(const SwinHazards *hazards, guint n_accesses,
                              const SwinStageAccess *accesses);

/** swin_hazards_place: remembers that @barrier was placed. */
void swin_hazards_place(SwinHazards *hazards, const SwinBarrier *barrier);

/** swin_hazards_add: remembers the accesses of a command, behind the barrier that it needs. */
void swin_hazards_add(SwinHazards *hazards, guint n_accesses, const SwinStageAccess *accesses);

#endif /* SWIN_GPU_HAZARDS_H */
