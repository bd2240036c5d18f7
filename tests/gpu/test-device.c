// SPDX-License-Identifier: LGPL-2.1-or-later
/* Enumeration, choice and import of devices. */
#include "gpu/buffer.h"
#include "gpu/instance.h"
#include "gpu/recorder.h"
#include "run-cases.h"

#include <string.h>
#include <vulkan/vulkan.h>

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

static VkInstance create_instance(void) {
  const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                         .apiVersion = VK_API_VERSION_1_1};
  const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                     .pApplicationInfo = &application};
  VkInstance instance = VK_NULL_HANDLE;
  ck_assert_int_eq(vkCreateInstance(&info, NULL, &instance), VK_SUCCESS);
  return instance;
}

static VkDevice create_device(VkPhysicalDevice physical_device) {
  const float priority = 1.0f;
  const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                         .queueCount = 1,
                                         .pQueuePriorities = &priority};
  const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                   .queueCreateInfoCount = 1,
                                   .pQueueCreateInfos = &queue};
  VkDevice device = VK_NULL_HANDLE;
  ck_assert_int_eq(vkCreateDevice(physical_device, &info, NULL, &device), VK_SUCCESS);
  return device;
}

typedef struct {
  gint locked, unlocked;
} Locks;

static void lock(gpointer user_data) {
  ((Locks *)user_data)->locked++;
}

static void unlock(gpointer user_data) {
  ((Locks *)user_data)->unlocked++;
}

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

START_TEST(test_imported_device_uses_the_locks) {
  VkInstance instance = create_instance();
  uint32_t count = 1;
  VkPhysicalDevice physical_device = VK_NULL_HANDLE;
  ck_assert_int_ge(vkEnumeratePhysicalDevices(instance, &count, &physical_device), 0);
  VkDevice handle = create_device(physical_device);
  Locks locks = {0, 0};
  SwinDeviceImport import = SWIN_DEVICE_IMPORT_INIT;
  import.get_proc_addr = vkGetInstanceProcAddr;
  import.instance = instance;
  import.physical_device = physical_device;
  import.device = handle;
  import.lock_queue = lock;
  import.unlock_queue = unlock;
  import.user_data = &locks;
  g_autoptr(GError) error = NULL;
  SwinDevice *device = swin_device_import(&import, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  check_queue(device);
  swin_device_unref(device);
  ck_assert_int_ge(locks.locked, 1);
  ck_assert_int_eq(locks.locked, locks.unlocked);
  vkDestroyDevice(handle, NULL);
  vkDestroyInstance(instance, NULL);
}
END_TEST

START_TEST(test_incomplete_import_is_refused) {
  VkInstance instance = create_instance();
  SwinDeviceImport complete = SWIN_DEVICE_IMPORT_INIT;
  complete.get_proc_addr = vkGetInstanceProcAddr;
  complete.instance = instance;
  uint32_t count = 1;
  vkEnumeratePhysicalDevices(instance, &count, &complete.physical_device);
  complete.device = create_device(complete.physical_device);
  SwinDeviceImport imports[] = {complete, complete, complete, complete, complete, complete};
  const gchar *named[] = {"struct_size",  "get_proc_addr",        "physical_device",
                          "unlock_queue", "VK_QUEUE_COMPUTE_BIT", "Queue 99"};
  imports[0].struct_size = 0;
  imports[1].get_proc_addr = NULL;
  imports[2].device = VK_NULL_HANDLE;
  imports[3].lock_queue = lock;
  imports[4].queue_family = 99;
  imports[5].queue_index = 99;
  for (guint i = 0; i < G_N_ELEMENTS(imports); i++) {
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(swin_device_import(&imports[i], &error));
    ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_DEVICE));
    ck_assert_msg(strstr(error->message, named[i]) != NULL, "%s", error->message);
  }
  vkDestroyDevice(complete.device, NULL);
  vkDestroyInstance(instance, NULL);
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

gint main(void) {
  TCase *cases = tcase_create("device");
  tcase_add_test(cases, test_best_kind_comes_first);
  tcase_add_test(cases, test_selectors);
  tcase_add_test(cases, test_unknown_selector_lists_devices);
  tcase_add_test(cases, test_refused_device_says_why);
  tcase_add_test(cases, test_same_device_is_shared);
  tcase_add_test(cases, test_imported_device_uses_the_locks);
  tcase_add_test(cases, test_incomplete_import_is_refused);
  tcase_add_test(cases, test_staged_write_and_read);
  tcase_add_test(cases, test_short_memory_is_an_error);
  tcase_set_timeout(cases, 60);
  return run_cases("device", cases);
}
