// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * registry.h: objects that are shared while they are in use, and made once. Any thread.
 */
#ifndef SWIN_REGISTRY_H
#define SWIN_REGISTRY_H

#include <glib.h>

/** SwinShared: the first member of an object that a registry hands out. */
typedef struct {
  gint n_references; /* atomic */
} SwinShared;

/** swin_shared_init: one reference, the caller's. */
void swin_shared_init(SwinShared *shared);
void swin_shared_ref(SwinShared *shared);

/**
 * swin_shared_unref: Returns: whether that was the last reference: then take the object out of its
 * registry and free it.
 */
gboolean swin_shared_unref(SwinShared *shared);

/** SwinRegistry: one that is all zero is empty, and owns no memory. */
typedef struct {
  GMutex lock;
  GCond changed;
  GPtrArray *entries; /* (nullable) */
} SwinRegistry;

/**
 * SwinRegistryMaker: makes an object that is not in use, whose first member is a #SwinShared with
 * one reference. No lock is held.
 */
typedef gpointer (*SwinRegistryMaker)(gpointer request, GError **error);

/**
 * swin_registry_get: (transfer full): the object in use under @key, or what @maker makes of
 * @request. While it is made, others who want the same wait for it, and those who want another do
 * not. Where it cannot be made, each of them tries for itself.
 */
gpointer swin_registry_get(SwinRegistry *registry, const gchar *key, SwinRegistryMaker maker,
                           gpointer request, GError **error);

/** swin_registry_remove: nobody gets @object any more; nothing happens where it is not in it. */
void swin_registry_remove(SwinRegistry *registry, gconstpointer object);

#endif /* SWIN_REGISTRY_H */
