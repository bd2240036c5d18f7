// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * family.h: network families: a model turned into a plan. A family is one file that calls no
 * Vulkan.
 */
#ifndef SWIN_NETWORK_FAMILY_H
#define SWIN_NETWORK_FAMILY_H

#include "network/plan.h"

/** SwinPlanOptions: what is asked of a plan beyond the model. */
typedef struct {
  guint batch; /* images, at least 1 */
  guint top_k; /* tags per image, cut to the number of classes and to SWIN_TOP_K_MAX; 0
                  leaves activation and top-k out */
  SwinActivation activation; /* AUTO: the model's */
  gboolean keep_stages;      /* also make "stages.0", "stages.1", ... outputs */
  SwinStorage storage; /* of activations and weights; "input", "pooled", "logits" and "tags" are
                          float32 (words) in any case, "stages.0" and so on are not */
  gboolean fused;      /* norms and gathers in front of products are part of them: fewer
                          dispatches, each with more to do. See swin_network_fuses() */
} SwinPlanOptions;

/**
 * swin_family_plan: the plan of @model, by its family.
 *
 * Input "input" [batch, n_channels, H, W], normalised. Outputs "pooled" [batch, C] (of a ViT with a
 * distillation token what the class token's head sees), for a model with a head "logits" [batch,
 * n_classes], with top_k "tags" [batch, k, 2]; with keep_stages the tokens after each stage and its
 * merging [batch, h, w, C], for ViT those after its last block before any norm [batch, 1, prefix
 * tokens + h * w, C], without prefix tokens [batch, h, w, C], as "stages.0".
 *
 * The caller finishes the plan.
 */
SwinPlan *swin_family_plan(SwinModel *model, const SwinPlanOptions *options);

/* ---- The families --------------------------------------------------------------------------- */

/** swin_family_add_swin: Swin Transformer V1 and V2. Returns: the tensor of logits, or
 * SWIN_PLAN_NO_TENSOR without a head. */
gint swin_family_add_swin(SwinPlan *plan, SwinModel *model, const SwinPlanOptions *options);

/** swin_family_add_vit: Vision Transformer and DeiT; returns the same. */
gint swin_family_add_vit(SwinPlan *plan, SwinModel *model, const SwinPlanOptions *options);

#endif /* SWIN_NETWORK_FAMILY_H */
