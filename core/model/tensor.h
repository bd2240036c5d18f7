// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * tensor.h: a read-only view of one weight tensor as it lies in its file.
 */
#ifndef SWIN_MODEL_TENSOR_H
#define SWIN_MODEL_TENSOR_H

#include <glib.h>

#define SWIN_TENSOR_MAX_DIMS 4

typedef enum {
  SWIN_DTYPE_F32,
  SWIN_DTYPE_F16,
  SWIN_DTYPE_BF16,
} SwinDtype;

/**
 * SwinTensor: @data points into memory that the model owns and may have any alignment. Row-major;
 * little-endian as safetensors prescribes.
 */
typedef struct {
  SwinDtype dtype;
  guint n_dims; /* 0 (a scalar) to SWIN_TENSOR_MAX_DIMS */
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
  guint64 n_elements; /* product of the shape; 1 for a scalar */
  const guint8 *data; /* n_elements * swin_dtype_size(dtype) bytes */
} SwinTensor;

/** swin_dtype_size: bytes an element: 4 or 2. */
gsize swin_dtype_size(SwinDtype dtype);

/**
 * swin_tensor_read: converts @n_elements values from element @first on to float32. The range must
 * lie within the tensor.
 */
void swin_tensor_read(const SwinTensor *tensor, guint64 first, guint64 n_elements, gfloat *values);

/**
 * swin_tensor_is_finite: whether none of the @n_elements values from element @first on is an
 * infinity or NaN. The range must lie within the tensor.
 */
gboolean swin_tensor_is_finite(const SwinTensor *tensor, guint64 first, guint64 n_elements);

/**
 * swin_tensor_rows: a view of @n_rows rows (slices of the first dimension) from @first_row on.
 * Used to take query, key and value out of a fused qkv tensor.
 */
SwinTensor swin_tensor_rows(const SwinTensor *tensor, guint64 first_row, guint64 n_rows);

#endif /* SWIN_MODEL_TENSOR_H */
