// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * threads.h: how long each thread of this program has been on a processor, as the kernel counts it
 * (Linux: /proc/self/task/N/schedstat, in nanoseconds).
 */
#ifndef SWIN_TESTS_BENCH_VIDEO_THREADS_H
#define SWIN_TESTS_BENCH_VIDEO_THREADS_H

#include <glib.h>

/** ThreadTimes: who works in a pipeline; in nanoseconds. */
typedef struct {
  guint64 feeder; /* upstream's thread, in which the element takes frames */
  guint64 source; /* the task of the element's source pad, in which they leave */
  guint64 start;  /* libswin: uploads and submits */
  guint64 finish; /* libswin: waits for the device and reads results */
  guint64 main;   /* the application: takes messages off the bus */
  guint64 driver; /* all others: those that the Vulkan driver has started */
} ThreadTimes;

/** THREADS_FEEDER: the name that upstream's thread must have. */
#define THREADS_FEEDER "feeder"

/** thread_times_read: of all threads there are, since each was started. */
ThreadTimes thread_times_read(void);

/** thread_times_since: what has come to it since @start. */
ThreadTimes thread_times_since(const ThreadTimes *start);

/** thread_times_own: the sum of all but the driver's. */
guint64 thread_times_own(const ThreadTimes *times);

#endif /* SWIN_TESTS_BENCH_VIDEO_THREADS_H */
