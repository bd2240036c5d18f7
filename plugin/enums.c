// SPDX-License-Identifier: LGPL-2.1-or-later
#include "enums.h"

#include "swin.h"

// @type is static and 0 before the first call; @values are static and end with a zeroed one.
static GType register_once(gsize *type, const gchar *name, const GEnumValue *values) {
  if (g_once_init_enter(type))
    g_once_init_leave(type, g_enum_register_static(name, values));
  return *type;
}

/**
 * GstSwinClassifyCropMode:
 * @auto: as the model was trained
 * @squash: the whole frame, whatever its aspect ratio
 * @center: the short side is resized, the centre cut out
 * @pad: the frame is centred on a square of one colour
 *
 * How a frame's shape is fitted to the network's input.
 *
 * Since: 0.1
 */
GType gst_swin_classify_crop_mode_get_type(void) {
  static gsize type;
  static const GEnumValue values[] = {
      {SWIN_CROP_MODE_AUTO, "As the model was trained", "auto"},
      {SWIN_CROP_MODE_SQUASH, "The whole frame, whatever its aspect ratio", "squash"},
      {SWIN_CROP_MODE_CENTER, "The short side is resized, the centre cut out", "center"},
      {SWIN_CROP_MODE_PAD, "The frame is centred on a square of fill-color", "pad"},
      {0},
  };

  return register_once(&type, "GstSwinClassifyCropMode", values);
}

/**
 * GstSwinClassifyInterpolation:
 * @auto: as the model was trained
 * @nearest: the nearest pixel
 * @bilinear: Pillow's bilinear filter, antialiased
 * @bicubic: Pillow's bicubic filter, antialiased
 * @lanczos: Pillow's Lanczos filter, antialiased
 *
 * How frames are resized.
 *
 * Since: 0.1
 */
GType gst_swin_classify_interpolation_get_type(void) {
  static gsize type;
  static const GEnumValue values[] = {
      {SWIN_INTERPOLATION_AUTO, "As the model was trained", "auto"},
      {SWIN_INTERPOLATION_NEAREST, "The nearest pixel", "nearest"},
      {SWIN_INTERPOLATION_BILINEAR, "Bilinear, antialiased", "bilinear"},
      {SWIN_INTERPOLATION_BICUBIC, "Bicubic, antialiased", "bicubic"},
      {SWIN_INTERPOLATION_LANCZOS, "Lanczos, antialiased", "lanczos"},
      {0},
  };

  return register_once(&type, "GstSwinClassifyInterpolation", values);
}

/**
 * GstSwinClassifyChannelOrder:
 * @auto: as the model was trained
 * @rgb: red comes first
 * @bgr: blue comes first
 *
 * Which of the network's input channels is which colour.
 *
 * Since: 0.1
 */
GType gst_swin_classify_channel_order_get_type(void) {
  static gsize type;
  static const GEnumValue values[] = {
      {SWIN_CHANNEL_ORDER_AUTO, "As the model was trained", "auto"},
      {SWIN_CHANNEL_ORDER_RGB, "Red, green, blue", "rgb"},
      {SWIN_CHANNEL_ORDER_BGR, "Blue, green, red", "bgr"},
      {0},
  };

  return register_once(&type, "GstSwinClassifyChannelOrder", values);
}

/**
 * GstSwinClassifyActivation:
 * @auto: as the model's config has it, else softmax
 * @softmax: one class of many: confidences add up to 1
 * @sigmoid: any number of classes at once, each by itself
 *
 * How logits become confidences.
 *
 * Since: 0.1
 */
GType gst_swin_classify_activation_get_type(void) {
  static gsize type;
  static const GEnumValue values[] = {
      {SWIN_ACTIVATION_AUTO, "As the model's config has it, else softmax", "auto"},
      {SWIN_ACTIVATION_SOFTMAX, "One class of many: confidences add up to 1", "softmax"},
      {SWIN_ACTIVATION_SIGMOID, "Any number of classes at once, each by itself", "sigmoid"},
      {0},
  };

  return register_once(&type, "GstSwinClassifyActivation", values);
}
