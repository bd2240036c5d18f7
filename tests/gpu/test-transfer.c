// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is transferred from images and dma-bufs is what would be uploaded from host memory. */
#include "gpu/frames.h"
#include "gpu/recorder.h"
#include "run-cases.h"
#include "transfer.h"

#include <string.h>
#include <unistd.h>

static Application *application;
static SwinDevice *device;

static void setup(void) {
  g_autoptr(GError) error = NULL;
  application = application_new();
  device = swin_device_import(&application->import, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
}

static void teardown(void) {
  g_clear_pointer(&device, swin_device_unref);
  g_clear_pointer(&application, application_free);
}

#define CANARY 64

/* Loads, runs and waits, and compares each row with the host's. */
static void check_transfer(SwinTransfer *transfer, const FrameHost *host, const SwinFrame *frame,
                           gpointer keep_alive, const SwinRectangle *region) {
  g_autoptr(GError) error = NULL;
  const SwinImageLayout layout = swin_image_layout(frame, region);
  g_autoptr(SwinBuffer) destination =
      swin_buffer_new(device, SWIN_BUFFER_UPLOAD, layout.size + CANARY, &error);
  ck_assert_ptr_nonnull(destination);
  memset(destination->mapped, 0xa5, destination->size);
  ck_assert(swin_buffer_flush(destination, &error));
  ck_assert_msg(swin_transfer_load(transfer, frame, keep_alive, &layout, destination, &error), "%s",
                error ? error->message : "");
  SwinSubmission submission = {0};
  swin_device_lock_queue(device);
  ck_assert(swin_transfer_begin(transfer, &submission, &error));
  ck_assert_msg(swin_device_submit(device, &submission, VK_NULL_HANDLE, &error), "%s",
                error ? error->message : "");
  swin_transfer_end(transfer, TRUE);
  swin_device_unlock_queue(device);
  swin_device_wait_idle(device);
  ck_assert(swin_buffer_invalidate(destination, &error));

  const guint8 *upload = destination->mapped;
  for (guint i = 0; i < SWIN_FRAME_MAX_PLANES; i++) {
    const SwinImagePlane *plane = &layout.planes[i];
    for (guint row = plane->first_row; row < plane->first_row + plane->n_rows; row++)
      ck_assert_mem_eq(upload +
                           (plane->upload_offset + row * plane->upload_stride + plane->first_byte),
                       host->bytes[i] + row * host->frame.strides[i] + plane->first_byte,
                       plane->end_byte - plane->first_byte);
  }
  for (guint i = 0; i < CANARY; i++)
    ck_assert_uint_eq(upload[layout.size + i], 0xa5);
}

static const guint sizes[][2] = {{1, 1}, {37, 23}, {64, 48}, {130, 6}};

/* All of a frame, and parts of it that begin at odd places. */
static guint make_regions(guint width, guint height, SwinRectangle *regions) {
  regions[0] = (SwinRectangle){0, 0, width, height};
  if (width < 12 || height < 6)
    return 1;
  regions[1] = (SwinRectangle){1, 1, width - 1, height - 1};
  regions[2] = (SwinRectangle){5, 3, 1, 1};
  regions[3] = (SwinRectangle){11, 2, width - 11, 3};
  return 4;
}

/* ---- Images --------------------------------------------------------------------------------- */

static void check_image_state(ApplicationImage *image, guint64 value) {
  ck_assert_int_eq(image->state.layout, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  ck_assert_uint_eq(image->state.stages, VK_PIPELINE_STAGE_TRANSFER_BIT);
  ck_assert_uint_eq(image->state.access, VK_ACCESS_TRANSFER_READ_BIT);
  ck_assert_uint_eq(image->state.value, value);
  ck_assert_uint_eq(application_image_value(image), value);
}

static void check_images(const FrameLayout *layout, guint width, guint height) {
  g_auto(FrameHost) host = frame_host_make(layout, width, height, 0);
  g_auto(FrameImages) images = {0};
  SwinFrame frame = host.frame;
  if (!frame_images_make(application, layout, &host, &images, &frame))
    return;
  g_autoptr(SwinTransfer) transfer = swin_transfer_new(device);
  const guint64 value = images.images[0]->state.value;
  SwinRectangle regions[4];
  const guint n_regions = make_regions(width, height, regions);
  for (guint i = 0; i < n_regions; i++) {
    check_transfer(transfer, &host, &frame, &images, &regions[i]);
    ck_assert_uint_eq(images.n_begun, i + 1);
    ck_assert_uint_eq(images.n_ended, i + 1);
    check_image_state(images.images[0], value + i + 1);
  }
}

START_TEST(test_images) {
  static const FrameLayout *const layouts[] = {
      &frame_layout_bgra, &frame_layout_gray,        &frame_layout_nv12, &frame_layout_nv12_in_one,
      &frame_layout_wide, &frame_layout_wide_chroma, &frame_layout_rgb};
  const FrameLayout *layout = layouts[_i];
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
    if (layout != &frame_layout_nv12_in_one || (sizes[i][0] % 2 == 0 && sizes[i][1] % 2 == 0))
      check_images(layout, sizes[i][0], sizes[i][1]);
}
END_TEST

/* Commands run only when the semaphore has the value that was told, here by the host. */
START_TEST(test_semaphore_is_waited_for) {
  g_auto(FrameHost) host = frame_host_make(&frame_layout_gray, 16, 8, 0);
  g_auto(FrameImages) images = {0};
  SwinFrame frame = host.frame;
  ck_assert(frame_images_make(application, &frame_layout_gray, &host, &images, &frame));
  ApplicationImage *image = images.images[0];
  const VkSemaphoreSignalInfo signal = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
                                        .semaphore = image->state.semaphore,
                                        .value = ++image->state.value};
  const SwinRectangle all = {0, 0, 16, 8};
  const SwinImageLayout layout = swin_image_layout(&frame, &all);
  g_autoptr(SwinBuffer) destination =
      swin_buffer_new(device, SWIN_BUFFER_UPLOAD, layout.size, NULL);
  g_autoptr(SwinTransfer) transfer = swin_transfer_new(device);
  ck_assert(swin_transfer_load(transfer, &frame, &images, &layout, destination, NULL));
  VkFence fence = swin_device_create_fence(device, NULL);
  SwinSubmission submission = {0};
  swin_device_lock_queue(device);
  ck_assert(swin_transfer_begin(transfer, &submission, NULL));
  ck_assert(swin_device_submit(device, &submission, fence, NULL));
  swin_transfer_end(transfer, TRUE);
  swin_device_unlock_queue(device);
  ck_assert_int_eq(vkWaitForFences(application->device, 1, &fence, VK_TRUE, 50 * 1000 * 1000),
                   VK_TIMEOUT);
  ck_assert_uint_eq(image->state.value, signal.value + 1);
  ck_assert_int_eq(vkSignalSemaphore(application->device, &signal), VK_SUCCESS);
  ck_assert(swin_device_wait_fence(device, fence, NULL));
  check_image_state(image, signal.value + 1);
  vkDestroyFence(application->device, fence, NULL);
}
END_TEST

/* Regions of one frame in one batch: the state is told to each as it was before all of them. One
 * semaphore is shared by two images besides. */
START_TEST(test_images_shared_in_a_submission) {
  g_auto(FrameHost) host = frame_host_make(&frame_layout_nv12, 37, 23, 0);
  g_auto(FrameImages) images = {0};
  SwinFrame frame = host.frame;
  ck_assert(frame_images_make(application, &frame_layout_nv12, &host, &images, &frame));
  const VkSemaphore other = images.images[1]->state.semaphore;
  images.images[1]->state.semaphore = images.images[0]->state.semaphore;
  images.images[1]->state.value = images.images[0]->state.value - 1;
  const guint64 value = images.images[0]->state.value;
  SwinRectangle regions[4];
  const guint n_regions = make_regions(37, 23, regions);
  SwinTransfer *transfers[4];
  SwinBuffer *destinations[4];
  SwinSubmission submission = {0};
  swin_device_lock_queue(device);
  for (guint i = 0; i < n_regions; i++) {
    const SwinImageLayout layout = swin_image_layout(&frame, &regions[i]);
    destinations[i] = swin_buffer_new(device, SWIN_BUFFER_UPLOAD, layout.size, NULL);
    transfers[i] = swin_transfer_new(device);
    ck_assert(swin_transfer_load(transfers[i], &frame, &images, &layout, destinations[i], NULL));
    ck_assert(swin_transfer_begin(transfers[i], &submission, NULL));
  }
  ck_assert_uint_eq(submission.n_commands, n_regions);
  ck_assert_uint_eq(submission.n_semaphores, 1);
  ck_assert_uint_eq(submission.n_images, 2);
  ck_assert(swin_device_submit(device, &submission, VK_NULL_HANDLE, NULL));
  for (guint i = 0; i < n_regions; i++)
    swin_transfer_end(transfers[i], TRUE);
  swin_device_unlock_queue(device);
  swin_device_wait_idle(device);
  check_image_state(images.images[0], value + 1);
  check_image_state(images.images[1], value + 1);
  for (guint i = 0; i < n_regions; i++) {
    swin_transfer_free(transfers[i]);
    swin_buffer_free(destinations[i]);
  }
  images.images[1]->state.semaphore = other;
}
END_TEST

static VkResult VKAPI_CALL lose(G_GNUC_UNUSED VkCommandBuffer commands,
                                G_GNUC_UNUSED const VkCommandBufferBeginInfo *info) {
  return VK_ERROR_DEVICE_LOST;
}

START_TEST(test_nothing_is_told_where_nothing_was_submitted) {
  g_auto(FrameHost) host = frame_host_make(&frame_layout_bgra, 9, 5, 0);
  g_auto(FrameImages) images = {0};
  SwinFrame frame = host.frame;
  ck_assert(frame_images_make(application, &frame_layout_bgra, &host, &images, &frame));
  const SwinImageState before = images.images[0]->state;
  const SwinRectangle all = {0, 0, 9, 5};
  const SwinImageLayout layout = swin_image_layout(&frame, &all);
  g_autoptr(SwinBuffer) destination =
      swin_buffer_new(device, SWIN_BUFFER_UPLOAD, layout.size, NULL);
  g_autoptr(SwinTransfer) transfer = swin_transfer_new(device);
  ck_assert(swin_transfer_load(transfer, &frame, &images, &layout, destination, NULL));
  SwinSubmission submission = {0};
  swin_device_lock_queue(device);
  ck_assert(swin_transfer_begin(transfer, &submission, NULL));
  swin_transfer_end(transfer, FALSE);
  swin_device_functions(device)->BeginCommandBuffer = lose;
  g_autoptr(GError) error = NULL;
  submission = (SwinSubmission){0};
  ck_assert(!swin_transfer_begin(transfer, &submission, &error));
  swin_device_unlock_queue(device);
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_DEVICE_LOST));
  ck_assert_uint_eq(submission.n_commands + submission.n_images + submission.n_semaphores, 0);
  ck_assert_uint_eq(images.n_begun, 2);
  ck_assert_uint_eq(images.n_ended, 0);
  ck_assert_mem_eq(&before, &images.images[0]->state, sizeof(before));
  ck_assert_uint_eq(application_image_value(images.images[0]), before.value);
}
END_TEST

/* ---- Failures ------------------------------------------------------------------------------- */

static SwinDeviceFunctions real;

/* A driver may leave anything in the output of a call that fails. */
#define FAILING(name, Parameters, output)                                                          \
  static VkResult VKAPI_CALL fail_##name Parameters {                                              \
    memset(output, 0x5a, sizeof(*output));                                                         \
    return VK_ERROR_OUT_OF_HOST_MEMORY;                                                            \
  }

FAILING(CreateCommandPool,
        (G_GNUC_UNUSED VkDevice a, G_GNUC_UNUSED const VkCommandPoolCreateInfo *b,
         G_GNUC_UNUSED const VkAllocationCallbacks *c, VkCommandPool *d),
        d)
FAILING(AllocateCommandBuffers,
        (G_GNUC_UNUSED VkDevice a, G_GNUC_UNUSED const VkCommandBufferAllocateInfo *b,
         VkCommandBuffer *c),
        c)
FAILING(CreateBuffer,
        (G_GNUC_UNUSED VkDevice a, G_GNUC_UNUSED const VkBufferCreateInfo *b,
         G_GNUC_UNUSED const VkAllocationCallbacks *c, VkBuffer *d),
        d)
FAILING(AllocateMemory,
        (G_GNUC_UNUSED VkDevice a, G_GNUC_UNUSED const VkMemoryAllocateInfo *b,
         G_GNUC_UNUSED const VkAllocationCallbacks *c, VkDeviceMemory *d),
        d)

static VkResult VKAPI_CALL fail_BindBufferMemory(G_GNUC_UNUSED VkDevice a, G_GNUC_UNUSED VkBuffer b,
                                                 G_GNUC_UNUSED VkDeviceMemory c,
                                                 G_GNUC_UNUSED VkDeviceSize d) {
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

/* The first load of a transfer, in which one function fails; the second, in which it does not. */
static void check_failure(const gchar *name, const SwinDeviceFunctions *failing,
                          const FrameHost *host, const SwinFrame *frame, FrameImages *images) {
  const SwinRectangle all = {0, 0, frame->width, frame->height};
  const SwinImageLayout layout = swin_image_layout(frame, &all);
  g_autoptr(SwinTransfer) transfer = swin_transfer_new(device);
  g_autoptr(SwinBuffer) destination =
      swin_buffer_new(device, SWIN_BUFFER_UPLOAD, layout.size, NULL);
  g_autoptr(GError) error = NULL;
  *swin_device_functions(device) = *failing;
  ck_assert_msg(!swin_transfer_load(transfer, frame, images, &layout, destination, &error), "%s",
                name);
  *swin_device_functions(device) = real;
  ck_assert_msg(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY), "%s: %s", name,
                error->message);
  check_transfer(transfer, host, frame, images, &all);
}

START_TEST(test_failures) {
  real = *swin_device_functions(device);
  SwinDeviceFunctions pool = real, commands = real, buffer = real, memory = real, bind = real;
  pool.CreateCommandPool = fail_CreateCommandPool;
  commands.AllocateCommandBuffers = fail_AllocateCommandBuffers;
  buffer.CreateBuffer = fail_CreateBuffer;
  memory.AllocateMemory = fail_AllocateMemory;
  bind.BindBufferMemory = fail_BindBufferMemory;
  const struct {
    const gchar *name;
    const SwinDeviceFunctions *functions;
    gboolean of_dmabufs; /* alone */
  } cases[] = {{"CreateCommandPool", &pool, FALSE},
               {"AllocateCommandBuffers", &commands, FALSE},
               {"CreateBuffer", &buffer, TRUE},
               {"AllocateMemory", &memory, TRUE},
               {"BindBufferMemory", &bind, TRUE}};
  g_auto(FrameHost) host = frame_host_make(&frame_layout_wide, 9, 5, 0);
  g_auto(FrameImages) images = {0};
  SwinFrame in_images = host.frame, in_dmabufs = host.frame;
  ck_assert(frame_images_make(application, &frame_layout_wide, &host, &images, &in_images));
  frame_memfds_make(&host, TRUE, &in_dmabufs);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    if (!cases[i].of_dmabufs)
      check_failure(cases[i].name, cases[i].functions, &host, &in_images, &images);
    if (application->has_dmabuf)
      check_failure(cases[i].name, cases[i].functions, &host, &in_dmabufs, NULL);
  }
  frame_memfds_close(&in_dmabufs);
}
END_TEST

/* ---- Dma-bufs ------------------------------------------------------------------------------- */

static void check_dmabufs(const FrameLayout *layout, guint width, guint height, guint padding,
                          gboolean in_one) {
  g_auto(FrameHost) host = frame_host_make(layout, width, height, padding);
  SwinFrame frame = host.frame;
  frame_memfds_make(&host, in_one, &frame);
  g_autoptr(SwinTransfer) transfer = swin_transfer_new(device);
  SwinRectangle regions[4];
  const guint n_regions = make_regions(width, height, regions);
  for (guint i = 0; i < n_regions; i++)
    check_transfer(transfer, &host, &frame, NULL, &regions[i]);
  frame_memfds_close(&frame);
}

static VkResult VKAPI_CALL refuse_import(G_GNUC_UNUSED VkDevice a,
                                         G_GNUC_UNUSED VkExternalMemoryHandleTypeFlagBits b,
                                         G_GNUC_UNUSED int c,
                                         G_GNUC_UNUSED VkMemoryFdPropertiesKHR *d) {
  return VK_ERROR_INVALID_EXTERNAL_HANDLE;
}

/* From now on dma-bufs have to be copied, as they have to be where the device lacks extensions. */
static void refuse_imports(void) {
  swin_device_functions(device)->GetMemoryFdPropertiesKHR = refuse_import;
}

START_TEST(test_dmabufs) {
  static const FrameLayout *const layouts[] = {&frame_layout_bgra,        &frame_layout_gray,
                                               &frame_layout_nv12,        &frame_layout_wide,
                                               &frame_layout_wide_chroma, &frame_layout_rgb};
  for (guint i = 0; i < 2 * G_N_ELEMENTS(sizes); i++) {
    const guint *size = sizes[i % G_N_ELEMENTS(sizes)];
    if (i == G_N_ELEMENTS(sizes))
      refuse_imports();
    check_dmabufs(layouts[_i], size[0], size[1], 0, FALSE);
    check_dmabufs(layouts[_i], size[0], size[1], 13, TRUE);
  }
}
END_TEST

/* More rows than one command takes, and no region that could take them at once. */
START_TEST(test_many_rows) {
  check_dmabufs(&frame_layout_gray, 12, 3001, 5, TRUE);
}
END_TEST

static void check_refused(const SwinFrame *frame, const SwinImageLayout *layout,
                          const gchar *named) {
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinTransfer) transfer = swin_transfer_new(device);
  g_autoptr(SwinBuffer) destination =
      swin_buffer_new(device, SWIN_BUFFER_UPLOAD, layout->size, NULL);
  ck_assert(!swin_transfer_load(transfer, frame, NULL, layout, destination, &error));
  ck_assert_msg(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME), "%s", error->message);
  ck_assert_msg(strstr(error->message, named) != NULL, "%s", error->message);
}

START_TEST(test_planes_beyond_the_end) {
  g_auto(FrameHost) host = frame_host_make(&frame_layout_nv12, 37, 23, 3);
  SwinFrame frame = host.frame;
  frame_memfds_make(&host, TRUE, &frame);
  const SwinRectangle all = {0, 0, 37, 23};
  const SwinImageLayout layout = swin_image_layout(&frame, &all);
  const guint64 offset = frame.dmabuf_offset[1];
  const gsize stride = frame.strides[0];
  for (guint i = 0; i < 2; i++) {
    /* Behind the last sample there are as many bytes as rows are padded with. */
    frame.dmabuf_offset[1] = offset + 4;
    check_refused(&frame, &layout, "plane 1");
    frame.dmabuf_offset[1] = G_MAXUINT64 - 5;
    check_refused(&frame, &layout, "plane 1");
    frame.dmabuf_offset[1] = offset;
    frame.strides[0] = G_MAXSIZE / 2;
    check_refused(&frame, &layout, "plane 0");
    frame.strides[0] = stride;
    refuse_imports();
  }
  frame_memfds_close(&frame);
}
END_TEST

/* A frame whose second plane is still being written; the pipe is nothing else that can be read. */
START_TEST(test_planes_that_are_not_written) {
  g_auto(FrameHost) host = frame_host_make(&frame_layout_nv12, 37, 23, 0);
  SwinFrame frame = host.frame;
  gint ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  frame_memfds_make(&host, FALSE, &frame);
  const SwinRectangle all = {0, 0, 37, 23};
  const SwinImageLayout layout = swin_image_layout(&frame, &all);
  const gint fd = frame.dmabuf[1];
  ck_assert(swin_transfer_can_load(&frame));
  frame.dmabuf[1] = ends[0];
  ck_assert(!swin_transfer_can_load(&frame));
  check_refused(&frame, &layout, "still being written");
  SwinFrame gray = frame;
  gray.model = SWIN_COLOR_GRAY;
  ck_assert(swin_transfer_can_load(&gray));
  gray.memory = SWIN_FRAME_MEMORY_HOST;
  ck_assert(swin_transfer_can_load(&gray));
  ck_assert_int_eq(write(ends[1], "x", 1), 1);
  ck_assert(swin_transfer_can_load(&frame));
  check_refused(&frame, &layout, "cannot read the frame's dma-buf");
  frame.dmabuf[1] = -1;
  ck_assert(swin_transfer_can_load(&frame));
  check_refused(&frame, &layout, "open for reading");
  frame.dmabuf[1] = fd;
  frame_memfds_close(&frame);
  close(ends[0]);
  close(ends[1]);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("transfer");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_loop_test(cases, test_images, 0, 7);
  tcase_add_test(cases, test_semaphore_is_waited_for);
  tcase_add_test(cases, test_images_shared_in_a_submission);
  tcase_add_test(cases, test_nothing_is_told_where_nothing_was_submitted);
  tcase_add_test(cases, test_failures);
  tcase_add_loop_test(cases, test_dmabufs, 0, 6);
  tcase_add_test(cases, test_many_rows);
  tcase_add_test(cases, test_planes_beyond_the_end);
  tcase_add_test(cases, test_planes_that_are_not_written);
  tcase_set_timeout(cases, 60);
  return run_cases("transfer", cases);
}
