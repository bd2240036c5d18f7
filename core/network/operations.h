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
  guint patch_size; /* pixels a side */
} SwinPatchPartitionParameters;

/**
 * swin_plan_add_patch_partition: [N, channels, H, W] -> [N, h, w, channels*p*p], each row ordered
 * (channel, y, x) as a convolution's weight is.
 * @cut: whether pixels beyond the last whole patch are left out (h = floor(H/p)) or the picture is
 *   filled up with zeros at the right and bottom (h = ceil(H/p))
 */
gint swin_plan_add_patch_partition(SwinPlan *plan, const gchar *name, gint input, guint patch_size,
                                   gboolean cut);

/* ---- token embedding: prefix tokens and positions ------------------------------------------- */

extern const SwinOperationClass swin_token_embedding_class; /* no parameters */

/* Its weight slots. */
enum { SWIN_TOKEN_EMBEDDING_PREFIX = 0, SWIN_TOKEN_EMBEDDING_POSITIONS = 1 };

/**
 * swin_plan_add_token_embedding: [N, H, W, C] -> [N, 1, P + H*W, C]: prefix tokens put before the
 * map's and positions added; [N, H, W, C] stays a map where there is no prefix.
 * @prefix: (nullable): [P, C]
 * @positions: (nullable): [P + H*W, C], or [H*W, C] where the prefix tokens have no position;
 *   not NULL without a prefix
 */
gint swin_plan_add_token_embedding(SwinPlan *plan, const gchar *name, gint input,
                                   const SwinTensor *prefix, const SwinTensor *positions);

/* ---- linear: a matrix product with what follows it ------------------------------------------ */

extern const SwinOperationClass swin_linear_class;

#define SWIN_LINEAR_MAX_PARTS 3

/** SwinGelu: what is applied before the residual (arXiv:1606.08415). */
typedef enum {
  SWIN_GELU_NONE = 0,  /* numbered as in shaders/parameters.h */
  SWIN_GELU_EXACT = 1, /* x/2 * (1 + erf(x/sqrt 2)) */
  SWIN_GELU_TANH = 2,  /* x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))) */
} SwinGelu;

/** SwinLinearSource: what a row of the product's left side is. */
typedef enum {
  SWIN_LINEAR_ROWS,    /* numbered as in shaders/parameters.h: [..., K]: a row of the input */
  SWIN_LINEAR_MERGING, /* [N, H, W, K/4]: four neighbours, as patch merging gathers them */
  SWIN_LINEAR_PATCHES, /* [N, channels, H, W], float32 in any case: the pixels of a patch, as patch
                          partition orders them; filled up with zeros at the right and bottom */
} SwinLinearSource;

/** SwinLinearParameters: all zero but n_parts is a plain product. */
typedef struct {
  guint n_parts; /* weights stacked on the output channels: 1, or 3 for query, key and value */
  SwinGelu gelu;
  SwinLinearSource source;
  guint patch_size; /* pixels a side; of SWIN_LINEAR_PATCHES */
  gboolean cut;     /* of SWIN_LINEAR_PATCHES: as in swin_plan_add_patch_partition() */
  gboolean normed;  /* LayerNorm over the K values of every row, before the product */
  gdouble epsilon;  /* of the norm */
} SwinLinearParameters;

/* Its weight slots: up to three weights, their biases, and those of the norm. */
enum {
  SWIN_LINEAR_WEIGHT = 0,
  SWIN_LINEAR_BIAS = SWIN_LINEAR_MAX_PARTS,
  SWIN_LINEAR_NORM_WEIGHT = 2 * SWIN_LINEAR_MAX_PARTS,
  SWIN_LINEAR_NORM_BIAS,
};

/**
 * swin_plan_add_linear: [rows, K] -> [..., sum of N]: output = gelu(norm(row) * weight^T + bias) +
 * residual. The output has the input's leading dimensions, of SWIN_LINEAR_MERGING [N, ceil(H/2),
 * ceil(W/2)], of SWIN_LINEAR_PATCHES [N, h, w]. It is float32 where the input is (but of
 * SWIN_LINEAR_PATCHES in the plan's storage), and so are then the packed weights.
 * @parameters: copied
 * @weights: n_parts of [N, K]
 * @biases: (nullable): n_parts of [N], each nullable
 * @norm: (nullable): weight and bias [K] of the norm; not NULL where it is normed
 * @residual: tensor of the output's elements and storage, or SWIN_PLAN_NO_TENSOR
 */
gint swin_plan_add_linear(SwinPlan *plan, const gchar *name, gint input,
                          const SwinLinearParameters *parameters, const SwinTensor *const *weights,
                          const SwinTensor *const *biases, const SwinTensor *const *norm,
                          gint residual);

/* ---- layer norm ----------------------------------------------------------------------------- */

extern const SwinOperationClass swin_layer_norm_class;

typedef struct {
  gdouble epsilon;
} SwinLayerNormParameters;

/**
 * swin_plan_add_layer_norm: [..., C] -> [..., C] over the last dimension, plus @residual.
 * @weight, @bias: [C]
 * @residual: tensor of the input's shape, or SWIN_PLAN_NO_TENSOR
 */
gint swin_plan_add_layer_norm(SwinPlan *plan, const gchar *name, gint input,
                              const SwinTensor *weight, const SwinTensor *bias, gdouble epsilon,
                              gint residual);

/* ---- attention ------------------------------------------------------------------------------ */

extern const SwinOperationClass swin_attention_class;

/* Weight slots: the bias table, then the biases of query, key and value, then the logit scale. */
enum { SWIN_ATTENTION_BIAS_TABLE = 0, SWIN_ATTENTION_QKV_BIAS = 1, SWIN_ATTENTION_LOGIT_SCALE = 4 };

/** SwinAttentionKind: how a query and a key make a score. */
typedef enum {
  SWIN_ATTENTION_SCALED, /* q k^T * head_dim^-0.5 (arXiv:1706.03762) */
  SWIN_ATTENTION_COSINE, /* q k^T of unit vectors * exp(min(logit scale, ln 100)) of the head; the
                            length of a vector counts as at least 1e-12 (Swin Transformer V2,
                            arXiv:2111.09883, equation 2, and its reference code) */
} SwinAttentionKind;

/**
 * SwinAttentionParameters: how tokens are gathered into windows. The map is padded at the right and
 * bottom to multiples of the window (padded tokens are zero before the qkv projection, so their q,
 * k and v are the biases of the projection; they take part as keys), rolled by minus the shift,
 * and cut into windows. Tokens that the roll brought together across an edge belong to different
 * regions, between which the score loses @mask (Swin Transformer, arXiv:2103.14030, figure 4, and
 * its reference code). With a window as large as the map this is attention of all tokens to all.
 */
typedef struct {
  SwinAttentionKind kind;
  guint n_heads;
  guint window_height, window_width; /* tokens */
  guint shift_y, shift_x;            /* tokens; 0 where windows do not shift */
  gfloat mask;                       /* 0 where windows do not shift */
  gboolean roll_before_padding;      /* the map is rolled, then padded, as timm does; regions are
                                        those of the padded map all the same; shifts are less than
                                        the map */
  guint table_height, table_width;   /* window of the relative position bias table, which has
                                        (2*table_height-1) * (2*table_width-1) rows; at least the
                                        window's; 0 without a table */
} SwinAttentionParameters;

/**
 * swin_plan_add_attention: [N, H, W, 3C] (q, k, v) -> [N, H, W, C], softmax(score + bias + mask) v
 * within each window and head.
 * @parameters: copied
 * @bias_table: (nullable): [(2*table_height-1) * (2*table_width-1), heads]
 * @qkv_bias: (nullable): 3 tensors of [C], each nullable: biases that padded tokens have
 * @logit_scale: (nullable): [heads]; with SWIN_ATTENTION_COSINE
 */
gint swin_plan_add_attention(SwinPlan *plan, const gchar *name, gint input,
                             const SwinAttentionParameters *parameters,
                             const SwinTensor *bias_table, const SwinTensor *const *qkv_bias,
                             const SwinTensor *logit_scale);

/* ---- patch merging: gather and norm --------------------------------------------------------- */

extern const SwinOperationClass swin_patch_merging_class; /* its parameters: a layer norm's */

/**
 * swin_plan_add_patch_merging: [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), 4C]: neighbours
 * concatenated in the order (0,0), (1,0), (0,1), (1,1) as (row, column), zeros beyond the edge,
 * then LayerNorm over 4C. The reduction that follows is a linear operation.
 * @weight, @bias: (nullable): [4C]; NULL leaves the norm out, as Swin V2 does
 */
gint swin_plan_add_patch_merging(SwinPlan *plan, const gchar *name, gint input,
                                 const SwinTensor *weight, const SwinTensor *bias, gdouble epsilon);

/* ---- mean pool ------------------------------------------------------------------------------ */

extern const SwinOperationClass swin_mean_pool_class;

typedef struct {
  guint first;     /* token */
  guint n_tokens;  /* at least 1 */
  gboolean normed; /* LayerNorm of every token before the mean */
  gdouble epsilon; /* of the norm */
} SwinMeanPoolParameters;

/**
 * swin_plan_add_mean_pool: [N, H, W, C] -> [N, C] float32: the mean over the tokens @first to
 * @first
 * + @n_tokens - 1, counted through the map; @n_tokens 0: all from @first on.
 * @norm: (nullable): weight and bias [C] of a LayerNorm of every token before the mean
 * @epsilon: of the norm
 */
gint swin_plan_add_mean_pool(SwinPlan *plan, const gchar *name, gint input, guint first,
                             guint n_tokens, const SwinTensor *const *norm, gdouble epsilon);

/* ---- top k ---------------------------------------------------------------------------------- */

extern const SwinOperationClass swin_top_k_class;

#define SWIN_TOP_K_MAX 64

typedef struct {
  guint k;
  SwinActivation activation; /* softmax or sigmoid */
} SwinTopKParameters;

/**
 * swin_plan_add_top_k: [N, classes] logits -> [N, k, 2] words: class index (uint32), then softmax
 * probability or sigmoid (float32 bits), best first; of equal logits the lower index first. k is 1
 * to the smaller of SWIN_TOP_K_MAX and classes. Infinities count as +-FLT_MAX / 2; NaN ranks with
 * minus infinity and has probability 0.
 */
gint swin_plan_add_top_k(SwinPlan *plan, const gchar *name, gint input, guint k,
                         SwinActivation activation);

#endif /* SWIN_NETWORK_OPERATIONS_H */
