// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * settings.h: what the element's properties ask of libswin, and its translation into libswin's
 * terms. Takes effect when an inference is opened.
 */
#ifndef SWIN_PLUGIN_SETTINGS_H
#define SWIN_PLUGIN_SETTINGS_H

#include <glib.h>

#include "swin.h"

/** Limit of the resize size: the longest side of a #SwinFrame, in pixels. */
#define SWIN_SETTINGS_MAX_SIZE 32768

/** Limit of the window size, in tokens; that of swin_model_options_set_window_size(). */
#define SWIN_SETTINGS_MAX_WINDOW 128

/** SwinSettings: owns all that it points to. One that is all zero owns nothing. */
typedef struct {
  gchar *device;      /* (nullable): selector as swin_device_open() takes it */
  gchar *model;       /* (nullable): location as swin_model_load() takes it; NULL: the default */
  gchar *labels;      /* (nullable): label file; NULL: the labels of the model */
  gchar *thresholds;  /* (nullable): file of thresholds; NULL: the same for every class */
  gchar *image_size;  /* (nullable): "224" or "640x384", width first; NULL or "": the model's */
  guint window_size;  /* tokens a side; 0: the model's */
  guint top_k;        /* 1 to 64 */
  guint resize_size;  /* pixels of the short side; 0: the model's */
  guint32 fill_color; /* 0xAARRGGBB; the alpha is ignored */
  GArray *mean;       /* (nullable): of gdouble; NULL or empty: the model's */
  GArray *std;        /* (nullable): likewise */
  SwinCropMode crop_mode;
  SwinInterpolation interpolation;
  SwinChannelOrder channel_order;
  SwinActivation activation;
  SwinPrecision precision;
  guint batch_size;    /* 1 to 64 */
  guint batch_timeout; /* milliseconds */
  gchar *instance;     /* (nullable): name under which the inference is shared */
  guint tensors;       /* GstSwinClassifyTensors that results carry */
  gfloat smoothing;    /* 0: off; above it results carry their logits */
} SwinSettings;

/** swin_settings_copy: copies all of @from into @to, which owned nothing before. */
void swin_settings_copy(SwinSettings *to, const SwinSettings *from);

/** swin_settings_clear: frees what @settings owns. */
void swin_settings_clear(SwinSettings *settings);

/**
 * swin_settings_make_options: (transfer full): what is asked of the model, or NULL with
 *   %SWIN_ERROR_CONFIG where a property has a value that makes no sense.
 */
SwinModelOptions *swin_settings_make_options(const SwinSettings *settings, GError **error);

/** swin_settings_make_params: (transfer full): likewise, what is asked of the classifier. */
SwinClassifierParams *swin_settings_make_params(const SwinSettings *settings, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SwinSettings, swin_settings_clear)

#endif /* SWIN_PLUGIN_SETTINGS_H */
