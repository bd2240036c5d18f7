// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files of thresholds. */
#include <string.h>

#include "fixture.h"

static gfloat *load(const gchar *content, guint n_classes, GError **error) {
  fixture_write_text("thresholds.txt", content);
  g_autofree gchar *path = fixture_path("thresholds.txt");
  return swin_thresholds_load(path, n_classes, error);
}

START_TEST(good_files) {
  static const gchar *const files[] = {
      "0\n0.65\n1\n",
      "0\r\n0.65\r\n1",
      "\xef\xbb\xbf 0 \n.65\t\n1.0\n",
      "-0\n65e-2\n1e0\n",
      "threshold\n0\n0.65\n1\n",
      "tag, Threshold \n\"a, b\",0\nb,\"0.65\"\nc,1\n",
  };
  static const gfloat expected[3] = {0.0f, 0.65f, 1.0f};
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    GError *error = NULL;
    g_autofree gfloat *thresholds = load(files[i], 3, &error);
    ck_assert_msg(thresholds != NULL, "file %u: %s", i, error != NULL ? error->message : "");
    for (guint j = 0; j < 3; j++) {
      ck_assert_msg(thresholds[j] == expected[j], "file %u, class %u: %g", i, j,
                    (gdouble)thresholds[j]);
    }
  }
}
END_TEST

START_TEST(bad_files) {
  static const struct {
    const gchar *content;
    const gchar *part;
  } files[] = {
      {"0\n0.5\n", "has 2 thresholds, but the model has 3 classes"},
      {"0.5\n", "has 1 threshold,"},
      {"0\n0.5\n1\n\n", "has 4 thresholds"},
      {"", "has 0 thresholds"},
      {"0\n0.5\n1.001\n", "\"1.001\" in line 3"},
      {"0\n-0.5\n1\n", "\"-0.5\" in line 2"},
      {"nan\n0.5\n1\n", "\"nan\" in line 1"},
      {"inf\n0.5\n1\n", "\"inf\" in line 1"},
      {"0,5\n0.5\n1\n", "\"0,5\" in line 1"},
      {"0\n\n1\n", "\"\" in line 2"},
      {"0\n0.5 0.6\n1\n", "\"0.5 0.6\" in line 2"},
      {"0\nhalf\n1\n", "\"half\" in line 2"},
      {"tag,score\na,0\nb,1\n", "\"tag,score\" in line 1"},
      {"tag,threshold\n\"a\na\",0\nb,0.5\nc,2\n", "\"2\" in line 5"},
      {"tag,threshold\na,0\nb,0,5\nc,1\n", "line 3 has another number of fields (3)"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    GError *error = NULL;
    ck_assert_ptr_null(load(files[i].content, 3, &error));
    ck_assert_msg(strstr(error->message, "thresholds.txt") != NULL, "%s", error->message);
    fixture_expect_error(error, SWIN_ERROR_LABELS, files[i].part);
  }
}
END_TEST

START_TEST(no_file) {
  GError *error = NULL;
  g_autofree gchar *path = fixture_path("none.txt");
  ck_assert_ptr_null(swin_thresholds_load(path, 3, &error));
  fixture_expect_error(error, SWIN_ERROR_LABELS, "no threshold file");
}
END_TEST

/* A model without a head has no classes; nothing is something of nothing. */
START_TEST(no_classes) {
  g_autoptr(GError) error = NULL;
  g_autofree gfloat *thresholds = load("", 0, &error);
  ck_assert_ptr_nonnull(thresholds);
  ck_assert_ptr_null(error);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {good_files, bad_files, no_file, no_classes};
  return fixture_run("thresholds", tests, G_N_ELEMENTS(tests));
}
