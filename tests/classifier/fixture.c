// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classifier/fixture.h"

#include <check.h>

void fixture_config(SwinModelConfig *config) {
  swin_model_config_default(SWIN_FAMILY_SWIN, config);
  config->image_height = config->image_width = 32;
  config->embed_dim = 16;
  config->n_stages = 2;
  config->depths[0] = 2;
  config->depths[1] = 1;
  config->n_heads[0] = 2;
  config->n_heads[1] = 4;
  for (guint i = 0; i < config->n_stages; i++)
    config->window_height[i] = config->window_width[i] = 4;
  config->mlp_ratio = 2.0;
  config->n_classes = 10;
}

SwinModel *fixture_model(void) {
  SwinModelConfig config;
  fixture_config(&config);
  return swin_model_new_from_config("fixture", &config, 7);
}

SwinDevice *fixture_device(void) {
  g_autoptr(GError) error = NULL;
  SwinDevice *device = swin_device_open(NULL, &error);
  ck_assert_msg(device != NULL, "%s", error ? error->message : "");
  return device;
}

FixturePicture *fixture_picture_new(guint width, guint height, guint32 seed) {
  FixturePicture *picture = g_new0(FixturePicture, 1);
  const gsize stride = 3 * (gsize)width;
  picture->pixels = g_malloc(stride * height);
  g_autoptr(GRand) random = g_rand_new_with_seed(seed);
  const guint period = 1 + (guint)g_rand_int_range(random, 1, 16);
  const guint8 colors[2][3] = {
      {(guint8)g_rand_int(random), (guint8)g_rand_int(random), (guint8)g_rand_int(random)},
      {(guint8)g_rand_int(random), (guint8)g_rand_int(random), (guint8)g_rand_int(random)}};
  for (guint y = 0; y < height; y++) {
    for (guint x = 0; x < width; x++) {
      for (guint c = 0; c < 3; c++)
        picture->pixels[y * stride + 3 * x + c] = colors[(x / period + y / period) % 2][c];
    }
  }
  picture->frame = (SwinFrame)SWIN_FRAME_INIT;
  picture->frame.width = width;
  picture->frame.height = height;
  picture->frame.model = SWIN_COLOR_RGB;
  for (guint c = 0; c < 3; c++)
    picture->frame.component[c] = (SwinFrameComponent){.offset = c, .pixel_stride = 3};
  picture->frame.planes[0] = picture->pixels;
  picture->frame.strides[0] = stride;
  return picture;
}

void fixture_picture_free(FixturePicture *picture) {
  g_free(picture->pixels);
  g_free(picture);
}
