// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * preprocessing-preset.c: what publishers do where a model's files say nothing, and timm's
 * `pretrained_cfg`.
 */
#include "model/preprocessing.h"

#include <math.h>
#include <string.h>

#include "model/json.h"
#include "model/quote.h"

static const gfloat imagenet_mean[3] = {0.485f, 0.456f, 0.406f};
static const gfloat imagenet_std[3] = {0.229f, 0.224f, 0.225f};
static const gfloat half[3] = {0.5f, 0.5f, 0.5f};

guint swin_preprocessing_resize_size(guint size) {
  return (guint)(256.0 / 224.0 * size);
}

gint swin_preprocessing_find_bad_channel(const SwinPreprocessing *preprocessing) {
  for (gint i = 0; i < 3; i++) {
    const gfloat lowest = (0.0f - preprocessing->mean[i]) / preprocessing->std[i];
    const gfloat highest = (1.0f - preprocessing->mean[i]) / preprocessing->std[i];
    if (!(preprocessing->std[i] > 0.0f) || !isfinite(preprocessing->std[i]) || !isfinite(lowest) ||
        !isfinite(highest)) {
      return i;
    }
  }
  return -1;
}

/* ---- Sizes ---------------------------------------------------------------------------------- */

static void set_size(SwinPreprocessing *preprocessing, SwinResizeMode mode, guint height,
                     guint width) {
  preprocessing->resize_mode = mode;
  preprocessing->resize_size = 0;
  preprocessing->resize_height = height;
  preprocessing->resize_width = width;
}

/* The centre of what is resized to cover @height x @width, as timm has it: for a square the short
 * side. */
static void set_cover(SwinPreprocessing *preprocessing, guint height, guint width) {
  if (height == width) {
    set_size(preprocessing, SWIN_RESIZE_SHORT_SIDE, 0, 0);
    preprocessing->resize_size = height;
  } else {
    set_size(preprocessing, SWIN_RESIZE_COVER, height, width);
  }
}

/* math.floor(size / crop_pct) of timm. */
static guint before_crop(guint size, gdouble crop_fraction) {
  return (guint)MIN(floor(size / crop_fraction), SWIN_PREPROCESSING_MAX_SIZE);
}

static guint rescale(guint resized, guint old_size, guint new_size) {
  const guint64 rescaled = (guint64)resized * new_size / MAX(old_size, 1);
  return (guint)CLAMP(rescaled, new_size, MAX(new_size, SWIN_PREPROCESSING_MAX_SIZE));
}

void swin_preprocessing_fit(SwinPreprocessing *preprocessing, guint height, guint width,
                            const SwinModelConfig *config) {
  if (height == config->image_height && width == config->image_width) {
    return;
  }
  guint resize_height = preprocessing->resize_height;
  guint resize_width = preprocessing->resize_width;
  const gboolean short_side = preprocessing->resize_mode == SWIN_RESIZE_SHORT_SIDE;
  if (short_side) {
    /* The short side belongs to the longer side of the input, which is the one that it limits. */
    height = width = MAX(height, width);
    resize_height = resize_width = preprocessing->resize_size;
  }
  resize_height = rescale(resize_height, height, config->image_height);
  resize_width = rescale(resize_width, width, config->image_width);
  if (short_side || preprocessing->resize_mode == SWIN_RESIZE_COVER) {
    set_cover(preprocessing, resize_height, resize_width);
  } else {
    set_size(preprocessing, preprocessing->resize_mode, resize_height, resize_width);
  }
}

/* ---- Presets -------------------------------------------------------------------------------- */

static void set_normalisation(SwinPreprocessing *preprocessing, const gfloat mean[3],
                              const gfloat std[3]) {
  memcpy(preprocessing->mean, mean, sizeof(preprocessing->mean));
  memcpy(preprocessing->std, std, sizeof(preprocessing->std));
}

/* The `preprocessor_config.json` files of the models that Microsoft, Google and Facebook publish on
 * the hub. Those of Facebook's DeiT squash to 256 / 224 of the input and cut out the centre. */
static void preset_hugging_face(const SwinModelConfig *config, SwinPreprocessing *preprocessing) {
  preprocessing->crop_rounding = SWIN_CROP_ROUND_DOWN;
  set_size(preprocessing, SWIN_RESIZE_SQUASH, config->image_height, config->image_width);
  if (config->family != SWIN_FAMILY_VIT) {
    return;
  }
  if (config->distillation_token) {
    set_size(preprocessing, SWIN_RESIZE_SQUASH,
             swin_preprocessing_resize_size(config->image_height),
             swin_preprocessing_resize_size(config->image_width));
    return;
  }
  set_normalisation(preprocessing, half, half);
  preprocessing->filter = SWIN_FILTER_BILINEAR;
}

/* timm's `_cfg`: crop_pct 0.9, and 1 from 384 pixels on. Its ViT models have a mean of 0.5, but for
 * DeiT. An encoder whose norm follows the pooling is one that MAE fine-tuned (`util/datasets.py`).
 */
static void preset_timm(const SwinModelConfig *config, SwinPreprocessing *preprocessing) {
  const gboolean vit = config->family == SWIN_FAMILY_VIT;
  const gboolean mae = vit && config->pool == SWIN_POOL_MEAN && !config->norm_before_pool;
  gdouble crop_fraction = mae ? 224.0 / 256.0 : 0.9;
  if (MAX(config->image_height, config->image_width) >= 384) {
    crop_fraction = 1.0;
  }
  set_cover(preprocessing, before_crop(config->image_height, crop_fraction),
            before_crop(config->image_width, crop_fraction));
  if (vit && !mae && !config->distillation_token) {
    set_normalisation(preprocessing, half, half);
  }
}

/* The short sides of torchvision's weight presets (`models/swin_transformer.py`), and for others
 * the default of its ImageClassification. They were searched for at one input size each. */
static guint torchvision_resize_size(const SwinModelConfig *config, guint *published_size) {
  const gboolean base = config->embed_dim >= 128;
  const gboolean small = config->n_stages > 2 && config->depths[2] >= 18;
  switch (config->family) {
  case SWIN_FAMILY_SWIN:
    *published_size = 224;
    return base ? 238 : small ? 246 : 232;
  case SWIN_FAMILY_SWIN_V2:
    *published_size = 256;
    return base ? 272 : 260;
  default:
    *published_size = 224;
    return 256;
  }
}

static void preset_torchvision(const SwinModelConfig *config, SwinPreprocessing *preprocessing) {
  guint published_size;
  const guint resize_size = torchvision_resize_size(config, &published_size);
  set_cover(preprocessing, rescale(resize_size, published_size, config->image_height),
            rescale(resize_size, published_size, config->image_width));
}

/* `data/build.py` with the published configs: TEST.CROP is false where the input has 384 pixels. */
static void preset_microsoft(const SwinModelConfig *config, SwinPreprocessing *preprocessing) {
  if (MAX(config->image_height, config->image_width) >= 384) {
    set_size(preprocessing, SWIN_RESIZE_SQUASH, config->image_height, config->image_width);
  } else {
    set_cover(preprocessing, swin_preprocessing_resize_size(config->image_height),
              swin_preprocessing_resize_size(config->image_width));
  }
}

void swin_preprocessing_preset(const SwinModelConfig *config, SwinPreprocessing *preprocessing) {
  *preprocessing = (SwinPreprocessing){.filter = SWIN_FILTER_BICUBIC};
  set_normalisation(preprocessing, imagenet_mean, imagenet_std);
  switch (config->dialect) {
  case SWIN_DIALECT_HUGGING_FACE:
    preset_hugging_face(config, preprocessing);
    break;
  case SWIN_DIALECT_TIMM:
    preset_timm(config, preprocessing);
    break;
  case SWIN_DIALECT_TORCHVISION:
    preset_torchvision(config, preprocessing);
    break;
  case SWIN_DIALECT_MICROSOFT:
    preset_microsoft(config, preprocessing);
    break;
  }
}

/* ---- timm's pretrained_cfg ------------------------------------------------------------------ */

/** Choice: one value of a field that is a word. */
typedef struct {
  const gchar *name;
  gint value;
} Choice;

/* Leaves @value where the field is absent. */
static gboolean read_choice(JsonObject *object, const gchar *field, const Choice *choices,
                            guint n_choices, gint *value, GError **error) {
  const gchar *name = NULL;
  if (!swin_json_get_string(object, field, &name, error)) {
    return FALSE;
  }
  g_autoptr(GString) known = g_string_new(NULL);
  for (guint i = 0; i < n_choices; i++) {
    if (name == NULL || g_str_equal(name, choices[i].name)) {
      *value = name != NULL ? choices[i].value : *value;
      return TRUE;
    }
    g_string_append_printf(known, "%s\"%s\"", i == 0 ? "" : ", ", choices[i].name);
  }
  g_autofree gchar *quoted = swin_quote(name);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "\"%s\" must be one of %s, not %s.", field,
              known->str, quoted);
  return FALSE;
}

static gboolean read_interpolation(JsonObject *object, SwinPreprocessing *preprocessing,
                                   GError **error) {
  static const Choice choices[] = {
      {"nearest", SWIN_FILTER_NEAREST}, {"bilinear", SWIN_FILTER_BILINEAR},
      {"bicubic", SWIN_FILTER_BICUBIC}, {"lanczos", SWIN_FILTER_LANCZOS},
      {"box", SWIN_FILTER_BOX},         {"hamming", SWIN_FILTER_HAMMING},
  };
  gint filter = SWIN_FILTER_BICUBIC;
  if (!read_choice(object, "interpolation", choices, G_N_ELEMENTS(choices), &filter, error)) {
    return FALSE;
  }
  preprocessing->filter = (SwinFilter)filter;
  return TRUE;
}

/* transforms_imagenet_eval() of timm's `data/transforms_factory.py`. */
typedef enum { CROP_CENTER, CROP_SQUASH, CROP_BORDER } CropMode;

static void set_crop(CropMode mode, guint height, guint width, SwinPreprocessing *preprocessing) {
  switch (mode) {
  case CROP_CENTER:
    set_cover(preprocessing, height, width);
    break;
  case CROP_SQUASH:
    set_size(preprocessing, SWIN_RESIZE_SQUASH, height, width);
    break;
  case CROP_BORDER:
    set_size(preprocessing, SWIN_RESIZE_CONTAIN, height, width);
    break;
  }
}

/* What surrounds a picture with a border: round(255 * mean), of the mean as it is written. */
static void set_fill(JsonObject *object, SwinPreprocessing *preprocessing) {
  JsonArray *mean =
      swin_json_has(object, "mean") ? json_object_get_array_member(object, "mean") : NULL;
  for (guint i = 0; i < 3; i++) {
    const gdouble value =
        mean != NULL ? json_array_get_double_element(mean, i) : (gdouble)preprocessing->mean[i];
    preprocessing->fill[i] = (guint8)CLAMP(rint(255.0 * value), 0.0, 255.0);
  }
}

/* The mean has been read. */
static gboolean read_geometry(JsonObject *object, const SwinModelConfig *config,
                              SwinPreprocessing *preprocessing, GError **error) {
  static const Choice modes[] = {
      {"center", CROP_CENTER}, {"squash", CROP_SQUASH}, {"border", CROP_BORDER}};
  guint input[3] = {3, config->image_height, config->image_width};
  guint n_input = 3;
  gint mode = CROP_CENTER;
  gdouble crop_fraction = 0.875;
  if (!swin_json_get_uints(object, "input_size", 3, 3, 1, SWIN_PREPROCESSING_MAX_SIZE / 4, input,
                           &n_input, error) ||
      !swin_json_get_double(object, "crop_pct", 0.25, 1.0, &crop_fraction, error) ||
      !read_choice(object, "crop_mode", modes, G_N_ELEMENTS(modes), &mode, error)) {
    return FALSE;
  }
  set_crop((CropMode)mode, before_crop(input[1], crop_fraction),
           before_crop(input[2], crop_fraction), preprocessing);
  if (mode == CROP_BORDER) {
    set_fill(object, preprocessing);
  }
  swin_preprocessing_fit(preprocessing, input[1], input[2], config);
  return TRUE;
}

gboolean swin_preprocessing_parse_timm(JsonObject *object, const SwinModelConfig *config,
                                       SwinPreprocessing *preprocessing, GError **error) {
  static const gchar *const fields[] = {"input_size",    "crop_pct", "crop_mode",
                                        "interpolation", "mean",     "std"};
  JsonObject *cfg = object;
  if (!swin_json_get_object(object, "pretrained_cfg", &cfg, error)) {
    return FALSE;
  }
  gboolean says_nothing = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    says_nothing = says_nothing && !swin_json_has(cfg, fields[i]);
  }
  if (says_nothing) {
    return TRUE;
  }
  SwinPreprocessing read = {.filter = SWIN_FILTER_BICUBIC};
  set_normalisation(&read, imagenet_mean, imagenet_std);
  if (!read_interpolation(cfg, &read, error) ||
      !swin_json_get_floats(cfg, "mean", 3, read.mean, error) ||
      !swin_json_get_floats(cfg, "std", 3, read.std, error) ||
      !read_geometry(cfg, config, &read, error)) {
    return FALSE;
  }
  const gint channel = swin_preprocessing_find_bad_channel(&read);
  if (channel >= 0) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "\"std\" must be positive for every channel, and large enough that \"mean\" and "
                "\"std\" make finite values.");
    return FALSE;
  }
  *preprocessing = read;
  return TRUE;
}
