// SPDX-License-Identifier: LGPL-2.1-or-later
/* The asynchronous front: results, order, batches, cancellation, many threads, a lost device. */
#include "classifier/expected.h"
#include "classifier/fixture.h"
#include "gpu/device.h"
#include "run-cases.h"

static SwinDevice *device;
static SwinModel *model;

static void setup(void) {
  device = fixture_device();
  model = fixture_model();
}

static void teardown(void) {
  g_clear_pointer(&model, swin_model_unref);
  g_clear_pointer(&device, swin_device_unref);
}

static SwinClassifier *new_classifier(guint batch_size, gint64 batch_timeout) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_precision(params, SWIN_PRECISION_FP32);
  swin_classifier_params_set_batch_size(params, batch_size);
  swin_classifier_params_set_batch_timeout(params, batch_timeout);
  g_autoptr(GError) error = NULL;
  SwinClassifier *classifier = swin_classifier_new(device, model, params, &error);
  ck_assert_msg(classifier != NULL, "%s", error ? error->message : "");
  return classifier;
}

static void compute_reference(const SwinFrame *frame, SwinTag *tags, guint top_k) {
  expected_tags(model, swin_model_get_preprocessing(model), SWIN_ACTIVATION_AUTO, frame, tags,
                top_k);
}

START_TEST(test_result_equals_the_reference) {
  g_autoptr(SwinClassifier) classifier = new_classifier(1, 0);
  ck_assert_uint_eq(swin_classifier_get_top_k(classifier), 5);
  ck_assert_ptr_eq(swin_classifier_get_model(classifier), model);
  ck_assert_ptr_eq(swin_classifier_get_device(classifier), device);
  const guint sizes[][2] = {{32, 32}, {1, 1}, {17, 90}, {320, 240}, {64, 3}};
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autoptr(FixturePicture) picture = fixture_picture_new(sizes[i][0], sizes[i][1], i);
    SwinTag tags[5], expected[5];
    guint n_tags = 0;
    g_autoptr(GError) error = NULL;
    ck_assert(swin_classifier_classify(classifier, &picture->frame, tags, &n_tags, &error));
    ck_assert_uint_eq(n_tags, 5);
    compute_reference(&picture->frame, expected, 5);
    for (guint j = 0; j < n_tags; j++) {
      ck_assert_uint_eq(tags[j].index, expected[j].index);
      ck_assert_float_eq_tol(tags[j].confidence, expected[j].confidence, 1e-5f);
    }
  }
}
END_TEST

/** Log: what has arrived. */
typedef struct {
  GMutex lock;
  guint n_results, n_errors, n_released;
  guint sequence[512]; /* user numbers in the order of arrival */
  SwinTag best[512];   /* by user number */
  gint code[512];      /* by user number: error code or -1 */
} Log;

typedef struct {
  Log *log;
  guint number;
  gboolean released;
} Ticket;

static void log_release(gpointer data) {
  Ticket *ticket = data;
  g_mutex_lock(&ticket->log->lock);
  ck_assert(!ticket->released);
  ticket->released = TRUE;
  ticket->log->n_released++;
  g_mutex_unlock(&ticket->log->lock);
}

static void log_result(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                       gpointer user_data) {
  Ticket *ticket = user_data;
  Log *log = ticket->log;
  g_mutex_lock(&log->lock);
  ck_assert_msg(ticket->released, "the pixels were not released before the result");
  ck_assert((result->n_tags == 0) == (result->error != NULL));
  log->sequence[log->n_results++] = ticket->number;
  log->code[ticket->number] = result->error ? result->error->code : -1;
  log->n_errors += result->error != NULL;
  if (result->tags)
    log->best[ticket->number] = result->tags[0];
  g_mutex_unlock(&log->lock);
  g_free(ticket);
}

static void submit(SwinClassifier *classifier, FixturePicture *picture, Log *log, guint number) {
  Ticket *ticket = g_new0(Ticket, 1);
  ticket->log = log;
  ticket->number = number;
  g_autoptr(GError) error = NULL;
  ck_assert_msg(swin_classifier_submit(classifier, &picture->frame, log_release, ticket, log_result,
                                       ticket, &error),
                "%s", error ? error->message : "");
}

static void check_batches(guint batch_size, gint64 timeout) {
  enum { N = 60, PICTURES = 7 };
  g_autoptr(SwinClassifier) classifier = new_classifier(batch_size, timeout);
  FixturePicture *pictures[PICTURES];
  SwinTag expected[PICTURES][5];
  for (guint i = 0; i < PICTURES; i++) {
    pictures[i] = fixture_picture_new(20 + 37 * i, 15 + 11 * i, 100 + i);
    compute_reference(&pictures[i]->frame, expected[i], 5);
  }
  Log log = {.n_results = 0};
  for (guint i = 0; i < N; i++)
    submit(classifier, pictures[i % PICTURES], &log, i);
  swin_classifier_drain(classifier);
  ck_assert_uint_eq(log.n_results, N);
  ck_assert_uint_eq(log.n_released, N);
  ck_assert_uint_eq(log.n_errors, 0);
  for (guint i = 0; i < N; i++) {
    ck_assert_uint_eq(log.sequence[i], i);
    ck_assert_uint_eq(log.best[i].index, expected[i % PICTURES][0].index);
    ck_assert_float_eq_tol(log.best[i].confidence, expected[i % PICTURES][0].confidence, 1e-5f);
  }
  for (guint i = 0; i < PICTURES; i++)
    fixture_picture_free(pictures[i]);
}

START_TEST(test_order_and_batches) {
  check_batches(1, 0);
  check_batches(5, 0);
  check_batches(8, 20000);
}
END_TEST

typedef struct {
  SwinClassifier *classifier;
  Log log;
} Stream;

static gpointer run_stream(gpointer data) {
  Stream *stream = data;
  g_autoptr(FixturePicture) picture = fixture_picture_new(48, 40, 5);
  for (guint i = 0; i < 30; i++)
    submit(stream->classifier, picture, &stream->log, i);
  swin_classifier_drain(stream->classifier);
  return NULL;
}

START_TEST(test_streams_share_a_scheduler) {
  enum { STREAMS = 4 };
  Stream streams[STREAMS] = {0};
  GThread *threads[STREAMS];
  for (guint i = 0; i < STREAMS; i++) {
    streams[i].classifier = new_classifier(4, 5000);
    threads[i] = g_thread_new("stream", run_stream, &streams[i]);
  }
  for (guint i = 0; i < STREAMS; i++) {
    g_thread_join(threads[i]);
    ck_assert_uint_eq(streams[i].log.n_results, 30);
    ck_assert_uint_eq(streams[i].log.n_errors, 0);
    for (guint j = 0; j < 30; j++)
      ck_assert_uint_eq(streams[i].log.sequence[j], j);
    swin_classifier_unref(streams[i].classifier);
  }
}
END_TEST

START_TEST(test_cancel) {
  g_autoptr(SwinClassifier) classifier = new_classifier(2, 0);
  g_autoptr(FixturePicture) picture = fixture_picture_new(64, 64, 1);
  Log log = {.n_results = 0};
  for (guint i = 0; i < 40; i++)
    submit(classifier, picture, &log, i);
  swin_classifier_cancel(classifier);
  for (guint i = 40; i < 45; i++)
    submit(classifier, picture, &log, i);
  swin_classifier_drain(classifier);
  ck_assert_uint_eq(log.n_results, 45);
  ck_assert_uint_eq(log.n_released, 45);
  for (guint i = 0; i < 45; i++)
    ck_assert_uint_eq(log.sequence[i], i);
  ck_assert_int_eq(log.code[39], SWIN_ERROR_CANCELLED);
  for (guint i = 40; i < 45; i++)
    ck_assert_int_eq(log.code[i], -1);
}
END_TEST

START_TEST(test_cancel_leaves_other_callers_alone) {
  g_autoptr(SwinClassifier) leaving = new_classifier(4, 0);
  g_autoptr(SwinClassifier) staying = new_classifier(4, 0);
  g_autoptr(FixturePicture) picture = fixture_picture_new(64, 64, 1);
  Log left = {.n_results = 0}, stayed = {.n_results = 0};
  for (guint i = 0; i < 20; i++) {
    submit(leaving, picture, &left, i);
    submit(staying, picture, &stayed, i);
  }
  swin_classifier_cancel(leaving);
  swin_classifier_drain(staying);
  ck_assert_uint_eq(stayed.n_results, 20);
  ck_assert_uint_eq(stayed.n_errors, 0);
  swin_classifier_drain(leaving);
  ck_assert_uint_eq(left.n_results, 20);
}
END_TEST

START_TEST(test_unref_with_frames_under_way) {
  g_autoptr(FixturePicture) picture = fixture_picture_new(64, 64, 1);
  Log log = {.n_results = 0};
  SwinClassifier *classifier = new_classifier(1, 0);
  for (guint i = 0; i < 10; i++)
    submit(classifier, picture, &log, i);
  swin_classifier_unref(classifier);
  ck_assert_uint_eq(log.n_results, 10);
  ck_assert_uint_eq(log.n_errors, 0);
}
END_TEST

static void drop(SwinClassifier *classifier, G_GNUC_UNUSED const SwinResult *result,
                 gpointer user_data) {
  swin_classifier_unref(classifier);
  g_atomic_int_set((gint *)user_data, 1);
}

START_TEST(test_unref_in_the_callback) {
  g_autoptr(FixturePicture) picture = fixture_picture_new(64, 64, 1);
  gint dropped = 0;
  ck_assert(swin_classifier_submit(new_classifier(1, 0), &picture->frame, NULL, NULL, drop,
                                   &dropped, NULL));
  while (!g_atomic_int_get(&dropped))
    g_usleep(1000);
  /* A new one works beside the threads of the old one, which are still ending. */
  g_autoptr(SwinClassifier) classifier = new_classifier(1, 0);
  SwinTag tags[5];
  guint n_tags = 0;
  ck_assert(swin_classifier_classify(classifier, &picture->frame, tags, &n_tags, NULL));
}
END_TEST

START_TEST(test_bad_frames_are_refused) {
  g_autoptr(SwinClassifier) classifier = new_classifier(1, 0);
  g_autoptr(FixturePicture) picture = fixture_picture_new(64, 64, 1);
  SwinFrame frames[3] = {picture->frame, picture->frame, picture->frame};
  frames[0].width = 0;
  frames[1].planes[0] = NULL;
  frames[2].strides[0] = 191;
  for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
    g_autoptr(GError) error = NULL;
    SwinTag tags[5];
    guint n_tags = 0;
    ck_assert(!swin_classifier_classify(classifier, &frames[i], tags, &n_tags, &error));
    ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME));
    ck_assert_uint_eq(n_tags, 0);
  }
}
END_TEST

START_TEST(test_top_k_is_limited_by_the_classes) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_top_k(params, 64);
  g_autoptr(SwinClassifier) classifier = swin_classifier_new(device, model, params, NULL);
  g_autoptr(FixturePicture) picture = fixture_picture_new(64, 64, 1);
  ck_assert_uint_eq(swin_classifier_get_top_k(classifier), 10);
  SwinTag tags[10];
  guint n_tags = 0;
  ck_assert(swin_classifier_classify(classifier, &picture->frame, tags, &n_tags, NULL));
  ck_assert_uint_eq(n_tags, 10);
  gfloat total = 0.0f;
  for (guint i = 0; i < n_tags; i++) {
    total += tags[i].confidence;
    ck_assert(i == 0 || tags[i - 1].confidence >= tags[i].confidence);
  }
  ck_assert_float_eq_tol(total, 1.0f, 1e-5f);
}
END_TEST

static VkResult VKAPI_CALL lose(G_GNUC_UNUSED VkQueue queue, G_GNUC_UNUSED uint32_t n_submits,
                                G_GNUC_UNUSED const VkSubmitInfo *submits,
                                G_GNUC_UNUSED VkFence fence) {
  return VK_ERROR_DEVICE_LOST;
}

START_TEST(test_lost_device) {
  g_autoptr(SwinClassifier) classifier = new_classifier(2, 0);
  g_autoptr(FixturePicture) picture = fixture_picture_new(64, 64, 1);
  Log log = {.n_results = 0};
  submit(classifier, picture, &log, 0);
  swin_classifier_drain(classifier);
  ck_assert_int_eq(log.code[0], -1);

  swin_device_functions(device)->QueueSubmit = lose;
  submit(classifier, picture, &log, 1);
  swin_classifier_drain(classifier);
  ck_assert_int_eq(log.code[1], SWIN_ERROR_DEVICE_LOST);
  g_autoptr(GError) error = NULL;
  ck_assert(
      !swin_classifier_submit(classifier, &picture->frame, NULL, NULL, log_result, NULL, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_DEVICE_LOST));

  /* Opened anew, it is another device, and it works. */
  SwinDevice *lost = device;
  device = swin_device_open(NULL, NULL);
  ck_assert_ptr_ne(device, lost);
  g_autoptr(SwinClassifier) fresh = new_classifier(2, 0);
  submit(fresh, picture, &log, 2);
  swin_classifier_drain(fresh);
  ck_assert_int_eq(log.code[2], -1);
  swin_device_unref(lost);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("classifier");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_result_equals_the_reference);
  tcase_add_test(cases, test_order_and_batches);
  tcase_add_test(cases, test_streams_share_a_scheduler);
  tcase_add_test(cases, test_cancel);
  tcase_add_test(cases, test_cancel_leaves_other_callers_alone);
  tcase_add_test(cases, test_unref_with_frames_under_way);
  tcase_add_test(cases, test_unref_in_the_callback);
  tcase_add_test(cases, test_bad_frames_are_refused);
  tcase_add_test(cases, test_top_k_is_limited_by_the_classes);
  tcase_add_test(cases, test_lost_device);
  tcase_set_timeout(cases, 120);
  return run_cases("classifier", cases);
}
