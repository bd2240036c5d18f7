// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"
#include "network/family.h"

gboolean swin_command_parse(gint *argc, gchar ***argv, const gchar *usage, const gchar *description,
                            const GOptionEntry *entries, gint n_operands, GError **error) {
  g_autoptr(GOptionContext) context = g_option_context_new(usage);
  g_option_context_set_summary(context, description);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, argc, argv, error))
    return FALSE;
  if (*argc == n_operands + 1)
    return TRUE;
  g_autofree gchar *command = g_path_get_basename((*argv)[0]);
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s; usage: swin %s [OPTION...] %s",
              *argc <= n_operands ? "an argument is missing" : "there are too many arguments",
              command, usage);
  return FALSE;
}

void swin_command_print_json(JsonBuilder *builder) {
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  g_autofree gchar *text = json_to_string(root, TRUE);
  g_print("%s\n", text);
}

SwinModel *swin_command_load_model(const gchar *name, GError **error) {
  SwinModelConfig config;
  return swin_model_config_published(name, &config) ? swin_model_new_random(name, 1, error)
                                                    : swin_model_load(name, error);
}

SwinNetwork *swin_command_make_network(SwinDevice *device, SwinModel *model, guint batch,
                                       guint top_k, gboolean keep_stages, GError **error) {
  SwinPlan *plan = swin_plan_new_swin(model, batch, top_k, keep_stages);
  swin_plan_finish(plan, swin_network_alignment(device), 0);
  g_autoptr(SwinWeights) weights = swin_weights_new(device, plan, error);
  if (!weights) {
    swin_plan_free(plan);
    return NULL;
  }
  return swin_network_new(device, plan, weights, error);
}
