// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-swinclassify
 * @title: swinclassify
 *
 * Says what each video frame shows: classifies it with a Swin Transformer network that runs in
 * Vulkan compute shaders, and attaches the best classes to the frame. The picture itself passes
 * untouched.
 *
 * The model is a directory that holds `model.safetensors` and `config.json`, as published on model
 * hubs for Swin Transformer, or a `.safetensors` file with its `config.json` beside it. Without
 * #GstSwinClassify:model-file the built-in model "testcard" recognises what a signal monitor looks
 * for: colour bars, black, snow, a checkerboard, ordinary pictures and more.
 *
 * ## Metadata
 *
 * With GStreamer 1.24 and later every buffer carries its tags as a #GstAnalyticsClsMtd in its
 * #GstAnalyticsRelationMeta. With earlier releases it carries a custom meta `swin-classification`
 * with the fields `labels`, `confidences` and `indices` described below. The best class comes
 * first. Nothing is attached where no class reaches #GstSwinClassify:threshold.
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
 * * #GstValueArray of #gdouble `confidences`: their probabilities, from 0 to 1
 * * #GstValueArray of #guint `indices`: their indices in the model
 *
 * The arrays are empty where no class reaches #GstSwinClassify:threshold.
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

enum {
  PROP_MODEL_FILE = 1,
  PROP_LABELS_FILE,
  PROP_DEVICE,
  PROP_DEVICE_NAME,
  PROP_TOP_K,
  PROP_THRESHOLD,
  PROP_INFERENCE_INTERVAL,
  PROP_POST_MESSAGES,
  N_PROPERTIES,
};

#define DEFAULT_TOP_K 5
#define DEFAULT_THRESHOLD 0.0f
#define DEFAULT_INFERENCE_INTERVAL 1
#define DEFAULT_POST_MESSAGES TRUE

static GParamSpec *properties[N_PROPERTIES];

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
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_DEVICE_NAME]);
}

static gboolean open_inference(GstSwinClassify *self) {
  g_autofree gchar *model = NULL, *labels = NULL, *device = NULL;
  g_autoptr(GError) error = NULL;
  SwinInferenceSettings settings;
  SwinInference *inference;

  GST_OBJECT_LOCK(self);
  model = g_strdup(self->model_file);
  labels = g_strdup(self->labels_file);
  device = g_strdup(self->device);
  settings.top_k = self->top_k;
  GST_OBJECT_UNLOCK(self);
  settings.model = model;
  settings.labels = labels;
  settings.device = device;

  inference = swin_inference_open(&settings, &error);
  if (inference == NULL) {
    swin_message_post_error(GST_ELEMENT_CAST(self), error);
    return FALSE;
  }
  set_inference(self, inference);
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

/* ---- Properties ---------------------------------------------------------------------------- */

static void set_string(gchar **string, const GValue *value) {
  g_free(*string);
  *string = g_value_dup_string(value);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);

  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_MODEL_FILE:
    set_string(&self->model_file, value);
    break;
  case PROP_LABELS_FILE:
    set_string(&self->labels_file, value);
    break;
  case PROP_DEVICE:
    set_string(&self->device, value);
    break;
  case PROP_TOP_K:
    self->top_k = g_value_get_uint(value);
    break;
  case PROP_THRESHOLD:
    self->threshold = g_value_get_float(value);
    break;
  case PROP_INFERENCE_INTERVAL:
    self->inference_interval = g_value_get_uint(value);
    break;
  case PROP_POST_MESSAGES:
    self->post_messages = g_value_get_boolean(value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    break;
  }
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);

  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_MODEL_FILE:
    g_value_set_string(value, self->model_file);
    break;
  case PROP_LABELS_FILE:
    g_value_set_string(value, self->labels_file);
    break;
  case PROP_DEVICE:
    g_value_set_string(value, self->device);
    break;
  case PROP_DEVICE_NAME:
    g_value_set_string(value, self->device_name);
    break;
  case PROP_TOP_K:
    g_value_set_uint(value, self->top_k);
    break;
  case PROP_THRESHOLD:
    g_value_set_float(value, self->threshold);
    break;
  case PROP_INFERENCE_INTERVAL:
    g_value_set_uint(value, self->inference_interval);
    break;
  case PROP_POST_MESSAGES:
    g_value_set_boolean(value, self->post_messages);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    break;
  }
  GST_OBJECT_UNLOCK(self);
}

static void install_properties(GObjectClass *klass) {
  const GParamFlags in_ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags in_playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  /**
   * GstSwinClassify:model-file:
   *
   * Since: 0.1
   */
  properties[PROP_MODEL_FILE] = g_param_spec_string(
      "model-file", "Model file",
      "Directory with model.safetensors and config.json, or a .safetensors file with config.json "
      "beside it; unset: the built-in model \"testcard\", which recognises test patterns",
      NULL, in_ready);
  /**
   * GstSwinClassify:labels-file:
   *
   * Since: 0.1
   */
  properties[PROP_LABELS_FILE] = g_param_spec_string(
      "labels-file", "Labels file",
      "Text file (UTF-8) with the name of one class on each line, as many as the model has classes; "
      "unset: the names in the model's config.json",
      NULL, in_ready);
  /**
   * GstSwinClassify:device:
   *
   * Since: 0.1
   */
  properties[PROP_DEVICE] = g_param_spec_string(
      "device", "Device",
      "Vulkan device: its index, its UUID or a part of its name; unset: what the environment "
      "variable SWIN_DEVICE says, and without it the first usable one of discrete, integrated, "
      "virtual and CPU devices",
      NULL, in_ready);
  /**
   * GstSwinClassify:device-name:
   *
   * Since: 0.1
   */
  properties[PROP_DEVICE_NAME] = g_param_spec_string(
      "device-name", "Device name",
      "Name of the Vulkan device in use; unset while none is, below the state PAUSED", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * GstSwinClassify:top-k:
   *
   * Since: 0.1
   */
  properties[PROP_TOP_K] =
      g_param_spec_uint("top-k", "Top k",
                        "How many of the best classes to tell of each frame, at most as many as "
                        "the model has",
                        1, 64, DEFAULT_TOP_K, in_ready);
  /**
   * GstSwinClassify:threshold:
   *
   * Since: 0.1
   */
  properties[PROP_THRESHOLD] = g_param_spec_float(
      "threshold", "Threshold",
      "Classes of less confidence than this are left out of metadata and messages", 0.0f, 1.0f,
      DEFAULT_THRESHOLD, in_playing);
  /**
   * GstSwinClassify:inference-interval:
   *
   * Since: 0.1
   */
  properties[PROP_INFERENCE_INTERVAL] =
      g_param_spec_uint("inference-interval", "Inference interval",
                        "Classify every n-th frame; the frames between carry the last result", 1,
                        G_MAXUINT, DEFAULT_INFERENCE_INTERVAL, in_playing);
  /**
   * GstSwinClassify:post-messages:
   *
   * Since: 0.1
   */
  properties[PROP_POST_MESSAGES] = g_param_spec_boolean(
      "post-messages", "Post messages",
      "Post an element message \"swin-classification\" on the bus for each inference",
      DEFAULT_POST_MESSAGES, in_playing);
  g_object_class_install_properties(klass, N_PROPERTIES, properties);
}

/* ---- Class --------------------------------------------------------------------------------- */

static void finalize(GObject *object) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);

  gst_swin_classify_stop_stream(self);
  swin_inference_unref(self->inference);
  swin_queue_unref(self->queue);
  g_free(self->model_file);
  g_free(self->labels_file);
  g_free(self->device);
  g_free(self->device_name);
  G_OBJECT_CLASS(gst_swin_classify_parent_class)->finalize(object);
}

static void gst_swin_classify_class_init(GstSwinClassifyClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS(klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

  GST_DEBUG_CATEGORY_INIT(gst_swin_classify_debug, "swinclassify", 0,
                          "image classification with Swin Transformer");
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  element_class->change_state = change_state;
  install_properties(object_class);
  gst_swin_classify_add_pad_templates(element_class);
  gst_element_class_set_static_metadata(
      element_class, "Swin Transformer classifier", "Filter/Analyzer/Video",
      "Says what each video frame shows: classifies it with a Swin Transformer on Vulkan compute "
      "and attaches the best classes as metadata",
      "The gst-swin developers");
}

static void gst_swin_classify_init(GstSwinClassify *self) {
  self->top_k = DEFAULT_TOP_K;
  self->threshold = DEFAULT_THRESHOLD;
  self->inference_interval = DEFAULT_INFERENCE_INTERVAL;
  self->post_messages = DEFAULT_POST_MESSAGES;
  gst_swin_classify_init_stream(self);
}
