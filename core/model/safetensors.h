// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * safetensors.h: the container format of published weights, read and written.
 *
 * A file is a little-endian 64-bit header length, a JSON header {name: {dtype, shape,
 * data_offsets}} and the data, which the tensors fill without gap or overlap
 * (https://github.com/huggingface/safetensors, "Format"). Files are not trusted: every number is
 * checked before it is used.
 */
#ifndef SWIN_MODEL_SAFETENSORS_H
#define SWIN_MODEL_SAFETENSORS_H

#include "model/tensor.h"
#include "swin.h"

/** SwinSafetensors: a checked, immutable view of one file. */
typedef struct _SwinSafetensors SwinSafetensors;

/**
 * swin_safetensors_new: checks a whole file in memory.
 * @bytes: the file; referenced as long as the result lives, not copied
 * @path: what messages call the file
 *
 * Returns: (transfer full): or NULL with %SWIN_ERROR_MODEL.
 */
SwinSafetensors *swin_safetensors_new(GBytes *bytes, const gchar *path, GError **error);

/**
 * swin_safetensors_open: maps a file and checks it. The file must not change while the result
 * lives.
 *
 * Returns: (transfer full): or NULL with %SWIN_ERROR_MODEL.
 */
SwinSafetensors *swin_safetensors_open(const gchar *path, GError **error);

void swin_safetensors_free(SwinSafetensors *file); /* NULL-safe */

/** swin_safetensors_drop_pages: takes what was read of a file from the process's memory; what is
 * read again comes from the file again. Any thread. */
void swin_safetensors_drop_pages(SwinSafetensors *file);

/** swin_safetensors_get_path: (transfer none): as handed in. */
const gchar *swin_safetensors_get_path(SwinSafetensors *file);

/**
 * swin_safetensors_get_names: (transfer none) (element-type utf8): every tensor, in the order of
 * the data.
 */
const GPtrArray *swin_safetensors_get_names(SwinSafetensors *file);

/** swin_safetensors_has: whether there is a tensor of that name, whatever its type. */
gboolean swin_safetensors_has(SwinSafetensors *file, const gchar *name);

/**
 * swin_safetensors_lookup: finds a tensor.
 * @tensor: (out): a view whose data belong to @file
 *
 * Returns: FALSE with %SWIN_ERROR_MODEL when it is missing, has more than
 *   %SWIN_TENSOR_MAX_DIMS dimensions, or is neither F32 nor F16 nor BF16.
 */
gboolean swin_safetensors_lookup(SwinSafetensors *file, const gchar *name, SwinTensor *tensor,
                                 GError **error);

/** SwinNamedValues: one float32 tensor to be written; everything in it belongs to the caller. */
typedef struct {
  const gchar *name; /* UTF-8, each name once */
  guint n_dims;      /* 0 to SWIN_TENSOR_MAX_DIMS */
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
  const gfloat *values; /* row-major, as many as the product of the shape */
} SwinNamedValues;

/**
 * swin_safetensors_write: writes a file as a whole or not at all (a new file takes the place of
 * an old one).
 * @metadata: (nullable): pairs of key and value, NULL-terminated, for the header's `__metadata__`
 *
 * Returns: FALSE with %SWIN_ERROR_MODEL when the file cannot be written.
 */
gboolean swin_safetensors_write(const gchar *path, const SwinNamedValues *tensors, guint n_tensors,
                                const gchar *const *metadata, GError **error);

/** SwinIntegersFunc: makes @n values of an integer tensor, from element @first on. */
typedef void (*SwinIntegersFunc)(gconstpointer data, guint64 first, gsize n, gint64 *values);

/** SwinNamedTensor: a tensor to be written; everything in it belongs to the caller. */
typedef struct {
  const gchar *name;         /* UTF-8, each name once */
  SwinTensor tensor;         /* of any type, written with the shape that it has here */
  gfloat factor;             /* what every value is multiplied by on the way; 1 mostly */
  SwinIntegersFunc integers; /* (nullable): the tensor is I64, and only its shape is @tensor's */
  gconstpointer data;        /* handed to @integers */
} SwinNamedTensor;

/**
 * swin_safetensors_write_tensors: as swin_safetensors_write(), of tensors that are converted while
 * they are written, so that a large file takes no more memory than a small one.
 * @dtype: of every tensor in the file but the integers: %SWIN_DTYPE_F32 or %SWIN_DTYPE_F16 (rounded
 *   to nearest, ties to even)
 *
 * Returns: FALSE with %SWIN_ERROR_MODEL when the file cannot be written, or when a value is beyond
 *   F16.
 */
gboolean swin_safetensors_write_tensors(const gchar *path, const SwinNamedTensor *tensors,
                                        guint n_tensors, SwinDtype dtype,
                                        const gchar *const *metadata, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinSafetensors, swin_safetensors_free)

#endif /* SWIN_MODEL_SAFETENSORS_H */
