// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * outputs.h: tensors of a network that are handed out with a result, besides its tags.
 */
#ifndef SWIN_OUTPUTS_H
#define SWIN_OUTPUTS_H

#include "network/network.h"

typedef struct _SwinOutputs SwinOutputs;
typedef struct _SwinOutputBuffers SwinOutputBuffers;

/**
 * swin_outputs_new: finds what was asked for.
 * @names: NULL-terminated
 * @plan: for one image, with stages kept
 *
 * Returns: NULL with %SWIN_ERROR_CONFIG where @plan lacks one of them.
 */
SwinOutputs *swin_outputs_new(const gchar *const *names, const SwinPlan *plan, GError **error);
void swin_outputs_free(SwinOutputs *outputs); /* NULL-safe */

/** swin_output_buffers_new: where the host reads them, for batches of up to @batch_size images.
 * @outputs: must outlive the buffers */
SwinOutputBuffers *swin_output_buffers_new(SwinDevice *device, const SwinOutputs *outputs,
                                           guint batch_size, GError **error);
void swin_output_buffers_free(SwinOutputBuffers *buffers); /* NULL-safe */

/**
 * swin_output_buffers_record: appends the commands that bring them there, after those of @network,
 * whose plan has the same tensors.
 */
gboolean swin_output_buffers_record(const SwinOutputBuffers *buffers, SwinNetwork *network,
                                    SwinRecorder *recorder, GError **error);

/** swin_output_buffers_invalidate: when the commands have run, before a read. */
gboolean swin_output_buffers_invalidate(SwinOutputBuffers *buffers, GError **error);

/** swin_output_buffers_read: those of one image of the batch, in float32; valid until the next
 * read. */
void swin_output_buffers_read(SwinOutputBuffers *buffers, guint image, SwinResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinOutputs, swin_outputs_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinOutputBuffers, swin_output_buffers_free)

#endif /* SWIN_OUTPUTS_H */
