// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * instance.h: what inferences of one `model-instance-id` share: a device, a model, and what the
 * user's files say of its classes.
 */
#ifndef SWIN_PLUGIN_INSTANCE_H
#define SWIN_PLUGIN_INSTANCE_H

#include <glib.h>

#include "settings.h"
#include "swin.h"

/** Model that is used when neither `model-file` nor the environment variable SWIN_MODEL says which;
 * embedded in libswin. */
#define SWIN_MODEL_INSTANCE_DEFAULT "objects"

/** SwinModelInstance: reference counted, any thread; constant while it lives. */
typedef struct {
  guint ref_count;       /* under the lock of the registry */
  SwinSettings settings; /* that it was opened with; settings.instance is its name */
  SwinDevice *device;    /* owned */
  gboolean falls_back;   /* settings.precision is more than the pipeline's device can */
  SwinModel *model;      /* owned */
  guint n_classes;
  GQuark *labels;     /* [n_classes] */
  gfloat *thresholds; /* (nullable): [n_classes] */
} SwinModelInstance;

/**
 * swin_model_instance_open: (transfer full): opens what @settings name, or takes what is open under
 * the same name. Without a name it is nobody else's.
 *
 * What is open is taken as it is, whatever else @settings say. It is not taken where it is on
 * another device than @shared, or with @switching of another model: then what is opened takes over
 * the name, and those who have the old one keep that.
 * @shared: (nullable): the device to use instead of the one that the settings name
 */
SwinModelInstance *swin_model_instance_open(const SwinSettings *settings, SwinDevice *shared,
                                            gboolean switching, GError **error);

void swin_model_instance_unref(SwinModelInstance *instance); /* NULL-safe */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinModelInstance, swin_model_instance_unref)

#endif /* SWIN_PLUGIN_INSTANCE_H */
