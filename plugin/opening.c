// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element runs: the inference that it opens on the way to PAUSED, again where frames turn
// out to be on another device, and in the background where another model is wanted.
#include "message.h"
#include "metadata.h"
#include "swinclassify.h"

#define GST_CAT_DEFAULT gst_swin_classify_debug

/* ---- The inference in use ------------------------------------------------------------------ */

SwinInference *gst_swin_classify_ref_inference(GstSwinClassify *self) {
  SwinInference *inference = NULL;

  GST_OBJECT_LOCK(self);
  if (self->inference != NULL)
    inference = swin_inference_ref(self->inference);
  GST_OBJECT_UNLOCK(self);
  return inference;
}

// One batch is gathered while another is computed.
static void set_max_inferences(GstSwinClassify *self, const SwinInference *inference) {
  const guint batch_size = swin_inference_get_settings(inference)->batch_size;

  swin_queue_set_max_inferences(self->queue, MAX(SWIN_QUEUE_MIN_INFERENCES, 2 * batch_size));
}

// Under the object lock; returns: (transfer full) (nullable): the one that was in use. Frames under
// way keep it until they are done.
static SwinInference *exchange(GstSwinClassify *self, SwinInference *inference) {
  SwinInference *old = self->inference;

  self->inference = inference != NULL ? swin_inference_ref(inference) : NULL;
  return old;
}

// What follows from an exchange. @old: (transfer full)
static void end_exchange(GstSwinClassify *self, SwinInference *old, SwinInference *inference) {
  swin_inference_unref(old);
  if (inference != NULL)
    set_max_inferences(self, inference);
  // What another model has said of an object is no reason not to ask this one.
  gst_swin_classify_renew_objects(self);
  g_object_notify(G_OBJECT(self), "device-name");
  g_object_notify(G_OBJECT(self), "model-name");
}

static void set_inference(GstSwinClassify *self, SwinInference *inference) {
  SwinInference *old;

  GST_OBJECT_LOCK(self);
  old = exchange(self, inference);
  GST_OBJECT_UNLOCK(self);
  end_exchange(self, old, inference);
}

// FALSE where another model is wanted than when there were @n_changes; then nothing happens.
static gboolean switch_inference(GstSwinClassify *self, SwinInference *inference, guint n_changes) {
  SwinInference *old = NULL;
  gboolean is_wanted;

  GST_OBJECT_LOCK(self);
  is_wanted = self->n_model_changes == n_changes;
  if (is_wanted)
    old = exchange(self, inference);
  GST_OBJECT_UNLOCK(self);
  if (is_wanted)
    end_exchange(self, old, inference);
  return is_wanted;
}

// What is being loaded at this moment comes on the old device and is not wanted any more. FALSE
// where @inference is not what is wanted: it is @current on another device, and the model has been
// changed since.
static gboolean move_inference(GstSwinClassify *self, SwinInference *inference,
                               const SwinInference *current, guint n_changes) {
  SwinInference *old;
  gboolean is_wanted;

  GST_OBJECT_LOCK(self);
  is_wanted = self->n_model_changes == n_changes && self->inference == current;
  self->n_model_changes++;
  old = exchange(self, inference);
  GST_OBJECT_UNLOCK(self);
  end_exchange(self, old, inference);
  return is_wanted;
}

// What the settings say at this moment, @current (nullable): (transfer full): what is in use, and
// how often what they say of the model has changed until now.
static guint copy_settings(GstSwinClassify *self, SwinSettings *settings, SwinInference **current) {
  guint n_changes;

  GST_OBJECT_LOCK(self);
  swin_settings_copy(settings, &self->settings);
  if (current != NULL)
    *current = swin_inference_ref(self->inference);
  n_changes = self->n_model_changes;
  GST_OBJECT_UNLOCK(self);
  return n_changes;
}

static gboolean has_changed(GstSwinClassify *self, guint n_changes) {
  gboolean changed;

  GST_OBJECT_LOCK(self);
  changed = self->n_model_changes != n_changes;
  GST_OBJECT_UNLOCK(self);
  return changed;
}

static SwinInference *open_inference(GstSwinClassify *self, const SwinSettings *settings,
                                     SwinDevice *shared, gboolean switching, GError **error) {
  SwinInference *inference = swin_inference_open(settings, shared, switching, error);
  const SwinDeviceInfo *device;

  if (inference == NULL)
    return NULL;
  swin_loader_adopt(self->loader, inference);
  device = swin_device_get_info(swin_inference_get_device(inference));
  GST_INFO_OBJECT(self,
                  "model %s in %s on device %u, %s (%s, %s); a frame takes %" G_GINT64_FORMAT " us",
                  swin_inference_get_model_name(inference),
                  gst_swin_classify_precision_get_name(swin_inference_get_precision(inference)),
                  device->index, device->name, swin_device_kind_name(device->kind), device->driver,
                  swin_inference_get_latency(inference));
  return inference;
}

// What had to be assumed of the model is no fault, but may explain a result that is one.
static void tell_notes(GstSwinClassify *self, SwinInference *inference) {
  const gchar *const *notes = swin_model_get_notes(swin_inference_get_model(inference));
  g_autofree gchar *text = NULL;

  if (*notes == NULL)
    return;
  for (guint i = 0; notes[i] != NULL; i++)
    GST_WARNING_OBJECT(self, "%s", notes[i]);
  text = g_strjoinv(" ", (gchar **)notes);
  // Twice, because of an INFO message gst-launch-1.0 shows nothing but the part for debugging.
  GST_ELEMENT_INFO(self, RESOURCE, SETTINGS, ("%s", text), ("%s", text));
}

// Whoever shares a device has it as it was opened.
// @told: that has been said of what was in use before
static void tell_precision(GstSwinClassify *self, SwinInference *inference, gboolean told) {
  const SwinDeviceInfo *device = swin_device_get_info(swin_inference_get_device(inference));

  if (told || !swin_inference_falls_back(inference))
    return;
  GST_ELEMENT_WARNING(
      self, RESOURCE, SETTINGS,
      ("The property precision is fp16, which %s cannot do as it was opened; the network runs in "
       "fp32. GStreamer's Vulkan elements open a device with 16-bit storage from 1.24 on, where "
       "the driver has it.",
       device->name),
      (NULL));
}

/* ---- The device ---------------------------------------------------------------------------- */

static gboolean is_set(const gchar *text) {
  return text != NULL && *text != '\0';
}

// Whether the user wants another device than that of the pipeline.
static gboolean is_other_device(const gchar *selector, SwinDevice *pipeline_device) {
  g_autoptr(SwinDevice) wanted = NULL;

  if (!is_set(selector) && !is_set(g_getenv("SWIN_DEVICE")))
    return FALSE;
  wanted = swin_device_open(selector, NULL);
  // One that cannot be opened is refused when the inference is.
  return wanted == NULL || g_strcmp0(swin_device_get_info(wanted)->uuid,
                                     swin_device_get_info(pipeline_device)->uuid) != 0;
}

// (transfer full) (nullable): the device of the pipeline's Vulkan elements, if that is the one to
// use.
static SwinDevice *find_shared_device(GstSwinClassify *self, const SwinSettings *settings) {
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinDevice) device =
      swin_vulkan_find_device(self->vulkan, GST_ELEMENT_CAST(self), &error);

  if (error != NULL)
    GST_WARNING_OBJECT(self, "cannot share the pipeline's device: %s", error->message);
  if (device == NULL || is_other_device(settings->device, device))
    return NULL;
  GST_INFO_OBJECT(self, "shares the device of the pipeline's Vulkan elements");
  return g_steal_pointer(&device);
}

static SwinDevice *find_image_device(GstSwinClassify *self, GError **error) {
  SwinDevice *device = swin_vulkan_find_device(self->vulkan, GST_ELEMENT_CAST(self), error);

  if (device == NULL && *error == NULL)
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                        "The frames are in Vulkan images, and no element of the pipeline says on "
                        "which device: put vulkandownload before swinclassify.");
  return device;
}

static gboolean reopen(GstSwinClassify *self, SwinDevice *device, GError **error) {
  g_auto(SwinSettings) settings = {0};
  g_autoptr(SwinInference) current = NULL;
  g_autoptr(SwinInference) inference = NULL;
  guint n_changes = copy_settings(self, &settings, &current);

  // Not what has been set since, which may be a file that cannot be used.
  g_free(settings.model);
  settings.model = g_strdup(swin_inference_get_settings(current)->model);
  inference = open_inference(self, &settings, device, FALSE, error);
  if (inference == NULL)
    return FALSE;
  if (move_inference(self, inference, current, n_changes))
    swin_loader_repeat(self->loader);
  else
    swin_loader_request(self->loader);
  tell_precision(self, inference, swin_inference_falls_back(current));
  gst_swin_classify_note_latency(self, swin_inference_get_latency(inference));
  return TRUE;
}

gboolean gst_swin_classify_follow_images(GstSwinClassify *self) {
  g_autoptr(SwinInference) inference = gst_swin_classify_ref_inference(self);
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinDevice) device = find_image_device(self, &error);

  if (device != NULL && device == swin_inference_get_device(inference))
    return TRUE;
  if (device != NULL) {
    GST_INFO_OBJECT(self, "the frames are in images of another device: opens the model there");
    if (reopen(self, device, &error))
      return TRUE;
  }
  swin_message_post_error(GST_ELEMENT_CAST(self), error);
  return FALSE;
}

/* ---- Opening and closing ------------------------------------------------------------------- */

static void check_tensors(GstSwinClassify *self, const SwinSettings *settings) {
  if (settings->tensors != 0 && !swin_metadata_has_tensors())
    GST_ELEMENT_WARNING(self, LIBRARY, SETTINGS,
                        ("The property attach-tensors has no effect: it needs GStreamer 1.26, and "
                         "this plugin was built for an earlier release."),
                        (NULL));
}

gboolean gst_swin_classify_open(GstSwinClassify *self) {
  g_auto(SwinSettings) settings = {0};
  g_autoptr(SwinDevice) shared = NULL;
  g_autoptr(SwinInference) inference = NULL;
  g_autoptr(GError) error = NULL;
  guint n_changes = copy_settings(self, &settings, NULL);

  shared = find_shared_device(self, &settings);
  inference = open_inference(self, &settings, shared, FALSE, &error);
  if (inference == NULL) {
    swin_message_post_error(GST_ELEMENT_CAST(self), error);
    return FALSE;
  }
  swin_stats_clear(self->stats);
  set_inference(self, inference);
  gst_swin_classify_note_latency(self, swin_inference_get_latency(inference));
  check_tensors(self, &settings);
  tell_precision(self, inference, FALSE);
  tell_notes(self, inference);
  swin_loader_start(self->loader);
  if (has_changed(self, n_changes))
    swin_loader_request(self->loader);
  return TRUE;
}

// Frames under way point into buffers of upstream's pools, so they are waited for; cancelled, they
// take no longer than what the device computes at this moment.
void gst_swin_classify_close(GstSwinClassify *self) {
  swin_loader_stop(self->loader);
  gst_swin_classify_cancel(self);
  gst_swin_classify_stop_stream(self);
  swin_flight_drain(self->flight);
  // A callback that has told of its result may not have returned yet.
  swin_classifier_drain(swin_inference_get_classifier(self->inference));
  set_inference(self, NULL);
  swin_vulkan_forget(self->vulkan);
}

/* ---- Another model while frames pass ------------------------------------------------------- */

// @fell_back: whether the model before did
static void tell_updated(GstSwinClassify *self, const gchar *model_file, SwinInference *inference,
                         gboolean fell_back) {
  gst_swin_classify_note_latency(self, swin_inference_get_latency(inference));
  tell_precision(self, inference, fell_back);
  tell_notes(self, inference);
  gst_element_post_message(GST_ELEMENT_CAST(self),
                           swin_message_new_model_updated(GST_OBJECT(self), model_file, inference));
  g_signal_emit_by_name(self, "model-updated", model_file);
}

static void tell_failure(GstSwinClassify *self, const GError *error) {
  GST_ELEMENT_WARNING(self, RESOURCE, READ, ("%s", error->message),
                      ("The model that was in use stays in use."));
}

void gst_swin_classify_switch_model(gpointer user_data) {
  g_autoptr(GstSwinClassify) self = g_object_ref(user_data);
  g_auto(SwinSettings) settings = {0};
  g_autoptr(SwinInference) current = NULL;
  g_autoptr(SwinInference) inference = NULL;
  g_autoptr(GError) error = NULL;
  guint n_changes = copy_settings(self, &settings, &current);
  gboolean falls_back = swin_inference_falls_back(current);

  inference = open_inference(self, &settings, swin_inference_get_device(current), TRUE, &error);
  g_clear_pointer(&current, swin_inference_unref);
  // If something else is wanted by now, that has been requested.
  if (has_changed(self, n_changes) || !swin_loader_is_running(self->loader))
    return;
  if (inference == NULL)
    tell_failure(self, error);
  else if (switch_inference(self, inference, n_changes))
    tell_updated(self, settings.model, inference, falls_back);
}
