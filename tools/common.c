// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"
#include "network/family.h"

#include <stdio.h>
#include <string.h>

/* GLib leaves "--" where it is when an argument with a dash follows it. */
static void drop_separator(gint *argc, gchar **argv) {
  for (gint i = 1; i < *argc; i++)
    if (strcmp(argv[i], "--") == 0) {
      memmove(&argv[i], &argv[i + 1], (gsize)(*argc - i) * sizeof(*argv));
      --*argc;
      return;
    }
}

gboolean swin_command_parse(gint *argc, gchar ***argv, const gchar *usage, const gchar *description,
                            const GOptionEntry *entries, gint n_operands, GError **error) {
  g_autoptr(GOptionContext) context = g_option_context_new(usage);
  g_option_context_set_summary(context, description);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, argc, argv, error))
    return FALSE;
  drop_separator(argc, *argv);
  const gint n_given = *argc - 1, n_least = ABS(n_operands);
  if (n_given == n_operands || (n_operands < 0 && n_given >= n_least))
    return TRUE;
  g_autofree gchar *command = g_path_get_basename((*argv)[0]);
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s; usage: swin %s [OPTION...] %s",
              n_given < n_least ? "an argument is missing" : "there are too many arguments",
              command, usage);
  return FALSE;
}

void swin_command_print_json(JsonBuilder *builder) {
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  g_autofree gchar *text = json_to_string(root, TRUE);
  /* Not g_print(), which converts to the locale's characters: JSON is UTF-8. */
  puts(text);
}

SwinModel *swin_command_load_model(const gchar *name, GError **error) {
  SwinModelConfig config;
  return swin_model_config_published(name, &config) ? swin_model_new_random(name, 1, error)
                                                    : swin_model_load(name, NULL, error);
}

SwinNetwork *swin_command_make_network(SwinDevice *device, SwinModel *model,
                                       SwinPrecision precision, guint batch, guint top_k,
                                       gboolean keep_stages, GError **error) {
  SwinPlanOptions options = {.batch = batch,
                             .top_k = top_k,
                             .keep_stages = keep_stages,
                             .fused = swin_network_fuses(device)};
  if (!swin_network_storage(device, precision, &options.storage, error))
    return NULL;
  SwinPlan *plan = swin_family_plan(model, &options);
  swin_plan_finish(plan, swin_network_alignment(device), 0);
  g_autoptr(SwinWeights) weights = swin_weights_new(device, plan, error);
  if (!weights) {
    swin_plan_free(plan);
    return NULL;
  }
  return swin_network_new(device, plan, weights, NULL, error);
}

/* Random pixels: zeros would be faster than anything real. */
gboolean swin_command_write_input(SwinNetwork *network, GError **error) {
  const gint input = swin_plan_find(swin_network_get_plan(network), "input");
  const SwinBinding binding = swin_network_tensor(network, input, SWIN_ACCESS_WRITE);
  g_autofree gfloat *values = g_try_malloc(binding.size);
  if (!values) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                        "There is not enough memory for a batch of that size.");
    return FALSE;
  }
  g_autoptr(GRand) random = g_rand_new_with_seed(1);
  for (guint64 i = 0; i < binding.size / sizeof(gfloat); i++)
    values[i] = (gfloat)g_rand_double_range(random, -2.0, 2.0);
  return swin_buffer_write(swin_network_get_arena(network), binding.offset, values, binding.size,
                           error);
}
