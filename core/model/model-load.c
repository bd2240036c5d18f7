// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/config-read.h"
#include "model/dialect.h"
#include "model/finite.h"
#include "model/json.h"
#include "model/layout.h"
#include "model/model-cache.h"
#include "model/model-files.h"
#include "model/model-options.h"
#include "model/model-private.h"
#include "model/quote.h"

/* A model on its way from files to tensors. */
typedef struct {
  SwinModel *model; /* its config is the one that is run */
  SwinModelFiles files;
  SwinDialectMatch match;
  JsonNode *config_json; /* NULL where there is no config.json */
  gboolean timm_config;  /* which is one of timm's */
  SwinModelConfig own;   /* before the options */
  GPtrArray *notes;
} Loading;

static void loading_clear(Loading *loading) {
  g_clear_pointer(&loading->model, swin_model_unref);
  swin_model_files_clear(&loading->files);
  g_clear_pointer(&loading->config_json, json_node_unref);
  g_clear_pointer(&loading->notes, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Loading, loading_clear)

/* ---- Config --------------------------------------------------------------------------------- */

/* Puts before a message about a field where that config comes from. */
static gboolean prefix_source(const Loading *loading, GError **error) {
  const gboolean there = loading->files.config != NULL;
  g_autofree gchar *path = swin_quote_path(there ? loading->files.config_path
                                                 : swin_safetensors_get_path(loading->match.file));
  g_prefix_error(error, "The config %s%s cannot be used: ", there ? "" : "that is read off ", path);
  return FALSE;
}

/* Whether the config that is to be run makes sense. The options are to blame for what the files
 * alone would not be refused for. */
static gboolean check_config(const Loading *loading, const SwinModelOptions *options,
                             GError **error) {
  g_autoptr(GError) reason = NULL, own_reason = NULL;
  if (swin_model_config_check(&loading->model->config, &reason)) {
    return TRUE;
  }
  if (swin_model_config_check(&loading->own, &own_reason) ||
      !g_str_equal(own_reason->message, reason->message)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "The %s cannot be used: %s",
                swin_model_options_get_names(options), reason->message);
    return FALSE;
  }
  g_propagate_error(error, g_steal_pointer(&reason));
  return prefix_source(loading, error);
}

/* Whose config it is, and what is in it. */
static gboolean read_json(Loading *loading, GError **error) {
  gsize length;
  const gchar *text = g_bytes_get_data(loading->files.config, &length);
  loading->config_json = swin_json_parse(text, length, SWIN_ERROR_CONFIG, error);
  if (loading->config_json == NULL) {
    return FALSE;
  }
  JsonObject *object = json_node_get_object(loading->config_json);
  SwinModel *model = loading->model;
  if (swin_json_has(object, "model_type")) {
    return swin_config_read_hugging_face(object, &loading->match, &loading->own, &model->labels,
                                         error);
  }
  if (swin_json_has(object, "architecture")) {
    loading->timm_config = TRUE;
    return swin_config_read_timm(object, &loading->match, &loading->own, &model->labels, error);
  }
  g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                      "\"model_type\", which transformers writes, and \"architecture\", which timm "
                      "writes, are both missing; without the file the config is read off the "
                      "tensors.");
  return FALSE;
}

/* timm loads the files of others, too, and runs them by its own rules. */
static void follow_timm(SwinModelConfig *config) {
  config->dialect = SWIN_DIALECT_TIMM;
  config->edge_rules = swin_edge_rules(config->family, SWIN_DIALECT_TIMM);
}

/* V1's tables have the size of the window; V2 only tells it by a buffer that some files have. */
static gboolean is_window_known(const Loading *loading) {
  if (loading->files.config != NULL || loading->match.family != SWIN_FAMILY_SWIN_V2) {
    return TRUE;
  }
  const GPtrArray *names = swin_safetensors_get_names(loading->match.file);
  for (guint i = 0; i < names->len; i++) {
    if (g_str_has_suffix(g_ptr_array_index(names, i), ".relative_coords_table")) {
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean read_config(Loading *loading, const SwinModelOptions *options, GError **error) {
  SwinModelConfig *config = &loading->model->config;
  const gboolean there = loading->files.config != NULL;
  if (!(there ? read_json(loading, error)
              : swin_config_infer(&loading->match, &loading->own, &loading->model->labels,
                                  loading->notes, error))) {
    return prefix_source(loading, error);
  }
  if (loading->timm_config && loading->match.dialect == SWIN_DIALECT_MICROSOFT) {
    follow_timm(&loading->own);
  }
  *config = loading->own;
  return swin_model_options_apply(options, is_window_known(loading), config, error) &&
         check_config(loading, options, error);
}

/* ---- Preprocessing -------------------------------------------------------------------------- */

/* For the input size of the model's own config. */
static gboolean find_preprocessing(const Loading *loading, SwinPreprocessing *preprocessing,
                                   GError **error) {
  if (loading->files.preprocessor != NULL) {
    return swin_preprocessing_parse(loading->files.preprocessor, &loading->own, preprocessing,
                                    error);
  }
  swin_preprocessing_preset(&loading->own, preprocessing);
  return !loading->timm_config ||
         swin_preprocessing_parse_timm(json_node_get_object(loading->config_json), &loading->own,
                                       preprocessing, error);
}

static gboolean read_preprocessing(Loading *loading, GError **error) {
  const SwinModelConfig *own = &loading->own, *config = &loading->model->config;
  SwinPreprocessing *preprocessing = &loading->model->preprocessing;
  if (!find_preprocessing(loading, preprocessing, error)) {
    g_autofree gchar *path =
        swin_quote_path(loading->files.preprocessor != NULL ? loading->files.preprocessor_path
                                                            : loading->files.config_path);
    g_prefix_error(error, "The config %s cannot be used: ", path);
    return FALSE;
  }
  if (own->image_height != config->image_height || own->image_width != config->image_width) {
    swin_preprocessing_fit(preprocessing, own->image_height, own->image_width, config);
  }
  return TRUE;
}

/* ---- Tensors -------------------------------------------------------------------------------- */

static gchar *format_element(const SwinTensor *tensor, guint64 element) {
  guint64 indices[SWIN_TENSOR_MAX_DIMS];
  for (guint i = tensor->n_dims; i-- > 0;) {
    indices[i] = element % tensor->shape[i];
    element /= tensor->shape[i];
  }
  return swin_shape_to_string(indices, tensor->n_dims);
}

/* By the name and index that the file has: @tensor may be a part of a fused tensor. */
static void refuse_element(const SwinDialectMatch *match, const SwinTensorSlot *slot,
                           const SwinTensor *tensor, guint64 element, GError **error) {
  SwinTensor whole = *tensor;
  g_autofree gchar *name = swin_dialect_find(match, slot->role, slot->stage, slot->block, &whole);
  if (name == NULL) {
    name = g_strdup(slot->name);
  }
  const gsize before = (gsize)(tensor->data - whole.data) / swin_dtype_size(whole.dtype);
  g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(match->file));
  g_autofree gchar *shown = swin_quote(name);
  g_autofree gchar *place = format_element(&whole, before + element);
  gfloat value;
  swin_tensor_read(tensor, element, 1, &value);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "The file %s is damaged: its tensor %s has %s at %s.", path, shown,
              value != value ? "no number (NaN)" : "an infinite value", place);
}

static gboolean check_values(const SwinDialectMatch *match, const GPtrArray *layout,
                             const SwinTensor *tensors, GError **error) {
  guint bad_tensor;
  guint64 bad_element;
  if (swin_finite_check(tensors, layout->len, &bad_tensor, &bad_element)) {
    return TRUE;
  }
  refuse_element(match, g_ptr_array_index(layout, bad_tensor), &tensors[bad_tensor], bad_element,
                 error);
  return FALSE;
}

static gboolean read_tensors(Loading *loading, gboolean resizable, GError **error) {
  SwinModel *model = loading->model;
  g_autoptr(GPtrArray) layout = swin_layout_new(&model->config);
  g_autofree SwinTensor *tensors = g_new0(SwinTensor, layout->len);
  return swin_dialect_map(&loading->match, layout, resizable, tensors, error) &&
         check_values(&loading->match, layout, tensors, error) &&
         swin_model_set_tensors(model, &loading->own, layout, tensors, error);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void finish_notes(Loading *loading) {
  SwinModel *model = loading->model;
  g_strfreev(model->notes);
  g_ptr_array_add(loading->notes, NULL);
  model->notes = g_strdupv((gchar **)loading->notes->pdata);
}

static SwinModel *load(const gchar *location, const SwinModelOptions *options, GError **error) {
  g_auto(Loading) loading = {.notes = g_ptr_array_new_with_free_func(g_free)};
  if (!swin_model_files_find(location, &loading.files, error)) {
    return NULL;
  }
  g_autofree gchar *name = g_filename_display_basename(location);
  loading.model = swin_model_new(name);
  loading.model->file = g_steal_pointer(&loading.files.file);
  if (!swin_dialect_detect(loading.model->file, &loading.match, error) ||
      !read_config(&loading, options, error) || !read_preprocessing(&loading, error) ||
      !read_tensors(&loading, !swin_model_options_are_default(options), error)) {
    return NULL;
  }
  finish_notes(&loading);
  return g_steal_pointer(&loading.model);
}

SwinModel *swin_model_load(const gchar *location, const SwinModelOptions *options, GError **error) {
  return swin_model_cache_get(location, options, load, error);
}
