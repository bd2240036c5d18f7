// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * model-files.h: where the parts of a model lie: in a folder, around a file, or built in.
 */
#ifndef SWIN_MODEL_MODEL_FILES_H
#define SWIN_MODEL_MODEL_FILES_H

#include "model/safetensors.h"

/** SwinModelFiles: the weights, which are checked as a container only, and the texts beside them.
 */
typedef struct {
  SwinSafetensors *file;
  GBytes *config;       /* `config.json`; NULL where there is none */
  GBytes *preprocessor; /* `preprocessor_config.json`; NULL where there is none */
  gchar *config_path;   /* what messages call them, there or not */
  gchar *preprocessor_path;
} SwinModelFiles;

/** SwinModelPaths: where the parts are looked for; in the library's resources where it is built in.
 */
typedef struct {
  gboolean built_in;
  gchar *weights, *config, *preprocessor; /* there or not */
} SwinModelPaths;

/**
 * swin_model_files_locate: where the parts of a model are looked for, which need not be there.
 * @location: as of swin_model_load()
 * @paths: (out caller-allocated): clear with swin_model_paths_clear()
 */
void swin_model_files_locate(const gchar *location, SwinModelPaths *paths);

void swin_model_paths_clear(SwinModelPaths *paths);

/**
 * swin_model_files_find: finds and reads the parts.
 * @location: as of swin_model_load()
 * @files: (out caller-allocated): clear with swin_model_files_clear(), after a failure too
 *
 * Returns: FALSE with %SWIN_ERROR_MODEL when there are no weights or they are damaged, and with
 *   %SWIN_ERROR_CONFIG when a text cannot be read.
 */
gboolean swin_model_files_find(const gchar *location, SwinModelFiles *files, GError **error);

void swin_model_files_clear(SwinModelFiles *files);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SwinModelPaths, swin_model_paths_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SwinModelFiles, swin_model_files_clear)

#endif /* SWIN_MODEL_MODEL_FILES_H */
