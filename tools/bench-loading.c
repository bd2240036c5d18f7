// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench-loading.h"
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/** LoadingFigures: times in seconds, memory in bytes. */
typedef struct {
  guint64 file_size;
  guint64 weights; /* on the device */
  guint64 activations;
  guint64 peak;       /* of memory that is no page of a mapped file, over what was there before */
  gdouble read, load; /* the quickest of the runs */
} LoadingFigures;

/* ---- Memory -------------------------------------------------------------------------------- */

#define SAMPLE_INTERVAL 2000 /* microseconds */

/** Sampler: a thread that watches how much memory the process has. */
typedef struct {
  gint stop; /* atomic */
  guint64 peak;
} Sampler;

/* Resident memory that is no page of a mapped file; 0 where /proc does not say. */
static guint64 read_memory(void) {
  g_autofree gchar *text = NULL;
  guint64 kilobytes = 0;
  if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL))
    return 0;
  static const gchar *const fields[] = {"\nRssAnon:", "\nRssShmem:"};
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    const gchar *field = strstr(text, fields[i]);
    if (field)
      kilobytes += g_ascii_strtoull(field + strlen(fields[i]), NULL, 10);
  }
  return 1024 * kilobytes;
}

static gpointer sample(gpointer data) {
  Sampler *sampler = data;
  while (!g_atomic_int_get(&sampler->stop)) {
    sampler->peak = MAX(sampler->peak, read_memory());
    g_usleep(SAMPLE_INTERVAL);
  }
  return NULL;
}

/* ---- Times --------------------------------------------------------------------------------- */

static gboolean fail(const gchar *path, GError **error) {
  const gint code = errno;
  g_autofree gchar *shown = g_filename_display_name(path);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The file %s cannot be read: %s.", shown,
              g_strerror(code));
  return FALSE;
}

/* Into memory that the process has not touched before. */
static gboolean read_once(const gchar *path, LoadingFigures *figures, GError **error) {
  struct stat status;
  const gint file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) < 0) {
    fail(path, error);
    if (file >= 0)
      close(file);
    return FALSE;
  }
  figures->file_size = (guint64)status.st_size;
  const gint64 start = g_get_monotonic_time();
  guint8 *memory =
      mmap(NULL, figures->file_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  guint64 n_read = 0;
  gssize n = memory != MAP_FAILED ? 1 : -1;
  while (n > 0 && n_read < figures->file_size) {
    n = read(file, memory + n_read, figures->file_size - n_read);
    n_read += n > 0 ? (guint64)n : 0;
  }
  const gdouble seconds = (gdouble)(g_get_monotonic_time() - start) * 1e-6;
  figures->read = figures->read > 0.0 ? MIN(figures->read, seconds) : seconds;
  if (n < 0)
    fail(path, error);
  if (memory != MAP_FAILED)
    munmap(memory, figures->file_size);
  close(file);
  return n >= 0;
}

static gboolean load_once(SwinDevice *device, const gchar *location, SwinPrecision precision,
                          LoadingFigures *figures, GError **error) {
  Sampler sampler = {0};
  const guint64 before = read_memory();
  GThread *thread = g_thread_new("memory", sample, &sampler);
  const gint64 start = g_get_monotonic_time();
  g_autoptr(SwinModel) model = swin_model_load(location, NULL, error);
  g_autoptr(SwinNetwork) network =
      model ? swin_command_make_network(device, model, precision, 1, 0, FALSE, error) : NULL;
  const gdouble seconds = (gdouble)(g_get_monotonic_time() - start) * 1e-6;
  g_atomic_int_set(&sampler.stop, 1);
  g_thread_join(thread);
  if (!network)
    return FALSE;
  const guint64 peak = MAX(sampler.peak, read_memory());
  figures->load = figures->load > 0.0 ? MIN(figures->load, seconds) : seconds;
  figures->peak = MAX(figures->peak, peak - MIN(before, peak));
  figures->weights = swin_network_get_weights_size(network);
  figures->activations = swin_plan_get_arena_size(swin_network_get_plan(network));
  return TRUE;
}

static void print_text(const gchar *location, const LoadingFigures *figures) {
  g_autofree gchar *shown = g_filename_display_name(location);
  g_print("model    %s, %.1f MB\n", shown, (gdouble)figures->file_size * 1e-6);
  g_print("reading  %.3f s into fresh memory\n", figures->read);
  g_print("loading  %.3f s onto the device, %.2f times as long\n", figures->load,
          figures->load / figures->read);
  g_print("memory   %.1f MB at the most; weights %.1f MB, activations %.1f MB\n",
          (gdouble)figures->peak * 1e-6, (gdouble)figures->weights * 1e-6,
          (gdouble)figures->activations * 1e-6);
}

static void print_json(const gchar *location, const LoadingFigures *figures) {
  const struct {
    const gchar *name;
    gdouble value;
  } rows[] = {{"file_bytes", (gdouble)figures->file_size},
              {"read_s", figures->read},
              {"load_s", figures->load},
              {"ratio", figures->load / figures->read},
              {"peak_bytes", (gdouble)figures->peak},
              {"weights_bytes", (gdouble)figures->weights},
              {"activations_bytes", (gdouble)figures->activations}};
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "model");
  g_autofree gchar *shown = g_filename_display_name(location);
  json_builder_add_string_value(builder, shown);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    json_builder_set_member_name(builder, rows[i].name);
    json_builder_add_double_value(builder, rows[i].value);
  }
  json_builder_end_object(builder);
  swin_command_print_json(builder);
}

gboolean swin_bench_loading(SwinDevice *device, const gchar *location, SwinPrecision precision,
                            guint runs, gboolean json, GError **error) {
  g_autofree gchar *path = g_file_test(location, G_FILE_TEST_IS_DIR)
                               ? g_build_filename(location, "model.safetensors", NULL)
                               : g_strdup(location);
  LoadingFigures figures = {0}, warm_up = {0};
  if (!read_once(path, &warm_up, error))
    return FALSE;
  for (guint i = 0; i < runs; i++)
    if (!read_once(path, &figures, error) ||
        !load_once(device, location, precision, &figures, error))
      return FALSE;
  if (json)
    print_json(location, &figures);
  else
    print_text(location, &figures);
  return TRUE;
}
