// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model.h"

#include <string.h>

#include "model/dialect.h"
#include "model/layout.h"
#include "model/quote.h"
#include "model/random.h"
#include "model/safetensors.h"

#define WEIGHTS_NAME "model.safetensors"
#define CONFIG_NAME "config.json"
#define PREPROCESSOR_NAME "preprocessor_config.json"
#define RESOURCE_FOLDER "/swin/models"

struct _SwinModel {
  gatomicrefcount n_references;
  gchar *name;
  SwinModelConfig config;
  SwinPreprocessing preprocessing;
  gchar **labels;      /* config.n_classes, NULL-terminated */
  GHashTable *tensors; /* canonical name -> SwinTensor, both owned; values in file or in data */
  guint64 n_parameters;
  SwinSafetensors *file; /* NULL for random models */
  guint8 *data;          /* NULL for models from files */
};

/* Where the three parts of a model lie, and the two that are text. */
typedef struct {
  SwinSafetensors *file;
  GBytes *config;       /* never NULL once found */
  GBytes *preprocessor; /* NULL where there is none */
  gchar *config_path;   /* what messages call them */
  gchar *preprocessor_path;
} Parts;

static void parts_clear(Parts *parts) {
  g_clear_pointer(&parts->file, swin_safetensors_free);
  g_clear_pointer(&parts->config, g_bytes_unref);
  g_clear_pointer(&parts->preprocessor, g_bytes_unref);
  g_clear_pointer(&parts->config_path, g_free);
  g_clear_pointer(&parts->preprocessor_path, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

static SwinModel *model_new(const gchar *name) {
  SwinModel *model = g_new0(SwinModel, 1);
  g_atomic_ref_count_init(&model->n_references);
  model->name = g_strdup(name);
  model->tensors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return model;
}

SwinModel *swin_model_ref(SwinModel *model) {
  g_atomic_ref_count_inc(&model->n_references);
  return model;
}

void swin_model_unref(SwinModel *model) {
  if (model == NULL || !g_atomic_ref_count_dec(&model->n_references)) {
    return;
  }
  g_hash_table_unref(model->tensors);
  swin_safetensors_free(model->file);
  g_free(model->data);
  g_strfreev(model->labels);
  g_free(model->name);
  g_free(model);
}

static void add_tensor(SwinModel *model, const SwinTensorSlot *slot, const SwinTensor *tensor) {
  SwinTensor *copy = g_new(SwinTensor, 1);
  *copy = *tensor;
  g_hash_table_insert(model->tensors, g_strdup(slot->name), copy);
  model->n_parameters += slot->n_elements;
}

/* ---- From files ---------------------------------------------------------------------------- */

static GBytes *read_text(const gchar *path, const gchar *sought, GError **error) {
  g_autofree gchar *shown = swin_quote_path(path);
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "There is no %s for the model: looked for %s.", sought, shown);
    return NULL;
  }
  g_autofree gchar *text = NULL;
  gsize length;
  g_autoptr(GError) read_error = NULL;
  if (!g_file_get_contents(path, &text, &length, &read_error)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "The file %s cannot be read: %s.", shown,
                read_error->message);
    return NULL;
  }
  return g_bytes_new_take(g_steal_pointer(&text), length);
}

static gboolean find_in_folder(const gchar *folder, const gchar *weights, Parts *parts,
                               GError **error) {
  parts->config_path = g_build_filename(folder, CONFIG_NAME, NULL);
  parts->preprocessor_path = g_build_filename(folder, PREPROCESSOR_NAME, NULL);
  parts->file = swin_safetensors_open(weights, error);
  if (parts->file == NULL) {
    return FALSE;
  }
  parts->config = read_text(parts->config_path, CONFIG_NAME, error);
  if (parts->config == NULL) {
    return FALSE;
  }
  if (g_file_test(parts->preprocessor_path, G_FILE_TEST_EXISTS)) {
    parts->preprocessor = read_text(parts->preprocessor_path, PREPROCESSOR_NAME, error);
    return parts->preprocessor != NULL;
  }
  return TRUE;
}

/* What is in a directory without weights decides what there is to say about it. */
static gboolean refuse_folder(const gchar *folder, GError **error) {
  static const struct {
    const gchar *name;
    const gchar *advice;
  } other_formats[] = {
      {WEIGHTS_NAME ".index.json", "it is split into several files: save it as one"},
      {"pytorch_model.bin", "convert pytorch_model.bin to safetensors"},
  };
  g_autofree gchar *shown = swin_quote_path(folder);
  const gchar *advice = "give the directory of a model or its .safetensors file";
  for (guint i = 0; i < G_N_ELEMENTS(other_formats); i++) {
    g_autofree gchar *path = g_build_filename(folder, other_formats[i].name, NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
      advice = other_formats[i].advice;
      break;
    }
  }
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "The directory %s holds no " WEIGHTS_NAME ": %s.", shown, advice);
  return FALSE;
}

static gboolean find_on_disk(const gchar *location, Parts *parts, GError **error) {
  if (g_file_test(location, G_FILE_TEST_IS_DIR)) {
    g_autofree gchar *weights = g_build_filename(location, WEIGHTS_NAME, NULL);
    if (!g_file_test(weights, G_FILE_TEST_EXISTS)) {
      return refuse_folder(location, error);
    }
    return find_in_folder(location, weights, parts, error);
  }
  if (g_file_test(location, G_FILE_TEST_EXISTS)) {
    g_autofree gchar *folder = g_path_get_dirname(location);
    return find_in_folder(folder, location, parts, error);
  }
  g_autofree gchar *shown = swin_quote_path(location);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "There is no model %s: looked for a built-in model, a directory and a .safetensors "
              "file of that name.",
              shown);
  return FALSE;
}

static GBytes *find_resource(const gchar *name, const gchar *part, gchar **path) {
  g_autofree gchar *resource = g_strjoin("/", RESOURCE_FOLDER, name, part, NULL);
  GBytes *bytes = g_resources_lookup_data(resource, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  if (path != NULL) {
    *path = g_steal_pointer(&resource);
  }
  return bytes;
}

/* Sets nothing in @parts when there is no built-in model of that name. */
static gboolean find_built_in(const gchar *name, Parts *parts, GError **error) {
  g_autofree gchar *path = NULL;
  g_autoptr(GBytes) weights = find_resource(name, WEIGHTS_NAME, &path);
  g_autoptr(GBytes) config = find_resource(name, CONFIG_NAME, NULL);
  if (strchr(name, '/') != NULL || weights == NULL || config == NULL) {
    return TRUE;
  }
  parts->config = g_steal_pointer(&config);
  parts->preprocessor = find_resource(name, PREPROCESSOR_NAME, &parts->preprocessor_path);
  parts->config_path = g_strjoin("/", RESOURCE_FOLDER, name, CONFIG_NAME, NULL);
  parts->file = swin_safetensors_new(weights, path, error);
  return parts->file != NULL;
}

static gboolean read_config(SwinModel *model, const Parts *parts, GError **error) {
  g_autofree gchar *config_path = swin_quote_path(parts->config_path);
  g_autofree gchar *preprocessor_path = swin_quote_path(parts->preprocessor_path);
  if (!swin_model_config_parse(parts->config, &model->config, &model->labels, error)) {
    g_prefix_error(error, "The config %s cannot be used: ", config_path);
    return FALSE;
  }
  if (!swin_preprocessing_parse(parts->preprocessor, &model->config, &model->preprocessing,
                                error)) {
    g_prefix_error(error, "The config %s cannot be used: ", preprocessor_path);
    return FALSE;
  }
  return TRUE;
}

static gboolean read_tensors(SwinModel *model, GError **error) {
  g_autoptr(GPtrArray) layout = swin_layout_new(&model->config);
  g_autofree SwinTensor *tensors = g_new0(SwinTensor, layout->len);
  if (!swin_dialect_map(model->file, &model->config, layout, tensors, error)) {
    return FALSE;
  }
  for (guint i = 0; i < layout->len; i++) {
    add_tensor(model, g_ptr_array_index(layout, i), &tensors[i]);
  }
  return TRUE;
}

SwinModel *swin_model_load(const gchar *location, GError **error) {
  g_auto(Parts) parts = {NULL, NULL, NULL, NULL, NULL};
  if (!find_built_in(location, &parts, error)) {
    return NULL;
  }
  if (parts.file == NULL && !find_on_disk(location, &parts, error)) {
    return NULL;
  }
  g_autofree gchar *name = g_filename_display_basename(location);
  g_autoptr(SwinModel) model = model_new(name);
  model->file = g_steal_pointer(&parts.file);
  if (!read_config(model, &parts, error) || !read_tensors(model, error)) {
    return NULL;
  }
  return g_steal_pointer(&model);
}

/* ---- Random -------------------------------------------------------------------------------- */

static gboolean draw_tensors(SwinModel *model, guint32 seed) {
  g_autoptr(GPtrArray) layout = swin_layout_new(&model->config);
  guint64 n_values = 0;
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    n_values += slot->n_elements;
  }
  if (n_values > G_MAXSIZE / sizeof(gfloat) ||
      (model->data = g_try_malloc(n_values * sizeof(gfloat))) == NULL) {
    return FALSE;
  }
  guint64 state = seed;
  guint8 *data = model->data;
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    swin_random_fill(&state, slot, data);
    SwinTensor tensor = {.dtype = SWIN_DTYPE_F32,
                         .n_dims = slot->n_dims,
                         .n_elements = slot->n_elements,
                         .data = data};
    memcpy(tensor.shape, slot->shape, sizeof tensor.shape);
    add_tensor(model, slot, &tensor);
    data += slot->n_elements * sizeof(gfloat);
  }
  return TRUE;
}

SwinModel *swin_model_new_from_config(const gchar *name, const SwinModelConfig *config,
                                      guint32 seed) {
  g_autoptr(SwinModel) model = model_new(name);
  model->config = *config;
  swin_preprocessing_parse(NULL, config, &model->preprocessing, NULL);
  model->labels = g_new0(gchar *, config->n_classes + 1);
  for (guint i = 0; i < config->n_classes; i++) {
    model->labels[i] = g_strdup_printf("LABEL_%u", i);
  }
  return draw_tensors(model, seed) ? g_steal_pointer(&model) : NULL;
}

SwinModel *swin_model_new_random(const gchar *name, guint32 seed, GError **error) {
  SwinModelConfig config;
  g_autofree gchar *shown = swin_quote(name);
  if (!swin_model_config_published(name, &config)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "There is no published configuration %s: the known ones are swin_t, swin_s, swin_b "
                "and swin_l.",
                shown);
    return NULL;
  }
  SwinModel *model = swin_model_new_from_config(name, &config, seed);
  if (model == NULL) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                "There is not enough memory for the weights of %s.", shown);
  }
  return model;
}

/* ---- What a model holds -------------------------------------------------------------------- */

const gchar *swin_model_get_name(SwinModel *model) {
  return model->name;
}

guint swin_model_get_n_classes(SwinModel *model) {
  return model->config.n_classes;
}

const gchar *swin_model_get_label(SwinModel *model, guint index) {
  g_return_val_if_fail(index < model->config.n_classes, NULL);
  return model->labels[index];
}

guint64 swin_model_get_n_parameters(SwinModel *model) {
  return model->n_parameters;
}

void swin_model_get_input_size(SwinModel *model, guint *width, guint *height) {
  if (width != NULL) {
    *width = model->config.image_width;
  }
  if (height != NULL) {
    *height = model->config.image_height;
  }
}

const SwinModelConfig *swin_model_get_config(SwinModel *model) {
  return &model->config;
}

const SwinPreprocessing *swin_model_get_preprocessing(SwinModel *model) {
  return &model->preprocessing;
}

const SwinTensor *swin_model_get_tensor(SwinModel *model, const gchar *name) {
  return g_hash_table_lookup(model->tensors, name);
}
