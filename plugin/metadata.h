// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * metadata.h: how tags travel on a buffer. metadata.c and region.c are the only files that know of
 * GstAnalytics.
 *
 * With every release tags are a custom meta `swin-classification`, one for each result of each
 * model that the frame went through. Its structure has
 * - `model`, `precision` (string), `unique-id` (uint): what made it
 * - `timestamp` (guint64): presentation time of the frame that was looked at, `age` (guint64): how
 *   much older than this frame it is, in ns; %GST_CLOCK_TIME_NONE where that is not known
 * - `labels` (array of string), `confidences` (array of double), `indices` (array of uint): best
 *   first
 * and where it is about an object `region` (array of x, y, width, height: uint), `frame-width` and
 * `frame-height` (uint) of the picture that it counts in, `object-class` (string, if it has one),
 * `track` (guint64, if it is tracked).
 *
 * With GstAnalytics (GStreamer 1.24 and later) tags are also a `GstAnalyticsClsMtd` in the buffer's
 * `GstAnalyticsRelationMeta`. The `GstAnalyticsODMtd` that they are about, if any, is related to it
 * by %GST_ANALYTICS_REL_TYPE_RELATE_TO, which is where objectdetectionoverlay looks for a label.
 *
 * Those of an object that came as a `GstVideoRegionOfInterestMeta` are a parameter of that, of the
 * same name and with the same fields, and beside them those that DL Streamer's elements read, of
 * the best tag: `label` (string), `label_id` (int), `confidence` (double), `model_name` (string).
 *
 * All of these are copied with the buffer and survive conversion and scaling, but for parameters of
 * a `GstVideoRegionOfInterestMeta`, which GStreamer's scaler leaves behind. A `region` stays in
 * pixels of the frame that left the element, whose size is beside it for who reads it behind a
 * scaler: a custom meta that GStreamer's scaler is to scale needs the tag "size", and what has that
 * tag most other elements leave behind. The object that it was found on is scaled.
 *
 * Tensors (GStreamer 1.26 and later) are a `GstTensorMeta` for each result, float32, row-major,
 * with a leading dimension of 1:
 * - `classification-generic-out`: <1, classes>: logits, as the stock classifiertensordecoder takes
 *   them
 * - `swin-embedding`: <1, channels>: the pooled features before the head
 * - `swin-stage-0` and so on: <1, height, width, channels>: the tokens after a stage
 * The data buffer of each has the custom meta as well, which says what it is about. GStreamer 1.26
 * does not copy a GstTensorMeta along with a buffer, so it has to be read before somebody copies.
 */
#ifndef SWIN_PLUGIN_METADATA_H
#define SWIN_PLUGIN_METADATA_H

#include "classification.h"
#include "region.h"

/** swin_metadata_register: before anything is attached; not from several threads at once. */
void swin_metadata_register(void);

/**
 * swin_metadata_attach: adds the tags of @classification to @buffer, which must be writable. Adds
 * nothing when there are none. Metadata that is there stays, that of another swinclassify upstream
 * included.
 * @region: what they are about; as found on this very buffer or on the one it was copied from
 */
void swin_metadata_attach(GstBuffer *buffer, const SwinRegion *region,
                          const SwinClassification *classification, guint unique_id);

/**
 * swin_metadata_attach_tensors: adds outputs of @classification to @buffer, which must be writable,
 * as tensors (GStreamer 1.26 and later; otherwise nothing happens).
 * @region: what they are about
 * @tensors: GstSwinClassifyTensors: which; those that @classification has not are left out
 */
void swin_metadata_attach_tensors(GstBuffer *buffer, const SwinRegion *region,
                                  const SwinClassification *classification, guint unique_id,
                                  guint tensors);

/** swin_metadata_has_tensors: whether this build can attach tensors. */
gboolean swin_metadata_has_tensors(void);

#endif /* SWIN_PLUGIN_METADATA_H */
