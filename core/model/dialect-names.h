// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * dialect-names.h: the tables behind dialect.h.
 */
#ifndef SWIN_MODEL_DIALECT_NAMES_H
#define SWIN_MODEL_DIALECT_NAMES_H

#include "model/config.h"
#include "model/layout.h"

/** SwinTensorName: where a tensor may be. */
typedef struct {
  const gchar *pattern; /* see swin_layout_expand(); NULL: nowhere. A leading '/' says that the name
                           never has the prefix of the file */
  gint part; /* which third of the tensor of that name: query, key, value; -1: all of it */
} SwinTensorName;

#define SWIN_TENSOR_MAX_NAMES 2

/**
 * swin_dialect_get_names: the %SWIN_TENSOR_MAX_NAMES places of a tensor, in the order in which they
 * are tried; the first is the one that messages speak of.
 */
const SwinTensorName *swin_dialect_get_names(SwinFamily family, SwinDialect dialect,
                                             SwinTensorRole role);

/**
 * swin_dialect_get_prefixes: what the names of a dialect may begin with, NULL-terminated; "" is
 * among them.
 */
const gchar *const *swin_dialect_get_prefixes(SwinFamily family, SwinDialect dialect);

/**
 * swin_dialect_get_stems: what the names in the first block of a network begin with, behind the
 * prefix: by these a dialect is told. NULL-terminated; NULL where the family has no such dialect.
 */
const gchar *const *swin_dialect_get_stems(SwinFamily family, SwinDialect dialect);

/** swin_dialect_is_ignored: a buffer that is computed anew, or what only training reads. */
gboolean swin_dialect_is_ignored(SwinFamily family, SwinDialect dialect, const gchar *prefix,
                                 const gchar *name);

/**
 * swin_dialect_find_foreign: what a tensor of that name tells of a network that is none of ours, to
 * follow "holds ", or NULL.
 */
const gchar *swin_dialect_find_foreign(const gchar *name);

#endif /* SWIN_MODEL_DIALECT_NAMES_H */
