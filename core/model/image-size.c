// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * image-size.c: sizes as people write them.
 */
#include "swin.h"

#include "model/config-read.h"
#include "model/quote.h"

static gboolean parse_side(const gchar *text, guint *pixels) {
  guint64 number;
  if (!g_ascii_string_to_unsigned(text, 10, 1, SWIN_CONFIG_MAX_IMAGE, &number, NULL)) {
    return FALSE;
  }
  *pixels = (guint)number;
  return TRUE;
}

gboolean swin_image_size_parse(const gchar *text, guint *width, guint *height, GError **error) {
  g_auto(GStrv) sides = g_strsplit(text, "x", 3);
  const guint n_sides = g_strv_length(sides);
  guint across, down;
  if ((n_sides == 1 || n_sides == 2) && parse_side(sides[0], &across) &&
      parse_side(sides[n_sides - 1], &down)) {
    *width = across;
    *height = down;
    return TRUE;
  }
  g_autofree gchar *valid = g_utf8_make_valid(text, -1);
  g_autofree gchar *quoted = swin_quote(valid);
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
              "The image size is %s: it takes one side in pixels, such as \"224\", or width and "
              "height, such as \"640x384\", each from 1 to %d.",
              quoted, SWIN_CONFIG_MAX_IMAGE);
  return FALSE;
}
