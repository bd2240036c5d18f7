// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * loader.h: a thread for what takes too long for streaming threads: opening another model, and
 * letting go of one.
 */
#ifndef SWIN_PLUGIN_LOADER_H
#define SWIN_PLUGIN_LOADER_H

#include "inference.h"

/** SwinLoader: reference counted, any thread. */
typedef struct _SwinLoader SwinLoader;

/** SwinLoaderFunc: opens what is wanted now. In the loader's thread. */
typedef void (*SwinLoaderFunc)(gpointer user_data);

SwinLoader *swin_loader_new(SwinLoaderFunc load, gpointer user_data);
SwinLoader *swin_loader_ref(SwinLoader *loader);
void swin_loader_unref(SwinLoader *loader); /* NULL-safe; only while stopped */

/** swin_loader_start: from now on requests are taken. */
void swin_loader_start(SwinLoader *loader);

/** swin_loader_stop: takes no more requests, and waits for what is under way. */
void swin_loader_stop(SwinLoader *loader);

/** swin_loader_is_running: whether what is loaded now will be of use. */
gboolean swin_loader_is_running(SwinLoader *loader);

/** swin_loader_request: has the function called, once for all requests that came before it. */
void swin_loader_request(SwinLoader *loader);

/** swin_loader_repeat: has it called again if it is being called at this moment. */
void swin_loader_repeat(SwinLoader *loader);

/**
 * swin_loader_adopt: @inference, which nobody else knows yet, is going to be freed by the loader's
 * thread, whoever lets go of it last; while the loader is stopped, by that one itself.
 */
void swin_loader_adopt(SwinLoader *loader, SwinInference *inference);

#endif /* SWIN_PLUGIN_LOADER_H */
