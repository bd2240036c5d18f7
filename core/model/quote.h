// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * quote.h: names that come out of files, made fit for a sentence.
 */
#ifndef SWIN_MODEL_QUOTE_H
#define SWIN_MODEL_QUOTE_H

#include <glib.h>

/**
 * swin_quote: @text in double quotes. Control characters become '?', and what is longer than 120
 * characters is cut, so that a damaged file cannot fill a log with one message.
 * @text: valid UTF-8
 *
 * Returns: (transfer full): free with g_free().
 */
gchar *swin_quote(const gchar *text);

/** swin_quote_path: as swin_quote(), for a file name in the file system's encoding. */
gchar *swin_quote_path(const gchar *path);

#endif /* SWIN_MODEL_QUOTE_H */
