// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * labels.c: label files.
 */
#include <string.h>

#include "model/quote.h"
#include "swin.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Takes the terminator of the last line off, and the '\r' of files from Windows. */
static gchar **split_lines(const gchar *text) {
  if (g_str_has_prefix(text, BYTE_ORDER_MARK)) {
    text += strlen(BYTE_ORDER_MARK);
  }
  gsize length = strlen(text);
  if (length > 0 && text[length - 1] == '\n') {
    length--;
  }
  g_autofree gchar *lines = g_strndup(text, length);
  gchar **labels = g_strsplit(lines, "\n", -1);
  for (gchar **label = labels; *label != NULL; label++) {
    if (g_str_has_suffix(*label, "\r")) {
      (*label)[strlen(*label) - 1] = '\0';
    }
  }
  return labels;
}

gchar **swin_labels_load(const gchar *path, guint n_classes, GError **error) {
  g_autofree gchar *shown = swin_quote_path(path);
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS, "There is no label file %s.", shown);
    return NULL;
  }
  g_autofree gchar *text = NULL;
  g_autoptr(GError) read_error = NULL;
  gsize length;
  if (!g_file_get_contents(path, &text, &length, &read_error)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS, "The label file %s cannot be read: %s.",
                shown, read_error->message);
    return NULL;
  }
  const gchar *end;
  if (length > 0 && !g_utf8_validate(text, (gssize)length, &end)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS,
                "The label file %s is not UTF-8 text: byte %" G_GSIZE_FORMAT " does not fit in.",
                shown, (gsize)(end - text));
    return NULL;
  }
  g_auto(GStrv) labels = split_lines(text);
  guint n_labels = g_strv_length(labels);
  if (n_labels != n_classes) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS,
                "The label file %s has %u labels, but the model has %u classes: there must be one "
                "label a line for every class.",
                shown, n_labels, n_classes);
    return NULL;
  }
  return g_steal_pointer(&labels);
}
