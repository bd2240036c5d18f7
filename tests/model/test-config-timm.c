// SPDX-License-Identifier: LGPL-2.1-or-later
/* timm's config.json: what names and arguments tell beside the shapes of the tensors, and what is
 * refused. */
#include <string.h>

#include "config-fixture.h"
#include "fixture.h"

/* Weights of a small network of timm. The sizes of tables follow from @window and @image. */
static Weights *make_weights(SwinFamily family, guint window, guint image) {
  Weights *weights = weights_new();
  SwinModelConfig config;
  swin_model_config_default(family, &config);
  config.dialect = SWIN_DIALECT_TIMM;
  config.edge_rules = swin_edge_rules(family, config.dialect);
  config_set_sizes(&config, family == SWIN_FAMILY_VIT ? 1 : 4);
  config.image_height = config.image_width = image;
  for (guint stage = 0; stage < config.n_stages; stage++) {
    config.window_height[stage] = config.window_width[stage] = window;
  }
  weights_add_network(weights, &config);
  return weights;
}

static void read_good(const gchar *text, Weights *weights, SwinModelConfig *config,
                      gchar ***labels) {
  config_read_good(swin_config_read_timm, text, weights, config, labels);
}

/* ---- Swin's architectures -------------------------------------------------------------------- */

/* timm's swin_transformer.py and swin_transformer_v2.py, and the input_size of each. */
START_TEST(swin_architectures) {
  static const struct {
    const gchar *name;
    SwinFamily family;
    guint image;
    guint windows[4];
    guint pretrained[4];
  } known[] = {
      {"swin_tiny_patch4_window7_224", SWIN_FAMILY_SWIN, 224, {7, 7, 7, 7}, {0}},
      {"swin_large_patch4_window12_384", SWIN_FAMILY_SWIN, 384, {12, 12, 12, 12}, {0}},
      {"swin_base_patch4_window7_224.ms_in22k_ft_in1k", SWIN_FAMILY_SWIN, 224, {7, 7, 7, 7}, {0}},
      {"swin_base_patch4_window12_384_in22k", SWIN_FAMILY_SWIN, 224, {12, 12, 12, 12}, {0}},
      {"swin_s3_tiny_224", SWIN_FAMILY_SWIN, 224, {7, 7, 14, 7}, {0}},
      {"swin_s3_small_224", SWIN_FAMILY_SWIN, 224, {14, 14, 14, 7}, {0}},
      {"swin_s3_base_224.ms_in1k", SWIN_FAMILY_SWIN, 224, {7, 7, 14, 7}, {0}},
      {"swinv2_tiny_window8_256", SWIN_FAMILY_SWIN_V2, 256, {8, 8, 8, 8}, {0}},
      {"swinv2_small_window16_256", SWIN_FAMILY_SWIN_V2, 256, {16, 16, 16, 16}, {0}},
      {"swinv2_base_window12_192", SWIN_FAMILY_SWIN_V2, 192, {12, 12, 12, 12}, {0}},
      {"swinv2_base_window12to16_192to256",
       SWIN_FAMILY_SWIN_V2,
       256,
       {16, 16, 16, 16},
       {12, 12, 12, 6}},
      {"swinv2_large_window12to24_192to384.ms_in22k_ft_in1k",
       SWIN_FAMILY_SWIN_V2,
       384,
       {24, 24, 24, 24},
       {12, 12, 12, 6}},
  };
  for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
    g_autoptr(Weights) weights = make_weights(known[i].family, 7, 224);
    g_autofree gchar *text = g_strdup_printf("{\"architecture\": \"%s\"}", known[i].name);
    SwinModelConfig config;
    read_good(text, weights, &config, NULL);
    ck_assert_uint_eq(config.image_height, known[i].image);
    ck_assert_uint_eq(config.image_width, known[i].image);
    for (guint stage = 0; stage < 4; stage++) {
      ck_assert_uint_eq(config.window_height[stage], known[i].windows[stage]);
      ck_assert_uint_eq(config.window_width[stage], known[i].windows[stage]);
      ck_assert_uint_eq(config.pretrained_window[stage], known[i].pretrained[stage]);
    }
    ck_assert_int_eq(config.dialect, SWIN_DIALECT_TIMM);
    ck_assert_int_eq(config.edge_rules.window, SWIN_WINDOW_CLIP_AXES);
    ck_assert_uint_eq(config.embed_dim, 24);
    ck_assert_uint_eq(config.n_heads[3], 16);
    ck_assert_uint_eq(config.depths[2], 2);
    ck_assert_uint_eq(config.n_classes, 10);
    ck_assert_double_eq(config.layer_norm_epsilon, 1e-5);
    ck_assert_double_eq(config.merging_norm_epsilon, 1e-5);
    ck_assert_int_eq(config.pool, SWIN_POOL_MEAN);
  }
}
END_TEST

/* "model_args" comes before "pretrained_cfg", and that before the name. */
START_TEST(image_size) {
  static const struct {
    const gchar *text; /* after the architecture */
    guint height, width;
  } cases[] = {
      {"", 224, 224},
      {", \"input_size\": [3, 192, 320]", 192, 320},
      {", \"pretrained_cfg\": {\"input_size\": [3, 192, 320]}", 192, 320},
      {", \"pretrained_cfg\": {\"input_size\": [3, 192, 320]}, \"model_args\": {\"img_size\": 448}",
       448, 448},
      {", \"model_args\": {\"img_size\": [96, 128]}", 96, 128},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN, 7, 224);
    g_autofree gchar *text =
        g_strdup_printf("{\"architecture\": \"swin_tiny_patch4_window7_224\"%s}", cases[i].text);
    SwinModelConfig config;
    read_good(text, weights, &config, NULL);
    ck_assert_uint_eq(config.image_height, cases[i].height);
    ck_assert_uint_eq(config.image_width, cases[i].width);
  }
}
END_TEST

START_TEST(window_arguments) {
  static const struct {
    const gchar *window;
    guint heights[4], widths[4];
  } cases[] = {
      {"14", {14, 14, 14, 14}, {14, 14, 14, 14}},
      {"[7, 14]", {7, 7, 7, 7}, {14, 14, 14, 14}},
      {"[5, 6, 7, 8]", {5, 6, 7, 8}, {5, 6, 7, 8}},
      {"[[5, 6], 7, [8, 9], 3]", {5, 7, 8, 3}, {6, 7, 9, 3}},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN_V2, 8, 256);
    g_autofree gchar *text =
        g_strdup_printf("{\"architecture\": \"swinv2_base_window8_256\", \"model_args\": "
                        "{\"act_layer\": \"gelu_tanh\", \"img_size\": 448, \"window_size\": %s, "
                        "\"pretrained_window_sizes\": [4, 3, 2, 0]}}",
                        cases[i].window);
    SwinModelConfig config;
    read_good(text, weights, &config, NULL);
    ck_assert_uint_eq(config.image_height, 448);
    ck_assert(config.tanh_gelu);
    ck_assert_mem_eq(config.window_height, cases[i].heights, sizeof cases[i].heights);
    ck_assert_mem_eq(config.window_width, cases[i].widths, sizeof cases[i].widths);
    ck_assert_uint_eq(config.pretrained_window[1], 3);
  }
}
END_TEST

/* A name that tells no window leaves V1 its tables, which were clipped in the last stage. */
START_TEST(windows_of_tables) {
  g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN, 7, 160);
  SwinModelConfig config;
  read_good("{\"architecture\": \"swin_mine\", \"model_args\": {\"img_size\": 160}}", weights,
            &config, NULL);
  ck_assert_uint_eq(config.window_height[2], 7);
  ck_assert_uint_eq(config.window_height[3], 5);
}
END_TEST

/* ---- ViT's architectures --------------------------------------------------------------------- */

/* A network of one block with the tokens and norms that are named. */
static Weights *make_vit(guint embed_dim, guint n_registers, guint n_positions,
                         const gchar *const *names) {
  Weights *weights = weights_new();
  weights_add(weights, "patch_embed.proj.weight", 0.0f, 4, embed_dim, 3, 16, 16);
  weights_add(weights, "blocks.0.attn.qkv.weight", 0.0f, 2, 3 * embed_dim, embed_dim);
  weights_add(weights, "pos_embed", 0.0f, 3, 1, n_positions, embed_dim);
  if (n_registers > 0) {
    weights_add(weights, "reg_token", 0.0f, 3, 1, n_registers, embed_dim);
  }
  for (guint i = 0; names[i] != NULL; i++) {
    weights_add(weights, names[i], 0.0f, 3, 1, 1, embed_dim);
  }
  return weights;
}

/* Read off timm's own networks of these names. */
START_TEST(vit_architectures) {
  static const struct {
    const gchar *name;
    const gchar *pool; /* at the top level, as timm writes it */
    guint embed_dim, n_registers, n_positions;
    const gchar *tensors[5];
    guint heads, n_prefix;
    gboolean prefix_positions, norm_before_pool, distilled;
  } known[] = {
      {"vit_tiny_patch16_224",
       "token",
       192,
       0,
       197,
       {"cls_token", "norm.weight"},
       3,
       1,
       TRUE,
       TRUE,
       FALSE},
      {"vit_huge_patch14_224",
       "token",
       1280,
       0,
       197,
       {"cls_token", "norm.weight"},
       16,
       1,
       TRUE,
       TRUE,
       FALSE},
      {"vit_base_patch16_gap_224", "avg", 768, 0, 196, {"norm.weight"}, 16, 0, FALSE, TRUE, FALSE},
      {"vit_base_patch16_reg4_gap_256",
       "avg",
       768,
       4,
       256,
       {"fc_norm.weight"},
       12,
       4,
       FALSE,
       FALSE,
       FALSE},
      {"vit_so150m_patch16_reg4_gap_256",
       "avg",
       896,
       4,
       260,
       {"norm.weight"},
       14,
       4,
       TRUE,
       TRUE,
       FALSE},
      {"flexivit_small",
       "token",
       384,
       0,
       196,
       {"cls_token", "norm.weight"},
       6,
       1,
       FALSE,
       TRUE,
       FALSE},
      {"eva_large_patch14_196",
       "avg",
       1024,
       0,
       197,
       {"cls_token", "fc_norm.weight"},
       16,
       1,
       TRUE,
       FALSE,
       FALSE},
      {"deit_tiny_distilled_patch16_224",
       "token",
       192,
       0,
       198,
       {"cls_token", "dist_token", "norm.weight", "head_dist.weight"},
       3,
       2,
       TRUE,
       TRUE,
       TRUE},
      {"deit3_huge_patch14_224",
       "token",
       1280,
       0,
       196,
       {"cls_token", "blocks.0.ls1.gamma", "norm.weight"},
       16,
       1,
       FALSE,
       TRUE,
       FALSE},
      {"test_vit2",
       "avg",
       64,
       0,
       101,
       {"cls_token", "blocks.0.ls1.gamma", "fc_norm.weight"},
       2,
       1,
       TRUE,
       FALSE,
       FALSE},
      {"test_vit", "token", 64, 0, 101, {"cls_token", "norm.weight"}, 2, 1, TRUE, TRUE, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
    g_autoptr(Weights) weights =
        make_vit(known[i].embed_dim, known[i].n_registers, known[i].n_positions, known[i].tensors);
    const guint side = (known[i].n_positions == 256 || known[i].n_positions == 260) ? 256
                       : known[i].n_positions == 101                                ? 160
                                                                                    : 224;
    g_autofree gchar *text = g_strdup_printf("{\"architecture\": \"%s\", \"global_pool\": \"%s\", "
                                             "\"pretrained_cfg\": {\"input_size\": [3, %u, %u]}}",
                                             known[i].name, known[i].pool, side, side);
    SwinModelConfig config;
    read_good(text, weights, &config, NULL);
    ck_assert_uint_eq(config.image_height, side);
    ck_assert_uint_eq(config.n_heads[0], known[i].heads);
    ck_assert_uint_eq(config.n_prefix_tokens, known[i].n_prefix);
    ck_assert_int_eq(config.prefix_positions, known[i].prefix_positions);
    ck_assert_int_eq(config.norm_before_pool, known[i].norm_before_pool);
    ck_assert_int_eq(config.layer_scale, g_strv_contains(known[i].tensors, "blocks.0.ls1.gamma"));
    ck_assert_int_eq(config.distillation_token, known[i].distilled);
    ck_assert_int_eq(config.distillation_head, known[i].distilled);
    ck_assert_int_eq(config.pool,
                     strcmp(known[i].pool, "avg") == 0 ? SWIN_POOL_MEAN : SWIN_POOL_TOKEN);
    ck_assert_double_eq(config.layer_norm_epsilon, 1e-6);
    ck_assert_int_eq(config.edge_rules.partial_patches, SWIN_PARTIAL_CUT);
  }
}
END_TEST

/* The tagger that its users fine-tuned from another size: no class token, the mean of all. */
START_TEST(vit_arguments) {
  static const gchar *const tensors[] = {"norm.weight", NULL};
  g_autoptr(Weights) weights = make_vit(64, 0, 784, tensors);
  SwinModelConfig config;
  read_good(
      "{\"architecture\": \"vit_base_patch16_224\", \"global_pool\": \"token\","
      " \"model_args\": {\"class_token\": false, \"fc_norm\": false, \"global_pool\": \"avg\","
      " \"num_heads\": 4, \"img_size\": 448}}",
      weights, &config, NULL);
  ck_assert_uint_eq(config.image_width, 448);
  ck_assert_uint_eq(config.n_heads[0], 4);
  ck_assert_uint_eq(config.n_prefix_tokens, 0);
  ck_assert(!config.prefix_positions && config.norm_before_pool);
  ck_assert_int_eq(config.pool, SWIN_POOL_MEAN);
}
END_TEST

/* ---- Classes
 * ------------------------------------------------------------------------------------- */

#define ARCHITECTURE "\"architecture\": \"swin_tiny_patch4_window7_224\""

START_TEST(labels_of_all_kinds) {
  static const struct {
    const gchar *text;
    const gchar *first, *third;
  } cases[] = {
      {"", "LABEL_0", "LABEL_2"},
      {", \"num_classes\": 3", "LABEL_0", "LABEL_2"},
      {", \"num_classes\": 3, \"label_names\": [\"a\", \"b\", \"c\"]", "a", "c"},
      {", \"num_classes\": 3, \"label_names\": {\"2\": \"c\"}", "LABEL_0", "c"},
      {", \"num_classes\": 3, \"label_names\": [\"n01\", \"n02\", \"n03\"],"
       " \"label_descriptions\": {\"n01\": \"tench, Tinca tinca\", \"n02\": \"shark\"}",
       "tench, Tinca tinca", "n03"},
      {", \"pretrained_cfg\": {\"num_classes\": 3, \"label_names\": [\"a\", \"b\", \"c\"],"
       " \"label_descriptions\": {\"a\": \"A\"}}",
       "A", "c"},
      {", \"num_classes\": 3, \"label_names\": [\"a\", \"b\", \"c\"],"
       " \"pretrained_cfg\": {\"num_classes\": 1000, \"label_names\": [\"x\"]}",
       "a", "c"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN, 7, 224);
    g_autofree gchar *text = g_strdup_printf("{" ARCHITECTURE "%s}", cases[i].text);
    g_auto(GStrv) labels = NULL;
    SwinModelConfig config;
    read_good(text, weights, &config, &labels);
    ck_assert_uint_eq(config.n_classes, i == 0 ? 10 : 3); /* the head of the file has 10 */
    ck_assert_str_eq(labels[0], cases[i].first);
    ck_assert_str_eq(labels[2], cases[i].third);
    ck_assert_int_eq(config.activation, SWIN_ACTIVATION_SOFTMAX);
  }
}
END_TEST

START_TEST(features_only) {
  static const gchar *const texts[] = {"{\"architecture\": \"deit_tiny_distilled_patch16_224\"}",
                                       "{\"architecture\": \"deit_tiny_distilled_patch16_224\","
                                       " \"num_classes\": 0}"};
  static const gchar *const tensors[] = {"cls_token", "dist_token", "norm.weight", NULL};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(Weights) weights = make_vit(192, 0, 198, tensors);
    SwinModelConfig config;
    read_good(texts[i], weights, &config, NULL);
    ck_assert_uint_eq(config.n_classes, 0);
    ck_assert(config.distillation_head); /* timm's features are the mean of both tokens */
  }
}
END_TEST

START_TEST(sigmoid) {
  g_autoptr(Weights) weights = make_weights(SWIN_FAMILY_SWIN, 7, 224);
  SwinModelConfig config;
  read_good("{" ARCHITECTURE ", \"problem_type\": \"multi_label_classification\"}", weights,
            &config, NULL);
  ck_assert_int_eq(config.activation, SWIN_ACTIVATION_SIGMOID);
}
END_TEST

/* ---- Refusals
 * -------------------------------------------------------------------------------------- */

typedef struct {
  const gchar *text;
  const gchar *part; /* of the message */
} Refusal;

static const Refusal refused_swin[] = {
    {"{}", "\"architecture\" is missing"},
    {"{\"architecture\": 7}", "\"architecture\" must be a string"},
    {"{\"architecture\": \"resnet50\"}", "\"architecture\" is \"resnet50\", and only"},
    {"{\"architecture\": \"swinv2_cr_tiny_224\"}", "which is another architecture than Swin V2"},
    {"{\"architecture\": \"swinv2_tiny_window8_256\"}", "but the tensors are those of another"},
    {"{" ARCHITECTURE ", \"model_args\": []}", "\"model_args\" must be an object"},
    {"{" ARCHITECTURE ", \"pretrained_cfg\": 1}", "\"pretrained_cfg\" must be an object"},
    {"{" ARCHITECTURE ", \"model_args\": {\"act_layer\": \"silu\"}}", "\"act_layer\" is"},
    {"{" ARCHITECTURE ", \"model_args\": {\"norm_layer\": \"rmsnorm\"}}", "\"norm_layer\" is set"},
    {"{" ARCHITECTURE ", \"model_args\": {\"always_partition\": true}}", "\"always_partition\""},
    {"{" ARCHITECTURE ", \"model_args\": {\"always_partition\": 1}}", "\"always_partition\" must"},
    {"{" ARCHITECTURE ", \"model_args\": {\"img_size\": 0}}", "\"img_size\""},
    {"{" ARCHITECTURE ", \"model_args\": {\"img_size\": [1, 2, 3]}}", "\"img_size\""},
    {"{" ARCHITECTURE ", \"model_args\": {\"img_size\": 3}}", "\"patch_size\" is 4, which is more"},
    {"{" ARCHITECTURE ", \"model_args\": {\"window_size\": -7}}", "\"window_size\""},
    {"{" ARCHITECTURE ", \"model_args\": {\"window_size\": [7, 7, 7]}}", "\"window_size\""},
    {"{" ARCHITECTURE ", \"input_size\": [224, 224]}",
     "\"input_size\" must be an array of 3 integers from"},
    {"{" ARCHITECTURE ", \"input_size\": [3, 224, 1e9]}", "\"input_size\""},
    {"{" ARCHITECTURE ", \"global_pool\": \"max\"}", "\"global_pool\" is \"max\""},
    {"{" ARCHITECTURE ", \"global_pool\": \"token\"}", "\"global_pool\" is \"token\""},
    {"{" ARCHITECTURE ", \"num_classes\": -1}", "\"num_classes\""},
    {"{" ARCHITECTURE ", \"num_classes\": 2000000}", "\"num_classes\""},
    {"{" ARCHITECTURE ", \"label_names\": [\"a\"]}",
     "\"label_names\" has 1 labels where \"num_classes\" says 10"},
    {"{" ARCHITECTURE ", \"num_classes\": 0, \"label_names\": {\"0\": \"a\"}}",
     "\"label_names\" has 1"},
    {"{" ARCHITECTURE ", \"num_classes\": 1, \"label_names\": [7]}", "no string for class 0"},
    {"{" ARCHITECTURE ", \"label_names\": \"a\"}", "\"label_names\" must be an array"},
    {"{" ARCHITECTURE
     ", \"num_classes\": 1, \"label_names\": [\"a\"], \"label_descriptions\": [1]}",
     "\"label_descriptions\" must be an object"},
};

static const Refusal refused_swin_v2[] = {
    {"{\"architecture\": \"swinv2_tiny_window8_256\","
     " \"model_args\": {\"pretrained_window_sizes\": [1]}}",
     "\"pretrained_window_sizes\" is of length 1"},
    {"{\"architecture\": \"swinv2_tiny_window999_256\"}", "\"window_size\" is 999"},
};

static const Refusal refused_vit[] = {
    {"{\"architecture\": \"vit_base_patch16_rpn_224\"}", "normalise after attention"},
    {"{\"architecture\": \"vit_base_patch32_clip_quickgelu_224\"}", "QuickGELU"},
    {"{\"architecture\": \"vit_so400m_patch16_siglip_gap_256.v2_webli\"}", "tanh form of GELU"},
    {"{\"architecture\": \"beit_base_patch16_224\"}", "\"beit_base_patch16_224\", and only"},
    {"{\"architecture\": \"vit_tiny_patch16_224\", \"global_pool\": \"map\"}", "\"global_pool\""},
    {"{\"architecture\": \"vit_tiny_patch16_224\", \"model_args\": {\"num_heads\": 5}}",
     "\"num_attention_heads\" has 5 heads"},
    {"{\"architecture\": \"vit_mine\", \"model_args\": {\"pool_include_prefix\": true}}",
     "\"pool_include_prefix\" is true"},
};

static void expect_refusals(SwinFamily family, const Refusal *refusals, guint n_refusals) {
  for (guint i = 0; i < n_refusals; i++) {
    g_autoptr(Weights) weights = make_weights(family, 7, 224);
    SwinModelConfig config;
    GError *error = NULL;
    ck_assert_msg(
        !config_read(swin_config_read_timm, refusals[i].text, weights, &config, NULL, &error),
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

int main(void) {
  const TTest *const tests[] = {swin_architectures,
                                image_size,
                                window_arguments,
                                windows_of_tables,
                                vit_architectures,
                                vit_arguments,
                                labels_of_all_kinds,
                                features_only,
                                sigmoid,
                                refusals};
  return fixture_run("config-timm", tests, G_N_ELEMENTS(tests));
}
