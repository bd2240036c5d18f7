// SPDX-License-Identifier: LGPL-2.1-or-later
/* Frames in images and dma-bufs have the results of the same frames in host memory, bit for bit,
 * and are kept until the device has read them. */
#include "classifier/fixture.h"
#include "gpu/device.h"
#include "gpu/frames.h"
#include "run-cases.h"

#include <string.h>
#include <unistd.h>

#define N_CLASSES 10

static Application *application;
static SwinDevice *device;
static SwinModel *model;
static SwinDeviceFunctions real;
static gint n_waited; /* fences; atomic */

static VkResult VKAPI_CALL wait_for_fences(VkDevice handle, uint32_t n_fences,
                                           const VkFence *fences, VkBool32 all, uint64_t timeout) {
  const VkResult result = real.WaitForFences(handle, n_fences, fences, all, timeout);
  g_atomic_int_inc(&n_waited);
  return result;
}

static SwinClassifier *make_classifier(guint batch_size) {
  const gchar *const outputs[] = {"logits", NULL};
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  g_autoptr(GError) error = NULL;
  swin_classifier_params_set_outputs(params, outputs);
  swin_classifier_params_set_batch_size(params, batch_size);
  swin_classifier_params_set_batch_timeout(params, batch_size > 1 ? 10 * G_TIME_SPAN_SECOND : 0);
  SwinClassifier *classifier = swin_classifier_new(device, model, params, &error);
  ck_assert_msg(classifier != NULL, "%s", error ? error->message : "");
  return classifier;
}

static void setup(void) {
  g_autoptr(GError) error = NULL;
  application = application_new();
  device = swin_device_import(&application->import, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  model = fixture_model();
  real = *swin_device_functions(device);
  swin_device_functions(device)->WaitForFences = wait_for_fences;
}

static void teardown(void) {
  g_clear_pointer(&model, swin_model_unref);
  g_clear_pointer(&device, swin_device_unref);
  g_clear_pointer(&application, application_free);
}

/* A frame on its way; keep_alive is the images' own, so what is released is found by it. */
typedef struct {
  SwinFrame frame;
  FrameImages images; /* the first member that keep_alive may be */
  guint n_released, n_done;
  gint error; /* code, or -1 */
  SwinTag tags[5];
  gfloat logits[N_CLASSES];
} Submitted;

/* What the device reads after this is something else. */
static void overwrite_memfds(const SwinFrame *frame) {
  static const guint8 other[256] = {0};
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++) {
    const off_t size = frame->dmabuf[i] < 0 ? 0 : lseek(frame->dmabuf[i], 0, SEEK_END);
    for (off_t at = 0; at < size; at += (off_t)sizeof(other))
      ck_assert_int_ge(pwrite(frame->dmabuf[i], other, MIN(sizeof(other), (gsize)(size - at)), at),
                       1);
  }
}

static void released(gpointer keep_alive) {
  Submitted *submitted = (Submitted *)((guint8 *)keep_alive - G_STRUCT_OFFSET(Submitted, images));
  submitted->n_released++;
  ck_assert_uint_eq(submitted->n_done, 0);
  if (submitted->frame.memory == SWIN_FRAME_MEMORY_DMABUF)
    overwrite_memfds(&submitted->frame);
  /* Images are read until the submission's fence is signalled. */
  if (submitted->images.n_ended > 0)
    ck_assert_int_ge(g_atomic_int_get(&n_waited), 1);
}

static void done(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                 gpointer user_data) {
  Submitted *submitted = user_data;
  submitted->n_done++;
  submitted->error = result->error ? result->error->code : -1;
  if (result->error)
    return;
  ck_assert_uint_eq(result->n_tags, G_N_ELEMENTS(submitted->tags));
  ck_assert_uint_eq(result->n_outputs, 1);
  ck_assert_uint_eq(result->outputs[0].dims[0], N_CLASSES);
  memcpy(submitted->tags, result->tags, sizeof(submitted->tags));
  memcpy(submitted->logits, result->outputs[0].values, sizeof(submitted->logits));
}

static void submit(SwinClassifier *classifier, Submitted *submitted) {
  g_autoptr(GError) error = NULL;
  g_atomic_int_set(&n_waited, 0);
  ck_assert_msg(swin_classifier_submit(classifier, &submitted->frame, released, &submitted->images,
                                       done, submitted, &error),
                "%s", error ? error->message : "");
}

static void check_done(const Submitted *submitted) {
  ck_assert_uint_eq(submitted->n_released, 1);
  ck_assert_uint_eq(submitted->n_done, 1);
}

static void check_same(const Submitted *expected, const Submitted *submitted) {
  check_done(submitted);
  ck_assert_int_eq(submitted->error, -1);
  ck_assert_mem_eq(submitted->logits, expected->logits, sizeof(expected->logits));
  ck_assert_mem_eq(submitted->tags, expected->tags, sizeof(expected->tags));
}

/* What is looked at of a frame of 38 x 24 pixels or so. */
static const struct {
  SwinRectangle crop;
  SwinOrientation orientation;
} views[] = {
    {{0, 0, 0, 0}, SWIN_ORIENTATION_IDENTITY},
    {{5, 3, 17, 11}, SWIN_ORIENTATION_IDENTITY},
    {{1, 2, 30, 19}, SWIN_ORIENTATION_ROTATE_90},
};

static SwinFrame seen(const FrameHost *host, guint view) {
  SwinFrame frame = host->frame;
  frame.crop = views[view].crop;
  frame.orientation = views[view].orientation;
  return frame;
}

static const FrameLayout *const layouts[] = {&frame_layout_bgra, &frame_layout_gray,
                                             &frame_layout_nv12, &frame_layout_nv12_in_one};

static void check_images(SwinClassifier *classifier, const FrameLayout *layout,
                         const FrameHost *host, guint view, const Submitted *expected) {
  Submitted submitted = {.frame = seen(host, view)};
  if (frame_images_make(application, layout, host, &submitted.images, &submitted.frame)) {
    const guint64 value = submitted.images.images[0]->state.value;
    submit(classifier, &submitted);
    swin_classifier_drain(classifier);
    check_same(expected, &submitted);
    ck_assert_uint_eq(submitted.images.n_begun, 1);
    ck_assert_uint_eq(submitted.images.n_ended, 1);
    for (guint i = 0; i < submitted.images.n_images; i++) {
      const SwinImageState *state = &submitted.images.images[i]->state;
      ck_assert_int_eq(state->layout, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
      ck_assert_uint_eq(state->stages, VK_PIPELINE_STAGE_TRANSFER_BIT);
      ck_assert_uint_eq(state->access, VK_ACCESS_TRANSFER_READ_BIT);
      ck_assert_uint_eq(application_image_value(submitted.images.images[i]), state->value);
    }
    ck_assert_uint_eq(submitted.images.images[0]->state.value, value + 1);
  }
  frame_images_clear(&submitted.images);
}

static void check_dmabufs(SwinClassifier *classifier, const FrameHost *host, gboolean in_one,
                          guint view, const Submitted *expected) {
  Submitted submitted = {.frame = seen(host, view)};
  frame_memfds_make(host, in_one, &submitted.frame);
  submit(classifier, &submitted);
  swin_classifier_drain(classifier);
  check_same(expected, &submitted);
  frame_memfds_close(&submitted.frame);
}

START_TEST(test_same_results) {
  static const guint sizes[][2] = {{37, 23}, {38, 24}, {64, 48}};
  const FrameLayout *layout = layouts[_i];
  g_autoptr(SwinClassifier) classifier = make_classifier(1);
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    const guint width = sizes[i][0], height = sizes[i][1];
    g_auto(FrameHost) host = frame_host_make(layout, width, height, 0);
    g_auto(FrameHost) padded = frame_host_make(layout, width, height, 11);
    for (guint view = 0; view < G_N_ELEMENTS(views); view++) {
      Submitted expected = {.frame = seen(&host, view)};
      Submitted expected_padded = {.frame = seen(&padded, view)};
      submit(classifier, &expected);
      submit(classifier, &expected_padded);
      swin_classifier_drain(classifier);
      check_same(&expected, &expected);
      if (layout != &frame_layout_nv12_in_one || (width % 2 == 0 && height % 2 == 0))
        check_images(classifier, layout, &host, view, &expected);
      check_dmabufs(classifier, &host, FALSE, view, &expected);
      check_dmabufs(classifier, &padded, TRUE, view, &expected_padded);
    }
  }
}
END_TEST

/* Regions of one frame are computed together, and frames of other memory with them. */
START_TEST(test_one_batch) {
  g_autoptr(SwinClassifier) single = make_classifier(1);
  g_autoptr(SwinClassifier) classifier = make_classifier(4);
  g_auto(FrameHost) host = frame_host_make(&frame_layout_bgra, 37, 23, 0);
  Submitted expected[2] = {{.frame = seen(&host, 0)}, {.frame = seen(&host, 1)}};
  for (guint i = 0; i < 2; i++)
    submit(single, &expected[i]);
  swin_classifier_drain(single);

  Submitted batch[4];
  g_auto(FrameImages) images = {0};
  SwinFrame frame = seen(&host, 0);
  ck_assert(frame_images_make(application, &frame_layout_bgra, &host, &images, &frame));
  const guint64 value = images.images[0]->state.value;
  for (guint i = 0; i < 4; i++)
    batch[i] = (Submitted){.frame = frame};
  batch[1].frame.crop = views[1].crop;
  batch[2].frame = expected[1].frame;
  for (guint i = 0; i < 4; i++) {
    ck_assert(swin_classifier_submit(classifier, &batch[i].frame, NULL, i == 2 ? NULL : &images,
                                     done, &batch[i], NULL));
    batch[i].n_released = 1;
  }
  swin_classifier_drain(classifier);
  check_same(&expected[0], &batch[0]);
  check_same(&expected[1], &batch[1]);
  check_same(&expected[1], &batch[2]);
  check_same(&expected[0], &batch[3]);
  SwinClassifierStats stats = {.struct_size = sizeof(stats)};
  swin_classifier_get_stats(classifier, &stats);
  ck_assert_uint_eq(stats.n_batches, 1);
  ck_assert_uint_eq(images.n_ended, 3);
  ck_assert_uint_eq(images.images[0]->state.value, value + 1);
  ck_assert_uint_eq(application_image_value(images.images[0]), value + 1);
}
END_TEST

/* One that cannot be read has an error of its own; those around it have their results. */
START_TEST(test_unreadable_frame) {
  g_autoptr(SwinClassifier) classifier = make_classifier(1);
  g_auto(FrameHost) host = frame_host_make(&frame_layout_gray, 37, 23, 0);
  Submitted first = {.frame = seen(&host, 0)}, last = first, unreadable = first;
  frame_memfds_make(&host, TRUE, &unreadable.frame);
  unreadable.frame.dmabuf_offset[0] += 1;
  submit(classifier, &first);
  submit(classifier, &unreadable);
  submit(classifier, &last);
  swin_classifier_drain(classifier);
  check_done(&unreadable);
  ck_assert_int_eq(unreadable.error, SWIN_ERROR_FRAME);
  check_same(&first, &last);
  frame_memfds_close(&unreadable.frame);
}
END_TEST

static VkResult VKAPI_CALL lose(G_GNUC_UNUSED VkQueue queue, G_GNUC_UNUSED uint32_t count,
                                G_GNUC_UNUSED const VkSubmitInfo *submits,
                                G_GNUC_UNUSED VkFence fence) {
  return VK_ERROR_DEVICE_LOST;
}

START_TEST(test_lost_device) {
  g_autoptr(SwinClassifier) classifier = make_classifier(1);
  g_auto(FrameHost) host = frame_host_make(&frame_layout_nv12, 37, 23, 0);
  Submitted submitted = {.frame = seen(&host, 0)};
  ck_assert(frame_images_make(application, &frame_layout_nv12, &host, &submitted.images,
                              &submitted.frame));
  const SwinImageState before = submitted.images.images[0]->state;
  swin_device_functions(device)->QueueSubmit = lose;
  submit(classifier, &submitted);
  swin_classifier_drain(classifier);
  check_done(&submitted);
  ck_assert_int_eq(submitted.error, SWIN_ERROR_DEVICE_LOST);
  ck_assert_uint_eq(submitted.images.n_begun, 1);
  ck_assert_uint_eq(submitted.images.n_ended, 0);
  ck_assert_mem_eq(&before, &submitted.images.images[0]->state, sizeof(before));
  frame_images_clear(&submitted.images);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("memory");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_loop_test(cases, test_same_results, 0, G_N_ELEMENTS(layouts));
  tcase_add_test(cases, test_one_batch);
  tcase_add_test(cases, test_unreadable_frame);
  tcase_add_test(cases, test_lost_device);
  tcase_set_timeout(cases, 120);
  return run_cases("memory", cases);
}
