// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vulkan.h"

// GstVulkan is unstable: GStreamer 1.30 moves the state of an image behind functions.
#if defined(HAVE_GST_VULKAN) && !GST_CHECK_VERSION(1, 29, 0)

#include <gst/vulkan/vulkan.h>

#include "frame.h"
#include "vulkan-commands.h"
#include "vulkan-format.h"

GST_DEBUG_CATEGORY_STATIC(gst_swin_vulkan_debug);
#define GST_CAT_DEFAULT gst_swin_vulkan_debug

struct _SwinVulkan {
  GMutex lock; // never held while somebody else is called

  // What the application, or a bin for it, has set: stays until it sets another.
  GstVulkanInstance *given_instance;
  GstVulkanDevice *given_device;
  GstVulkanQueue *given_queue;

  // What was found, until it is forgotten.
  GstVulkanDevice *device;
  GstVulkanQueue *queue;

  // For copies: of the streaming thread, and of swin_vulkan_forget(), when that has stopped.
  GstVulkanQueue *copy_queue; // what the others are for
  GstVulkanCommandPool *commands;
  GstVulkanTrashList *trash; // what copies need until they are done
};

struct _SwinVulkanFrame {
  GstBuffer *buffer;
  guint n_images;
  GstVulkanImageMemory *images[SWIN_FRAME_MAX_PLANES]; // of buffer
};

static void initialize_once(void) {
  static gsize initialized;

  if (g_once_init_enter(&initialized)) {
    GST_DEBUG_CATEGORY_INIT(gst_swin_vulkan_debug, "swinvulkan", 0, "frames in Vulkan images");
    g_once_init_leave(&initialized, 1);
  }
}

// The structures changed in 1.24, so that what was compiled for one side does not run on the other.
static gboolean runs_as_compiled(void) {
  guint major, minor, micro, nano;

  gst_version(&major, &minor, &micro, &nano);
#if GST_CHECK_VERSION(1, 24, 0)
  return major == 1 && minor >= 24 && minor < 29;
#else
  return major == 1 && minor < 24;
#endif
}

/* ---- Devices that libswin has from here ------------------------------------------------------ */

/**
 * Import: what a SwinDevice is made of. Lives until libswin has done with it, which may be long
 * after the elements have.
 */
typedef struct {
  SwinDevice *device;    // its address, as a key
  GstVulkanQueue *queue; // holds the GstVulkanDevice, which holds the GstVulkanInstance
  const gchar *extensions[8];
} Import;

// Recursive, because libswin lets go of an import at once where it has the queue already.
static GRecMutex imports_lock;
static GSList *imports;

static void forget_import(gpointer user_data) {
  Import *import = user_data;

  g_rec_mutex_lock(&imports_lock);
  imports = g_slist_remove(imports, import);
  g_rec_mutex_unlock(&imports_lock);
  gst_object_unref(import->queue);
  g_free(import);
}

// Called with the lock. NULL is the device of an import under way.
static Import *find_import(const SwinDevice *device) {
  for (GSList *item = imports; item != NULL; item = item->next) {
    Import *import = item->data;

    if (import->device == device)
      return import;
  }
  return NULL;
}

// Returns: (transfer full) (nullable): NULL for a device that is not from here
static GstVulkanQueue *queue_of(const SwinDevice *device) {
  GstVulkanQueue *queue = NULL;
  const Import *import;

  g_rec_mutex_lock(&imports_lock);
  import = find_import(device);
  if (import != NULL)
    queue = gst_object_ref(import->queue);
  g_rec_mutex_unlock(&imports_lock);
  return queue;
}

static void lock_queue(gpointer user_data) {
  gst_vulkan_queue_submit_lock(((Import *)user_data)->queue);
}

static void unlock_queue(gpointer user_data) {
  gst_vulkan_queue_submit_unlock(((Import *)user_data)->queue);
}

static void list_extensions(Import *import) {
  static const gchar *const wanted[] = {
      VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
      VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
      VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
      VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME,
  };
  guint n_enabled = 0;

  G_STATIC_ASSERT(G_N_ELEMENTS(wanted) < G_N_ELEMENTS(import->extensions));
  for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
    if (gst_vulkan_device_is_extension_enabled(import->queue->device, wanted[i]))
      import->extensions[n_enabled++] = wanted[i];
}

// GStreamer 1.22 enables no feature; later releases enable all that the driver has of core Vulkan
// 1.1, 1.2 and 1.3 where that is 1.2 or later (gstvkphysicaldevice.c).
static SwinDevice *import_with_features(SwinDeviceImport *import, guint32 api_version,
                                        GError **error) {
#if GST_CHECK_VERSION(1, 24, 0)
  VkPhysicalDeviceVulkan13Features features_1_3 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
  VkPhysicalDeviceVulkan12Features features_1_2 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceVulkan11Features features_1_1 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &features_1_2};
  VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                        .pNext = &features_1_1};
  PFN_vkGetPhysicalDeviceFeatures2 get_features =
      (PFN_vkGetPhysicalDeviceFeatures2)vkGetInstanceProcAddr(import->instance,
                                                              "vkGetPhysicalDeviceFeatures2");

  if (api_version >= VK_API_VERSION_1_3)
    features_1_2.pNext = &features_1_3;
  if (api_version >= VK_API_VERSION_1_2 && get_features != NULL) {
    get_features(import->physical_device, &features);
    import->features = &features;
  }
#else
  (void)api_version;
#endif
  return swin_device_import(import, error);
}

static SwinDevice *import_queue(GstVulkanQueue *queue, GError **error) {
  GstVulkanDevice *device = queue->device;
  Import *import = g_new0(Import, 1);
  SwinDeviceImport description = SWIN_DEVICE_IMPORT_INIT;
  SwinDevice *imported;

  import->queue = gst_object_ref(queue);
  list_extensions(import);
  description.get_proc_addr = vkGetInstanceProcAddr;
  description.instance = device->instance->instance;
  description.physical_device = gst_vulkan_device_get_physical_device(device);
  description.device = device->device;
  description.queue_family = queue->family;
  description.queue_index = queue->index;
  description.extensions = import->extensions;
  description.lock_queue = lock_queue;
  description.unlock_queue = unlock_queue;
  description.user_data = import;
  description.destroy = forget_import;

  g_rec_mutex_lock(&imports_lock);
  imports = g_slist_prepend(imports, import);
  imported =
      import_with_features(&description, device->physical_device->properties.apiVersion, error);
  if (imported == NULL) {
    forget_import(import);
  } else {
    import = find_import(NULL);
    if (import != NULL)
      import->device = imported;
  }
  g_rec_mutex_unlock(&imports_lock);
  return imported;
}

/* ---- What the pipeline has ------------------------------------------------------------------- */

SwinVulkan *swin_vulkan_new(void) {
  SwinVulkan *vulkan = g_new0(SwinVulkan, 1);

  initialize_once();
  g_mutex_init(&vulkan->lock);
  return vulkan;
}

void swin_vulkan_free(SwinVulkan *vulkan) {
  if (vulkan == NULL)
    return;
  swin_vulkan_forget(vulkan);
  gst_clear_object(&vulkan->given_instance);
  gst_clear_object(&vulkan->given_device);
  gst_clear_object(&vulkan->given_queue);
  g_mutex_clear(&vulkan->lock);
  g_free(vulkan);
}

// Takes @object over, which may be NULL. What was there goes with the lock released: it may be the
// last reference to a device.
static void replace(SwinVulkan *vulkan, gpointer field, gpointer object) {
  gpointer *place = field, old;

  g_mutex_lock(&vulkan->lock);
  old = *place;
  *place = object;
  g_mutex_unlock(&vulkan->lock);
  if (old != NULL)
    gst_object_unref(old);
}

// Returns: (transfer full) (nullable)
static gpointer take_reference(SwinVulkan *vulkan, gpointer field) {
  gpointer *place = field, object;

  g_mutex_lock(&vulkan->lock);
  object = *place != NULL ? gst_object_ref(*place) : NULL;
  g_mutex_unlock(&vulkan->lock);
  return object;
}

void swin_vulkan_set_context(SwinVulkan *vulkan, GstElement *element, GstContext *context) {
  GstVulkanInstance *instance = NULL;
  GstVulkanDevice *device = NULL;
  GstVulkanQueue *queue = NULL;

  if (context == NULL)
    return;
  if (gst_vulkan_handle_set_context(element, context, NULL, &instance) && instance != NULL)
    replace(vulkan, &vulkan->given_instance, instance);
  if (gst_context_has_context_type(context, GST_VULKAN_DEVICE_CONTEXT_TYPE_STR) &&
      gst_context_get_vulkan_device(context, &device))
    replace(vulkan, &vulkan->given_device, device);
  if (gst_context_has_context_type(context, GST_VULKAN_QUEUE_CONTEXT_TYPE_STR) &&
      gst_context_get_vulkan_queue(context, &queue))
    replace(vulkan, &vulkan->given_queue, queue);
}

gboolean swin_vulkan_answer_query(SwinVulkan *vulkan, GstElement *element, GstQuery *query) {
  g_autoptr(GstVulkanInstance) instance = NULL;
  g_autoptr(GstVulkanDevice) device = NULL;
  g_autoptr(GstVulkanQueue) queue = NULL;

  if (GST_QUERY_TYPE(query) != GST_QUERY_CONTEXT)
    return FALSE;
  device = take_reference(vulkan, &vulkan->device);
  queue = take_reference(vulkan, &vulkan->queue);
  if (device == NULL) {
    device = take_reference(vulkan, &vulkan->given_device);
    queue = take_reference(vulkan, &vulkan->given_queue);
  }
  instance = device != NULL ? gst_object_ref(device->instance)
                            : take_reference(vulkan, &vulkan->given_instance);
  return gst_vulkan_handle_context_query(element, query, NULL, instance, device) ||
         gst_vulkan_queue_handle_context_query(element, query, queue);
}

// Upstream first, for that is where the images come from.
// Returns: (transfer full) (nullable)
static GstContext *ask_neighbours(GstElement *element, const gchar *type) {
  GstQuery *query = gst_query_new_context(type);
  GstContext *context = NULL;

  if (gst_vulkan_run_query(element, query, GST_PAD_SINK) ||
      gst_vulkan_run_query(element, query, GST_PAD_SRC)) {
    gst_query_parse_context(query, &context);
    if (context != NULL)
      gst_context_ref(context);
  }
  gst_query_unref(query);
  return context;
}

static GstVulkanDevice *find_device(SwinVulkan *vulkan, GstElement *element) {
  g_autoptr(GstContext) context = ask_neighbours(element, GST_VULKAN_DEVICE_CONTEXT_TYPE_STR);
  GstVulkanDevice *device = NULL;

  if (context != NULL && gst_context_get_vulkan_device(context, &device) && device != NULL)
    return device;
  device = take_reference(vulkan, &vulkan->given_device);
  if (device != NULL)
    return device;
  // Whoever has one calls gst_element_set_context(), before this returns.
  gst_element_post_message(element, gst_message_new_need_context(
                                        GST_OBJECT(element), GST_VULKAN_DEVICE_CONTEXT_TYPE_STR));
  return take_reference(vulkan, &vulkan->given_device);
}

static gboolean can_compute(const GstVulkanQueue *queue) {
  const GstVulkanPhysicalDevice *physical = queue->device->physical_device;

  return queue->family < physical->n_queue_families &&
         (physical->queue_family_props[queue->family].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0;
}

static gboolean choose_queue(G_GNUC_UNUSED GstVulkanDevice *device, GstVulkanQueue *queue,
                             gpointer user_data) {
  GstVulkanQueue **chosen = user_data;

  if (!can_compute(queue))
    return TRUE;
  *chosen = gst_object_ref(queue);
  return FALSE;
}

// The very object that the producer of the images has, if possible: each has a lock of its own,
// even of the same VkQueue, and up to 1.22 images are in order on one queue alone.
static GstVulkanQueue *find_queue(SwinVulkan *vulkan, GstElement *element,
                                  GstVulkanDevice *device) {
  g_autoptr(GstContext) context = ask_neighbours(element, GST_VULKAN_QUEUE_CONTEXT_TYPE_STR);
  GstVulkanQueue *queue = NULL;

  if (context == NULL || !gst_context_get_vulkan_queue(context, &queue))
    queue = take_reference(vulkan, &vulkan->given_queue);
  if (queue != NULL && (queue->device != device || !can_compute(queue)))
    gst_clear_object(&queue);
  if (queue == NULL)
    gst_vulkan_device_foreach_queue(device, choose_queue, &queue);
  return queue;
}

SwinDevice *swin_vulkan_find_device(SwinVulkan *vulkan, GstElement *element, GError **error) {
  g_autoptr(GstVulkanDevice) device = NULL;
  g_autoptr(GstVulkanQueue) queue = NULL;
  SwinDevice *imported;
  const gchar *name;

  if (!runs_as_compiled()) {
    GST_WARNING_OBJECT(element, "built for the Vulkan structures of another release of GStreamer; "
                                "Vulkan images are not taken");
    return NULL;
  }
  device = find_device(vulkan, element);
  if (device == NULL) {
    GST_DEBUG_OBJECT(element, "the pipeline has no Vulkan device");
    return NULL;
  }
  name = device->physical_device->properties.deviceName;
  if (device->device == VK_NULL_HANDLE) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "The pipeline's Vulkan device %s is not open; call gst_vulkan_device_open() before "
                "it is set as a context.",
                name);
    return NULL;
  }
  queue = find_queue(vulkan, element, device);
  if (queue == NULL) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
                "The pipeline's Vulkan device %s was opened without a queue that computes.", name);
    return NULL;
  }
  imported = import_queue(queue, error);
  if (imported == NULL) {
    g_prefix_error(error, "The pipeline's Vulkan device %s cannot be used. ", name);
    return NULL;
  }
  GST_INFO_OBJECT(element, "found the pipeline's Vulkan device %s, queue %u of family %u", name,
                  queue->index, queue->family);
  replace(vulkan, &vulkan->device, g_steal_pointer(&device));
  replace(vulkan, &vulkan->queue, g_steal_pointer(&queue));
  return imported;
}

static void forget_copies(SwinVulkan *vulkan) {
  if (vulkan->trash != NULL) {
    gst_vulkan_trash_list_wait(vulkan->trash, G_MAXUINT64);
    gst_vulkan_trash_list_gc(vulkan->trash);
  }
  gst_clear_object(&vulkan->trash);
  gst_clear_object(&vulkan->commands);
  gst_clear_object(&vulkan->copy_queue);
}

void swin_vulkan_forget(SwinVulkan *vulkan) {
  forget_copies(vulkan);
  replace(vulkan, &vulkan->queue, NULL);
  replace(vulkan, &vulkan->device, NULL);
}

/* ---- Caps ------------------------------------------------------------------------------------ */

void swin_vulkan_append_caps(GstCaps *caps) {
  g_autoptr(GArray) formats = NULL;
  GValue names = G_VALUE_INIT;

  if (!runs_as_compiled())
    return;
  formats = swin_frame_formats();
  for (guint i = formats->len; i-- > 0;)
    if (!swin_vulkan_format_fits(
            gst_video_format_get_info(g_array_index(formats, GstVideoFormat, i))))
      g_array_remove_index(formats, i);
  swin_frame_format_names(formats, &names);
  swin_frame_append_caps(caps, GST_CAPS_FEATURE_MEMORY_VULKAN_IMAGE, "format", &names);
  g_value_unset(&names);
}

gboolean swin_vulkan_parse(GstVideoInfo *info, const GstCaps *caps) {
  const GstCapsFeatures *features = gst_caps_get_features(caps, 0);

  return runs_as_compiled() && features != NULL &&
         gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_VULKAN_IMAGE) &&
         gst_video_info_from_caps(info, caps) && swin_vulkan_format_fits(info->finfo);
}

/* ---- Frames ---------------------------------------------------------------------------------- */

gboolean swin_vulkan_is_image(GstBuffer *buffer) {
  return gst_buffer_n_memory(buffer) > 0 &&
         gst_is_vulkan_image_memory(gst_buffer_peek_memory(buffer, 0));
}

G_GNUC_PRINTF(2, 3)
static gboolean refuse(GError **error, const gchar *message, ...) {
  va_list arguments;

  va_start(arguments, message);
  if (error != NULL)
    *error = g_error_new_valist(SWIN_ERROR, SWIN_ERROR_FRAME, message, arguments);
  va_end(arguments);
  return FALSE;
}

// What is asked of an image whatever is in it.
static gboolean check_image(const GstVulkanImageMemory *image, const GstVulkanQueue *queue,
                            GError **error) {
  const VkImageCreateInfo *info = &image->create_info;
  const GstVulkanQueue *owner = image->barrier.parent.queue;

  if (image->device != queue->device)
    return refuse(error, "The frame is in images of another Vulkan device than the one that the "
                         "pipeline named; let all of its elements share one.");
  if (owner != NULL && owner->family != queue->family &&
      info->sharingMode != VK_SHARING_MODE_CONCURRENT)
    return refuse(error,
                  "The frame's Vulkan image belongs to queue family %u, and the model runs on "
                  "family %u; let its producer make images that families share.",
                  owner->family, queue->family);
  if ((image->usage & VK_IMAGE_USAGE_TRANSFER_SRC_BIT) == 0)
    return refuse(error,
                  "The frame's Vulkan image was made without VK_IMAGE_USAGE_TRANSFER_SRC_BIT "
                  "and cannot be copied; let the buffer pool of its producer ask for it.");
  if (info->imageType != VK_IMAGE_TYPE_2D || info->samples != VK_SAMPLE_COUNT_1_BIT ||
      info->arrayLayers != 1 || info->mipLevels != 1)
    return refuse(error,
                  "The frame's Vulkan image has %u layers and %u levels; only plain pictures are "
                  "taken.",
                  info->arrayLayers, info->mipLevels);
  return TRUE;
}

static gboolean check_format(const GstVulkanImageMemory *image, const GstVideoFormatInfo *format,
                             guint first_plane, guint n_planes, GError **error) {
  VkFormat image_format = image->create_info.format;

  return swin_vulkan_format_matches(image_format, format, first_plane, n_planes)
             ? TRUE
             : refuse(error,
                      "The frame's Vulkan image has VkFormat %d, which is not one of a %s picture "
                      "that the element knows.",
                      (gint)image_format, format->name);
}

static gboolean check_size(const GstVulkanImageMemory *image, VkExtent2D needed, GError **error) {
  const VkExtent3D *extent = &image->create_info.extent;

  if (extent->width >= needed.width && extent->height >= needed.height)
    return TRUE;
  return refuse(error,
                "The frame's Vulkan image of %u x %u texels is smaller than the %u x %u that its "
                "caps and metadata name.",
                extent->width, extent->height, needed.width, needed.height);
}

// One image for each plane, as buffer pools make them, or one for all, as decoders do.
static gboolean describe_planes(SwinVulkanFrame *images, const GstVideoFormatInfo *format,
                                SwinFrame *frame, GError **error) {
  static const VkImageAspectFlags aspects[] = {
      VK_IMAGE_ASPECT_PLANE_0_BIT, VK_IMAGE_ASPECT_PLANE_1_BIT, VK_IMAGE_ASPECT_PLANE_2_BIT};
  guint n_planes = GST_VIDEO_FORMAT_INFO_N_PLANES(format);
  gboolean is_planar = images->n_images != n_planes;

  if (is_planar &&
      (!check_format(images->images[0], format, 0, n_planes, error) ||
       !check_size(images->images[0], (VkExtent2D){frame->width, frame->height}, error)))
    return FALSE;
  for (guint plane = 0; plane < n_planes; plane++) {
    VkExtent2D extent = swin_vulkan_format_plane_extent(format, plane, frame->width, frame->height);

    if (!is_planar && (!check_format(images->images[plane], format, plane, 1, error) ||
                       !check_size(images->images[plane], extent, error)))
      return FALSE;
    frame->images.image[plane] = is_planar ? 0 : plane;
    frame->images.aspect[plane] = is_planar ? aspects[plane] : VK_IMAGE_ASPECT_COLOR_BIT;
    frame->images.texel_size[plane] = swin_vulkan_format_texel_size(format, plane);
  }
  return TRUE;
}

// Stages and accesses that only the 64-bit masks of synchronization2 can name become all there are.
#define KNOWN_STAGES ((guint64)0x1ffff)
#define KNOWN_ACCESSES ((guint64)0x1ffff)

static SwinImageState get_state(const GstVulkanImageMemory *image) {
  const GstVulkanBarrierImageInfo *barrier = &image->barrier;
  guint64 stages = barrier->parent.pipeline_stages, access = barrier->parent.access_flags;
  SwinImageState state = {
      .layout = barrier->image_layout,
      .stages = (VkPipelineStageFlags)stages,
      .access = (VkAccessFlags)access,
      .queue_family = VK_QUEUE_FAMILY_IGNORED,
  };

  if (stages == 0 || (stages & ~KNOWN_STAGES) != 0)
    state.stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  if ((access & ~KNOWN_ACCESSES) != 0)
    state.access = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;
#if GST_CHECK_VERSION(1, 24, 0)
  // As in gst_vulkan_operation_add_dependency_frame(): who reads waits and signals as well.
  state.semaphore = barrier->parent.semaphore;
  state.value = barrier->parent.semaphore_value;
#endif
  return state;
}

static void set_state(GstVulkanImageMemory *image, const SwinImageState *state) {
  GstVulkanBarrierImageInfo *barrier = &image->barrier;

  barrier->image_layout = state->layout;
  barrier->parent.pipeline_stages = state->stages;
  barrier->parent.access_flags = state->access;
#if GST_CHECK_VERSION(1, 24, 0)
  barrier->parent.semaphore_value = state->value;
#endif
}

static void begin_images(gpointer keep_alive, SwinImageState *states) {
  const SwinVulkanFrame *frame = *(SwinVulkanFrame **)keep_alive;

  for (guint i = 0; i < frame->n_images; i++)
    states[i] = get_state(frame->images[i]);
}

static void end_images(gpointer keep_alive, const SwinImageState *states) {
  const SwinVulkanFrame *frame = *(SwinVulkanFrame **)keep_alive;

  for (guint i = 0; i < frame->n_images; i++)
    set_state(frame->images[i], &states[i]);
}

static gboolean collect_images(SwinVulkanFrame *images, const GstVulkanQueue *queue,
                               GError **error) {
  for (guint i = 0; i < images->n_images; i++) {
    GstMemory *memory = gst_buffer_peek_memory(images->buffer, i);

    if (!gst_is_vulkan_image_memory(memory))
      return refuse(error, "The buffer is only in part in Vulkan images; they cannot be mixed with "
                           "other memory.");
    images->images[i] = (GstVulkanImageMemory *)memory;
    if (!check_image(images->images[i], queue, error))
      return FALSE;
    for (guint j = 0; j < i; j++)
      if (images->images[j]->image == images->images[i]->image)
        return refuse(error, "The buffer has the same Vulkan image for two planes.");
  }
  return TRUE;
}

// Fills in where the planes of @frame are, whose size is described already.
static SwinVulkanFrame *map_images(GstBuffer *buffer, const GstVideoInfo *info,
                                   const GstVulkanQueue *queue, SwinFrame *frame, GError **error) {
  const GstVideoFormatInfo *format = info->finfo;
  guint n_planes = GST_VIDEO_INFO_N_PLANES(info), n_memories = gst_buffer_n_memory(buffer);
  SwinVulkanFrame *images;

  if (!swin_vulkan_format_fits(format) || (n_memories != n_planes && n_memories != 1)) {
    refuse(error, "A %s picture in %u Vulkan images is not known to the element.", format->name,
           n_memories);
    return NULL;
  }
  images = g_new0(SwinVulkanFrame, 1);
  images->buffer = gst_buffer_ref(buffer);
  images->n_images = n_memories;
  if (collect_images(images, queue, error) && describe_planes(images, format, frame, error))
    return images;
  swin_vulkan_unmap(images);
  return NULL;
}

SwinVulkanFrame *swin_vulkan_map(GstBuffer *buffer, const GstVideoInfo *info, SwinDevice *device,
                                 SwinFrame *frame, GError **error) {
  g_autoptr(GstVulkanQueue) queue = queue_of(device);
  SwinVulkanFrame *images;

  if (queue == NULL) {
    refuse(error,
           "The frame is in Vulkan images, and the model is on %s by itself; leave the property "
           "\"device\" unset, so that the device of the pipeline is used.",
           swin_device_get_info(device)->name);
    return NULL;
  }
  images = map_images(buffer, info, queue, frame, error);
  if (images == NULL)
    return NULL;
  frame->memory = SWIN_FRAME_MEMORY_IMAGE;
  frame->images.n_images = images->n_images;
  for (guint i = 0; i < images->n_images; i++)
    frame->images.images[i] = images->images[i]->image;
  frame->images.begin = begin_images;
  frame->images.end = end_images;
  return images;
}

void swin_vulkan_unmap(SwinVulkanFrame *frame) {
  if (frame == NULL)
    return;
  gst_buffer_unref(frame->buffer);
  g_free(frame);
}

/* ---- Copies ---------------------------------------------------------------------------------- */

static gboolean check_result(VkResult result, GError **error) {
  if (result == VK_SUCCESS)
    return TRUE;
  g_set_error(error, SWIN_ERROR,
              result == VK_ERROR_DEVICE_LOST ? SWIN_ERROR_DEVICE_LOST : SWIN_ERROR_DEVICE,
              "The pipeline's Vulkan device failed to copy a frame (Vulkan error %d).",
              (gint)result);
  return FALSE;
}

// What GstVulkan says of itself, in our domain.
static gboolean fail(GError *reason, GError **error) {
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
              "The pipeline's Vulkan device failed to copy a frame: %s.",
              reason != NULL ? reason->message : "out of memory");
  g_clear_error(&reason);
  return FALSE;
}

static gboolean prepare_copies(SwinVulkan *vulkan, GError **error) {
  g_autoptr(GstVulkanQueue) queue = take_reference(vulkan, &vulkan->queue);
  GError *reason = NULL;

  if (queue == NULL)
    return refuse(error, "The frame is in Vulkan images, and the pipeline has named no device.");
  if (vulkan->copy_queue == queue)
    return TRUE;
  forget_copies(vulkan);
  vulkan->commands = gst_vulkan_queue_create_command_pool(queue, &reason);
  if (vulkan->commands == NULL)
    return fail(reason, error);
  vulkan->trash = gst_vulkan_trash_fence_list_new();
  vulkan->copy_queue = g_steal_pointer(&queue);
  return TRUE;
}

// Images like those of @from, with nothing in them, and its metadata.
static GstBuffer *make_buffer(const SwinVulkanFrame *from, GError **error) {
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  const GstVideoMeta *meta = gst_buffer_get_video_meta(from->buffer);

  for (guint i = 0; i < from->n_images; i++) {
    const VkImageCreateInfo *info = &from->images[i]->create_info;
    GstMemory *memory = gst_vulkan_image_memory_alloc(
        from->images[i]->device, info->format, info->extent.width, info->extent.height,
        VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);

    if (memory == NULL) {
      fail(NULL, error);
      return NULL;
    }
    gst_buffer_append_memory(buffer, memory);
  }
  gst_buffer_copy_into(buffer, from->buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  // Not among what is copied without the memory that it describes.
  if (meta != NULL && gst_buffer_get_video_meta(buffer) == NULL)
    gst_buffer_add_video_meta_full(buffer, meta->flags, meta->format, meta->width, meta->height,
                                   meta->n_planes, (gsize *)meta->offset, (gint *)meta->stride);
  return g_steal_pointer(&buffer);
}

// Whole images, plane by plane.
static void describe_transfer(SwinVulkanTransfer *transfer, const SwinVulkanFrame *from,
                              const SwinVulkanFrame *to, const SwinFrame *planes,
                              const GstVideoFormatInfo *format) {
  transfer->n_images = from->n_images;
  for (guint i = 0; i < from->n_images; i++) {
    transfer->from[i] = (SwinVulkanImage){from->images[i]->image, get_state(from->images[i])};
    transfer->to[i] = (SwinVulkanImage){to->images[i]->image, get_state(to->images[i])};
  }
  transfer->n_regions = GST_VIDEO_FORMAT_INFO_N_PLANES(format);
  for (guint plane = 0; plane < transfer->n_regions; plane++) {
    SwinVulkanRegion *region = &transfer->regions[plane];
    const VkExtent3D *extent;

    region->image = planes->images.image[plane];
    region->aspect = planes->images.aspect[plane];
    extent = &from->images[region->image]->create_info.extent;
    region->extent =
        region->aspect == VK_IMAGE_ASPECT_COLOR_BIT
            ? (VkExtent2D){extent->width, extent->height}
            : swin_vulkan_format_plane_extent(format, plane, extent->width, extent->height);
  }
}

static gboolean run_transfer(SwinVulkanTransfer *transfer, GstVulkanQueue *queue,
                             GstVulkanCommandBuffer *commands, GstVulkanFence *fence,
                             GError **error) {
  VkResult result;

  gst_vulkan_command_buffer_lock(commands);
  result = swin_vulkan_transfer_record(transfer, commands->cmd);
  gst_vulkan_command_buffer_unlock(commands);
  if (result == VK_SUCCESS)
    result = swin_vulkan_transfer_submit(transfer, queue->queue, commands->cmd,
                                         GST_VULKAN_FENCE_FENCE(fence));
  return check_result(result, error);
}

static void keep_until(GstVulkanTrashList *trash, GstVulkanFence *fence, gpointer mini_object) {
  gst_vulkan_trash_list_add(
      trash,
      gst_vulkan_trash_list_acquire(trash, fence, gst_vulkan_trash_mini_object_unref, mini_object));
}

// Keeps what the commands use until they are done: of the frames only the memory, so that the
// buffers may be given back to their pools and changed meanwhile.
static void keep_until_done(SwinVulkan *vulkan, GstVulkanFence *fence,
                            GstVulkanCommandBuffer *commands, const SwinVulkanFrame *from,
                            const SwinVulkanFrame *to) {
  keep_until(vulkan->trash, fence, commands);
  for (guint i = 0; i < from->n_images; i++) {
    keep_until(vulkan->trash, fence, gst_memory_ref(GST_MEMORY_CAST(from->images[i])));
    keep_until(vulkan->trash, fence, gst_memory_ref(GST_MEMORY_CAST(to->images[i])));
  }
  gst_vulkan_trash_list_gc(vulkan->trash);
}

static gboolean copy_images(SwinVulkan *vulkan, const SwinVulkanFrame *from,
                            const SwinVulkanFrame *to, const SwinFrame *planes,
                            const GstVideoFormatInfo *format, GError **error) {
  SwinVulkanTransfer transfer = {0};
  GError *reason = NULL;
  GstVulkanFence *fence = gst_vulkan_device_create_fence(vulkan->copy_queue->device, &reason);
  GstVulkanCommandBuffer *commands =
      fence != NULL ? gst_vulkan_command_pool_create(vulkan->commands, &reason) : NULL;
  gboolean submitted;

  if (commands == NULL) {
    g_clear_pointer(&fence, gst_vulkan_fence_unref);
    return fail(reason, error);
  }
  // Locked all the way, because libswin asks for states and sets them under the same lock.
  gst_vulkan_queue_submit_lock(vulkan->copy_queue);
  describe_transfer(&transfer, from, to, planes, format);
  submitted = run_transfer(&transfer, vulkan->copy_queue, commands, fence, error);
  for (guint i = 0; submitted && i < from->n_images; i++) {
    set_state(from->images[i], &transfer.from[i].state);
    set_state(to->images[i], &transfer.to[i].state);
  }
  gst_vulkan_queue_submit_unlock(vulkan->copy_queue);
  if (submitted)
    keep_until_done(vulkan, fence, commands, from, to);
  else
    gst_vulkan_command_buffer_unref(commands);
  gst_vulkan_fence_unref(fence);
  return submitted;
}

GstBuffer *swin_vulkan_copy(SwinVulkan *vulkan, GstBuffer *buffer, const GstVideoInfo *info,
                            GError **error) {
  SwinVulkanFrame *from = NULL, *to = NULL;
  SwinFrame planes = SWIN_FRAME_INIT;
  GstBuffer *copy = NULL;

  if (!prepare_copies(vulkan, error))
    return NULL;
  from = map_images(buffer, info, vulkan->copy_queue, &planes, error);
  if (from != NULL)
    copy = make_buffer(from, error);
  if (copy != NULL)
    to = map_images(copy, info, vulkan->copy_queue, &planes, error);
  if (to == NULL || !copy_images(vulkan, from, to, &planes, info->finfo, error))
    gst_clear_buffer(&copy);
  swin_vulkan_unmap(from);
  swin_vulkan_unmap(to);
  return copy;
}

#else

SwinVulkan *swin_vulkan_new(void) {
  return NULL;
}

void swin_vulkan_free(G_GNUC_UNUSED SwinVulkan *vulkan) {
}

void swin_vulkan_set_context(G_GNUC_UNUSED SwinVulkan *vulkan, G_GNUC_UNUSED GstElement *element,
                             G_GNUC_UNUSED GstContext *context) {
}

gboolean swin_vulkan_answer_query(G_GNUC_UNUSED SwinVulkan *vulkan,
                                  G_GNUC_UNUSED GstElement *element,
                                  G_GNUC_UNUSED GstQuery *query) {
  return FALSE;
}

SwinDevice *swin_vulkan_find_device(G_GNUC_UNUSED SwinVulkan *vulkan,
                                    G_GNUC_UNUSED GstElement *element,
                                    G_GNUC_UNUSED GError **error) {
  return NULL;
}

void swin_vulkan_forget(G_GNUC_UNUSED SwinVulkan *vulkan) {
}

void swin_vulkan_append_caps(G_GNUC_UNUSED GstCaps *caps) {
}

gboolean swin_vulkan_parse(G_GNUC_UNUSED GstVideoInfo *info, G_GNUC_UNUSED const GstCaps *caps) {
  return FALSE;
}

gboolean swin_vulkan_is_image(G_GNUC_UNUSED GstBuffer *buffer) {
  return FALSE;
}

static void refuse(GError **error) {
  g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_FRAME,
                      "The element was built without GstVulkan and cannot read Vulkan images.");
}

GstBuffer *swin_vulkan_copy(G_GNUC_UNUSED SwinVulkan *vulkan, G_GNUC_UNUSED GstBuffer *buffer,
                            G_GNUC_UNUSED const GstVideoInfo *info, GError **error) {
  refuse(error);
  return NULL;
}

SwinVulkanFrame *swin_vulkan_map(G_GNUC_UNUSED GstBuffer *buffer,
                                 G_GNUC_UNUSED const GstVideoInfo *info,
                                 G_GNUC_UNUSED SwinDevice *device, G_GNUC_UNUSED SwinFrame *frame,
                                 GError **error) {
  refuse(error);
  return NULL;
}

void swin_vulkan_unmap(G_GNUC_UNUSED SwinVulkanFrame *frame) {
}

#endif
