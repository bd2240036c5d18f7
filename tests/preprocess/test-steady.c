// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a frame costs in a stream of frames that are alike: nothing is allocated, recorded or
 * described anew, and one is uploaded while another is computed. */
#include "classifier/fixture.h"
#include "gpu/device.h"
#include "run-cases.h"

#define N_FRAMES 12

static SwinDevice *device;
static SwinModel *model;
static SwinDeviceFunctions real;

/* ---- What is called ------------------------------------------------------------------------- */

typedef struct {
  gint n_submits, n_resets, n_waits;
  gint n_flushes; /* and invalidations: drivers have memory that needs none */
} Calls;

static Calls calls;

/* Results wait until so many submissions have been made. */
static gint needed_submits;

static VkResult VKAPI_CALL queue_submit(VkQueue queue, uint32_t n_submits,
                                        const VkSubmitInfo *submits, VkFence fence) {
  const VkResult result = real.QueueSubmit(queue, n_submits, submits, fence);
  g_atomic_int_inc(&calls.n_submits);
  return result;
}

static VkResult VKAPI_CALL reset_fences(VkDevice handle, uint32_t n_fences, const VkFence *fences) {
  g_atomic_int_inc(&calls.n_resets);
  return real.ResetFences(handle, n_fences, fences);
}

static VkResult VKAPI_CALL wait_for_fences(VkDevice handle, uint32_t n_fences,
                                           const VkFence *fences, VkBool32 all, uint64_t timeout) {
  const gint64 deadline = g_get_monotonic_time() + 20 * G_TIME_SPAN_SECOND;
  while (g_atomic_int_get(&calls.n_submits) < g_atomic_int_get(&needed_submits) &&
         g_get_monotonic_time() < deadline)
    g_usleep(100);
  g_atomic_int_inc(&calls.n_waits);
  return real.WaitForFences(handle, n_fences, fences, all, timeout);
}

static VkResult VKAPI_CALL flush(VkDevice handle, uint32_t n_ranges,
                                 const VkMappedMemoryRange *ranges) {
  g_atomic_int_inc(&calls.n_flushes);
  return real.FlushMappedMemoryRanges(handle, n_ranges, ranges);
}

static VkResult VKAPI_CALL invalidate(VkDevice handle, uint32_t n_ranges,
                                      const VkMappedMemoryRange *ranges) {
  g_atomic_int_inc(&calls.n_flushes);
  return real.InvalidateMappedMemoryRanges(handle, n_ranges, ranges);
}

static void watch(void) {
  SwinDeviceFunctions *functions = swin_device_functions(device);
  calls = (Calls){0};
  functions->QueueSubmit = queue_submit;
  functions->ResetFences = reset_fences;
  functions->WaitForFences = wait_for_fences;
  functions->FlushMappedMemoryRanges = flush;
  functions->InvalidateMappedMemoryRanges = invalidate;
}

/* One for each function; they take no arguments because they do not return. */
#define FORBIDDEN(name)                                                                            \
  G_NORETURN static void forbidden_##name(void) {                                                  \
    ck_abort_msg("vk" #name "() was called for a frame like those before");                        \
    g_assert_not_reached();                                                                        \
  }
SWIN_DEVICE_FUNCTIONS(FORBIDDEN)

static void forbid_all_else(void) {
  SwinDeviceFunctions *functions = swin_device_functions(device);
#define FORBID(name) functions->name = (PFN_vk##name)forbidden_##name;
  SWIN_DEVICE_FUNCTIONS(FORBID)
#undef FORBID
  watch();
}

static void allow_all(void) {
  *swin_device_functions(device) = real;
}

/* ---- Frames --------------------------------------------------------------------------------- */

static void setup(void) {
  device = fixture_device();
  model = fixture_model();
  real = *swin_device_functions(device);
}

static void teardown(void) {
  allow_all();
  g_clear_pointer(&model, swin_model_unref);
  g_clear_pointer(&device, swin_device_unref);
}

static SwinClassifier *make_classifier(void) {
  g_autoptr(GError) error = NULL;
  SwinClassifier *classifier = swin_classifier_new(device, model, NULL, &error);
  ck_assert_msg(classifier != NULL, "%s", error ? error->message : "");
  return classifier;
}

static void note_result(SwinClassifier *classifier, const SwinResult *result, gpointer user_data) {
  (void)classifier;
  ck_assert_msg(result->error == NULL, "%s", result->error ? result->error->message : "");
  g_atomic_int_inc((gint *)user_data);
}

/* Two frames are under way at once, so that both slots are used. */
static void classify_pairs(SwinClassifier *classifier, const SwinFrame *frames, guint n_frames) {
  gint n_results = 0;
  for (guint i = 0; i < n_frames; i++) {
    g_autoptr(GError) error = NULL;
    if (i % 2 == 0)
      g_atomic_int_set(&needed_submits, g_atomic_int_get(&calls.n_submits) + 2);
    ck_assert(swin_classifier_submit(classifier, &frames[i], NULL, NULL, note_result, &n_results,
                                     &error));
    if (i % 2 == 1)
      swin_classifier_drain(classifier);
  }
  ck_assert_int_eq(n_results, (gint)n_frames);
}

static void expect_least_calls(SwinClassifier *classifier, const SwinFrame *frames) {
  watch();
  classify_pairs(classifier, frames, N_FRAMES);
  forbid_all_else();
  classify_pairs(classifier, frames, N_FRAMES);
  const Calls made = calls;
  allow_all();
  ck_assert_int_eq(made.n_submits, N_FRAMES);
  ck_assert_int_eq(made.n_resets, N_FRAMES);
  ck_assert_int_eq(made.n_waits, N_FRAMES);
  /* Pixels and parameters to the device, tags from it. */
  ck_assert_int_le(made.n_flushes, 3 * N_FRAMES);
}

START_TEST(test_frames_alike) {
  g_autoptr(SwinClassifier) classifier = make_classifier();
  FixturePicture *pictures[N_FRAMES];
  SwinFrame frames[N_FRAMES];
  for (guint i = 0; i < N_FRAMES; i++) {
    pictures[i] = fixture_picture_new(67, 45, i);
    frames[i] = pictures[i]->frame;
  }
  expect_least_calls(classifier, frames);
  for (guint i = 0; i < N_FRAMES; i++)
    fixture_picture_free(pictures[i]);
}
END_TEST

/* Objects of a frame: other positions and sizes are other numbers in the same buffers. */
START_TEST(test_objects) {
  g_autoptr(SwinClassifier) classifier = make_classifier();
  g_autoptr(FixturePicture) picture = fixture_picture_new(120, 90, 1);
  SwinFrame frames[N_FRAMES];
  for (guint i = 0; i < N_FRAMES; i++) {
    frames[i] = picture->frame;
    /* In pairs: the largest comes first in both slots. */
    frames[i].crop = (SwinRectangle){i / 2, 2 * (i / 2), 110 - 3 * (i / 2), 70 - i / 2};
  }
  expect_least_calls(classifier, frames);
}
END_TEST

/* The result of the first frame is held back until the second one has been submitted, and with it
 * uploaded: without slots to do so that never comes. */
START_TEST(test_upload_overlaps_compute) {
  g_autoptr(SwinClassifier) classifier = make_classifier();
  g_autoptr(FixturePicture) picture = fixture_picture_new(67, 45, 1);
  const SwinFrame frames[2] = {picture->frame, picture->frame};
  watch();
  const gint64 begun = g_get_monotonic_time();
  classify_pairs(classifier, frames, 2);
  ck_assert_int_lt(g_get_monotonic_time() - begun, 20 * G_TIME_SPAN_SECOND);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("steady");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, test_frames_alike);
  tcase_add_test(cases, test_objects);
  tcase_add_test(cases, test_upload_overlaps_compute);
  return run_cases("steady", cases);
}
