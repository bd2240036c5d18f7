// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * mock-swin.h: a libswin that a test holds in its hand: results come when the test says so, and
 * fail when it says so. What the real library does only when a device is lost, or by chance,
 * happens here every time.
 */
#ifndef SWIN_TESTS_PLUGIN_MOCK_SWIN_H
#define SWIN_TESTS_PLUGIN_MOCK_SWIN_H

#include "swin.h"

/** mock_swin_hold: results wait from now on until mock_swin_release(). */
void mock_swin_hold(void);
void mock_swin_release(void);

/** mock_swin_fail_result: the result after the next @n_good is an error of @code; once. */
void mock_swin_fail_result(guint n_good, SwinError code);

/** mock_swin_fail_submit: the submission after the next @n_good fails; once. */
void mock_swin_fail_submit(guint n_good);

/** mock_swin_n_submitted: submissions so far. */
guint mock_swin_n_submitted(void);

/** mock_swin_wait_submitted: waits until there were @n submissions. */
void mock_swin_wait_submitted(guint n);

/** mock_swin_n_cancelled: results so far that were %SWIN_ERROR_CANCELLED. */
guint mock_swin_n_cancelled(void);

/** mock_swin_n_alive: devices, models, classifiers and frames that have not been let go of. */
guint mock_swin_n_alive(void);

#endif /* SWIN_TESTS_PLUGIN_MOCK_SWIN_H */
