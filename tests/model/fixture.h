// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * fixture.h: what the tests of model/ share: a folder of their own, files made on the spot, and
 * how errors are looked at.
 */
#ifndef SWIN_TESTS_MODEL_FIXTURE_H
#define SWIN_TESTS_MODEL_FIXTURE_H

#include <check.h>
#include <glib.h>

#include "swin.h"

/** fixture_path: (transfer full): @name in a temporary folder, which fixture_run() removes. */
gchar *fixture_path(const gchar *name);

/** fixture_write: writes a file into the temporary folder; creates the folders of @name. */
void fixture_write(const gchar *name, gconstpointer bytes, gsize n_bytes);

/** fixture_write_text: as fixture_write(). */
void fixture_write_text(const gchar *name, const gchar *text);

/** fixture_pack: (transfer full): a safetensors file of a header and @n_data_bytes of data. */
GBytes *fixture_pack(const gchar *header, gsize n_data_bytes);

/** fixture_golden: (transfer full): a path below tests/golden. */
gchar *fixture_golden(const gchar *name);

/**
 * fixture_expect_error: fails the test unless @error is of domain %SWIN_ERROR and @code, and its
 * message is one line and one sentence, and contains @part. Frees @error.
 */
void fixture_expect_error(GError *error, SwinError code, const gchar *part);

/** fixture_run: runs the tests of one file. Returns: the exit status. */
int fixture_run(const gchar *name, const TTest *const *tests, guint n_tests);

#endif /* SWIN_TESTS_MODEL_FIXTURE_H */
