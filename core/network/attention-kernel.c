// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/attention-kernel.h"

/* On Mesa's lavapipe 22.3.6 a uniform load costs as much as a dozen vector operations, so queries
 * share it; more than one key at a time only adds spills. What an invocation keeps is bounded too,
 * since compiling takes as long as the unrolled code is. */
#define CPU_QUERIES 7
#define CPU_QUERY_VALUES 256

/* A load that all invocations of a subgroup make from one address fills as many registers as any
 * other: on GPUs that do not make it once for all of them, it takes a few times as long as the
 * arithmetic of one query. Two queries take as many registers as GPUs have. */
#define GPU_LANES 32
#define GPU_QUERIES 2
#define GPU_QUERY_VALUES 64

/* Keys that are loaded before the first one is used: more bring nothing but longer code. */
#define GPU_KEYS 8
#define GPU_KEY_VALUES 256

/* So many keys are summed up one by one without losing digits that matter, more of them in runs. */
#define PLAIN_KEYS 200
#define RUN_KEYS 32

/* How attention.comp spreads queries and keys. */
typedef struct {
  guint64 lanes, queries, keys;
} Spread;

static Spread spread_on_processor(guint64 subgroup, const SwinAttentionTask *task,
                                  guint64 n_queries) {
  guint64 queries = CLAMP(CPU_QUERY_VALUES / task->head_dim, 1, CPU_QUERIES);

  return (Spread){
      .lanes = subgroup,
      .queries = swin_attention_even_part(swin_attention_divide_up(n_queries, subgroup), queries),
      .keys = 1,
  };
}

static Spread spread_on_gpu(guint64 subgroup, const SwinAttentionTask *task, guint64 n_queries) {
  guint64 lanes = swin_attention_round_up(GPU_LANES, subgroup);
  guint64 queries = CLAMP(GPU_QUERY_VALUES / task->head_dim, 1, GPU_QUERIES);

  /* Not where half of the queries would be nobody's. */
  if (2 * swin_attention_round_up(n_queries, lanes * queries) >
      3 * swin_attention_round_up(n_queries, lanes))
    queries = 1;
  return (Spread){
      .lanes = lanes,
      .queries = queries,
      .keys = swin_attention_even_part(task->window_width,
                                       CLAMP(GPU_KEY_VALUES / task->head_dim, 1, GPU_KEYS)),
  };
}

static SwinAttentionKernel choose_plain(SwinDevice *device, const SwinAttentionTask *task) {
  guint64 subgroup = MAX(swin_device_get_limits(device)->subgroup_size, 1);
  guint64 n_queries = task->window_height * task->window_width;
  gboolean in_runs = n_queries > PLAIN_KEYS;
  Spread spread = swin_device_is_cpu(device) ? spread_on_processor(subgroup, task, n_queries)
                                             : spread_on_gpu(subgroup, task, n_queries);
  guint64 run = swin_attention_round_up(
      swin_attention_even_part(task->window_width, in_runs ? RUN_KEYS : task->window_width),
      spread.keys);

  return (SwinAttentionKernel){
      .shader = swin_operation_shader("attention", task->storage),
      .lanes = (guint32)spread.lanes,
      .tiles = (guint32)swin_attention_divide_up(n_queries, spread.lanes * spread.queries),
      .n_rounds = task->window_height * (swin_attention_divide_up(task->window_width, spread.keys) +
                                         swin_attention_divide_up(task->window_width, run) + 1),
      .n_constants = 4,
      .constants = {(guint32)spread.queries, (guint32)spread.keys, (guint32)run, in_runs ? 1 : 0},
  };
}

SwinAttentionKernel swin_attention_choose_kernel(SwinDevice *device,
                                                 const SwinAttentionTask *task) {
  SwinAttentionKernel kernel;

  return swin_attention_choose_matrix(device, task, &kernel) ? kernel : choose_plain(device, task);
}
