// SPDX-License-Identifier: LGPL-2.1-or-later
#include "direct.h"

#define N_TRIES 5

static void fill_frame(TestDirect *direct) {
  const gsize luma = (gsize)TEST_STREAM_WIDTH * TEST_STREAM_HEIGHT;

  direct->pixels = g_malloc(luma * 3 / 2);
  for (gsize i = 0; i < luma * 3 / 2; i++)
    direct->pixels[i] = (guint8)(i * 7 + i / TEST_STREAM_WIDTH);
  direct->frame = (SwinFrame)SWIN_FRAME_INIT;
  direct->frame.width = TEST_STREAM_WIDTH;
  direct->frame.height = TEST_STREAM_HEIGHT;
  direct->frame.model = SWIN_COLOR_YUV;
  direct->frame.range = SWIN_COLOR_RANGE_LIMITED;
  for (guint i = 0; i < 3; i++) {
    guint shift = i > 0 ? 1 : 0;

    direct->frame.component[i] =
        (SwinFrameComponent){.plane = i, .pixel_stride = 1, .shift_x = shift, .shift_y = shift};
    direct->frame.strides[i] = TEST_STREAM_WIDTH >> shift;
  }
  direct->frame.planes[0] = direct->pixels;
  direct->frame.planes[1] = direct->pixels + luma;
  direct->frame.planes[2] = direct->pixels + luma + luma / 4;
}

gboolean test_direct_open(TestDirect *direct, guint batch_size, GError **error) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  g_autoptr(SwinDevice) device = swin_device_open(NULL, error);
  g_autoptr(SwinModel) model = device != NULL ? swin_model_load("testcard", NULL, error) : NULL;

  if (model == NULL)
    return FALSE;
  swin_classifier_params_set_batch_size(params, batch_size);
  swin_classifier_params_set_batch_timeout(params, 20 * G_TIME_SPAN_MILLISECOND);
  *direct = (TestDirect){.batch_size = batch_size};
  direct->classifier = swin_classifier_new(device, model, params, error);
  if (direct->classifier == NULL)
    return FALSE;
  g_mutex_init(&direct->lock);
  g_cond_init(&direct->changed);
  fill_frame(direct);
  return TRUE;
}

void test_direct_close(TestDirect *direct) {
  swin_classifier_unref(direct->classifier);
  g_mutex_clear(&direct->lock);
  g_cond_clear(&direct->changed);
  g_free(direct->pixels);
}

static void note_result(SwinClassifier *classifier, const SwinResult *result, gpointer user_data) {
  TestDirect *direct = user_data;

  (void)classifier;
  g_mutex_lock(&direct->lock);
  direct->n_under_way--;
  direct->failed |= result->error != NULL;
  g_cond_broadcast(&direct->changed);
  g_mutex_unlock(&direct->lock);
}

static void wait_below(TestDirect *direct, guint n) {
  g_mutex_lock(&direct->lock);
  while (direct->n_under_way >= n)
    g_cond_wait(&direct->changed, &direct->lock);
  g_mutex_unlock(&direct->lock);
}

static void submit(TestDirect *direct) {
  g_mutex_lock(&direct->lock);
  direct->n_under_way++;
  g_mutex_unlock(&direct->lock);
  if (swin_classifier_submit(direct->classifier, &direct->frame, NULL, NULL, note_result, direct,
                             NULL))
    return;
  g_mutex_lock(&direct->lock);
  direct->n_under_way--;
  direct->failed = TRUE;
  g_mutex_unlock(&direct->lock);
}

gdouble test_direct_run(TestDirect *direct, guint n_frames) {
  gint64 start = g_get_monotonic_time();

  for (guint i = 0; i < n_frames; i++) {
    wait_below(direct, 2 * direct->batch_size);
    submit(direct);
  }
  wait_below(direct, 1);
  return direct->failed ? 0.0 : 1e6 * n_frames / (gdouble)(g_get_monotonic_time() - start);
}

gint64 test_direct_batch_time(TestDirect *direct) {
  gint64 slowest = 0;

  // The first one finds nothing compiled.
  test_direct_run(direct, direct->batch_size);
  for (guint i = 0; i < N_TRIES; i++) {
    gint64 start = g_get_monotonic_time();

    test_direct_run(direct, direct->batch_size);
    slowest = MAX(slowest, g_get_monotonic_time() - start);
  }
  return slowest;
}
