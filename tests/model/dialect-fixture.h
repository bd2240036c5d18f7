// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * dialect-fixture.h: models written the way their publishers write them. The names here are made by
 * rules of their own, not by the tables of core/model/dialect-names.c.
 */
#ifndef SWIN_TESTS_MODEL_DIALECT_FIXTURE_H
#define SWIN_TESTS_MODEL_DIALECT_FIXTURE_H

#include "model/layout.h"
#include "model/model.h"
#include "model/safetensors.h"

/** Whose names a file has. */
typedef enum {
  STYLE_HUGGING_FACE,
  STYLE_HUGGING_FACE_NEWEST,
  STYLE_TIMM,
  STYLE_MICROSOFT,
  STYLE_TORCHVISION,
  STYLE_FUSED_BIAS, /* Microsoft's names, and V2's query and value bias in one tensor */
} Style;

/** DialectFile: tensors on their way into a file; change them before fixture_save(). */
typedef struct {
  GArray *tensors;  /* of SwinNamedValues; the values may be written to */
  GPtrArray *owned; /* their names and values */
} DialectFile;

void dialect_file_clear(DialectFile *file);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DialectFile, dialect_file_clear)

/**
 * fixture_config: a small network whose sizes all differ from each other: @family with two or three
 * stages, rectangular input, 5 classes. All dialects cut it into the same windows.
 */
SwinModelConfig fixture_config(SwinFamily family);

/** fixture_tensors: what a file of @model has, buffers included. */
DialectFile fixture_tensors(SwinModel *model, Style style, const gchar *prefix);

/** fixture_find: (transfer none): the tensor of that name in the file; fails the test without one.
 */
SwinNamedValues *fixture_find(DialectFile *file, const gchar *name);

/** fixture_values: (transfer none): those of the tensor of that name, to be changed. */
gfloat *fixture_values(DialectFile *file, const gchar *name);

/** fixture_add: one more tensor, of zeros. Returns: (transfer none): its values. */
gfloat *fixture_add(DialectFile *file, const gchar *name, guint n_dims, const guint64 *shape);

/** fixture_remove: takes a tensor out of the file; fails the test without one. */
void fixture_remove(DialectFile *file, const gchar *name);

/** fixture_save: writes `FOLDER/model.safetensors`. */
void fixture_save(const DialectFile *file, const gchar *folder);

/** fixture_save_config: writes the `FOLDER/config.json` that transformers has for @config. */
void fixture_save_config(const SwinModelConfig *config, const gchar *folder);

/** fixture_load: `FOLDER`, with @options. */
SwinModel *fixture_load(const gchar *folder, const SwinModelOptions *options, GError **error);

/** fixture_same_tensors: fails the test unless both hold the same values of the same shapes. */
void fixture_same_tensors(SwinModel *a, SwinModel *b);

#endif /* SWIN_TESTS_MODEL_DIALECT_FIXTURE_H */
