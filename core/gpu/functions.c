// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/functions.h"
#include "swin.h"

static gboolean missing(const gchar *name, GError **error) {
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
              "The Vulkan driver has no vk%s; it must support Vulkan 1.1.", name);
  return FALSE;
}

#define LOAD(name)                                                                                 \
  functions->name = (PFN_vk##name)get_proc_addr(handle, "vk" #name);                               \
  if (!functions->name)                                                                            \
    return missing(#name, error);

#define LOAD_IF_THERE(name) functions->name = (PFN_vk##name)get_proc_addr(handle, "vk" #name);

/* A driver may hand out functions of extensions that are not enabled, and they must not be used. */
#define LOAD_OPTIONAL(name, extension)                                                             \
  functions->name = extensions && g_strv_contains(extensions, extension)                           \
                        ? (PFN_vk##name)get_proc_addr(handle, "vk" #name)                          \
                        : NULL;

gboolean swin_instance_functions_load(SwinInstanceFunctions *functions,
                                      PFN_vkGetInstanceProcAddr get_proc_addr, VkInstance handle,
                                      GError **error) {
  SWIN_INSTANCE_FUNCTIONS(LOAD)
  SWIN_INSTANCE_OPTIONAL_FUNCTIONS(LOAD_IF_THERE)
  return TRUE;
}

gboolean swin_device_functions_load(SwinDeviceFunctions *functions,
                                    PFN_vkGetDeviceProcAddr get_proc_addr, VkDevice handle,
                                    const gchar *const *extensions, GError **error) {
  SWIN_DEVICE_FUNCTIONS(LOAD)
  SWIN_DEVICE_OPTIONAL_FUNCTIONS(LOAD_OPTIONAL)
  return TRUE;
}
