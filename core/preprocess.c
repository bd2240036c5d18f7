// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preprocess.h"
#include "parameters.h"

#include <string.h>

G_STATIC_ASSERT(sizeof(struct SwinPreprocessParameters) % 16 == 0);

SwinPreprocessSizes swin_preprocess_sizes(const SwinFrame *frame, const SwinResizeTables *tables) {
  return (SwinPreprocessSizes){
      .frame = swin_image_layout(frame, &tables->region).size,
      .parameters = sizeof(struct SwinPreprocessParameters) + tables->size,
      .intermediate = (guint64)tables->region.height * tables->horizontal.output * sizeof(guint32),
  };
}

gboolean swin_preprocess_check_sizes(SwinDevice *device, const SwinPreprocessSizes *sizes,
                                     GError **error) {
  const guint64 limit = swin_device_get_limits(device)->max_storage_range;
  const guint64 largest = MAX(MAX(sizes->frame, sizes->parameters), sizes->intermediate);
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

void swin_preprocess_write(const SwinFrame *frame, const SwinResizeTables *tables,
                           gboolean write_tables, gpointer frame_memory,
                           gpointer parameter_memory) {
  const SwinImageLayout layout = swin_image_layout(frame, &tables->region);
  swin_image_upload(frame, &layout, frame_memory);

  const guint8 *fill = tables->preprocessing.fill;
  struct SwinPreprocessParameters parameters = {
      .groups = {(tables->region.height + SWIN_RESIZE_LANES - 1) / SWIN_RESIZE_LANES,
                 tables->n_blocks, 1},
      .first_row = tables->region.y,
      .n_rows = tables->region.height,
      .fill = {fill[0], fill[1], fill[2]},
  };
  swin_image_describe(frame, &layout, &parameters.image);
  if (tables->preprocessing.bgr)
    swap_channels(&parameters);
  memcpy(parameter_memory, &parameters, sizeof(parameters));
  if (write_tables)
    swin_resize_tables_write(tables, (gint32 *)((guint8 *)parameter_memory + sizeof(parameters)));
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

gboolean swin_preprocess_record(SwinRecorder *recorder, const SwinBuffer *frame,
                                const SwinBuffer *parameters, const SwinBuffer *intermediate,
                                SwinBinding output, guint width, guint height, guint image,
                                GError **error) {
  struct SwinResizePush push = {.width = width, .height = height};
  const SwinBinding target = image_binding(swin_recorder_get_device(recorder), output,
                                           (guint64)3 * width * height, image, &push.first);
  const SwinDispatch horizontal = {
      .shader = "resize-horizontal",
      .label = "preprocess.horizontal",
      .n_constants = 1,
      .constants = {SWIN_RESIZE_LANES},
      .n_bindings = 3,
      .bindings = {whole_buffer(frame, SWIN_ACCESS_READ),
                   whole_buffer(parameters, SWIN_ACCESS_READ),
                   whole_buffer(intermediate, SWIN_ACCESS_WRITE)},
      .push = &push,
      .push_size = sizeof(push),
      .indirect = parameters,
  };
  const SwinDispatch vertical = {
      .shader = "resize-vertical",
      .label = "preprocess.vertical",
      .n_constants = 1,
      .constants = {SWIN_RESIZE_LANES},
      .n_bindings = 3,
      .bindings = {whole_buffer(intermediate, SWIN_ACCESS_READ),
                   whole_buffer(parameters, SWIN_ACCESS_READ), target},
      .push = &push,
      .push_size = sizeof(push),
      .groups = {(width + SWIN_RESIZE_LANES - 1) / SWIN_RESIZE_LANES, height, 1},
  };
  return swin_recorder_dispatch(recorder, &horizontal, error) &&
         swin_recorder_dispatch(recorder, &vertical, error);
}
