// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operations/harness.h"

static const struct {
  guint64 batch, channels, height, width;
  guint patch_size;
} pictures[] = {
    {1, 3, 4, 4, 4},    {1, 1, 1, 1, 1},     {1, 1, 1, 1, 4},   {2, 3, 7, 33, 4},
    {3, 2, 97, 3, 3},   {1, 3, 33, 33, 3},   {1, 4, 5, 97, 2},  {2, 1, 16, 8, 8},
    {1, 3, 30, 50, 16}, {1, 3, 224, 224, 4}, {2, 3, 19, 36, 4}, {1, 3, 30, 52, 16},
    {3, 1, 17, 20, 8},
};

/* Values only move: every bit arrives, or all that there is room for. */
static void check_partition(guint i, gboolean cut) {
  g_autoptr(HarnessCase) test =
      harness_case_new(i, "%s of %u in %d x %d x %d x %d", cut ? "whole patches" : "patches",
                       pictures[i].patch_size, (int)pictures[i].batch, (int)pictures[i].channels,
                       (int)pictures[i].height, (int)pictures[i].width);
  const guint64 shape[] = {pictures[i].batch, pictures[i].channels, pictures[i].height,
                           pictures[i].width};
  /* A picture is float32 in any case. */
  gint input = swin_plan_add_input(test->plan, "input", SWIN_STORAGE_F32, 4, shape);

  gint output =
      swin_plan_add_patch_partition(test->plan, "partition", input, pictures[i].patch_size, cut);
  guint64 rest = cut ? 0 : pictures[i].patch_size - 1;

  ck_assert_uint_eq(swin_plan_get_tensor(test->plan, output)->shape[1],
                    (pictures[i].height + rest) / pictures[i].patch_size);
  ck_assert_uint_eq(swin_plan_get_tensor(test->plan, output)->shape[2],
                    (pictures[i].width + rest) / pictures[i].patch_size);
  swin_plan_mark_output(test->plan, output, "output");
  harness_case_check(test, 0.0);
}

START_TEST(odd_shapes) {
  harness_storage((SwinStorage)(_i % 2));
  check_partition((guint)_i / 2, FALSE);
}
END_TEST

START_TEST(whole_patches) {
  guint i = (guint)_i / 2;

  harness_storage((SwinStorage)(_i % 2));
  if (MIN(pictures[i].height, pictures[i].width) >= pictures[i].patch_size)
    check_partition(i, TRUE);
}
END_TEST

START_TEST(split_for_small_bindings) {
  harness_limit_storage(8192);
  for (guint storage = SWIN_STORAGE_F32; storage <= SWIN_STORAGE_F16; storage++) {
    harness_storage((SwinStorage)storage);
    check_partition(3, FALSE);
    check_partition(4, TRUE);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("patch partition");
  TCase *cases = tcase_create("all");

  harness_device();
  tcase_add_checked_fixture(cases, NULL, harness_restore);
  tcase_add_loop_test(cases, odd_shapes, 0, 2 * G_N_ELEMENTS(pictures));
  tcase_add_loop_test(cases, whole_patches, 0, 2 * G_N_ELEMENTS(pictures));
  tcase_add_test(cases, split_for_small_bindings);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}
