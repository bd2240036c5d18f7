// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * safetensors-write.c: tensors to a safetensors file, a piece at a time.
 */
#include "model/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "model/quote.h"

#define LENGTH_BYTES 8
/* Values that are converted at once: what a file costs in memory. */
#define PIECE 65536

/* A tensor to be written: the values of @values, or where that is NULL what @named says. */
typedef struct {
  SwinNamedTensor named;
  const gfloat *values;
} Source;

/* A file on its way: written beside @path and renamed when all is there. */
typedef struct {
  const gchar *path;
  gchar *temporary_path;
  FILE *stream;
  SwinDtype dtype;
  gfloat *values;   /* a piece of them */
  gint64 *integers; /* a piece of them */
  guint8 *bytes;    /* a piece of either in the file's type */
} Writer;

static void writer_clear(Writer *writer) {
  if (writer->stream != NULL) {
    fclose(writer->stream);
  }
  if (writer->temporary_path != NULL) {
    g_unlink(writer->temporary_path);
    g_free(writer->temporary_path);
  }
  g_free(writer->values);
  g_free(writer->integers);
  g_free(writer->bytes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Writer, writer_clear)

static gboolean refuse_file(const Writer *writer, int error_number, GError **error) {
  g_autofree gchar *shown = swin_quote_path(writer->path);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The file %s cannot be written: %s.", shown,
              g_strerror(error_number));
  return FALSE;
}

/* ---- Header --------------------------------------------------------------------------------- */

static void add_metadata(JsonBuilder *builder, const gchar *const *metadata) {
  json_builder_set_member_name(builder, "__metadata__");
  json_builder_begin_object(builder);
  for (guint i = 0; metadata[i] != NULL && metadata[i + 1] != NULL; i += 2) {
    json_builder_set_member_name(builder, metadata[i]);
    json_builder_add_string_value(builder, metadata[i + 1]);
  }
  json_builder_end_object(builder);
}

static const gchar *get_type(const SwinNamedTensor *named, SwinDtype dtype) {
  return named->integers != NULL ? "I64" : dtype == SWIN_DTYPE_F16 ? "F16" : "F32";
}

static gsize get_size(const SwinNamedTensor *named, SwinDtype dtype) {
  return named->integers != NULL ? sizeof(gint64) : swin_dtype_size(dtype);
}

static void add_tensor(JsonBuilder *builder, const SwinNamedTensor *named, SwinDtype dtype,
                       gsize begin, gsize end) {
  json_builder_set_member_name(builder, named->name);
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "dtype");
  json_builder_add_string_value(builder, get_type(named, dtype));
  json_builder_set_member_name(builder, "shape");
  json_builder_begin_array(builder);
  for (guint i = 0; i < named->tensor.n_dims; i++) {
    json_builder_add_int_value(builder, (gint64)named->tensor.shape[i]);
  }
  json_builder_end_array(builder);
  json_builder_set_member_name(builder, "data_offsets");
  json_builder_begin_array(builder);
  json_builder_add_int_value(builder, (gint64)begin);
  json_builder_add_int_value(builder, (gint64)end);
  json_builder_end_array(builder);
  json_builder_end_object(builder);
}

/* JSON, padded with spaces so that the data behind it are aligned to 8 bytes. */
static GString *make_header(const GArray *sources, SwinDtype dtype, const gchar *const *metadata) {
  g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
  json_builder_begin_object(builder);
  if (metadata != NULL) {
    add_metadata(builder, metadata);
  }
  gsize begin = 0;
  for (guint i = 0; i < sources->len; i++) {
    const SwinNamedTensor *named = &g_array_index(sources, Source, i).named;
    const gsize end = begin + (gsize)named->tensor.n_elements * get_size(named, dtype);
    add_tensor(builder, named, dtype, begin, end);
    begin = end;
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

static gboolean write_bytes(const Writer *writer, gconstpointer bytes, gsize n_bytes,
                            GError **error) {
  return fwrite(bytes, 1, n_bytes, writer->stream) == n_bytes || refuse_file(writer, errno, error);
}

static gboolean write_header(const Writer *writer, const GArray *sources,
                             const gchar *const *metadata, GError **error) {
  GString *header = make_header(sources, writer->dtype, metadata);
  const guint64 length = GUINT64_TO_LE((guint64)header->len);
  const gboolean written = write_bytes(writer, &length, LENGTH_BYTES, error) &&
                           write_bytes(writer, header->str, header->len, error);
  g_string_free(header, TRUE);
  return written;
}

/* ---- Values --------------------------------------------------------------------------------- */

/* IEEE 754 binary16, rounded to nearest, ties to even. FALSE where it would become infinite: from
 * 65520 on, halfway between the largest value, 65504, and the next that there would be. */
static gboolean f16_from_float(gfloat value, guint16 *half) {
  guint32 bits;
  memcpy(&bits, &value, sizeof bits);
  const guint32 sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  const guint32 overflow = 0x477ff000, smallest_normal = 0x38800000; /* 65520 and 2^-14 */
  if (magnitude >= overflow) {
    return FALSE;
  }
  if (magnitude < smallest_normal) { /* in steps of 2^-24 */
    *half = (guint16)(sign | (guint32)lrintf(ldexpf(fabsf(value), 24)));
    return TRUE;
  }
  const guint32 rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  *half = (guint16)(sign | (rounded - ((127u - 15u) << 23)) >> 13);
  return TRUE;
}

/* Little-endian. Returns how many values came before one that does not fit, @n if all do. */
static gsize encode(const gfloat *values, gsize n, SwinDtype dtype, guint8 *bytes) {
  for (gsize i = 0; i < n; i++) {
    if (dtype == SWIN_DTYPE_F32) {
      guint32 word;
      memcpy(&word, &values[i], sizeof word);
      word = GUINT32_TO_LE(word);
      memcpy(bytes + i * sizeof word, &word, sizeof word);
      continue;
    }
    guint16 half;
    if (!f16_from_float(values[i], &half)) {
      return i;
    }
    half = GUINT16_TO_LE(half);
    memcpy(bytes + i * sizeof half, &half, sizeof half);
  }
  return n;
}

static void read_values(const Source *source, guint64 first, gsize n, gfloat *values) {
  swin_tensor_read(&source->named.tensor, first, n, values);
  for (gsize i = 0; i < n && source->named.factor != 1.0f; i++) {
    values[i] *= source->named.factor;
  }
}

/* Converts a piece of a tensor. */
static gboolean convert_values(const Writer *writer, const Source *source, guint64 first, gsize n,
                               GError **error) {
  const gfloat *values = source->values != NULL ? source->values + first : writer->values;
  if (source->values == NULL) {
    read_values(source, first, n, writer->values);
  }
  const gsize n_encoded = encode(values, n, writer->dtype, writer->bytes);
  if (n_encoded == n) {
    return TRUE;
  }
  g_autofree gchar *name = swin_quote(source->named.name);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "The tensor %s holds the value %g, which is beyond F16, whose largest is 65504: "
              "write F32.",
              name, values[n_encoded]);
  return FALSE;
}

static void make_integers(const Writer *writer, const SwinNamedTensor *named, guint64 first,
                          gsize n) {
  named->integers(named->data, first, n, writer->integers);
  for (gsize i = 0; i < n; i++) {
    const gint64 word = GINT64_TO_LE(writer->integers[i]);
    memcpy(writer->bytes + i * sizeof word, &word, sizeof word);
  }
}

static gboolean write_tensor(const Writer *writer, const Source *source, GError **error) {
  const SwinNamedTensor *named = &source->named;
  for (guint64 first = 0; first < named->tensor.n_elements; first += PIECE) {
    const gsize n = (gsize)MIN(named->tensor.n_elements - first, PIECE);
    if (named->integers != NULL) {
      make_integers(writer, named, first, n);
    } else if (!convert_values(writer, source, first, n, error)) {
      return FALSE;
    }
    if (!write_bytes(writer, writer->bytes, n * get_size(named, writer->dtype), error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- Files ---------------------------------------------------------------------------------- */

static gboolean writer_open(Writer *writer, GError **error) {
  writer->values = g_new(gfloat, PIECE);
  writer->integers = g_new(gint64, PIECE);
  writer->bytes = g_new(guint8, PIECE * sizeof(gint64));
  writer->temporary_path = g_strconcat(writer->path, ".XXXXXX", NULL);
  const int descriptor = g_mkstemp_full(writer->temporary_path, O_WRONLY, 0666);
  if (descriptor < 0) {
    const int error_number = errno;
    g_clear_pointer(&writer->temporary_path, g_free);
    return refuse_file(writer, error_number, error);
  }
  writer->stream = fdopen(descriptor, "wb");
  if (writer->stream == NULL) {
    const int error_number = errno;
    g_close(descriptor, NULL);
    return refuse_file(writer, error_number, error);
  }
  return TRUE;
}

static gboolean writer_finish(Writer *writer, GError **error) {
  FILE *stream = g_steal_pointer(&writer->stream);
  if (fclose(stream) != 0 || g_rename(writer->temporary_path, writer->path) != 0) {
    return refuse_file(writer, errno, error);
  }
  g_clear_pointer(&writer->temporary_path, g_free);
  return TRUE;
}

static gboolean write_sources(const gchar *path, const GArray *sources, SwinDtype dtype,
                              const gchar *const *metadata, GError **error) {
  g_auto(Writer) writer = {.path = path, .dtype = dtype};
  if (!writer_open(&writer, error) || !write_header(&writer, sources, metadata, error)) {
    return FALSE;
  }
  for (guint i = 0; i < sources->len; i++) {
    if (!write_tensor(&writer, &g_array_index(sources, Source, i), error)) {
      return FALSE;
    }
  }
  return writer_finish(&writer, error);
}

gboolean swin_safetensors_write(const gchar *path, const SwinNamedValues *tensors, guint n_tensors,
                                const gchar *const *metadata, GError **error) {
  g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(Source));
  for (guint i = 0; i < n_tensors; i++) {
    Source source = {.named = {.name = tensors[i].name}, .values = tensors[i].values};
    SwinTensor *tensor = &source.named.tensor;
    tensor->n_dims = tensors[i].n_dims;
    tensor->n_elements = 1;
    for (guint j = 0; j < tensors[i].n_dims; j++) {
      tensor->shape[j] = tensors[i].shape[j];
      tensor->n_elements *= tensors[i].shape[j];
    }
    g_array_append_val(sources, source);
  }
  return write_sources(path, sources, SWIN_DTYPE_F32, metadata, error);
}

gboolean swin_safetensors_write_tensors(const gchar *path, const SwinNamedTensor *tensors,
                                        guint n_tensors, SwinDtype dtype,
                                        const gchar *const *metadata, GError **error) {
  g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(Source));
  for (guint i = 0; i < n_tensors; i++) {
    const Source source = {.named = tensors[i]};
    g_array_append_val(sources, source);
  }
  return write_sources(path, sources, dtype, metadata, error);
}
