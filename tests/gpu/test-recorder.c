// SPDX-License-Identifier: LGPL-2.1-or-later
/* Barriers only where accesses meet; limits checked. */
#include "gpu/recorder.h"
#include "parameters.h"
#include "run-cases.h"

#include <string.h>

static SwinDevice *device;

static void setup(void) {
  g_autoptr(GError) error = NULL;
  device = swin_device_open(NULL, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
}

static void teardown(void) {
  g_clear_pointer(&device, swin_device_unref);
}

#define COMPUTE VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT
#define TRANSFER VK_PIPELINE_STAGE_TRANSFER_BIT
#define INDIRECT VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT

/* Whether a command with this access alone would need a barrier. */
static gboolean conflicts(const SwinHazards *hazards, SwinStageAccess access) {
  return swin_hazards_find(hazards, 1, &access).source != 0;
}

START_TEST(test_ranges_that_meet) {
  const SwinBuffer a = {.size = 100}, b = {.size = 100};
  SwinHazards *hazards = swin_hazards_new();
  const SwinStageAccess earlier[] = {{{&a, 16, 16, SWIN_ACCESS_WRITE}, COMPUTE},
                                     {{&b, 0, 32, SWIN_ACCESS_READ}, COMPUTE}};
  swin_hazards_add(hazards, G_N_ELEMENTS(earlier), earlier);
  const struct {
    SwinBinding access;
    gboolean conflict;
  } cases[] = {
      {{&a, 31, 1, SWIN_ACCESS_READ}, TRUE},       {{&a, 32, 8, SWIN_ACCESS_READ}, FALSE},
      {{&a, 0, 16, SWIN_ACCESS_WRITE}, FALSE},     {{&a, 0, 17, SWIN_ACCESS_READ}, TRUE},
      {{&b, 8, 8, SWIN_ACCESS_READ}, FALSE},       {{&b, 8, 8, SWIN_ACCESS_WRITE}, TRUE},
      {{&b, 31, 1, SWIN_ACCESS_READ_WRITE}, TRUE}, {{&b, 32, 1, SWIN_ACCESS_WRITE}, FALSE},
      {{&a, 16, 16, SWIN_ACCESS_WRITE}, TRUE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    ck_assert_int_eq(conflicts(hazards, (SwinStageAccess){cases[i].access, COMPUTE}),
                     cases[i].conflict);
  g_array_unref(hazards);
}
END_TEST

/* A barrier holds back the stages that it names and no others. */
START_TEST(test_barriers_are_narrow) {
  const SwinBuffer a = {.size = 100};
  const SwinStageAccess write = {{&a, 0, 16, SWIN_ACCESS_WRITE}, COMPUTE};
  const SwinStageAccess read = {{&a, 8, 16, SWIN_ACCESS_READ}, COMPUTE};
  const SwinStageAccess copy = {{&a, 8, 4, SWIN_ACCESS_READ}, TRANSFER};
  const SwinStageAccess groups = {{&a, 0, 12, SWIN_ACCESS_READ}, INDIRECT};
  SwinHazards *hazards = swin_hazards_new();
  swin_hazards_add(hazards, 1, &write);

  const SwinBarrier shader = swin_hazards_find(hazards, 1, &read);
  ck_assert_uint_eq(shader.source, COMPUTE);
  ck_assert_uint_eq(shader.source_access, VK_ACCESS_SHADER_WRITE_BIT);
  ck_assert_uint_eq(shader.destination, COMPUTE);
  ck_assert_uint_eq(shader.destination_access,
                    VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
  swin_hazards_place(hazards, &shader);
  swin_hazards_add(hazards, 1, &read);
  ck_assert(!conflicts(hazards, read));
  ck_assert(conflicts(hazards, copy));
  ck_assert(conflicts(hazards, groups));

  const SwinStageAccess both[] = {copy, groups};
  const SwinBarrier others = swin_hazards_find(hazards, 2, both);
  ck_assert_uint_eq(others.source, COMPUTE);
  ck_assert_uint_eq(others.destination, TRANSFER | INDIRECT);
  ck_assert_uint_eq(others.destination_access, VK_ACCESS_TRANSFER_READ_BIT |
                                                   VK_ACCESS_TRANSFER_WRITE_BIT |
                                                   VK_ACCESS_INDIRECT_COMMAND_READ_BIT);
  swin_hazards_place(hazards, &others);
  swin_hazards_add(hazards, 2, both);
  ck_assert(!conflicts(hazards, copy));
  ck_assert(!conflicts(hazards, groups));

  /* What was only read need not become visible. */
  const SwinStageAccess again = {{&a, 8, 8, SWIN_ACCESS_WRITE}, COMPUTE};
  const SwinBarrier after_reads = swin_hazards_find(hazards, 1, &again);
  ck_assert_uint_eq(after_reads.source, COMPUTE | TRANSFER | INDIRECT);
  ck_assert_uint_eq(after_reads.destination, COMPUTE);
  ck_assert_uint_eq(after_reads.source_access, 0);
  ck_assert_uint_eq(after_reads.destination_access, 0);
  g_array_unref(hazards);
}
END_TEST

/* A barrier that only waits does not bring to light what was written. */
START_TEST(test_waiting_is_not_seeing) {
  const SwinBuffer a = {.size = 100};
  const SwinStageAccess write = {{&a, 0, 16, SWIN_ACCESS_WRITE}, COMPUTE};
  const SwinStageAccess read = {{&a, 32, 16, SWIN_ACCESS_READ}, COMPUTE};
  const SwinStageAccess over = {{&a, 32, 16, SWIN_ACCESS_WRITE}, COMPUTE};
  const SwinStageAccess late = {{&a, 0, 16, SWIN_ACCESS_READ}, COMPUTE};
  SwinHazards *hazards = swin_hazards_new();
  swin_hazards_add(hazards, 1, &write);
  swin_hazards_add(hazards, 1, &read);
  const SwinBarrier wait = swin_hazards_find(hazards, 1, &over);
  ck_assert_uint_eq(wait.source_access, 0);
  swin_hazards_place(hazards, &wait);
  swin_hazards_add(hazards, 1, &over);
  ck_assert(conflicts(hazards, late));
  ck_assert(conflicts(hazards, over));
  const SwinBarrier full = {COMPUTE | TRANSFER, COMPUTE, VK_ACCESS_SHADER_WRITE_BIT,
                            VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT};
  swin_hazards_place(hazards, &full);
  ck_assert(!conflicts(hazards, late));
  ck_assert(!conflicts(hazards, over));
  g_array_unref(hazards);
}
END_TEST

/* A range that is written over and over is remembered once. */
START_TEST(test_what_is_overwritten_is_forgotten) {
  const SwinBuffer a = {.size = 4096};
  const SwinStageAccess round[] = {{{&a, 0, 1024, SWIN_ACCESS_READ}, COMPUTE},
                                   {{&a, 1024, 512, SWIN_ACCESS_WRITE}, COMPUTE}};
  const SwinStageAccess back[] = {{{&a, 1024, 512, SWIN_ACCESS_READ}, COMPUTE},
                                  {{&a, 0, 1024, SWIN_ACCESS_WRITE}, COMPUTE}};
  SwinHazards *hazards = swin_hazards_new();
  for (guint i = 0; i < 100; i++) {
    ck_assert(i == 0 || swin_hazards_find(hazards, 2, round).source == COMPUTE);
    swin_hazards_add(hazards, 2, round);
    ck_assert(swin_hazards_find(hazards, 2, back).source == COMPUTE);
    swin_hazards_add(hazards, 2, back);
  }
  ck_assert_uint_le(hazards->len, 4);
  g_array_unref(hazards);
}
END_TEST

START_TEST(test_barriers_between_real_dependencies) {
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinBuffer) buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 4096, &error);
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, &error);
  g_autoptr(SwinBuffer) other = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 4096, &error);
  const guint start = swin_recorder_get_n_barriers(recorder);
  ck_assert_uint_eq(start, 1);
  const struct {
    guint64 from, to;
    guint barriers;
  } copies[] = {{0, 0, 0}, {0, 512, 0}, {512, 1024, 0}, {0, 512, 1}, {0, 1024, 1}, {0, 1024, 2}};
  for (guint i = 0; i < G_N_ELEMENTS(copies); i++) {
    ck_assert(
        swin_recorder_copy(recorder, buffer, copies[i].from, other, copies[i].to, 256, &error));
    ck_assert_uint_eq(swin_recorder_get_n_barriers(recorder), start + copies[i].barriers);
  }
  ck_assert(swin_recorder_finish(recorder, &error));
  ck_assert(swin_recorder_run(recorder, &error));
}
END_TEST

START_TEST(test_copy_beyond_the_end_is_refused) {
  g_autoptr(SwinBuffer) small = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 64, NULL);
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, NULL);
  g_autoptr(SwinBuffer) large = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 128, NULL);
  ck_assert(!swin_recorder_copy(recorder, large, 0, small, 0, 65, NULL));
  ck_assert(!swin_recorder_copy(recorder, small, 64, large, 0, 1, NULL));
  ck_assert(!swin_recorder_copy(recorder, small, G_MAXUINT64, large, 0, 1, NULL));
  ck_assert(swin_recorder_copy(recorder, large, 64, small, 0, 64, NULL));
}
END_TEST

START_TEST(test_limits_are_checked) {
  g_autoptr(SwinBuffer) buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 64, NULL);
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, NULL);
  const SwinDeviceLimits *limits = swin_device_get_limits(device);
  SwinDispatch dispatch = {.shader = "mean-pool",
                           .label = "sample.operation",
                           .n_bindings = 1,
                           .bindings = {{buffer, 0, 64, SWIN_ACCESS_READ}},
                           .groups = {1, limits->max_groups[1] + 1, 1}};
  g_autoptr(GError) groups = NULL, range = NULL, shader = NULL;
  ck_assert(!swin_recorder_dispatch(recorder, &dispatch, &groups));
  ck_assert(g_error_matches(groups, SWIN_ERROR, SWIN_ERROR_DEVICE));
  ck_assert_ptr_nonnull(strstr(groups->message, "sample.operation"));
  dispatch.groups[1] = 1;
  dispatch.bindings[0].size = limits->max_storage_range + 1;
  ck_assert(!swin_recorder_dispatch(recorder, &dispatch, &range));
  ck_assert(g_error_matches(range, SWIN_ERROR, SWIN_ERROR_DEVICE));
  dispatch.bindings[0].size = 64;
  dispatch.shader = "no-such-shader";
  ck_assert(!swin_recorder_dispatch(recorder, &dispatch, &shader));
}
END_TEST

/* One patch of 4 x 4 pixels. */
static SwinDispatch patch_dispatch(const SwinBuffer *buffer) {
  static const struct SwinPatchPartitionPush push = {.height = 4, .width = 4, .columns = 1};
  return (SwinDispatch){
      .shader = "patch-partition",
      .label = "sample.operation",
      .n_constants = 4,
      .constants = {1, 4, 1, 1},
      .n_bindings = 2,
      .bindings = {{buffer, 0, 64, SWIN_ACCESS_READ}, {buffer, 1024, 64, SWIN_ACCESS_WRITE}},
      .push = &push,
      .push_size = sizeof(push),
      .groups = {16, 1, 1},
  };
}

static VkComputePipelineCreateInfo created; /* by the function below */
static guint32 created_size;                /* its subgroups; 0: any */

static VkResult VKAPI_CALL no_pipeline(G_GNUC_UNUSED VkDevice handle,
                                       G_GNUC_UNUSED VkPipelineCache cache,
                                       G_GNUC_UNUSED uint32_t n_infos,
                                       const VkComputePipelineCreateInfo *infos,
                                       G_GNUC_UNUSED const VkAllocationCallbacks *callbacks,
                                       G_GNUC_UNUSED VkPipeline *pipelines) {
  const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo *size = infos->stage.pNext;
  created = *infos;
  created_size = size ? size->requiredSubgroupSize : 0;
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

START_TEST(test_subgroups_are_asked_for) {
  g_autoptr(SwinBuffer) buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 4096, NULL);
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, NULL);
  SwinDispatch dispatch = patch_dispatch(buffer);
  swin_device_functions(device)->CreateComputePipelines = no_pipeline;
  ck_assert(swin_recorder_dispatch(recorder, &dispatch, NULL));
  ck_assert(!swin_recorder_finish(recorder, NULL));
  ck_assert_uint_eq(created_size, 0);
  ck_assert_uint_eq(created.stage.flags, 0);
  dispatch.subgroup_size = swin_device_get_limits(device)->subgroup_size;
  g_autoptr(SwinRecorder) sized = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, NULL);
  ck_assert(swin_recorder_dispatch(sized, &dispatch, NULL));
  ck_assert(!swin_recorder_finish(sized, NULL));
  ck_assert_uint_eq(created_size, dispatch.subgroup_size);
  ck_assert_uint_eq(created.stage.flags,
                    VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT);
}
END_TEST

static SwinDeviceFunctions real;
static gint n_failures; /* atomic: how many of the next pipelines fail */

static VkResult VKAPI_CALL fail_some(VkDevice handle, VkPipelineCache cache, uint32_t n_infos,
                                     const VkComputePipelineCreateInfo *infos,
                                     const VkAllocationCallbacks *callbacks,
                                     VkPipeline *pipelines) {
  if (g_atomic_int_add(&n_failures, -1) > 0)
    return VK_ERROR_OUT_OF_HOST_MEMORY;
  return real.CreateComputePipelines(handle, cache, n_infos, infos, callbacks, pipelines);
}

/* Dispatches with more pipelines than there are threads, each of them twice. */
static gboolean record_many(const SwinBuffer *buffer, GError **error) {
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, error);
  SwinDispatch dispatch = patch_dispatch(buffer);
  for (guint i = 0; i < 40; i++) {
    dispatch.constants[0] = 1 + i / 2;
    ck_assert(swin_recorder_dispatch(recorder, &dispatch, error));
  }
  return swin_recorder_finish(recorder, error) && swin_recorder_run(recorder, error);
}

static gpointer record_in_thread(gpointer buffer) {
  g_autoptr(GError) error = NULL;
  ck_assert_msg(record_many(buffer, &error), "%s", error ? error->message : "");
  return NULL;
}

START_TEST(test_pipelines_are_built_together) {
  g_autoptr(SwinBuffer) buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 4096, NULL);
  GThread *threads[3];
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("record", record_in_thread, buffer);
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
}
END_TEST

START_TEST(test_failed_pipelines_are_tried_again) {
  g_autoptr(SwinBuffer) buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 4096, NULL);
  real = *swin_device_functions(device);
  swin_device_functions(device)->CreateComputePipelines = fail_some;
  for (gint i = 3; i > 0; i--) {
    g_autoptr(GError) error = NULL;
    g_atomic_int_set(&n_failures, i);
    ck_assert(!record_many(buffer, &error));
    ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY));
  }
  g_atomic_int_set(&n_failures, 0);
  record_in_thread(buffer);
}
END_TEST

/* More of them than one query pool has room for. */
START_TEST(test_every_dispatch_is_timed) {
  const guint n_dispatches = 1030;
  g_autoptr(GError) error = NULL;
  if (swin_device_get_limits(device)->timestamp_bits == 0)
    return;
  g_autoptr(SwinBuffer) buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 4096, &error);
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_TIMESTAMPS, &error);
  g_autofree gdouble *milliseconds = g_new(gdouble, n_dispatches);
  const SwinDispatch dispatch = patch_dispatch(buffer);
  for (guint i = 0; i < n_dispatches; i++) {
    milliseconds[i] = -1;
    ck_assert_msg(swin_recorder_dispatch(recorder, &dispatch, &error), "%s",
                  error ? error->message : "");
  }
  ck_assert(swin_recorder_finish(recorder, &error));
  ck_assert(swin_recorder_run(recorder, &error));
  ck_assert(swin_recorder_read_times(recorder, milliseconds, &error));
  for (guint i = 0; i < n_dispatches; i++)
    ck_assert(milliseconds[i] >= 0 && milliseconds[i] < 10000);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("recorder");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_ranges_that_meet);
  tcase_add_test(cases, test_barriers_are_narrow);
  tcase_add_test(cases, test_waiting_is_not_seeing);
  tcase_add_test(cases, test_what_is_overwritten_is_forgotten);
  tcase_add_test(cases, test_barriers_between_real_dependencies);
  tcase_add_test(cases, test_copy_beyond_the_end_is_refused);
  tcase_add_test(cases, test_limits_are_checked);
  tcase_add_test(cases, test_subgroups_are_asked_for);
  tcase_add_test(cases, test_pipelines_are_built_together);
  tcase_add_test(cases, test_failed_pipelines_are_tried_again);
  tcase_add_test(cases, test_every_dispatch_is_timed);
  tcase_set_timeout(cases, 60);
  return run_cases("recorder", cases);
}
