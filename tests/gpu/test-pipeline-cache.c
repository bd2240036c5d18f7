// SPDX-License-Identifier: LGPL-2.1-or-later
/* The file of pipelines: what comes back, and what the driver must never be given. */
#include "gpu/pipeline-cache.h"
#include "gpu/pipelines.h"
#include "run-cases.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define HEADER_SIZE sizeof(VkPipelineCacheHeaderVersionOne)

/* ---- A driver whose caches hold bytes ------------------------------------------------------- */

static SwinDevice *device;
static SwinDeviceFunctions real; /* its own cache is the true driver's */
static gchar *folder;            /* the user's cache */
static gchar *path;              /* of the file */

/* What the one cache that is not freed at once holds behind the header of Vulkan. */
static GByteArray *held;
static guint n_caches;  /* created and not destroyed */
static guint n_refused; /* creations that fail, the next ones */
static gsize pretended; /* (0: the true one): size of the data */
static GBytes *initial; /* (nullable): what the last cache was created with */

static VkResult VKAPI_CALL create(G_GNUC_UNUSED VkDevice handle,
                                  const VkPipelineCacheCreateInfo *info,
                                  G_GNUC_UNUSED const VkAllocationCallbacks *callbacks,
                                  VkPipelineCache *cache) {
  g_clear_pointer(&initial, g_bytes_unref);
  if (info->initialDataSize > 0)
    initial = g_bytes_new(info->pInitialData, info->initialDataSize);
  if (n_refused > 0) {
    n_refused--;
    memset(cache, 0x5a, sizeof(*cache));
    return VK_ERROR_OUT_OF_HOST_MEMORY;
  }
  n_caches++;
  if (n_caches == 1 && initial)
    g_byte_array_append(held, (const guint8 *)info->pInitialData + HEADER_SIZE,
                        (guint)(info->initialDataSize - HEADER_SIZE));
  *cache = (VkPipelineCache)(guintptr)n_caches;
  return VK_SUCCESS;
}

static void VKAPI_CALL destroy(G_GNUC_UNUSED VkDevice handle, VkPipelineCache cache,
                               G_GNUC_UNUSED const VkAllocationCallbacks *callbacks) {
  n_caches -= cache != VK_NULL_HANDLE;
  if (n_caches == 0)
    g_byte_array_set_size(held, 0);
}

static VkResult VKAPI_CALL merge(G_GNUC_UNUSED VkDevice handle,
                                 G_GNUC_UNUSED VkPipelineCache target, uint32_t n_sources,
                                 G_GNUC_UNUSED const VkPipelineCache *sources) {
  ck_assert_uint_eq(n_sources, 1);
  ck_assert_ptr_nonnull(initial);
  g_byte_array_append(held, (const guint8 *)g_bytes_get_data(initial, NULL) + HEADER_SIZE,
                      (guint)(g_bytes_get_size(initial) - HEADER_SIZE));
  return VK_SUCCESS;
}

static VkResult VKAPI_CALL get_data(G_GNUC_UNUSED VkDevice handle,
                                    G_GNUC_UNUSED VkPipelineCache cache, size_t *size, void *data) {
  const SwinDeviceIdentity *identity = swin_device_get_identity(device);
  VkPipelineCacheHeaderVersionOne header = {.headerSize = HEADER_SIZE,
                                            .headerVersion = VK_PIPELINE_CACHE_HEADER_VERSION_ONE,
                                            .vendorID = identity->vendor,
                                            .deviceID = identity->device};
  memcpy(header.pipelineCacheUUID, identity->pipelines, VK_UUID_SIZE);
  if (data) {
    memcpy(data, &header, HEADER_SIZE);
    if (held->len > 0)
      memcpy((guint8 *)data + HEADER_SIZE, held->data, held->len);
  }
  *size = pretended ? pretended : HEADER_SIZE + held->len;
  return VK_SUCCESS;
}

static void setup(void) {
  g_autoptr(GError) error = NULL;
  g_unsetenv("SWIN_DISABLE");
  n_caches = n_refused = 0;
  pretended = 0;
  device = swin_device_open(NULL, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  SwinDeviceFunctions *functions = swin_device_functions(device);
  real = *functions;
  functions->CreatePipelineCache = create;
  functions->DestroyPipelineCache = destroy;
  functions->MergePipelineCaches = merge;
  functions->GetPipelineCacheData = get_data;
  path = g_build_filename(folder, "gst-swin", "pipelines", swin_device_get_identity(device)->name,
                          NULL);
  held = g_byte_array_new();
}

static void remove_all(const gchar *name) {
  g_autoptr(GDir) entries = g_dir_open(name, 0, NULL);
  const gchar *entry = NULL;
  while (entries && (entry = g_dir_read_name(entries))) {
    g_autofree gchar *below = g_build_filename(name, entry, NULL);
    remove_all(below);
  }
  g_remove(name);
}

static void teardown(void) {
  *swin_device_functions(device) = real;
  g_clear_pointer(&device, swin_device_unref);
  g_clear_pointer(&initial, g_bytes_unref);
  g_clear_pointer(&held, g_byte_array_unref);
  g_clear_pointer(&path, g_free);
  g_autofree gchar *above = g_build_filename(folder, "gst-swin", NULL);
  remove_all(above);
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static void compile(const gchar *what) {
  g_byte_array_append(held, (const guint8 *)what, (guint)strlen(what));
}

static void store(SwinPipelineCache *cache) {
  swin_pipeline_cache_store(cache);
  swin_pipeline_cache_free(cache);
  ck_assert_uint_eq(n_caches, 0);
}

/* A file with one pipeline. */
static void make_file(const gchar *what) {
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  ck_assert(swin_pipeline_cache_get_handle(cache) != VK_NULL_HANDLE);
  compile(what);
  store(cache);
  ck_assert(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

/* What the driver is given when the file is as it is now. Free with g_free(); "" for nothing. */
static gchar *load(void) {
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  gchar *found = held->len > 0 ? g_strndup((const gchar *)held->data, held->len) : g_strdup("");
  swin_pipeline_cache_free(cache);
  return found;
}

static void assert_loads(const gchar *expected) {
  g_autofree gchar *found = load();
  ck_assert_str_eq(found, expected);
}

START_TEST(test_round_trip) {
  assert_loads("");
  make_file("pipeline");
  ck_assert_ptr_null(initial);
  assert_loads("pipeline");
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  compile("+another");
  store(cache);
  assert_loads("pipeline+another");
}
END_TEST

START_TEST(test_same_data_are_not_written_again) {
  GStatBuf before, after;
  make_file("pipeline");
  ck_assert_int_eq(g_stat(path, &before), 0);
  store(swin_pipeline_cache_new(device));
  ck_assert_int_eq(g_stat(path, &after), 0);
  ck_assert_uint_eq(before.st_ino, after.st_ino);
  ck_assert_int_eq(before.st_mode & 0777, 0600);
}
END_TEST

START_TEST(test_several_programs_add_to_one_file) {
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  compile("mine");
  g_autoptr(GByteArray) mine = g_byte_array_new();
  g_byte_array_append(mine, held->data, held->len);
  /* Meanwhile another program writes the file. */
  n_caches = 0;
  g_byte_array_set_size(held, 0);
  make_file("theirs");
  n_caches = 1;
  g_byte_array_append(held, mine->data, mine->len);
  store(cache);
  assert_loads("minetheirs");
}
END_TEST

static void damage(gsize offset) {
  g_autofree gchar *contents = NULL;
  gsize size = 0;
  ck_assert(g_file_get_contents(path, &contents, &size, NULL));
  ck_assert_uint_lt(offset, size);
  contents[offset] ^= 1;
  ck_assert(g_file_set_contents(path, contents, (gssize)size, NULL));
}

/* Every single byte of it counts. */
START_TEST(test_damaged_files_are_misses) {
  make_file("pipeline");
  g_autofree gchar *contents = NULL;
  gsize size = 0;
  ck_assert(g_file_get_contents(path, &contents, &size, NULL));
  for (gsize i = 0; i < size; i++) {
    damage(i);
    assert_loads("");
    ck_assert_ptr_null(initial);
    damage(i);
  }
  assert_loads("pipeline");
  damage(0);
  make_file("anew");
  assert_loads("anew");
}
END_TEST

START_TEST(test_cut_and_long_files_are_misses) {
  make_file("pipeline");
  g_autofree gchar *contents = NULL;
  gsize size = 0;
  ck_assert(g_file_get_contents(path, &contents, &size, NULL));
  for (gsize cut = 0; cut < size; cut++) {
    ck_assert(g_file_set_contents(path, contents, (gssize)cut, NULL));
    assert_loads("");
  }
  g_autofree gchar *longer = g_malloc0(size + 1);
  memcpy(longer, contents, size);
  ck_assert(g_file_set_contents(path, longer, (gssize)size + 1, NULL));
  assert_loads("");
  /* Of a size that nobody would want to read. */
  ck_assert_int_eq(truncate(path, 1l << 40), 0);
  assert_loads("");
}
END_TEST

START_TEST(test_other_kinds_of_files_are_misses) {
  make_file("pipeline");
  ck_assert_int_eq(g_remove(path), 0);
  ck_assert_int_eq(g_mkdir(path, 0700), 0);
  assert_loads("");
  store(swin_pipeline_cache_new(device));
}
END_TEST

START_TEST(test_other_drivers_are_misses) {
  SwinDeviceIdentity *identity = (SwinDeviceIdentity *)swin_device_get_identity(device);
  guint8 *changed[] = {(guint8 *)&identity->vendor, (guint8 *)&identity->device,
                       (guint8 *)&identity->driver_version, &identity->driver[7],
                       &identity->pipelines[15]};
  make_file("pipeline");
  for (guint i = 0; i < G_N_ELEMENTS(changed); i++) {
    *changed[i] ^= 1;
    assert_loads("");
    *changed[i] ^= 1;
  }
  assert_loads("pipeline");
}
END_TEST

START_TEST(test_unwritable_folder_is_no_error) {
  g_autofree gchar *above = g_build_filename(folder, "gst-swin", NULL);
  /* A file where the folder should be: root may write everywhere else. */
  ck_assert(g_file_set_contents(above, "", 0, NULL));
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  compile("pipeline");
  store(cache);
  assert_loads("");
}
END_TEST

START_TEST(test_large_data_start_anew) {
  make_file("pipeline");
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  pretended = ((gsize)64 << 20) + 1;
  store(cache);
  ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(test_nothing_is_kept_of_nothing) {
  store(swin_pipeline_cache_new(device));
  ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(test_environment_leaves_files_alone) {
  make_file("pipeline");
  g_setenv("SWIN_DISABLE", "pipeline-cache", TRUE);
  assert_loads("");
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  ck_assert(swin_pipeline_cache_get_handle(cache) == VK_NULL_HANDLE);
  store(cache);
  g_unsetenv("SWIN_DISABLE");
  assert_loads("pipeline");
}
END_TEST

/* A driver that does not take what it wrote itself gets an empty cache. */
START_TEST(test_refused_data_are_left_out) {
  make_file("pipeline");
  n_refused = 1;
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  ck_assert(swin_pipeline_cache_get_handle(cache) != VK_NULL_HANDLE);
  ck_assert_uint_eq(held->len, 0);
  store(cache);
  n_refused = 2;
  cache = swin_pipeline_cache_new(device);
  ck_assert(swin_pipeline_cache_get_handle(cache) == VK_NULL_HANDLE);
  store(cache);
  assert_loads("pipeline");
}
END_TEST

static VkResult fail_data(G_GNUC_UNUSED VkDevice handle, G_GNUC_UNUSED VkPipelineCache cache,
                          G_GNUC_UNUSED size_t *size, G_GNUC_UNUSED void *data) {
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

static VkResult fail_merge(G_GNUC_UNUSED VkDevice handle, G_GNUC_UNUSED VkPipelineCache target,
                           G_GNUC_UNUSED uint32_t n_sources,
                           G_GNUC_UNUSED const VkPipelineCache *sources) {
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

START_TEST(test_failing_drivers_are_no_error) {
  make_file("pipeline");
  SwinPipelineCache *cache = swin_pipeline_cache_new(device);
  compile("+another");
  swin_device_functions(device)->GetPipelineCacheData = fail_data;
  store(cache);
  assert_loads("pipeline");
  swin_device_functions(device)->GetPipelineCacheData = get_data;
  swin_device_functions(device)->MergePipelineCaches = fail_merge;
  ck_assert_int_eq(g_remove(path), 0);
  cache = swin_pipeline_cache_new(device);
  compile("mine");
  store(cache);
  assert_loads("mine");
}
END_TEST

/* With the true driver: whatever it keeps, a device finds pipelines that run, and leaves no harm.
 */
START_TEST(test_devices_use_it) {
  const guint32 constants[] = {64, 4, 3, 1};
  *swin_device_functions(device) = real;
  for (guint i = 0; i < 2; i++) {
    swin_device_unref(device);
    device = swin_device_open(NULL, NULL);
    ck_assert_ptr_nonnull(device);
    real = *swin_device_functions(device); /* the driver may be somewhere else now */
    g_autoptr(GError) error = NULL;
    SwinPipelines *pipelines = swin_device_get_pipelines(device);
    g_autoptr(GPtrArray) needed = g_ptr_array_new();
    g_ptr_array_add(needed, (gpointer)swin_pipelines_get(pipelines, "patch-partition",
                                                         G_N_ELEMENTS(constants), constants, 2, 12,
                                                         0, &error));
    ck_assert(swin_pipelines_build(pipelines, needed, &error));
    swin_pipelines_store(pipelines);
    swin_pipelines_store(pipelines);
  }
}
END_TEST

gint main(void) {
  folder = g_dir_make_tmp("swin-pipelines-XXXXXX", NULL);
  if (!folder)
    return EXIT_FAILURE;
  g_setenv("XDG_CACHE_HOME", folder, TRUE); /* which GLib looks at once */
  TCase *cases = tcase_create("pipeline-cache");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_round_trip);
  tcase_add_test(cases, test_same_data_are_not_written_again);
  tcase_add_test(cases, test_several_programs_add_to_one_file);
  tcase_add_test(cases, test_damaged_files_are_misses);
  tcase_add_test(cases, test_cut_and_long_files_are_misses);
  tcase_add_test(cases, test_other_kinds_of_files_are_misses);
  tcase_add_test(cases, test_other_drivers_are_misses);
  tcase_add_test(cases, test_unwritable_folder_is_no_error);
  tcase_add_test(cases, test_large_data_start_anew);
  tcase_add_test(cases, test_nothing_is_kept_of_nothing);
  tcase_add_test(cases, test_environment_leaves_files_alone);
  tcase_add_test(cases, test_refused_data_are_left_out);
  tcase_add_test(cases, test_failing_drivers_are_no_error);
  tcase_add_test(cases, test_devices_use_it);
  tcase_set_timeout(cases, 60);
  const gint status = run_cases("pipeline-cache", cases);
  remove_all(folder);
  g_free(folder);
  return status;
}
