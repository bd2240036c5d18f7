// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classifier/fake-engine.h"
#include "image.h"

#include <string.h>

typedef struct {
  guint32 numbers[SWIN_ENGINE_MAX_BATCH];
  const guint8 *unread[SWIN_ENGINE_MAX_BATCH]; /* (nullable): what the device will read */
  gboolean fails;
  guint n_images;
  gint64 done_at; /* monotonic microseconds */
  SwinTag tag;
} Slot;

struct _SwinEngine {
  guint batch_size;
  Slot slots[SWIN_ENGINE_N_SLOTS];
};

typedef struct {
  guint n;
  guint32 numbers[SWIN_ENGINE_MAX_BATCH];
} Batch;

/* Everything of the fake device is under one lock. */
static GMutex lock;
static GCond changed;
static gint64 batch_time;
static gint64 free_at;
static gboolean held;
static gboolean unwritten;
static guint n_batches;
static Batch history[4096]; /* the last ones */

static gchar device, model;

SwinDevice *fake_device(void) {
  return (SwinDevice *)&device;
}

SwinModel *fake_model(void) {
  return (SwinModel *)&model;
}

SwinFrame fake_frame(const guint32 *number) {
  SwinFrame frame = SWIN_FRAME_INIT;
  frame.width = frame.height = 1;
  frame.model = SWIN_COLOR_GRAY;
  frame.planes[0] = (const guint8 *)number;
  frame.strides[0] = sizeof(*number);
  return frame;
}

void fake_reset(void) {
  g_mutex_lock(&lock);
  batch_time = free_at = 0;
  held = unwritten = FALSE;
  n_batches = 0;
  g_mutex_unlock(&lock);
}

void fake_set_batch_time(gint64 microseconds) {
  g_mutex_lock(&lock);
  batch_time = microseconds;
  g_mutex_unlock(&lock);
}

void fake_hold(gboolean hold) {
  g_mutex_lock(&lock);
  held = hold;
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
}

void fake_set_written(gboolean written) {
  g_mutex_lock(&lock);
  unwritten = !written;
  g_mutex_unlock(&lock);
}

void fake_wait_for_batches(guint n) {
  g_mutex_lock(&lock);
  while (n_batches < n)
    g_cond_wait(&changed, &lock);
  g_mutex_unlock(&lock);
}

guint fake_get_batch(guint index, guint32 *numbers) {
  g_mutex_lock(&lock);
  g_assert(index < n_batches && index + G_N_ELEMENTS(history) >= n_batches);
  const Batch batch = history[index % G_N_ELEMENTS(history)];
  g_mutex_unlock(&lock);
  memcpy(numbers, batch.numbers, sizeof(batch.numbers));
  return batch.n;
}

/* ---- The engine ----------------------------------------------------------------------------- */

SwinEngine *swin_engine_new(G_GNUC_UNUSED SwinDevice *on, G_GNUC_UNUSED SwinModel *of,
                            const SwinClassifierParams *params, GError **error) {
  if (params->crop_mode == SWIN_CROP_MODE_PAD) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_CONFIG, "The fake engine cannot pad.");
    return NULL;
  }
  SwinEngine *engine = g_new0(SwinEngine, 1);
  engine->batch_size = params->batch_size;
  return engine;
}

void swin_engine_free(SwinEngine *engine) {
  g_free(engine);
}

SwinDevice *swin_engine_get_device(G_GNUC_UNUSED SwinEngine *engine) {
  return fake_device();
}

SwinModel *swin_engine_get_model(G_GNUC_UNUSED SwinEngine *engine) {
  return fake_model();
}

guint swin_engine_get_batch_size(SwinEngine *engine) {
  return engine->batch_size;
}

guint swin_engine_get_top_k(G_GNUC_UNUSED SwinEngine *engine) {
  return 1;
}

SwinPrecision swin_engine_get_precision(G_GNUC_UNUSED SwinEngine *engine) {
  return SWIN_PRECISION_FP32;
}

SwinActivation swin_engine_get_activation(G_GNUC_UNUSED SwinEngine *engine) {
  return SWIN_ACTIVATION_SOFTMAX;
}

gboolean swin_engine_can_load(const SwinFrame *frame) {
  g_mutex_lock(&lock);
  const gboolean writing = unwritten && frame->memory == SWIN_FRAME_MEMORY_DMABUF;
  g_mutex_unlock(&lock);
  return !writing;
}

gboolean swin_engine_load(SwinEngine *engine, guint slot, guint image, const SwinFrame *frame,
                          G_GNUC_UNUSED gpointer keep_alive, GError **error) {
  Slot *into = &engine->slots[slot];
  if (frame->width == FAKE_REFUSED_WIDTH || !swin_engine_can_load(frame)) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_FRAME, "The fake engine refuses the frame.");
    return FALSE;
  }
  into->fails = (image > 0 && into->fails) || frame->height == FAKE_FAILING_HEIGHT;
  into->unread[image] = frame->planes[0];
  if (frame->memory == SWIN_FRAME_MEMORY_HOST) {
    memcpy(&into->numbers[image], frame->planes[0], sizeof(guint32));
    into->unread[image] = NULL;
  }
  return TRUE;
}

static void read_by_device(Slot *slot) {
  for (guint i = 0; i < slot->n_images; i++) {
    if (slot->unread[i])
      memcpy(&slot->numbers[i], slot->unread[i], sizeof(guint32));
  }
}

/* What is submitted is there to be read until it is done: it is noted at once. */
gboolean swin_engine_submit(SwinEngine *engine, guint slot, guint n_images, GError **error) {
  Slot *submitted = &engine->slots[slot];
  if (submitted->fails) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE, "The fake engine fails.");
    return FALSE;
  }
  submitted->n_images = n_images;
  read_by_device(submitted);
  g_mutex_lock(&lock);
  free_at = MAX(free_at, g_get_monotonic_time()) + batch_time;
  submitted->done_at = free_at;
  Batch *batch = &history[n_batches++ % G_N_ELEMENTS(history)];
  batch->n = n_images;
  memcpy(batch->numbers, submitted->numbers, sizeof(batch->numbers));
  g_cond_broadcast(&changed);
  g_mutex_unlock(&lock);
  return TRUE;
}

gboolean swin_engine_wait(SwinEngine *engine, guint slot, G_GNUC_UNUSED GError **error) {
  Slot *submitted = &engine->slots[slot];
  const gint64 left = submitted->done_at - g_get_monotonic_time();
  if (left > 0)
    g_usleep((gulong)left);
  g_mutex_lock(&lock);
  while (held)
    g_cond_wait(&changed, &lock);
  g_mutex_unlock(&lock);
  read_by_device(submitted);
  return TRUE;
}

void swin_engine_read(SwinEngine *engine, guint slot, guint image, SwinResult *result) {
  Slot *finished = &engine->slots[slot];
  finished->tag = (SwinTag){.index = finished->numbers[image], .confidence = 1.0f};
  *result = (SwinResult){.n_tags = 1, .tags = &finished->tag};
}

/* ---- What is around it ---------------------------------------------------------------------- */

gboolean swin_device_is_lost(G_GNUC_UNUSED SwinDevice *on) {
  return FALSE;
}

gboolean swin_device_check(G_GNUC_UNUSED SwinDevice *on, VkResult result, const gchar *doing,
                           GError **error) {
  if (result != VK_SUCCESS)
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE, "The fake device failed while %s.", doing);
  return result == VK_SUCCESS;
}

gboolean swin_frame_check(const SwinFrame *frame, GError **error) {
  if (frame->width > 0)
    return TRUE;
  g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_FRAME, "The frame has no width.");
  return FALSE;
}
