// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * model.h: an immutable model: config, labels and named tensors. Knows no Vulkan.
 *
 * Tensors go by canonical names, whatever dialect the file speaks (C = channels of the stage):
 *
 *   patch_embedding.projection.weight [embed_dim, n_channels, patch, patch]  .bias [embed_dim]
 *   patch_embedding.norm.weight, .bias [embed_dim]                    (with patch_norm)
 *   stages.I.blocks.J.norm1.weight, .bias [C]
 *   stages.I.blocks.J.attention.{query,key,value}.weight [C, C]  .bias [C]   (bias with qkv_bias)
 *   stages.I.blocks.J.attention.relative_position_bias_table [(2*window-1)^2, heads]
 *   stages.I.blocks.J.attention.projection.weight [C, C]  .bias [C]
 *   stages.I.blocks.J.norm2.weight, .bias [C]
 *   stages.I.blocks.J.mlp.fc1.weight [hidden, C]  .bias [hidden]
 *   stages.I.blocks.J.mlp.fc2.weight [C, hidden]  .bias [C]
 *   stages.I.merging.norm.weight, .bias [4C]     stages.I.merging.reduction.weight [2C, 4C]
 *                                                        (after every stage but the last)
 *   norm.weight, .bias [C of the last stage]
 *   head.weight [n_classes, C of the last stage]  .bias [n_classes]
 *
 * The order of the four groups in a merging's 4C is (row 0, column 0), (1, 0), (0, 1), (1, 1).
 */
#ifndef SWIN_MODEL_MODEL_H
#define SWIN_MODEL_MODEL_H

#include "swin.h"
#include "model/config.h"
#include "model/tensor.h"

/** swin_model_get_config: (transfer none): valid as long as @model. */
const SwinModelConfig *swin_model_get_config(SwinModel *model);

/** swin_model_get_preprocessing: (transfer none): valid as long as @model. */
const SwinPreprocessing *swin_model_get_preprocessing(SwinModel *model);

/**
 * swin_model_get_tensor: (transfer none): the tensor of that canonical name, or NULL where the
 * config has none of it. Presence and shapes were checked against the config when the model was
 * loaded, so a tensor that the config calls for is there and has the shape given above.
 */
const SwinTensor *swin_model_get_tensor(SwinModel *model, const gchar *name);

/**
 * swin_model_new_from_config: a model with random weights. @config is copied. Every parameter is
 * drawn, with a spread that keeps activations near 1; labels are "LABEL_<index>".
 *
 * Returns: (transfer full): the model, or NULL when there is not enough memory for its weights.
 */
SwinModel *swin_model_new_from_config(const gchar *name, const SwinModelConfig *config,
                                      guint32 seed);

#endif /* SWIN_MODEL_MODEL_H */
