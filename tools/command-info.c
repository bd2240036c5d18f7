// SPDX-License-Identifier: LGPL-2.1-or-later
#include "evaluate.h"
#include "network/family.h"
#include "model/json.h"

static const gchar *family_title(SwinFamily family) {
  switch (family) {
  case SWIN_FAMILY_SWIN:
    return "Swin Transformer";
  case SWIN_FAMILY_SWIN_V2:
    return "Swin Transformer V2";
  default:
    return "Vision Transformer";
  }
}

/* As transformers' "model_type" has it. */
static const gchar *family_name(SwinFamily family) {
  switch (family) {
  case SWIN_FAMILY_SWIN:
    return "swin";
  case SWIN_FAMILY_SWIN_V2:
    return "swinv2";
  default:
    return "vit";
  }
}

static const gchar *dialect_name(SwinDialect dialect) {
  switch (dialect) {
  case SWIN_DIALECT_HUGGING_FACE:
    return "hugging-face";
  case SWIN_DIALECT_TIMM:
    return "timm";
  case SWIN_DIALECT_TORCHVISION:
    return "torchvision";
  default:
    return "microsoft";
  }
}

static const gchar *filter_name(SwinFilter filter) {
  static const gchar *const names[] = {"nearest", "lanczos", "bilinear",
                                       "bicubic", "box",     "hamming"};
  return names[filter];
}

static const gchar *resize_mode_name(SwinResizeMode mode) {
  static const gchar *const names[] = {
      [SWIN_RESIZE_SQUASH] = "squash",   [SWIN_RESIZE_SHORT_SIDE] = "short-side",
      [SWIN_RESIZE_PAD] = "pad",         [SWIN_RESIZE_COVER] = "cover",
      [SWIN_RESIZE_CONTAIN] = "contain",
  };
  return names[mode];
}

static const gchar *activation_name(SwinActivation activation) {
  return activation == SWIN_ACTIVATION_SIGMOID ? "sigmoid" : "softmax";
}

static gboolean has_windows(const SwinModelConfig *config) {
  return config->family != SWIN_FAMILY_VIT;
}

/* ---- As text -------------------------------------------------------------------------------- */

static gchar *join_numbers(const guint *numbers, guint n_numbers) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < n_numbers; i++)
    g_string_append_printf(text, "%s%u", i ? ", " : "", numbers[i]);
  return g_string_free(text, FALSE);
}

/* The windows that are computed with, which may be smaller than the config's where maps are. */
static void print_windows(const SwinModelConfig *config) {
  g_print("windows    ");
  for (guint i = 0; i < config->n_stages; i++) {
    SwinWindows windows;
    swin_model_config_windows(config, i, 0, &windows);
    g_print("%s %u x %u of %u x %u", i ? "," : "", windows.window_width, windows.window_height,
            windows.map_width, windows.map_height);
  }
  g_print(" tokens");
  if (config->family == SWIN_FAMILY_SWIN_V2 && config->pretrained_window[0] > 0) {
    g_autofree gchar *pretrained = join_numbers(config->pretrained_window, config->n_stages);
    g_print("; trained with %s", pretrained);
  }
  g_print("\n");
}

static void print_preprocessing(SwinModel *model) {
  const SwinModelConfig *config = swin_model_get_config(model);
  const SwinPreprocessing *preprocessing = swin_model_get_preprocessing(model);
  static const gchar *const sentences[] = {
      [SWIN_RESIZE_SQUASH] = "squashed to",
      [SWIN_RESIZE_PAD] = "padded to a square, squashed to",
      [SWIN_RESIZE_COVER] = "scaled to cover",
      [SWIN_RESIZE_CONTAIN] = "scaled to fit into",
  };
  g_print("pictures    ");
  if (preprocessing->resize_mode == SWIN_RESIZE_SHORT_SIDE)
    g_print("short side to %u", preprocessing->resize_size);
  else
    g_print("%s %u x %u", sentences[preprocessing->resize_mode], preprocessing->resize_width,
            preprocessing->resize_height);
  if (preprocessing->resize_mode == SWIN_RESIZE_SHORT_SIDE ||
      preprocessing->resize_width != config->image_width ||
      preprocessing->resize_height != config->image_height)
    g_print(", centre %u x %u", config->image_width, config->image_height);
  g_print(", %s, %s\n", filter_name(preprocessing->filter), preprocessing->bgr ? "BGR" : "RGB");
  g_print("normalised  mean %g, %g, %g; standard deviation %g, %g, %g\n", preprocessing->mean[0],
          preprocessing->mean[1], preprocessing->mean[2], preprocessing->std[0],
          preprocessing->std[1], preprocessing->std[2]);
}

static void print_text(SwinModel *model, gdouble gflop, gboolean classes) {
  const SwinModelConfig *config = swin_model_get_config(model);
  g_autofree gchar *depths = join_numbers(config->depths, config->n_stages);
  g_autofree gchar *heads = join_numbers(config->n_heads, config->n_stages);
  g_print("model       %s\n", swin_model_get_name(model));
  g_print("family      %s, tensors named as %s does\n", family_title(config->family),
          dialect_name(config->dialect));
  g_print("input       %u x %u pixels, patches of %u\n", config->image_width, config->image_height,
          config->patch_size);
  g_print("stages      depths %s; heads %s; embedding %u\n", depths, heads, config->embed_dim);
  if (has_windows(config))
    print_windows(config);
  if (config->n_classes > 0)
    g_print("classes     %u, %s\n", config->n_classes, activation_name(config->activation));
  else
    g_print("classes     none: the model only makes features\n");
  print_preprocessing(model);
  g_print("parameters  %.2f million\n", (gdouble)swin_model_get_n_parameters(model) * 1e-6);
  g_print("arithmetic  %.3f GFLOP per image\n", gflop);
  for (const gchar *const *note = swin_model_get_notes(model); *note; note++)
    g_print("note        %s\n", *note);
  for (guint i = 0; classes && i < config->n_classes; i++)
    g_print("%5u  %s\n", i, swin_model_get_label(model, i));
}

/* ---- As JSON -------------------------------------------------------------------------------- */

static void add_numbers(JsonBuilder *builder, const gchar *name, const guint *numbers,
                        guint n_numbers) {
  json_builder_set_member_name(builder, name);
  json_builder_begin_array(builder);
  for (guint i = 0; i < n_numbers; i++)
    json_builder_add_int_value(builder, numbers[i]);
  json_builder_end_array(builder);
}

static void add_triple(JsonBuilder *builder, const gchar *name, const gfloat values[3]) {
  json_builder_set_member_name(builder, name);
  json_builder_begin_array(builder);
  for (guint i = 0; i < 3; i++)
    json_builder_add_double_value(builder, values[i]);
  json_builder_end_array(builder);
}

static void add_windows(JsonBuilder *builder, const SwinModelConfig *config) {
  json_builder_set_member_name(builder, "windows");
  json_builder_begin_array(builder);
  for (guint i = 0; i < config->n_stages; i++) {
    SwinWindows windows;
    swin_model_config_windows(config, i, 0, &windows);
    json_builder_begin_object(builder);
    swin_json_add_integer(builder, "width", windows.window_width);
    swin_json_add_integer(builder, "height", windows.window_height);
    swin_json_add_integer(builder, "map_width", windows.map_width);
    swin_json_add_integer(builder, "map_height", windows.map_height);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
  if (config->family == SWIN_FAMILY_SWIN_V2)
    add_numbers(builder, "pretrained_window_sizes", config->pretrained_window, config->n_stages);
}

static void add_preprocessing(JsonBuilder *builder, const SwinPreprocessing *preprocessing) {
  json_builder_set_member_name(builder, "preprocessing");
  json_builder_begin_object(builder);
  swin_json_add_string(builder, "resize", resize_mode_name(preprocessing->resize_mode));
  if (preprocessing->resize_mode == SWIN_RESIZE_SHORT_SIDE) {
    swin_json_add_integer(builder, "resize_size", preprocessing->resize_size);
  } else {
    swin_json_add_integer(builder, "resize_width", preprocessing->resize_width);
    swin_json_add_integer(builder, "resize_height", preprocessing->resize_height);
  }
  swin_json_add_string(builder, "interpolation", filter_name(preprocessing->filter));
  swin_json_add_string(builder, "channel_order", preprocessing->bgr ? "bgr" : "rgb");
  add_triple(builder, "mean", preprocessing->mean);
  add_triple(builder, "std", preprocessing->std);
  json_builder_end_object(builder);
}

static void add_notes(JsonBuilder *builder, SwinModel *model) {
  json_builder_set_member_name(builder, "notes");
  json_builder_begin_array(builder);
  for (const gchar *const *note = swin_model_get_notes(model); *note; note++)
    json_builder_add_string_value(builder, *note);
  json_builder_end_array(builder);
}

static void add_labels(JsonBuilder *builder, SwinModel *model) {
  json_builder_set_member_name(builder, "labels");
  json_builder_begin_array(builder);
  for (guint i = 0; i < swin_model_get_n_classes(model); i++)
    json_builder_add_string_value(builder, swin_model_get_label(model, i));
  json_builder_end_array(builder);
}

static void print_json(SwinModel *model, gdouble gflop, gboolean classes) {
  const SwinModelConfig *config = swin_model_get_config(model);
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  swin_json_add_string(builder, "model", swin_model_get_name(model));
  swin_json_add_string(builder, "family", family_name(config->family));
  swin_json_add_string(builder, "dialect", dialect_name(config->dialect));
  swin_json_add_integer(builder, "image_width", config->image_width);
  swin_json_add_integer(builder, "image_height", config->image_height);
  swin_json_add_integer(builder, "patch_size", config->patch_size);
  swin_json_add_integer(builder, "embed_dim", config->embed_dim);
  add_numbers(builder, "depths", config->depths, config->n_stages);
  add_numbers(builder, "num_heads", config->n_heads, config->n_stages);
  if (has_windows(config))
    add_windows(builder, config);
  swin_json_add_integer(builder, "num_classes", config->n_classes);
  swin_json_add_string(builder, "activation", activation_name(config->activation));
  add_preprocessing(builder, swin_model_get_preprocessing(model));
  swin_json_add_integer(builder, "parameters", (gint64)swin_model_get_n_parameters(model));
  json_builder_set_member_name(builder, "gflop_per_image");
  json_builder_add_double_value(builder, gflop);
  add_notes(builder, model);
  if (classes)
    add_labels(builder, model);
  json_builder_end_object(builder);
  swin_command_print_json(builder);
}

gboolean swin_command_info(gint argc, gchar **argv, GError **error) {
  g_autofree gchar *image_size = NULL;
  gint window_size = 0;
  gboolean json = FALSE, classes = FALSE;
  const GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
      {"classes", 0, 0, G_OPTION_ARG_NONE, &classes, "Also print the label of every class", NULL},
      {"image-size", 0, 0, G_OPTION_ARG_STRING, &image_size,
       "Input size in pixels instead of the model's own", "N or WxH"},
      {"window-size", 0, 0, G_OPTION_ARG_INT, &window_size,
       "Window in tokens instead of the model's own", "N"},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(&argc, &argv, "MODEL",
                          "Describes a model: a folder, a .safetensors file, a built-in model "
                          "(objects, testcard) or a published size (swin_t, swin_s, swin_b, "
                          "swin_l, the same with swin_v2_, vit_tiny, vit_small, vit_base).",
                          entries, 1, error))
    return FALSE;
  g_autoptr(SwinModel) model = swin_evaluate_load_model(argv[1], image_size, window_size, error);
  if (!model)
    return FALSE;
  const SwinPlanOptions options = {.batch = 1};
  g_autoptr(SwinPlan) plan = swin_family_plan(model, &options);
  const gdouble gflop = (gdouble)swin_plan_get_flops(plan) * 1e-9;
  if (json)
    print_json(model, gflop, classes);
  else
    print_text(model, gflop, classes);
  return TRUE;
}
