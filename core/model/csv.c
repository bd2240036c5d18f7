// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/csv.h"

#include "swin.h"

void swin_csv_record_free(SwinCsvRecord *record) {
  if (record == NULL) {
    return;
  }
  g_ptr_array_unref(record->fields);
  g_free(record);
}

gboolean swin_csv_reader_at_end(const SwinCsvReader *reader) {
  return *reader->next == '\0';
}

/* The number of bytes of the line end at @text; 0 where there is none. */
static gsize line_end(const gchar *text) {
  if (text[0] == '\n') {
    return 1;
  }
  return text[0] == '\r' && text[1] == '\n' ? 2 : 0;
}

static gboolean field_ends(const gchar *text) {
  return *text == '\0' || *text == ',' || line_end(text) > 0;
}

static gchar *read_plain(SwinCsvReader *reader, GError **error) {
  const gchar *start = reader->next, *end = start;
  while (!field_ends(end) && *end != '"') {
    end++;
  }
  if (*end == '"') {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS,
                "line %u has a quote in a field that does not begin with one", reader->line);
    return NULL;
  }
  reader->next = end;
  return g_strndup(start, (gsize)(end - start));
}

static gchar *read_quoted(SwinCsvReader *reader, GError **error) {
  const guint first_line = reader->line;
  const gchar *next = reader->next + 1;
  g_autoptr(GString) field = g_string_new(NULL);
  /* A quote ends the field unless another one follows. */
  while (*next != '\0' && (next[0] != '"' || next[1] == '"')) {
    next += *next == '"';
    reader->line += *next == '\n';
    g_string_append_c(field, *next++);
  }
  if (*next == '\0') {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS, "line %u has a quote that is never closed",
                first_line);
    return NULL;
  }
  reader->next = next + 1;
  if (!field_ends(reader->next)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS,
                "line %u has text between a closing quote and the next comma", reader->line);
    return NULL;
  }
  return g_string_free(g_steal_pointer(&field), FALSE);
}

SwinCsvRecord *swin_csv_reader_read(SwinCsvReader *reader, GError **error) {
  g_autoptr(SwinCsvRecord) record = g_new0(SwinCsvRecord, 1);
  record->line = reader->line;
  record->fields = g_ptr_array_new_with_free_func(g_free);
  for (;;) {
    gchar *field = *reader->next == '"' ? read_quoted(reader, error) : read_plain(reader, error);
    if (field == NULL) {
      return NULL;
    }
    g_ptr_array_add(record->fields, field);
    if (*reader->next != ',') {
      break;
    }
    reader->next++;
  }
  if (!swin_csv_reader_at_end(reader)) {
    reader->next += line_end(reader->next);
    reader->line++;
  }
  return g_steal_pointer(&record);
}
