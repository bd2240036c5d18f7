// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is computed when a model is loaded, against PyTorch: derive.safetensors, which
 * make-derive-goldens.py made. */
#include <math.h>

#include "fixture.h"
#include "model/derive.h"
#include "model/safetensors.h"

/* Of the largest value. PyTorch's own float32 is off by as much. */
#define TOLERANCE 1e-6

static SwinSafetensors *open_goldens(void) {
  GError *error = NULL;
  g_autofree gchar *path = fixture_golden("../model/derive.safetensors");
  SwinSafetensors *file = swin_safetensors_open(path, &error);
  ck_assert_msg(file != NULL, "%s", error != NULL ? error->message : "");
  return file;
}

/* The tensor "KIND.INDEX.PART"; FALSE where there is none. */
static gboolean find(SwinSafetensors *file, const gchar *kind, guint index, const gchar *part,
                     SwinTensor *tensor) {
  g_autofree gchar *name = g_strdup_printf("%s.%u.%s", kind, index, part);
  return swin_safetensors_has(file, name) && swin_safetensors_lookup(file, name, tensor, NULL);
}

static gfloat *read_values(const SwinTensor *tensor) {
  gfloat *values = g_new(gfloat, tensor->n_elements);
  swin_tensor_read(tensor, 0, tensor->n_elements, values);
  return values;
}

/* The whole numbers of "size". */
static void read_size(const SwinTensor *tensor, guint *size, guint n) {
  ck_assert_uint_eq(tensor->n_elements, n);
  for (guint i = 0; i < n; i++) {
    gfloat value;
    swin_tensor_read(tensor, i, 1, &value);
    size[i] = (guint)value;
  }
}

static void compare(const gchar *kind, guint index, const gfloat *values,
                    const SwinTensor *expected) {
  g_autofree gfloat *right = read_values(expected);
  gdouble largest = 0.0, difference = 0.0;
  for (guint64 i = 0; i < expected->n_elements; i++) {
    ck_assert(isfinite(values[i]));
    largest = fmax(largest, fabs(right[i]));
    difference = fmax(difference, fabs((gdouble)values[i] - right[i]));
  }
  ck_assert_msg(difference <= TOLERANCE * largest, "%s.%u is off by %g, its largest value is %g",
                kind, index, difference, largest);
}

START_TEST(position_biases) {
  g_autoptr(SwinSafetensors) file = open_goldens();
  guint index = 0;
  SwinTensor size_tensor;
  for (; find(file, "bias", index, "size", &size_tensor); index++) {
    SwinTensor weight1, bias1, weight2, expected;
    ck_assert(find(file, "bias", index, "weight1", &weight1));
    ck_assert(find(file, "bias", index, "bias1", &bias1));
    ck_assert(find(file, "bias", index, "weight2", &weight2));
    ck_assert(find(file, "bias", index, "table", &expected));
    guint size[3];
    read_size(&size_tensor, size, 3);
    ck_assert_uint_eq(expected.n_elements,
                      (2 * size[0] - 1) * (2 * size[1] - 1) * weight2.shape[0]);
    g_autofree gfloat *table = g_new(gfloat, expected.n_elements);
    swin_derive_position_bias(size[0], size[1], size[2], &weight1, &bias1, &weight2, table);
    compare("bias", index, table, &expected);
  }
  ck_assert_uint_eq(index, 8);
}
END_TEST

START_TEST(resizes) {
  g_autoptr(SwinSafetensors) file = open_goldens();
  guint index = 0;
  SwinTensor size_tensor;
  for (; find(file, "resize", index, "size", &size_tensor); index++) {
    SwinTensor tensor, expected;
    ck_assert(find(file, "resize", index, "values", &tensor));
    ck_assert(find(file, "resize", index, "resized", &expected));
    guint size[5];
    read_size(&size_tensor, size, 5);
    g_autofree gfloat *values = read_values(&tensor);
    g_autofree gfloat *resized = g_new(gfloat, expected.n_elements);
    swin_derive_resized(values, size[0], size[1], size[2], size[3], (guint)tensor.shape[2],
                        size[4] != 0 ? SWIN_CUBIC_ANTIALIASED : SWIN_CUBIC_PLAIN, resized);
    compare("resize", index, resized, &expected);
  }
  ck_assert_uint_eq(index, 13);
}
END_TEST

/* Nothing is lost where nothing changes: not a bit. */
START_TEST(same_size) {
  gfloat values[5 * 4 * 3], resized[5 * 4 * 3];
  for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
    values[i] = (gfloat)(sin(i) * exp(i % 17 - 8.0));
  }
  for (guint cubic = SWIN_CUBIC_PLAIN; cubic <= SWIN_CUBIC_ANTIALIASED; cubic++) {
    swin_derive_resized(values, 5, 4, 5, 4, 3, (SwinCubic)cubic, resized);
    ck_assert_mem_eq(values, resized, sizeof values);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {position_biases, resizes, same_size};
  return fixture_run("derive", tests, G_N_ELEMENTS(tests));
}
