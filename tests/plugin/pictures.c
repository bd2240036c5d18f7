// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pictures.c: what the element makes of picture files, for pictures.py to look at.
 *
 * Usage: plugin-pictures JOBS
 *
 * Each line of the file JOBS is a pipeline up to the element, the element's properties and a path
 * without extension, with tabs between. The pipeline must bring one picture. Written are
 *   PATH.frame   the picture as the element's sink pad got it: rows of all planes, without padding
 *   PATH.tensor  what the network got: float32 [3, height, width]
 *   PATH.json    format, width, height, colorimetry and chroma site of the one, width and height of
 *                the other
 *
 * The element is linked to the inside of libswin; network-input.c looks into it.
 */
#include <gst/video/video.h>
#include <stdlib.h>

#include "../../plugin/metadata.h"
#include "../../plugin/swinclassify.h"
#include "network-input.h"

/* ---- The network's input ------------------------------------------------------------------- */

static gboolean write_tensor(const gchar *path, guint *width, guint *height, GError **error) {
  g_autofree gchar *name = g_strconcat(path, ".tensor", NULL);
  g_autofree gfloat *values = network_input_read(width, height, error);

  return values != NULL &&
         g_file_set_contents(name, (const gchar *)values,
                             (gssize)(3 * sizeof(gfloat) * *width * *height), error);
}

/* ---- The element's input ------------------------------------------------------------------- */

// Rows of all planes, one behind the other, without what fills them up.
static GByteArray *pack_frame(const GstVideoFrame *video) {
  GByteArray *bytes = g_byte_array_new();
  const GstVideoFormatInfo *format = video->info.finfo;

  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(video); plane++) {
    gint components[GST_VIDEO_MAX_COMPONENTS], rows;
    guint row_size;

    gst_video_format_info_component(format, plane, components);
    rows = GST_VIDEO_FRAME_COMP_HEIGHT(video, components[0]);
    row_size = (guint)(GST_VIDEO_FRAME_COMP_WIDTH(video, components[0]) *
                       GST_VIDEO_FRAME_COMP_PSTRIDE(video, components[0]));
    for (gint y = 0; y < rows; y++)
      g_byte_array_append(
          bytes, (const guint8 *)video->data[plane] + (gsize)y * (gsize)video->info.stride[plane],
          row_size);
  }
  return bytes;
}

/** Sight: what the sink pad got. */
typedef struct {
  GstVideoInfo info;
  GByteArray *bytes; /* (nullable): of the first frame */
} Sight;

static GstPadProbeReturn see_frame(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
  Sight *sight = user_data;
  GstVideoFrame video;

  if (sight->bytes == NULL && gst_video_info_from_caps(&sight->info, caps) &&
      gst_video_frame_map(&video, &sight->info, GST_PAD_PROBE_INFO_BUFFER(info), GST_MAP_READ)) {
    sight->bytes = pack_frame(&video);
    gst_video_frame_unmap(&video);
  }
  return GST_PAD_PROBE_OK;
}

/* ---- Jobs ---------------------------------------------------------------------------------- */

static gboolean play(GstElement *pipeline, GError **error) {
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  g_autoptr(GstMessage) message = NULL;

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS)
    return TRUE;
  gst_message_parse_error(message, error, NULL);
  return FALSE;
}

static gboolean write_results(const Sight *sight, const gchar *path, GError **error) {
  g_autofree gchar *frame_name = g_strconcat(path, ".frame", NULL);
  g_autofree gchar *json_name = g_strconcat(path, ".json", NULL);
  g_autofree gchar *colorimetry = gst_video_colorimetry_to_string(&sight->info.colorimetry);
  g_autofree gchar *chroma_site = gst_video_chroma_site_to_string(sight->info.chroma_site);
  g_autofree gchar *json = NULL;
  guint width, height;

  if (!write_tensor(path, &width, &height, error) ||
      !g_file_set_contents(frame_name, (const gchar *)sight->bytes->data, (gssize)sight->bytes->len,
                           error))
    return FALSE;
  json =
      g_strdup_printf("{\"format\": \"%s\", \"width\": %d, \"height\": %d, "
                      "\"colorimetry\": \"%s\", \"chroma_site\": \"%s\", "
                      "\"input_width\": %u, \"input_height\": %u}\n",
                      GST_VIDEO_INFO_NAME(&sight->info), GST_VIDEO_INFO_WIDTH(&sight->info),
                      GST_VIDEO_INFO_HEIGHT(&sight->info), colorimetry != NULL ? colorimetry : "",
                      chroma_site != NULL ? chroma_site : "", width, height);
  return g_file_set_contents(json_name, json, -1, error);
}

static gboolean run_pipeline(const gchar *launch, const gchar *path, GError **error) {
  g_autoptr(GstElement) pipeline = gst_parse_launch(launch, error);
  g_autoptr(GstElement) element = NULL;
  g_autoptr(GstPad) pad = NULL;
  Sight sight = {.bytes = NULL};
  gboolean ok;

  if (pipeline == NULL || *error != NULL)
    return FALSE;
  element = gst_bin_get_by_name(GST_BIN(pipeline), "classify");
  pad = gst_element_get_static_pad(element, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, see_frame, &sight, NULL);
  ok = play(pipeline, error);
  if (ok && sight.bytes == NULL) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_FRAME, "No picture came to the element.");
    ok = FALSE;
  }
  ok = ok && write_results(&sight, path, error);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  g_clear_pointer(&sight.bytes, g_byte_array_unref);
  return ok;
}

static gboolean run_job(const gchar *line) {
  g_auto(GStrv) parts = g_strsplit(line, "\t", -1);
  g_autoptr(GError) error = NULL;
  g_autofree gchar *launch = NULL;

  if (g_strv_length(parts) != 3) {
    g_printerr("pictures: '%s' is no job.\n", line);
    return FALSE;
  }
  launch = g_strdup_printf("%s ! swinclassify name=classify %s ! fakesink", parts[0], parts[1]);
  if (run_pipeline(launch, parts[2], &error))
    return TRUE;
  g_printerr("pictures: %s: %s\n", launch, error->message);
  return FALSE;
}

int main(int argc, char **argv) {
  g_autofree gchar *jobs = NULL;
  g_auto(GStrv) lines = NULL;
  g_autoptr(GError) error = NULL;
  gboolean ok = TRUE;

  gst_init(&argc, &argv);
  swin_metadata_register();
  if (argc != 2 || !GST_ELEMENT_REGISTER(swinclassify, NULL) ||
      !g_file_get_contents(argv[1], &jobs, NULL, &error)) {
    g_printerr("Usage: plugin-pictures JOBS%s%s\n", error != NULL ? ": " : "",
               error != NULL ? error->message : "");
    return EXIT_FAILURE;
  }
  lines = g_strsplit(g_strchomp(jobs), "\n", -1);
  for (guint i = 0; ok && lines[i] != NULL; i++)
    ok = run_job(lines[i]);
  gst_deinit();
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
