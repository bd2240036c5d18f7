// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/json.h"

#include <math.h>
#include <string.h>

#include "model/quote.h"

/* Nothing that is read here nests deeper than four levels. */
#define MAX_DEPTH 32

/* json-glib recurses for each level and skips comments, in which brackets and quotes would escape a
 * count; so a comment, which is not JSON, ends the scan too. */
static gboolean check_nesting(const gchar *text, gsize length, SwinError code, GError **error) {
  guint depth = 0;
  gboolean in_string = FALSE;
  for (gsize i = 0; i < length; i++) {
    gchar c = text[i];
    if (in_string) {
      if (c == '\\') {
        i++;
      } else if (c == '"') {
        in_string = FALSE;
      }
    } else if (c == '"') {
      in_string = TRUE;
    } else if (c == '/' || c == '\'' || c == '#') {
      g_set_error(error, SWIN_ERROR, (gint)code,
                  "it is not JSON: it has a '%c' outside of a string.", c);
      return FALSE;
    } else if (c == '[' || c == '{') {
      if (++depth > MAX_DEPTH) {
        g_set_error(error, SWIN_ERROR, (gint)code, "its JSON is nested more than %d levels deep.",
                    MAX_DEPTH);
        return FALSE;
      }
    } else if ((c == ']' || c == '}') && depth > 0) {
      depth--;
    }
  }
  return TRUE;
}

typedef struct {
  GHashTable *seen; /* "address of the object:member" */
  gchar *duplicate; /* first name that came twice */
} Members;

/* json-glib keeps the last of several members with one name and does not say so. An object stays
 * alive, and its address its own, while its members are being parsed. */
static void note_member(JsonParser *parser, JsonObject *object, const gchar *name,
                        Members *members) {
  (void)parser;
  if (members->duplicate == NULL &&
      !g_hash_table_add(members->seen, g_strdup_printf("%p:%s", (void *)object, name))) {
    members->duplicate = g_strdup(name);
  }
}

JsonNode *swin_json_parse(const gchar *text, gsize length, SwinError code, GError **error) {
  if (length == 0 || length > G_MAXSSIZE || !g_utf8_validate(text, (gssize)length, NULL)) {
    g_set_error(error, SWIN_ERROR, (gint)code, "it is not JSON: it is %s.",
                length == 0 ? "empty" : "not UTF-8 text");
    return NULL;
  }
  if (!check_nesting(text, length, code, error)) {
    return NULL;
  }
  g_autoptr(JsonParser) parser = json_parser_new_immutable();
  Members members = {g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), NULL};
  g_signal_connect(parser, "object-member", G_CALLBACK(note_member), &members);
  g_autoptr(GError) parse_error = NULL;
  gboolean parsed = json_parser_load_from_data(parser, text, (gssize)length, &parse_error);
  g_hash_table_unref(members.seen);
  g_autofree gchar *duplicate = members.duplicate;
  JsonNode *root = parsed ? json_parser_get_root(parser) : NULL;
  if (!parsed) {
    /* json-glib cuts the texts that it cites without regard to UTF-8. */
    g_autofree gchar *valid = g_utf8_make_valid(parse_error->message, -1);
    g_autofree gchar *reason = swin_quote(valid);
    g_set_error(error, SWIN_ERROR, (gint)code, "it is not JSON: the parser says %s.", reason);
  } else if (duplicate != NULL) {
    g_autofree gchar *name = swin_quote(duplicate);
    g_set_error(error, SWIN_ERROR, (gint)code, "it names %s twice.", name);
  } else if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
    g_set_error_literal(error, SWIN_ERROR, (gint)code, "it holds no JSON object.");
  } else {
    return json_node_ref(root);
  }
  return NULL;
}

gboolean swin_json_has(JsonObject *object, const gchar *field) {
  JsonNode *node = json_object_get_member(object, field);
  return node != NULL && !JSON_NODE_HOLDS_NULL(node);
}

gboolean swin_json_holds_string(JsonNode *node) {
  return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
}

static gboolean refuse(JsonNode *node, const gchar *field, GError **error, const gchar *wanted) {
  g_autofree gchar *text = json_to_string(node, FALSE);
  g_autofree gchar *quoted = swin_quote(text); /* JSON quotes what has to be */
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "\"%s\" must be %s, not %.*s.", field, wanted,
              (gint)strlen(quoted) - 2, quoted + 1);
  return FALSE;
}

static gboolean holds_uint(JsonNode *node, guint min, guint max, guint *value) {
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64) {
    return FALSE;
  }
  gint64 number = json_node_get_int(node);
  if (number < (gint64)min || number > (gint64)max) {
    return FALSE;
  }
  *value = (guint)number;
  return TRUE;
}

static gboolean holds_double(JsonNode *node, gdouble *value) {
  if (!JSON_NODE_HOLDS_VALUE(node)) {
    return FALSE;
  }
  GType type = json_node_get_value_type(node);
  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE) {
    return FALSE;
  }
  *value = json_node_get_double(node);
  return isfinite(*value);
}

gboolean swin_json_get_uint(JsonObject *object, const gchar *field, guint min, guint max,
                            guint *value, GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  if (holds_uint(node, min, max, value)) {
    return TRUE;
  }
  g_autofree gchar *wanted = g_strdup_printf("an integer from %u to %u", min, max);
  return refuse(node, field, error, wanted);
}

gboolean swin_json_get_double(JsonObject *object, const gchar *field, gdouble min, gdouble max,
                              gdouble *value, GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  gdouble number;
  if (holds_double(node, &number) && number >= min && number <= max) {
    *value = number;
    return TRUE;
  }
  g_autofree gchar *wanted = g_strdup_printf("a number from %g to %g", min, max);
  return refuse(node, field, error, wanted);
}

gboolean swin_json_get_boolean(JsonObject *object, const gchar *field, gboolean *value,
                               GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
    return refuse(node, field, error, "true or false");
  }
  *value = json_node_get_boolean(node);
  return TRUE;
}

gboolean swin_json_get_string(JsonObject *object, const gchar *field, const gchar **value,
                              GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  if (!swin_json_holds_string(node)) {
    return refuse(node, field, error, "a string");
  }
  *value = json_node_get_string(node);
  return TRUE;
}

gboolean swin_json_get_object(JsonObject *object, const gchar *field, JsonObject **value,
                              GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  if (!JSON_NODE_HOLDS_OBJECT(node)) {
    return refuse(node, field, error, "an object");
  }
  *value = json_node_get_object(node);
  return TRUE;
}

gboolean swin_json_get_uints(JsonObject *object, const gchar *field, guint min_length,
                             guint max_length, guint min, guint max, guint *values, guint *n_values,
                             GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  guint length = array != NULL ? json_array_get_length(array) : 0;
  gboolean good = array != NULL && length >= min_length && length <= max_length;
  for (guint i = 0; good && i < length; i++) {
    good = holds_uint(json_array_get_element(array, i), min, max, &values[i]);
  }
  if (good) {
    *n_values = length;
    return TRUE;
  }
  g_autofree gchar *shortest =
      min_length < max_length ? g_strdup_printf("%u to ", min_length) : g_strdup("");
  g_autofree gchar *wanted =
      g_strdup_printf("an array of %s%u integers from %u to %u", shortest, max_length, min, max);
  return refuse(node, field, error, wanted);
}

/* An integer for both, or an array of two. */
static gboolean holds_pair(JsonNode *node, guint min, guint max, guint *first, guint *second) {
  if (!JSON_NODE_HOLDS_ARRAY(node)) {
    if (!holds_uint(node, min, max, first)) {
      return FALSE;
    }
    *second = *first;
    return TRUE;
  }
  JsonArray *array = json_node_get_array(node);
  return json_array_get_length(array) == 2 &&
         holds_uint(json_array_get_element(array, 0), min, max, first) &&
         holds_uint(json_array_get_element(array, 1), min, max, second);
}

gboolean swin_json_get_pair(JsonObject *object, const gchar *field, guint min, guint max,
                            guint *first, guint *second, GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  if (holds_pair(node, min, max, first, second)) {
    return TRUE;
  }
  g_autofree gchar *wanted =
      g_strdup_printf("an integer from %u to %u or an array of two of them", min, max);
  return refuse(node, field, error, wanted);
}

gboolean swin_json_get_pairs(JsonObject *object, const gchar *field, guint n_pairs, guint min,
                             guint max, guint *firsts, guint *seconds, GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  guint first, second;
  if (holds_pair(node, min, max, &first, &second)) {
    for (guint i = 0; i < n_pairs; i++) {
      firsts[i] = first;
      seconds[i] = second;
    }
    return TRUE;
  }
  JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  gboolean good = array != NULL && json_array_get_length(array) == n_pairs;
  for (guint i = 0; good && i < n_pairs; i++) {
    good = holds_pair(json_array_get_element(array, i), min, max, &firsts[i], &seconds[i]);
  }
  if (good) {
    return TRUE;
  }
  g_autofree gchar *wanted = g_strdup_printf(
      "an integer from %u to %u, an array of two of them, or an array of %u of these", min, max,
      n_pairs);
  return refuse(node, field, error, wanted);
}

gboolean swin_json_get_floats(JsonObject *object, const gchar *field, guint n_values,
                              gfloat *values, GError **error) {
  if (!swin_json_has(object, field)) {
    return TRUE;
  }
  JsonNode *node = json_object_get_member(object, field);
  JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  gboolean good = array != NULL && json_array_get_length(array) == n_values;
  for (guint i = 0; good && i < n_values; i++) {
    gdouble number;
    good = holds_double(json_array_get_element(array, i), &number) && fabs(number) <= G_MAXFLOAT;
    if (good) {
      values[i] = (gfloat)number;
    }
  }
  if (good) {
    return TRUE;
  }
  g_autofree gchar *wanted = g_strdup_printf("an array of %u numbers", n_values);
  return refuse(node, field, error, wanted);
}

void swin_json_add_string(JsonBuilder *builder, const gchar *field, const gchar *value) {
  json_builder_set_member_name(builder, field);
  json_builder_add_string_value(builder, value);
}

void swin_json_add_integer(JsonBuilder *builder, const gchar *field, gint64 value) {
  json_builder_set_member_name(builder, field);
  json_builder_add_int_value(builder, value);
}

void swin_json_add_boolean(JsonBuilder *builder, const gchar *field, gboolean value) {
  json_builder_set_member_name(builder, field);
  json_builder_add_boolean_value(builder, value);
}

void swin_json_add_double(JsonBuilder *builder, const gchar *field, gdouble value) {
  json_builder_set_member_name(builder, field);
  if (isfinite(value)) {
    json_builder_add_double_value(builder, value);
  } else {
    json_builder_add_null_value(builder);
  }
}
