// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/config-read.h"

#include <string.h>

#include "model/config-shapes.h"
#include "model/json.h"
#include "model/quote.h"

/* What a timm config.json says, each NULL where it does not. */
typedef struct {
  JsonObject *top;
  JsonObject *args;       /* "model_args": of the network's constructor, over its architecture's */
  JsonObject *pretrained; /* "pretrained_cfg"; in files of old the whole */
  gchar *architecture;    /* without the tag after a dot; owned */
} Source;

static void source_clear(Source *source) {
  g_clear_pointer(&source->architecture, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

static gboolean source_read(JsonObject *object, Source *source, GError **error) {
  const gchar *architecture = NULL;
  source->top = source->pretrained = object;
  if (!swin_json_get_string(object, "architecture", &architecture, error) ||
      !swin_json_get_object(object, "model_args", &source->args, error) ||
      !swin_json_get_object(object, "pretrained_cfg", &source->pretrained, error)) {
    return FALSE;
  }
  if (architecture == NULL) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                        "\"architecture\" is missing, which names the network in timm's files.");
    return FALSE;
  }
  source->architecture = g_strndup(architecture, strcspn(architecture, "."));
  return TRUE;
}

/* ---- The architecture ------------------------------------------------------------------------ */

/* Their tensors look like those of a network that can be run, but they compute something else. */
static const struct {
  const gchar *pattern;
  const gchar *reason;
} other_networks[] = {
    {"swinv2_cr_*", "which is another architecture than Swin V2"},
    {"*_rpn_*", "whose blocks normalise after attention and MLP"},
    {"*quickgelu*", "whose activation is QuickGELU"},
    {"vit_base_patch32_siglip_gap_256", "whose activation is the tanh form of GELU"},
    {"vit_large_patch16_siglip_gap_512", "whose activation is the tanh form of GELU"},
    {"vit_so400m_patch16_siglip_gap_*", "whose activation is the tanh form of GELU"},
    {"vit_giantopt_*", "whose activation is the tanh form of GELU"},
};

static const struct {
  const gchar *prefix;
  SwinFamily family;
} families[] = {
    {"swin_", SWIN_FAMILY_SWIN},     {"swinv2_", SWIN_FAMILY_SWIN_V2},
    {"vit_", SWIN_FAMILY_VIT},       {"deit_", SWIN_FAMILY_VIT},
    {"deit3_", SWIN_FAMILY_VIT},     {"flexivit_", SWIN_FAMILY_VIT},
    {"eva_large_", SWIN_FAMILY_VIT}, {"test_vit", SWIN_FAMILY_VIT},
};

static gboolean check_architecture(const gchar *architecture, SwinFamily family, GError **error) {
  g_autofree gchar *shown = swin_quote(architecture);
  for (guint i = 0; i < G_N_ELEMENTS(other_networks); i++) {
    if (g_pattern_match_simple(other_networks[i].pattern, architecture)) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"architecture\" is %s, %s, and cannot be run.", shown,
                  other_networks[i].reason);
      return FALSE;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
    if (!g_str_has_prefix(architecture, families[i].prefix)) {
      continue;
    }
    if (families[i].family == family) {
      return TRUE;
    }
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"architecture\" is %s, but the tensors are those of another network.", shown);
    return FALSE;
  }
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "\"architecture\" is %s, and only those of timm's Swin, Swin V2, ViT and DeiT can be "
              "run.",
              shown);
  return FALSE;
}

/* Arguments that change what is computed and leave no trace in the tensors. */
static gboolean check_arguments(JsonObject *args, GError **error) {
  static const gchar *const layers[] = {"norm_layer", "embed_norm_layer", "attn_layer",
                                        "mlp_layer",  "block_fn",         "embed_layer"};
  static const gchar *const switches[] = {"always_partition", "pool_include_prefix",
                                          "dynamic_img_pad"};
  if (args == NULL) {
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(layers); i++) {
    if (swin_json_has(args, layers[i])) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"%s\" is set, and only the layers that timm has by default can be run.",
                  layers[i]);
      return FALSE;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS(switches); i++) {
    gboolean on = FALSE;
    if (!swin_json_get_boolean(args, switches[i], &on, error)) {
      return FALSE;
    }
    if (on) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"%s\" is true, and only networks without it can be run.", switches[i]);
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* The number after the first @mark in @text. FALSE where there is none. */
static gboolean find_number(const gchar *text, const gchar *mark, guint *number) {
  const gchar *at = strstr(text, mark);
  if (at == NULL || !g_ascii_isdigit(at[strlen(mark)])) {
    return FALSE;
  }
  guint64 value = g_ascii_strtoull(at + strlen(mark), NULL, 10);
  if (value == 0 || value > SWIN_CONFIG_MAX_IMAGE) {
    return FALSE;
  }
  *number = (guint)value;
  return TRUE;
}

/* "swin_tiny_patch4_window7_224" and "swinv2_base_window12to24_192to384" end with the image. */
static void read_image_of_name(const gchar *architecture, SwinModelConfig *config) {
  const gchar *last = strrchr(architecture, '_');
  guint side;
  if (last != NULL && (find_number(last, "to", &side) || find_number(last, "_", &side))) {
    config->image_height = config->image_width = side;
  }
}

/* [channels, height, width] */
static gboolean read_input_size(JsonObject *object, SwinModelConfig *config, GError **error) {
  guint sizes[3] = {config->n_channels, config->image_height, config->image_width}, n_sizes = 3;
  if (!swin_json_get_uints(object, "input_size", 3, 3, 1, SWIN_CONFIG_MAX_IMAGE, sizes, &n_sizes,
                           error)) {
    return FALSE;
  }
  config->image_height = sizes[1];
  config->image_width = sizes[2];
  return TRUE;
}

/* As timm's _parse_model_cfg: "img_size" comes before "input_size". */
static gboolean read_image(const Source *source, SwinModelConfig *config, GError **error) {
  read_image_of_name(source->architecture, config);
  return read_input_size(source->pretrained, config, error) &&
         (source->args == NULL ||
          swin_json_get_pair(source->args, "img_size", 1, SWIN_CONFIG_MAX_IMAGE,
                             &config->image_height, &config->image_width, error));
}

/* ---- Swin's windows -------------------------------------------------------------------------- */

/* Swin-S3 (arXiv:2111.14725) has another window in some stages. */
static const struct {
  const gchar *prefix;
  guint windows[4];
} searched[] = {
    {"swin_s3_tiny", {7, 7, 14, 7}},
    {"swin_s3_small", {14, 14, 14, 7}},
    {"swin_s3_base", {7, 7, 14, 7}},
};

static gboolean read_searched_windows(const gchar *architecture, SwinModelConfig *config) {
  for (guint i = 0; i < G_N_ELEMENTS(searched); i++) {
    if (!g_str_has_prefix(architecture, searched[i].prefix) ||
        config->n_stages != G_N_ELEMENTS(searched[i].windows)) {
      continue;
    }
    for (guint stage = 0; stage < config->n_stages; stage++) {
      config->window_height[stage] = config->window_width[stage] = searched[i].windows[stage];
    }
    return TRUE;
  }
  return FALSE;
}

/* "window12to24_192to384": fine-tuned with windows of 24 at 384 pixels, after training with 12 at
 * 192, where the last maps were smaller than that. */
static void read_windows_of_name(const gchar *architecture, SwinModelConfig *config) {
  guint window, trained = 0, trained_image = 0;
  const gchar *at = strstr(architecture, "_window");
  if (at == NULL || !find_number(at, "_window", &window)) {
    return;
  }
  g_auto(GStrv) parts = g_strsplit(at + 1, "_", 2);
  guint transferred;
  if (find_number(parts[0], "to", &transferred) && parts[1] != NULL) {
    trained = window;
    window = transferred;
    trained_image = (guint)MIN(g_ascii_strtoull(parts[1], NULL, 10), SWIN_CONFIG_MAX_IMAGE);
  }
  for (guint stage = 0; stage < config->n_stages; stage++) {
    config->window_height[stage] = config->window_width[stage] = window;
    config->pretrained_window[stage] = MIN(trained, (trained_image / config->patch_size) >> stage);
  }
}

static gboolean read_pretrained_windows(JsonObject *args, SwinModelConfig *config, GError **error) {
  guint n_windows = SWIN_MAX_STAGES;
  if (!swin_json_get_uints(args, "pretrained_window_sizes", 1, SWIN_MAX_STAGES, 0,
                           SWIN_CONFIG_MAX_WINDOW, config->pretrained_window, &n_windows, error)) {
    return FALSE;
  }
  if (n_windows < config->n_stages) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"pretrained_window_sizes\" is of length %u, and the network has %u stages.",
                n_windows, config->n_stages);
    return FALSE;
  }
  return TRUE;
}

/* Where the name does not tell, V1's tables do. */
static gboolean read_windows(const Source *source, const SwinDialectMatch *match,
                             SwinModelConfig *config, GError **error) {
  const gboolean named = strstr(source->architecture, "_window") != NULL;
  const gboolean given = source->args != NULL && swin_json_has(source->args, "window_size");
  if (named) {
    read_windows_of_name(source->architecture, config);
  } else if (!read_searched_windows(source->architecture, config) && !given &&
             match->family == SWIN_FAMILY_SWIN &&
             !swin_config_read_table_windows(match, config, error)) {
    return FALSE;
  }
  return source->args == NULL ||
         (swin_json_get_pairs(source->args, "window_size", config->n_stages, 1,
                              SWIN_CONFIG_MAX_WINDOW, config->window_height, config->window_width,
                              error) &&
          (match->family != SWIN_FAMILY_SWIN_V2 ||
           read_pretrained_windows(source->args, config, error)));
}

/* ---- ViT's heads and pooling ----------------------------------------------------------------- */

/* Heads of 64 channels, but in these (timm's vision_transformer.py). */
static guint get_heads(const gchar *architecture, guint embed_dim) {
  static const struct {
    const gchar *pattern;
    guint heads;
  } others[] = {
      {"vit_base_patch16_gap_*", 16},
      {"vit_so400m_*", 16},
      {"vit_huge_*", 16},
      {"vit_giant_*", 16},
      {"vit_gigantic_*", 16},
      {"test_vit", 2},
      {"deit3_huge_*", 16},
      {"test_vit2", 2},
  };
  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    if (g_pattern_match_simple(others[i].pattern, architecture)) {
      return others[i].heads;
    }
  }
  return MAX(1, embed_dim / 64);
}

static gboolean read_vit(const Source *source, const SwinDialectMatch *match,
                         SwinModelConfig *config, GError **error) {
  config->n_heads[0] = get_heads(source->architecture, config->embed_dim);
  /* Positions of prefix tokens are told by the size of the image, which is known by now. */
  return (source->args == NULL ||
          swin_json_get_uint(source->args, "num_heads", 1, SWIN_CONFIG_MAX_HEADS,
                             &config->n_heads[0], error)) &&
         swin_config_read_tokens(match, config, error);
}

/* What the constructor was told comes first; the top level describes the result. */
static gboolean read_pool(const Source *source, SwinModelConfig *config, GError **error) {
  const gchar *pool = NULL;
  if (!swin_json_get_string(source->top, "global_pool", &pool, error) ||
      !swin_json_get_string(source->pretrained, "global_pool", &pool, error) ||
      (source->args != NULL && !swin_json_get_string(source->args, "global_pool", &pool, error))) {
    return FALSE;
  }
  if (pool == NULL) {
    return TRUE;
  }
  if (strcmp(pool, "avg") == 0) {
    config->pool = SWIN_POOL_MEAN;
  } else if (strcmp(pool, "token") == 0 && config->family == SWIN_FAMILY_VIT) {
    config->pool = SWIN_POOL_TOKEN;
  } else {
    g_autofree gchar *shown = swin_quote(pool);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"global_pool\" is %s, and only %s can be run.", shown,
                config->family == SWIN_FAMILY_VIT ? "\"token\" and \"avg\"" : "\"avg\"");
    return FALSE;
  }
  return TRUE;
}

/* ---- Classes --------------------------------------------------------------------------------- */

/* The member of that name at the top or in "pretrained_cfg", in this order. */
static JsonNode *find_member(const Source *source, const gchar *name) {
  JsonObject *object = swin_json_has(source->top, name) ? source->top : source->pretrained;
  return swin_json_has(object, name) ? json_object_get_member(object, name) : NULL;
}

/* Of class @index: an array has one for each, an object may have gaps. */
static JsonNode *get_name(JsonNode *names, guint index) {
  if (JSON_NODE_HOLDS_ARRAY(names)) {
    return json_array_get_element(json_node_get_array(names), index);
  }
  g_autofree gchar *key = g_strdup_printf("%u", index);
  return json_object_get_member(json_node_get_object(names), key);
}

/* "label_descriptions" has words for names that are numbers, such as WordNet's. */
static const gchar *describe(JsonObject *descriptions, const gchar *name) {
  JsonNode *node = descriptions != NULL ? json_object_get_member(descriptions, name) : NULL;
  return node != NULL && swin_json_holds_string(node) ? json_node_get_string(node) : name;
}

static gboolean check_names(JsonNode *names, guint n_classes, GError **error) {
  const gboolean array = JSON_NODE_HOLDS_ARRAY(names);
  if (!array && !JSON_NODE_HOLDS_OBJECT(names)) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                        "\"label_names\" must be an array or an object of strings.");
    return FALSE;
  }
  const guint n_names = array ? json_array_get_length(json_node_get_array(names))
                              : json_object_get_size(json_node_get_object(names));
  if (array ? n_names != n_classes : n_names > n_classes) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"label_names\" has %u labels where \"num_classes\" says %u.", n_names, n_classes);
    return FALSE;
  }
  return TRUE;
}

static gchar **read_labels(const Source *source, guint n_classes, GError **error) {
  JsonNode *names = find_member(source, "label_names");
  JsonObject *descriptions = NULL;
  if (names == NULL) {
    return swin_config_make_labels(n_classes);
  }
  if (!check_names(names, n_classes, error) ||
      !swin_json_get_object(source->pretrained, "label_descriptions", &descriptions, error) ||
      !swin_json_get_object(source->top, "label_descriptions", &descriptions, error)) {
    return NULL;
  }
  g_auto(GStrv) labels = swin_config_make_labels(n_classes);
  for (guint i = 0; i < n_classes; i++) {
    JsonNode *name = get_name(names, i);
    if (name == NULL) {
      continue;
    }
    if (!swin_json_holds_string(name)) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"label_names\" has no string for class %u.", i);
      return NULL;
    }
    g_free(labels[i]);
    labels[i] = g_strdup(describe(descriptions, json_node_get_string(name)));
  }
  return g_steal_pointer(&labels);
}

static gboolean read_classes(const Source *source, SwinModelConfig *config, GError **error) {
  return swin_json_get_uint(source->pretrained, "num_classes", 0, SWIN_CONFIG_MAX_CLASSES,
                            &config->n_classes, error) &&
         swin_json_get_uint(source->top, "num_classes", 0, SWIN_CONFIG_MAX_CLASSES,
                            &config->n_classes, error) &&
         swin_config_read_activation(source->top, config, error);
}

gboolean swin_config_read_timm(JsonObject *object, const SwinDialectMatch *match,
                               SwinModelConfig *config, gchar ***labels, GError **error) {
  g_auto(Source) source = {NULL, NULL, NULL, NULL};
  SwinModelConfig read;
  if (!source_read(object, &source, error) ||
      !check_architecture(source.architecture, match->family, error) ||
      !check_arguments(source.args, error) || !swin_config_read_shapes(match, &read, error) ||
      (source.args != NULL &&
       !swin_config_read_gelu(source.args, "act_layer", &read.tanh_gelu, error)) ||
      !read_image(&source, &read, error) || !read_classes(&source, &read, error) ||
      !(match->family == SWIN_FAMILY_VIT ? read_vit(&source, match, &read, error)
                                         : read_windows(&source, match, &read, error)) ||
      !read_pool(&source, &read, error)) {
    return FALSE;
  }
  gchar **read_names = read_labels(&source, read.n_classes, error);
  if (read_names == NULL) {
    return FALSE;
  }
  *config = read;
  *labels = read_names;
  return TRUE;
}
