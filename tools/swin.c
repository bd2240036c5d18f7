// SPDX-License-Identifier: LGPL-2.1-or-later
/* swin: the command-line tool; each command has a file of its own. */
#include "commands.h"

#include <locale.h>

static const SwinCommand commands[] = {
    {"devices", "list the Vulkan devices", swin_command_devices},
    {"classify", "say what pictures show", swin_command_classify},
    {"info", "describe a model", swin_command_info},
    {"run", "run a network on a tensor", swin_command_run},
    {"verify", "hold a network against PyTorch", swin_command_verify},
    {"convert", "write a model as transformers reads it", swin_command_convert},
    {"bench", "measure a network", swin_command_bench},
    {"tune", "find the fastest kernels for a network on a device", swin_command_tune},
};

static void print_help(void) {
  g_print("Usage: swin COMMAND [OPTION...]\n\nCommands:\n");
  for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
    g_print("  %-10s %s\n", commands[i].name, commands[i].summary);
  g_print("\n`swin COMMAND --help` tells more.\n");
}

gint main(gint argc, gchar **argv) {
  setlocale(LC_ALL, "");
  if (argc < 2 || g_strcmp0(argv[1], "--help") == 0 || g_strcmp0(argv[1], "-h") == 0) {
    print_help();
    return argc < 2 ? 2 : 0;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
    if (g_strcmp0(argv[1], commands[i].name) != 0)
      continue;
    g_autoptr(GError) error = NULL;
    g_autofree gchar *name = g_strconcat("swin ", argv[1], NULL);
    g_set_prgname(name);
    if (commands[i].run(argc - 1, argv + 1, &error))
      return 0;
    g_printerr("swin %s: %s\n", argv[1], error->message);
    return error->domain == G_OPTION_ERROR ? 2 : 1;
  }
  g_printerr("swin: there is no command \"%s\"; see `swin --help`.\n", argv[1]);
  return 2;
}
