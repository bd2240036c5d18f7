// SPDX-License-Identifier: LGPL-2.1-or-later
#include "swin.h"

/* Not by G_DEFINE_QUARK(), whose variable threads would read and write at the same time. */
GQuark swin_error_quark(void) {
  return g_quark_from_static_string("swin-error-quark");
}
