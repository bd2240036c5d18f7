// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * canary: two dependent operations of a real network, with every barrier left out ("within" one
 * submission or "across" two) or in place ("sound"). The validation layer must report the first two
 * and keep silent about the third; otherwise its silence elsewhere means nothing.
 */
#include "network/network.h"

#include <string.h>

static SwinNetwork *make_network(SwinDevice *device, SwinModel *model, GError **error) {
  const guint64 shape[] = {1, 3, 16, 16};
  SwinPlan *plan = swin_plan_new(model, SWIN_STORAGE_F32);
  const gint input = swin_plan_add_input(plan, "input", SWIN_STORAGE_F32, 4, shape);
  const gint patches = swin_plan_add_patch_partition(plan, "patches", input, 4, FALSE);
  const gint pooled = swin_plan_add_mean_pool(plan, "pooled", patches, 0, 0, NULL, 0);
  swin_plan_mark_output(plan, pooled, "pooled");
  swin_plan_finish(plan, swin_network_alignment(device), 0);
  g_autoptr(SwinWeights) weights = swin_weights_new(device, plan, error);
  if (weights)
    return swin_network_new(device, plan, weights, NULL, error);
  swin_plan_free(plan);
  return NULL;
}

static gboolean submit_commands(SwinDevice *device, SwinRecorder *recorder, GError **error) {
  const SwinSubmission submission = {.n_commands = 1,
                                     .commands = {swin_recorder_get_command_buffer(recorder)}};
  swin_device_lock_queue(device);
  const gboolean submitted = swin_device_submit(device, &submission, VK_NULL_HANDLE, error);
  swin_device_unlock_queue(device);
  return submitted;
}

/* A recording of the whole network; submitted without waiting. */
static SwinRecorder *submit(SwinNetwork *network, SwinDevice *device, SwinRecorderFlags flags,
                            GError **error) {
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, flags, error);
  if (!recorder || !swin_network_record(network, recorder, NULL, error) ||
      !swin_recorder_finish(recorder, error))
    return NULL;
  return submit_commands(device, recorder, error) ? g_steal_pointer(&recorder) : NULL;
}

/* Across submissions, the second one copies what the first one wrote, each sound in itself. */
static gboolean read_behind(SwinNetwork *network, SwinDevice *device, SwinRecorderFlags flags,
                            GError **error) {
  const SwinBinding pooled = swin_network_tensor(
      network, swin_plan_find(swin_network_get_plan(network), "pooled"), SWIN_ACCESS_READ);
  g_autoptr(SwinBuffer) target = swin_buffer_new(device, SWIN_BUFFER_DEVICE, pooled.size, error);
  g_autoptr(SwinRecorder) writer = swin_recorder_new(device, flags, error);
  g_autoptr(SwinRecorder) reader = swin_recorder_new(device, flags, error);
  if (!target || !writer || !reader ||
      !swin_recorder_copy(writer, target, 0, pooled.buffer, pooled.offset, pooled.size, error) ||
      !swin_recorder_copy(reader, pooled.buffer, pooled.offset, target, 0, pooled.size, error) ||
      !swin_recorder_finish(writer, error) || !swin_recorder_finish(reader, error))
    return FALSE;
  const gboolean submitted =
      submit_commands(device, writer, error) && submit_commands(device, reader, error);
  swin_device_wait_idle(device);
  return submitted;
}

static gboolean run(const gchar *mode, GError **error) {
  const gboolean sound = strcmp(mode, "sound") == 0;
  const SwinRecorderFlags flags = sound ? SWIN_RECORDER_DEFAULT : SWIN_RECORDER_NO_BARRIERS;
  g_autoptr(SwinDevice) device = swin_device_open(NULL, error);
  g_autoptr(SwinNetwork) network = device ? make_network(device, NULL, error) : NULL;
  if (!network)
    return FALSE;
  if (sound || strcmp(mode, "within") == 0) {
    g_autoptr(SwinRecorder) recorder = submit(network, device, flags, error);
    swin_device_wait_idle(device);
    if (!recorder)
      return FALSE;
  }
  return strcmp(mode, "within") == 0 || read_behind(network, device, flags, error);
}

gint main(gint argc, gchar **argv) {
  g_autoptr(GError) error = NULL;
  if (argc == 2 && run(argv[1], &error))
    return 0;
  g_printerr("%s\n", error ? error->message : "Usage: canary within|across|sound");
  return 1;
}
