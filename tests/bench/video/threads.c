// SPDX-License-Identifier: LGPL-2.1-or-later
#include "threads.h"

#include <unistd.h>

static gchar *read_file(const gchar *thread, const gchar *name) {
  g_autofree gchar *path = g_build_filename("/proc/self/task", thread, name, NULL);
  gchar *contents = NULL;

  // A thread may have ended meanwhile.
  if (!g_file_get_contents(path, &contents, NULL, NULL))
    return g_strdup("");
  return g_strstrip(contents);
}

static guint64 *place_of(ThreadTimes *times, const gchar *thread, const gchar *name) {
  if (g_ascii_strtoull(thread, NULL, 10) == (guint64)getpid())
    return &times->main;
  if (g_str_equal(name, THREADS_FEEDER))
    return &times->feeder;
  if (g_str_equal(name, "swin-start"))
    return &times->start;
  if (g_str_equal(name, "swin-finish"))
    return &times->finish;
  if (g_str_has_suffix(name, ":src"))
    return &times->source;
  return &times->driver;
}

ThreadTimes thread_times_read(void) {
  g_autoptr(GDir) threads = g_dir_open("/proc/self/task", 0, NULL);
  ThreadTimes times = {0};
  const gchar *thread;

  while (threads != NULL && (thread = g_dir_read_name(threads)) != NULL) {
    g_autofree gchar *name = read_file(thread, "comm");
    g_autofree gchar *statistics = read_file(thread, "schedstat");

    *place_of(&times, thread, name) += g_ascii_strtoull(statistics, NULL, 10);
  }
  return times;
}

ThreadTimes thread_times_since(const ThreadTimes *start) {
  const ThreadTimes now = thread_times_read();

  return (ThreadTimes){
      .feeder = now.feeder - start->feeder,
      .source = now.source - start->source,
      .start = now.start - start->start,
      .finish = now.finish - start->finish,
      .main = now.main - start->main,
      .driver = now.driver - start->driver,
  };
}

guint64 thread_times_own(const ThreadTimes *times) {
  return times->feeder + times->source + times->start + times->finish + times->main;
}
