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

/* ---- Where they are ------------------------------------------------------------------------- */

static gboolean is_built_in(const gchar *name) {
  if (*name == '\0' || strchr(name, '/') != NULL) {
    return FALSE;
  }
  g_autofree gchar *path = g_strjoin("/", RESOURCE_FOLDER, name, WEIGHTS_NAME, NULL);
  return g_resources_get_info(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL, NULL, NULL);
}

void swin_model_files_locate(const gchar *location, SwinModelPaths *paths) {
  paths->built_in = is_built_in(location);
  const gboolean is_folder = paths->built_in || g_file_test(location, G_FILE_TEST_IS_DIR);
  g_autofree gchar *folder = paths->built_in ? g_strjoin("/", RESOURCE_FOLDER, location, NULL)
                             : is_folder     ? g_strdup(location)
                                             : g_path_get_dirname(location);
  paths->weights = is_folder ? g_build_filename(folder, WEIGHTS_NAME, NULL) : g_strdup(location);
  paths->config = g_build_filename(folder, CONFIG_NAME, NULL);
  paths->preprocessor = g_build_filename(folder, PREPROCESSOR_NAME, NULL);
}

void swin_model_paths_clear(SwinModelPaths *paths) {
  g_clear_pointer(&paths->weights, g_free);
  g_clear_pointer(&paths->config, g_free);
  g_clear_pointer(&paths->preprocessor, g_free);
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

static gboolean refuse(const gchar *location, GError **error) {
  if (g_file_test(location, G_FILE_TEST_IS_DIR)) {
    return refuse_folder(location, error);
  }
  g_autofree gchar *shown = swin_quote_path(location);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "There is no model %s: looked for a built-in model, a directory and a .safetensors "
              "file of that name.",
              shown);
  return FALSE;
}

static gboolean read_from_disk(const SwinModelPaths *paths, SwinModelFiles *files, GError **error) {
  files->file = swin_safetensors_open(paths->weights, error);
  return files->file != NULL && read_text(paths->config, &files->config, error) &&
         read_text(paths->preprocessor, &files->preprocessor, error);
}

/* ---- Built in ------------------------------------------------------------------------------- */

static GBytes *find_resource(const gchar *path) {
  return g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

static gboolean find_built_in(const SwinModelPaths *paths, SwinModelFiles *files, GError **error) {
  g_autoptr(GBytes) weights = find_resource(paths->weights);
  files->config = find_resource(paths->config);
  files->preprocessor = find_resource(paths->preprocessor);
  files->file = swin_safetensors_new(weights, paths->weights, error);
  return files->file != NULL;
}

gboolean swin_model_files_find(const gchar *location, SwinModelFiles *files, GError **error) {
  g_auto(SwinModelPaths) paths = {FALSE};
  memset(files, 0, sizeof *files);
  swin_model_files_locate(location, &paths);
  files->config_path = g_strdup(paths.config);
  files->preprocessor_path = g_strdup(paths.preprocessor);
  if (paths.built_in) {
    return find_built_in(&paths, files, error);
  }
  return g_file_test(paths.weights, G_FILE_TEST_EXISTS) ? read_from_disk(&paths, files, error)
                                                        : refuse(location, error);
}
