// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mock-swin.h"

#include <string.h>

#include "mock-private.h"

struct _SwinDevice {
  guint ref_count;
};

struct _SwinModel {
  SwinModelOptions options;
  gchar *name;
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
  SwinDevice *device;
  SwinModel *model;
  MockSwinRequest request;
  GQueue jobs;
  gboolean busy;
  gboolean stopping;
  gboolean orphaned; /* nobody waits for the thread */
  GThread *thread;
};

// Everything of the mock is under one lock: it has to be right, not fast.
static GMutex lock;
static GCond changed;
static gboolean held, loads_held;
static guint n_let;
static gint good_results = -1, good_submits = -1;
static SwinError result_code;
static guint n_submitted, n_cancelled, n_alive, n_loading;
static MockSwinRequest last_request;
static SwinOrientation last_orientation;
static gboolean is_headless;
static gboolean has_half = TRUE;
static const gchar *const no_notes[] = {NULL};
static const gchar *const *model_notes = no_notes;

gpointer mock_create(gsize size) {
  g_mutex_lock(&lock);
  n_alive++;
  g_mutex_unlock(&lock);
  return g_malloc0(size);
}

void mock_destroy(gpointer object) {
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

void mock_swin_set_half(gboolean half) {
  g_mutex_lock(&lock);
  has_half = half;
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

void mock_swin_let(guint n_results) {
  g_mutex_lock(&lock);
  n_let += n_results;
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
}

void mock_swin_release(void) {
  g_mutex_lock(&lock);
  held = FALSE;
  n_let = 0;
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
}

void mock_swin_hold_loads(void) {
  g_mutex_lock(&lock);
  loads_held = TRUE;
  g_mutex_unlock(&lock);
}

void mock_swin_release_loads(void) {
  g_mutex_lock(&lock);
  loads_held = FALSE;
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
}

void mock_swin_wait_loading(void) {
  g_mutex_lock(&lock);
  while (n_loading == 0)
    g_cond_wait(&changed, &lock);
  g_mutex_unlock(&lock);
}

SwinOrientation mock_swin_last_orientation(void) {
  SwinOrientation orientation;

  g_mutex_lock(&lock);
  orientation = last_orientation;
  g_mutex_unlock(&lock);
  return orientation;
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

SwinDevice *swin_device_open(const gchar *selector, GError **error) {
  SwinDevice *device = mock_create(sizeof(SwinDevice));

  (void)selector, (void)error;
  device->ref_count = 1;
  return device;
}

// The mock has devices of its own alone.
SwinDevice *swin_device_import(const SwinDeviceImport *import, GError **error) {
  (void)import;
  g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE, "The mock imports nothing.");
  return NULL;
}

gboolean swin_device_takes_memory(SwinDevice *device, SwinFrameMemory memory) {
  (void)device;
  return memory == SWIN_FRAME_MEMORY_HOST;
}

SwinDevice *swin_device_ref(SwinDevice *device) {
  g_mutex_lock(&lock);
  device->ref_count++;
  g_mutex_unlock(&lock);
  return device;
}

void swin_device_unref(SwinDevice *device) {
  gboolean is_last;

  if (device == NULL)
    return;
  g_mutex_lock(&lock);
  is_last = --device->ref_count == 0;
  g_mutex_unlock(&lock);
  if (is_last)
    mock_destroy(device);
}

const SwinDeviceInfo *swin_device_get_info(SwinDevice *device) {
  static const SwinDeviceInfo info = {.name = (gchar *)"mock", .driver = (gchar *)"mock 1"};

  (void)device;
  return &info;
}

// A GPU's.
SwinPrecision swin_device_get_precision(SwinDevice *device, SwinPrecision precision) {
  gboolean half;

  (void)device;
  g_mutex_lock(&lock);
  half = has_half;
  g_mutex_unlock(&lock);
  if (precision == SWIN_PRECISION_AUTO)
    return half ? SWIN_PRECISION_FP16 : SWIN_PRECISION_FP32;
  return precision == SWIN_PRECISION_FP16 && !half ? SWIN_PRECISION_AUTO : precision;
}

static void wait_for_loads(void) {
  g_mutex_lock(&lock);
  n_loading++;
  g_cond_broadcast(&changed);
  while (loads_held)
    g_cond_wait(&changed, &lock);
  n_loading--;
  g_mutex_unlock(&lock);
}

// Nobody but the element holds models and classifiers here, so they need no count of references.
SwinModel *swin_model_load(const gchar *location, const SwinModelOptions *options, GError **error) {
  SwinModel *model;

  wait_for_loads();
  if (g_str_has_prefix(location, MOCK_SWIN_BAD_MODEL)) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The mock has no model \"%s\".", location);
    return NULL;
  }
  model = mock_create(sizeof(SwinModel));
  model->options = *options;
  model->name = g_path_get_basename(location);
  return model;
}

void swin_model_unref(SwinModel *model) {
  if (model != NULL)
    g_free(model->name);
  mock_destroy(model);
}

const gchar *swin_model_get_name(SwinModel *model) {
  return model->name;
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

#define N_VALUES MOCK_SWIN_N_CLASSES

// Logits whose softmax begins as the tags do; what else is asked for has the same numbers.
static void fill_outputs(const MockSwinRequest *request, SwinOutput *outputs) {
  static const gfloat values[N_VALUES] = {8.0f, 7.0f, 6.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};

  for (guint i = 0; i < request->n_outputs; i++)
    outputs[i] = (SwinOutput){
        .name = request->outputs[i], .n_dims = 1, .dims = {N_VALUES}, .values = values};
}

static void answer(Job *job, gint code) {
  static const SwinTag tags[] = {{0, 0.5f}, {1, 0.25f}, {2, 0.125f}};
  const MockSwinRequest *request = &job->classifier->request;
  SwinOutput outputs[MOCK_SWIN_MAX_OUTPUTS];
  SwinResult result = {.tags = tags,
                       .n_tags = MIN(request->top_k, G_N_ELEMENTS(tags)),
                       .outputs = outputs,
                       .n_outputs = request->n_outputs};
  g_autoptr(GError) error = NULL;

  fill_outputs(request, outputs);
  if (code >= 0) {
    error = g_error_new_literal(SWIN_ERROR, code, "The mock was told to fail.");
    result = (SwinResult){.error = error};
  }
  job->release(job->keep_alive);
  job->done(job->classifier, &result, job->user_data);
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
  gboolean orphaned;

  g_mutex_lock(&lock);
  while (!classifier->stopping || !g_queue_is_empty(&classifier->jobs)) {
    Job *job = g_queue_peek_head(&classifier->jobs);
    gint code;

    if (job == NULL || (held && n_let == 0 && !job->cancelled)) {
      g_cond_wait(&changed, &lock);
      continue;
    }
    if (held && !job->cancelled)
      n_let--;
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
  orphaned = classifier->orphaned;
  g_mutex_unlock(&lock);
  if (orphaned)
    mock_destroy(classifier);
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

  note_request(&model->options, params);
  if (swin_model_get_n_classes(model) == 0) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_MODEL, "The mock has no head.");
    return NULL;
  }
  if (swin_device_get_precision(device, params->request.precision) == SWIN_PRECISION_AUTO) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE, "The mock cannot do fp16.");
    return NULL;
  }
  classifier = mock_create(sizeof(SwinClassifier));
  classifier->device = device;
  classifier->model = model;
  classifier->request = params->request;
  g_queue_init(&classifier->jobs);
  classifier->thread = g_thread_new("mock", work, classifier);
  return classifier;
}

// From a result's callback as well.
void swin_classifier_unref(SwinClassifier *classifier) {
  GThread *thread;
  gboolean orphaned;

  if (classifier == NULL)
    return;
  g_mutex_lock(&lock);
  thread = classifier->thread;
  orphaned = thread == g_thread_self();
  classifier->orphaned = orphaned;
  classifier->stopping = TRUE;
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
  if (orphaned) {
    g_thread_unref(thread);
    return;
  }
  g_thread_join(thread);
  mock_destroy(classifier);
}

SwinModel *swin_classifier_get_model(SwinClassifier *classifier) {
  return classifier->model;
}

SwinDevice *swin_classifier_get_device(SwinClassifier *classifier) {
  return classifier->device;
}

guint swin_classifier_get_top_k(SwinClassifier *classifier) {
  return classifier->request.top_k;
}

SwinActivation swin_classifier_get_activation(SwinClassifier *classifier) {
  (void)classifier;
  return SWIN_ACTIVATION_SOFTMAX;
}

SwinPrecision swin_classifier_get_precision(SwinClassifier *classifier) {
  return swin_device_get_precision(classifier->device, classifier->request.precision);
}

void swin_classifier_get_stats(SwinClassifier *classifier, SwinClassifierStats *stats) {
  stats->batch_size = classifier->request.batch_size;
  stats->n_batches = 2;
  stats->n_frames = stats->batch_size;
}

// What warms up is not held, and not counted.
gboolean swin_classifier_classify(SwinClassifier *classifier, const SwinFrame *frame, SwinTag *tags,
                                  guint *n_tags, GError **error) {
  (void)classifier, (void)frame, (void)error;
  tags[0] = (SwinTag){0, 0.5f};
  *n_tags = 1;
  return TRUE;
}

gboolean swin_classifier_submit(SwinClassifier *classifier, const SwinFrame *frame,
                                GDestroyNotify release, gpointer keep_alive, SwinResultFunc done,
                                gpointer user_data, GError **error) {
  gboolean good;

  g_mutex_lock(&lock);
  last_orientation = frame->orientation;
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
