// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * config-fixture.h: weights for the tests of configs: files in memory whose tensors have names and
 * shapes, and zeros for values.
 */
#ifndef SWIN_TESTS_MODEL_CONFIG_FIXTURE_H
#define SWIN_TESTS_MODEL_CONFIG_FIXTURE_H

#include "model/config-read.h"

/** Weights: one file. */
typedef struct _Weights Weights;

Weights *weights_new(void);
void weights_free(Weights *weights);

/** weights_add: a tensor of @n_dims dimensions, which follow as guint; its first value is @first,
 * the others are 0. */
void weights_add(Weights *weights, const gchar *name, gfloat first, guint n_dims, ...);

/** weights_add_network: every tensor that @config calls for, as its dialect names them. */
void weights_add_network(Weights *weights, const SwinModelConfig *config);

/** weights_match: (transfer none): whose file it is; nothing can be added after that. */
const SwinDialectMatch *weights_match(Weights *weights);

/** ConfigReader: swin_config_read_hugging_face() or swin_config_read_timm(). */
typedef gboolean (*ConfigReader)(JsonObject *object, const SwinDialectMatch *match,
                                 SwinModelConfig *config, gchar ***labels, GError **error);

/** config_read: parses @text, reads and checks it. */
gboolean config_read(ConfigReader reader, const gchar *text, Weights *weights,
                     SwinModelConfig *config, gchar ***labels, GError **error);

/** config_read_good: as config_read(); fails the test where that fails. @labels: (optional) */
void config_read_good(ConfigReader reader, const gchar *text, Weights *weights,
                      SwinModelConfig *config, gchar ***labels);

/** config_set_sizes: small sizes: @n_stages of 2 blocks each (ViT: one of 2), 24 channels, 10
 * classes, 2 heads in the first stage, and twice as many in each that follows. */
void config_set_sizes(SwinModelConfig *config, guint n_stages);

/** config_assert_equal: every field. */
void config_assert_equal(const SwinModelConfig *a, const SwinModelConfig *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Weights, weights_free)

#endif /* SWIN_TESTS_MODEL_CONFIG_FIXTURE_H */
