// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"

#include <string.h>

static gboolean parse_image_size(const gchar *text, guint *width, guint *height, GError **error) {
  g_autoptr(GError) cause = NULL;
  if (swin_image_size_parse(text, width, height, &cause))
    return TRUE;
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--image-size: %s", cause->message);
  return FALSE;
}

SwinModelOptions *swin_command_make_model_options(const gchar *image_size, gint window_size,
                                                  GError **error) {
  guint width = 0, height = 0;
  if (image_size && !parse_image_size(image_size, &width, &height, error))
    return NULL;
  if (window_size < 0) {
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "--window-size must be at least 1.");
    return NULL;
  }
  SwinModelOptions *options = swin_model_options_new();
  swin_model_options_set_image_size(options, width, height);
  swin_model_options_set_window_size(options, (guint)window_size);
  return options;
}

static const gchar *const precisions[] = {"auto", "fp32", "fp16"};

const gchar *swin_command_precision_name(SwinPrecision precision) {
  return precisions[precision];
}

gboolean swin_command_parse_precision(const gchar *name, SwinPrecision *precision, GError **error) {
  if (!name)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS(precisions); i++)
    if (strcmp(name, precisions[i]) == 0) {
      *precision = (SwinPrecision)i;
      return TRUE;
    }
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
              "--precision is \"%s\"; it can be auto, fp32 or fp16.", name);
  return FALSE;
}

gboolean swin_command_parse_batches(const gchar *text, guint *batches, guint *n_batches,
                                    GError **error) {
  g_auto(GStrv) parts = g_strsplit(text ? text : "1", ",", -1);
  const guint n_parts = g_strv_length(parts);
  gboolean right = n_parts >= 1 && n_parts <= SWIN_COMMAND_MAX_BATCHES;
  for (guint i = 0; right && i < n_parts; i++) {
    guint64 batch = 0;
    right = g_ascii_string_to_unsigned(parts[i], 10, 1, G_MAXUINT16, &batch, NULL);
    batches[i] = (guint)batch;
  }
  *n_batches = n_parts;
  if (!right)
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--batch must be from 1 to 65535, or up to %d such numbers with commas between "
                "them.",
                SWIN_COMMAND_MAX_BATCHES);
  return right;
}
