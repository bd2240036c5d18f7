// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * memory.h: how much memory the process takes.
 */
#ifndef SWIN_TESTS_STREAMS_MEMORY_H
#define SWIN_TESTS_STREAMS_MEMORY_H

#include <glib.h>

/** test_resident_size: resident memory of this process in bytes (Linux; elsewhere 0). */
guint64 test_resident_size(void);

/**
 * test_memory_is_flat: whether memory stopped growing: prints what it was, and judges it. What
 * threads and shader compilers set up for themselves takes some ten seconds: a run of less than 24
 * is too short to tell that from a leak, and counts as flat.
 * @half_way, @end: test_resident_size() at these times of the run
 * @seconds: length of the run
 */
gboolean test_memory_is_flat(guint64 half_way, guint64 end, gint seconds);

#endif /* SWIN_TESTS_STREAMS_MEMORY_H */
