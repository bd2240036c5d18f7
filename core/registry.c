// SPDX-License-Identifier: LGPL-2.1-or-later
#include "registry.h"

typedef struct {
  gchar *key;
  gpointer object; /* (nullable): while it is being made */
} Entry;

void swin_shared_init(SwinShared *shared) {
  g_atomic_int_set(&shared->n_references, 1);
}

void swin_shared_ref(SwinShared *shared) {
  g_atomic_int_inc(&shared->n_references);
}

gboolean swin_shared_unref(SwinShared *shared) {
  return g_atomic_int_dec_and_test(&shared->n_references);
}

/* Fails where the last reference is gone and the object on its way out of the registry. */
static gboolean try_ref(SwinShared *shared) {
  gint n_references = g_atomic_int_get(&shared->n_references);
  while (n_references > 0) {
    if (g_atomic_int_compare_and_exchange(&shared->n_references, n_references, n_references + 1))
      return TRUE;
    n_references = g_atomic_int_get(&shared->n_references);
  }
  return FALSE;
}

static void entry_free(gpointer data) {
  Entry *entry = data;
  g_free(entry->key);
  g_free(entry);
}

/* These three: under the lock. */
static Entry *find(SwinRegistry *registry, const gchar *key) {
  for (guint i = 0; registry->entries && i < registry->entries->len; i++) {
    Entry *entry = g_ptr_array_index(registry->entries, i);
    if (g_str_equal(entry->key, key))
      return entry;
  }
  return NULL;
}

static Entry *add_entry(SwinRegistry *registry, const gchar *key) {
  Entry *entry = g_new0(Entry, 1);
  entry->key = g_strdup(key);
  if (!registry->entries)
    registry->entries = g_ptr_array_new_with_free_func(entry_free);
  g_ptr_array_add(registry->entries, entry);
  return entry;
}

static void remove_entry(SwinRegistry *registry, Entry *entry) {
  g_ptr_array_remove_fast(registry->entries, entry);
  if (registry->entries->len == 0)
    g_clear_pointer(&registry->entries, g_ptr_array_unref);
}

gpointer swin_registry_get(SwinRegistry *registry, const gchar *key, SwinRegistryMaker maker,
                           gpointer request, GError **error) {
  g_mutex_lock(&registry->lock);
  Entry *entry = find(registry, key);
  while (entry && !entry->object) {
    g_cond_wait(&registry->changed, &registry->lock);
    entry = find(registry, key);
  }
  gpointer object = entry && try_ref(entry->object) ? entry->object : NULL;
  if (!object && entry)
    remove_entry(registry, entry);
  entry = object ? NULL : add_entry(registry, key);
  g_mutex_unlock(&registry->lock);
  if (object)
    return object;

  object = maker(request, error);
  g_mutex_lock(&registry->lock);
  entry->object = object;
  if (!object)
    remove_entry(registry, entry);
  g_cond_broadcast(&registry->changed);
  g_mutex_unlock(&registry->lock);
  return object;
}

void swin_registry_remove(SwinRegistry *registry, gconstpointer object) {
  g_mutex_lock(&registry->lock);
  for (guint i = 0; registry->entries && i < registry->entries->len; i++) {
    Entry *entry = g_ptr_array_index(registry->entries, i);
    if (entry->object != object)
      continue;
    remove_entry(registry, entry);
    break;
  }
  g_mutex_unlock(&registry->lock);
}
