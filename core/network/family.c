// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/family.h"

#include "network/operations.h"

static gint add_family(SwinPlan *plan, SwinModel *model, const SwinPlanOptions *options) {
  switch (swin_model_get_config(model)->family) {
  case SWIN_FAMILY_SWIN:
  case SWIN_FAMILY_SWIN_V2:
    return swin_family_add_swin(plan, model, options);
  case SWIN_FAMILY_VIT:
    return swin_family_add_vit(plan, model, options);
  }
  g_assert_not_reached();
}

/* [N, classes] -> [N, k, 2] */
static void add_tags(SwinPlan *plan, const SwinModelConfig *config, const SwinPlanOptions *options,
                     gint logits) {
  SwinActivation activation =
      options->activation != SWIN_ACTIVATION_AUTO ? options->activation : config->activation;
  guint k = MIN(MIN(options->top_k, SWIN_TOP_K_MAX), config->n_classes);

  gint tags = swin_plan_add_top_k(plan, "top_k", logits, k, activation);
  swin_plan_mark_output(plan, tags, "tags");
}

SwinPlan *swin_family_plan(SwinModel *model, const SwinPlanOptions *options) {
  SwinPlan *plan = swin_plan_new(model, options->storage);

  gint logits = add_family(plan, model, options);
  if (logits != SWIN_PLAN_NO_TENSOR) {
    swin_plan_mark_output(plan, logits, "logits");
    if (options->top_k > 0)
      add_tags(plan, swin_model_get_config(model), options, logits);
  }
  return plan;
}
