// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * operations.h: the operations that plans are made of, one file each.
 *
 * Every constructor appends one step, checks the shapes of what it is given (a mismatch is a
 * programming error: g_assert), and returns the number of the tensor it writes. Parameter structs
 * are public to the scalar twins in tests/reference, which compute the same from the same plan.
 */
#ifndef SWIN_NETWORK_OPERATIONS_H
#define SWIN_NETWORK_OPERATIONS_H

#include "network/plan.h"

/* Weight slots of the operations with a weight and a bias. */
enum { SWIN_WEIGHT = 0, SWIN_BIAS = 1 };

/* ---- patch partition: pixels to rows of patches --------------------------------------------- */

extern const SwinOperationClass swin_patch_partition_class;

typedef struct {
  guint patch_size;
} SwinPatchPartitionParameters;

/**
 * swin_plan_add_patch_partition: [N, channels, H, W] -> [N, ceil(H/p), ceil(W/p),
 * channels*p*p], each row ordered (channel, y, x) as a convolution's weight is. Pixels beyond the
 * right and bottom edge are zero.
 */
gint swin_plan_add_patch_partition(SwinPlan *plan, const gchar *name, gint input, guint patch_size);

/* ---- linear: a matrix product with what follows it ------------------------------------------ */

extern const SwinOperationClass swin_linear_class;

#define SWIN_LINEAR_MAX_PARTS 3

typedef struct {
  guint n_parts; /* weights stacked on the output channels: 1, or 3 for query, key and value */
  gboolean gelu; /* exact GELU, x/2 * (1 + erf(x/sqrt 2)), before the residual */
} SwinLinearParameters;

/**
 * swin_plan_add_linear: [..., K] -> [..., sum of N]: output = gelu(input * weight^T + bias) +
 * residual.
 * @n_parts: how many weights are stacked
 * @weights: @n_parts tensors of [N, K] (more trailing dimensions count as K); slots 0 to 2
 * @biases: (nullable): @n_parts tensors of [N], each nullable (zeros); slots 3 to 5
 * @gelu: apply GELU
 * @residual: tensor of the output's shape, or SWIN_PLAN_NO_TENSOR
 */
gint swin_plan_add_linear(SwinPlan *plan, const gchar *name, gint input, guint n_parts,
                          const SwinTensor *const *weights, const SwinTensor *const *biases,
                          gboolean gelu, gint residual);

/* ---- layer norm ----------------------------------------------------------------------------- */

extern const SwinOperationClass swin_layer_norm_class;

typedef struct {
  gdouble epsilon;
} SwinLayerNormParameters;

/** swin_plan_add_layer_norm: [..., C] -> [..., C] over the last dimension; weight, bias [C]. */
gint swin_plan_add_layer_norm(SwinPlan *plan, const gchar *name, gint input,
                              const SwinTensor *weight, const SwinTensor *bias, gdouble epsilon);

/* ---- attention ------------------------------------------------------------------------------ */

extern const SwinOperationClass swin_attention_class;

/* Weight slots: the bias table, then the biases of query, key and value. */
enum { SWIN_ATTENTION_BIAS_TABLE = 0, SWIN_ATTENTION_QKV_BIAS = 1 };

/**
 * SwinAttentionParameters: how tokens are gathered into windows. The map is padded at the right and
 * bottom to multiples of the window (padded tokens are zero before the qkv projection, so their q,
 * k and v are the biases of the projection; they take part as keys), rolled by minus the shift,
 * and cut into windows. Tokens that the roll brought together across an edge belong to different
 * regions; between regions the score gets -100 (Swin Transformer, arXiv:2103.14030, figure 4, and
 * its reference code).
 */
typedef struct {
  guint n_heads;
  guint window_height, window_width; /* tokens */
  guint shift_y, shift_x;            /* tokens; 0 where windows do not shift */
  guint table_window; /* window of the relative position bias table: it has (2*table_window-1)^2
                         rows; at least the window's height and width */
  gfloat scale;       /* of the scores: head_dim^-0.5 */
} SwinAttentionParameters;

/**
 * swin_plan_add_attention: [N, H, W, 3C] (q, k, v) -> [N, H, W, C], softmax(q k^T * scale + bias +
 * mask) v within each window and head.
 * @parameters: copied
 * @bias_table: (nullable): [(2*table_window-1)^2, heads]
 * @qkv_bias: (nullable): 3 tensors of [C], each nullable: biases that padded tokens have
 */
gint swin_plan_add_attention(SwinPlan *plan, const gchar *name, gint input,
                             const SwinAttentionParameters *parameters,
                             const SwinTensor *bias_table, const SwinTensor *const *qkv_bias);

/* ---- patch merging: gather and norm --------------------------------------------------------- */

extern const SwinOperationClass swin_patch_merging_class; /* its parameters: a layer norm's */

/**
 * swin_plan_add_patch_merging: [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), 4C]: neighbours
 * concatenated in the order (0,0), (1,0), (0,1), (1,1) as (row, column), zeros beyond the edge,
 * then LayerNorm over 4C. The reduction that follows is a linear operation.
 */
gint swin_plan_add_patch_merging(SwinPlan *plan, const gchar *name, gint input,
                                 const SwinTensor *weight, const SwinTensor *bias, gdouble epsilon);

/* ---- mean pool ------------------------------------------------------------------------------ */

extern const SwinOperationClass swin_mean_pool_class;

/** swin_plan_add_mean_pool: [N, H, W, C] -> [N, C]: the mean over all tokens. */
gint swin_plan_add_mean_pool(SwinPlan *plan, const gchar *name, gint input);

/* ---- top k ---------------------------------------------------------------------------------- */

extern const SwinOperationClass swin_top_k_class;

#define SWIN_TOP_K_MAX 64

typedef struct {
  guint k;
} SwinTopKParameters;

/**
 * swin_plan_add_top_k: [N, classes] logits -> [N, k, 2] words: class index (uint32), then softmax
 * probability (float32 bits), best first; of equal logits the lower index first. k is 1 to the
 * smaller of SWIN_TOP_K_MAX and classes. Infinities count as +-FLT_MAX / 2; NaN ranks with minus
 * infinity and has probability 0.
 */
gint swin_plan_add_top_k(SwinPlan *plan, const gchar *name, gint input, guint k);

#endif /* SWIN_NETWORK_OPERATIONS_H */
