// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model-files.h"

#include <string.h>

#include <gio/gio.h>

#include "model/quote.h"

#define WEIGHTS_NAME "model.safetensors"
#define CONFIG_NAME "config.json"
#define PREPROCESSOR_NAME "preprocessor_config.json"
#define RESOURCE_FOLDER "/swin/models"

void swin_model_files_clear(SwinModelFiles *files) {
  g_clear_pointer(&files->file, swin_safetensors_free);
  g_clear_pointer(&files->config, g_bytes_unref);
  g_clear_pointer(&files->preprocessor, g_bytes_unref);
  g_clear_pointer(&files->config_path, g_free);
  g_clear_pointer(&files->preprocessor_path, g_free);
}

/* ---- On disk -------------------------------------------------------------------------------- */

/* Sets @text to NULL where there is no such file. */
static gboolean read_text(const gchar *path, GBytes **text, GError **error) {
  g_autofree gchar *content = NULL;
  gsize length;
  g_autoptr(GError) read_error = NULL;
  *text = NULL;
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    return TRUE;
  }
  g_autofree gchar *shown = swin_quote_path(path);
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "The config %s is no file.", shown);
    return FALSE;
  }
  if (!g_file_get_contents(path, &content, &length, &read_error)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "The file %s cannot be read: %s.", shown,
                read_error->message);
    return FALSE;
  }
  *text = g_bytes_new_take(g_steal_pointer(&content), length);
  return TRUE;
}

static gboolean find_in_folder(const gchar *folder, const gchar *weights, SwinModelFiles *files,
                               GError **error) {
  files->config_path = g_build_filename(folder, CONFIG_NAME, NULL);
  files->preprocessor_path = g_build_filename(folder, PREPROCESSOR_NAME, NULL);
  files->file = swin_safetensors_open(weights, error);
  return files->file != NULL && read_text(files->config_path, &files->config, error) &&
         read_text(files->preprocessor_path, &files->preprocessor, error);
}

/* What is in a directory without weights decides what there is to say about it. */
static gboolean refuse_folder(const gchar *folder, GError **error) {
  static const struct {
    const gchar *name;
    const gchar *advice;
  } other_formats[] = {
      {WEIGHTS_NAME ".index.json", "it is split into several files: save it as one"},
      {"pytorch_model.bin", "convert pytorch_model.bin to safetensors"},
  };
  g_autofree gchar *shown = swin_quote_path(folder);
  const gchar *advice = "give the directory of a model or its .safetensors file";
  for (guint i = 0; i < G_N_ELEMENTS(other_formats); i++) {
    g_autofree gchar *path = g_build_filename(folder, other_formats[i].name, NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
      advice = other_formats[i].advice;
      break;
    }
  }
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "The directory %s holds no " WEIGHTS_NAME ": %s.", shown, advice);
  return FALSE;
}

static gboolean find_on_disk(const gchar *location, SwinModelFiles *files, GError **error) {
  if (g_file_test(location, G_FILE_TEST_IS_DIR)) {
    g_autofree gchar *weights = g_build_filename(location, WEIGHTS_NAME, NULL);
    return g_file_test(weights, G_FILE_TEST_EXISTS)
               ? find_in_folder(location, weights, files, error)
               : refuse_folder(location, error);
  }
  if (g_file_test(location, G_FILE_TEST_EXISTS)) {
    g_autofree gchar *folder = g_path_get_dirname(location);
    return find_in_folder(folder, location, files, error);
  }
  g_autofree gchar *shown = swin_quote_path(location);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "There is no model %s: looked for a built-in model, a directory and a .safetensors "
              "file of that name.",
              shown);
  return FALSE;
}

/* ---- Built in ------------------------------------------------------------------------------- */

static GBytes *find_resource(const gchar *name, const gchar *part, gchar **path) {
  *path = g_strjoin("/", RESOURCE_FOLDER, name, part, NULL);
  return g_resources_lookup_data(*path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

/* Sets nothing in @files when there is no built-in model of that name. */
static gboolean find_built_in(const gchar *name, SwinModelFiles *files, GError **error) {
  if (*name == '\0' || strchr(name, '/') != NULL) {
    return TRUE;
  }
  g_autofree gchar *path = NULL;
  g_autoptr(GBytes) weights = find_resource(name, WEIGHTS_NAME, &path);
  if (weights == NULL) {
    return TRUE;
  }
  files->config = find_resource(name, CONFIG_NAME, &files->config_path);
  files->preprocessor = find_resource(name, PREPROCESSOR_NAME, &files->preprocessor_path);
  files->file = swin_safetensors_new(weights, path, error);
  return files->file != NULL;
}

gboolean swin_model_files_find(const gchar *location, SwinModelFiles *files, GError **error) {
  memset(files, 0, sizeof *files);
  return find_built_in(location, files, error) &&
         (files->file != NULL || find_on_disk(location, files, error));
}
