// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * mock-harness.h: what the tests of the element over the mock (mock-swin.h) share.
 */
#ifndef SWIN_TESTS_PLUGIN_MOCK_HARNESS_H
#define SWIN_TESTS_PLUGIN_MOCK_HARNESS_H

#include "common.h"
#include "mock-swin.h"

/** mock_frame_new: a black frame of TEST_CAPS with the timestamps of frame @number. */
GstBuffer *mock_frame_new(guint number);

/** mock_try_push: pushes frames up to the first that does not return OK, and returns that. */
GstFlowReturn mock_try_push(GstHarness *harness, guint start, guint count);

/** mock_push: pushes frames, all of which must be taken. */
void mock_push(GstHarness *harness, guint start, guint count);

/** mock_pull: the next frame must be @number; its tags. */
TestTags mock_pull(GstHarness *harness, guint number);

/** mock_pull_all: likewise several, whatever their tags. */
void mock_pull_all(GstHarness *harness, guint start, guint count);

/** mock_pull_result: the next frame must be @number and carry the result of frame @looked_at. */
void mock_pull_result(GstHarness *harness, guint number, guint looked_at);

/** mock_flush: a flush and a new segment. */
void mock_flush(GstHarness *harness);

/** mock_wait_for_event: takes events off downstream's end until one of @type comes. */
void mock_wait_for_event(GstHarness *harness, GstEventType type);

/** mock_count_messages: takes all messages of @type off the bus. */
guint mock_count_messages(GstHarness *harness, GstMessageType type);

/** mock_count: a counter of the element's property `stats`. */
guint64 mock_count(GstHarness *harness, const gchar *counter);

/** mock_teardown: also checks that nothing of the mock's is left. */
void mock_teardown(GstHarness *harness);

/** mock_element_new: (transfer full): a swinclassify by itself, with a bus. */
GstElement *mock_element_new(void);

/** mock_element_free: stops it and checks that nothing of the mock's is left. */
void mock_element_free(GstElement *element);

/** mock_element_open_and_close: which must work. Returns what it asked for. */
MockSwinRequest mock_element_open_and_close(GstElement *element);

/** mock_element_expect_refusal: it does not open, says why with one error of #GstResourceError
 * @code, a sentence with @part, and keeps nothing. */
void mock_element_expect_refusal(GstElement *element, gint code, const gchar *part);

/** mock_main: runs @suite over this program's own swinclassify, not the plugin's, which has the
 * real library. */
int mock_main(int *argc, char ***argv, Suite *(*make_suite)(void), const gchar *name);

#endif /* SWIN_TESTS_PLUGIN_MOCK_HARNESS_H */
