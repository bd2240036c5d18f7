// SPDX-License-Identifier: LGPL-2.1-or-later
/* Enumeration, choice and import of devices. */
#include "gpu/application.h"
#include "gpu/buffer.h"
#include "gpu/instance.h"
#include "gpu/recorder.h"
#include "run-cases.h"

#include <string.h>

static GPtrArray *make_devices(const SwinDeviceKind *kinds, guint n_kinds) {
  GPtrArray *devices = g_ptr_array_new_with_free_func((GDestroyNotify)swin_device_info_free);
  for (guint i = 0; i < n_kinds; i++) {
    SwinDeviceInfo *info = g_new0(SwinDeviceInfo, 1);
    info->index = i;
    info->kind = kinds[i];
    info->name = g_strdup_printf("Maker Model %u", i);
    info->driver = g_strdup("driver");
    info->uuid = g_strdup_printf("%032x", 0xabc0 + i);
    g_ptr_array_add(devices, info);
  }
  return devices;
}

static void refuse(GPtrArray *devices, guint index, const gchar *sentence) {
  ((SwinDeviceInfo *)g_ptr_array_index(devices, index))->refusal = g_strdup(sentence);
}

static const SwinDeviceKind mixed[] = {SWIN_DEVICE_KIND_CPU, SWIN_DEVICE_KIND_VIRTUAL,
                                       SWIN_DEVICE_KIND_INTEGRATED, SWIN_DEVICE_KIND_DISCRETE,
                                       SWIN_DEVICE_KIND_DISCRETE};

START_TEST(test_best_kind_comes_first) {
  g_autoptr(GPtrArray) devices = make_devices(mixed, G_N_ELEMENTS(mixed));
  g_unsetenv("SWIN_DEVICE");
  ck_assert_int_eq(swin_device_choose(devices, NULL, NULL), 3);
  refuse(devices, 3, "no");
  ck_assert_int_eq(swin_device_choose(devices, NULL, NULL), 4);
  refuse(devices, 4, "no");
  ck_assert_int_eq(swin_device_choose(devices, "", NULL), 2);
  refuse(devices, 2, "no");
  ck_assert_int_eq(swin_device_choose(devices, NULL, NULL), 1);
  refuse(devices, 1, "no");
  ck_assert_int_eq(swin_device_choose(devices, NULL, NULL), 0);
}
END_TEST

START_TEST(test_selectors) {
  g_autoptr(GPtrArray) devices = make_devices(mixed, G_N_ELEMENTS(mixed));
  ck_assert_int_eq(swin_device_choose(devices, "2", NULL), 2);
  ck_assert_int_eq(swin_device_choose(devices, "mODEL 1", NULL), 1);
  ck_assert_int_eq(swin_device_choose(devices, "0000000000000000000000000000ABC4", NULL), 4);
  ck_assert_int_eq(swin_device_choose(devices, "00000000-0000-0000-0000-00000000abc1", NULL), 1);
  g_setenv("SWIN_DEVICE", "1", TRUE);
  ck_assert_int_eq(swin_device_choose(devices, NULL, NULL), 1);
  ck_assert_int_eq(swin_device_choose(devices, "4", NULL), 4);
  g_unsetenv("SWIN_DEVICE");
}
END_TEST

START_TEST(test_unknown_selector_lists_devices) {
  g_autoptr(GPtrArray) devices = make_devices(mixed, 2);
  const gchar *unknown[] = {"2", "gizmo", "00000000000000000000000000000001"};
  for (guint i = 0; i < G_N_ELEMENTS(unknown); i++) {
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(swin_device_choose(devices, unknown[i], &error), -1);
    ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_DEVICE));
    ck_assert_ptr_nonnull(strstr(error->message, unknown[i]));
    ck_assert_ptr_nonnull(strstr(error->message, "Maker Model 1"));
  }
}
END_TEST

START_TEST(test_refused_device_says_why) {
  g_autoptr(GPtrArray) devices = make_devices(mixed, 1);
  refuse(devices, 0, "It has no sprockets.");
  g_autoptr(GError) named = NULL, best = NULL;
  ck_assert_int_eq(swin_device_choose(devices, "0", &named), -1);
  ck_assert_ptr_nonnull(strstr(named->message, "sprockets"));
  ck_assert_int_eq(swin_device_choose(devices, NULL, &best), -1);
  ck_assert_ptr_nonnull(strstr(best->message, "sprockets"));
}
END_TEST

START_TEST(test_same_device_is_shared) {
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinDevice) device = swin_device_open(NULL, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  const SwinDeviceInfo *info = swin_device_get_info(device);
  g_autoptr(SwinDevice) again = swin_device_open(info->uuid, NULL);
  ck_assert_ptr_eq(device, again);
  g_autoptr(GPtrArray) devices = swin_device_list(NULL);
  ck_assert_uint_lt(info->index, devices->len);
  const SwinDeviceInfo *listed = g_ptr_array_index(devices, info->index);
  ck_assert_str_eq(listed->name, info->name);
}
END_TEST

/* A copy from one mapped buffer to another, which goes through the queue. */
static void check_queue(SwinDevice *device) {
  const gchar text[] = "through the application's own queue";
  gchar back[sizeof(text)] = "";
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinBuffer) source = swin_buffer_new(device, SWIN_BUFFER_UPLOAD, sizeof(text), &error);
  g_autoptr(SwinBuffer) target =
      swin_buffer_new(device, SWIN_BUFFER_DOWNLOAD, sizeof(text), &error);
  ck_assert(source && target);
  ck_assert(swin_buffer_write(source, 0, text, sizeof(text), &error));
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, &error);
  ck_assert_ptr_nonnull(recorder);
  ck_assert(swin_recorder_copy(recorder, source, 0, target, 0, sizeof(text), &error));
  ck_assert(swin_recorder_finish(recorder, &error));
  ck_assert_msg(swin_recorder_run(recorder, &error), "%s", error ? error->message : "");
  ck_assert(swin_buffer_read(target, 0, back, sizeof(text), &error));
  ck_assert_str_eq(back, text);
}

static SwinDevice *import_device(const SwinDeviceImport *import) {
  g_autoptr(GError) error = NULL;
  SwinDevice *device = swin_device_import(import, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  return device;
}

static Application *locked; /* whose queue the functions below expect to be locked */
static guint n_uses;        /* of it */
static SwinDeviceFunctions real;

static VkResult VKAPI_CALL submit_locked(VkQueue queue, uint32_t count, const VkSubmitInfo *submits,
                                         VkFence fence) {
  n_uses++;
  ck_assert_int_eq(locked->n_locked, locked->n_unlocked + 1);
  return real.QueueSubmit(queue, count, submits, fence);
}

static VkResult VKAPI_CALL wait_idle_locked(VkQueue queue) {
  n_uses++;
  ck_assert_int_eq(locked->n_locked, locked->n_unlocked + 1);
  return real.QueueWaitIdle(queue);
}

START_TEST(test_imported_device_uses_the_locks) {
  g_autoptr(Application) application = application_new();
  SwinDevice *device = import_device(&application->import);
  real = *swin_device_functions(device);
  swin_device_functions(device)->QueueSubmit = submit_locked;
  swin_device_functions(device)->QueueWaitIdle = wait_idle_locked;
  locked = application;
  check_queue(device);
  swin_device_wait_idle(device);
  swin_device_unref(device);
  ck_assert_uint_eq(n_uses, 2);
  ck_assert_int_eq(application->n_locked, 2);
  ck_assert_int_eq(application->n_unlocked, 2);
}
END_TEST

START_TEST(test_import_without_locks) {
  g_autoptr(Application) application = application_new();
  application->import.lock_queue = NULL;
  application->import.unlock_queue = NULL;
  g_autoptr(SwinDevice) device = import_device(&application->import);
  check_queue(device);
}
END_TEST

START_TEST(test_same_queue_is_imported_once) {
  g_autoptr(Application) first = application_new();
  g_autoptr(Application) second = application_new();
  SwinDevice *device = import_device(&first->import);
  SwinDevice *again = import_device(&first->import);
  SwinDevice *other = import_device(&second->import);
  g_autoptr(SwinDevice) own = swin_device_open(NULL, NULL);
  ck_assert_ptr_eq(device, again);
  ck_assert_ptr_ne(device, other);
  ck_assert_ptr_ne(device, own);
  swin_device_unref(device);
  check_queue(again);
  swin_device_unref(again);
  check_queue(other);
  swin_device_unref(other);
  /* Nothing is left of it: what is imported now is as it is described now. */
  first->import.extensions = NULL;
  device = import_device(&first->import);
  ck_assert(!swin_device_takes_memory(device, SWIN_FRAME_MEMORY_DMABUF));
  swin_device_unref(device);
}
END_TEST

static void count(gpointer user_data) {
  (*(guint *)user_data)++;
}

START_TEST(test_import_is_given_back) {
  g_autoptr(Application) application = application_new();
  guint destroyed[3] = {0};
  SwinDeviceImport import = application->import;
  import.lock_queue = NULL;
  import.unlock_queue = NULL;
  import.destroy = count;
  import.user_data = &destroyed[0];
  SwinDevice *device = import_device(&import);
  import.user_data = &destroyed[1];
  SwinDevice *again = import_device(&import);
  ck_assert_uint_eq(destroyed[0], 0);
  ck_assert_uint_eq(destroyed[1], 1);
  swin_device_unref(device);
  ck_assert_uint_eq(destroyed[0], 0);
  swin_device_unref(again);
  import.user_data = &destroyed[2];
  import.queue_family = 99;
  ck_assert_ptr_null(swin_device_import(&import, NULL));
  ck_assert_uint_eq(destroyed[0], 1);
  ck_assert_uint_eq(destroyed[1], 1);
  ck_assert_uint_eq(destroyed[2], 0);
}
END_TEST

static VkResult VKAPI_CALL lose(G_GNUC_UNUSED VkQueue queue, G_GNUC_UNUSED uint32_t count,
                                G_GNUC_UNUSED const VkSubmitInfo *submits,
                                G_GNUC_UNUSED VkFence fence) {
  return VK_ERROR_DEVICE_LOST;
}

START_TEST(test_lost_device_is_not_shared) {
  g_autoptr(Application) application = application_new();
  SwinDevice *device = import_device(&application->import);
  swin_device_functions(device)->QueueSubmit = lose;
  g_autoptr(GError) error = NULL;
  const SwinSubmission empty = {0};
  for (guint i = 0; i < 2; i++) {
    g_clear_error(&error);
    swin_device_lock_queue(device);
    ck_assert(!swin_device_submit(device, &empty, VK_NULL_HANDLE, &error));
    swin_device_unlock_queue(device);
    ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_DEVICE_LOST));
  }
  SwinDevice *anew = import_device(&application->import);
  ck_assert_ptr_ne(device, anew);
  swin_device_unref(device);
  SwinDevice *again = import_device(&application->import);
  ck_assert_ptr_eq(anew, again);
  check_queue(anew);
  swin_device_unref(anew);
  swin_device_unref(again);
}
END_TEST

/* A driver has functions of an extension whether it is enabled or not. */
START_TEST(test_extensions_count_where_named) {
  static const gchar *const fd_alone[] = {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, NULL};
  static const gchar *const dmabuf_alone[] = {VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME, NULL};
  g_autoptr(Application) application = application_new();
  const struct {
    const gchar *const *names;
    gboolean dmabuf, foreign;
  } cases[] = {
      {NULL, FALSE, FALSE},
      {fd_alone, FALSE, FALSE},
      {dmabuf_alone, FALSE, FALSE},
      {application->extensions, application->has_dmabuf,
       g_strv_contains(application->extensions, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME)},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    application->import.extensions = cases[i].names;
    SwinDevice *device = import_device(&application->import);
    ck_assert_int_eq(swin_device_takes_memory(device, SWIN_FRAME_MEMORY_DMABUF), cases[i].dmabuf);
    ck_assert(swin_device_takes_memory(device, SWIN_FRAME_MEMORY_HOST));
    ck_assert(swin_device_takes_memory(device, SWIN_FRAME_MEMORY_IMAGE));
    ck_assert_uint_eq(swin_device_get_extensions(device)->foreign_family,
                      cases[i].foreign ? VK_QUEUE_FAMILY_FOREIGN_EXT : VK_QUEUE_FAMILY_EXTERNAL);
    if (!cases[i].names || cases[i].names == dmabuf_alone)
      ck_assert(!swin_device_functions(device)->GetMemoryFdPropertiesKHR);
    swin_device_unref(device);
  }
}
END_TEST

START_TEST(test_incomplete_import_is_refused) {
  g_autoptr(Application) application = application_new();
  const SwinDeviceImport complete = application->import;
  SwinDeviceImport imports[] = {complete, complete, complete, complete, complete, complete};
  const gchar *named[] = {"struct_size",  "get_proc_addr",        "physical_device",
                          "unlock_queue", "VK_QUEUE_COMPUTE_BIT", "Queue 99"};
  imports[0].struct_size = 0;
  imports[1].get_proc_addr = NULL;
  imports[2].device = VK_NULL_HANDLE;
  imports[3].unlock_queue = NULL;
  imports[4].queue_family = 99;
  imports[5].queue_index = 99;
  for (guint i = 0; i < G_N_ELEMENTS(imports); i++) {
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(swin_device_import(&imports[i], &error));
    ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_DEVICE));
    ck_assert_msg(strstr(error->message, named[i]) != NULL, "%s", error->message);
  }
}
END_TEST

/* What happens where device memory is not mapped: through staging memory. */
START_TEST(test_staged_write_and_read) {
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinDevice) device = swin_device_open(NULL, &error);
  g_autoptr(SwinBuffer) buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, 4096, &error);
  ck_assert_ptr_nonnull(buffer);
  guint32 values[256], back[256] = {0};
  for (guint32 i = 0; i < G_N_ELEMENTS(values); i++)
    values[i] = i * 2654435761u;
  gpointer mapped = buffer->mapped;
  buffer->mapped = NULL;
  ck_assert(swin_buffer_write(buffer, 512, values, sizeof(values), &error));
  ck_assert(swin_buffer_read(buffer, 512, back, sizeof(back), &error));
  ck_assert_mem_eq(values, back, sizeof(values));
  buffer->mapped = mapped;
}
END_TEST

static VkResult VKAPI_CALL no_memory(G_GNUC_UNUSED VkDevice device,
                                     G_GNUC_UNUSED const VkMemoryAllocateInfo *info,
                                     G_GNUC_UNUSED const VkAllocationCallbacks *callbacks,
                                     G_GNUC_UNUSED VkDeviceMemory *memory) {
  return VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

START_TEST(test_short_memory_is_an_error) {
  g_autoptr(SwinDevice) device = swin_device_open(NULL, NULL);
  const SwinDeviceFunctions saved = *swin_device_functions(device);
  swin_device_functions(device)->AllocateMemory = no_memory;
  g_autoptr(GError) error = NULL;
  ck_assert_ptr_null(swin_buffer_new(device, SWIN_BUFFER_DEVICE, 64, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY));
  *swin_device_functions(device) = saved;
}
END_TEST

/* A second type of memory, which is the first one by another index; that has no room. */

static SwinDeviceFunctions real;

static void VKAPI_CALL allow_two_types(VkDevice handle, VkBuffer buffer,
                                       VkMemoryRequirements *requirements) {
  real.GetBufferMemoryRequirements(handle, buffer, requirements);
  requirements->memoryTypeBits = 3;
}

static VkResult VKAPI_CALL allocate_of_second(VkDevice handle, const VkMemoryAllocateInfo *info,
                                              const VkAllocationCallbacks *allocator,
                                              VkDeviceMemory *memory) {
  VkMemoryAllocateInfo first = *info;
  if (info->memoryTypeIndex == 0)
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  first.memoryTypeIndex = 0;
  return real.AllocateMemory(handle, &first, allocator, memory);
}

START_TEST(test_uploads_take_what_memory_is_left) {
  g_autoptr(SwinDevice) device = swin_device_open(NULL, NULL);
  VkPhysicalDeviceMemoryProperties *memory =
      (VkPhysicalDeviceMemoryProperties *)swin_device_get_memory(device);
  const VkPhysicalDeviceMemoryProperties saved = *memory;
  memory->memoryTypeCount = 2;
  memory->memoryTypes[1] = memory->memoryTypes[0];
  real = *swin_device_functions(device);
  swin_device_functions(device)->GetBufferMemoryRequirements = allow_two_types;
  swin_device_functions(device)->AllocateMemory = allocate_of_second;
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinBuffer) upload = swin_buffer_new(device, SWIN_BUFFER_UPLOAD, 64, &error);
  ck_assert_msg(upload != NULL && upload->mapped != NULL, "%s", error ? error->message : "");
  ck_assert_ptr_null(swin_buffer_new(device, SWIN_BUFFER_DEVICE, 64, &error));
  ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY));
  *swin_device_functions(device) = real;
  *memory = saved;
}
END_TEST

gint main(void) {
  TCase *cases = tcase_create("device");
  tcase_add_test(cases, test_best_kind_comes_first);
  tcase_add_test(cases, test_selectors);
  tcase_add_test(cases, test_unknown_selector_lists_devices);
  tcase_add_test(cases, test_refused_device_says_why);
  tcase_add_test(cases, test_same_device_is_shared);
  tcase_add_test(cases, test_imported_device_uses_the_locks);
  tcase_add_test(cases, test_import_without_locks);
  tcase_add_test(cases, test_same_queue_is_imported_once);
  tcase_add_test(cases, test_import_is_given_back);
  tcase_add_test(cases, test_lost_device_is_not_shared);
  tcase_add_test(cases, test_extensions_count_where_named);
  tcase_add_test(cases, test_incomplete_import_is_refused);
  tcase_add_test(cases, test_staged_write_and_read);
  tcase_add_test(cases, test_short_memory_is_an_error);
  tcase_add_test(cases, test_uploads_take_what_memory_is_left);
  tcase_set_timeout(cases, 60);
  return run_cases("device", cases);
}
