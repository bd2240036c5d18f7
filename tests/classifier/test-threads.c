// SPDX-License-Identifier: LGPL-2.1-or-later
/* Many threads share a scheduler: they join, submit, cancel, drain, leave, also from callbacks, at
 * random. Each frame has exactly one result, in order, and it is its own. Made to run under the
 * thread sanitizer. */
#include "classifier/fake-engine.h"

#define THREADS 8
#define ROUNDS 150
#define MAX_FRAMES 24

/** Caller: what one classifier was asked for, and what came back. */
typedef struct {
  guint first_number;
  guint n_submitted;
  GMutex lock; /* guards the rest */
  GCond changed;
  guint n_results;
  guint n_released;
  gboolean gone; /* the last reference was dropped in a callback, that of the last frame */
} Caller;

typedef struct {
  Caller *caller;
  guint32 *number; /* (nullable): until it is released */
  guint position;  /* among the caller's frames */
  gboolean released;
  gboolean drops; /* the reference, in the callback */
} Ticket;

static void release(gpointer data) {
  Ticket *ticket = data;
  /* Whoever still reads it does so behind our back. */
  *ticket->number = G_MAXUINT32;
  g_clear_pointer(&ticket->number, g_free);
  g_mutex_lock(&ticket->caller->lock);
  ticket->caller->n_released++;
  ticket->released = TRUE;
  g_mutex_unlock(&ticket->caller->lock);
}

static void receive(SwinClassifier *classifier, const SwinResult *result, gpointer user_data) {
  Ticket *ticket = user_data;
  Caller *caller = ticket->caller;
  if (ticket->drops)
    swin_classifier_unref(classifier);
  g_mutex_lock(&caller->lock);
  g_assert_true(ticket->released);
  g_assert_cmpuint(ticket->position, ==, caller->n_results);
  if (result->error)
    g_assert_cmpuint(result->n_tags, ==, 0);
  else
    g_assert_cmpuint(result->tags[0].index, ==, caller->first_number + ticket->position);
  caller->n_results++;
  caller->gone |= ticket->drops;
  g_cond_broadcast(&caller->changed);
  g_mutex_unlock(&caller->lock);
  g_free(ticket);
}

static void submit(SwinClassifier *classifier, Caller *caller, GRand *random, gboolean drops) {
  Ticket *ticket = g_new0(Ticket, 1);
  ticket->caller = caller;
  ticket->position = caller->n_submitted++;
  ticket->drops = drops;
  ticket->number = g_new(guint32, 1);
  *ticket->number = caller->first_number + ticket->position;
  SwinFrame frame = fake_frame(ticket->number);
  if (g_rand_int_range(random, 0, 3) == 0)
    frame.memory = SWIN_FRAME_MEMORY_DMABUF;
  if (g_rand_int_range(random, 0, 20) == 0)
    frame.width = FAKE_REFUSED_WIDTH;
  if (g_rand_int_range(random, 0, 60) == 0)
    frame.height = FAKE_FAILING_HEIGHT;
  g_assert_true(swin_classifier_submit(classifier, &frame, release, ticket, receive, ticket, NULL));
}

static SwinClassifier *join(GRand *random) {
  static const guint batch_sizes[] = {1, 4, 8};
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  const guint which = (guint)g_rand_int_range(random, 0, G_N_ELEMENTS(batch_sizes));
  swin_classifier_params_set_batch_size(params, batch_sizes[which]);
  swin_classifier_params_set_batch_timeout(params, 500 * which);
  g_autoptr(GError) error = NULL;
  SwinClassifier *classifier = swin_classifier_new(fake_device(), fake_model(), params, &error);
  g_assert_no_error(error);
  return classifier;
}

static void expect_refusal(void) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_crop_mode(params, SWIN_CROP_MODE_PAD);
  g_autoptr(GError) error = NULL;
  g_assert_null(swin_classifier_new(fake_device(), fake_model(), params, &error));
  g_assert_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG);
}

static void classify(SwinClassifier *classifier) {
  const guint32 number = 7;
  const SwinFrame frame = fake_frame(&number);
  SwinTag tag = {0};
  guint n_tags = 0;
  /* Another frame of its batch may have failed it, or the owner cancelled it. */
  if (swin_classifier_classify(classifier, &frame, &tag, &n_tags, NULL))
    g_assert_cmpuint(tag.index, ==, number);
}

static void use(SwinClassifier *classifier, Caller *caller, GRand *random) {
  const guint n_frames = (guint)g_rand_int_range(random, 1, MAX_FRAMES);
  while (caller->n_submitted < n_frames) {
    fake_set_written(g_rand_int_range(random, 0, 4) > 0);
    submit(classifier, caller, random, FALSE);
    switch (g_rand_int_range(random, 0, 12)) {
    case 0:
      swin_classifier_cancel(classifier);
      break;
    case 1:
      swin_classifier_drain(classifier);
      break;
    case 2: {
      SwinClassifierStats stats = {.struct_size = sizeof(stats)};
      swin_classifier_get_stats(classifier, &stats);
      g_assert_cmpuint(stats.n_frames, <=, stats.n_batches * stats.batch_size);
      break;
    }
    case 3:
      g_usleep(200);
      break;
    case 4:
      swin_classifier_unref(swin_classifier_ref(classifier));
      break;
    default:
      break;
    }
  }
}

/* Waits until the last callback has come; the classifier may be freed after it. */
static void leave_from_callback(SwinClassifier *classifier, Caller *caller, GRand *random) {
  submit(classifier, caller, random, TRUE);
  g_mutex_lock(&caller->lock);
  while (!caller->gone)
    g_cond_wait(&caller->changed, &caller->lock);
  g_mutex_unlock(&caller->lock);
}

static void run_round(GRand *random, guint first_number) {
  Caller caller = {.first_number = first_number};
  g_mutex_init(&caller.lock);
  g_cond_init(&caller.changed);
  SwinClassifier *classifier = join(random);
  use(classifier, &caller, random);
  switch (g_rand_int_range(random, 0, 4)) {
  case 0:
    leave_from_callback(classifier, &caller, random);
    break;
  case 1:
    classify(classifier);
    swin_classifier_unref(classifier);
    break;
  case 2:
    swin_classifier_cancel(classifier);
    swin_classifier_unref(classifier);
    break;
  default:
    expect_refusal();
    swin_classifier_unref(classifier);
    break;
  }
  g_mutex_lock(&caller.lock);
  g_assert_cmpuint(caller.n_results, ==, caller.n_submitted);
  g_assert_cmpuint(caller.n_released, ==, caller.n_submitted);
  g_mutex_unlock(&caller.lock);
  g_cond_clear(&caller.changed);
  g_mutex_clear(&caller.lock);
}

static gpointer run_thread(gpointer data) {
  const guint thread = GPOINTER_TO_UINT(data);
  g_autoptr(GRand) random = g_rand_new_with_seed(thread);
  for (guint round = 0; round < ROUNDS; round++)
    run_round(random, (thread * ROUNDS + round) * 2 * MAX_FRAMES);
  return NULL;
}

int main(void) {
  GThread *threads[THREADS];
  fake_set_batch_time(200);
  /* GLib makes a lock of its own for the first error, unseen by the sanitizer. */
  expect_refusal();
  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new("caller", run_thread, GUINT_TO_POINTER(i));
  for (guint i = 0; i < THREADS; i++)
    g_thread_join(threads[i]);
  return 0;
}
