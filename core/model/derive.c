// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/derive.h"

#include <math.h>

/* ---- Position bias of Swin V2 --------------------------------------------------------------- */

/* Heads that are summed up together: a number that the compiler knows, so that it can keep the sums
 * in vector registers. */
#define LANES 8

static gdouble *read_doubles(const SwinTensor *tensor) {
  const gsize n = (gsize)tensor->n_elements;
  g_autofree gfloat *values = g_new(gfloat, n);
  gdouble *doubles = g_new(gdouble, n);
  swin_tensor_read(tensor, 0, n, values);
  for (gsize i = 0; i < n; i++) {
    doubles[i] = values[i];
  }
  return doubles;
}

/* [heads, hidden] to [groups of LANES heads, hidden, LANES]; lanes without a head are zero. */
static gdouble *read_lanes(const SwinTensor *weight) {
  const gsize n_heads = (gsize)weight->shape[0], n_hidden = (gsize)weight->shape[1];
  g_autofree gdouble *values = read_doubles(weight);
  gdouble *lanes = g_new0(gdouble, (n_heads + LANES - 1) / LANES * LANES * n_hidden);
  for (gsize head = 0; head < n_heads; head++) {
    gdouble *group = lanes + head / LANES * LANES * n_hidden;
    for (gsize i = 0; i < n_hidden; i++) {
      group[i * LANES + head % LANES] = values[head * n_hidden + i];
    }
  }
  return lanes;
}

/* sign(d) * log2(1 + |8 d|) / log2(8), where @scale (of pretrained tokens) becomes d = 1. The
 * distances of a window of one token are all 0, whatever they are divided by. */
static gdouble log_spaced(gint distance, guint scale) {
  const gdouble relative = 8.0 * distance / MAX((gint)scale - 1, 1);
  return copysign(log2(1.0 + fabs(relative)) / 3.0, relative);
}

/* The sums over the hidden values that one group of heads makes. Values that the ReLU made zero
 * (half of them) add nothing. */
static void sum_lanes(const gdouble *hidden, gsize n_hidden, const gdouble *lanes,
                      gdouble sums[LANES]) {
  gdouble sum[LANES] = {0.0};
  for (gsize i = 0; i < n_hidden; i++) {
    if (hidden[i] > 0.0) {
      for (guint lane = 0; lane < LANES; lane++) {
        sum[lane] += hidden[i] * lanes[i * LANES + lane];
      }
    }
  }
  for (guint lane = 0; lane < LANES; lane++) {
    sums[lane] = sum[lane];
  }
}

void swin_derive_position_bias(guint window_height, guint window_width, guint pretrained_window,
                               const SwinTensor *weight1, const SwinTensor *bias1,
                               const SwinTensor *weight2, gfloat *table) {
  const gsize n_hidden = (gsize)bias1->n_elements, n_heads = (gsize)weight2->shape[0];
  const guint height_scale = pretrained_window != 0 ? pretrained_window : window_height;
  const guint width_scale = pretrained_window != 0 ? pretrained_window : window_width;
  g_autofree gdouble *first = read_doubles(weight1), *first_bias = read_doubles(bias1);
  g_autofree gdouble *lanes = read_lanes(weight2), *hidden = g_new(gdouble, n_hidden);
  for (gint y = 1 - (gint)window_height; y < (gint)window_height; y++) {
    for (gint x = 1 - (gint)window_width; x < (gint)window_width; x++) {
      const gdouble at_y = log_spaced(y, height_scale), at_x = log_spaced(x, width_scale);
      for (gsize i = 0; i < n_hidden; i++) {
        hidden[i] = MAX(first[2 * i] * at_y + first[2 * i + 1] * at_x + first_bias[i], 0.0);
      }
      for (gsize head = 0; head < n_heads; head += LANES) {
        gdouble sums[LANES];
        sum_lanes(hidden, n_hidden, lanes + head * n_hidden, sums);
        for (gsize lane = 0; lane < MIN(LANES, n_heads - head); lane++) {
          table[head + lane] = (gfloat)(16.0 / (1.0 + exp(-sums[lane])));
        }
      }
      table += n_heads;
    }
  }
}

/* ---- Bicubic resize ------------------------------------------------------------------------- */

/* Where one new row or column comes from: @n old ones from @first on. */
typedef struct {
  guint first, n;
  gdouble *weights; /* within the axis' array */
} Taps;

typedef struct {
  Taps *taps;
  gdouble *weights;
} Axis;

static void axis_clear(Axis *axis) {
  g_free(axis->taps);
  g_free(axis->weights);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Axis, axis_clear)

/* R. Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 4. */
static gdouble cubic_kernel(gdouble distance, gdouble a) {
  const gdouble x = fabs(distance);
  if (x < 1.0) {
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  }
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

/* The four old samples around the new one; what lies beyond the edge is the sample at the edge. */
static void plain_taps(guint old_size, gdouble center, Taps *taps) {
  const gdouble position = center - 0.5, start = floor(position) - 1.0;
  const gdouble last = old_size - 1;
  taps->first = (guint)CLAMP(start, 0.0, last);
  taps->n = (guint)CLAMP(start + 3.0, 0.0, last) - taps->first + 1;
  for (guint i = 0; i < 4; i++) {
    const guint source = (guint)CLAMP(start + i, 0.0, last);
    taps->weights[source - taps->first] += cubic_kernel(position - (start + i), -0.75);
  }
}

/* Every old sample under a kernel as wide as @stretch; the weights make up 1 also at the edge. */
static void antialiased_taps(guint old_size, gdouble center, gdouble stretch, Taps *taps) {
  const gdouble support = 2.0 * stretch;
  taps->first = (guint)MAX(center - support + 0.5, 0.0);
  taps->n = (guint)MIN(center + support + 0.5, (gdouble)old_size) - taps->first;
  gdouble sum = 0.0;
  for (guint i = 0; i < taps->n; i++) {
    taps->weights[i] = cubic_kernel((taps->first + i + 0.5 - center) / stretch, -0.5);
    sum += taps->weights[i];
  }
  for (guint i = 0; i < taps->n; i++) {
    taps->weights[i] /= sum;
  }
}

static void axis_init(Axis *axis, guint old_size, guint new_size, SwinCubic cubic) {
  /* PyTorch's is of single precision too: what is rounded off here grows along the axis. */
  const gfloat scale = (gfloat)old_size / (gfloat)new_size;
  const gdouble stretch = MAX(scale, 1.0f);
  const gsize n_weights = cubic == SWIN_CUBIC_PLAIN ? 4 : (gsize)ceil(4.0 * stretch) + 1;
  axis->taps = g_new(Taps, new_size);
  axis->weights = g_new0(gdouble, n_weights * new_size);
  for (guint i = 0; i < new_size; i++) {
    const gdouble center = (gdouble)scale * (i + 0.5); /* of areas, not of samples */
    axis->taps[i].weights = axis->weights + i * n_weights;
    if (cubic == SWIN_CUBIC_PLAIN) {
      plain_taps(old_size, center, &axis->taps[i]);
    } else {
      antialiased_taps(old_size, center, stretch, &axis->taps[i]);
    }
  }
}

/* One new position: all channels. */
static void resize_position(const gfloat *values, guint width, guint channels, const Taps *down,
                            const Taps *across, gdouble *sums) {
  for (guint channel = 0; channel < channels; channel++) {
    sums[channel] = 0.0;
  }
  for (guint i = 0; i < down->n; i++) {
    for (guint j = 0; j < across->n; j++) {
      const gdouble weight = down->weights[i] * across->weights[j];
      const gfloat *from =
          values + ((gsize)(down->first + i) * width + across->first + j) * channels;
      for (guint channel = 0; channel < channels; channel++) {
        sums[channel] += weight * from[channel];
      }
    }
  }
}

void swin_derive_resized(const gfloat *values, guint height, guint width, guint new_height,
                         guint new_width, guint channels, SwinCubic cubic, gfloat *resized) {
  g_auto(Axis) rows = {NULL, NULL};
  g_auto(Axis) columns = {NULL, NULL};
  axis_init(&rows, height, new_height, cubic);
  axis_init(&columns, width, new_width, cubic);
  g_autofree gdouble *sums = g_new(gdouble, channels);
  for (guint y = 0; y < new_height; y++) {
    for (guint x = 0; x < new_width; x++) {
      resize_position(values, width, channels, &rows.taps[y], &columns.taps[x], sums);
      for (guint channel = 0; channel < channels; channel++) {
        *resized++ = (gfloat)sums[channel];
      }
    }
  }
}
