// SPDX-License-Identifier: LGPL-2.1-or-later
#include "picture.h"
#include "transfer.h"

/** Source: where frames of host memory, or those of other memory, come to lie. */
typedef struct {
  SwinBuffer *frame;
  SwinRecorder *recorder; /* (nullable): NULL while a buffer is too small */
} Source;

struct _SwinPicture {
  SwinDevice *device;
  const SwinPreprocessing *preprocessing;
  SwinBinding output;
  guint width, height, image;
  Source host;
  Source other;
  SwinBuffer *parameters;
  SwinBuffer *pixels;
  SwinBuffer *intermediate;
  SwinResizeTables *tables; /* (nullable): of the last frame's size */
  gboolean tables_written;  /* in the parameter buffer */
  SwinTransfer *transfer;   /* (nullable): made for the first frame that is not in host memory */
  Source *loaded;           /* where the last frame lies */
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

static void forget_recordings(SwinPicture *picture) {
  g_clear_pointer(&picture->host.recorder, swin_recorder_free);
  g_clear_pointer(&picture->other.recorder, swin_recorder_free);
}

void swin_picture_free(SwinPicture *picture) {
  if (!picture)
    return;
  forget_recordings(picture);
  swin_transfer_free(picture->transfer);
  swin_buffer_free(picture->host.frame);
  swin_buffer_free(picture->other.frame);
  swin_buffer_free(picture->parameters);
  swin_buffer_free(picture->pixels);
  swin_buffer_free(picture->intermediate);
  swin_resize_tables_free(picture->tables);
  swin_device_unref(picture->device);
  g_free(picture);
}

static void fit_tables(SwinPicture *picture, const SwinFrame *frame) {
  const guint phase = swin_frame_get_phase(frame);
  guint width, height;
  swin_frame_get_size(frame, &width, &height);
  if (picture->tables && picture->tables->source_width == width &&
      picture->tables->source_height == height && picture->tables->phase == phase)
    return;
  swin_resize_tables_free(picture->tables);
  picture->tables = swin_resize_tables_new(picture->preprocessing, width, height, phase,
                                           picture->width, picture->height);
  picture->tables_written = FALSE;
}

/* A recording refers to the buffers, so it goes with the first one that is replaced; without one
 * the parameter buffer may be new, and holds no tables. */
static gboolean grow(SwinPicture *picture, SwinBuffer **buffer, SwinBufferUse use, guint64 size,
                     GError **error) {
  if (*buffer && (*buffer)->size >= size)
    return TRUE;
  forget_recordings(picture);
  picture->tables_written = FALSE;
  g_clear_pointer(buffer, swin_buffer_free);
  *buffer = swin_buffer_new(picture->device, use, size, error);
  return *buffer != NULL;
}

static gboolean fit_buffers(SwinPicture *picture, const SwinPreprocessNeeds *needs,
                            GError **error) {
  const SwinBufferUse use =
      picture->loaded == &picture->host ? SWIN_BUFFER_UPLOAD : SWIN_BUFFER_DEVICE;
  return swin_preprocess_check_sizes(picture->device, needs, error) &&
         grow(picture, &picture->loaded->frame, use, needs->layout.size, error) &&
         grow(picture, &picture->parameters, SWIN_BUFFER_UPLOAD, needs->parameters, error) &&
         grow(picture, &picture->pixels, SWIN_BUFFER_DEVICE, needs->pixels, error) &&
         grow(picture, &picture->intermediate, SWIN_BUFFER_DEVICE, needs->intermediate, error);
}

static gboolean load_pixels(SwinPicture *picture, const SwinFrame *frame, gpointer keep_alive,
                            const SwinImageLayout *layout, GError **error) {
  if (picture->loaded == &picture->host) {
    swin_image_upload(frame, layout, picture->host.frame->mapped);
    return swin_buffer_flush(picture->host.frame, error);
  }
  if (!picture->transfer)
    picture->transfer = swin_transfer_new(picture->device);
  return swin_transfer_load(picture->transfer, frame, keep_alive, layout, picture->other.frame,
                            error);
}

static gboolean load_parameters(SwinPicture *picture, const SwinFrame *frame,
                                const SwinPreprocessNeeds *needs, GError **error) {
  swin_preprocess_write(frame, picture->tables, needs, !picture->tables_written,
                        picture->parameters->mapped);
  picture->tables_written = TRUE;
  return swin_buffer_flush(picture->parameters, error);
}

static gboolean record(SwinPicture *picture, GError **error) {
  const SwinPreprocessBuffers buffers = {picture->loaded->frame, picture->parameters,
                                         picture->pixels, picture->intermediate};
  g_autoptr(SwinRecorder) recorder =
      swin_recorder_new(picture->device, SWIN_RECORDER_DEFAULT, error);
  if (!recorder ||
      !swin_preprocess_record(recorder, &buffers, picture->output, picture->width, picture->height,
                              picture->image, error) ||
      !swin_recorder_finish(recorder, error))
    return FALSE;
  picture->loaded->recorder = g_steal_pointer(&recorder);
  return TRUE;
}

gboolean swin_picture_load(SwinPicture *picture, const SwinFrame *frame, gpointer keep_alive,
                           GError **error) {
  picture->loaded = frame->memory == SWIN_FRAME_MEMORY_HOST ? &picture->host : &picture->other;
  fit_tables(picture, frame);
  const SwinPreprocessNeeds needs = swin_preprocess_needs(frame, picture->tables);
  return fit_buffers(picture, &needs, error) &&
         load_pixels(picture, frame, keep_alive, &needs.layout, error) &&
         load_parameters(picture, frame, &needs, error) &&
         (picture->loaded->recorder || record(picture, error));
}

gboolean swin_picture_begin(SwinPicture *picture, SwinSubmission *submission, GError **error) {
  if (picture->loaded == &picture->other &&
      !swin_transfer_begin(picture->transfer, submission, error))
    return FALSE;
  submission->commands[submission->n_commands++] =
      swin_recorder_get_command_buffer(picture->loaded->recorder);
  return TRUE;
}

void swin_picture_end(SwinPicture *picture, gboolean submitted) {
  if (picture->loaded == &picture->other)
    swin_transfer_end(picture->transfer, submitted);
}
