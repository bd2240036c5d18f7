// SPDX-License-Identifier: LGPL-2.1-or-later
#include "objects.h"

typedef struct {
  guint64 track;
  guint64 last_seen;                  // number of a frame
  guint64 last_look;                  // number of a frame; 0: none yet
  SwinClassification *classification; // (nullable): owned
} Object;

struct _SwinObjects {
  gatomicrefcount ref_count;
  GMutex lock;
  GHashTable *objects; // of Object, by track
  guint64 frame;       // number of the present one; those that are looked at count from 1
};

static void object_free(gpointer data) {
  Object *object = data;

  swin_classification_unref(object->classification);
  g_free(object);
}

SwinObjects *swin_objects_new(void) {
  SwinObjects *objects = g_new0(SwinObjects, 1);

  g_atomic_ref_count_init(&objects->ref_count);
  g_mutex_init(&objects->lock);
  // Keys are the first member of what they lead to.
  objects->objects = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, object_free);
  objects->frame = 1;
  return objects;
}

SwinObjects *swin_objects_ref(SwinObjects *objects) {
  g_atomic_ref_count_inc(&objects->ref_count);
  return objects;
}

void swin_objects_unref(SwinObjects *objects) {
  if (objects == NULL || !g_atomic_ref_count_dec(&objects->ref_count))
    return;
  g_hash_table_unref(objects->objects);
  g_mutex_clear(&objects->lock);
  g_free(objects);
}

static gboolean is_forgotten(gpointer track, gpointer data, gpointer user_data) {
  const Object *object = data;
  const SwinObjects *objects = user_data;

  (void)track;
  return objects->frame - object->last_seen > SWIN_OBJECTS_MEMORY;
}

void swin_objects_next_frame(SwinObjects *objects) {
  g_mutex_lock(&objects->lock);
  objects->frame++;
  g_hash_table_foreach_remove(objects->objects, is_forgotten, objects);
  g_mutex_unlock(&objects->lock);
}

static Object *find_or_add(SwinObjects *objects, guint64 track) {
  Object *object = g_hash_table_lookup(objects->objects, &track);

  if (object == NULL) {
    object = g_new0(Object, 1);
    object->track = track;
    g_hash_table_insert(objects->objects, &object->track, object);
  }
  return object;
}

gboolean swin_objects_is_due(SwinObjects *objects, guint64 track, guint interval) {
  Object *object;
  gboolean is_due;

  g_mutex_lock(&objects->lock);
  object = find_or_add(objects, track);
  object->last_seen = objects->frame;
  is_due =
      object->last_look == 0 || (interval > 0 && objects->frame - object->last_look >= interval);
  if (is_due)
    object->last_look = objects->frame;
  g_mutex_unlock(&objects->lock);
  return is_due;
}

void swin_objects_store(SwinObjects *objects, guint64 track, SwinClassification *classification) {
  SwinClassification *old = NULL;
  Object *object;

  g_mutex_lock(&objects->lock);
  object = g_hash_table_lookup(objects->objects, &track);
  if (object != NULL) {
    old = object->classification;
    object->classification = swin_classification_ref(classification);
  }
  g_mutex_unlock(&objects->lock);
  swin_classification_unref(old);
}

void swin_objects_make_due(SwinObjects *objects, guint64 track) {
  Object *object;

  g_mutex_lock(&objects->lock);
  object = g_hash_table_lookup(objects->objects, &track);
  if (object != NULL)
    object->last_look = 0;
  g_mutex_unlock(&objects->lock);
}

SwinClassification *swin_objects_lookup(SwinObjects *objects, guint64 track) {
  SwinClassification *classification = NULL;
  Object *object;

  g_mutex_lock(&objects->lock);
  object = g_hash_table_lookup(objects->objects, &track);
  if (object != NULL) {
    // Most frames are not looked at: they show it all the same.
    object->last_seen = objects->frame;
    if (object->classification != NULL)
      classification = swin_classification_ref(object->classification);
  }
  g_mutex_unlock(&objects->lock);
  return classification;
}
