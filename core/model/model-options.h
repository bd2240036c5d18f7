// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * model-options.h: what is asked of a model beyond what its files say.
 */
#ifndef SWIN_MODEL_MODEL_OPTIONS_H
#define SWIN_MODEL_MODEL_OPTIONS_H

#include "model/config.h"
#include "swin.h"

struct _SwinModelOptions {
  guint image_width; /* pixels; 0 and 0: the model's own */
  guint image_height;
  guint window_size; /* tokens a side; 0: the model's own */
};

/**
 * swin_model_options_are_default: whether nothing is asked for.
 * @options: (nullable)
 */
gboolean swin_model_options_are_default(const SwinModelOptions *options);

/** swin_model_options_get_names: what messages call those that are set, of which there is one. */
const gchar *swin_model_options_get_names(const SwinModelOptions *options);

/**
 * swin_model_options_apply: changes @config to what is asked for. A Swin V2 whose window changes
 * takes the old one for its pretrained window, so that its position bias is carried over to the
 * new one (arXiv:2111.09883, section 3.3).
 * @options: (nullable)
 * @window_known: FALSE where the window of @config is only assumed: then the one asked for is taken
 *   to be what the network was trained with
 * @config: as it was read; to be checked after this
 *
 * Returns: FALSE with %SWIN_ERROR_CONFIG when an option makes no sense for the network.
 */
gboolean swin_model_options_apply(const SwinModelOptions *options, gboolean window_known,
                                  SwinModelConfig *config, GError **error);

#endif /* SWIN_MODEL_MODEL_OPTIONS_H */
