// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * finite.h: the search for infinities and NaN among the weights of a model.
 */
#ifndef SWIN_MODEL_FINITE_H
#define SWIN_MODEL_FINITE_H

#include "model/tensor.h"

/**
 * swin_finite_check: whether every value is finite. Large models are read on several threads.
 * @bad_tensor: (out): index of the first tensor that has a value that is not; on failure only
 * @bad_element: (out): index of its first such element
 */
gboolean swin_finite_check(const SwinTensor *tensors, guint n_tensors, guint *bad_tensor,
                           guint64 *bad_element);

#endif /* SWIN_MODEL_FINITE_H */
