// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Preloaded by tests/sanitize-env, so that LeakSanitizer sees whole stacks and no leaks that are
// none.

#define _GNU_SOURCE
#include <link.h>
#include <stdlib.h>
#include <string.h>

int dlclose(void *handle);

// The Vulkan loader unloads drivers and layers, GLib unloads modules. What only their globals
// pointed to would look lost then, in places without a name that no suppression could match. So
// nothing is unloaded.
int dlclose(void *handle) {
  (void)handle;
  return 0;
}

// A copy of GLib's globals as they are after its constructors, which the link against GLib puts
// before ours. Old releases of GLib (2.74) leave their first table of quarks behind when it grows,
// on purpose (quark_new in glib/gquark.c); as Debian builds it, the stack of that allocation ends
// at g_malloc, and a suppression of that would hide every leak of ours too.
static void *volatile glib_globals;

static int copy_glib_globals(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  if (strstr(info->dlpi_name, "/libglib-2.0.so") == NULL)
    return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) != 0) {
      glib_globals = malloc(segment->p_memsz);
      if (glib_globals != NULL)
        memcpy(glib_globals, (const char *)info->dlpi_addr + segment->p_vaddr, segment->p_memsz);
      return 1;
    }
  }
  return 1;
}

__attribute__((constructor)) static void initialize(void) {
  dl_iterate_phdr(copy_glib_globals, NULL);
}
