// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/quote.h"

#define MAX_CHARACTERS 120

gchar *swin_quote(const gchar *text) {
  GString *quoted = g_string_new("\"");
  guint n_characters = 0;
  for (const gchar *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
    if (n_characters++ == MAX_CHARACTERS) {
      g_string_append(quoted, "...");
      break;
    }
    gunichar character = g_utf8_get_char(p);
    g_string_append_unichar(quoted, g_unichar_iscntrl(character) ? '?' : character);
  }
  g_string_append_c(quoted, '"');
  return g_string_free(quoted, FALSE);
}

gchar *swin_quote_path(const gchar *path) {
  g_autofree gchar *shown = g_filename_display_name(path);
  GString *quoted = g_string_new("\"");
  /* Paths stay whole: a person has to find the file. */
  for (const gchar *p = shown; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar character = g_utf8_get_char(p);
    g_string_append_unichar(quoted, g_unichar_iscntrl(character) ? '?' : character);
  }
  g_string_append_c(quoted, '"');
  return g_string_free(quoted, FALSE);
}
