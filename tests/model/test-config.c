// SPDX-License-Identifier: LGPL-2.1-or-later
/* config.json: defaults, every field, and what is refused. */
#include <string.h>

#include "fixture.h"
#include "model/config.h"

static gboolean parse(const gchar *text, SwinModelConfig *config, gchar ***labels, GError **error) {
  g_autoptr(GBytes) json = g_bytes_new_static(text, strlen(text));
  return swin_model_config_parse(json, config, labels, error);
}

START_TEST(defaults) {
  SwinModelConfig config;
  g_auto(GStrv) labels = NULL;
  ck_assert(parse("{}", &config, &labels, NULL));
  SwinModelConfig expected;
  ck_assert(swin_model_config_published("swin_t", &expected));
  ck_assert_uint_eq(config.image_height, 224);
  ck_assert_uint_eq(config.image_width, 224);
  ck_assert_uint_eq(config.n_channels, 3);
  ck_assert_uint_eq(config.patch_size, 4);
  ck_assert_uint_eq(config.embed_dim, 96);
  ck_assert_uint_eq(config.n_stages, 4);
  ck_assert_mem_eq(config.depths, expected.depths, sizeof config.depths);
  ck_assert_mem_eq(config.n_heads, expected.n_heads, sizeof config.n_heads);
  ck_assert_uint_eq(config.window_size, 7);
  ck_assert_double_eq(config.mlp_ratio, 4.0);
  ck_assert_double_eq(config.layer_norm_epsilon, 1e-5);
  ck_assert(config.qkv_bias && config.patch_norm);
  ck_assert(config.edge_rules.clip_window && !config.edge_rules.shift_per_axis);
  ck_assert_uint_eq(config.n_classes, 2);
  ck_assert_uint_eq(g_strv_length(labels), 2);
  ck_assert_str_eq(labels[1], "LABEL_1");
}
END_TEST

START_TEST(all_fields) {
  SwinModelConfig config;
  g_auto(GStrv) labels = NULL;
  GError *error = NULL;
  ck_assert_msg(
      parse("{\"model_type\": \"swin\", \"architectures\": [\"SwinForImageClassification\"],"
            " \"image_size\": [48, 80], \"num_channels\": 1, \"patch_size\": 2, \"embed_dim\": 20,"
            " \"depths\": [1, 3], \"num_heads\": [5, 4], \"window_size\": 6, \"mlp_ratio\": 3,"
            " \"qkv_bias\": false, \"patch_norm\": false, \"layer_norm_eps\": 1e-06,"
            " \"hidden_act\": \"gelu\", \"use_absolute_embeddings\": false, \"num_labels\": 3,"
            " \"problem_type\": null,"
            " \"id2label\": {\"2\": \"c\", \"0\": \"\\u00e4 a\", \"1\": \"b, bb\"}}",
            &config, &labels, &error),
      "%s", error != NULL ? error->message : "");
  ck_assert_uint_eq(config.image_height, 48);
  ck_assert_uint_eq(config.image_width, 80);
  ck_assert_uint_eq(config.n_channels, 1);
  ck_assert_uint_eq(config.patch_size, 2);
  ck_assert_uint_eq(config.embed_dim, 20);
  ck_assert_uint_eq(config.n_stages, 2);
  ck_assert_uint_eq(config.depths[1], 3);
  ck_assert_uint_eq(config.n_heads[0], 5);
  ck_assert_uint_eq(config.window_size, 6);
  ck_assert_double_eq(config.mlp_ratio, 3.0);
  ck_assert_double_eq(config.layer_norm_epsilon, 1e-6);
  ck_assert(!config.qkv_bias && !config.patch_norm);
  ck_assert_uint_eq(config.n_classes, 3);
  ck_assert_str_eq(labels[0], "\xc3\xa4 a");
  ck_assert_str_eq(labels[1], "b, bb");
  ck_assert_str_eq(labels[2], "c");
  ck_assert_ptr_null(labels[3]);
  ck_assert_uint_eq(swin_model_config_channels(&config, 1), 40);
  ck_assert_uint_eq(swin_model_config_hidden(&config, 1), 120);
}
END_TEST

/* As Python's int(): towards zero. */
START_TEST(hidden_width) {
  SwinModelConfig config;
  g_auto(GStrv) labels = NULL;
  ck_assert(parse("{\"embed_dim\": 18, \"depths\": [1, 1], \"num_heads\": [1, 1],"
                  " \"mlp_ratio\": 2.55}",
                  &config, &labels, NULL));
  ck_assert_uint_eq(swin_model_config_hidden(&config, 0), 45);
  ck_assert_uint_eq(swin_model_config_hidden(&config, 1), 91);
}
END_TEST

static const struct {
  const gchar *text;
  const gchar *part; /* of the message */
} refused[] = {
    {"", "empty"},
    {"{", "not JSON"},
    {"[]", "no JSON object"},
    {"{\"embed_dim\": 96, \"embed_dim\": 24}", "\"embed_dim\" twice"},
    {"{\"model_type\": \"swinv2\"}", "\"swinv2\""},
    {"{\"model_type\": \"vit\"}", "\"vit\""},
    {"{\"model_type\": 3}", "\"model_type\" must be a string"},
    {"{\"hidden_act\": \"gelu_new\"}", "\"gelu_new\""},
    {"{\"use_absolute_embeddings\": true}", "\"use_absolute_embeddings\""},
    {"{\"qkv_bias\": 1}", "\"qkv_bias\" must be true or false"},
    {"{\"embed_dim\": 0}", "\"embed_dim\" must be an integer from 1"},
    {"{\"embed_dim\": 96.5}", "\"embed_dim\""},
    {"{\"embed_dim\": -96}", "\"embed_dim\""},
    {"{\"embed_dim\": 4294967392}", "\"embed_dim\""},
    {"{\"embed_dim\": 18446744073709551712}", "\"embed_dim\""},
    {"{\"embed_dim\": \"96\"}", "\"embed_dim\""},
    {"{\"image_size\": 0}", "\"image_size\""},
    {"{\"image_size\": [224]}", "\"image_size\""},
    {"{\"image_size\": [224, 224, 3]}", "\"image_size\""},
    {"{\"image_size\": {\"height\": 224}}", "\"image_size\""},
    {"{\"patch_size\": 300}", "\"patch_size\""},
    {"{\"patch_size\": 9, \"image_size\": 8}", "\"patch_size\" is 9"},
    {"{\"window_size\": 0}", "\"window_size\""},
    {"{\"depths\": []}", "\"depths\""},
    {"{\"depths\": [2, 0]}", "\"depths\""},
    {"{\"depths\": [1, 1, 1, 1, 1, 1, 1, 1, 1]}", "\"depths\""},
    {"{\"depths\": [2, 2]}", "\"num_heads\" is of length 4 and \"depths\" of length 2"},
    {"{\"num_heads\": [5, 6, 12, 24]}", "5 heads for stage 0"},
    {"{\"mlp_ratio\": 0}", "\"mlp_ratio\""},
    {"{\"mlp_ratio\": 1e999}", "\"mlp_ratio\""},
    {"{\"mlp_ratio\": 0.01, \"embed_dim\": 24}", "\"mlp_ratio\""},
    {"{\"layer_norm_eps\": 0}", "\"layer_norm_eps\""},
    {"{\"num_labels\": 0}", "\"num_labels\""},
    {"{\"id2label\": []}", "\"id2label\" must be an object"},
    {"{\"id2label\": {}}", "\"id2label\" has 0 labels"},
    {"{\"id2label\": {\"0\": \"a\", \"2\": \"c\"}}",
     "\"id2label\" has 2 labels, but none for class 1"},
    {"{\"id2label\": {\"0\": \"a\", \"x\": \"c\"}}", "none for class 1"},
    {"{\"id2label\": {\"0\": \"a\", \"1\": 1}}", "no string for class 1"},
    {"{\"num_labels\": 3, \"id2label\": {\"0\": \"a\", \"1\": \"b\"}}",
     "\"id2label\" has 2 labels where \"num_labels\" says 3"},
};

START_TEST(refusals) {
  for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
    SwinModelConfig config;
    gchar **labels = NULL;
    GError *error = NULL;
    ck_assert_msg(!parse(refused[i].text, &config, &labels, &error), "accepted: %s",
                  refused[i].text);
    ck_assert_ptr_null(labels);
    fixture_expect_error(error, SWIN_ERROR_CONFIG, refused[i].part);
  }
}
END_TEST

START_TEST(published) {
  static const struct {
    const gchar *name;
    guint embed_dim, depth, first_heads, last_heads;
  } known[] = {
      {"swin_t", 96, 6, 3, 24},
      {"swin_s", 96, 18, 3, 24},
      {"swin_b", 128, 18, 4, 32},
      {"swin_l", 192, 18, 6, 48},
  };
  for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
    SwinModelConfig config;
    ck_assert(swin_model_config_published(known[i].name, &config));
    ck_assert_uint_eq(config.embed_dim, known[i].embed_dim);
    ck_assert_uint_eq(config.depths[2], known[i].depth);
    ck_assert_uint_eq(config.n_heads[0], known[i].first_heads);
    ck_assert_uint_eq(config.n_heads[3], known[i].last_heads);
    ck_assert_uint_eq(config.n_classes, 1000);
  }
  SwinModelConfig config;
  ck_assert(!swin_model_config_published("swin_x", &config));
}
END_TEST

int main(void) {
  const TTest *const tests[] = {defaults, all_fields, hidden_width, refusals, published};
  return fixture_run("config", tests, G_N_ELEMENTS(tests));
}
