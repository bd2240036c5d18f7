// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * dialect.h: the names that publishers give to the tensors of a Swin network.
 */
#ifndef SWIN_MODEL_DIALECT_H
#define SWIN_MODEL_DIALECT_H

#include "model/config.h"
#include "model/layout.h"
#include "model/safetensors.h"

/**
 * swin_dialect_map: finds every tensor of @layout in @file, told by the names in the file to be
 * of Hugging Face's or torchvision's making.
 * @config: edge_rules are set to the dialect's
 * @layout: from swin_layout_new() of the same config
 * @tensors: (out caller-allocated): as many views as @layout has slots, in the same order
 *
 * Returns: FALSE with %SWIN_ERROR_MODEL when the names are of neither or a tensor cannot be read,
 *   and with %SWIN_ERROR_CONFIG when the file holds tensors of other shapes, less or more of them
 *   than the config calls for.
 */
gboolean swin_dialect_map(SwinSafetensors *file, SwinModelConfig *config, const GPtrArray *layout,
                          SwinTensor *tensors, GError **error);

#endif /* SWIN_MODEL_DIALECT_H */
