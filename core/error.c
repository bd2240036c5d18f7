// SPDX-License-Identifier: LGPL-2.1-or-later
#include "swin.h"

/* The name's dashes are no subtractions. */
// clang-format off
G_DEFINE_QUARK(swin-error-quark, swin_error)
// clang-format on
