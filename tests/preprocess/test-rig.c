// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test-rig.h"

#include <check.h>
#include <string.h>

#define GUARD_WORDS 64
#define GUARD_WORD 0x7fedcba9u /* a NaN, so that no result equals it */

struct _TestRig {
  SwinDevice *device;
  guint width, height, image, n_images;
  SwinBuffer *frame;
  SwinBuffer *parameters;
  SwinBuffer *pixels;
  SwinBuffer *intermediate;
  SwinBuffer *output; /* [n_images, 3, height, width] and guard words */
  SwinRecorder *recorder;
  SwinResizeTables *tables; /* (nullable): of the last frame */
  gboolean tables_written;
  guint n_recordings;
  guint8 poison; /* what lies in upload memory before the upload; another one each time */
  guint32 *words;
};

static gsize picture_words(const TestRig *rig) {
  return (gsize)3 * rig->width * rig->height;
}

static gsize output_words(const TestRig *rig) {
  return picture_words(rig) * rig->n_images + GUARD_WORDS;
}

static SwinBuffer *make_buffer(SwinDevice *device, SwinBufferUse use, guint64 size) {
  GError *error = NULL;
  SwinBuffer *buffer = swin_buffer_new(device, use, size, &error);
  ck_assert_msg(buffer != NULL, "%s", error ? error->message : "");
  return buffer;
}

TestRig *test_rig_new(SwinDevice *device, guint width, guint height, guint image, guint n_images) {
  TestRig *rig = g_new0(TestRig, 1);
  rig->device = swin_device_ref(device);
  rig->width = width;
  rig->height = height;
  rig->image = image;
  rig->n_images = n_images;
  rig->output = make_buffer(device, SWIN_BUFFER_DOWNLOAD, output_words(rig) * sizeof(guint32));
  rig->words = g_new(guint32, output_words(rig));
  return rig;
}

void test_rig_free(TestRig *rig) {
  if (!rig)
    return;
  swin_recorder_free(rig->recorder);
  swin_buffer_free(rig->frame);
  swin_buffer_free(rig->parameters);
  swin_buffer_free(rig->pixels);
  swin_buffer_free(rig->intermediate);
  swin_buffer_free(rig->output);
  swin_resize_tables_free(rig->tables);
  swin_device_unref(rig->device);
  g_free(rig->words);
  g_free(rig);
}

guint test_rig_get_n_recordings(const TestRig *rig) {
  return rig->n_recordings;
}

static gboolean grow(TestRig *rig, SwinBuffer **buffer, SwinBufferUse use, guint64 size) {
  if (*buffer && (*buffer)->size >= size)
    return FALSE;
  swin_recorder_free(g_steal_pointer(&rig->recorder));
  swin_buffer_free(*buffer);
  *buffer = make_buffer(rig->device, use, size);
  return TRUE;
}

static void record(TestRig *rig) {
  GError *error = NULL;
  rig->recorder = swin_recorder_new(rig->device, SWIN_RECORDER_DEFAULT, &error);
  ck_assert_msg(rig->recorder != NULL, "%s", error ? error->message : "");
  const SwinPreprocessBuffers buffers = {rig->frame, rig->parameters, rig->pixels,
                                         rig->intermediate};
  const SwinBinding output = {rig->output, 0, picture_words(rig) * rig->n_images * sizeof(guint32),
                              SWIN_ACCESS_WRITE};
  gboolean ok = swin_preprocess_record(rig->recorder, &buffers, output, rig->width, rig->height,
                                       rig->image, &error) &&
                swin_recorder_finish(rig->recorder, &error);
  ck_assert_msg(ok, "%s", error ? error->message : "");
  rig->n_recordings++;
}

/* Tables are kept as pictures keep them. */
static void fit_tables(TestRig *rig, const SwinFrame *frame,
                       const SwinPreprocessing *preprocessing) {
  const guint phase = swin_frame_get_phase(frame);
  guint width, height;
  swin_frame_get_size(frame, &width, &height);
  if (rig->tables && rig->tables->source_width == width && rig->tables->source_height == height &&
      rig->tables->phase == phase &&
      memcmp(&rig->tables->preprocessing, preprocessing, sizeof(*preprocessing)) == 0)
    return;
  swin_resize_tables_free(rig->tables);
  rig->tables =
      swin_resize_tables_new(preprocessing, width, height, phase, rig->width, rig->height);
  rig->tables_written = FALSE;
}

SwinPreprocessNeeds test_rig_reserve(TestRig *rig, const SwinFrame *frame,
                                     const SwinPreprocessing *preprocessing) {
  fit_tables(rig, frame, preprocessing);
  const SwinPreprocessNeeds needs = swin_preprocess_needs(frame, rig->tables);
  const gsize guard = GUARD_WORDS * sizeof(guint32);
  GError *error = NULL;
  ck_assert(swin_preprocess_check_sizes(rig->device, &needs, &error));
  grow(rig, &rig->frame, SWIN_BUFFER_UPLOAD, needs.layout.size);
  if (grow(rig, &rig->parameters, SWIN_BUFFER_UPLOAD, needs.parameters))
    rig->tables_written = FALSE;
  grow(rig, &rig->pixels, SWIN_BUFFER_DEVICE, needs.pixels + guard);
  grow(rig, &rig->intermediate, SWIN_BUFFER_DEVICE, needs.intermediate + guard);
  if (!rig->recorder)
    record(rig);
  return needs;
}

static void fill_with_guards(SwinBuffer *buffer) {
  g_autofree guint32 *guards = g_malloc(buffer->size);
  GError *error = NULL;
  for (gsize i = 0; i < buffer->size / sizeof(guint32); i++)
    guards[i] = GUARD_WORD;
  gboolean ok = swin_buffer_write(buffer, 0, guards, buffer->size, &error);
  ck_assert_msg(ok, "%s", error ? error->message : "");
}

/* Words from @first up to @end must be what fill_with_guards() left there. */
static void check_guards(const guint32 *words, gsize first, gsize end, const gchar *where) {
  for (gsize i = first; i < end; i++)
    if (words[i] != GUARD_WORD)
      ck_abort_msg("%s: word %" G_GSIZE_FORMAT " was overwritten", where, i);
}

/* Rows of pixels of 24 bits, of which @width from column @first on must have been written in
 * @n_rows, and nothing behind the first @size bytes. */
static void check_pixels(SwinBuffer *buffer, guint64 size, gsize row_words, gsize first_row,
                         gsize n_rows, gsize first, gsize width, const gchar *where) {
  const gsize n_words = buffer->size / sizeof(guint32);
  g_autofree guint32 *words = g_new(guint32, n_words);
  GError *error = NULL;
  gboolean ok = swin_buffer_read(buffer, 0, words, n_words * sizeof(guint32), &error);
  ck_assert_msg(ok, "%s", error ? error->message : "");
  check_guards(words, size / sizeof(guint32), n_words, where);
  for (gsize row = first_row; row < first_row + n_rows; row++)
    for (gsize i = first; i < first + width; i++)
      if (words[row * row_words + i] >> 24 != 0)
        ck_abort_msg("%s: pixel %" G_GSIZE_FORMAT " of row %" G_GSIZE_FORMAT " is not set", where,
                     i, row);
}

static void check_buffers(TestRig *rig, const SwinFrame *frame, const SwinPreprocessNeeds *needs) {
  const SwinRectangle *region = &rig->tables->region;
  const SwinImagePixels pixels = swin_image_pixels(frame, region);
  check_pixels(rig->pixels, needs->pixels, (gsize)pixels.row_groups * SWIN_RESIZE_GROUP,
               pixels.first_row, region->height,
               (rig->tables->phase + region->x) % SWIN_RESIZE_GROUP, region->width, "pixels");
  check_pixels(rig->intermediate, needs->intermediate,
               (gsize)rig->tables->n_blocks * SWIN_RESIZE_BLOCK, 0, region->height, 0, rig->width,
               "intermediate");
}

const gfloat *test_rig_run(TestRig *rig, const SwinFrame *frame,
                           const SwinPreprocessing *preprocessing) {
  GError *error = NULL;
  ck_assert_msg(swin_frame_check(frame, &error), "%s", error ? error->message : "");
  const SwinPreprocessNeeds needs = test_rig_reserve(rig, frame, preprocessing);
  fill_with_guards(rig->pixels);
  fill_with_guards(rig->intermediate);
  fill_with_guards(rig->output);
  rig->poison ^= 0xa5;
  memset(rig->frame->mapped, rig->poison, rig->frame->size);
  swin_image_upload(frame, &needs.layout, rig->frame->mapped);
  swin_preprocess_write(frame, rig->tables, &needs, !rig->tables_written, rig->parameters->mapped);
  rig->tables_written = TRUE;
  gboolean ok =
      swin_buffer_flush(rig->frame, &error) && swin_buffer_flush(rig->parameters, &error) &&
      swin_recorder_run(rig->recorder, &error) &&
      swin_buffer_read(rig->output, 0, rig->words, output_words(rig) * sizeof(guint32), &error);
  ck_assert_msg(ok, "%s", error ? error->message : "");
  check_buffers(rig, frame, &needs);
  const gsize first = picture_words(rig) * rig->image;
  check_guards(rig->words, 0, first, "output before the picture");
  check_guards(rig->words, first + picture_words(rig), output_words(rig), "output behind it");
  return (const gfloat *)(rig->words + first);
}
