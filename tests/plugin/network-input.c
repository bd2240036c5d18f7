// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network-input.h"

#include "picture.h"

/** Place: where the pictures of one place of a batch go. */
typedef struct {
  SwinPicture *picture;
  SwinBinding output; /* float32 [images, 3, height, width] */
  guint width, height, image;
} Place;

// Threads of the library make and load pictures; they are looked at when these have nothing to do.
static GMutex lock;
static GArray *places; /* of Place, the latest last */
static SwinPicture *last_loaded;

SwinPicture *__real_swin_picture_new(SwinDevice *device, const SwinPreprocessing *preprocessing,
                                     SwinBinding output, guint width, guint height, guint image);
SwinPicture *__wrap_swin_picture_new(SwinDevice *device, const SwinPreprocessing *preprocessing,
                                     SwinBinding output, guint width, guint height, guint image);
gboolean __real_swin_picture_load(SwinPicture *picture, const SwinFrame *frame, gpointer keep_alive,
                                  GError **error);
gboolean __wrap_swin_picture_load(SwinPicture *picture, const SwinFrame *frame, gpointer keep_alive,
                                  GError **error);

SwinPicture *__wrap_swin_picture_new(SwinDevice *device, const SwinPreprocessing *preprocessing,
                                     SwinBinding output, guint width, guint height, guint image) {
  Place place = {__real_swin_picture_new(device, preprocessing, output, width, height, image),
                 output, width, height, image};

  g_mutex_lock(&lock);
  if (places == NULL)
    places = g_array_new(FALSE, FALSE, sizeof(Place));
  g_array_append_val(places, place);
  g_mutex_unlock(&lock);
  return place.picture;
}

gboolean __wrap_swin_picture_load(SwinPicture *picture, const SwinFrame *frame, gpointer keep_alive,
                                  GError **error) {
  g_mutex_lock(&lock);
  last_loaded = picture;
  g_mutex_unlock(&lock);
  return __real_swin_picture_load(picture, frame, keep_alive, error);
}

// Memory is given out again, so the latest picture with an address is the one that lives.
static const Place *find_place(void) {
  for (guint i = places != NULL ? places->len : 0; i > 0; i--) {
    const Place *place = &g_array_index(places, Place, i - 1);

    if (place->picture == last_loaded)
      return place;
  }
  return NULL;
}

gfloat *network_input_read(guint *width, guint *height, GError **error) {
  g_autofree gfloat *values = NULL;
  const Place *place;
  gsize size;

  g_mutex_lock(&lock);
  place = find_place();
  last_loaded = NULL;
  g_mutex_unlock(&lock);
  if (place == NULL) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_FRAME, "No picture came to the network.");
    return NULL;
  }
  *width = place->width;
  *height = place->height;
  size = (gsize)3 * place->width * place->height * sizeof(gfloat);
  values = g_malloc(size);
  if (!swin_buffer_read((SwinBuffer *)place->output.buffer,
                        place->output.offset + place->image * size, values, size, error))
    return NULL;
  return g_steal_pointer(&values);
}
