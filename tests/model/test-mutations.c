// SPDX-License-Identifier: LGPL-2.1-or-later
/* Thousands of damaged files, the same in every run: each is either refused with a sentence or
 * accepted with tensors that lie inside the file. Worth most under the address sanitizer. */
#include <string.h>

#include "fixture.h"
#include "model/config.h"
#include "model/safetensors.h"

#define N_ROUNDS 20000
#define N_MODELS 500

/* Pieces that mean something to a parser. */
static const gchar *const pieces[] = {
    "{",          "}",
    "[",          "]",
    "\"",         ":",
    ",",          "-1",
    "0",          "1e9",
    "null",       "true",
    "\\u0000",    "\\",
    "//",         "/*",
    "4294967296", "18446744073709551615",
    "F16",        "BF16",
    "\"shape\"",  "9223372036854775807",
    "\xff",       " ",
    "1.5",        "''",
    "#",
};

static void mutate(GRand *random, GByteArray *bytes) {
  guint n_changes = (guint)g_rand_int_range(random, 1, 4);
  for (guint i = 0; i < n_changes && bytes->len > 0; i++) {
    guint at = (guint)g_rand_int_range(random, 0, (gint32)bytes->len);
    const gchar *piece = pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))];
    guint length = MIN((guint)strlen(piece), bytes->len - at);
    switch (g_rand_int_range(random, 0, 5)) {
    case 0:
      bytes->data[at] ^= (guint8)(1u << g_rand_int_range(random, 0, 8));
      break;
    case 1:
      bytes->data[at] = (guint8)g_rand_int(random);
      break;
    case 2:
      memcpy(bytes->data + at, piece, length);
      break;
    case 3:
      g_byte_array_set_size(bytes, at);
      break;
    default:
      g_byte_array_remove_range(bytes, at, MIN(8, bytes->len - at));
      break;
    }
  }
}

static void check_error(GError *error, SwinError code) {
  ck_assert_ptr_nonnull(error);
  ck_assert(error->domain == SWIN_ERROR && error->code == (gint)code);
  ck_assert_msg(strchr(error->message, '\n') == NULL, "several lines: %s", error->message);
  ck_assert(strlen(error->message) < 1000);
  g_error_free(error);
}

static void check_safetensors(GByteArray *content) {
  GError *error = NULL;
  /* A block of its own size, so that a read beyond it is seen. */
  g_autoptr(GBytes) bytes = g_bytes_new(content->data, content->len);
  g_autoptr(SwinSafetensors) file = swin_safetensors_new(bytes, "mutated", &error);
  if (file == NULL) {
    check_error(error, SWIN_ERROR_MODEL);
    return;
  }
  gdouble sum = 0.0;
  const GPtrArray *names = swin_safetensors_get_names(file);
  for (guint i = 0; i < names->len; i++) {
    SwinTensor tensor;
    g_autoptr(GError) lookup_error = NULL;
    if (!swin_safetensors_lookup(file, g_ptr_array_index(names, i), &tensor, &lookup_error)) {
      ck_assert(lookup_error->domain == SWIN_ERROR);
      continue;
    }
    for (guint64 j = 0; j < tensor.n_elements; j++) {
      gfloat value;
      swin_tensor_read(&tensor, j, 1, &value);
      sum += value;
    }
  }
  ck_assert(sum == sum || sum != sum); /* keeps the reads */
}

START_TEST(safetensors) {
  g_autoptr(GRand) random = g_rand_new_with_seed(1);
  g_autoptr(GBytes) good =
      fixture_pack("{\"__metadata__\":{\"format\":\"pt\"},"
                   "\"b\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[8,20]},"
                   "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                   "\"i\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[20,28]}}",
                   28);
  gsize n_bytes;
  const guint8 *data = g_bytes_get_data(good, &n_bytes);
  for (guint i = 0; i < N_ROUNDS; i++) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_byte_array_append(bytes, data, (guint)n_bytes);
    mutate(random, bytes);
    check_safetensors(bytes);
  }
}
END_TEST

START_TEST(configs) {
  static const gchar good[] =
      "{\"model_type\":\"swin\",\"image_size\":[32,48],\"patch_size\":2,\"embed_dim\":16,"
      "\"depths\":[2,2],\"num_heads\":[2,4],\"window_size\":4,\"mlp_ratio\":4.0,"
      "\"layer_norm_eps\":1e-05,\"qkv_bias\":true,\"id2label\":{\"1\":\"b\",\"0\":\"a\"},"
      "\"size\":{\"shortest_edge\":48},\"do_center_crop\":true,\"crop_size\":[1],"
      "\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.5,0.5,0.5],\"resample\":3}";
  g_autoptr(GRand) random = g_rand_new_with_seed(2);
  for (guint i = 0; i < N_ROUNDS; i++) {
    g_autoptr(GByteArray) text = g_byte_array_new();
    g_byte_array_append(text, (const guint8 *)good, sizeof good - 1);
    mutate(random, text);
    g_autoptr(GBytes) bytes = g_bytes_new(text->data, text->len);
    SwinModelConfig config;
    g_auto(GStrv) labels = NULL;
    GError *error = NULL;
    if (!swin_model_config_parse(bytes, &config, &labels, &error)) {
      check_error(error, SWIN_ERROR_CONFIG);
      continue;
    }
    ck_assert_uint_eq(g_strv_length(labels), config.n_classes);
    SwinPreprocessing preprocessing;
    if (!swin_preprocessing_parse(bytes, &config, &preprocessing, &error)) {
      check_error(error, SWIN_ERROR_CONFIG);
    }
  }
}
END_TEST

/* A whole model, of which the header is damaged: what the tensors are called and where they lie. */
START_TEST(models) {
  g_autofree gchar *weights = fixture_golden("rectangle-hf/hf/model.safetensors");
  g_autofree gchar *config_path = fixture_golden("rectangle-hf/hf/config.json");
  g_autofree gchar *content = NULL, *config = NULL;
  gsize n_bytes;
  ck_assert(g_file_get_contents(weights, &content, &n_bytes, NULL));
  ck_assert(g_file_get_contents(config_path, &config, NULL, NULL));
  fixture_write_text("mutated/config.json", config);
  g_autofree gchar *folder = fixture_path("mutated");
  guint64 header_bytes;
  memcpy(&header_bytes, content, 8);
  header_bytes = GUINT64_FROM_LE(header_bytes);
  g_autoptr(GRand) random = g_rand_new_with_seed(3);
  guint n_refused = 0;
  for (guint i = 0; i < N_MODELS; i++) {
    g_autoptr(GByteArray) header = g_byte_array_new();
    g_byte_array_append(header, (const guint8 *)content + 8, (guint)header_bytes);
    mutate(random, header);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint64 length = GUINT64_TO_LE((guint64)header->len);
    g_byte_array_append(bytes, (const guint8 *)&length, 8);
    g_byte_array_append(bytes, header->data, header->len);
    g_byte_array_append(bytes, (const guint8 *)content + 8 + header_bytes,
                        (guint)(n_bytes - 8 - header_bytes));
    fixture_write("mutated/model.safetensors", bytes->data, bytes->len);
    GError *error = NULL;
    g_autoptr(SwinModel) model = swin_model_load(folder, &error);
    if (model == NULL) {
      n_refused++;
      ck_assert(error->domain == SWIN_ERROR);
      check_error(error, error->code == SWIN_ERROR_CONFIG ? SWIN_ERROR_CONFIG : SWIN_ERROR_MODEL);
    }
  }
  ck_assert_uint_gt(n_refused, N_MODELS / 2);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {safetensors, configs, models};
  return fixture_run("mutations", tests, G_N_ELEMENTS(tests));
}
