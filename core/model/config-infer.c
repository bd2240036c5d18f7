// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/config-read.h"

#include <math.h>
#include <string.h>

#include "model/config-shapes.h"

/* Of timm's and transformers' Swin V2 at 256 pixels, and torchvision's. */
#define DEFAULT_V2_WINDOW 8

G_GNUC_PRINTF(2, 3) static void add_note(GPtrArray *notes, const gchar *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_ptr_array_add(notes, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

/* ---- Swin's windows -------------------------------------------------------------------------- */

/* The buffer lies beside the scale of the block's attention, in all dialects. */
static gboolean find_coordinates(const SwinDialectMatch *match, guint stage, SwinTensor *tensor) {
  static const gchar scale[] = "logit_scale";
  SwinTensor ignored;
  g_autofree gchar *name = swin_dialect_find(match, SWIN_ROLE_LOGIT_SCALE, stage, 0, &ignored);
  if (name == NULL || !g_str_has_suffix(name, scale)) {
    return FALSE;
  }
  name[strlen(name) - strlen(scale)] = '\0';
  g_autofree gchar *buffer = g_strconcat(name, "relative_coords_table", NULL);
  return swin_safetensors_has(match->file, buffer) &&
         swin_safetensors_lookup(match->file, buffer, tensor, NULL);
}

/* The window that coordinates were divided by. The first of them is the most negative:
 * -log2(1 + 8 (window - 1) / (pretrained - 1)) / log2(8) (arXiv:2111.09883, section 3.3, and
 * Microsoft's swin_transformer_v2.py). 0 where that is the window itself. */
static guint read_pretrained_window(const SwinTensor *coordinates, guint window) {
  gfloat first;
  swin_tensor_read(coordinates, 0, 1, &first);
  const gdouble ratio = (exp2(3.0 * fabs(first)) - 1.0) / 8.0;
  const gdouble pretrained = (window - 1) / ratio + 1.0;
  if (!isfinite(pretrained) || pretrained < 1.5 || pretrained > SWIN_CONFIG_MAX_WINDOW) {
    return 0;
  }
  const guint rounded = (guint)lround(pretrained);
  return rounded == window ? 0 : rounded;
}

/* [1, 2 height - 1, 2 width - 1, 2] */
static gboolean read_v2_window(const SwinDialectMatch *match, guint stage,
                               SwinModelConfig *config) {
  SwinTensor tensor;
  if (!find_coordinates(match, stage, &tensor) || tensor.n_dims != 4 || tensor.shape[0] != 1 ||
      tensor.shape[1] % 2 == 0 || tensor.shape[2] % 2 == 0 || tensor.shape[3] != 2 ||
      MAX(tensor.shape[1], tensor.shape[2]) > 2 * SWIN_CONFIG_MAX_WINDOW - 1) {
    return FALSE;
  }
  config->window_height[stage] = (guint)(tensor.shape[1] + 1) / 2;
  config->window_width[stage] = (guint)(tensor.shape[2] + 1) / 2;
  config->pretrained_window[stage] = read_pretrained_window(&tensor, config->window_height[stage]);
  return TRUE;
}

static void infer_v2_windows(const SwinDialectMatch *match, SwinModelConfig *config,
                             GPtrArray *notes) {
  gboolean known = TRUE;
  for (guint stage = 0; stage < config->n_stages && known; stage++) {
    known = read_v2_window(match, stage, config);
  }
  if (known) {
    return;
  }
  for (guint stage = 0; stage < config->n_stages; stage++) {
    config->window_height[stage] = config->window_width[stage] = DEFAULT_V2_WINDOW;
    config->pretrained_window[stage] = 0;
  }
  add_note(
      notes,
      "The tensors do not tell the windows of this Swin V2 network: %u x %u are assumed. Put its "
      "config.json beside it if they are others.",
      DEFAULT_V2_WINDOW, DEFAULT_V2_WINDOW);
}

/* ---- Image size ------------------------------------------------------------------------------ */

static void set_square_image(SwinModelConfig *config, guint64 side) {
  config->image_height = config->image_width = (guint)MIN(side, SWIN_CONFIG_MAX_IMAGE);
}

static void add_image_note(const SwinModelConfig *config, GPtrArray *notes) {
  add_note(notes,
           "The tensors do not tell the size of the input: %u x %u pixels are assumed. The option "
           "image-size sets another.",
           config->image_width, config->image_height);
}

/* A window that is smaller than that of the stage before was clipped to the map of its stage, where
 * the publisher's code makes such tables. */
static guint find_clipped_stage(const SwinModelConfig *config) {
  if (config->edge_rules.window == SWIN_WINDOW_KEEP ||
      (config->family == SWIN_FAMILY_SWIN && !config->edge_rules.table_of_clipped_window)) {
    return 0;
  }
  for (guint stage = 1; stage < config->n_stages; stage++) {
    if (config->window_height[stage] < config->window_height[stage - 1] ||
        config->window_width[stage] < config->window_width[stage - 1]) {
      return stage;
    }
  }
  return 0;
}

/* A window that is as large as its map was clipped to it: before that it was as in the stages
 * before, which counts at another size of the image. */
static void restore_windows(SwinModelConfig *config, guint clipped) {
  for (guint stage = clipped; stage < config->n_stages; stage++) {
    guint height, width;
    swin_model_config_map(config, stage, &height, &width);
    if (config->window_height[stage] == height && config->window_width[stage] == width) {
      config->window_height[stage] = config->window_height[stage - 1];
      config->window_width[stage] = config->window_width[stage - 1];
    }
  }
}

/* Of the sizes whose last map is a whole number of windows the one that is nearest to the usual:
 * 224 for windows of 7, 256 for 8, 384 for 12, as published. */
static void infer_swin_image(SwinModelConfig *config, guint64 n_positions, GPtrArray *notes) {
  const guint position_side = swin_config_square_root(n_positions);
  const guint clipped = find_clipped_stage(config);
  if (position_side != 0) {
    set_square_image(config, (guint64)position_side * config->patch_size);
    return;
  }
  if (clipped != 0) {
    const guint64 patch = (guint64)config->patch_size << clipped;
    config->image_height =
        (guint)MIN(patch * config->window_height[clipped], SWIN_CONFIG_MAX_IMAGE);
    config->image_width = (guint)MIN(patch * config->window_width[clipped], SWIN_CONFIG_MAX_IMAGE);
    restore_windows(config, clipped);
  } else {
    const guint usual = config->family == SWIN_FAMILY_SWIN_V2 ? 256 : 224;
    const guint64 unit = ((guint64)config->patch_size << (config->n_stages - 1)) *
                         config->window_height[config->n_stages - 1];
    set_square_image(config, unit * MAX(1, (usual + unit / 2) / unit));
  }
  add_image_note(config, notes);
}

/* ---- ViT ------------------------------------------------------------------------------------- */

/* 64 channels a head, but in the largest published networks (timm's vision_transformer.py), which
 * all have 16 heads. */
static guint guess_heads(guint embed_dim) {
  static const guint of_sixteen[] = {1152, 1280, 1408, 1536, 1664};
  for (guint i = 0; i < G_N_ELEMENTS(of_sixteen); i++) {
    if (embed_dim == of_sixteen[i]) {
      return 16;
    }
  }
  return embed_dim % 64 == 0 ? embed_dim / 64 : 1;
}

static gboolean infer_vit(const SwinDialectMatch *match, SwinModelConfig *config, GPtrArray *notes,
                          GError **error) {
  guint64 n_rows;
  if (!swin_config_position_rows(match, config->embed_dim, &n_rows, error)) {
    return FALSE;
  }
  const guint64 n_prefix = config->prefix_positions ? config->n_prefix_tokens : 0;
  const guint side = n_rows > n_prefix ? swin_config_square_root(n_rows - n_prefix) : 0;
  if (side == 0) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_CONFIG,
                "the position embedding has %" G_GUINT64_FORMAT
                " rows, which are not those of a square image: put the config.json of the model "
                "beside it.",
                n_rows);
    return FALSE;
  }
  set_square_image(config, (guint64)side * config->patch_size);
  config->n_heads[0] = guess_heads(config->embed_dim);
  add_note(
      notes,
      "The tensors do not tell the number of attention heads, which is assumed to be %u. Put the "
      "model's config.json beside it if there are more or less.",
      config->n_heads[0]);
  if (config->n_prefix_tokens > n_prefix) {
    /* A rectangle with positions for the tokens may have as many rows. */
    add_image_note(config, notes);
  }
  return TRUE;
}

gboolean swin_config_infer(const SwinDialectMatch *match, SwinModelConfig *config, gchar ***labels,
                           GPtrArray *notes, GError **error) {
  SwinModelConfig read;
  guint64 n_positions;
  if (!swin_config_read_shapes(match, &read, error) ||
      !swin_config_position_rows(match, read.embed_dim, &n_positions, error)) {
    return FALSE;
  }
  if (match->family == SWIN_FAMILY_VIT) {
    if (!infer_vit(match, &read, notes, error)) {
      return FALSE;
    }
  } else {
    if (match->family == SWIN_FAMILY_SWIN_V2) {
      infer_v2_windows(match, &read, notes);
    } else if (!swin_config_read_table_windows(match, &read, error)) {
      return FALSE;
    }
    infer_swin_image(&read, n_positions, notes);
  }
  *config = read;
  *labels = swin_config_make_labels(read.n_classes);
  return TRUE;
}
