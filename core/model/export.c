// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/export.h"

#include <errno.h>
#include <string.h>

#include "model/dialect.h"
#include "model/export-json.h"
#include "model/layout.h"
#include "model/quote.h"
#include "model/safetensors.h"

#define REFUSED "The model cannot be written as transformers reads it: "

static gboolean G_GNUC_PRINTF(2, 3) refuse(GError **error, const gchar *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree gchar *reason = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, REFUSED "%s.", reason);
  return FALSE;
}

/* ---- Whether transformers' network would be the same ---------------------------------------- */

/* transformers has one window for all stages; what is clipped to a map may be called by the window
 * of another stage. */
static guint find_window(const SwinModelConfig *config) {
  guint window = 0;
  for (guint stage = 0; stage < config->n_stages; stage++) {
    window = MAX(window, MAX(config->window_height[stage], config->window_width[stage]));
  }
  return window;
}

/* The config as it will be read from what is written. */
static SwinModelConfig make_written_config(const SwinModelConfig *config) {
  SwinModelConfig written = *config;
  written.dialect = SWIN_DIALECT_HUGGING_FACE;
  written.edge_rules = swin_edge_rules(config->family, SWIN_DIALECT_HUGGING_FACE);
  for (guint stage = 0; stage < config->n_stages; stage++) {
    written.window_height[stage] = written.window_width[stage] = find_window(config);
  }
  return written;
}

/* Rolling and padding may be swapped where one of them leaves the axis alone. */
static gboolean order_matters(guint map, guint window, guint shift) {
  return shift != 0 && map % window != 0;
}

static gboolean check_windows(const SwinModelConfig *config, const SwinModelConfig *written,
                              guint stage, guint block, GError **error) {
  SwinWindows own, other;
  swin_model_config_windows(config, stage, block, &own);
  swin_model_config_windows(written, stage, block, &other);
  if (own.window_height != other.window_height || own.window_width != other.window_width) {
    return refuse(error,
                  "\"window_size\" makes windows of %u x %u tokens in stage %u, where "
                  "transformers would have %u x %u",
                  own.window_width, own.window_height, stage, other.window_width,
                  other.window_height);
  }
  if (own.shift_y != other.shift_y || own.shift_x != other.shift_x) {
    return refuse(error,
                  "its windows are shifted by %u x %u tokens in stage %u, where transformers "
                  "would shift them by %u x %u",
                  own.shift_x, own.shift_y, stage, other.shift_x, other.shift_y);
  }
  if (own.table_height != other.table_height || own.table_width != other.table_width) {
    return refuse(error,
                  "the relative position bias tables of stage %u are for windows of %u x %u "
                  "tokens, where transformers has %u x %u",
                  stage, own.table_width, own.table_height, other.table_width, other.table_height);
  }
  if (config->edge_rules.roll_before_padding &&
      (order_matters(own.map_height, own.window_height, own.shift_y) ||
       order_matters(own.map_width, own.window_width, own.shift_x))) {
    return refuse(error,
                  "the map of %u x %u tokens in stage %u is shifted and then padded to windows of "
                  "%u x %u, where transformers pads first",
                  own.map_width, own.map_height, stage, own.window_width, own.window_height);
  }
  return TRUE;
}

static gboolean check_swin(const SwinModelConfig *config, const SwinModelConfig *written,
                           GError **error) {
  if (!config->patch_norm) {
    return refuse(error, "it has no norm after the patch embedding (\"patch_norm\"), which "
                         "transformers always has");
  }
  if (config->merging_norm_epsilon != 1e-5) {
    return refuse(error,
                  "the norms of its patch embedding and patch merging have an epsilon of %g, "
                  "where transformers always has 1e-05",
                  config->merging_norm_epsilon);
  }
  if (config->family == SWIN_FAMILY_SWIN_V2 && config->position_embedding) {
    return refuse(error, "it has an absolute position embedding, with which Swin V2 does not run "
                         "in transformers");
  }
  for (guint stage = 0; stage < config->n_stages; stage++) {
    for (guint block = 0; block < config->depths[stage]; block++) {
      if (!check_windows(config, written, stage, block, error)) {
        return FALSE;
      }
    }
  }
  return TRUE;
}

static gboolean check_vit(const SwinModelConfig *config, GError **error) {
  if (config->pool != SWIN_POOL_TOKEN) {
    return refuse(error, "its head sees the mean of all tokens, where transformers takes the class "
                         "token");
  }
  if (config->n_prefix_tokens != (config->distillation_token ? 2 : 1)) {
    return refuse(error, "it has register tokens, which transformers' ViT does not know");
  }
  if (!config->prefix_positions) {
    return refuse(error, "its class token has no position embedding, where transformers adds one");
  }
  if (config->distillation_head && config->n_classes == 0) {
    return refuse(error, "it makes features of two tokens, where transformers takes the class "
                         "token");
  }
  return TRUE;
}

static gboolean check_map(const SwinModelConfig *config, const SwinModelConfig *written,
                          GError **error) {
  guint height, width, other_height, other_width;
  swin_model_config_map(config, 0, &height, &width);
  swin_model_config_map(written, 0, &other_height, &other_width);
  return (height == other_height && width == other_width) ||
         refuse(error,
                "\"image_size\" makes a map of %u x %u patches, where transformers would have "
                "%u x %u",
                width, height, other_width, other_height);
}

static gboolean check_network(const SwinModelConfig *config, GError **error) {
  const SwinModelConfig written = make_written_config(config);
  g_autoptr(GError) reason = NULL;
  if (!swin_model_config_check(&written, &reason)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, REFUSED "%s", reason->message);
    return FALSE;
  }
  return check_map(config, &written, error) &&
         (config->family == SWIN_FAMILY_VIT ? check_vit(config, error)
                                            : check_swin(config, &written, error));
}

/* ---- Tensors -------------------------------------------------------------------------------- */

static gboolean is_head(SwinTensorRole role) {
  return role == SWIN_ROLE_HEAD_WEIGHT || role == SWIN_ROLE_HEAD_BIAS ||
         role == SWIN_ROLE_DISTILLATION_HEAD_WEIGHT || role == SWIN_ROLE_DISTILLATION_HEAD_BIAS;
}

/* DeiT is a ViT of another class, and with two heads the first has another name. */
static gchar *make_name(const SwinModelConfig *config, const SwinTensorSlot *slot) {
  gchar *name = swin_dialect_hugging_face_name(config->family, slot);
  if (!config->distillation_token) {
    return name;
  }
  g_autofree gchar *vit_name = name;
  if (g_str_has_prefix(name, "vit.")) {
    return g_strconcat("deit.", name + strlen("vit."), NULL);
  }
  return g_str_has_prefix(name, "classifier.") && config->distillation_head
             ? g_strconcat("cls_", name, NULL)
             : g_steal_pointer(&vit_name);
}

/* The prefix tokens are rows of one tensor here and tensors of their own there. */
static SwinTensor find_tensor(SwinModel *model, const SwinTensorSlot *slot) {
  if (slot->role == SWIN_ROLE_CLASS_TOKEN || slot->role == SWIN_ROLE_DISTILLATION_TOKEN) {
    const SwinTensor *tokens = swin_model_get_tensor(model, "prefix_tokens");
    return swin_tensor_rows(tokens, slot->role == SWIN_ROLE_CLASS_TOKEN ? 0 : 1, 1);
  }
  return *swin_model_get_tensor(model, slot->name);
}

static void insert_one(SwinTensor *tensor, guint at) {
  for (guint i = tensor->n_dims; i > at; i--) {
    tensor->shape[i] = tensor->shape[i - 1];
  }
  tensor->shape[at] = 1;
  tensor->n_dims++;
}

/* transformers has its embeddings as a batch of one, and scales that spread over scores. */
static void set_shape(SwinTensor *tensor, SwinTensorRole role) {
  switch (role) {
  case SWIN_ROLE_POSITION_EMBEDDING:
  case SWIN_ROLE_CLASS_TOKEN:
  case SWIN_ROLE_DISTILLATION_TOKEN:
    insert_one(tensor, 0);
    break;
  case SWIN_ROLE_LOGIT_SCALE:
    insert_one(tensor, 1);
    insert_one(tensor, 2);
    break;
  default:
    break;
  }
}

static SwinNamedTensor make_tensor(SwinModel *model, const SwinTensorSlot *slot,
                                   const gchar *name) {
  const SwinModelConfig *config = swin_model_get_config(model);
  SwinNamedTensor named = {.name = name, .tensor = find_tensor(model, slot)};
  set_shape(&named.tensor, slot->role);
  /* The mean of two heads is the sum of their halves, which are what the model holds. */
  named.factor = config->distillation_head && is_head(slot->role) ? 2.0f : 1.0f;
  return named;
}

/* Row by row of [tokens, tokens] of a window, where the bias between two of its tokens is in the
 * table. @data: the window's side. */
static void make_position_index(gconstpointer data, guint64 first, gsize n, gint64 *values) {
  const gint64 side = *(const guint *)data, n_tokens = side * side;
  for (gsize i = 0; i < n; i++) {
    const gint64 query = (gint64)(first + i) / n_tokens, key = (gint64)(first + i) % n_tokens;
    const gint64 down = query / side - key / side, across = query % side - key % side;
    values[i] = (down + side - 1) * (2 * side - 1) + across + side - 1;
  }
}

/* The name of the buffer that belongs to a bias table. */
static gchar *make_index_name(const gchar *table) {
  GString *name = g_string_new(table);
  g_string_replace(name, "relative_position_bias_table", "relative_position_index", 1);
  return g_string_free(name, FALSE);
}

/* transformers before 5 misses the buffer "relative_position_index" of V1 where it is not saved.
 * The integers come before all else, so that they are aligned. */
static void add_indices(GArray *tensors, const guint *window, const GPtrArray *layout,
                        GPtrArray *names) {
  const guint64 n_tokens = (guint64)*window * *window;
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    if (slot->role == SWIN_ROLE_BIAS_TABLE) {
      const SwinNamedTensor named = {
          .name = make_index_name(g_ptr_array_index(names, i)),
          .tensor = {.n_dims = 2, .shape = {n_tokens, n_tokens}, .n_elements = n_tokens * n_tokens},
          .integers = make_position_index,
          .data = window};
      g_ptr_array_add(names, (gpointer)named.name);
      g_array_append_val(tensors, named);
    }
  }
}

static gboolean write_weights(SwinModel *model, const gchar *path, SwinDtype dtype,
                              GError **error) {
  static const gchar *const metadata[] = {"format", "pt", NULL}; /* transformers insists on it */
  const SwinModelConfig *config = swin_model_get_config(model);
  const guint window = find_window(config);
  g_autoptr(GPtrArray) layout = swin_layout_new(config);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(SwinNamedTensor));
  for (guint i = 0; i < layout->len; i++) {
    g_ptr_array_add(names, make_name(config, g_ptr_array_index(layout, i)));
  }
  add_indices(tensors, &window, layout, names);
  for (guint i = 0; i < layout->len; i++) {
    const SwinNamedTensor named =
        make_tensor(model, g_ptr_array_index(layout, i), g_ptr_array_index(names, i));
    g_array_append_val(tensors, named);
  }
  return swin_safetensors_write_tensors(path, (const SwinNamedTensor *)(gpointer)tensors->data,
                                        tensors->len, dtype, metadata, error);
}

/* ---- Files ---------------------------------------------------------------------------------- */

static gboolean write_text(const gchar *folder, const gchar *name, const gchar *text,
                           GError **error) {
  g_autofree gchar *path = g_build_filename(folder, name, NULL);
  g_autoptr(GError) reason = NULL;
  if (g_file_set_contents(path, text, -1, &reason)) {
    return TRUE;
  }
  g_autofree gchar *shown = swin_quote_path(path);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The file %s cannot be written: %s.", shown,
              reason->message);
  return FALSE;
}

static gboolean make_folder(const gchar *folder, GError **error) {
  if (g_mkdir_with_parents(folder, 0777) == 0) {
    return TRUE;
  }
  const int error_number = errno;
  g_autofree gchar *shown = swin_quote_path(folder);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The directory %s cannot be made: %s.", shown,
              g_strerror(error_number));
  return FALSE;
}

gboolean swin_model_export(SwinModel *model, const gchar *folder, SwinDtype dtype, GError **error) {
  const SwinModelConfig *config = swin_model_get_config(model);
  if (!check_network(config, error)) {
    return FALSE;
  }
  g_autofree gchar *preprocessor = swin_export_preprocessor(model, error);
  if (preprocessor == NULL || !make_folder(folder, error)) {
    return FALSE;
  }
  g_autofree gchar *text = swin_export_config(model, find_window(config), dtype);
  g_autofree gchar *weights = g_build_filename(folder, "model.safetensors", NULL);
  return write_weights(model, weights, dtype, error) &&
         write_text(folder, "config.json", text, error) &&
         write_text(folder, "preprocessor_config.json", preprocessor, error);
}
