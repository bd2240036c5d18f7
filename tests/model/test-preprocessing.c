// SPDX-License-Identifier: LGPL-2.1-or-later
/* preprocessor_config.json, as transformers' image processors write it. */
#include <string.h>

#include "fixture.h"
#include "model/config.h"

/* For a network of 224 x 224 pixels, unless @side says otherwise. */
static gboolean parse(const gchar *text, guint side, SwinPreprocessing *preprocessing,
                      GError **error) {
  SwinModelConfig config;
  ck_assert(swin_model_config_published("swin_t", &config));
  config.image_height = config.image_width = side;
  g_autoptr(GBytes) json = text != NULL ? g_bytes_new_static(text, strlen(text)) : NULL;
  return swin_preprocessing_parse(json, &config, preprocessing, error);
}

START_TEST(no_file) {
  SwinPreprocessing read;
  ck_assert(parse(NULL, 224, &read, NULL));
  ck_assert_int_eq(read.resize_mode, SWIN_RESIZE_SQUASH);
  ck_assert_uint_eq(read.resize_size, 0);
  ck_assert_int_eq(read.filter, SWIN_FILTER_BICUBIC);
  ck_assert_float_eq(read.mean[0], 0.485f);
  ck_assert_float_eq(read.mean[2], 0.406f);
  ck_assert_float_eq(read.std[1], 0.224f);
}
END_TEST

/* As published for microsoft/swin-tiny-patch4-window7-224. */
START_TEST(microsoft) {
  SwinPreprocessing read;
  ck_assert(parse("{\"do_normalize\": true, \"do_resize\": true,"
                  " \"feature_extractor_type\": \"ViTFeatureExtractor\","
                  " \"image_mean\": [0.485, 0.456, 0.406], \"image_std\": [0.229, 0.224, 0.225],"
                  " \"resample\": 3, \"size\": 224}",
                  224, &read, NULL));
  ck_assert_int_eq(read.resize_mode, SWIN_RESIZE_SQUASH);
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
    guint resize_size;
  } cases[] = {
      {"{\"size\": {\"height\": 384, \"width\": 384}}", 384, SWIN_RESIZE_SQUASH, 0},
      {"{\"size\": {\"shortest_edge\": 256}, \"do_center_crop\": true, \"crop_size\": 224}", 224,
       SWIN_RESIZE_SHORT_SIDE, 256},
      {"{\"size\": 232, \"do_center_crop\": true,"
       " \"crop_size\": {\"height\": 224, \"width\": 224}}",
       224, SWIN_RESIZE_SHORT_SIDE, 232},
      {"{\"size\": {\"height\": 224, \"width\": 224}, \"do_center_crop\": true}", 224,
       SWIN_RESIZE_SQUASH, 0},
      /* ConvNextImageProcessor: int(224 / 0.9) = 248, int(224 / 0.875) = 256, 384 is squashed. */
      {"{\"size\": {\"shortest_edge\": 224}, \"crop_pct\": 0.9}", 224, SWIN_RESIZE_SHORT_SIDE, 248},
      {"{\"size\": {\"shortest_edge\": 224},"
       " \"image_processor_type\": \"ConvNextImageProcessor\"}",
       224, SWIN_RESIZE_SHORT_SIDE, 256},
      {"{\"size\": {\"shortest_edge\": 384}, \"crop_pct\": 0.9}", 384, SWIN_RESIZE_SQUASH, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    SwinPreprocessing read;
    GError *error = NULL;
    ck_assert_msg(parse(cases[i].text, cases[i].side, &read, &error), "%s: %s", cases[i].text,
                  error != NULL ? error->message : "");
    ck_assert_int_eq(read.resize_mode, cases[i].mode);
    ck_assert_uint_eq(read.resize_size, cases[i].resize_size);
  }
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
    {"{\"size\": {\"shortest_edge\": 200}, \"do_center_crop\": true}", "200 pixels"},
    {"{\"size\": 256, \"do_center_crop\": true, \"crop_size\": 192}", "\"crop_size\" makes"},
    {"{\"size\": {\"height\": 256, \"width\": 256}, \"do_center_crop\": true}",
     "\"shortest_edge\""},
    {"{\"size\": 224, \"crop_pct\": 0}", "\"crop_pct\""},
    {"{\"do_resize\": false}", "\"do_resize\""},
    {"{\"resample\": 1}", "\"resample\" is 1"},
    {"{\"resample\": \"bicubic\"}", "\"resample\""},
    {"{\"do_rescale\": false}", "\"do_rescale\""},
    {"{\"rescale_factor\": 1}", "\"rescale_factor\""},
    {"{\"image_mean\": [0.5]}", "\"image_mean\" must be an array of 3 numbers"},
    {"{\"image_mean\": [0.5, 0.5, \"x\"]}", "\"image_mean\""},
    {"{\"image_std\": [0.5, 0.5, 0]}", "\"image_std\""},
    {"{\"image_std\": [0.5, 0.5, 1e999]}", "\"image_std\""},
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

int main(void) {
  const TTest *const tests[] = {no_file, microsoft, defaults_of_a_file, sizes, refusals};
  return fixture_run("preprocessing", tests, G_N_ELEMENTS(tests));
}
