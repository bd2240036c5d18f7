// SPDX-License-Identifier: LGPL-2.1-or-later
#include "network/storage.h"

#include "model/half.h"

#include <math.h>

guint swin_storage_size(SwinStorage storage) {
  return storage == SWIN_STORAGE_F16 ? 2 : 4;
}

const gchar *swin_storage_name(SwinStorage storage) {
  return storage == SWIN_STORAGE_F16 ? "fp16" : "fp32";
}

/* As a device stores it: an infinity stays one, and so does what is beyond the range. */
static guint16 half_of(gfloat value) {
  if (isnan(value))
    return 0x7e00;
  if (fabsf(value) >= 65520.0f)
    return value > 0.0f ? 0x7c00 : 0xfc00;
  return swin_half_from_float(value);
}

void swin_storage_write(SwinStorage storage, const gfloat *values, guint64 n, gpointer stored) {
  guint16 *halves = stored;
  if (storage == SWIN_STORAGE_F32) {
    memcpy(stored, values, n * sizeof(gfloat));
    return;
  }
  for (guint64 i = 0; i < n; i++)
    halves[i] = half_of(values[i]);
}

void swin_storage_read(SwinStorage storage, gconstpointer stored, guint64 n, gfloat *values) {
  const SwinTensor halves = {
      .dtype = SWIN_DTYPE_F16, .n_dims = 1, .shape = {n}, .n_elements = n, .data = stored};
  if (storage == SWIN_STORAGE_F32)
    memcpy(values, stored, n * sizeof(gfloat));
  else
    swin_tensor_read(&halves, 0, n, values);
}

void swin_storage_round(SwinStorage storage, gfloat *values, guint64 n) {
  guint16 halves[256];
  for (guint64 first = 0; storage == SWIN_STORAGE_F16 && first < n; first += G_N_ELEMENTS(halves)) {
    const guint64 n_block = MIN(G_N_ELEMENTS(halves), n - first);
    swin_storage_write(storage, values + first, n_block, halves);
    swin_storage_read(storage, halves, n_block, values + first);
  }
}
