// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image-private.h"

/* ---- Interpolation -------------------------------------------------------------------------- */

/*
 * Linear, and rounded to codes along each axis, as GStreamer's videoconvert does it
 * (chroma-resampler=linear; gst-libs/gst/video/video-chroma.c), down to what it leaves out:
 * neighbouring rows that are cosited, interlaced rows of a quarter, and the end of a line where a
 * group is not whole.
 */

static const struct SwinInterpolation not_interpolated = {.span = 1};

static struct SwinInterpolation describe_columns(const SwinFrame *frame, guint shift) {
  const gboolean cosited = (frame->chroma_site & SWIN_CHROMA_COSITED_X) != 0;
  static const struct SwinInterpolation ways[2][2] = {
      {{.span = 2, .before = 1, .gap = 1, .weights = 0x62},
       {.span = 4, .before = 2, .gap = 2, .weights = 0x7531}},
      {{.span = 2, .gap = 2, .weights = 0x40}, {.span = 4, .gap = 4, .weights = 0x6420}},
  };
  return shift == 0 ? not_interpolated : ways[cosited][shift - 1];
}

static struct SwinInterpolation describe_lines(const SwinFrame *frame, guint shift) {
  static const struct SwinInterpolation halved = {
      .span = 2, .before = 1, .gap = 1, .weights = 0x62};
  static const struct SwinInterpolation quartered = {
      .span = 4, .before = 2, .gap = 2, .weights = 0x7531};
  static const struct SwinInterpolation halved_fields = {
      .span = 4, .before = 2, .odd = 1, .gap = 2, .weights = 0x5713};
  if (shift == 0 || (frame->chroma_site & SWIN_CHROMA_COSITED_Y))
    return not_interpolated;
  if (frame->chroma_site & SWIN_CHROMA_INTERLACED)
    return shift == 1 ? halved_fields : not_interpolated;
  return shift == 1 ? halved : quartered;
}

/* ---- Samples -------------------------------------------------------------------------------- */

/* The frame's pixel (0, 0) need not be uploaded, so the base may lie before the upload: 32-bit
 * arithmetic wraps around to the right byte in C and GLSL alike. */
static void describe_component(const SwinFrame *frame, const SwinImageLayout *layout, guint index,
                               struct SwinImageParameters *image) {
  const SwinFrameComponent *component = swin_frame_shown_component(frame, index);
  const SwinImagePlane *plane = &layout->planes[component->plane];
  const guint depth = swin_component_depth(component);
  const guint word_size = swin_component_word_size(component);
  image->base[index] = (guint32)(plane->upload_offset + component->offset);
  image->row_stride[index] = (guint32)plane->upload_stride;
  image->pixel_stride[index] = component->pixel_stride;
  image->pair_stride[index] = component->pair_stride;
  image->shift_x[index] = component->shift_x;
  image->shift_y[index] = component->shift_y;
  image->columns[index] = describe_columns(frame, component->shift_x);
  image->lines[index] = describe_lines(frame, component->shift_y);
  image->big_endian[index] = component->big_endian ? 1 : 0;
  image->low_bit[index] = component->low_bit + (component->big_endian ? 32 - 8 * word_size : 0);
  image->mask[index] = (1u << depth) - 1;
}

/* ---- Access --------------------------------------------------------------------------------- */

static gboolean is_bytes(const SwinFrame *frame) {
  for (guint i = 0; i < 3; i++) {
    const SwinFrameComponent *component = swin_frame_shown_component(frame, i);
    if (swin_component_depth(component) != 8 || swin_component_word_size(component) != 1 ||
        component->pair_stride != 0)
      return FALSE;
  }
  return TRUE;
}

/* Whether chroma has half the columns. */
static gboolean is_halved(const SwinFrame *frame) {
  const SwinFrameComponent *component = frame->component;
  return frame->model == SWIN_COLOR_YUV && component[1].shift_x == 1 && component[2].shift_x == 1 &&
         component[1].shift_y == component[2].shift_y;
}

/* Whether nothing is subsampled. */
static gboolean is_full(const SwinFrame *frame) {
  for (guint i = 0; i < 3; i++) {
    const SwinFrameComponent *component = swin_frame_shown_component(frame, i);
    if (component->shift_x != 0 || component->shift_y != 0)
      return FALSE;
  }
  return TRUE;
}

static guint64 byte_of(const SwinFrame *frame, guint index, guint x) {
  return swin_component_byte(swin_frame_shown_component(frame, index), x);
}

/* Where samples lie in words repeats at the latest after this many columns. */
#define PERIOD 16

/* Whether a group of columns has each component's samples in one word. */
static gboolean is_planar(const SwinFrame *frame) {
  for (guint i = 0; i < 3; i++)
    for (guint x = 0; x < PERIOD; x++)
      if (byte_of(frame, i, x) / 4 != byte_of(frame, i, swin_image_group_start(x)) / 4)
        return FALSE;
  return TRUE;
}

static gboolean in_one_plane(const SwinFrame *frame) {
  return swin_frame_shown_component(frame, 1)->plane == frame->component[0].plane &&
         swin_frame_shown_component(frame, 2)->plane == frame->component[0].plane;
}

/* Whether @n_columns columns have all their samples in one word, which is the next one for the next
 * columns. */
static gboolean is_packed(const SwinFrame *frame, guint n_columns) {
  for (guint i = 0; i < 3; i++)
    for (guint x = 0; x < PERIOD; x++)
      if (byte_of(frame, i, x) / 4 != x / n_columns)
        return FALSE;
  return in_one_plane(frame);
}

static gboolean is_triple(const SwinFrame *frame) {
  for (guint i = 0; i < 3; i++)
    for (guint x = 0; x < PERIOD; x++)
      if (byte_of(frame, i, x) / 3 != x)
        return FALSE;
  return in_one_plane(frame);
}

static guint32 choose_access(const SwinFrame *frame) {
  const guint32 general = is_full(frame) ? SWIN_IMAGE_FULL : SWIN_IMAGE_SAMPLES;
  if (!is_bytes(frame))
    return general;
  if (is_halved(frame)) {
    if (is_planar(frame))
      return SWIN_IMAGE_HALVED;
    return is_packed(frame, 2) && frame->component[1].shift_y == 0 ? SWIN_IMAGE_PAIRS : general;
  }
  if (!is_full(frame))
    return general;
  if (is_planar(frame))
    return SWIN_IMAGE_PLANAR;
  if (is_packed(frame, 1))
    return SWIN_IMAGE_WORDS;
  return is_triple(frame) ? SWIN_IMAGE_TRIPLE : general;
}

/* ---- Places --------------------------------------------------------------------------------- */

static void describe_region(const SwinFrame *frame, const SwinRectangle *stored,
                            struct SwinImageParameters *image) {
  const SwinRectangle crop = swin_frame_crop(frame);
  image->first_column = swin_image_group_start(stored->x);
  image->end_column = swin_image_group_start(stored->x + stored->width + SWIN_RESIZE_GROUP - 1);
  image->first_line = stored->y;
  image->n_lines = stored->height;
  image->left = crop.x;
  image->right = crop.x + crop.width - 1;
  image->top = crop.y;
  image->bottom = crop.y + crop.height - 1;
}

/* Where columns and lines go among the pixels: see SwinImagePixels. Modulo 2^32. */
static void describe_pixels(const SwinFrame *frame, const SwinRectangle *region,
                            const SwinRectangle *stored, struct SwinImageParameters *image) {
  const SwinImageTurn turn = swin_frame_turn(frame);
  const guint32 row = swin_image_pixels(frame, region).row_groups * SWIN_RESIZE_GROUP;
  const guint32 across = turn.transpose ? row : 1; /* from one column's place to the next */
  const guint32 down = turn.transpose ? 1 : row;
  const guint32 lead = turn.transpose ? region->x % SWIN_RESIZE_GROUP : 0;
  image->column_step = turn.reverse_x ? -across : across;
  image->line_step = turn.reverse_y ? -down : down;
  image->origin = lead;
  image->origin -=
      (turn.reverse_x ? image->end_column - 1 : image->first_column) * image->column_step;
  image->origin -= (turn.reverse_y ? stored->y + stored->height - 1 : stored->y) * image->line_step;
}

void swin_image_describe(const SwinFrame *frame, const SwinRectangle *region,
                         const SwinImageLayout *layout, struct SwinImageParameters *image) {
  const SwinRectangle stored = swin_image_stored(frame, region);
  describe_region(frame, &stored, image);
  describe_pixels(frame, region, &stored, image);
  image->interlaced = frame->chroma_site & SWIN_CHROMA_INTERLACED ? 1 : 0;
  for (guint i = 0; i < 3; i++)
    describe_component(frame, layout, i, image);
  image->access = choose_access(frame);
  swin_image_describe_colour(frame, image);
}
