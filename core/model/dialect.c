// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/dialect.h"

#include <string.h>

#include "model/dialect-names.h"
#include "model/quote.h"
#include "swin.h"

/* ---- Whose file it is ----------------------------------------------------------------------- */

/* Whether a name in @file begins with the three. */
static gboolean has_stem(SwinSafetensors *file, const gchar *prefix, const gchar *stem) {
  const GPtrArray *names = swin_safetensors_get_names(file);
  const gsize length = strlen(prefix);
  for (guint i = 0; i < names->len; i++) {
    const gchar *name = g_ptr_array_index(names, i);
    if (g_str_has_prefix(name, prefix) && g_str_has_prefix(name + length, stem)) {
      return TRUE;
    }
  }
  return FALSE;
}

/* Only V2 has an MLP for its position bias. */
static gboolean is_second_generation(SwinSafetensors *file, const gchar *prefix) {
  static const gchar *const marks[] = {".logit_scale", ".cpb_mlp.",
                                       ".continuous_position_bias_mlp."};
  if (strcmp(prefix, "swinv2.") == 0) {
    return TRUE;
  }
  const GPtrArray *names = swin_safetensors_get_names(file);
  for (guint i = 0; i < names->len; i++) {
    for (guint j = 0; j < G_N_ELEMENTS(marks); j++) {
      if (strstr(g_ptr_array_index(names, i), marks[j]) != NULL) {
        return TRUE;
      }
    }
  }
  return FALSE;
}

/* Microsoft's first stage ends with a merging, timm's has none. A network of one stage has none at
 * all, and only its head tells. */
static gboolean is_microsoft(SwinSafetensors *file, const gchar *prefix) {
  return has_stem(file, prefix, "layers.0.downsample.") ||
         (!has_stem(file, prefix, "layers.1.") && has_stem(file, prefix, "head.") &&
          !has_stem(file, prefix, "head.fc."));
}

static gboolean find_stem(SwinSafetensors *file, SwinFamily family, SwinDialect dialect,
                          SwinDialectMatch *match) {
  const gchar *const *stems = swin_dialect_get_stems(family, dialect);
  const gchar *const *prefixes = swin_dialect_get_prefixes(family, dialect);
  for (; stems != NULL && *stems != NULL; stems++) {
    for (guint i = 0; prefixes[i] != NULL; i++) {
      if (has_stem(file, prefixes[i], *stems)) {
        *match = (SwinDialectMatch){file, family, dialect, prefixes[i]};
        return TRUE;
      }
    }
  }
  return FALSE;
}

/* The first tensor that says that the network is none of ours. */
static gboolean check_foreign(SwinSafetensors *file, GError **error) {
  const GPtrArray *names = swin_safetensors_get_names(file);
  for (guint i = 0; i < names->len; i++) {
    const gchar *name = g_ptr_array_index(names, i);
    const gchar *what = swin_dialect_find_foreign(name);
    if (what != NULL) {
      g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(file));
      g_autofree gchar *shown = swin_quote(name);
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                  "The file %s holds %s, as its tensor %s tells, and that cannot be run.", path,
                  what, shown);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean swin_dialect_detect(SwinSafetensors *file, SwinDialectMatch *match, GError **error) {
  static const SwinDialect dialects[] = {SWIN_DIALECT_HUGGING_FACE, SWIN_DIALECT_TIMM,
                                         SWIN_DIALECT_TORCHVISION};
  static const SwinFamily families[] = {SWIN_FAMILY_SWIN, SWIN_FAMILY_VIT};
  if (!check_foreign(file, error)) {
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(families) * G_N_ELEMENTS(dialects); i++) {
    const SwinFamily family = families[i % G_N_ELEMENTS(families)];
    if (!find_stem(file, family, dialects[i / G_N_ELEMENTS(families)], match)) {
      continue;
    }
    if (family == SWIN_FAMILY_SWIN) {
      match->family =
          is_second_generation(file, match->prefix) ? SWIN_FAMILY_SWIN_V2 : SWIN_FAMILY_SWIN;
      if (match->dialect == SWIN_DIALECT_TIMM && is_microsoft(file, match->prefix)) {
        match->dialect = SWIN_DIALECT_MICROSOFT;
      }
    }
    return TRUE;
  }
  const GPtrArray *names = swin_safetensors_get_names(file);
  g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(file));
  g_autofree gchar *first = swin_quote(names->len > 0 ? g_ptr_array_index(names, 0) : "");
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "The file %s holds no Swin network or Vision Transformer with the tensor names of "
              "Hugging Face, timm, torchvision or Microsoft; its first tensor is %s.",
              path, first);
  return FALSE;
}

/* ---- One tensor ----------------------------------------------------------------------------- */

/* Where a slot was found. */
typedef struct {
  gchar *name; /* owned */
  gint part;
  gboolean there; /* else the name is the one that it should have */
} Place;

static void place_clear(Place *place) {
  g_clear_pointer(&place->name, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static gchar *make_name(const SwinDialectMatch *match, const gchar *pattern, guint stage,
                        guint block) {
  g_autofree gchar *name = swin_layout_expand(pattern, stage, block);
  return *name == '/' ? g_strdup(name + 1) : g_strconcat(match->prefix, name, NULL);
}

/* The name is NULL where the dialect has no such tensor. */
static void find_place(const SwinDialectMatch *match, SwinTensorRole role, guint stage, guint block,
                       Place *place) {
  const SwinTensorName *names = swin_dialect_get_names(match->family, match->dialect, role);
  *place = (Place){NULL, -1, FALSE};
  for (guint i = 0; i < SWIN_TENSOR_MAX_NAMES && names[i].pattern != NULL; i++) {
    g_autofree gchar *name = make_name(match, names[i].pattern, stage, block);
    const gboolean there = swin_safetensors_has(match->file, name);
    if (there || i == 0) {
      place_clear(place);
      *place = (Place){g_steal_pointer(&name), names[i].part, there};
    }
    if (there) {
      return;
    }
  }
}

gchar *swin_dialect_find(const SwinDialectMatch *match, SwinTensorRole role, guint stage,
                         guint block, SwinTensor *whole) {
  g_auto(Place) place = {NULL, -1, FALSE};
  find_place(match, role, stage, block, &place);
  if (!place.there || !swin_safetensors_lookup(match->file, place.name, whole, NULL)) {
    return NULL;
  }
  return g_steal_pointer(&place.name);
}

gchar *swin_dialect_hugging_face_name(SwinFamily family, const SwinTensorSlot *slot) {
  const SwinTensorName *names =
      swin_dialect_get_names(family, SWIN_DIALECT_HUGGING_FACE, slot->role);
  const SwinDialectMatch match = {
      .family = family,
      .dialect = SWIN_DIALECT_HUGGING_FACE,
      .prefix = family == SWIN_FAMILY_SWIN      ? "swin."
                : family == SWIN_FAMILY_SWIN_V2 ? "swinv2."
                                                : "vit.",
  };
  return names[0].pattern != NULL ? make_name(&match, names[0].pattern, slot->stage, slot->block)
                                  : NULL;
}

/* ---- All tensors of a layout ---------------------------------------------------------------- */

/* What the functions below share while they go through a layout. */
typedef struct {
  const SwinDialectMatch *match;
  gboolean resizable;
  GHashTable *used;    /* names of the file that have a place */
  guint64 n_registers; /* that the layout has */
  gboolean no_class;   /* the file has registers, but no class token: the first register is it */
  guint64 hidden;      /* width of the position bias MLP, as its first tensor has it */
} Mapping;

static void mapping_clear(Mapping *mapping) {
  g_clear_pointer(&mapping->used, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Mapping, mapping_clear)

/* A shape as the file should have it. */
typedef struct {
  guint n_dims;
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
} Shape;

static Mapping mapping_begin(const SwinDialectMatch *match, const GPtrArray *layout,
                             gboolean resizable) {
  Mapping mapping = {.match = match, .resizable = resizable, .hidden = SWIN_BIAS_MLP_HIDDEN};
  mapping.used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < layout->len; i++) {
    const SwinTensorSlot *slot = g_ptr_array_index(layout, i);
    if (slot->role == SWIN_ROLE_REGISTER_TOKENS) {
      mapping.n_registers = slot->shape[0];
    }
  }
  g_auto(Place) class_token = {NULL, -1, FALSE}, registers = {NULL, -1, FALSE};
  find_place(match, SWIN_ROLE_CLASS_TOKEN, 0, 0, &class_token);
  find_place(match, SWIN_ROLE_REGISTER_TOKENS, 0, 0, &registers);
  mapping.no_class = !class_token.there && registers.there;
  return mapping;
}

static gboolean grows(SwinTensorRole role) {
  return role == SWIN_ROLE_BIAS_TABLE || role == SWIN_ROLE_POSITION_EMBEDDING;
}

/* Which rows of the tensor in the file the slot has, and how many it must have. */
static void find_rows(const Mapping *mapping, const SwinTensorSlot *slot, const Place *place,
                      guint64 *first, guint64 *n_rows) {
  *first = 0;
  *n_rows = slot->shape[0];
  if (place->part >= 0) {
    *first = (guint64)place->part * slot->shape[0];
    *n_rows = 3 * slot->shape[0];
  } else if (mapping->no_class && swin_role_is_prefix_token(slot->role)) {
    *first = slot->role == SWIN_ROLE_REGISTER_TOKENS ? 1 : 0;
    *n_rows = 1 + mapping->n_registers;
  }
}

/* The shape that a file should have for @slot, without dimensions that are only there to be 1. */
static Shape get_shape(Mapping *mapping, const SwinTensorSlot *slot, guint64 n_rows,
                       const SwinTensor *whole) {
  Shape wanted = {.n_dims = slot->n_dims};
  memcpy(wanted.shape, slot->shape, sizeof wanted.shape);
  wanted.shape[0] = n_rows;
  switch (slot->role) {
  case SWIN_ROLE_BIAS_MLP1_WEIGHT:
    if (whole->n_dims == 2 && whole->shape[0] > 0) {
      mapping->hidden = whole->shape[0];
    }
    wanted.shape[0] = mapping->hidden;
    break;
  case SWIN_ROLE_BIAS_MLP1_BIAS:
    wanted.shape[0] = mapping->hidden;
    break;
  case SWIN_ROLE_BIAS_MLP2_WEIGHT:
    wanted.shape[1] = mapping->hidden;
    break;
  default:
    if (mapping->resizable && grows(slot->role) && whole->n_dims >= 2) {
      wanted.shape[0] = whole->shape[whole->n_dims - 2];
    }
  }
  return wanted;
}

/* Tokens and position embeddings are [1, n, C] in files, logit scales [heads, 1, 1]. */
static Shape add_ones(const Shape *shape, SwinTensorRole role, guint n_dims) {
  Shape with_ones = *shape;
  if ((swin_role_is_prefix_token(role) || role == SWIN_ROLE_POSITION_EMBEDDING) && n_dims == 3) {
    with_ones = (Shape){3, {1, shape->shape[0], shape->shape[1]}};
  } else if (role == SWIN_ROLE_LOGIT_SCALE && n_dims == 3) {
    with_ones = (Shape){3, {shape->shape[0], 1, 1}};
  }
  return with_ones;
}

static gboolean check_shape(const Mapping *mapping, const gchar *name, const SwinTensor *tensor,
                            SwinTensorRole role, const Shape *wanted, GError **error) {
  const Shape shape = add_ones(wanted, role, tensor->n_dims);
  if (tensor->n_dims == shape.n_dims &&
      memcmp(tensor->shape, shape.shape, shape.n_dims * sizeof *shape.shape) == 0) {
    return TRUE;
  }
  g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(mapping->match->file));
  g_autofree gchar *shown = swin_quote(name);
  g_autofree gchar *there = swin_shape_to_string(tensor->shape, tensor->n_dims);
  g_autofree gchar *called_for = swin_shape_to_string(shape.shape, shape.n_dims);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "The config contradicts the tensors: %s in the file %s has the shape %s, but the "
              "config calls for %s%s.",
              shown, path, there, called_for,
              grows(role) ? " (the options image-size and window-size have it resized)" : "");
  return FALSE;
}

static gboolean refuse_missing(const Mapping *mapping, const gchar *name, GError **error) {
  g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(mapping->match->file));
  g_autofree gchar *shown = swin_quote(name);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "The config contradicts the tensors: it calls for %s, which the file %s does not "
              "have.",
              shown, path);
  return FALSE;
}

static gboolean map_slot(Mapping *mapping, const SwinTensorSlot *slot, SwinTensor *tensor,
                         GError **error) {
  const SwinTensorRole role = mapping->no_class && slot->role == SWIN_ROLE_CLASS_TOKEN
                                  ? SWIN_ROLE_REGISTER_TOKENS
                                  : slot->role;
  g_auto(Place) place = {NULL, -1, FALSE};
  find_place(mapping->match, role, slot->stage, slot->block, &place);
  if (!place.there) {
    return refuse_missing(mapping, place.name != NULL ? place.name : slot->name, error);
  }
  g_hash_table_add(mapping->used, g_strdup(place.name));
  SwinTensor whole;
  guint64 first, n_rows;
  find_rows(mapping, slot, &place, &first, &n_rows);
  if (!swin_safetensors_lookup(mapping->match->file, place.name, &whole, error)) {
    return FALSE;
  }
  const Shape wanted = get_shape(mapping, slot, n_rows, &whole);
  if (!check_shape(mapping, place.name, &whole, slot->role, &wanted, error)) {
    return FALSE;
  }
  whole.n_dims = wanted.n_dims;
  memcpy(whole.shape, wanted.shape, sizeof whole.shape);
  *tensor = n_rows == slot->shape[0] ? whole : swin_tensor_rows(&whole, first, slot->shape[0]);
  return TRUE;
}

/* A tensor too many means a deeper or other network than the one that would be run. */
static gboolean check_rest(const Mapping *mapping, GError **error) {
  const SwinDialectMatch *match = mapping->match;
  const GPtrArray *all = swin_safetensors_get_names(match->file);
  for (guint i = 0; i < all->len; i++) {
    const gchar *name = g_ptr_array_index(all, i);
    if (g_hash_table_contains(mapping->used, name) ||
        swin_dialect_is_ignored(match->family, match->dialect, match->prefix, name)) {
      continue;
    }
    g_autofree gchar *path = swin_quote_path(swin_safetensors_get_path(match->file));
    g_autofree gchar *shown = swin_quote(name);
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "The config contradicts the tensors: it has no place for %s, which the file %s has.", shown,
        path);
    return FALSE;
  }
  return TRUE;
}

gboolean swin_dialect_map(const SwinDialectMatch *match, const GPtrArray *layout,
                          gboolean resizable, SwinTensor *tensors, GError **error) {
  g_auto(Mapping) mapping = mapping_begin(match, layout, resizable);
  for (guint i = 0; i < layout->len; i++) {
    if (!map_slot(&mapping, g_ptr_array_index(layout, i), &tensors[i], error)) {
      return FALSE;
    }
  }
  return check_rest(&mapping, error);
}
