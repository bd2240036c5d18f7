// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mock-swin.h"

#include <string.h>

struct _SwinModelOptions {
  guint image_width, image_height;
  guint window_size;
};

struct _SwinClassifierParams {
  MockSwinRequest request; /* the parameters' part of it */
};

struct _SwinModel {
  SwinModelOptions options;
};

typedef struct {
  SwinClassifier *classifier;
  GDestroyNotify release;
  gpointer keep_alive;
  SwinResultFunc done;
  gpointer user_data;
  gboolean cancelled;
} Job;

struct _SwinClassifier {
  guint top_k;
  GQueue jobs;
  gboolean busy;
  gboolean stopping;
  GThread *thread;
};

// Everything of the mock is under one lock: it has to be right, not fast.
static GMutex lock;
static GCond changed;
static gboolean held;
static gint good_results = -1, good_submits = -1;
static SwinError result_code;
static guint n_submitted, n_cancelled, n_alive;
static MockSwinRequest last_request;
static gboolean is_headless;
static const gchar *const no_notes[] = {NULL};
static const gchar *const *model_notes = no_notes;

static gpointer create(gsize size) {
  g_mutex_lock(&lock);
  n_alive++;
  g_mutex_unlock(&lock);
  return g_malloc0(size);
}

static void destroy(gpointer object) {
  if (object == NULL)
    return;
  g_mutex_lock(&lock);
  n_alive--;
  g_mutex_unlock(&lock);
  g_free(object);
}

/* ---- The test's side ----------------------------------------------------------------------- */

MockSwinRequest mock_swin_last_request(void) {
  MockSwinRequest request;

  g_mutex_lock(&lock);
  request = last_request;
  g_mutex_unlock(&lock);
  return request;
}

void mock_swin_set_headless(gboolean headless) {
  g_mutex_lock(&lock);
  is_headless = headless;
  g_mutex_unlock(&lock);
}

void mock_swin_set_notes(const gchar *const *notes) {
  g_mutex_lock(&lock);
  model_notes = notes != NULL ? notes : no_notes;
  g_mutex_unlock(&lock);
}

void mock_swin_hold(void) {
  g_mutex_lock(&lock);
  held = TRUE;
  g_mutex_unlock(&lock);
}

void mock_swin_release(void) {
  g_mutex_lock(&lock);
  held = FALSE;
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
}

void mock_swin_fail_result(guint n_good, SwinError code) {
  g_mutex_lock(&lock);
  good_results = (gint)n_good;
  result_code = code;
  g_mutex_unlock(&lock);
}

void mock_swin_fail_submit(guint n_good) {
  g_mutex_lock(&lock);
  good_submits = (gint)n_good;
  g_mutex_unlock(&lock);
}

static guint read_count(const guint *count) {
  guint value;

  g_mutex_lock(&lock);
  value = *count;
  g_mutex_unlock(&lock);
  return value;
}

guint mock_swin_n_submitted(void) {
  return read_count(&n_submitted);
}

guint mock_swin_n_cancelled(void) {
  return read_count(&n_cancelled);
}

guint mock_swin_n_alive(void) {
  return read_count(&n_alive);
}

void mock_swin_wait_submitted(guint n) {
  g_mutex_lock(&lock);
  while (n_submitted < n)
    g_cond_wait(&changed, &lock);
  g_mutex_unlock(&lock);
}

/* ---- libswin's side ------------------------------------------------------------------------ */

// clang-format off
G_DEFINE_QUARK(swin-error-quark, swin_error)
// clang-format on

const gchar *swin_device_kind_name(SwinDeviceKind kind) {
  (void)kind;
  return "cpu";
}

// Nobody but the element holds devices, models and classifiers here, so they need no count of
// references.
SwinDevice *swin_device_open(const gchar *selector, GError **error) {
  (void)selector, (void)error;
  return create(1);
}

void swin_device_unref(SwinDevice *device) {
  destroy(device);
}

const SwinDeviceInfo *swin_device_get_info(SwinDevice *device) {
  static const SwinDeviceInfo info = {.name = (gchar *)"mock", .driver = (gchar *)"mock 1"};

  (void)device;
  return &info;
}

SwinModelOptions *swin_model_options_new(void) {
  return create(sizeof(SwinModelOptions));
}

void swin_model_options_free(SwinModelOptions *options) {
  destroy(options);
}

void swin_model_options_set_image_size(SwinModelOptions *options, guint width, guint height) {
  options->image_width = width;
  options->image_height = height;
}

void swin_model_options_set_window_size(SwinModelOptions *options, guint window_size) {
  options->window_size = window_size;
}

SwinModel *swin_model_load(const gchar *location, const SwinModelOptions *options, GError **error) {
  SwinModel *model = create(sizeof(SwinModel));

  (void)location, (void)error;
  model->options = *options;
  return model;
}

void swin_model_unref(SwinModel *model) {
  destroy(model);
}

const gchar *swin_model_get_name(SwinModel *model) {
  (void)model;
  return "mock";
}

const gchar *const *swin_model_get_notes(SwinModel *model) {
  const gchar *const *notes;

  (void)model;
  g_mutex_lock(&lock);
  notes = model_notes;
  g_mutex_unlock(&lock);
  return notes;
}

guint swin_model_get_n_classes(SwinModel *model) {
  gboolean headless;

  (void)model;
  g_mutex_lock(&lock);
  headless = is_headless;
  g_mutex_unlock(&lock);
  return headless ? 0 : MOCK_SWIN_N_CLASSES;
}

const gchar *swin_model_get_label(SwinModel *model, guint index) {
  static const gchar *const labels[MOCK_SWIN_N_CLASSES] = {"a", "b", "c", "d", "e", "f", "g", "h"};

  (void)model;
  return labels[index];
}

SwinClassifierParams *swin_classifier_params_new(void) {
  return create(sizeof(SwinClassifierParams));
}

void swin_classifier_params_free(SwinClassifierParams *params) {
  destroy(params);
}

void swin_classifier_params_set_top_k(SwinClassifierParams *params, guint top_k) {
  params->request.top_k = top_k;
}

void swin_classifier_params_set_activation(SwinClassifierParams *params,
                                           SwinActivation activation) {
  params->request.activation = activation;
}

void swin_classifier_params_set_crop_mode(SwinClassifierParams *params, SwinCropMode mode) {
  params->request.crop_mode = mode;
}

void swin_classifier_params_set_resize_size(SwinClassifierParams *params, guint resize_size) {
  params->request.resize_size = resize_size;
}

void swin_classifier_params_set_fill_color(SwinClassifierParams *params, guint8 red, guint8 green,
                                           guint8 blue) {
  params->request.fill[0] = red;
  params->request.fill[1] = green;
  params->request.fill[2] = blue;
}

void swin_classifier_params_set_interpolation(SwinClassifierParams *params,
                                              SwinInterpolation interpolation) {
  params->request.interpolation = interpolation;
}

void swin_classifier_params_set_mean(SwinClassifierParams *params, const gfloat mean[3]) {
  params->request.has_mean = TRUE;
  memcpy(params->request.mean, mean, sizeof(params->request.mean));
}

void swin_classifier_params_set_std(SwinClassifierParams *params, const gfloat std[3]) {
  params->request.has_std = TRUE;
  memcpy(params->request.std, std, sizeof(params->request.std));
}

void swin_classifier_params_set_channel_order(SwinClassifierParams *params,
                                              SwinChannelOrder order) {
  params->request.channel_order = order;
}

static void answer(Job *job, gint code) {
  static const SwinTag tags[] = {{0, 0.5f}, {1, 0.25f}, {2, 0.125f}};
  g_autoptr(GError) error = NULL;

  if (code >= 0)
    error = g_error_new_literal(SWIN_ERROR, code, "The mock was told to fail.");
  job->release(job->keep_alive);
  if (error != NULL)
    job->done(job->classifier, NULL, 0, error, job->user_data);
  else
    job->done(job->classifier, tags, MIN(job->classifier->top_k, G_N_ELEMENTS(tags)), NULL,
              job->user_data);
}

// Under the lock: how the next result ends; a negative number is well.
static gint next_code(const Job *job) {
  if (job->cancelled) {
    n_cancelled++;
    return SWIN_ERROR_CANCELLED;
  }
  if (good_results < 0)
    return -1;
  return good_results-- == 0 ? (gint)result_code : -1;
}

static gpointer work(gpointer user_data) {
  SwinClassifier *classifier = user_data;

  g_mutex_lock(&lock);
  while (!classifier->stopping || !g_queue_is_empty(&classifier->jobs)) {
    Job *job = g_queue_peek_head(&classifier->jobs);
    gint code;

    if (job == NULL || (held && !job->cancelled)) {
      g_cond_wait(&changed, &lock);
      continue;
    }
    g_queue_pop_head(&classifier->jobs);
    classifier->busy = TRUE;
    code = next_code(job);
    g_mutex_unlock(&lock);
    answer(job, code);
    g_free(job);
    g_mutex_lock(&lock);
    n_alive--;
    classifier->busy = FALSE;
    g_cond_broadcast(&changed);
  }
  g_mutex_unlock(&lock);
  return NULL;
}

static void note_request(const SwinModelOptions *options, const SwinClassifierParams *params) {
  g_mutex_lock(&lock);
  last_request = params->request;
  last_request.image_width = options->image_width;
  last_request.image_height = options->image_height;
  last_request.window_size = options->window_size;
  g_mutex_unlock(&lock);
}

SwinClassifier *swin_classifier_new(SwinDevice *device, SwinModel *model,
                                    const SwinClassifierParams *params, GError **error) {
  SwinClassifier *classifier;

  (void)device;
  note_request(&model->options, params);
  if (swin_model_get_n_classes(model) == 0) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The mock has no head.");
    return NULL;
  }
  classifier = create(sizeof(SwinClassifier));
  classifier->top_k = params->request.top_k;
  g_queue_init(&classifier->jobs);
  classifier->thread = g_thread_new("mock", work, classifier);
  return classifier;
}

void swin_classifier_unref(SwinClassifier *classifier) {
  if (classifier == NULL)
    return;
  g_mutex_lock(&lock);
  classifier->stopping = TRUE;
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
  g_thread_join(classifier->thread);
  destroy(classifier);
}

// Nothing is asked of them that a mock's would not say of any.
SwinModel *swin_classifier_get_model(SwinClassifier *classifier) {
  (void)classifier;
  return NULL;
}

SwinDevice *swin_classifier_get_device(SwinClassifier *classifier) {
  (void)classifier;
  return NULL;
}

gboolean swin_classifier_submit(SwinClassifier *classifier, const SwinFrame *frame,
                                GDestroyNotify release, gpointer keep_alive, SwinResultFunc done,
                                gpointer user_data, GError **error) {
  gboolean good;

  (void)frame;
  g_mutex_lock(&lock);
  good = good_submits < 0 || good_submits-- > 0;
  if (good) {
    Job *job = g_new0(Job, 1);

    *job = (Job){classifier, release, keep_alive, done, user_data, FALSE};
    g_queue_push_tail(&classifier->jobs, job);
    n_alive++;
    n_submitted++;
    g_cond_broadcast(&changed);
  }
  g_mutex_unlock(&lock);
  if (!good)
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE_LOST, "The mock was told to fail.");
  return good;
}

static void cancel_job(gpointer job, gpointer user_data) {
  (void)user_data;
  ((Job *)job)->cancelled = TRUE;
}

void swin_classifier_cancel(SwinClassifier *classifier) {
  g_mutex_lock(&lock);
  g_queue_foreach(&classifier->jobs, cancel_job, NULL);
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
}

void swin_classifier_drain(SwinClassifier *classifier) {
  g_mutex_lock(&lock);
  while (classifier->busy || !g_queue_is_empty(&classifier->jobs))
    g_cond_wait(&changed, &lock);
  g_mutex_unlock(&lock);
}
