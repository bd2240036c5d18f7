// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * plan.h: a network as data: a linear list of operations over numbered tensors.
 *
 * A family (family.h) appends operations through the constructors in operations.h. Nothing
 * here calls Vulkan. A plan borrows weight tensors from the model it was made of, which must
 * outlive it (the plan holds a reference).
 */
#ifndef SWIN_NETWORK_PLAN_H
#define SWIN_NETWORK_PLAN_H

#include "model/model.h"

#define SWIN_OPERATION_MAX_INPUTS 3
#define SWIN_OPERATION_MAX_WEIGHTS 8
#define SWIN_PLAN_NO_TENSOR (-1)

typedef struct _SwinPlan SwinPlan;
typedef struct _SwinOperation SwinOperation;
typedef struct _SwinOperationClass SwinOperationClass;

/** SwinStorage: how an activation's values, or packed weights, lie in memory. */
typedef enum {
  SWIN_STORAGE_F32, /* float32, or 32-bit words */
  SWIN_STORAGE_F16, /* IEEE half precision; sums are float32 */
} SwinStorage;

/** swin_storage_size: bytes of a value: 4 or 2. */
guint swin_storage_size(SwinStorage storage);

/** SwinPlanTensor: an activation, row-major. */
typedef struct {
  SwinStorage storage;
  guint64 shape[SWIN_TENSOR_MAX_DIMS]; /* leading dimensions first; unused ones 1 */
  guint n_dims;
  guint64 n_elements; /* at most G_MAXUINT32 */
  gchar *name;        /* (nullable): set for inputs and outputs, such as "logits" */
  gboolean is_input;  /* written by the host or by preprocessing; survives the run */
  gboolean is_output; /* read after the run; survives it */
  guint first_use;    /* index of the operation that writes it; 0 for inputs */
  guint last_use;     /* index of the last operation that reads it */
  guint64 offset;     /* bytes into the arena; set by swin_plan_finish() */
} SwinPlanTensor;

/** SwinOperation: one step. Its parameters are private to the operation's file. */
struct _SwinOperation {
  const SwinOperationClass *klass;
  gchar *name;                                    /* such as "stages.0.blocks.1.attention.qkv" */
  gint inputs[SWIN_OPERATION_MAX_INPUTS];         /* tensor numbers, or SWIN_PLAN_NO_TENSOR */
  gint output;                                    /* tensor number */
  SwinTensor weights[SWIN_OPERATION_MAX_WEIGHTS]; /* meaning is the operation's; absent where
                                                     .data is NULL */
  gpointer parameters;                            /* the operation's own struct, from g_new0() */
};

/**
 * swin_plan_new: an empty plan that keeps @model (nullable) alive.
 * @storage: of the activations between operations
 */
SwinPlan *swin_plan_new(SwinModel *model, SwinStorage storage);
void swin_plan_free(SwinPlan *plan); /* NULL-safe */

/** swin_plan_get_storage: what swin_plan_new() was told. */
SwinStorage swin_plan_get_storage(const SwinPlan *plan);

/** swin_plan_add_tensor: a new activation of @n_dims dimensions. Returns: its number. */
gint swin_plan_add_tensor(SwinPlan *plan, SwinStorage storage, guint n_dims, const guint64 *shape);

/** swin_plan_add_input: the same for a tensor that is there before the run. */
gint swin_plan_add_input(SwinPlan *plan, const gchar *name, SwinStorage storage, guint n_dims,
                         const guint64 *shape);

/** swin_plan_mark_output: names a tensor that is read after the run. */
void swin_plan_mark_output(SwinPlan *plan, gint tensor, const gchar *name);

/**
 * swin_plan_add_operation: appends a step that reads @inputs and writes @output.
 * @name: copied
 * @parameters: (transfer full): freed with g_free()
 *
 * Returns: (transfer none): the step, whose weights the caller fills in; valid until the next call.
 */
SwinOperation *swin_plan_add_operation(SwinPlan *plan, const SwinOperationClass *klass,
                                       const gchar *name, guint n_inputs, const gint *inputs,
                                       gint output, gpointer parameters);

/**
 * swin_plan_finish: gives every tensor its place in one arena, so that tensors whose lives do not
 * overlap share memory. Call once, after the last operation.
 * @alignment: bytes; a power of two
 * @guard: bytes left free behind every tensor; 0 but in tests
 */
void swin_plan_finish(SwinPlan *plan, guint64 alignment, guint64 guard);

/**
 * swin_plan_check_size: after swin_plan_finish(), whether every tensor and the arena could be
 * counted: FALSE with SWIN_ERROR_OUT_OF_MEMORY when image size and batch exceed it. Such a plan
 * must not run.
 */
gboolean swin_plan_check_size(const SwinPlan *plan, GError **error);

guint swin_plan_get_n_operations(const SwinPlan *plan);
const SwinOperation *swin_plan_get_operation(const SwinPlan *plan, guint index);
guint swin_plan_get_n_tensors(const SwinPlan *plan);
const SwinPlanTensor *swin_plan_get_tensor(const SwinPlan *plan, gint tensor);

/** swin_plan_find: number of the input or output called @name, or SWIN_PLAN_NO_TENSOR. */
gint swin_plan_find(const SwinPlan *plan, const gchar *name);

/** swin_plan_tensor_size: bytes of a tensor's values. */
guint64 swin_plan_tensor_size(const SwinPlanTensor *tensor);

/** swin_plan_get_arena_size: bytes; valid after swin_plan_finish(). */
guint64 swin_plan_get_arena_size(const SwinPlan *plan);

/** swin_plan_get_flops: multiplications and additions of the whole plan, each counted as one. */
guint64 swin_plan_get_flops(const SwinPlan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinPlan, swin_plan_free)

#endif /* SWIN_NETWORK_PLAN_H */
