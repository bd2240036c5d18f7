// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/hazards.h"

typedef struct {
  SwinStageAccess access;
  VkPipelineStageFlags followed; /* stages whose later commands wait for it and see what it wrote */
} Remembered;

SwinHazards *swin_hazards_new(void) {
  return g_array_new(FALSE, FALSE, sizeof(Remembered));
}

static gboolean writes(const SwinStageAccess *access) {
  return (access->binding.access & SWIN_ACCESS_WRITE) != 0;
}

static VkAccessFlags write_access(VkPipelineStageFlags stage) {
  return stage == VK_PIPELINE_STAGE_TRANSFER_BIT ? VK_ACCESS_TRANSFER_WRITE_BIT
                                                 : VK_ACCESS_SHADER_WRITE_BIT;
}

static VkAccessFlags any_access(VkPipelineStageFlags stage) {
  switch (stage) {
  case VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT:
    return VK_ACCESS_INDIRECT_COMMAND_READ_BIT;
  case VK_PIPELINE_STAGE_TRANSFER_BIT:
    return VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
  default:
    return VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
  }
}

static gboolean overlap(const SwinBinding *a, const SwinBinding *b) {
  return a->buffer == b->buffer && a->offset < b->offset + b->size &&
         b->offset < a->offset + a->size;
}

static gboolean depends(const SwinStageAccess *access, const Remembered *earlier) {
  return (writes(access) || writes(&earlier->access)) && !(earlier->followed & access->stage) &&
         overlap(&access->binding, &earlier->access.binding);
}

SwinBarrier swin_hazards_find(const SwinHazards *hazards, guint n_accesses,
                              const SwinStageAccess *accesses) {
  SwinBarrier barrier = {0};
  for (guint i = 0; i < hazards->len; i++) {
    const Remembered *earlier = &g_array_index(hazards, Remembered, i);
    for (guint j = 0; j < n_accesses; j++) {
      if (!depends(&accesses[j], earlier))
        continue;
      barrier.source |= earlier->access.stage;
      barrier.destination |= accesses[j].stage;
      if (!writes(&earlier->access))
        continue;
      barrier.source_access |= write_access(earlier->access.stage);
      barrier.destination_access |= any_access(accesses[j].stage);
    }
  }
  return barrier;
}

void swin_hazards_place(SwinHazards *hazards, const SwinBarrier *barrier) {
  for (guint i = 0; i < hazards->len; i++) {
    Remembered *earlier = &g_array_index(hazards, Remembered, i);
    const VkPipelineStageFlags stage = earlier->access.stage;
    if (!(barrier->source & stage))
      continue;
    if (!writes(&earlier->access)) {
      earlier->followed |= barrier->destination;
      continue;
    }
    /* What it wrote is seen by those stages alone whose accesses the barrier names. */
    static const VkPipelineStageFlags stages[] = {VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                                  VK_PIPELINE_STAGE_TRANSFER_BIT,
                                                  VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT};
    for (guint j = 0; j < G_N_ELEMENTS(stages); j++)
      if ((barrier->source_access & write_access(stage)) && (barrier->destination & stages[j]) &&
          (barrier->destination_access & any_access(stages[j])) == any_access(stages[j]))
        earlier->followed |= stages[j];
  }
}

/* Whoever touches something in @earlier's range later depends on @later, and through it waits for
 * @earlier too. */
static gboolean replaces(const SwinStageAccess *later, const SwinStageAccess *earlier) {
  const SwinBinding *outer = &later->binding, *inner = &earlier->binding;
  return writes(later) && outer->buffer == inner->buffer && outer->offset <= inner->offset &&
         inner->offset + inner->size <= outer->offset + outer->size;
}

void swin_hazards_add(SwinHazards *hazards, guint n_accesses, const SwinStageAccess *accesses) {
  for (guint i = hazards->len; i-- > 0;) {
    const SwinStageAccess earlier = g_array_index(hazards, Remembered, i).access;
    for (guint j = 0; j < n_accesses; j++) {
      if (!replaces(&accesses[j], &earlier))
        continue;
      g_array_remove_index_fast(hazards, i);
      break;
    }
  }
  for (guint j = 0; j < n_accesses; j++) {
    const Remembered remembered = {.access = accesses[j]};
    g_array_append_val(hazards, remembered);
  }
}
