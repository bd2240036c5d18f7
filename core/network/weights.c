// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/weights.h"
#include "model/parallel.h"
#include "registry.h"

struct _SwinWeights {
  SwinShared shared;
  SwinModel *model; /* (nullable): whose they are in the registry */
  SwinBuffer *buffer;
  GArray *slices; /* of SwinWeightsSlice, one per operation */
};

static SwinRegistry resident;

static guint64 align(guint64 value, guint64 alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

static guint64 packed_bytes(const SwinPlan *plan, const SwinOperation *operation,
                            SwinDevice *device) {
  return operation->klass->packed_size ? operation->klass->packed_size(plan, operation, device) : 0;
}

static guint64 place_slices(SwinWeights *weights, SwinDevice *device, const SwinPlan *plan) {
  const guint64 alignment =
      MAX(swin_device_get_limits(device)->storage_alignment, SWIN_VECTOR_SIZE);
  guint64 offset = 0;
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinWeightsSlice slice = {
        .offset = offset, .size = packed_bytes(plan, swin_plan_get_operation(plan, i), device)};
    g_array_append_val(weights->slices, slice);
    offset = align(offset + slice.size, alignment);
  }
  return offset;
}

/** Packing: what the threads that pack weights share. */
typedef struct {
  SwinWeights *weights;
  SwinDevice *device;
  const SwinPlan *plan;
} Packing;

static void pack_in_place(guint index, gpointer data) {
  const Packing *packing = data;
  const SwinWeightsSlice slice = swin_weights_get_slice(packing->weights, index);
  const SwinOperation *operation = swin_plan_get_operation(packing->plan, index);
  if (slice.size > 0)
    operation->klass->pack(packing->plan, operation, packing->device,
                           (guint8 *)packing->weights->buffer->mapped + slice.offset);
}

/* One operation at a time, so that the host never holds a second copy of the whole model. */
static gboolean upload_one(const Packing *packing, guint index, GError **error) {
  const SwinWeightsSlice slice = swin_weights_get_slice(packing->weights, index);
  const SwinOperation *operation = swin_plan_get_operation(packing->plan, index);
  if (slice.size == 0)
    return TRUE;
  g_autofree gpointer packed = g_try_malloc(slice.size);
  if (!packed)
    return swin_device_check(packing->device, VK_ERROR_OUT_OF_HOST_MEMORY, "packing weights",
                             error);
  operation->klass->pack(packing->plan, operation, packing->device, packed);
  return swin_buffer_write(packing->weights->buffer, slice.offset, packed, slice.size, error);
}

static gboolean upload(SwinWeights *weights, SwinDevice *device, const SwinPlan *plan,
                       GError **error) {
  Packing packing = {weights, device, plan};
  const guint n_operations = swin_plan_get_n_operations(plan);
  if (weights->buffer->mapped) {
    swin_parallel_for(n_operations, pack_in_place, &packing);
    return swin_buffer_flush(weights->buffer, error);
  }
  for (guint i = 0; i < n_operations; i++) {
    if (!upload_one(&packing, i, error))
      return FALSE;
  }
  return TRUE;
}

SwinWeights *swin_weights_new(SwinDevice *device, const SwinPlan *plan, GError **error) {
  g_autoptr(SwinWeights) weights = g_new0(SwinWeights, 1);
  swin_shared_init(&weights->shared);
  weights->slices = g_array_new(FALSE, FALSE, sizeof(SwinWeightsSlice));
  const guint64 size = place_slices(weights, device, plan);
  weights->buffer = swin_buffer_new(device, SWIN_BUFFER_DEVICE, size, error);
  if (!weights->buffer || !upload(weights, device, plan, error))
    return NULL;
  return g_steal_pointer(&weights);
}

/** Wanted: what shared weights are made of. */
typedef struct {
  SwinDevice *device;
  SwinModel *model;
  const SwinPlan *plan;
} Wanted;

static gpointer make(gpointer request, GError **error) {
  const Wanted *wanted = request;
  SwinWeights *weights = swin_weights_new(wanted->device, wanted->plan, error);
  if (!weights)
    return NULL;
  weights->model = swin_model_ref(wanted->model);
  swin_model_drop_pages(wanted->model);
  return weights;
}

/* The two addresses stay theirs as long as the weights are in the registry. */
SwinWeights *swin_weights_get(SwinDevice *device, SwinModel *model, const SwinPlan *plan,
                              GError **error) {
  Wanted wanted = {device, model, plan};
  g_autofree gchar *key = g_strdup_printf("%p %p %d", (gpointer)device, (gpointer)model,
                                          (gint)swin_plan_get_storage(plan));
  return swin_registry_get(&resident, key, make, &wanted, error);
}

SwinWeights *swin_weights_ref(SwinWeights *weights) {
  swin_shared_ref(&weights->shared);
  return weights;
}

void swin_weights_unref(SwinWeights *weights) {
  if (!weights || !swin_shared_unref(&weights->shared))
    return;
  swin_registry_remove(&resident, weights);
  swin_buffer_free(weights->buffer);
  g_array_unref(weights->slices);
  swin_model_unref(weights->model);
  g_free(weights);
}

const SwinBuffer *swin_weights_get_buffer(const SwinWeights *weights) {
  return weights->buffer;
}

SwinWeightsSlice swin_weights_get_slice(const SwinWeights *weights, guint operation) {
  return g_array_index(weights->slices, SwinWeightsSlice, operation);
}
