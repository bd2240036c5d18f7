// SPDX-License-Identifier: LGPL-2.1-or-later
#include "engine.h"
#include "network/family.h"
#include "network/network.h"
#include "outputs.h"
#include "picture.h"
#include "transfer.h"

#include <string.h>

#define MAX_BUCKETS 8

/** Bucket: the network for one batch size, and its recording for each slot. */
typedef struct {
  guint batch;
  SwinNetwork *network;
  SwinRecorder *recorders[SWIN_ENGINE_N_SLOTS];
} Bucket;

typedef struct {
  SwinBuffer *input;          /* [batch_size, channels, height, width] */
  SwinBuffer *tags;           /* [batch_size, top_k, 2] words, as the top-k operation writes them */
  SwinOutputBuffers *outputs; /* (nullable): where none are asked for */
  SwinPicture *pictures[SWIN_ENGINE_MAX_BATCH];
  VkFence fence;
  SwinTag *read; /* [top_k]: of the image that was read last */
} Slot;

struct _SwinEngine {
  SwinDevice *device;
  SwinModel *model;
  guint batch_size;
  guint top_k;
  SwinStorage storage;
  SwinActivation activation;
  SwinPreprocessing preprocessing;
  SwinOutputs *outputs; /* (nullable): what is handed out besides the tags */
  SwinWeights *weights;
  SwinBuffer *arena; /* of all buckets: their runs follow one another on the queue */
  guint n_buckets;
  Bucket buckets[MAX_BUCKETS];
  Slot slots[SWIN_ENGINE_N_SLOTS];
};

static SwinPlan *make_plan(SwinEngine *engine, guint batch, gboolean keep_stages) {
  const SwinPlanOptions options = {.batch = batch,
                                   .top_k = engine->top_k,
                                   .activation = engine->activation,
                                   .keep_stages = keep_stages,
                                   .storage = engine->storage,
                                   .fused = swin_network_fuses(engine->device)};
  SwinPlan *plan = swin_family_plan(engine->model, &options);
  swin_plan_finish(plan, swin_network_alignment(engine->device), 0);
  return plan;
}

static gboolean make_slot(SwinEngine *engine, Slot *slot, GError **error) {
  const SwinModelConfig *config = swin_model_get_config(engine->model);
  const guint64 image_size =
      (guint64)config->n_channels * config->image_height * config->image_width * sizeof(gfloat);
  const guint64 tags_size = 2ull * engine->top_k * sizeof(guint32);
  slot->input =
      swin_buffer_new(engine->device, SWIN_BUFFER_DEVICE, engine->batch_size * image_size, error);
  if (!slot->input)
    return FALSE;
  slot->tags =
      swin_buffer_new(engine->device, SWIN_BUFFER_DOWNLOAD, engine->batch_size * tags_size, error);
  if (!slot->tags)
    return FALSE;
  slot->read = g_new0(SwinTag, engine->top_k);
  if (engine->outputs) {
    slot->outputs =
        swin_output_buffers_new(engine->device, engine->outputs, engine->batch_size, error);
    if (!slot->outputs)
      return FALSE;
  }
  const SwinBinding input = {slot->input, 0, engine->batch_size * image_size, SWIN_ACCESS_WRITE};
  for (guint i = 0; i < engine->batch_size; i++)
    slot->pictures[i] = swin_picture_new(engine->device, &engine->preprocessing, input,
                                         config->image_width, config->image_height, i);
  slot->fence = swin_device_create_fence(engine->device, error);
  return slot->fence != VK_NULL_HANDLE;
}

static void choose_buckets(SwinEngine *engine) {
  for (guint batch = 1; batch < engine->batch_size; batch *= 2)
    engine->buckets[engine->n_buckets++].batch = batch;
  engine->buckets[engine->n_buckets++].batch = engine->batch_size;
}

/* An arena that any of the plans fits into. */
static gboolean make_arena(SwinEngine *engine, const GPtrArray *plans, GError **error) {
  guint64 size = 0;
  for (guint i = 0; i < plans->len; i++) {
    const SwinPlan *plan = g_ptr_array_index(plans, i);
    if (!swin_plan_check_size(plan, error))
      return FALSE;
    size = MAX(size, swin_plan_get_arena_size(plan));
  }
  engine->arena = swin_buffer_new(engine->device, SWIN_BUFFER_DEVICE, size, error);
  return engine->arena != NULL;
}

static void free_plan(gpointer data) {
  swin_plan_free(data);
}

static gboolean make_networks(SwinEngine *engine, GError **error) {
  g_autoptr(GPtrArray) plans = g_ptr_array_new_with_free_func(free_plan);
  for (guint i = 0; i < engine->n_buckets; i++)
    g_ptr_array_add(plans, make_plan(engine, engine->buckets[i].batch, engine->outputs != NULL));
  if (!make_arena(engine, plans, error))
    return FALSE;
  for (guint i = 0; i < engine->n_buckets; i++) {
    SwinPlan *plan = g_steal_pointer(&g_ptr_array_index(plans, i));
    engine->buckets[i].network =
        swin_network_new(engine->device, plan, engine->weights, engine->arena, error);
    if (!engine->buckets[i].network)
      return FALSE;
  }
  return TRUE;
}

static gboolean record_bucket(SwinEngine *engine, Bucket *bucket, guint slot, GError **error) {
  const SwinPlan *plan = swin_network_get_plan(bucket->network);
  g_autofree const SwinBuffer **io = g_new0(const SwinBuffer *, swin_plan_get_n_tensors(plan));
  io[swin_plan_find(plan, "input")] = engine->slots[slot].input;
  io[swin_plan_find(plan, "tags")] = engine->slots[slot].tags;
  g_autoptr(SwinRecorder) recorder =
      swin_recorder_new(engine->device, SWIN_RECORDER_DEFAULT, error);
  const SwinOutputBuffers *outputs = engine->slots[slot].outputs;
  if (!recorder || !swin_network_record(bucket->network, recorder, io, error) ||
      (outputs && !swin_output_buffers_record(outputs, bucket->network, recorder, error)) ||
      !swin_recorder_finish(recorder, error))
    return FALSE;
  bucket->recorders[slot] = g_steal_pointer(&recorder);
  return TRUE;
}

static gboolean make_buckets(SwinEngine *engine, GError **error) {
  choose_buckets(engine);
  if (!make_networks(engine, error))
    return FALSE;
  for (guint i = 0; i < engine->n_buckets; i++) {
    for (guint slot = 0; slot < SWIN_ENGINE_N_SLOTS; slot++) {
      if (!record_bucket(engine, &engine->buckets[i], slot, error))
        return FALSE;
    }
  }
  /* Now, since a program that is killed does not close its devices. */
  swin_pipelines_store(swin_device_get_pipelines(engine->device));
  return TRUE;
}

static gboolean check_model(SwinModel *model, GError **error) {
  const SwinModelConfig *config = swin_model_get_config(model);
  if (config->n_channels != 3) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "The model wants %u colour channels; frames have 3.", config->n_channels);
    return FALSE;
  }
  if (config->n_classes == 0) {
    g_set_error(
        error, SWIN_ERROR, SWIN_ERROR_MODEL,
        "%s has no head: it only makes features and cannot classify. Take a checkpoint that "
        "was trained or fine-tuned for classification.",
        swin_model_get_name(model));
    return FALSE;
  }
  return TRUE;
}

SwinEngine *swin_engine_new(SwinDevice *device, SwinModel *model,
                            const SwinClassifierParams *params, GError **error) {
  SwinPreprocessing preprocessing;
  if (!check_model(model, error) ||
      !swin_classifier_params_preprocessing(params, model, &preprocessing, error))
    return NULL;
  g_autoptr(SwinEngine) engine = g_new0(SwinEngine, 1);
  engine->device = swin_device_ref(device);
  engine->model = swin_model_ref(model);
  engine->batch_size = params->batch_size;
  engine->top_k = MIN(params->top_k, swin_model_get_n_classes(model));
  engine->activation = params->activation != SWIN_ACTIVATION_AUTO
                           ? params->activation
                           : swin_model_get_config(model)->activation;
  engine->preprocessing = preprocessing;
  if (!swin_network_storage(device, params->precision, &engine->storage, error))
    return NULL;
  g_autoptr(SwinPlan) plan = make_plan(engine, 1, TRUE);
  if (params->outputs) {
    engine->outputs = swin_outputs_new((const gchar *const *)params->outputs, plan, error);
    if (!engine->outputs)
      return NULL;
  }
  engine->weights = swin_weights_get(device, model, plan, error);
  if (!engine->weights)
    return NULL;
  for (guint i = 0; i < SWIN_ENGINE_N_SLOTS; i++) {
    if (!make_slot(engine, &engine->slots[i], error))
      return NULL;
  }
  return make_buckets(engine, error) ? g_steal_pointer(&engine) : NULL;
}

void swin_engine_free(SwinEngine *engine) {
  if (!engine)
    return;
  swin_device_wait_idle(engine->device);
  for (guint i = 0; i < SWIN_ENGINE_N_SLOTS; i++) {
    Slot *slot = &engine->slots[i];
    for (guint j = 0; j < engine->batch_size; j++)
      swin_picture_free(slot->pictures[j]);
    for (guint j = 0; j < engine->n_buckets; j++)
      swin_recorder_free(engine->buckets[j].recorders[i]);
    swin_buffer_free(slot->input);
    swin_buffer_free(slot->tags);
    swin_output_buffers_free(slot->outputs);
    g_free(slot->read);
    swin_device_functions(engine->device)
        ->DestroyFence(swin_device_get_handle(engine->device), slot->fence, NULL);
  }
  for (guint i = 0; i < engine->n_buckets; i++)
    swin_network_free(engine->buckets[i].network);
  swin_buffer_free(engine->arena);
  swin_weights_unref(engine->weights);
  swin_outputs_free(engine->outputs);
  swin_model_unref(engine->model);
  swin_device_unref(engine->device);
  g_free(engine);
}

SwinDevice *swin_engine_get_device(SwinEngine *engine) {
  return engine->device;
}

SwinModel *swin_engine_get_model(SwinEngine *engine) {
  return engine->model;
}

guint swin_engine_get_batch_size(SwinEngine *engine) {
  return engine->batch_size;
}

guint swin_engine_get_top_k(SwinEngine *engine) {
  return engine->top_k;
}

SwinPrecision swin_engine_get_precision(SwinEngine *engine) {
  return engine->storage == SWIN_STORAGE_F16 ? SWIN_PRECISION_FP16 : SWIN_PRECISION_FP32;
}

SwinActivation swin_engine_get_activation(SwinEngine *engine) {
  return engine->activation;
}

gboolean swin_engine_can_load(const SwinFrame *frame) {
  return swin_transfer_can_load(frame);
}

gboolean swin_engine_load(SwinEngine *engine, guint slot, guint image, const SwinFrame *frame,
                          gpointer keep_alive, GError **error) {
  return swin_picture_load(engine->slots[slot].pictures[image], frame, keep_alive, error);
}

/* The pictures' commands, and behind them the network's. A picture that cannot begin fails all: the
 * driver has no memory to record with or is lost, whichever frame that happens to meet. */
static gboolean submit_locked(SwinEngine *engine, Slot *slot, guint n_images,
                              SwinRecorder *recorder, GError **error) {
  G_STATIC_ASSERT(SWIN_SUBMISSION_MAX_COMMANDS > 2 * SWIN_ENGINE_MAX_BATCH);
  SwinSubmission submission = {0};
  guint n_begun = 0;
  while (n_begun < n_images && swin_picture_begin(slot->pictures[n_begun], &submission, error))
    n_begun++;
  gboolean submitted = n_begun == n_images;
  if (submitted) {
    submission.commands[submission.n_commands++] = swin_recorder_get_command_buffer(recorder);
    submitted = swin_device_submit(engine->device, &submission, slot->fence, error);
  }
  for (guint i = 0; i < n_begun; i++)
    swin_picture_end(slot->pictures[i], submitted);
  return submitted;
}

gboolean swin_engine_submit(SwinEngine *engine, guint slot, guint n_images, GError **error) {
  const Bucket *bucket = engine->buckets;
  while (bucket->batch < n_images)
    bucket++;
  swin_device_lock_queue(engine->device);
  const gboolean submitted =
      submit_locked(engine, &engine->slots[slot], n_images, bucket->recorders[slot], error);
  swin_device_unlock_queue(engine->device);
  return submitted;
}

gboolean swin_engine_wait(SwinEngine *engine, guint slot, GError **error) {
  SwinOutputBuffers *outputs = engine->slots[slot].outputs;
  return swin_device_wait_fence(engine->device, engine->slots[slot].fence, error) &&
         swin_buffer_invalidate(engine->slots[slot].tags, error) &&
         (!outputs || swin_output_buffers_invalidate(outputs, error));
}

void swin_engine_read(SwinEngine *engine, guint slot, guint image, SwinResult *result) {
  SwinTag *tags = engine->slots[slot].read;
  const guint32 *words = engine->slots[slot].tags->mapped;
  words += 2ull * image * engine->top_k;
  for (guint i = 0; i < engine->top_k; i++) {
    tags[i].index = words[2 * i];
    memcpy(&tags[i].confidence, &words[2 * i + 1], sizeof(gfloat));
  }
  *result = (SwinResult){.n_tags = engine->top_k, .tags = tags};
  if (engine->slots[slot].outputs)
    swin_output_buffers_read(engine->slots[slot].outputs, image, result);
}
