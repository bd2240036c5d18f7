// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config-fixture.h"

#include <string.h>

#include "fixture.h"
#include "model/dialect-names.h"
#include "model/json.h"

struct _Weights {
  GString *header;
  GByteArray *data;
  GHashTable *names;
  SwinSafetensors *file;
  SwinDialectMatch match;
};

Weights *weights_new(void) {
  Weights *weights = g_new0(Weights, 1);
  weights->header = g_string_new("{");
  weights->data = g_byte_array_new();
  weights->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return weights;
}

void weights_free(Weights *weights) {
  g_string_free(weights->header, TRUE);
  g_byte_array_unref(weights->data);
  g_hash_table_unref(weights->names);
  swin_safetensors_free(weights->file);
  g_free(weights);
}

static void add(Weights *weights, const gchar *name, gfloat first, guint n_dims,
                const guint64 *shape) {
  if (!g_hash_table_add(weights->names, g_strdup(name))) {
    return;
  }
  guint64 n_bytes = sizeof(gfloat);
  g_autoptr(GString) sizes = g_string_new(NULL);
  for (guint i = 0; i < n_dims; i++) {
    g_string_append_printf(sizes, "%s%" G_GUINT64_FORMAT, i > 0 ? "," : "", shape[i]);
    n_bytes *= shape[i];
  }
  const guint begin = weights->data->len;
  g_byte_array_set_size(weights->data, begin + (guint)n_bytes);
  if (n_bytes > 0) {
    memset(weights->data->data + begin, 0, n_bytes);
    memcpy(weights->data->data + begin, &first, sizeof first);
  }
  g_string_append_printf(
      weights->header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%u,%u]}",
      weights->header->len > 1 ? "," : "", name, sizes->str, begin, weights->data->len);
}

void weights_add(Weights *weights, const gchar *name, gfloat first, guint n_dims, ...) {
  guint64 shape[8];
  va_list sizes;
  va_start(sizes, n_dims);
  for (guint i = 0; i < n_dims; i++) {
    shape[i] = va_arg(sizes, guint);
  }
  va_end(sizes);
  add(weights, name, first, n_dims, shape);
}

/* A name of the head has a leading '/' where others have the prefix. */
static gchar *make_name(const SwinModelConfig *config, const gchar *pattern,
                        const SwinTensorSlot *slot) {
  static const gchar *const prefixes[] = {"swin.", "swinv2.", "vit."};
  g_autofree gchar *name = swin_layout_expand(pattern, slot->stage, slot->block);
  if (*name == '/') {
    return g_strdup(name + 1);
  }
  const gboolean prefixed = config->dialect == SWIN_DIALECT_HUGGING_FACE;
  return g_strconcat(prefixed ? prefixes[config->family] : "", name, NULL);
}

void weights_add_network(Weights *weights, const SwinModelConfig *config) {
  g_autoptr(GPtrArray) layout = swin_layout_new(config);
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    const SwinTensorName *names =
        swin_dialect_get_names(config->family, config->dialect, slot->role);
    ck_assert_ptr_nonnull(names[0].pattern);
    g_autofree gchar *name = make_name(config, names[0].pattern, slot);
    guint64 shape[SWIN_TENSOR_MAX_DIMS];
    memcpy(shape, slot->shape, sizeof shape);
    shape[0] *= names[0].part < 0 ? 1 : 3;
    add(weights, name, 0.0f, slot->n_dims, shape);
  }
}

const SwinDialectMatch *weights_match(Weights *weights) {
  if (weights->file == NULL) {
    g_autoptr(GError) error = NULL;
    g_string_append_c(weights->header, '}');
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const guint64 length = GUINT64_TO_LE((guint64)weights->header->len);
    g_byte_array_append(bytes, (const guint8 *)&length, sizeof length);
    g_byte_array_append(bytes, (const guint8 *)weights->header->str, (guint)weights->header->len);
    g_byte_array_append(bytes, weights->data->data, weights->data->len);
    g_autoptr(GBytes) content = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
    weights->file = swin_safetensors_new(content, "weights.safetensors", &error);
    ck_assert_msg(weights->file != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_msg(swin_dialect_detect(weights->file, &weights->match, &error), "%s",
                  error != NULL ? error->message : "");
  }
  return &weights->match;
}

gboolean config_read(ConfigReader reader, const gchar *text, Weights *weights,
                     SwinModelConfig *config, gchar ***labels, GError **error) {
  g_autoptr(JsonNode) root = swin_json_parse(text, strlen(text), SWIN_ERROR_CONFIG, error);
  g_auto(GStrv) names = NULL;
  if (root == NULL ||
      !reader(json_node_get_object(root), weights_match(weights), config, &names, error) ||
      !swin_model_config_check(config, error)) {
    return FALSE;
  }
  ck_assert_uint_eq(g_strv_length(names), config->n_classes);
  if (labels != NULL) {
    *labels = g_steal_pointer(&names);
  }
  return TRUE;
}

void config_read_good(ConfigReader reader, const gchar *text, Weights *weights,
                      SwinModelConfig *config, gchar ***labels) {
  g_autoptr(GError) error = NULL;
  ck_assert_msg(config_read(reader, text, weights, config, labels, &error), "%s: %s", text,
                error != NULL ? error->message : "");
}

void config_set_sizes(SwinModelConfig *config, guint n_stages) {
  config->embed_dim = 24;
  config->n_stages = n_stages;
  config->n_classes = 10;
  memset(config->depths, 0, sizeof config->depths);
  memset(config->n_heads, 0, sizeof config->n_heads);
  for (guint stage = 0; stage < n_stages; stage++) {
    config->depths[stage] = 2;
    config->n_heads[stage] = 2u << stage;
  }
  if (config->family == SWIN_FAMILY_VIT) {
    config->mlp_width = 4 * config->embed_dim;
  }
}

static void assert_equal_rules(const SwinEdgeRules *a, const SwinEdgeRules *b) {
  ck_assert_int_eq(a->window, b->window);
  ck_assert_int_eq(a->table_of_clipped_window, b->table_of_clipped_window);
  ck_assert_uint_eq(a->mask, b->mask);
  ck_assert_int_eq(a->roll_before_padding, b->roll_before_padding);
  ck_assert_int_eq(a->partial_windows, b->partial_windows);
  ck_assert_int_eq(a->partial_patches, b->partial_patches);
}

void config_assert_equal(const SwinModelConfig *a, const SwinModelConfig *b) {
  ck_assert_int_eq(a->family, b->family);
  ck_assert_int_eq(a->dialect, b->dialect);
  assert_equal_rules(&a->edge_rules, &b->edge_rules);
  ck_assert_uint_eq(a->image_height, b->image_height);
  ck_assert_uint_eq(a->image_width, b->image_width);
  ck_assert_uint_eq(a->n_channels, b->n_channels);
  ck_assert_uint_eq(a->patch_size, b->patch_size);
  ck_assert_uint_eq(a->embed_dim, b->embed_dim);
  ck_assert_uint_eq(a->n_stages, b->n_stages);
  for (guint stage = 0; stage < a->n_stages; stage++) {
    ck_assert_uint_eq(a->depths[stage], b->depths[stage]);
    ck_assert_uint_eq(a->n_heads[stage], b->n_heads[stage]);
    ck_assert_uint_eq(swin_model_config_hidden(a, stage), swin_model_config_hidden(b, stage));
    if (a->family != SWIN_FAMILY_VIT) {
      ck_assert_uint_eq(a->window_height[stage], b->window_height[stage]);
      ck_assert_uint_eq(a->window_width[stage], b->window_width[stage]);
      ck_assert_uint_eq(a->pretrained_window[stage], b->pretrained_window[stage]);
    }
  }
  ck_assert_int_eq(a->tanh_gelu, b->tanh_gelu);
  ck_assert_int_eq(a->qkv_bias, b->qkv_bias);
  ck_assert_double_eq(a->layer_norm_epsilon, b->layer_norm_epsilon);
  ck_assert_double_eq(a->merging_norm_epsilon, b->merging_norm_epsilon);
  ck_assert_uint_eq(a->n_classes, b->n_classes);
  ck_assert_int_eq(a->activation, b->activation);
  ck_assert_int_eq(a->patch_norm, b->patch_norm);
  ck_assert_int_eq(a->position_embedding, b->position_embedding);
  ck_assert_uint_eq(a->n_prefix_tokens, b->n_prefix_tokens);
  ck_assert_int_eq(a->distillation_token, b->distillation_token);
  ck_assert_int_eq(a->distillation_head, b->distillation_head);
  ck_assert_int_eq(a->prefix_positions, b->prefix_positions);
  ck_assert_int_eq(a->pool, b->pool);
  ck_assert_int_eq(a->norm_before_pool, b->norm_before_pool);
}
