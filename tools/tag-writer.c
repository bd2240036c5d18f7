// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tag-writer.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

struct _SwinTagWriter {
  SwinTagFormat format;
  SwinModel *model;
  gchar **labels; /* (nullable) */
};

/* What programs read is UTF-8 whatever the locale, into whose characters g_print() converts. */
static void print(const SwinTagWriter *writer, const gchar *text) {
  if (writer->format == SWIN_TAG_FORMAT_TEXT) {
    g_print("%s", text);
  } else {
    fputs(text, stdout);
    fflush(stdout);
  }
}

SwinTagWriter *swin_tag_writer_new(SwinTagFormat format, SwinModel *model, gchar **labels) {
  SwinTagWriter *writer = g_new(SwinTagWriter, 1);
  *writer = (SwinTagWriter){format, swin_model_ref(model), labels};
  if (format == SWIN_TAG_FORMAT_CSV)
    print(writer, "file,rank,index,label,confidence\r\n");
  return writer;
}

void swin_tag_writer_free(SwinTagWriter *writer) {
  if (writer == NULL)
    return;
  swin_model_unref(writer->model);
  g_free(writer);
}

static const gchar *get_label(const SwinTagWriter *writer, guint index) {
  return writer->labels != NULL ? writer->labels[index]
                                : swin_model_get_label(writer->model, index);
}

static void write_text(const SwinTagWriter *writer, const gchar *file, const SwinTag *tags,
                       guint n_tags, GString *text) {
  g_string_append_printf(text, "%s\n", file);
  for (guint i = 0; i < n_tags; i++)
    g_string_append_printf(text, "  %5.1f %%  %s\n", 100.0 * (gdouble)tags[i].confidence,
                           get_label(writer, tags[i].index));
}

/* Returns: (transfer full): in quotes where it has to be. */
static gchar *quote_field(const gchar *field) {
  if (strpbrk(field, ",\"\r\n") == NULL)
    return g_strdup(field);
  GString *quoted = g_string_new(field);
  g_string_replace(quoted, "\"", "\"\"", 0);
  g_string_prepend_c(quoted, '"');
  g_string_append_c(quoted, '"');
  return g_string_free(quoted, FALSE);
}

static void write_csv(const SwinTagWriter *writer, const gchar *file, const SwinTag *tags,
                      guint n_tags, GString *text) {
  g_autofree gchar *quoted_file = quote_field(file);
  for (guint i = 0; i < n_tags; i++) {
    g_autofree gchar *label = quote_field(get_label(writer, tags[i].index));
    gchar confidence[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(confidence, sizeof(confidence), "%.6f", (gdouble)tags[i].confidence);
    g_string_append_printf(text, "%s,%u,%u,%s,%s\r\n", quoted_file, i + 1, tags[i].index, label,
                           confidence);
  }
}

static void write_json(const SwinTagWriter *writer, const gchar *file, const SwinTag *tags,
                       guint n_tags, GString *text) {
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "file");
  json_builder_add_string_value(builder, file);
  json_builder_set_member_name(builder, "tags");
  json_builder_begin_array(builder);
  for (guint i = 0; i < n_tags; i++) {
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "label");
    json_builder_add_string_value(builder, get_label(writer, tags[i].index));
    json_builder_set_member_name(builder, "index");
    json_builder_add_int_value(builder, tags[i].index);
    json_builder_set_member_name(builder, "confidence");
    json_builder_add_double_value(builder, (gdouble)tags[i].confidence);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
  json_builder_end_object(builder);
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  g_autofree gchar *line = json_to_string(root, FALSE);
  g_string_append_printf(text, "%s\n", line);
}

void swin_tag_writer_write(SwinTagWriter *writer, const gchar *path, const SwinTag *tags,
                           guint n_tags) {
  g_autofree gchar *file = g_filename_display_name(path);
  g_autoptr(GString) text = g_string_new(NULL);
  switch (writer->format) {
  case SWIN_TAG_FORMAT_TEXT:
    write_text(writer, file, tags, n_tags, text);
    break;
  case SWIN_TAG_FORMAT_CSV:
    write_csv(writer, file, tags, n_tags, text);
    break;
  case SWIN_TAG_FORMAT_JSON:
    write_json(writer, file, tags, n_tags, text);
    break;
  }
  print(writer, text->str);
}

gboolean swin_tag_writer_finish(G_GNUC_UNUSED SwinTagWriter *writer, GError **error) {
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout))
    return TRUE;
  g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
              "Not all tags could be written: %s.",
              errno != 0 ? g_strerror(errno) : "the output failed");
  return FALSE;
}
