// SPDX-License-Identifier: LGPL-2.1-or-later
// The values of the element's properties.
#include "properties.h"

#include "swinclassify.h"

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
  case PROP_PRECISION:
    settings->precision = (SwinPrecision)g_value_get_enum(value);
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
  case PROP_SMOOTHING:
    settings->smoothing = g_value_get_float(value);
    return TRUE;
  case PROP_BATCH_SIZE:
    settings->batch_size = g_value_get_uint(value);
    return TRUE;
  case PROP_BATCH_TIMEOUT:
    settings->batch_timeout = g_value_get_uint(value);
    return TRUE;
  case PROP_MODEL_INSTANCE_ID:
    set_string(&settings->instance, value);
    return TRUE;
  case PROP_ATTACH_TENSORS:
    settings->tensors = g_value_get_flags(value);
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
  case PROP_PRECISION:
    g_value_set_enum(value, (gint)settings->precision);
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
  case PROP_SMOOTHING:
    g_value_set_float(value, settings->smoothing);
    return TRUE;
  case PROP_BATCH_SIZE:
    g_value_set_uint(value, settings->batch_size);
    return TRUE;
  case PROP_BATCH_TIMEOUT:
    g_value_set_uint(value, settings->batch_timeout);
    return TRUE;
  case PROP_MODEL_INSTANCE_ID:
    g_value_set_string(value, settings->instance);
    return TRUE;
  case PROP_ATTACH_TENSORS:
    g_value_set_flags(value, settings->tensors);
    return TRUE;
  default:
    return FALSE;
  }
}

// The parts of a list with commas between them, NULL-terminated; NULL where it names nothing.
static GPtrArray *split_classes(const gchar *list) {
  g_auto(GStrv) parts = g_strsplit(list != NULL ? list : "", ",", -1);
  GPtrArray *classes = g_ptr_array_new_with_free_func(g_free);

  for (guint i = 0; parts[i] != NULL; i++) {
    if (*g_strstrip(parts[i]) != '\0')
      g_ptr_array_add(classes, g_strdup(parts[i]));
  }
  if (classes->len == 0) {
    g_ptr_array_unref(classes);
    return NULL;
  }
  g_ptr_array_add(classes, NULL);
  return classes;
}

// A streaming thread may be reading the old list.
static void set_object_class(GstSwinClassifyControls *controls, const GValue *value) {
  set_string(&controls->object_class, value);
  g_clear_pointer(&controls->object_classes, g_ptr_array_unref);
  controls->object_classes = split_classes(controls->object_class);
}

// What takes effect with the next frame. FALSE when @id is another property.
static gboolean set_control(GstSwinClassifyControls *controls, guint id, const GValue *value) {
  switch (id) {
  case PROP_VIDEO_DIRECTION:
    controls->direction = (GstVideoOrientationMethod)g_value_get_enum(value);
    return TRUE;
  case PROP_THRESHOLD:
    controls->threshold = g_value_get_float(value);
    return TRUE;
  case PROP_INFERENCE_INTERVAL:
    controls->inference_interval = g_value_get_uint(value);
    return TRUE;
  case PROP_INFERENCE_REGION:
    controls->region = (GstSwinClassifyInferenceRegion)g_value_get_enum(value);
    return TRUE;
  case PROP_OBJECT_CLASS:
    set_object_class(controls, value);
    return TRUE;
  case PROP_OBJECT_MIN_WIDTH:
    controls->object_min_width = g_value_get_uint(value);
    return TRUE;
  case PROP_OBJECT_MIN_HEIGHT:
    controls->object_min_height = g_value_get_uint(value);
    return TRUE;
  case PROP_RECLASSIFY_INTERVAL:
    controls->reclassify_interval = g_value_get_uint(value);
    return TRUE;
  case PROP_LATENCY_POLICY:
    controls->latency_policy = (GstSwinClassifyLatencyPolicy)g_value_get_enum(value);
    return TRUE;
  case PROP_QOS:
    controls->qos = g_value_get_boolean(value);
    return TRUE;
  case PROP_UNIQUE_ID:
    controls->unique_id = g_value_get_uint(value);
    return TRUE;
  case PROP_POST_MESSAGES:
    controls->post_messages = g_value_get_boolean(value);
    return TRUE;
  default:
    return FALSE;
  }
}

static gboolean get_control(const GstSwinClassifyControls *controls, guint id, GValue *value) {
  switch (id) {
  case PROP_VIDEO_DIRECTION:
    g_value_set_enum(value, (gint)controls->direction);
    return TRUE;
  case PROP_THRESHOLD:
    g_value_set_float(value, controls->threshold);
    return TRUE;
  case PROP_INFERENCE_INTERVAL:
    g_value_set_uint(value, controls->inference_interval);
    return TRUE;
  case PROP_INFERENCE_REGION:
    g_value_set_enum(value, (gint)controls->region);
    return TRUE;
  case PROP_OBJECT_CLASS:
    g_value_set_string(value, controls->object_class);
    return TRUE;
  case PROP_OBJECT_MIN_WIDTH:
    g_value_set_uint(value, controls->object_min_width);
    return TRUE;
  case PROP_OBJECT_MIN_HEIGHT:
    g_value_set_uint(value, controls->object_min_height);
    return TRUE;
  case PROP_RECLASSIFY_INTERVAL:
    g_value_set_uint(value, controls->reclassify_interval);
    return TRUE;
  case PROP_LATENCY_POLICY:
    g_value_set_enum(value, (gint)controls->latency_policy);
    return TRUE;
  case PROP_QOS:
    g_value_set_boolean(value, controls->qos);
    return TRUE;
  case PROP_UNIQUE_ID:
    g_value_set_uint(value, controls->unique_id);
    return TRUE;
  case PROP_POST_MESSAGES:
    g_value_set_boolean(value, controls->post_messages);
    return TRUE;
  default:
    return FALSE;
  }
}

// What is being read of the inference in use, which is unset while there is none.
static gboolean get_state(GstSwinClassify *self, guint id, GValue *value) {
  g_autoptr(SwinInference) inference = gst_swin_classify_ref_inference(self);

  switch (id) {
  case PROP_MODEL_NAME:
    g_value_set_string(value, inference != NULL ? swin_inference_get_model_name(inference) : NULL);
    return TRUE;
  case PROP_DEVICE_NAME:
    g_value_set_string(value, inference != NULL
                                  ? swin_device_get_info(swin_inference_get_device(inference))->name
                                  : NULL);
    return TRUE;
  case PROP_STATS:
    g_value_take_boxed(
        value,
        swin_stats_describe(self->stats,
                            inference != NULL ? swin_inference_get_classifier(inference) : NULL));
    return TRUE;
  default:
    return FALSE;
  }
}

/* ---- The class's side ---------------------------------------------------------------------- */

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);
  gboolean known;

  GST_OBJECT_LOCK(self);
  known = set_control(&self->controls, id, value) || set_setting(&self->settings, id, value);
  if (id == PROP_MODEL_FILE)
    self->n_model_changes++;
  GST_OBJECT_UNLOCK(self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  if (id == PROP_MODEL_FILE)
    swin_loader_request(self->loader);
  if (id == PROP_LATENCY_POLICY)
    gst_swin_classify_tell_latency(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  GstSwinClassify *self = GST_SWIN_CLASSIFY(object);
  gboolean known;

  GST_OBJECT_LOCK(self);
  known = get_control(&self->controls, id, value) || get_setting(&self->settings, id, value);
  GST_OBJECT_UNLOCK(self);
  if (!known && !get_state(self, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void gst_swin_classify_install_properties(GObjectClass *klass) {
  GParamSpec *properties[N_PROPERTIES] = {NULL};

  klass->set_property = set_property;
  klass->get_property = get_property;
  gst_swin_classify_make_specifications(properties);
  g_object_class_install_properties(klass, N_PROPERTIES, properties);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_PRECISION, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_CROP_MODE, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_INTERPOLATION, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_CHANNEL_ORDER, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_ACTIVATION, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_LATENCY_POLICY, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_INFERENCE_REGION, 0);
  gst_type_mark_as_plugin_api(GST_TYPE_SWIN_CLASSIFY_TENSORS, 0);
}

/* ---- The element's side -------------------------------------------------------------------- */

void gst_swin_classify_init_properties(GstSwinClassify *self) {
  self->settings = (SwinSettings){
      .precision = DEFAULT_PRECISION,
      .fill_color = DEFAULT_FILL_COLOR,
      .crop_mode = DEFAULT_CROP_MODE,
      .interpolation = DEFAULT_INTERPOLATION,
      .channel_order = DEFAULT_CHANNEL_ORDER,
      .activation = DEFAULT_ACTIVATION,
      .top_k = DEFAULT_TOP_K,
      .batch_size = DEFAULT_BATCH_SIZE,
      .batch_timeout = DEFAULT_BATCH_TIMEOUT,
      .tensors = DEFAULT_TENSORS,
      .smoothing = DEFAULT_SMOOTHING,
  };
  self->controls = (GstSwinClassifyControls){
      .threshold = DEFAULT_THRESHOLD,
      .inference_interval = DEFAULT_INFERENCE_INTERVAL,
      .post_messages = DEFAULT_POST_MESSAGES,
      .latency_policy = DEFAULT_LATENCY_POLICY,
      .qos = DEFAULT_QOS,
      .region = DEFAULT_INFERENCE_REGION,
      .object_min_width = DEFAULT_OBJECT_MIN_WIDTH,
      .object_min_height = DEFAULT_OBJECT_MIN_HEIGHT,
      .reclassify_interval = DEFAULT_RECLASSIFY_INTERVAL,
      .unique_id = DEFAULT_UNIQUE_ID,
      .direction = DEFAULT_VIDEO_DIRECTION,
  };
}

void gst_swin_classify_clear_properties(GstSwinClassify *self) {
  swin_settings_clear(&self->settings);
  g_free(self->controls.object_class);
  g_clear_pointer(&self->controls.object_classes, g_ptr_array_unref);
}
