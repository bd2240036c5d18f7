// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image.h"

#include <math.h>
#include <string.h>

#define MAX_SIZE 32768
#define MAX_SHIFT 2

static guint n_components(const SwinFrame *frame) {
  return frame->model == SWIN_COLOR_GRAY ? 1 : 3;
}

/* Gray is seen as three components that are the same one. */
static const SwinFrameComponent *shown_component(const SwinFrame *frame, guint index) {
  return &frame->component[frame->model == SWIN_COLOR_GRAY ? 0 : index];
}

/* Byte of sample (x, y) within its row, and its row within the plane. */
static guint64 byte_of(const SwinFrameComponent *component, guint x) {
  return component->offset + (guint64)(x >> component->shift_x) * component->pixel_stride;
}

static guint row_of(const SwinFrameComponent *component, guint y) {
  return y >> component->shift_y;
}

static gboolean check_component(const SwinFrame *frame, guint index, GError **error) {
  const SwinFrameComponent *component = &frame->component[index];
  if (component->plane >= SWIN_FRAME_MAX_PLANES) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u].plane is %u and must be from 0 to %d.", index,
                component->plane, SWIN_FRAME_MAX_PLANES - 1);
    return FALSE;
  }
  if (!frame->planes[component->plane]) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u] lies in planes[%u], which is NULL.", index,
                component->plane);
    return FALSE;
  }
  if (component->pixel_stride < 1 || component->pixel_stride > SWIN_IMAGE_MAX_PIXEL_STRIDE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u].pixel_stride is %u bytes and must be from 1 to %d.",
                index, component->pixel_stride, SWIN_IMAGE_MAX_PIXEL_STRIDE);
    return FALSE;
  }
  if (component->shift_x > MAX_SHIFT || component->shift_y > MAX_SHIFT) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u] has shift_x %u and shift_y %u, which must be from 0 to "
                "%d.",
                index, component->shift_x, component->shift_y, MAX_SHIFT);
    return FALSE;
  }
  guint64 row_bytes = byte_of(component, frame->width - 1) + 1;
  if (frame->strides[component->plane] < row_bytes) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's strides[%u] is %" G_GSIZE_FORMAT
                " bytes, but a row of component[%u] takes %" G_GUINT64_FORMAT ".",
                component->plane, frame->strides[component->plane], index, row_bytes);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_colour(const SwinFrame *frame, GError **error) {
  const struct {
    const gchar *field;
    guint value, last;
  } enumerations[] = {
      {"model", frame->model, SWIN_COLOR_GRAY},
      {"range", frame->range, SWIN_COLOR_RANGE_LIMITED},
      {"matrix", frame->model == SWIN_COLOR_YUV ? frame->matrix : 0, SWIN_COLOR_MATRIX_BT2020},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(enumerations); i++) {
    if (enumerations[i].value <= enumerations[i].last)
      continue;
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's %s is %u, which is none of the values in swin.h.",
                enumerations[i].field, enumerations[i].value);
    return FALSE;
  }
  return TRUE;
}

gboolean swin_frame_check(const SwinFrame *frame, GError **error) {
  if (frame->struct_size != sizeof(SwinFrame)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's struct_size is %" G_GSIZE_FORMAT " and must be %" G_GSIZE_FORMAT
                ": begin with SWIN_FRAME_INIT.",
                frame->struct_size, sizeof(SwinFrame));
    return FALSE;
  }
  if (frame->width < 1 || frame->width > MAX_SIZE || frame->height < 1 ||
      frame->height > MAX_SIZE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's width and height are %u x %u, and each must be from 1 to %d.",
                frame->width, frame->height, MAX_SIZE);
    return FALSE;
  }
  if (!check_colour(frame, error))
    return FALSE;
  for (guint i = 0; i < n_components(frame); i++)
    if (!check_component(frame, i, error))
      return FALSE;
  return TRUE;
}

static guint group_start(guint x) {
  return x / SWIN_RESIZE_GROUP * SWIN_RESIZE_GROUP;
}

/* Widens @plane so that it holds @component's samples of @region. */
static void include_component(SwinImagePlane *plane, const SwinFrameComponent *component,
                              const SwinImageRegion *region) {
  const guint last_x = region->x + region->width - 1;
  const guint end_row = row_of(component, region->y + region->height - 1) + 1;
  const SwinImagePlane own = {
      .first_row = row_of(component, region->y),
      .first_byte = byte_of(component, group_start(region->x)),
      .end_byte = byte_of(component, last_x) + 1,
      .end_group = byte_of(component, group_start(last_x) + SWIN_RESIZE_GROUP - 1) + 1,
  };
  const gboolean first = plane->n_rows == 0;
  const guint plane_end_row = MAX(plane->first_row + plane->n_rows, end_row);
  plane->first_row = first ? own.first_row : MIN(plane->first_row, own.first_row);
  plane->n_rows = plane_end_row - plane->first_row;
  plane->first_byte = first ? own.first_byte : MIN(plane->first_byte, own.first_byte);
  plane->end_byte = MAX(plane->end_byte, own.end_byte);
  plane->end_group = MAX(plane->end_group, own.end_group);
}

SwinImageLayout swin_image_layout(const SwinFrame *frame, const SwinImageRegion *region) {
  SwinImageLayout layout = {0};
  for (guint i = 0; i < n_components(frame); i++)
    include_component(&layout.planes[frame->component[i].plane], &frame->component[i], region);
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++) {
    SwinImagePlane *plane = &layout.planes[i];
    const guint64 first_word = plane->first_byte / 4;
    const guint64 end_word = (plane->end_group + 3) / 4;
    plane->upload_stride = (end_word - first_word) * 4;
    plane->upload_offset = layout.size - first_word * 4 - plane->first_row * plane->upload_stride;
    layout.size += plane->upload_stride * plane->n_rows;
  }
  return layout;
}

void swin_image_upload(const SwinFrame *frame, const SwinImageLayout *layout,
                       gpointer destination) {
  guint8 *upload = destination;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++) {
    const SwinImagePlane *plane = &layout->planes[i];
    for (guint row = plane->first_row; row < plane->first_row + plane->n_rows; row++) {
      const guint64 target = plane->upload_offset + row * plane->upload_stride + plane->first_byte;
      const gsize source = (gsize)row * frame->strides[i] + plane->first_byte;
      memcpy(upload + target, frame->planes[i] + source, plane->end_byte - plane->first_byte);
    }
  }
}

/* What samples are multiplied with, [R, G, B][component], after @zero was taken off them. */
typedef struct {
  gdouble factor[3][3];
  gdouble zero[3];
} Colour;

/* R'G'B' = Y' + 2 (1 - Kr) Cr and so on (ITU-R BT.601-7 2.5, BT.709-6 3, BT.2020-2 table 4), the
 * codes being 219 luma and 224 chroma steps wide, or 255 in full range (JFIF 1.02). */
static Colour yuv_colour(SwinColorMatrix matrix, gboolean limited) {
  static const gdouble weights[][2] = {
      [SWIN_COLOR_MATRIX_BT601] = {0.299, 0.114},
      [SWIN_COLOR_MATRIX_BT709] = {0.2126, 0.0722},
      [SWIN_COLOR_MATRIX_BT2020] = {0.2627, 0.0593},
  };
  gdouble kr = weights[matrix][0];
  gdouble kb = weights[matrix][1];
  gdouble kg = 1.0 - kr - kb;
  gdouble luma = limited ? 255.0 / 219.0 : 1.0;
  gdouble chroma = limited ? 255.0 / 224.0 : 1.0;
  gdouble cb = 2.0 * (1.0 - kb) * chroma;
  gdouble cr = 2.0 * (1.0 - kr) * chroma;
  return (Colour){
      .factor = {{luma, 0.0, cr}, {luma, -cb * kb / kg, -cr * kr / kg}, {luma, cb, 0.0}},
      .zero = {limited ? 16.0 : 0.0, 128.0, 128.0},
  };
}

static Colour frame_colour(const SwinFrame *frame) {
  gboolean limited = frame->range == SWIN_COLOR_RANGE_LIMITED;
  gdouble one = limited ? 255.0 / 219.0 : 1.0;
  gdouble zero = limited ? 16.0 : 0.0;
  switch (frame->model) {
  case SWIN_COLOR_YUV:
    return yuv_colour(frame->matrix, limited);
  case SWIN_COLOR_GRAY:
    return (Colour){{{one}, {one}, {one}}, {zero}};
  case SWIN_COLOR_RGB:
  default:
    return (Colour){{{one, 0, 0}, {0, one, 0}, {0, 0, one}}, {zero, zero, zero}};
  }
}

/* The offset takes the zero points off all at once and adds half a code for rounding. Sums stay
 * within 32 bits: the factors' absolute values add up to less than 4. */
static void describe_colour(const SwinFrame *frame, struct SwinImageParameters *image) {
  const gdouble one = 1 << SWIN_COLOUR_BITS;
  Colour colour = frame_colour(frame);
  for (guint i = 0; i < 3; i++) {
    gint64 offset = 1 << (SWIN_COLOUR_BITS - 1);
    for (guint j = 0; j < 3; j++) {
      gint64 factor = llround(colour.factor[i][j] * one);
      image->colour_matrix[3 * i + j] = (gint32)factor;
      offset -= factor * llround(colour.zero[j]);
    }
    image->colour_offset[i] = (gint32)offset;
  }
}

/* The frame's pixel (0, 0) need not be uploaded, so the base may lie before the upload: 32-bit
 * arithmetic wraps around to the right byte in C and GLSL alike. */
static void describe_component(const SwinFrame *frame, const SwinImageLayout *layout, guint index,
                               struct SwinImageParameters *image) {
  const SwinFrameComponent *component = shown_component(frame, index);
  const SwinImagePlane *plane = &layout->planes[component->plane];
  image->base[index] = (guint32)(plane->upload_offset + component->offset);
  image->row_stride[index] = (guint32)plane->upload_stride;
  image->pixel_stride[index] = component->pixel_stride;
  image->shift_x[index] = component->shift_x;
  image->shift_y[index] = component->shift_y;
}

/* Whether a group of columns has each component's samples in one word. Where samples lie in words
 * repeats at the latest after 16 columns. */
static gboolean is_planar(const SwinFrame *frame) {
  for (guint i = 0; i < 3; i++)
    for (guint x = 0; x < 16; x++) {
      const SwinFrameComponent *component = shown_component(frame, i);
      if (byte_of(component, x) / 4 != byte_of(component, group_start(x)) / 4)
        return FALSE;
    }
  return TRUE;
}

static gboolean in_one_plane(const SwinFrame *frame) {
  return shown_component(frame, 1)->plane == frame->component[0].plane &&
         shown_component(frame, 2)->plane == frame->component[0].plane &&
         shown_component(frame, 1)->shift_y == frame->component[0].shift_y &&
         shown_component(frame, 2)->shift_y == frame->component[0].shift_y;
}

/* Whether each pixel has its samples in one word, at places within it that are those of the group
 * before. */
static gboolean is_words(const SwinFrame *frame) {
  for (guint i = 0; i < 3; i++)
    for (guint x = 0; x < 16; x++) {
      const guint64 byte = byte_of(shown_component(frame, i), x);
      if (byte / 4 != byte_of(&frame->component[0], x) / 4 ||
          byte % 4 != byte_of(shown_component(frame, i), x - group_start(x)) % 4)
        return FALSE;
    }
  return in_one_plane(frame);
}

static gboolean is_triple(const SwinFrame *frame) {
  for (guint i = 0; i < 3; i++) {
    const SwinFrameComponent *component = shown_component(frame, i);
    if (component->pixel_stride != 3 || component->offset >= 3 || component->shift_x != 0)
      return FALSE;
  }
  return in_one_plane(frame);
}

static guint32 choose_access(const SwinFrame *frame) {
  if (is_planar(frame))
    return SWIN_IMAGE_PLANAR;
  if (is_words(frame))
    return SWIN_IMAGE_WORDS;
  return is_triple(frame) ? SWIN_IMAGE_TRIPLE : SWIN_IMAGE_BYTES;
}

void swin_image_describe(const SwinFrame *frame, const SwinImageLayout *layout,
                         struct SwinImageParameters *image) {
  for (guint i = 0; i < 3; i++)
    describe_component(frame, layout, i, image);
  describe_colour(frame, image);
  image->access = choose_access(frame);
}
