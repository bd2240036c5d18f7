// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * family.h: network families: a config turned into a plan.
 */
#ifndef SWIN_NETWORK_FAMILY_H
#define SWIN_NETWORK_FAMILY_H

#include "network/plan.h"

/**
 * swin_plan_new_swin: Swin Transformer V1 (arXiv:2103.14030) for @batch images.
 * @top_k: tags per image, cut to the number of classes and to SWIN_TOP_K_MAX; 0 leaves softmax and
 *   top-k out
 * @keep_stages: also make "stages.0", "stages.1", ... outputs
 *
 * Input "input" [batch, n_channels, H, W], normalised. Outputs "logits" [batch, n_classes],
 * "pooled" [batch, C], with @top_k "tags" [batch, k, 2], with @keep_stages the tokens after each
 * stage and its merging [batch, h, w, C].
 *
 * The caller finishes the plan.
 */
SwinPlan *swin_plan_new_swin(SwinModel *model, guint batch, guint top_k, gboolean keep_stages);

#endif /* SWIN_NETWORK_FAMILY_H */
