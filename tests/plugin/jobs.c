// SPDX-License-Identifier: LGPL-2.1-or-later
// The inferences of a frame and what is remembered of objects, with results that come when the test
// says so.
#include <gst/check/gstcheck.h>

#include "fake-inference.h"
#include "job.h"
#include "objects.h"

#define N_CLASSES 64

/* ---- Jobs ---------------------------------------------------------------------------------- */

typedef struct {
  SwinInference *inference;
  SwinMapping *mapping;
  SwinFrame frame;
  SwinJob *job;
  gint n_done; // atomic
} Fixture;

static SwinRegion region_at(guint x, guint y) {
  return (SwinRegion){.kind = SWIN_REGION_ROI,
                      .rectangle = {.x = x, .y = y, .width = 7, .height = 5}};
}

// Of a frame of which a crop is looked at.
static void set_up(Fixture *fixture, guint n_regions) {
  g_autofree SwinRegion *regions = g_new(SwinRegion, n_regions);

  for (guint i = 0; i < n_regions; i++)
    regions[i] = region_at(10 * i, i);
  *fixture = (Fixture){.inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX),
                       .mapping = fake_mapping_new(),
                       .frame = SWIN_FRAME_INIT};
  fixture->frame.crop = (SwinRectangle){.x = 3, .y = 100, .width = 640, .height = 64};
  fixture->job = swin_job_new(fixture->inference, regions, n_regions, 12345);
}

static void tear_down(Fixture *fixture) {
  swin_job_unref(fixture->job);
  swin_mapping_unref(fixture->mapping);
  swin_inference_unref(fixture->inference);
  fake_reset();
  fail_unless_equals_int(fake_n_alive(), 0);
}

static void note_done(gpointer job, gpointer user_data) {
  Fixture *fixture = user_data;

  fail_unless(job == fixture->job);
  g_atomic_int_inc(&fixture->n_done);
}

static gboolean submit(Fixture *fixture, GError **error) {
  return swin_job_submit(fixture->job, &fixture->frame, fixture->mapping, note_done, fixture,
                         error);
}

static void expect_results(const Fixture *fixture) {
  const SwinJob *job = fixture->job;

  fail_unless_equals_int(fixture->n_done, 1);
  fail_unless(job->error == NULL);
  fail_unless(job->latency >= 0);
  for (guint i = 0; i < job->n_regions; i++) {
    fail_unless_equals_int(job->results[i]->tags[0].index, i);
    fail_unless_equals_uint64(job->results[i]->timestamp, 12345);
    fail_unless(job->results[i]->inference == fixture->inference);
  }
}

static void expect_error(const Fixture *fixture, SwinError code) {
  const SwinJob *job = fixture->job;

  fail_unless_equals_int(fixture->n_done, 1);
  fail_unless(g_error_matches(job->error, SWIN_ERROR, code));
  for (guint i = 0; i < job->n_regions; i++)
    fail_unless(job->results[i] == NULL);
}

GST_START_TEST(test_results_go_to_their_regions) {
  Fixture fixture;

  set_up(&fixture, 3);
  fail_unless(submit(&fixture, NULL));
  fail_unless_equals_int(fake_n_submitted(), 3);
  fake_complete(2, NULL);
  fake_complete(0, NULL);
  fail_unless_equals_int(fixture.n_done, 0);
  fake_complete(1, NULL);
  expect_results(&fixture);
  tear_down(&fixture);
}
GST_END_TEST;

// Regions count from the crop, the whole frame is the crop.
GST_START_TEST(test_regions_count_from_the_crop) {
  Fixture fixture;

  set_up(&fixture, 2);
  fail_unless(submit(&fixture, NULL));
  for (guint i = 0; i < 2; i++) {
    const SwinRectangle *crop = &fake_get_frame(i)->crop;

    fail_unless_equals_int(crop->x, 3 + 10 * i);
    fail_unless_equals_int(crop->y, 100 + i);
    fail_unless_equals_int(crop->width, 7);
    fail_unless_equals_int(crop->height, 5);
    fake_complete(i, NULL);
  }
  tear_down(&fixture);

  set_up(&fixture, 1);
  fixture.job->regions[0].kind = SWIN_REGION_FRAME;
  fail_unless(submit(&fixture, NULL));
  fail_unless_equals_int(fake_get_frame(0)->crop.x, 3);
  fail_unless_equals_int(fake_get_frame(0)->crop.width, 640);
  fake_complete(0, NULL);
  tear_down(&fixture);

  // A frame without a crop: all of it, wherever the rest of the crop points.
  set_up(&fixture, 2);
  fixture.frame.crop.width = 0;
  fail_unless(submit(&fixture, NULL));
  fail_unless_equals_int(fake_get_frame(1)->crop.x, 10);
  fail_unless_equals_int(fake_get_frame(1)->crop.y, 1);
  fake_complete(0, NULL);
  fake_complete(1, NULL);
  tear_down(&fixture);
}
GST_END_TEST;

GST_START_TEST(test_results_during_submission) {
  Fixture fixture;

  set_up(&fixture, 5);
  fake_set_immediate(TRUE);
  fail_unless(submit(&fixture, NULL));
  expect_results(&fixture);
  tear_down(&fixture);
}
GST_END_TEST;

GST_START_TEST(test_first_region_refused) {
  g_autoptr(GError) error = NULL;
  Fixture fixture;

  set_up(&fixture, 3);
  fake_refuse(0, SWIN_ERROR_FRAME);
  fail_if(submit(&fixture, &error));
  fail_unless(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME));
  fail_unless_equals_int(fake_n_submitted(), 0);
  fail_unless_equals_int(fixture.n_done, 0);
  tear_down(&fixture);
}
GST_END_TEST;

// Those before it are on their way: the job fails when they have come.
GST_START_TEST(test_later_region_refused) {
  Fixture fixture;

  set_up(&fixture, 4);
  fake_refuse(2, SWIN_ERROR_DEVICE_LOST);
  fail_unless(submit(&fixture, NULL));
  fail_unless_equals_int(fake_n_submitted(), 2);
  fail_unless_equals_int(fixture.n_done, 0);
  fake_complete(0, NULL);
  fail_unless_equals_int(fixture.n_done, 0);
  fake_complete(1, NULL);
  expect_error(&fixture, SWIN_ERROR_DEVICE_LOST);
  tear_down(&fixture);

  // Or at once where they have come already.
  set_up(&fixture, 4);
  fake_refuse(2, SWIN_ERROR_FRAME);
  fake_set_immediate(TRUE);
  fail_unless(submit(&fixture, NULL));
  expect_error(&fixture, SWIN_ERROR_FRAME);
  tear_down(&fixture);
}
GST_END_TEST;

GST_START_TEST(test_cancelled) {
  g_autoptr(GError) cancelled = g_error_new_literal(SWIN_ERROR, SWIN_ERROR_CANCELLED, "Cancelled.");
  g_autoptr(GError) lost = g_error_new_literal(SWIN_ERROR, SWIN_ERROR_DEVICE_LOST, "Lost.");
  Fixture fixture;

  // The first error that comes counts.
  set_up(&fixture, 3);
  fail_unless(submit(&fixture, NULL));
  fake_complete(0, NULL);
  fake_complete(1, cancelled);
  fake_complete(2, lost);
  expect_error(&fixture, SWIN_ERROR_CANCELLED);
  tear_down(&fixture);
}
GST_END_TEST;

// Nobody holds the job but those who will complete it.
GST_START_TEST(test_job_of_nobody) {
  Fixture fixture;

  set_up(&fixture, 2);
  fail_unless(submit(&fixture, NULL));
  swin_job_unref(fixture.job);
  fake_complete(0, NULL);
  fake_complete(1, NULL);
  fail_unless_equals_int(fixture.n_done, 1);
  fixture.job = NULL;
  tear_down(&fixture);
}
GST_END_TEST;

#define N_THREADS 8

static gpointer complete_every_eighth(gpointer data) {
  for (guint i = GPOINTER_TO_UINT(data); i < N_CLASSES; i += N_THREADS)
    fake_complete(i, NULL);
  return NULL;
}

GST_START_TEST(test_results_from_many_threads) {
  for (guint round = 0; round < 20; round++) {
    GThread *threads[N_THREADS];
    Fixture fixture;

    set_up(&fixture, N_CLASSES);
    fail_unless(submit(&fixture, NULL));
    for (guint i = 0; i < N_THREADS; i++)
      threads[i] = g_thread_new("complete", complete_every_eighth, GUINT_TO_POINTER(i));
    for (guint i = 0; i < N_THREADS; i++)
      g_thread_join(threads[i]);
    expect_results(&fixture);
    tear_down(&fixture);
  }
}
GST_END_TEST;

/* ---- Objects ------------------------------------------------------------------------------- */

static SwinClassification *result_of(SwinInference *inference, guint class_index) {
  const SwinTag tag = {.index = class_index, .confidence = 0.5f};
  const SwinResult result = {.n_tags = 1, .tags = &tag};

  return swin_classification_new(inference, &result, GST_CLOCK_TIME_NONE);
}

GST_START_TEST(test_interval_of_objects) {
  SwinObjects *objects = swin_objects_new();

  // Frames 1 to 7; object 5 comes with frame 3. Every third frame from the first look on.
  for (guint frame = 1; frame <= 7; frame++) {
    swin_objects_next_frame(objects);
    fail_unless_equals_int(swin_objects_is_due(objects, 4, 3), frame % 3 == 1);
    if (frame >= 3)
      fail_unless_equals_int(swin_objects_is_due(objects, 5, 3), frame % 3 == 0);
    fail_unless_equals_int(swin_objects_is_due(objects, 6, 0), frame == 1);
    fail_unless(swin_objects_is_due(objects, 7, 1));
  }
  swin_objects_unref(objects);
}
GST_END_TEST;

// One that could not be looked at is due again, as often as that happens; nobody else is.
GST_START_TEST(test_look_that_came_to_nothing) {
  SwinObjects *objects = swin_objects_new();

  swin_objects_make_due(objects, 4);
  for (guint frame = 1; frame <= 3; frame++) {
    swin_objects_next_frame(objects);
    fail_unless_equals_int(swin_objects_is_due(objects, 4, 0), frame <= 2);
    fail_unless_equals_int(swin_objects_is_due(objects, 5, 0), frame == 1);
    if (frame == 1)
      swin_objects_make_due(objects, 4);
  }
  swin_objects_unref(objects);
}
GST_END_TEST;

// One that was hidden when it was due is looked at when it is seen again.
GST_START_TEST(test_object_that_was_hidden) {
  SwinObjects *objects = swin_objects_new();

  swin_objects_next_frame(objects);
  fail_unless(swin_objects_is_due(objects, 1, 5));
  for (guint frame = 0; frame < 7; frame++)
    swin_objects_next_frame(objects);
  fail_unless(swin_objects_is_due(objects, 1, 5));
  swin_objects_next_frame(objects);
  fail_if(swin_objects_is_due(objects, 1, 5));
  swin_objects_unref(objects);
}
GST_END_TEST;

GST_START_TEST(test_results_of_objects) {
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinObjects *objects = swin_objects_new();
  SwinClassification *one = result_of(inference, 1), *two = result_of(inference, 2), *found;

  swin_objects_next_frame(objects);
  fail_unless(swin_objects_lookup(objects, 10) == NULL);
  // Nothing is known of it, so there is nothing to remember.
  swin_objects_store(objects, 10, one);
  fail_unless(swin_objects_lookup(objects, 10) == NULL);

  swin_objects_is_due(objects, 10, 0);
  swin_objects_is_due(objects, G_MAXUINT64, 0);
  swin_objects_store(objects, 10, one);
  swin_objects_store(objects, G_MAXUINT64, one);
  swin_objects_store(objects, 10, two);
  found = swin_objects_lookup(objects, 10);
  fail_unless(found == two);
  swin_classification_unref(found);
  found = swin_objects_lookup(objects, G_MAXUINT64);
  fail_unless(found == one);
  swin_classification_unref(found);

  // What is known stays until more is.
  swin_objects_make_due(objects, G_MAXUINT64);
  found = swin_objects_lookup(objects, G_MAXUINT64);
  fail_unless(found == one);
  swin_classification_unref(found);

  swin_objects_unref(objects);
  swin_classification_unref(one);
  swin_classification_unref(two);
  swin_inference_unref(inference);
  fail_unless_equals_int(fake_n_alive(), 0);
}
GST_END_TEST;

GST_START_TEST(test_objects_are_forgotten) {
  SwinInference *inference = fake_inference_new("fake", N_CLASSES, SWIN_ACTIVATION_SOFTMAX);
  SwinObjects *objects = swin_objects_new();
  SwinClassification *result = result_of(inference, 1), *found;

  swin_objects_next_frame(objects);
  for (guint64 track = 0; track < 4; track++) {
    swin_objects_is_due(objects, track, 0);
    swin_objects_store(objects, track, result);
  }
  // Objects 0 and 2 are seen once more on the way, 2 on a frame that is not looked at.
  for (guint frame = 0; frame < SWIN_OBJECTS_MEMORY; frame++) {
    swin_objects_next_frame(objects);
    if (frame == 100) {
      fail_if(swin_objects_is_due(objects, 0, 0));
      swin_classification_unref(swin_objects_lookup(objects, 2));
    }
  }
  found = swin_objects_lookup(objects, 3);
  fail_unless(found == result);
  swin_classification_unref(found);
  swin_objects_next_frame(objects);
  fail_unless(swin_objects_lookup(objects, 1) == NULL);
  fail_unless(swin_objects_is_due(objects, 1, 0));
  for (guint64 track = 0; track < 4; track++)
    fail_if(swin_objects_is_due(objects, track, 0));

  swin_objects_unref(objects);
  swin_classification_unref(result);
  swin_inference_unref(inference);
  fail_unless_equals_int(fake_n_alive(), 0);
}
GST_END_TEST;

static Suite *jobs_suite(void) {
  Suite *suite = suite_create("jobs");
  TCase *tcase = tcase_create("jobs");

  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_results_go_to_their_regions);
  tcase_add_test(tcase, test_regions_count_from_the_crop);
  tcase_add_test(tcase, test_results_during_submission);
  tcase_add_test(tcase, test_first_region_refused);
  tcase_add_test(tcase, test_later_region_refused);
  tcase_add_test(tcase, test_cancelled);
  tcase_add_test(tcase, test_job_of_nobody);
  tcase_add_test(tcase, test_results_from_many_threads);
  tcase_add_test(tcase, test_interval_of_objects);
  tcase_add_test(tcase, test_look_that_came_to_nothing);
  tcase_add_test(tcase, test_object_that_was_hidden);
  tcase_add_test(tcase, test_results_of_objects);
  tcase_add_test(tcase, test_objects_are_forgotten);
  return suite;
}

GST_CHECK_MAIN(jobs);
