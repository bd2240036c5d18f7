// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * image-private.h: what the files image*.c share.
 */
#ifndef SWIN_IMAGE_PRIVATE_H
#define SWIN_IMAGE_PRIVATE_H

#include "image.h"

static inline guint swin_component_depth(const SwinFrameComponent *component) {
  return component->depth > 0 ? component->depth : 8;
}

static inline guint swin_component_word_size(const SwinFrameComponent *component) {
  return component->word_size > 0 ? component->word_size : 1;
}

/** swin_component_byte: where the word of column @x begins in its row. */
static inline guint64 swin_component_byte(const SwinFrameComponent *component, guint x) {
  return component->offset + (guint64)(x >> component->shift_x) * component->pixel_stride +
         (guint64)(x >> 1) * component->pair_stride;
}

/** swin_component_row: the row of line @y in its plane. Interlaced, the lines of a field share rows
 * with each other alone. */
static inline guint swin_component_row(const SwinFrame *frame, const SwinFrameComponent *component,
                                       guint y) {
  const guint row = y >> component->shift_y;
  return frame->chroma_site & SWIN_CHROMA_INTERLACED ? (row & ~1u) | (y & 1) : row;
}

/** swin_frame_shown_component: gray is seen as three components that are the same one. */
static inline const SwinFrameComponent *swin_frame_shown_component(const SwinFrame *frame,
                                                                   guint index) {
  return &frame->component[frame->model == SWIN_COLOR_GRAY ? 0 : index];
}

/** swin_frame_crop: what is looked at, in pixels as stored. */
SwinRectangle swin_frame_crop(const SwinFrame *frame);

/** SwinImageTurn: what makes a stored picture upright: first its axes are reversed, then swapped.
 */
typedef struct {
  gboolean reverse_x;
  gboolean reverse_y;
  gboolean transpose;
} SwinImageTurn;

SwinImageTurn swin_frame_turn(const SwinFrame *frame);

/** swin_image_stored: a region of what is looked at, in pixels of the frame as stored. */
SwinRectangle swin_image_stored(const SwinFrame *frame, const SwinRectangle *region);

static inline guint swin_image_group_start(guint x) {
  return x / SWIN_RESIZE_GROUP * SWIN_RESIZE_GROUP;
}

/** swin_image_describe_colour: the fields from repeat on. */
void swin_image_describe_colour(const SwinFrame *frame, struct SwinImageParameters *image);

#endif /* SWIN_IMAGE_PRIVATE_H */
