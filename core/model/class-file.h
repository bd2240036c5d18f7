// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * class-file.h: text files that say one thing of every class, in the order of the classes: one a
 * line, or in a column of CSV with a header.
 */
#ifndef SWIN_MODEL_CLASS_FILE_H
#define SWIN_MODEL_CLASS_FILE_H

#include <glib.h>

/** SwinClassFileKind: what a file says, and where. */
typedef struct {
  const gchar *noun;           /* of one value, for messages: "label" */
  const gchar *const *columns; /* lower-case names in a CSV header, the preferred one first;
                                  NULL-terminated */
  gboolean names_are_values;   /* a column's name could as well be a value */
} SwinClassFileKind;

/** SwinClassFileValue: what is said of one class. */
typedef struct {
  guint line;  /* where, from 1 */
  gchar *text; /* as it stands there; owned */
} SwinClassFileValue;

/**
 * swin_class_file_load: reads a UTF-8 file, with or without a byte order mark, with LF or CRLF.
 *
 * It is CSV when its first line has the name of one of the columns, in any case, as a field. Where
 * that name is all there is in the line, and could be a value, it is a header only if the file has
 * one line more than there are classes.
 * @path: the file
 * @kind: what it should be
 * @n_classes: how many values there must be
 *
 * Returns: (transfer full): an array of @n_classes #SwinClassFileValue that frees its elements, or
 *   NULL with %SWIN_ERROR_LABELS.
 */
GPtrArray *swin_class_file_load(const gchar *path, const SwinClassFileKind *kind, guint n_classes,
                                GError **error);

#endif /* SWIN_MODEL_CLASS_FILE_H */
