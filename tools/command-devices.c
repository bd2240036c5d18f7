// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"

static void print_text(const GPtrArray *devices) {
  for (guint i = 0; i < devices->len; i++) {
    const SwinDeviceInfo *info = g_ptr_array_index(devices, i);
    g_print("%u: %s (%s)\n   driver  %s\n   uuid    %s\n   vulkan  %u.%u.%u\n", info->index,
            info->name, swin_device_kind_name(info->kind), info->driver, info->uuid,
            VK_API_VERSION_MAJOR(info->api_version), VK_API_VERSION_MINOR(info->api_version),
            VK_API_VERSION_PATCH(info->api_version));
    if (info->refusal)
      g_print("   cannot be used: %s\n", info->refusal);
  }
}

static void print_json(const GPtrArray *devices) {
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_array(builder);
  for (guint i = 0; i < devices->len; i++) {
    const SwinDeviceInfo *info = g_ptr_array_index(devices, i);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "index");
    json_builder_add_int_value(builder, info->index);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, info->name);
    json_builder_set_member_name(builder, "kind");
    json_builder_add_string_value(builder, swin_device_kind_name(info->kind));
    json_builder_set_member_name(builder, "driver");
    json_builder_add_string_value(builder, info->driver);
    json_builder_set_member_name(builder, "uuid");
    json_builder_add_string_value(builder, info->uuid);
    json_builder_set_member_name(builder, "usable");
    json_builder_add_boolean_value(builder, info->refusal == NULL);
    json_builder_set_member_name(builder, "refusal");
    json_builder_add_string_value(builder, info->refusal);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
  swin_command_print_json(builder);
}

gboolean swin_command_devices(gint argc, gchar **argv, GError **error) {
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(&argc, &argv, "", "Lists the Vulkan devices, in the loader's order.",
                          entries, 0, error))
    return FALSE;
  g_autoptr(GPtrArray) devices = swin_device_list(error);
  if (!devices)
    return FALSE;
  if (json)
    print_json(devices);
  else
    print_text(devices);
  return TRUE;
}
