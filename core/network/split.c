// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/split.h"

/* The smallest number of items whose bytes are a multiple of @alignment, a power of two. */
static guint64 aligned_step(guint64 item_bytes, guint64 alignment) {
  guint64 step = 1;

  while (item_bytes * step % alignment != 0)
    step *= 2;
  return step;
}

guint64 swin_split_items(SwinDevice *device, guint64 n_items, guint64 input_bytes,
                         guint64 output_bytes) {
  const SwinDeviceLimits *limits = swin_device_get_limits(device);
  guint64 fitting = limits->max_storage_range / MAX(input_bytes, output_bytes);
  guint64 alignment = MAX(limits->storage_alignment, SWIN_VECTOR_SIZE);
  guint64 step = MAX(aligned_step(input_bytes, alignment), aligned_step(output_bytes, alignment));

  return fitting >= n_items ? n_items : MIN(MAX(fitting / step * step, step), n_items);
}

SwinBinding swin_split_tensor(const SwinOperationContext *context, gint tensor, SwinAccess access,
                              guint64 first, guint64 n_items, guint64 item_bytes) {
  SwinBinding binding = swin_operation_context_tensor(context, tensor, access);

  binding.offset += first * item_bytes;
  binding.size = n_items * item_bytes;
  return binding;
}

void swin_split_fill_z(SwinDispatch *dispatch, G_GNUC_UNUSED SwinDevice *device, guint64 n_items,
                       G_GNUC_UNUSED gpointer push) {
  dispatch->groups[2] = n_items;
}

static guint64 item_bytes(const SwinOperationContext *context, gint tensor, guint64 n_items) {
  return swin_plan_tensor_size(swin_plan_get_tensor(context->plan, tensor)) / n_items;
}

gboolean swin_split_record(const SwinOperationContext *context, const SwinOperation *operation,
                           guint64 n_items, SwinDispatch *dispatch, SwinSplitFill fill,
                           gpointer push, GError **error) {
  SwinDevice *device = swin_recorder_get_device(context->recorder);
  gint second = operation->inputs[1];
  guint64 input_bytes = item_bytes(context, operation->inputs[0], n_items);
  guint64 output_bytes = item_bytes(context, operation->output, n_items);
  guint64 step = swin_split_items(device, n_items, input_bytes, output_bytes);

  dispatch->label = operation->name;
  for (guint64 first = 0; first < n_items; first += step) {
    guint64 n = MIN(step, n_items - first);
    SwinBinding *bindings = dispatch->bindings;

    bindings[0] =
        swin_split_tensor(context, operation->inputs[0], SWIN_ACCESS_READ, first, n, input_bytes);
    bindings[1] =
        swin_split_tensor(context, operation->output, SWIN_ACCESS_WRITE, first, n, output_bytes);
    bindings[2] = context->weights_size > 0 ? swin_operation_context_weights(context) : bindings[0];
    bindings[3] = second != SWIN_PLAN_NO_TENSOR
                      ? swin_split_tensor(context, second, SWIN_ACCESS_READ, first, n,
                                          item_bytes(context, second, n_items))
                      : bindings[0];
    fill(dispatch, device, n, push);
    if (!swin_recorder_dispatch(context->recorder, dispatch, error))
      return FALSE;
  }
  return TRUE;
}

void swin_split_groups(SwinDevice *device, guint64 n_groups, guint64 groups[3]) {
  guint64 limit = swin_device_get_limits(device)->max_groups[0];

  groups[0] = MIN(n_groups, limit);
  groups[1] = (n_groups + groups[0] - 1) / groups[0];
  groups[2] = 1;
}

gboolean swin_split_check_loop(const SwinOperation *operation, guint64 n_rounds, GError **error) {
  if (n_rounds <= SWIN_MAX_ITERATIONS)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
              "Operation %s would loop %" G_GUINT64_FORMAT
              " times in one invocation, more than the "
              "%d that every driver completes; use a smaller image or model.",
              operation->name, n_rounds, SWIN_MAX_ITERATIONS);
  return FALSE;
}
