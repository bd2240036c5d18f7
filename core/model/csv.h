// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * csv.h: comma-separated values as RFC 4180 has them.
 *
 * Records end with CRLF or LF, the last one may go without. A field in double quotes may hold
 * commas, line ends and doubled quotes. Space around fields belongs to them. Other than the RFC
 * asks, records may differ in length: who reads them knows which fields there must be.
 */
#ifndef SWIN_MODEL_CSV_H
#define SWIN_MODEL_CSV_H

#include <glib.h>

/** SwinCsvRecord: one record. */
typedef struct {
  guint line;        /* where it begins in the text, from 1 */
  GPtrArray *fields; /* gchar *, at least one, unquoted; owned */
} SwinCsvRecord;

void swin_csv_record_free(SwinCsvRecord *record); /* NULL-safe */

/** SwinCsvReader: a position in a text. Set with SWIN_CSV_READER(). */
typedef struct {
  const gchar *next; /* (transfer none): what has not been read; must outlive the reader */
  guint line;        /* of @next, from 1 */
} SwinCsvReader;

/** SWIN_CSV_READER: at the beginning of @text, valid UTF-8. */
#define SWIN_CSV_READER(text) ((SwinCsvReader){(text), 1})

/** swin_csv_reader_at_end: whether nothing follows, not even an empty record. */
gboolean swin_csv_reader_at_end(const SwinCsvReader *reader);

/**
 * swin_csv_reader_read: the next record; not at the end.
 *
 * Returns: (transfer full): the record, or NULL with %SWIN_ERROR_LABELS, whose message names the
 *   line, and not the file, which the reader does not know: "line 3 has a quote ...".
 */
SwinCsvRecord *swin_csv_reader_read(SwinCsvReader *reader, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinCsvRecord, swin_csv_record_free)

#endif /* SWIN_MODEL_CSV_H */
