// SPDX-License-Identifier: LGPL-2.1-or-later
/* Maps, windows, shifts and tables of every publisher, at sizes where they differ.
 *
 * The numbers were read off the publishers' own networks, which were run at these sizes in PyTorch:
 * transformers 4.40.2 (SwinModel, Swinv2Model), timm 1.0.31 and torchvision 0.14.1 (both
 * generations, which agree) and microsoft/Swin-Transformer at f82860b (both). torchvision's shifts
 * are those that it hands to torch.roll. Where code stopped with an error, the size must be
 * refused; only transformers' V1 is run where it stops, at a window that was clipped beside a table
 * that was not: its numbers are those up to there. */
#include "fixture.h"
#include "model/config.h"

#define N_STAGES 3
#define REFUSED                                                                                    \
  {                                                                                                \
    { 0 }                                                                                          \
  }

static const struct {
  SwinDialect dialect;
  gboolean v1, v2;
} sources[] = {
    {SWIN_DIALECT_HUGGING_FACE, TRUE, FALSE}, {SWIN_DIALECT_HUGGING_FACE, FALSE, TRUE},
    {SWIN_DIALECT_TIMM, TRUE, TRUE},          {SWIN_DIALECT_TORCHVISION, TRUE, TRUE},
    {SWIN_DIALECT_MICROSOFT, TRUE, TRUE},
};

/* In the second block of a stage. */
typedef struct {
  guint map_height, map_width;
  guint window_height, window_width;
  guint shift_y, shift_x;
  guint table_height, table_width;
} Expected;

/* Patches of 4. */
typedef struct {
  guint image_height, image_width;
  guint window_height, window_width;
} Size;

static const struct {
  Size size;
  Expected stages[G_N_ELEMENTS(sources)][N_STAGES];
} cases[] = {
    {{64, 64, 7, 7},
     {{{16, 16, 7, 7, 3, 3, 7, 7}, {8, 8, 7, 7, 3, 3, 7, 7}, {4, 4, 4, 4, 0, 0, 7, 7}},
      {{16, 16, 7, 7, 3, 3, 7, 7}, {8, 8, 7, 7, 3, 3, 7, 7}, {4, 4, 4, 4, 0, 0, 4, 4}},
      {{16, 16, 7, 7, 3, 3, 7, 7}, {8, 8, 7, 7, 3, 3, 7, 7}, {4, 4, 4, 4, 0, 0, 4, 4}},
      {{16, 16, 7, 7, 3, 3, 7, 7}, {8, 8, 7, 7, 3, 3, 7, 7}, {4, 4, 7, 7, 0, 0, 7, 7}},
      REFUSED}},
    {{33, 50, 5, 5},
     {{{9, 13, 5, 5, 2, 2, 5, 5}, {5, 7, 5, 5, 0, 0, 5, 5}, {3, 4, 3, 3, 0, 0, 5, 5}},
      {{9, 13, 5, 5, 2, 2, 5, 5}, {5, 7, 4, 4, 0, 0, 4, 4}, {3, 4, 2, 2, 0, 0, 2, 2}},
      {{8, 12, 5, 5, 2, 2, 5, 5}, {4, 6, 4, 5, 0, 2, 4, 5}, {2, 3, 2, 3, 0, 0, 2, 3}},
      {{8, 12, 5, 5, 2, 2, 5, 5}, {4, 6, 5, 5, 0, 2, 5, 5}, {2, 3, 5, 5, 0, 0, 5, 5}},
      REFUSED}},
    {{20, 36, 5, 5},
     {{{5, 9, 5, 5, 0, 0, 5, 5}, {3, 5, 3, 3, 0, 0, 5, 5}, {2, 3, 2, 2, 0, 0, 5, 5}},
      {{5, 9, 5, 5, 0, 0, 5, 5}, {3, 5, 2, 2, 0, 0, 2, 2}, {2, 3, 1, 1, 0, 0, 1, 1}},
      {{5, 9, 5, 5, 0, 2, 5, 5}, {3, 5, 3, 5, 0, 0, 3, 5}, {2, 3, 2, 3, 0, 0, 2, 3}},
      {{5, 9, 5, 5, 0, 2, 5, 5}, {3, 5, 5, 5, 0, 0, 5, 5}, {2, 3, 5, 5, 0, 0, 5, 5}},
      REFUSED}},
    {{28, 60, 4, 4},
     {{{7, 15, 4, 4, 2, 2, 4, 4}, {4, 8, 4, 4, 0, 0, 4, 4}, {2, 4, 2, 2, 0, 0, 4, 4}},
      {{7, 15, 4, 4, 2, 2, 4, 4}, {4, 8, 3, 3, 0, 0, 3, 3}, {2, 4, 1, 1, 0, 0, 1, 1}},
      {{7, 15, 4, 4, 2, 2, 4, 4}, {4, 8, 4, 4, 0, 2, 4, 4}, {2, 4, 2, 4, 0, 0, 2, 4}},
      {{7, 15, 4, 4, 2, 2, 4, 4}, {4, 8, 4, 4, 0, 2, 4, 4}, {2, 4, 4, 4, 0, 0, 4, 4}},
      REFUSED}},
    {{40, 16, 4, 4},
     {{{10, 4, 4, 4, 0, 0, 4, 4}, {5, 2, 2, 2, 0, 0, 4, 4}, {3, 1, 1, 1, 0, 0, 4, 4}},
      {{10, 4, 4, 4, 2, 2, 4, 4}, {5, 2, 4, 4, 2, 2, 4, 4}, {3, 1, 2, 2, 0, 0, 2, 2}},
      {{10, 4, 4, 4, 2, 0, 4, 4}, {5, 2, 4, 2, 2, 0, 4, 2}, {3, 1, 3, 1, 0, 0, 3, 1}},
      {{10, 4, 4, 4, 2, 0, 4, 4}, {5, 2, 4, 4, 2, 0, 4, 4}, {3, 1, 4, 4, 0, 0, 4, 4}},
      REFUSED}},
    {{36, 36, 4, 4},
     {{{9, 9, 4, 4, 2, 2, 4, 4}, {5, 5, 4, 4, 2, 2, 4, 4}, {3, 3, 3, 3, 0, 0, 4, 4}},
      {{9, 9, 4, 4, 2, 2, 4, 4}, {5, 5, 4, 4, 0, 0, 4, 4}, {3, 3, 2, 2, 0, 0, 2, 2}},
      {{9, 9, 4, 4, 2, 2, 4, 4}, {5, 5, 4, 4, 2, 2, 4, 4}, {3, 3, 3, 3, 0, 0, 3, 3}},
      {{9, 9, 4, 4, 2, 2, 4, 4}, {5, 5, 4, 4, 2, 2, 4, 4}, {3, 3, 4, 4, 0, 0, 4, 4}},
      REFUSED}},
    {{12, 24, 3, 3},
     {{{3, 6, 3, 3, 0, 0, 3, 3}, {2, 3, 2, 2, 0, 0, 3, 3}, {1, 2, 1, 1, 0, 0, 3, 3}},
      REFUSED,
      {{3, 6, 3, 3, 0, 1, 3, 3}, {2, 3, 2, 3, 0, 0, 2, 3}, {1, 2, 1, 2, 0, 0, 1, 2}},
      {{3, 6, 3, 3, 0, 1, 3, 3}, {2, 3, 3, 3, 0, 0, 3, 3}, {1, 2, 3, 3, 0, 0, 3, 3}},
      REFUSED}},
    {{50, 50, 6, 6},
     {{{13, 13, 6, 6, 3, 3, 6, 6}, {7, 7, 6, 6, 3, 3, 6, 6}, {4, 4, 4, 4, 0, 0, 6, 6}},
      {{13, 13, 6, 6, 3, 3, 6, 6}, {7, 7, 6, 6, 0, 0, 6, 6}, {4, 4, 3, 3, 0, 0, 3, 3}},
      {{12, 12, 6, 6, 3, 3, 6, 6}, {6, 6, 6, 6, 0, 0, 6, 6}, {3, 3, 3, 3, 0, 0, 3, 3}},
      {{12, 12, 6, 6, 3, 3, 6, 6}, {6, 6, 6, 6, 0, 0, 6, 6}, {3, 3, 6, 6, 0, 0, 6, 6}},
      {{12, 12, 6, 6, 3, 3, 6, 6}, {6, 6, 6, 6, 0, 0, 6, 6}, {3, 3, 3, 3, 0, 0, 3, 3}}}},
    {{24, 25, 7, 7},
     {{{6, 7, 6, 6, 0, 0, 7, 7}, {3, 4, 3, 3, 0, 0, 7, 7}, {2, 2, 2, 2, 0, 0, 7, 7}},
      {{6, 7, 6, 6, 0, 0, 6, 6}, {3, 4, 3, 3, 0, 0, 3, 3}, {2, 2, 1, 1, 0, 0, 1, 1}},
      {{6, 6, 6, 6, 0, 0, 6, 6}, {3, 3, 3, 3, 0, 0, 3, 3}, {2, 2, 2, 2, 0, 0, 2, 2}},
      {{6, 6, 7, 7, 0, 0, 7, 7}, {3, 3, 7, 7, 0, 0, 7, 7}, {2, 2, 7, 7, 0, 0, 7, 7}},
      REFUSED}},
    {{44, 100, 4, 6},
     {REFUSED,
      REFUSED,
      {{11, 25, 4, 6, 2, 3, 4, 6}, {6, 13, 4, 6, 2, 3, 4, 6}, {3, 7, 3, 6, 0, 3, 3, 6}},
      {{11, 25, 4, 6, 2, 3, 4, 6}, {6, 13, 4, 6, 2, 3, 4, 6}, {3, 7, 4, 6, 0, 3, 4, 6}},
      REFUSED}},
};

static void make_config(const Size *size, SwinFamily family, SwinDialect dialect,
                        SwinModelConfig *config) {
  swin_model_config_default(family, config);
  config->dialect = dialect;
  config->edge_rules = swin_edge_rules(family, dialect);
  config->n_stages = N_STAGES;
  config->image_height = size->image_height;
  config->image_width = size->image_width;
  for (guint stage = 0; stage < N_STAGES; stage++) {
    config->window_height[stage] = size->window_height;
    config->window_width[stage] = size->window_width;
  }
}

static void assert_windows(const Expected *expected, const SwinModelConfig *config, guint stage) {
  SwinWindows first, second;
  swin_model_config_windows(config, stage, 0, &first);
  swin_model_config_windows(config, stage, 1, &second);
  ck_assert_uint_eq(second.map_height, expected->map_height);
  ck_assert_uint_eq(second.map_width, expected->map_width);
  ck_assert_uint_eq(second.window_height, expected->window_height);
  ck_assert_uint_eq(second.window_width, expected->window_width);
  ck_assert_uint_eq(second.shift_y, expected->shift_y);
  ck_assert_uint_eq(second.shift_x, expected->shift_x);
  ck_assert_uint_eq(second.table_height, expected->table_height);
  ck_assert_uint_eq(second.table_width, expected->table_width);
  second.shift_y = second.shift_x = 0;
  ck_assert_mem_eq(&first, &second, sizeof first);
}

static void check_case(const Size *size, const Expected *expected, SwinFamily family,
                       SwinDialect dialect) {
  SwinModelConfig config;
  make_config(size, family, dialect, &config);
  const gboolean runs = swin_model_config_check(&config, NULL);
  ck_assert_msg(runs == (expected->map_height != 0), "%u x %u of dialect %d is %s",
                size->image_width, size->image_height, (gint)dialect,
                runs ? "accepted" : "refused");
  for (guint stage = 0; runs && stage < N_STAGES; stage++) {
    assert_windows(&expected[stage], &config, stage);
  }
}

START_TEST(publishers) {
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    for (guint j = 0; j < G_N_ELEMENTS(sources); j++) {
      const Expected *expected = cases[i].stages[j];
      if (sources[j].v1) {
        check_case(&cases[i].size, expected, SWIN_FAMILY_SWIN, sources[j].dialect);
      }
      if (sources[j].v2) {
        check_case(&cases[i].size, expected, SWIN_FAMILY_SWIN_V2, sources[j].dialect);
      }
    }
  }
}
END_TEST

/* What is not in the numbers. */
START_TEST(other_rules) {
  for (guint family = SWIN_FAMILY_SWIN; family <= SWIN_FAMILY_VIT; family++) {
    for (guint dialect = SWIN_DIALECT_HUGGING_FACE; dialect <= SWIN_DIALECT_MICROSOFT; dialect++) {
      const SwinEdgeRules rules = swin_edge_rules((SwinFamily)family, (SwinDialect)dialect);
      const gboolean pads = dialect == SWIN_DIALECT_HUGGING_FACE && family != SWIN_FAMILY_VIT;
      ck_assert_int_eq(rules.roll_before_padding, dialect == SWIN_DIALECT_TIMM);
      ck_assert_int_eq(rules.partial_patches, pads ? SWIN_PARTIAL_PAD : SWIN_PARTIAL_CUT);
    }
  }
}
END_TEST

/* Per stage, as in Swin-S3 (arXiv:2111.14725). */
START_TEST(windows_per_stage) {
  SwinModelConfig config;
  swin_model_config_default(SWIN_FAMILY_SWIN, &config);
  config.window_height[2] = config.window_width[2] = 14;
  SwinWindows windows;
  swin_model_config_windows(&config, 1, 3, &windows);
  ck_assert_uint_eq(windows.window_height, 7);
  ck_assert_uint_eq(windows.shift_x, 3);
  swin_model_config_windows(&config, 2, 3, &windows);
  ck_assert_uint_eq(windows.window_height, 14);
  ck_assert_uint_eq(windows.shift_x, 0);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {publishers, other_rules, windows_per_stage};
  return fixture_run("windows", tests, G_N_ELEMENTS(tests));
}
