// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * layout.h: the tensors that a config calls for, in the order of the computation, under the
 * canonical names of model.h.
 */
#ifndef SWIN_MODEL_LAYOUT_H
#define SWIN_MODEL_LAYOUT_H

#include "model/config.h"
#include "model/tensor.h"

/** SwinTensorRole: what a tensor is for; of most there is one in every stage or block. */
typedef enum {
  SWIN_ROLE_PATCH_WEIGHT,
  SWIN_ROLE_PATCH_BIAS,
  SWIN_ROLE_PATCH_NORM_WEIGHT,
  SWIN_ROLE_PATCH_NORM_BIAS,
  SWIN_ROLE_POSITION_EMBEDDING,
  SWIN_ROLE_CLASS_TOKEN, /* the prefix tokens: one tensor each in files */
  SWIN_ROLE_DISTILLATION_TOKEN,
  SWIN_ROLE_REGISTER_TOKENS,
  SWIN_ROLE_NORM1_WEIGHT,
  SWIN_ROLE_NORM1_BIAS,
  SWIN_ROLE_QUERY_WEIGHT,
  SWIN_ROLE_QUERY_BIAS,
  SWIN_ROLE_KEY_WEIGHT,
  SWIN_ROLE_KEY_BIAS,
  SWIN_ROLE_VALUE_WEIGHT,
  SWIN_ROLE_VALUE_BIAS,
  SWIN_ROLE_BIAS_TABLE,  /* V1 */
  SWIN_ROLE_LOGIT_SCALE, /* V2, and the position bias MLP */
  SWIN_ROLE_BIAS_MLP1_WEIGHT,
  SWIN_ROLE_BIAS_MLP1_BIAS,
  SWIN_ROLE_BIAS_MLP2_WEIGHT,
  SWIN_ROLE_PROJECTION_WEIGHT,
  SWIN_ROLE_PROJECTION_BIAS,
  SWIN_ROLE_LAYER_SCALE1, /* factors of the channels that projection and fc2 make */
  SWIN_ROLE_NORM2_WEIGHT,
  SWIN_ROLE_NORM2_BIAS,
  SWIN_ROLE_FC1_WEIGHT,
  SWIN_ROLE_FC1_BIAS,
  SWIN_ROLE_FC2_WEIGHT,
  SWIN_ROLE_FC2_BIAS,
  SWIN_ROLE_LAYER_SCALE2,
  SWIN_ROLE_MERGING_NORM_WEIGHT,
  SWIN_ROLE_MERGING_NORM_BIAS,
  SWIN_ROLE_REDUCTION_WEIGHT,
  SWIN_ROLE_NORM_WEIGHT,
  SWIN_ROLE_NORM_BIAS,
  SWIN_ROLE_HEAD_WEIGHT,
  SWIN_ROLE_HEAD_BIAS,
  SWIN_ROLE_DISTILLATION_HEAD_WEIGHT,
  SWIN_ROLE_DISTILLATION_HEAD_BIAS,
  SWIN_N_ROLES,
} SwinTensorRole;

/** swin_role_is_prefix_token: whether tensors of that role become rows of "prefix_tokens". */
gboolean swin_role_is_prefix_token(SwinTensorRole role);

/** How a parameter is drawn at random. */
typedef enum {
  SWIN_PARAMETER_LINEAR, /* products with inputs: all dimensions but the first */
  SWIN_PARAMETER_NORM,   /* a factor near 1 */
  SWIN_PARAMETER_BIAS,   /* an addend near 0 */
  SWIN_PARAMETER_SCALE,  /* V2's logit scale: around ln 10, some of them above its clamp, ln 100 */
} SwinParameterKind;

/** Hidden width of V2's position bias MLP in every published network. A file may have another:
 * these three tensors are the only ones whose shape is not up to the config. */
#define SWIN_BIAS_MLP_HIDDEN 512

/** SwinTensorSlot: one tensor that the network needs. */
typedef struct {
  SwinTensorRole role;
  SwinParameterKind kind;
  guint stage, block; /* 0 where the role has none */
  gchar *name;        /* canonical; owned */
  guint n_dims;
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
  guint64 n_elements;
} SwinTensorSlot;

/**
 * swin_layout_new: every tensor that a file of the network holds. Prefix tokens are "class_token",
 * "distillation_token" and "register_tokens" here, which the model joins.
 * @config: checked by swin_model_config_check()
 *
 * Returns: (transfer full) (element-type SwinTensorSlot): frees its elements.
 */
GPtrArray *swin_layout_new(const SwinModelConfig *config);

/**
 * swin_layout_expand: @pattern with the numbers filled in: "{i}" becomes @stage, "{j}" @block,
 * "{i+1}", "{2i+1}" and "{2i+2}" what they say.
 *
 * Returns: (transfer full)
 */
gchar *swin_layout_expand(const gchar *pattern, guint stage, guint block);

/** swin_shape_to_string: (transfer full): such as "[96, 3, 4, 4]". */
gchar *swin_shape_to_string(const guint64 *shape, guint n_dims);

#endif /* SWIN_MODEL_LAYOUT_H */
