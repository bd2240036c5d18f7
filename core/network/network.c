// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/network.h"

struct _SwinNetwork {
  SwinPlan *plan;
  SwinWeights *weights;
  SwinBuffer *arena;
  gboolean owns_arena;
};

guint64 swin_network_alignment(SwinDevice *device) {
  return MAX(swin_device_get_limits(device)->storage_alignment, SWIN_VECTOR_SIZE);
}

gboolean swin_network_storage(SwinDevice *device, SwinPrecision precision, SwinStorage *storage,
                              GError **error) {
  switch (swin_device_get_precision(device, precision)) {
  case SWIN_PRECISION_FP32:
    *storage = SWIN_STORAGE_F32;
    return TRUE;
  case SWIN_PRECISION_FP16:
    *storage = SWIN_STORAGE_F16;
    return TRUE;
  case SWIN_PRECISION_AUTO:
    break;
  }
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
              "%s has no 16-bit storage, which the precision fp16 needs; use auto or fp32.",
              swin_device_get_info(device)->name);
  return FALSE;
}

gboolean swin_network_fuses(SwinDevice *device) {
  return !swin_device_is_cpu(device);
}

SwinNetwork *swin_network_new(SwinDevice *device, SwinPlan *plan, SwinWeights *weights,
                              SwinBuffer *arena, GError **error) {
  g_autoptr(SwinNetwork) network = g_new0(SwinNetwork, 1);
  network->plan = plan;
  network->weights = swin_weights_ref(weights);
  if (!swin_plan_check_size(plan, error))
    return NULL;
  const guint64 size = swin_plan_get_arena_size(plan);
  g_assert(!arena || arena->size >= size);
  network->owns_arena = !arena;
  network->arena = arena ? arena : swin_buffer_new(device, SWIN_BUFFER_DEVICE, size, error);
  return network->arena ? g_steal_pointer(&network) : NULL;
}

void swin_network_free(SwinNetwork *network) {
  if (!network)
    return;
  if (network->owns_arena)
    swin_buffer_free(network->arena);
  swin_weights_unref(network->weights);
  swin_plan_free(network->plan);
  g_free(network);
}

guint64 swin_network_get_weights_size(const SwinNetwork *network) {
  return swin_weights_get_buffer(network->weights)->size;
}

const SwinPlan *swin_network_get_plan(SwinNetwork *network) {
  return network->plan;
}

SwinBuffer *swin_network_get_arena(SwinNetwork *network) {
  return network->arena;
}

gboolean swin_network_record(SwinNetwork *network, SwinRecorder *recorder,
                             const SwinBuffer *const *io, GError **error) {
  SwinOperationContext context = {
      .recorder = recorder,
      .plan = network->plan,
      .arena = network->arena,
      .io = io,
      .weights = swin_weights_get_buffer(network->weights),
  };
  for (guint i = 0; i < swin_plan_get_n_operations(network->plan); i++) {
    const SwinOperation *operation = swin_plan_get_operation(network->plan, i);
    const SwinWeightsSlice slice = swin_weights_get_slice(network->weights, i);
    context.weights_offset = slice.offset;
    context.weights_size = slice.size;
    if (!operation->klass->record(&context, operation, error))
      return FALSE;
  }
  return TRUE;
}

SwinBinding swin_network_tensor(SwinNetwork *network, gint tensor, SwinAccess access) {
  const SwinOperationContext context = {.plan = network->plan, .arena = network->arena};
  return swin_operation_context_tensor(&context, tensor, access);
}

SwinBinding swin_operation_context_tensor(const SwinOperationContext *context, gint tensor,
                                          SwinAccess access) {
  const SwinPlanTensor *info = swin_plan_get_tensor(context->plan, tensor);
  const SwinBuffer *own = context->io ? context->io[tensor] : NULL;
  return (SwinBinding){
      .buffer = own ? own : context->arena,
      .offset = own ? 0 : info->offset,
      .size = swin_plan_tensor_size(info),
      .access = access,
  };
}

SwinBinding swin_operation_context_weights(const SwinOperationContext *context) {
  return (SwinBinding){
      .buffer = context->weights,
      .offset = context->weights_offset,
      .size = context->weights_size,
      .access = SWIN_ACCESS_READ,
  };
}

/* Interned: a pipeline's key and the labels of a recording outlive the operation. */
const gchar *swin_operation_shader(const gchar *name, SwinStorage storage) {
  if (storage == SWIN_STORAGE_F32)
    return name;
  g_autofree gchar *half = g_strconcat(name, "-half", NULL);
  return g_intern_string(half);
}
