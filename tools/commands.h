// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * commands.h: the subcommands of `swin`, and what they share.
 */
#ifndef SWIN_TOOLS_COMMANDS_H
#define SWIN_TOOLS_COMMANDS_H

#include <glib.h>
#include <json-glib/json-glib.h>

#include "model/model.h"
#include "network/network.h"

/** SwinCommand: one subcommand. @run gets its own arguments, argv[0] being its name. */
typedef struct {
  const gchar *name;
  const gchar *summary; /* one line for `swin --help` */
  gboolean (*run)(gint argc, gchar **argv, GError **error);
} SwinCommand;

gboolean swin_command_devices(gint argc, gchar **argv, GError **error);
gboolean swin_command_info(gint argc, gchar **argv, GError **error);
gboolean swin_command_run(gint argc, gchar **argv, GError **error);
gboolean swin_command_verify(gint argc, gchar **argv, GError **error);
gboolean swin_command_classify(gint argc, gchar **argv, GError **error);
gboolean swin_command_convert(gint argc, gchar **argv, GError **error);
gboolean swin_command_bench(gint argc, gchar **argv, GError **error);
gboolean swin_command_tune(gint argc, gchar **argv, GError **error);

/** SWIN_COMMAND_MANY: at least @n arguments. */
#define SWIN_COMMAND_MANY(n) (-(n))

/**
 * swin_command_parse: reads the options of a subcommand; `--help` prints and exits.
 * @usage: what follows the subcommand's name, such as "MODEL"
 * @n_operands: how many arguments must be left in argv[1] and on, or SWIN_COMMAND_MANY()
 */
gboolean swin_command_parse(gint *argc, gchar ***argv, const gchar *usage, const gchar *description,
                            const GOptionEntry *entries, gint n_operands, GError **error);

/** swin_command_print_json: prints the builder's root, indented, and a newline. */
void swin_command_print_json(JsonBuilder *builder);

/**
 * swin_command_make_model_options: what the options --image-size and --window-size say.
 * @image_size: (nullable): "N" or "WxH"
 * @window_size: 0: not given
 *
 * Returns: (transfer full): or NULL with G_OPTION_ERROR.
 */
SwinModelOptions *swin_command_make_model_options(const gchar *image_size, gint window_size,
                                                  GError **error);

/** swin_command_load_model: a published name ("swin_t": random weights) or a location. */
SwinModel *swin_command_load_model(const gchar *name, GError **error);

/** SWIN_COMMAND_PRECISION_ENTRY: the option --precision. @variable: a gchar * to be freed; @preset:
 * a literal, what is taken without it */
#define SWIN_COMMAND_PRECISION_ENTRY(variable, preset)                                             \
  {                                                                                                \
    "precision", 'p', 0, G_OPTION_ARG_STRING, &(variable),                                         \
        "auto, fp32 or fp16: how activations and weights are stored; auto: fp16 on a GPU that "    \
        "can (default: " preset ")",                                                               \
        "P"                                                                                        \
  }

/** swin_command_parse_precision: what --precision says; FALSE with G_OPTION_ERROR.
 * @name: (nullable): *precision stays what it is */
gboolean swin_command_parse_precision(const gchar *name, SwinPrecision *precision, GError **error);

/** swin_command_precision_name: (transfer none): as --precision has it. */
const gchar *swin_command_precision_name(SwinPrecision precision);

#define SWIN_COMMAND_MAX_BATCHES 16

/** swin_command_parse_batches: what --batch says: "1,8,32"; FALSE with G_OPTION_ERROR.
 * @text: (nullable): 1 alone
 * @batches: (out): room for SWIN_COMMAND_MAX_BATCHES */
gboolean swin_command_parse_batches(const gchar *text, guint *batches, guint *n_batches,
                                    GError **error);

/** swin_command_make_network: a finished plan for @batch images on a device. */
SwinNetwork *swin_command_make_network(SwinDevice *device, SwinModel *model,
                                       SwinPrecision precision, guint batch, guint top_k,
                                       gboolean keep_stages, GError **error);

/** swin_command_write_input: fills the input of @network with random pixels, the same each time. */
gboolean swin_command_write_input(SwinNetwork *network, GError **error);

#endif /* SWIN_TOOLS_COMMANDS_H */
