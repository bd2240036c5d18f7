// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"
#include "gpu/device.h"

/* (transfer full): opened, to see what it can do; NULL where it cannot be used or opened. */
static SwinDevice *open_listed(const SwinDeviceInfo *info) {
  g_autofree gchar *selector = g_strdup_printf("%u", info->index);
  return info->refusal ? NULL : swin_device_open(selector, NULL);
}

static gboolean has_half(SwinDevice *device) {
  return swin_device_get_precision(device, SWIN_PRECISION_FP16) == SWIN_PRECISION_FP16;
}

static const gchar *default_precision(SwinDevice *device) {
  return swin_command_precision_name(swin_device_get_precision(device, SWIN_PRECISION_AUTO));
}

/* ---- Text ----------------------------------------------------------------------------------- */

static void print_abilities(SwinDevice *device) {
  const SwinExtensions *extensions = swin_device_get_extensions(device);
  g_print("   precision  %s (auto: %s)\n", has_half(device) ? "fp32 or fp16" : "fp32",
          default_precision(device));
  g_print("   matrices   ");
  for (guint i = 0; i < extensions->n_matrix_shapes; i++) {
    const SwinMatrixShape *shape = &extensions->matrix_shapes[i];
    g_print("%s%ux%ux%u", i > 0 ? ", " : "", shape->m, shape->n, shape->k);
  }
  g_print("%s\n", extensions->n_matrix_shapes > 0 ? " (m x n x k, fp16 summed in fp32)" : "none");
}

static void print_text(const GPtrArray *devices) {
  for (guint i = 0; i < devices->len; i++) {
    const SwinDeviceInfo *info = g_ptr_array_index(devices, i);
    g_print("%u: %s (%s)\n   driver     %s\n   uuid       %s\n   vulkan     %u.%u.%u\n",
            info->index, info->name, swin_device_kind_name(info->kind), info->driver, info->uuid,
            VK_API_VERSION_MAJOR(info->api_version), VK_API_VERSION_MINOR(info->api_version),
            VK_API_VERSION_PATCH(info->api_version));
    if (info->refusal)
      g_print("   cannot be used: %s\n", info->refusal);
    g_autoptr(SwinDevice) device = open_listed(info);
    if (device)
      print_abilities(device);
  }
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void add_abilities(JsonBuilder *builder, SwinDevice *device) {
  const SwinExtensions *extensions = swin_device_get_extensions(device);
  json_builder_set_member_name(builder, "precisions");
  json_builder_begin_array(builder);
  json_builder_add_string_value(builder, "fp32");
  if (has_half(device))
    json_builder_add_string_value(builder, "fp16");
  json_builder_end_array(builder);
  json_builder_set_member_name(builder, "precision_auto");
  json_builder_add_string_value(builder, default_precision(device));
  json_builder_set_member_name(builder, "subgroup_size");
  json_builder_add_int_value(builder, swin_device_get_limits(device)->subgroup_size);
  json_builder_set_member_name(builder, "matrix_shapes");
  json_builder_begin_array(builder);
  for (guint i = 0; i < extensions->n_matrix_shapes; i++) {
    const SwinMatrixShape *shape = &extensions->matrix_shapes[i];
    json_builder_begin_array(builder);
    json_builder_add_int_value(builder, shape->m);
    json_builder_add_int_value(builder, shape->n);
    json_builder_add_int_value(builder, shape->k);
    json_builder_end_array(builder);
  }
  json_builder_end_array(builder);
}

static void print_json(const GPtrArray *devices) {
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_array(builder);
  for (guint i = 0; i < devices->len; i++) {
    const SwinDeviceInfo *info = g_ptr_array_index(devices, i);
    g_autoptr(SwinDevice) device = open_listed(info);
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
    if (device)
      add_abilities(builder, device);
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
  if (!swin_command_parse(&argc, &argv, "",
                          "Lists the Vulkan devices, in the loader's order, and what networks can "
                          "be computed in on each.",
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
