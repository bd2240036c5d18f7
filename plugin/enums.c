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
 * GstSwinClassifyLatencyPolicy:
 * @auto: as @latest in a live pipeline, as @every elsewhere
 * @every: each selected frame waits for a result of its own
 * @latest: frames leave at once and carry the newest result that there is
 *
 * What a frame does while inference is busy.
 *
 * Since: 0.1
 */
GType gst_swin_classify_latency_policy_get_type(void) {
  static gsize type;
  static const GEnumValue values[] = {
      {GST_SWIN_CLASSIFY_LATENCY_POLICY_AUTO, "latest in a live pipeline, every elsewhere", "auto"},
      {GST_SWIN_CLASSIFY_LATENCY_POLICY_EVERY, "Each selected frame waits for its own result",
       "every"},
      {GST_SWIN_CLASSIFY_LATENCY_POLICY_LATEST, "Frames leave at once with the newest result",
       "latest"},
      {0},
  };

  return register_once(&type, "GstSwinClassifyLatencyPolicy", values);
}

/**
 * GstSwinClassifyInferenceRegion:
 * @full-frame: the whole frame
 * @roi-list: each of the objects that a detector upstream has marked
 *
 * What of a frame is looked at.
 *
 * Since: 0.1
 */
GType gst_swin_classify_inference_region_get_type(void) {
  static gsize type;
  static const GEnumValue values[] = {
      {GST_SWIN_CLASSIFY_INFERENCE_REGION_FULL_FRAME, "The whole frame", "full-frame"},
      {GST_SWIN_CLASSIFY_INFERENCE_REGION_ROI_LIST,
       "Each of the objects that a detector upstream has marked", "roi-list"},
      {0},
  };

  return register_once(&type, "GstSwinClassifyInferenceRegion", values);
}

/**
 * GstSwinClassifyTensors:
 * @logits: what the network's head makes, one value a class
 * @embedding: the pooled features before the head
 * @stage-0: the tokens after the first stage and its merging
 * @stage-1: the tokens after the second stage and its merging
 * @stage-2: the tokens after the third stage and its merging
 * @stage-3: the tokens after the fourth stage
 *
 * Tensors that frames carry besides their tags.
 *
 * Since: 0.1
 */
GType gst_swin_classify_tensors_get_type(void) {
  static gsize type;
  static const GFlagsValue values[] = {
      {GST_SWIN_CLASSIFY_TENSORS_LOGITS, "Logits, one value a class", "logits"},
      {GST_SWIN_CLASSIFY_TENSORS_EMBEDDING, "Pooled features before the head", "embedding"},
      {GST_SWIN_CLASSIFY_TENSORS_STAGE_0, "Tokens after the first stage", "stage-0"},
      {GST_SWIN_CLASSIFY_TENSORS_STAGE_1, "Tokens after the second stage", "stage-1"},
      {GST_SWIN_CLASSIFY_TENSORS_STAGE_2, "Tokens after the third stage", "stage-2"},
      {GST_SWIN_CLASSIFY_TENSORS_STAGE_3, "Tokens after the fourth stage", "stage-3"},
      {0},
  };

  if (g_once_init_enter(&type))
    g_once_init_leave(&type, g_flags_register_static("GstSwinClassifyTensors", values));
  return type;
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

static const GEnumValue precisions[] = {
    {SWIN_PRECISION_AUTO, "fp16 on a GPU that can, else fp32", "auto"},
    {SWIN_PRECISION_FP32, "Values of 32 bits", "fp32"},
    {SWIN_PRECISION_FP16, "Values of 16 bits, summed up in 32", "fp16"},
    {0},
};

/**
 * GstSwinClassifyPrecision:
 * @auto: fp16 on a GPU that can, else fp32
 * @fp32: values of 32 bits
 * @fp16: values of 16 bits, summed up in 32
 *
 * How activations and weights of the network lie in memory.
 *
 * Since: 0.1
 */
GType gst_swin_classify_precision_get_type(void) {
  static gsize type;

  return register_once(&type, "GstSwinClassifyPrecision", precisions);
}

const gchar *gst_swin_classify_precision_get_name(gint precision) {
  for (const GEnumValue *value = precisions; value->value_nick != NULL; value++) {
    if (value->value == precision)
      return value->value_nick;
  }
  g_return_val_if_reached(NULL);
}
