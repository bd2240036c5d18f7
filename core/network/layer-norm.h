// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * layer-norm.h: what the operations that normalise rows (layer norm, patch merging) share.
 */
#ifndef SWIN_NETWORK_LAYER_NORM_H
#define SWIN_NETWORK_LAYER_NORM_H

#include "network/operation.h"

/** SwinNormShape: how shaders/norm.glsl spreads rows over a work-group. */
typedef struct {
  guint32 lanes; /* invocations a row */
  guint32 rows;  /* rows a work-group */
} SwinNormShape;

/** swin_norm_shape: the shape for rows of @length values. */
SwinNormShape swin_norm_shape(SwinDevice *device, guint64 length);

/** swin_norm_rounds: rounds of all loops that an invocation goes through for a row. */
guint64 swin_norm_rounds(SwinNormShape shape, guint64 length);

#define SWIN_NORM_CONSTANTS 7

/** swin_norm_set_constants: writes the constants 0 to SWIN_NORM_CONSTANTS - 1 of the shaders. */
void swin_norm_set_constants(SwinDispatch *dispatch, SwinNormShape shape, guint64 length);

/**
 * swin_norm_append: appends the step.
 * @residual: second input, or SWIN_PLAN_NO_TENSOR
 * @weight, @bias: (nullable): both or neither; as many values as the last dimension of @output
 */
void swin_norm_append(SwinPlan *plan, const SwinOperationClass *klass, const gchar *name,
                      gint input, gint residual, gint output, const SwinTensor *weight,
                      const SwinTensor *bias, gdouble epsilon);

/* SwinOperationClass.flops: of the norm of what is written. */
guint64 swin_norm_flops(const SwinPlan *plan, const SwinOperation *operation);

/* Weight and bias one behind the other, nothing where they are absent:
 * SwinOperationClass.packed_size and .pack. */
guint64 swin_norm_packed_size(const SwinPlan *plan, const SwinOperation *operation,
                              SwinDevice *device);
void swin_norm_pack(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device,
                    gpointer packed);

#endif /* SWIN_NETWORK_LAYER_NORM_H */
