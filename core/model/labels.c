// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * labels.c: label files.
 */
#include <string.h>

#include "model/class-file.h"
#include "swin.h"

#define SYNSET_DIGITS 8

static const gchar *const columns[] = {"name", "label", "tag", "class", NULL};
static const SwinClassFileKind kind = {"label", columns, TRUE};

/* The label behind a WordNet synset ("n02123045 tabby, tabby cat"), or NULL where there is none. */
static const gchar *skip_synset(const gchar *line) {
  if (line[0] != 'n' || strspn(line + 1, "0123456789") != SYNSET_DIGITS) {
    return NULL;
  }
  const gchar *rest = line + 1 + SYNSET_DIGITS;
  const gchar *label = rest + strspn(rest, " \t");
  if (*label == ',') {
    label++;
    label += strspn(label, " \t");
  }
  return label == rest || *label == '\0' ? NULL : label;
}

/* Only where every line has one: it could be the beginning of a label otherwise. */
static gboolean have_synsets(const GPtrArray *values) {
  for (guint i = 0; i < values->len; i++) {
    const SwinClassFileValue *value = values->pdata[i];
    if (skip_synset(value->text) == NULL) {
      return FALSE;
    }
  }
  return TRUE;
}

gchar **swin_labels_load(const gchar *path, guint n_classes, GError **error) {
  g_autoptr(GPtrArray) values = swin_class_file_load(path, &kind, n_classes, error);
  if (values == NULL) {
    return NULL;
  }
  const gboolean synsets = have_synsets(values);
  gchar **labels = g_new0(gchar *, (gsize)n_classes + 1);
  for (guint i = 0; i < n_classes; i++) {
    const SwinClassFileValue *value = values->pdata[i];
    labels[i] = g_strdup(synsets ? skip_synset(value->text) : value->text);
  }
  return labels;
}
