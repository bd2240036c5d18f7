// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/extensions.h"

#include <string.h>

static const gchar *const wanted[] = {
    VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
    VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
    VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
};

/* A driver that cannot say what it has is taken to have nothing. */
static VkExtensionProperties *list_extensions(const SwinInstanceFunctions *functions,
                                              VkPhysicalDevice physical_device, guint *n_found) {
  uint32_t count = 0;
  VkResult result =
      functions->EnumerateDeviceExtensionProperties(physical_device, NULL, &count, NULL);
  VkExtensionProperties *found = g_new0(VkExtensionProperties, count + 1);
  if (result == VK_SUCCESS)
    result = functions->EnumerateDeviceExtensionProperties(physical_device, NULL, &count, found);
  *n_found = result == VK_SUCCESS || result == VK_INCOMPLETE ? count : 0;
  return found;
}

static gboolean has_extension(const VkExtensionProperties *found, guint n_found,
                              const gchar *name) {
  for (guint i = 0; i < n_found; i++)
    if (strcmp(found[i].extensionName, name) == 0)
      return TRUE;
  return FALSE;
}

const gchar **swin_extensions_choose(const SwinInstanceFunctions *functions,
                                     VkPhysicalDevice physical_device) {
  guint n_found = 0;
  g_autofree VkExtensionProperties *found = list_extensions(functions, physical_device, &n_found);
  const gchar **names = g_new0(const gchar *, G_N_ELEMENTS(wanted) + 1);
  guint n_names = 0;
  for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
    if (has_extension(found, n_found, wanted[i]))
      names[n_names++] = wanted[i];
  return names;
}

static gboolean can_import_dmabuf(const SwinInstanceFunctions *functions,
                                  VkPhysicalDevice physical_device) {
  const VkPhysicalDeviceExternalBufferInfo info = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
      .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
      .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
  };
  VkExternalBufferProperties properties = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
  functions->GetPhysicalDeviceExternalBufferProperties(physical_device, &info, &properties);
  return (properties.externalMemoryProperties.externalMemoryFeatures &
          VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) != 0;
}

SwinExtensions swin_extensions_read(const SwinInstanceFunctions *functions,
                                    VkPhysicalDevice physical_device, const gchar *const *names) {
  const gchar *const none[] = {NULL};
  if (!names)
    names = none;
  return (SwinExtensions){
      .dmabuf = g_strv_contains(names, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME) &&
                g_strv_contains(names, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME) &&
                can_import_dmabuf(functions, physical_device),
      .foreign_family = g_strv_contains(names, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME)
                            ? VK_QUEUE_FAMILY_FOREIGN_EXT
                            : VK_QUEUE_FAMILY_EXTERNAL,
  };
}
