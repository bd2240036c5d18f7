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
 * torchvision or Microsoft publish them. Two are built in: "objects", the default, knows a hundred
 * everyday things, animals and vehicles; "testcard" recognises what a signal monitor looks for:
 * colour bars, black, snow, a checkerboard, ordinary pictures and more.
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
 * ## Which frames, and what of them
 *
 * Every #GstSwinClassify:inference-interval th frame is looked at, those excepted that come too
 * late to be shown, as downstream says by QOS events (#GstSwinClassify:qos). No frame is ever
 * dropped for that: it leaves without a result of its own.
 *
 * With #GstSwinClassify:inference-region `roi-list` the objects that a detector upstream has marked
 * are looked at instead of the whole, all of them or those of #GstSwinClassify:object-class and of
 * a minimum size. Objects that are tracked carry their last result from frame to frame, and are
 * looked at again after #GstSwinClassify:reclassify-interval frames.
 *
 * Frames are looked at upright, as the stream's image-orientation tag or
 * #GstSwinClassify:video-direction says, and within a #GstVideoCropMeta. They may be in system
 * memory, in dma-bufs or in Vulkan images; those are read where they are.
 *
 * ## Latency
 *
 * With #GstSwinClassify:latency-policy `every` each frame that is looked at waits for its own
 * result. Several are on their way at once, and all frames leave in their order. The LATENCY query
 * is answered with the longest time that an inference has taken so far and a quarter, at first with
 * what it took when the model was opened; a LATENCY message says when that has grown.
 *
 * With `latest` no frame waits. Each leaves at once with the newest result that there is, whose age
 * is in the metadata; inference takes the newest frame whenever it becomes free, so that a result
 * is never older than two inferences. Results of earlier frames are about the whole frame or about
 * objects that are tracked; others get none. The element adds nothing to the latency of the
 * pipeline. At the end of the stream what is under way is given up.
 *
 * `auto` is `latest` where upstream is live and `every` elsewhere.
 *
 * ## Several models and several streams
 *
 * Elements of one process that agree on model, device and settings share weights and form batches
 * of #GstSwinClassify:batch-size frames across streams; #GstSwinClassify:model-instance-id makes
 * them agree. Elements in a row each leave their results, told apart by the name of the model and
 * by #GstSwinClassify:unique-id.
 *
 * #GstSwinClassify:model-file may be set while the element plays: the model is loaded in the
 * background and takes over between two frames.
 *
 * ## Metadata
 *
 * Every buffer carries its tags as a custom meta `swin-classification`, one for each model and
 * object, with the fields
 *
 * * #gchararray `model` and `precision`, #guint `unique-id`: what made it
 * * #guint64 `timestamp`: presentation time stamp of the frame that was looked at, in nanoseconds
 * * #guint64 `age`: how much older that is than this one, in nanoseconds
 * * `labels`, `confidences` and `indices` as described below
 * * of an object: #GstValueArray of #guint `region` (x, y, width, height), #gchararray
 *   `object-class`, #guint64 `track`
 *
 * With GStreamer 1.24 and later there is a #GstAnalyticsClsMtd as well in the buffer's
 * #GstAnalyticsRelationMeta, related to the #GstAnalyticsODMtd of the object. Results of an object
 * that came as a #GstVideoRegionOfInterestMeta are also a parameter of that. The best class comes
 * first. Nothing is attached where no class reaches its threshold.
 *
 * With #GstSwinClassify:attach-tensors (GStreamer 1.26 and later) frames carry logits, embeddings
 * or the tokens of a stage as #GstTensorMeta.
 *
 * ## Messages
 *
 * For each inference the element posts an element message named `swin-classification` just before
 * the frame leaves, or before the next one where frames do not wait, unless
 * #GstSwinClassify:post-messages is off. Its fields are:
 *
 * * #guint64 `timestamp`: presentation time stamp of the frame that was looked at, in nanoseconds
 * * #guint64 `stream-time`: that frame's position in the stream, in nanoseconds
 * * #guint64 `running-time`: when that frame is shown, in nanoseconds of running time
 * * #gchararray `model` and `precision`, #guint `unique-id`: what made it
 * * #GstValueArray of #gchararray `labels`: names of the classes, best first
 * * #GstValueArray of #gdouble `confidences`: softmax or sigmoid of their logits, from 0 to 1
 * * #GstValueArray of #guint `indices`: their indices in the model
 * * of an object: `region`, `object-class` and `track` as in the metadata
 *
 * The arrays are empty where no class reaches its threshold.
 *
 * An element message `swin-model-updated` with the fields #gchararray `model-file`, `model`,
 * `device` and `precision` says that another model is in use.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -m filesrc location=photo.jpg ! decodebin ! swinclassify ! fakesink
 * ]| Prints a message that says what is on a photo.
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=30 ! swinclassify model-file=testcard ! fakesink
 * ]| Prints a message for each frame, which says "colour bars".
 * |[
 * gst-launch-1.0 -m filesrc location=film.mp4 ! decodebin ! swinclassify
 * model-file=swin-tiny-patch4-window7-224 inference-interval=10 ! fakesink
 * ]| Classifies every tenth frame of a film among the classes of ImageNet.
 * |[
 * gst-launch-1.0 v4l2src ! swinclassify model-file=swin-tiny-patch4-window7-224 smoothing=0.8
 * threshold=0.3 ! swinoverlay ! videoconvert ! autovideosink
 * ]| Shows a camera with what is seen on the picture, however slow the device is.
 *
 * Since: 0.1
 */
#include "swinclassify.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug
GST_DEBUG_CATEGORY(gst_swin_classify_debug);

// The property `video-direction` is all that there is to the interface.
static void init_video_direction(GstVideoDirectionInterface *interface) {
  (void)interface;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(GstSwinClassify, gst_swin_classify, GST_TYPE_ELEMENT,
                              G_IMPLEMENT_INTERFACE(GST_TYPE_VIDEO_DIRECTION, init_video_direction))
GST_ELEMENT_REGISTER_DEFINE(swinclassify, "swinclassify", GST_RANK_NONE, GST_TYPE_SWIN_CLASSIFY)

/* ---- States -------------------------------------------------------------------------------- */

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !gst_swin_classify_open(self))
    return GST_STATE_CHANGE_FAILURE;
  result = GST_ELEMENT_CLASS(gst_swin_classify_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
    gst_swin_classify_close(self);
  return result;
}

/* ---- Class --------------------------------------------------------------------------------- */

static void set_context(GstElement *element, GstContext *context) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(element);

  swin_vulkan_set_context(self->vulkan, element, context);
  GST_ELEMENT_CLASS(gst_swin_classify_parent_class)->set_context(element, context);
}

static void finalize(GObject *object) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);

  gst_swin_classify_free_stream(self);
  swin_loader_unref(self->loader);
  swin_vulkan_free(self->vulkan);
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
  element_class->set_context = set_context;
  gst_swin_classify_install_properties(object_class);
  /**
   * GstSwinClassify::model-updated:
   * @element: the element
   * @model_file: (nullable): the value of #GstSwinClassify:model-file that is in use now
   *
   * A model that was set while the element was in PAUSED or PLAYING is in use from the next frame
   * on. Comes from a thread of the element's own.
   *
   * Since: 0.1
   */
  g_signal_new("model-updated", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
               G_TYPE_NONE, 1, G_TYPE_STRING);
  gst_swin_classify_add_pad_templates(element_class);
  gst_element_class_set_static_metadata(
      element_class, "Swin Transformer classifier", "Filter/Analyzer/Video",
      "Says what each video frame shows: classifies it with a Swin Transformer on Vulkan compute "
      "and attaches the best classes as metadata",
      "The gst-swin developers");
}

static void gst_swin_classify_init(GstSwinClassify *self) {
  self->vulkan = swin_vulkan_new();
  self->loader = swin_loader_new(gst_swin_classify_switch_model, self);
  gst_swin_classify_init_properties(self);
  gst_swin_classify_init_stream(self);
}
