// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * json.h: JSON from files that are not trusted, and members of JSON that is written, on top of
 * json-glib.
 *
 * Errors of swin_json_parse() are of domain %SWIN_ERROR with the code that the caller names, and
 * their messages say what is wrong with "it", to follow the name of the file and a colon. The
 * getters all fail with %SWIN_ERROR_CONFIG and a sentence that starts with the field's name; they
 * leave @value as it was when the field is absent or null, so that it carries the default.
 */
#ifndef SWIN_MODEL_JSON_H
#define SWIN_MODEL_JSON_H

#include <json-glib/json-glib.h>

#include "swin.h"

/**
 * swin_json_parse: parses one JSON object. Refuses what json-glib lets through: comments, members
 * of the same name, and nesting so deep that its recursion would overflow the stack.
 * @text: (array length=length): UTF-8, not necessarily terminated
 * @code: of the error
 *
 * Returns: (transfer full): a node that holds an object; free with json_node_unref().
 */
JsonNode *swin_json_parse(const gchar *text, gsize length, SwinError code, GError **error);

/** swin_json_get_uint: an integer from @min to @max. */
gboolean swin_json_get_uint(JsonObject *object, const gchar *field, guint min, guint max,
                            guint *value, GError **error);

/** swin_json_get_double: a finite number from @min to @max, both included. */
gboolean swin_json_get_double(JsonObject *object, const gchar *field, gdouble min, gdouble max,
                              gdouble *value, GError **error);

gboolean swin_json_get_boolean(JsonObject *object, const gchar *field, gboolean *value,
                               GError **error);

/** swin_json_get_string: @value is (transfer none), valid as long as @object. */
gboolean swin_json_get_string(JsonObject *object, const gchar *field, const gchar **value,
                              GError **error);

/** swin_json_get_object: @value is (transfer none), valid as long as @object. */
gboolean swin_json_get_object(JsonObject *object, const gchar *field, JsonObject **value,
                              GError **error);

/**
 * swin_json_get_uints: an array of @min_length to @max_length integers from @min to @max.
 * @values: room for @max_length
 * @n_values: (inout): how many there are
 */
gboolean swin_json_get_uints(JsonObject *object, const gchar *field, guint min_length,
                             guint max_length, guint min, guint max, guint *values, guint *n_values,
                             GError **error);

/** swin_json_get_pair: an integer from @min to @max, which stands for both values, or an array of
 * two of them. */
gboolean swin_json_get_pair(JsonObject *object, const gchar *field, guint min, guint max,
                            guint *first, guint *second, GError **error);

/**
 * swin_json_get_pairs: as swin_json_get_pair(), for all of @n_pairs; or an array of @n_pairs such
 * values. An array of two integers is always one pair.
 * @firsts, @seconds: room for @n_pairs
 */
gboolean swin_json_get_pairs(JsonObject *object, const gchar *field, guint n_pairs, guint min,
                             guint max, guint *firsts, guint *seconds, GError **error);

/** swin_json_get_floats: an array of exactly @n_values finite numbers. */
gboolean swin_json_get_floats(JsonObject *object, const gchar *field, guint n_values,
                              gfloat *values, GError **error);

/** swin_json_has: whether @field is there and not null. */
gboolean swin_json_has(JsonObject *object, const gchar *field);

/** swin_json_holds_string: whether @node is one. */
gboolean swin_json_holds_string(JsonNode *node);

/* ---- Writing ------------------------------------------------------------------------------- */

/* Each adds one member to the object that @builder is in. */
void swin_json_add_string(JsonBuilder *builder, const gchar *field, const gchar *value);
void swin_json_add_integer(JsonBuilder *builder, const gchar *field, gint64 value);
void swin_json_add_boolean(JsonBuilder *builder, const gchar *field, gboolean value);

/** swin_json_add_double: null where @value is not finite, which JSON cannot say. */
void swin_json_add_double(JsonBuilder *builder, const gchar *field, gdouble value);

#endif /* SWIN_MODEL_JSON_H */
