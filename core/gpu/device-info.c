// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/instance.h"

#include <string.h>

const gchar *swin_device_kind_name(SwinDeviceKind kind) {
  switch (kind) {
  case SWIN_DEVICE_KIND_DISCRETE:
    return "discrete";
  case SWIN_DEVICE_KIND_INTEGRATED:
    return "integrated";
  case SWIN_DEVICE_KIND_VIRTUAL:
    return "virtual";
  case SWIN_DEVICE_KIND_CPU:
    return "cpu";
  case SWIN_DEVICE_KIND_OTHER:
    break;
  }
  return "other";
}

static SwinDeviceKind kind_of(VkPhysicalDeviceType type) {
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return SWIN_DEVICE_KIND_DISCRETE;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return SWIN_DEVICE_KIND_INTEGRATED;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
    return SWIN_DEVICE_KIND_VIRTUAL;
  case VK_PHYSICAL_DEVICE_TYPE_CPU:
    return SWIN_DEVICE_KIND_CPU;
  default:
    return SWIN_DEVICE_KIND_OTHER;
  }
}

static gboolean has_compute_queue(const SwinInstanceFunctions *functions,
                                  VkPhysicalDevice physical_device) {
  guint count = 0;
  g_autofree VkQueueFamilyProperties *families =
      swin_instance_queue_families(functions, physical_device, &count);
  for (guint i = 0; i < count; i++) {
    if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
      return TRUE;
  }
  return FALSE;
}

/* What the shaders take for granted beyond Vulkan 1.1's own minima: 8 bindings a set is one of
 * those minima, and so are 128 bytes of push constants. */
static gchar *refusal_of(const SwinInstanceFunctions *functions, VkPhysicalDevice physical_device,
                         const VkPhysicalDeviceProperties *properties) {
  const gchar *name = properties->deviceName;
  if (properties->apiVersion < VK_API_VERSION_1_1)
    return g_strdup_printf("%s supports only Vulkan %u.%u, and 1.1 is needed.", name,
                           VK_API_VERSION_MAJOR(properties->apiVersion),
                           VK_API_VERSION_MINOR(properties->apiVersion));
  if (!has_compute_queue(functions, physical_device))
    return g_strdup_printf("%s has no queue for compute shaders.", name);
  if (properties->limits.maxPerStageDescriptorStorageBuffers < 8)
    return g_strdup_printf("%s allows a shader only %u storage buffers, and 8 are needed.", name,
                           properties->limits.maxPerStageDescriptorStorageBuffers);
  return NULL;
}

SwinDeviceInfo *swin_device_info_new(const SwinInstanceFunctions *functions,
                                     VkPhysicalDevice physical_device, guint index) {
  VkPhysicalDeviceProperties basic;
  functions->GetPhysicalDeviceProperties(physical_device, &basic);

  SwinDeviceInfo *info = g_new0(SwinDeviceInfo, 1);
  info->index = index;
  info->kind = kind_of(basic.deviceType);
  info->name = g_utf8_make_valid(basic.deviceName, -1);
  info->api_version = basic.apiVersion;
  info->refusal = refusal_of(functions, physical_device, &basic);
  /* The two structs below are unknown to a driver of version 1.0, which is refused anyway. */
  VkPhysicalDeviceDriverProperties driver = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceIDProperties identity = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
                                           .pNext = &driver};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &identity};
  if (basic.apiVersion >= VK_API_VERSION_1_1)
    functions->GetPhysicalDeviceProperties2(physical_device, &properties);
  info->driver = driver.driverName[0]
                     ? g_strdup_printf("%s %s", driver.driverName, driver.driverInfo)
                     : g_strdup_printf("driver %u", basic.driverVersion);
  GString *uuid = g_string_new(NULL);
  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf(uuid, "%02x", identity.deviceUUID[i]);
  info->uuid = g_string_free(uuid, FALSE);
  return info;
}

void swin_device_info_free(SwinDeviceInfo *info) {
  if (!info)
    return;
  g_free(info->name);
  g_free(info->driver);
  g_free(info->uuid);
  g_free(info->refusal);
  g_free(info);
}

SwinDeviceInfo *swin_device_info_copy(const SwinDeviceInfo *info) {
  SwinDeviceInfo *copy = g_new(SwinDeviceInfo, 1);
  *copy = *info;
  copy->name = g_strdup(info->name);
  copy->driver = g_strdup(info->driver);
  copy->uuid = g_strdup(info->uuid);
  copy->refusal = g_strdup(info->refusal);
  return copy;
}

GPtrArray *swin_device_list(GError **error) {
  SwinInstance *instance = swin_instance_get(error);
  if (!instance)
    return NULL;
  GPtrArray *devices = swin_instance_describe(instance, NULL, error);
  swin_instance_unref(instance);
  return devices;
}

static gchar *list_names(const GPtrArray *devices) {
  GString *names = g_string_new(NULL);
  for (guint i = 0; i < devices->len; i++) {
    const SwinDeviceInfo *info = g_ptr_array_index(devices, i);
    g_string_append_printf(names, "%s%u: %s", i ? ", " : "", info->index, info->name);
  }
  return g_string_free(names, FALSE);
}

static gint choose_best(const GPtrArray *devices) {
  gint best = -1;
  for (guint i = 0; i < devices->len; i++) {
    const SwinDeviceInfo *info = g_ptr_array_index(devices, i);
    if (info->refusal)
      continue;
    if (best < 0 || info->kind < ((SwinDeviceInfo *)g_ptr_array_index(devices, best))->kind)
      best = (gint)i;
  }
  return best;
}

static gboolean contains_name(const gchar *name, const gchar *part) {
  g_autofree gchar *folded_name = g_utf8_casefold(name, -1);
  g_autofree gchar *folded_part = g_utf8_casefold(part, -1);
  return strstr(folded_name, folded_part) != NULL;
}

static gboolean matches_uuid(const gchar *uuid, const gchar *selector) {
  g_auto(GStrv) groups = g_strsplit(selector, "-", -1);
  g_autofree gchar *digits = g_strjoinv(NULL, groups);
  return g_ascii_strcasecmp(uuid, digits) == 0;
}

static gint choose_named(const GPtrArray *devices, const gchar *selector) {
  /* A UUID may consist of decimal digits alone, but an index is never that long. */
  guint64 index = 0;
  if (strlen(selector) < 2 * VK_UUID_SIZE &&
      g_ascii_string_to_unsigned(selector, 10, 0, G_MAXUINT, &index, NULL))
    return index < devices->len ? (gint)index : -1;
  for (guint i = 0; i < devices->len; i++) {
    const SwinDeviceInfo *info = g_ptr_array_index(devices, i);
    if (matches_uuid(info->uuid, selector))
      return (gint)i;
  }
  /* Of several that share the part of a name, one that can be used comes first. */
  gint refused = -1;
  for (guint i = 0; i < devices->len; i++) {
    const SwinDeviceInfo *info = g_ptr_array_index(devices, i);
    if (!contains_name(info->name, selector))
      continue;
    if (!info->refusal)
      return (gint)i;
    refused = refused < 0 ? (gint)i : refused;
  }
  return refused;
}

gint swin_device_choose(const GPtrArray *devices, const gchar *selector, GError **error) {
  if (!selector || !*selector)
    selector = g_getenv("SWIN_DEVICE");
  const gboolean named = selector && *selector;
  const gint chosen = named ? choose_named(devices, selector) : choose_best(devices);
  g_autofree gchar *names = list_names(devices);
  if (chosen < 0 && named) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "No Vulkan device matches \"%s\"; there is %s.", selector, names);
    return -1;
  }
  if (chosen < 0) {
    const SwinDeviceInfo *first = g_ptr_array_index(devices, 0);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE, "No Vulkan device can be used: %s",
                first->refusal);
    return -1;
  }
  const SwinDeviceInfo *info = g_ptr_array_index(devices, chosen);
  if (info->refusal) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_DEVICE, info->refusal);
    return -1;
  }
  return chosen;
}
