// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"
#include "network/family.h"

static gchar *join_numbers(const guint *numbers, guint n_numbers) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < n_numbers; i++)
    g_string_append_printf(text, "%s%u", i ? ", " : "", numbers[i]);
  return g_string_free(text, FALSE);
}

static void print_text(SwinModel *model, gdouble gflop, gboolean classes) {
  const SwinModelConfig *config = swin_model_get_config(model);
  g_autofree gchar *depths = join_numbers(config->depths, config->n_stages);
  g_autofree gchar *heads = join_numbers(config->n_heads, config->n_stages);
  g_print("model       %s\n", swin_model_get_name(model));
  g_print("input       %u x %u pixels, patches of %u\n", config->image_width, config->image_height,
          config->patch_size);
  g_print("stages      depths %s; heads %s; embedding %u; window %u\n", depths, heads,
          config->embed_dim, config->window_size);
  g_print("classes     %u\n", config->n_classes);
  g_print("parameters  %.2f million\n", (gdouble)swin_model_get_n_parameters(model) * 1e-6);
  g_print("arithmetic  %.3f GFLOP per image\n", gflop);
  for (guint i = 0; classes && i < config->n_classes; i++)
    g_print("%5u  %s\n", i, swin_model_get_label(model, i));
}

static void add_numbers(JsonBuilder *builder, const gchar *name, const guint *numbers,
                        guint n_numbers) {
  json_builder_set_member_name(builder, name);
  json_builder_begin_array(builder);
  for (guint i = 0; i < n_numbers; i++)
    json_builder_add_int_value(builder, numbers[i]);
  json_builder_end_array(builder);
}

static void add_number(JsonBuilder *builder, const gchar *name, gint64 number) {
  json_builder_set_member_name(builder, name);
  json_builder_add_int_value(builder, number);
}

static void print_json(SwinModel *model, gdouble gflop, gboolean classes) {
  const SwinModelConfig *config = swin_model_get_config(model);
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "model");
  json_builder_add_string_value(builder, swin_model_get_name(model));
  add_number(builder, "image_width", config->image_width);
  add_number(builder, "image_height", config->image_height);
  add_number(builder, "patch_size", config->patch_size);
  add_number(builder, "embed_dim", config->embed_dim);
  add_numbers(builder, "depths", config->depths, config->n_stages);
  add_numbers(builder, "num_heads", config->n_heads, config->n_stages);
  add_number(builder, "window_size", config->window_size);
  add_number(builder, "num_classes", config->n_classes);
  add_number(builder, "parameters", (gint64)swin_model_get_n_parameters(model));
  json_builder_set_member_name(builder, "gflop_per_image");
  json_builder_add_double_value(builder, gflop);
  if (classes) {
    json_builder_set_member_name(builder, "labels");
    json_builder_begin_array(builder);
    for (guint i = 0; i < config->n_classes; i++)
      json_builder_add_string_value(builder, swin_model_get_label(model, i));
    json_builder_end_array(builder);
  }
  json_builder_end_object(builder);
  swin_command_print_json(builder);
}

gboolean swin_command_info(gint argc, gchar **argv, GError **error) {
  gboolean json = FALSE, classes = FALSE;
  const GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
      {"classes", 0, 0, G_OPTION_ARG_NONE, &classes, "Also print the label of every class", NULL},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(&argc, &argv, "MODEL",
                          "Describes a model: a folder, a .safetensors file, a built-in model "
                          "(testcard) or a published size (swin_t, swin_s, swin_b, swin_l).",
                          entries, 1, error))
    return FALSE;
  g_autoptr(SwinModel) model = swin_command_load_model(argv[1], error);
  if (!model)
    return FALSE;
  g_autoptr(SwinPlan) plan = swin_plan_new_swin(model, 1, 0, FALSE);
  const gdouble gflop = (gdouble)swin_plan_get_flops(plan) * 1e-9;
  if (json)
    print_json(model, gflop, classes);
  else
    print_text(model, gflop, classes);
  return TRUE;
}
