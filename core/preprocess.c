// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preprocess.h"
#include "parameters.h"

#include <stddef.h>
#include <string.h>

G_STATIC_ASSERT(sizeof(struct SwinPreprocessParameters) % 16 == 0);

SwinPreprocessNeeds swin_preprocess_needs(const SwinFrame *frame, const SwinResizeTables *tables) {
  const SwinImagePixels pixels = swin_image_pixels(frame, &tables->region);
  const guint64 row_pixels = (guint64)pixels.row_groups * SWIN_RESIZE_GROUP;
  return (SwinPreprocessNeeds){
      .layout = swin_image_layout(frame, &tables->region),
      .parameters = sizeof(struct SwinPreprocessParameters) + tables->size,
      .pixels = pixels.n_rows * row_pixels * sizeof(guint32),
      .intermediate =
          (guint64)tables->region.height * tables->n_blocks * SWIN_RESIZE_BLOCK * sizeof(guint32),
  };
}

gboolean swin_preprocess_check_sizes(SwinDevice *device, const SwinPreprocessNeeds *needs,
                                     GError **error) {
  const guint64 limit = swin_device_get_limits(device)->max_storage_range;
  const guint64 largest =
      MAX(MAX(needs->layout.size, needs->pixels), MAX(needs->parameters, needs->intermediate));
  if (largest <= limit)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME,
              "The frame needs a buffer of %" G_GUINT64_FORMAT " bytes and %s binds at most "
              "%" G_GUINT64_FORMAT "; scale the frame down before it is submitted.",
              largest, swin_device_get_info(device)->name, limit);
  return FALSE;
}

/* The shaders know no colours but the network's channels. */
static void swap_channels(struct SwinPreprocessParameters *parameters) {
  struct SwinImageParameters *image = &parameters->image;
  for (guint i = 0; i < 3; i++) {
    const gint32 red = image->colour_matrix[i];
    image->colour_matrix[i] = image->colour_matrix[6 + i];
    image->colour_matrix[6 + i] = red;
  }
  const gint32 red_offset = image->colour_offset[0];
  image->colour_offset[0] = image->colour_offset[2];
  image->colour_offset[2] = red_offset;
  const guint32 red_fill = parameters->fill[0];
  parameters->fill[0] = parameters->fill[2];
  parameters->fill[2] = red_fill;
}

static guint32 count_groups(guint items, guint group) {
  return (items + group - 1) / group;
}

void swin_preprocess_write(const SwinFrame *frame, const SwinResizeTables *tables,
                           const SwinPreprocessNeeds *needs, gboolean write_tables,
                           gpointer memory) {
  const SwinRectangle *region = &tables->region;
  const SwinImagePixels pixels = swin_image_pixels(frame, region);
  const guint8 *fill = tables->preprocessing.fill;
  struct SwinPreprocessParameters parameters = {
      .horizontal_groups = {count_groups(region->height, SWIN_RESIZE_LANES * SWIN_RESIZE_ROWS),
                            tables->n_blocks, 1},
      .n_rows = region->height,
      .first_group = pixels.first_row * pixels.row_groups,
      .row_groups = pixels.row_groups,
      .fill = {fill[0], fill[1], fill[2]},
  };
  struct SwinImageParameters *image = &parameters.image;
  swin_image_describe(frame, region, &needs->layout, image);
  parameters.unpack_groups[0] = count_groups(image->n_lines, SWIN_RESIZE_LANES);
  parameters.unpack_groups[1] =
      count_groups(image->end_column - image->first_column, SWIN_UNPACK_COLUMNS);
  parameters.unpack_groups[2] = 1;
  if (tables->preprocessing.bgr)
    swap_channels(&parameters);
  memcpy(memory, &parameters, sizeof(parameters));
  if (write_tables)
    swin_resize_tables_write(tables, (gint32 *)((guint8 *)memory + sizeof(parameters)));
}

/* A buffer may have grown beyond what can be bound; frames that need that much are refused. */
static SwinBinding whole_buffer(const SwinBuffer *buffer, SwinAccess access) {
  const guint64 limit = swin_device_get_limits(buffer->device)->max_storage_range;
  return (SwinBinding){buffer, 0, MIN(buffer->size, limit), access};
}

/* The part of @output that holds picture @image, from the last position where a binding may begin;
 * *first is the picture's first value in it. A binding of its own lets pictures run side by side.
 */
static SwinBinding image_binding(SwinDevice *device, SwinBinding output, guint64 image_values,
                                 guint image, guint32 *first) {
  const guint64 start = image_values * image * sizeof(gfloat);
  const guint64 end = start + image_values * sizeof(gfloat);
  const guint64 aligned = start & ~(swin_device_get_limits(device)->storage_alignment - 1);
  *first = (guint32)((start - aligned) / sizeof(gfloat));
  return (SwinBinding){output.buffer, output.offset + aligned, end - aligned, SWIN_ACCESS_WRITE};
}

gboolean swin_preprocess_record(SwinRecorder *recorder, const SwinPreprocessBuffers *buffers,
                                SwinBinding output, guint width, guint height, guint image,
                                GError **error) {
  struct SwinResizePush push = {.width = width, .height = height};
  const SwinBinding target = image_binding(swin_recorder_get_device(recorder), output,
                                           (guint64)3 * width * height, image, &push.first);
  const SwinBinding parameters = whole_buffer(buffers->parameters, SWIN_ACCESS_READ);
  const SwinDispatch unpack = {
      .shader = "unpack",
      .label = "preprocess.unpack",
      .n_constants = 1,
      .constants = {SWIN_RESIZE_LANES},
      .n_bindings = 3,
      .bindings = {whole_buffer(buffers->frame, SWIN_ACCESS_READ), parameters,
                   whole_buffer(buffers->pixels, SWIN_ACCESS_WRITE)},
      .indirect = buffers->parameters,
      .indirect_offset = offsetof(struct SwinPreprocessParameters, unpack_groups),
  };
  const SwinDispatch horizontal = {
      .shader = "resize-horizontal",
      .label = "preprocess.horizontal",
      .n_constants = 1,
      .constants = {SWIN_RESIZE_LANES},
      .n_bindings = 3,
      .bindings = {whole_buffer(buffers->pixels, SWIN_ACCESS_READ), parameters,
                   whole_buffer(buffers->intermediate, SWIN_ACCESS_WRITE)},
      .indirect = buffers->parameters,
      .indirect_offset = offsetof(struct SwinPreprocessParameters, horizontal_groups),
  };
  const SwinDispatch vertical = {
      .shader = "resize-vertical",
      .label = "preprocess.vertical",
      .n_constants = 1,
      .constants = {SWIN_RESIZE_LANES},
      .n_bindings = 3,
      .bindings = {whole_buffer(buffers->intermediate, SWIN_ACCESS_READ), parameters, target},
      .push = &push,
      .push_size = sizeof(push),
      .groups = {count_groups(width, SWIN_RESIZE_LANES * SWIN_RESIZE_BLOCK), height, 1},
  };
  return swin_recorder_dispatch(recorder, &unpack, error) &&
         swin_recorder_dispatch(recorder, &horizontal, error) &&
         swin_recorder_dispatch(recorder, &vertical, error);
}
