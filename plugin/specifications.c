// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element's properties are: their names, types, limits, defaults and texts.
#include <gst/video/video.h>

#include "properties.h"
#include "settings.h"

#define IN_READY (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define IN_PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)
#define TO_READ (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

#define MAX_SMOOTHING 0.99f
#define MAX_BATCH_SIZE 64
#define MAX_BATCH_TIMEOUT 60000

static void specify_model(GParamSpec **properties) {
  /**
   * GstSwinClassify:model-file:
   *
   * Set in PAUSED or PLAYING, the model is loaded in the background with all settings as they are
   * then, and takes over between two frames; #GstSwinClassify::model-updated and a message
   * `swin-model-updated` tell when. A file that cannot be used is told of by a warning, and the
   * model in use stays. Of several set in a row the last one counts.
   *
   * Since: 0.1
   */
  properties[PROP_MODEL_FILE] = g_param_spec_string(
      "model-file", "Model file",
      "Directory with model.safetensors, or a .safetensors file; config.json and "
      "preprocessor_config.json are read where they are beside it; or a built-in model: "
      "\"objects\", which knows a hundred everyday things, or \"testcard\", which knows test "
      "patterns; unset: what the environment variable SWIN_MODEL says, and without it \"objects\"",
      NULL, IN_PLAYING);
  /**
   * GstSwinClassify:model-name:
   *
   * Since: 0.1
   */
  properties[PROP_MODEL_NAME] = g_param_spec_string(
      "model-name", "Model name",
      "Name of the model in use; unset while none is, below the state PAUSED", NULL, TO_READ);
  /**
   * GstSwinClassify:image-size:
   *
   * One number for a square, or width and height: "224" or "640x384". The position bias or position
   * embedding of the network is adapted to it. A network that cannot run at this size is refused
   * with an error when the element goes to PAUSED.
   *
   * Since: 0.1
   */
  properties[PROP_IMAGE_SIZE] = g_param_spec_string(
      "image-size", "Image size",
      "Pixels of the network's input: one side of a square, such as \"224\", or width and height, "
      "such as \"640x384\"; unset: the model's own",
      NULL, IN_READY);
  /**
   * GstSwinClassify:window-size:
   *
   * Since: 0.1
   */
  properties[PROP_WINDOW_SIZE] = g_param_spec_uint(
      "window-size", "Window size", "Window of a Swin network in tokens a side; 0: the model's own",
      0, SWIN_SETTINGS_MAX_WINDOW, 0, IN_READY);
  /**
   * GstSwinClassify:labels-file:
   *
   * One label a line; or a WordNet synset and a label on each line ("n02123045 tabby, tabby cat"),
   * of which the synset is dropped; or CSV with a header, whose column "name", "label", "tag" or
   * "class" is taken.
   *
   * Since: 0.1
   */
  properties[PROP_LABELS_FILE] = g_param_spec_string(
      "labels-file", "Labels file",
      "Text file (UTF-8) with the label of one class on each line, alone or behind a WordNet "
      "synset, or CSV with a header and a column \"name\", \"label\", \"tag\" or \"class\"; as "
      "many as the model has classes; unset: the labels in the model's config.json",
      NULL, IN_READY);
  /**
   * GstSwinClassify:device:
   *
   * The device of the pipeline's Vulkan elements is shared where there is one and neither this nor
   * SWIN_DEVICE names another. Frames in Vulkan images are classified where they are, whatever this
   * says.
   *
   * Since: 0.1
   */
  properties[PROP_DEVICE] = g_param_spec_string(
      "device", "Device",
      "Vulkan device: its index, its UUID or a part of its name; unset: what the environment "
      "variable SWIN_DEVICE says, and without it that of the pipeline's Vulkan elements, or the "
      "first usable one of discrete, integrated, virtual and CPU devices",
      NULL, IN_READY);
  /**
   * GstSwinClassify:device-name:
   *
   * Since: 0.1
   */
  properties[PROP_DEVICE_NAME] = g_param_spec_string(
      "device-name", "Device name",
      "Name of the Vulkan device in use; unset while none is, below the state PAUSED", NULL,
      TO_READ);
  /**
   * GstSwinClassify:precision:
   *
   * fp16 halves the memory that the network takes, and is faster on most GPUs. A device that cannot
   * is refused with an error when the element goes to PAUSED. That of the pipeline's Vulkan
   * elements, which GStreamer opens with 16-bit storage from 1.24 on, is used nevertheless: with
   * fp32 then, and a warning. The fields `precision` of #GstSwinClassify:stats and of the metadata
   * say which one it has become.
   *
   * Since: 0.1
   */
  properties[PROP_PRECISION] = g_param_spec_enum(
      "precision", "Precision",
      "How the network's activations and weights lie in memory; sums are made in 32 bits anyway",
      GST_TYPE_SWIN_CLASSIFY_PRECISION, DEFAULT_PRECISION, IN_READY);
}

static GParamSpec *specify_channels(const gchar *name, const gchar *nick, const gchar *blurb,
                                    gdouble minimum) {
  return gst_param_spec_array(name, nick, blurb,
                              g_param_spec_double("channel", "Channel", "One of three channels",
                                                  minimum, G_MAXFLOAT, 0.0,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS),
                              IN_READY);
}

static void specify_preprocessing(GParamSpec **properties) {
  /**
   * GstSwinClassify:crop-mode:
   *
   * Since: 0.1
   */
  properties[PROP_CROP_MODE] = g_param_spec_enum(
      "crop-mode", "Crop mode", "How the shape of a frame is fitted to the network's input",
      GST_TYPE_SWIN_CLASSIFY_CROP_MODE, DEFAULT_CROP_MODE, IN_READY);
  /**
   * GstSwinClassify:resize-size:
   *
   * Since: 0.1
   */
  properties[PROP_RESIZE_SIZE] = g_param_spec_uint(
      "resize-size", "Resize size",
      "Short side in pixels to which a frame is resized before the centre is cut out, with "
      "crop-mode=center or a model that does so; at least the longer side of the network's input; "
      "0: the model's own",
      0, SWIN_SETTINGS_MAX_SIZE, 0, IN_READY);
  /**
   * GstSwinClassify:fill-color:
   *
   * Since: 0.1
   */
  properties[PROP_FILL_COLOR] = g_param_spec_uint(
      "fill-color", "Fill colour",
      "Colour around a frame with crop-mode=pad, as 0xAARRGGBB; the alpha is ignored", 0, G_MAXUINT,
      DEFAULT_FILL_COLOR, IN_READY);
  /**
   * GstSwinClassify:interpolation:
   *
   * Since: 0.1
   */
  properties[PROP_INTERPOLATION] =
      g_param_spec_enum("interpolation", "Interpolation",
                        "How frames are resized: with the filters of Pillow, antialiased",
                        GST_TYPE_SWIN_CLASSIFY_INTERPOLATION, DEFAULT_INTERPOLATION, IN_READY);
  /**
   * GstSwinClassify:mean:
   *
   * What is subtracted from each channel, such as "<0.485,0.456,0.406>".
   *
   * Since: 0.1
   */
  properties[PROP_MEAN] = specify_channels(
      "mean", "Mean",
      "Mean of the three channels on a scale of 0 to 1, in the order in which the network takes "
      "them, such as <0.485,0.456,0.406>; empty: the model's own",
      (gdouble)-G_MAXFLOAT);
  /**
   * GstSwinClassify:std:
   *
   * What each channel is divided by after the mean was subtracted, such as "<0.229,0.224,0.225>".
   *
   * Since: 0.1
   */
  properties[PROP_STD] = specify_channels(
      "std", "Standard deviation",
      "Standard deviation of the three channels on a scale of 0 to 1, in the order in which the "
      "network takes them, such as <0.229,0.224,0.225>; empty: the model's own",
      0.0);
  /**
   * GstSwinClassify:channel-order:
   *
   * Since: 0.1
   */
  properties[PROP_CHANNEL_ORDER] = g_param_spec_enum(
      "channel-order", "Channel order", "Which of the network's input channels is which colour",
      GST_TYPE_SWIN_CLASSIFY_CHANNEL_ORDER, DEFAULT_CHANNEL_ORDER, IN_READY);
  /**
   * GstSwinClassify:video-direction:
   *
   * What has to be done to frames to see them upright. They are looked at that way; the picture
   * that leaves is as it came. A custom direction is taken as identity.
   *
   * Since: 0.1
   */
  properties[PROP_VIDEO_DIRECTION] = g_param_spec_enum(
      "video-direction", "Video direction",
      "How frames are turned before they are looked at; auto: as the stream's image-orientation "
      "tag says",
      GST_TYPE_VIDEO_ORIENTATION_METHOD, DEFAULT_VIDEO_DIRECTION, IN_PLAYING);
}

static void specify_results(GParamSpec **properties) {
  /**
   * GstSwinClassify:activation:
   *
   * Since: 0.1
   */
  properties[PROP_ACTIVATION] =
      g_param_spec_enum("activation", "Activation", "How the network's logits become confidences",
                        GST_TYPE_SWIN_CLASSIFY_ACTIVATION, DEFAULT_ACTIVATION, IN_READY);
  /**
   * GstSwinClassify:top-k:
   *
   * Since: 0.1
   */
  properties[PROP_TOP_K] =
      g_param_spec_uint("top-k", "Top k",
                        "How many of the best classes to tell of each frame, at most as many as "
                        "the model has",
                        1, 64, DEFAULT_TOP_K, IN_READY);
  /**
   * GstSwinClassify:threshold:
   *
   * Since: 0.1
   */
  properties[PROP_THRESHOLD] = g_param_spec_float(
      "threshold", "Threshold",
      "Classes of less confidence than this are left out of metadata and messages; of no effect "
      "with thresholds-file",
      0.0f, 1.0f, DEFAULT_THRESHOLD, IN_PLAYING);
  /**
   * GstSwinClassify:thresholds-file:
   *
   * A class is told of when it is one of the best #GstSwinClassify:top-k and reaches its own line
   * of this file. The file knows each class, so #GstSwinClassify:threshold, which knows none, is
   * of no effect beside it.
   *
   * Since: 0.1
   */
  properties[PROP_THRESHOLDS_FILE] = g_param_spec_string(
      "thresholds-file", "Thresholds file",
      "Text file with the threshold of one class on each line, a number from 0 to 1, or CSV with a "
      "header and a column \"threshold\"; as many as the model has classes; takes the place of "
      "threshold; unset: threshold holds for every class",
      NULL, IN_READY);
  /**
   * GstSwinClassify:smoothing:
   *
   * With each inference the scores become this share of what they were and the rest of what is new,
   * for each tracked object by itself, and for the whole frame. Objects that are not tracked have
   * no past.
   *
   * Since: 0.1
   */
  properties[PROP_SMOOTHING] = g_param_spec_float(
      "smoothing", "Smoothing",
      "Share of the past in the scores, so that tags do not flicker; 0: each frame by itself", 0.0f,
      MAX_SMOOTHING, DEFAULT_SMOOTHING, IN_READY);
  /**
   * GstSwinClassify:unique-id:
   *
   * Since: 0.1
   */
  properties[PROP_UNIQUE_ID] = g_param_spec_uint(
      "unique-id", "Unique id",
      "Number in metadata and messages that tells the results of this element from those of others",
      0, G_MAXUINT, DEFAULT_UNIQUE_ID, IN_PLAYING);
  /**
   * GstSwinClassify:post-messages:
   *
   * Since: 0.1
   */
  properties[PROP_POST_MESSAGES] = g_param_spec_boolean(
      "post-messages", "Post messages",
      "Post an element message \"swin-classification\" on the bus for each inference",
      DEFAULT_POST_MESSAGES, IN_PLAYING);
  /**
   * GstSwinClassify:attach-tensors:
   *
   * A frame carries the tensors of its own results. Where frames do not wait for those, the first
   * that leaves after a result of the whole frame carries its tensors, so that those of each
   * inference travel once. #GstSwinClassify:smoothing does not touch them.
   *
   * Since: 0.1
   */
  properties[PROP_ATTACH_TENSORS] = g_param_spec_flags(
      "attach-tensors", "Attach tensors",
      "Tensors of the network that frames carry as GstTensorMeta (GStreamer 1.26 and later)",
      GST_TYPE_SWIN_CLASSIFY_TENSORS, DEFAULT_TENSORS, IN_READY);
}

static void specify_selection(GParamSpec **properties) {
  /**
   * GstSwinClassify:inference-interval:
   *
   * Since: 0.1
   */
  properties[PROP_INFERENCE_INTERVAL] =
      g_param_spec_uint("inference-interval", "Inference interval",
                        "Classify every n-th frame; the frames between carry the last result", 1,
                        G_MAXUINT, DEFAULT_INFERENCE_INTERVAL, IN_PLAYING);
  /**
   * GstSwinClassify:inference-region:
   *
   * With roi-list each object that a detector upstream has marked, by #GstAnalyticsODMtd or
   * #GstVideoRegionOfInterestMeta, is cut out and classified by itself; a frame without any passes.
   * Frames that are not looked at carry the last results of tracked objects alone.
   *
   * Since: 0.1
   */
  properties[PROP_INFERENCE_REGION] = g_param_spec_enum(
      "inference-region", "Inference region", "What of a frame is classified",
      GST_TYPE_SWIN_CLASSIFY_INFERENCE_REGION, DEFAULT_INFERENCE_REGION, IN_PLAYING);
  /**
   * GstSwinClassify:object-class:
   *
   * Since: 0.1
   */
  properties[PROP_OBJECT_CLASS] = g_param_spec_string(
      "object-class", "Object class",
      "With inference-region=roi-list: what the detector has to have called an object, one name or "
      "several with commas between them; unset: objects of every class",
      NULL, IN_PLAYING);
  /**
   * GstSwinClassify:object-min-width:
   *
   * Since: 0.1
   */
  properties[PROP_OBJECT_MIN_WIDTH] = g_param_spec_uint(
      "object-min-width", "Least width of objects",
      "With inference-region=roi-list: narrower objects, in pixels, are passed over", 0, G_MAXUINT,
      DEFAULT_OBJECT_MIN_WIDTH, IN_PLAYING);
  /**
   * GstSwinClassify:object-min-height:
   *
   * Since: 0.1
   */
  properties[PROP_OBJECT_MIN_HEIGHT] =
      g_param_spec_uint("object-min-height", "Least height of objects",
                        "With inference-region=roi-list: lower objects, in pixels, are passed over",
                        0, G_MAXUINT, DEFAULT_OBJECT_MIN_HEIGHT, IN_PLAYING);
  /**
   * GstSwinClassify:reclassify-interval:
   *
   * Since: 0.1
   */
  properties[PROP_RECLASSIFY_INTERVAL] = g_param_spec_uint(
      "reclassify-interval", "Reclassify interval",
      "With inference-region=roi-list: frames from one look at a tracked object to the next, "
      "between which it carries its last result; 0: one look is enough",
      0, G_MAXUINT, DEFAULT_RECLASSIFY_INTERVAL, IN_PLAYING);
}

static void specify_streaming(GParamSpec **properties) {
  /**
   * GstSwinClassify:latency-policy:
   *
   * Since: 0.1
   */
  properties[PROP_LATENCY_POLICY] = g_param_spec_enum(
      "latency-policy", "Latency policy",
      "Whether frames wait for results of their own or leave at once with the newest there is",
      GST_TYPE_SWIN_CLASSIFY_LATENCY_POLICY, DEFAULT_LATENCY_POLICY, IN_PLAYING);
  /**
   * GstSwinClassify:qos:
   *
   * Since: 0.1
   */
  properties[PROP_QOS] = g_param_spec_boolean(
      "qos", "Quality of service",
      "Frames that are late already, as downstream says, pass without inference", DEFAULT_QOS,
      IN_PLAYING);
  /**
   * GstSwinClassify:batch-size:
   *
   * Batches form of the frames of all elements that share the model, and of the objects of a frame.
   *
   * Since: 0.1
   */
  properties[PROP_BATCH_SIZE] = g_param_spec_uint(
      "batch-size", "Batch size", "Largest number of frames or objects that are computed together",
      1, MAX_BATCH_SIZE, DEFAULT_BATCH_SIZE, IN_READY);
  /**
   * GstSwinClassify:batch-timeout:
   *
   * Since: 0.1
   */
  properties[PROP_BATCH_TIMEOUT] = g_param_spec_uint(
      "batch-timeout", "Batch timeout",
      "How long the first frame of a batch waits for others, in ms; 0: whatever is there is "
      "computed",
      0, MAX_BATCH_TIMEOUT, DEFAULT_BATCH_TIMEOUT, IN_READY);
  /**
   * GstSwinClassify:model-instance-id:
   *
   * Elements of the same process share weights and batches without this, where they agree on model,
   * device and settings. With it those of one name take model, device and settings from the first
   * one that was opened, except #GstSwinClassify:attach-tensors and #GstSwinClassify:smoothing;
   * what is not about the model (such as #GstSwinClassify:threshold) is each one's own anyway.
   *
   * Since: 0.1
   */
  properties[PROP_MODEL_INSTANCE_ID] = g_param_spec_string(
      "model-instance-id", "Model instance id",
      "Name under which elements share a model with all its settings; unset: they share one where "
      "their settings are equal",
      NULL, IN_READY);
  /**
   * GstSwinClassify:stats:
   *
   * What has been counted since the element was last opened: a structure `application/x-swin-stats`
   * with these fields:
   *
   * * #guint64 `frames`: that came in
   * * #guint64 `classified`: that inference was done for, or for objects on them
   * * #guint64 `inferences`: more than those where several objects are on a frame
   * * #guint64 `skipped`: frames that inference was meant for and that passed without: it was busy
   *   with another, or they were late
   * * #guint64 `dropped`: frames that did not leave: flushed, or behind the end
   * * #guint64 `host-copies`: frames whose pixels passed through memory of the host
   * * #guint64 `latency-median`, `latency-p95`: from a frame's coming to its result, in
   *   nanoseconds, of the last 512 results
   * * #gdouble `batch-fill`: how full batches were, 0 to 1, of all elements that share the model
   * * #gchararray `device`, `model`, `precision`: in use
   *
   * Since: 0.1
   */
  properties[PROP_STATS] = g_param_spec_boxed("stats", "Statistics",
                                              "What has been counted since the element was opened",
                                              GST_TYPE_STRUCTURE, TO_READ);
}

void gst_swin_classify_make_specifications(GParamSpec **properties) {
  specify_model(properties);
  specify_preprocessing(properties);
  specify_results(properties);
  specify_selection(properties);
  specify_streaming(properties);
}
