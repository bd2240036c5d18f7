// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * mock-swin.h: a libswin that a test holds in its hand: results come when the test says so, and
 * fail when it says so. What the real library does only when a device is lost, or by chance,
 * happens here every time.
 */
#ifndef SWIN_TESTS_PLUGIN_MOCK_SWIN_H
#define SWIN_TESTS_PLUGIN_MOCK_SWIN_H

#include "swin.h"

#define MOCK_SWIN_MAX_OUTPUTS 8

/** MockSwinRequest: what the element asked for when it opened. */
typedef struct {
  guint image_width, image_height; /* of the model's options */
  guint window_size;
  guint top_k; /* of the classifier's parameters */
  SwinActivation activation;
  SwinPrecision precision;
  SwinCropMode crop_mode;
  guint resize_size;
  guint8 fill[3];
  SwinInterpolation interpolation;
  gboolean has_mean, has_std;
  gfloat mean[3], std[3];
  SwinChannelOrder channel_order;
  guint batch_size;
  gint64 batch_timeout; /* us */
  guint n_outputs;
  const gchar *outputs[MOCK_SWIN_MAX_OUTPUTS]; /* interned */
} MockSwinRequest;

/** mock_swin_last_request: of the last opening that came as far as the classifier. */
MockSwinRequest mock_swin_last_request(void);

/** MOCK_SWIN_N_CLASSES: of a model, which are labelled "a", "b" and so on. Results are classes 0, 1
 * and 2 with confidences 0.5, 0.25 and 0.125. */
#define MOCK_SWIN_N_CLASSES 8

/** MOCK_SWIN_BAD_MODEL: how the locations of models begin that cannot be loaded. Others are models
 * whose name is the last part of the location. */
#define MOCK_SWIN_BAD_MODEL "/bad"

/** mock_swin_set_headless: models have no classes from now on, and cannot classify. */
void mock_swin_set_headless(gboolean headless);

/** mock_swin_set_half: whether devices can do fp16 from now on; at first they can. */
void mock_swin_set_half(gboolean half);

/** mock_swin_set_notes: what models say was assumed of them; static, NULL-terminated. */
void mock_swin_set_notes(const gchar *const *notes);

/** mock_swin_hold: results wait from now on until mock_swin_release(), but for as many as
 * mock_swin_let() lets come. */
void mock_swin_hold(void);
void mock_swin_let(guint n_results);
void mock_swin_release(void);

/** mock_swin_hold_loads: models that are loaded wait from now on until mock_swin_release_loads();
 * mock_swin_wait_loading() waits until there is one that does. */
void mock_swin_hold_loads(void);
void mock_swin_release_loads(void);
void mock_swin_wait_loading(void);

/** mock_swin_last_orientation: of the frame that was submitted last. */
SwinOrientation mock_swin_last_orientation(void);

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

/** mock_swin_n_alive: devices, models, classifiers, frames, options and parameters that have not
 * been let go of. */
guint mock_swin_n_alive(void);

#endif /* SWIN_TESTS_PLUGIN_MOCK_SWIN_H */
