// SPDX-License-Identifier: LGPL-2.1-or-later
/* preprocessor_config.json, timm's pretrained_cfg, and the presets of models without either. */
#include <string.h>

#include "fixture.h"
#include "model/json.h"
#include "model/preprocessing.h"

static SwinModelConfig config_of(SwinFamily family, SwinDialect dialect, guint side) {
  SwinModelConfig config;
  swin_model_config_default(family, &config);
  config.dialect = dialect;
  config.image_height = config.image_width = side;
  return config;
}

/* For a Swin network of @side x @side pixels. */
static gboolean parse(const gchar *text, guint side, SwinPreprocessing *preprocessing,
                      GError **error) {
  const SwinModelConfig config = config_of(SWIN_FAMILY_SWIN, SWIN_DIALECT_HUGGING_FACE, side);
  g_autoptr(GBytes) json = g_bytes_new_static(text, strlen(text));
  return swin_preprocessing_parse(json, &config, preprocessing, error);
}

static void check_size(const SwinPreprocessing *preprocessing, SwinResizeMode mode, guint size,
                       guint height, guint width) {
  ck_assert_int_eq(preprocessing->resize_mode, mode);
  ck_assert_uint_eq(preprocessing->resize_size, size);
  ck_assert_uint_eq(preprocessing->resize_height, height);
  ck_assert_uint_eq(preprocessing->resize_width, width);
}

/* As published for microsoft/swin-tiny-patch4-window7-224. */
START_TEST(microsoft) {
  SwinPreprocessing read;
  ck_assert(parse("{\"do_normalize\": true, \"do_resize\": true,"
                  " \"feature_extractor_type\": \"ViTFeatureExtractor\","
                  " \"image_mean\": [0.485, 0.456, 0.406], \"image_std\": [0.229, 0.224, 0.225],"
                  " \"resample\": 3, \"size\": 224}",
                  224, &read, NULL));
  check_size(&read, SWIN_RESIZE_SQUASH, 0, 224, 224);
  ck_assert_int_eq(read.filter, SWIN_FILTER_BICUBIC);
  ck_assert_float_eq(read.mean[1], 0.456f);
  ck_assert_float_eq(read.std[2], 0.225f);
}
END_TEST

START_TEST(defaults_of_a_file) {
  SwinPreprocessing read;
  ck_assert(parse("{}", 224, &read, NULL));
  ck_assert_int_eq(read.resize_mode, SWIN_RESIZE_SQUASH);
  ck_assert_int_eq(read.filter, SWIN_FILTER_BILINEAR);
  ck_assert_float_eq(read.mean[0], 0.5f);
  ck_assert_float_eq(read.std[0], 0.5f);
  ck_assert(parse("{\"do_normalize\": false, \"resample\": 0}", 224, &read, NULL));
  ck_assert_int_eq(read.filter, SWIN_FILTER_NEAREST);
  ck_assert_float_eq(read.mean[0], 0.0f);
  ck_assert_float_eq(read.std[0], 1.0f);
}
END_TEST

START_TEST(sizes) {
  static const struct {
    const gchar *text;
    guint side;
    SwinResizeMode mode;
    guint size, height, width;
  } cases[] = {
      {"{\"size\": {\"height\": 384, \"width\": 384}}", 384, SWIN_RESIZE_SQUASH, 0, 384, 384},
      {"{\"size\": {\"shortest_edge\": 256}, \"do_center_crop\": true, \"crop_size\": 224}", 224,
       SWIN_RESIZE_SHORT_SIDE, 256, 0, 0},
      {"{\"size\": 232, \"do_center_crop\": true,"
       " \"crop_size\": {\"height\": 224, \"width\": 224}}",
       224, SWIN_RESIZE_SHORT_SIDE, 232, 0, 0},
      {"{\"size\": {\"height\": 224, \"width\": 224}, \"do_center_crop\": true}", 224,
       SWIN_RESIZE_SQUASH, 0, 224, 224},
      {"{\"size\": {\"height\": 250, \"width\": 240}, \"do_center_crop\": true}", 224,
       SWIN_RESIZE_SQUASH, 0, 250, 240},
      /* facebook/deit-base-distilled-patch16-224 and -384; the same without sizes. */
      {"{\"crop_size\": 224, \"do_center_crop\": true, \"size\": 256,"
       " \"feature_extractor_type\": \"DeiTFeatureExtractor\"}",
       224, SWIN_RESIZE_SQUASH, 0, 256, 256},
      {"{\"crop_size\": 384, \"do_center_crop\": true, \"size\": 438,"
       " \"image_processor_type\": \"DeiTImageProcessor\"}",
       384, SWIN_RESIZE_SQUASH, 0, 438, 438},
      {"{\"image_processor_type\": \"DeiTImageProcessorFast\"}", 224, SWIN_RESIZE_SQUASH, 0, 256,
       256},
      {"{\"size\": 256, \"image_processor_type\": \"BitImageProcessor\"}", 224,
       SWIN_RESIZE_SHORT_SIDE, 256, 0, 0},
      {"{\"do_pad\": true, \"pad_size\": null}", 224, SWIN_RESIZE_SQUASH, 0, 224, 224},
      /* ConvNextImageProcessor: int(224 / 0.9) = 248, int(224 / 0.875) = 256, 384 is squashed. */
      {"{\"size\": {\"shortest_edge\": 224}, \"crop_pct\": 0.9}", 224, SWIN_RESIZE_SHORT_SIDE, 248,
       0, 0},
      {"{\"size\": {\"shortest_edge\": 224},"
       " \"image_processor_type\": \"ConvNextImageProcessor\"}",
       224, SWIN_RESIZE_SHORT_SIDE, 256, 0, 0},
      {"{\"size\": {\"shortest_edge\": 384}, \"crop_pct\": 0.9}", 384, SWIN_RESIZE_SQUASH, 0, 384,
       384},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    SwinPreprocessing read;
    GError *error = NULL;
    ck_assert_msg(parse(cases[i].text, cases[i].side, &read, &error), "%s: %s", cases[i].text,
                  error != NULL ? error->message : "");
    check_size(&read, cases[i].mode, cases[i].size, cases[i].height, cases[i].width);
    ck_assert_int_eq(read.crop_rounding, SWIN_CROP_ROUND_DOWN);
  }
}
END_TEST

/* A file that does not say its class is read as the class of its model. */
START_TEST(classes) {
  SwinPreprocessing read;
  SwinModelConfig config = config_of(SWIN_FAMILY_VIT, SWIN_DIALECT_HUGGING_FACE, 224);
  g_autoptr(GBytes) json = g_bytes_new_static("{}", 2);
  ck_assert(swin_preprocessing_parse(json, &config, &read, NULL));
  check_size(&read, SWIN_RESIZE_SQUASH, 0, 224, 224);
  ck_assert_int_eq(read.filter, SWIN_FILTER_BILINEAR);
  config.distillation_token = TRUE;
  ck_assert(swin_preprocessing_parse(json, &config, &read, NULL));
  check_size(&read, SWIN_RESIZE_SQUASH, 0, 256, 256);
  ck_assert_int_eq(read.filter, SWIN_FILTER_BICUBIC);
  ck_assert_float_eq(read.mean[0], 0.5f);

  ck_assert(
      parse("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": 224}", 224, &read, NULL));
  check_size(&read, SWIN_RESIZE_SHORT_SIDE, 224, 0, 0);
  ck_assert_float_eq(read.mean[0], 0.48145466f);
  ck_assert_float_eq(read.std[2], 0.27577711f);
  ck_assert(parse("{\"resample\": 1, \"do_flip_channel_order\": true}", 224, &read, NULL));
  ck_assert_int_eq(read.filter, SWIN_FILTER_LANCZOS);
  ck_assert(read.bgr);
}
END_TEST

static const struct {
  const gchar *text;
  const gchar *part;
} refused[] = {
    {"{\"size\": 256}", "\"size\" makes pictures of 256 x 256 pixels"},
    {"{\"size\": \"224\"}", "\"size\""},
    {"{\"size\": {\"height\": 224}}", "\"size\" must have either"},
    {"{\"size\": {\"height\": 224, \"width\": -1}}", "in \"size\", \"width\""},
    {"{\"size\": {\"shortest_edge\": 224}}", "\"do_center_crop\""},
    {"{\"size\": {\"shortest_edge\": 200}, \"do_center_crop\": true}", "200 x 200 pixels"},
    {"{\"size\": 256, \"do_center_crop\": true, \"crop_size\": 192}", "\"crop_size\" makes"},
    {"{\"size\": {\"height\": 256, \"width\": 200}, \"do_center_crop\": true}",
     "200 x 256 pixels, out of which no 224 x 224"},
    {"{\"size\": {\"shortest_edge\": 224, \"longest_edge\": 500}, \"do_center_crop\": true}",
     "\"size\" must have either"},
    {"{\"do_pad\": true, \"pad_size\": {\"height\": 256, \"width\": 256}}", "\"do_pad\""},
    {"{\"do_flip_channel_order\": 1}", "\"do_flip_channel_order\""},
    {"{\"image_processor_type\": 1}", "\"image_processor_type\""},
    {"{\"size\": 224, \"crop_pct\": 0}", "\"crop_pct\""},
    {"{\"do_resize\": false}", "\"do_resize\""},
    {"{\"resample\": 6}", "\"resample\""},
    {"{\"resample\": \"bicubic\"}", "\"resample\""},
    {"{\"do_rescale\": false}", "\"do_rescale\""},
    {"{\"rescale_factor\": 1}", "\"rescale_factor\""},
    {"{\"image_mean\": [0.5]}", "\"image_mean\" must be an array of 3 numbers"},
    {"{\"image_mean\": [0.5, 0.5, \"x\"]}", "\"image_mean\""},
    {"{\"image_std\": [0.5, 0.5, 0]}", "\"image_std\""},
    {"{\"image_std\": [0.5, 0.5, 1e999]}", "\"image_std\""},
    {"{\"image_std\": [0.5, 0.5, 1e-44]}", "\"image_std\""},
    {"{\"image_mean\": [3e38, 0, 0], \"image_std\": [0.1, 1, 1]}", "\"image_std\""},
    {"nonsense", "not JSON"},
};

START_TEST(refusals) {
  for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
    SwinPreprocessing read;
    GError *error = NULL;
    ck_assert_msg(!parse(refused[i].text, 224, &read, &error), "accepted: %s", refused[i].text);
    fixture_expect_error(error, SWIN_ERROR_CONFIG, refused[i].part);
  }
}
END_TEST

/* ---- timm ------------------------------------------------------------------------------------ */

static gboolean parse_timm(const gchar *text, const SwinModelConfig *config,
                           SwinPreprocessing *preprocessing, GError **error) {
  g_autoptr(JsonNode) root = swin_json_parse(text, strlen(text), SWIN_ERROR_CONFIG, error);
  ck_assert_ptr_nonnull(root);
  swin_preprocessing_preset(config, preprocessing);
  return swin_preprocessing_parse_timm(json_node_get_object(root), config, preprocessing, error);
}

/* As published for timm/swin_base_patch4_window12_384.ms_in22k_ft_in1k and others. */
START_TEST(timm) {
  static const struct {
    const gchar *text;
    guint height, width;
    SwinResizeMode mode;
    guint size, resize_height, resize_width;
  } cases[] = {
      {"{\"pretrained_cfg\": {\"input_size\": [3, 384, 384], \"crop_pct\": 1.0}}", 384, 384,
       SWIN_RESIZE_SHORT_SIDE, 384, 0, 0},
      {"{\"pretrained_cfg\": {\"input_size\": [3, 224, 224], \"crop_pct\": 0.9}}", 224, 224,
       SWIN_RESIZE_SHORT_SIDE, 248, 0, 0},
      /* Older files have the fields at the top, and timm's default of 0.875. */
      {"{\"input_size\": [3, 224, 224], \"crop_mode\": \"center\"}", 224, 224,
       SWIN_RESIZE_SHORT_SIDE, 256, 0, 0},
      {"{\"pretrained_cfg\": {\"input_size\": [3, 384, 384], \"crop_pct\": 0.95,"
       " \"crop_mode\": \"squash\"}}",
       384, 384, SWIN_RESIZE_SQUASH, 0, 404, 404},
      {"{\"pretrained_cfg\": {\"input_size\": [3, 192, 320], \"crop_pct\": 0.9}}", 192, 320,
       SWIN_RESIZE_COVER, 0, 213, 355},
      {"{\"pretrained_cfg\": {\"input_size\": [3, 448, 448], \"crop_pct\": 0.9,"
       " \"crop_mode\": \"border\"}}",
       448, 448, SWIN_RESIZE_CONTAIN, 0, 497, 497},
      /* For another input than the file's. */
      {"{\"pretrained_cfg\": {\"input_size\": [3, 224, 224], \"crop_pct\": 0.875}}", 448, 448,
       SWIN_RESIZE_SHORT_SIDE, 512, 0, 0},
      /* Nothing is said: the preset. */
      {"{\"architecture\": \"swin_tiny_patch4_window7_224\"}", 224, 224, SWIN_RESIZE_SHORT_SIDE,
       248, 0, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    SwinModelConfig config = config_of(SWIN_FAMILY_SWIN, SWIN_DIALECT_TIMM, cases[i].height);
    config.image_width = cases[i].width;
    SwinPreprocessing read;
    g_autoptr(GError) error = NULL;
    ck_assert_msg(parse_timm(cases[i].text, &config, &read, &error), "%s: %s", cases[i].text,
                  error != NULL ? error->message : "");
    check_size(&read, cases[i].mode, cases[i].size, cases[i].resize_height, cases[i].resize_width);
    ck_assert_int_eq(read.crop_rounding, SWIN_CROP_ROUND_EVEN);
    ck_assert_int_eq(read.filter, SWIN_FILTER_BICUBIC);
    ck_assert_float_eq(read.mean[1], 0.456f);
  }
}
END_TEST

START_TEST(timm_values) {
  const SwinModelConfig config = config_of(SWIN_FAMILY_VIT, SWIN_DIALECT_TIMM, 224);
  SwinPreprocessing read;
  ck_assert(parse_timm("{\"pretrained_cfg\": {\"interpolation\": \"lanczos\", \"mean\": [0.25, 0.5,"
                       " 0.3], \"std\": [1, 2, 3], \"crop_mode\": \"border\"}}",
                       &config, &read, NULL));
  ck_assert_int_eq(read.filter, SWIN_FILTER_LANCZOS);
  ck_assert_float_eq(read.mean[0], 0.25f);
  ck_assert_float_eq(read.std[2], 3.0f);
  /* Python's round(): 63.75, 127.5 and 76.5. */
  ck_assert_uint_eq(read.fill[0], 64);
  ck_assert_uint_eq(read.fill[1], 128);
  ck_assert_uint_eq(read.fill[2], 76);
  static const struct {
    const gchar *text;
    const gchar *part;
  } bad[] = {
      {"{\"pretrained_cfg\": 1}", "\"pretrained_cfg\""},
      {"{\"pretrained_cfg\": {\"interpolation\": \"random\"}}",
       "\"interpolation\" must be one of \"nearest\""},
      {"{\"pretrained_cfg\": {\"crop_mode\": \"trim\"}}", "\"crop_mode\" must be one of"},
      {"{\"pretrained_cfg\": {\"crop_mode\": 3}}", "\"crop_mode\""},
      {"{\"crop_pct\": 0}", "\"crop_pct\""},
      {"{\"crop_pct\": 1.5}", "\"crop_pct\""},
      {"{\"input_size\": [224, 224]}", "\"input_size\""},
      {"{\"input_size\": [3, 0, 224]}", "\"input_size\""},
      {"{\"std\": [1, 1, 0]}", "\"std\""},
      {"{\"mean\": 0.5}", "\"mean\""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    GError *error = NULL;
    ck_assert_msg(!parse_timm(bad[i].text, &config, &read, &error), "accepted: %s", bad[i].text);
    fixture_expect_error(error, SWIN_ERROR_CONFIG, bad[i].part);
  }
}
END_TEST

/* ---- Presets --------------------------------------------------------------------------------- */

/* The table of the publishers' sources. */
START_TEST(presets) {
  static const struct {
    SwinFamily family;
    SwinDialect dialect;
    guint side, embed_dim, depth;
    SwinResizeMode mode;
    guint resized; /* one side of it */
  } cases[] = {
      {SWIN_FAMILY_SWIN, SWIN_DIALECT_HUGGING_FACE, 224, 96, 6, SWIN_RESIZE_SQUASH, 224},
      {SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_HUGGING_FACE, 256, 96, 6, SWIN_RESIZE_SQUASH, 256},
      {SWIN_FAMILY_SWIN, SWIN_DIALECT_MICROSOFT, 224, 96, 6, SWIN_RESIZE_SHORT_SIDE, 256},
      {SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_MICROSOFT, 256, 96, 6, SWIN_RESIZE_SHORT_SIDE, 292},
      {SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_MICROSOFT, 192, 128, 18, SWIN_RESIZE_SHORT_SIDE, 219},
      {SWIN_FAMILY_SWIN, SWIN_DIALECT_MICROSOFT, 384, 128, 18, SWIN_RESIZE_SQUASH, 384},
      {SWIN_FAMILY_SWIN, SWIN_DIALECT_TIMM, 224, 96, 6, SWIN_RESIZE_SHORT_SIDE, 248},
      {SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_TIMM, 256, 96, 6, SWIN_RESIZE_SHORT_SIDE, 284},
      {SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_TIMM, 384, 128, 18, SWIN_RESIZE_SHORT_SIDE, 384},
      {SWIN_FAMILY_SWIN, SWIN_DIALECT_TORCHVISION, 224, 96, 6, SWIN_RESIZE_SHORT_SIDE, 232},
      {SWIN_FAMILY_SWIN, SWIN_DIALECT_TORCHVISION, 224, 96, 18, SWIN_RESIZE_SHORT_SIDE, 246},
      {SWIN_FAMILY_SWIN, SWIN_DIALECT_TORCHVISION, 224, 128, 18, SWIN_RESIZE_SHORT_SIDE, 238},
      {SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_TORCHVISION, 256, 96, 6, SWIN_RESIZE_SHORT_SIDE, 260},
      {SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_TORCHVISION, 256, 96, 18, SWIN_RESIZE_SHORT_SIDE, 260},
      {SWIN_FAMILY_SWIN_V2, SWIN_DIALECT_TORCHVISION, 256, 128, 18, SWIN_RESIZE_SHORT_SIDE, 272},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    SwinModelConfig config = config_of(cases[i].family, cases[i].dialect, cases[i].side);
    config.embed_dim = cases[i].embed_dim;
    config.depths[2] = cases[i].depth;
    SwinPreprocessing preset;
    swin_preprocessing_preset(&config, &preset);
    const gboolean squash = cases[i].mode == SWIN_RESIZE_SQUASH;
    check_size(&preset, cases[i].mode, squash ? 0 : cases[i].resized, squash ? cases[i].resized : 0,
               squash ? cases[i].resized : 0);
    ck_assert_int_eq(preset.filter, SWIN_FILTER_BICUBIC);
    ck_assert_float_eq(preset.mean[0], 0.485f);
    ck_assert_float_eq(preset.std[1], 0.224f);
    ck_assert(!preset.bgr);
  }
}
END_TEST

START_TEST(vit_presets) {
  SwinPreprocessing preset;
  SwinModelConfig config = config_of(SWIN_FAMILY_VIT, SWIN_DIALECT_HUGGING_FACE, 224);
  config.pool = SWIN_POOL_TOKEN;
  config.norm_before_pool = TRUE;
  swin_preprocessing_preset(&config, &preset); /* google/vit-base-patch16-224 */
  check_size(&preset, SWIN_RESIZE_SQUASH, 0, 224, 224);
  ck_assert_int_eq(preset.filter, SWIN_FILTER_BILINEAR);
  ck_assert_float_eq(preset.mean[0], 0.5f);
  config.distillation_token = TRUE;
  swin_preprocessing_preset(&config, &preset); /* facebook/deit-base-distilled-patch16-224 */
  check_size(&preset, SWIN_RESIZE_SQUASH, 0, 256, 256);
  ck_assert_int_eq(preset.filter, SWIN_FILTER_BICUBIC);
  ck_assert_float_eq(preset.mean[0], 0.485f);

  config.dialect = SWIN_DIALECT_TIMM;
  swin_preprocessing_preset(&config, &preset); /* deit_base_distilled_patch16_224 */
  check_size(&preset, SWIN_RESIZE_SHORT_SIDE, 248, 0, 0);
  ck_assert_float_eq(preset.mean[0], 0.485f);
  config.distillation_token = FALSE;
  swin_preprocessing_preset(&config, &preset); /* vit_base_patch16_224.augreg_in21k_ft_in1k */
  check_size(&preset, SWIN_RESIZE_SHORT_SIDE, 248, 0, 0);
  ck_assert_float_eq(preset.mean[0], 0.5f);
  config.pool = SWIN_POOL_MEAN;
  config.norm_before_pool = FALSE;
  swin_preprocessing_preset(&config, &preset); /* mae_finetuned_vit_base.pth */
  check_size(&preset, SWIN_RESIZE_SHORT_SIDE, 256, 0, 0);
  ck_assert_float_eq(preset.mean[0], 0.485f);
}
END_TEST

START_TEST(fit) {
  static const struct {
    SwinResizeMode mode;
    guint size, resize_height, resize_width; /* for 224 x 224 */
    guint height, width;
    SwinResizeMode new_mode;
    guint new_size, new_height, new_width;
  } cases[] = {
      {SWIN_RESIZE_SQUASH, 0, 224, 224, 320, 192, SWIN_RESIZE_SQUASH, 0, 320, 192},
      {SWIN_RESIZE_SQUASH, 0, 256, 256, 448, 224, SWIN_RESIZE_SQUASH, 0, 512, 256},
      {SWIN_RESIZE_PAD, 0, 224, 224, 448, 448, SWIN_RESIZE_PAD, 0, 448, 448},
      {SWIN_RESIZE_SHORT_SIDE, 248, 0, 0, 448, 448, SWIN_RESIZE_SHORT_SIDE, 496, 0, 0},
      {SWIN_RESIZE_SHORT_SIDE, 224, 0, 0, 99, 99, SWIN_RESIZE_SHORT_SIDE, 99, 0, 0},
      {SWIN_RESIZE_SHORT_SIDE, 256, 0, 0, 448, 224, SWIN_RESIZE_COVER, 0, 512, 256},
      {SWIN_RESIZE_COVER, 0, 256, 240, 448, 448, SWIN_RESIZE_COVER, 0, 512, 480},
      {SWIN_RESIZE_CONTAIN, 0, 256, 256, 448, 224, SWIN_RESIZE_CONTAIN, 0, 512, 256},
      {SWIN_RESIZE_SHORT_SIDE, 248, 0, 0, 224, 224, SWIN_RESIZE_SHORT_SIDE, 248, 0, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    SwinModelConfig config = config_of(SWIN_FAMILY_SWIN, SWIN_DIALECT_TIMM, cases[i].height);
    config.image_width = cases[i].width;
    SwinPreprocessing preprocessing = {.resize_mode = cases[i].mode,
                                       .resize_size = cases[i].size,
                                       .resize_height = cases[i].resize_height,
                                       .resize_width = cases[i].resize_width};
    swin_preprocessing_fit(&preprocessing, 224, 224, &config);
    check_size(&preprocessing, cases[i].new_mode, cases[i].new_size, cases[i].new_height,
               cases[i].new_width);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {microsoft, defaults_of_a_file, sizes,   classes,     refusals,
                                timm,      timm_values,        presets, vit_presets, fit};
  return fixture_run("preprocessing", tests, G_N_ELEMENTS(tests));
}
