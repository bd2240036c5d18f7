// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gpu/hazards.h"

SwinHazards *swin_hazards_new(void) {
  return g_array_new(FALSE, FALSE, sizeof(SwinBinding));
}

static gboolean overlap(const SwinBinding *a, const SwinBinding *b) {
  return a->buffer == b->buffer && a->offset < b->offset + b->size &&
         b->offset < a->offset + a->size;
}

gboolean swin_hazards_conflict(const SwinHazards *hazards, const SwinBinding *access) {
  for (guint i = 0; i < hazards->len; i++) {
    const SwinBinding *earlier = &g_array_index(hazards, SwinBinding, i);
    if (((earlier->access | access->access) & SWIN_ACCESS_WRITE) && overlap(earlier, access))
      return TRUE;
  }
  return FALSE;
}

void swin_hazards_add(SwinHazards *hazards, const SwinBinding *access) {
  g_array_append_val(hazards, *access);
}

void swin_hazards_clear(SwinHazards *hazards) {
  g_array_set_size(hazards, 0);
}
