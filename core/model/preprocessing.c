// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * preprocessing.c: `preprocessor_config.json`, as transformers' image processors write it.
 */
#include "model/config.h"

#include <math.h>
#include <string.h>

#include "model/json.h"
#include "swin.h"

#define MAX_SIZE 65536

/* What the published checkpoints were trained with, for models that say nothing. */
static const SwinPreprocessing without_file = {
    .resize_mode = SWIN_RESIZE_SQUASH,
    .filter = SWIN_FILTER_BICUBIC,
    .mean = {0.485f, 0.456f, 0.406f},
    .std = {0.229f, 0.224f, 0.225f},
};

/* The defaults of ViTImageProcessor, for fields that a file leaves out. */
static const SwinPreprocessing without_fields = {
    .resize_mode = SWIN_RESIZE_SQUASH,
    .filter = SWIN_FILTER_BILINEAR,
    .mean = {0.5f, 0.5f, 0.5f},
    .std = {0.5f, 0.5f, 0.5f},
};

/* How the resize is described; sides of 0 are absent. */
typedef struct {
  guint height, width; /* pixels */
  guint short_side;    /* pixels */
} Size;

static gboolean refuse(GError **error, const gchar *message) {
  g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_CONFIG, message);
  return FALSE;
}

/* "size" and "crop_size" are an integer or an object. An integer means a square where
 * @square_integer, else the short side, as the `default_to_square` of the processors. */
static gboolean read_size(JsonObject *object, const gchar *field, gboolean square_integer,
                          Size *size, GError **error) {
  JsonNode *node = json_object_get_member(object, field);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT(node)) {
    JsonObject *sides = json_node_get_object(node);
    *size = (Size){0, 0, 0};
    if (!swin_json_get_uint(sides, "height", 1, MAX_SIZE, &size->height, error) ||
        !swin_json_get_uint(sides, "width", 1, MAX_SIZE, &size->width, error) ||
        !swin_json_get_uint(sides, "shortest_edge", 1, MAX_SIZE, &size->short_side, error)) {
      g_prefix_error(error, "in \"%s\", ", field);
      return FALSE;
    }
    gboolean rectangle = size->height != 0 && size->width != 0;
    if (rectangle == (size->short_side != 0)) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"%s\" must have either \"height\" and \"width\" or \"shortest_edge\".", field);
      return FALSE;
    }
    return TRUE;
  }
  guint side = 0;
  if (!swin_json_get_uint(object, field, 1, MAX_SIZE, &side, error)) {
    return FALSE;
  }
  if (side != 0) {
    *size = square_integer ? (Size){side, side, 0} : (Size){0, 0, side};
  }
  return TRUE;
}

static gboolean check_size(guint height, guint width, const gchar *field,
                           const SwinModelConfig *config, GError **error) {
  if (height == config->image_height && width == config->image_width) {
    return TRUE;
  }
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "\"%s\" makes pictures of %u x %u pixels, but the network's \"image_size\" is "
              "%u x %u.",
              field, width, height, config->image_width, config->image_height);
  return FALSE;
}

static gboolean set_short_side(gdouble short_side, const SwinModelConfig *config,
                               SwinPreprocessing *preprocessing, GError **error) {
  guint needed = MAX(config->image_height, config->image_width);
  if (short_side < needed || short_side > MAX_SIZE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"size\" makes a short side of %g pixels, out of which no %u x %u pixels can be "
                "cropped.",
                short_side, config->image_width, config->image_height);
    return FALSE;
  }
  preprocessing->resize_mode = SWIN_RESIZE_SHORT_SIDE;
  preprocessing->resize_size = (guint)short_side;
  return TRUE;
}

/* ConvNextImageProcessor, which timm-like recipes use: below 384 pixels the short side becomes
 * size / crop_pct and the centre is cropped; from there on the picture is squashed. */
static gboolean read_crop_fraction(JsonObject *object, const Size *size,
                                   const SwinModelConfig *config, SwinPreprocessing *preprocessing,
                                   GError **error) {
  gdouble fraction = 224.0 / 256.0;
  guint side = size->short_side != 0 ? size->short_side : size->height;
  if (!swin_json_get_double(object, "crop_pct", 0.01, 1.0, &fraction, error) ||
      !check_size(side, side, "size", config, error)) {
    return FALSE;
  }
  return side >= 384 || set_short_side(floor(side / fraction), config, preprocessing, error);
}

static gboolean read_crop(JsonObject *object, const Size *size, const SwinModelConfig *config,
                          SwinPreprocessing *preprocessing, GError **error) {
  gboolean crop = FALSE;
  if (!swin_json_get_boolean(object, "do_center_crop", &crop, error)) {
    return FALSE;
  }
  if (!crop && size->short_side != 0) {
    return refuse(error, "\"size\" keeps the aspect ratio, and without \"do_center_crop\" the "
                         "network's input would not be filled exactly.");
  }
  if (!crop) {
    return check_size(size->height, size->width, "size", config, error);
  }
  Size cropped = {config->image_height, config->image_width, 0};
  if (!read_size(object, "crop_size", TRUE, &cropped, error)) {
    return FALSE;
  }
  if (cropped.short_side != 0) {
    cropped = (Size){cropped.short_side, cropped.short_side, 0};
  }
  if (!check_size(cropped.height, cropped.width, "crop_size", config, error)) {
    return FALSE;
  }
  if (size->short_side != 0) {
    return set_short_side(size->short_side, config, preprocessing, error);
  }
  if (size->height != cropped.height || size->width != cropped.width) {
    return refuse(error, "\"size\" squashes the picture before \"crop_size\" cuts it; give the "
                         "\"shortest_edge\" instead.");
  }
  return TRUE;
}

static gboolean read_resize(JsonObject *object, const SwinModelConfig *config,
                            SwinPreprocessing *preprocessing, GError **error) {
  const gchar *type = "";
  gboolean resize = TRUE, crop = FALSE;
  guint filter = preprocessing->filter;
  if (!swin_json_get_boolean(object, "do_resize", &resize, error) ||
      !swin_json_get_boolean(object, "do_center_crop", &crop, error) ||
      !swin_json_get_uint(object, "resample", 0, 5, &filter, error) ||
      !swin_json_get_string(object, "feature_extractor_type", &type, error) ||
      !swin_json_get_string(object, "image_processor_type", &type, error)) {
    return FALSE;
  }
  if (!resize) {
    return refuse(error, "\"do_resize\" is false, but frames of any size have to be resized to the "
                         "network's input.");
  }
  if (filter != SWIN_FILTER_NEAREST && filter != SWIN_FILTER_BILINEAR &&
      filter != SWIN_FILTER_BICUBIC) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_CONFIG,
        "\"resample\" is %u, and only 0 (nearest), 2 (bilinear) and 3 (bicubic) can be run.",
        filter);
    return FALSE;
  }
  preprocessing->filter = (SwinFilter)filter;
  gboolean by_fraction = g_str_has_prefix(type, "ConvNext") || swin_json_has(object, "crop_pct");
  Size size = {config->image_height, config->image_width, 0};
  if (!read_size(object, "size", !crop, &size, error)) {
    return FALSE;
  }
  return by_fraction ? read_crop_fraction(object, &size, config, preprocessing, error)
                     : read_crop(object, &size, config, preprocessing, error);
}

static gboolean read_normalize(JsonObject *object, SwinPreprocessing *preprocessing,
                               GError **error) {
  gboolean rescale = TRUE, normalize = TRUE;
  gdouble factor = 1.0 / 255.0;
  if (!swin_json_get_boolean(object, "do_rescale", &rescale, error) ||
      !swin_json_get_double(object, "rescale_factor", 0.0, 1.0, &factor, error) ||
      !swin_json_get_boolean(object, "do_normalize", &normalize, error) ||
      !swin_json_get_floats(object, "image_mean", 3, preprocessing->mean, error) ||
      !swin_json_get_floats(object, "image_std", 3, preprocessing->std, error)) {
    return FALSE;
  }
  if (!rescale || fabs(factor * 255.0 - 1.0) > 1e-3) {
    return refuse(error, "\"do_rescale\" and \"rescale_factor\" must bring pixels to the range 0 "
                         "to 1 (true and 1/255).");
  }
  for (guint i = 0; i < 3; i++) {
    if (!normalize) {
      preprocessing->mean[i] = 0.0f;
      preprocessing->std[i] = 1.0f;
    }
    if (!(preprocessing->std[i] > 0.0f)) {
      return refuse(error, "\"image_std\" must be positive for every channel.");
    }
  }
  return TRUE;
}

gboolean swin_preprocessing_parse(GBytes *json, const SwinModelConfig *config,
                                  SwinPreprocessing *preprocessing, GError **error) {
  if (json == NULL) {
    *preprocessing = without_file;
    return TRUE;
  }
  gsize length;
  const gchar *text = g_bytes_get_data(json, &length);
  g_autoptr(JsonNode) root = swin_json_parse(text, length, SWIN_ERROR_CONFIG, error);
  if (root == NULL) {
    return FALSE;
  }
  JsonObject *object = json_node_get_object(root);
  SwinPreprocessing read = without_fields;
  if (!read_resize(object, config, &read, error) || !read_normalize(object, &read, error)) {
    return FALSE;
  }
  *preprocessing = read;
  return TRUE;
}
