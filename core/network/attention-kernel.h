// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * attention-kernel.h: which of the shaders computes an attention, and how its work is spread.
 *
 * attention.comp keeps everything in registers, takes any shape, and runs anywhere;
 * attention-matrix.comp feeds matrix units. Both read the same weights.
 */
#ifndef SWIN_NETWORK_ATTENTION_KERNEL_H
#define SWIN_NETWORK_ATTENTION_KERNEL_H

#include "network/operation.h"

/* Specialization constants 1 to 8 are the same in both shaders (shaders/attention.glsl). */
#define SWIN_ATTENTION_FIRST_CONSTANT 9
#define SWIN_ATTENTION_MAX_CONSTANTS 6

/** SwinAttentionTask: what is asked of a kernel. */
typedef struct {
  SwinStorage storage;
  guint64 head_dim;
  guint64 window_height, window_width; /* tokens */
} SwinAttentionTask;

/** SwinAttentionKernel: a shader for a task. */
typedef struct {
  const gchar *shader;   /* as in SwinDispatch */
  guint32 lanes;         /* invocations of a work-group */
  guint32 subgroup_size; /* as in SwinDispatch */
  guint32 tiles;         /* work-groups that share the queries of a window and head */
  guint64 n_rounds;      /* of the loops of an invocation, in all */
  guint n_constants;
  guint32 constants[SWIN_ATTENTION_MAX_CONSTANTS]; /* from SWIN_ATTENTION_FIRST_CONSTANT on */
} SwinAttentionKernel;

/** swin_attention_choose_kernel: the best that @device can run. */
SwinAttentionKernel swin_attention_choose_kernel(SwinDevice *device, const SwinAttentionTask *task);

/** swin_attention_choose_matrix: FALSE where @device has no matrix units, or cannot take the task
 * with them. */
gboolean swin_attention_choose_matrix(SwinDevice *device, const SwinAttentionTask *task,
                                      SwinAttentionKernel *kernel);

static inline guint64 swin_attention_divide_up(guint64 value, guint64 divisor) {
  return (value + divisor - 1) / divisor;
}

static inline guint64 swin_attention_round_up(guint64 value, guint64 multiple) {
  return swin_attention_divide_up(value, multiple) * multiple;
}

/** swin_attention_even_part: as many parts of at most @largest as @n needs, all but the last equal:
 * the size of a part. */
static inline guint64 swin_attention_even_part(guint64 n, guint64 largest) {
  return swin_attention_divide_up(n, swin_attention_divide_up(n, largest));
}

#endif /* SWIN_NETWORK_ATTENTION_KERNEL_H */
