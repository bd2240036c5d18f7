// SPDX-License-Identifier: LGPL-2.1-or-later
/* The container format: good files, every way in which one can lie, and files written here. */
#include <string.h>

#include "fixture.h"
#include "model/safetensors.h"

#define GOOD                                                                                       \
  "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"F16\",\"shape\":[2,3],"                \
  "\"data_offsets\":[8,20]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"

static SwinSafetensors *parse(const gchar *header, gsize n_data_bytes, GError **error) {
  g_autoptr(GBytes) bytes = fixture_pack(header, n_data_bytes);
  return swin_safetensors_new(bytes, "/some/where/damaged.safetensors", error);
}

START_TEST(good_file) {
  GError *error = NULL;
  g_autoptr(SwinSafetensors) file = parse(GOOD "  \n", 20, &error);
  ck_assert_ptr_nonnull(file);
  const GPtrArray *names = swin_safetensors_get_names(file);
  ck_assert_uint_eq(names->len, 2);
  ck_assert_str_eq(g_ptr_array_index(names, 0), "a");
  ck_assert_str_eq(g_ptr_array_index(names, 1), "b");
  ck_assert(swin_safetensors_has(file, "b") && !swin_safetensors_has(file, "__metadata__"));
  SwinTensor a, b;
  ck_assert(swin_safetensors_lookup(file, "a", &a, &error));
  ck_assert(swin_safetensors_lookup(file, "b", &b, &error));
  ck_assert_int_eq(b.dtype, SWIN_DTYPE_F16);
  ck_assert_uint_eq(b.n_dims, 2);
  ck_assert_uint_eq(b.shape[0], 2);
  ck_assert_uint_eq(b.shape[1], 3);
  ck_assert_uint_eq(b.n_elements, 6);
  ck_assert_ptr_eq(b.data, a.data + 8);
}
END_TEST

START_TEST(scalars_and_empty_tensors) {
  g_autoptr(SwinSafetensors) file =
      parse("{\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
            "\"e\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[4,4]}}",
            4, NULL);
  ck_assert_ptr_nonnull(file);
  SwinTensor tensor;
  ck_assert(swin_safetensors_lookup(file, "s", &tensor, NULL));
  ck_assert_uint_eq(tensor.n_dims, 0);
  ck_assert_uint_eq(tensor.n_elements, 1);
  ck_assert(swin_safetensors_lookup(file, "e", &tensor, NULL));
  ck_assert_uint_eq(tensor.n_elements, 0);
}
END_TEST

/* Headers that lie, each with what the message must name. */
static const struct {
  const gchar *header;
  gsize n_data_bytes;
  const gchar *part;
} damaged[] = {
    {"", 0, "empty"},
    {"not JSON", 0, "not JSON"},
    {"[1]", 0, "no JSON object"},
    {"{\"a\":1}", 0, "\"a\" is not described"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"a\" has no \"dtype\""},
    {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"a\" has no \"dtype\""},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "\"a\" has no valid \"shape\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "\"shape\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "\"shape\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "\"shape\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551615],\"data_offsets\":[0,4]}}", 4,
     "\"a\" has "},
    /* 2^32 * 2^32 elements overflow; 2^62 elements do not, but their bytes do. */
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4,
     "\"a\" has a shape whose number of elements overflows"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
     "\"a\" has a shape whose size overflows"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "\"a\" has no valid \"data_offsets\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "\"data_offsets\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "\"data_offsets\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "\"data_offsets\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "\"data_offsets\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9223372036854775807]}}", 4,
     "\"a\" ends at byte 9223372036854775807"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "\"a\" ends at byte 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
     "\"a\" has 4 bytes of data where its shape and type need 8"},
    {"{\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
     "\"a\" has 8 bytes of data where its shape and type need 4"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
     12, "\"b\" begins at byte 4 of the data and so overlaps"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     4, "\"b\" begins at byte 0 of the data and so overlaps"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
     12, "\"b\" begins at byte 8 of the data and so leaves a gap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "leaves a gap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8,
     "8 bytes of data where its header describes 4"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     4, "names \"a\" twice"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4,
     "names \"dtype\" twice"},
    {"{/* */\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "'/'"},
    {"{\"\xff\":1}", 0, "not UTF-8"},
};

START_TEST(damaged_headers) {
  for (guint i = 0; i < G_N_ELEMENTS(damaged); i++) {
    GError *error = NULL;
    ck_assert_msg(parse(damaged[i].header, damaged[i].n_data_bytes, &error) == NULL, "accepted: %s",
                  damaged[i].header);
    ck_assert_msg(strstr(error->message, "\"/some/where/damaged.safetensors\"") != NULL,
                  "no file name in: %s", error->message);
    fixture_expect_error(error, SWIN_ERROR_MODEL, damaged[i].part);
  }
}
END_TEST

/* json-glib recurses; a file must not choose how deep. */
START_TEST(deep_nesting) {
  static const gchar *const openings[] = {"", "{\"a\":", "{\"a\": // \"\n"};
  for (guint i = 0; i < G_N_ELEMENTS(openings); i++) {
    g_autoptr(GString) header = g_string_new(openings[i]);
    for (guint j = 0; j < 1000000; j++) {
      g_string_append_c(header, '[');
    }
    GError *error = NULL;
    ck_assert_ptr_null(parse(header->str, 0, &error));
    fixture_expect_error(error, SWIN_ERROR_MODEL, i == 2 ? "'/'" : "nested");
  }
}
END_TEST

START_TEST(header_length) {
  static const guint64 lengths[] = {
      1, 9, 100000001, G_MAXUINT64, G_MAXUINT64 - 7, G_GUINT64_CONSTANT(0x8000000000000000)};
  for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
    guint8 content[16] = {0};
    guint64 length = GUINT64_TO_LE(lengths[i]);
    memcpy(content, &length, 8);
    memcpy(content + 8, "{}      ", 8);
    g_autoptr(GBytes) bytes = g_bytes_new(content, sizeof content);
    GError *error = NULL;
    ck_assert_ptr_null(swin_safetensors_new(bytes, "x", &error));
    fixture_expect_error(error, SWIN_ERROR_MODEL, lengths[i] == 1 ? "not JSON" : "header is said");
  }
}
END_TEST

/* Every proper beginning of a good file is refused. */
START_TEST(truncated) {
  g_autoptr(GBytes) whole = fixture_pack(GOOD, 20);
  for (gsize n_bytes = 0; n_bytes < g_bytes_get_size(whole); n_bytes++) {
    g_autoptr(GBytes) part = g_bytes_new_from_bytes(whole, 0, n_bytes);
    GError *error = NULL;
    ck_assert_ptr_null(swin_safetensors_new(part, "cut", &error));
    fixture_expect_error(error, SWIN_ERROR_MODEL, "\"cut\"");
  }
}
END_TEST

START_TEST(unreadable_tensors) {
  g_autoptr(SwinSafetensors) file =
      parse("{\"index\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            "\"odd\":{\"dtype\":\"Q3_K\",\"shape\":[7],\"data_offsets\":[8,11]},"
            "\"deep\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[11,15]}}",
            15, NULL);
  ck_assert_ptr_nonnull(file); /* nothing is wrong with tensors that nobody reads */
  SwinTensor tensor;
  GError *error = NULL;
  ck_assert(!swin_safetensors_lookup(file, "index", &tensor, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "\"index\"");
  ck_assert(!swin_safetensors_lookup(file, "odd", &tensor, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "\"Q3_K\"");
  ck_assert(!swin_safetensors_lookup(file, "deep", &tensor, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "5 dimensions");
  ck_assert(!swin_safetensors_lookup(file, "nobody", &tensor, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "\"nobody\"");
}
END_TEST

START_TEST(files) {
  GError *error = NULL;
  g_autofree gchar *missing = fixture_path("missing.safetensors");
  ck_assert_ptr_null(swin_safetensors_open(missing, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, missing);
  fixture_write("empty.safetensors", "", 0);
  g_autofree gchar *empty = fixture_path("empty.safetensors");
  ck_assert_ptr_null(swin_safetensors_open(empty, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_MODEL, "only 0 bytes");
}
END_TEST

START_TEST(written_file) {
  const gfloat matrix[] = {1.5f, -0.0f, 3e-45f, 4.0f, 5.0f, 6.0f}, scalar[] = {7.0f};
  const SwinNamedValues tensors[] = {
      {"say \"a\\b\"", 2, {2, 3}, matrix},
      {"scalar", 0, {0}, scalar},
      {"nothing", 2, {0, 4}, NULL},
  };
  const gchar *metadata[] = {"format", "pt", NULL};
  g_autofree gchar *path = fixture_path("written.safetensors");
  GError *error = NULL;
  for (guint round = 0; round < 2; round++) { /* the second replaces the first */
    ck_assert(swin_safetensors_write(path, tensors, G_N_ELEMENTS(tensors), metadata, &error));
    g_autoptr(SwinSafetensors) file = swin_safetensors_open(path, &error);
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(swin_safetensors_get_names(file)->len, 3);
    for (guint i = 0; i < G_N_ELEMENTS(tensors); i++) {
      SwinTensor tensor;
      gfloat values[6];
      ck_assert(swin_safetensors_lookup(file, tensors[i].name, &tensor, &error));
      ck_assert_uint_eq(tensor.n_dims, tensors[i].n_dims);
      ck_assert_mem_eq(tensor.shape, tensors[i].shape, tensor.n_dims * sizeof *tensor.shape);
      ck_assert_uint_eq((gsize)tensor.data % 4, 0);
      swin_tensor_read(&tensor, 0, tensor.n_elements, values);
      if (tensor.n_elements > 0) {
        ck_assert_mem_eq(values, tensors[i].values, tensor.n_elements * sizeof *values);
      }
    }
  }
}
END_TEST

START_TEST(unwritable_file) {
  const gfloat value[] = {1.0f};
  const SwinNamedValues tensor = {"a", 1, {1}, value};
  g_autofree gchar *path = fixture_path("no/such/folder/out.safetensors");
  GError *error = NULL;
  ck_assert(!swin_safetensors_write(path, &tensor, 1, NULL, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, path);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      good_file, scalars_and_empty_tensors, damaged_headers, deep_nesting, header_length,
      truncated, unreadable_tensors,        files,           written_file, unwritable_file};
  return fixture_run("safetensors", tests, G_N_ELEMENTS(tests));
}
