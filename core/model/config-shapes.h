// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * config-shapes.h: what the names and shapes of the tensors tell about a network.
 */
#ifndef SWIN_MODEL_CONFIG_SHAPES_H
#define SWIN_MODEL_CONFIG_SHAPES_H

#include "model/config.h"
#include "model/dialect.h"

/** swin_config_has: whether the file has the tensor of that role, in stage 0 and block 0 where the
 * role has such. */
gboolean swin_config_has(const SwinDialectMatch *match, SwinTensorRole role);

/** swin_config_set_source: dialect and edge rules, and the epsilons that the publisher's code has
 * where no config says another. */
void swin_config_set_source(const SwinDialectMatch *match, SwinModelConfig *config);

/**
 * swin_config_read_shapes: sets all of @config: the source, channels, patches, stages and depths,
 * Swin's heads, MLP, biases and norms, a ViT's tokens, and classes (0 without a head) by the
 * tensors; image, windows and a ViT's heads by the defaults of the family.
 *
 * Returns: FALSE with %SWIN_ERROR_CONFIG and a sentence that names a tensor.
 */
gboolean swin_config_read_shapes(const SwinDialectMatch *match, SwinModelConfig *config,
                                 GError **error);

/**
 * swin_config_read_tokens: a ViT's prefix tokens, LayerScale, pooling and the place of its last
 * norm.
 * @config: embed_dim, patch_size, image and n_classes are set
 */
gboolean swin_config_read_tokens(const SwinDialectMatch *match, SwinModelConfig *config,
                                 GError **error);

/**
 * swin_config_position_rows: rows of the position embedding, 0 where there is none.
 * @embed_dim: channels of a row
 */
gboolean swin_config_position_rows(const SwinDialectMatch *match, guint embed_dim, guint64 *n_rows,
                                   GError **error);

/** swin_config_read_table_windows: the windows of all stages, where config->n_stages is set:
 * square, as the V1 bias tables have them. */
gboolean swin_config_read_table_windows(const SwinDialectMatch *match, SwinModelConfig *config,
                                        GError **error);

/** swin_config_square_root: of a perfect square up to 2^32; 0 for other numbers. */
guint swin_config_square_root(guint64 number);

#endif /* SWIN_MODEL_CONFIG_SHAPES_H */
