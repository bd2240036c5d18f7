// SPDX-License-Identifier: LGPL-2.1-or-later
/* Label files. */
#include <string.h>

#include "fixture.h"

static gchar **load(const gchar *content, gsize n_bytes, guint n_classes, GError **error) {
  fixture_write("labels.txt", content, n_bytes);
  g_autofree gchar *path = fixture_path("labels.txt");
  return swin_labels_load(path, n_classes, error);
}

START_TEST(good_files) {
  static const gchar *const files[] = {
      "one\ntwo words\ndr\xc3\xb6i\n",
      "one\ntwo words\ndr\xc3\xb6i",
      "one\r\ntwo words\r\ndr\xc3\xb6i\r\n",
      "\xef\xbb\xbfone\ntwo words\ndr\xc3\xb6i\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    GError *error = NULL;
    g_auto(GStrv) labels = load(files[i], strlen(files[i]), 3, &error);
    ck_assert_msg(labels != NULL, "file %u: %s", i, error != NULL ? error->message : "");
    ck_assert_uint_eq(g_strv_length(labels), 3);
    ck_assert_str_eq(labels[0], "one");
    ck_assert_str_eq(labels[1], "two words");
    ck_assert_str_eq(labels[2], "dr\xc3\xb6i");
  }
}
END_TEST

START_TEST(wrong_lengths) {
  static const struct {
    const gchar *content;
    gsize n_bytes;
    const gchar *part;
  } files[] = {
      {"one\ntwo\n", 8, "has 2 labels, but the model has 3 classes"},
      {"one\ntwo\nthree\nfour", 18, "has 4 labels"},
      {"one\ntwo\nthree\n\n", 15, "has 4 labels"},
      {"", 0, "has 0 labels"},
      {"\n", 1, "has 0 labels"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    GError *error = NULL;
    ck_assert_ptr_null(load(files[i].content, files[i].n_bytes, 3, &error));
    fixture_expect_error(error, SWIN_ERROR_LABELS, files[i].part);
  }
}
END_TEST

START_TEST(no_text) {
  GError *error = NULL;
  ck_assert_ptr_null(load("one\nt\xffo\nthree\n", 14, 3, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_LABELS, "not UTF-8 text: byte 5");
  ck_assert_ptr_null(load("one\0\ntwo\nthree\n", 15, 3, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_LABELS, "not UTF-8 text: byte 3");
}
END_TEST

START_TEST(no_file) {
  GError *error = NULL;
  g_autofree gchar *path = fixture_path("none.txt");
  ck_assert_ptr_null(swin_labels_load(path, 3, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_LABELS, path);
  g_autofree gchar *folder = fixture_path("");
  ck_assert_ptr_null(swin_labels_load(folder, 3, &error));
  fixture_expect_error(g_steal_pointer(&error), SWIN_ERROR_LABELS, "no label file");
}
END_TEST

int main(void) {
  const TTest *const tests[] = {good_files, wrong_lengths, no_text, no_file};
  return fixture_run("labels", tests, G_N_ELEMENTS(tests));
}
