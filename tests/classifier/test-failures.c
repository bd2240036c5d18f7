// SPDX-License-Identifier: LGPL-2.1-or-later
/* Every Vulkan function that can fail does so, at its first call, its second, and so on: there is
 * an error, nothing hangs or leaks, and without the failure everything works again. */
#include "classifier/fixture.h"
#include "gpu/device.h"
#include "run-cases.h"

#include <string.h>

static SwinModel *model;
static SwinDeviceFunctions real;

/* One call of one function fails. */
static const gchar *failing; /* (nullable): its name, without "vk" */
static gint fail_at;         /* which of its calls, from 0 */
static VkResult failure;
static gint calls;     /* of it so far; atomic */
static gint n_objects; /* created and not destroyed; atomic */

static gboolean fails(const gchar *name) {
  if (g_strcmp0(failing, name) != 0)
    return FALSE;
  return g_atomic_int_add(&calls, 1) == fail_at;
}

/* Functions that make an object, which another function destroys. A driver may leave anything in
 * the output of a call that fails. */
#define MADE(create, destroy, Info, Handle)                                                        \
  static VkResult VKAPI_CALL try_##create(                                                         \
      VkDevice handle, const Info *info, const VkAllocationCallbacks *callbacks, Handle *object) { \
    if (fails(#create)) {                                                                          \
      memset(object, 0x5a, sizeof(*object));                                                       \
      return failure;                                                                              \
    }                                                                                              \
    const VkResult result = real.create(handle, info, callbacks, object);                          \
    g_atomic_int_add(&n_objects, result == VK_SUCCESS);                                            \
    return result;                                                                                 \
  }                                                                                                \
  static void VKAPI_CALL count_##destroy(VkDevice handle, Handle object,                           \
                                         const VkAllocationCallbacks *callbacks) {                 \
    g_atomic_int_add(&n_objects, object ? -1 : 0);                                                 \
    real.destroy(handle, object, callbacks);                                                       \
  }

#define MADE_FUNCTIONS(X)                                                                          \
  X(CreateBuffer, DestroyBuffer, VkBufferCreateInfo, VkBuffer)                                     \
  X(AllocateMemory, FreeMemory, VkMemoryAllocateInfo, VkDeviceMemory)                              \
  X(CreateFence, DestroyFence, VkFenceCreateInfo, VkFence)                                         \
  X(CreateShaderModule, DestroyShaderModule, VkShaderModuleCreateInfo, VkShaderModule)             \
  X(CreateDescriptorSetLayout, DestroyDescriptorSetLayout, VkDescriptorSetLayoutCreateInfo,        \
    VkDescriptorSetLayout)                                                                         \
  X(CreatePipelineLayout, DestroyPipelineLayout, VkPipelineLayoutCreateInfo, VkPipelineLayout)     \
  X(CreateDescriptorPool, DestroyDescriptorPool, VkDescriptorPoolCreateInfo, VkDescriptorPool)     \
  X(CreateCommandPool, DestroyCommandPool, VkCommandPoolCreateInfo, VkCommandPool)

MADE_FUNCTIONS(MADE)

/* The others; what they make goes with its pool, but for pipelines. */
#define OTHER(name, Parameters, arguments)                                                         \
  static VkResult VKAPI_CALL try_##name Parameters {                                               \
    return fails(#name) ? failure : real.name arguments;                                           \
  }

#define OTHER_FUNCTIONS(X)                                                                         \
  X(BindBufferMemory, (VkDevice a, VkBuffer b, VkDeviceMemory c, VkDeviceSize d), (a, b, c, d))    \
  X(MapMemory,                                                                                     \
    (VkDevice a, VkDeviceMemory b, VkDeviceSize c, VkDeviceSize d, VkMemoryMapFlags e, void **f),  \
    (a, b, c, d, e, f))                                                                            \
  X(AllocateDescriptorSets,                                                                        \
    (VkDevice a, const VkDescriptorSetAllocateInfo *b, VkDescriptorSet *c), (a, b, c))             \
  X(AllocateCommandBuffers,                                                                        \
    (VkDevice a, const VkCommandBufferAllocateInfo *b, VkCommandBuffer *c), (a, b, c))             \
  X(BeginCommandBuffer, (VkCommandBuffer a, const VkCommandBufferBeginInfo *b), (a, b))            \
  X(EndCommandBuffer, (VkCommandBuffer a), (a))                                                    \
  X(QueueSubmit, (VkQueue a, uint32_t b, const VkSubmitInfo *c, VkFence d), (a, b, c, d))          \
  X(WaitForFences, (VkDevice a, uint32_t b, const VkFence *c, VkBool32 d, uint64_t e),             \
    (a, b, c, d, e))                                                                               \
  X(ResetFences, (VkDevice a, uint32_t b, const VkFence *c), (a, b, c))

OTHER_FUNCTIONS(OTHER)

static VkResult VKAPI_CALL try_CreateComputePipelines(VkDevice handle, VkPipelineCache cache,
                                                      uint32_t n_infos,
                                                      const VkComputePipelineCreateInfo *infos,
                                                      const VkAllocationCallbacks *callbacks,
                                                      VkPipeline *pipelines) {
  if (fails("CreateComputePipelines"))
    return failure;
  const VkResult result =
      real.CreateComputePipelines(handle, cache, n_infos, infos, callbacks, pipelines);
  g_atomic_int_add(&n_objects, result == VK_SUCCESS ? (gint)n_infos : 0);
  return result;
}

static void VKAPI_CALL count_DestroyPipeline(VkDevice handle, VkPipeline pipeline,
                                             const VkAllocationCallbacks *callbacks) {
  g_atomic_int_add(&n_objects, pipeline ? -1 : 0);
  real.DestroyPipeline(handle, pipeline, callbacks);
}

/* A device on which nothing has been built yet, with the functions above in its table. It seems to
 * be a discrete GPU, so that weights go through staging memory and the queue. */
static SwinDevice *open_watched(void) {
  g_autoptr(GError) error = NULL;
  SwinDevice *device = swin_device_open(NULL, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  ((SwinDeviceInfo *)swin_device_get_info(device))->kind = SWIN_DEVICE_KIND_DISCRETE;
  SwinDeviceFunctions *functions = swin_device_functions(device);
  ck_assert(functions->QueueSubmit != try_QueueSubmit);
  real = *functions;
#define REPLACE_MADE(create, destroy, Info, Handle)                                                \
  functions->create = try_##create;                                                                \
  functions->destroy = count_##destroy;
#define REPLACE_OTHER(name, Parameters, arguments) functions->name = try_##name;
  MADE_FUNCTIONS(REPLACE_MADE)
  OTHER_FUNCTIONS(REPLACE_OTHER)
  functions->CreateComputePipelines = try_CreateComputePipelines;
  functions->DestroyPipeline = count_DestroyPipeline;
  failing = NULL;
  n_objects = 0;
  return device;
}

static void close_watched(SwinDevice *device) {
  swin_device_unref(device);
  ck_assert_msg(n_objects == 0, "%d objects outlive the device", n_objects);
}

static gboolean classify(SwinClassifier *classifier, guint size, SwinTag *best, GError **error) {
  g_autoptr(FixturePicture) picture = fixture_picture_new(size, size, 1);
  SwinTag tags[5] = {{0}};
  guint n_tags = 0;
  const gboolean done = swin_classifier_classify(classifier, &picture->frame, tags, &n_tags, error);
  ck_assert_uint_eq(n_tags, done ? 5 : 0);
  *best = tags[0];
  return done;
}

/* A classifier that also hands out a tensor, and two results: for the second one its buffers have
 * to grow. Where a result fails the classifier has to be none the worse for it, unless the device
 * is lost. */
static gboolean use(SwinDevice *device, SwinTag *best, GError **error) {
  static const gchar *const outputs[] = {"pooled", NULL};
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_outputs(params, outputs);
  g_autoptr(SwinClassifier) classifier = swin_classifier_new(device, model, params, error);
  if (!classifier)
    return FALSE;
  if (classify(classifier, 20, best, error) && classify(classifier, 50, best, error))
    return TRUE;
  failing = NULL;
  g_autoptr(GError) again = NULL;
  ck_assert(classify(classifier, 50, best, &again) == (failure != VK_ERROR_DEVICE_LOST));
  ck_assert(!again || g_error_matches(again, SWIN_ERROR, SWIN_ERROR_DEVICE_LOST));
  return FALSE;
}

static void check_use(SwinDevice *device, const SwinTag *expected) {
  g_autoptr(GError) error = NULL;
  SwinTag best;
  ck_assert_msg(use(device, &best, &error), "%s", error ? error->message : "");
  ck_assert_uint_eq(best.index, expected->index);
  ck_assert(best.confidence == expected->confidence);
}

static gint expected_code(void) {
  switch (failure) {
  case VK_ERROR_OUT_OF_HOST_MEMORY:
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    return SWIN_ERROR_OUT_OF_MEMORY;
  case VK_ERROR_DEVICE_LOST:
    return SWIN_ERROR_DEVICE_LOST;
  default:
    return SWIN_ERROR_DEVICE;
  }
}

/* Uses the device while one call fails. Returns: whether it came to that call. */
static gboolean fail_once(SwinDevice *device, const gchar *name, gint call, VkResult result) {
  failing = name;
  fail_at = call;
  failure = result;
  g_atomic_int_set(&calls, 0);
  g_autoptr(GError) error = NULL;
  SwinTag best;
  const gboolean done = use(device, &best, &error);
  failing = NULL;
  ck_assert_msg(done == (calls <= call), "%s, call %d: %s", name, call,
                error ? error->message : "no error");
  ck_assert_msg(done || g_error_matches(error, SWIN_ERROR, expected_code()), "%s, call %d: %s",
                name, call, done ? "" : error->message);
  return !done;
}

/* What @name makes goes with the classifier, so that one device serves all attempts. */
static void fail_each_call(const gchar *name, VkResult result) {
  SwinDevice *device = open_watched();
  SwinTag expected;
  ck_assert(use(device, &expected, NULL));
  const gint n_before = n_objects;
  gint call = 0;
  while (fail_once(device, name, call, result)) {
    ck_assert_msg(n_objects == n_before, "%s, call %d: %d objects are left", name, call,
                  n_objects - n_before);
    call++;
  }
  ck_assert_msg(call > 0, "%s is never called", name);
  check_use(device, &expected);
  close_watched(device);
}

/* Pipelines stay with the device: from the second attempt on, each makes one that the last could
 * not make, and fails at the next. */
static void fail_each_pipeline(const gchar *name, VkResult result) {
  SwinDevice *device = open_watched();
  ck_assert_msg(fail_once(device, name, 0, result), "%s is never called", name);
  guint n_pipelines = 1;
  while (fail_once(device, name, 1, result))
    n_pipelines++;
  ck_assert_uint_ge(n_pipelines, 10);
  ck_assert(use(device, &(SwinTag){0}, NULL));
  close_watched(device);
}

/* A lost device is of no more use, so each attempt has its own. */
static void lose_at_each_call(const gchar *name) {
  gboolean reached = TRUE;
  for (gint call = 0; reached; call++) {
    SwinDevice *device = open_watched();
    reached = fail_once(device, name, call, VK_ERROR_DEVICE_LOST);
    ck_assert_msg(reached || call > 0, "%s is never called", name);
    close_watched(device);
  }
}

START_TEST(test_memory) {
  fail_each_call("CreateBuffer", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_call("AllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY);
  fail_each_call("BindBufferMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY);
  fail_each_call("MapMemory", VK_ERROR_MEMORY_MAP_FAILED);
}
END_TEST

START_TEST(test_recording) {
  fail_each_call("CreateDescriptorPool", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_call("AllocateDescriptorSets", VK_ERROR_FRAGMENTED_POOL);
  fail_each_call("CreateCommandPool", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_call("AllocateCommandBuffers", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_call("BeginCommandBuffer", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_call("EndCommandBuffer", VK_ERROR_OUT_OF_DEVICE_MEMORY);
}
END_TEST

START_TEST(test_pipelines) {
  fail_each_pipeline("CreateShaderModule", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_pipeline("CreateDescriptorSetLayout", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_pipeline("CreatePipelineLayout", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_pipeline("CreateComputePipelines", VK_ERROR_UNKNOWN);
}
END_TEST

/* Where waiting fails, the work is still under way. */
START_TEST(test_queue) {
  fail_each_call("CreateFence", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_call("QueueSubmit", VK_ERROR_OUT_OF_DEVICE_MEMORY);
  fail_each_call("WaitForFences", VK_ERROR_OUT_OF_HOST_MEMORY);
  fail_each_call("ResetFences", VK_ERROR_OUT_OF_DEVICE_MEMORY);
}
END_TEST

START_TEST(test_lost_device) {
  lose_at_each_call("QueueSubmit");
  lose_at_each_call("WaitForFences");
}
END_TEST

enum { DONE = -1, WAITING = -2 };

static void note_code(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                      gpointer user_data) {
  g_atomic_int_set((gint *)user_data, result->error ? result->error->code : DONE);
}

/* Two callers share a batch, which starts when it is full and not before. */
START_TEST(test_refused_frame_leaves_the_rest_of_its_batch) {
  SwinDevice *device = open_watched();
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_batch_size(params, 3);
  swin_classifier_params_set_batch_timeout(params, G_MAXINT64);
  SwinClassifier *refused = swin_classifier_new(device, model, params, NULL);
  SwinClassifier *other = swin_classifier_new(device, model, params, NULL);
  ck_assert(refused && other);
  g_autoptr(FixturePicture) picture = fixture_picture_new(50, 50, 1);
  gint codes[] = {WAITING, WAITING, WAITING};
  failing = "CreateBuffer";
  fail_at = calls = 0;
  failure = VK_ERROR_OUT_OF_HOST_MEMORY;
  for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
    g_usleep(10000);
    for (guint j = 0; j < i; j++)
      ck_assert_int_eq(g_atomic_int_get(&codes[j]), WAITING);
    ck_assert(swin_classifier_submit(i == 0 ? refused : other, &picture->frame, NULL, NULL,
                                     note_code, &codes[i], NULL));
  }
  swin_classifier_unref(refused);
  swin_classifier_unref(other);
  ck_assert_int_eq(codes[0], SWIN_ERROR_OUT_OF_MEMORY);
  ck_assert_int_eq(codes[1], DONE);
  ck_assert_int_eq(codes[2], DONE);
  close_watched(device);
}
END_TEST

static void setup(void) {
  model = fixture_model();
}

static void teardown(void) {
  g_clear_pointer(&model, swin_model_unref);
}

gint main(void) {
  TCase *cases = tcase_create("failures");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_memory);
  tcase_add_test(cases, test_recording);
  tcase_add_test(cases, test_pipelines);
  tcase_add_test(cases, test_queue);
  tcase_add_test(cases, test_lost_device);
  tcase_add_test(cases, test_refused_frame_leaves_the_rest_of_its_batch);
  tcase_set_timeout(cases, 120);
  return run_cases("failures", cases);
}
