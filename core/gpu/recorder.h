// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * recorder.h: one command buffer of compute dispatches, recorded once and submitted many times.
 *
 * The recorder owns command pool and descriptor sets, has the pipelines that dispatches ask for
 * built when it is finished, all at once (through the device's cache), and places a barrier before
 * a dispatch only when it touches a range that an earlier one wrote, or writes one that was read,
 * and no barrier lies between the two (hazards.h). The first dispatch is always behind a barrier
 * against whatever was submitted before. Not thread-safe; buffers that were bound must outlive it.
 */
#ifndef SWIN_GPU_RECORDER_H
#define SWIN_GPU_RECORDER_H

#include "gpu/hazards.h"
#include "gpu/pipelines.h"

#define SWIN_DISPATCH_MAX_BINDINGS 8

/** SwinDispatch: one shader run. */
typedef struct {
  const gchar *shader; /* file name in shaders/ without ".comp" */
  const gchar *label;  /* for timing and validation messages; copied */
  guint n_constants;   /* specialization constants 0 to n-1, 32 bits each; constant 0 is
                          local_size_x in every shader */
  guint32 constants[SWIN_PIPELINE_MAX_CONSTANTS];
  guint n_bindings;
  SwinBinding bindings[SWIN_DISPATCH_MAX_BINDINGS];
  gconstpointer push;         /* (nullable): push constants, at most 128 bytes */
  guint32 push_size;          /* bytes, a multiple of 4 */
  guint64 groups[3];          /* work-groups; checked against the device's limits */
  guint32 subgroup_size;      /* 0: any; else every subgroup is full and of this size, which must
                                 be the device's; where extensions.subgroup_size is FALSE, 0 */
  const SwinBuffer *indirect; /* (nullable): take the work-groups from this buffer instead */
  guint64 indirect_offset;    /* bytes, a multiple of 4 */
} SwinDispatch;

typedef struct _SwinRecorder SwinRecorder;

typedef enum {
  SWIN_RECORDER_DEFAULT = 0,
  SWIN_RECORDER_TIMESTAMPS = 1 << 0,  /* a timestamp around every dispatch; serialises them */
  SWIN_RECORDER_NO_BARRIERS = 1 << 1, /* for canary tests alone: leaves every barrier out */
} SwinRecorderFlags;

/** swin_recorder_new: starts recording. */
SwinRecorder *swin_recorder_new(SwinDevice *device, SwinRecorderFlags flags, GError **error);
void swin_recorder_free(SwinRecorder *recorder); /* NULL-safe; the device must be done with it */

SwinDevice *swin_recorder_get_device(SwinRecorder *recorder); /* (transfer none) */

/**
 * swin_recorder_dispatch: appends one shader run. Fails when there is no such shader, or with
 * SWIN_ERROR_DEVICE when work-groups or a binding exceed the device's limits.
 */
gboolean swin_recorder_dispatch(SwinRecorder *recorder, const SwinDispatch *dispatch,
                                GError **error);

/** swin_recorder_copy: appends a copy of @size bytes between two buffers. */
gboolean swin_recorder_copy(SwinRecorder *recorder, const SwinBuffer *source, guint64 source_offset,
                            const SwinBuffer *destination, guint64 destination_offset, guint64 size,
                            GError **error);

/** swin_recorder_finish: ends recording, with a barrier towards the host. Fails when a pipeline
 * cannot be built. */
gboolean swin_recorder_finish(SwinRecorder *recorder, GError **error);

/** swin_recorder_run: submits the finished command buffer and waits for it. */
gboolean swin_recorder_run(SwinRecorder *recorder, GError **error);

VkCommandBuffer swin_recorder_get_command_buffer(SwinRecorder *recorder);

guint swin_recorder_get_n_dispatches(SwinRecorder *recorder);
guint swin_recorder_get_n_barriers(SwinRecorder *recorder);

/** swin_recorder_get_label: label of dispatch @index. */
const gchar *swin_recorder_get_label(SwinRecorder *recorder, guint index);

/**
 * swin_recorder_read_times: after a finished submission with SWIN_RECORDER_TIMESTAMPS, the
 * duration of each dispatch.
 * @milliseconds: (out): room for swin_recorder_get_n_dispatches() values
 */
gboolean swin_recorder_read_times(SwinRecorder *recorder, gdouble *milliseconds, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinRecorder, swin_recorder_free)

#endif /* SWIN_GPU_RECORDER_H */
