// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/safetensors.h"

#include <string.h>
#include <sys/mman.h>

#include "model/json.h"
#include "model/quote.h"

#define LENGTH_BYTES 8
/* The cap of the reference implementation. */
#define MAX_HEADER_BYTES 100000000u
/* Far above any model; keeps a hostile shape from costing memory. */
#define MAX_FILE_DIMS 64

typedef struct {
  gchar *name;
  gchar *dtype;
  guint n_dims; /* to MAX_FILE_DIMS; of these only the first are kept */
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
  guint64 n_elements;
  guint64 begin, end; /* bytes from the start of the data */
} Entry;

struct _SwinSafetensors {
  gchar *path;
  GBytes *bytes;
  gboolean is_mapped; /* bytes are pages of the file */
  const guint8 *data; /* behind the header; belongs to bytes */
  guint64 n_data_bytes;
  GPtrArray *entries;  /* of Entry, in the order of the data */
  GPtrArray *names;    /* borrowed from the entries */
  GHashTable *by_name; /* name -> Entry, both borrowed */
};

static const struct {
  const gchar *name;
  guint n_bytes;
} dtype_sizes[] = {
    {"F64", 8},  {"F32", 4}, {"F16", 2},     {"BF16", 2},    {"I64", 8}, {"I32", 4},
    {"I16", 2},  {"I8", 1},  {"U64", 8},     {"U32", 4},     {"U16", 2}, {"U8", 1},
    {"BOOL", 1}, {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1},
};

static const struct {
  const gchar *name;
  SwinDtype dtype;
} readable_dtypes[] = {
    {"F32", SWIN_DTYPE_F32},
    {"F16", SWIN_DTYPE_F16},
    {"BF16", SWIN_DTYPE_BF16},
};

static void entry_free(gpointer data) {
  Entry *entry = data;
  g_free(entry->name);
  g_free(entry->dtype);
  g_free(entry);
}

/* Sets an error about one tensor; @format follows "tensor NAME ". */
static gboolean G_GNUC_PRINTF(4, 5)
    refuse(SwinSafetensors *file, const gchar *tensor, GError **error, const gchar *format, ...) {
  g_autofree gchar *path = swin_quote_path(file->path);
  g_autofree gchar *name = swin_quote(tensor);
  va_list arguments;
  va_start(arguments, format);
  g_autofree gchar *reason = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The file %s is damaged: its tensor %s %s.",
              path, name, reason);
  return FALSE;
}

/* A JSON array of non-negative integers, or FALSE. */
static gboolean read_integers(JsonObject *object, const gchar *field, guint max_values,
                              guint64 *values, guint *n_values) {
  JsonNode *node = json_object_get_member(object, field);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node)) {
    return FALSE;
  }
  JsonArray *array = json_node_get_array(node);
  *n_values = json_array_get_length(array);
  if (*n_values > max_values) {
    return FALSE;
  }
  for (guint i = 0; i < *n_values; i++) {
    JsonNode *element = json_array_get_element(array, i);
    if (!JSON_NODE_HOLDS_VALUE(element) || json_node_get_value_type(element) != G_TYPE_INT64 ||
        json_node_get_int(element) < 0) {
      return FALSE;
    }
    values[i] = (guint64)json_node_get_int(element);
  }
  return TRUE;
}

static gboolean read_shape(SwinSafetensors *file, Entry *entry, JsonObject *object,
                           GError **error) {
  guint64 shape[MAX_FILE_DIMS];
  if (!read_integers(object, "shape", MAX_FILE_DIMS, shape, &entry->n_dims)) {
    return refuse(file, entry->name, error, "has no valid \"shape\"");
  }
  entry->n_elements = 1;
  for (guint i = 0; i < entry->n_dims; i++) {
    if (!g_uint64_checked_mul(&entry->n_elements, entry->n_elements, shape[i])) {
      return refuse(file, entry->name, error,
                    "has a shape whose number of elements overflows 64 bits");
    }
    if (i < SWIN_TENSOR_MAX_DIMS) {
      entry->shape[i] = shape[i];
    }
  }
  return TRUE;
}

/* Data of a type that is not known here cannot be measured; their offsets still are checked. */
static gboolean check_size(SwinSafetensors *file, const Entry *entry, GError **error) {
  for (guint i = 0; i < G_N_ELEMENTS(dtype_sizes); i++) {
    if (strcmp(entry->dtype, dtype_sizes[i].name) != 0) {
      continue;
    }
    guint64 n_bytes;
    if (!g_uint64_checked_mul(&n_bytes, entry->n_elements, dtype_sizes[i].n_bytes)) {
      return refuse(file, entry->name, error, "has a shape whose size overflows 64 bits");
    }
    if (n_bytes != entry->end - entry->begin) {
      return refuse(file, entry->name, error,
                    "has %" G_GUINT64_FORMAT " bytes of data where its shape and type need "
                    "%" G_GUINT64_FORMAT,
                    entry->end - entry->begin, n_bytes);
    }
  }
  return TRUE;
}

static gboolean read_offsets(SwinSafetensors *file, Entry *entry, JsonObject *object,
                             GError **error) {
  guint64 offsets[2];
  guint n_offsets;
  if (!read_integers(object, "data_offsets", 2, offsets, &n_offsets) || n_offsets != 2 ||
      offsets[0] > offsets[1]) {
    return refuse(file, entry->name, error, "has no valid \"data_offsets\"");
  }
  entry->begin = offsets[0];
  entry->end = offsets[1];
  if (entry->end > file->n_data_bytes) {
    return refuse(file, entry->name, error,
                  "ends at byte %" G_GUINT64_FORMAT " of the data, which are only "
                  "%" G_GUINT64_FORMAT " bytes long (is the file cut off?)",
                  entry->end, file->n_data_bytes);
  }
  return TRUE;
}

static gboolean read_entry(SwinSafetensors *file, const gchar *name, JsonNode *node,
                           GError **error) {
  Entry *entry = g_new0(Entry, 1);
  entry->name = g_strdup(name);
  g_ptr_array_add(file->entries, entry);
  if (!JSON_NODE_HOLDS_OBJECT(node)) {
    return refuse(file, name, error, "is not described by a JSON object");
  }
  JsonObject *object = json_node_get_object(node);
  JsonNode *dtype = json_object_get_member(object, "dtype");
  if (dtype == NULL || !swin_json_holds_string(dtype)) {
    return refuse(file, name, error, "has no \"dtype\"");
  }
  entry->dtype = g_strdup(json_node_get_string(dtype));
  return read_shape(file, entry, object, error) && read_offsets(file, entry, object, error) &&
         check_size(file, entry, error);
}

static gint compare_entries(gconstpointer a, gconstpointer b) {
  const Entry *first = *(const Entry *const *)a, *second = *(const Entry *const *)b;
  if (first->begin != second->begin) {
    return first->begin < second->begin ? -1 : 1;
  }
  if (first->end != second->end) {
    return first->end < second->end ? -1 : 1;
  }
  return strcmp(first->name, second->name);
}

/* The format wants every byte of the data in exactly one tensor. */
static gboolean check_layout(SwinSafetensors *file, GError **error) {
  guint64 end = 0;
  for (guint i = 0; i < file->entries->len; i++) {
    const Entry *entry = g_ptr_array_index(file->entries, i);
    if (entry->begin != end) {
      return refuse(file, entry->name, error,
                    "begins at byte %" G_GUINT64_FORMAT " of the data and so %s the one before it, "
                    "which ends at byte %" G_GUINT64_FORMAT,
                    entry->begin, entry->begin < end ? "overlaps" : "leaves a gap behind", end);
    }
    end = entry->end;
  }
  if (end != file->n_data_bytes) {
    g_autofree gchar *path = swin_quote_path(file->path);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The file %s is damaged: it has %" G_GUINT64_FORMAT
                " bytes of data where its header describes %" G_GUINT64_FORMAT ".",
                path, file->n_data_bytes, end);
    return FALSE;
  }
  return TRUE;
}

static gboolean read_entries(SwinSafetensors *file, JsonObject *header, GError **error) {
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;
  json_object_iter_init_ordered(&iter, header); /* the first of several faults is told */
  while (json_object_iter_next_ordered(&iter, &name, &node)) {
    if (strcmp(name, "__metadata__") != 0 && !read_entry(file, name, node, error)) {
      return FALSE;
    }
  }
  g_ptr_array_sort(file->entries, compare_entries);
  for (guint i = 0; i < file->entries->len; i++) {
    Entry *entry = g_ptr_array_index(file->entries, i);
    g_ptr_array_add(file->names, entry->name);
    g_hash_table_insert(file->by_name, entry->name, entry);
  }
  return check_layout(file, error);
}

/* Finds the header and sets where the data begin. */
static JsonNode *read_header(SwinSafetensors *file, GError **error) {
  g_autofree gchar *path = swin_quote_path(file->path);
  gsize n_bytes;
  const guint8 *bytes = g_bytes_get_data(file->bytes, &n_bytes);
  if (n_bytes < LENGTH_BYTES) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The file %s is no safetensors file: it is only %" G_GSIZE_FORMAT " bytes long.",
                path, n_bytes);
    return NULL;
  }
  guint64 header_bytes;
  memcpy(&header_bytes, bytes, sizeof header_bytes);
  header_bytes = GUINT64_FROM_LE(header_bytes);
  if (header_bytes > MAX_HEADER_BYTES || header_bytes > n_bytes - LENGTH_BYTES) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The file %s is damaged or no safetensors file: its header is said to be "
                "%" G_GUINT64_FORMAT " bytes long where at most %" G_GUINT64_FORMAT
                " can be there.",
                path, header_bytes, MIN((guint64)MAX_HEADER_BYTES, n_bytes - LENGTH_BYTES));
    return NULL;
  }
  JsonNode *header =
      swin_json_parse((const gchar *)bytes + LENGTH_BYTES, header_bytes, SWIN_ERROR_MODEL, error);
  if (header == NULL) {
    g_prefix_error(error, "The header of the safetensors file %s is damaged: ", path);
    return NULL;
  }
  file->data = bytes + LENGTH_BYTES + header_bytes;
  file->n_data_bytes = n_bytes - LENGTH_BYTES - header_bytes;
  return header;
}

SwinSafetensors *swin_safetensors_new(GBytes *bytes, const gchar *path, GError **error) {
  g_autoptr(SwinSafetensors) file = g_new0(SwinSafetensors, 1);
  file->path = g_strdup(path);
  file->bytes = g_bytes_ref(bytes);
  file->entries = g_ptr_array_new_with_free_func(entry_free);
  file->names = g_ptr_array_new();
  file->by_name = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(JsonNode) header = read_header(file, error);
  if (header == NULL || !read_entries(file, json_node_get_object(header), error)) {
    return NULL;
  }
  return g_steal_pointer(&file);
}

SwinSafetensors *swin_safetensors_open(const gchar *path, GError **error) {
  g_autofree gchar *shown = swin_quote_path(path);
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "There is no file %s.", shown);
    return NULL;
  }
  g_autoptr(GError) map_error = NULL;
  g_autoptr(GMappedFile) mapped = g_mapped_file_new(path, FALSE, &map_error);
  if (mapped == NULL) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The file %s cannot be read: %s.", shown,
                map_error->message);
    return NULL;
  }
  g_autoptr(GBytes) bytes = g_mapped_file_get_bytes(mapped);
  SwinSafetensors *file = swin_safetensors_new(bytes, path, error);
  if (file != NULL) {
    file->is_mapped = TRUE;
  }
  return file;
}

/* The mapping is read-only and private: its pages are the file's, and come back from there. Where
 * that fails they only stay. */
void swin_safetensors_drop_pages(SwinSafetensors *file) {
  gsize n_bytes;
  gconstpointer bytes = g_bytes_get_data(file->bytes, &n_bytes);
  if (file->is_mapped) {
    madvise((gpointer)bytes, n_bytes, MADV_DONTNEED);
  }
}

void swin_safetensors_free(SwinSafetensors *file) {
  if (file == NULL) {
    return;
  }
  g_hash_table_unref(file->by_name);
  g_ptr_array_unref(file->names);
  g_ptr_array_unref(file->entries);
  g_bytes_unref(file->bytes);
  g_free(file->path);
  g_free(file);
}

const gchar *swin_safetensors_get_path(SwinSafetensors *file) {
  return file->path;
}

const GPtrArray *swin_safetensors_get_names(SwinSafetensors *file) {
  return file->names;
}

gboolean swin_safetensors_has(SwinSafetensors *file, const gchar *name) {
  return g_hash_table_contains(file->by_name, name);
}

gboolean swin_safetensors_lookup(SwinSafetensors *file, const gchar *name, SwinTensor *tensor,
                                 GError **error) {
  g_autofree gchar *path = swin_quote_path(file->path);
  g_autofree gchar *shown = swin_quote(name);
  const Entry *entry = g_hash_table_lookup(file->by_name, name);
  if (entry == NULL) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The file %s has no tensor %s.", path, shown);
    return FALSE;
  }
  if (entry->n_dims > SWIN_TENSOR_MAX_DIMS) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The tensor %s in the file %s has %u dimensions, and at most %d can be read.",
                shown, path, entry->n_dims, SWIN_TENSOR_MAX_DIMS);
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(readable_dtypes); i++) {
    if (strcmp(entry->dtype, readable_dtypes[i].name) == 0) {
      *tensor = (SwinTensor){.dtype = readable_dtypes[i].dtype,
                             .n_dims = entry->n_dims,
                             .n_elements = entry->n_elements,
                             .data = file->data + entry->begin};
      memcpy(tensor->shape, entry->shape, sizeof tensor->shape);
      return TRUE;
    }
  }
  g_autofree gchar *dtype = swin_quote(entry->dtype);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "The tensor %s in the file %s is of type %s: save it as F32, F16 or BF16.", shown,
              path, dtype);
  return FALSE;
}
