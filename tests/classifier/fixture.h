// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * fixture.h: a small model and pictures for the tests of the classifier.
 */
#ifndef SWIN_TESTS_CLASSIFIER_FIXTURE_H
#define SWIN_TESTS_CLASSIFIER_FIXTURE_H

#include "model/model.h"

/** fixture_config: Swin V1, 32 x 32 pixels, 10 classes. */
void fixture_config(SwinModelConfig *config);

/** fixture_model: of that config; random weights. */
SwinModel *fixture_model(void);

/** fixture_device: (transfer full): the default one; a test without any fails. */
SwinDevice *fixture_device(void);

/** FixturePicture: an RGB picture whose pixels depend on @seed, and a frame that describes it. */
typedef struct {
  SwinFrame frame;
  guint8 *pixels;
} FixturePicture;

FixturePicture *fixture_picture_new(guint width, guint height, guint32 seed);
void fixture_picture_free(FixturePicture *picture);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FixturePicture, fixture_picture_free)

#endif /* SWIN_TESTS_CLASSIFIER_FIXTURE_H */
