// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * tag-writer.h: the tags of pictures, printed for people or programs.
 */
#ifndef SWIN_TOOLS_TAG_WRITER_H
#define SWIN_TOOLS_TAG_WRITER_H

#include "swin.h"

typedef enum {
  SWIN_TAG_FORMAT_TEXT, /* the file, and below it a line a tag */
  SWIN_TAG_FORMAT_CSV,  /* RFC 4180: file, rank (from 1), index, label, confidence; with a header */
  SWIN_TAG_FORMAT_JSON, /* a line a picture: {"file", "tags": [{"label", "index", "confidence"}]} */
} SwinTagFormat;

/** SwinTagWriter: writes to standard output: text in the locale's characters, the others in UTF-8.
 * Not thread-safe. */
typedef struct _SwinTagWriter SwinTagWriter;

/**
 * swin_tag_writer_new: prints the header, if the format has one.
 * @model: referenced
 * @labels: (nullable): instead of the model's; must outlive the writer
 */
SwinTagWriter *swin_tag_writer_new(SwinTagFormat format, SwinModel *model, gchar **labels);
void swin_tag_writer_free(SwinTagWriter *writer); /* NULL-safe */

/** swin_tag_writer_write: one picture. @path: in the file system's encoding */
void swin_tag_writer_write(SwinTagWriter *writer, const gchar *path, const SwinTag *tags,
                           guint n_tags);

/** swin_tag_writer_finish: FALSE where something that was written has not arrived. */
gboolean swin_tag_writer_finish(SwinTagWriter *writer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinTagWriter, swin_tag_writer_free)

#endif /* SWIN_TOOLS_TAG_WRITER_H */
