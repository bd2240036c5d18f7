// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is made when a classifier opens, and that frames cost none of it. */
#include "classifier/fixture.h"
#include "gpu/device.h"
#include "network/family.h"
#include "network/network.h"
#include "run-cases.h"

#define BATCH 5 /* buckets of 1, 2, 4 and 5 */
#define N_BUCKETS 4
#define N_SLOTS 2

static SwinDevice *device;
static SwinModel *model;
static SwinDeviceFunctions real;
static gint n_dispatches, n_sets, n_pipelines, n_buffers; /* atomic: made since count_anew() */
static gint n_arenas;                                     /* buffers of that size */
static guint64 arena_size;

static void VKAPI_CALL count_dispatch(VkCommandBuffer commands, uint32_t x, uint32_t y,
                                      uint32_t z) {
  g_atomic_int_inc(&n_dispatches);
  real.CmdDispatch(commands, x, y, z);
}

static void VKAPI_CALL count_update(VkDevice handle, uint32_t n_writes,
                                    const VkWriteDescriptorSet *writes, uint32_t n_copies,
                                    const VkCopyDescriptorSet *copies) {
  g_atomic_int_inc(&n_sets);
  real.UpdateDescriptorSets(handle, n_writes, writes, n_copies, copies);
}

static VkResult VKAPI_CALL count_pipelines(VkDevice handle, VkPipelineCache cache, uint32_t n_infos,
                                           const VkComputePipelineCreateInfo *infos,
                                           const VkAllocationCallbacks *callbacks,
                                           VkPipeline *pipelines) {
  g_atomic_int_add(&n_pipelines, (gint)n_infos);
  return real.CreateComputePipelines(handle, cache, n_infos, infos, callbacks, pipelines);
}

static VkResult VKAPI_CALL count_buffer(VkDevice handle, const VkBufferCreateInfo *info,
                                        const VkAllocationCallbacks *callbacks, VkBuffer *buffer) {
  g_atomic_int_inc(&n_buffers);
  g_atomic_int_add(&n_arenas, info->size == arena_size);
  return real.CreateBuffer(handle, info, callbacks, buffer);
}

static void count_anew(void) {
  n_dispatches = n_sets = n_pipelines = n_buffers = n_arenas = 0;
}

static void setup(void) {
  device = fixture_device();
  model = fixture_model();
  SwinDeviceFunctions *functions = swin_device_functions(device);
  real = *functions;
  functions->CmdDispatch = count_dispatch;
  functions->UpdateDescriptorSets = count_update;
  functions->CreateComputePipelines = count_pipelines;
  functions->CreateBuffer = count_buffer;
  count_anew();
}

static void teardown(void) {
  *swin_device_functions(device) = real;
  g_clear_pointer(&model, swin_model_unref);
  g_clear_pointer(&device, swin_device_unref);
}

static SwinClassifier *make_classifier(guint batch_size) {
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_batch_size(params, batch_size);
  g_autoptr(GError) error = NULL;
  SwinClassifier *classifier = swin_classifier_new(device, model, params, &error);
  ck_assert_msg(classifier != NULL, "%s", error ? error->message : "");
  return classifier;
}

static SwinPlan *make_plan(guint batch) {
  SwinPlanOptions options = {.batch = batch, .top_k = 5, .fused = swin_network_fuses(device)};
  ck_assert(swin_network_storage(device, SWIN_PRECISION_AUTO, &options.storage, NULL));
  SwinPlan *plan = swin_family_plan(model, &options);
  swin_plan_finish(plan, swin_network_alignment(device), 0);
  return plan;
}

static void note_done(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                      gpointer user_data) {
  g_atomic_int_add((gint *)user_data, result->error == NULL);
}

static void classify(SwinClassifier *classifier, FixturePicture *picture, guint n_frames) {
  gint n_done = 0;
  for (guint i = 0; i < n_frames; i++)
    ck_assert(
        swin_classifier_submit(classifier, &picture->frame, NULL, NULL, note_done, &n_done, NULL));
  swin_classifier_drain(classifier);
  ck_assert_int_eq(n_done, (gint)n_frames);
}

/* All buckets share one arena, and their pipelines: those of a larger batch are those of one
 * frame. */
START_TEST(test_opening) {
  g_autoptr(SwinPlan) largest = make_plan(BATCH);
  g_autoptr(SwinPlan) single = make_plan(1);
  arena_size = swin_plan_get_arena_size(single);
  g_autoptr(SwinClassifier) alone = make_classifier(1);
  ck_assert_int_eq(n_arenas, 1);
  ck_assert_int_eq(n_dispatches, N_SLOTS * (gint)swin_plan_get_n_operations(single));
  ck_assert_int_gt(n_pipelines, 0);

  count_anew();
  arena_size = swin_plan_get_arena_size(largest);
  g_autoptr(SwinClassifier) classifier = make_classifier(BATCH);
  ck_assert_int_eq(n_arenas, 1);
  ck_assert_int_eq(n_dispatches, N_BUCKETS * N_SLOTS * (gint)swin_plan_get_n_operations(largest));
  /* A GPU may want another tile for more rows, and so does the kernel that reads at addresses. */
  if (swin_device_is_cpu(device) && !swin_device_get_extensions(device)->addresses)
    ck_assert_int_eq(n_pipelines, 0);
}
END_TEST

/* Frames of a size that has been seen in every place of both slots, in batches of sizes that have
 * not: nothing is made for them, and nothing of the network is recorded. */
START_TEST(test_frames) {
  g_autoptr(SwinClassifier) classifier = make_classifier(BATCH);
  g_autoptr(FixturePicture) picture = fixture_picture_new(40, 30, 1);
  for (guint i = 0; i < 8; i++)
    classify(classifier, picture, 2 * BATCH);
  count_anew();
  for (guint n_frames = 1; n_frames <= 2 * BATCH; n_frames++)
    classify(classifier, picture, n_frames);
  ck_assert_int_eq(n_buffers, 0);
  ck_assert_int_eq(n_sets, 0);
  ck_assert_int_eq(n_pipelines, 0);
  ck_assert_int_eq(n_dispatches, 0);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("recorded");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_opening);
  tcase_add_test(cases, test_frames);
  tcase_set_timeout(cases, 120);
  return run_cases("recorded", cases);
}
