// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classifier-params.h"
#include "engine.h"
#include "network/operations.h"

SwinClassifierParams *swin_classifier_params_new(void) {
  SwinClassifierParams *params = g_new(SwinClassifierParams, 1);
  *params = (SwinClassifierParams)SWIN_CLASSIFIER_PARAMS_DEFAULT;
  return params;
}

void swin_classifier_params_free(SwinClassifierParams *params) {
  g_free(params);
}

void swin_classifier_params_set_top_k(SwinClassifierParams *params, guint top_k) {
  params->top_k = CLAMP(top_k, 1, SWIN_TOP_K_MAX);
}

void swin_classifier_params_set_batch_size(SwinClassifierParams *params, guint batch_size) {
  params->batch_size = CLAMP(batch_size, 1, SWIN_ENGINE_MAX_BATCH);
}

void swin_classifier_params_set_batch_timeout(SwinClassifierParams *params, gint64 microseconds) {
  /* Half the range, so that the sum with a time cannot overflow. */
  params->batch_timeout = CLAMP(microseconds, 0, G_MAXINT64 / 2);
}
