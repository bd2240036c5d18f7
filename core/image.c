// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image-private.h"

#include <string.h>

/* The shader fetches whole groups, and the ones beside them: at most two groups and a word further
 * than what is uploaded, either way. */
#define MARGIN                                                                                     \
  (2 * SWIN_RESIZE_GROUP * (SWIN_IMAGE_MAX_PIXEL_STRIDE + SWIN_IMAGE_MAX_PIXEL_STRIDE / 2) + 8)

/* How far from a pixel the samples lie that it is interpolated of: see describe_columns() and
 * describe_lines() in image-describe.c. */
#define REACH 4

SwinRectangle swin_frame_crop(const SwinFrame *frame) {
  if (frame->crop.width == 0 || frame->crop.height == 0)
    return (SwinRectangle){0, 0, frame->width, frame->height};
  return frame->crop;
}

SwinImageTurn swin_frame_turn(const SwinFrame *frame) {
  static const SwinImageTurn turns[] = {
      [SWIN_ORIENTATION_IDENTITY] = {FALSE, FALSE, FALSE},
      [SWIN_ORIENTATION_ROTATE_90] = {FALSE, TRUE, TRUE},
      [SWIN_ORIENTATION_ROTATE_180] = {TRUE, TRUE, FALSE},
      [SWIN_ORIENTATION_ROTATE_270] = {TRUE, FALSE, TRUE},
      [SWIN_ORIENTATION_FLIP_HORIZONTAL] = {TRUE, FALSE, FALSE},
      [SWIN_ORIENTATION_FLIP_VERTICAL] = {FALSE, TRUE, FALSE},
      [SWIN_ORIENTATION_TRANSPOSE] = {FALSE, FALSE, TRUE},
      [SWIN_ORIENTATION_ANTITRANSPOSE] = {TRUE, TRUE, TRUE},
  };
  return turns[frame->orientation];
}

void swin_frame_get_size(const SwinFrame *frame, guint *width, guint *height) {
  const SwinRectangle crop = swin_frame_crop(frame);
  const gboolean transpose = swin_frame_turn(frame).transpose;
  *width = transpose ? crop.height : crop.width;
  *height = transpose ? crop.width : crop.height;
}

guint swin_frame_get_phase(const SwinFrame *frame) {
  const SwinRectangle crop = swin_frame_crop(frame);
  const SwinImageTurn turn = swin_frame_turn(frame);
  if (turn.transpose) /* rows are made of stored columns, pixel by pixel */
    return 0;
  return turn.reverse_x ? -(crop.x + crop.width) % SWIN_RESIZE_GROUP : crop.x % SWIN_RESIZE_GROUP;
}

SwinRectangle swin_image_stored(const SwinFrame *frame, const SwinRectangle *region) {
  const SwinRectangle crop = swin_frame_crop(frame);
  const SwinImageTurn turn = swin_frame_turn(frame);
  SwinRectangle stored = *region;
  if (turn.transpose)
    stored = (SwinRectangle){region->y, region->x, region->height, region->width};
  if (turn.reverse_x)
    stored.x = crop.width - stored.x - stored.width;
  if (turn.reverse_y)
    stored.y = crop.height - stored.y - stored.height;
  stored.x += crop.x;
  stored.y += crop.y;
  return stored;
}

SwinImagePixels swin_image_pixels(const SwinFrame *frame, const SwinRectangle *region) {
  const SwinRectangle stored = swin_image_stored(frame, region);
  const SwinImageTurn turn = swin_frame_turn(frame);
  const guint lead = (swin_frame_get_phase(frame) + region->x) % SWIN_RESIZE_GROUP;
  const guint first_column = swin_image_group_start(stored.x);
  const guint end_column = swin_image_group_start(stored.x + stored.width + SWIN_RESIZE_GROUP - 1);
  SwinImagePixels pixels = {
      .row_groups = (lead + region->width + SWIN_RESIZE_GROUP - 1) / SWIN_RESIZE_GROUP,
      .n_rows = region->height,
  };
  if (turn.transpose) {
    pixels.n_rows = end_column - first_column;
    pixels.first_row =
        turn.reverse_x ? end_column - stored.x - stored.width : stored.x - first_column;
  }
  return pixels;
}

/** Span: positions or rows, the last one included. */
typedef struct {
  guint first, last;
} Span;

/* The columns or lines that those of a stored region are interpolated of. */
static Span reach(guint start, guint size, guint crop_start, guint crop_size, guint shift) {
  const guint more = shift > 0 ? REACH : 0;
  return (Span){
      .first = MAX(start - MIN(start, more), crop_start),
      .last = MIN(start + size - 1 + more, crop_start + crop_size - 1),
  };
}

/* Neighbouring lines of an interlaced frame belong to different fields, and the later one may have
 * the earlier row. */
static Span rows_of(const SwinFrame *frame, const SwinFrameComponent *component, Span lines) {
  const guint second = MIN(lines.first + 1, lines.last);
  const guint last_but_one = MAX(lines.last, lines.first + 1) - 1;
  return (Span){
      .first = MIN(swin_component_row(frame, component, lines.first),
                   swin_component_row(frame, component, second)),
      .last = MAX(swin_component_row(frame, component, last_but_one),
                  swin_component_row(frame, component, lines.last)),
  };
}

/* Widens @plane so that it holds @component's samples of a stored region. */
static void include_component(SwinImagePlane *plane, const SwinFrame *frame,
                              const SwinFrameComponent *component, const SwinRectangle *stored) {
  const SwinRectangle crop = swin_frame_crop(frame);
  const Span columns = reach(stored->x, stored->width, crop.x, crop.width, component->shift_x);
  const Span rows = rows_of(
      frame, component, reach(stored->y, stored->height, crop.y, crop.height, component->shift_y));
  const guint64 first_byte = swin_component_byte(component, swin_image_group_start(columns.first));
  const guint64 end_byte =
      swin_component_byte(component, columns.last) + swin_component_word_size(component);
  const gboolean first = plane->n_rows == 0;
  const guint end_row = MAX(first ? 0 : plane->first_row + plane->n_rows, rows.last + 1);
  plane->first_row = first ? rows.first : MIN(plane->first_row, rows.first);
  plane->n_rows = end_row - plane->first_row;
  plane->first_byte = first ? first_byte : MIN(plane->first_byte, first_byte);
  plane->end_byte = MAX(plane->end_byte, end_byte);
}

static guint64 round_down(guint64 value, guint64 unit) {
  return value / unit * unit;
}

static guint64 round_up(guint64 value, guint64 unit) {
  return (value + unit - 1) / unit * unit;
}

/* Whole words, and whole texels where there are any. */
static guint64 place_unit(const SwinFrame *frame, guint plane) {
  const guint64 word = sizeof(guint32);
  if (frame->memory != SWIN_FRAME_MEMORY_IMAGE)
    return word;
  guint64 unit = frame->images.texel_size[plane];
  while (unit % word != 0)
    unit *= 2;
  return unit;
}

/* Bytes between two rows that are copied with them, so that a plane is one piece. The processor
 * copies a row in little time but has no long run then, which costs it half as much again; a device
 * would have a command for each row. */
static guint64 largest_gap(const SwinFrame *frame, guint64 row_bytes) {
  switch (frame->memory) {
  case SWIN_FRAME_MEMORY_HOST:
    return row_bytes / 8;
  case SWIN_FRAME_MEMORY_DMABUF:
    return row_bytes;
  case SWIN_FRAME_MEMORY_IMAGE: /* has no rows of its own */
    break;
  }
  return 0;
}

/* Places a plane's rows behind the @size bytes that are taken. */
static void place_plane(const SwinFrame *frame, guint index, SwinImagePlane *plane, guint64 *size) {
  const guint64 unit = place_unit(frame, index);
  if (frame->memory == SWIN_FRAME_MEMORY_IMAGE) {
    const guint64 texel_size = frame->images.texel_size[index];
    plane->first_byte = round_down(plane->first_byte, texel_size);
    plane->end_byte = round_up(plane->end_byte, texel_size);
  }
  const guint64 start = round_down(plane->first_byte, unit);
  plane->upload_stride = round_up(plane->end_byte, unit) - start;
  const guint64 own_stride = frame->strides[index];
  if (own_stride % unit == 0 && own_stride >= plane->upload_stride &&
      own_stride - plane->upload_stride <= largest_gap(frame, plane->upload_stride))
    plane->upload_stride = own_stride;
  *size = round_up(*size, unit);
  plane->upload_offset = *size - start - plane->first_row * plane->upload_stride;
  *size += plane->upload_stride * plane->n_rows;
}

SwinImageLayout swin_image_layout(const SwinFrame *frame, const SwinRectangle *region) {
  const SwinRectangle stored = swin_image_stored(frame, region);
  SwinImageLayout layout = {.size = MARGIN};
  for (guint i = 0; i < swin_frame_n_components(frame); i++) {
    const SwinFrameComponent *component = &frame->component[i];
    include_component(&layout.planes[component->plane], frame, component, &stored);
  }
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    if (layout.planes[i].n_rows > 0)
      place_plane(frame, i, &layout.planes[i], &layout.size);
  layout.size = round_up(layout.size + MARGIN, sizeof(guint32));
  return layout;
}

static void upload_plane(const guint8 *source, gsize stride, const SwinImagePlane *plane,
                         guint8 *upload) {
  const gsize row_bytes = plane->end_byte - plane->first_byte;
  const guint8 *first = source + (gsize)plane->first_row * stride + plane->first_byte;
  /* The offset is that of a row and column 0 that may lie before the buffer: one sum, modulo 2^64.
   */
  guint8 *target =
      upload + (plane->upload_offset + plane->first_row * plane->upload_stride + plane->first_byte);
  if (stride == plane->upload_stride) {
    memcpy(target, first, (plane->n_rows - 1) * stride + row_bytes);
    return;
  }
  for (guint row = 0; row < plane->n_rows; row++)
    memcpy(target + row * plane->upload_stride, first + row * stride, row_bytes);
}

void swin_image_upload(const SwinFrame *frame, const SwinImageLayout *layout,
                       gpointer destination) {
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++)
    if (layout->planes[i].n_rows > 0)
      upload_plane(frame->planes[i], frame->strides[i], &layout->planes[i], destination);
}
