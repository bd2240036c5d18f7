// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * test-frames.h: generated frames of every layout.
 */
#ifndef SWIN_TESTS_TEST_FRAMES_H
#define SWIN_TESTS_TEST_FRAMES_H

#include "swin.h"

/** TestPattern: what is seen; numbered as in make-goldens.py. */
typedef enum { TEST_GRADIENT = 0, TEST_NOISE = 1, TEST_CHECKERS = 2 } TestPattern;

/** test_code: code of component @component of the sample (@x, @y). */
guint8 test_code(TestPattern pattern, guint seed, guint x, guint y, guint component);

/** test_sample: the same of @depth bits; of 8 it is the code. */
guint test_sample(TestPattern pattern, guint seed, guint x, guint y, guint component, guint depth);

/** TestLayout: a pixel layout. */
typedef struct {
  const gchar *name; /* as GstVideo writes it; in small letters where it has none */
  SwinColorModel model;
  SwinFrameComponent component[3];
} TestLayout;

extern const TestLayout test_layouts[];
extern const guint n_test_layouts;

/** test_layout_find: the layout of that name; never NULL. */
const TestLayout *test_layout_find(const gchar *name);

/** TestFrame: a frame with planes of its own. */
typedef struct {
  SwinFrame frame;
  guint8 *memory[SWIN_FRAME_MAX_PLANES];
} TestFrame;

/**
 * test_frame_new: every plane ends with the last sample of its last row.
 * @padding: bytes between rows
 * @poison: value of the bytes that are no samples
 */
TestFrame *test_frame_new(const TestLayout *layout, guint width, guint height, TestPattern pattern,
                          guint seed, guint padding, guint8 poison);

/** test_frame_new_sited: the same; interlaced frames have rows for both fields. */
TestFrame *test_frame_new_sited(const TestLayout *layout, SwinChromaSite site, guint width,
                                guint height, TestPattern pattern, guint seed, guint padding,
                                guint8 poison);
void test_frame_free(TestFrame *test); /* NULL-safe */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestFrame, test_frame_free)

#endif /* SWIN_TESTS_TEST_FRAMES_H */
