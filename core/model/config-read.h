// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * config-read.h: a SwinModelConfig out of what came with the weights. None of these checks that the
 * parts fit together: swin_model_config_check() does. All fail with %SWIN_ERROR_CONFIG.
 */
#ifndef SWIN_MODEL_CONFIG_READ_H
#define SWIN_MODEL_CONFIG_READ_H

#include <json-glib/json-glib.h>

#include "model/config.h"
#include "model/dialect.h"

/* Bounds that no published network comes near; they keep later products within 64 bits. */
#define SWIN_CONFIG_MAX_IMAGE 16384
#define SWIN_CONFIG_MAX_CHANNELS 64
#define SWIN_CONFIG_MAX_PATCH 256
#define SWIN_CONFIG_MAX_EMBED_DIM 8192
#define SWIN_CONFIG_MAX_DEPTH 256
#define SWIN_CONFIG_MAX_HEADS 1024
#define SWIN_CONFIG_MAX_WINDOW 128
#define SWIN_CONFIG_MAX_MLP_RATIO 64.0
#define SWIN_CONFIG_MAX_CLASSES 1000000
#define SWIN_CONFIG_MAX_PREFIX_TOKENS 1024

/**
 * swin_config_read_hugging_face: a `config.json` of transformers ("model_type" swin, swinv2, vit,
 * deit or vit_mae). Absent fields take the defaults of the class; a field of the wrong type or
 * range is refused by name.
 * @match: what the tensors are; the family must be the config's. The weights may have the names of
 *   another publisher, whose edge rules then count.
 * @labels: (out) (transfer full): n_classes labels, NULL-terminated; "LABEL_<index>" where absent
 */
gboolean swin_config_read_hugging_face(JsonObject *object, const SwinDialectMatch *match,
                                       SwinModelConfig *config, gchar ***labels, GError **error);

/**
 * swin_config_read_timm: a `config.json` of timm's hub files: "architecture", "num_classes",
 * "model_args", "label_names" with "label_descriptions", "pretrained_cfg" or its fields at the top.
 * What the architecture's name leaves open is read off the shapes of the tensors.
 */
gboolean swin_config_read_timm(JsonObject *object, const SwinDialectMatch *match,
                               SwinModelConfig *config, gchar ***labels, GError **error);

/**
 * swin_config_infer: from names and shapes alone. What they do not tell (V1's image size, heads of
 * a ViT) takes the published default, and a sentence about it is added to @notes.
 * @notes: (element-type utf8): appended to
 */
gboolean swin_config_infer(const SwinDialectMatch *match, SwinModelConfig *config, gchar ***labels,
                           GPtrArray *notes, GError **error);

/** swin_config_read_gelu: which form of GELU @field names; other activations are refused. */
gboolean swin_config_read_gelu(JsonObject *object, const gchar *field, gboolean *is_tanh,
                               GError **error);

/** swin_config_read_activation: softmax or sigmoid by "problem_type". */
gboolean swin_config_read_activation(JsonObject *object, SwinModelConfig *config, GError **error);

/** swin_config_make_labels: (transfer full): "LABEL_<index>", @n_classes of them. */
gchar **swin_config_make_labels(guint n_classes);

#endif /* SWIN_MODEL_CONFIG_READ_H */
