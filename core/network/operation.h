// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * operation.h: what every operation file provides: the meeting point of plan and device.
 */
#ifndef SWIN_NETWORK_OPERATION_H
#define SWIN_NETWORK_OPERATION_H

#include "gpu/recorder.h"
#include "network/operations.h"

/** SwinOperationContext: where a network keeps things while its operations record themselves. */
typedef struct {
  SwinRecorder *recorder;
  const SwinPlan *plan;
  const SwinBuffer *arena;     /* activations */
  const SwinBuffer *const *io; /* per tensor number: (nullable): the buffer that a plan's input or
                                  output lives in instead of the arena, from its byte 0 */
  const SwinBuffer *weights;   /* packed weights */
  guint64 weights_offset;      /* bytes: the running operation's own */
  guint64 weights_size;        /* bytes; 0 where it has none */
} SwinOperationContext;

struct _SwinOperationClass {
  const gchar *name; /* kind of operation, such as "linear"; groups the figures of `swin bench` */

  /* Multiplications and additions, each counted as one. */
  guint64 (*flops)(const SwinPlan *plan, const SwinOperation *operation);

  /* (nullable): number of float32 values that pack() writes for @device. */
  guint64 (*packed_size)(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device);

  /* (nullable): converts the plain weights into the layout that the shader reads on @device. */
  void (*pack)(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device,
               gfloat *values);

  gboolean (*record)(const SwinOperationContext *context, const SwinOperation *operation,
                     GError **error);
};

/** swin_operation_context_tensor: the binding of a tensor of the plan. */
SwinBinding swin_operation_context_tensor(const SwinOperationContext *context, gint tensor,
                                          SwinAccess access);

/** swin_operation_context_weights: the binding of the operation's packed weights. */
SwinBinding swin_operation_context_weights(const SwinOperationContext *context);

#endif /* SWIN_NETWORK_OPERATION_H */
