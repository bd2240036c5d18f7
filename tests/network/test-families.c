// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the families make of a config: the operations and how they hang together. No device is
 * needed. */
#include <check.h>
#include <string.h>

#include "fixture.h"
#include "network/operation.h"
#include "run-cases.h"

/* ---- What all families share ----------------------------------------------------------------- */

static gboolean has_operation(const SwinPlan *plan, const gchar *name) {
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++)
    if (strcmp(swin_plan_get_operation(plan, i)->name, name) == 0)
      return TRUE;
  return FALSE;
}

static const SwinOperation *find_operation(const SwinPlan *plan, const gchar *name) {
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinOperation *operation = swin_plan_get_operation(plan, i);

    if (strcmp(operation->name, name) == 0)
      return operation;
  }
  ck_abort_msg("The plan has no operation %s", name);
}

static const guint64 *output_shape(const SwinPlan *plan, const gchar *name) {
  return swin_plan_get_tensor(plan, find_operation(plan, name)->output)->shape;
}

static void expect_shape(const SwinPlan *plan, const gchar *name, guint n_dims,
                         const guint64 *shape) {
  gint number = swin_plan_find(plan, name);

  ck_assert_msg(number != SWIN_PLAN_NO_TENSOR, "The plan has no tensor %s", name);
  const SwinPlanTensor *tensor = swin_plan_get_tensor(plan, number);
  ck_assert_uint_eq(tensor->n_dims, n_dims);
  for (guint i = 0; i < n_dims; i++)
    ck_assert_uint_eq(tensor->shape[i], shape[i]);
}

START_TEST(inputs_and_outputs) {
  SwinModelConfig config = fixture_tiny_config();
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 2, 64, TRUE);

  expect_shape(plan, "input", 4, (const guint64[]){2, 3, 48, 80});
  expect_shape(plan, "stages.0", 4, (const guint64[]){2, 6, 10, 12});
  expect_shape(plan, "stages.1", 4, (const guint64[]){2, 3, 5, 24});
  expect_shape(plan, "stages.2", 4, (const guint64[]){2, 3, 5, 24});
  expect_shape(plan, "pooled", 2, (const guint64[]){2, 24});
  expect_shape(plan, "logits", 2, (const guint64[]){2, 7});
  expect_shape(plan, "tags", 3, (const guint64[]){2, 7, 2}); /* no more tags than classes */

  g_autoptr(SwinPlan) short_plan = fixture_new_plan(&config, 2, 0, FALSE);
  ck_assert_int_eq(swin_plan_find(short_plan, "tags"), SWIN_PLAN_NO_TENSOR);
  ck_assert_int_eq(swin_plan_find(short_plan, "stages.0"), SWIN_PLAN_NO_TENSOR);
}
END_TEST

/* A model without a head has features, but nothing to tell classes by. */
START_TEST(features_only) {
  SwinModelConfig configs[] = {fixture_tiny_config(), fixture_tiny_v2_config(),
                               fixture_tiny_vit_config()};

  configs[_i].n_classes = 0;
  g_autoptr(SwinPlan) plan = fixture_new_plan(&configs[_i], 2, 5, TRUE);
  ck_assert_int_eq(swin_plan_find(plan, "logits"), SWIN_PLAN_NO_TENSOR);
  ck_assert_int_eq(swin_plan_find(plan, "tags"), SWIN_PLAN_NO_TENSOR);
  ck_assert_int_ne(swin_plan_find(plan, "pooled"), SWIN_PLAN_NO_TENSOR);
  ck_assert(!has_operation(plan, "head"));
}
END_TEST

static const struct {
  SwinActivation asked, models, expected;
} activations[] = {
    {SWIN_ACTIVATION_AUTO, SWIN_ACTIVATION_SOFTMAX, SWIN_ACTIVATION_SOFTMAX},
    {SWIN_ACTIVATION_AUTO, SWIN_ACTIVATION_SIGMOID, SWIN_ACTIVATION_SIGMOID},
    {SWIN_ACTIVATION_SOFTMAX, SWIN_ACTIVATION_SIGMOID, SWIN_ACTIVATION_SOFTMAX},
    {SWIN_ACTIVATION_SIGMOID, SWIN_ACTIVATION_SOFTMAX, SWIN_ACTIVATION_SIGMOID},
};

START_TEST(activation_of_the_tags) {
  SwinModelConfig config = fixture_tiny_config();
  const SwinPlanOptions options = {.batch = 1, .top_k = 3, .activation = activations[_i].asked};

  config.activation = activations[_i].models;
  g_autoptr(SwinModel) model = swin_model_new_from_config("tiny", &config, 1);
  g_autoptr(SwinPlan) plan = swin_family_plan(model, &options);
  const SwinTopKParameters *parameters = find_operation(plan, "top_k")->parameters;
  ck_assert_uint_eq(parameters->k, 3);
  ck_assert_int_eq(parameters->activation, activations[_i].expected);
}
END_TEST

/* Multiply-adds in billions, as the papers have them, each counted twice here: Swin-T 4.5
 * (arXiv:2103.14030, table 1a); Swin V2-T at 256 x 256 with windows of 8: 5.9
 * (arXiv:2111.09883, its model zoo); ViT-B/16, which is DeiT-B: 17.6 (arXiv:2012.12877, table 5).
 */
static const struct {
  const gchar *name;
  gdouble least, most; /* billions of operations */
} published[] = {
    {"swin_t", 8.9, 9.1},
    {"swin_v2_t", 11.7, 12.1},
    {"vit_base", 34.7, 35.7},
};

START_TEST(flops_of_published_networks) {
  const SwinPlanOptions options = {.batch = 1, .top_k = 5};
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinModel) model = swin_model_new_random(published[_i].name, 1, &error);

  ck_assert_msg(model != NULL, "%s", error ? error->message : "");
  g_autoptr(SwinPlan) plan = swin_family_plan(model, &options);
  gdouble giga = (gdouble)swin_plan_get_flops(plan) / 1e9;
  ck_assert_double_gt(giga, published[_i].least);
  ck_assert_double_lt(giga, published[_i].most);
}
END_TEST

/* ---- The Swin family ------------------------------------------------------------------------ */

/* Maps of 12 x 20, 6 x 10 and 3 x 5 under windows that fit on no, one or both axes. */
static const struct {
  SwinDialect dialect;
  guint window;
  guint stage;
  guint window_height, window_width, shift_y, shift_x, table_height, table_width; /* expected */
} edges[] = {
    /* larger maps: nothing special */
    {SWIN_DIALECT_HUGGING_FACE, 4, 0, 4, 4, 2, 2, 4, 4},
    {SWIN_DIALECT_TORCHVISION, 4, 0, 4, 4, 2, 2, 4, 4},
    {SWIN_DIALECT_TIMM, 5, 1, 5, 5, 2, 2, 5, 5},
    /* the window is as high as the map: 6 x 10 */
    {SWIN_DIALECT_HUGGING_FACE, 6, 1, 6, 6, 0, 0, 6, 6},
    {SWIN_DIALECT_TORCHVISION, 6, 1, 6, 6, 0, 3, 6, 6},
    {SWIN_DIALECT_TIMM, 6, 1, 6, 6, 0, 3, 6, 6},
    /* and higher: 3 x 5 */
    {SWIN_DIALECT_HUGGING_FACE, 4, 2, 3, 3, 0, 0, 4, 4},
    {SWIN_DIALECT_TORCHVISION, 4, 2, 4, 4, 0, 2, 4, 4},
    {SWIN_DIALECT_TIMM, 4, 2, 3, 4, 0, 2, 3, 4},
    /* no axis is larger */
    {SWIN_DIALECT_HUGGING_FACE, 7, 2, 3, 3, 0, 0, 7, 7},
    {SWIN_DIALECT_TORCHVISION, 7, 2, 7, 7, 0, 0, 7, 7},
    {SWIN_DIALECT_TIMM, 7, 2, 3, 5, 0, 0, 3, 5},
    /* half of one token is none */
    {SWIN_DIALECT_HUGGING_FACE, 1, 0, 1, 1, 0, 0, 1, 1},
};

START_TEST(windows_at_the_edge) {
  SwinModelConfig config = fixture_tiny_config();

  config.dialect = edges[_i].dialect;
  config.edge_rules = swin_edge_rules(config.family, config.dialect);
  for (guint stage = 0; stage < config.n_stages; stage++)
    config.window_height[stage] = config.window_width[stage] = edges[_i].window;
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 1, 0, FALSE);
  for (guint block = 0; block < 2; block++) {
    g_autofree gchar *name =
        g_strdup_printf("stages.%u.blocks.%u.attention", edges[_i].stage, block);
    const SwinAttentionParameters *parameters = find_operation(plan, name)->parameters;

    ck_assert_int_eq(parameters->kind, SWIN_ATTENTION_SCALED);
    ck_assert_uint_eq(parameters->window_height, edges[_i].window_height);
    ck_assert_uint_eq(parameters->window_width, edges[_i].window_width);
    ck_assert_uint_eq(parameters->table_height, edges[_i].table_height);
    ck_assert_uint_eq(parameters->table_width, edges[_i].table_width);
    ck_assert_uint_eq(parameters->shift_y, block == 1 ? edges[_i].shift_y : 0);
    ck_assert_uint_eq(parameters->shift_x, block == 1 ? edges[_i].shift_x : 0);
    ck_assert(parameters->roll_before_padding == (edges[_i].dialect == SWIN_DIALECT_TIMM));
  }
}
END_TEST

START_TEST(optional_weights) {
  SwinModelConfig config = fixture_tiny_config();

  config.patch_norm = FALSE;
  config.qkv_bias = FALSE;
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 1, 0, FALSE);
  ck_assert(!has_operation(plan, "patch_embedding.norm"));
  ck_assert(!has_operation(plan, "position_embedding"));
  const SwinOperation *qkv = find_operation(plan, "stages.0.blocks.0.attention.qkv");
  for (guint i = 0; i < SWIN_LINEAR_MAX_PARTS; i++)
    ck_assert_ptr_null(qkv->weights[SWIN_LINEAR_MAX_PARTS + i].data);
}
END_TEST

/* The position embedding comes after the patch norm. */
START_TEST(position_embedding_of_swin) {
  SwinModelConfig config = fixture_tiny_config();

  config.position_embedding = TRUE;
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 1, 0, FALSE);
  const SwinOperation *embedding = find_operation(plan, "position_embedding");
  ck_assert_int_eq(embedding->inputs[0], find_operation(plan, "patch_embedding.norm")->output);
  ck_assert_ptr_null(embedding->weights[SWIN_TOKEN_EMBEDDING_PREFIX].data);
  ck_assert_uint_eq(embedding->weights[SWIN_TOKEN_EMBEDDING_POSITIONS].shape[0], 12 * 20);
}
END_TEST

static gdouble epsilon_of(const SwinPlan *plan, const gchar *name) {
  return ((const SwinLayerNormParameters *)find_operation(plan, name)->parameters)->epsilon;
}

START_TEST(epsilons) {
  SwinModelConfig config = _i == 0 ? fixture_tiny_config() : fixture_tiny_v2_config();
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 1, 0, FALSE);

  ck_assert(epsilon_of(plan, "patch_embedding.norm") == config.merging_norm_epsilon);
  ck_assert(epsilon_of(plan, "stages.1.merging.norm") == config.merging_norm_epsilon);
  ck_assert(epsilon_of(plan, "stages.1.blocks.0.norm1") == config.layer_norm_epsilon);
  ck_assert(epsilon_of(plan, "stages.1.blocks.0.norm2") == config.layer_norm_epsilon);
  const SwinMeanPoolParameters *pool = find_operation(plan, "pool")->parameters;
  ck_assert(pool->normed);
  ck_assert(pool->epsilon == config.layer_norm_epsilon);
}
END_TEST

/* ---- Swin V2 -------------------------------------------------------------------------------- */

/* Norms come behind the branches and take up the residual: x += norm1(attention(x)), and so on. */
START_TEST(norms_behind_the_branches) {
  SwinModelConfig config = fixture_tiny_v2_config();
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 2, 0, FALSE);
  const SwinOperation *norm1 = find_operation(plan, "stages.1.blocks.1.norm1");
  const SwinOperation *norm2 = find_operation(plan, "stages.1.blocks.1.norm2");
  gint block_input = find_operation(plan, "stages.1.blocks.0.norm2")->output;

  ck_assert_int_eq(find_operation(plan, "stages.1.blocks.1.attention.qkv")->inputs[0], block_input);
  ck_assert_int_eq(norm1->inputs[0],
                   find_operation(plan, "stages.1.blocks.1.attention.projection")->output);
  ck_assert_int_eq(norm1->inputs[1], block_input);
  ck_assert_int_eq(find_operation(plan, "stages.1.blocks.1.mlp.fc1")->inputs[0], norm1->output);
  ck_assert_int_eq(norm2->inputs[0], find_operation(plan, "stages.1.blocks.1.mlp.fc2")->output);
  ck_assert_int_eq(norm2->inputs[1], norm1->output);
}
END_TEST

START_TEST(cosine_attention) {
  SwinModelConfig config = fixture_tiny_v2_config();
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 1, 0, FALSE);
  const SwinOperation *attention = find_operation(plan, "stages.2.blocks.1.attention");
  const SwinAttentionParameters *parameters = attention->parameters;

  ck_assert_int_eq(parameters->kind, SWIN_ATTENTION_COSINE);
  /* The map of 3 x 5 makes the window of 4 one of 3, and the table belongs to that. */
  ck_assert_uint_eq(parameters->window_height, 3);
  ck_assert_uint_eq(parameters->table_height, 3);
  ck_assert_uint_eq(attention->weights[SWIN_ATTENTION_BIAS_TABLE].shape[0], 25);
  ck_assert_uint_eq(attention->weights[SWIN_ATTENTION_LOGIT_SCALE].n_elements, 3);
  ck_assert_ptr_nonnull(attention->weights[SWIN_ATTENTION_QKV_BIAS].data);
  ck_assert_ptr_null(attention->weights[SWIN_ATTENTION_QKV_BIAS + 1].data);
  ck_assert_ptr_nonnull(attention->weights[SWIN_ATTENTION_QKV_BIAS + 2].data);
}
END_TEST

/* [2, 12, 20, 6] is gathered, reduced, then normed. */
START_TEST(merging_reduces_first) {
  SwinModelConfig config = fixture_tiny_v2_config();
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 2, 0, FALSE);
  const SwinOperation *gather = find_operation(plan, "stages.0.merging");

  ck_assert_ptr_null(gather->weights[SWIN_WEIGHT].data);
  ck_assert_uint_eq(output_shape(plan, "stages.0.merging")[3], 24);
  ck_assert_int_eq(find_operation(plan, "stages.0.merging.reduction")->inputs[0], gather->output);
  ck_assert_int_eq(find_operation(plan, "stages.0.merging.norm")->inputs[0],
                   find_operation(plan, "stages.0.merging.reduction")->output);
  ck_assert_uint_eq(output_shape(plan, "stages.0.merging.norm")[1], 6);
  ck_assert_uint_eq(output_shape(plan, "stages.0.merging.norm")[2], 10);
  ck_assert_uint_eq(output_shape(plan, "stages.0.merging.norm")[3], 12);
}
END_TEST

/* ---- ViT ------------------------------------------------------------------------------------ */

START_TEST(tokens_of_vit) {
  SwinModelConfig config = fixture_tiny_vit_config();
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 2, 5, TRUE);
  const SwinAttentionParameters *attention =
      find_operation(plan, "stages.0.blocks.2.attention")->parameters;

  expect_shape(plan, "input", 4, (const guint64[]){2, 3, 17, 20});
  expect_shape(plan, "stages.0", 4, (const guint64[]){2, 1, 21, 6});
  expect_shape(plan, "pooled", 2, (const guint64[]){2, 6});
  expect_shape(plan, "logits", 2, (const guint64[]){2, 7});
  expect_shape(plan, "tags", 3, (const guint64[]){2, 5, 2});
  /* Each token attends to all. */
  ck_assert_int_eq(attention->kind, SWIN_ATTENTION_SCALED);
  ck_assert_uint_eq(attention->window_height * attention->window_width, 21);
  ck_assert_uint_eq(attention->shift_y + attention->shift_x, 0);
  ck_assert_uint_eq(attention->table_height, 0);
}
END_TEST

/* Without prefix tokens the map stays one. */
START_TEST(vit_of_patches_alone) {
  SwinModelConfig config = fixture_tiny_vit_config();

  config.n_prefix_tokens = 0;
  config.prefix_positions = FALSE;
  config.pool = SWIN_POOL_MEAN;
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 2, 5, TRUE);
  expect_shape(plan, "stages.0", 4, (const guint64[]){2, 4, 5, 6});
}
END_TEST

static const struct {
  SwinPool pool;
  guint n_prefix_tokens;
  gboolean norm_before_pool;
  guint first, n_tokens; /* expected */
} pools[] = {
    {SWIN_POOL_TOKEN, 1, TRUE, 0, 1},
    {SWIN_POOL_TOKEN, 5, TRUE, 0, 1},
    {SWIN_POOL_MEAN, 1, FALSE, 1, 20},
    {SWIN_POOL_MEAN, 3, TRUE, 3, 20},
};

START_TEST(pools_of_vit) {
  SwinModelConfig config = fixture_tiny_vit_config();

  config.pool = pools[_i].pool;
  config.n_prefix_tokens = pools[_i].n_prefix_tokens;
  config.norm_before_pool = pools[_i].norm_before_pool;
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 1, 0, FALSE);
  const SwinOperation *pool = find_operation(plan, "pool"), *last = pool;
  const SwinMeanPoolParameters *parameters = pool->parameters;
  ck_assert_uint_eq(parameters->first, pools[_i].first);
  ck_assert_uint_eq(parameters->n_tokens, pools[_i].n_tokens);
  ck_assert_int_eq(parameters->normed, pools[_i].norm_before_pool);
  ck_assert_int_eq(has_operation(plan, "norm"), !pools[_i].norm_before_pool);
  if (!pools[_i].norm_before_pool) {
    last = find_operation(plan, "norm");
    ck_assert_int_eq(last->inputs[0], pool->output);
  }
  ck_assert_int_eq(swin_plan_find(plan, "pooled"), last->output);
}
END_TEST

/* Each of the two tokens has a head, and the second adds to the first. */
START_TEST(distilled_heads) {
  SwinModelConfig config = fixture_tiny_vit_config();

  config.n_prefix_tokens = 2;
  config.distillation_token = TRUE;
  config.distillation_head = TRUE;
  g_autoptr(SwinPlan) plan = fixture_new_plan(&config, 1, 0, FALSE);
  const SwinOperation *head = find_operation(plan, "head");
  const SwinOperation *distilled = find_operation(plan, "distillation_head");
  const SwinOperation *pool = find_operation(plan, "distillation_pool");
  const SwinMeanPoolParameters *parameters = pool->parameters;
  ck_assert_uint_eq(parameters->first, 1);
  ck_assert_uint_eq(parameters->n_tokens, 1);
  ck_assert(parameters->normed);
  ck_assert_int_eq(distilled->inputs[0], pool->output);
  ck_assert_int_eq(distilled->inputs[1], head->output);
  ck_assert_int_eq(swin_plan_find(plan, "logits"), distilled->output);
  ck_assert_int_eq(swin_plan_find(plan, "pooled"), head->inputs[0]);
}
END_TEST

/* ---- Fused plans ---------------------------------------------------------------------------- */

static SwinPlan *new_fused_plan(const SwinModelConfig *config) {
  const SwinPlanOptions options = {
      .batch = 2, .top_k = 3, .keep_stages = TRUE, .storage = SWIN_STORAGE_F16, .fused = TRUE};

  return fixture_plan_with(config, &options);
}

/* The names of a product's weights, and what its rows are. */
static void expect_product(const SwinPlan *plan, const gchar *name, SwinLinearSource source,
                           guint64 depth, gboolean normed, gdouble epsilon) {
  const SwinOperation *product = find_operation(plan, name);
  const SwinLinearParameters *parameters = product->parameters;

  ck_assert_ptr_eq(product->klass, &swin_linear_class);
  ck_assert_int_eq(parameters->source, source);
  ck_assert_int_eq(parameters->normed, normed);
  ck_assert_uint_eq(product->weights[0].n_elements / product->weights[0].shape[0], depth);
  for (guint slot = SWIN_LINEAR_NORM_WEIGHT; slot <= SWIN_LINEAR_NORM_BIAS; slot++)
    ck_assert_uint_eq(product->weights[slot].data != NULL ? product->weights[slot].n_elements : 0,
                      normed ? depth : 0);
  if (normed)
    ck_assert(parameters->epsilon == epsilon);
}

/* A block is five operations, and nothing stands before a product that can be part of it. */
START_TEST(fused_swin) {
  static const gchar *const block[] = {"attention.qkv", "attention", "attention.projection",
                                       "mlp.fc1", "mlp.fc2"};
  SwinModelConfig config = fixture_tiny_config();
  g_autoptr(SwinPlan) plan = new_fused_plan(&config);
  gdouble epsilon = config.layer_norm_epsilon;

  /* Patches, their norm, seven blocks, two mergings, pool, head and tags. */
  ck_assert_uint_eq(swin_plan_get_n_operations(plan), 2 + 7 * G_N_ELEMENTS(block) + 2 + 3);
  expect_product(plan, "patch_embedding.projection", SWIN_LINEAR_PATCHES, 48, FALSE, 0.0);
  expect_product(plan, "stages.1.blocks.2.attention.qkv", SWIN_LINEAR_ROWS, 12, TRUE, epsilon);
  expect_product(plan, "stages.1.blocks.2.attention.projection", SWIN_LINEAR_ROWS, 12, FALSE, 0.0);
  expect_product(plan, "stages.1.blocks.2.mlp.fc1", SWIN_LINEAR_ROWS, 12, TRUE, epsilon);
  expect_product(plan, "stages.1.blocks.2.mlp.fc2", SWIN_LINEAR_ROWS, 24, FALSE, 0.0);
  expect_product(plan, "stages.1.merging.reduction", SWIN_LINEAR_MERGING, 48, TRUE,
                 config.merging_norm_epsilon);
  expect_product(plan, "head", SWIN_LINEAR_ROWS, 24, FALSE, 0.0);

  /* The norm leaves the residual as it was. */
  const SwinOperation *qkv = find_operation(plan, "stages.1.blocks.1.attention.qkv");
  const SwinOperation *projection = find_operation(plan, "stages.1.blocks.1.attention.projection");
  ck_assert_int_eq(qkv->inputs[0], find_operation(plan, "stages.1.blocks.0.mlp.fc2")->output);
  ck_assert_int_eq(projection->inputs[1], qkv->inputs[0]);
  ck_assert_int_eq(find_operation(plan, "stages.1.blocks.1.mlp.fc1")->inputs[0],
                   projection->output);
  ck_assert_int_eq(find_operation(plan, "stages.1.blocks.1.mlp.fc2")->inputs[1],
                   projection->output);
}
END_TEST

/* V2's norms come behind the products. */
START_TEST(fused_swin_v2) {
  SwinModelConfig config = fixture_tiny_v2_config();
  g_autoptr(SwinPlan) plan = new_fused_plan(&config);

  ck_assert_uint_eq(swin_plan_get_n_operations(plan), 2 + 7 * 7 + 2 * 2 + 3);
  expect_product(plan, "stages.0.blocks.0.attention.qkv", SWIN_LINEAR_ROWS, 6, FALSE, 0.0);
  expect_product(plan, "stages.0.blocks.0.mlp.fc1", SWIN_LINEAR_ROWS, 6, FALSE, 0.0);
  expect_product(plan, "stages.0.merging.reduction", SWIN_LINEAR_MERGING, 24, FALSE, 0.0);
  ck_assert_int_eq(find_operation(plan, "stages.0.merging.norm")->inputs[0],
                   find_operation(plan, "stages.0.merging.reduction")->output);
}
END_TEST

START_TEST(fused_vit) {
  SwinModelConfig config = fixture_tiny_vit_config();
  g_autoptr(SwinPlan) plan = new_fused_plan(&config);
  gdouble epsilon = config.layer_norm_epsilon;

  ck_assert_uint_eq(swin_plan_get_n_operations(plan), 2 + 3 * 5 + 3);
  expect_product(plan, "stages.0.blocks.2.attention.qkv", SWIN_LINEAR_ROWS, 6, TRUE, epsilon);
  expect_product(plan, "stages.0.blocks.2.mlp.fc1", SWIN_LINEAR_ROWS, 6, TRUE, epsilon);
}
END_TEST

/* A picture of 49 x 78 pixels has 13 x 20 patches where they are filled up, 12 x 19 where they are
 * cut, whoever gathers them. */
START_TEST(fused_patches_at_the_edge) {
  static const SwinPartialRule rules[] = {SWIN_PARTIAL_PAD, SWIN_PARTIAL_CUT};
  SwinModelConfig config = fixture_tiny_config();

  config.image_height = 49;
  config.image_width = 78;
  config.edge_rules.partial_patches = rules[_i];
  g_autoptr(SwinPlan) plan = new_fused_plan(&config);
  const SwinLinearParameters *parameters =
      find_operation(plan, "patch_embedding.projection")->parameters;
  const guint64 *shape = output_shape(plan, "patch_embedding.projection");
  ck_assert_int_eq(parameters->cut, _i);
  ck_assert_uint_eq(parameters->patch_size, 4);
  ck_assert_uint_eq(shape[1], _i == 1 ? 12 : 13);
  ck_assert_uint_eq(shape[2], _i == 1 ? 19 : 20);
}
END_TEST

/* Whatever is computed together, the same is computed. */
START_TEST(fused_outputs) {
  SwinModelConfig configs[] = {fixture_tiny_config(), fixture_tiny_v2_config(),
                               fixture_tiny_vit_config()};
  g_autoptr(SwinPlan) fused = new_fused_plan(&configs[_i]);
  g_autoptr(SwinPlan) plain = fixture_new_plan(&configs[_i], 2, 3, TRUE);

  for (gint i = 0; i < (gint)swin_plan_get_n_tensors(plain); i++) {
    const SwinPlanTensor *tensor = swin_plan_get_tensor(plain, i);

    if (tensor->is_input || tensor->is_output)
      expect_shape(fused, tensor->name, tensor->n_dims, tensor->shape);
  }
  /* But norms of gathered values, which count as what they are part of. */
  gdouble ratio = (gdouble)swin_plan_get_flops(fused) / (gdouble)swin_plan_get_flops(plain);
  ck_assert_double_ge(ratio, 0.75);
  ck_assert_double_le(ratio, 1.01);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("all");

  tcase_add_test(cases, inputs_and_outputs);
  tcase_add_loop_test(cases, features_only, 0, 3);
  tcase_add_loop_test(cases, activation_of_the_tags, 0, G_N_ELEMENTS(activations));
  tcase_add_loop_test(cases, flops_of_published_networks, 0, G_N_ELEMENTS(published));
  tcase_add_loop_test(cases, windows_at_the_edge, 0, G_N_ELEMENTS(edges));
  tcase_add_test(cases, optional_weights);
  tcase_add_test(cases, position_embedding_of_swin);
  tcase_add_loop_test(cases, epsilons, 0, 2);
  tcase_add_test(cases, norms_behind_the_branches);
  tcase_add_test(cases, cosine_attention);
  tcase_add_test(cases, merging_reduces_first);
  tcase_add_test(cases, tokens_of_vit);
  tcase_add_test(cases, vit_of_patches_alone);
  tcase_add_loop_test(cases, pools_of_vit, 0, G_N_ELEMENTS(pools));
  tcase_add_test(cases, distilled_heads);
  tcase_add_test(cases, fused_swin);
  tcase_add_test(cases, fused_swin_v2);
  tcase_add_test(cases, fused_vit);
  tcase_add_loop_test(cases, fused_patches_at_the_edge, 0, 2);
  tcase_add_loop_test(cases, fused_outputs, 0, 3);
  return run_cases("families", cases);
}
