// SPDX-License-Identifier: LGPL-2.1-or-later
// What the user's files of labels and thresholds make of the results, over a libswin whose results
// are always the same (mock-swin.h).
#include <glib/gstdio.h>

#include "mock-harness.h"
#include "mock-swin.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

static gchar *write_file(const gchar *text) {
  gchar *path = NULL;
  gint file = g_file_open_tmp(NULL, &path, NULL);

  fail_unless(file >= 0);
  g_close(file, NULL);
  fail_unless(g_file_set_contents(path, text, -1, NULL));
  return path;
}

static void remove_file(gchar *path) {
  g_unlink(path);
  g_free(path);
}

// The tags of one frame as the message has them, which must be those of the metadata.
static TestTags classify(const gchar *properties) {
  GstHarness *harness = test_harness_new(properties);
  GstBuffer *pulled, *frame = gst_buffer_new_allocate(NULL, TEST_WIDTH * TEST_HEIGHT * 3 / 2, NULL);
  GstMessage *message;
  TestTags tags, metadata;

  gst_buffer_memset(frame, 0, 16, (gsize)-1);
  pulled = gst_harness_push_and_pull(harness, frame);
  metadata = test_tags_of_buffer(pulled);
  gst_buffer_unref(pulled);
  message = test_next_classification(harness);
  tags = test_tags_of_structure(gst_message_get_structure(message));
  gst_message_unref(message);
  test_harness_teardown(harness);
  fail_unless_equals_int(mock_swin_n_alive(), 0);

  fail_unless_equals_int(metadata.n_metas, tags.n_tags > 0 ? 1 : 0);
  fail_unless_equals_int(metadata.n_tags, tags.n_tags);
  for (guint i = 0; i < tags.n_tags; i++) {
    fail_unless_equals_int(metadata.labels[i], tags.labels[i]);
    fail_unless(metadata.confidences[i] == tags.confidences[i]);
  }
  return tags;
}

static void expect_labels(const gchar *properties, const gchar *expected) {
  TestTags tags = classify(properties);
  g_autoptr(GString) labels = g_string_new(NULL);

  for (guint i = 0; i < tags.n_tags; i++)
    g_string_append_printf(labels, "%s%s", i > 0 ? " " : "", g_quark_to_string(tags.labels[i]));
  assert_equals_string(labels->str, expected);
}

/* ---- What they say ------------------------------------------------------------------------- */

// A class falls out wherever it stands, and the others keep their order. The file's thresholds hold
// for each class, whatever the one for all says.
GST_START_TEST(test_thresholds_file) {
  static const gchar *const files[][2] = {
      {"0\n0\n0\n0\n0\n0\n0\n0\n", "a b c"},
      {"0.5\n0.25\n0.125\n0\n0\n0\n0\n0\n", "a b c"},
      {"0.5\n0.26\n0.125\n0\n0\n0\n0\n0\n", "a c"},
      {"0.51\n0.25\n0.125\n0\n0\n0\n0\n0", "b c"},
      {"1\r\n1\r\n0.1\r\n0\r\n0\r\n0\r\n0\r\n0\r\n", "c"},
      {"1\n1\n1\n0\n0\n0\n0\n0\n", ""},
      {"tag,threshold\nv,1\nw,.2\nx,1e-1\ny,0\nz,0\n0,0\n1,0\n2,0\n", "b c"},
  };
  static const gchar *const others[] = {"", "threshold=0.3", "threshold=1"};

  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    gchar *path = write_file(files[i][0]);

    for (guint j = 0; j < G_N_ELEMENTS(others); j++) {
      g_autofree gchar *properties = g_strdup_printf("thresholds-file=%s %s", path, others[j]);

      expect_labels(properties, files[i][1]);
    }
    remove_file(path);
  }
  expect_labels("threshold=0.25", "a b");
  expect_labels("threshold=0.6", "");
}
GST_END_TEST;

// Top-k is what thresholds take from: they bring no class in that is not one of the best.
GST_START_TEST(test_thresholds_take_from_the_best) {
  gchar *path = write_file("1\n0\n0\n0\n0\n0\n0\n0\n");
  g_autofree gchar *properties = g_strdup_printf("thresholds-file=%s top-k=2", path);

  expect_labels(properties, "b");
  remove_file(path);
}
GST_END_TEST;

GST_START_TEST(test_labels_file) {
  static const gchar *const files[][2] = {
      {"x\ny y\nz\n-\n-\n-\n-\n-\n", "x y y z"},
      {"\xef\xbb\xbfx\r\ny\r\nz\r\n-\r\n-\r\n-\r\n-\r\n-", "x y z"},
      {"tag_id,name,category,count\n1,x,0,9\n2,\"y, y\",0,9\n3,\"\"\"z\"\"\",0,9\n4,d,0,9\n"
       "5,e,0,9\n6,f,0,9\n7,g,0,9\n8,h,0,9\n",
       "x y, y \"z\""},
      {"n01440764 x\nn01443537 y, why\nn01484850 z\nn01491361 d\nn01494475 e\nn01496331 f\n"
       "n01498041 g\nn01514668 h\n",
       "x y, why z"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    gchar *path = write_file(files[i][0]);
    g_autofree gchar *properties = g_strdup_printf("labels-file=%s", path);

    expect_labels(properties, files[i][1]);
    remove_file(path);
  }
}
GST_END_TEST;

/* ---- Files that cannot be used ------------------------------------------------------------- */

static void expect_bad_file(const gchar *property, const gchar *text, const gchar *part) {
  GstElement *element = mock_element_new();
  gchar *path = write_file(text);

  g_object_set(element, property, path, NULL);
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, path);
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS, part);
  g_object_set(element, property, NULL, NULL);
  mock_element_open_and_close(element);
  mock_element_free(element);
  remove_file(path);
}

GST_START_TEST(test_files_that_do_not_fit) {
  expect_bad_file("thresholds-file", "0\n0\n0\n", "3 thresholds");
  expect_bad_file("thresholds-file", "0\n0\n0\n0\n1.5\n0\n0\n0\n", "line 5");
  expect_bad_file("thresholds-file", "\xff\n", "UTF-8");
  expect_bad_file("labels-file", "name,count\na,1\n", "1 label,");
  expect_bad_file("labels-file", "name,count\na,1\nb\n", "line 3");
}
GST_END_TEST;

GST_START_TEST(test_files_that_are_not_there) {
  GstElement *element = mock_element_new();

  g_object_set(element, "thresholds-file", "/nowhere/t.txt", NULL);
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS,
                              "no threshold file \"/nowhere/t.txt\"");
  g_object_set(element, "labels-file", "/nowhere/l.txt", NULL);
  mock_element_expect_refusal(element, GST_RESOURCE_ERROR_SETTINGS,
                              "no label file \"/nowhere/l.txt\"");
  mock_element_free(element);
}
GST_END_TEST;

static Suite *class_files_suite(void) {
  Suite *suite = suite_create("class-files");
  TCase *tcase = tcase_create("class-files");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_thresholds_file);
  tcase_add_test(tcase, test_thresholds_take_from_the_best);
  tcase_add_test(tcase, test_labels_file);
  tcase_add_test(tcase, test_files_that_do_not_fit);
  tcase_add_test(tcase, test_files_that_are_not_there);
  return suite;
}

int main(int argc, char **argv) {
  return mock_main(&argc, &argv, class_files_suite, "class-files");
}
