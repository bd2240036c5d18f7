// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * safetensors-write.c: float32 tensors to a safetensors file.
 */
#include "model/safetensors.h"

#include <string.h>

#include <json-glib/json-glib.h>

#include "model/quote.h"

#define LENGTH_BYTES 8

static gsize count_bytes(const SwinNamedValues *tensor) {
  gsize n_bytes = sizeof(gfloat);
  for (guint i = 0; i < tensor->n_dims; i++) {
    n_bytes *= tensor->shape[i];
  }
  return n_bytes;
}

static void add_metadata(JsonBuilder *builder, const gchar *const *metadata) {
  json_builder_set_member_name(builder, "__metadata__");
  json_builder_begin_object(builder);
  for (guint i = 0; metadata[i] != NULL && metadata[i + 1] != NULL; i += 2) {
    json_builder_set_member_name(builder, metadata[i]);
    json_builder_add_string_value(builder, metadata[i + 1]);
  }
  json_builder_end_object(builder);
}

static void add_tensor(JsonBuilder *builder, const SwinNamedValues *tensor, gsize begin) {
  json_builder_set_member_name(builder, tensor->name);
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "dtype");
  json_builder_add_string_value(builder, "F32");
  json_builder_set_member_name(builder, "shape");
  json_builder_begin_array(builder);
  for (guint i = 0; i < tensor->n_dims; i++) {
    json_builder_add_int_value(builder, (gint64)tensor->shape[i]);
  }
  json_builder_end_array(builder);
  json_builder_set_member_name(builder, "data_offsets");
  json_builder_begin_array(builder);
  json_builder_add_int_value(builder, (gint64)begin);
  json_builder_add_int_value(builder, (gint64)(begin + count_bytes(tensor)));
  json_builder_end_array(builder);
  json_builder_end_object(builder);
}

/* JSON, padded with spaces so that the data behind it are aligned to 8 bytes. */
static GString *make_header(const SwinNamedValues *tensors, guint n_tensors,
                            const gchar *const *metadata) {
  g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
  json_builder_begin_object(builder);
  if (metadata != NULL) {
    add_metadata(builder, metadata);
  }
  gsize offset = 0;
  for (guint i = 0; i < n_tensors; i++) {
    add_tensor(builder, &tensors[i], offset);
    offset += count_bytes(&tensors[i]);
  }
  json_builder_end_object(builder);
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  g_autofree gchar *json = json_to_string(root, FALSE);
  GString *header = g_string_new(json);
  while (header->len % LENGTH_BYTES != 0) {
    g_string_append_c(header, ' ');
  }
  return header;
}

static void write_values(guint8 *to, const SwinNamedValues *tensor) {
  gsize n_bytes = count_bytes(tensor);
  if (n_bytes == 0) {
    return;
  }
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  memcpy(to, tensor->values, n_bytes);
#else
  for (gsize i = 0; i < n_bytes / sizeof(guint32); i++) {
    guint32 word;
    memcpy(&word, &tensor->values[i], sizeof word);
    word = GUINT32_TO_LE(word);
    memcpy(to + i * sizeof word, &word, sizeof word);
  }
#endif
}

gboolean swin_safetensors_write(const gchar *path, const SwinNamedValues *tensors, guint n_tensors,
                                const gchar *const *metadata, GError **error) {
  GString *header = make_header(tensors, n_tensors, metadata);
  gsize n_bytes = LENGTH_BYTES + header->len;
  for (guint i = 0; i < n_tensors; i++) {
    n_bytes += count_bytes(&tensors[i]);
  }
  g_autofree guint8 *bytes = g_try_malloc(n_bytes);
  if (bytes == NULL) {
    g_string_free(header, TRUE);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                "There is not enough memory to write %" G_GSIZE_FORMAT " bytes of tensors.",
                n_bytes);
    return FALSE;
  }
  guint64 header_bytes = GUINT64_TO_LE((guint64)header->len);
  memcpy(bytes, &header_bytes, LENGTH_BYTES);
  memcpy(bytes + LENGTH_BYTES, header->str, header->len);
  guint8 *to = bytes + LENGTH_BYTES + header->len;
  g_string_free(header, TRUE);
  for (guint i = 0; i < n_tensors; i++) {
    write_values(to, &tensors[i]);
    to += count_bytes(&tensors[i]);
  }
  g_autoptr(GError) write_error = NULL;
  if (!g_file_set_contents(path, (const gchar *)bytes, (gssize)n_bytes, &write_error)) {
    g_autofree gchar *shown = swin_quote_path(path);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The file %s cannot be written: %s.", shown,
                write_error->message);
    return FALSE;
  }
  return TRUE;
}
