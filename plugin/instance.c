// SPDX-License-Identifier: LGPL-2.1-or-later
#include "instance.h"

// What is open under a name, and the names under which somebody is opening at this moment: whoever
// comes meanwhile waits, because it wants the same.
static GMutex lock;
static GCond opened;
static GHashTable *registry; /* (nullable): name to SwinModelInstance; neither owned */
static GHashTable *opening;  /* (nullable): set of names; not owned */

/* ---- Loading ------------------------------------------------------------------------------- */

static void intern_labels(SwinModelInstance *instance, gchar **labels) {
  instance->labels = g_new(GQuark, instance->n_classes);
  for (guint i = 0; i < instance->n_classes; i++)
    instance->labels[i] =
        g_quark_from_string(labels != NULL ? labels[i] : swin_model_get_label(instance->model, i));
}

// What the user says of the classes. A model without a head has none to say anything of; the
// classifier refuses it.
static gboolean load_class_files(SwinModelInstance *instance, GError **error) {
  const SwinSettings *settings = &instance->settings;
  g_auto(GStrv) labels = NULL;

  instance->n_classes = swin_model_get_n_classes(instance->model);
  if (instance->n_classes == 0)
    return TRUE;
  if (settings->labels != NULL) {
    labels = swin_labels_load(settings->labels, instance->n_classes, error);
    if (labels == NULL)
      return FALSE;
  }
  if (settings->thresholds != NULL) {
    instance->thresholds = swin_thresholds_load(settings->thresholds, instance->n_classes, error);
    if (instance->thresholds == NULL)
      return FALSE;
  }
  intern_labels(instance, labels);
  return TRUE;
}

static const gchar *locate_model(const SwinSettings *settings) {
  const gchar *variable = g_getenv("SWIN_MODEL");

  if (settings->model != NULL)
    return settings->model;
  return variable != NULL && *variable != '\0' ? variable : SWIN_MODEL_INSTANCE_DEFAULT;
}

static SwinModel *load_model(const SwinSettings *settings, GError **error) {
  g_autoptr(SwinModelOptions) options = swin_settings_make_options(settings, error);

  return options != NULL ? swin_model_load(locate_model(settings), options, error) : NULL;
}

static void free_instance(SwinModelInstance *instance) {
  swin_device_unref(instance->device);
  swin_model_unref(instance->model);
  g_free(instance->labels);
  g_free(instance->thresholds);
  swin_settings_clear(&instance->settings);
  g_free(instance);
}

static SwinModelInstance *load(const SwinSettings *settings, SwinDevice *shared, GError **error) {
  SwinModelInstance *instance = g_new0(SwinModelInstance, 1);

  instance->ref_count = 1;
  swin_settings_copy(&instance->settings, settings);
  instance->model = load_model(settings, error);
  if (instance->model != NULL && load_class_files(instance, error))
    instance->device =
        shared != NULL ? swin_device_ref(shared) : swin_device_open(settings->device, error);
  if (instance->device != NULL) {
    instance->falls_back =
        shared != NULL &&
        swin_device_get_precision(shared, settings->precision) == SWIN_PRECISION_AUTO;
    return instance;
  }
  free_instance(instance);
  return NULL;
}

/* ---- Sharing ------------------------------------------------------------------------------- */

static gboolean fits(const SwinModelInstance *instance, const SwinSettings *settings,
                     const SwinDevice *shared, gboolean switching) {
  if (shared != NULL && instance->device != shared)
    return FALSE;
  return !switching || g_strcmp0(instance->settings.model, settings->model) == 0;
}

// Under the lock. Leaves the name in @opening where it returns NULL.
static SwinModelInstance *take_or_reserve(const SwinSettings *settings, const SwinDevice *shared,
                                          gboolean switching) {
  SwinModelInstance *instance;

  while (opening != NULL && g_hash_table_contains(opening, settings->instance))
    g_cond_wait(&opened, &lock);
  if (registry == NULL) {
    registry = g_hash_table_new(g_str_hash, g_str_equal);
    opening = g_hash_table_new(g_str_hash, g_str_equal);
  }
  instance = g_hash_table_lookup(registry, settings->instance);
  if (instance != NULL && fits(instance, settings, shared, switching)) {
    instance->ref_count++;
    return instance;
  }
  g_hash_table_add(opening, settings->instance);
  return NULL;
}

// The tables are made for the first name and go with the last, so that nothing is left at the end.
static void free_tables_if_empty(void) {
  if (g_hash_table_size(registry) > 0 || g_hash_table_size(opening) > 0)
    return;
  g_clear_pointer(&registry, g_hash_table_unref);
  g_clear_pointer(&opening, g_hash_table_unref);
}

SwinModelInstance *swin_model_instance_open(const SwinSettings *settings, SwinDevice *shared,
                                            gboolean switching, GError **error) {
  SwinModelInstance *instance;

  if (settings->instance == NULL || *settings->instance == '\0')
    return load(settings, shared, error);
  g_mutex_lock(&lock);
  instance = take_or_reserve(settings, shared, switching);
  g_mutex_unlock(&lock);
  if (instance != NULL)
    return instance;

  instance = load(settings, shared, error);
  g_mutex_lock(&lock);
  g_hash_table_remove(opening, settings->instance);
  if (instance != NULL)
    g_hash_table_replace(registry, instance->settings.instance, instance);
  free_tables_if_empty();
  g_cond_broadcast(&opened);
  g_mutex_unlock(&lock);
  return instance;
}

// Another instance may have taken over the name.
static void forget_name(SwinModelInstance *instance) {
  const gchar *name = instance->settings.instance;

  if (name == NULL || registry == NULL || g_hash_table_lookup(registry, name) != instance)
    return;
  g_hash_table_remove(registry, name);
  free_tables_if_empty();
}

void swin_model_instance_unref(SwinModelInstance *instance) {
  gboolean is_last;

  if (instance == NULL)
    return;
  g_mutex_lock(&lock);
  is_last = --instance->ref_count == 0;
  if (is_last)
    forget_name(instance);
  g_mutex_unlock(&lock);
  if (is_last)
    free_instance(instance);
}
