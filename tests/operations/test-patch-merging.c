// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

/* As for a layer norm: sums of 4C terms in float. */
#define TOLERANCE 4e-6

static const struct {
  guint64 batch, height, width, channels;
} maps[] = {
    {1, 1, 1, 1},   {1, 1, 1, 5},     {2, 1, 7, 3},   {1, 2, 2, 96},  {1, 3, 1, 33},
    {3, 7, 7, 24},  {2, 8, 6, 7},     {1, 33, 3, 6},  {1, 56, 56, 8}, {2, 13, 97, 4},
    {1, 4, 2, 192}, {1, 14, 14, 384}, {1, 3, 5, 100},
};

static void check_merging(guint i, gboolean normed) {
  g_autoptr(HarnessCase) test = harness_case_new(
      i, "patch merging of %d x %d x %d x %d%s", (int)maps[i].batch, (int)maps[i].height,
      (int)maps[i].width, (int)maps[i].channels, normed ? "" : " without norm");
  const guint64 shape[] = {maps[i].batch, maps[i].height, maps[i].width, maps[i].channels};
  gint input = harness_case_input(test, 4, shape);
  SwinTensor weight = harness_case_weight(test, 1, 4 * maps[i].channels, 1, 1.0, 0.3);
  SwinTensor bias = harness_case_weight(test, 1, 4 * maps[i].channels, 1, 0.0, 0.3);
  gint output = swin_plan_add_patch_merging(test->plan, "merging", input, normed ? &weight : NULL,
                                            normed ? &bias : NULL, 1e-5);

  swin_plan_mark_output(test->plan, output, "output");
  /* Without a norm values only move: every bit arrives. */
  harness_case_check(test, normed ? TOLERANCE : 0.0);
}

/* With the kernels of both kinds of devices, in both storages. */
#define VARIANTS 4
static void choose_variant(gint variant) {
  harness_pretend(variant % 2 == 0 ? SWIN_DEVICE_KIND_CPU : SWIN_DEVICE_KIND_DISCRETE);
  harness_storage(variant / 2 == 0 ? SWIN_STORAGE_F32 : SWIN_STORAGE_F16);
}

START_TEST(odd_shapes) {
  choose_variant(_i % VARIANTS);
  check_merging((guint)_i / VARIANTS / 2, _i / VARIANTS % 2 == 0);
}
END_TEST

START_TEST(split_for_small_bindings) {
  harness_limit_storage(10000);
  for (gint variant = 0; variant < VARIANTS; variant++) {
    choose_variant(variant);
    check_merging(5, TRUE);
    check_merging(6, FALSE);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("patch merging");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, 2 * VARIANTS * G_N_ELEMENTS(maps));
  tcase_add_test(cases, split_for_small_bindings);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
