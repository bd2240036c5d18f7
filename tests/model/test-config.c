// SPDX-License-Identifier: LGPL-2.1-or-later
/* Configs: the defaults and published ones, transformers' config.json field by field, and what is
 * refused. */

#include "config-fixture.h"
#include "fixture.h"

/* Weights of a small network of Hugging Face. */
static Weights *make_weights(SwinFamily family) {
  Weights *weights = weights_new();
  SwinModelConfig config;
  swin_model_config_default(family, &config);
  config_set_sizes(&config, family == SWIN_FAMILY_VIT ? 1 : 2);
  config.patch_norm = FALSE;
  weights_add_network(weights, &config);
  return weights;
}

static void read_good(const gchar *text, Weights *weights, SwinModelConfig *config,
                      gchar ***labels) {
  config_read_good(swin_config_read_hugging_face, text, weights, config, labels);
}

/* ---- Defaults -------------------------------------------------------------------------------- */

START_TEST(swin_defaults) {
  static const SwinFamily families[] = {SWIN_FAMILY_SWIN, SWIN_FAMILY_SWIN_V2};
  for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
    g_autoptr(Weights) weights = make_weights(families[i]);
    g_auto(GStrv) labels = NULL;
    SwinModelConfig config, expected;
    swin_model_config_default(families[i], &expected);
    read_good("{}", weights, &config, &labels);
    config_assert_equal(&config, &expected);
    ck_assert_str_eq(labels[1], "LABEL_1");
    ck_assert_int_eq(config.family, families[i]);
    ck_assert_uint_eq(config.image_height, 224);
    ck_assert_uint_eq(config.n_channels, 3);
    ck_assert_uint_eq(config.patch_size, 4);
    ck_assert_uint_eq(config.embed_dim, 96);
    ck_assert_uint_eq(config.n_stages, 4);
    ck_assert_uint_eq(config.depths[2], 6);
    ck_assert_uint_eq(config.n_heads[3], 24);
    ck_assert_uint_eq(config.window_height[3], 7);
    ck_assert_uint_eq(config.pretrained_window[0], 0);
    ck_assert_double_eq(config.mlp_ratio, 4.0);
    ck_assert_double_eq(config.layer_norm_epsilon, 1e-5);
    ck_assert(config.qkv_bias && config.patch_norm && !config.position_embedding);
    ck_assert_uint_eq(config.n_classes, 2);
  }
}
END_TEST

START_TEST(vit_defaults) {
  g_autoptr(Weights) weights = weights_new();
  weights_add(weights, "encoder.layer.0.layernorm_before.weight", 1.0f, 1, 768);
  weights_add(weights, "embeddings.cls_token", 0.0f, 3, 1, 1, 768);
  weights_add(weights, "embeddings.position_embeddings", 0.0f, 3, 1, 197, 768);
  SwinModelConfig config, expected;
  read_good("{\"num_labels\": 2}", weights, &config, NULL);
  swin_model_config_default(SWIN_FAMILY_VIT, &expected);
  config_assert_equal(&config, &expected);
  ck_assert_uint_eq(config.image_width, 224);
  ck_assert_uint_eq(config.patch_size, 16);
  ck_assert_uint_eq(config.embed_dim, 768);
  ck_assert_uint_eq(config.depths[0], 12);
  ck_assert_uint_eq(config.n_heads[0], 12);
  ck_assert_uint_eq(swin_model_config_hidden(&config, 0), 3072);
  ck_assert_double_eq(config.layer_norm_epsilon, 1e-12);
  ck_assert_uint_eq(config.n_prefix_tokens, 1);
  ck_assert_int_eq(config.pool, SWIN_POOL_TOKEN);
  ck_assert(config.norm_before_pool && config.prefix_positions && config.qkv_bias);
}
END_TEST

/* ---- Fields ---------------------------------------------------------------------------------- */

#define SWIN_FIELDS                                                                                \
  " \"image_size\": [48, 80], \"num_channels\": 1, \"patch_size\": [2, 2], \"embed_dim\": 20,"     \
  " \"depths\": [1, 3], \"num_heads\": [5, 4], \"mlp_ratio\": 3, \"qkv_bias\": false,"             \
  " \"patch_norm\": false, \"layer_norm_eps\": 1e-06, \"hidden_act\": \"gelu\","                   \
  " \"use_absolute_embeddings\": true, \"encoder_stride\": 32, \"num_labels\": 3,"                 \
  " \"id2label\": {\"2\": \"c\", \"0\": \"\\u00e4 a\", \"1\": \"b, bb\"}"

static void assert_swin_fields(const SwinModelConfig *config, gchar *const *labels) {
  ck_assert_int_eq(config->dialect, SWIN_DIALECT_HUGGING_FACE);
  ck_assert_uint_eq(config->image_height, 48);
  ck_assert_uint_eq(config->image_width, 80);
  ck_assert_uint_eq(config->n_channels, 1);
  ck_assert_uint_eq(config->patch_size, 2);
  ck_assert_uint_eq(config->embed_dim, 20);
  ck_assert_uint_eq(config->n_stages, 2);
  ck_assert_uint_eq(config->depths[1], 3);
  ck_assert_uint_eq(config->n_heads[0], 5);
  ck_assert_double_eq(config->layer_norm_epsilon, 1e-6);
  ck_assert_double_eq(config->merging_norm_epsilon, 1e-5);
  ck_assert(!config->qkv_bias && !config->patch_norm && config->position_embedding);
  ck_assert_uint_eq(config->n_classes, 3);
  ck_assert_str_eq(labels[0], "\xc3\xa4 a");
  ck_assert_str_eq(labels[1], "b, bb");
  ck_assert_str_eq(labels[2], "c");
  ck_assert_uint_eq(swin_model_config_channels(config, 1), 40);
  ck_assert_uint_eq(swin_model_config_hidden(config, 1), 120);
}

START_TEST(all_swin_fields) {
  g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN);
  g_auto(GStrv) labels = NULL;
  SwinModelConfig config;
  read_good("{\"model_type\": \"swin\", \"architectures\": [\"SwinForImageClassification\"],"
            " \"window_size\": 6, \"problem_type\": null," SWIN_FIELDS "}",
            weights, &config, &labels);
  assert_swin_fields(&config, labels);
  ck_assert_int_eq(config.activation, SWIN_ACTIVATION_SOFTMAX);
  ck_assert_int_eq(config.edge_rules.window, SWIN_WINDOW_CLIP_SQUARE);
  ck_assert_uint_eq(config.window_height[0], 6);
  ck_assert_uint_eq(config.window_width[1], 6);
}
END_TEST

START_TEST(all_swin_v2_fields) {
  g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN_V2);
  g_auto(GStrv) labels = NULL;
  SwinModelConfig config;
  read_good("{\"model_type\": \"swinv2\", \"window_size\": [[6, 6], 4],"
            " \"pretrained_window_sizes\": [12, 0, 0, 0],"
            " \"problem_type\": \"multi_label_classification\"," SWIN_FIELDS "}",
            weights, &config, &labels);
  assert_swin_fields(&config, labels);
  ck_assert_int_eq(config.activation, SWIN_ACTIVATION_SIGMOID);
  ck_assert_int_eq(config.edge_rules.window, SWIN_WINDOW_CLIP_HEIGHT);
  ck_assert_uint_eq(config.window_height[0], 6);
  ck_assert_uint_eq(config.window_width[1], 4);
  ck_assert_uint_eq(config.pretrained_window[0], 12);
  ck_assert_uint_eq(config.pretrained_window[1], 0);
}
END_TEST

/* transformers has a norm after the patches whatever "patch_norm" says. */
START_TEST(patch_norm_of_the_file) {
  g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN);
  weights_add(weights, "swin.embeddings.norm.weight", 0.0f, 1, 24);
  SwinModelConfig config;
  read_good("{\"patch_norm\": false}", weights, &config, NULL);
  ck_assert(config.patch_norm);
}
END_TEST

#define VIT_FIELDS                                                                                 \
  " \"hidden_size\": 24, \"num_hidden_layers\": 2, \"num_attention_heads\": 4,"                    \
  " \"intermediate_size\": 50, \"qkv_bias\": false, \"layer_norm_eps\": 1e-6,"                     \
  " \"image_size\": [32, 48], \"patch_size\": 8, \"num_channels\": 3, \"hidden_act\": \"gelu\""

static Weights *make_vit_weights(void) {
  Weights *weights = weights_new();
  weights_add(weights, "deit.encoder.layer.0.layernorm_before.weight", 1.0f, 1, 24);
  weights_add(weights, "deit.embeddings.cls_token", 0.0f, 3, 1, 1, 24);
  return weights;
}

START_TEST(all_vit_fields) {
  static const gchar *const types[] = {"vit", "deit", "vit_mae"};
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    g_autofree gchar *text = g_strdup_printf("{\"model_type\": \"%s\"," VIT_FIELDS "}", types[i]);
    g_autoptr(Weights) weights = make_vit_weights();
    weights_add(weights, "deit.embeddings.position_embeddings", 0.0f, 3, 1, 25, 24);
    SwinModelConfig config;
    read_good(text, weights, &config, NULL);
    ck_assert_uint_eq(config.image_height, 32);
    ck_assert_uint_eq(config.image_width, 48);
    ck_assert_uint_eq(config.embed_dim, 24);
    ck_assert_uint_eq(config.n_stages, 1);
    ck_assert_uint_eq(config.depths[0], 2);
    ck_assert_uint_eq(config.n_heads[0], 4);
    ck_assert_uint_eq(swin_model_config_hidden(&config, 0), 50);
    ck_assert_double_eq(config.layer_norm_epsilon, 1e-6);
    ck_assert(!config.qkv_bias && config.prefix_positions && config.norm_before_pool);
    ck_assert_uint_eq(config.n_prefix_tokens, 1);
    ck_assert(!config.distillation_token && !config.distillation_head);
    ck_assert_int_eq(config.pool, SWIN_POOL_TOKEN);
    ck_assert_uint_eq(config.n_classes, 0); /* no head, and none is named */
  }
}
END_TEST

/* DeiTForImageClassification has the token alone, ...WithTeacher a head for it too. */
START_TEST(distillation) {
  for (guint n_heads = 1; n_heads <= 2; n_heads++) {
    g_autoptr(Weights) weights = make_vit_weights();
    weights_add(weights, "deit.embeddings.distillation_token", 0.0f, 3, 1, 1, 24);
    weights_add(weights, "deit.embeddings.position_embeddings", 0.0f, 3, 1, 26, 24);
    if (n_heads == 2) {
      weights_add(weights, "cls_classifier.weight", 0.0f, 2, 5, 24);
      weights_add(weights, "distillation_classifier.weight", 0.0f, 2, 5, 24);
    } else {
      weights_add(weights, "classifier.weight", 0.0f, 2, 5, 24);
    }
    SwinModelConfig config;
    read_good("{\"model_type\": \"deit\", \"num_labels\": 5," VIT_FIELDS "}", weights, &config,
              NULL);
    ck_assert_uint_eq(config.n_prefix_tokens, 2);
    ck_assert(config.distillation_token);
    ck_assert_int_eq(config.distillation_head, n_heads == 2);
    ck_assert_uint_eq(config.n_classes, 5);
  }
}
END_TEST

/* Classes are those that the config names; where it names none, only a head makes the default. */
START_TEST(classes) {
  static const struct {
    const gchar *text;
    guint with_head, without_head;
  } cases[] = {
      {"{}", 2, 0},
      {"{\"num_labels\": 0}", 0, 0},
      {"{\"num_labels\": 7}", 7, 7},
      {"{\"id2label\": {}}", 0, 0},
      {"{\"id2label\": {\"0\": \"a\"}}", 1, 1},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Weights) with_head = make_weights(SWIN_FAMILY_SWIN);
    g_autoptr(Weights) without_head = weights_new();
    weights_add(without_head, "encoder.layers.0.blocks.0.layernorm_before.weight", 0.0f, 1, 96);
    SwinModelConfig config;
    read_good(cases[i].text, with_head, &config, NULL);
    ck_assert_uint_eq(config.n_classes, cases[i].with_head);
    read_good(cases[i].text, without_head, &config, NULL);
    ck_assert_uint_eq(config.n_classes, cases[i].without_head);
  }
}
END_TEST

/* As Python's int(): towards zero. */
START_TEST(hidden_width) {
  g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN);
  SwinModelConfig config;
  read_good("{\"embed_dim\": 18, \"depths\": [1, 1], \"num_heads\": [1, 1], \"mlp_ratio\": 2.55}",
            weights, &config, NULL);
  ck_assert_uint_eq(swin_model_config_hidden(&config, 0), 45);
  ck_assert_uint_eq(swin_model_config_hidden(&config, 1), 91);
}
END_TEST

/* The rules of a config go with the names in the file. */
START_TEST(names_of_another_publisher) {
  g_autoptr(Weights) weights = weights_new();
  SwinModelConfig config;
  swin_model_config_default(SWIN_FAMILY_SWIN, &config);
  config.dialect = SWIN_DIALECT_TORCHVISION;
  config_set_sizes(&config, 2);
  weights_add_network(weights, &config);
  read_good("{\"layer_norm_eps\": 1e-6}", weights, &config, NULL);
  ck_assert_int_eq(config.dialect, SWIN_DIALECT_TORCHVISION);
  ck_assert_int_eq(config.edge_rules.window, SWIN_WINDOW_KEEP);
  ck_assert_double_eq(config.merging_norm_epsilon, 1e-6);
}
END_TEST

/* ---- Refusals
 * ------------------------------------------------------------------------------------ */

typedef struct {
  const gchar *text;
  const gchar *part; /* of the message */
} Refusal;

static const Refusal refused_swin[] = {
    {"", "empty"},
    {"{", "not JSON"},
    {"[]", "no JSON object"},
    {"{\"embed_dim\": 96, \"embed_dim\": 24}", "\"embed_dim\" twice"},
    {"{\"model_type\": \"swinv2\"}", "\"model_type\" is \"swinv2\", but the tensors are those of"},
    {"{\"model_type\": \"beit\"}", "\"model_type\" is \"beit\", and only \"swin\""},
    {"{\"model_type\": 3}", "\"model_type\" must be a string"},
    {"{\"hidden_act\": \"relu\"}", "\"hidden_act\" is \"relu\""},
    {"{\"use_absolute_embeddings\": 1}", "\"use_absolute_embeddings\" must be true or false"},
    {"{\"qkv_bias\": 1}", "\"qkv_bias\" must be true or false"},
    {"{\"patch_norm\": []}", "\"patch_norm\" must be true or false"},
    {"{\"embed_dim\": 0}", "\"embed_dim\" must be an integer from 1"},
    {"{\"embed_dim\": \"x\\t\"}", "must be an integer from 1 to 8192, not \"x\\t\"."},
    {"{\"embed_dim\": [7, 0]}", "must be an integer from 1 to 8192, not [7,0]."},
    {"{\"embed_dim\": 96.5}", "\"embed_dim\""},
    {"{\"embed_dim\": -96}", "\"embed_dim\""},
    {"{\"embed_dim\": 4294967392}", "\"embed_dim\""},
    {"{\"embed_dim\": 18446744073709551712}", "\"embed_dim\""},
    {"{\"embed_dim\": \"96\"}", "\"embed_dim\""},
    {"{\"image_size\": 0}", "\"image_size\""},
    {"{\"image_size\": [224]}", "\"image_size\""},
    {"{\"image_size\": [224, 224, 3]}", "\"image_size\""},
    {"{\"image_size\": [224, 100000]}", "\"image_size\""},
    {"{\"image_size\": {\"height\": 224}}", "\"image_size\""},
    {"{\"num_channels\": 65}", "\"num_channels\""},
    {"{\"patch_size\": 300}", "\"patch_size\""},
    {"{\"patch_size\": [4, 2]}", "\"patch_size\" is 2 x 4, and only square"},
    {"{\"patch_size\": 9, \"image_size\": 8}", "\"patch_size\" is 9"},
    {"{\"window_size\": 0}", "\"window_size\""},
    {"{\"window_size\": 129}", "\"window_size\""},
    {"{\"window_size\": [7, 6]}", "\"window_size\" is 6 x 7 in stage 0"},
    {"{\"window_size\": [7, 7, 7]}", "\"window_size\" must be an integer"},
    {"{\"window_size\": [7, 7, 7, [7]]}", "\"window_size\""},
    {"{\"depths\": []}", "\"depths\""},
    {"{\"depths\": [2, 0]}", "\"depths\""},
    {"{\"depths\": [2, 257]}", "\"depths\""},
    {"{\"depths\": [1, 1, 1, 1, 1, 1, 1, 1, 1]}", "\"depths\""},
    {"{\"depths\": [2, 2]}", "\"num_heads\" is of length 4 and \"depths\" of length 2"},
    {"{\"num_heads\": [5, 6, 12, 24]}", "\"num_heads\" has 5 heads for stage 0"},
    {"{\"mlp_ratio\": 0}", "\"mlp_ratio\""},
    {"{\"mlp_ratio\": 1e999}", "\"mlp_ratio\""},
    {"{\"mlp_ratio\": 0.01, \"embed_dim\": 24}", "\"mlp_ratio\""},
    {"{\"layer_norm_eps\": 0}", "\"layer_norm_eps\""},
    {"{\"problem_type\": \"regression\"}", "\"problem_type\" is \"regression\""},
    {"{\"problem_type\": 1}", "\"problem_type\" must be a string"},
    {"{\"num_labels\": -1}", "\"num_labels\""},
    {"{\"num_labels\": 1000001}", "\"num_labels\""},
    {"{\"id2label\": []}", "\"id2label\" must be an object"},
    {"{\"id2label\": {\"0\": \"a\", \"2\": \"c\"}}",
     "\"id2label\" has 2 labels, but none for class 1"},
    {"{\"id2label\": {\"0\": \"a\", \"x\": \"c\"}}", "none for class 1"},
    {"{\"id2label\": {\"0\": \"a\", \"1\": 1}}", "no string for class 1"},
    {"{\"num_labels\": 3, \"id2label\": {\"0\": \"a\", \"1\": \"b\"}}",
     "\"id2label\" has 2 labels where \"num_labels\" says 3"},
};

static const Refusal refused_swin_v2[] = {
    {"{\"model_type\": \"swin\"}", "\"model_type\" is \"swin\", but the tensors are those of"},
    {"{\"pretrained_window_sizes\": 12}", "\"pretrained_window_sizes\""},
    {"{\"pretrained_window_sizes\": [12, 12]}", "\"pretrained_window_sizes\" is of length 2"},
    {"{\"pretrained_window_sizes\": [12, 12, 12, 129]}", "\"pretrained_window_sizes\""},
    {"{\"image_size\": [31, 224]}", "\"image_size\" is 224 x 31, which leaves nothing"},
};

static const Refusal refused_vit[] = {
    {"{\"model_type\": \"swin\", \"hidden_size\": 24}", "\"model_type\" is \"swin\""},
    {"{\"hidden_size\": 0}", "\"hidden_size\""},
    {"{\"hidden_size\": 24, \"num_hidden_layers\": 0}", "\"num_hidden_layers\""},
    {"{\"hidden_size\": 24, \"num_attention_heads\": 5}",
     "\"num_attention_heads\" has 5 heads for stage 0"},
    {"{\"hidden_size\": 24, \"intermediate_size\": 0}", "\"intermediate_size\""},
    {"{\"hidden_size\": 48}", "\"vit.embeddings.position_embeddings\" has the shape"},
};

static void expect_refusals(SwinFamily family, const Refusal *refusals, guint n_refusals) {
  for (guint i = 0; i < n_refusals; i++) {
    g_autoptr(Weights) weights = make_weights(family);
    SwinModelConfig config;
    GError *error = NULL;
    ck_assert_msg(!config_read(swin_config_read_hugging_face, refusals[i].text, weights, &config,
                               NULL, &error),
                  "accepted: %s", refusals[i].text);
    fixture_expect_error(error, SWIN_ERROR_CONFIG, refusals[i].part);
  }
}

START_TEST(refusals) {
  expect_refusals(SWIN_FAMILY_SWIN, refused_swin, G_N_ELEMENTS(refused_swin));
  expect_refusals(SWIN_FAMILY_SWIN_V2, refused_swin_v2, G_N_ELEMENTS(refused_swin_v2));
  expect_refusals(SWIN_FAMILY_VIT, refused_vit, G_N_ELEMENTS(refused_vit));
}
END_TEST

/* What no file can say, since readers have these bounds too, but a caller could. */
START_TEST(checks) {
  static const struct {
    SwinFamily family;
    gsize offset; /* of a guint */
    guint value;
    const gchar *part;
  } cases[] = {
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, image_width), 20000, "\"image_size\""},
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, patch_size), 0, "\"patch_size\""},
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, embed_dim), 8193, "\"embed_dim\""},
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, n_stages), 0, "\"depths\""},
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, n_stages), 9, "\"depths\""},
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, depths[1]), 257, "\"depths\""},
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, n_heads[2]), 0, "\"num_heads\""},
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, window_width[3]), 0, "\"window_size\""},
      {SWIN_FAMILY_SWIN, G_STRUCT_OFFSET(SwinModelConfig, n_classes), 1000001, "\"num_labels\""},
      {SWIN_FAMILY_SWIN_V2, G_STRUCT_OFFSET(SwinModelConfig, pretrained_window[0]), 129,
       "\"pretrained_window_sizes\""},
      {SWIN_FAMILY_VIT, G_STRUCT_OFFSET(SwinModelConfig, embed_dim), 0, "\"hidden_size\""},
      {SWIN_FAMILY_VIT, G_STRUCT_OFFSET(SwinModelConfig, n_stages), 2, "\"num_hidden_layers\""},
      {SWIN_FAMILY_VIT, G_STRUCT_OFFSET(SwinModelConfig, depths[0]), 0, "\"num_hidden_layers\""},
      {SWIN_FAMILY_VIT, G_STRUCT_OFFSET(SwinModelConfig, mlp_width), 600000,
       "\"intermediate_size\""},
      {SWIN_FAMILY_VIT, G_STRUCT_OFFSET(SwinModelConfig, n_prefix_tokens), 0, "\"global_pool\""},
      {SWIN_FAMILY_VIT, G_STRUCT_OFFSET(SwinModelConfig, n_prefix_tokens), 1025, "\"reg_tokens\""},
      {SWIN_FAMILY_VIT, G_STRUCT_OFFSET(SwinModelConfig, distillation_token), TRUE,
       "\"global_pool\""},
      {SWIN_FAMILY_VIT, G_STRUCT_OFFSET(SwinModelConfig, distillation_head), TRUE,
       "\"global_pool\""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    SwinModelConfig config;
    GError *error = NULL;
    swin_model_config_default(cases[i].family, &config);
    ck_assert(swin_model_config_check(&config, NULL));
    G_STRUCT_MEMBER(guint, &config, cases[i].offset) = cases[i].value;
    ck_assert_msg(!swin_model_config_check(&config, &error), "case %u", i);
    ck_assert_msg(g_str_has_prefix(error->message, cases[i].part), "%s", error->message);
    fixture_expect_error(error, SWIN_ERROR_CONFIG, cases[i].part);
  }
}
END_TEST

/* ---- Published
 * ------------------------------------------------------------------------------------ */

START_TEST(published) {
  static const struct {
    const gchar *name;
    SwinFamily family;
    guint image, embed_dim, depth, first_heads, last_heads, window;
  } known[] = {
      {"swin_t", SWIN_FAMILY_SWIN, 224, 96, 6, 3, 24, 7},
      {"swin_s", SWIN_FAMILY_SWIN, 224, 96, 18, 3, 24, 7},
      {"swin_b", SWIN_FAMILY_SWIN, 224, 128, 18, 4, 32, 7},
      {"swin_l", SWIN_FAMILY_SWIN, 224, 192, 18, 6, 48, 7},
      {"swin_v2_t", SWIN_FAMILY_SWIN_V2, 256, 96, 6, 3, 24, 8},
      {"swin_v2_s", SWIN_FAMILY_SWIN_V2, 256, 96, 18, 3, 24, 8},
      {"swin_v2_b", SWIN_FAMILY_SWIN_V2, 256, 128, 18, 4, 32, 8},
      {"swin_v2_l", SWIN_FAMILY_SWIN_V2, 256, 192, 18, 6, 48, 8},
      {"vit_tiny", SWIN_FAMILY_VIT, 224, 192, 12, 3, 3, 0},
      {"vit_small", SWIN_FAMILY_VIT, 224, 384, 12, 6, 6, 0},
      {"vit_base", SWIN_FAMILY_VIT, 224, 768, 12, 12, 12, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
    SwinModelConfig config;
    ck_assert(swin_model_config_published(known[i].name, &config));
    ck_assert(swin_model_config_check(&config, NULL));
    ck_assert_int_eq(config.family, known[i].family);
    ck_assert_uint_eq(config.image_height, known[i].image);
    ck_assert_uint_eq(config.image_width, known[i].image);
    ck_assert_uint_eq(config.embed_dim, known[i].embed_dim);
    ck_assert_uint_eq(config.depths[known[i].window > 0 ? 2 : 0], known[i].depth);
    ck_assert_uint_eq(config.n_heads[0], known[i].first_heads);
    ck_assert_uint_eq(config.n_heads[config.n_stages - 1], known[i].last_heads);
    ck_assert_uint_eq(config.window_width[0], known[i].window);
    ck_assert_uint_eq(swin_model_config_hidden(&config, 0), 4 * known[i].embed_dim);
    ck_assert_uint_eq(config.n_classes, 1000);
  }
  SwinModelConfig config;
  ck_assert(!swin_model_config_published("swin_x", &config));
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      swin_defaults,  vit_defaults, all_swin_fields, all_swin_v2_fields, patch_norm_of_the_file,
      all_vit_fields, distillation, classes,         hidden_width,       names_of_another_publisher,
      refusals,       checks,       published};
  return fixture_run("config", tests, G_N_ELEMENTS(tests));
}
