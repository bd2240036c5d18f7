// SPDX-License-Identifier: LGPL-2.1-or-later
#include "memory.h"

#include <unistd.h>

#define SHORTEST_RUN 24 /* seconds */
#define MOST_GROWTH (4 * 1024 * 1024)

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

gboolean test_memory_is_flat(guint64 half_way, guint64 end, gint seconds) {
  gboolean judged = seconds >= SHORTEST_RUN;

  g_print("resident: %" G_GUINT64_FORMAT " KiB half-way, %" G_GUINT64_FORMAT " KiB at the end%s\n",
          half_way / 1024, end / 1024, judged ? "" : ", too early to judge");
  return !judged || end < half_way + MOST_GROWTH;
}
