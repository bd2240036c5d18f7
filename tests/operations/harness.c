// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "network/storage.h"
#include "reference/reference.h"
#include "run-cases.h"

#define SKIPPED 77
#define GUARD 512 /* bytes behind every tensor */

/* What is in the arena before a run: words that are quiet NaNs as they are and as two halves, with
 * payloads of their own. What is computed from them shows, and so does a value that was never
 * written, or one of them that arithmetic carried on to another place. */
static guint32 poison(guint64 word) {
  guint32 payload = (guint32)word * 2654435761u;

  return 0x7fc07e00u | (payload >> 10 & 0x003f0000u) | (payload >> 23 | 1u);
}

static SwinDevice *device;
static SwinDeviceLimits true_limits;
static SwinDeviceKind true_kind;
static guint true_n_matrix_shapes;
static SwinStorage storage; /* of cases */

static void no_device(const gchar *reason) {
  if (g_getenv("SWIN_TEST_REQUIRE_DEVICE") != NULL) {
    g_printerr("SWIN_TEST_REQUIRE_DEVICE is set and there is no Vulkan device: %s\n", reason);
    exit(EXIT_FAILURE);
  }
  g_print("Skipped, since there is no Vulkan device to test on: %s\n", reason);
  exit(SKIPPED);
}

SwinDevice *harness_device(void) {
  if (device != NULL)
    return device;

  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) devices = swin_device_list(&error);
  if (devices == NULL)
    no_device(error->message);
  if (devices->len == 0)
    no_device("the loader lists none");
  g_unsetenv("SWIN_KERNELS");
  device = swin_device_open(NULL, &error);
  if (device == NULL) {
    g_printerr("No device can be opened: %s\n", error->message);
    exit(EXIT_FAILURE);
  }
  true_limits = *swin_device_get_limits(device);
  true_n_matrix_shapes = swin_device_get_extensions(device)->n_matrix_shapes;
  true_kind = swin_device_get_info(device)->kind;
  g_print("Device: %s\n", swin_device_get_info(device)->name);
  return device;
}

int harness_run(Suite *suite) {
  const int status = run_suite(suite, CK_NOFORK);
  g_clear_pointer(&device, swin_device_unref);
  return status;
}

static SwinDeviceLimits *limits(void) {
  return (SwinDeviceLimits *)swin_device_get_limits(harness_device());
}

static SwinDeviceKind *kind(void) {
  return &((SwinDeviceInfo *)swin_device_get_info(harness_device()))->kind;
}

static guint *n_matrix_shapes(void) {
  return &((SwinExtensions *)swin_device_get_extensions(harness_device()))->n_matrix_shapes;
}

void harness_pretend(SwinDeviceKind pretended) {
  *kind() = pretended;
}

void harness_disable_matrices(void) {
  *n_matrix_shapes() = 0;
}

void harness_storage(SwinStorage of_cases) {
  storage = of_cases;
}

void harness_limit_storage(guint64 bytes) {
  limits()->max_storage_range = bytes;
}

void harness_limit_groups(guint64 n_groups) {
  limits()->max_groups[0] = n_groups;
}

void harness_restore(void) {
  storage = SWIN_STORAGE_F32;
  if (device == NULL)
    return;
  *limits() = true_limits;
  *n_matrix_shapes() = true_n_matrix_shapes;
  *kind() = true_kind;
}

/* ---- Bindings that reach into the guards ------------------------------------------------------
 */

static VkBuffer guarded_buffer; /* where every tensor has a guard behind it */
static PFN_vkUpdateDescriptorSets update_descriptor_sets;

static VKAPI_ATTR void VKAPI_CALL update_widened(VkDevice handle, uint32_t n_writes,
                                                 const VkWriteDescriptorSet *writes,
                                                 uint32_t n_copies,
                                                 const VkCopyDescriptorSet *copies) {
  g_autofree VkWriteDescriptorSet *widened = g_memdup2(writes, n_writes * sizeof(*writes));
  g_autofree VkDescriptorBufferInfo *buffers = g_new(VkDescriptorBufferInfo, n_writes);

  for (uint32_t i = 0; i < n_writes; i++) {
    buffers[i] = writes[i].pBufferInfo[0];
    if (buffers[i].buffer == guarded_buffer)
      buffers[i].range += GUARD;
    widened[i].pBufferInfo = &buffers[i];
  }
  update_descriptor_sets(handle, n_writes, widened, n_copies, copies);
}

/* Where an operation is split, the end of a binding is the start of the next. */
static void widen_bindings(const SwinBuffer *buffer) {
  SwinDeviceFunctions *functions = swin_device_functions(device);

  guarded_buffer = buffer->buffer;
  update_descriptor_sets = functions->UpdateDescriptorSets;
  if (limits()->max_storage_range == true_limits.max_storage_range)
    functions->UpdateDescriptorSets = update_widened;
}

static void narrow_bindings(void) {
  swin_device_functions(device)->UpdateDescriptorSets = update_descriptor_sets;
}

/* ---- Cases ---------------------------------------------------------------------------------- */

/* Behind what a case is called: as what it runs, where that is not what the device is. */
static gchar *describe_setting(void) {
  const gchar *as = *kind() != true_kind ? swin_device_kind_name(*kind()) : NULL;

  return g_strconcat(as != NULL ? ", as on a " : "", as != NULL ? as : "",
                     as != NULL ? " device" : "",
                     *n_matrix_shapes() < true_n_matrix_shapes ? ", without matrices" : "",
                     storage == SWIN_STORAGE_F16 ? ", in half precision" : "", NULL);
}

HarnessCase *harness_case_new(guint32 seed, const gchar *what, ...) {
  HarnessCase *test = g_new0(HarnessCase, 1);
  va_list arguments;

  va_start(arguments, what);
  g_autofree gchar *plain = g_strdup_vprintf(what, arguments);
  va_end(arguments);
  g_autofree gchar *setting = describe_setting();
  test->what = g_strconcat(plain, setting, NULL);
  test->plan = swin_plan_new(NULL, storage);
  test->random = g_rand_new_with_seed(seed);
  test->values = g_ptr_array_new_with_free_func(g_free);
  return test;
}

void harness_case_free(HarnessCase *test) {
  if (test->network != NULL)
    swin_network_free(test->network);
  else
    swin_plan_free(test->plan);
  g_rand_free(test->random);
  g_ptr_array_unref(test->values);
  g_free(test->what);
  g_free(test);
}

/* Box and Muller's transform. */
static float draw_normal(GRand *random) {
  gdouble radius = sqrt(-2.0 * log(1.0 - g_rand_double(random)));

  return (float)(radius * cos(2.0 * G_PI * g_rand_double(random)));
}

gint harness_case_input(HarnessCase *test, guint n_dims, const guint64 *shape) {
  g_autofree gchar *name = g_strdup_printf("input%u", swin_plan_get_n_tensors(test->plan));

  return swin_plan_add_input(test->plan, name, swin_plan_get_storage(test->plan), n_dims, shape);
}

SwinTensor harness_case_weight(HarnessCase *test, guint n_dims, guint64 rows, guint64 columns,
                               gdouble mean, gdouble deviation) {
  guint64 n = n_dims == 1 ? rows : rows * columns;
  float *values = g_new(float, n);

  for (guint64 i = 0; i < n; i++)
    values[i] = (float)(mean + deviation * (gdouble)draw_normal(test->random));
  g_ptr_array_add(test->values, values);
  return (SwinTensor){
      .dtype = SWIN_DTYPE_F32,
      .n_dims = n_dims,
      .shape = {rows, n_dims == 1 ? 1 : columns},
      .n_elements = n,
      .data = (const guint8 *)values,
  };
}

/* ---- Running -------------------------------------------------------------------------------- */

static void fill_inputs(HarnessCase *test, float **tensors, const float *const *inputs) {
  for (guint i = 0; i < swin_plan_get_n_tensors(test->plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(test->plan, (gint)i);

    if (!tensor->is_input)
      continue;
    if (inputs != NULL && inputs[i] != NULL)
      memcpy(tensors[i], inputs[i], tensor->n_elements * sizeof(float));
    else
      for (guint64 j = 0; j < tensor->n_elements; j++)
        tensors[i][j] = draw_normal(test->random);
    swin_storage_round(tensor->storage, tensors[i], tensor->n_elements);
  }
}

/* The whole arena: poison, and the inputs at their places. */
static guint32 *make_arena(const SwinPlan *plan, float *const *tensors, guint64 *n_words) {
  *n_words = swin_plan_get_arena_size(plan) / sizeof(guint32);
  guint32 *arena = g_new(guint32, *n_words);

  for (guint64 i = 0; i < *n_words; i++)
    arena[i] = poison(i);
  for (guint i = 0; i < swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, (gint)i);

    if (tensor->is_input)
      swin_storage_write(tensor->storage, tensors[i], tensor->n_elements,
                         (guint8 *)arena + tensor->offset);
  }
  return arena;
}

static void fail_on_error(const HarnessCase *test, gboolean done, const GError *error) {
  ck_assert_msg(done, "%s: %s", test->what, error != NULL ? error->message : "no error is set");
}

/* @arena goes in, and comes back as the device left it. */
static void run_on_device(HarnessCase *test, guint32 *arena, guint64 n_words) {
  g_autoptr(GError) error = NULL;
  guint64 size = n_words * sizeof(guint32);
  g_autoptr(SwinWeights) weights = swin_weights_new(harness_device(), test->plan, &error);

  fail_on_error(test, weights != NULL, error);
  test->network = swin_network_new(harness_device(), test->plan, weights, NULL, &error);
  fail_on_error(test, test->network != NULL, error);
  SwinBuffer *buffer = swin_network_get_arena(test->network);
  g_autoptr(SwinRecorder) recorder =
      swin_recorder_new(harness_device(), SWIN_RECORDER_DEFAULT, &error);
  widen_bindings(buffer);
  gboolean done = recorder != NULL && swin_buffer_write(buffer, 0, arena, size, &error) &&
                  swin_network_record(test->network, recorder, NULL, &error) &&
                  swin_recorder_finish(recorder, &error) && swin_recorder_run(recorder, &error) &&
                  swin_buffer_read(buffer, 0, arena, size, &error);
  narrow_bindings();
  fail_on_error(test, done, error);
}

/* Every byte outside of the operations' outputs is as it was; every value inside was written. */
static void check_memory(const HarnessCase *test, const SwinPlan *plan, const guint8 *before,
                         const guint8 *after, guint64 size) {
  g_autofree gboolean *written = g_new0(gboolean, size);

  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    gint number = swin_plan_get_operation(plan, i)->output;
    const SwinPlanTensor *output = swin_plan_get_tensor(plan, number);
    guint value_size = swin_storage_size(output->storage);

    for (guint64 j = 0; j < output->n_elements; j++) {
      guint64 offset = output->offset + j * value_size;

      if (memcmp(before + offset, after + offset, value_size) == 0)
        ck_abort_msg("%s: value %" G_GUINT64_FORMAT " of tensor %d was not written", test->what, j,
                     number);
      for (guint k = 0; k < value_size; k++)
        written[offset + k] = TRUE;
    }
  }
  for (guint64 i = 0; i < size; i++)
    if (!written[i] && after[i] != before[i])
      ck_abort_msg("%s: byte %" G_GUINT64_FORMAT " was overwritten", test->what, i);
}

HarnessRun *harness_case_run(HarnessCase *test, const float *const *inputs) {
  SwinPlan *plan = test->plan;
  HarnessRun *run = g_new0(HarnessRun, 1);
  guint64 n_words;

  swin_plan_finish(plan, swin_network_alignment(harness_device()), GUARD);
  run->expected = reference_tensors_new(plan);
  run->actual = reference_tensors_new(plan);
  fill_inputs(test, run->expected, inputs);
  g_autofree guint32 *before = make_arena(plan, run->expected, &n_words);
  g_autofree guint32 *after = g_memdup2(before, n_words * sizeof(guint32));
  reference_run(plan, run->expected);
  run_on_device(test, after, n_words);
  check_memory(test, plan, (guint8 *)before, (guint8 *)after, n_words * sizeof(guint32));
  for (guint i = 0; i < swin_plan_get_n_tensors(plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, (gint)i);

    swin_storage_read(tensor->storage, (guint8 *)after + tensor->offset, tensor->n_elements,
                      run->actual[i]);
  }
  return run;
}

void harness_run_free(const HarnessCase *test, HarnessRun *run) {
  reference_tensors_free(test->plan, run->expected);
  reference_tensors_free(test->plan, run->actual);
  g_free(run);
}

/* What storing a value may change it by: half of the last of 11 digits, or of a half's smallest. */
static gdouble rounding(SwinStorage stored, float value) {
  return stored == SWIN_STORAGE_F16 ? MAX(fabs((gdouble)value) * 0x1p-11, 0x1p-25) : 0.0;
}

/* The largest difference, beyond what the output is rounded by when it is stored, as a part of the
 * root mean square of what is expected. */
static gdouble relative_error(SwinStorage stored, const float *expected, const float *actual,
                              guint64 n) {
  gdouble worst = 0.0, squares = 0.0;

  for (guint64 i = 0; i < n; i++) {
    gdouble difference =
        fabs((gdouble)expected[i] - (gdouble)actual[i]) - rounding(stored, expected[i]);

    squares += (gdouble)expected[i] * (gdouble)expected[i];
    if (!(difference <= worst)) /* so that NaN counts */
      worst = difference;
  }
  return worst == 0.0 ? 0.0 : worst / sqrt(squares / (gdouble)n);
}

void harness_case_check(HarnessCase *test, gdouble tolerance) {
  HarnessRun *run = harness_case_run(test, NULL);

  for (guint i = 0; i < swin_plan_get_n_tensors(test->plan); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(test->plan, (gint)i);

    if (!tensor->is_output)
      continue;
    gdouble error =
        relative_error(tensor->storage, run->expected[i], run->actual[i], tensor->n_elements);
    if (g_getenv("SWIN_TEST_VERBOSE") != NULL)
      g_print("%-60s %.2e\n", test->what, error);
    ck_assert_msg(error <= tolerance, "%s: off by %g of the output's size, more than %g",
                  test->what, error, tolerance);
  }
  harness_run_free(test, run);
}
