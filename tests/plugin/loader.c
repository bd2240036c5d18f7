// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread that opens models and lets go of them, by itself.
#include <gst/check/gstcheck.h>

#include "fake-inference.h"
#include "loader.h"

// SwinLoaderFunc
static void count(gpointer user_data) {
  g_atomic_int_inc((gint *)user_data);
}

// The thread waits for something to do; before it has noticed that there is some, it is stopped.
GST_START_TEST(test_let_go_just_before_the_stop) {
  for (guint i = 0; i < 100; i++) {
    gint n_loads = 0;
    SwinLoader *loader = swin_loader_new(count, &n_loads);
    SwinInference *inference = fake_inference_new("fake", 1, SWIN_ACTIVATION_SOFTMAX);

    swin_loader_start(loader);
    swin_loader_adopt(loader, inference);
    swin_loader_request(loader);
    while (g_atomic_int_get(&n_loads) == 0)
      g_usleep(100);
    g_usleep(1000);
    swin_inference_unref(inference);
    swin_loader_stop(loader);
    fail_unless_equals_int(fake_n_alive(), 0);
    swin_loader_unref(loader);
  }
}
GST_END_TEST;

static Suite *loader_suite(void) {
  Suite *suite = suite_create("loader");
  TCase *tcase = tcase_create("loader");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_let_go_just_before_the_stop);
  return suite;
}

GST_CHECK_MAIN(loader);
