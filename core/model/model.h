// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * model.h: an immutable model: config, labels and named tensors. Knows no Vulkan.
 *
 * Tensors go by canonical names, whatever dialect the file speaks (C = channels of the stage):
 *
 *   patch_embedding.projection.weight [embed_dim, n_channels, patch, patch]  .bias [embed_dim]
 *   patch_embedding.norm.weight, .bias [embed_dim]                    (with patch_norm)
 *   position_embedding [prefix rows + tokens, embed_dim]              (with position_embedding)
 *   prefix_tokens [n_prefix_tokens, embed_dim]                        (ViT)
 *   stages.I.blocks.J.norm1.weight, .bias [C]
 *   stages.I.blocks.J.attention.{query,key,value}.weight [C, C]  .bias [C]
 *                                      (bias with qkv_bias; Swin V2 has none for the key)
 *   stages.I.blocks.J.attention.relative_position_bias_table          (Swin)
 *                [(2*table_height-1) * (2*table_width-1), heads]      as SwinWindows of the block
 *   stages.I.blocks.J.attention.logit_scale [heads]                   (V2; natural logarithms)
 *   stages.I.blocks.J.attention.position_bias_mlp.0.weight [hidden, 2]  .0.bias [hidden]
 *   stages.I.blocks.J.attention.position_bias_mlp.2.weight [heads, hidden]      (V2)
 *   stages.I.blocks.J.attention.projection.weight [C, C]  .bias [C]
 *   stages.I.blocks.J.norm2.weight, .bias [C]
 *   stages.I.blocks.J.mlp.fc1.weight [hidden, C]  .bias [hidden]
 *   stages.I.blocks.J.mlp.fc2.weight [C, hidden]  .bias [C]
 *   stages.I.merging.norm.weight, .bias [4C; V2: 2C]     stages.I.merging.reduction.weight [2C, 4C]
 *                                                        (after every stage but the last)
 *   norm.weight, .bias [C of the last stage]
 *   head.weight [n_classes, C of the last stage]  .bias [n_classes]        (with n_classes)
 *   distillation_head.weight, .bias                      (with distillation_head and n_classes)
 *
 * With a distillation head both heads hold half of what is in the file, so that the sum of their
 * outputs is the mean that the network has for its logits.
 *
 * What a network with LayerScale multiplies the outputs of projection and fc2 by is in the weights
 * and biases of these.
 *
 * All but the V2 bias tables are in the file (tables and position embeddings perhaps for another
 * window or image size); those that had to be computed are float32 and belong to the model.
 *
 * The order of the four groups in a merging's 4C is (row 0, column 0), (1, 0), (0, 1), (1, 1).
 */
#ifndef SWIN_MODEL_MODEL_H
#define SWIN_MODEL_MODEL_H

#include "swin.h"
#include "model/config.h"
#include "model/preprocessing.h"
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

/** swin_model_drop_pages: to be called when the tensors have been read, and perhaps never will be
 * again: they leave memory as far as they are in a file. Any thread. */
void swin_model_drop_pages(SwinModel *model);

/**
 * swin_model_new_from_config: a model with random weights. @config is copied. Every parameter is
 * drawn, with a spread that keeps activations near 1; labels are "LABEL_<index>".
 *
 * Returns: (transfer full): the model, or NULL when there is not enough memory for its weights.
 */
SwinModel *swin_model_new_from_config(const gchar *name, const SwinModelConfig *config,
                                      guint32 seed);

#endif /* SWIN_MODEL_MODEL_H */
