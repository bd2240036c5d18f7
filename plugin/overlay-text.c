// SPDX-License-Identifier: LGPL-2.1-or-later
#include "overlay-text.h"

#include <string.h>

#include "classification.h"

#define DIRECTIVES "lpcimuota%"

gboolean swin_overlay_template_check(const gchar *template, GError **error) {
  for (const gchar *p = strchr(template, '%'); p != NULL; p = strchr(p + 2, '%')) {
    if (p[1] != '\0' && strchr(DIRECTIVES, p[1]) != NULL)
      continue;
    g_set_error(error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
                "The template \"%s\" has a percent sign that none of these follows: l (label), p "
                "(percent), c (confidence), i (index), m (model), u (unique-id), o (object class), "
                "t (track), a (age in ms) or another percent sign.",
                template);
    return FALSE;
  }
  return TRUE;
}

/* ---- Reading metadata ---------------------------------------------------------------------- */

// (nullable): the array @name, when its elements are of @type.
static const GValue *get_array(const GstStructure *structure, const gchar *name, GType type) {
  const GValue *array = gst_structure_get_value(structure, name);

  if (array == NULL || !GST_VALUE_HOLDS_ARRAY(array))
    return NULL;
  for (guint i = 0; i < gst_value_array_get_size(array); i++) {
    if (!G_VALUE_HOLDS(gst_value_array_get_value(array, i), type))
      return NULL;
  }
  return array;
}

// Rounded to the nearest pixel.
static guint scale(guint value, guint from, guint to) {
  guint64 scaled = gst_util_uint64_scale_int_round(value, (gint)MIN(to, G_MAXINT), (gint)from);

  return (guint)MIN(scaled, G_MAXUINT);
}

// Both edges along one side of a picture that was @field pixels long when it was looked at.
static void scale_side(const GstStructure *structure, const gchar *field, guint now,
                       guint *position, guint *length) {
  guint before = 0, end = *length <= G_MAXUINT - *position ? *position + *length : G_MAXUINT;

  gst_structure_get_uint(structure, field, &before);
  if (before == 0 || before > G_MAXINT || now == 0 || before == now)
    return;
  *position = scale(*position, before, now);
  *length = scale(end, before, now) - *position;
}

static gboolean get_region(const GstStructure *structure, guint width, guint height,
                           guint region[4]) {
  const GValue *array = get_array(structure, "region", G_TYPE_UINT);

  if (array == NULL || gst_value_array_get_size(array) != 4)
    return FALSE;
  for (guint i = 0; i < 4; i++)
    region[i] = g_value_get_uint(gst_value_array_get_value(array, i));
  scale_side(structure, "frame-width", width, &region[0], &region[2]);
  scale_side(structure, "frame-height", height, &region[1], &region[3]);
  return TRUE;
}

static const gchar *get_string(const GstStructure *structure, const gchar *name) {
  const gchar *string = gst_structure_get_string(structure, name);

  return string != NULL ? string : "";
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void append_age(GString *line, const GstStructure *structure) {
  guint64 age;

  if (gst_structure_get_uint64(structure, "age", &age) && GST_CLOCK_TIME_IS_VALID(age))
    g_string_append_printf(line, "%" G_GUINT64_FORMAT, age / GST_MSECOND);
}

static void append_value(GString *line, gchar directive, const GstStructure *structure, guint tag) {
  const GValue *labels = gst_structure_get_value(structure, "labels");
  const GValue *confidences = gst_structure_get_value(structure, "confidences");
  const GValue *indices = gst_structure_get_value(structure, "indices");
  gdouble confidence = g_value_get_double(gst_value_array_get_value(confidences, tag));
  const gchar *label = g_value_get_string(gst_value_array_get_value(labels, tag));
  guint unique_id = 0;
  guint64 track;

  switch (directive) {
  case 'l':
    g_string_append(line, label != NULL ? label : "");
    break;
  case 'p':
    g_string_append_printf(line, "%.0f", 100.0 * confidence);
    break;
  case 'c':
    g_string_append_printf(line, "%.2f", confidence);
    break;
  case 'i':
    g_string_append_printf(line, "%u", g_value_get_uint(gst_value_array_get_value(indices, tag)));
    break;
  case 'm':
    g_string_append(line, get_string(structure, "model"));
    break;
  case 'u':
    gst_structure_get_uint(structure, "unique-id", &unique_id);
    g_string_append_printf(line, "%u", unique_id);
    break;
  case 'o':
    g_string_append(line, get_string(structure, "object-class"));
    break;
  case 't':
    if (gst_structure_get_uint64(structure, "track", &track))
      g_string_append_printf(line, "%" G_GUINT64_FORMAT, track);
    break;
  case 'a':
    append_age(line, structure);
    break;
  default:
    g_string_append_c(line, '%');
    break;
  }
}

// One tag as the template has it. Labels come from files, and a textoverlay takes markup: what is
// not UTF-8 is replaced, and what would be markup is escaped.
static gchar *make_line(const gchar *template, const GstStructure *structure, guint tag) {
  g_autoptr(GString) line = g_string_new(NULL);
  g_autofree gchar *valid = NULL;

  for (const gchar *p = template; *p != '\0'; p++) {
    if (*p == '%')
      append_value(line, *++p, structure, tag);
    else
      g_string_append_c(line, *p);
  }
  valid = g_utf8_make_valid(line->str, (gssize)line->len);
  return g_markup_escape_text(valid, -1);
}

static void append_tags(GString *markup, const GstStructure *structure,
                        const SwinOverlayFormat *format, guint n_tags) {
  for (guint i = 0; i < n_tags; i++) {
    g_autofree gchar *line = make_line(format->template, structure, i);

    if (markup->len > 0)
      g_string_append_c(markup, '\n');
    g_string_append(markup, line);
  }
}

static SwinOverlayText *append_text(GArray *texts, const guint region[4]) {
  SwinOverlayText text = {.markup = g_string_new(NULL)};

  memcpy(text.region, region, sizeof(text.region));
  g_array_append_val(texts, text);
  return &g_array_index(texts, SwinOverlayText, texts->len - 1);
}

// (nullable): what is written about an object; NULL where there are too many.
static SwinOverlayText *find_object(GArray *texts, const guint region[4], guint max_objects) {
  for (guint i = 1; i < texts->len; i++) {
    SwinOverlayText *text = &g_array_index(texts, SwinOverlayText, i);

    if (memcmp(text->region, region, sizeof(text->region)) == 0)
      return text;
  }
  return texts->len - 1 < max_objects ? append_text(texts, region) : NULL;
}

static void add_classification(GArray *texts, const GstStructure *structure,
                               const SwinOverlayFormat *format, guint width, guint height) {
  const GValue *labels = get_array(structure, "labels", G_TYPE_STRING);
  const GValue *confidences = get_array(structure, "confidences", G_TYPE_DOUBLE);
  const GValue *indices = get_array(structure, "indices", G_TYPE_UINT);
  guint region[4] = {0}, n_tags, unique_id = 0;
  gboolean is_object = gst_structure_has_field(structure, "region");
  SwinOverlayText *text;

  if (labels == NULL || confidences == NULL || indices == NULL ||
      (is_object && !get_region(structure, width, height, region)))
    return;
  gst_structure_get_uint(structure, "unique-id", &unique_id);
  if (format->unique_id != 0 && unique_id != format->unique_id)
    return;
  n_tags = MIN(gst_value_array_get_size(labels), gst_value_array_get_size(confidences));
  n_tags = MIN(n_tags, gst_value_array_get_size(indices));
  n_tags = MIN(n_tags, format->max_tags);
  if (n_tags == 0)
    return;
  text = is_object ? find_object(texts, region, format->max_objects)
                   : &g_array_index(texts, SwinOverlayText, 0);
  if (text != NULL)
    append_tags(text->markup, structure, format, n_tags);
}

static void clear_text(gpointer text) {
  g_string_free(((SwinOverlayText *)text)->markup, TRUE);
}

GArray *swin_overlay_texts_new(GstBuffer *buffer, const SwinOverlayFormat *format, guint width,
                               guint height) {
  GArray *texts = g_array_new(FALSE, FALSE, sizeof(SwinOverlayText));
  const guint whole[4] = {0};
  gpointer state = NULL;
  GstMeta *meta;

  g_array_set_clear_func(texts, clear_text);
  append_text(texts, whole);
  while ((meta = gst_buffer_iterate_meta(buffer, &state)) != NULL) {
    GstCustomMeta *custom = (GstCustomMeta *)meta;

    if (gst_meta_info_is_custom(meta->info) &&
        gst_custom_meta_has_name(custom, SWIN_CLASSIFICATION_NAME))
      add_classification(texts, gst_custom_meta_get_structure(custom), format, width, height);
  }
  return texts;
}
