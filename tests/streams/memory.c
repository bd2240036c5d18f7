// SPDX-License-Identifier: LGPL-2.1-or-later
#include "memory.h"

#include <unistd.h>

guint64 test_resident_size(void) {
  g_autofree gchar *text = NULL;
  g_auto(GStrv) fields = NULL;

  // proc(5): the second field of statm, in pages.
  if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
    return 0;
  fields = g_strsplit(text, " ", 3);
  return g_strv_length(fields) < 2
             ? 0
             : g_ascii_strtoull(fields[1], NULL, 10) * (guint64)sysconf(_SC_PAGESIZE);
}
