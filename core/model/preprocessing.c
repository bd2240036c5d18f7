// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * preprocessing.c: `preprocessor_config.json`, as transformers' image processors write it.
 */
#include "model/preprocessing.h"

#include <math.h>
#include <string.h>

#include "model/json.h"

/** Processor: the defaults of one class of image processors. */
typedef struct {
  const gchar *prefix;     /* of "image_processor_type"; "" for all others */
  gboolean square_integer; /* a "size" that is an integer means a square, not the short side */
  gboolean crop;           /* "do_center_crop" */
  gboolean by_fraction;    /* "crop_pct" decides about the crop */
  SwinFilter filter;       /* "resample" */
  gfloat mean[3], std[3];
} Processor;

#define HALF                                                                                       \
  { 0.5f, 0.5f, 0.5f }
#define CLIP_MEAN                                                                                  \
  { 0.48145466f, 0.4578275f, 0.40821073f }
#define CLIP_STD                                                                                   \
  { 0.26862954f, 0.26130258f, 0.27577711f }

/* transformers' `models/X/image_processing_X.py`. */
static const Processor processors[] = {
    {"ViT", TRUE, FALSE, FALSE, SWIN_FILTER_BILINEAR, HALF, HALF},
    {"DeiT", TRUE, TRUE, FALSE, SWIN_FILTER_BICUBIC, HALF, HALF},
    {"Beit", TRUE, TRUE, FALSE, SWIN_FILTER_BICUBIC, HALF, HALF},
    {"ConvNext", FALSE, FALSE, TRUE, SWIN_FILTER_BILINEAR, HALF, HALF},
    {"Bit", FALSE, TRUE, FALSE, SWIN_FILTER_BICUBIC, CLIP_MEAN, CLIP_STD},
    {"CLIP", FALSE, TRUE, FALSE, SWIN_FILTER_BICUBIC, CLIP_MEAN, CLIP_STD},
    {"", FALSE, FALSE, FALSE, SWIN_FILTER_BILINEAR, HALF, HALF},
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
 * @square_integer, else the short side, as the `default_to_square` of the processors. Absent, @size
 * stays as it is. */
static gboolean read_size(JsonObject *object, const gchar *field, gboolean square_integer,
                          Size *size, GError **error) {
  JsonNode *node = json_object_get_member(object, field);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT(node)) {
    JsonObject *sides = json_node_get_object(node);
    *size = (Size){0, 0, 0};
    if (!swin_json_get_uint(sides, "height", 1, SWIN_PREPROCESSING_MAX_SIZE, &size->height,
                            error) ||
        !swin_json_get_uint(sides, "width", 1, SWIN_PREPROCESSING_MAX_SIZE, &size->width, error) ||
        !swin_json_get_uint(sides, "shortest_edge", 1, SWIN_PREPROCESSING_MAX_SIZE,
                            &size->short_side, error)) {
      g_prefix_error(error, "in \"%s\", ", field);
      return FALSE;
    }
    gboolean rectangle = size->height != 0 && size->width != 0;
    if (rectangle == (size->short_side != 0) || swin_json_has(sides, "longest_edge")) {
      g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                  "\"%s\" must have either \"height\" and \"width\" or \"shortest_edge\", and "
                  "nothing else.",
                  field);
      return FALSE;
    }
    return TRUE;
  }
  guint side = 0;
  if (!swin_json_get_uint(object, field, 1, SWIN_PREPROCESSING_MAX_SIZE, &side, error)) {
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

static void set_squash(guint height, guint width, SwinPreprocessing *preprocessing) {
  preprocessing->resize_mode = SWIN_RESIZE_SQUASH;
  preprocessing->resize_height = height;
  preprocessing->resize_width = width;
}

static gboolean refuse_crop(guint height, guint width, const SwinModelConfig *config,
                            GError **error) {
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "\"size\" makes pictures of %u x %u pixels, out of which no %u x %u pixels can be "
              "cropped.",
              width, height, config->image_width, config->image_height);
  return FALSE;
}

static gboolean set_short_side(gdouble short_side, const SwinModelConfig *config,
                               SwinPreprocessing *preprocessing, GError **error) {
  const guint size = (guint)MIN(short_side, SWIN_PREPROCESSING_MAX_SIZE);
  if (size < MAX(config->image_height, config->image_width)) {
    return refuse_crop(size, size, config, error);
  }
  preprocessing->resize_mode = SWIN_RESIZE_SHORT_SIDE;
  preprocessing->resize_size = size;
  return TRUE;
}

/* ConvNextImageProcessor, which timm-like recipes use: below 384 pixels the short side becomes
 * int(size / crop_pct) and the centre is cropped; from there on the picture is squashed. */
static gboolean read_crop_fraction(JsonObject *object, const Size *size,
                                   const SwinModelConfig *config, SwinPreprocessing *preprocessing,
                                   GError **error) {
  gdouble fraction = 224.0 / 256.0;
  guint side = size->short_side != 0 ? size->short_side : size->height;
  if (!swin_json_get_double(object, "crop_pct", 0.01, 1.0, &fraction, error) ||
      !check_size(side, side, "size", config, error)) {
    return FALSE;
  }
  if (side < 384) {
    return set_short_side(floor(side / fraction), config, preprocessing, error);
  }
  set_squash(side, side, preprocessing);
  return TRUE;
}

static gboolean read_crop_size(JsonObject *object, const SwinModelConfig *config, GError **error) {
  Size cropped = {config->image_height, config->image_width, 0};
  if (!read_size(object, "crop_size", TRUE, &cropped, error)) {
    return FALSE;
  }
  if (cropped.short_side != 0) {
    cropped = (Size){cropped.short_side, cropped.short_side, 0};
  }
  return check_size(cropped.height, cropped.width, "crop_size", config, error);
}

static gboolean set_size(const Size *size, gboolean crop, const SwinModelConfig *config,
                         SwinPreprocessing *preprocessing, GError **error) {
  if (size->short_side != 0 && !crop) {
    return refuse(error, "\"size\" keeps the aspect ratio, and without \"do_center_crop\" the "
                         "network's input would not be filled exactly.");
  }
  if (size->short_side != 0) {
    return set_short_side(size->short_side, config, preprocessing, error);
  }
  if (!crop && !check_size(size->height, size->width, "size", config, error)) {
    return FALSE;
  }
  if (size->height < config->image_height || size->width < config->image_width) {
    return refuse_crop(size->height, size->width, config, error);
  }
  set_squash(size->height, size->width, preprocessing);
  return TRUE;
}

/* Where "size" is absent, it is the network's, and before a crop 256 / 224 of it, as the
 * processors' defaults are to each other. */
static gboolean read_size_and_crop(JsonObject *object, const Processor *processor,
                                   const SwinModelConfig *config, SwinPreprocessing *preprocessing,
                                   GError **error) {
  gboolean crop = processor->crop;
  Size size = {config->image_height, config->image_width, 0};
  if (!swin_json_get_boolean(object, "do_center_crop", &crop, error)) {
    return FALSE;
  }
  if (crop && processor->square_integer) {
    size = (Size){swin_preprocessing_resize_size(size.height),
                  swin_preprocessing_resize_size(size.width), 0};
  }
  if (!read_size(object, "size", processor->square_integer || !crop, &size, error)) {
    return FALSE;
  }
  if (processor->by_fraction || swin_json_has(object, "crop_pct")) {
    return read_crop_fraction(object, &size, config, preprocessing, error);
  }
  return (!crop || read_crop_size(object, config, error)) &&
         set_size(&size, crop, config, preprocessing, error);
}

static gboolean read_resize(JsonObject *object, const Processor *processor,
                            const SwinModelConfig *config, SwinPreprocessing *preprocessing,
                            GError **error) {
  gboolean resize = TRUE, pad = FALSE;
  guint filter = processor->filter;
  if (!swin_json_get_boolean(object, "do_resize", &resize, error) ||
      !swin_json_get_boolean(object, "do_pad", &pad, error) ||
      !swin_json_get_uint(object, "resample", 0, 5, &filter, error)) {
    return FALSE;
  }
  if (!resize) {
    return refuse(error, "\"do_resize\" is false, but frames of any size have to be resized to the "
                         "network's input.");
  }
  if (pad && swin_json_has(object, "pad_size")) {
    return refuse(error, "\"do_pad\" pads normalised pictures, which cannot be run; give a "
                         "\"size\" that fills the network's input.");
  }
  preprocessing->filter = (SwinFilter)filter;
  preprocessing->crop_rounding = SWIN_CROP_ROUND_DOWN;
  return read_size_and_crop(object, processor, config, preprocessing, error);
}

static gboolean read_normalize(JsonObject *object, const Processor *processor,
                               SwinPreprocessing *preprocessing, GError **error) {
  gboolean rescale = TRUE, normalize = TRUE;
  gdouble factor = 1.0 / 255.0;
  memcpy(preprocessing->mean, processor->mean, sizeof(preprocessing->mean));
  memcpy(preprocessing->std, processor->std, sizeof(preprocessing->std));
  if (!swin_json_get_boolean(object, "do_rescale", &rescale, error) ||
      !swin_json_get_double(object, "rescale_factor", 0.0, 1.0, &factor, error) ||
      !swin_json_get_boolean(object, "do_normalize", &normalize, error) ||
      !swin_json_get_boolean(object, "do_flip_channel_order", &preprocessing->bgr, error) ||
      !swin_json_get_floats(object, "image_mean", 3, preprocessing->mean, error) ||
      !swin_json_get_floats(object, "image_std", 3, preprocessing->std, error)) {
    return FALSE;
  }
  if (!rescale || fabs(factor * 255.0 - 1.0) > 1e-3) {
    return refuse(error, "\"do_rescale\" and \"rescale_factor\" must bring pixels to the range 0 "
                         "to 1 (true and 1/255).");
  }
  for (guint i = 0; !normalize && i < 3; i++) {
    preprocessing->mean[i] = 0.0f;
    preprocessing->std[i] = 1.0f;
  }
  if (swin_preprocessing_find_bad_channel(preprocessing) >= 0) {
    return refuse(error, "\"image_std\" must be positive for every channel, and large enough that "
                         "\"image_mean\" and \"image_std\" make finite values.");
  }
  return TRUE;
}

/* The class of the file, and for files that do not name one, the class that belongs to the model.
 */
static gboolean find_processor(JsonObject *object, const SwinModelConfig *config,
                               const Processor **processor, GError **error) {
  const gchar *type = "";
  if (!swin_json_get_string(object, "feature_extractor_type", &type, error) ||
      !swin_json_get_string(object, "image_processor_type", &type, error)) {
    return FALSE;
  }
  if (type[0] == '\0' && config->family == SWIN_FAMILY_VIT && config->distillation_token) {
    type = "DeiT";
  }
  *processor = processors;
  while (!g_str_has_prefix(type, (*processor)->prefix)) {
    (*processor)++;
  }
  return TRUE;
}

gboolean swin_preprocessing_parse(GBytes *json, const SwinModelConfig *config,
                                  SwinPreprocessing *preprocessing, GError **error) {
  gsize length;
  const gchar *text = g_bytes_get_data(json, &length);
  g_autoptr(JsonNode) root = swin_json_parse(text, length, SWIN_ERROR_CONFIG, error);
  if (root == NULL) {
    return FALSE;
  }
  JsonObject *object = json_node_get_object(root);
  const Processor *processor;
  SwinPreprocessing read = {0};
  if (!find_processor(object, config, &processor, error) ||
      !read_resize(object, processor, config, &read, error) ||
      !read_normalize(object, processor, &read, error)) {
    return FALSE;
  }
  *preprocessing = read;
  return TRUE;
}
