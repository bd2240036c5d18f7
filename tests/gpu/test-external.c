// SPDX-License-Identifier: LGPL-2.1-or-later
/* Dma-bufs as buffers: memfds stand in for them on software devices, which map either, and for the
 * processor; and a pipe for one that is still being written. */
#include "gpu/application.h"
#include "gpu/external.h"
#include "gpu/recorder.h"
#include "run-cases.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static Application *application;
static SwinDevice *own, *imported;

static void setup(void) {
  g_autoptr(GError) error = NULL;
  application = application_new();
  own = swin_device_open(NULL, &error);
  imported = own ? swin_device_import(&application->import, &error) : NULL;
  ck_assert_msg(imported != NULL, "%s", error ? error->message : "");
}

static void teardown(void) {
  g_clear_pointer(&own, swin_device_unref);
  g_clear_pointer(&imported, swin_device_unref);
  g_clear_pointer(&application, application_free);
}

static guint8 *make_bytes(gsize size, guint32 seed) {
  g_autoptr(GRand) random = g_rand_new_with_seed(seed);
  guint8 *bytes = g_malloc(size);
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)g_rand_int(random);
  return bytes;
}

static void check_contents(SwinBuffer *buffer, const guint8 *bytes, gsize size) {
  g_autoptr(GError) error = NULL;
  g_autofree guint8 *back = g_malloc0(size);
  ck_assert_uint_eq(buffer->size, size);
  ck_assert_msg(swin_buffer_read(buffer, 0, back, size, &error), "%s", error ? error->message : "");
  ck_assert_mem_eq(bytes, back, size);
}

static guint count_descriptors(void) {
  g_autoptr(GDir) directory = g_dir_open("/proc/self/fd", 0, NULL);
  guint count = 0;
  while (g_dir_read_name(directory))
    count++;
  return count;
}

/* Sizes that are no multiple of a page or of 4; the descriptor may be closed behind the import, and
 * what is written through another one is seen. */
START_TEST(test_contents) {
  static const gsize sizes[] = {4096, 1, 1683, 4099, 100000};
  SwinDevice *devices[] = {own, imported};
  for (guint d = 0; d < G_N_ELEMENTS(devices); d++) {
    if (!swin_device_takes_memory(devices[d], SWIN_FRAME_MEMORY_DMABUF))
      continue;
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
      g_autoptr(GError) error = NULL;
      g_autofree guint8 *bytes = make_bytes(sizes[i], i);
      const gint fd = application_memfd(bytes, sizes[i]);
      const gint writer = dup(fd);
      g_autoptr(SwinBuffer) buffer = swin_external_import_dmabuf(devices[d], fd, &error);
      ck_assert_msg(buffer != NULL, "%s", error ? error->message : "");
      ck_assert_int_eq(close(fd), 0);
      check_contents(buffer, bytes, sizes[i]);
      bytes[sizes[i] / 2] ^= 255;
      ck_assert_int_eq(pwrite(writer, bytes, sizes[i], 0), (gssize)sizes[i]);
      close(writer);
      check_contents(buffer, bytes, sizes[i]);
    }
  }
}
END_TEST

START_TEST(test_descriptor_stays_the_callers) {
  const guint8 bytes[64] = {1};
  const gint fd = application_memfd(bytes, sizeof(bytes));
  const guint before = count_descriptors();
  for (guint i = 0; i < 20; i++)
    swin_buffer_free(swin_external_import_dmabuf(own, fd, NULL));
  ck_assert_uint_eq(count_descriptors(), before);
  ck_assert_int_eq(close(fd), 0);
}
END_TEST

static void check_refused(SwinDevice *device, gint fd, SwinError code, const gchar *named) {
  g_autoptr(GError) error = NULL;
  const guint before = count_descriptors();
  ck_assert_ptr_null(swin_external_import_dmabuf(device, fd, &error));
  ck_assert_msg(g_error_matches(error, SWIN_ERROR, (gint)code), "%s", error ? error->message : "");
  ck_assert_msg(strstr(error->message, named) != NULL, "%s", error->message);
  ck_assert_uint_eq(count_descriptors(), before);
}

/* Mesa of Debian 12 has no dma-bufs, and an application may not have enabled them. */
START_TEST(test_refused_without_extensions) {
  const guint8 bytes[64] = {1};
  const gint fd = application_memfd(bytes, sizeof(bytes));
  swin_device_unref(imported);
  application->import.extensions = NULL;
  imported = swin_device_import(&application->import, NULL);
  check_refused(imported, fd, SWIN_ERROR_FRAME, "VK_EXT_external_memory_dma_buf");
  if (!application->has_dmabuf)
    check_refused(own, fd, SWIN_ERROR_FRAME, "VK_EXT_external_memory_dma_buf");
  close(fd);
}
END_TEST

static VkResult VKAPI_CALL no_memory(G_GNUC_UNUSED VkDevice device,
                                     G_GNUC_UNUSED const VkMemoryAllocateInfo *info,
                                     G_GNUC_UNUSED const VkAllocationCallbacks *callbacks,
                                     G_GNUC_UNUSED VkDeviceMemory *memory) {
  return VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

START_TEST(test_what_cannot_be_imported) {
  if (!application->has_dmabuf)
    return;
  const guint8 bytes[64] = {1};
  gint ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  const gint fd = application_memfd(bytes, sizeof(bytes));
  g_autofree gchar *path = g_strdup_printf("/proc/self/fd/%d", fd);
  const gint read_only = open(path, O_RDONLY | O_CLOEXEC);
  ck_assert_int_ge(read_only, 0);
  check_refused(own, -1, SWIN_ERROR_FRAME, "size");
  check_refused(own, ends[0], SWIN_ERROR_FRAME, "size");
  check_refused(own, read_only, SWIN_ERROR_FRAME, "cannot import");
  swin_device_functions(own)->AllocateMemory = no_memory;
  check_refused(own, fd, SWIN_ERROR_OUT_OF_MEMORY, "memory");
  close(ends[0]);
  close(ends[1]);
  close(read_only);
  close(fd);
}
END_TEST

/* Copies are made on any device, of what cannot be imported too, and with the bytes of then. */
START_TEST(test_copies) {
  static const gsize sizes[] = {4096, 1, 1683, 4099};
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *bytes = make_bytes(sizes[i], i);
    const gint fd = application_memfd(bytes, sizes[i]);
    g_autofree gchar *path = g_strdup_printf("/proc/self/fd/%d", fd);
    const gint read_only = open(path, O_RDONLY | O_CLOEXEC);
    const guint before = count_descriptors();
    g_autoptr(SwinBuffer) buffer = swin_external_copy_dmabuf(own, read_only, &error);
    ck_assert_msg(buffer != NULL, "%s", error ? error->message : "");
    ck_assert_uint_eq(count_descriptors(), before);
    ck_assert_int_eq(pwrite(fd, "other", MIN(5, sizes[i]), 0), (gssize)MIN(5, sizes[i]));
    close(fd);
    close(read_only);
    check_contents(buffer, bytes, sizes[i]);
  }
}
END_TEST

static void check_not_copied(gint fd, const gchar *named) {
  g_autoptr(GError) error = NULL;
  ck_assert_ptr_null(swin_external_copy_dmabuf(own, fd, &error));
  ck_assert_msg(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME), "%s", error->message);
  ck_assert_msg(strstr(error->message, named) != NULL, "%s", error->message);
}

START_TEST(test_what_cannot_be_copied) {
  gint ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  const gint fd = application_memfd("x", 1);
  g_autofree gchar *path = g_strdup_printf("/proc/self/fd/%d", fd);
  const gint write_only = open(path, O_WRONLY | O_CLOEXEC);
  ck_assert_int_ge(write_only, 0);
  check_not_copied(-1, "size");
  check_not_copied(ends[0], "size");
  check_not_copied(write_only, "cannot map");
  close(write_only);
  close(ends[0]);
  close(ends[1]);
  close(fd);
}
END_TEST

START_TEST(test_writers) {
  gint ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  ck_assert_int_eq(swin_external_poll_dmabuf(ends[0]), SWIN_WRITING_GOES_ON);
  ck_assert_int_eq(write(ends[1], "x", 1), 1);
  ck_assert_int_eq(swin_external_poll_dmabuf(ends[0]), SWIN_WRITING_IS_DONE);
  close(ends[0]);
  close(ends[1]);
  ck_assert_int_eq(swin_external_poll_dmabuf(ends[0]), SWIN_WRITING_IS_UNKNOWN);
  ck_assert_int_eq(swin_external_poll_dmabuf(-1), SWIN_WRITING_IS_UNKNOWN);
  const gint fd = application_memfd("x", 1);
  ck_assert_int_eq(swin_external_poll_dmabuf(fd), SWIN_WRITING_IS_DONE);
  close(fd);
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("external");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_contents);
  tcase_add_test(cases, test_descriptor_stays_the_callers);
  tcase_add_test(cases, test_refused_without_extensions);
  tcase_add_test(cases, test_what_cannot_be_imported);
  tcase_add_test(cases, test_copies);
  tcase_add_test(cases, test_what_cannot_be_copied);
  tcase_add_test(cases, test_writers);
  tcase_set_timeout(cases, 60);
  return run_cases("external", cases);
}
