// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * reference.h: every operation once more, in plain scalar C with double accumulators, written from
 * the formulas. The oracle of every shader; slow.
 */
#ifndef SWIN_TESTS_REFERENCE_H
#define SWIN_TESTS_REFERENCE_H

#include "network/operation.h"

/**
 * ReferenceFunc: computes one operation.
 * @tensors: the values of every tensor of the plan, by number; those of the operation's inputs are
 *   there, those of its output are written
 */
typedef void (*ReferenceFunc)(const SwinPlan *plan, const SwinOperation *operation,
                              float *const *tensors);

void reference_patch_partition(const SwinPlan *plan, const SwinOperation *operation,
                               float *const *tensors);
void reference_token_embedding(const SwinPlan *plan, const SwinOperation *operation,
                               float *const *tensors);
void reference_linear(const SwinPlan *plan, const SwinOperation *operation, float *const *tensors);
void reference_layer_norm(const SwinPlan *plan, const SwinOperation *operation,
                          float *const *tensors);
void reference_attention(const SwinPlan *plan, const SwinOperation *operation,
                         float *const *tensors);
void reference_patch_merging(const SwinPlan *plan, const SwinOperation *operation,
                             float *const *tensors);
void reference_mean_pool(const SwinPlan *plan, const SwinOperation *operation,
                         float *const *tensors);
void reference_top_k(const SwinPlan *plan, const SwinOperation *operation, float *const *tensors);

/** reference_find: the twin of an operation, by the name of its class; never NULL. */
ReferenceFunc reference_find(const SwinOperationClass *klass);

/**
 * reference_run: runs every operation in turn, each on what is left of its inputs in their storage.
 * What no operation reads is as exact as float32 is.
 * @tensors: as many as the plan has, each with room for its elements; the inputs are filled
 */
void reference_run(const SwinPlan *plan, float *const *tensors);

/** reference_tensors_new: (transfer full): room for every tensor of @plan, zeroed. */
float **reference_tensors_new(const SwinPlan *plan);
void reference_tensors_free(const SwinPlan *plan, float **tensors);

/** reference_read_weight: (transfer full) (nullable): weight @slot of @operation; g_free() it. */
float *reference_read_weight(const SwinOperation *operation, guint slot);

/**
 * reference_normalise: LayerNorm of one row (arXiv:1607.06450): (x - mean) / sqrt(variance +
 * epsilon) * weight + bias, with the variance of the population.
 */
void reference_normalise(const float *input, guint64 n, const float *weight, const float *bias,
                         double epsilon, float *output);

#endif /* SWIN_TESTS_REFERENCE_H */
