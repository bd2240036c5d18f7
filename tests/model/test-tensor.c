// SPDX-License-Identifier: LGPL-2.1-or-later
/* Conversion to float32, exactly, from data at any address. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "model/finite.h"
#include "model/tensor.h"

static guint32 bits_of(gfloat value) {
  guint32 bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* Reads one element that starts at an odd address. */
static guint32 convert(SwinDtype dtype, guint32 pattern) {
  guint8 storage[8] = {0};
  for (guint i = 0; i < swin_dtype_size(dtype); i++) {
    storage[1 + i] = (guint8)(pattern >> (8 * i));
  }
  SwinTensor tensor = {.dtype = dtype, .n_dims = 0, .n_elements = 1, .data = storage + 1};
  gfloat value;
  swin_tensor_read(&tensor, 0, 1, &value);
  return bits_of(value);
}

START_TEST(half_values) {
  static const struct {
    guint16 pattern;
    gfloat value;
  } cases[] = {
      {0x0000, 0.0f},       {0x3c00, 1.0f},       {0xc000, -2.0f},       {0x3555, 0x1.554p-2f},
      {0x7bff, 65504.0f},   {0xfbff, -65504.0f},  {0x0400, 0x1p-14f},    {0x0001, 0x1p-24f},
      {0x8001, -0x1p-24f},  {0x03ff, 0x3ffp-24f}, {0x83ff, -0x3ffp-24f}, {0x0200, 0x1p-15f},
      {0x3c01, 0x1.004p0f}, {0x7c00, INFINITY},   {0xfc00, -INFINITY},   {0x8000, -0.0f},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    guint32 expected = bits_of(cases[i].value);
    guint32 got = convert(SWIN_DTYPE_F16, cases[i].pattern);
    ck_assert_msg(got == expected, "0x%04x gives 0x%08x, not 0x%08x", cases[i].pattern, got,
                  expected);
  }
}
END_TEST

/* Every half, against the definition of the format. */
START_TEST(all_halves) {
  for (guint32 pattern = 0; pattern < 0x10000; pattern++) {
    guint exponent = pattern >> 10 & 0x1f, fraction = pattern & 0x3ff;
    guint32 got = convert(SWIN_DTYPE_F16, pattern);
    if (exponent == 0x1f && fraction != 0) {
      ck_assert((got & 0x7f800000u) == 0x7f800000u && (got & 0x7fffffu) != 0);
      ck_assert_uint_eq(got >> 31, pattern >> 15);
      continue;
    }
    gdouble magnitude = exponent == 0x1f ? (gdouble)INFINITY
                        : exponent == 0  ? ldexp(fraction, -24)
                                         : ldexp(1024 + fraction, (gint)exponent - 25);
    guint32 expected = bits_of((gfloat)magnitude) | (pattern & 0x8000) << 16;
    ck_assert_msg(got == expected, "0x%04x gives 0x%08x, not 0x%08x", pattern, got, expected);
  }
}
END_TEST

START_TEST(other_values) {
  ck_assert_uint_eq(convert(SWIN_DTYPE_BF16, 0x3f80), bits_of(1.0f));
  ck_assert_uint_eq(convert(SWIN_DTYPE_BF16, 0xc049), bits_of(-3.140625f));
  ck_assert_uint_eq(convert(SWIN_DTYPE_BF16, 0x0001), 0x00010000u); /* subnormal */
  ck_assert_uint_eq(convert(SWIN_DTYPE_BF16, 0x7f80), bits_of(INFINITY));
  ck_assert_uint_eq(convert(SWIN_DTYPE_BF16, 0x7fc1), 0x7fc10000u); /* NaN keeps its payload */
  ck_assert_uint_eq(convert(SWIN_DTYPE_F32, 0x3e99999au), bits_of(0.3f));
  ck_assert_uint_eq(convert(SWIN_DTYPE_F32, 0x80000001u), 0x80000001u);
  ck_assert_uint_eq(convert(SWIN_DTYPE_F32, 0x7fa00001u), 0x7fa00001u);
}
END_TEST

START_TEST(ranges_and_rows) {
  guint8 data[6 * 2];
  for (guint i = 0; i < 6; i++) {
    guint16 half = (guint16)(0x3c00 + i); /* 1 + i / 1024 */
    data[2 * i] = (guint8)half;
    data[2 * i + 1] = (guint8)(half >> 8);
  }
  SwinTensor tensor = {
      .dtype = SWIN_DTYPE_F16, .n_dims = 2, .shape = {3, 2}, .n_elements = 6, .data = data};
  gfloat values[3] = {-1.0f, -1.0f, -1.0f};
  swin_tensor_read(&tensor, 3, 2, values);
  ck_assert_uint_eq(bits_of(values[0]), bits_of(1.0f + 3.0f / 1024));
  ck_assert_uint_eq(bits_of(values[1]), bits_of(1.0f + 4.0f / 1024));
  ck_assert_uint_eq(bits_of(values[2]), bits_of(-1.0f));
  swin_tensor_read(&tensor, 6, 0, values);
  ck_assert_uint_eq(bits_of(values[0]), bits_of(1.0f + 3.0f / 1024));

  SwinTensor rows = swin_tensor_rows(&tensor, 1, 2);
  ck_assert_uint_eq(rows.shape[0], 2);
  ck_assert_uint_eq(rows.shape[1], 2);
  ck_assert_uint_eq(rows.n_elements, 4);
  ck_assert_ptr_eq(rows.data, data + 4);
}
END_TEST

/* ---- Infinities and NaN --------------------------------------------------------------------- */

/* Writes the pattern of one element. */
static void poke(guint8 *data, SwinDtype dtype, guint64 index, guint32 pattern) {
  for (guint i = 0; i < swin_dtype_size(dtype); i++) {
    data[index * swin_dtype_size(dtype) + i] = (guint8)(pattern >> (8 * i));
  }
}

/* One element among ordinary ones, at every place of some blocks and at an odd address. */
START_TEST(finite_values) {
  static const struct {
    SwinDtype dtype;
    guint32 pattern;
    gboolean finite;
  } cases[] = {
      {SWIN_DTYPE_F32, 0x7f800000u, FALSE}, {SWIN_DTYPE_F32, 0xff800000u, FALSE},
      {SWIN_DTYPE_F32, 0x7f800001u, FALSE}, {SWIN_DTYPE_F32, 0xffffffffu, FALSE},
      {SWIN_DTYPE_F32, 0x7f7fffffu, TRUE},  {SWIN_DTYPE_F32, 0x80000001u, TRUE},
      {SWIN_DTYPE_F16, 0x7c00, FALSE},      {SWIN_DTYPE_F16, 0xfc01, FALSE},
      {SWIN_DTYPE_F16, 0x7bff, TRUE},       {SWIN_DTYPE_F16, 0x83ff, TRUE},
      {SWIN_DTYPE_BF16, 0x7f80, FALSE},     {SWIN_DTYPE_BF16, 0xffc0, FALSE},
      {SWIN_DTYPE_BF16, 0x7f7f, TRUE},      {SWIN_DTYPE_BF16, 0xff7f, TRUE},
  };
  enum { N = 3 * 64 + 5 };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    for (guint64 at = 0; at < N; at++) {
      guint8 storage[4 * N + 1];
      memset(storage, 0x3c, sizeof storage);
      const SwinTensor tensor = {
          .dtype = cases[i].dtype, .n_dims = 1, .shape = {N}, .n_elements = N, .data = storage + 1};
      poke(storage + 1, cases[i].dtype, at, cases[i].pattern);
      ck_assert_int_eq(swin_tensor_is_finite(&tensor, 0, N), cases[i].finite);
      ck_assert(swin_tensor_is_finite(&tensor, 0, at));
      ck_assert(swin_tensor_is_finite(&tensor, at + 1, N - at - 1));
    }
  }
}
END_TEST

/* Long enough for several threads: the first bad element of the first bad tensor is found. */
START_TEST(finite_search) {
  enum { N = 2500003 };
  g_autofree guint8 *data = g_malloc0(4 * N);
  SwinTensor tensors[3];
  for (guint i = 0; i < 3; i++) {
    tensors[i] = (SwinTensor){
        .dtype = SWIN_DTYPE_F32, .n_dims = 1, .shape = {N}, .n_elements = N, .data = data};
  }
  tensors[0].n_elements = tensors[0].shape[0] = 7;
  guint tensor = 9;
  guint64 element = 9;
  ck_assert(swin_finite_check(tensors, 3, &tensor, &element));
  ck_assert_uint_eq(tensor, 9);
  poke(data, SWIN_DTYPE_F32, N - 1, 0x7f800000u);
  ck_assert(!swin_finite_check(tensors, 3, &tensor, &element));
  ck_assert_uint_eq(tensor, 1);
  ck_assert_uint_eq(element, N - 1);
  poke(data, SWIN_DTYPE_F32, 1048575, 0x7fc00000u);
  poke(data, SWIN_DTYPE_F32, 1048576, 0x7fc00000u);
  ck_assert(!swin_finite_check(tensors, 3, &tensor, &element));
  ck_assert_uint_eq(element, 1048575);
  poke(data, SWIN_DTYPE_F32, 6, 0x7fc00000u);
  ck_assert(!swin_finite_check(tensors, 1, &tensor, &element));
  ck_assert_uint_eq(tensor, 0);
  ck_assert_uint_eq(element, 6);
  ck_assert(swin_finite_check(NULL, 0, &tensor, &element));
}
END_TEST

/* Blocks and what is left of them give the same as one element at a time. */
START_TEST(long_ranges) {
  enum { N = 2 * 64 + 3 };
  static const SwinDtype dtypes[] = {SWIN_DTYPE_F16, SWIN_DTYPE_BF16, SWIN_DTYPE_F32};
  for (guint i = 0; i < G_N_ELEMENTS(dtypes); i++) {
    guint8 storage[4 * N + 1];
    for (guint j = 0; j < sizeof storage; j++) {
      storage[j] = (guint8)(j * 37 + 11);
    }
    const SwinTensor tensor = {
        .dtype = dtypes[i], .n_dims = 1, .shape = {N}, .n_elements = N, .data = storage + 1};
    gfloat all[N];
    swin_tensor_read(&tensor, 0, N, all);
    for (guint j = 0; j < N; j++) {
      gfloat one;
      swin_tensor_read(&tensor, j, 1, &one);
      ck_assert_uint_eq(bits_of(all[j]), bits_of(one));
    }
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {half_values,   all_halves,    other_values, ranges_and_rows,
                                finite_values, finite_search, long_ranges};
  return fixture_run("tensor", tests, G_N_ELEMENTS(tests));
}
