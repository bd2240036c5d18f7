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

/* What each of three labels becomes, by file. */
static const struct {
  const gchar *content;
  const gchar *labels[3];
} forms[] = {
    /* Synsets, with every separator. */
    {"n02123045 tabby, tabby cat\nn02123159\ttiger cat\nn02123394,Persian cat\n",
     {"tabby, tabby cat", "tiger cat", "Persian cat"}},
    {"n02123045, tabby\r\nn02123159 \t tiger\r\nn02123394 ,n0\r\n", {"tabby", "tiger", "n0"}},
    /* No synsets: not on every line, nothing behind them, or of another length. */
    {"n02123045 tabby\ntiger\nn02123394 Persian\n",
     {"n02123045 tabby", "tiger", "n02123394 Persian"}},
    {"n02123045\nn02123159\nn02123394\n", {"n02123045", "n02123159", "n02123394"}},
    {"n0212304 a\nn0212315 b\nn0212339 c\n", {"n0212304 a", "n0212315 b", "n0212339 c"}},
    {"n021230451 a\nn021231591 b\nn021233941 c\n",
     {"n021230451 a", "n021231591 b", "n021233941 c"}},
    {"n02123045a\nn02123159b\nn02123394c\n", {"n02123045a", "n02123159b", "n02123394c"}},
    /* CSV: the column is found by its name, the preferred one first. */
    {"tag_id,name,category\n9,\"a, b\",0\n8,\"say \"\"hi\"\"\",1\n7,c,2\n",
     {"a, b", "say \"hi\"", "c"}},
    {"class,Label\r\n0,x\r\n1,\"y\r\nz\"\r\n2,\r\n", {"x", "y\r\nz", ""}},
    {"\xef\xbb\xbf TAG ,n\nx,1\ny,2\nz,3", {"x", "y", "z"}},
    {"name\nx\n\"y\"\nz\n", {"x", "y", "z"}},
    {"index,class\n0,n02123045 a\n1,n02123159 b\n2,n02123394 c\n", {"a", "b", "c"}},
    /* No header: no column that is known, or a label that only looks like one. */
    {"a,b\nc,d\ne,f\n", {"a,b", "c,d", "e,f"}},
    {"tag\nlabel\nname\n", {"tag", "label", "name"}},
    {"say \"hi\"\n\"\n\"quoted\"\n", {"say \"hi\"", "\"", "\"quoted\""}},
    {"names,labels\n,\n\n", {"names,labels", ",", ""}},
};

START_TEST(every_form) {
  for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
    GError *error = NULL;
    g_auto(GStrv) labels = load(forms[i].content, strlen(forms[i].content), 3, &error);
    ck_assert_msg(labels != NULL, "file %u: %s", i, error != NULL ? error->message : "");
    ck_assert_uint_eq(g_strv_length(labels), 3);
    for (guint j = 0; j < 3; j++) {
      ck_assert_msg(strcmp(labels[j], forms[i].labels[j]) == 0, "file %u: \"%s\"", i, labels[j]);
    }
  }
}
END_TEST

START_TEST(damaged_csv) {
  static const struct {
    const gchar *content;
    const gchar *part;
  } files[] = {
      {"name,count\none,1\ntwo\nthree,3\n", "line 3 has another number of fields (1)"},
      {"name,count\none,1\ntwo,2\nthree,3\n\n", "line 5 has another number of fields (1)"},
      {"name,count\n\"o\nne\",1\nt\"wo,2\nthree,3\n", "line 4 has a quote in a field"},
      {"name,count\none,1\n\"two,2\nthree,3\n", "line 3 has a quote that is never closed"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    GError *error = NULL;
    ck_assert_ptr_null(load(files[i].content, strlen(files[i].content), 3, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "labels.txt"));
    fixture_expect_error(error, SWIN_ERROR_LABELS, files[i].part);
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
      {"\n", 1, "has 1 label,"},
      {"\xef\xbb\xbf", 3, "has 0 labels"},
      {"name,count\none,1\ntwo,2\n", 23, "has 2 labels"},
      {"name\none\n", 9, "has 2 labels"},
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
  const TTest *const tests[] = {good_files,    every_form, damaged_csv,
                                wrong_lengths, no_text,    no_file};
  return fixture_run("labels", tests, G_N_ELEMENTS(tests));
}
