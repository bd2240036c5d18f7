// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/random.h"

#include <math.h>
#include <string.h>

/* SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators"
 * (OOPSLA 2014), figure 17. */
static guint64 next_bits(guint64 *state) {
  guint64 z = *state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* Uniform on (-1, 1), never 0: odd multiples of 2^-24, which a float holds exactly. */
static gdouble next_uniform(guint64 *state) {
  gint32 odd = (gint32)(next_bits(state) >> 40) * 2 + 1 - (1 << 24);
  return odd * 0x1p-24;
}

/* V2's logit scales start at ln 10 and are clamped at ln 100 (arXiv:2111.09883, section 3.2, and
 * its reference code). A quarter of those drawn are above the clamp. */
#define LOGIT_SCALE_CENTRE 0x1.26bb1cp+1f
#define LOGIT_SCALE_REACH 0x1.26bb1cp+2f

/* A linear layer keeps the spread of its input when its weights have the variance 1 / inputs, which
 * a uniform distribution has when it reaches to sqrt(3 / inputs). */
static gfloat get_linear_reach(const SwinTensorSlot *slot) {
  guint64 n_inputs = slot->n_elements / slot->shape[0];
  return (gfloat)sqrt(3.0 / (gdouble)n_inputs);
}

void swin_random_fill(guint64 *state, const SwinTensorSlot *slot, guint8 *data) {
  gfloat centre = 0.0f, reach = 0.25f;
  switch (slot->kind) {
  case SWIN_PARAMETER_LINEAR:
    reach = get_linear_reach(slot);
    break;
  case SWIN_PARAMETER_NORM:
    centre = 1.0f;
    break;
  case SWIN_PARAMETER_BIAS:
    /* A position bias must weigh against the scores, which have a spread of about 1. */
    reach = slot->role == SWIN_ROLE_BIAS_TABLE ? 1.0f : 0.25f;
    break;
  case SWIN_PARAMETER_SCALE:
    centre = LOGIT_SCALE_CENTRE;
    reach = LOGIT_SCALE_REACH;
    break;
  }
  for (guint64 i = 0; i < slot->n_elements; i++) {
    /* The product of two floats is exact in a double, so it does not matter whether the compiler
     * fuses it with the sum. */
    gfloat value = (gfloat)(centre + reach * next_uniform(state));
    guint32 word;
    memcpy(&word, &value, sizeof word);
    word = GUINT32_TO_LE(word);
    memcpy(data + i * sizeof word, &word, sizeof word);
  }
}
