// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * metadata.h: how tags travel on a buffer. metadata.c is the one file that knows which GStreamer
 * release it is built for.
 *
 * With GstAnalytics (GStreamer 1.24 and later) tags are a `GstAnalyticsClsMtd` in the buffer's
 * `GstAnalyticsRelationMeta`: labels as quarks and confidences, best first. Without it they are a
 * custom meta `swin-classification` whose structure has the arrays `labels`, `confidences` and
 * `indices`. Both are copied with the buffer and survive conversion and scaling.
 */
#ifndef SWIN_PLUGIN_METADATA_H
#define SWIN_PLUGIN_METADATA_H

#include "classification.h"

/** swin_metadata_register: call once a process, before anything is attached. */
void swin_metadata_register(void);

/**
 * swin_metadata_attach: adds the tags of @classification to @buffer, which must be writable. Adds
 * nothing when there are none. Metadata that is there stays, that of another swinclassify upstream
 * included.
 */
void swin_metadata_attach(GstBuffer *buffer, const SwinClassification *classification);

#endif /* SWIN_PLUGIN_METADATA_H */
