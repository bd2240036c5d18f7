// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * application.h: a program with a Vulkan device and images of its own, for tests. What fails, fails
 * the test.
 */
#ifndef SWIN_TESTS_GPU_APPLICATION_H
#define SWIN_TESTS_GPU_APPLICATION_H

#include "swin.h"

/** Application: a device with timeline semaphores, and its only queue. */
typedef struct {
  VkInstance instance;
  VkPhysicalDevice physical_device;
  VkDevice device;
  VkQueue queue;
  const gchar *extensions[8]; /* enabled, NULL-terminated */
  gboolean has_dmabuf;        /* the extensions for dma-bufs are among them */
  gboolean has_half;          /* the features of 16-bit storage and arithmetic are enabled */
  VkPhysicalDeviceVulkan12Features features_1_2;
  VkPhysicalDeviceVulkan11Features features_1_1;
  VkPhysicalDeviceFeatures2 features; /* enabled; the first of the chain. Not in @import */
  GMutex lock;
  gint n_locked, n_unlocked; /* calls of the library; changed under the lock */
  SwinDeviceImport import;   /* describes all of it; tests may change it before they use it */
} Application;

Application *application_new(void);
void application_free(Application *application); /* no device made of it may be left */

/** ApplicationImage: one image, what it was last used for, and a semaphore of its own. */
typedef struct {
  Application *application;
  VkImage image;
  VkDeviceMemory memory;
  guint32 width, height;
  SwinImageState state;
} ApplicationImage;

/** application_image_new: NULL where the device has no images of @format to copy from. */
ApplicationImage *application_image_new(Application *application, VkFormat format, guint32 width,
                                        guint32 height);
void application_image_free(ApplicationImage *image); /* NULL-safe */

/**
 * application_image_fill: writes one plane and leaves the image to be read by shaders, in layout
 * GENERAL; raises its semaphore by 1.
 * @width, @height: of the plane, in texels
 * @texels: packed, @size bytes in all
 */
void application_image_fill(ApplicationImage *image, VkImageAspectFlags aspect, guint32 width,
                            guint32 height, gconstpointer texels, gsize size);

/**
 * application_image_value: of its semaphore, as soon as it has the value that its state tells,
 * which may be after a fence of the same submission is signalled.
 */
guint64 application_image_value(ApplicationImage *image);

/** application_memfd: (transfer full): a file descriptor of anonymous memory with these bytes. */
gint application_memfd(gconstpointer bytes, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Application, application_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApplicationImage, application_image_free)

#endif /* SWIN_TESTS_GPU_APPLICATION_H */
