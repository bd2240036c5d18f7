// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * linear-private.h: what the kinds of kernels provide to linear.c, a file each.
 */
#ifndef SWIN_NETWORK_LINEAR_PRIVATE_H
#define SWIN_NETWORK_LINEAR_PRIVATE_H

#include "network/linear-kernel.h"

/** SwinLinearKindClass: the three functions of SwinOperationClass for one kind. */
typedef struct {
  guint64 (*packed_size)(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device);
  void (*pack)(const SwinPlan *plan, const SwinOperation *operation, SwinDevice *device,
               gpointer packed);
  gboolean (*record)(const SwinOperationContext *context, const SwinOperation *operation,
                     GError **error);
} SwinLinearKindClass;

extern const SwinLinearKindClass swin_linear_strips; /* linear-strips.c */
extern const SwinLinearKindClass swin_linear_rows;   /* linear-rows.c: TILES and MATRIX */

/** swin_linear_product: rows, depth and columns of an operation, and the storage of its weights. */
SwinLinearProduct swin_linear_product(const SwinPlan *plan, const SwinOperation *operation);

/** swin_linear_operation_kind: swin_linear_kind() of its product, or TILES where that cannot do
 * what else the operation asks for. */
SwinLinearKind swin_linear_operation_kind(const SwinPlan *plan, const SwinOperation *operation,
                                          SwinDevice *device);

/** swin_linear_list_kind: swin_linear_list_kernels() of a kind that is known. */
guint swin_linear_list_kind(SwinDevice *device, SwinLinearKind kind,
                            const SwinLinearProduct *product, SwinLinearKernel *kernels);

/** swin_linear_choose_of_kind: the one that a tuning of the device found (tuning.h), else the first
 * one of the list. */
SwinLinearKernel swin_linear_choose_of_kind(SwinDevice *device, SwinLinearKind kind,
                                            const SwinLinearProduct *product);

#endif /* SWIN_NETWORK_LINEAR_PRIVATE_H */
