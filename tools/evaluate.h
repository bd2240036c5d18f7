// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * evaluate.h: a network run once on the tensor "input" of a file, for `swin run` and `swin verify`.
 */
#ifndef SWIN_TOOLS_EVALUATE_H
#define SWIN_TOOLS_EVALUATE_H

#include "commands.h"
#include "model/safetensors.h"

/**
 * swin_evaluate_load_model: swin_command_load_model() with the options --image-size and
 * --window-size.
 * @image_size, @window_size: as swin_command_make_model_options() takes them
 *
 * Returns: (transfer full): or NULL, with G_OPTION_ERROR when they cannot be read or are asked of a
 *   published name, which stands for random weights of one size.
 */
SwinModel *swin_evaluate_load_model(const gchar *name, const gchar *image_size, gint window_size,
                                    GError **error);

/** SwinEvaluated: one tensor that came out of a network. */
typedef struct {
  gchar *name; /* "logits", "pooled", "stages.0", ... */
  guint n_dims;
  guint64 shape[SWIN_TENSOR_MAX_DIMS];
  guint64 n_elements;
  gfloat *values;
} SwinEvaluated;

/**
 * swin_evaluate: runs @model on @device with every stage kept. Values in half precision are
 * widened.
 * @file: holds "input" [N, channels, H, W], normalised, of the model's size
 *
 * Returns: (transfer full) (element-type SwinEvaluated): the outputs in the order of the
 *   computation; frees its elements; or NULL with %SWIN_ERROR_MODEL when "input" is missing or of
 *   another shape.
 */
GPtrArray *swin_evaluate(SwinDevice *device, SwinModel *model, SwinPrecision precision,
                         SwinSafetensors *file, GError **error);

#endif /* SWIN_TOOLS_EVALUATE_H */
