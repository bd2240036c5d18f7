// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/export-json.h"

#include "model/json.h"

/* ---- Values --------------------------------------------------------------------------------- */

static void add_uints(JsonBuilder *builder, const gchar *field, const guint *values, guint n) {
  json_builder_set_member_name(builder, field);
  json_builder_begin_array(builder);
  for (guint i = 0; i < n; i++) {
    json_builder_add_int_value(builder, values[i]);
  }
  json_builder_end_array(builder);
}

/* The shortest decimal that is read back as @value: 0.485, not 0.48500001430511475. */
static gdouble shorten(gfloat value) {
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];
  gdouble shortest = value;
  for (guint digits = 1; digits <= 9; digits++) {
    g_autofree gchar *format = g_strdup_printf("%%.%ug", digits);
    shortest = g_ascii_strtod(g_ascii_formatd(text, sizeof text, format, value), NULL);
    if ((gfloat)shortest == value) {
      break;
    }
  }
  return shortest;
}

static void add_floats(JsonBuilder *builder, const gchar *field, const gfloat *values, guint n) {
  json_builder_set_member_name(builder, field);
  json_builder_begin_array(builder);
  for (guint i = 0; i < n; i++) {
    json_builder_add_double_value(builder, shorten(values[i]));
  }
  json_builder_end_array(builder);
}

/* {"height": H, "width": W}, as image processors have it. */
static void add_size(JsonBuilder *builder, const gchar *field, guint height, guint width) {
  json_builder_set_member_name(builder, field);
  json_builder_begin_object(builder);
  swin_json_add_integer(builder, "height", height);
  swin_json_add_integer(builder, "width", width);
  json_builder_end_object(builder);
}

static gchar *finish(JsonBuilder *builder) {
  json_builder_end_object(builder);
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  g_autofree gchar *text = json_to_string(root, TRUE);
  return g_strconcat(text, "\n", NULL);
}

/* ---- config.json ---------------------------------------------------------------------------- */

static const gchar *get_type(const SwinModelConfig *config) {
  switch (config->family) {
  case SWIN_FAMILY_SWIN:
    return "swin";
  case SWIN_FAMILY_SWIN_V2:
    return "swinv2";
  case SWIN_FAMILY_VIT:
    return config->distillation_token ? "deit" : "vit";
  }
  g_return_val_if_reached("");
}

static const gchar *get_architecture(const SwinModelConfig *config) {
  switch (config->family) {
  case SWIN_FAMILY_SWIN:
    return "SwinForImageClassification";
  case SWIN_FAMILY_SWIN_V2:
    return "Swinv2ForImageClassification";
  case SWIN_FAMILY_VIT:
    return config->distillation_head    ? "DeiTForImageClassificationWithTeacher"
           : config->distillation_token ? "DeiTForImageClassification"
                                        : "ViTForImageClassification";
  }
  g_return_val_if_reached("");
}

static void add_swin(JsonBuilder *builder, const SwinModelConfig *config, guint window) {
  swin_json_add_integer(builder, "embed_dim", config->embed_dim);
  add_uints(builder, "depths", config->depths, config->n_stages);
  add_uints(builder, "num_heads", config->n_heads, config->n_stages);
  swin_json_add_integer(builder, "window_size", window);
  if (config->family == SWIN_FAMILY_SWIN_V2) {
    add_uints(builder, "pretrained_window_sizes", config->pretrained_window, config->n_stages);
  }
  swin_json_add_double(builder, "mlp_ratio", config->mlp_ratio);
  swin_json_add_boolean(builder, "use_absolute_embeddings", config->position_embedding);
}

static void add_vit(JsonBuilder *builder, const SwinModelConfig *config) {
  swin_json_add_integer(builder, "hidden_size", config->embed_dim);
  swin_json_add_integer(builder, "num_hidden_layers", config->depths[0]);
  swin_json_add_integer(builder, "num_attention_heads", config->n_heads[0]);
  swin_json_add_integer(builder, "intermediate_size", swin_model_config_hidden(config, 0));
}

/* An integer, or [height, width]. */
static void add_image_size(JsonBuilder *builder, const SwinModelConfig *config) {
  if (config->image_height == config->image_width) {
    swin_json_add_integer(builder, "image_size", config->image_height);
  } else {
    const guint sides[] = {config->image_height, config->image_width};
    add_uints(builder, "image_size", sides, 2);
  }
}

/* Of several classes with the same label, "label2id" has the last, as transformers makes it. */
static void add_labels(JsonBuilder *builder, SwinModel *model) {
  const guint n_classes = swin_model_get_n_classes(model);
  json_builder_set_member_name(builder, "id2label");
  json_builder_begin_object(builder);
  for (guint i = 0; i < n_classes; i++) {
    g_autofree gchar *id = g_strdup_printf("%u", i);
    swin_json_add_string(builder, id, swin_model_get_label(model, i));
  }
  json_builder_end_object(builder);
  json_builder_set_member_name(builder, "label2id");
  json_builder_begin_object(builder);
  for (guint i = 0; i < n_classes; i++) {
    swin_json_add_integer(builder, swin_model_get_label(model, i), i);
  }
  json_builder_end_object(builder);
}

gchar *swin_export_config(SwinModel *model, guint window, SwinDtype dtype) {
  const SwinModelConfig *config = swin_model_get_config(model);
  g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "architectures");
  json_builder_begin_array(builder);
  json_builder_add_string_value(builder, get_architecture(config));
  json_builder_end_array(builder);
  swin_json_add_string(builder, "model_type", get_type(config));
  add_image_size(builder, config);
  swin_json_add_integer(builder, "patch_size", config->patch_size);
  swin_json_add_integer(builder, "num_channels", config->n_channels);
  if (config->family == SWIN_FAMILY_VIT) {
    add_vit(builder, config);
  } else {
    add_swin(builder, config, window);
  }
  swin_json_add_boolean(builder, "qkv_bias", config->qkv_bias);
  swin_json_add_string(builder, "hidden_act", config->tanh_gelu ? "gelu_pytorch_tanh" : "gelu");
  swin_json_add_double(builder, "layer_norm_eps", config->layer_norm_epsilon);
  swin_json_add_string(builder, "problem_type",
                       config->activation == SWIN_ACTIVATION_SIGMOID
                           ? "multi_label_classification"
                           : "single_label_classification");
  add_labels(builder, model);
  swin_json_add_string(builder, "torch_dtype", dtype == SWIN_DTYPE_F16 ? "float16" : "float32");
  return finish(builder);
}

/* ---- preprocessor_config.json --------------------------------------------------------------- */

static gboolean refuse(GError **error, const gchar *message) {
  g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_MODEL, message);
  return FALSE;
}

static gboolean check_preprocessing(const SwinModelConfig *config,
                                    const SwinPreprocessing *preprocessing, GError **error) {
  const gboolean by_side = preprocessing->resize_mode == SWIN_RESIZE_SHORT_SIDE;
  const guint height = by_side ? preprocessing->resize_size : preprocessing->resize_height;
  const guint width = by_side ? preprocessing->resize_size : preprocessing->resize_width;
  if (preprocessing->resize_mode == SWIN_RESIZE_PAD) {
    return refuse(error, "The model's pictures are padded to squares, which no image processor of "
                         "transformers does: \"preprocessor_config.json\" cannot be written.");
  }
  if (preprocessing->resize_mode == SWIN_RESIZE_COVER ||
      preprocessing->resize_mode == SWIN_RESIZE_CONTAIN) {
    return refuse(error,
                  "The model's pictures are resized to cover a rectangle or to fit into one, "
                  "which no image processor of transformers does: "
                  "\"preprocessor_config.json\" cannot be written.");
  }
  if (preprocessing->bgr) {
    return refuse(error, "The model takes blue first, which no image processor of transformers for "
                         "it does: \"preprocessor_config.json\" cannot be written.");
  }
  if (height < config->image_height || width < config->image_width) {
    return refuse(error, "The model's pictures are resized to less than the network's input and "
                         "surrounded by a colour: \"preprocessor_config.json\" cannot be written.");
  }
  return TRUE;
}

/* ViTImageProcessor squashes; DeiTImageProcessor cuts the centre out of what it squashed;
 * CLIPImageProcessor cuts the centre out of what keeps its shape. */
static void add_resize(JsonBuilder *builder, const SwinModelConfig *config,
                       const SwinPreprocessing *preprocessing) {
  const gboolean by_side = preprocessing->resize_mode == SWIN_RESIZE_SHORT_SIDE;
  const gboolean crop = by_side || preprocessing->resize_height != config->image_height ||
                        preprocessing->resize_width != config->image_width;
  swin_json_add_string(builder, "image_processor_type",
                       by_side ? "CLIPImageProcessor"
                       : crop  ? "DeiTImageProcessor"
                               : "ViTImageProcessor");
  swin_json_add_boolean(builder, "do_resize", TRUE);
  if (by_side) {
    json_builder_set_member_name(builder, "size");
    json_builder_begin_object(builder);
    swin_json_add_integer(builder, "shortest_edge", preprocessing->resize_size);
    json_builder_end_object(builder);
  } else {
    add_size(builder, "size", preprocessing->resize_height, preprocessing->resize_width);
  }
  swin_json_add_integer(builder, "resample", preprocessing->filter);
  swin_json_add_boolean(builder, "do_center_crop", crop);
  if (crop) {
    add_size(builder, "crop_size", config->image_height, config->image_width);
  }
}

gchar *swin_export_preprocessor(SwinModel *model, GError **error) {
  const SwinModelConfig *config = swin_model_get_config(model);
  const SwinPreprocessing *preprocessing = swin_model_get_preprocessing(model);
  if (!check_preprocessing(config, preprocessing, error)) {
    return NULL;
  }
  g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
  json_builder_begin_object(builder);
  add_resize(builder, config, preprocessing);
  swin_json_add_boolean(builder, "do_rescale", TRUE);
  swin_json_add_double(builder, "rescale_factor", 1.0 / 255.0);
  swin_json_add_boolean(builder, "do_normalize", TRUE);
  add_floats(builder, "image_mean", preprocessing->mean, 3);
  add_floats(builder, "image_std", preprocessing->std, 3);
  return finish(builder);
}
