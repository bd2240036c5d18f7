// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who is served when: turns, full and partial batches, cancelled frames, memory that the device
 * reads or somebody else still writes. The engine is a fake one, so that a test says how long a
 * batch takes. */
#include "classifier/fake-engine.h"
#include "run-cases.h"

#define FOREVER G_MAXINT64

/** Results: what has come back. */
typedef struct {
  GMutex lock;
  GCond changed;
  guint n_results, n_cancelled, n_released, n_refused;
} Results;

static Results results;

static void setup(void) {
  fake_reset();
  results.n_results = results.n_cancelled = results.n_released = results.n_refused = 0;
}

static void note(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                 G_GNUC_UNUSED gpointer user_data) {
  g_mutex_lock(&results.lock);
  results.n_results++;
  results.n_cancelled += g_error_matches(result->error, SWIN_ERROR, SWIN_ERROR_CANCELLED);
  results.n_refused += g_error_matches(result->error, SWIN_ERROR, SWIN_ERROR_FRAME);
  g_cond_broadcast(&results.changed);
  g_mutex_unlock(&results.lock);
}

static void note_release(G_GNUC_UNUSED gpointer data) {
  g_mutex_lock(&results.lock);
  results.n_released++;
  g_cond_broadcast(&results.changed);
  g_mutex_unlock(&results.lock);
}

static Results get_results(void) {
  g_mutex_lock(&results.lock);
  const Results now = results;
  g_mutex_unlock(&results.lock);
  return now;
}

/* Waits until @count, one of the members of results, is @n. */
static void wait_for(const guint *count, guint n) {
  g_mutex_lock(&results.lock);
  while (*count < n)
    g_cond_wait(&results.changed, &results.lock);
  g_mutex_unlock(&results.lock);
}

static SwinClassifier *join(guint batch_size, gint64 batch_timeout) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_batch_size(params, batch_size);
  swin_classifier_params_set_batch_timeout(params, batch_timeout);
  SwinClassifier *classifier = swin_classifier_new(fake_device(), fake_model(), params, NULL);
  ck_assert(classifier != NULL);
  return classifier;
}

/* The numbers from @first on, which say in the batches whose frames they are. */
static void submit_of(SwinClassifier *classifier, guint32 first, guint n, SwinFrameMemory memory) {
  for (guint i = 0; i < n; i++) {
    const guint32 number = first + i;
    guint32 *keep_alive = g_new(guint32, 1);
    *keep_alive = number;
    SwinFrame frame = fake_frame(keep_alive);
    frame.memory = memory;
    ck_assert(swin_classifier_submit(classifier, &frame, g_free, keep_alive, note, NULL, NULL));
  }
}

static void submit(SwinClassifier *classifier, guint32 first, guint n) {
  submit_of(classifier, first, n, SWIN_FRAME_MEMORY_HOST);
}

static void expect_batch(guint index, guint n, const guint32 *expected) {
  guint32 numbers[SWIN_ENGINE_MAX_BATCH];
  ck_assert_uint_eq(fake_get_batch(index, numbers), n);
  for (guint i = 0; i < n; i++)
    ck_assert_msg(numbers[i] == expected[i], "batch %u, image %u: frame %u instead of %u", index, i,
                  numbers[i], expected[i]);
}

/* Both slots are taken by frames of another caller, so that what is submitted next has to queue. */
static SwinClassifier *occupy(guint batch_size, gint64 batch_timeout) {
  SwinClassifier *other = join(batch_size, batch_timeout);
  fake_hold(TRUE);
  submit(other, 9000, SWIN_ENGINE_N_SLOTS * batch_size);
  fake_wait_for_batches(SWIN_ENGINE_N_SLOTS);
  return other;
}

START_TEST(test_callers_take_turns) {
  g_autoptr(SwinClassifier) other = occupy(4, FOREVER);
  g_autoptr(SwinClassifier) many = join(4, FOREVER);
  g_autoptr(SwinClassifier) few = join(4, FOREVER);
  g_autoptr(SwinClassifier) one = join(4, FOREVER);
  submit(many, 100, 9);
  submit(few, 200, 2);
  submit(one, 300, 1);
  fake_hold(FALSE);
  swin_classifier_drain(many);
  expect_batch(2, 4, (guint32[]){100, 200, 300, 101});
  expect_batch(3, 4, (guint32[]){201, 102, 103, 104});
  expect_batch(4, 4, (guint32[]){105, 106, 107, 108});
}
END_TEST

/* A caller's turn comes whether batches have room for everybody or not. */
START_TEST(test_turns_go_on_in_the_next_batch) {
  g_autoptr(SwinClassifier) other = occupy(2, FOREVER);
  SwinClassifier *callers[5];
  for (guint i = 0; i < G_N_ELEMENTS(callers); i++) {
    callers[i] = join(2, FOREVER);
    submit(callers[i], 100 * (i + 1), 2);
  }
  fake_hold(FALSE);
  for (guint i = 0; i < G_N_ELEMENTS(callers); i++)
    swin_classifier_unref(callers[i]);
  expect_batch(2, 2, (guint32[]){100, 200});
  expect_batch(3, 2, (guint32[]){300, 400});
  expect_batch(4, 2, (guint32[]){500, 101});
  expect_batch(5, 2, (guint32[]){201, 301});
  expect_batch(6, 2, (guint32[]){401, 501});
}
END_TEST

/* A partial batch would only wait on the device, where nobody can join it any more. */
START_TEST(test_partial_batches_wait_for_what_is_under_way) {
  g_autoptr(SwinClassifier) classifier = join(4, 0);
  fake_hold(TRUE);
  submit(classifier, 1, 1);
  fake_wait_for_batches(1);
  submit(classifier, 2, 3);
  g_usleep(20000);
  submit(classifier, 5, 2);
  fake_wait_for_batches(2);
  submit(classifier, 7, 1);
  fake_hold(FALSE);
  swin_classifier_drain(classifier);
  expect_batch(0, 1, (guint32[]){1});
  expect_batch(1, 4, (guint32[]){2, 3, 4, 5});
  expect_batch(2, 2, (guint32[]){6, 7});
  SwinClassifierStats stats = {.struct_size = sizeof(stats)};
  swin_classifier_get_stats(classifier, &stats);
  ck_assert_uint_eq(stats.batch_size, 4);
  ck_assert_uint_eq(stats.n_batches, 3);
  ck_assert_uint_eq(stats.n_frames, 7);
}
END_TEST

START_TEST(test_stats_of_a_caller_that_knows_less) {
  g_autoptr(SwinClassifier) classifier = join(4, 0);
  SwinClassifierStats stats = {.struct_size = G_STRUCT_OFFSET(SwinClassifierStats, n_batches),
                               .n_batches = 77};
  swin_classifier_get_stats(classifier, &stats);
  ck_assert_uint_eq(stats.struct_size, G_STRUCT_OFFSET(SwinClassifierStats, n_batches));
  ck_assert_uint_eq(stats.batch_size, 4);
  ck_assert_uint_eq(stats.n_batches, 77);
}
END_TEST

START_TEST(test_partial_batch_starts_after_the_timeout) {
  g_autoptr(SwinClassifier) classifier = join(8, 30000);
  const gint64 start = g_get_monotonic_time();
  submit(classifier, 1, 3);
  swin_classifier_drain(classifier);
  ck_assert_int_ge(g_get_monotonic_time() - start, 30000);
  expect_batch(0, 3, (guint32[]){1, 2, 3});
}
END_TEST

/* The oldest frame counts, whoever's turn it is. */
START_TEST(test_the_timeout_is_that_of_the_oldest_frame) {
  g_autoptr(SwinClassifier) first = join(8, 200000);
  g_autoptr(SwinClassifier) second = join(8, 200000);
  const gint64 start = g_get_monotonic_time();
  submit(first, 1, 1);
  g_usleep(150000);
  submit(second, 2, 1);
  swin_classifier_drain(second);
  ck_assert_int_lt(g_get_monotonic_time() - start, 340000);
  expect_batch(0, 2, (guint32[]){1, 2});
}
END_TEST

START_TEST(test_cancelled_frames_do_not_wait_for_a_batch) {
  g_autoptr(SwinClassifier) staying = join(8, FOREVER);
  g_autoptr(SwinClassifier) leaving = join(8, FOREVER);
  submit(staying, 1, 3);
  submit(leaving, 101, 3);
  swin_classifier_cancel(leaving);
  swin_classifier_drain(leaving);
  ck_assert_uint_eq(get_results().n_cancelled, 3);
  ck_assert_uint_eq(get_results().n_results, 3);
  /* What stays is still there to be joined. */
  submit(leaving, 201, 5);
  swin_classifier_drain(staying);
  expect_batch(0, 8, (guint32[]){1, 201, 2, 202, 3, 203, 204, 205});
}
END_TEST

/* Nor for room on the device; but those before them come first. */
START_TEST(test_cancelled_frames_come_behind_those_under_way) {
  SwinClassifier *classifier = occupy(1, 0);
  submit(classifier, 1, 100);
  swin_classifier_cancel(classifier);
  g_usleep(20000);
  ck_assert_uint_eq(get_results().n_results, 0);
  fake_hold(FALSE);
  swin_classifier_unref(classifier);
  ck_assert_uint_eq(get_results().n_results, 102);
  ck_assert_uint_eq(get_results().n_cancelled, 102);
}
END_TEST

START_TEST(test_frames_are_released_when_they_were_read) {
  g_autoptr(SwinClassifier) classifier = join(4, FOREVER);
  const guint32 number = 1;
  fake_hold(TRUE);
  for (guint i = 0; i < 4; i++) {
    SwinFrame frame = fake_frame(&number);
    if (i == 0)
      frame.memory = SWIN_FRAME_MEMORY_DMABUF;
    if (i == 1)
      frame.memory = SWIN_FRAME_MEMORY_IMAGE;
    if (i == 2)
      frame.width = FAKE_REFUSED_WIDTH;
    ck_assert(swin_classifier_submit(classifier, &frame, note_release, &results, note, NULL, NULL));
  }
  wait_for(&results.n_released, 2);
  fake_wait_for_batches(1);
  g_usleep(20000);
  ck_assert_uint_eq(get_results().n_released, 2);
  ck_assert_uint_eq(get_results().n_results, 0);
  fake_hold(FALSE);
  swin_classifier_drain(classifier);
  ck_assert_uint_eq(get_results().n_released, 4);
  expect_batch(0, 3, (guint32[]){1, 1, 1});
}
END_TEST

/* A caller whose frames are still being written waits for them, and nobody else does. */
START_TEST(test_writers_keep_back_their_own_caller_alone) {
  g_autoptr(SwinClassifier) written = join(2, 0);
  g_autoptr(SwinClassifier) unwritten = join(2, 0);
  fake_set_written(FALSE);
  const gint64 start = g_get_monotonic_time();
  submit_of(unwritten, 1, 1, SWIN_FRAME_MEMORY_DMABUF);
  submit(unwritten, 2, 2);
  for (guint i = 0; i < 5; i++) {
    submit(written, 101 + i, 1);
    swin_classifier_drain(written);
    expect_batch(i, 1, (guint32[]){101 + i});
  }
  /* Else the writer took as long as it may. */
  ck_assert_int_lt(g_get_monotonic_time() - start, G_TIME_SPAN_SECOND);
  ck_assert_uint_eq(get_results().n_results, 5);
  fake_set_written(TRUE);
  swin_classifier_drain(unwritten);
  expect_batch(5, 2, (guint32[]){1, 2});
  expect_batch(6, 1, (guint32[]){3});
  ck_assert_uint_eq(get_results().n_refused, 0);
}
END_TEST

START_TEST(test_writers_are_waited_for_with_what_is_under_way) {
  g_autoptr(SwinClassifier) other = join(1, 0);
  g_autoptr(SwinClassifier) unwritten = join(1, 0);
  fake_hold(TRUE);
  submit(other, 1, 1);
  fake_wait_for_batches(1);
  fake_set_written(FALSE);
  submit_of(unwritten, 2, 1, SWIN_FRAME_MEMORY_DMABUF);
  g_usleep(5000);
  fake_set_written(TRUE);
  /* Nothing else happens that could wake the scheduler. */
  fake_wait_for_batches(2);
  expect_batch(1, 1, (guint32[]){2});
  fake_hold(FALSE);
  swin_classifier_drain(unwritten);
}
END_TEST

START_TEST(test_stuck_writer) {
  g_autoptr(SwinClassifier) classifier = join(4, 0);
  fake_set_written(FALSE);
  const gint64 start = g_get_monotonic_time();
  submit_of(classifier, 1, 3, SWIN_FRAME_MEMORY_DMABUF);
  submit(classifier, 4, 1);
  swin_classifier_drain(classifier);
  const gint64 elapsed = g_get_monotonic_time() - start;
  ck_assert_int_ge(elapsed, G_TIME_SPAN_SECOND);
  /* Not one after the other. */
  ck_assert_int_lt(elapsed, 2 * G_TIME_SPAN_SECOND);
  ck_assert_uint_eq(get_results().n_refused, 3);
  ck_assert_uint_eq(get_results().n_results, 4);
  guint32 numbers[SWIN_ENGINE_MAX_BATCH];
  ck_assert_uint_eq(fake_get_batch(0, numbers), 1);
  ck_assert_uint_eq(numbers[0], 4);
}
END_TEST

START_TEST(test_cancelled_frames_do_not_wait_for_writers) {
  g_autoptr(SwinClassifier) classifier = join(4, 0);
  fake_set_written(FALSE);
  const gint64 start = g_get_monotonic_time();
  submit_of(classifier, 1, 2, SWIN_FRAME_MEMORY_DMABUF);
  swin_classifier_cancel(classifier);
  swin_classifier_drain(classifier);
  ck_assert_int_lt(g_get_monotonic_time() - start, G_TIME_SPAN_SECOND);
  ck_assert_uint_eq(get_results().n_cancelled, 2);
}
END_TEST

/** Stream: submits as fast as its frames come back. */
typedef struct {
  SwinClassifier *classifier;
  guint n_left; /* to be submitted */
} Stream;

static void submit_next(SwinClassifier *classifier, const SwinResult *result, gpointer user_data) {
  static const guint32 number = 1;
  Stream *stream = user_data;
  ck_assert(!result || !result->error);
  if (stream->n_left == 0)
    return;
  stream->n_left--;
  const SwinFrame frame = fake_frame(&number);
  ck_assert(swin_classifier_submit(classifier, &frame, NULL, NULL, submit_next, stream, NULL));
}

/* Returns: how many batches it took. A frame of somebody else is under way at first, so that no
 * batch starts with less than what is submitted at first. */
static guint64 count_batches(guint n_streams, guint n_under_way, guint n_frames) {
  g_autoptr(SwinClassifier) other = join(8, 0);
  Stream streams[16];
  fake_reset();
  fake_set_batch_time(2000);
  fake_hold(TRUE);
  submit(other, 1, 1);
  fake_wait_for_batches(1);
  for (guint i = 0; i < n_streams; i++)
    streams[i] = (Stream){join(8, 0), n_frames / n_streams};
  for (guint i = 0; i < n_under_way; i++)
    for (guint j = 0; j < n_streams; j++)
      submit_next(streams[j].classifier, NULL, &streams[j]);
  fake_hold(FALSE);
  SwinClassifierStats stats = {.struct_size = sizeof(stats)};
  for (guint i = 0; i < n_streams; i++) {
    while (streams[i].n_left > 0)
      swin_classifier_drain(streams[i].classifier);
    swin_classifier_drain(streams[i].classifier);
  }
  swin_classifier_get_stats(streams[0].classifier, &stats);
  ck_assert_uint_eq(stats.n_frames, n_frames + 1);
  for (guint i = 0; i < n_streams; i++)
    swin_classifier_unref(streams[i].classifier);
  return stats.n_batches - 1;
}

/* Where a batch takes the same time whatever is in it, the number of batches is the time that it
 * takes: 8 callers who have one frame under way are as fast as one who has 16. */
START_TEST(test_many_streams_fill_batches_as_one_does) {
  ck_assert_uint_eq(count_batches(1, 16, 800), 100);
  ck_assert_uint_le(count_batches(8, 4, 800), 103);
  ck_assert_uint_le(count_batches(8, 2, 800), 103);
  ck_assert_uint_le(count_batches(8, 1, 800), 103);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("scheduler");
  tcase_add_checked_fixture(cases, setup, NULL);
  tcase_add_test(cases, test_callers_take_turns);
  tcase_add_test(cases, test_turns_go_on_in_the_next_batch);
  tcase_add_test(cases, test_partial_batches_wait_for_what_is_under_way);
  tcase_add_test(cases, test_stats_of_a_caller_that_knows_less);
  tcase_add_test(cases, test_partial_batch_starts_after_the_timeout);
  tcase_add_test(cases, test_the_timeout_is_that_of_the_oldest_frame);
  tcase_add_test(cases, test_cancelled_frames_do_not_wait_for_a_batch);
  tcase_add_test(cases, test_cancelled_frames_come_behind_those_under_way);
  tcase_add_test(cases, test_frames_are_released_when_they_were_read);
  tcase_add_test(cases, test_writers_keep_back_their_own_caller_alone);
  tcase_add_test(cases, test_writers_are_waited_for_with_what_is_under_way);
  tcase_add_test(cases, test_stuck_writer);
  tcase_add_test(cases, test_cancelled_frames_do_not_wait_for_writers);
  tcase_add_test(cases, test_many_streams_fill_batches_as_one_does);
  tcase_set_timeout(cases, 60);
  return run_cases("scheduler", cases);
}
