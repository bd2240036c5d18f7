// SPDX-License-Identifier: LGPL-2.1-or-later
/* Weights without a config: what names and shapes tell is the network that they were made from, and
 * what they do not tell is assumed and said. */
#include <math.h>
#include <string.h>

#include "config-fixture.h"
#include "fixture.h"

static gboolean infer(Weights *weights, SwinModelConfig *config, GPtrArray *notes, GError **error) {
  g_auto(GStrv) labels = NULL;
  if (!swin_config_infer(weights_match(weights), config, &labels, notes, error)) {
    return FALSE;
  }
  ck_assert_uint_eq(g_strv_length(labels), config->n_classes);
  if (config->n_classes > 0) {
    ck_assert_str_eq(labels[0], "LABEL_0");
  }
  return swin_model_config_check(config, error);
}

/* Returns how many notes there are, of which one must say @part. */
static guint infer_good(Weights *weights, SwinModelConfig *config, const gchar *part) {
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) error = NULL;
  ck_assert_msg(infer(weights, config, notes, &error), "%s", error != NULL ? error->message : "");
  gboolean found = part == NULL;
  for (guint i = 0; i < notes->len; i++) {
    found = found || strstr(g_ptr_array_index(notes, i), part) != NULL;
  }
  ck_assert_msg(found, "no note says \"%s\"", part);
  return notes->len;
}

/* What a publisher's code has where a config says nothing else. */
static void make_config(SwinFamily family, SwinDialect dialect, SwinModelConfig *config) {
  swin_model_config_default(family, config);
  config->dialect = dialect;
  config->edge_rules = swin_edge_rules(family, dialect);
  config_set_sizes(config, family == SWIN_FAMILY_VIT ? 1 : 4);
  if (family == SWIN_FAMILY_VIT && dialect == SWIN_DIALECT_TIMM) {
    config->layer_norm_epsilon = 1e-6;
  }
}

static void set_window(SwinModelConfig *config, guint window, guint image) {
  config->image_height = config->image_width = image;
  for (guint stage = 0; stage < config->n_stages; stage++) {
    config->window_height[stage] = config->window_width[stage] = window;
  }
}

/* ---- Swin V1 --------------------------------------------------------------------------------- */

START_TEST(swin_of_every_publisher) {
  static const guint windows[][2] = {{7, 224}, {12, 384}, {8, 256}, {3, 192}};
  for (guint dialect = SWIN_DIALECT_HUGGING_FACE; dialect <= SWIN_DIALECT_MICROSOFT; dialect++) {
    for (guint i = 0; i < G_N_ELEMENTS(windows); i++) {
      g_autoptr(Weights) weights = weights_new();
      SwinModelConfig expected, config;
      make_config(SWIN_FAMILY_SWIN, (SwinDialect)dialect, &expected);
      set_window(&expected, windows[i][0], windows[i][1]);
      weights_add_network(weights, &expected);
      ck_assert_uint_eq(infer_good(weights, &config, "image-size"), 1);
      config_assert_equal(&config, &expected);
    }
  }
}
END_TEST

/* Every option at once, at odd sizes. */
START_TEST(odd_swin) {
  g_autoptr(Weights) weights = weights_new();
  SwinModelConfig expected, config;
  make_config(SWIN_FAMILY_SWIN, SWIN_DIALECT_MICROSOFT, &expected);
  config_set_sizes(&expected, 3);
  expected.embed_dim = 18;
  expected.depths[1] = 5;
  expected.n_heads[0] = 3;
  expected.n_heads[1] = 1;
  expected.n_heads[2] = 9;
  expected.mlp_ratio = 2.55;
  expected.qkv_bias = expected.patch_norm = FALSE;
  expected.position_embedding = TRUE;
  expected.patch_size = 3;
  expected.n_channels = 5;
  expected.n_classes = 0;
  set_window(&expected, 5, 60);
  weights_add_network(weights, &expected);
  ck_assert_uint_eq(infer_good(weights, &config, NULL), 0); /* the positions tell the image */
  config_assert_equal(&config, &expected);
}
END_TEST

/* A table of the last stage that is smaller than the others was clipped to its map, which tells the
 * image. */
START_TEST(clipped_swin) {
  g_autoptr(Weights) weights = weights_new();
  SwinModelConfig expected, config;
  make_config(SWIN_FAMILY_SWIN, SWIN_DIALECT_TIMM, &expected);
  set_window(&expected, 7, 160);
  weights_add_network(weights, &expected);
  infer_good(weights, &config, "160 x 160");
  config_assert_equal(&config, &expected);
}
END_TEST

/* ---- Swin V2 --------------------------------------------------------------------------------- */

/* The first coordinate of Microsoft's relative_coords_table. */
static gfloat get_coordinate(guint window, guint divisor) {
  return (gfloat)(-log2(8.0 * (window - 1) / (divisor - 1) + 1.0) / 3.0);
}

static void add_coordinates(Weights *weights, const SwinModelConfig *config, const gchar *pattern) {
  for (guint stage = 0; stage < config->n_stages; stage++) {
    SwinWindows windows;
    swin_model_config_windows(config, stage, 0, &windows);
    const guint divisor = config->pretrained_window[stage] != 0 ? config->pretrained_window[stage]
                                                                : windows.window_height;
    g_autofree gchar *name = swin_layout_expand(pattern, stage, 0);
    weights_add(weights, name, get_coordinate(windows.window_height, divisor), 4, 1,
                2 * windows.window_height - 1, 2 * windows.window_width - 1, 2);
  }
}

START_TEST(swin_v2_with_buffers) {
  static const struct {
    guint window, image, pretrained;
  } cases[] = {{8, 256, 0}, {16, 256, 0}, {12, 192, 0}, {16, 256, 12}, {24, 384, 12}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Weights) weights = weights_new();
    SwinModelConfig expected, config;
    make_config(SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_MICROSOFT, &expected);
    set_window(&expected, cases[i].window, cases[i].image);
    for (guint stage = 0; stage < expected.n_stages; stage++) {
      expected.pretrained_window[stage] =
          stage == 3 ? cases[i].pretrained / 2 : cases[i].pretrained;
    }
    weights_add_network(weights, &expected);
    add_coordinates(weights, &expected, "layers.{i}.blocks.{j}.attn.relative_coords_table");
    ck_assert_uint_eq(infer_good(weights, &config, "image-size"), 1);
    config_assert_equal(&config, &expected);
  }
}
END_TEST

START_TEST(swin_v2_of_torchvision) {
  g_autoptr(Weights) weights = weights_new();
  SwinModelConfig expected, config;
  make_config(SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_TORCHVISION, &expected);
  set_window(&expected, 8, 256);
  weights_add_network(weights, &expected);
  add_coordinates(weights, &expected, "features.{2i+1}.{j}.attn.relative_coords_table");
  infer_good(weights, &config, "256 x 256");
  config_assert_equal(&config, &expected);
}
END_TEST

START_TEST(swin_v2_without_buffers) {
  static const SwinDialect dialects[] = {SWIN_DIALECT_HUGGING_FACE, SWIN_DIALECT_TIMM};
  for (guint i = 0; i < G_N_ELEMENTS(dialects); i++) {
    g_autoptr(Weights) weights = weights_new();
    SwinModelConfig expected, config;
    make_config(SWIN_FAMILY_SWIN_V2, dialects[i], &expected);
    set_window(&expected, 8, 256);
    weights_add_network(weights, &expected);
    ck_assert_uint_eq(infer_good(weights, &config, "8 x 8 are assumed"), 2);
    config_assert_equal(&config, &expected);
  }
}
END_TEST

/* Buffers that make no sense are as none. */
START_TEST(bad_buffers) {
  static const gfloat firsts[] = {NAN, INFINITY, -1000.0f, 0.0f};
  for (guint i = 0; i < G_N_ELEMENTS(firsts) + 1; i++) {
    g_autoptr(Weights) weights = weights_new();
    SwinModelConfig expected, config;
    make_config(SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_TIMM, &expected);
    config_set_sizes(&expected, 1);
    set_window(&expected, 8, 256);
    weights_add_network(weights, &expected);
    const gboolean even = i == G_N_ELEMENTS(firsts);
    weights_add(weights, "layers.0.blocks.0.attn.relative_coords_table", even ? 0.0f : firsts[i], 4,
                1, even ? 14 : 15, 15, 2);
    infer_good(weights, &config, even ? "8 x 8 are assumed" : NULL);
    ck_assert_uint_eq(config.window_height[0], 8);
    ck_assert_uint_eq(config.pretrained_window[0], 0);
  }
}
END_TEST

/* ---- ViT
 * ------------------------------------------------------------------------------------------ */

START_TEST(vit_of_every_publisher) {
  static const SwinDialect dialects[] = {SWIN_DIALECT_HUGGING_FACE, SWIN_DIALECT_TIMM};
  for (guint i = 0; i < G_N_ELEMENTS(dialects); i++) {
    for (guint distilled = 0; distilled <= 1; distilled++) {
      g_autoptr(Weights) weights = weights_new();
      SwinModelConfig expected, config;
      make_config(SWIN_FAMILY_VIT, dialects[i], &expected);
      expected.embed_dim = 128;
      expected.n_heads[0] = 2;
      expected.mlp_width = 300;
      expected.patch_size = 8;
      expected.image_height = expected.image_width = 40;
      expected.distillation_token = expected.distillation_head = (gboolean)distilled;
      expected.n_prefix_tokens = 1 + distilled;
      weights_add_network(weights, &expected);
      ck_assert_uint_eq(infer_good(weights, &config, "assumed to be 2"), 1);
      config_assert_equal(&config, &expected);
    }
  }
}
END_TEST

/* timm's networks with register tokens and the mean of all others: vit_base_patch16_reg4_gap_256.
 */
START_TEST(vit_with_registers) {
  g_autoptr(Weights) weights = weights_new();
  weights_add(weights, "blocks.0.attn.qkv.weight", 0.0f, 2, 192, 64);
  weights_add(weights, "patch_embed.proj.weight", 0.0f, 4, 64, 3, 16, 16);
  weights_add(weights, "reg_token", 0.0f, 3, 1, 4, 64);
  weights_add(weights, "pos_embed", 0.0f, 3, 1, 36, 64);
  weights_add(weights, "blocks.0.mlp.fc1.weight", 0.0f, 2, 99, 64);
  weights_add(weights, "fc_norm.weight", 0.0f, 1, 64);
  SwinModelConfig config;
  infer_good(weights, &config, "96 x 96"); /* a rectangle could have as many positions */
  ck_assert_uint_eq(config.n_prefix_tokens, 4);
  ck_assert(!config.prefix_positions && !config.norm_before_pool && !config.qkv_bias);
  ck_assert_int_eq(config.pool, SWIN_POOL_MEAN);
  ck_assert_uint_eq(config.image_height, 96);
  ck_assert_uint_eq(swin_model_config_hidden(&config, 0), 99);
  ck_assert_uint_eq(config.n_classes, 0);
}
END_TEST

/* ---- Refusals
 * -------------------------------------------------------------------------------------- */

/* One tensor of another shape than it should have. */
typedef struct {
  const gchar *name;
  guint n_dims;
  guint shape[4];
} OddTensor;

static const OddTensor odd_swin_tensors[] = {
    {"patch_embed.proj.weight", 4, {24, 3, 4, 3}},
    {"patch_embed.proj.weight", 4, {24, 3, 300, 300}},
    {"patch_embed.proj.weight", 4, {0, 3, 4, 4}},
    {"patch_embed.proj.weight", 4, {24, 65, 1, 1}},
    {"patch_embed.proj.weight", 2, {24, 48}},
    {"layers.1.blocks.0.attn.relative_position_bias_table", 2, {170, 4}},
    {"layers.1.blocks.0.attn.relative_position_bias_table", 2, {196, 4}},
    {"layers.1.blocks.0.attn.relative_position_bias_table", 2, {169, 0}},
    {"layers.1.blocks.0.attn.relative_position_bias_table", 2, {169, 1025}},
    {"layers.1.blocks.0.attn.relative_position_bias_table", 1, {169}},
    {"layers.1.blocks.0.attn.relative_position_bias_table", 2, {66049, 4}},
    {"layers.1.blocks.0.mlp.fc1.weight", 2, {0, 48}},
    {"layers.1.blocks.0.mlp.fc1.weight", 1, {192}},
    {"head.fc.weight", 2, {1000001, 1}},
    {"head.fc.weight", 3, {10, 48, 1}},
    {"absolute_pos_embed", 3, {1, 100, 23}},
    {"absolute_pos_embed", 3, {1, 0, 24}},
};

static const OddTensor odd_vit_tensors[] = {
    {"pos_embed", 3, {1, 198, 24}}, {"pos_embed", 3, {1, 197, 25}},
    {"pos_embed", 0, {0}},          {"reg_token", 3, {1, 1025, 24}},
    {"reg_token", 2, {4, 24}},      {"blocks.0.mlp.fc1.weight", 2, {0, 24}},
};

static void expect_refusal(SwinFamily family, const OddTensor *odd) {
  g_autoptr(Weights) weights = weights_new();
  SwinModelConfig config;
  GError *error = NULL;
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  make_config(family, SWIN_DIALECT_TIMM, &config);
  if (family == SWIN_FAMILY_SWIN) {
    config_set_sizes(&config, 2);
  }
  weights_add(weights, odd->name, 0.0f, odd->n_dims, odd->shape[0], odd->shape[1], odd->shape[2],
              odd->shape[3]);
  weights_add_network(weights, &config);
  ck_assert_msg(!infer(weights, &config, notes, &error), "accepted: %s", odd->name);
  fixture_expect_error(error, SWIN_ERROR_CONFIG,
                       strcmp(odd->name, "pos_embed") == 0 && odd->shape[1] == 198
                           ? "position embedding has 198 rows"
                           : odd->name);
}

START_TEST(refusals) {
  for (guint i = 0; i < G_N_ELEMENTS(odd_swin_tensors); i++) {
    expect_refusal(SWIN_FAMILY_SWIN, &odd_swin_tensors[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS(odd_vit_tensors); i++) {
    expect_refusal(SWIN_FAMILY_VIT, &odd_vit_tensors[i]);
  }
}
END_TEST

START_TEST(missing_tensors) {
  static const struct {
    const gchar *only;
    const gchar *part;
  } cases[] = {
      {"layers.0.blocks.0.norm1.weight", "first block's attention"},
      {"layers.0.blocks.0.attn.qkv.weight", "heads of stage 0"},
      {"blocks.0.attn.qkv.weight", "position embedding has 0 rows"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Weights) weights = weights_new();
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    SwinModelConfig config;
    GError *error = NULL;
    weights_add(weights, cases[i].only, 0.0f, 2, 6, 2);
    ck_assert(!infer(weights, &config, notes, &error));
    fixture_expect_error(error, SWIN_ERROR_CONFIG, cases[i].part);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {swin_of_every_publisher,
                                odd_swin,
                                clipped_swin,
                                swin_v2_with_buffers,
                                swin_v2_of_torchvision,
                                swin_v2_without_buffers,
                                bad_buffers,
                                vit_of_every_publisher,
                                vit_with_registers,
                                refusals,
                                missing_tensors};
  return fixture_run("config-infer", tests, G_N_ELEMENTS(tests));
}
