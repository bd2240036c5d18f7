// SPDX-License-Identifier: LGPL-2.1-or-later
#include "message.h"

#include "enums.h"

GstMessage *swin_message_new_classification(GstObject *source, const GstSegment *segment,
                                            const SwinRegion *region,
                                            const SwinClassification *classification,
                                            guint unique_id) {
  GstClockTime timestamp = classification->timestamp;
  guint64 stream_time = GST_CLOCK_TIME_NONE, running_time = GST_CLOCK_TIME_NONE;
  GstStructure *structure;

  if (segment->format == GST_FORMAT_TIME) {
    stream_time = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, timestamp);
    running_time = gst_segment_to_running_time(segment, GST_FORMAT_TIME, timestamp);
  }
  structure =
      gst_structure_new(SWIN_CLASSIFICATION_NAME, "timestamp", G_TYPE_UINT64, timestamp,
                        "stream-time", G_TYPE_UINT64, stream_time, "running-time", G_TYPE_UINT64,
                        running_time, "unique-id", G_TYPE_UINT, unique_id, NULL);
  swin_region_describe(region, structure);
  swin_classification_describe(classification, structure);
  return gst_message_new_element(source, structure);
}

GstMessage *swin_message_new_model_updated(GstObject *source, const gchar *model_file,
                                           SwinInference *inference) {
  SwinDevice *device = swin_classifier_get_device(swin_inference_get_classifier(inference));

  return gst_message_new_element(
      source,
      gst_structure_new(
          "swin-model-updated", "model-file", G_TYPE_STRING, model_file, "model", G_TYPE_STRING,
          swin_inference_get_model_name(inference), "device", G_TYPE_STRING,
          swin_device_get_info(device)->name, "precision", G_TYPE_STRING,
          gst_swin_classify_precision_get_name(swin_inference_get_precision(inference)), NULL));
}

static gint resource_error(const GError *error) {
  switch ((SwinError)error->code) {
  case SWIN_ERROR_DEVICE:
    return GST_RESOURCE_ERROR_NOT_FOUND;
  case SWIN_ERROR_MODEL:
    return GST_RESOURCE_ERROR_READ;
  case SWIN_ERROR_CONFIG:
  case SWIN_ERROR_LABELS:
    return GST_RESOURCE_ERROR_SETTINGS;
  case SWIN_ERROR_OUT_OF_MEMORY:
    return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  case SWIN_ERROR_DEVICE_LOST:
  case SWIN_ERROR_FRAME:
  case SWIN_ERROR_CANCELLED:
    break;
  }
  return GST_RESOURCE_ERROR_FAILED;
}

void swin_message_post_error(GstElement *element, const GError *error) {
  gst_element_message_full(
      element, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, resource_error(error),
      g_strdup(error->message),
      g_strdup_printf("%s, code %d", g_quark_to_string(error->domain), error->code), __FILE__,
      GST_FUNCTION, __LINE__);
}
