// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image-private.h"

#define MAX_SIZE 32768
#define MAX_SHIFT 2
#define MAX_DEPTH 16
#define MAX_TEXEL_SIZE 16

/** Field: a value of an enumeration. */
typedef struct {
  const gchar *name;
  guint value;
  guint last; /* the largest that there is */
} Field;

static gboolean check_enumerations(const SwinFrame *frame, GError **error) {
  const Field fields[] = {
      {"model", frame->model, SWIN_COLOR_GRAY},
      {"range", frame->range, SWIN_COLOR_RANGE_LIMITED},
      {"matrix", frame->model == SWIN_COLOR_YUV ? frame->matrix : 0, SWIN_COLOR_MATRIX_BT2020},
      {"memory", frame->memory, SWIN_FRAME_MEMORY_IMAGE},
      {"chroma_site", frame->chroma_site,
       SWIN_CHROMA_COSITED_X | SWIN_CHROMA_COSITED_Y | SWIN_CHROMA_INTERLACED},
      {"orientation", frame->orientation, SWIN_ORIENTATION_ANTITRANSPOSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
    if (fields[i].value <= fields[i].last)
      continue;
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's %s is %u, which is none of the values in swin.h.", fields[i].name,
                fields[i].value);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_size(const SwinFrame *frame, GError **error) {
  if (frame->width < 1 || frame->width > MAX_SIZE || frame->height < 1 ||
      frame->height > MAX_SIZE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's width and height are %u x %u, and each must be from 1 to %d.",
                frame->width, frame->height, MAX_SIZE);
    return FALSE;
  }
  const SwinRectangle crop = swin_frame_crop(frame);
  if (crop.x >= frame->width || crop.width > frame->width - crop.x || crop.y >= frame->height ||
      crop.height > frame->height - crop.y) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's crop, %u x %u pixels from (%u, %u) on, must lie inside of its %u x %u "
                "pixels.",
                crop.width, crop.height, crop.x, crop.y, frame->width, frame->height);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_place(const SwinFrameComponent *component, guint index, GError **error) {
  if (component->plane >= SWIN_FRAME_MAX_PLANES) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u].plane is %u and must be from 0 to %d.", index,
                component->plane, SWIN_FRAME_MAX_PLANES - 1);
    return FALSE;
  }
  if (component->pixel_stride < 1 || component->pixel_stride > SWIN_IMAGE_MAX_PIXEL_STRIDE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u].pixel_stride is %u bytes and must be from 1 to %d.",
                index, component->pixel_stride, SWIN_IMAGE_MAX_PIXEL_STRIDE);
    return FALSE;
  }
  if (component->pair_stride > SWIN_IMAGE_MAX_PIXEL_STRIDE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u].pair_stride is %u bytes and must be from 0 to %d.",
                index, component->pair_stride, SWIN_IMAGE_MAX_PIXEL_STRIDE);
    return FALSE;
  }
  if (component->shift_x > MAX_SHIFT || component->shift_y > MAX_SHIFT) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u] has shift_x %u and shift_y %u, which must be from 0 to "
                "%d.",
                index, component->shift_x, component->shift_y, MAX_SHIFT);
    return FALSE;
  }
  if (index == 0 && (component->shift_x > 0 || component->shift_y > 0)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[0] has shift_x %u and shift_y %u; the first component must "
                "have a sample of every pixel.",
                component->shift_x, component->shift_y);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_sample(const SwinFrameComponent *component, guint index, GError **error) {
  const guint word_size = swin_component_word_size(component);
  const guint depth = swin_component_depth(component);
  if (word_size != 1 && word_size != 2 && word_size != 4) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u].word_size is %u bytes and must be 1, 2 or 4.", index,
                word_size);
    return FALSE;
  }
  if (component->offset % word_size != 0 || component->pixel_stride % word_size != 0 ||
      component->pair_stride % word_size != 0) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_FRAME,
        "The frame's component[%u] has offset %u, pixel_stride %u and pair_stride %u, which "
        "must be multiples of its word_size, %u.",
        index, component->offset, component->pixel_stride, component->pair_stride, word_size);
    return FALSE;
  }
  if (depth > MAX_DEPTH) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u].depth is %u bits and must be from 1 to %d.", index,
                depth, MAX_DEPTH);
    return FALSE;
  }
  if (component->low_bit > 8 * word_size - MIN(depth, 8 * word_size) || depth > 8 * word_size) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u] has %u bits from low_bit %u on, which do not fit a word "
                "of %u.",
                index, depth, component->low_bit, 8 * word_size);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_host_plane(const SwinFrame *frame, guint index, GError **error) {
  const guint plane = frame->component[index].plane;
  if (frame->planes[plane])
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
              "The frame's component[%u] lies in planes[%u], which is NULL.", index, plane);
  return FALSE;
}

static gboolean check_dmabuf_plane(const SwinFrame *frame, guint index, GError **error) {
  const guint plane = frame->component[index].plane;
  if (frame->dmabuf[plane] >= 0)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
              "The frame's component[%u] lies in dmabuf[%u], which is %d and no file descriptor.",
              index, plane, frame->dmabuf[plane]);
  return FALSE;
}

static gboolean is_aspect(VkImageAspectFlags aspect) {
  return aspect == VK_IMAGE_ASPECT_COLOR_BIT || aspect == VK_IMAGE_ASPECT_PLANE_0_BIT ||
         aspect == VK_IMAGE_ASPECT_PLANE_1_BIT || aspect == VK_IMAGE_ASPECT_PLANE_2_BIT;
}

static gboolean check_image_plane(const SwinFrame *frame, guint index, GError **error) {
  const SwinFrameImages *images = &frame->images;
  const guint plane = frame->component[index].plane;
  if (images->image[plane] >= images->n_images) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's component[%u] lies in images.image[%u], which is %u and must be below "
                "images.n_images, %u.",
                index, plane, images->image[plane], images->n_images);
    return FALSE;
  }
  if (!is_aspect(images->aspect[plane])) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's images.aspect[%u] is 0x%x and must be that of colour or of one plane.",
                plane, images->aspect[plane]);
    return FALSE;
  }
  if (images->texel_size[plane] < 1 || images->texel_size[plane] > MAX_TEXEL_SIZE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's images.texel_size[%u] is %u bytes and must be from 1 to %d.", plane,
                images->texel_size[plane], MAX_TEXEL_SIZE);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_row(const SwinFrame *frame, guint index, GError **error) {
  const SwinFrameComponent *component = &frame->component[index];
  const guint64 row_bytes =
      swin_component_byte(component, frame->width - 1) + swin_component_word_size(component);
  if (frame->strides[component->plane] >= row_bytes)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
              "The frame's strides[%u] is %" G_GSIZE_FORMAT
              " bytes, but a row of component[%u] takes %" G_GUINT64_FORMAT ".",
              component->plane, frame->strides[component->plane], index, row_bytes);
  return FALSE;
}

static gboolean check_component(const SwinFrame *frame, guint index, GError **error) {
  const SwinFrameComponent *component = &frame->component[index];
  if (!check_place(component, index, error) || !check_sample(component, index, error))
    return FALSE;
  switch (frame->memory) {
  case SWIN_FRAME_MEMORY_DMABUF:
    return check_dmabuf_plane(frame, index, error) && check_row(frame, index, error);
  case SWIN_FRAME_MEMORY_IMAGE:
    return check_image_plane(frame, index, error);
  case SWIN_FRAME_MEMORY_HOST:
  default:
    return check_host_plane(frame, index, error) && check_row(frame, index, error);
  }
}

static gboolean check_image(const SwinFrameImages *images, guint index, GError **error) {
  if (images->images[index] == VK_NULL_HANDLE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's images.images[%u] is VK_NULL_HANDLE.", index);
    return FALSE;
  }
  for (guint i = 0; i < index; i++) {
    if (images->images[i] != images->images[index])
      continue;
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's images.images[%u] and images.images[%u] are the same image, which is "
                "to be named once.",
                i, index);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_images(const SwinFrameImages *images, GError **error) {
  if (images->n_images < 1 || images->n_images > SWIN_FRAME_MAX_PLANES) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's images.n_images is %u and must be from 1 to %d.", images->n_images,
                SWIN_FRAME_MAX_PLANES);
    return FALSE;
  }
  for (guint i = 0; i < images->n_images; i++)
    if (!check_image(images, i, error))
      return FALSE;
  if (!images->begin || !images->end) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                "The frame's images.%s is NULL; without it nobody knows the state of the images.",
                images->begin ? "end" : "begin");
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
  if (!check_enumerations(frame, error) || !check_size(frame, error) ||
      (frame->memory == SWIN_FRAME_MEMORY_IMAGE && !check_images(&frame->images, error)))
    return FALSE;
  for (guint i = 0; i < swin_frame_n_components(frame); i++)
    if (!check_component(frame, i, error))
      return FALSE;
  return TRUE;
}
