// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/weights.h"

struct _SwinWeights {
  gatomicrefcount references;
  SwinBuffer *buffer;
  GArray *slices; /* of SwinWeightsSlice, one per operation */
};

static guint64 align(guint64 value, guint64 alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

static guint64 packed_bytes(const SwinPlan *plan, const SwinOperation *operation,
                            SwinDevice *device) {
  return operation->klass->packed_size
             ? operation->klass->packed_size(plan, operation, device) * sizeof(gfloat)
             : 0;
}

static guint64 place_slices(SwinWeights *weights, SwinDevice *device, const SwinPlan *plan) {
  const guint64 alignment = swin_device_get_limits(device)->storage_alignment;
  guint64 offset = 0;
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinWeightsSlice slice = {
        .offset = offset, .size = packed_bytes(plan, swin_plan_get_operation(plan, i), device)};
    g_array_append_val(weights->slices, slice);
    offset = align(offset + slice.size, alignment);
  }
  return offset;
}

/* One operation at a time, so that the host never holds a second copy of the whole model. */
static gboolean upload(SwinWeights *weights, SwinDevice *device, const SwinPlan *plan,
                       GError **error) {
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinOperation *operation = swin_plan_get_operation(plan, i);
    const SwinWeightsSlice *slice = &g_array_index(weights->slices, SwinWeightsSlice, i);
    if (slice->size == 0)
      continue;
    if (weights->buffer->mapped) {
      operation->klass->pack(plan, operation, device,
                             (gfloat *)((guint8 *)weights->buffer->mapped + slice->offset));
      continue;
    }
    g_autofree gfloat *values = g_try_malloc(slice->size);
    if (!values)
      return swin_device_check(device, VK_ERROR_OUT_OF_HOST_MEMORY, "packing weights", error);
    operation->klass->pack(plan, operation, device, values);
    if (!swin_buffer_write(weights->buffer, slice->offset, values, slice->size, error))
      return FALSE;
  }
  return !weights->buffer->mapped || swin_buffer_flush(weights->buffer, error);
}

SwinWeights *swin_weights_new(SwinDevice *device, const SwinPlan *plan, GError **error) {
  g_autoptr(SwinWeights) weights = g_new0(SwinWeights, 1);
  g_atomic_ref_count_init(&weights->references);
  weights->slices = g_array_new(FALSE, FALSE, sizeof(SwinWeightsSlice));
  const guint64 size = place_slices(weights, device, plan);
  weights->buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, size, error);
  if (!weights->buffer || !upload(weights, device, plan, error))
    return NULL;
  return g_steal_pointer(&weights);
}

SwinWeights *swin_weights_ref(SwinWeights *weights) {
  g_atomic_ref_count_inc(&weights->references);
  return weights;
}

void swin_weights_unref(SwinWeights *weights) {
  if (!weights || !g_atomic_ref_count_dec(&weights->references))
    return;
  swin_buffer_free(weights->buffer);
  g_array_unref(weights->slices);
  g_free(weights);
}

const SwinBuffer *swin_weights_get_buffer(const SwinWeights *weights) {
  return weights->buffer;
}

SwinWeightsSlice swin_weights_get_slice(const SwinWeights *weights, guint operation) {
  return g_array_index(weights->slices, SwinWeightsSlice, operation);
}
