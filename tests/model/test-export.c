// SPDX-License-Identifier: LGPL-2.1-or-later
/* Models written as transformers reads them, and read again: the same network to the last bit, or
 * a refusal. */
#include <math.h>
#include <string.h>

#include <gio/gio.h>

#include "fixture.h"
#include "model/export.h"
#include "model/layout.h"
#include "model/safetensors.h"

/* ---- Networks ------------------------------------------------------------------------------- */

static void set_stages(SwinModelConfig *config, guint n_stages, guint window) {
  config->n_stages = n_stages;
  for (guint stage = 0; stage < n_stages; stage++) {
    config->depths[stage] = 2;
    config->n_heads[stage] = 1u << stage;
    config->window_height[stage] = config->window_width[stage] = window;
  }
}

/* Rectangles, odd maps and another number of everything. */
static void make_config(SwinFamily family, SwinModelConfig *config) {
  swin_model_config_default(family, config);
  config->embed_dim = 6;
  config->n_classes = 5;
  config->image_height = 24;
  config->image_width = 40;
  if (family == SWIN_FAMILY_VIT) {
    config->patch_size = 8;
    config->depths[0] = 2;
    config->n_heads[0] = 3;
    config->mlp_width = 20;
    config->layer_norm_epsilon = 1e-6;
    return;
  }
  config->patch_size = 2;
  set_stages(config, 3, 3);
  config->mlp_ratio = 3.5;
}

static void make_deit(SwinModelConfig *config) {
  make_config(SWIN_FAMILY_VIT, config);
  config->distillation_token = config->distillation_head = TRUE;
  config->n_prefix_tokens = 2;
}

static SwinModel *make_model(const SwinModelConfig *config) {
  SwinModel *model = swin_model_new_from_config("random", config, 7);
  ck_assert_ptr_nonnull(model);
  return model;
}

static SwinModel *load(const gchar *path) {
  GError *error = NULL;
  SwinModel *model = swin_model_load(path, NULL, &error);
  ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
  return model;
}

/* Writes @model into the folder @name and reads it again. */
static SwinModel *round_trip(SwinModel *model, const gchar *name, SwinDtype dtype) {
  g_autofree gchar *path = fixture_path(name);
  GError *error = NULL;
  ck_assert_msg(swin_model_export(model, path, dtype, &error), "%s",
                error != NULL ? error->message : "");
  return load(path);
}

/* ---- The same to the last bit --------------------------------------------------------------- */

static gfloat *read_values(const SwinTensor *tensor) {
  gfloat *values = g_new(gfloat, tensor->n_elements);
  swin_tensor_read(tensor, 0, tensor->n_elements, values);
  return values;
}

/* To nearest: by at most half a step of 2^-11 of the value, or of F16's smallest value. */
static gboolean is_rounded(gfloat value, gfloat half) {
  return fabsf(value - half) <= fmaxf(fabsf(value) * 0x1p-11f, 0x1p-25f);
}

static void compare_tensor(SwinModel *model, SwinModel *other, const gchar *name, gboolean exact) {
  const SwinTensor *expected = swin_model_get_tensor(model, name);
  const SwinTensor *got = swin_model_get_tensor(other, name);
  ck_assert_msg((expected != NULL) == (got != NULL), "only one model has %s", name);
  if (expected == NULL) {
    return;
  }
  ck_assert_uint_eq(got->n_elements, expected->n_elements);
  g_autofree gfloat *expected_values = read_values(expected), *values = read_values(got);
  for (guint64 i = 0; i < expected->n_elements; i++) {
    ck_assert_msg(exact ? memcmp(&values[i], &expected_values[i], sizeof *values) == 0
                        : is_rounded(expected_values[i], values[i]),
                  "%s: %.9g is not %.9g", name, values[i], expected_values[i]);
  }
}

/* What the layout lists, and what is made of it when a model is loaded. Rounded weights make
 * position biases that are not just rounded. */
static void compare_tensors(SwinModel *model, SwinModel *other, gboolean exact) {
  g_autoptr(GPtrArray) layout = swin_layout_new(swin_model_get_config(model));
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    compare_tensor(model, other, slot->name, exact);
    if (slot->role == SWIN_ROLE_LOGIT_SCALE && exact) {
      g_autofree gchar *table = swin_layout_expand(
          "stages.{i}.blocks.{j}.attention.relative_position_bias_table", slot->stage, slot->block);
      ck_assert_ptr_nonnull(swin_model_get_tensor(model, table));
      compare_tensor(model, other, table, TRUE);
    }
  }
  compare_tensor(model, other, "prefix_tokens", exact);
}

static void compare_configs(const SwinModelConfig *config, const SwinModelConfig *other) {
  ck_assert_int_eq(other->family, config->family);
  ck_assert_int_eq(other->dialect, SWIN_DIALECT_HUGGING_FACE);
  ck_assert_uint_eq(other->image_height, config->image_height);
  ck_assert_uint_eq(other->image_width, config->image_width);
  ck_assert_uint_eq(other->n_classes, config->n_classes);
  ck_assert_int_eq(other->activation, config->activation);
  ck_assert(other->layer_norm_epsilon == config->layer_norm_epsilon);
  ck_assert(other->merging_norm_epsilon == config->merging_norm_epsilon);
  ck_assert_int_eq(other->qkv_bias, config->qkv_bias);
  ck_assert_uint_eq(other->n_prefix_tokens, config->n_prefix_tokens);
  ck_assert_int_eq(other->distillation_token, config->distillation_token);
  ck_assert_int_eq(other->distillation_head, config->distillation_head);
  ck_assert_int_eq(other->pool, config->pool);
  ck_assert_uint_eq(other->n_stages, config->n_stages);
  for (guint stage = 0; stage < config->n_stages; stage++) {
    ck_assert_uint_eq(other->depths[stage], config->depths[stage]);
    ck_assert_uint_eq(other->n_heads[stage], config->n_heads[stage]);
    ck_assert_uint_eq(swin_model_config_hidden(other, stage),
                      swin_model_config_hidden(config, stage));
    for (guint block = 0; block < 2 && config->family != SWIN_FAMILY_VIT; block++) {
      SwinWindows windows, other_windows;
      swin_model_config_windows(config, stage, block, &windows);
      swin_model_config_windows(other, stage, block, &other_windows);
      ck_assert_mem_eq(&windows, &other_windows, sizeof windows);
      ck_assert_uint_eq(other->pretrained_window[stage], config->pretrained_window[stage]);
    }
  }
}

static void check_round_trip(const SwinModelConfig *config, const gchar *name) {
  g_autoptr(SwinModel) model = make_model(config);
  g_autoptr(SwinModel) whole = round_trip(model, name, SWIN_DTYPE_F32);
  compare_configs(config, swin_model_get_config(whole));
  compare_tensors(model, whole, TRUE);
  g_autoptr(SwinModel) half = round_trip(model, name, SWIN_DTYPE_F16); /* replaces the other */
  compare_configs(config, swin_model_get_config(half));
  compare_tensors(model, half, FALSE);
  /* What is F16 once stays as it is. */
  g_autoptr(SwinModel) again = round_trip(half, "again", SWIN_DTYPE_F16);
  compare_tensors(half, again, TRUE);
}

START_TEST(families) {
  static const gchar *const names[] = {"swin", "swin-v2", "vit"};
  for (guint family = 0; family < G_N_ELEMENTS(names); family++) {
    SwinModelConfig config;
    make_config((SwinFamily)family, &config);
    check_round_trip(&config, names[family]);
  }
}
END_TEST

START_TEST(options_of_networks) {
  SwinModelConfig config;
  make_config(SWIN_FAMILY_SWIN, &config);
  config.qkv_bias = FALSE;
  config.n_classes = 0;
  config.activation = SWIN_ACTIVATION_SIGMOID;
  check_round_trip(&config, "swin without");
  make_config(SWIN_FAMILY_SWIN_V2, &config);
  config.pretrained_window[0] = 5;
  config.pretrained_window[2] = 2;
  config.qkv_bias = FALSE;
  check_round_trip(&config, "swin v2 without");
  make_config(SWIN_FAMILY_SWIN, &config);
  config.position_embedding = TRUE;
  check_round_trip(&config, "swin with");
  make_config(SWIN_FAMILY_VIT, &config);
  config.n_classes = 0;
  config.image_width = 24;
  check_round_trip(&config, "vit without");
  make_config(SWIN_FAMILY_VIT, &config);
  config.layer_scale = TRUE; /* transformers does not know it: it is in the weights */
  check_round_trip(&config, "vit with layer scale");
}
END_TEST

START_TEST(distilled) {
  SwinModelConfig config;
  make_deit(&config);
  check_round_trip(&config, "deit");
  g_autofree gchar *path = fixture_path("deit/model.safetensors");
  g_autoptr(SwinSafetensors) file = swin_safetensors_open(path, NULL);
  ck_assert(swin_safetensors_has(file, "cls_classifier.weight"));
  ck_assert(swin_safetensors_has(file, "distillation_classifier.bias"));
  ck_assert(swin_safetensors_has(file, "deit.embeddings.distillation_token"));
  config.distillation_head = FALSE;
  check_round_trip(&config, "deit");
  g_autoptr(SwinSafetensors) other = swin_safetensors_open(path, NULL);
  ck_assert(swin_safetensors_has(other, "classifier.weight"));
  ck_assert(!swin_safetensors_has(other, "cls_classifier.weight"));
}
END_TEST

/* ---- Published files ------------------------------------------------------------------------ */

static SwinSafetensors *open_golden(const gchar *name) {
  g_autofree gchar *path = fixture_golden(name);
  SwinSafetensors *file = swin_safetensors_open(path, NULL);
  ck_assert_msg(file != NULL, "cannot open %s", name);
  return file;
}

static guint count_weights(SwinSafetensors *file) {
  const GPtrArray *names = swin_safetensors_get_names(file);
  guint n = 0;
  for (guint i = 0; i < names->len; i++) {
    n += !g_str_has_suffix(g_ptr_array_index(names, i), "relative_position_index");
  }
  return n;
}

/* Whether the file @path, which was written here, holds what @right, which transformers has
 * written, does. */
static void compare_files(const gchar *path, SwinSafetensors *right) {
  g_autoptr(SwinSafetensors) file = swin_safetensors_open(path, NULL);
  ck_assert_ptr_nonnull(file);
  const GPtrArray *names = swin_safetensors_get_names(right);
  ck_assert_uint_eq(count_weights(file), count_weights(right));
  for (guint i = 0; i < names->len; i++) {
    const gchar *name = g_ptr_array_index(names, i);
    SwinTensor expected, got;
    ck_assert_msg(swin_safetensors_has(file, name), "no %s", name);
    if (!swin_safetensors_lookup(right, name, &expected, NULL)) {
      ck_assert(g_str_has_suffix(name, "relative_position_index")); /* of integers */
      continue;
    }
    ck_assert(swin_safetensors_lookup(file, name, &got, NULL));
    ck_assert_uint_eq(got.n_dims, expected.n_dims);
    ck_assert_mem_eq(got.shape, expected.shape, got.n_dims * sizeof *got.shape);
    g_autofree gfloat *expected_values = read_values(&expected), *values = read_values(&got);
    ck_assert_mem_eq(values, expected_values, got.n_elements * sizeof *values);
  }
}

/* The same network under other publishers' names becomes the file that transformers has written. */
START_TEST(other_publishers) {
  static const gchar *const cases[] = {"regular",     "three-stages",      "v2-regular",
                                       "v2-transfer", "v2-clipped-square", "vit",
                                       "deit",        "deit-single-head"};
  static const gchar *const publishers[] = {"hf", "timm", "microsoft", "torchvision"};
  guint n_converted = 0;
  for (guint i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(publishers); i++) {
    const gchar *name = cases[i / G_N_ELEMENTS(publishers)];
    const gchar *publisher = publishers[i % G_N_ELEMENTS(publishers)];
    g_autofree gchar *right_name = g_build_filename(name, "hf", "model.safetensors", NULL);
    g_autofree gchar *source_name = g_build_filename(name, publisher, NULL);
    g_autofree gchar *source = fixture_golden(source_name), *path = fixture_path("converted");
    g_autofree gchar *weights = fixture_path("converted/model.safetensors");
    if (!g_file_test(source, G_FILE_TEST_EXISTS)) {
      continue;
    }
    g_autoptr(SwinSafetensors) right = open_golden(right_name);
    g_autoptr(SwinModel) model = load(source);
    GError *error = NULL;
    ck_assert_msg(swin_model_export(model, path, SWIN_DTYPE_F32, &error), "%s: %s", source_name,
                  error != NULL ? error->message : "");
    compare_files(weights, right);
    g_autoptr(SwinModel) converted = load(path);
    compare_tensors(model, converted, TRUE);
    n_converted++;
  }
  ck_assert_uint_ge(n_converted, 16);
}
END_TEST

START_TEST(labels_and_pixels) {
  g_autofree gchar *source = fixture_golden("regular/hf");
  g_autofree gchar *weights = g_build_filename(source, "model.safetensors", NULL);
  g_autofree gchar *config = g_build_filename(source, "config.json", NULL);
  static const gchar *const preprocessors[] = {
      "{\"size\":{\"height\":32,\"width\":32},\"resample\":1,\"image_mean\":[0.485,0.1,0.3]}",
      "{\"size\":{\"shortest_edge\":37},\"do_center_crop\":true,\"crop_size\":32,\"resample\":3}",
      "{\"size\":{\"height\":40,\"width\":36},\"do_center_crop\":true,\"crop_size\":32}",
  };
  for (guint i = 0; i < G_N_ELEMENTS(preprocessors); i++) {
    g_autofree gchar *content = NULL, *path = fixture_path("labelled");
    gsize length;
    ck_assert(g_file_get_contents(weights, &content, &length, NULL));
    fixture_write("labelled/model.safetensors", content, length);
    g_clear_pointer(&content, g_free);
    ck_assert(g_file_get_contents(config, &content, &length, NULL));
    fixture_write("labelled/config.json", content, length);
    fixture_write_text("labelled/preprocessor_config.json", preprocessors[i]);
    g_autoptr(SwinModel) model = load(path);
    g_autoptr(SwinModel) other = round_trip(model, "labelled", SWIN_DTYPE_F32); /* over itself */
    const SwinPreprocessing *right = swin_model_get_preprocessing(model);
    const SwinPreprocessing *got = swin_model_get_preprocessing(other);
    ck_assert_int_eq(got->resize_mode, right->resize_mode);
    ck_assert_uint_eq(got->resize_size, right->resize_size);
    ck_assert_uint_eq(got->resize_height, right->resize_height);
    ck_assert_uint_eq(got->resize_width, right->resize_width);
    ck_assert_int_eq(got->filter, right->filter);
    ck_assert_mem_eq(got->mean, right->mean, sizeof got->mean);
    ck_assert_mem_eq(got->std, right->std, sizeof got->std);
    for (guint j = 0; j < swin_model_get_n_classes(model); j++) {
      ck_assert_str_eq(swin_model_get_label(other, j), swin_model_get_label(model, j));
    }
  }
}
END_TEST

/* Labels that two classes share, and those that JSON has to escape. */
START_TEST(odd_labels) {
  g_autofree gchar *source = fixture_golden("regular/hf/model.safetensors");
  g_autofree gchar *config = fixture_golden("regular/hf/config.json"), *text = NULL;
  g_autofree gchar *content = NULL, *path = fixture_path("odd labels");
  gsize length;
  ck_assert(g_file_get_contents(source, &content, &length, NULL));
  ck_assert(g_file_get_contents(config, &text, NULL, NULL));
  GString *changed = g_string_new(text);
  ck_assert_uint_eq(g_string_replace(changed, "\"delta\"", "\"alpha\"", 0), 1);
  ck_assert_uint_eq(g_string_replace(changed, "\"gamma\"", "\"say \\\"\xc3\xa9\\\" \\\\\"", 0), 1);
  fixture_write("odd labels/model.safetensors", content, length);
  fixture_write_text("odd labels/config.json", changed->str);
  g_string_free(changed, TRUE);
  g_autoptr(SwinModel) model = load(path);
  g_autoptr(SwinModel) other = round_trip(model, "odd labels again", SWIN_DTYPE_F16);
  ck_assert_str_eq(swin_model_get_label(other, 0), "alpha");
  ck_assert_str_eq(swin_model_get_label(other, 2), "say \"\xc3\xa9\" \\");
  ck_assert_str_eq(swin_model_get_label(other, 3), "alpha");
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------- */

static void expect_refusal(const SwinModelConfig *config, const gchar *part) {
  GError *check_error = NULL, *error = NULL;
  ck_assert_msg(swin_model_config_check(config, &check_error), "%s",
                check_error != NULL ? check_error->message : "");
  g_autoptr(SwinModel) model = make_model(config);
  g_autofree gchar *path = fixture_path("refused");
  ck_assert_msg(!swin_model_export(model, path, SWIN_DTYPE_F32, &error), "accepted: %s", part);
  fixture_expect_error(error, SWIN_ERROR_MODEL, part);
  ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
}

static void set_dialect(SwinModelConfig *config, SwinDialect dialect) {
  config->dialect = dialect;
  config->edge_rules = swin_edge_rules(config->family, dialect);
}

/* Where the sources' rules agree, their models are written; where they do not, none is. */
START_TEST(edges) {
  SwinModelConfig config;
  make_config(SWIN_FAMILY_SWIN, &config);
  config.image_height = config.image_width = 48; /* maps of 24, 12, 6: whole windows of 3 */
  for (guint dialect = SWIN_DIALECT_HUGGING_FACE; dialect <= SWIN_DIALECT_MICROSOFT; dialect++) {
    set_dialect(&config, (SwinDialect)dialect);
    check_round_trip(&config, "edges");
  }
  config.image_height = config.image_width = 32; /* maps of 16, 8, 4: the last is smaller */
  set_stages(&config, 3, 8);
  set_dialect(&config, SWIN_DIALECT_TORCHVISION);
  expect_refusal(&config, "\"window_size\" makes windows of 8 x 8 tokens in stage 2");
  set_dialect(&config, SWIN_DIALECT_TIMM);
  expect_refusal(&config, "bias tables of stage 2 are for windows of 4 x 4");
  set_dialect(&config, SWIN_DIALECT_MICROSOFT);
  expect_refusal(&config, "bias tables of stage 2 are for windows of 4 x 4");
  config.image_height = config.image_width = 48;
  set_stages(&config, 3, 5); /* no map is made of whole windows */
  set_dialect(&config, SWIN_DIALECT_TIMM);
  expect_refusal(&config, "is shifted and then padded");
  set_dialect(&config, SWIN_DIALECT_TORCHVISION);
  check_round_trip(&config, "edges");
  config.image_width = 49; /* not whole patches */
  expect_refusal(&config, "\"image_size\" makes a map of 24 x 24 patches");
  config.image_width = 24; /* the window fits on one axis alone */
  expect_refusal(&config, "in stage 2");
}
END_TEST

START_TEST(edges_of_v2) {
  SwinModelConfig config;
  make_config(SWIN_FAMILY_SWIN_V2, &config);
  config.image_height = config.image_width = 32;
  set_stages(&config, 3, 8); /* its position bias has no table, and so can be clipped */
  set_dialect(&config, SWIN_DIALECT_TIMM);
  check_round_trip(&config, "edges of v2");
  config.window_height[2] = config.window_width[2] = 4; /* another name for the same windows */
  check_round_trip(&config, "edges of v2");
  set_dialect(&config, SWIN_DIALECT_TORCHVISION);
  set_stages(&config, 3, 8);
  expect_refusal(&config, "\"window_size\" makes windows of 8 x 8 tokens in stage 2");
  set_dialect(&config, SWIN_DIALECT_TIMM);
  set_stages(&config, 3, 3);
  config.window_height[0] = 4;
  expect_refusal(&config, "\"window_size\" makes windows of 3 x 4 tokens in stage 0");
  set_stages(&config, 3, 3);
  config.window_height[1] = config.window_width[1] = 6;
  expect_refusal(&config, "\"window_size\" makes windows of 3 x 3 tokens in stage 0");
}
END_TEST

START_TEST(what_transformers_lacks) {
  SwinModelConfig config;
  make_config(SWIN_FAMILY_SWIN, &config);
  config.patch_norm = FALSE;
  expect_refusal(&config, "\"patch_norm\"");
  make_config(SWIN_FAMILY_SWIN, &config);
  config.merging_norm_epsilon = 1e-6;
  expect_refusal(&config, "epsilon of 1e-06");
  make_config(SWIN_FAMILY_SWIN_V2, &config);
  config.position_embedding = TRUE;
  expect_refusal(&config, "absolute position embedding");
  make_config(SWIN_FAMILY_VIT, &config);
  config.pool = SWIN_POOL_MEAN;
  config.norm_before_pool = FALSE;
  expect_refusal(&config, "mean of all tokens");
  make_config(SWIN_FAMILY_VIT, &config);
  config.n_prefix_tokens = 5;
  set_dialect(&config, SWIN_DIALECT_TIMM);
  expect_refusal(&config, "register tokens");
  make_config(SWIN_FAMILY_VIT, &config);
  config.prefix_positions = FALSE;
  expect_refusal(&config, "class token has no position");
  make_deit(&config);
  config.n_classes = 0;
  expect_refusal(&config, "two tokens");
}
END_TEST

START_TEST(pixels_that_transformers_lacks) {
  g_autofree gchar *source = fixture_golden("regular/hf/model.safetensors"), *content = NULL;
  g_autofree gchar *config = fixture_golden("regular/hf/config.json"), *text = NULL;
  g_autofree gchar *path = fixture_path("blue"), *refused = fixture_path("refused");
  gsize length;
  ck_assert(g_file_get_contents(source, &content, &length, NULL));
  ck_assert(g_file_get_contents(config, &text, NULL, NULL));
  fixture_write("blue/model.safetensors", content, length);
  fixture_write_text("blue/config.json", text);
  fixture_write_text("blue/preprocessor_config.json",
                     "{\"size\":32,\"image_processor_type\":\"ViTImageProcessor\","
                     "\"do_flip_channel_order\":true}");
  g_autoptr(SwinModel) model = load(path);
  GError *error = NULL;
  ck_assert(!swin_model_export(model, refused, SWIN_DTYPE_F32, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "blue first");
}
END_TEST

static void expect_other_pixels(SwinModel *model) {
  GError *error = NULL;
  g_autofree gchar *refused = fixture_path("refused");
  ck_assert(!swin_model_export(model, refused, SWIN_DTYPE_F32, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, "cover a rectangle or to fit into one");
}

/* timm's way to a rectangle, and its crop mode "border". */
START_TEST(sizes_that_transformers_lacks) {
  SwinModelConfig rectangle;
  make_config(SWIN_FAMILY_VIT, &rectangle);
  rectangle.dialect = SWIN_DIALECT_TIMM;
  g_autoptr(SwinModel) covered = make_model(&rectangle);
  ck_assert_int_eq(swin_model_get_preprocessing(covered)->resize_mode, SWIN_RESIZE_COVER);
  expect_other_pixels(covered);

  g_autofree gchar *source = fixture_golden("vit/timm/model.safetensors"), *content = NULL;
  g_autofree gchar *config = fixture_golden("vit/timm/config.json"), *text = NULL;
  g_autofree gchar *path = fixture_path("border");
  gsize length;
  ck_assert(g_file_get_contents(source, &content, &length, NULL));
  ck_assert(g_file_get_contents(config, &text, NULL, NULL));
  g_autoptr(GString) changed = g_string_new(text);
  ck_assert_uint_eq(g_string_replace(changed, "\"center\"", "\"border\"", 0), 1);
  fixture_write("border/model.safetensors", content, length);
  fixture_write_text("border/config.json", changed->str);
  g_autoptr(SwinModel) contained = load(path);
  ck_assert_int_eq(swin_model_get_preprocessing(contained)->resize_mode, SWIN_RESIZE_CONTAIN);
  expect_other_pixels(contained);
}
END_TEST

START_TEST(unwritable) {
  SwinModelConfig config;
  make_config(SWIN_FAMILY_VIT, &config);
  g_autoptr(SwinModel) model = make_model(&config);
  fixture_write_text("a file", "");
  g_autofree gchar *path = fixture_path("a file/out");
  GError *error = NULL;
  ck_assert(!swin_model_export(model, path, SWIN_DTYPE_F32, &error));
  fixture_expect_error(error, SWIN_ERROR_MODEL, path);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {families,
                                options_of_networks,
                                distilled,
                                other_publishers,
                                labels_and_pixels,
                                odd_labels,
                                edges,
                                edges_of_v2,
                                what_transformers_lacks,
                                pixels_that_transformers_lacks,
                                sizes_that_transformers_lacks,
                                unwritable};
  return fixture_run("export", tests, G_N_ELEMENTS(tests));
}
