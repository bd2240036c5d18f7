// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * resize-tables.h: what the resize shaders have to know about pictures of one size: which part of
 * them is needed, and the weights. No Vulkan.
 */
#ifndef SWIN_RESIZE_TABLES_H
#define SWIN_RESIZE_TABLES_H

#include "resample.h"
#include "swin.h"

/** SwinResizeTables: of one size of what is looked at, preprocessing and input size; immutable. */
typedef struct {
  guint source_width; /* pixels */
  guint source_height;
  guint phase;
  SwinPreprocessing preprocessing; /* as given */
  SwinRectangle region;            /* what of it is needed */
  guint n_blocks;                  /* of SWIN_RESIZE_BLOCK output columns */
  guint64 size;                    /* bytes that swin_resize_tables_write() writes */

  SwinAxis horizontal;
  SwinAxis vertical;
  SwinTaps *columns; /* [output width] */
  SwinTaps *rows;    /* [output height] */
} SwinResizeTables;

/**
 * swin_resize_tables_new: nothing is weighed yet.
 * @source_width, @source_height: pixels of what is looked at, upright, 1 to 32768
 * @phase: where groups of SWIN_RESIZE_GROUP columns begin: column 0 has this number in its group
 * @width, @height: pixels of the network's input
 *
 * Returns: (transfer full): free with swin_resize_tables_free().
 */
SwinResizeTables *swin_resize_tables_new(const SwinPreprocessing *preprocessing, guint source_width,
                                         guint source_height, guint phase, guint width,
                                         guint height);
void swin_resize_tables_free(SwinResizeTables *tables); /* NULL-safe */

/**
 * swin_resize_tables_write: writes what follows the struct SwinPreprocessParameters.
 * @words: (out): room for tables->size bytes
 */
void swin_resize_tables_write(const SwinResizeTables *tables, gint32 *words);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinResizeTables, swin_resize_tables_free)

#endif /* SWIN_RESIZE_TABLES_H */
