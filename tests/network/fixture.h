// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * fixture.h: small networks of every family for tests of plans.
 */
#ifndef SWIN_TESTS_NETWORK_FIXTURE_H
#define SWIN_TESTS_NETWORK_FIXTURE_H

#include "network/family.h"

/** fixture_tiny_config: Swin of 3 stages: maps of 12 x 20, 6 x 10 and 3 x 5 and windows of 4. */
SwinModelConfig fixture_tiny_config(void);

/** fixture_tiny_v2_config: the same as Swin V2. */
SwinModelConfig fixture_tiny_v2_config(void);

/** fixture_tiny_vit_config: ViT of 4 x 5 patches and a class token, which the head sees. */
SwinModelConfig fixture_tiny_vit_config(void);

/** fixture_plan_with: (transfer full): the plan of a model of random weights, not finished. */
SwinPlan *fixture_plan_with(const SwinModelConfig *config, const SwinPlanOptions *options);

/** fixture_new_plan: the same, in float32 and not fused. */
SwinPlan *fixture_new_plan(const SwinModelConfig *config, guint batch, guint top_k,
                           gboolean keep_stages);

#endif /* SWIN_TESTS_NETWORK_FIXTURE_H */
