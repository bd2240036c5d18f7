// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * storage.h: values as they lie in device memory (SwinStorage), written and read by the host.
 */
#ifndef SWIN_NETWORK_STORAGE_H
#define SWIN_NETWORK_STORAGE_H

#include "network/plan.h"

/** swin_storage_name: (transfer none): "fp32" or "fp16". */
const gchar *swin_storage_name(SwinStorage storage);

/**
 * swin_storage_write: converts @n float32 values; to half precision rounded to the nearest, of two
 * to the even one, and to infinity beyond its range (IEEE 754).
 * @stored: n * swin_storage_size(storage) bytes, aligned to a value
 */
void swin_storage_write(SwinStorage storage, const gfloat *values, guint64 n, gpointer stored);

/** swin_storage_read: the other way round, exactly. @stored: of any alignment */
void swin_storage_read(SwinStorage storage, gconstpointer stored, guint64 n, gfloat *values);

/** swin_storage_round: what comes back of @n values that were stored. */
void swin_storage_round(SwinStorage storage, gfloat *values, guint64 n);

#endif /* SWIN_NETWORK_STORAGE_H */
