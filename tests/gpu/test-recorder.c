// SPDX-License-Identifier: LGPL-2.1-or-later
/* Barriers only where accesses meet; limits checked. */
#include "gpu/recorder.h"
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

START_TEST(test_hazards) {
  const SwinBuffer a = {.size = 100}, b = {.size = 100};
  SwinHazards *hazards = swin_hazards_new();
  const SwinBinding written = {&a, 16, 16, SWIN_ACCESS_WRITE};
  const SwinBinding read = {&b, 0, 32, SWIN_ACCESS_READ};
  swin_hazards_add(hazards, &written);
  swin_hazards_add(hazards, &read);
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
    ck_assert_int_eq(swin_hazards_conflict(hazards, &cases[i].access), cases[i].conflict);
  swin_hazards_clear(hazards);
  ck_assert(!swin_hazards_conflict(hazards, &written));
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

gint main(void) {
  TCase *cases = tcase_create("recorder");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_hazards);
  tcase_add_test(cases, test_barriers_between_real_dependencies);
  tcase_add_test(cases, test_copy_beyond_the_end_is_refused);
  tcase_add_test(cases, test_limits_are_checked);
  tcase_set_timeout(cases, 60);
  return run_cases("recorder", cases);
}
