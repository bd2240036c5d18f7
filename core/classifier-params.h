// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * classifier-params.h: what is behind SwinClassifierParams.
 */
#ifndef SWIN_CLASSIFIER_PARAMS_H
#define SWIN_CLASSIFIER_PARAMS_H

#include "swin.h"

struct _SwinClassifierParams {
  guint top_k;
  guint batch_size;
  gint64 batch_timeout; /* microseconds */
};

#define SWIN_CLASSIFIER_PARAMS_DEFAULT                                                             \
  { .top_k = 5, .batch_size = 1, .batch_timeout = 0 }

#endif /* SWIN_CLASSIFIER_PARAMS_H */
