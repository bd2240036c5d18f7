// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * mock-private.h: what the files of the mock share.
 */
#ifndef SWIN_TESTS_PLUGIN_MOCK_PRIVATE_H
#define SWIN_TESTS_PLUGIN_MOCK_PRIVATE_H

#include "mock-swin.h"

struct _SwinModelOptions {
  guint image_width, image_height;
  guint window_size;
};

struct _SwinClassifierParams {
  MockSwinRequest request; /* the parameters' part of it */
};

/** mock_create: (transfer full): zeroed memory that mock_swin_n_alive() counts until
 * mock_destroy(), which is NULL-safe. */
gpointer mock_create(gsize size);
void mock_destroy(gpointer object);

#endif /* SWIN_TESTS_PLUGIN_MOCK_PRIVATE_H */
