// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * enums.h: libswin's enumerations as GObject types, for properties.
 */
#ifndef SWIN_PLUGIN_ENUMS_H
#define SWIN_PLUGIN_ENUMS_H

#include <glib-object.h>

/** GstSwinClassifyCropMode: a #SwinCropMode. */
#define GST_TYPE_SWIN_CLASSIFY_CROP_MODE (gst_swin_classify_crop_mode_get_type())
GType gst_swin_classify_crop_mode_get_type(void);

/** GstSwinClassifyInterpolation: a #SwinInterpolation. */
#define GST_TYPE_SWIN_CLASSIFY_INTERPOLATION (gst_swin_classify_interpolation_get_type())
GType gst_swin_classify_interpolation_get_type(void);

/** GstSwinClassifyChannelOrder: a #SwinChannelOrder. */
#define GST_TYPE_SWIN_CLASSIFY_CHANNEL_ORDER (gst_swin_classify_channel_order_get_type())
GType gst_swin_classify_channel_order_get_type(void);

/** GstSwinClassifyActivation: a #SwinActivation. */
#define GST_TYPE_SWIN_CLASSIFY_ACTIVATION (gst_swin_classify_activation_get_type())
GType gst_swin_classify_activation_get_type(void);

/** GstSwinClassifyPrecision: a #SwinPrecision. */
#define GST_TYPE_SWIN_CLASSIFY_PRECISION (gst_swin_classify_precision_get_type())
GType gst_swin_classify_precision_get_type(void);

/**
 * gst_swin_classify_precision_get_name: the nick of a value: "auto", "fp32" or "fp16". Static.
 * @precision: a #SwinPrecision
 */
const gchar *gst_swin_classify_precision_get_name(gint precision);

/** GstSwinClassifyLatencyPolicy: what a frame does while inference is busy. */
typedef enum {
  GST_SWIN_CLASSIFY_LATENCY_POLICY_AUTO,   /* latest in a live pipeline, every elsewhere */
  GST_SWIN_CLASSIFY_LATENCY_POLICY_EVERY,  /* waits for a result of its own */
  GST_SWIN_CLASSIFY_LATENCY_POLICY_LATEST, /* leaves at once with the newest result */
} GstSwinClassifyLatencyPolicy;
#define GST_TYPE_SWIN_CLASSIFY_LATENCY_POLICY (gst_swin_classify_latency_policy_get_type())
GType gst_swin_classify_latency_policy_get_type(void);

/** GstSwinClassifyInferenceRegion: what of a frame is looked at. */
typedef enum {
  GST_SWIN_CLASSIFY_INFERENCE_REGION_FULL_FRAME,
  GST_SWIN_CLASSIFY_INFERENCE_REGION_ROI_LIST, /* the objects that a detector has marked */
} GstSwinClassifyInferenceRegion;
#define GST_TYPE_SWIN_CLASSIFY_INFERENCE_REGION (gst_swin_classify_inference_region_get_type())
GType gst_swin_classify_inference_region_get_type(void);

/** GstSwinClassifyTensors: flags: tensors that results carry. */
typedef enum {
  GST_SWIN_CLASSIFY_TENSORS_LOGITS = 1 << 0,
  GST_SWIN_CLASSIFY_TENSORS_EMBEDDING = 1 << 1, /* pooled, before the head */
  GST_SWIN_CLASSIFY_TENSORS_STAGE_0 = 1 << 2,   /* tokens after each stage */
  GST_SWIN_CLASSIFY_TENSORS_STAGE_1 = 1 << 3,
  GST_SWIN_CLASSIFY_TENSORS_STAGE_2 = 1 << 4,
  GST_SWIN_CLASSIFY_TENSORS_STAGE_3 = 1 << 5,
} GstSwinClassifyTensors;
#define GST_TYPE_SWIN_CLASSIFY_TENSORS (gst_swin_classify_tensors_get_type())
GType gst_swin_classify_tensors_get_type(void);

#endif /* SWIN_PLUGIN_ENUMS_H */
