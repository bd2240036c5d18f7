// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * memory.h: how much memory the process takes.
 */
#ifndef SWIN_TESTS_STREAMS_MEMORY_H
#define SWIN_TESTS_STREAMS_MEMORY_H

#include <glib.h>

/** test_resident_size: resident memory of this process in bytes (Linux; elsewhere 0). */
guint64 test_resident_size(void);

#endif /* SWIN_TESTS_STREAMS_MEMORY_H */
