// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/attention-kernel.h"

#ifdef HAVE_MATRIX_SHADERS
#define IS_BUILT TRUE
#else
#define IS_BUILT FALSE
#endif

/* Scores that an invocation keeps; more would leave no registers for anything else. */
#define MAX_LANE_SCORES 32

/* Keys of a block; more would leave shared memory for fewer work-groups. */
#define MAX_BLOCK_KEYS 64

/* Subgroups of a work-group, which share the keys and values that it gathers. */
#define MAX_SUBGROUPS 12

/* Values of a head, of which an invocation keeps its part of queries and sums. */
#define MAX_DEPTH 128

/* How attention-matrix.comp takes a task. */
typedef struct {
  SwinMatrixShape shape;
  guint64 subgroup;  /* invocations */
  guint64 depth;     /* values of a head, with the zeros that fill up the last matrix */
  guint64 keys;      /* of a block */
  guint64 subgroups; /* of a work-group, each with shape.m queries */
} Blocking;

static guint64 greatest_divisor(guint64 a, guint64 b) {
  return b == 0 ? a : greatest_divisor(b, a % b);
}

/* Bytes, as the shader declares it: keys and values with places and lengths, then what each
 * subgroup has. */
static guint64 shared_size(const Blocking *blocking) {
  guint64 weights_row = blocking->keys / 8 + blocking->shape.n / 4;
  guint64 strip_row = 1 + MAX(MAX(blocking->keys, blocking->depth) / 4, weights_row);
  guint64 gathered = blocking->keys * (2 * (blocking->depth / 8 + 1) * 16 + 2 * 4);
  guint64 strip = blocking->shape.m * strip_row * 16 + blocking->subgroup * 4;

  return gathered + blocking->subgroups * strip;
}

/* Blocks as even and as few as registers allow, and as many subgroups as then fit. */
static gboolean choose_blocking(SwinDevice *device, const SwinAttentionTask *task,
                                const SwinMatrixShape *shape, Blocking *blocking) {
  const SwinDeviceLimits *limits = swin_device_get_limits(device);
  guint64 subgroup = limits->subgroup_size, n_tokens = task->window_height * task->window_width;
  guint64 unit = (guint64)shape->n * shape->k / greatest_divisor(shape->n, shape->k);

  /* The shader moves eight values at once, and gives every row of a strip to whole invocations. */
  if (task->head_dim % 8 != 0 || shape->m % 8 != 0 || shape->n % 8 != 0 || shape->k % 8 != 0 ||
      subgroup < shape->m || subgroup % shape->m != 0)
    return FALSE;
  guint64 keys = MIN(MAX_BLOCK_KEYS, subgroup / shape->m * MAX_LANE_SCORES);
  *blocking = (Blocking){
      .shape = *shape,
      .subgroup = subgroup,
      .depth = swin_attention_divide_up(task->head_dim, unit) * unit,
      .keys =
          swin_attention_even_part(swin_attention_divide_up(n_tokens, unit), MAX(keys / unit, 1)) *
          unit,
  };
  if (blocking->depth > MAX_DEPTH)
    return FALSE;
  guint64 strips = swin_attention_divide_up(n_tokens, shape->m);
  guint64 subgroups = MIN(MIN(strips, MAX_SUBGROUPS), limits->max_lanes / subgroup);
  for (; subgroups > 0; subgroups--) {
    blocking->subgroups = swin_attention_even_part(strips, subgroups);
    if (shared_size(blocking) <= limits->max_shared)
      return TRUE;
  }
  return FALSE;
}

/* Rounds of an invocation's loops: gathering, scores and sums of a block, and what is done once. */
static guint64 count_rounds(const Blocking *blocking, guint64 n_blocks) {
  guint64 lanes = blocking->subgroups * blocking->subgroup;
  guint64 eights = blocking->depth / 8;
  guint64 gathering = swin_attention_divide_up(blocking->keys * eights, lanes) + 1;
  guint64 lengths = (swin_attention_divide_up(blocking->keys, lanes) + 1) * (eights + 3);
  guint64 products = blocking->keys / blocking->shape.n + blocking->keys / blocking->shape.k + 2;
  guint64 strip =
      2 * (swin_attention_divide_up(blocking->shape.m * eights, blocking->subgroup) + 1) + eights +
      1;

  return n_blocks * (gathering + lengths + products + blocking->shape.n / 4 + 2) + strip;
}

gboolean swin_attention_choose_matrix(SwinDevice *device, const SwinAttentionTask *task,
                                      SwinAttentionKernel *kernel) {
  const SwinExtensions *extensions = swin_device_get_extensions(device);
  guint64 n_tokens = task->window_height * task->window_width;
  Blocking blocking;
  gboolean found = FALSE;

  if (!IS_BUILT || task->storage != SWIN_STORAGE_F16 || swin_device_is_cpu(device))
    return FALSE;
  for (guint i = 0; i < extensions->n_matrix_shapes && !found; i++)
    found = choose_blocking(device, task, &extensions->matrix_shapes[i], &blocking);
  if (!found)
    return FALSE;
  *kernel = (SwinAttentionKernel){
      .shader = "attention-matrix",
      .lanes = (guint32)(blocking.subgroups * blocking.subgroup),
      .subgroup_size = (guint32)blocking.subgroup,
      .tiles = (guint32)swin_attention_divide_up(n_tokens, blocking.subgroups * blocking.shape.m),
      .n_rounds = count_rounds(&blocking, swin_attention_divide_up(n_tokens, blocking.keys)),
      .n_constants = 6,
      .constants = {(guint32)blocking.subgroup, blocking.shape.m, blocking.shape.n,
                    blocking.shape.k, (guint32)blocking.depth, (guint32)blocking.keys},
  };
  return TRUE;
}
