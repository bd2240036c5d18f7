// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model-cache.h"

#include <sys/stat.h>

#include "model/model-files.h"
#include "registry.h"

static SwinRegistry models;

static void append_file(GString *key, const gchar *path) {
  struct stat status;
  if (stat(path, &status) != 0) {
    g_string_append(key, "none;");
    return;
  }
  g_string_append_printf(key,
                         "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                         " %" G_GINT64_FORMAT ".%09ld %" G_GINT64_FORMAT ".%09ld;",
                         (guint64)status.st_dev, (guint64)status.st_ino, (guint64)status.st_size,
                         (gint64)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                         (gint64)status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

gchar *swin_model_cache_key(const gchar *location, const SwinModelOptions *options) {
  const SwinModelOptions defaults = {0};
  const SwinModelOptions *asked = options != NULL ? options : &defaults;
  GString *key = g_string_new(NULL);
  g_string_printf(key, "%ux%u %u;", asked->image_width, asked->image_height, asked->window_size);
  g_auto(SwinModelPaths) paths = {FALSE};
  swin_model_files_locate(location, &paths);
  if (paths.built_in) {
    g_string_append(key, "built in;");
  } else {
    append_file(key, paths.weights);
    append_file(key, paths.config);
    append_file(key, paths.preprocessor);
  }
  g_autofree gchar *name = g_path_get_basename(location);
  g_string_append(key, name);
  return g_string_free(key, FALSE);
}

/** Wanted: what is loaded where it is not in use. */
typedef struct {
  const gchar *location;
  const SwinModelOptions *options;
  SwinModelLoader loader;
  const gchar *key;
  gboolean changed; /* (out): the files are not those of the key any more */
} Wanted;

static gpointer load(gpointer request, GError **error) {
  Wanted *wanted = request;
  SwinModel *model = wanted->loader(wanted->location, wanted->options, error);
  g_autofree gchar *key = swin_model_cache_key(wanted->location, wanted->options);
  wanted->changed = !g_str_equal(key, wanted->key);
  return model;
}

SwinModel *swin_model_cache_get(const gchar *location, const SwinModelOptions *options,
                                SwinModelLoader loader, GError **error) {
  g_autofree gchar *key = swin_model_cache_key(location, options);
  Wanted wanted = {.location = location, .options = options, .loader = loader, .key = key};
  SwinModel *model = swin_registry_get(&models, key, load, &wanted, error);
  if (wanted.changed && model != NULL) {
    swin_registry_remove(&models, model);
  }
  return model;
}

void swin_model_cache_drop(SwinModel *model) {
  swin_registry_remove(&models, model);
}
