// SPDX-License-Identifier: LGPL-2.1-or-later
/* Thousands of damaged files, the same in every run: each is either refused with a sentence or
 * accepted with tensors that lie inside the file. Worth most under the address sanitizer. */
#include <string.h>

#include <glib/gstdio.h>

#include "dialect-fixture.h"
#include "fixture.h"
#include "model/config-read.h"
#include "model/dialect.h"
#include "model/json.h"

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

/* ---- Configs -------------------------------------------------------------------------------- */

typedef gboolean (*ReadFunc)(JsonObject *object, const SwinDialectMatch *match,
                             SwinModelConfig *config, gchar ***labels, GError **error);

/* What the checks after reading divide by and loop over must be sound. */
static void read_mutated(const GByteArray *text, ReadFunc read, const SwinDialectMatch *match) {
  GError *error = NULL;
  SwinModelConfig config;
  g_auto(GStrv) labels = NULL;
  g_autoptr(JsonNode) node =
      swin_json_parse((const gchar *)text->data, text->len, SWIN_ERROR_CONFIG, &error);
  if (node == NULL || !read(json_node_get_object(node), match, &config, &labels, &error) ||
      !swin_model_config_check(&config, &error)) {
    check_error(error, SWIN_ERROR_CONFIG);
    return;
  }
  ck_assert_uint_eq(g_strv_length(labels), config.n_classes);
  g_autoptr(GPtrArray) layout = swin_layout_new(&config);
  ck_assert_uint_gt(layout->len, 0);
}

static void read_preprocessing(const GByteArray *text) {
  GError *error = NULL;
  SwinModelConfig config;
  SwinPreprocessing preprocessing;
  g_autoptr(GBytes) bytes = g_bytes_new(text->data, text->len);
  swin_model_config_default(SWIN_FAMILY_SWIN, &config);
  if (!swin_preprocessing_parse(bytes, &config, &preprocessing, &error)) {
    check_error(error, SWIN_ERROR_CONFIG);
  }
}

static const struct {
  SwinFamily family;
  Style style;
  ReadFunc read;
  const gchar *text;
} configs[] = {
    {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE, swin_config_read_hugging_face,
     "{\"model_type\":\"swin\",\"image_size\":[32,48],\"patch_size\":2,\"embed_dim\":16,"
     "\"depths\":[2,2],\"num_heads\":[2,4],\"window_size\":4,\"mlp_ratio\":4.0,"
     "\"layer_norm_eps\":1e-05,\"qkv_bias\":true,\"id2label\":{\"1\":\"b\",\"0\":\"a\"},"
     "\"size\":{\"shortest_edge\":48},\"do_center_crop\":true,\"crop_size\":[1],"
     "\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.5,0.5,0.5],\"resample\":3}"},
    {SWIN_FAMILY_SWIN_V2, STYLE_TORCHVISION, swin_config_read_hugging_face,
     "{\"model_type\":\"swinv2\",\"image_size\":64,\"patch_size\":2,\"embed_dim\":12,"
     "\"depths\":[1,2,1],\"num_heads\":[2,4,3],\"window_size\":4,"
     "\"pretrained_window_sizes\":[4,4,2],\"num_labels\":5,"
     "\"problem_type\":\"multi_label_classification\"}"},
    {SWIN_FAMILY_VIT, STYLE_TIMM, swin_config_read_hugging_face,
     "{\"model_type\":\"vit\",\"image_size\":[24,40],\"patch_size\":8,\"hidden_size\":12,"
     "\"num_hidden_layers\":2,\"num_attention_heads\":3,\"intermediate_size\":20,"
     "\"num_labels\":5}"},
    {SWIN_FAMILY_SWIN_V2, STYLE_TIMM, swin_config_read_timm,
     "{\"architecture\":\"swinv2_base_window12to24_192to384\",\"num_classes\":5,"
     "\"model_args\":{\"img_size\":[32,64],\"window_size\":[4,4],"
     "\"pretrained_window_sizes\":[4,4,2]},\"label_names\":[\"a\",\"b\",\"c\",\"d\",\"e\"],"
     "\"pretrained_cfg\":{\"input_size\":[3,32,64],\"global_pool\":\"avg\"}}"},
    {SWIN_FAMILY_VIT, STYLE_TIMM, swin_config_read_timm,
     "{\"architecture\":\"vit_tiny_patch16_224\",\"num_classes\":5,\"model_args\":"
     "{\"img_size\":[24,40],\"num_heads\":3},\"label_names\":{\"0\":\"a\"},"
     "\"label_descriptions\":{\"a\":\"first\"},\"pretrained_cfg\":{\"global_pool\":\"token\"}}"},
};

START_TEST(mutated_configs) {
  g_autoptr(GRand) random = g_rand_new_with_seed(2);
  for (guint which = 0; which < G_N_ELEMENTS(configs); which++) {
    const SwinModelConfig config = fixture_config(configs[which].family);
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 1);
    g_auto(DialectFile) tensors = fixture_tensors(drawn, configs[which].style, "");
    fixture_save(&tensors, "good");
    g_autofree gchar *path = fixture_path("good/model.safetensors");
    g_autoptr(SwinSafetensors) file = swin_safetensors_open(path, NULL);
    SwinDialectMatch match;
    ck_assert(swin_dialect_detect(file, &match, NULL));
    for (guint i = 0; i < N_ROUNDS / G_N_ELEMENTS(configs); i++) {
      g_autoptr(GByteArray) text = g_byte_array_new();
      g_byte_array_append(text, (const guint8 *)configs[which].text,
                          (guint)strlen(configs[which].text));
      mutate(random, text);
      read_mutated(text, configs[which].read, &match);
      if (which == 0) {
        read_preprocessing(text);
      }
    }
  }
}
END_TEST

/* ---- Models --------------------------------------------------------------------------------- */

/* A whole file, of which the header is damaged: what the tensors are called and where they lie. */
static void write_mutated(GRand *random, const gchar *content, gsize n_bytes) {
  guint64 header_bytes;
  memcpy(&header_bytes, content, 8);
  header_bytes = GUINT64_FROM_LE(header_bytes);
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
}

/* Loads what was written, as it is or at another size. */
static gboolean load_mutated(gboolean resized) {
  GError *error = NULL;
  g_autoptr(SwinModelOptions) options = swin_model_options_new();
  if (resized) {
    swin_model_options_set_image_size(options, 64, 64);
  }
  g_autoptr(SwinModel) model = fixture_load("mutated", options, &error);
  if (model == NULL) {
    ck_assert(error->domain == SWIN_ERROR);
    check_error(error, error->code == SWIN_ERROR_CONFIG ? SWIN_ERROR_CONFIG : SWIN_ERROR_MODEL);
  }
  return model != NULL;
}

/* The config is there for every second model, and read off the tensors for the others. */
START_TEST(models) {
  static const struct {
    SwinFamily family;
    Style style;
  } cases[] = {{SWIN_FAMILY_SWIN, STYLE_MICROSOFT},
               {SWIN_FAMILY_SWIN, STYLE_HUGGING_FACE},
               {SWIN_FAMILY_SWIN_V2, STYLE_TIMM},
               {SWIN_FAMILY_VIT, STYLE_TIMM}};
  g_autoptr(GRand) random = g_rand_new_with_seed(3);
  guint n_refused = 0;
  for (guint i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
    const SwinModelConfig config = fixture_config(cases[i / 2].family);
    g_autoptr(SwinModel) drawn = swin_model_new_from_config("drawn", &config, 1);
    g_auto(DialectFile) tensors = fixture_tensors(drawn, cases[i / 2].style, "");
    fixture_save(&tensors, "good");
    g_autofree gchar *path = fixture_path("good/model.safetensors");
    g_autofree gchar *config_path = fixture_path("mutated/config.json");
    g_autofree gchar *content = NULL;
    gsize n_bytes;
    ck_assert(g_file_get_contents(path, &content, &n_bytes, NULL));
    fixture_save_config(&config, "mutated");
    if (i % 2 == 1) {
      ck_assert_int_eq(g_unlink(config_path), 0);
    }
    for (guint round = 0; round < N_MODELS / (2 * G_N_ELEMENTS(cases)); round++) {
      write_mutated(random, content, n_bytes);
      n_refused += load_mutated(round % 2 == 1) ? 0 : 1;
    }
  }
  ck_assert_uint_gt(n_refused, N_MODELS / 2);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {safetensors, mutated_configs, models};
  return fixture_run("mutations", tests, G_N_ELEMENTS(tests));
}
