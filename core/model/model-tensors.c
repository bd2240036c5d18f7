// SPDX-License-Identifier: LGPL-2.1-or-later
#include <math.h>
#include <string.h>

#include "model/derive.h"
#include "model/layout.h"
#include "model/model-private.h"
#include "model/parallel.h"
#include "model/quote.h"

/* What the functions below share. */
typedef struct {
  SwinModel *model;
  const SwinModelConfig *own;
  const GPtrArray *layout;
  const SwinTensor *tensors;
} Making;

static const SwinTensorSlot *get_slot(const Making *making, guint index) {
  return g_ptr_array_index(making->layout, index);
}

static void add_tensor(SwinModel *model, const gchar *name, const SwinTensor *tensor) {
  SwinTensor *copy = g_new(SwinTensor, 1);
  *copy = *tensor;
  g_hash_table_insert(model->tensors, g_strdup(name), copy);
}

/* A view of values that were computed here. */
static SwinTensor make_tensor(gfloat *values, guint64 n_rows, guint64 n_columns) {
  const guint64 n_elements = n_rows * n_columns;
#if G_BYTE_ORDER != G_LITTLE_ENDIAN
  for (guint64 i = 0; i < n_elements; i++) {
    guint32 word;
    memcpy(&word, &values[i], sizeof word);
    word = GUINT32_TO_LE(word);
    memcpy(&values[i], &word, sizeof word);
  }
#endif
  return (SwinTensor){.dtype = SWIN_DTYPE_F32,
                      .n_dims = 2,
                      .shape = {n_rows, n_columns},
                      .n_elements = n_elements,
                      .data = (const guint8 *)values};
}

/* ---- Resized -------------------------------------------------------------------------------- */

/* A tensor of one row for every position on a map, perhaps after some rows that are no positions.
 */
typedef struct {
  guint64 n_others;
  guint old_height, old_width;
  guint new_height, new_width;
  SwinCubic cubic;
} Resizing;

/* The map that the tensor is for is the one of the model's own config. Where that does not fit (it
 * may have been inferred without knowing the image size), it is taken to be square. */
static gboolean find_old_map(const SwinTensorSlot *slot, const SwinTensor *tensor,
                             Resizing *resizing, GError **error) {
  const guint64 n_rows = tensor->shape[0];
  const guint64 n_positions = n_rows - MIN(n_rows, resizing->n_others);
  if (n_positions > 0 && (guint64)resizing->old_height * resizing->old_width == n_positions) {
    return TRUE;
  }
  const guint64 side = (guint64)sqrt((gdouble)n_positions);
  if (n_positions > 0 && side * side == n_positions && side <= G_MAXINT) {
    resizing->old_height = resizing->old_width = (guint)side;
    return TRUE;
  }
  g_autofree gchar *name = swin_quote(slot->name);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "The tensor %s has %" G_GUINT64_FORMAT " positions, which make no square map: it "
              "cannot be resized to %u x %u.",
              name, n_positions, resizing->new_width, resizing->new_height);
  return FALSE;
}

static gboolean resize(const Making *making, const SwinTensorSlot *slot, SwinTensor *tensor,
                       Resizing *resizing, GError **error) {
  if (!find_old_map(slot, tensor, resizing, error)) {
    return FALSE;
  }
  if (resizing->old_height == resizing->new_height && resizing->old_width == resizing->new_width) {
    return TRUE;
  }
  const guint64 n_columns = slot->shape[1], n_others = resizing->n_others * n_columns;
  g_autofree gfloat *old = swin_model_allocate_for_now(making->model, tensor->n_elements, error);
  gfloat *new = old != NULL ? swin_model_allocate(making->model, slot->n_elements, error) : NULL;
  if (new == NULL) {
    return FALSE;
  }
  swin_tensor_read(tensor, 0, tensor->n_elements, old);
  memcpy(new, old, n_others * sizeof *new);
  swin_derive_resized(old + n_others, resizing->old_height, resizing->old_width,
                      resizing->new_height, resizing->new_width, (guint)n_columns, resizing->cubic,
                      new + n_others);
  *tensor = make_tensor(new, slot->shape[0], n_columns);
  return TRUE;
}

/* A V1 table, as Microsoft's load_pretrained() (utils.py) resizes it. */
static gboolean resize_table(const Making *making, const SwinTensorSlot *slot, SwinTensor *tensor,
                             GError **error) {
  SwinWindows old, new;
  swin_model_config_windows(making->own, slot->stage, slot->block, &old);
  swin_model_config_windows(&making->model->config, slot->stage, slot->block, &new);
  Resizing resizing = {.old_height = 2 * old.table_height - 1,
                       .old_width = 2 * old.table_width - 1,
                       .new_height = 2 * new.table_height - 1,
                       .new_width = 2 * new.table_width - 1,
                       .cubic = SWIN_CUBIC_PLAIN};
  return resize(making, slot, tensor, &resizing, error);
}

/* timm resizes with antialiasing (resample_abs_pos_embed), transformers (interpolate_pos_encoding)
 * and Microsoft (load_pretrained) without. */
static gboolean resize_positions(const Making *making, const SwinTensorSlot *slot,
                                 SwinTensor *tensor, GError **error) {
  const SwinModelConfig *config = &making->model->config;
  Resizing resizing = {.n_others = config->prefix_positions ? config->n_prefix_tokens : 0,
                       .cubic = config->dialect == SWIN_DIALECT_TIMM ? SWIN_CUBIC_ANTIALIASED
                                                                     : SWIN_CUBIC_PLAIN};
  swin_model_config_map(making->own, 0, &resizing.old_height, &resizing.old_width);
  swin_model_config_map(config, 0, &resizing.new_height, &resizing.new_width);
  return resize(making, slot, tensor, &resizing, error);
}

/* ---- Scaled rows ---------------------------------------------------------------------------- */

/* @factors: one for each row */
static gboolean scale_rows(const Making *making, const gfloat *factors, SwinTensor *tensor,
                           GError **error) {
  gfloat *values = swin_model_allocate(making->model, tensor->n_elements, error);
  if (values == NULL) {
    return FALSE;
  }
  const guint64 n_rows = tensor->shape[0], n_columns = tensor->n_elements / n_rows;
  swin_tensor_read(tensor, 0, tensor->n_elements, values);
  for (guint64 row = 0; row < n_rows; row++) {
    for (guint64 column = 0; column < n_columns; column++) {
      values[row * n_columns + column] *= factors[row];
    }
  }
  const guint n_dims = tensor->n_dims;
  *tensor = make_tensor(values, n_rows, n_columns);
  tensor->n_dims = n_dims;
  return TRUE;
}

/* The heads of a distilled network: half of each, so that their sum is the mean. Exact. */
static gboolean halve(const Making *making, SwinTensor *tensor, GError **error) {
  g_autofree gfloat *factors = g_new(gfloat, tensor->shape[0]);
  for (guint64 row = 0; row < tensor->shape[0]; row++) {
    factors[row] = 0.5f;
  }
  return scale_rows(making, factors, tensor, error);
}

/* What scales the output of a layer may as well scale its weights (timm's LayerScale).
 * @scale: index of the factors */
static gboolean fold_scale(const Making *making, guint scale, SwinTensor *tensor, GError **error) {
  const SwinTensor *factors = &making->tensors[scale];
  g_autofree gfloat *values = g_new(gfloat, factors->n_elements);
  swin_tensor_read(factors, 0, factors->n_elements, values);
  return scale_rows(making, values, tensor, error);
}

/* ---- Prefix tokens -------------------------------------------------------------------------- */

/* In the order of the layout, which is that of the tokens. */
static gboolean join_prefix_tokens(const Making *making, GError **error) {
  SwinModel *model = making->model;
  const guint64 n_tokens = model->config.n_prefix_tokens, n_channels = model->config.embed_dim;
  if (model->config.family != SWIN_FAMILY_VIT || n_tokens == 0) {
    return TRUE;
  }
  gfloat *values = swin_model_allocate(model, n_tokens * n_channels, error);
  if (values == NULL) {
    return FALSE;
  }
  gfloat *next = values;
  for (guint i = 0; i < making->layout->len; i++) {
    if (swin_role_is_prefix_token(get_slot(making, i)->role)) {
      swin_tensor_read(&making->tensors[i], 0, making->tensors[i].n_elements, next);
      next += making->tensors[i].n_elements;
    }
  }
  const SwinTensor joined = make_tensor(values, n_tokens, n_channels);
  add_tensor(model, "prefix_tokens", &joined);
  return TRUE;
}

/* ---- Position bias of V2 -------------------------------------------------------------------- */

/* One block's. */
typedef struct {
  const SwinTensorSlot *slot; /* of the logit scale */
  SwinWindows windows;
  guint pretrained_window;
  const SwinTensor *mlp; /* three of them */
  gfloat *table;
} Bias;

static void compute_bias(guint index, gpointer data) {
  const Bias *bias = &g_array_index((GArray *)data, Bias, index);
  swin_derive_position_bias(bias->windows.table_height, bias->windows.table_width,
                            bias->pretrained_window, &bias->mlp[0], &bias->mlp[1], &bias->mlp[2],
                            bias->table);
}

static guint64 count_rows(const Bias *bias) {
  return (2 * (guint64)bias->windows.table_height - 1) *
         (2 * (guint64)bias->windows.table_width - 1);
}

static gboolean add_biases(const Making *making, GError **error) {
  SwinModel *model = making->model;
  g_autoptr(GArray) biases = g_array_new(FALSE, TRUE, sizeof(Bias));
  for (guint i = 0; i < making->layout->len; i++) {
    const SwinTensorSlot *slot = get_slot(making, i);
    if (slot->role != SWIN_ROLE_LOGIT_SCALE) {
      continue;
    }
    Bias bias = {.slot = slot,
                 .pretrained_window = model->config.pretrained_window[slot->stage],
                 .mlp = &making->tensors[i + 1]}; /* the next roles */
    swin_model_config_windows(&model->config, slot->stage, slot->block, &bias.windows);
    bias.table = swin_model_allocate(model, count_rows(&bias) * slot->n_elements, error);
    if (bias.table == NULL) {
      return FALSE;
    }
    g_array_append_val(biases, bias);
  }
  swin_parallel_for(biases->len, compute_bias, biases);
  for (guint i = 0; i < biases->len; i++) {
    const Bias *bias = &g_array_index(biases, Bias, i);
    const SwinTensor table = make_tensor(bias->table, count_rows(bias), bias->slot->n_elements);
    g_autofree gchar *name =
        swin_layout_expand("stages.{i}.blocks.{j}.attention.relative_position_bias_table",
                           bias->slot->stage, bias->slot->block);
    add_tensor(model, name, &table);
  }
  return TRUE;
}

/* ---- All of them ---------------------------------------------------------------------------- */

static gboolean make_canonical(const Making *making, guint index, SwinTensor *tensor,
                               GError **error) {
  const SwinModelConfig *config = &making->model->config;
  const SwinTensorSlot *slot = get_slot(making, index);
  switch (slot->role) {
  case SWIN_ROLE_BIAS_TABLE:
    return resize_table(making, slot, tensor, error);
  case SWIN_ROLE_POSITION_EMBEDDING:
    return resize_positions(making, slot, tensor, error);
  case SWIN_ROLE_HEAD_WEIGHT:
  case SWIN_ROLE_HEAD_BIAS:
  case SWIN_ROLE_DISTILLATION_HEAD_WEIGHT:
  case SWIN_ROLE_DISTILLATION_HEAD_BIAS:
    return !config->distillation_head || halve(making, tensor, error);
  case SWIN_ROLE_PROJECTION_WEIGHT: /* the factors come next, after the bias */
  case SWIN_ROLE_FC2_WEIGHT:
    return !config->layer_scale || fold_scale(making, index + 2, tensor, error);
  case SWIN_ROLE_PROJECTION_BIAS:
  case SWIN_ROLE_FC2_BIAS:
    return !config->layer_scale || fold_scale(making, index + 1, tensor, error);
  default:
    return TRUE;
  }
}

gboolean swin_model_set_tensors(SwinModel *model, const SwinModelConfig *own,
                                const GPtrArray *layout, const SwinTensor *tensors,
                                GError **error) {
  const Making making = {model, own, layout, tensors};
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = get_slot(&making, i);
    SwinTensor tensor = tensors[i];
    if (!make_canonical(&making, i, &tensor, error)) {
      return FALSE;
    }
    if (!swin_role_is_prefix_token(slot->role) && slot->role != SWIN_ROLE_LAYER_SCALE1 &&
        slot->role != SWIN_ROLE_LAYER_SCALE2) {
      add_tensor(model, slot->name, &tensor);
    }
    model->n_parameters += tensor.n_elements;
  }
  model->config.layer_scale = FALSE; /* it is in the weights */
  return join_prefix_tokens(&making, error) && add_biases(&making, error);
}
