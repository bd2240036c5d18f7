// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * thresholds.c: files of thresholds, one a class.
 */
#include "model/class-file.h"
#include "model/quote.h"
#include "swin.h"

static const gchar *const columns[] = {"threshold", NULL};
static const SwinClassFileKind kind = {"threshold", columns, FALSE};

/* A number from 0 to 1 and nothing else; a NaN is not one. */
static gboolean parse_threshold(const gchar *text, gfloat *threshold) {
  g_autofree gchar *stripped = g_strstrip(g_strdup(text));
  gchar *end;
  const gdouble number = g_ascii_strtod(stripped, &end);
  if (end == stripped || *end != '\0' || !(number >= 0.0 && number <= 1.0)) {
    return FALSE;
  }
  *threshold = (gfloat)number;
  return TRUE;
}

gfloat *swin_thresholds_load(const gchar *path, guint n_classes, GError **error) {
  g_autoptr(GPtrArray) values = swin_class_file_load(path, &kind, n_classes, error);
  if (values == NULL) {
    return NULL;
  }
  g_autofree gfloat *thresholds = g_new(gfloat, (gsize)n_classes + 1); /* never NULL */
  for (guint i = 0; i < n_classes; i++) {
    const SwinClassFileValue *value = values->pdata[i];
    if (!parse_threshold(value->text, &thresholds[i])) {
      g_autofree gchar *shown = swin_quote_path(path);
      g_autofree gchar *text = swin_quote(value->text);
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_LABELS,
                  "The threshold file %s has %s in line %u: a threshold is a number from 0 to 1.",
                  shown, text, value->line);
      return NULL;
    }
  }
  return g_steal_pointer(&thresholds);
}
