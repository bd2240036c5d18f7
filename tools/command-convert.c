// SPDX-License-Identifier: LGPL-2.1-or-later
#include "evaluate.h"

#include "model/export.h"

static gboolean parse_dtype(const gchar *text, SwinDtype *dtype, GError **error) {
  if (!text || g_strcmp0(text, "f32") == 0) {
    *dtype = SWIN_DTYPE_F32;
    return TRUE;
  }
  if (g_strcmp0(text, "f16") == 0) {
    *dtype = SWIN_DTYPE_F16;
    return TRUE;
  }
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
              "--dtype is \"%s\"; it must be f32 or f16.", text);
  return FALSE;
}

gboolean swin_command_convert(gint argc, gchar **argv, GError **error) {
  g_autofree gchar *dtype_name = NULL, *image_size = NULL;
  gint window_size = 0;
  const GOptionEntry entries[] = {
      {"dtype", 0, 0, G_OPTION_ARG_STRING, &dtype_name,
       "What values are written as (f32; f16 takes half the space and rounds)", "f32 or f16"},
      {"image-size", 0, 0, G_OPTION_ARG_STRING, &image_size,
       "Input size in pixels instead of the model's own", "N or WxH"},
      {"window-size", 0, 0, G_OPTION_ARG_INT, &window_size,
       "Window in tokens instead of the model's own", "N"},
      G_OPTION_ENTRY_NULL,
  };
  SwinDtype dtype;
  if (!swin_command_parse(&argc, &argv, "MODEL FOLDER",
                          "Writes a model of any publisher into a folder as transformers names and "
                          "reads it: model.safetensors, config.json and preprocessor_config.json.",
                          entries, 2, error) ||
      !parse_dtype(dtype_name, &dtype, error))
    return FALSE;
  g_autoptr(SwinModel) model = swin_evaluate_load_model(argv[1], image_size, window_size, error);
  if (!model)
    return FALSE;
  for (const gchar *const *note = swin_model_get_notes(model); *note; note++)
    g_printerr("swin convert: %s\n", *note);
  return swin_model_export(model, argv[2], dtype, error);
}
