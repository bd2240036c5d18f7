// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * split.h: large operations in several dispatches, each within the device's limits.
 *
 * An operation works on a number of items (images or rows) that lie one behind the other in each of
 * its tensors. A storage-buffer binding has a largest size, so a dispatch takes only as many items
 * as fit, and starts at an item whose offset may be bound.
 */
#ifndef SWIN_NETWORK_SPLIT_H
#define SWIN_NETWORK_SPLIT_H

#include "network/operation.h"

/**
 * swin_split_items: how many items a dispatch takes.
 * @n_items: items in all, at least 1
 * @input_bytes: bytes of an item in the input
 * @output_bytes: bytes of an item in the output
 *
 * Returns: 1 to @n_items. Where a single item is too large the recorder refuses the dispatch.
 */
guint64 swin_split_items(SwinDevice *device, guint64 n_items, guint64 input_bytes,
                         guint64 output_bytes);

/**
 * SwinSplitFill: completes a dispatch for @n_items items: its groups, and what in the push
 * constants depends on the number.
 * @push: what @dispatch hands to the shader, to be written
 */
typedef void (*SwinSplitFill)(SwinDispatch *dispatch, SwinDevice *device, guint64 n_items,
                              gpointer push);

/** swin_split_fill_z: the SwinSplitFill of shaders that count the items in `gl_WorkGroupID.z`. */
void swin_split_fill_z(SwinDispatch *dispatch, SwinDevice *device, guint64 n_items, gpointer push);

/**
 * swin_split_record: records an operation in as many dispatches as it needs.
 * @n_items: items in all, at least 1; divides the elements of every tensor of the operation
 * @dispatch: shader, constants, push constants and n_bindings: 2 for the first input at binding 0
 *   and the output at 1; 3 for the packed weights at 2, too; 4 for the second input at 3, too. What
 *   the operation lacks of these is stood in for by its first input. Bindings and label are filled
 *   in here
 * @push: what @dispatch->push points to
 */
gboolean swin_split_record(const SwinOperationContext *context, const SwinOperation *operation,
                           guint64 n_items, SwinDispatch *dispatch, SwinSplitFill fill,
                           gpointer push, GError **error);

/** swin_split_tensor: the binding of @n_items items of a tensor from item @first on. */
SwinBinding swin_split_tensor(const SwinOperationContext *context, gint tensor, SwinAccess access,
                              guint64 first, guint64 n_items, guint64 item_bytes);

/**
 * swin_split_groups: spreads @n_groups work-groups over x and y. The shader counts them as
 * `gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x`, which may reach beyond @n_groups.
 * @groups: (out)
 */
void swin_split_groups(SwinDevice *device, guint64 n_groups, guint64 groups[3]);

/**
 * SWIN_MAX_ITERATIONS: the most rounds that the loops of one invocation may take in all. Mesa's
 * software drivers leave loops behind, without a word, after 65535 rounds
 * (LP_MAX_TGSI_LOOP_ITERATIONS), counted over all loops of an invocation; a GPU's watchdog ends
 * what runs too long.
 */
#define SWIN_MAX_ITERATIONS 60000

/** swin_split_check_loop: FALSE with SWIN_ERROR_DEVICE where @n_rounds are more than that. */
gboolean swin_split_check_loop(const SwinOperation *operation, guint64 n_rounds, GError **error);

#endif /* SWIN_NETWORK_SPLIT_H */
