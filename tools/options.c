// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"

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
