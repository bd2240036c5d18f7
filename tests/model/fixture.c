// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fixture.h"
#include "run-cases.h"

#include <string.h>

#include <gio/gio.h>

static gchar *folder;

gchar *fixture_path(const gchar *name) {
  return g_build_filename(folder, name, NULL);
}

void fixture_write(const gchar *name, gconstpointer bytes, gsize n_bytes) {
  g_autofree gchar *path = fixture_path(name);
  g_autofree gchar *parent = g_path_get_dirname(path);
  g_autoptr(GError) error = NULL;
  ck_assert_int_eq(g_mkdir_with_parents(parent, 0700), 0);
  g_file_set_contents(path, bytes, (gssize)n_bytes, &error);
  ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
}

void fixture_write_text(const gchar *name, const gchar *text) {
  fixture_write(name, text, strlen(text));
}

GBytes *fixture_pack(const gchar *header, gsize n_data_bytes) {
  gsize header_bytes = strlen(header);
  guint8 *bytes = g_malloc0(8 + header_bytes + n_data_bytes);
  guint64 length = GUINT64_TO_LE((guint64)header_bytes);
  memcpy(bytes, &length, 8);
  memcpy(bytes + 8, header, header_bytes);
  return g_bytes_new_take(bytes, 8 + header_bytes + n_data_bytes);
}

gchar *fixture_golden(const gchar *name) {
  return g_build_filename(GOLDEN_DIR, name, NULL);
}

void fixture_expect_error(GError *error, SwinError code, const gchar *part) {
  ck_assert_msg(error != NULL, "no error where \"%s\" was expected", part);
  ck_assert_msg(error->domain == SWIN_ERROR && error->code == (gint)code,
                "error of domain %s and code %d: %s", g_quark_to_string(error->domain), error->code,
                error->message);
  ck_assert_msg(strstr(error->message, part) != NULL, "\"%s\" is not in: %s", part, error->message);
  ck_assert_msg(strchr(error->message, '\n') == NULL, "several lines: %s", error->message);
  ck_assert_msg(!g_regex_match_simple(": (The|A|There|It) ", error->message, 0, 0),
                "not one sentence: %s", error->message);
  g_error_free(error);
}

static void remove_tree(GFile *file) {
  g_autoptr(GFileEnumerator) children = g_file_enumerate_children(
      file, G_FILE_ATTRIBUTE_STANDARD_NAME, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, NULL);
  GFile *child;
  while (children != NULL && g_file_enumerator_iterate(children, NULL, &child, NULL, NULL) &&
         child != NULL) {
    remove_tree(child);
  }
  g_file_delete(file, NULL, NULL);
}

int fixture_run(const gchar *name, const TTest *const *tests, guint n_tests) {
  g_autoptr(GError) error = NULL;
  folder = g_dir_make_tmp(NULL, &error);
  if (folder == NULL) {
    g_printerr("no temporary folder: %s\n", error->message);
    return 1;
  }
  TCase *tcase = tcase_create(name);
  tcase_set_timeout(tcase, 60);
  for (guint i = 0; i < n_tests; i++) {
    tcase_add_test(tcase, tests[i]);
  }
  const int status = run_cases(name, tcase);
  g_autoptr(GFile) root = g_file_new_for_path(folder);
  remove_tree(root);
  g_free(folder);
  return status;
}
