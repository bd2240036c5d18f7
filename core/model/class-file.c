// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/class-file.h"

#include <string.h>

#include "model/csv.h"
#include "model/quote.h"
#include "swin.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static void value_free(gpointer data) {
  SwinClassFileValue *value = data;
  g_free(value->text);
  g_free(value);
}

static void add_value(GPtrArray *values, guint line, gchar *text) {
  SwinClassFileValue *value = g_new(SwinClassFileValue, 1);
  *value = (SwinClassFileValue){line, text};
  g_ptr_array_add(values, value);
}

/* The text without its byte order mark. */
static gchar *read_text(const gchar *path, const gchar *noun, GError **error) {
  g_autofree gchar *shown = swin_quote_path(path);
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS, "There is no %s file %s.", noun, shown);
    return NULL;
  }
  g_autofree gchar *text = NULL;
  g_autoptr(GError) read_error = NULL;
  gsize length;
  if (!g_file_get_contents(path, &text, &length, &read_error)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS, "The %s file %s cannot be read: %s.", noun,
                shown, read_error->message);
    return NULL;
  }
  const gchar *end;
  if (length > 0 && !g_utf8_validate(text, (gssize)length, &end)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS,
                "The %s file %s is not UTF-8 text: byte %" G_GSIZE_FORMAT " does not fit in.", noun,
                shown, (gsize)(end - text));
    return NULL;
  }
  if (g_str_has_prefix(text, BYTE_ORDER_MARK)) {
    return g_strdup(text + strlen(BYTE_ORDER_MARK));
  }
  return g_steal_pointer(&text);
}

/* A line end at the end of the text ends the last line; it does not begin another one. */
static GPtrArray *split_lines(const gchar *text) {
  GPtrArray *lines = g_ptr_array_new_with_free_func(value_free);
  while (*text != '\0') {
    const gsize length = strcspn(text, "\n");
    const gboolean crlf = length > 0 && text[length - 1] == '\r';
    add_value(lines, lines->len + 1, g_strndup(text, length - (crlf ? 1 : 0)));
    text += length + (text[length] == '\n' ? 1 : 0);
  }
  return lines;
}

/* The position of the field that has the first of the names that are there, or -1. */
static gint find_column(const SwinCsvRecord *header, const gchar *const *names) {
  for (; *names != NULL; names++) {
    for (guint i = 0; i < header->fields->len; i++) {
      g_autofree gchar *field = g_ascii_strdown(header->fields->pdata[i], -1);
      if (strcmp(g_strstrip(field), *names) == 0) {
        return (gint)i;
      }
    }
  }
  return -1;
}

/* Reads the header, if there is one. Returns the column, or -1 where the text is no CSV. */
static gint read_header(SwinCsvReader *reader, const SwinClassFileKind *kind, guint n_lines,
                        guint n_classes, guint *n_columns) {
  if (swin_csv_reader_at_end(reader)) {
    return -1;
  }
  g_autoptr(SwinCsvRecord) header = swin_csv_reader_read(reader, NULL);
  if (header == NULL) {
    return -1;
  }
  *n_columns = header->fields->len;
  if (*n_columns == 1 && kind->names_are_values && n_lines != (guint64)n_classes + 1) {
    return -1;
  }
  return find_column(header, kind->columns);
}

static GPtrArray *read_column(SwinCsvReader *reader, guint column, guint n_columns,
                              GError **error) {
  g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(value_free);
  while (!swin_csv_reader_at_end(reader)) {
    g_autoptr(SwinCsvRecord) record = swin_csv_reader_read(reader, error);
    if (record == NULL) {
      return NULL;
    }
    if (record->fields->len != n_columns) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS,
                  "line %u has another number of fields (%u) than the header (%u)", record->line,
                  record->fields->len, n_columns);
      return NULL;
    }
    add_value(values, record->line, g_strdup(record->fields->pdata[column]));
  }
  return g_steal_pointer(&values);
}

GPtrArray *swin_class_file_load(const gchar *path, const SwinClassFileKind *kind, guint n_classes,
                                GError **error) {
  g_autofree gchar *text = read_text(path, kind->noun, error);
  if (text == NULL) {
    return NULL;
  }
  g_autofree gchar *shown = swin_quote_path(path);
  g_autoptr(GPtrArray) values = split_lines(text);
  SwinCsvReader reader = SWIN_CSV_READER(text);
  guint n_columns;
  const gint column = read_header(&reader, kind, values->len, n_classes, &n_columns);
  if (column >= 0) {
    g_autoptr(GError) csv_error = NULL;
    g_ptr_array_unref(values);
    values = read_column(&reader, (guint)column, n_columns, &csv_error);
    if (values == NULL) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS, "The %s file %s is no proper CSV: %s.",
                  kind->noun, shown, csv_error->message);
      return NULL;
    }
  }
  if (values->len != n_classes) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS,
                "The %s file %s has %u %s%s, but the model has %u class%s: there must be one %s a "
                "line for every class.",
                kind->noun, shown, values->len, kind->noun, values->len == 1 ? "" : "s", n_classes,
                n_classes == 1 ? "" : "es", kind->noun);
    return NULL;
  }
  return g_steal_pointer(&values);
}
