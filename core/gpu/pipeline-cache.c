// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/pipeline-cache.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_SIZE (64u << 20) /* bytes of the driver's data */

/* The file: this, then the driver's data. Numbers as the machine has them: another kind of machine
 * finds another magic number. */
typedef struct {
  guint64 magic;
  guint32 vendor, device, driver_version;
  guint32 reserved; /* 0 */
  guint8 driver[VK_UUID_SIZE];
  guint8 pipelines[VK_UUID_SIZE];
  guint64 size;      /* bytes of the data */
  guint8 digest[32]; /* SHA-256 of the data */
} FileHeader;

#define MAGIC G_GUINT64_CONSTANT(0x314950504e495753) /* "SWINPPI1" */

struct _SwinPipelineCache {
  SwinDevice *device; /* not a reference: the device owns this */
  VkPipelineCache handle;
  gchar *path;       /* (nullable): no file */
  guint8 digest[32]; /* of the data that were read or written last */
};

/* ---- Files ---------------------------------------------------------------------------------- */

static void compute_digest(gconstpointer data, gsize size, guint8 digest[32]) {
  gsize length = 32;
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(checksum, data, (gssize)size);
  g_checksum_get_digest(checksum, digest, &length);
}

static FileHeader make_header(SwinDevice *device, gconstpointer data, gsize size) {
  const SwinDeviceIdentity *identity = swin_device_get_identity(device);
  FileHeader header = {
      .magic = MAGIC,
      .vendor = identity->vendor,
      .device = identity->device,
      .driver_version = identity->driver_version,
      .size = size,
  };
  memcpy(header.driver, identity->driver, VK_UUID_SIZE);
  memcpy(header.pipelines, identity->pipelines, VK_UUID_SIZE);
  compute_digest(data, size, header.digest);
  return header;
}

/* Whether the data begin as Vulkan has it, and are of this device: a driver should see to that, and
 * some did not. */
static gboolean check_data(SwinDevice *device, gconstpointer data, gsize size) {
  const SwinDeviceIdentity *identity = swin_device_get_identity(device);
  VkPipelineCacheHeaderVersionOne begin;
  if (size < sizeof(begin))
    return FALSE;
  memcpy(&begin, data, sizeof(begin));
  return begin.headerSize >= sizeof(begin) && begin.headerSize <= size &&
         begin.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
         begin.vendorID == identity->vendor && begin.deviceID == identity->device &&
         memcmp(begin.pipelineCacheUUID, identity->pipelines, VK_UUID_SIZE) == 0;
}

/* The whole file, or NULL where it is not what swin_pipeline_cache_store() writes. */
static GBytes *read_file(const gchar *path) {
  GStatBuf status;
  g_autofree gchar *contents = NULL;
  gsize size = 0;
  if (g_stat(path, &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_size < (goffset)sizeof(FileHeader) ||
      status.st_size > (goffset)(sizeof(FileHeader) + MAX_SIZE) ||
      !g_file_get_contents(path, &contents, &size, NULL) || size < sizeof(FileHeader))
    return NULL;
  return g_bytes_new_take(g_steal_pointer(&contents), size);
}

/* (transfer full): the driver's data out of the file, or NULL where there are none for the device.
 * @digest: (out): of them */
static GBytes *load(SwinDevice *device, const gchar *path, guint8 digest[32]) {
  g_autoptr(GBytes) file = read_file(path);
  if (!file)
    return NULL;
  g_autoptr(GBytes) data =
      g_bytes_new_from_bytes(file, sizeof(FileHeader), g_bytes_get_size(file) - sizeof(FileHeader));
  gsize size = 0;
  gconstpointer bytes = g_bytes_get_data(data, &size);
  const FileHeader expected = make_header(device, bytes, size);
  if (memcmp(g_bytes_get_data(file, NULL), &expected, sizeof(expected)) != 0 ||
      !check_data(device, bytes, size))
    return NULL;
  memcpy(digest, expected.digest, sizeof(expected.digest));
  return g_steal_pointer(&data);
}

static void save(SwinPipelineCache *cache, gconstpointer data, gsize size) {
  const FileHeader header = make_header(cache->device, data, size);
  if (memcmp(header.digest, cache->digest, sizeof(header.digest)) == 0)
    return;
  g_autofree gchar *folder = g_path_get_dirname(cache->path);
  g_autoptr(GByteArray) file = g_byte_array_sized_new((guint)(sizeof(header) + size));
  g_byte_array_append(file, (const guint8 *)&header, sizeof(header));
  g_byte_array_append(file, data, (guint)size);
  if (g_mkdir_with_parents(folder, 0700) == 0 &&
      g_file_set_contents_full(cache->path, (const gchar *)file->data, file->len,
                               G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL))
    memcpy(cache->digest, header.digest, sizeof(header.digest));
}

/* ---- The driver's side ---------------------------------------------------------------------- */

static VkPipelineCache create(SwinDevice *device, GBytes *data) {
  const VkPipelineCacheCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
      .initialDataSize = data ? g_bytes_get_size(data) : 0,
      .pInitialData = data ? g_bytes_get_data(data, NULL) : NULL,
  };
  VkPipelineCache handle = VK_NULL_HANDLE;
  const VkResult result = swin_device_functions(device)->CreatePipelineCache(
      swin_device_get_handle(device), &info, NULL, &handle);
  return result == VK_SUCCESS ? handle : VK_NULL_HANDLE;
}

static void destroy(SwinDevice *device, VkPipelineCache handle) {
  swin_device_functions(device)->DestroyPipelineCache(swin_device_get_handle(device), handle, NULL);
}

SwinPipelineCache *swin_pipeline_cache_new(SwinDevice *device) {
  SwinPipelineCache *cache = g_new0(SwinPipelineCache, 1);
  cache->device = device;
  if (swin_is_disabled("pipeline-cache"))
    return cache;
  cache->path = g_build_filename(g_get_user_cache_dir(), "gst-swin", "pipelines",
                                 swin_device_get_identity(device)->name, NULL);
  g_autoptr(GBytes) data = load(device, cache->path, cache->digest);
  cache->handle = create(device, data);
  if (!cache->handle && data)
    cache->handle = create(device, NULL);
  return cache;
}

void swin_pipeline_cache_free(SwinPipelineCache *cache) {
  if (!cache)
    return;
  destroy(cache->device, cache->handle);
  g_free(cache->path);
  g_free(cache);
}

VkPipelineCache swin_pipeline_cache_get_handle(SwinPipelineCache *cache) {
  return cache->handle;
}

/* Takes over what another program has written since. */
static void merge_file(SwinPipelineCache *cache) {
  guint8 digest[32];
  g_autoptr(GBytes) data = load(cache->device, cache->path, digest);
  if (!data || memcmp(digest, cache->digest, sizeof(digest)) == 0)
    return;
  VkPipelineCache other = create(cache->device, data);
  if (!other)
    return;
  const VkResult result =
      swin_device_functions(cache->device)
          ->MergePipelineCaches(swin_device_get_handle(cache->device), cache->handle, 1, &other);
  if (result == VK_SUCCESS)
    memcpy(cache->digest, digest, sizeof(digest));
  destroy(cache->device, other);
}

void swin_pipeline_cache_store(SwinPipelineCache *cache) {
  const SwinDeviceFunctions *functions = swin_device_functions(cache->device);
  const VkDevice device = swin_device_get_handle(cache->device);
  if (!cache->handle || !cache->path || swin_device_is_lost(cache->device))
    return;
  merge_file(cache);
  gsize size = 0;
  if (functions->GetPipelineCacheData(device, cache->handle, &size, NULL) != VK_SUCCESS)
    return;
  if (size > MAX_SIZE) {
    g_unlink(cache->path);
    return;
  }
  g_autofree guint8 *data = g_malloc(size + 1);
  const VkResult result = functions->GetPipelineCacheData(device, cache->handle, &size, data);
  if (result == VK_SUCCESS && size > sizeof(VkPipelineCacheHeaderVersionOne) &&
      check_data(cache->device, data, size))
    save(cache, data, size);
}
