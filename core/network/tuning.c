// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/tuning.h"
#include "network/storage.h"

#include <glib/gstdio.h>
#include <string.h>

/* The file is a key file: a group [tuning] that says what it is of, then a group for each product.
 * Raise the version when fields of SwinLinearKernel change their meaning. */
#define VERSION 1
#define MAX_FILE_SIZE (1 << 20) /* bytes */
#define MAX_PRODUCTS 2048
#define N_FIELDS 10 /* of a kernel, as numbers */
#define MAX_ROWS_FACTOR 2

/* What was read or written of each file, by path: read once, so that all networks of a process are
 * recorded alike. */
G_LOCK_DEFINE_STATIC(tunings);
static GHashTable *tunings; /* path -> GArray of SwinTuned */

gchar *swin_tuning_path(SwinDevice *device) {
  return g_build_filename(g_get_user_cache_dir(), "gst-swin", "tuning",
                          swin_device_get_identity(device)->name, NULL);
}

/* The version of the driver, which compiles shaders as it likes. */
static gchar *driver_key(SwinDevice *device) {
  const SwinDeviceIdentity *identity = swin_device_get_identity(device);
  GString *key = g_string_new(NULL);
  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf(key, "%02x", identity->driver[i]);
  g_string_append_printf(key, "-%u", identity->driver_version);
  return g_string_free(key, FALSE);
}

/* Whether the one stands for the other: an operation may have another kind of kernel than others
 * with the same product. */
static gboolean same_product(const SwinTuned *a, const SwinTuned *b) {
  return a->product.storage == b->product.storage && a->product.rows == b->product.rows &&
         a->product.depth == b->product.depth && a->product.columns == b->product.columns &&
         a->kernel.kind == b->kernel.kind;
}

/* ---- Kernels as numbers --------------------------------------------------------------------- */

static void kernel_to_numbers(const SwinLinearKernel *kernel, gint numbers[N_FIELDS]) {
  const guint32 fields[N_FIELDS] = {
      kernel->kind,      kernel->rows,         kernel->columns, kernel->depth,   kernel->lanes,
      kernel->lane_rows, kernel->lane_columns, kernel->shape.m, kernel->shape.n, kernel->shape.k};
  for (guint i = 0; i < N_FIELDS; i++)
    numbers[i] = (gint)fields[i];
}

static gboolean kernel_from_numbers(const gint *numbers, gsize n_numbers,
                                    SwinLinearKernel *kernel) {
  if (n_numbers != N_FIELDS)
    return FALSE;
  for (guint i = 0; i < N_FIELDS; i++)
    if (numbers[i] < 0)
      return FALSE;
  *kernel = (SwinLinearKernel){
      .kind = (SwinLinearKind)numbers[0],
      .rows = (guint32)numbers[1],
      .columns = (guint32)numbers[2],
      .depth = (guint32)numbers[3],
      .lanes = (guint32)numbers[4],
      .lane_rows = (guint32)numbers[5],
      .lane_columns = (guint32)numbers[6],
      .shape = {(guint32)numbers[7], (guint32)numbers[8], (guint32)numbers[9]},
  };
  return TRUE;
}

/* ---- Files ---------------------------------------------------------------------------------- */

static gboolean read_product(GKeyFile *file, const gchar *group, SwinTuned *tuned) {
  g_autofree gchar *storage = g_key_file_get_string(file, group, "storage", NULL);
  gsize n_numbers = 0;
  g_autofree gint *numbers = g_key_file_get_integer_list(file, group, "kernel", &n_numbers, NULL);
  const gboolean half = g_strcmp0(storage, "fp16") == 0;
  if ((!half && g_strcmp0(storage, "fp32") != 0) || !numbers)
    return FALSE;
  tuned->product = (SwinLinearProduct){
      .storage = half ? SWIN_STORAGE_F16 : SWIN_STORAGE_F32,
      .rows = g_key_file_get_uint64(file, group, "rows", NULL),
      .depth = g_key_file_get_uint64(file, group, "depth", NULL),
      .columns = g_key_file_get_uint64(file, group, "columns", NULL),
  };
  return tuned->product.rows > 0 && tuned->product.depth > 0 && tuned->product.columns > 0 &&
         kernel_from_numbers(numbers, n_numbers, &tuned->kernel);
}

static gboolean read_file(SwinDevice *device, const gchar *path, GKeyFile *file) {
  GStatBuf status;
  g_autofree gchar *contents = NULL;
  gsize size = 0;
  if (g_stat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > MAX_FILE_SIZE ||
      !g_file_get_contents(path, &contents, &size, NULL) ||
      !g_key_file_load_from_data(file, contents, size, G_KEY_FILE_NONE, NULL))
    return FALSE;
  g_autofree gchar *driver = g_key_file_get_string(file, "tuning", "driver", NULL);
  g_autofree gchar *expected = driver_key(device);
  return g_key_file_get_integer(file, "tuning", "version", NULL) == VERSION &&
         g_strcmp0(driver, expected) == 0;
}

/* (transfer full): an array of SwinTuned, empty where there is no tuning. */
static GArray *load(SwinDevice *device, const gchar *path) {
  GArray *all = g_array_new(FALSE, FALSE, sizeof(SwinTuned));
  g_autoptr(GKeyFile) file = g_key_file_new();
  if (!read_file(device, path, file))
    return all;
  g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
  for (guint i = 0; groups[i]; i++) {
    SwinTuned tuned;
    if (g_str_equal(groups[i], "tuning"))
      continue;
    if (all->len == MAX_PRODUCTS || !read_product(file, groups[i], &tuned)) {
      g_array_set_size(all, 0);
      return all;
    }
    g_array_append_val(all, tuned);
  }
  return all;
}

static void write_product(GKeyFile *file, const SwinTuned *tuned) {
  const SwinLinearProduct *product = &tuned->product;
  const gchar *storage = swin_storage_name(product->storage);
  gint numbers[N_FIELDS];
  kernel_to_numbers(&tuned->kernel, numbers);
  g_autofree gchar *name = swin_linear_kernel_name(&tuned->kernel);
  g_autofree gchar *group = g_strdup_printf(
      "%s %" G_GUINT64_FORMAT "x%" G_GUINT64_FORMAT "x%" G_GUINT64_FORMAT " %d", storage,
      product->rows, product->columns, product->depth, (gint)tuned->kernel.kind);
  g_key_file_set_string(file, group, "storage", storage);
  g_key_file_set_uint64(file, group, "rows", product->rows);
  g_key_file_set_uint64(file, group, "depth", product->depth);
  g_key_file_set_uint64(file, group, "columns", product->columns);
  g_key_file_set_string(file, group, "name", name);
  g_key_file_set_integer_list(file, group, "kernel", numbers, N_FIELDS);
}

static gboolean save(SwinDevice *device, const gchar *path, const GArray *all, GError **error) {
  g_autoptr(GKeyFile) file = g_key_file_new();
  g_autofree gchar *driver = driver_key(device);
  g_key_file_set_integer(file, "tuning", "version", VERSION);
  g_key_file_set_string(file, "tuning", "device", swin_device_get_info(device)->name);
  g_key_file_set_string(file, "tuning", "driver", driver);
  for (guint i = 0; i < all->len; i++)
    write_product(file, &g_array_index(all, SwinTuned, i));
  gsize size = 0;
  g_autofree gchar *contents = g_key_file_to_data(file, &size, NULL);
  g_autofree gchar *folder = g_path_get_dirname(path);
  g_mkdir_with_parents(folder, 0700);
  if (g_file_set_contents_full(path, contents, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                               error))
    return TRUE;
  g_prefix_error(error, "The tuning cannot be kept: ");
  return FALSE;
}

/* ---- What is known -------------------------------------------------------------------------- */

/* Called with the lock held; takes over @all. */
static void remember(const gchar *path, GArray *all) {
  if (!tunings)
    tunings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
  g_hash_table_replace(tunings, g_strdup(path), all);
}

/* Called with the lock held. */
static const GArray *recall(SwinDevice *device, const gchar *path) {
  if (!tunings || !g_hash_table_contains(tunings, path))
    remember(path, load(device, path));
  return g_hash_table_lookup(tunings, path);
}

/* How many times more rows the one has than the other, 1 or more. */
static gdouble rows_factor(const SwinLinearProduct *a, const SwinLinearProduct *b) {
  return (gdouble)MAX(a->rows, b->rows) / (gdouble)MIN(a->rows, b->rows);
}

static gint find_kernel(const SwinLinearKernel *kernel, const SwinLinearKernel *kernels,
                        guint n_kernels) {
  for (guint i = 0; i < n_kernels; i++)
    if (swin_linear_kernel_equal(kernel, &kernels[i]))
      return (gint)i;
  return -1;
}

static gint find(const GArray *all, const SwinLinearProduct *product,
                 const SwinLinearKernel *kernels, guint n_kernels) {
  gint best = -1;
  gdouble best_factor = 0;
  for (guint i = 0; i < all->len; i++) {
    const SwinTuned *tuned = &g_array_index(all, SwinTuned, i);
    if (tuned->product.storage != product->storage || tuned->product.depth != product->depth ||
        tuned->product.columns != product->columns)
      continue;
    const gdouble factor = rows_factor(&tuned->product, product);
    if (factor > MAX_ROWS_FACTOR || (best >= 0 && factor >= best_factor))
      continue;
    const gint kernel = find_kernel(&tuned->kernel, kernels, n_kernels);
    if (kernel < 0)
      continue;
    best = kernel;
    best_factor = factor;
  }
  return best;
}

gint swin_tuning_find(SwinDevice *device, const SwinLinearProduct *product,
                      const SwinLinearKernel *kernels, guint n_kernels) {
  if (product->rows == 0 || swin_is_disabled("tuning"))
    return -1;
  g_autofree gchar *path = swin_tuning_path(device);
  G_LOCK(tunings);
  const gint found = find(recall(device, path), product, kernels, n_kernels);
  G_UNLOCK(tunings);
  return found;
}

static gboolean contains(const SwinTuned *tuned, guint n_tuned, const SwinTuned *one) {
  for (guint i = 0; i < n_tuned; i++)
    if (same_product(&tuned[i], one))
      return TRUE;
  return FALSE;
}

gboolean swin_tuning_store(SwinDevice *device, const SwinTuned *tuned, guint n_tuned,
                           GError **error) {
  g_autofree gchar *path = swin_tuning_path(device);
  G_LOCK(tunings);
  /* From the file, which another program may have written in the meantime. */
  g_autoptr(GArray) earlier = load(device, path);
  GArray *all = g_array_new(FALSE, FALSE, sizeof(SwinTuned));
  g_array_append_vals(all, tuned, MIN(n_tuned, MAX_PRODUCTS));
  for (guint i = 0; i < earlier->len && all->len < MAX_PRODUCTS; i++) {
    const SwinTuned *one = &g_array_index(earlier, SwinTuned, i);
    if (!contains(tuned, n_tuned, one))
      g_array_append_vals(all, one, 1);
  }
  const gboolean saved = save(device, path, all, error);
  remember(path, all);
  G_UNLOCK(tunings);
  return saved;
}
