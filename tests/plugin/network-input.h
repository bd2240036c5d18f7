// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * network-input.h: what the element gives the network, for programs that are linked to the inside
 * of libswin with `-Wl,--wrap=swin_picture_new,--wrap=swin_picture_load`: two functions tell where
 * in device memory the network's input is. Everything else is as in an application.
 */
#ifndef SWIN_TESTS_PLUGIN_NETWORK_INPUT_H
#define SWIN_TESTS_PLUGIN_NETWORK_INPUT_H

#include <glib.h>

/**
 * network_input_read: (transfer full): the input made of the last frame that was submitted,
 * float32 [3, height, width]. Only while no inference is under way.
 * @width, @height: (out): pixels
 *
 * Returns: NULL with an error when no frame was submitted since the last call.
 */
gfloat *network_input_read(guint *width, guint *height, GError **error);

#endif /* SWIN_TESTS_PLUGIN_NETWORK_INPUT_H */
