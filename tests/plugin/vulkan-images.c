// SPDX-License-Identifier: LGPL-2.1-or-later
// Vulkan images that no stock element makes on a machine without a video decoder: all planes in one
// image, and images that cannot be read.
#include <gst/check/gstcheck.h>
#include <gst/vulkan/vulkan.h>
#include <string.h>

#include "../../plugin/input.h"
#include "../../plugin/vulkan.h"

#define WIDTH 60
#define HEIGHT 34

/* ---- Devices ------------------------------------------------------------------------------- */

typedef struct {
  GstElement *element; // whose contexts name the device; any will do
  SwinVulkan *vulkan;
  GstVulkanDevice *device;
  GstVulkanQueue *queue;
  SwinDevice *swin;
} Fixture;

static gboolean take_first(G_GNUC_UNUSED GstVulkanDevice *device, GstVulkanQueue *queue,
                           gpointer user_data) {
  *(GstVulkanQueue **)user_data = gst_object_ref(queue);
  return FALSE;
}

static GstVulkanDevice *open_device(void) {
  GstVulkanInstance *instance = gst_vulkan_instance_new();
  GstVulkanDevice *device;

  fail_unless(gst_vulkan_instance_open(instance, NULL));
  device = gst_vulkan_instance_create_device(instance, NULL);
  fail_unless(device != NULL);
  gst_object_unref(instance);
  return device;
}

static void give_device(Fixture *fixture) {
  GstContext *context = gst_context_new(GST_VULKAN_DEVICE_CONTEXT_TYPE_STR, TRUE);

  gst_context_set_vulkan_device(context, fixture->device);
  swin_vulkan_set_context(fixture->vulkan, fixture->element, context);
  gst_context_unref(context);
  context = gst_context_new(GST_VULKAN_QUEUE_CONTEXT_TYPE_STR, TRUE);
  gst_context_set_vulkan_queue(context, fixture->queue);
  swin_vulkan_set_context(fixture->vulkan, fixture->element, context);
  gst_context_unref(context);
}

static Fixture fixture_new(void) {
  Fixture fixture = {
      .element = gst_object_ref_sink(gst_element_factory_make("fakesink", NULL)),
      .vulkan = swin_vulkan_new(),
      .device = open_device(),
  };
  GError *error = NULL;

  gst_vulkan_device_foreach_queue(fixture.device, take_first, &fixture.queue);
  give_device(&fixture);
  fixture.swin = swin_vulkan_find_device(fixture.vulkan, fixture.element, &error);
  fail_unless(fixture.swin != NULL && error == NULL);
  return fixture;
}

static void fixture_clear(Fixture *fixture) {
  swin_device_unref(fixture->swin);
  swin_vulkan_free(fixture->vulkan);
  gst_object_unref(fixture->queue);
  ASSERT_OBJECT_REFCOUNT(fixture->device, "device", 1);
  gst_object_unref(fixture->device);
  gst_object_unref(fixture->element);
}

static GstVulkanImageMemory *new_image(Fixture *fixture, VkFormat format, guint width, guint height,
                                       VkImageUsageFlags usage) {
  GstMemory *memory =
      gst_vulkan_image_memory_alloc(fixture->device, format, width, height, VK_IMAGE_TILING_OPTIMAL,
                                    usage, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);

  fail_unless(memory != NULL);
  return (GstVulkanImageMemory *)memory;
}

#define USAGE (VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT)

// Lavapipe has no such images in Mesa 22.3.
static gboolean has_two_planes(Fixture *fixture) {
  VkImageFormatProperties properties;

  return vkGetPhysicalDeviceImageFormatProperties(
             gst_vulkan_device_get_physical_device(fixture->device),
             VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL, USAGE,
             0, &properties) == VK_SUCCESS;
}

static GstVideoInfo info_of(GstVideoFormat format) {
  GstVideoInfo info;

  fail_unless(gst_video_info_set_format(&info, format, WIDTH, HEIGHT));
  return info;
}

/* ---- One image with two planes ------------------------------------------------------------- */

// The rows of @info's planes one after the other, as a buffer that commands copy from.
static GstMemory *new_staging(Fixture *fixture, const GstVideoInfo *info, const guint8 *pixels) {
  GstMemory *memory = gst_vulkan_buffer_memory_alloc(
      fixture->device, info->size, VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
  GstMapInfo map;

  fail_unless(memory != NULL && gst_memory_map(memory, &map, GST_MAP_WRITE));
  memcpy(map.data, pixels, info->size);
  gst_memory_unmap(memory, &map);
  return memory;
}

static void record_upload(VkCommandBuffer commands, GstMemory *staging, GstVulkanImageMemory *image,
                          const GstVideoInfo *info) {
  const VkImageAspectFlags aspects[] = {VK_IMAGE_ASPECT_PLANE_0_BIT, VK_IMAGE_ASPECT_PLANE_1_BIT};
  const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  const VkImageMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
      .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
      .newLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
      .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .image = image->image,
      .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
  };

  fail_unless(vkBeginCommandBuffer(commands, &begin) == VK_SUCCESS);
  vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                       0, 0, NULL, 0, NULL, 1, &barrier);
  for (guint plane = 0; plane < G_N_ELEMENTS(aspects); plane++) {
    const VkBufferImageCopy region = {
        .bufferOffset = GST_VIDEO_INFO_PLANE_OFFSET(info, plane),
        .bufferRowLength = (guint)GST_VIDEO_INFO_PLANE_STRIDE(info, plane) / (plane + 1),
        .imageSubresource = {aspects[plane], 0, 0, 1},
        .imageExtent = {(guint)GST_VIDEO_INFO_COMP_WIDTH(info, plane),
                        (guint)GST_VIDEO_INFO_COMP_HEIGHT(info, plane), 1},
    };

    vkCmdCopyBufferToImage(commands, ((GstVulkanBufferMemory *)staging)->buffer, image->image,
                           VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &region);
  }
  fail_unless(vkEndCommandBuffer(commands) == VK_SUCCESS);
}

// As a decoder leaves it, but that nothing is under way any more.
static void upload(Fixture *fixture, GstVulkanImageMemory *image, const GstVideoInfo *info,
                   const guint8 *pixels) {
  GstMemory *staging = new_staging(fixture, info, pixels);
  GstVulkanCommandPool *pool = gst_vulkan_queue_create_command_pool(fixture->queue, NULL);
  GstVulkanCommandBuffer *commands = gst_vulkan_command_pool_create(pool, NULL);
  const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &commands->cmd};

  gst_vulkan_command_buffer_lock(commands);
  record_upload(commands->cmd, staging, image, info);
  gst_vulkan_command_buffer_unlock(commands);
  gst_vulkan_queue_submit_lock(fixture->queue);
  fail_unless(vkQueueSubmit(fixture->queue->queue, 1, &submit, VK_NULL_HANDLE) == VK_SUCCESS);
  fail_unless(vkQueueWaitIdle(fixture->queue->queue) == VK_SUCCESS);
  gst_vulkan_queue_submit_unlock(fixture->queue);
  image->barrier.image_layout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL;
  image->barrier.parent.pipeline_stages = VK_PIPELINE_STAGE_TRANSFER_BIT;
  image->barrier.parent.access_flags = VK_ACCESS_TRANSFER_WRITE_BIT;
  gst_vulkan_command_buffer_unref(commands);
  gst_object_unref(pool);
  gst_memory_unref(staging);
}

typedef struct {
  GMutex lock;
  GCond arrived;
  gboolean done;
  guint n_tags;
  SwinTag tags[64];
} Answer;

static void take_answer(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                        gpointer user_data) {
  Answer *answer = user_data;

  fail_unless(result->error == NULL, "%s", result->error != NULL ? result->error->message : "");
  g_mutex_lock(&answer->lock);
  answer->n_tags = result->n_tags;
  memcpy(answer->tags, result->tags, result->n_tags * sizeof(SwinTag));
  answer->done = TRUE;
  g_cond_signal(&answer->arrived);
  g_mutex_unlock(&answer->lock);
}

static Answer classify(Fixture *fixture, SwinClassifier *classifier, const GstVideoInfo *info,
                       GstBuffer *buffer) {
  const SwinInput input = {.video = *info, .memory = SWIN_FRAME_MEMORY_IMAGE};
  Answer answer = {.done = FALSE};
  GError *error = NULL;
  SwinMapping *mapping;
  SwinFrame frame;

  mapping = swin_input_map(&input, buffer, fixture->swin, &frame, &error);
  fail_unless(mapping != NULL, "%s", error != NULL ? error->message : "");
  fail_unless(swin_classifier_submit(classifier, &frame, swin_mapping_unref, mapping, take_answer,
                                     &answer, &error));
  g_mutex_lock(&answer.lock);
  while (!answer.done)
    g_cond_wait(&answer.arrived, &answer.lock);
  g_mutex_unlock(&answer.lock);
  return answer;
}

static void expect_same(const Answer *a, const Answer *b) {
  fail_unless_equals_int(a->n_tags, b->n_tags);
  fail_unless(a->n_tags > 1);
  for (guint i = 0; i < a->n_tags; i++)
    fail_unless(a->tags[i].index == b->tags[i].index &&
                a->tags[i].confidence == b->tags[i].confidence);
}

static void compare_two_planes(Fixture *fixture, SwinClassifier *classifier) {
  GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12);
  GstBuffer *in_memory = gst_buffer_new_allocate(NULL, info.size, NULL);
  GstBuffer *in_image = gst_buffer_new(), *copy;
  g_autofree guint8 *pixels = g_malloc(info.size);
  GstVulkanImageMemory *image;
  Answer expected, answer;

  for (gsize i = 0; i < info.size; i++)
    pixels[i] = (guint8)(i * i / 7 + i / 60);
  gst_buffer_fill(in_memory, 0, pixels, info.size);
  image = new_image(fixture, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, WIDTH, HEIGHT, USAGE);
  upload(fixture, image, &info, pixels);
  gst_buffer_append_memory(in_image, GST_MEMORY_CAST(image));

  expected = classify(fixture, classifier, &info, in_memory);
  answer = classify(fixture, classifier, &info, in_image);
  expect_same(&answer, &expected);
  fail_unless(image->barrier.image_layout == VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);

  copy = swin_vulkan_copy(fixture->vulkan, in_image, &info, NULL);
  fail_unless(copy != NULL);
  fail_if(gst_buffer_peek_memory(copy, 0) == gst_buffer_peek_memory(in_image, 0));
  // What was copied may be given back while the copy is under way.
  gst_buffer_unref(in_image);
  answer = classify(fixture, classifier, &info, copy);
  expect_same(&answer, &expected);
  gst_buffer_unref(copy);
  gst_buffer_unref(in_memory);
}

GST_START_TEST(test_one_image_with_two_planes) {
  Fixture fixture = fixture_new();
  SwinModel *model = swin_model_load("testcard", NULL, NULL);
  SwinClassifierParams *params = swin_classifier_params_new();
  SwinClassifier *classifier;

  swin_classifier_params_set_top_k(params, 64);
  classifier = swin_classifier_new(fixture.swin, model, params, NULL);
  fail_unless(classifier != NULL);
  if (has_two_planes(&fixture))
    compare_two_planes(&fixture, classifier);
  swin_classifier_unref(classifier);
  swin_classifier_params_free(params);
  swin_model_unref(model);
  fixture_clear(&fixture);
}
GST_END_TEST;

GST_START_TEST(test_copy_has_metadata) {
  Fixture fixture = fixture_new();
  GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGBA);
  gsize offset[GST_VIDEO_MAX_PLANES] = {0};
  gint stride[GST_VIDEO_MAX_PLANES] = {4 * WIDTH};
  GstBuffer *buffer = gst_buffer_new(), *copy;
  const GstVideoMeta *meta;

  gst_buffer_append_memory(buffer, GST_MEMORY_CAST(new_image(&fixture, VK_FORMAT_R8G8B8A8_UNORM,
                                                             WIDTH + 3, HEIGHT + 1, USAGE)));
  GST_BUFFER_PTS(buffer) = 7 * GST_SECOND;
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGBA, WIDTH,
                                 HEIGHT, 1, offset, stride);
  gst_buffer_add_video_crop_meta(buffer)->x = 5;
  copy = swin_vulkan_copy(fixture.vulkan, buffer, &info, NULL);
  fail_unless(copy != NULL && gst_buffer_is_writable(copy));
  fail_unless_equals_uint64(GST_BUFFER_PTS(copy), 7 * GST_SECOND);
  meta = gst_buffer_get_video_meta(copy);
  fail_unless(meta != NULL && meta->width == WIDTH && meta->stride[0] == 4 * WIDTH);
  fail_unless(gst_buffer_get_video_crop_meta(copy) != NULL);
  gst_buffer_unref(buffer);
  gst_buffer_unref(copy);
  fixture_clear(&fixture);
}
GST_END_TEST;

/* ---- Images that cannot be read ------------------------------------------------------------ */

// Takes @buffer over; @word must be in what is said of it.
static void expect_refusal(Fixture *fixture, GstVideoFormat format, GstBuffer *buffer,
                           const gchar *word) {
  GstVideoInfo info = info_of(format);
  SwinFrame frame = SWIN_FRAME_INIT;
  g_autoptr(GError) error = NULL;

  frame.width = WIDTH;
  frame.height = HEIGHT;
  fail_unless(swin_vulkan_map(buffer, &info, fixture->swin, &frame, &error) == NULL);
  fail_unless(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_FRAME));
  fail_unless(strstr(error->message, word) != NULL, "%s", error->message);
  fail_unless(frame.memory == SWIN_FRAME_MEMORY_HOST);
  gst_buffer_unref(buffer);
}

static GstBuffer *buffer_of(GstVulkanImageMemory *first, GstVulkanImageMemory *second) {
  GstBuffer *buffer = gst_buffer_new();

  gst_buffer_append_memory(buffer, GST_MEMORY_CAST(first));
  if (second != NULL)
    gst_buffer_append_memory(buffer, GST_MEMORY_CAST(second));
  return buffer;
}

GST_START_TEST(test_refusals) {
  const VkFormat rgba = VK_FORMAT_R8G8B8A8_UNORM, one = VK_FORMAT_R8_UNORM;
  Fixture fixture = fixture_new(), other = fixture_new();
  GstBuffer *mixed;

  expect_refusal(&fixture, GST_VIDEO_FORMAT_RGBA,
                 buffer_of(new_image(&fixture, rgba, WIDTH, HEIGHT,
                                     VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_SAMPLED_BIT),
                           NULL),
                 "VK_IMAGE_USAGE_TRANSFER_SRC_BIT");
  expect_refusal(&fixture, GST_VIDEO_FORMAT_RGBA,
                 buffer_of(new_image(&fixture, rgba, WIDTH - 1, HEIGHT, USAGE), NULL), "smaller");
  expect_refusal(&fixture, GST_VIDEO_FORMAT_RGBA,
                 buffer_of(new_image(&fixture, one, WIDTH, HEIGHT, USAGE), NULL), "VkFormat");
  expect_refusal(&fixture, GST_VIDEO_FORMAT_NV12,
                 buffer_of(new_image(&fixture, rgba, WIDTH, HEIGHT, USAGE), NULL), "VkFormat");
  // Its U and V would be exchanged.
  if (has_two_planes(&fixture))
    expect_refusal(
        &fixture, GST_VIDEO_FORMAT_NV21,
        buffer_of(new_image(&fixture, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, WIDTH, HEIGHT, USAGE),
                  NULL),
        "VkFormat");
  expect_refusal(&fixture, GST_VIDEO_FORMAT_I420,
                 buffer_of(new_image(&fixture, one, WIDTH, HEIGHT, USAGE),
                           new_image(&fixture, one, WIDTH, HEIGHT, USAGE)),
                 "2 Vulkan images");
  expect_refusal(&fixture, GST_VIDEO_FORMAT_YUY2,
                 buffer_of(new_image(&fixture, VK_FORMAT_R8G8_UNORM, WIDTH, HEIGHT, USAGE), NULL),
                 "YUY2");
  expect_refusal(&fixture, GST_VIDEO_FORMAT_RGBA,
                 buffer_of(new_image(&other, rgba, WIDTH, HEIGHT, USAGE), NULL), "another");
  mixed = buffer_of(new_image(&fixture, one, WIDTH, HEIGHT, USAGE), NULL);
  gst_buffer_append_memory(mixed, gst_allocator_alloc(NULL, WIDTH * HEIGHT, NULL));
  expect_refusal(&fixture, GST_VIDEO_FORMAT_NV12, mixed, "in part");
  fixture_clear(&other);
  fixture_clear(&fixture);
}
GST_END_TEST;

// Who finds the same queue shares a device, and the first who leaves does not take it away.
GST_START_TEST(test_shared_device) {
  Fixture fixture = fixture_new();
  SwinVulkan *second = swin_vulkan_new();
  GstContext *context = gst_context_new(GST_VULKAN_DEVICE_CONTEXT_TYPE_STR, TRUE);
  GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGBA);
  SwinFrame frame = SWIN_FRAME_INIT;
  SwinVulkanFrame *mapped;
  GstBuffer *buffer;
  SwinDevice *device;

  gst_context_set_vulkan_device(context, fixture.device);
  swin_vulkan_set_context(second, fixture.element, context);
  gst_context_unref(context);
  device = swin_vulkan_find_device(second, fixture.element, NULL);
  fail_unless(device == fixture.swin);
  swin_device_unref(device);
  swin_vulkan_free(second);

  buffer = buffer_of(new_image(&fixture, VK_FORMAT_R8G8B8A8_UNORM, WIDTH, HEIGHT, USAGE), NULL);
  frame.width = WIDTH;
  frame.height = HEIGHT;
  mapped = swin_vulkan_map(buffer, &info, fixture.swin, &frame, NULL);
  fail_unless(mapped != NULL && frame.memory == SWIN_FRAME_MEMORY_IMAGE);
  swin_vulkan_unmap(mapped);
  gst_buffer_unref(buffer);
  fixture_clear(&fixture);
}
GST_END_TEST;

static Suite *vulkan_images_suite(void) {
  Suite *suite = suite_create("vulkan-images");
  TCase *images = tcase_create("images");

  tcase_add_test(images, test_one_image_with_two_planes);
  tcase_add_test(images, test_copy_has_metadata);
  tcase_add_test(images, test_refusals);
  tcase_add_test(images, test_shared_device);
  suite_add_tcase(suite, images);
  return suite;
}

GST_CHECK_MAIN(vulkan_images);
