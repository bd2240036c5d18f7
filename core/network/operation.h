// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * operation.h: what every operation file provides: the meeting point of plan and device.
 */
#ifndef SWIN_NETWORK_OPERATION_H
#define SWIN_NETWORK_OPERATION_H

#include "gpu/recorder.h"
#include "network/operations.h"

/** SWIN_VECTOR_SIZE: bytes of the largest value that shaders load at once: activations and packed
 * weights begin at a multiple of it. */
#define SWIN_VECTOR_SIZE 16

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

  /* (nullable): bytes that pack() writes for @device, a multiple of 4. Depends on the plan's
   * storage, the operation's weights and the device, and on nothing else: networks of every batch
   * and image size read the same packed weights. */
  guint64 (*packed_size)(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device);

  /* (nullable): converts the plain weights into the layout that the shader reads on @device.
   * @packed: aligned to 16 bytes */
  void (*pack)(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device,
               gpointer packed);

  gboolean (*record)(const SwinOperationContext *context, const SwinOperation *operation,
                     GError **error);
};

/**
 * swin_operation_shader: (transfer none): the build of a shader for @storage: "NAME" or
 * "NAME-half" (shaders/storage.glsl). @name: a string that lives as long as the program
 */
const gchar *swin_operation_shader(const gchar *name, SwinStorage storage);

/** swin_operation_context_tensor: the binding of a tensor of the plan. */
SwinBinding swin_operation_context_tensor(const SwinOperationContext *context, gint tensor,
                                          SwinAccess access);

/** swin_operation_context_weights: the binding of the operation's packed weights. */
SwinBinding swin_operation_context_weights(const SwinOperationContext *context);

#endif /* SWIN_NETWORK_OPERATION_H */
