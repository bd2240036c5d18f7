// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * preprocessing.h: how a picture becomes a network's input, as its publisher has it.
 */
#ifndef SWIN_MODEL_PREPROCESSING_H
#define SWIN_MODEL_PREPROCESSING_H

#include <json-glib/json-glib.h>

#include "model/config.h"

/* Pixels of a side after resizing and before the crop. */
#define SWIN_PREPROCESSING_MAX_SIZE 65536

/** How the picture's shape is fitted to the network's input. */
typedef enum {
  SWIN_RESIZE_SQUASH,     /* to resize_height x resize_width, whatever the aspect ratio */
  SWIN_RESIZE_SHORT_SIDE, /* the short side to resize_size, keeping the aspect ratio; the long side
                             is rounded down (torchvision, transformers) */
  SWIN_RESIZE_PAD,        /* centred on a square of the fill colour as wide as the long side (an odd
                             pixel of padding comes after), which is then squashed */
  SWIN_RESIZE_COVER,      /* keeping the aspect ratio, so that resize_height x resize_width is just
                             covered; sides are rounded to the nearest (timm) */
  SWIN_RESIZE_CONTAIN,    /* the same, just contained */
} SwinResizeMode;

/** Which way the centre moves where the two margins that are cut off cannot be equal. */
typedef enum {
  SWIN_CROP_ROUND_EVEN, /* half the excess, rounded to even: torchvision and timm */
  SWIN_CROP_ROUND_DOWN, /* half the excess, rounded down: transformers */
} SwinCropRounding;

/** Interpolation kernels, numbered as Pillow's `Image.Resampling`. All but nearest are antialiased:
 * the support grows with the downscaling, as in Pillow. */
typedef enum {
  SWIN_FILTER_NEAREST = 0,
  SWIN_FILTER_LANCZOS = 1, /* of 3 lobes */
  SWIN_FILTER_BILINEAR = 2,
  SWIN_FILTER_BICUBIC = 3, /* a = -0.5 */
  SWIN_FILTER_BOX = 4,
  SWIN_FILTER_HAMMING = 5,
} SwinFilter;

/**
 * SwinPreprocessing: after resizing, the centre is cut out to the network's input where the result
 * is larger; where it is smaller, the fill colour surrounds it (an odd pixel of it comes after).
 */
typedef struct {
  SwinResizeMode resize_mode;
  guint resize_size;   /* pixels of the short side; with SWIN_RESIZE_SHORT_SIDE, else 0 */
  guint resize_height; /* pixels; with the other modes, else 0 */
  guint resize_width;
  SwinCropRounding crop_rounding;
  guint8 fill[3]; /* R, G, B: around the picture */
  SwinFilter filter;
  gboolean bgr;   /* the network takes blue first */
  gfloat mean[3]; /* in the network's channel order, on a scale of 0 to 1 */
  gfloat std[3];  /* positive */
} SwinPreprocessing;

/**
 * swin_preprocessing_parse: reads a `preprocessor_config.json` (of ViTImageProcessor and its kin).
 * Fields that it leaves out take the defaults of its "image_processor_type". On success every field
 * is set.
 * @json: UTF-8
 * @config: of the network
 *
 * Returns: FALSE with %SWIN_ERROR_CONFIG and a sentence that starts with the name of the field.
 */
gboolean swin_preprocessing_parse(GBytes *json, const SwinModelConfig *config,
                                  SwinPreprocessing *preprocessing, GError **error);

/**
 * swin_preprocessing_parse_timm: reads the `pretrained_cfg` of a timm `config.json`, or the same
 * fields at its top level, as older ones have them. Fields that are left out take timm's own
 * defaults; where all are, @preprocessing stays as it is, and should hold the preset.
 * @object: the whole `config.json`
 * @config: of the network. Where its input is not of the "input_size" of the file, the result is
 *   fitted to it.
 *
 * Returns: FALSE with %SWIN_ERROR_CONFIG and a sentence that names the field.
 */
gboolean swin_preprocessing_parse_timm(JsonObject *object, const SwinModelConfig *config,
                                       SwinPreprocessing *preprocessing, GError **error);

/**
 * swin_preprocessing_preset: what the publisher of @config's dialect does with its published
 * models, for models that say nothing: every field is set.
 *
 * Sources: Microsoft `data/build.py`, timm's `_cfg`, torchvision's weight presets, transformers'
 * ViTImageProcessor.
 */
void swin_preprocessing_preset(const SwinModelConfig *config, SwinPreprocessing *preprocessing);

/**
 * swin_preprocessing_fit: adapts preprocessing to an input size other than the one it was made for:
 * what is cut away stays the same share of the picture.
 * @height, @width: the size that @preprocessing was made for; @config has the new one
 */
void swin_preprocessing_fit(SwinPreprocessing *preprocessing, guint height, guint width,
                            const SwinModelConfig *config);

/** swin_preprocessing_resize_size: the short side before an input of @size pixels is cut out of it,
 * as Microsoft's recipe has it: int(256 / 224 * size). */
guint swin_preprocessing_resize_size(guint size);

/** swin_preprocessing_find_bad_channel: the first channel whose mean and std do not make a finite
 * value of every code, or -1. */
gint swin_preprocessing_find_bad_channel(const SwinPreprocessing *preprocessing);

#endif /* SWIN_MODEL_PREPROCESSING_H */
