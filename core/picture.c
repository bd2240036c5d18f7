// SPDX-License-Identifier: LGPL-2.1-or-later
#include "picture.h"

struct _SwinPicture {
  SwinDevice *device;
  const SwinPreprocessing *preprocessing;
  SwinBinding output;
  guint width, height, image;
  SwinBuffer *frame;
  SwinBuffer *parameters;
  SwinBuffer *intermediate;
  SwinResizeTables *tables; /* (nullable): of the last frame's size */
  gboolean tables_written;  /* in the parameter buffer */
  SwinRecorder *recorder;   /* (nullable): NULL while a buffer is too small */
};

SwinPicture *swin_picture_new(SwinDevice *device, const SwinPreprocessing *preprocessing,
                              SwinBinding output, guint width, guint height, guint image) {
  SwinPicture *picture = g_new0(SwinPicture, 1);
  picture->device = swin_device_ref(device);
  picture->preprocessing = preprocessing;
  picture->output = output;
  picture->width = width;
  picture->height = height;
  picture->image = image;
  return picture;
}

void swin_picture_free(SwinPicture *picture) {
  if (!picture)
    return;
  swin_recorder_free(picture->recorder);
  swin_buffer_free(picture->frame);
  swin_buffer_free(picture->parameters);
  swin_buffer_free(picture->intermediate);
  swin_resize_tables_free(picture->tables);
  swin_device_unref(picture->device);
  g_free(picture);
}

static void fit_tables(SwinPicture *picture, const SwinFrame *frame) {
  if (picture->tables && picture->tables->frame_width == frame->width &&
      picture->tables->frame_height == frame->height)
    return;
  swin_resize_tables_free(picture->tables);
  picture->tables = swin_resize_tables_new(picture->preprocessing, frame->width, frame->height,
                                           picture->width, picture->height);
  picture->tables_written = FALSE;
}

/* A recording refers to the buffers, so it goes with the first one that is replaced; without one
 * the parameter buffer may be new, and holds no tables. */
static gboolean grow(SwinPicture *picture, SwinBuffer **buffer, SwinBufferUse use, guint64 size,
                     GError **error) {
  if (*buffer && (*buffer)->size >= size)
    return TRUE;
  g_clear_pointer(&picture->recorder, swin_recorder_free);
  g_clear_pointer(buffer, swin_buffer_free);
  *buffer = swin_buffer_new(picture->device, use, size, error);
  return *buffer != NULL;
}

static gboolean fit_buffers(SwinPicture *picture, const SwinFrame *frame, GError **error) {
  const SwinPreprocessSizes sizes = swin_preprocess_sizes(frame, picture->tables);
  if (!swin_preprocess_check_sizes(picture->device, &sizes, error) ||
      !grow(picture, &picture->frame, SWIN_BUFFER_UPLOAD, sizes.frame, error) ||
      !grow(picture, &picture->parameters, SWIN_BUFFER_UPLOAD, sizes.parameters, error) ||
      !grow(picture, &picture->intermediate, SWIN_BUFFER_DEVICE, sizes.intermediate, error))
    return FALSE;
  if (!picture->recorder)
    picture->tables_written = FALSE;
  return TRUE;
}

static gboolean record(SwinPicture *picture, GError **error) {
  g_autoptr(SwinRecorder) recorder =
      swin_recorder_new(picture->device, SWIN_RECORDER_DEFAULT, error);
  if (!recorder ||
      !swin_preprocess_record(recorder, picture->frame, picture->parameters, picture->intermediate,
                              picture->output, picture->width, picture->height, picture->image,
                              error) ||
      !swin_recorder_finish(recorder, error))
    return FALSE;
  picture->recorder = g_steal_pointer(&recorder);
  return TRUE;
}

gboolean swin_picture_load(SwinPicture *picture, const SwinFrame *frame, GError **error) {
  fit_tables(picture, frame);
  if (!fit_buffers(picture, frame, error))
    return FALSE;
  swin_preprocess_write(frame, picture->tables, !picture->tables_written, picture->frame->mapped,
                        picture->parameters->mapped);
  picture->tables_written = TRUE;
  if (!swin_buffer_flush(picture->frame, error) || !swin_buffer_flush(picture->parameters, error))
    return FALSE;
  return picture->recorder || record(picture, error);
}

VkCommandBuffer swin_picture_get_commands(SwinPicture *picture) {
  return swin_recorder_get_command_buffer(picture->recorder);
}
