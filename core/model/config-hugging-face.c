// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/config-read.h"

#include <string.h>

#include "model/config-shapes.h"
#include "model/json.h"
#include "model/quote.h"

/* ---- The architecture ------------------------------------------------------------------------ */

static const struct {
  const gchar *type;
  SwinFamily family;
} known_types[] = {
    {"swin", SWIN_FAMILY_SWIN}, {"swinv2", SWIN_FAMILY_SWIN_V2}, {"vit", SWIN_FAMILY_VIT},
    {"deit", SWIN_FAMILY_VIT},  {"vit_mae", SWIN_FAMILY_VIT},
};

static const gchar *const family_names[] = {
    [SWIN_FAMILY_SWIN] = "a Swin",
    [SWIN_FAMILY_SWIN_V2] = "a Swin V2",
    [SWIN_FAMILY_VIT] = "a Vision",
};

static gboolean check_type(JsonObject *object, SwinFamily family, GError **error) {
  const gchar *type = NULL;
  if (!swin_json_get_string(object, "model_type", &type, error)) {
    return FALSE;
  }
  if (type == NULL) {
    return TRUE;
  }
  g_autofree gchar *shown = swin_quote(type);
  for (guint i = 0; i < G_N_ELEMENTS(known_types); i++) {
    if (strcmp(type, known_types[i].type) != 0) {
      continue;
    }
    if (known_types[i].family == family) {
      return TRUE;
    }
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"model_type\" is %s, but the tensors are those of %s Transformer.", shown,
                family_names[family]);
    return FALSE;
  }
  g_set_error(
      error, SWIN_ERROR, SWIN_ERROR_CONFIG,
      "\"model_type\" is %s, and only \"swin\", \"swinv2\", \"vit\", \"deit\" and \"vit_mae\" "
      "can be run.",
      shown);
  return FALSE;
}

gboolean swin_config_read_gelu(JsonObject *object, const gchar *field, gboolean *is_tanh,
                               GError **error) {
  /* Of transformers' ACT2FN and timm's get_act_layer(). */
  static const gchar *const tanh_names[] = {"gelu_tanh", "gelu_pytorch_tanh", "gelu_new", NULL};
  const gchar *activation = "gelu";
  if (!swin_json_get_string(object, field, &activation, error)) {
    return FALSE;
  }
  *is_tanh = g_strv_contains(tanh_names, activation);
  if (!*is_tanh && strcmp(activation, "gelu") != 0) {
    g_autofree gchar *shown = swin_quote(activation);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"%s\" is %s, and only \"gelu\" and its tanh form can be run.", field, shown);
    return FALSE;
  }
  return TRUE;
}

/* ---- The network ----------------------------------------------------------------------------- */

static gboolean read_input(JsonObject *object, SwinModelConfig *config, GError **error) {
  guint patch_height = config->patch_size, patch_width = config->patch_size;
  if (!swin_json_get_pair(object, "image_size", 1, SWIN_CONFIG_MAX_IMAGE, &config->image_height,
                          &config->image_width, error) ||
      !swin_json_get_uint(object, "num_channels", 1, SWIN_CONFIG_MAX_CHANNELS, &config->n_channels,
                          error) ||
      !swin_json_get_pair(object, "patch_size", 1, SWIN_CONFIG_MAX_PATCH, &patch_height,
                          &patch_width, error)) {
    return FALSE;
  }
  if (patch_height != patch_width) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"patch_size\" is %u x %u, and only square patches can be run.", patch_width,
                patch_height);
    return FALSE;
  }
  config->patch_size = patch_height;
  return TRUE;
}

static gboolean read_common(JsonObject *object, SwinModelConfig *config, GError **error) {
  return swin_json_get_boolean(object, "qkv_bias", &config->qkv_bias, error) &&
         swin_json_get_double(object, "layer_norm_eps", 1e-12, 1.0, &config->layer_norm_epsilon,
                              error);
}

static gboolean read_stages(JsonObject *object, SwinModelConfig *config, GError **error) {
  guint n_heads = config->n_stages;
  if (!swin_json_get_uints(object, "depths", 1, SWIN_MAX_STAGES, 1, SWIN_CONFIG_MAX_DEPTH,
                           config->depths, &config->n_stages, error) ||
      !swin_json_get_uints(object, "num_heads", 1, SWIN_MAX_STAGES, 1, SWIN_CONFIG_MAX_HEADS,
                           config->n_heads, &n_heads, error)) {
    return FALSE;
  }
  if (n_heads != config->n_stages) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"num_heads\" is of length %u and \"depths\" of length %u, and there must be one "
                "of each for every stage.",
                n_heads, config->n_stages);
    return FALSE;
  }
  return TRUE;
}

static gboolean read_windows(JsonObject *object, SwinModelConfig *config, GError **error) {
  /* transformers' default has four of them, however many stages there are. */
  guint n_pretrained = SWIN_MAX_STAGES;
  if (!swin_json_get_pairs(object, "window_size", config->n_stages, 1, SWIN_CONFIG_MAX_WINDOW,
                           config->window_height, config->window_width, error)) {
    return FALSE;
  }
  if (config->family == SWIN_FAMILY_SWIN_V2 &&
      !swin_json_get_uints(object, "pretrained_window_sizes", 1, SWIN_MAX_STAGES, 0,
                           SWIN_CONFIG_MAX_WINDOW, config->pretrained_window, &n_pretrained,
                           error)) {
    return FALSE;
  }
  if (n_pretrained < config->n_stages) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "\"pretrained_window_sizes\" is of length %u and \"depths\" of length %u, and there "
        "must be one of each for every stage.",
        n_pretrained, config->n_stages);
    return FALSE;
  }
  return TRUE;
}

static gboolean read_swin(JsonObject *object, const SwinDialectMatch *match,
                          SwinModelConfig *config, GError **error) {
  if (!swin_json_get_uint(object, "embed_dim", 1, SWIN_CONFIG_MAX_EMBED_DIM, &config->embed_dim,
                          error) ||
      !read_stages(object, config, error) || !read_windows(object, config, error) ||
      !swin_json_get_double(object, "mlp_ratio", 1e-3, SWIN_CONFIG_MAX_MLP_RATIO,
                            &config->mlp_ratio, error) ||
      !swin_json_get_boolean(object, "patch_norm", &config->patch_norm, error) ||
      !swin_json_get_boolean(object, "use_absolute_embeddings", &config->position_embedding,
                             error)) {
    return FALSE;
  }
  /* transformers normalises patches whatever "patch_norm" says, so that where there are weights for
   * it, they are used. */
  config->patch_norm = config->patch_norm || swin_config_has(match, SWIN_ROLE_PATCH_NORM_WEIGHT);
  if (match->dialect != SWIN_DIALECT_HUGGING_FACE) {
    config->merging_norm_epsilon = config->layer_norm_epsilon;
  }
  return TRUE;
}

static gboolean read_vit(JsonObject *object, SwinModelConfig *config, GError **error) {
  return swin_json_get_uint(object, "hidden_size", 1, SWIN_CONFIG_MAX_EMBED_DIM, &config->embed_dim,
                            error) &&
         swin_json_get_uint(object, "num_hidden_layers", 1, SWIN_CONFIG_MAX_DEPTH,
                            &config->depths[0], error) &&
         swin_json_get_uint(object, "num_attention_heads", 1, SWIN_CONFIG_MAX_HEADS,
                            &config->n_heads[0], error) &&
         swin_json_get_uint(object, "intermediate_size", 1,
                            SWIN_CONFIG_MAX_EMBED_DIM * (guint)SWIN_CONFIG_MAX_MLP_RATIO,
                            &config->mlp_width, error);
}

/* ---- Classes --------------------------------------------------------------------------------- */

gboolean swin_config_read_activation(JsonObject *object, SwinModelConfig *config, GError **error) {
  const gchar *problem = "single_label_classification";
  if (!swin_json_get_string(object, "problem_type", &problem, error)) {
    return FALSE;
  }
  if (strcmp(problem, "single_label_classification") == 0) {
    config->activation = SWIN_ACTIVATION_SOFTMAX;
  } else if (strcmp(problem, "multi_label_classification") == 0) {
    config->activation = SWIN_ACTIVATION_SIGMOID;
  } else {
    g_autofree gchar *shown = swin_quote(problem);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"problem_type\" is %s, and only \"single_label_classification\" and "
                "\"multi_label_classification\" can be run.",
                shown);
    return FALSE;
  }
  return TRUE;
}

gchar **swin_config_make_labels(guint n_classes) {
  gchar **labels = g_new0(gchar *, n_classes + 1);
  for (guint i = 0; i < n_classes; i++) {
    labels[i] = g_strdup_printf("LABEL_%u", i);
  }
  return labels;
}

/* Member names are class numbers in any order; every class must have its label. */
static gchar **read_labels(JsonObject *names, guint n_classes, GError **error) {
  g_auto(GStrv) labels = g_new0(gchar *, n_classes + 1);
  for (guint i = 0; i < n_classes; i++) {
    g_autofree gchar *key = g_strdup_printf("%u", i);
    JsonNode *node = json_object_get_member(names, key);
    if (node == NULL || !swin_json_holds_string(node)) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"id2label\" has %u labels, but %s for class %u.", n_classes,
                  node == NULL ? "none" : "no string", i);
      return NULL;
    }
    labels[i] = g_strdup(json_node_get_string(node));
  }
  return g_steal_pointer(&labels);
}

static gchar **read_classes(JsonObject *object, const SwinDialectMatch *match,
                            SwinModelConfig *config, GError **error) {
  JsonObject *names = NULL;
  if (!swin_json_get_uint(object, "num_labels", 0, SWIN_CONFIG_MAX_CLASSES, &config->n_classes,
                          error) ||
      !swin_json_get_object(object, "id2label", &names, error)) {
    return NULL;
  }
  if (names == NULL) {
    if (!swin_json_has(object, "num_labels") && !swin_config_has(match, SWIN_ROLE_HEAD_WEIGHT)) {
      config->n_classes = 0; /* a model without a head names no classes */
    }
    return swin_config_make_labels(config->n_classes);
  }
  guint n_names = json_object_get_size(names);
  if (n_names > SWIN_CONFIG_MAX_CLASSES) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"id2label\" has %u labels, and there must be at most %d.", n_names,
                SWIN_CONFIG_MAX_CLASSES);
    return NULL;
  }
  if (swin_json_has(object, "num_labels") && n_names != config->n_classes) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"id2label\" has %u labels where \"num_labels\" says %u.", n_names,
                config->n_classes);
    return NULL;
  }
  config->n_classes = n_names;
  return read_labels(names, n_names, error);
}

gboolean swin_config_read_hugging_face(JsonObject *object, const SwinDialectMatch *match,
                                       SwinModelConfig *config, gchar ***labels, GError **error) {
  SwinModelConfig read;
  swin_model_config_default(match->family, &read);
  read.dialect = match->dialect;
  read.edge_rules = swin_edge_rules(match->family, match->dialect);
  if (!check_type(object, match->family, error) ||
      !swin_config_read_gelu(object, "hidden_act", &read.tanh_gelu, error) ||
      !read_input(object, &read, error) || !read_common(object, &read, error) ||
      !(match->family == SWIN_FAMILY_VIT ? read_vit(object, &read, error)
                                         : read_swin(object, match, &read, error)) ||
      !swin_config_read_activation(object, &read, error)) {
    return FALSE;
  }
  g_auto(GStrv) read_names = read_classes(object, match, &read, error);
  if (read_names == NULL ||
      (match->family == SWIN_FAMILY_VIT && !swin_config_read_tokens(match, &read, error))) {
    return FALSE;
  }
  *config = read;
  *labels = g_steal_pointer(&read_names);
  return TRUE;
}
