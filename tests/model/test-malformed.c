// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checkpoints that are damaged or contradict themselves, of every family: each is refused when it
 * is loaded, with one sentence that names the tensor or the field. */
#include <math.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "fixture.h"
#include "model/export.h"
#include "model/safetensors.h"

#define N_FAMILIES 3

/* A good checkpoint of each family, which the tests damage: a file, what is in it, its config, and
 * a tensor in the middle of it. */
typedef struct {
  SwinSafetensors *file;
  gchar *content; /* of the file */
  gsize length;
  gchar *config;
  const gchar *target;
} Base;

static const gchar *const targets[N_FAMILIES] = {
    [SWIN_FAMILY_SWIN] = "swin.encoder.layers.1.blocks.0.attention.self.query.weight",
    [SWIN_FAMILY_SWIN_V2] = "swinv2.encoder.layers.1.blocks.0.attention.self.query.weight",
    [SWIN_FAMILY_VIT] = "vit.encoder.layer.1.attention.attention.query.weight",
};

static void make_config(SwinFamily family, SwinModelConfig *config) {
  swin_model_config_default(family, config);
  config->embed_dim = 8;
  config->n_classes = 3;
  config->n_heads[0] = 2;
  config->depths[0] = 2;
  if (family == SWIN_FAMILY_VIT) {
    config->image_height = config->image_width = 12;
    config->patch_size = 4;
    config->mlp_width = 16;
    return;
  }
  config->image_height = config->image_width = 16;
  config->patch_size = 2;
  config->n_stages = 2;
  config->depths[1] = 1;
  config->n_heads[1] = 4;
  for (guint stage = 0; stage < SWIN_MAX_STAGES; stage++) {
    config->window_height[stage] = config->window_width[stage] = 4;
  }
}

/* Makes the good checkpoint, and a copy of it in the folder "bad", for a test to damage. */
static Base *open_base(SwinFamily family) {
  Base *base = g_new0(Base, 1);
  SwinModelConfig config;
  GError *error = NULL;
  g_autofree gchar *folder = fixture_path("good"),
                   *weights = fixture_path("good/model.safetensors");
  g_autofree gchar *config_path = fixture_path("good/config.json");
  make_config(family, &config);
  g_autoptr(SwinModel) model = swin_model_new_from_config("good", &config, 1);
  ck_assert_msg(swin_model_export(model, folder, SWIN_DTYPE_F32, &error), "%s",
                error != NULL ? error->message : "");
  ck_assert(g_file_get_contents(weights, &base->content, &base->length, NULL));
  ck_assert(g_file_get_contents(config_path, &base->config, NULL, NULL));
  base->file = swin_safetensors_open(weights, &error);
  ck_assert_ptr_nonnull(base->file);
  base->target = targets[family];
  ck_assert_msg(swin_safetensors_has(base->file, base->target), "no %s", base->target);
  fixture_write("bad/model.safetensors", base->content, base->length);
  fixture_write_text("bad/config.json", base->config);
  return base;
}

static void close_base(Base *base) {
  swin_safetensors_free(base->file);
  g_free(base->content);
  g_free(base->config);
  g_free(base);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Base, close_base)

/* One sentence, and what it must name. */
static void check_message(const gchar *message, const gchar *part, const gchar *what) {
  ck_assert_msg(strstr(message, part) != NULL, "%s: \"%s\" is not in: %s", what, part, message);
  ck_assert_msg(g_str_has_suffix(message, "."), "%s: no sentence: %s", what, message);
  ck_assert_msg(strstr(message, ". ") == NULL && strchr(message, '\n') == NULL,
                "%s: more than a sentence: %s", what, message);
  ck_assert_msg(strlen(message) < 1000, "%s: a long sentence: %s", what, message);
}

/* Loads what is in the folder "bad". */
static void expect_refusal(const gchar *part, const gchar *what) {
  g_autofree gchar *folder = fixture_path("bad");
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinModel) model = swin_model_load(folder, NULL, &error);
  ck_assert_msg(model == NULL, "%s was accepted", what);
  ck_assert_msg(error->domain == SWIN_ERROR &&
                    (error->code == SWIN_ERROR_MODEL || error->code == SWIN_ERROR_CONFIG),
                "%s: error %d of %s", what, error->code, g_quark_to_string(error->domain));
  check_message(error->message, part, what);
}

/* The base itself must load, or nothing that is said about its damage counts. */
START_TEST(good) {
  for (guint family = 0; family < N_FAMILIES; family++) {
    g_autoptr(Base) base = open_base((SwinFamily)family);
    g_autofree gchar *folder = fixture_path("good");
    GError *error = NULL;
    g_autoptr(SwinModel) model = swin_model_load(folder, NULL, &error);
    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
  }
}
END_TEST

/* ---- Tensors -------------------------------------------------------------------------------- */

/* Every tensor of the base that matters, to be changed; names and data are the base's. */
static GArray *list_tensors(const Base *base) {
  GArray *tensors = g_array_new(FALSE, FALSE, sizeof(SwinNamedTensor));
  const GPtrArray *names = swin_safetensors_get_names(base->file);
  for (guint i = 0; i < names->len; i++) {
    SwinNamedTensor named = {.name = g_ptr_array_index(names, i), .factor = 1.0f};
    if (swin_safetensors_lookup(base->file, named.name, &named.tensor, NULL)) {
      g_array_append_val(tensors, named);
    } else {
      ck_assert(g_str_has_suffix(named.name, "relative_position_index"));
    }
  }
  return tensors;
}

static guint count_tensors(const Base *base) {
  g_autoptr(GArray) tensors = list_tensors(base);
  return tensors->len;
}

static void write_tensors(const GArray *tensors) {
  g_autofree gchar *path = fixture_path("bad/model.safetensors");
  ck_assert(swin_safetensors_write_tensors(path, (const SwinNamedTensor *)(gpointer)tensors->data,
                                           tensors->len, SWIN_DTYPE_F32, NULL, NULL));
}

START_TEST(missing_tensors) {
  for (guint family = 0; family < N_FAMILIES; family++) {
    g_autoptr(Base) base = open_base((SwinFamily)family);
    const guint n_tensors = count_tensors(base);
    for (guint i = 0; i < n_tensors; i++) {
      g_autoptr(GArray) tensors = list_tensors(base);
      const gchar *name = g_array_index(tensors, SwinNamedTensor, i).name;
      g_autofree gchar *what = g_strconcat("without ", name, NULL);
      g_array_remove_index(tensors, i);
      write_tensors(tensors);
      /* Without a class token, the file is that of a ViT with a position too many. */
      expect_refusal(strstr(name, "cls_token") != NULL ? "position_embeddings" : name, what);
    }
  }
}
END_TEST

START_TEST(extra_tensor) {
  static const gchar *const names[] = {"classifier.scale", "decoy"};
  for (guint family = 0; family < N_FAMILIES; family++) {
    g_autoptr(Base) base = open_base((SwinFamily)family);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
      g_autoptr(GArray) tensors = list_tensors(base);
      SwinNamedTensor extra = g_array_index(tensors, SwinNamedTensor, 0);
      extra.name = names[i];
      g_array_append_val(tensors, extra);
      write_tensors(tensors);
      expect_refusal(names[i], names[i]);
    }
  }
}
END_TEST

/* A tensor of @tensor's values, or of some of them: in another shape, without its last row, without
 * any. FALSE where that is no change. */
static gboolean change_shape(SwinTensor *tensor, guint change) {
  const SwinTensor old = *tensor;
  const guint last = tensor->n_dims - 1;
  switch (change) {
  case 0:
    tensor->n_dims = 2;
    tensor->shape[0] = 2;
    tensor->shape[1] = old.n_elements / 2;
    break;
  case 1:
    tensor->shape[last]--;
    tensor->n_elements = old.n_elements / old.shape[last] * tensor->shape[last];
    break;
  default:
    tensor->shape[last] = tensor->n_elements = 0;
    break;
  }
  return change != 0 || (old.n_elements % 2 == 0 && (old.n_dims != 2 || old.shape[0] != 2));
}

START_TEST(wrong_shapes) {
  for (guint family = 0; family < N_FAMILIES; family++) {
    g_autoptr(Base) base = open_base((SwinFamily)family);
    const guint n_tensors = count_tensors(base);
    for (guint i = 0; i < 3 * n_tensors; i++) {
      g_autoptr(GArray) tensors = list_tensors(base);
      SwinNamedTensor *named = &g_array_index(tensors, SwinNamedTensor, i / 3);
      if (change_shape(&named->tensor, i % 3)) {
        g_autofree gchar *what = g_strdup_printf("%s of another shape (%u)", named->name, i % 3);
        write_tensors(tensors);
        expect_refusal(named->name, what);
      }
    }
  }
}
END_TEST

START_TEST(values_that_are_no_numbers) {
  static const gfloat bad_values[] = {NAN, INFINITY, -INFINITY};
  for (guint family = 0; family < N_FAMILIES; family++) {
    g_autoptr(Base) base = open_base((SwinFamily)family);
    const guint n_tensors = count_tensors(base);
    for (guint i = 0; i < n_tensors; i++) {
      g_autoptr(GArray) tensors = list_tensors(base);
      SwinNamedTensor *named = &g_array_index(tensors, SwinNamedTensor, i);
      g_autofree gfloat *values = g_new(gfloat, named->tensor.n_elements);
      swin_tensor_read(&named->tensor, 0, named->tensor.n_elements, values);
      values[i * 31 % named->tensor.n_elements] = bad_values[i % G_N_ELEMENTS(bad_values)];
      named->tensor.data = (const guint8 *)values;
      g_autofree gchar *what = g_strconcat("a bad value in ", named->name, NULL);
      const gchar *name = named->name;
      write_tensors(tensors);
      expect_refusal(name, what);
    }
  }
}
END_TEST

/* ---- Header and data ------------------------------------------------------------------------ */

/* The base's file with @header for its header and only the first @n_data_bytes of its data. */
static void write_header(const Base *base, const gchar *header, gsize n_data_bytes) {
  guint64 old_length, new_length = GUINT64_TO_LE((guint64)strlen(header));
  memcpy(&old_length, base->content, 8);
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  g_byte_array_append(bytes, (const guint8 *)&new_length, 8);
  g_byte_array_append(bytes, (const guint8 *)header, (guint)strlen(header));
  g_byte_array_append(bytes, (const guint8 *)base->content + 8 + GUINT64_FROM_LE(old_length),
                      (guint)n_data_bytes);
  fixture_write("bad/model.safetensors", bytes->data, bytes->len);
}

static gchar *get_header(const Base *base, gsize *n_data_bytes) {
  guint64 length;
  memcpy(&length, base->content, 8);
  length = GUINT64_FROM_LE(length);
  *n_data_bytes = base->length - 8 - (gsize)length;
  return g_strndup(base->content + 8, (gsize)length);
}

/* How the header describes the target, and where that lies in the data. */
static gchar *find_target(const Base *base, const gchar *header, guint64 *begin, guint64 *end) {
  g_autofree gchar *start = g_strdup_printf("\"%s\":{", base->target);
  const gchar *found = strstr(header, start);
  ck_assert_ptr_nonnull(found);
  gchar *entry = g_strndup(found, (gsize)(strchr(found, '}') - found) + 1);
  const gchar *offsets = strstr(entry, "\"data_offsets\":[");
  ck_assert_ptr_nonnull(offsets);
  *begin = g_ascii_strtoull(strchr(offsets, '[') + 1, NULL, 10);
  *end = g_ascii_strtoull(strchr(strchr(offsets, '['), ',') + 1, NULL, 10);
  return entry;
}

static void expect_header_refusal(const Base *base, const gchar *entry, const gchar *new_entry,
                                  const gchar *part) {
  gsize n_data_bytes;
  g_autofree gchar *header = get_header(base, &n_data_bytes);
  GString *changed = g_string_new(header);
  ck_assert_uint_eq(g_string_replace(changed, entry, new_entry, 0), 1);
  write_header(base, changed->str, n_data_bytes);
  expect_refusal(part, new_entry);
  g_string_free(changed, TRUE);
}

START_TEST(descriptions) {
  static const struct {
    const gchar *dtype, *shape; /* NULL: as it was */
    gint64 first, last;         /* added to the offsets */
  } changes[] = {
      {"Q4_0", NULL, 0, 0},
      {"I32", NULL, 0, 0},
      {"F64", NULL, 0, 0},
      {"BF16", NULL, 0, 0},
      {NULL, "4294967296,4294967296", 0, 0},
      {NULL, "4611686018427387904", 0, 0},
      {NULL, "18446744073709551615,2", 0, 0},
      {NULL, "-8,-8", 0, 0},
      {NULL, "0,8", 0, 0},
      {NULL, "1,1,1,1,1,1,1", 0, 0},
      {NULL, "8.5,8", 0, 0},
      {NULL, NULL, -4, -4}, /* overlaps */
      {NULL, NULL, 4, 4},   /* leaves a gap */
      {NULL, NULL, 0, 4},   /* is longer than its shape */
      {NULL, NULL, 1 << 30, 1 << 30} /* lies beyond the file */,
      {NULL, NULL, 0, G_MAXINT64 / 2},
  };
  for (guint family = 0; family < N_FAMILIES; family++) {
    g_autoptr(Base) base = open_base((SwinFamily)family);
    gsize n_data_bytes;
    guint64 begin, end;
    g_autofree gchar *header = get_header(base, &n_data_bytes);
    g_autofree gchar *entry = find_target(base, header, &begin, &end);
    SwinTensor tensor;
    ck_assert(swin_safetensors_lookup(base->file, base->target, &tensor, NULL));
    g_autofree gchar *shape =
        g_strdup_printf("%d,%d", (gint)tensor.shape[0], (gint)tensor.shape[1]);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
      g_autofree gchar *new_entry = g_strdup_printf(
          "\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%" G_GINT64_FORMAT
          ",%" G_GINT64_FORMAT "]}",
          base->target, changes[i].dtype != NULL ? changes[i].dtype : "F32",
          changes[i].shape != NULL ? changes[i].shape : shape, (gint64)begin + changes[i].first,
          (gint64)end + changes[i].last);
      expect_header_refusal(base, entry, new_entry, base->target);
    }
    g_autofree gchar *twice = g_strconcat(entry, ",", entry, NULL);
    expect_header_refusal(base, entry, twice, base->target);
    g_autofree gchar *nameless = g_strdup_printf("\"%s\":{\"dtype\":\"F32\"}", base->target);
    expect_header_refusal(base, entry, nameless, base->target);
  }
}
END_TEST

/* Cut off anywhere in the data, the first tensor that is not whole is told. */
START_TEST(truncated_data) {
  for (guint family = 0; family < N_FAMILIES; family++) {
    g_autoptr(Base) base = open_base((SwinFamily)family);
    gsize n_data_bytes;
    guint64 begin, end;
    g_autofree gchar *header = get_header(base, &n_data_bytes);
    g_autofree gchar *entry = find_target(base, header, &begin, &end);
    write_header(base, header, n_data_bytes - 1);
    expect_refusal("\"classifier.bias\"", "one byte less");
    write_header(base, header, (gsize)end - 1);
    expect_refusal(base->target, "half of a file");
    write_header(base, header, 0);
    expect_refusal("its tensor \"", "a header alone");
  }
}
END_TEST

START_TEST(header_lengths) {
  static const guint64 lengths[] = {100000001, G_MAXUINT64, G_GUINT64_CONSTANT(1) << 62};
  g_autoptr(Base) base = open_base(SWIN_FAMILY_SWIN);
  for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
    g_autofree gchar *content = g_memdup2(base->content, base->length);
    const guint64 length = GUINT64_TO_LE(lengths[i]);
    memcpy(content, &length, 8);
    fixture_write("bad/model.safetensors", content, base->length);
    expect_refusal("header", "a huge header");
  }
}
END_TEST

/* ---- Config --------------------------------------------------------------------------------- */

/* The base with one field of its config changed to @json. */
static void expect_config_refusal(const Base *base, const gchar *field, const gchar *json,
                                  const gchar *part) {
  g_autoptr(JsonNode) root = json_from_string(base->config, NULL);
  g_autofree gchar *what = g_strdup_printf("\"%s\": %s", field, json);
  json_object_set_member(json_node_get_object(root), field, json_from_string(json, NULL));
  g_autofree gchar *text = json_to_string(root, FALSE);
  fixture_write_text("bad/config.json", text);
  expect_refusal(part, what);
}

static const struct {
  gint family; /* -1: Swin of both versions */
  const gchar *field, *json, *part;
} contradictions[] = {
    {-1, "depths", "[2,2]", ".encoder.layers.1.blocks.1."},
    {-1, "depths", "[2,0]", "\"depths\""},
    {-1, "depths", "[1,1]", ".encoder.layers.0.blocks.1."},
    {-1, "depths", "[2]", "\"num_heads\""},
    {-1, "depths", "[2,-1]", "\"depths\""},
    {-1, "depths", "[2,1000000]", "\"depths\""},
    {-1, "depths", "\"2, 1\"", "\"depths\""},
    {-1, "num_heads", "[3,4]", "\"num_heads\""},
    {-1, "num_heads", "[2,0]", "\"num_heads\""},
    {-1, "num_heads", "[2,2]", ".encoder.layers.1.blocks.0.attention.self."},
    {-1, "num_heads", "[2,4,8]", "\"num_heads\""},
    {-1, "embed_dim", "16", ".embeddings.patch_embeddings.projection.weight\""},
    {-1, "embed_dim", "9", "\"num_heads\""},
    {-1, "embed_dim", "-8", "\"embed_dim\""},
    {-1, "embed_dim", "4294967304", "\"embed_dim\""},
    {-1, "window_size", "-7", "\"window_size\""},
    {-1, "window_size", "0", "\"window_size\""},
    {-1, "window_size", "1e9", "\"window_size\""},
    {SWIN_FAMILY_SWIN, "window_size", "5", "relative_position_bias_table\""},
    {SWIN_FAMILY_SWIN_V2, "pretrained_window_sizes", "[-1,0]", "\"pretrained_window_sizes\""},
    {SWIN_FAMILY_SWIN_V2, "pretrained_window_sizes", "[6]", "\"pretrained_window_sizes\""},
    {-1, "mlp_ratio", "3.0", ".intermediate.dense.weight\""},
    {-1, "mlp_ratio", "0.0", "\"mlp_ratio\""},
    {-1, "mlp_ratio", "1e300", "\"mlp_ratio\""},
    {-1, "use_absolute_embeddings", "true", ".embeddings.position_embeddings\""},
    {SWIN_FAMILY_SWIN, "model_type", "\"swinv2\"", "\"model_type\""},
    {SWIN_FAMILY_SWIN_V2, "model_type", "\"swin\"", "\"model_type\""},
    {-1, "model_type", "\"vit\"", "\"model_type\""},
    {SWIN_FAMILY_VIT, "model_type", "\"swin\"", "\"model_type\""},
    {SWIN_FAMILY_VIT, "hidden_size", "16", "\"vit.embeddings."},
    {SWIN_FAMILY_VIT, "hidden_size", "0", "\"hidden_size\""},
    {SWIN_FAMILY_VIT, "num_hidden_layers", "3", "\"vit.encoder.layer.2."},
    {SWIN_FAMILY_VIT, "num_hidden_layers", "1", "\"vit.encoder.layer.1."},
    {SWIN_FAMILY_VIT, "num_hidden_layers", "-1", "\"num_hidden_layers\""},
    {SWIN_FAMILY_VIT, "num_attention_heads", "3", "\"num_attention_heads\""},
    {SWIN_FAMILY_VIT, "intermediate_size", "24", ".intermediate.dense.weight\""},
    {SWIN_FAMILY_VIT, "image_size", "16", "\"vit.embeddings.position_embeddings\""},
};

/* Of every family. */
static const struct {
  const gchar *field, *json, *part;
} wrong_fields[] = {
    {"model_type", "\"resnet\"", "\"model_type\""},
    {"image_size", "0", "\"image_size\""},
    {"image_size", "[16,-16]", "\"image_size\""},
    {"image_size", "\"large\"", "\"image_size\""},
    {"patch_size", "-2", "\"patch_size\""},
    {"patch_size", "100", "\"patch_size\""},
    {"patch_size", "3", "patch_embeddings.projection.weight\""},
    {"num_channels", "1", "patch_embeddings.projection.weight\""},
    {"qkv_bias", "false", ".bias\""},
    {"qkv_bias", "7", "\"qkv_bias\""},
    {"layer_norm_eps", "-1e-5", "\"layer_norm_eps\""},
    {"layer_norm_eps", "\"small\"", "\"layer_norm_eps\""},
    {"hidden_act", "\"relu\"", "\"hidden_act\""},
    {"problem_type", "\"regression\"", "\"problem_type\""},
    {"id2label", "{\"0\":\"a\",\"1\":\"b\"}", "\"classifier.weight\""},
    {"id2label", "{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\",\"3\":\"d\"}", "\"classifier.weight\""},
    {"id2label", "{\"0\":\"a\",\"1\":\"b\",\"3\":\"c\"}", "\"id2label\""},
    {"id2label", "{\"0\":\"a\",\"1\":7,\"2\":\"c\"}", "\"id2label\""},
    {"id2label", "{}", "\"classifier."},
    {"num_labels", "2", "\"num_labels\""},
    {"num_labels", "-1", "\"num_labels\""},
};

START_TEST(contradicting_configs) {
  for (guint family = 0; family < N_FAMILIES; family++) {
    g_autoptr(Base) base = open_base((SwinFamily)family);
    for (guint i = 0; i < G_N_ELEMENTS(contradictions); i++) {
      const gint wanted = contradictions[i].family;
      if (wanted == (gint)family || (wanted == -1 && family != SWIN_FAMILY_VIT)) {
        expect_config_refusal(base, contradictions[i].field, contradictions[i].json,
                              contradictions[i].part);
      }
    }
    for (guint i = 0; i < G_N_ELEMENTS(wrong_fields); i++) {
      expect_config_refusal(base, wrong_fields[i].field, wrong_fields[i].json,
                            wrong_fields[i].part);
    }
  }
}
END_TEST

/* What comes with timm's files, beside tensors of any names. */
START_TEST(timm_labels) {
  static const struct {
    const gchar *fields, *part;
  } cases[] = {
      {"\"label_names\":[\"a\",\"b\"]", "\"label_names\""},
      {"\"label_names\":[\"a\",\"b\",\"c\",\"d\"]", "\"label_names\""},
      {"\"label_names\":[\"a\",\"b\",7]", "\"label_names\""},
      {"\"num_classes\":-3", "\"num_classes\""},
  };
  g_autoptr(Base) base = open_base(SWIN_FAMILY_SWIN);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree gchar *config =
        g_strdup_printf("{\"architecture\":\"swin_tiny_patch2_window4_16\",%s}", cases[i].fields);
    fixture_write_text("bad/config.json", config);
    expect_refusal(cases[i].part, cases[i].fields);
  }
}
END_TEST

START_TEST(texts_that_are_no_configs) {
  static const struct {
    const gchar *text, *part;
  } cases[] = {
      {"", "config.json"},
      {"{", "config.json"},
      {"[1]", "config.json"},
      {"{\"depths\":[2,1],\"depths\":[2,1]}", "\"depths\""},
  };
  g_autoptr(Base) base = open_base(SWIN_FAMILY_SWIN_V2);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    fixture_write_text("bad/config.json", cases[i].text);
    expect_refusal(cases[i].part, cases[i].text);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {good,
                                missing_tensors,
                                extra_tensor,
                                wrong_shapes,
                                values_that_are_no_numbers,
                                descriptions,
                                truncated_data,
                                header_lengths,
                                contradicting_configs,
                                timm_labels,
                                texts_that_are_no_configs};
  return fixture_run("malformed", tests, G_N_ELEMENTS(tests));
}
