// SPDX-License-Identifier: LGPL-2.1-or-later
// The element's properties.
#include "swinclassify.h"

#include "enums.h"

enum {
  PROP_0,
  PROP_MODEL_FILE,
  PROP_IMAGE_SIZE,
  PROP_WINDOW_SIZE,
  PROP_LABELS_FILE,
  PROP_DEVICE,
  PROP_DEVICE_NAME,
  PROP_CROP_MODE,
  PROP_RESIZE_SIZE,
  PROP_FILL_COLOR,
  PROP_INTERPOLATION,
  PROP_MEAN,
  PROP_STD,
  PROP_CHANNEL_ORDER,
  PROP_ACTIVATION,
  PROP_TOP_K,
  PROP_THRESHOLD,
  PROP_THRESHOLDS_FILE,
  PROP_INFERENCE_INTERVAL,
  PROP_POST_MESSAGES,
  N_PROPERTIES,
};

#define DEFAULT_FILL_COLOR 0xffffffff
#define DEFAULT_CROP_MODE SWIN_CROP_MODE_AUTO
#define DEFAULT_INTERPOLATION SWIN_INTERPOLATION_AUTO
#define DEFAULT_CHANNEL_ORDER SWIN_CHANNEL_ORDER_AUTO
#define DEFAULT_ACTIVATION SWIN_ACTIVATION_AUTO
#define DEFAULT_TOP_K 5
#define DEFAULT_THRESHOLD 0.0f
#define DEFAULT_INFERENCE_INTERVAL 1
#define DEFAULT_POST_MESSAGES TRUE

#define IN_READY (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define IN_PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static GParamSpec *properties[N_PROPERTIES];

/* ---- Values -------------------------------------------------------------------------------- */

static void set_string(gchar **string, const GValue *value) {
  g_free(*string);
  *string = g_value_dup_string(value);
}

static void set_numbers(GArray **numbers, const GValue *value) {
  guint n_numbers = gst_value_array_get_size(value);

  g_clear_pointer(numbers, g_array_unref);
  *numbers = g_array_sized_new(FALSE, FALSE, sizeof(gdouble), n_numbers);
  for (guint i = 0; i < n_numbers; i++) {
    gdouble number = g_value_get_double(gst_value_array_get_value(value, i));

    g_array_append_val(*numbers, number);
  }
}

static void get_numbers(const GArray *numbers, GValue *value) {
  for (guint i = 0; numbers != NULL && i < numbers->len; i++) {
    GValue number = G_VALUE_INIT;

    g_value_init(&number, G_TYPE_DOUBLE);
    g_value_set_double(&number, g_array_index(numbers, gdouble, i));
    gst_value_array_append_and_take_value(value, &number);
  }
}

// What takes effect when an inference is opened. FALSE when @id is another property.
static gboolean set_setting(SwinSettings *settings, guint id, const GValue *value) {
  switch (id) {
  case PROP_MODEL_FILE:
    set_string(&settings->model, value);
    return TRUE;
  case PROP_IMAGE_SIZE:
    set_string(&settings->image_size, value);
    return TRUE;
  case PROP_WINDOW_SIZE:
    settings->window_size = g_value_get_uint(value);
    return TRUE;
  case PROP_LABELS_FILE:
    set_string(&settings->labels, value);
    return TRUE;
  case PROP_DEVICE:
    set_string(&settings->device, value);
    return TRUE;
  case PROP_CROP_MODE:
    settings->crop_mode = (SwinCropMode)g_value_get_enum(value);
    return TRUE;
  case PROP_RESIZE_SIZE:
    settings->resize_size = g_value_get_uint(value);
    return TRUE;
  case PROP_FILL_COLOR:
    settings->fill_color = g_value_get_uint(value);
    return TRUE;
  case PROP_INTERPOLATION:
    settings->interpolation = (SwinInterpolation)g_value_get_enum(value);
    return TRUE;
  case PROP_MEAN:
    set_numbers(&settings->mean, value);
    return TRUE;
  case PROP_STD:
    set_numbers(&settings->std, value);
    return TRUE;
  case PROP_CHANNEL_ORDER:
    settings->channel_order = (SwinChannelOrder)g_value_get_enum(value);
    return TRUE;
  case PROP_ACTIVATION:
    settings->activation = (SwinActivation)g_value_get_enum(value);
    return TRUE;
  case PROP_TOP_K:
    settings->top_k = g_value_get_uint(value);
    return TRUE;
  case PROP_THRESHOLDS_FILE:
    set_string(&settings->thresholds, value);
    return TRUE;
  default:
    return FALSE;
  }
}

static gboolean get_setting(const SwinSettings *settings, guint id, GValue *value) {
  switch (id) {
  case PROP_MODEL_FILE:
    g_value_set_string(value, settings->model);
    return TRUE;
  case PROP_IMAGE_SIZE:
    g_value_set_string(value, settings->image_size);
    return TRUE;
  case PROP_WINDOW_SIZE:
    g_value_set_uint(value, settings->window_size);
    return TRUE;
  case PROP_LABELS_FILE:
    g_value_set_string(value, settings->labels);
    return TRUE;
  case PROP_DEVICE:
    g_value_set_string(value, settings->device);
    return TRUE;
  case PROP_CROP_MODE:
    g_value_set_enum(value, (gint)settings->crop_mode);
    return TRUE;
  case PROP_RESIZE_SIZE:
    g_value_set_uint(value, settings->resize_size);
    return TRUE;
  case PROP_FILL_COLOR:
    g_value_set_uint(value, settings->fill_color);
    return TRUE;
  case PROP_INTERPOLATION:
    g_value_set_enum(value, (gint)settings->interpolation);
    return TRUE;
  case PROP_MEAN:
    get_numbers(settings->mean, value);
    return TRUE;
  case PROP_STD:
    get_numbers(settings->std, value);
    return TRUE;
  case PROP_CHANNEL_ORDER:
    g_value_set_enum(value, (gint)settings->channel_order);
    return TRUE;
  case PROP_ACTIVATION:
    g_value_set_enum(value, (gint)settings->activation);
    return TRUE;
  case PROP_TOP_K:
    g_value_set_uint(value, settings->top_k);
    return TRUE;
  case PROP_THRESHOLDS_FILE:
    g_value_set_string(value, settings->thresholds);
    return TRUE;
  default:
    return FALSE;
  }
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);

  GST_OBJECT_LOCK(self);
  switch (id) {
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
    if (!set_setting(&self->settings, id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    break;
  }
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);

  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_DEVICE_NAME:
    g_value_set_string(value, self->device_name);
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
    if (!get_setting(&self->settings, id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    break;
  }
  GST_OBJECT_UNLOCK(self);
}

/* ---- Specifications ------------------------------------------------------------------------ */

static void specify_model(void) {
  /**
   * GstSwinClassify:model-file:
   *
   * Since: 0.1
   */
  properties[PROP_MODEL_FILE] = g_param_spec_string(
      "model-file", "Model file",
      "Directory with model.safetensors, or a .safetensors file; config.json and "
      "preprocessor_config.json are read where they are beside it; unset: the built-in model "
      "\"testcard\", which recognises test patterns",
      NULL, IN_READY);
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
   * Since: 0.1
   */
  properties[PROP_DEVICE] = g_param_spec_string(
      "device", "Device",
      "Vulkan device: its index, its UUID or a part of its name; unset: what the environment "
      "variable SWIN_DEVICE says, and without it the first usable one of discrete, integrated, "
      "virtual and CPU devices",
      NULL, IN_READY);
  /**
   * GstSwinClassify:device-name:
   *
   * Since: 0.1
   */
  properties[PROP_DEVICE_NAME] = g_param_spec_string(
      "device-name", "Device name",
      "Name of the Vulkan device in use; unset while none is, below the state PAUSED", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
}

static GParamSpec *specify_channels(const gchar *name, const gchar *nick, const gchar *blurb,
                                    gdouble minimum) {
  return gst_param_spec_array(name, nick, blurb,
                              g_param_spec_double("channel", "Channel", "One of three channels",
                                                  minimum, G_MAXFLOAT, 0.0,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS),
                              IN_READY);
}

static void specify_preprocessing(void) {
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
}

static void specify_results(void) {
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
   * GstSwinClassify:inference-interval:
   *
   * Since: 0.1
   */
  properties[PROP_INFERENCE_INTERVAL] =
      g_param_spec_uint("inference-interval", "Inference interval",
                        "Classify every n-th frame; the frames between carry the last result", 1,
                        G_MAXUINT, DEFAULT_INFERENCE_INTERVAL, IN_PLAYING);
  /**
   * GstSwinClassify:post-messages:
   *
   * Since: 0.1
   */
  properties[PROP_POST_MESSAGES] = g_param_spec_boolean(
      "post-messages", "Post messages",
      "Post an element message \"swin-classification\" on the bus for each inference",
      DEFAULT_POST_MESSAGES, IN_PLAYING);
}

/* ---- The element's side -------------------------------------------------------------------- */

void gst_swin_classify_install_properties(GObjectClass *klass) {
  klass->set_property = set_property;
  klass->get_property = get_property;
  specify_model();
  specify_preprocessing();
  specify_results();
  g_object_class_install_properties(klass, N_PROPERTIES, properties);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_CROP_MODE, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_INTERPOLATION, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_CHANNEL_ORDER, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_ACTIVATION, 0);
}

void gst_swin_classify_init_properties(GstSwinClassify *self) {
  self->settings = (SwinSettings){
      .fill_color = DEFAULT_FILL_COLOR,
      .crop_mode = DEFAULT_CROP_MODE,
      .interpolation = DEFAULT_INTERPOLATION,
      .channel_order = DEFAULT_CHANNEL_ORDER,
      .activation = DEFAULT_ACTIVATION,
      .top_k = DEFAULT_TOP_K,
  };
  self->threshold = DEFAULT_THRESHOLD;
  self->inference_interval = DEFAULT_INFERENCE_INTERVAL;
  self->post_messages = DEFAULT_POST_MESSAGES;
}

void gst_swin_classify_clear_properties(GstSwinClassify *self) {
  swin_settings_clear(&self->settings);
  g_free(self->device_name);
}
