// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-swinclassify
 * @title: swinclassify
 *
 * Says what each video frame shows: classifies it with a Swin Transformer network that runs in
 * Vulkan compute shaders, and attaches the best classes to the frame. The picture itself passes
 * untouched.
 *
 * The model is a directory that holds `model.safetensors`, or a `.safetensors` file: a Swin
 * Transformer of the first or second generation, a ViT or a DeiT, as Hugging Face, timm,
 * torchvision or Microsoft publish them. Without #GstSwinClassify:model-file the built-in model
 * "testcard" recognises what a signal monitor looks for: colour bars, black, snow, a checkerboard,
 * ordinary pictures and more.
 *
 * ## Preprocessing
 *
 * Frames are resized, cropped and normalised as the model was trained: as its
 * `preprocessor_config.json` or the `pretrained_cfg` in its `config.json` says, otherwise as its
 * publisher does it. #GstSwinClassify:crop-mode, #GstSwinClassify:resize-size,
 * #GstSwinClassify:fill-color, #GstSwinClassify:interpolation, #GstSwinClassify:mean,
 * #GstSwinClassify:std and #GstSwinClassify:channel-order each override their part of that.
 *
 * What the model's files do not say is assumed. An INFO message on the bus, one for each time that
 * the element goes from READY to PAUSED, says what; nothing is posted where nothing was assumed.
 *
 * ## Labels and thresholds
 *
 * Labels are those of the model's config, or those of #GstSwinClassify:labels-file. Of the best
 * #GstSwinClassify:top-k classes of a frame those are told that reach
 * #GstSwinClassify:threshold, or with #GstSwinClassify:thresholds-file each its own threshold.
 *
 * ## Metadata
 *
 * With GStreamer 1.24 and later every buffer carries its tags as a #GstAnalyticsClsMtd in its
 * #GstAnalyticsRelationMeta. With earlier releases it carries a custom meta `swin-classification`
 * with the fields `labels`, `confidences` and `indices` described below. The best class comes
 * first. Nothing is attached where no class reaches its threshold.
 *
 * ## Messages
 *
 * For each inference the element posts an element message named `swin-classification` just before
 * the frame leaves, unless #GstSwinClassify:post-messages is off. Its fields are:
 *
 * * #guint64 `timestamp`: presentation time stamp of the frame, in nanoseconds
 * * #guint64 `stream-time`: the frame's position in the stream, in nanoseconds
 * * #guint64 `running-time`: when the frame is shown, in nanoseconds of running time
 * * #GstValueArray of #gchararray `labels`: names of the classes, best first
 * * #GstValueArray of #gdouble `confidences`: softmax or sigmoid of their logits, from 0 to 1
 * * #GstValueArray of #guint `indices`: their indices in the model
 *
 * The arrays are empty where no class reaches its threshold.
 *
 * ## Latency
 *
 * A frame leaves when its inference is done, and frames leave in order. The LATENCY query is
 * answered with the longest time that an inference has taken so far and a quarter; a LATENCY
 * message says when that has grown.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=30 ! swinclassify ! fakesink
 * ]| Prints a message for each frame, which says "colour bars".
 * |[
 * gst-launch-1.0 -m filesrc location=film.mp4 ! decodebin ! videoconvert ! swinclassify
 * model-file=swin-tiny-patch4-window7-224 inference-interval=10 ! fakesink
 * ]| Classifies every tenth frame of a film among the classes of ImageNet.
 *
 * Since: 0.1
 */
#include "swinclassify.h"

#include "message.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug
GST_DEBUG_CATEGORY(gst_swin_classify_debug);

G_DEFINE_FINAL_TYPE(GstSwinClassify, gst_swin_classify, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(swinclassify, "swinclassify", GST_RANK_NONE, GST_TYPE_SWIN_CLASSIFY)

/* ---- States -------------------------------------------------------------------------------- */

static void set_inference(GstSwinClassify *self, SwinInference *inference) {
  SwinInference *old;
  gchar *old_name;
  const SwinDeviceInfo *device = NULL;

  if (inference != NULL) {
    SwinClassifier *classifier = swin_inference_get_classifier(inference);

    device = swin_device_get_info(swin_classifier_get_device(classifier));
    GST_INFO_OBJECT(self, "model %s on device %u, %s (%s, %s)",
                    swin_model_get_name(swin_classifier_get_model(classifier)), device->index,
                    device->name, swin_device_kind_name(device->kind), device->driver);
  }
  GST_OBJECT_LOCK(self);
  old = self->inference;
  old_name = self->device_name;
  self->inference = inference;
  self->device_name = device != NULL ? g_strdup(device->name) : NULL;
  GST_OBJECT_UNLOCK(self);
  swin_inference_unref(old);
  g_free(old_name);
  g_object_notify(G_OBJECT(self), "device-name");
}

// What had to be assumed of the model is no fault, but may explain a result that is one.
static void tell_notes(GstSwinClassify *self, SwinModel *model) {
  const gchar *const *notes = swin_model_get_notes(model);
  g_autofree gchar *text = NULL;

  if (*notes == NULL)
    return;
  for (guint i = 0; notes[i] != NULL; i++)
    GST_WARNING_OBJECT(self, "%s", notes[i]);
  text = g_strjoinv(" ", (gchar **)notes);
  // Twice, because of an INFO message gst-launch-1.0 shows nothing but the part for debugging.
  GST_ELEMENT_INFO(self, RESOURCE, SETTINGS, ("%s", text), ("%s", text));
}

static gboolean open_inference(GstSwinClassify *self) {
  g_auto(SwinSettings) settings = {0};
  g_autoptr(GError) error = NULL;
  SwinInference *inference;

  GST_OBJECT_LOCK(self);
  swin_settings_copy(&settings, &self->settings);
  GST_OBJECT_UNLOCK(self);

  inference = swin_inference_open(&settings, &error);
  if (inference == NULL) {
    swin_message_post_error(GST_ELEMENT_CAST(self), error);
    return FALSE;
  }
  set_inference(self, inference);
  tell_notes(self, swin_classifier_get_model(swin_inference_get_classifier(inference)));
  return TRUE;
}

// Frames under way point into buffers of upstream's pools, so they are waited for; cancelled, they
// take no longer than what the device computes at this moment.
static void close_inference(GstSwinClassify *self) {
  SwinClassifier *classifier;

  if (self->inference == NULL)
    return;
  classifier = swin_inference_get_classifier(self->inference);
  swin_classifier_cancel(classifier);
  gst_swin_classify_stop_stream(self);
  swin_classifier_drain(classifier);
  set_inference(self, NULL);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !open_inference(self))
    return GST_STATE_CHANGE_FAILURE;
  result = GST_ELEMENT_CLASS(gst_swin_classify_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
    close_inference(self);
  return result;
}

/* ---- Class --------------------------------------------------------------------------------- */

static void finalize(GObject *object) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);

  gst_swin_classify_stop_stream(self);
  swin_inference_unref(self->inference);
  swin_queue_unref(self->queue);
  gst_swin_classify_clear_properties(self);
  G_OBJECT_CLASS(gst_swin_classify_parent_class)->finalize(object);
}

static void gst_swin_classify_class_init(GstSwinClassifyClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS(klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

  GST_DEBUG_CATEGORY_INIT(gst_swin_classify_debug, "swinclassify", 0,
                          "image classification with Swin Transformer");
  object_class->finalize = finalize;
  element_class->change_state = change_state;
  gst_swin_classify_install_properties(object_class);
  gst_swin_classify_add_pad_templates(element_class);
  gst_element_class_set_static_metadata(
      element_class, "Swin Transformer classifier", "Filter/Analyzer/Video",
      "Says what each video frame shows: classifies it with a Swin Transformer on Vulkan compute "
      "and attaches the best classes as metadata",
      "The gst-swin developers");
}

static void gst_swin_classify_init(GstSwinClassify *self) {
  gst_swin_classify_init_properties(self);
  gst_swin_classify_init_stream(self);
}
