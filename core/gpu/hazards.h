// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * hazards.h: which ranges of which buffers were touched since the last barrier.
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

/** SwinHazards: accesses since the last barrier. */
typedef GArray SwinHazards; /* of SwinBinding */

SwinHazards *swin_hazards_new(void);

/**
 * swin_hazards_conflict: whether @access must wait for one that is remembered: it overlaps one and
 * at least one of the two writes.
 */
gboolean swin_hazards_conflict(const SwinHazards *hazards, const SwinBinding *access);

/** swin_hazards_add: remembers @access. */
void swin_hazards_add(SwinHazards *hazards, const SwinBinding *access);

/** swin_hazards_clear: forgets all: a barrier was placed. */
void swin_hazards_clear(SwinHazards *hazards);

#endif /* SWIN_GPU_HAZARDS_H */
