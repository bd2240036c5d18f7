// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reference/reference.h"

#include <math.h>

/* What the steps of one attention operation share. The network is written here the way the paper
 * and its code have it: pad, roll, cut into windows, attend, put back, roll back, crop; or roll,
 * pad, ..., crop, roll back. */
typedef struct {
  const SwinAttentionParameters *parameters;
  guint64 height, width, channels;     /* of the map */
  guint64 padded_height, padded_width; /* multiples of the window */
  guint64 head_dim;
  const float *table;       /* (nullable): [2 * table_height - 1, 2 * table_width - 1, heads] */
  const float *bias[3];     /* (nullable): [C], of query, key and value */
  const float *logit_scale; /* (nullable): [heads] */
} Attention;

static guint64 round_up(guint64 value, guint64 multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/* Where a coordinate of the rolled, padded axis comes from: less than @size, or from there on where
 * it is padding. */
static guint64 source(const Attention *attention, guint64 coordinate, guint64 shift, guint64 size,
                      guint64 padded_size) {
  if (!attention->parameters->roll_before_padding)
    return (coordinate + shift) % padded_size;
  return coordinate < size ? (coordinate + shift) % size : size;
}

static guint64 source_y(const Attention *attention, guint64 y) {
  return source(attention, y, attention->parameters->shift_y, attention->height,
                attention->padded_height);
}

static guint64 source_x(const Attention *attention, guint64 x) {
  return source(attention, x, attention->parameters->shift_x, attention->width,
                attention->padded_width);
}

/* [H, W, 3C] -> [padded H, padded W, 3C], rolled by minus the shift */
static float *pad_and_roll(const Attention *attention, const float *map) {
  guint64 width = 3 * attention->channels;
  float *rolled = g_new(float, attention->padded_height * attention->padded_width * width);
  float *next = rolled;

  for (guint64 y = 0; y < attention->padded_height; y++)
    for (guint64 x = 0; x < attention->padded_width; x++)
      for (guint64 i = 0; i < width; i++) {
        guint64 from_y = source_y(attention, y), from_x = source_x(attention, x);
        const float *bias = attention->bias[i / attention->channels];

        if (from_y < attention->height && from_x < attention->width)
          *next++ = map[(from_y * attention->width + from_x) * width + i];
        else
          *next++ = bias != NULL ? bias[i % attention->channels] : 0.0f;
      }
  return rolled;
}

/* Which of up to three regions of the rolled axis a coordinate lies in. */
static guint region(guint64 coordinate, guint64 size, guint64 window, guint64 shift) {
  if (shift == 0)
    return 0;
  if (coordinate < size - window)
    return 0;
  return coordinate < size - shift ? 1 : 2;
}

static double mask(const Attention *attention, guint64 y1, guint64 x1, guint64 y2, guint64 x2) {
  const SwinAttentionParameters *p = attention->parameters;
  gboolean same_y = region(y1, attention->padded_height, p->window_height, p->shift_y) ==
                    region(y2, attention->padded_height, p->window_height, p->shift_y);
  gboolean same_x = region(x1, attention->padded_width, p->window_width, p->shift_x) ==
                    region(x2, attention->padded_width, p->window_width, p->shift_x);

  return same_y && same_x ? 0.0 : -(double)p->mask;
}

static double position_bias(const Attention *attention, guint head, gint64 dy, gint64 dx) {
  const SwinAttentionParameters *p = attention->parameters;
  gint64 reach_y = (gint64)p->table_height - 1, reach_x = (gint64)p->table_width - 1;
  gint64 row = (dy + reach_y) * (2 * reach_x + 1) + dx + reach_x;

  return attention->table != NULL ? (double)attention->table[row * (gint64)p->n_heads + head] : 0.0;
}

static double dot(const float *a, const float *b, guint64 n) {
  double sum = 0.0;

  for (guint64 i = 0; i < n; i++)
    sum += (double)a[i] * (double)b[i];
  return sum;
}

/* As torch.nn.functional.normalize has it. */
static double length(const float *vector, guint64 n) {
  return MAX(sqrt(dot(vector, vector, n)), 1e-12);
}

/* What a query and a key have in common, before bias and mask. */
static double score(const Attention *attention, guint head, const float *query, const float *key) {
  guint64 n = attention->head_dim;

  if (attention->parameters->kind == SWIN_ATTENTION_SCALED)
    return dot(query, key, n) / sqrt((double)n);
  return dot(query, key, n) / (length(query, n) * length(key, n)) *
         exp(MIN((double)attention->logit_scale[head], log(100.0)));
}

/* Attention of the token at (@y, @x) of the rolled map to its window. @output: [head_dim] */
static void attend(const Attention *attention, const float *rolled, guint head, guint64 y,
                   guint64 x, float *output) {
  const SwinAttentionParameters *p = attention->parameters;
  guint64 n = (guint64)p->window_height * p->window_width, width = 3 * attention->channels;
  guint64 top = y - y % p->window_height, left = x - x % p->window_width;
  g_autofree double *scores = g_new(double, n);
  const float *query =
      rolled + (y * attention->padded_width + x) * width + head * attention->head_dim;
  double maximum = -INFINITY, sum = 0.0;

  for (guint64 i = 0; i < n; i++) {
    guint64 key_y = top + i / p->window_width, key_x = left + i % p->window_width;
    const float *key = rolled + (key_y * attention->padded_width + key_x) * width +
                       attention->channels + head * attention->head_dim;

    scores[i] =
        score(attention, head, query, key) +
        position_bias(attention, head, (gint64)y - (gint64)key_y, (gint64)x - (gint64)key_x) +
        mask(attention, y, x, key_y, key_x);
    maximum = MAX(maximum, scores[i]);
  }
  for (guint64 i = 0; i < n; i++) {
    scores[i] = exp(scores[i] - maximum);
    sum += scores[i];
  }
  for (guint64 d = 0; d < attention->head_dim; d++) {
    double value = 0.0;

    for (guint64 i = 0; i < n; i++) {
      guint64 key_y = top + i / p->window_width, key_x = left + i % p->window_width;

      value += scores[i] / sum *
               (double)rolled[(key_y * attention->padded_width + key_x) * width +
                              2 * attention->channels + head * attention->head_dim + d];
    }
    output[d] = (float)value;
  }
}

/* One image: [H, W, 3C] -> [H, W, C] */
static void attend_image(const Attention *attention, const float *input, float *output) {
  const SwinAttentionParameters *p = attention->parameters;
  g_autofree float *rolled = pad_and_roll(attention, input);

  for (guint64 y = 0; y < attention->padded_height; y++)
    for (guint64 x = 0; x < attention->padded_width; x++) {
      guint64 to_y = source_y(attention, y), to_x = source_x(attention, x);

      if (to_y >= attention->height || to_x >= attention->width)
        continue;
      for (guint head = 0; head < p->n_heads; head++)
        attend(attention, rolled, head, y, x,
               output + (to_y * attention->width + to_x) * attention->channels +
                   head * attention->head_dim);
    }
}

/* [N, H, W, 3C] -> [N, H, W, C] */
void reference_attention(const SwinPlan *plan, const SwinOperation *operation,
                         float *const *tensors) {
  const guint64 *out = swin_plan_get_tensor(plan, operation->output)->shape;
  g_autofree float *table = reference_read_weight(operation, SWIN_ATTENTION_BIAS_TABLE);
  g_autofree float *query_bias = reference_read_weight(operation, SWIN_ATTENTION_QKV_BIAS);
  g_autofree float *key_bias = reference_read_weight(operation, SWIN_ATTENTION_QKV_BIAS + 1);
  g_autofree float *value_bias = reference_read_weight(operation, SWIN_ATTENTION_QKV_BIAS + 2);
  g_autofree float *logit_scale = reference_read_weight(operation, SWIN_ATTENTION_LOGIT_SCALE);
  Attention attention = {
      .parameters = operation->parameters,
      .height = out[1],
      .width = out[2],
      .channels = out[3],
      .table = table,
      .bias = {query_bias, key_bias, value_bias},
      .logit_scale = logit_scale,
  };
  guint64 image_size = out[1] * out[2] * out[3];

  attention.padded_height = round_up(out[1], attention.parameters->window_height);
  attention.padded_width = round_up(out[2], attention.parameters->window_width);
  attention.head_dim = out[3] / attention.parameters->n_heads;
  for (guint64 image = 0; image < out[0]; image++)
    attend_image(&attention, tensors[operation->inputs[0]] + 3 * image * image_size,
                 tensors[operation->output] + image * image_size);
}
