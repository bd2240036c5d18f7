// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * direct.h: one caller of libswin that always has full batches to give, without GStreamer: what
 * many streams through elements are measured against.
 */
#ifndef SWIN_TESTS_STREAMS_DIRECT_H
#define SWIN_TESTS_STREAMS_DIRECT_H

#include "swin.h"

/** Size of the frames of all that is measured here, I420. */
#define TEST_STREAM_WIDTH 320
#define TEST_STREAM_HEIGHT 240

typedef struct {
  SwinClassifier *classifier;
  guint batch_size;
  guint8 *pixels;
  SwinFrame frame;

  GMutex lock;
  GCond changed;
  guint n_under_way;
  gboolean failed;
} TestDirect;

/** test_direct_open: testcard on the device that SWIN_DEVICE names. */
gboolean test_direct_open(TestDirect *direct, guint batch_size, GError **error);
void test_direct_close(TestDirect *direct);

/** test_direct_run: computes @n_frames with two batches under way. Returns: frames a second, 0 when
 * one failed. */
gdouble test_direct_run(TestDirect *direct, guint n_frames);

/** test_direct_batch_time: microseconds that a full batch takes by itself, the slowest of a few. */
gint64 test_direct_batch_time(TestDirect *direct);

#endif /* SWIN_TESTS_STREAMS_DIRECT_H */
