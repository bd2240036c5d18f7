// SPDX-License-Identifier: LGPL-2.1-or-later
// A real clip through decoder and element: every frame that goes in comes out with tags, one
// message each.
#include "common.h"

typedef struct {
  guint n_in;
  guint n_out;
  guint n_tagged;
  guint n_fresh; // with a result of their own
  guint n_messages;
} Counts;

static GstPadProbeReturn count_in(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  Counts *counts = user_data;

  (void)pad, (void)info;
  counts->n_in++;
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn count_out(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
  Counts *counts = user_data;
  TestTags tags = test_tags_of_buffer(GST_PAD_PROBE_INFO_BUFFER(info));

  (void)pad;
  counts->n_out++;
  // The frame that was looked at is this one or one before it.
  if (tags.n_metas == 1 && tags.n_tags == 5 &&
      tags.timestamp + tags.age == GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)))
    counts->n_tagged++;
  if (tags.age == 0)
    counts->n_fresh++;
  return GST_PAD_PROBE_OK;
}

static void add_probe(GstElement *element, const gchar *pad_name, GstPadProbeCallback callback,
                      Counts *counts) {
  GstPad *pad = gst_element_get_static_pad(element, pad_name);

  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, counts, NULL);
  gst_object_unref(pad);
}

static void play_to_the_end(GstElement *pipeline, Counts *counts) {
  GstBus *bus = gst_element_get_bus(pipeline);
  gboolean ended = FALSE;

  fail_unless(gst_element_set_state(pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  while (!ended) {
    GstMessage *message = gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE);

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError *error;

      gst_message_parse_error(message, &error, NULL);
      fail("%s", error->message);
    }
    if (gst_message_has_name(message, "swin-classification")) {
      fail_unless_equals_int(test_tags_of_structure(gst_message_get_structure(message)).n_tags, 5);
      counts->n_messages++;
    }
    ended = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
    gst_message_unref(message);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
}

static Counts play_clip(const gchar *properties) {
  g_autofree gchar *clip =
      g_build_filename(g_getenv("SWIN_TEST_MEDIA"), "bottle-detection.mp4", NULL);
  g_autofree gchar *launch = g_strdup_printf("filesrc location=\"%s\" ! decodebin ! videoconvert ! "
                                             "swinclassify name=classify %s ! fakesink sync=false",
                                             clip, properties);
  GstElement *pipeline = gst_parse_launch(launch, NULL);
  GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), "classify");
  Counts counts = {0};

  fail_unless(g_file_test(clip, G_FILE_TEST_EXISTS), "there is no %s", clip);
  add_probe(element, "sink", count_in, &counts);
  add_probe(element, "src", count_out, &counts);
  play_to_the_end(pipeline, &counts);
  gst_object_unref(element);
  gst_object_unref(pipeline);
  return counts;
}

GST_START_TEST(test_every_buffer_is_tagged) {
  Counts counts = play_clip("");

  fail_unless(counts.n_in > 100, "only %u frames were decoded", counts.n_in);
  fail_unless_equals_int(counts.n_out, counts.n_in);
  fail_unless_equals_int(counts.n_tagged, counts.n_in);
  fail_unless_equals_int(counts.n_fresh, counts.n_in);
  fail_unless_equals_int(counts.n_messages, counts.n_in);
}
GST_END_TEST;

GST_START_TEST(test_every_buffer_is_tagged_with_interval) {
  Counts counts = play_clip("inference-interval=10");

  fail_unless_equals_int(counts.n_out, counts.n_in);
  fail_unless_equals_int(counts.n_tagged, counts.n_in);
  fail_unless_equals_int(counts.n_fresh, (counts.n_in + 9) / 10);
  fail_unless_equals_int(counts.n_messages, (counts.n_in + 9) / 10);
}
GST_END_TEST;

static Suite *media_suite(void) {
  Suite *suite = suite_create("media");
  TCase *tcase = tcase_create("media");

  suite_add_tcase(suite, tcase);
  tcase_set_timeout(tcase, 240);
  tcase_add_test(tcase, test_every_buffer_is_tagged);
  tcase_add_test(tcase, test_every_buffer_is_tagged_with_interval);
  return suite;
}

int main(int argc, char **argv) {
  if (g_getenv("SWIN_TEST_MEDIA") == NULL) {
    g_print("Skipped: SWIN_TEST_MEDIA does not name a folder with bottle-detection.mp4.\n");
    return 77;
  }
  gst_check_init(&argc, &argv);
  return gst_check_run_suite(media_suite(), "media", __FILE__);
}
