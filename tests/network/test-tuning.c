// SPDX-License-Identifier: LGPL-2.1-or-later
/* The file of tuned kernels: what comes back, and what is as good as none. */
#include "network/tuning.h"
#include "run-cases.h"

#include <glib/gstdio.h>
#include <string.h>

static SwinDevice *device;
static gchar *folder; /* the user's cache */

static const SwinLinearKernel listed[] = {
    {.kind = SWIN_LINEAR_KIND_TILES, .rows = 64, .columns = 64, .depth = 16, .lanes = 64},
    {.kind = SWIN_LINEAR_KIND_TILES, .rows = 32, .columns = 64, .depth = 32, .lanes = 128},
    {.kind = SWIN_LINEAR_KIND_MATRIX,
     .rows = 64,
     .columns = 96,
     .depth = 32,
     .lanes = 128,
     .lane_rows = 32,
     .lane_columns = 48,
     .shape = {16, 8, 16}},
};

/* The device goes by another name in every test, and so does its file: what a process has read of a
 * file it does not read again. */
static void rename_device(void) {
  static guint n_names;
  SwinDeviceIdentity *identity = (SwinDeviceIdentity *)swin_device_get_identity(device);
  g_free(identity->name);
  identity->name = g_strdup_printf("test-%u", n_names++);
}

static void setup(void) {
  g_autoptr(GError) error = NULL;
  g_unsetenv("SWIN_DISABLE");
  device = swin_device_open(NULL, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  rename_device();
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
  g_autofree gchar *above = g_build_filename(folder, "gst-swin", NULL);
  g_clear_pointer(&device, swin_device_unref);
  remove_all(above);
}

static SwinLinearProduct product_of(SwinStorage storage, guint64 rows) {
  return (SwinLinearProduct){storage, rows, 96, 288};
}

static gint find_rows(SwinStorage storage, guint64 rows) {
  const SwinLinearProduct product = product_of(storage, rows);
  return swin_tuning_find(device, &product, listed, G_N_ELEMENTS(listed));
}

static void store_one(SwinStorage storage, guint64 rows, const SwinLinearKernel *kernel) {
  g_autoptr(GError) error = NULL;
  const SwinTuned tuned = {product_of(storage, rows), *kernel};
  ck_assert_msg(swin_tuning_store(device, &tuned, 1, &error), "%s", error ? error->message : "");
}

START_TEST(test_what_is_stored_is_found) {
  const SwinLinearProduct other_depth = {SWIN_STORAGE_F16, 3136, 97, 288};
  const SwinLinearProduct other_columns = {SWIN_STORAGE_F16, 3136, 96, 289};
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 3136), -1);
  store_one(SWIN_STORAGE_F16, 3136, &listed[2]);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 3136), 2);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F32, 3136), -1);
  ck_assert_int_eq(swin_tuning_find(device, &other_depth, listed, 3), -1);
  ck_assert_int_eq(swin_tuning_find(device, &other_columns, listed, 3), -1);
}
END_TEST

START_TEST(test_nearest_rows_within_a_factor_of_two) {
  store_one(SWIN_STORAGE_F16, 100, &listed[0]);
  store_one(SWIN_STORAGE_F16, 150, &listed[1]);
  const struct {
    guint64 rows;
    gint kernel;
  } cases[] = {{49, -1}, {50, 0},  {100, 0},  {120, 0}, {124, 1},
               {150, 1}, {300, 1}, {301, -1}, {0, -1},  {G_MAXUINT64, -1}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, cases[i].rows), cases[i].kernel);
}
END_TEST

START_TEST(test_what_is_not_listed_is_ignored) {
  SwinLinearKernel other = listed[2];
  other.lane_columns = 16;
  store_one(SWIN_STORAGE_F16, 100, &other);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 100), -1);
  /* The next nearest one is. */
  store_one(SWIN_STORAGE_F16, 110, &listed[2]);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 100), 2);
  const SwinLinearProduct product = product_of(SWIN_STORAGE_F16, 110);
  ck_assert_int_eq(swin_tuning_find(device, &product, listed, 2), -1);
}
END_TEST

START_TEST(test_storing_keeps_the_others) {
  store_one(SWIN_STORAGE_F16, 1000, &listed[0]);
  store_one(SWIN_STORAGE_F16, 100, &listed[0]);
  store_one(SWIN_STORAGE_F32, 100, &listed[1]);
  store_one(SWIN_STORAGE_F16, 100, &listed[1]);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 1000), 0);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 100), 1);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F32, 100), 1);
}
END_TEST

START_TEST(test_environment_leaves_it_out) {
  store_one(SWIN_STORAGE_F16, 100, &listed[0]);
  g_setenv("SWIN_DISABLE", "fp16,tuning", TRUE);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 100), -1);
}
END_TEST

START_TEST(test_unwritable_folder_is_an_error) {
  g_autoptr(GError) error = NULL;
  g_autofree gchar *above = g_build_filename(folder, "gst-swin", NULL);
  const SwinTuned tuned = {product_of(SWIN_STORAGE_F16, 100), listed[1]};
  ck_assert(g_file_set_contents(above, "", 0, NULL));
  ck_assert(!swin_tuning_store(device, &tuned, 1, &error));
  ck_assert_ptr_nonnull(strstr(error->message, "gst-swin"));
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 100), 1);
}
END_TEST

/* What becomes of a part of the file. */
static const struct {
  const gchar *what, *from, *to;
} damages[] = {
    {"another version", "version=1", "version=2"},
    {"no version", "version=1", ""},
    {"another driver", "driver=", "driver=0"},
    {"another storage", "storage=fp16", "storage=fp64"},
    {"no rows", "rows=100", "rows=none"},
    {"a number short", "kernel=2;", "kernel="},
    {"a number more", "kernel=2;", "kernel=2;2;"},
    {"a negative number", "kernel=2;", "kernel=-2;"},
    {"no number", "kernel=2;", "kernel=two;"},
    {"no key file", "[tuning]", "[tuning"},
    {"nothing", NULL, NULL},
};

static gchar *replace(const gchar *text, const gchar *from, const gchar *to) {
  if (!from)
    return g_strdup("");
  g_auto(GStrv) parts = g_strsplit(text, from, 2);
  ck_assert_uint_eq(g_strv_length(parts), 2);
  return g_strjoinv(to, parts);
}

START_TEST(test_damaged_files_are_no_tuning) {
  store_one(SWIN_STORAGE_F16, 100, &listed[2]);
  g_autofree gchar *path = swin_tuning_path(device);
  g_autofree gchar *text = NULL;
  ck_assert(g_file_get_contents(path, &text, NULL, NULL));
  g_autofree gchar *damaged = replace(text, damages[_i].from, damages[_i].to);
  rename_device();
  g_autofree gchar *other_path = swin_tuning_path(device);
  ck_assert(g_file_set_contents(other_path, damaged, -1, NULL));
  ck_assert_msg(find_rows(SWIN_STORAGE_F16, 100) == -1, "%s", damages[_i].what);
  /* The next tuning replaces it. */
  store_one(SWIN_STORAGE_F16, 100, &listed[1]);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 100), 1);
}
END_TEST

/* The file itself is sound: read under another name it says the same. */
START_TEST(test_files_are_read_back) {
  store_one(SWIN_STORAGE_F16, 100, &listed[2]);
  store_one(SWIN_STORAGE_F32, 49, &listed[1]);
  g_autofree gchar *path = swin_tuning_path(device);
  rename_device();
  g_autofree gchar *other_path = swin_tuning_path(device);
  ck_assert_int_eq(g_rename(path, other_path), 0);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 100), 2);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F32, 50), 1);
  ((SwinDeviceIdentity *)swin_device_get_identity(device))->driver_version++;
  store_one(SWIN_STORAGE_F32, 1000, &listed[0]);
  ck_assert_int_eq(find_rows(SWIN_STORAGE_F16, 100), -1);
}
END_TEST

gint main(void) {
  folder = g_dir_make_tmp("swin-tuning-XXXXXX", NULL);
  if (!folder)
    return EXIT_FAILURE;
  g_setenv("XDG_CACHE_HOME", folder, TRUE); /* which GLib looks at once */
  TCase *cases = tcase_create("tuning");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_what_is_stored_is_found);
  tcase_add_test(cases, test_nearest_rows_within_a_factor_of_two);
  tcase_add_test(cases, test_what_is_not_listed_is_ignored);
  tcase_add_test(cases, test_storing_keeps_the_others);
  tcase_add_test(cases, test_environment_leaves_it_out);
  tcase_add_test(cases, test_unwritable_folder_is_an_error);
  tcase_add_loop_test(cases, test_damaged_files_are_no_tuning, 0, G_N_ELEMENTS(damages));
  tcase_add_test(cases, test_files_are_read_back);
  tcase_set_timeout(cases, 60);
  const gint status = run_cases("tuning", cases);
  remove_all(folder);
  g_free(folder);
  return status;
}
