// SPDX-License-Identifier: LGPL-2.1-or-later
#include "resize-tables.h"

#include <string.h>

static guint block_columns(guint width, guint block) {
  return MIN(SWIN_RESIZE_BLOCK, width - block * SWIN_RESIZE_BLOCK);
}

/* Where a column is in the unpacked rows, which begin with the group of the region's first one. */
static guint unpacked_column(const SwinResizeTables *tables, guint column) {
  const guint lead = (tables->phase + tables->region.x) % SWIN_RESIZE_GROUP;
  return column - tables->region.x + lead;
}

/* What the columns of a block use, as whole groups of unpacked columns. */
static SwinTaps block_taps(const SwinResizeTables *tables, guint block) {
  SwinTaps taps = swin_taps_range(tables->columns + block * SWIN_RESIZE_BLOCK,
                                  block_columns(tables->horizontal.output, block));
  taps.first = taps.count > 0 ? unpacked_column(tables, taps.first) : 0;
  const guint before = taps.first % SWIN_RESIZE_GROUP;
  const guint n_groups = (before + taps.count + SWIN_RESIZE_GROUP - 1) / SWIN_RESIZE_GROUP;
  return (SwinTaps){taps.first - before, taps.count ? n_groups * SWIN_RESIZE_GROUP : 0};
}

/* 32-bit words ahead of the weights: normalised values and the runs of both passes; a multiple of
 * SWIN_RESIZE_BLOCK, as each block's number of weights is. */
static gsize first_weight(const SwinResizeTables *tables) {
  const gsize run_words = sizeof(struct SwinResizeRun) / sizeof(gint32);
  const gsize words =
      SWIN_NORMALISED_SIZE + run_words * ((gsize)tables->n_blocks + tables->vertical.output);
  return (words + SWIN_RESIZE_BLOCK - 1) / SWIN_RESIZE_BLOCK * SWIN_RESIZE_BLOCK;
}

/* Every run has one weight more than it has samples: that of what lies outside. */
static guint64 count_weights(const SwinResizeTables *tables) {
  guint64 count = 0;
  for (guint i = 0; i < tables->n_blocks; i++)
    count += (guint64)SWIN_RESIZE_BLOCK * (1 + block_taps(tables, i).count);
  for (guint i = 0; i < tables->vertical.output; i++)
    count += 1 + tables->rows[i].count;
  return count;
}

SwinResizeTables *swin_resize_tables_new(const SwinPreprocessing *preprocessing, guint source_width,
                                         guint source_height, guint phase, guint width,
                                         guint height) {
  SwinResizeTables *tables = g_new0(SwinResizeTables, 1);
  tables->source_width = source_width;
  tables->source_height = source_height;
  tables->phase = phase;
  tables->preprocessing = *preprocessing;
  swin_resample_axes(preprocessing, source_width, source_height, width, height, &tables->horizontal,
                     &tables->vertical);
  tables->columns = g_new(SwinTaps, width);
  tables->rows = g_new(SwinTaps, height);
  swin_axis_taps(&tables->horizontal, tables->columns);
  swin_axis_taps(&tables->vertical, tables->rows);
  tables->n_blocks = (width + SWIN_RESIZE_BLOCK - 1) / SWIN_RESIZE_BLOCK;

  /* Where padding leaves nothing of a thin frame, one pixel stands for it, which weighs nothing. */
  const SwinTaps columns = swin_taps_range(tables->columns, width);
  const SwinTaps rows = swin_taps_range(tables->rows, height);
  tables->region =
      (SwinRectangle){columns.first, rows.first, MAX(columns.count, 1), MAX(rows.count, 1)};
  tables->size = (first_weight(tables) + count_weights(tables)) * sizeof(gint32);
  return tables;
}

void swin_resize_tables_free(SwinResizeTables *tables) {
  if (!tables)
    return;
  g_free(tables->columns);
  g_free(tables->rows);
  g_free(tables);
}

/* (code / 255 - mean) / std, rounded to float after each step as torchvision does, and looked up by
 * the shader, whose own division need not be exact. */
static void write_normalised(const SwinPreprocessing *preprocessing, gint32 *words) {
  for (guint channel = 0; channel < 3; channel++)
    for (guint code = 0; code < 256; code++) {
      const gfloat scaled = (gfloat)code / 255.0f;
      const gfloat centred = scaled - preprocessing->mean[channel];
      const gfloat value = centred / preprocessing->std[channel];
      memcpy(&words[256 * channel + code], &value, sizeof(value));
    }
}

/* Columns of a block that do not use one of its samples weigh it with zero. Returns the position
 * behind the last weight. */
static gsize write_block(const SwinResizeTables *tables, guint block, gdouble *scratch,
                         struct SwinResizeRun *run, gint32 *words, gsize position) {
  const SwinTaps taps = block_taps(tables, block);
  const gsize n_weights = (gsize)SWIN_RESIZE_BLOCK * (1 + taps.count);
  gint32 *outside = words + position;
  *run = (struct SwinResizeRun){taps.first, taps.count, (guint32)position};
  memset(outside, 0, n_weights * sizeof(gint32));
  for (guint i = 0; i < block_columns(tables->horizontal.output, block); i++) {
    const guint column = block * SWIN_RESIZE_BLOCK + i;
    const SwinTaps own = tables->columns[column];
    gint32 *weights = NULL;
    if (own.count > 0)
      weights = outside + i +
                (gsize)SWIN_RESIZE_BLOCK * (1 + unpacked_column(tables, own.first) - taps.first);
    outside[i] =
        swin_axis_weights(&tables->horizontal, column, own, scratch, weights, SWIN_RESIZE_BLOCK);
  }
  return position + n_weights;
}

static gsize write_row(const SwinResizeTables *tables, guint row, gdouble *scratch,
                       struct SwinResizeRun *run, gint32 *words, gsize position) {
  const SwinTaps taps = tables->rows[row];
  const guint first = taps.count > 0 ? taps.first - tables->region.y : 0;
  *run = (struct SwinResizeRun){first, taps.count, (guint32)position};
  words[position] =
      swin_axis_weights(&tables->vertical, row, taps, scratch, words + position + 1, 1);
  return position + 1 + taps.count;
}

void swin_resize_tables_write(const SwinResizeTables *tables, gint32 *words) {
  const gsize n_scratch = MAX(tables->horizontal.padded, tables->vertical.padded);
  g_autofree gdouble *scratch = g_new(gdouble, n_scratch);
  struct SwinResizeRun *runs = (struct SwinResizeRun *)(words + SWIN_NORMALISED_SIZE);
  gsize position = first_weight(tables);

  write_normalised(&tables->preprocessing, words);
  for (guint i = 0; i < tables->n_blocks; i++)
    position = write_block(tables, i, scratch, &runs[i], words, position);
  for (guint i = 0; i < tables->vertical.output; i++)
    position = write_row(tables, i, scratch, &runs[tables->n_blocks + i], words, position);
}
