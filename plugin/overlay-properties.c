// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of swinoverlay.
#include "overlay.h"

#define DEFAULT_FONT "Sans 20"
#define DEFAULT_HALIGN GST_SWIN_OVERLAY_HALIGN_LEFT
#define DEFAULT_VALIGN GST_SWIN_OVERLAY_VALIGN_TOP
#define DEFAULT_SHADED TRUE
#define DEFAULT_TEMPLATE "%l %p %%"
#define DEFAULT_MAX_TAGS 3
#define DEFAULT_MAX_OBJECTS 8
#define DEFAULT_UNIQUE_ID 0

enum {
  PROP_0,
  PROP_FONT_DESC,
  PROP_HALIGNMENT,
  PROP_VALIGNMENT,
  PROP_SHADED_BACKGROUND,
  PROP_TEMPLATE,
  PROP_MAX_TAGS,
  PROP_MAX_OBJECTS,
  PROP_UNIQUE_ID,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

// A property cannot be refused: the old template stays, and that is said. There is no bus before
// the element is in a pipeline, so it is said again when that starts.
static void set_template(GstSwinOverlay *self, const gchar *template) {
  g_autoptr(GError) error = NULL;
  gboolean valid;

  if (template == NULL)
    template = DEFAULT_TEMPLATE;
  valid = swin_overlay_template_check(template, &error);
  GST_OBJECT_LOCK(self);
  g_free(self->template_fault);
  self->template_fault = valid ? NULL : g_strdup(error->message);
  if (valid) {
    g_free(self->format.template);
    self->format.template = g_strdup(template);
  }
  GST_OBJECT_UNLOCK(self);
  if (!valid)
    GST_ELEMENT_WARNING(self, LIBRARY, SETTINGS, ("%s", error->message), (NULL));
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  GstSwinOverlay *self = GST_SWIN_OVERLAY(object);

  if (id == PROP_TEMPLATE) {
    set_template(self, g_value_get_string(value));
    return;
  }
  GST_OBJECT_LOCK(self);
  self->changed = TRUE;
  switch (id) {
  case PROP_FONT_DESC:
    g_free(self->font);
    self->font =
        g_strdup(g_value_get_string(value) != NULL ? g_value_get_string(value) : DEFAULT_FONT);
    break;
  case PROP_HALIGNMENT:
    self->halign = (GstSwinOverlayHAlign)g_value_get_enum(value);
    break;
  case PROP_VALIGNMENT:
    self->valign = (GstSwinOverlayVAlign)g_value_get_enum(value);
    break;
  case PROP_SHADED_BACKGROUND:
    self->shaded = g_value_get_boolean(value);
    break;
  case PROP_MAX_TAGS:
    self->format.max_tags = g_value_get_uint(value);
    break;
  case PROP_MAX_OBJECTS:
    self->format.max_objects = g_value_get_uint(value);
    break;
  case PROP_UNIQUE_ID:
    self->format.unique_id = g_value_get_uint(value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    break;
  }
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  GstSwinOverlay *self = GST_SWIN_OVERLAY(object);

  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_FONT_DESC:
    g_value_set_string(value, self->font);
    break;
  case PROP_HALIGNMENT:
    g_value_set_enum(value, (gint)self->halign);
    break;
  case PROP_VALIGNMENT:
    g_value_set_enum(value, (gint)self->valign);
    break;
  case PROP_SHADED_BACKGROUND:
    g_value_set_boolean(value, self->shaded);
    break;
  case PROP_TEMPLATE:
    g_value_set_string(value, self->format.template);
    break;
  case PROP_MAX_TAGS:
    g_value_set_uint(value, self->format.max_tags);
    break;
  case PROP_MAX_OBJECTS:
    g_value_set_uint(value, self->format.max_objects);
    break;
  case PROP_UNIQUE_ID:
    g_value_set_uint(value, self->format.unique_id);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    break;
  }
  GST_OBJECT_UNLOCK(self);
}

void gst_swin_overlay_install_properties(GObjectClass *klass) {
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  /**
   * GstSwinOverlay:font-desc:
   *
   * Font, as pango_font_description_from_string() reads it. Sizes are those of a picture 640 pixels
   * wide.
   *
   * Since: 0.1
   */
  properties[PROP_FONT_DESC] = g_param_spec_string(
      "font-desc", "Font",
      "Font, as Pango describes it; sizes are those of a picture 640 pixels wide", DEFAULT_FONT,
      flags);

  /**
   * GstSwinOverlay:halignment:
   *
   * Where the tags of the frame are, from left to right.
   *
   * Since: 0.1
   */
  properties[PROP_HALIGNMENT] = g_param_spec_enum(
      "halignment", "Horizontal alignment", "Where the tags of the frame are, from left to right",
      GST_TYPE_SWIN_OVERLAY_HALIGN, (gint)DEFAULT_HALIGN, flags);

  /**
   * GstSwinOverlay:valignment:
   *
   * Where the tags of the frame are, from top to bottom.
   *
   * Since: 0.1
   */
  properties[PROP_VALIGNMENT] = g_param_spec_enum(
      "valignment", "Vertical alignment", "Where the tags of the frame are, from top to bottom",
      GST_TYPE_SWIN_OVERLAY_VALIGN, (gint)DEFAULT_VALIGN, flags);

  /**
   * GstSwinOverlay:shaded-background:
   *
   * Whether the picture is darkened under the text, where it has 8 bits a component.
   *
   * Since: 0.1
   */
  properties[PROP_SHADED_BACKGROUND] = g_param_spec_boolean(
      "shaded-background", "Shaded background",
      "Darken the picture under the text, where it has 8 bits a component", DEFAULT_SHADED, flags);

  /**
   * GstSwinOverlay:template:
   *
   * One tag as text. `%l` stands for its label, `%p` for its confidence in percent, `%c` for its
   * confidence from 0 to 1, `%i` for the index of its class, `%m` for the name of the model, `%u`
   * for #GstSwinClassify:unique-id, `%o` for the class that the detector gave the object, `%t` for
   * the number under which the object is tracked, `%a` for the age of the result in milliseconds,
   * and `%%` for a percent sign. What a tag does not have is left empty. A template that has
   * another letter after a percent sign is not taken: the old one stays, and a warning is posted.
   *
   * Since: 0.1
   */
  properties[PROP_TEMPLATE] = g_param_spec_string(
      "template", "Template",
      "One tag: %l label, %p percent, %c confidence, %i index, %m model, %u unique-id, %o object "
      "class, %t track, %a age in ms, %% a percent sign",
      DEFAULT_TEMPLATE, flags);

  /**
   * GstSwinOverlay:max-tags:
   *
   * Tags that are shown of one model about the frame, and about each object.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_TAGS] = g_param_spec_uint(
      "max-tags", "Maximum tags", "Tags of one model about the frame, and about each object", 1, 64,
      DEFAULT_MAX_TAGS, flags);

  /**
   * GstSwinOverlay:max-objects:
   *
   * Objects of a frame whose tags are shown. Each takes a textoverlay, used or not.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_OBJECTS] = g_param_spec_uint(
      "max-objects", "Maximum objects", "Objects whose tags are shown", 0, 64, DEFAULT_MAX_OBJECTS,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

  /**
   * GstSwinOverlay:unique-id:
   *
   * Shows the tags of the swinclassify with this #GstSwinClassify:unique-id alone. 0: all.
   *
   * Since: 0.1
   */
  properties[PROP_UNIQUE_ID] = g_param_spec_uint(
      "unique-id", "Unique ID", "Show the tags of the swinclassify with this unique-id (0: of all)",
      0, G_MAXUINT, DEFAULT_UNIQUE_ID, flags);

  klass->set_property = set_property;
  klass->get_property = get_property;
  g_object_class_install_properties(klass, N_PROPERTIES, properties);
}

void gst_swin_overlay_init_properties(GstSwinOverlay *self) {
  self->format = (SwinOverlayFormat){.template = g_strdup(DEFAULT_TEMPLATE),
                                     .max_tags = DEFAULT_MAX_TAGS,
                                     .max_objects = DEFAULT_MAX_OBJECTS,
                                     .unique_id = DEFAULT_UNIQUE_ID};
  self->font = g_strdup(DEFAULT_FONT);
  self->halign = DEFAULT_HALIGN;
  self->valign = DEFAULT_VALIGN;
  self->shaded = DEFAULT_SHADED;
}

void gst_swin_overlay_clear_properties(GstSwinOverlay *self) {
  g_free(self->format.template);
  g_free(self->template_fault);
  g_free(self->font);
}
