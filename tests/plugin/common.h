// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * common.h: what the tests of the element share: frames to put in, tags to read off, models to
 * break.
 */
#ifndef SWIN_TESTS_PLUGIN_COMMON_H
#define SWIN_TESTS_PLUGIN_COMMON_H

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#define TEST_WIDTH 320
#define TEST_HEIGHT 240
#define TEST_CAPS                                                                                  \
  "video/x-raw, format=(string)I420, width=(int)320, height=(int)240, framerate=(fraction)25/1"
/** Duration of a frame of TEST_CAPS. */
#define TEST_FRAME_TIME (40 * GST_MSECOND)

/** TestTags: one classification on a buffer or in a message. Plain data. */
typedef struct {
  guint n_metas; /* classifications on the buffer; 1 for a message */
  guint n_tags;  /* best first */
  GQuark labels[64];
  gdouble confidences[64];
  guint indices[64];
  const gchar *model;     /* interned */
  const gchar *precision; /* interned */
  guint unique_id;
  GstClockTime timestamp;
  GstClockTime age;    /* GST_CLOCK_TIME_NONE for a message */
  gboolean has_region; /* whether it is about an object; then: */
  guint x, y, width, height;
  GQuark object_class; /* 0: none */
  gboolean is_tracked;
  guint64 track;
} TestTags;

/**
 * test_tags_of_buffer: reads what metadata.c wrote, as an application would: the first
 * classification; all zero where there is none. Checks that every classification is there in each
 * of the ways that metadata.h names.
 */
TestTags test_tags_of_buffer(GstBuffer *buffer);

/** test_nth_tags_of_buffer: likewise classification @n, which must be there. */
TestTags test_nth_tags_of_buffer(GstBuffer *buffer, guint n);

/** test_tags_of_structure: reads the fields of a message, and checks their types and order. */
TestTags test_tags_of_structure(const GstStructure *structure);

/** test_best_label: (nullable): the first label of @buffer. Static. */
const gchar *test_best_label(GstBuffer *buffer);

/** test_frame_new: one frame of videotestsrc, without timestamps. */
GstBuffer *test_frame_new(const gchar *pattern, const gchar *format, gint width, gint height);

/** test_frame_at: a frame of TEST_CAPS that shows @pattern, with the timestamps of frame @number.
 */
GstBuffer *test_frame_at(const gchar *pattern, guint number);

/**
 * test_harness_new: swinclassify with @properties ("a=1 b=2", may be ""), TEST_CAPS set, a bus. Not
 * live, as a file.
 */
GstHarness *test_harness_new(const gchar *properties);

/** test_harness_new_parse: likewise, of elements in the words of gst-launch-1.0. */
GstHarness *test_harness_new_parse(const gchar *launch);

/** test_harness_teardown: also of the bus. */
void test_harness_teardown(GstHarness *harness);

/** test_element: (transfer none): the swinclassify of a harness. */
GstElement *test_element(GstHarness *harness);

/** test_start_stream: begins a stream of @group with @caps and a segment. */
void test_start_stream(GstHarness *harness, guint group, const gchar *caps);

/** test_push_segment: a segment that begins at 0. */
void test_push_segment(GstHarness *harness);

/** test_push_and_pull: (transfer full): pushes @frame (transfer full), waits for what comes out. */
GstBuffer *test_push_and_pull(GstHarness *harness, GstBuffer *frame);

/** test_classify: likewise, for the tags alone. */
TestTags test_classify(GstHarness *harness, GstBuffer *frame);

/** test_next_classification: (transfer full) (nullable): the next `swin-classification` message. */
GstMessage *test_next_classification(GstHarness *harness);

/** test_next_message_tags: the tags of that message, which must be there. */
TestTags test_next_message_tags(GstHarness *harness);

/** test_count_classifications: takes all messages off the bus, counts `swin-classification`. */
guint test_count_classifications(GstHarness *harness);

/** test_model_copy: a new folder with a copy of the testcard model; test_model_remove() it. */
gchar *test_model_copy(void);
void test_model_remove(gchar *folder);

/** test_model_replace: replaces the first match of @pattern in config.json of @folder. */
void test_model_replace(const gchar *folder, const gchar *pattern, const gchar *replacement);

/** test_model_truncate: cuts model.safetensors of @folder to @numerator/@denominator. */
void test_model_truncate(const gchar *folder, gsize numerator, gsize denominator);

#endif /* SWIN_TESTS_PLUGIN_COMMON_H */
