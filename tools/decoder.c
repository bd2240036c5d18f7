// SPDX-License-Identifier: LGPL-2.1-or-later
#include "decoder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <string.h>
#include <unistd.h>

/* Streams that are no pictures are left alone: one that nothing is linked to may neither end nor
 * fail. */
#define PIPELINE                                                                                   \
  "filesrc name=source ! decodebin name=decoder expose-all-streams=false caps=video/x-raw(ANY) ! " \
  "videoconvert dither=none ! videoflip video-direction=auto ! "                                   \
  "appsink name=sink sync=false caps=video/x-raw,format=RGB"

/** AutoplugSelect: GstAutoplugSelectResult of decodebin, which is in no header. */
typedef enum {
  AUTOPLUG_SELECT_TRY,
  AUTOPLUG_SELECT_EXPOSE,
  AUTOPLUG_SELECT_SKIP,
} AutoplugSelect;

/* What a file says must not make this machine talk to others: playlists name addresses, and session
 * descriptions wait for a sender. */
static gint leave_out_networks(G_GNUC_UNUSED GstElement *decoder, G_GNUC_UNUSED GstPad *pad,
                               G_GNUC_UNUSED GstCaps *caps, GstElementFactory *factory,
                               G_GNUC_UNUSED gpointer user_data) {
  const gchar *klass = gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS);
  const gboolean fetches =
      klass != NULL && (strstr(klass, "Adaptive") != NULL || strstr(klass, "Network") != NULL);
  return fetches ? AUTOPLUG_SELECT_SKIP : AUTOPLUG_SELECT_TRY;
}

/* jpegdec's default is quicker and inexact; what libjpeg computes everywhere else is this. */
static void prefer_exact_transform(G_GNUC_UNUSED GstBin *pipeline, G_GNUC_UNUSED GstBin *parent,
                                   GstElement *element, G_GNUC_UNUSED gpointer user_data) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "idct-method") != NULL)
    gst_util_set_object_arg(G_OBJECT(element), "idct-method", "islow");
}

/* What reads the orientation of a JPEG is left out by GStreamer before 1.24, which gives it no
 * rank. */
static void prefer_jpeg_parser(void) {
  g_autoptr(GstPluginFeature) parser = gst_registry_lookup_feature(gst_registry_get(), "jpegparse");
  if (parser != NULL && gst_plugin_feature_get_rank(parser) <= GST_RANK_PRIMARY)
    gst_plugin_feature_set_rank(parser, GST_RANK_PRIMARY + 1);
}

gboolean swin_decoder_init(GError **error) {
  if (!gst_init_check(NULL, NULL, error))
    return FALSE;
  prefer_jpeg_parser();
  return TRUE;
}

static gboolean refuse(const gchar *path, const gchar *why, GError **error) {
  g_autofree gchar *shown = g_filename_display_name(path);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME, "%s cannot be read as a picture: %s", shown,
              why);
  return FALSE;
}

/* GStreamer speaks of plugins and streams where a person wants to hear of the file. */
static const gchar *explain(const GError *reason) {
  if (g_error_matches(reason, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
      g_error_matches(reason, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND))
    return "there is none in it, or none that GStreamer's plugins here can decode.";
  if (g_error_matches(reason, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED) ||
      g_error_matches(reason, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE))
    return "it is damaged, or too large to be decoded.";
  return reason->message;
}

/* Until the first picture is there, or it is certain that none will come. */
static gboolean wait_for_picture(GstElement *pipeline, const gchar *path, GError **error) {
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  const gboolean started =
      gst_element_set_state(pipeline, GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE;
  g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
      bus, started ? GST_CLOCK_TIME_NONE : 0,
      GST_MESSAGE_ERROR | (started ? GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_EOS : 0));
  if (message == NULL)
    return refuse(path, "it cannot be opened.", error);
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
    return TRUE;
  g_autoptr(GError) reason = NULL;
  gst_message_parse_error(message, &reason, NULL);
  return refuse(path, explain(reason), error);
}

static SwinDecodedPicture *map_picture(GstSample *sample) {
  GstVideoInfo info;
  g_autoptr(SwinDecodedPicture) picture = g_new0(SwinDecodedPicture, 1);
  picture->sample = gst_sample_ref(sample);
  picture->frame = (SwinFrame)SWIN_FRAME_INIT;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
      !gst_video_frame_map(&picture->mapped, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
    return NULL;
  SwinFrame *frame = &picture->frame;
  frame->width = (guint)GST_VIDEO_INFO_WIDTH(&info);
  frame->height = (guint)GST_VIDEO_INFO_HEIGHT(&info);
  frame->model = SWIN_COLOR_RGB;
  for (guint i = 0; i < 3; i++)
    frame->component[i] = (SwinFrameComponent){.offset = i, .pixel_stride = 3};
  frame->planes[0] = GST_VIDEO_FRAME_PLANE_DATA(&picture->mapped, 0);
  frame->strides[0] = (gsize)GST_VIDEO_FRAME_PLANE_STRIDE(&picture->mapped, 0);
  return g_steal_pointer(&picture);
}

static SwinDecodedPicture *take_picture(GstElement *pipeline, const gchar *path, GError **error) {
  g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  g_autoptr(GstSample) sample = gst_app_sink_try_pull_preroll(GST_APP_SINK(sink), 0);
  SwinDecodedPicture *picture = sample != NULL ? map_picture(sample) : NULL;
  if (picture == NULL)
    refuse(path, "there is none in it.", error);
  return picture;
}

/* Devices and pipes may never end. */
static gboolean check_file(const gchar *path, GError **error) {
  GStatBuf status;
  if (g_stat(path, &status) != 0 || g_access(path, R_OK) != 0) {
    g_autofree gchar *why = g_strdup_printf("%s.", g_strerror(errno));
    return refuse(path, why, error);
  }
  if (S_ISDIR(status.st_mode))
    return refuse(path, "it is a folder.", error);
  return S_ISREG(status.st_mode) || refuse(path, "it is no ordinary file.", error);
}

static GstElement *make_pipeline(const gchar *path, GError **error) {
  g_autoptr(GError) reason = NULL;
  g_autoptr(GstElement) pipeline = gst_parse_launch(PIPELINE, &reason);
  if (reason != NULL) {
    refuse(path, reason->message, error);
    return NULL;
  }
  g_autoptr(GstElement) source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
  g_autoptr(GstElement) decoder = gst_bin_get_by_name(GST_BIN(pipeline), "decoder");
  g_object_set(source, "location", path, NULL);
  g_signal_connect(decoder, "autoplug-select", G_CALLBACK(leave_out_networks), NULL);
  g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(prefer_exact_transform), NULL);
  return g_steal_pointer(&pipeline);
}

SwinDecodedPicture *swin_decoder_read(const gchar *path, GError **error) {
  g_autoptr(GstElement) pipeline = check_file(path, error) ? make_pipeline(path, error) : NULL;
  if (pipeline == NULL)
    return NULL;
  SwinDecodedPicture *picture = NULL;
  if (wait_for_picture(pipeline, path, error))
    picture = take_picture(pipeline, path, error);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return picture;
}

void swin_decoded_picture_free(SwinDecodedPicture *picture) {
  if (picture == NULL)
    return;
  if (picture->mapped.buffer != NULL)
    gst_video_frame_unmap(&picture->mapped);
  gst_sample_unref(picture->sample);
  g_free(picture);
}
