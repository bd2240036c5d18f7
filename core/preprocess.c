// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preprocess.h"
#include "image.h"
#include "parameters.h"
#include "resample.h"

#include <string.h>

/* What becomes of the frame's columns and rows. */
typedef struct {
  SwinAxis horizontal;
  SwinAxis vertical;
  SwinTaps *columns; /* [width] */
  SwinTaps *rows;    /* [height] */
  SwinImageRegion region;
} Geometry;

static void geometry_init(Geometry *geometry, const SwinFrame *frame,
                          const SwinPreprocessing *preprocessing, guint width, guint height) {
  swin_resample_axes(preprocessing, frame->width, frame->height, width, height,
                     &geometry->horizontal, &geometry->vertical);
  geometry->columns = g_new(SwinTaps, width);
  geometry->rows = g_new(SwinTaps, height);
  swin_axis_taps(&geometry->horizontal, geometry->columns);
  swin_axis_taps(&geometry->vertical, geometry->rows);
  const SwinTaps columns = swin_taps_range(geometry->columns, width);
  const SwinTaps rows = swin_taps_range(geometry->rows, height);
  geometry->region = (SwinImageRegion){columns.first, rows.first, columns.count, rows.count};
}

static void geometry_clear(Geometry *geometry) {
  g_free(geometry->columns);
  g_free(geometry->rows);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Geometry, geometry_clear)

static guint n_blocks(guint width) {
  return (width + SWIN_RESIZE_BLOCK - 1) / SWIN_RESIZE_BLOCK;
}

static guint block_columns(guint width, guint block) {
  return MIN(SWIN_RESIZE_BLOCK, width - block * SWIN_RESIZE_BLOCK);
}

/* What the columns of a block use, as whole groups. */
static SwinTaps block_taps(const Geometry *geometry, guint block) {
  const SwinTaps taps = swin_taps_range(geometry->columns + block * SWIN_RESIZE_BLOCK,
                                        block_columns(geometry->horizontal.output, block));
  const guint before = taps.first % SWIN_RESIZE_GROUP;
  const guint n_groups = (before + taps.count + SWIN_RESIZE_GROUP - 1) / SWIN_RESIZE_GROUP;
  return (SwinTaps){taps.first - before, taps.count ? n_groups * SWIN_RESIZE_GROUP : 0};
}

G_STATIC_ASSERT(sizeof(struct SwinPreprocessParameters) % 16 == 0);

/* 32-bit words ahead of the weights: normalised values and the runs of both passes; a multiple of
 * SWIN_RESIZE_BLOCK, as each block's number of weights is. */
static gsize first_weight(guint width, guint height) {
  const gsize run_words = sizeof(struct SwinResizeRun) / sizeof(gint32);
  const gsize words = SWIN_NORMALISED_SIZE + run_words * ((gsize)n_blocks(width) + height);
  return (words + SWIN_RESIZE_BLOCK - 1) / SWIN_RESIZE_BLOCK * SWIN_RESIZE_BLOCK;
}

static guint64 count_weights(const Geometry *geometry) {
  guint64 count = 0;
  for (guint i = 0; i < n_blocks(geometry->horizontal.output); i++)
    count += (guint64)SWIN_RESIZE_BLOCK * block_taps(geometry, i).count;
  for (guint i = 0; i < geometry->vertical.output; i++)
    count += geometry->rows[i].count;
  return count;
}

SwinPreprocessSizes swin_preprocess_sizes(const SwinFrame *frame,
                                          const SwinPreprocessing *preprocessing, guint width,
                                          guint height) {
  g_auto(Geometry) geometry = {0};
  geometry_init(&geometry, frame, preprocessing, width, height);
  const guint64 words = first_weight(width, height) + count_weights(&geometry);
  return (SwinPreprocessSizes){
      .frame = swin_image_layout(frame, &geometry.region).size,
      .parameters = sizeof(struct SwinPreprocessParameters) + words * sizeof(gint32),
      .intermediate = (guint64)geometry.region.height * width * sizeof(guint32),
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

/* (code / 255 - mean) / std, rounded to float after each step as torchvision does, and looked up by
 * the shader, whose own division need not be exact. */
static void write_normalised(const SwinPreprocessing *preprocessing, gint32 *table) {
  for (guint channel = 0; channel < 3; channel++)
    for (guint code = 0; code < 256; code++) {
      const gfloat scaled = (gfloat)code / 255.0f;
      const gfloat centred = scaled - preprocessing->mean[channel];
      const gfloat value = centred / preprocessing->std[channel];
      memcpy(&table[256 * channel + code], &value, sizeof(value));
    }
}

/* Columns of a block that do not use one of its samples weigh it with zero. Returns the position
 * behind the last weight. */
static gsize write_block(const Geometry *geometry, guint block, gdouble *scratch,
                         struct SwinResizeRun *run, gint32 *tables, gsize position) {
  const SwinTaps taps = block_taps(geometry, block);
  const gsize n_weights = (gsize)SWIN_RESIZE_BLOCK * taps.count;
  *run = (struct SwinResizeRun){taps.first, taps.count, (guint32)position};
  memset(tables + position, 0, n_weights * sizeof(gint32));
  for (guint i = 0; i < block_columns(geometry->horizontal.output, block); i++) {
    const guint column = block * SWIN_RESIZE_BLOCK + i;
    const SwinTaps own = geometry->columns[column];
    if (own.count == 0)
      continue;
    gint32 *weights = tables + position + (gsize)SWIN_RESIZE_BLOCK * (own.first - taps.first) + i;
    swin_axis_weights(&geometry->horizontal, column, own, scratch, weights, SWIN_RESIZE_BLOCK);
  }
  return position + n_weights;
}

static gsize write_row(const Geometry *geometry, guint row, gdouble *scratch,
                       struct SwinResizeRun *run, gint32 *tables, gsize position) {
  const SwinTaps taps = geometry->rows[row];
  const guint first = taps.count > 0 ? taps.first - geometry->region.y : 0;
  *run = (struct SwinResizeRun){first, taps.count, (guint32)position};
  swin_axis_weights(&geometry->vertical, row, taps, scratch, tables + position, 1);
  return position + taps.count;
}

static void write_tables(const Geometry *geometry, const SwinPreprocessing *preprocessing,
                         gint32 *tables) {
  const guint blocks = n_blocks(geometry->horizontal.output);
  const guint rows = geometry->vertical.output;
  const gsize n_taps = MAX(geometry->region.width, geometry->region.height);
  g_autofree gdouble *scratch = g_new(gdouble, n_taps);
  struct SwinResizeRun *runs = (struct SwinResizeRun *)(tables + SWIN_NORMALISED_SIZE);
  gsize position = first_weight(geometry->horizontal.output, rows);

  write_normalised(preprocessing, tables);
  for (guint i = 0; i < blocks; i++)
    position = write_block(geometry, i, scratch, &runs[i], tables, position);
  for (guint i = 0; i < rows; i++)
    position = write_row(geometry, i, scratch, &runs[blocks + i], tables, position);
}

void swin_preprocess_write(const SwinFrame *frame, const SwinPreprocessing *preprocessing,
                           guint width, guint height, gpointer frame_memory,
                           gpointer parameter_memory, SwinPreprocessTables *tables) {
  g_auto(Geometry) geometry = {0};
  geometry_init(&geometry, frame, preprocessing, width, height);
  const SwinImageLayout layout = swin_image_layout(frame, &geometry.region);
  swin_image_upload(frame, &layout, frame_memory);

  struct SwinPreprocessParameters parameters = {
      .groups = {(geometry.region.height + SWIN_RESIZE_LANES - 1) / SWIN_RESIZE_LANES,
                 n_blocks(width), 1},
      .first_row = geometry.region.y,
      .n_rows = geometry.region.height,
  };
  swin_image_describe(frame, &layout, &parameters.image);
  memcpy(parameter_memory, &parameters, sizeof(parameters));

  if (tables && tables->frame_width == frame->width && tables->frame_height == frame->height)
    return;
  write_tables(&geometry, preprocessing,
               (gint32 *)((guint8 *)parameter_memory + sizeof(parameters)));
  if (tables)
    *tables = (SwinPreprocessTables){frame->width, frame->height};
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
