// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * harness.h: holds an operation on the device against its scalar twin.
 */
#ifndef SWIN_TESTS_HARNESS_H
#define SWIN_TESTS_HARNESS_H

#include <check.h>

#include "network/network.h"

/**
 * harness_device: (transfer none): the device of all tests, as swin_device_open(NULL) chooses it,
 * with the kernels that belong to it: SWIN_KERNELS is not regarded, see harness_pretend().
 * Where there is no Vulkan device at all, ends the program with Meson's status for a skipped test
 * and a sentence; with SWIN_TEST_REQUIRE_DEVICE set in the environment, with a failure.
 */
SwinDevice *harness_device(void);

/** harness_run: runs a suite in this process. Returns: what main() returns. */
int harness_run(Suite *suite);

/** HarnessCase: a plan under construction with the random numbers that fill it. */
typedef struct {
  gchar *what; /* names the case in messages */
  SwinPlan *plan;
  SwinNetwork *network; /* NULL until it ran; then it owns the plan */
  GRand *random;
  GPtrArray *values; /* of the weights */
} HarnessCase;

/** harness_case_new: a case whose numbers depend on @seed alone. */
HarnessCase *harness_case_new(guint32 seed, const gchar *what, ...) G_GNUC_PRINTF(2, 3);
void harness_case_free(HarnessCase *test);

/** harness_case_input: adds an input to the plan, in its storage. */
gint harness_case_input(HarnessCase *test, guint n_dims, const guint64 *shape);

/**
 * harness_case_weight: a weight of normally distributed values.
 * @n_dims: 1 or 2
 */
SwinTensor harness_case_weight(HarnessCase *test, guint n_dims, guint64 rows, guint64 columns,
                               gdouble mean, gdouble deviation);

/** HarnessRun: a finished plan after one run on the device. Values in half precision are widened.
 */
typedef struct {
  float **expected; /* per tensor number: what the twins computed; inputs as they went in */
  float **actual;   /* per tensor number: what the device left */
} HarnessRun;

/**
 * harness_case_run: finishes the plan with guards behind every tensor, fills the arena with
 * patterns that are no numbers, runs it on the device and by the twins, and fails the test unless
 * every value of every output was written and not a byte else changed. Bindings reach into the
 * guards, so that the device does not catch what a shader does behind the end of a tensor.
 * @inputs: (nullable): per tensor number, values for inputs (elements may be NULL), instead of
 *   normally distributed ones; rounded to what the tensor's storage can hold, for both
 */
HarnessRun *harness_case_run(HarnessCase *test, const float *const *inputs);
void harness_run_free(const HarnessCase *test, HarnessRun *run);

/**
 * harness_case_check: harness_case_run(), and fails the test unless every output is within
 * @tolerance of its twin, as a part of the root of the twin's mean square. What an output in half
 * precision is rounded by when it is stored is allowed besides.
 */
void harness_case_check(HarnessCase *test, gdouble tolerance);

/**
 * harness_pretend: until harness_restore(), the device seems to be of that kind, so that the
 * kernels for GPUs are tested where there is none, and those for processors where there is one.
 */
void harness_pretend(SwinDeviceKind kind);

/** harness_disable_matrices: the device seems to have no cooperative matrices. */
void harness_disable_matrices(void);

/** harness_storage: until harness_restore(), new cases have plans and inputs in that storage. */
void harness_storage(SwinStorage storage);

/** harness_limit_storage: the device seems to bind no more than @bytes at a time. */
void harness_limit_storage(guint64 bytes);

/** harness_limit_groups: the device seems to take no more work-groups along x. */
void harness_limit_groups(guint64 n_groups);

/** harness_restore: the device is what it is again. */
void harness_restore(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HarnessCase, harness_case_free)

#endif /* SWIN_TESTS_HARNESS_H */
