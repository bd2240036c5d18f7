// SPDX-License-Identifier: LGPL-2.1-or-later
/* The container format: good files, every way in which one can lie, and files written here. */
#include <math.h>
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

/* ---- Conversion while writing --------------------------------------------------------------- */

static SwinTensor view(const gfloat *values, guint64 n) {
  return (SwinTensor){.dtype = SWIN_DTYPE_F32,
                      .n_dims = 1,
                      .shape = {n},
                      .n_elements = n,
                      .data = (gpointer)values};
}

/* Writes @n values as F16 and returns the file. */
static SwinSafetensors *write_halves(const gchar *path, const gfloat *values, guint64 n,
                                     gfloat factor, SwinTensor *halves) {
  const SwinNamedTensor tensor = {"a", view(values, n), factor};
  GError *error = NULL;
  ck_assert_msg(swin_safetensors_write_tensors(path, &tensor, 1, SWIN_DTYPE_F16, NULL, &error),
                "%s", error != NULL ? error->message : "");
  SwinSafetensors *file = swin_safetensors_open(path, &error);
  ck_assert_ptr_nonnull(file);
  ck_assert(swin_safetensors_lookup(file, "a", halves, &error));
  ck_assert_int_eq(halves->dtype, SWIN_DTYPE_F16);
  ck_assert_uint_eq(halves->n_elements, n);
  return file;
}

START_TEST(rounded_halves) {
  static const struct {
    gfloat value;
    guint16 half;
  } cases[] = {
      {1.0f, 0x3c00},
      {-2.0f, 0xc000},
      {0.0f, 0x0000},
      {-0.0f, 0x8000},
      {0x1.002p0f, 0x3c00},
      {0x1.006p0f, 0x3c02}, /* ties go to even */
      {0x1.002002p0f, 0x3c01},
      {0x1.005ffep0f, 0x3c01},
      {0x1.ffep0f, 0x4000},
      {65504.0f, 0x7bff},
      {65519.996f, 0x7bff},
      {-65519.996f, 0xfbff},
      {0x1p-14f, 0x0400},
      {0x1.ffep-15f, 0x0400},
      {0x1.ff8p-15f, 0x03ff},
      {0x1.ffcp-15f, 0x0400},
      {0x1p-24f, 0x0001},
      {0x1p-25f, 0x0000},
      {0x1.000002p-25f, 0x0001},
      {0x1.8p-24f, 0x0002},
      {-0x1p-26f, 0x8000},
      {1e-45f, 0x0000},
  };
  gfloat values[G_N_ELEMENTS(cases)];
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    values[i] = cases[i].value;
  }
  g_autofree gchar *path = fixture_path("rounded.safetensors");
  SwinTensor halves;
  g_autoptr(SwinSafetensors) file = write_halves(path, values, G_N_ELEMENTS(cases), 1.0f, &halves);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const guint16 half = (guint16)(halves.data[2 * i] | halves.data[2 * i + 1] << 8);
    ck_assert_msg(half == cases[i].half, "%a becomes 0x%04x, not 0x%04x", cases[i].value, half,
                  cases[i].half);
  }
}
END_TEST

/* Every finite half is itself; more of them than are converted at once, and from any address. */
START_TEST(all_halves) {
  const guint n = 0x10000 + 0x1000;
  g_autofree gfloat *values = g_new(gfloat, n);
  g_autofree guint8 *bytes = g_malloc(2 * n + 1);
  for (guint i = 0; i < n; i++) {
    guint16 half = (guint16)((i & 0x7c00) == 0x7c00 ? i & 0x83ff : i);
    half = GUINT16_TO_LE(half);
    memcpy(bytes + 1 + 2 * i, &half, 2);
  }
  SwinNamedTensor tensor = {"a", {SWIN_DTYPE_F16, 1, {n}, n, bytes + 1}, 1.0f};
  g_autofree gchar *path = fixture_path("halves.safetensors");
  for (guint dtype = SWIN_DTYPE_F32; dtype <= SWIN_DTYPE_F16; dtype++) {
    SwinTensor written;
    ck_assert(swin_safetensors_write_tensors(path, &tensor, 1, (SwinDtype)dtype, NULL, NULL));
    g_autoptr(SwinSafetensors) file = swin_safetensors_open(path, NULL);
    ck_assert(swin_safetensors_lookup(file, "a", &written, NULL));
    ck_assert_int_eq(written.dtype, (SwinDtype)dtype);
    swin_tensor_read(&written, 0, n, values);
    for (guint i = 0; i < n; i++) {
      gfloat expected;
      swin_tensor_read(&tensor.tensor, i, 1, &expected);
      ck_assert_mem_eq(&values[i], &expected, sizeof expected);
    }
  }
}
END_TEST

static void make_squares(gconstpointer data, guint64 first, gsize n, gint64 *values) {
  const gint64 sign = *(const gint *)data;
  for (gsize i = 0; i < n; i++) {
    values[i] = sign * (gint64)((first + i) * (first + i));
  }
}

/* Integers among other values, more of them than are made at once. */
START_TEST(integers) {
  const guint n = 3 * 0x10000 + 5;
  const gint sign = -1;
  const gfloat value[] = {1.5f};
  const SwinNamedTensor tensors[] = {
      {"a", view(value, 1), 1.0f},
      {"b", {.n_dims = 2, .shape = {1, n}, .n_elements = n}, 1.0f, make_squares, &sign},
      {"c", view(value, 1), 1.0f}};
  g_autofree gchar *path = fixture_path("integers.safetensors"), *content = NULL;
  gsize length;
  ck_assert(swin_safetensors_write_tensors(path, tensors, 3, SWIN_DTYPE_F16, NULL, NULL));
  g_autoptr(SwinSafetensors) file = swin_safetensors_open(path, NULL);
  SwinTensor c;
  gfloat read;
  ck_assert(swin_safetensors_lookup(file, "c", &c, NULL));
  swin_tensor_read(&c, 0, 1, &read);
  ck_assert(read == value[0]);
  ck_assert(g_file_get_contents(path, &content, &length, NULL));
  ck_assert_ptr_nonnull(g_strstr_len(content + 8, 400, "\"b\":{\"dtype\":\"I64\",\"shape\":[1,"));
  const gchar *last = content + length - 2 - 8; /* before the two bytes of "c" */
  gint64 got;
  memcpy(&got, last, sizeof got);
  ck_assert_int_eq(GINT64_FROM_LE(got), -(gint64)(n - 1) * (n - 1));
}
END_TEST

START_TEST(factor) {
  const gfloat values[] = {0.5f, -3.0f, 40000.0f};
  gfloat doubled[3];
  g_autofree gchar *path = fixture_path("doubled.safetensors");
  SwinTensor halves;
  g_autoptr(SwinSafetensors) file = write_halves(path, values, 2, 2.0f, &halves);
  swin_tensor_read(&halves, 0, 2, doubled);
  ck_assert(doubled[0] == 1.0f && doubled[1] == -6.0f);
  const SwinNamedTensor tensor = {"a", view(values, 3), 2.0f};
  GError *error = NULL;
  ck_assert(!swin_safetensors_write_tensors(path, &tensor, 1, SWIN_DTYPE_F16, NULL, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "\"a\" holds the value 80000");
}
END_TEST

static guint count_files(const gchar *folder) {
  g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
  guint n = 0;
  while (g_dir_read_name(directory) != NULL) {
    n++;
  }
  return n;
}

/* What cannot be written leaves the old file as it was, and nothing beside it. */
START_TEST(beyond_halves) {
  static const gfloat bad_values[] = {65520.0f, -65520.0f, 1e38f, INFINITY, NAN};
  const gfloat good[] = {1.0f};
  g_autofree gchar *path = fixture_path("beyond/out.safetensors");
  g_autofree gchar *folder = fixture_path("beyond");
  fixture_write_text("beyond/other", "");
  for (guint i = 0; i < G_N_ELEMENTS(bad_values); i++) {
    SwinTensor halves;
    g_autoptr(SwinSafetensors) old = write_halves(path, good, 1, 1.0f, &halves);
    const SwinNamedTensor tensors[] = {{"fits", view(good, 1), 1.0f},
                                       {"too large", view(&bad_values[i], 1), 1.0f}};
    GError *error = NULL;
    ck_assert(!swin_safetensors_write_tensors(path, tensors, 2, SWIN_DTYPE_F16, NULL, &error));
    fixture_expect_error(error, SWIN_ERROR_MODEL, "\"too large\"");
    g_autoptr(SwinSafetensors) file = swin_safetensors_open(path, NULL);
    ck_assert(swin_safetensors_has(file, "a"));
    ck_assert_uint_eq(count_files(folder), 2);
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
  const TTest *const tests[] = {good_file,
                                scalars_and_empty_tensors,
                                damaged_headers,
                                deep_nesting,
                                header_length,
                                truncated,
                                unreadable_tensors,
                                files,
                                written_file,
                                rounded_halves,
                                all_halves,
                                integers,
                                factor,
                                beyond_halves,
                                unwritable_file};
  return fixture_run("safetensors", tests, G_N_ELEMENTS(tests));
}
