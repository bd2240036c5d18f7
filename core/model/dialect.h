// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * dialect.h: the names that publishers give to the tensors of a network.
 */
#ifndef SWIN_MODEL_DIALECT_H
#define SWIN_MODEL_DIALECT_H

#include "model/config.h"
#include "model/layout.h"
#include "model/safetensors.h"

/** SwinDialectMatch: whose file it is, told by its names alone. */
typedef struct {
  SwinSafetensors *file; /* not owned */
  SwinFamily family;
  SwinDialect dialect;
  const gchar *prefix; /* static: before every name, such as "model."; Hugging Face's "swin." and
                          its like not before the heads' */
} SwinDialectMatch;

/**
 * swin_dialect_detect: which family and dialect @file is of.
 *
 * Returns: FALSE with %SWIN_ERROR_MODEL when its names are of none that is known.
 */
gboolean swin_dialect_detect(SwinSafetensors *file, SwinDialectMatch *match, GError **error);

/**
 * swin_dialect_find: the tensor of a role in a file, whatever its shape.
 * @whole: (out): all of it: where the dialect fuses query, key and value, the fused tensor
 *
 * Returns: (transfer full): its name in the file, or NULL where the file has none that can be read.
 */
gchar *swin_dialect_find(const SwinDialectMatch *match, SwinTensorRole role, guint stage,
                         guint block, SwinTensor *whole);

/**
 * swin_dialect_map: finds every tensor of @layout in the file. Buffers that are computed anew and
 * what only training reads are passed over.
 * @layout: from swin_layout_new()
 * @resizable: tensors that grow with the window or the image (bias tables, position embeddings) may
 *   have another shape than the layout says; those are handed out as they are
 * @tensors: (out caller-allocated): as many views as @layout has slots, in the same order, with the
 *   slots' number of dimensions (files have some more that are 1). V2's position bias MLP may have
 *   another width than the layout says
 *
 * Returns: FALSE with %SWIN_ERROR_MODEL when a tensor cannot be read, and with %SWIN_ERROR_CONFIG
 *   when the file holds tensors of other shapes, less or more of them than the config calls for.
 */
gboolean swin_dialect_map(const SwinDialectMatch *match, const GPtrArray *layout,
                          gboolean resizable, SwinTensor *tensors, GError **error);

/**
 * swin_dialect_hugging_face_name: the classic name that transformers gives to @slot, with the
 * prefix "swin.", "swinv2." or "vit." (a DeiT has "deit." in its place).
 *
 * Returns: (transfer full): or NULL where transformers has no such tensor.
 */
gchar *swin_dialect_hugging_face_name(SwinFamily family, const SwinTensorSlot *slot);

#endif /* SWIN_MODEL_DIALECT_H */
