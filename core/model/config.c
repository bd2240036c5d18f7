// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/config.h"

#include <string.h>

#include "model/json.h"
#include "model/quote.h"
#include "swin.h"

/* Bounds that no published network comes near; they keep later products within 64 bits. */
#define MAX_IMAGE 16384
#define MAX_CHANNELS 64
#define MAX_PATCH 256
#define MAX_EMBED_DIM 8192
#define MAX_DEPTH 256
#define MAX_HEADS 1024
#define MAX_WINDOW 128
#define MAX_MLP_RATIO 64.0
#define MAX_CLASSES 1000000

guint swin_model_config_channels(const SwinModelConfig *config, guint stage) {
  return config->embed_dim << stage;
}

guint swin_model_config_hidden(const SwinModelConfig *config, guint stage) {
  return (guint)(swin_model_config_channels(config, stage) * config->mlp_ratio);
}

/* The defaults of transformers' SwinConfig; num_labels is PretrainedConfig's. */
static const SwinModelConfig defaults = {
    .image_height = 224,
    .image_width = 224,
    .n_channels = 3,
    .patch_size = 4,
    .embed_dim = 96,
    .n_stages = 4,
    .depths = {2, 2, 6, 2},
    .n_heads = {3, 6, 12, 24},
    .window_size = 7,
    .mlp_ratio = 4.0,
    .qkv_bias = TRUE,
    .patch_norm = TRUE,
    .layer_norm_epsilon = 1e-5,
    .n_classes = 2,
    .edge_rules = {.clip_window = TRUE, .shift_per_axis = FALSE},
};

static gboolean check_architecture(JsonObject *object, GError **error) {
  const gchar *type = "swin", *activation = "gelu";
  gboolean absolute = FALSE;
  if (!swin_json_get_string(object, "model_type", &type, error) ||
      !swin_json_get_string(object, "hidden_act", &activation, error) ||
      !swin_json_get_boolean(object, "use_absolute_embeddings", &absolute, error)) {
    return FALSE;
  }
  g_autofree gchar *shown_type = swin_quote(type);
  g_autofree gchar *shown_activation = swin_quote(activation);
  if (strcmp(type, "swinv2") == 0) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                        "\"model_type\" is \"swinv2\", and this version runs only the first "
                        "generation, \"swin\".");
  } else if (strcmp(type, "swin") != 0) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"model_type\" is %s, and only \"swin\" can be run.", shown_type);
  } else if (strcmp(activation, "gelu") != 0) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"hidden_act\" is %s, and only \"gelu\" can be run.", shown_activation);
  } else if (absolute) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                        "\"use_absolute_embeddings\" is true, and networks with absolute position "
                        "embeddings cannot be run.");
  } else {
    return TRUE;
  }
  return FALSE;
}

/* An integer, or [height, width]. */
static gboolean read_image_size(JsonObject *object, SwinModelConfig *config, GError **error) {
  JsonNode *node = json_object_get_member(object, "image_size");
  if (node != NULL && JSON_NODE_HOLDS_ARRAY(node)) {
    guint sides[2] = {config->image_height, config->image_width}, n_sides = 2;
    if (!swin_json_get_uints(object, "image_size", 2, 2, 1, MAX_IMAGE, sides, &n_sides, error)) {
      return FALSE;
    }
    config->image_height = sides[0];
    config->image_width = sides[1];
    return TRUE;
  }
  guint side = config->image_height;
  if (!swin_json_get_uint(object, "image_size", 1, MAX_IMAGE, &side, error)) {
    return FALSE;
  }
  config->image_height = config->image_width = side;
  return TRUE;
}

static gboolean read_stages(JsonObject *object, SwinModelConfig *config, GError **error) {
  guint n_heads = config->n_stages;
  if (!swin_json_get_uints(object, "depths", 1, SWIN_MAX_STAGES, 1, MAX_DEPTH, config->depths,
                           &config->n_stages, error) ||
      !swin_json_get_uints(object, "num_heads", 1, SWIN_MAX_STAGES, 1, MAX_HEADS, config->n_heads,
                           &n_heads, error)) {
    return FALSE;
  }
  if (n_heads != config->n_stages) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"num_heads\" is of length %u and \"depths\" of length %u, and there must be one "
                "of each for every stage.",
                n_heads, config->n_stages);
    return FALSE;
  }
  for (guint i = 0; i < config->n_stages; i++) {
    guint channels = swin_model_config_channels(config, i);
    if (channels % config->n_heads[i] != 0) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"num_heads\" has %u heads for stage %u, which do not divide its %u channels.",
                  config->n_heads[i], i, channels);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean read_network(JsonObject *object, SwinModelConfig *config, GError **error) {
  if (!read_image_size(object, config, error) ||
      !swin_json_get_uint(object, "num_channels", 1, MAX_CHANNELS, &config->n_channels, error) ||
      !swin_json_get_uint(object, "patch_size", 1, MAX_PATCH, &config->patch_size, error) ||
      !swin_json_get_uint(object, "embed_dim", 1, MAX_EMBED_DIM, &config->embed_dim, error) ||
      !read_stages(object, config, error) ||
      !swin_json_get_uint(object, "window_size", 1, MAX_WINDOW, &config->window_size, error) ||
      !swin_json_get_double(object, "mlp_ratio", 1e-3, MAX_MLP_RATIO, &config->mlp_ratio, error) ||
      !swin_json_get_boolean(object, "qkv_bias", &config->qkv_bias, error) ||
      !swin_json_get_boolean(object, "patch_norm", &config->patch_norm, error) ||
      !swin_json_get_double(object, "layer_norm_eps", 1e-12, 1.0, &config->layer_norm_epsilon,
                            error)) {
    return FALSE;
  }
  if (config->patch_size > MIN(config->image_height, config->image_width)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"patch_size\" is %u, which is more than the %u x %u pixels of \"image_size\".",
                config->patch_size, config->image_width, config->image_height);
    return FALSE;
  }
  if (swin_model_config_hidden(config, 0) == 0) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"mlp_ratio\" is %g, which leaves nothing of %u channels.", config->mlp_ratio,
                config->embed_dim);
    return FALSE;
  }
  return TRUE;
}

/* Member names are class numbers in any order; every class must have its label. */
static gchar **read_labels(JsonObject *names, guint n_classes, GError **error) {
  g_auto(GStrv) labels = g_new0(gchar *, n_classes + 1);
  for (guint i = 0; i < n_classes; i++) {
    g_autofree gchar *key = g_strdup_printf("%u", i);
    JsonNode *node = json_object_get_member(names, key);
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"id2label\" has %u labels, but %s for class %u.", n_classes,
                  node == NULL ? "none" : "no string", i);
      return NULL;
    }
    labels[i] = g_strdup(json_node_get_string(node));
  }
  return g_steal_pointer(&labels);
}

static gchar **make_labels(guint n_classes) {
  gchar **labels = g_new0(gchar *, n_classes + 1);
  for (guint i = 0; i < n_classes; i++) {
    labels[i] = g_strdup_printf("LABEL_%u", i);
  }
  return labels;
}

static gchar **read_classes(JsonObject *object, SwinModelConfig *config, GError **error) {
  JsonObject *names = NULL;
  if (!swin_json_get_uint(object, "num_labels", 1, MAX_CLASSES, &config->n_classes, error) ||
      !swin_json_get_object(object, "id2label", &names, error)) {
    return NULL;
  }
  if (names == NULL) {
    return make_labels(config->n_classes);
  }
  guint n_names = json_object_get_size(names);
  if (n_names == 0 || n_names > MAX_CLASSES) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"id2label\" has %u labels, and there must be from 1 to %d.", n_names,
                MAX_CLASSES);
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

gboolean swin_model_config_parse(GBytes *json, SwinModelConfig *config, gchar ***labels,
                                 GError **error) {
  gsize length;
  const gchar *text = g_bytes_get_data(json, &length);
  g_autoptr(JsonNode) root = swin_json_parse(text, length, SWIN_ERROR_CONFIG, error);
  if (root == NULL) {
    return FALSE;
  }
  JsonObject *object = json_node_get_object(root);
  SwinModelConfig read = defaults;
  if (!check_architecture(object, error) || !read_network(object, &read, error)) {
    return FALSE;
  }
  gchar **read_names = read_classes(object, &read, error);
  if (read_names == NULL) {
    return FALSE;
  }
  *config = read;
  *labels = read_names;
  return TRUE;
}

gboolean swin_model_config_published(const gchar *name, SwinModelConfig *config) {
  static const struct {
    const gchar *name;
    guint embed_dim;
    guint depth; /* of the third stage; the others have two blocks */
    guint heads; /* of the first stage; they double from stage to stage */
  } published[] = {
      {"swin_t", 96, 6, 3},
      {"swin_s", 96, 18, 3},
      {"swin_b", 128, 18, 4},
      {"swin_l", 192, 18, 6},
  };
  for (guint i = 0; i < G_N_ELEMENTS(published); i++) {
    if (strcmp(name, published[i].name) != 0) {
      continue;
    }
    *config = defaults;
    config->embed_dim = published[i].embed_dim;
    config->depths[2] = published[i].depth;
    for (guint stage = 0; stage < config->n_stages; stage++) {
      config->n_heads[stage] = published[i].heads << stage;
    }
    config->n_classes = 1000;
    return TRUE;
  }
  return FALSE;
}
