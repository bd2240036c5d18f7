// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A logit that is no number ranks below every other, so that the order stays total. */
static float rankable(float logit) {
  return isnan(logit) ? -INFINITY : logit;
}

/* The best class that is not taken; of equals the first. */
static guint32 best_left(const float *logits, guint64 n_classes, const gboolean *taken) {
  guint64 best = n_classes;

  for (guint64 i = 0; i < n_classes; i++)
    if (!taken[i] && (best == n_classes || rankable(logits[i]) > rankable(logits[best])))
      best = i;
  g_assert(best < n_classes);
  return (guint32)best;
}

static double finite_logit(float logit) {
  return CLAMP((double)rankable(logit), -FLT_MAX / 2, FLT_MAX / 2);
}

/* The numerator of the softmax. */
static double term(float logit, double maximum) {
  return isnan(logit) ? 0.0 : exp(finite_logit(logit) - maximum);
}

/* The sum over all classes that every term is a part of. @maximum: keeps the terms in range */
static double softmax_sum(const float *logits, guint64 n_classes, double maximum) {
  double sum = 0.0;

  for (guint64 i = 0; i < n_classes; i++)
    sum += term(logits[i], maximum);
  return sum;
}

static double sigmoid(float logit) {
  return isnan(logit) ? 0.0 : 1.0 / (1.0 + exp(-finite_logit(logit)));
}

/* [N, classes] -> [N, k, 2] words */
void reference_top_k(const SwinPlan *plan, const SwinOperation *operation, float *const *tensors) {
  const SwinTopKParameters *parameters = operation->parameters;
  const guint64 *in = swin_plan_get_tensor(plan, operation->inputs[0])->shape;
  const float *logits = tensors[operation->inputs[0]];
  float *output = tensors[operation->output];

  for (guint64 image = 0; image < in[0]; image++, logits += in[1]) {
    g_autofree gboolean *taken = g_new0(gboolean, in[1]);
    double maximum = finite_logit(logits[best_left(logits, in[1], taken)]);
    double sum = softmax_sum(logits, in[1], maximum);

    for (guint rank = 0; rank < parameters->k; rank++, output += 2) {
      guint32 index = best_left(logits, in[1], taken);
      double numerator = term(logits[index], maximum);

      taken[index] = TRUE;
      memcpy(&output[0], &index, sizeof(index));
      if (parameters->activation == SWIN_ACTIVATION_SIGMOID)
        output[1] = (float)sigmoid(logits[index]);
      else
        output[1] = numerator > 0.0 ? (float)(numerator / sum) : 0.0f;
    }
  }
}
